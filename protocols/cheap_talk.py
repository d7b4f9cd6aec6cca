"""Talk that costs nothing and binds nobody, before the rest.

    nature     draws                                          as in the protocol that follows
    speakers   say something, or nothing, all at once         `rounds` times; each hears the others before the next round
    ...        the protocol named by `then`                   each speaker knows all that was said

Every speaker knows from the start what the game tells it; what the following protocol adds (such as facts about an adviser)
comes after the talk. Talk is free and not verified, so a benchmark derived for the protocol that follows stays what it was
only if it holds with messages; the rules carry `talk` = rounds. Source: V. Crawford, J. Sobel, "Strategic information
transmission", Econometrica 50 (1982); J. Farrell, "Cheap talk, coordination, and entry", RAND Journal of Economics 18 (1987).
"""
from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import Annotated, Any, Self

from pydantic import Field, PrivateAttr, model_validator

from ..errors import Forfeit, RulesError
from ..games.base import Game, Move, Observation, Play, Role, Rules, Saw, Say, State, Wording
from ..registry import build
from .base import Ask, Draw, Due, Notes, Protocol, Script


class Floor(Observation):
    """Who may speak now, in which round of how many."""
    speakers: tuple[Role, ...]
    round: int
    rounds: int

    def say(self, w: Wording, me: Role) -> str:
        others = ", ".join(w.label(role) for role in self.speakers if role != me)
        return (f"Round {self.round} of {self.rounds} of free talk: what you say now is heard by {others}. All speak at the "
                "same time; talk costs nothing and binds nobody.")


class CheapTalk(Protocol):
    """Free speech, then another protocol.

    rounds     of talk
    speakers   the roles that talk, two or more of the game's players and advisers; none named: all players
    then       registered name of the protocol that follows
    then_with  its fields
    """
    rounds: Annotated[int, Field(ge=1)] = 1
    speakers: tuple[Role, ...] = ()
    then: str = "silent"
    then_with: Mapping[str, Any] = {}
    _after: Protocol | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _known(self) -> Self:
        self._after = build("protocols", self.then, dict(self.then_with))
        return self

    @property
    def after(self) -> Protocol:
        """The protocol that follows."""
        assert self._after is not None
        return self._after

    def rules(self, game: Game) -> Rules:
        self.talking(game)
        rules = self.after.rules(game)
        return rules.but(talk=self.rounds + rules.get("talk", 0))

    def seats(self, game: Game) -> tuple[Role, ...]:
        return tuple(dict.fromkeys((*self.after.seats(game), *self.talking(game))))

    def talking(self, game: Game) -> tuple[Role, ...]:
        """The speakers. Raises RulesError if the game has no two who could talk."""
        able = (*game.players(), *dict.fromkeys(game.advisers().values()))
        speakers = self.speakers or game.players()
        strangers = [role for role in speakers if role not in able]
        if strangers:
            raise RulesError(f"'{strangers[0]}' cannot talk: speakers are among {', '.join(able)}.")
        if len(set(speakers)) < max(2, len(speakers)):
            raise RulesError(f"talk needs two different speakers or more, not ({', '.join(speakers)}): "
                             f"name them in `speakers`, among {', '.join(able)}.")
        return speakers

    def script(self, game: Game, state: State) -> Script:
        speakers, notes = self.talking(game), Notes()
        known = {role: game.observe(role, state) for role in speakers}
        for role in speakers:
            notes.tell(role, known[role])
        said = yield from self.talk(speakers, notes)
        play = yield from heard_first(self.after.script(game, state), notes, known)
        return play.model_copy(update={"moves": (*said, *play.moves)})

    def talk(self, speakers: tuple[Role, ...],
             notes: Notes) -> Generator[Due, tuple[Any, ...], list[tuple[Role, Move]]]:
        """The rounds of talk; what was said, in order."""
        said: list[tuple[Role, Move]] = []
        for at in range(1, self.rounds + 1):
            floor = Floor(speakers=speakers, round=at, rounds=self.rounds)
            for role in speakers:
                notes.tell(role, floor)
            words = yield tuple(notes.ask(role, Say, optional=True) for role in speakers)
            spoken = [(role, say) for role, say in zip(speakers, words, strict=True) if say is not None]
            for speaker, say in spoken:
                for role in speakers:
                    notes.tell(role, Saw(role=speaker, move=say) if role != speaker else None)
            said += spoken
        return said


def heard_first(script: Script, notes: Notes, known: Mapping[Role, Observation]) -> Script:
    """A script whose speakers hear what is still in `notes` at their first ask, and not once more what they were told."""
    first = dict(known)

    def told(due: Ask | Draw) -> Ask | Draw:
        if isinstance(due, Draw) or due.role not in first:
            return due
        old = first.pop(due.role)
        notes.tell(due.role, *(o for o in due.news if o != old))
        return notes.ask(due.role, due.want, due.optional)

    play = yield from changed(script, told)
    return play


def changed(script: Script, change: Callable[[Ask | Draw], Ask | Draw]) -> Script:
    """A script with each ask and draw changed on its way out; answers and forfeits go in as they come."""
    step: Callable[[], Due] = partial(next, script)
    while True:
        try:
            due = step()
        except StopIteration as end:
            play: Play = end.value
            return play
        try:
            answers = yield tuple(change(d) for d in due)
        except Forfeit as forfeit:
            step = partial(script.throw, forfeit)
        else:
            step = partial(script.send, answers)

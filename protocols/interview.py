"""Questions beside a game: comprehension before it, beliefs during it, recitation after it.

    ...        the protocol named by `then`, and in it, for each question, before the role's ask at which it is put:
    role       answers, or passes                    nobody else hears it; nothing is paid for it

A question is put at the role's first ask (`start`), before its first ask for a Move of a stated type ("Choice"), or after play
(`end`). The role has been told by then all it knows at that ask. An answer is no move of the game: it is in the rows of the
transcript and not in the play. A seat that forfeits a question goes on without an answer.
"""
import re
from collections.abc import Generator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, create_model, model_validator

from ..errors import Forfeit, RulesError
from ..games.base import Frozen, Game, Money, Move, Observation, Play, Role, Rules, State, Wording
from ..registry import build
from .base import Ask, Draw, Due, Protocol, Script

PLACE = re.compile(r"\{([^{}]+)\}")


class Asked(Observation):
    """A question of an interview. In its text {label} stands for a label of the wording."""
    name: str
    text: str

    def say(self, w: Wording, me: Role) -> str:
        return PLACE.sub(lambda place: w.label(place[1]), self.text)


class Number(Move):
    """An answer that is a number."""
    answer: float


class Amount(Move):
    """An answer on the payoff scale, read back from the wording's units."""
    answer: Money


class Words(Move):
    """An answer in words."""
    answer: Annotated[str, Field(min_length=1)]


class Chosen(Move):
    """An answer among stated options, which are labels of the wording where it has such."""
    answer: str


class Belief(Move):
    """The chance, in per cent, that a stated event happens."""
    percent: Annotated[float, Field(ge=0, le=100)]


@cache
def among(options: tuple[str, ...]) -> type[Move]:
    """The Move type of a choice among these."""
    choice: Any = Literal[options]
    return create_model("Chosen", __base__=Chosen, answer=(choice, ...))


class Question(Frozen):
    """One question.

    at       `start`, `end`, or the name of a Move type, before the first ask for which it is put
    kind     of the answer: `number`, `amount` (money), `words`, `option`, `belief` (a chance in per cent)
    answer   the right one; None where there is none. Of words: what a right one contains, whatever the case
    about    of a belief: "ROLE TYPE.FIELD=VALUE", what may happen
    """
    name: Annotated[str, Field(min_length=1)]
    role: Role
    text: str
    at: str = "start"
    kind: Literal["number", "amount", "words", "option", "belief"] = "number"
    options: tuple[str, ...] = ()
    answer: float | str | None = None
    about: Annotated[str, Field(pattern=r"^$|^\S+ \w+\.\w+=.+$")] = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.kind == "option") != bool(self.options):
            raise ValueError(f"question '{self.name}': options are given for kind = \"option\", and only for it")
        if (self.kind == "belief") != bool(self.about):
            raise ValueError(f"question '{self.name}': a belief, and only a belief, has about = \"ROLE TYPE.FIELD=VALUE\"")
        return self

    @property
    def want(self) -> type[Move]:
        """The Move type of its answer."""
        kinds: dict[str, type[Move]] = {"number": Number, "amount": Amount, "words": Words, "belief": Belief}
        return among(self.options) if self.kind == "option" else kinds[self.kind]


class Interview(Protocol):
    """Another protocol, with questions beside it.

    questions  in the order in which they are put
    then       registered name of the protocol that is played
    then_with  its fields
    """
    questions: Annotated[tuple[Question, ...], Field(min_length=1)]
    then: str = "silent"
    then_with: Mapping[str, Any] = {}
    _played: Protocol | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _known(self) -> Self:
        names = [q.name for q in self.questions]
        if len(set(names)) < len(names):
            raise ValueError("two questions have the same name")
        self._played = build("protocols", self.then, dict(self.then_with))
        return self

    @property
    def played(self) -> Protocol:
        """The protocol that is played."""
        assert self._played is not None
        return self._played

    def rules(self, game: Game) -> Rules:
        return self.played.rules(game)

    def seats(self, game: Game) -> tuple[Role, ...]:
        seats = self.played.seats(game)
        strangers = [q.role for q in self.questions if q.role not in seats]
        if strangers:
            raise RulesError(f"nobody sits at '{strangers[0]}' to be questioned: there are {', '.join(seats)}.")
        return seats

    def script(self, game: Game, state: State) -> Script:
        pending = [q for q in self.questions if q.at != "end"]
        script = self.played.script(game, state)
        try:
            due = next(script)
            while True:
                due = yield from self._before(due, pending)
                try:
                    answers = yield due
                except Forfeit as forfeit:
                    due = script.throw(forfeit)
                else:
                    due = script.send(answers)
        except StopIteration as end:
            play: Play = end.value
        for question in self.questions:
            if question.at == "end":
                yield from put(Ask(question.role, (Asked(name=question.name, text=question.text),), question.want, True))
        return play

    def _before(self, due: Due, pending: list[Question]) -> Generator[Due, tuple[Any, ...], Due]:
        """Puts the questions that come before these asks; the asks, without the news that came with a question."""
        left = list(due)
        for i, ask in enumerate(left):
            if isinstance(ask, Draw):
                continue
            for question in [q for q in pending if q.role == ask.role and q.at in ("start", ask.want.__name__)]:
                pending.remove(question)
                yield from put(Ask(ask.role, (*ask.news, Asked(name=question.name, text=question.text)), question.want, True))
                ask = left[i] = Ask(ask.role, (), ask.want, ask.optional)
        return tuple(left)


def put(ask: Ask) -> Generator[Due, tuple[Any, ...], None]:
    """Asks, and goes on whatever the answer."""
    try:
        yield (ask,)
    except Forfeit:
        return

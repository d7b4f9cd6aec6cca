"""The leader may try moves on a simulated follower before she makes one.

    nature     draws                                   what the simulator knows of the follower
    leader     tries a move, or passes                 at most `budget` times, in private, told how often answers are wrong
    simulator  says what the follower would do         `repeats` times each, anew; nature flips an answer with chance `flip`
    leader     moves                                   told every answer at once, or (not adaptive) all after the last query
    nature     draws                                   what her move comes to, such as a message from her policy
    leader     says more                               where the game has it: the words of the message, or, not bound, which one
    follower   moves                                   seeing what the game shows him of it

If her move does not bind her, nothing is drawn: she learns the state after it, and says what she likes. Plays every game that has
a leader and a follower. The simulator remembers no earlier query. Rules: queries, price (of a query, all its repeats), adaptive,
binding, knows, accuracy, flip, repeats, spread, leader. Source: Harris, Immorlica, Lucier, Slivkins, "Algorithmic persuasion
through simulation", arXiv:2311.18138.
"""
from collections.abc import Generator
from random import Random
from typing import Annotated, Any, Literal

from pydantic import Field

from ..errors import RulesError
from ..games.base import NATURE, Chance, Game, Left, Move, Play, Role, Rules, State
from ..games.leading import SIMULATOR, Asked, Counts, Leading, Tried, Unsure
from .base import Draw, Due, Notes, Protocol, Script

Talk = Generator[Due, tuple[Any, ...], Any]


class SimulationQueries(Protocol):
    """Try it on a simulated follower, then move.

    budget    the most queries
    price     of each asking of the simulator; a query asks it `repeats` times
    adaptive  the leader hears each answer before her next query
    binding   her move binds her; else it is announced, and she speaks when she knows the state
    simulator_knows  the follower's `type`, a `persona` of his, a `signal` that is right with chance `accuracy`, his `past`
              choices, or `nothing`
    flip      chance that an answer is heard wrongly, independent each time
    seat_flip chance that the simulator itself gives the wrong one of two answers, independent each time, as everybody knows (of an
              `updater`, its own flip): nobody draws for it here, and solutions count both
    repeats   how often each query is put
    spread    standard deviation, in logits, of a lasting error of the simulator, for which a planner may leave a margin
    """
    budget: Annotated[int, Field(ge=0)] = 1
    price: Annotated[float, Field(ge=0)] = 0.0
    adaptive: bool = True
    binding: bool = True
    simulator_knows: Literal["type", "persona", "signal", "past", "nothing"] = "type"
    accuracy: Chance = 1.0
    flip: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    seat_flip: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    repeats: Annotated[int, Field(ge=1)] = 1
    spread: Annotated[float, Field(ge=0)] = 0.0

    def rules(self, game: Game) -> Rules:
        return Rules.of(queries=self.budget, price=self.price * self.repeats, adaptive=self.adaptive, binding=self.binding,
                        knows=self.simulator_knows, accuracy=self.accuracy, flip=self.wrong, repeats=self.repeats,
                        spread=self.spread, leader=fitting(game).leader)

    @property
    def wrong(self) -> float:
        """The chance that what is heard is not the true one of two answers: that exactly one of simulator and hearing errs."""
        return self.flip + self.seat_flip - 2 * self.flip * self.seat_flip

    def seats(self, game: Game) -> tuple[Role, ...]:
        leading = fitting(game)
        if not self.budget:
            return leading.players()
        leading.sketches(some_state(game), self.simulator_knows, self.accuracy)
        if self.wrong:
            leading.answers()
        return (*leading.players(), SIMULATOR)

    def chat(self, game: Game, role: Role) -> int:
        return self.budget + 2 if role == fitting(game).leader else 0

    def script(self, game: Game, state: State) -> Script:
        game, notes = fitting(game), Notes()
        moves: list[tuple[Role, Move]] = []
        for role in game.players():
            notes.tell(role, *game.brief(role, state))
        if self.budget:
            yield from self._queries(Simulation(self, game, notes, moves), state)
        asked = len([m for role, m in moves if role == SIMULATOR])
        lead, = yield (notes.ask(game.leader, game.want(game.leader)),)
        moves.append((game.leader, lead))
        seen = yield from self._outcome(game, state, notes, lead, moves)
        notes.tell(game.follower, game.reveal(game.follower, game.leader, seen))
        follow, = yield (notes.ask(game.follower, game.want(game.follower)),)
        moves.append((game.follower, follow))
        return Play(state=state, moves=tuple(moves), fees={game.leader: self.price * asked})

    def _queries(self, talk: "Simulation", state: State) -> Talk:
        yield from talk.begin(state)
        if self.wrong:
            talk.notes.tell(talk.game.leader, Unsure(wrong=self.wrong))
        put: list[Move] = []
        for asked in range(self.budget):
            talk.notes.tell(talk.game.leader, Left(queries=self.budget - asked, price=self.price * self.repeats))
            trial, = yield (talk.notes.ask(talk.game.leader, talk.game.trial(), optional=True),)
            if trial is None:
                break
            talk.moves.append((talk.game.leader, trial))
            if self.adaptive:
                yield from talk.answer(trial)
            else:
                put.append(trial)
                talk.notes.tell(talk.game.leader, Asked(move=trial))
        for trial in put:
            yield from talk.answer(trial)
        talk.notes.tell(talk.game.leader, Counts())

    def _outcome(self, game: Leading, state: State, notes: Notes, lead: Move, moves: list[tuple[Role, Move]]) -> Talk:
        """What the follower is to see."""
        drawn, word = None, None
        if self.binding:
            some = game.outcomes(lead, state)
            index = 0
            if len(some) > 1:
                index, = yield (Draw(tuple(p for p, _ in some), "message"),)
            drawn = some[index][1]
            if drawn is not lead:
                moves.append((NATURE, drawn))
        due = game.speech(lead, drawn, state)
        if due is not None:
            notes.tell(game.leader, *due[0])
            word, = yield (notes.ask(game.leader, due[1]),)
            moves.append((game.leader, word))
        return game.shown(lead, drawn, word)


class Simulation:
    """The simulator of one episode: what it knows, and how its answers come back."""

    def __init__(self, protocol: SimulationQueries, game: Leading, notes: Notes, moves: list[tuple[Role, Move]]):
        self.protocol, self.game, self.notes, self.moves = protocol, game, notes, moves
        self.knows: tuple[Any, ...] = ()

    def begin(self, state: State) -> Talk:
        """Nature draws what it knows."""
        some = self.game.sketches(state, self.protocol.simulator_knows, self.protocol.accuracy)
        index = 0
        if len(some) > 1:
            index, = yield (Draw(tuple(p for p, _ in some), "what the simulator knows"),)
        self.knows = some[index][1]

    def answer(self, trial: Move) -> Talk:
        """It is asked as often as each query is put; the leader is told what is heard."""
        leader, follower = self.game.players()
        for _ in range(self.protocol.repeats):
            self.notes.tell(SIMULATOR, *self.knows, self.game.reveal(follower, leader, trial))
            answer, = yield (self.notes.ask(SIMULATOR, self.game.reply(), anew=True),)
            self.moves.append((SIMULATOR, answer))
            if self.protocol.flip:
                others = [m for m in self.game.answers() if m.model_dump() != answer.model_dump()]
                some = (1 - self.protocol.flip, *(self.protocol.flip / len(others) for _ in others))
                index, = yield (Draw(some, "flip"),)
                answer = (answer, *others)[index]
            self.notes.tell(leader, Tried(move=trial, answer=answer))


def some_state(game: Game) -> State:
    """Any state of a game, to see whether it has what is asked of it."""
    states = game.states()
    return states[0][1] if states else game.sample(Random(0))


def fitting(game: Game) -> Leading:
    """The game as one with a leader and a follower. Raises RulesError."""
    if not isinstance(game, Leading):
        raise RulesError("nobody leads in this game: simulation_queries needs a leader and a follower.")
    return game

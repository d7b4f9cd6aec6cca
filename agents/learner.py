"""Seats that learn which of their actions pay, from their own rewards: bandit algorithms as agents."""
import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from ..errors import InputError
from ..games.base import Earned, Move, Observation, Rounds, Saw, Say, Summary, every
from ..protocols.codec import read, write
from ..protocols.seat import Agent, Reply, Turn
from ..registry import name_of
from .bandit import Numbers, Row, size


class Place(NamedTuple):
    """Where a learner sits: its number of arms, the other's, the horizon, and whether it leads."""
    arms: int
    others: int
    horizon: int
    leads: bool


class Algorithm(NamedTuple):
    """A bandit algorithm as functions of rows of numbers, see `bandit`.

    weigh   where it draws among arms by chances: writes them into the row's `weight`
    """
    choose: Callable[[Row, int, Numbers, int], int]
    update: Callable[[Row, int, Numbers, int, float], None]
    weigh: Callable[[Row, int, Numbers], None] | None = None


class Learner(Agent):
    """A bandit algorithm in a seat. Its memory is a fold over its own asks and moves; its chance is the turn's seed.

    Where it moves for both sides, its arms are the pairs of moves, and the reward of one is the mean of what both earn.
    """
    reads: ClassVar[bool] = False
    costless: ClassVar[bool] = True
    algorithm: ClassVar[Algorithm]

    @abstractmethod
    def numbers(self, place: Place) -> tuple[float, ...]:
        """The algorithm's numbers q at a place."""

    async def reply(self, turn: Turn) -> Reply:
        memory = turn.kept.get("learner")
        if memory is None:
            memory = turn.kept["learner"] = Memory(self, turn)
        return Reply(write(memory.move(turn), turn.wording), model=name_of(self))


class Memory:
    """What a learner has made of its past: one bandit's row per context. It takes in what is new, and can be made again."""

    def __init__(self, learner: Learner, turn: Turn):
        told = [o for o in turn.information if isinstance(o, Rounds)]
        if not told or any(isinstance(o, Summary) for o in turn.information):
            raise InputError(f"agent '{name_of(learner)}' cannot sit as '{turn.role}': it learns from what each of many rounds earned. "
                             "Seat it at the game `prompting`, with raw history.")
        self.want = (turn.past[0][0] if turn.past else turn.ask).want
        self.role, self.options, self.algorithm, self.leads = turn.role, every(self.want), learner.algorithm, told[0].leads
        self.both = len(self.want.model_fields) > 1
        self.place = Place(len(self.options), 1 if self.both else len(told[0].others), told[0].total, self.leads)
        self.numbers = learner.numbers(self.place)
        self.rows: dict[Move | None, Row] = {}
        self.context: Move | None = None
        self.arm = 0
        self.asks = 0

    def move(self, turn: Turn) -> Move:
        """The move of this turn. Asked for something else than a choice among its arms, it takes the first that is offered.
        Raises InputError if it is asked to speak."""
        if issubclass(turn.ask.want, Say):
            raise InputError(f"seat '{turn.role}' is asked for words, and a learner has none: let another seat write (`writer`), and "
                             "no brief be written by one's own hand.")
        while self.asks <= len(turn.past):
            self._take(turn, self.asks)
            self.asks += 1
        if turn.ask.want is not self.want:
            return every(turn.ask.want)[0]
        return self.options[self.algorithm.choose(self._row(), self.place.arms, self.numbers, turn.seed)]

    def _take(self, turn: Turn, i: int) -> None:
        """The move made at the ask before, then the news of ask i."""
        if i and turn.past[i - 1][0].want is self.want:
            made = read(turn.past[i - 1][1], self.want, turn.wording)
            self.arm = self.options.index(made) if made else 0
        self._learn(turn.past[i][0].news if i < len(turn.past) else turn.ask.news)

    def _learn(self, news: Sequence[Observation]) -> None:
        """What the last round earned, then in which context the next move is made. One who moves for both counts both alike."""
        earned = [o.reward for o in news if isinstance(o, Earned) and (self.both or o.role == self.role)]
        if earned:
            self.algorithm.update(self._row(), self.place.arms, self.numbers, self.arm, sum(earned) / len(earned))
        if not self.leads:
            self.context = next((o.move for o in reversed(news) if isinstance(o, Saw)), self.context)

    def _row(self) -> Row:
        return self.rows.setdefault(self.context, [0.0] * size(self.place.arms))


def square_pace(place: Place) -> int:
    """ceil(T^(2/3))."""
    return math.ceil(round(place.horizon ** (2 / 3), 9))


def cube_pace(place: Place) -> int:
    """ceil((T / (A B))^(2/3) (ln T)^(1/3)): how often to explore each arm so that exploring and its errors cost alike."""
    horizon = max(place.horizon, 2)
    return math.ceil((horizon / (place.arms * place.others)) ** (2 / 3) * math.log(horizon) ** (1 / 3))

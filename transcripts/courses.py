"""Games that are played in rounds, as their rows hold them: what was chosen and earned in every round, whoever sat there.

The moves are on record, and so are scores or the seed of the tape: what a round paid is worked out again by the game, so a seat that
was told no more than a summary, or whose last reward was never told, is read like any other.
"""
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any

from ..games.base import Move, Play, Role, every
from ..games.repeated import Repeated
from ..games.solvers.stackelberg import equilibrium
from .arms import Arm, arms_of
from .choices import Choices
from .paths import Paths, thinned
from .plays import plays
from .store import Store

if TYPE_CHECKING:
    import numpy


@dataclass(frozen=True)
class Course:
    """One episode, round by round.

    leads, answers   numbers of the leader's move and of the answer
    declined         whether she declined it
    earned           role -> what each round paid it, before fees
    """
    leads: tuple[int, ...]
    answers: tuple[int, ...]
    declined: tuple[bool, ...]
    earned: Mapping[Role, tuple[float, ...]]


class Courses:
    """The episodes of one arm that were played to their end."""

    def __init__(self, arm: Arm, game: Repeated):
        self.arm, self.game = arm, game
        self.leader, self.follower = game.players()
        self.seated = tuple(role for role in game.players() if role in arm.seats)
        self.central = self.follower not in self.seated
        self.prompts, self.responses = every(game.want(self.leader)), every(game.want(self.follower))
        self.all = {episode: self._course(play) for episode, play in plays(arm)}

    def _course(self, play: Play) -> Course:
        leads, answers = ({next(iter(m.__dict__.values())): i for i, m in enumerate(moves)} for moves in (self.prompts, self.responses))
        rounds = [(leads[_label(lead)], answers[_label(answer)], declined) for lead, answer, declined in self.game.history(play)]
        paid = self.game.rewards(play)
        earned = {role: tuple(p[role] for p in paid) for role in (self.leader, self.follower)}
        a, b, c = zip(*rounds, strict=True)
        return Course(a, b, c, earned)

    @cached_property
    def means(self) -> "numpy.ndarray[Any, Any]":
        """2 x K x (B + 1): what a cell pays leader and follower on average, net of fees; the last column is an answer declined."""
        import numpy as np
        state = self.game.sample(Random(0))
        price = self.arm.rules.get("price", 0.0)
        found = np.full((2, len(self.prompts), len(self.responses) + 1), self.game.worth_declined)
        for a, lead in enumerate(self.prompts):
            for b, answer in enumerate(self.responses):
                mean = self.game.means(Play(state=state, moves=((self.leader, lead), (self.follower, answer))))
                found[:, a, b] = mean[self.leader], mean[self.follower]
        found[0] -= price
        return found

    @cached_property
    def best(self) -> int:
        """The prompt that is best for the leader if it is answered best for the follower; ties are hers."""
        human, ai = self.means.tolist()
        return equilibrium(human, ai)[0]

    @cached_property
    def _losses(self) -> "numpy.ndarray[Any, Any]":
        """K x (B + 1): what an answer costs the follower on average, compared with its best."""
        found: numpy.ndarray[Any, Any] = self.means[1].max(axis=1, keepdims=True) - self.means[1]
        return found

    @property
    def most_lost(self) -> float:
        """The most that one answer can cost the follower."""
        return float(self._losses.max())

    def lost(self, course: Course) -> float:
        """The follower's instantaneous regret, in the mean over rounds; an answer that was declined counts with what it paid."""
        return float(self._losses[list(course.leads), self._columns(course)].mean())

    def _columns(self, course: Course) -> "numpy.ndarray[Any, Any]":
        import numpy as np
        return np.where(course.declined, len(self.responses), course.answers)

    def choices(self, course: Course, role: Role) -> Choices:
        """What one seat chose and earned. One who moves for both chooses among cells, and earns the mean of both rewards."""
        k, b, horizon = len(self.prompts), len(self.responses), self.game.length
        own = course.earned[role]
        if self.central:
            cells = tuple(x * b + y for x, y in zip(course.leads, course.answers, strict=True))
            both = tuple((x + y) / 2 for x, y in zip(*course.earned.values(), strict=True))
            return Choices(k * b, 1, horizon, True, (0,) * len(cells), cells, both)
        if role == self.leader:
            return Choices(k, b, horizon, True, (0,) * len(own), course.leads, own)
        return Choices(b, k, horizon, False, course.leads, course.answers, own)

    @property
    def paths(self) -> Paths:
        """All episodes as counts of the cells played up to each round of a thinned grid."""
        import numpy as np
        means, k, b = self.means, len(self.prompts), len(self.responses) + 1
        grid = np.array(thinned(self.game.length))
        plays = np.zeros((len(self.all), len(grid), k * b), dtype=np.int64)
        switched = np.ones(len(self.all), dtype=np.int64)
        for i, c in enumerate(self.all.values()):
            hits = (np.array(c.leads) * b + self._columns(c))[:, None] == np.arange(k * b)
            plays[i] = hits.cumsum(axis=0)[grid - 1]
            switched[i] += max(np.flatnonzero(np.diff(c.leads)), default=-1) + 1
        seats = self.arm.seats
        return Paths(self.arm.name, seats[self.leader], seats.get(self.follower, seats[self.leader]), self.game.length,
                     means.reshape(2, -1), (k, b), [x.model_dump(mode="json") for x in self.arm.benchmarks], grid, plays, switched,
                     title=self.arm.name, declines=True)


def courses(arm: Arm) -> Courses | None:
    """The courses of an arm; None for a game that is not played in rounds, or of which no episode was played to its end."""
    if not isinstance(arm.game, Repeated) or arm.rules.get("rounds") is None:
        return None
    found = Courses(arm, arm.game)
    return found if found.all else None


def courses_of(store: Store, run: str) -> list[Courses]:
    """The courses of all arms of a run that are played in rounds."""
    with store.reading():
        return [found for arm in arms_of(store, run) if (found := courses(arm))]


def _label(move: Move) -> Any:
    return next(iter(move.__dict__.values()))

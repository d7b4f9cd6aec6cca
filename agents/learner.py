"""Seats that learn which of their actions pay, from their own rewards: bandit algorithms as agents."""
import math
from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, NamedTuple

from ..protocols.seat import Agent, Reply, Turn
from .bandit import Numbers, Row


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
    """A bandit algorithm in a seat."""
    reads: ClassVar[bool] = False
    costless: ClassVar[bool] = True
    algorithm: ClassVar[Algorithm]

    @abstractmethod
    def numbers(self, place: Place) -> tuple[float, ...]:
        """The algorithm's numbers q at a place."""

    async def reply(self, turn: Turn) -> Reply:
        raise NotImplementedError


def square_pace(place: Place) -> int:
    """ceil(T^(2/3))."""
    return math.ceil(round(place.horizon ** (2 / 3), 9))


def cube_pace(place: Place) -> int:
    """ceil((T / (A B))^(2/3) (ln T)^(1/3)): how often to explore each arm so that exploring and its errors cost alike."""
    horizon = max(place.horizon, 2)
    return math.ceil((horizon / (place.arms * place.others)) ** (2 / 3) * math.log(horizon) ** (1 / 3))

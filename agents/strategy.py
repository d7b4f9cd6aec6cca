"""Plays the strategy of one of the game's benchmarks, such as its optimum."""
from typing import Self

from pydantic import PrivateAttr

from ..games.base import Mixed
from ..games.base import Strategy as Plan
from ..protocols.seat import Seating, Turn
from .chances import Mixing, unseated


class Strategy(Mixing):
    """The strategy that attains a benchmark when the others play theirs.

    benchmark  name of the benchmark; None: the game's usual one
    """
    benchmark: str | None = None
    _plan: Plan | None = PrivateAttr(None)

    def bind(self, seating: Seating) -> Self:
        if seating.strategy is None:
            raise unseated(self, seating.role)
        seated = self.model_copy()
        seated._plan = seating.strategy(self.benchmark)
        return seated

    def chances(self, turn: Turn) -> Mixed:
        if self._plan is None:
            raise unseated(self, turn.role)
        return self._plan(turn.information, turn.ask.want)

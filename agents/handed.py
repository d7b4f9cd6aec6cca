"""Seats that play by what the experiment hands them: a benchmark's strategy, or what each open move is worth."""
from collections.abc import Sequence
from typing import Self

from pydantic import PrivateAttr

from ..games.base import Mixed, Move, Strategy
from ..protocols.seat import Agent, Options, Seating, Turn
from .chances import Mixing, unseated


class Planned(Agent):
    """Knows the strategy of a benchmark.

    benchmark  its name; None: the game's usual one
    """
    benchmark: str | None = None
    _plan: Strategy | None = PrivateAttr(None)

    def bind(self, seating: Seating) -> Self:
        if seating.strategy is None:
            raise unseated(self, seating.role)
        seated = self.model_copy()
        seated._plan = seating.strategy(self.benchmark)
        return seated

    def planned(self, turn: Turn) -> Mixed:
        """What the strategy does at a turn; None is to pass."""
        if self._plan is None:
            raise unseated(self, turn.role)
        return self._plan(turn.information, turn.ask.want)


class Weighing(Mixing):
    """Knows what its open moves are worth."""
    _options: Options | None = PrivateAttr(None)

    def bind(self, seating: Seating) -> Self:
        if seating.options is None:
            raise unseated(self, seating.role)
        seated = self.model_copy()
        seated._options = seating.options
        return seated

    def weighed(self, turn: Turn, level: int | None) -> Sequence[tuple[Move | None, float]]:
        """(move, expected payoff net of fees to come) in the game's order; the others play level `level`, None the usual benchmark."""
        if self._options is None:
            raise unseated(self, turn.role)
        return self._options(turn.information, turn.ask.want, level)

"""Plays a benchmark's strategy with every amount in its move changed in proportion, or by a constant: a treatment of incentives."""
from typing import Annotated, Any, Self

from pydantic import Field, PrivateAttr

from ..games.base import Mixed
from ..games.base import Strategy as Plan
from ..protocols.seat import Seating, Turn
from .chances import Mixing, unseated


class Scaled(Mixing):
    """Each number x of the strategy's lists becomes factor * x + flat. A contract so scaled has incentives from negative slack
    (factor below 1) through none (factor 0: nothing, or the same for all) to strict ones (factor above 1).

    factor     of every amount in a list
    flat       added to every amount in a list
    benchmark  name of the benchmark; None: the game's usual one
    """
    factor: Annotated[float, Field(ge=0)] = 1.0
    flat: Annotated[float, Field(ge=0)] = 0.0
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
        return tuple((p, None if move is None else type(move).model_validate({k: self._bent(v) for k, v in move.model_dump().items()}))
                     for p, move in self._plan(turn.information, turn.ask.want))

    def _bent(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return tuple(self.factor * x + self.flat if isinstance(x, float) else x for x in value)
        return value

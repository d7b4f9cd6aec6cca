"""Plays a benchmark's strategy with every amount in its move changed in proportion, or by a constant: a treatment of incentives."""
from typing import Annotated, Any

from pydantic import Field

from ..games.base import Mixed
from ..protocols.seat import Turn
from .chances import Mixing
from .handed import Planned


class Scaled(Planned, Mixing):
    """Each number x of the strategy's lists becomes factor * x + flat. A contract so scaled has incentives from negative slack
    (factor below 1) through none (factor 0: nothing, or the same for all) to strict ones (factor above 1).

    factor     of every amount in a list
    flat       added to every amount in a list
    benchmark  name of the benchmark; None: the game's usual one
    """
    factor: Annotated[float, Field(ge=0)] = 1.0
    flat: Annotated[float, Field(ge=0)] = 0.0

    def chances(self, turn: Turn) -> Mixed:
        return tuple((p, None if move is None else type(move).model_validate({k: self._bent(v) for k, v in move.model_dump().items()}))
                     for p, move in self.planned(turn))

    def _bent(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return tuple(self.factor * x + self.flat if isinstance(x, float) else x for x in value)
        return value

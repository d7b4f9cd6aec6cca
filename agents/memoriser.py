"""A mock that knows the game by heart where it is told as usual, and nothing where it is not: what contamination would look like."""
from typing import Self

from pydantic import PrivateAttr

from ..games.base import Strategy
from ..protocols.codec import write
from ..protocols.seat import Agent, Reply, Seating, Turn
from .chances import unseated
from .mock import Mock


class Memoriser(Agent):
    """Plays a benchmark's strategy in one wording, and as the mock in every other. A control for tests of contamination.

    knows      the wording it remembers
    benchmark  whose strategy; None: the game's usual one
    """
    knows: str = "plain"
    benchmark: str | None = None
    _plan: Strategy | None = PrivateAttr(None)

    def bind(self, seating: Seating) -> Self:
        if seating.strategy is None:
            raise unseated(self, seating.role)
        seated = self.model_copy()
        seated._plan = seating.strategy(self.benchmark)
        return seated

    async def reply(self, turn: Turn) -> Reply:
        if self._plan is None:
            raise unseated(self, turn.role)
        if turn.wording.name != self.knows:
            return await Mock().reply(turn)
        (_, move), *_ = self._plan(turn.information, turn.ask.want)
        return Reply(write(move, turn.wording))

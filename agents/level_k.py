"""A statistical human proxy that thinks k steps ahead: level-k reasoning."""
from typing import Annotated

from pydantic import Field

from ..games.base import SLACK, Mixed, surely
from ..protocols.seat import Turn
from .handed import Weighing


class LevelK(Weighing):
    """Level 0 chooses uniformly among all open moves; level k >= 1 replies best to people of level k - 1.

    level  k, in steps of reasoning
    Ties: the first of the best, in the order in which the game lists its options.

    Source: D. Stahl, P. Wilson, "Experimental evidence on players' models of other players", Journal of Economic Behavior
    and Organization 25 (1994); R. Nagel, "Unraveling in guessing games", American Economic Review 85 (1995).
    """
    level: Annotated[int, Field(ge=0)] = 1

    def chances(self, turn: Turn) -> Mixed:
        options = self.weighed(turn, max(self.level - 1, 0))
        if self.level == 0:
            return tuple((1 / len(options), move) for move, _ in options)
        best = max(worth for _, worth in options)
        return surely(next(move for move, worth in options if worth >= best - SLACK))

"""Plays the strategy of one of the game's benchmarks, such as its optimum."""
from ..games.base import Mixed
from ..protocols.seat import Turn
from .chances import Mixing
from .handed import Planned


class Strategy(Planned, Mixing):
    """The strategy that attains a benchmark when the others play theirs.

    benchmark  name of the benchmark; None: the game's usual one
    """

    def chances(self, turn: Turn) -> Mixed:
        return self.planned(turn)

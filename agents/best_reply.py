"""Plays a best reply to what it knows, with a stated rule for ties: the rational agent of theory."""
from typing import Literal

from ..games.base import SLACK, Mixed
from ..protocols.seat import Turn
from .handed import Weighing


class BestReply(Weighing):
    """Of the open moves with the greatest expected payoff, one.

    ties  which: the `last` or the `first` that the game lists, or `even` chances. A game of contracts lists generators from
          the cheapest to the costliest, so `last` is the tie rule that favours the principal, `first` takes the cheapest

    Source: the tie rules of principal and agent models, S. Grossman, O. Hart, Econometrica 51 (1983).
    """
    ties: Literal["last", "first", "even"] = "last"

    def chances(self, turn: Turn) -> Mixed:
        options = self.weighed(turn, None)
        greatest = max(worth for _, worth in options)
        best = [move for move, worth in options if worth >= greatest - SLACK]
        kept = {"last": best[-1:], "first": best[:1], "even": best}[self.ties]
        return tuple((1 / len(kept), move) for move in kept)

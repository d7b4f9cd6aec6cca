"""Plays a best reply to what it knows, with a stated rule for ties: the rational agent of theory."""
from typing import Literal, Self

from pydantic import PrivateAttr

from ..games.base import SLACK, Mixed
from ..protocols.seat import Options, Seating, Turn
from .chances import Mixing, unseated


class BestReply(Mixing):
    """Of the open moves with the greatest expected payoff, one.

    ties  which: the `last` or the `first` that the game lists, or `even` chances. A game of contracts lists generators from
          the cheapest to the costliest, so `last` is the tie rule that favours the principal, `first` takes the cheapest

    Source: the tie rules of principal and agent models, S. Grossman, O. Hart, Econometrica 51 (1983).
    """
    ties: Literal["last", "first", "even"] = "last"
    _options: Options | None = PrivateAttr(None)

    def bind(self, seating: Seating) -> Self:
        if seating.options is None:
            raise unseated(self, seating.role)
        seated = self.model_copy()
        seated._options = seating.options
        return seated

    def chances(self, turn: Turn) -> Mixed:
        if self._options is None:
            raise unseated(self, turn.role)
        options = self._options(turn.information, turn.ask.want, None)
        greatest = max(worth for _, worth in options)
        best = [move for move, worth in options if worth >= greatest - SLACK]
        kept = {"last": best[-1:], "first": best[:1], "even": best}[self.ties]
        return tuple((1 / len(kept), move) for move in kept)

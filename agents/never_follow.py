"""A human proxy who never asks the adviser and does not listen to it."""
from typing import Self

from pydantic import PrivateAttr

from ..games.base import Mixed, surely
from ..protocols.seat import Act, Seating, Turn
from .chances import Mixing, unseated


class NeverFollow(Mixing):
    """Passes wherever it may, then does what one does who hears no adviser. No fields."""
    _ignore: Act | None = PrivateAttr(None)

    def bind(self, seating: Seating) -> Self:
        if seating.ignore is None:
            raise unseated(self, seating.role)
        seated = self.model_copy()
        seated._ignore = seating.ignore
        return seated

    def chances(self, turn: Turn) -> Mixed:
        if self._ignore is None:
            raise unseated(self, turn.role)
        return surely(None if turn.ask.optional else self._ignore(turn.information))

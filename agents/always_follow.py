"""A human proxy who asks the adviser once and takes what it says at face value."""
from typing import Self

from pydantic import PrivateAttr

from ..games.base import Mixed, Move, Query, Say, heard, surely
from ..protocols.seat import Act, Seating, Turn
from .chances import Mixing, unseated


class AlwaysFollow(Mixing):
    """Asks at the first chance, passes at every later one, then does what the last report says. No fields.

    If it heard no report it does what one does who has no adviser.
    """
    _heed: Act | None = PrivateAttr(None)
    _ignore: Act | None = PrivateAttr(None)

    def bind(self, seating: Seating) -> Self:
        if seating.heed is None or seating.ignore is None:
            raise unseated(self, seating.role)
        seated = self.model_copy()
        seated._heed, seated._ignore = seating.heed, seating.ignore
        return seated

    def chances(self, turn: Turn) -> Mixed:
        if self._heed is None or self._ignore is None:
            raise unseated(self, turn.role)
        if turn.ask.optional:
            return surely(Query(question="?") if turn.ask.want is Query and not _asked(turn) else None)
        reported = any(not isinstance(move, Say) for move in heard(turn.information, Move))
        return surely((self._heed if reported else self._ignore)(turn.information))


def _asked(turn: Turn) -> bool:
    """Whether it had its chance to ask: the first is always taken."""
    return any(ask.want is Query for ask, _ in turn.past)

"""Says again what was recorded, word for word."""
from collections.abc import Sequence
from typing import ClassVar, Self

from pydantic import PrivateAttr

from ..errors import InputError
from ..protocols.seat import Agent, Reply, Seating, Turn


class Recording(Agent):
    """Answers the k-th ask with the k-th words.

    words  in the order of the asks; empty: those the experiment hands in for the episode, if any
    """
    reads: ClassVar[bool] = False
    words: tuple[str, ...] = ()
    _handed: Sequence[str] = PrivateAttr(())

    def bind(self, seating: Seating) -> Self:
        seated = self.model_copy()
        seated._handed = tuple(seating.extra.get("words", ()))
        return seated

    async def reply(self, turn: Turn) -> Reply:
        return Reply(self._at(turn))

    def mixture(self, turn: Turn) -> tuple[tuple[float, str], ...] | None:
        return ((1.0, self._at(turn)),)

    def _at(self, turn: Turn) -> str:
        words = self.words or self._handed
        if turn.ordinal >= len(words):
            raise InputError(f"the recording of '{turn.role}' ends after {len(words)} replies, and one more is asked for.")
        return words[turn.ordinal]

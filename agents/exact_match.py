"""Scores a text by whether it is the right answer."""
import re
from typing import ClassVar

from pydantic import field_validator

from ..errors import InputError
from ..protocols.seat import Turn
from ..protocols.writing import Key
from .scoring import Scorer, score_of, scored, top


class ExactMatch(Scorer):
    """The highest score if the text, without space around it, is the right answer; else the lowest.

    pattern  a regular expression whose first group (or whole match), at its last occurrence in the text, is taken for the
             answer; None: the whole text
    case     whether capitals matter
    """
    costless: ClassVar[bool] = True

    pattern: str | None = None
    case: bool = False

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as problem:
            raise ValueError(f"pattern {pattern!r} is no regular expression: {problem}") from None
        return pattern

    async def share(self, text: str, key: Key) -> float:
        return float(self.right(text, key))

    def mixture(self, turn: Turn) -> tuple[tuple[float, str], ...]:
        text, key = scored(turn)
        return ((1.0, f'{{"score": {score_of(float(self.right(text, key)), top(turn))}}}'),)

    def right(self, text: str, key: Key) -> bool:
        """Whether a text is the right answer. Raises InputError if the task names none."""
        if key.gold is None:
            raise InputError("agent 'exact_match' needs a task with a right answer: give the task its `gold`.")
        found = self._plain(text)
        return found is not None and found == (key.gold.strip() if self.case else key.gold.strip().casefold())

    def _plain(self, text: str) -> str | None:
        if self.pattern is not None:
            matches = list(re.finditer(self.pattern, text))
            if not matches:
                return None
            text = next((g for g in matches[-1].groups() if g is not None), matches[-1][0])
        return text.strip() if self.case else text.strip().casefold()

"""Scores a text by whether it is the right answer."""
import re

from pydantic import field_validator

from ..errors import InputError
from ..protocols.writing import Key
from .scoring import Rule, compiled


class ExactMatch(Rule):
    """The highest score if the text, without space around it, is the right answer; else the lowest.

    pattern  a regular expression whose first group (or whole match), at its last occurrence in the text, is taken for the
             answer; None: the whole text
    case     whether capitals matter
    """
    pattern: str | None = None
    case: bool = False

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        compiled(pattern or "")
        return pattern

    def part(self, text: str, key: Key) -> float:
        if key.gold is None:
            raise InputError("agent 'exact_match' needs a task with a right answer: give the task its `gold`.")
        found = self._plain(text)
        return float(found is not None and found == (key.gold.strip() if self.case else key.gold.strip().casefold()))

    def _plain(self, text: str) -> str | None:
        if self.pattern is not None:
            matches = list(re.finditer(self.pattern, text))
            if not matches:
                return None
            text = next((g for g in matches[-1].groups() if g is not None), matches[-1][0])
        return text.strip() if self.case else text.strip().casefold()

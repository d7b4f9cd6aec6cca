"""Scores a text by which regular expressions it matches."""
from pydantic import field_validator, model_validator

from ..protocols.writing import Key
from .scoring import Rule, compiled


class Patterns(Rule):
    """The share of its rules that a text keeps: a `wanted` pattern is found in it, an `unwanted` one is not.

    wanted, unwanted   regular expressions, sought anywhere in the text; begin one with (?i) where capitals do not matter
    """
    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()

    @field_validator("wanted", "unwanted")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        compiled(*patterns)
        return patterns

    @model_validator(mode="after")
    def _some(self) -> "Patterns":
        if not (self.wanted or self.unwanted):
            raise ValueError("give at least one pattern, wanted or unwanted")
        return self

    def part(self, text: str, key: Key) -> float:
        kept = [p.search(text) is not None for p in compiled(*self.wanted)]
        kept += [p.search(text) is None for p in compiled(*self.unwanted)]
        return sum(kept) / len(kept)

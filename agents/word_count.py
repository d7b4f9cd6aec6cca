"""Scores a text by how many words it has."""
from typing import Annotated

from pydantic import Field, model_validator

from ..protocols.writing import Key
from .scoring import Rule


class WordCount(Rule):
    """The highest score within the limits; below them in proportion to the words, above them falling to the lowest at twice `most`.

    least, most   words, as white space parts them; most: None for any number
    """
    least: Annotated[int, Field(ge=0)] = 0
    most: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _an_interval(self) -> "WordCount":
        if self.most is not None and self.least > self.most:
            raise ValueError(f"least = {self.least} words is more than most = {self.most}")
        return self

    def part(self, text: str, key: Key) -> float:
        words = len(text.split())
        if words < self.least:
            return words / self.least
        if self.most is not None and words > self.most:
            return max(0.0, 2 - words / self.most)
        return 1.0

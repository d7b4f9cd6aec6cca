"""Seats that score texts by a rule: what they read off an ask, and how a share of success becomes a score."""
import re
from abc import abstractmethod
from typing import ClassVar

from ..errors import InputError
from ..games.base import learned
from ..protocols.codec import write
from ..protocols.seat import Agent, Reply, Turn
from ..protocols.writing import Key, Written
from ..registry import name_of


class Scorer(Agent):
    """An evaluator that finds which share of success a text has, from 0 to 1; the score is 1 + floor(share * (m - 1))."""
    reads: ClassVar[bool] = False

    @abstractmethod
    async def share(self, text: str, key: Key) -> float:
        """The share of success of a text. Raises InputError if the task has nothing to score by."""

    async def reply(self, turn: Turn) -> Reply:
        text, key = scored(turn)
        return Reply(write(turn.ask.want.model_validate({"score": score_of(await self.share(text, key), top(turn))}), turn.wording),
                     model=name_of(self))


class Rule(Scorer):
    """An evaluator whose share of success follows from the text and its key at once, so that exact evaluation may ask it."""
    costless: ClassVar[bool] = True

    @abstractmethod
    def part(self, text: str, key: Key) -> float:
        """The share of success of a text. Raises InputError if the task has nothing to score by."""

    async def share(self, text: str, key: Key) -> float:
        return self.part(text, key)

    def mixture(self, turn: Turn) -> tuple[tuple[float, str], ...]:
        return ((1.0, f'{{"score": {score_of(self.part(*scored(turn)), top(turn))}}}'),)


def compiled(*patterns: str) -> list[re.Pattern[str]]:
    """Regular expressions, compiled. Raises ValueError with the one that is none."""
    found = []
    for pattern in patterns:
        try:
            found.append(re.compile(pattern))
        except re.error as problem:
            raise ValueError(f"pattern {pattern!r} is no regular expression: {problem}") from None
    return found


def scored(turn: Turn) -> tuple[str, Key]:
    """The text to be scored and its key. Raises InputError for a seat that is not asked to score."""
    texts, keys = learned(turn.information, Written), learned(turn.information, Key)
    if not texts or not keys or "score" not in turn.ask.want.model_fields:
        raise InputError(f"seat '{turn.role}' is not asked to score a text: an evaluator cannot sit there.")
    return texts[-1].text, keys[-1]


def top(turn: Turn) -> int:
    """The highest score that may be given."""
    return int(turn.ask.want.model_json_schema()["properties"]["score"]["maximum"])


def score_of(share: float, highest: int) -> int:
    """The score of a share of success: `highest` for all, 1 for less than one step."""
    return 1 + int(share * (highest - 1) + 1e-9)

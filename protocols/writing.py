"""Texts that are written for pay and scored: what writers and evaluators are told, and what they owe.

    task        a prompt, with what an evaluator needs to score an answer: the right one, tests, a rubric
    writer      sees the prompt alone and answers in free words
    evaluator   sees the prompt, the answer and the key, never who wrote it, and gives a score 1..m

Outcome j of a game with m outcomes is score j + 1, so that the lowest score is 1.
"""
from functools import cache
from typing import Annotated

from pydantic import Field, create_model

from ..games.base import Frozen, Move, Observation, Role, Wording


class Criteria(Frozen):
    """By what a text is scored.

    gold    the right answer, for exact matching
    tests   Python statements, each of which must run without an error after the answer has been run
    rubric  how a judge should score
    """
    gold: str | None = None
    tests: tuple[str, ...] = ()
    rubric: str | None = None


class Task(Criteria):
    """One prompt, and by what answers to it are scored."""
    prompt: Annotated[str, Field(min_length=1)]


class Prompt(Observation):
    """What is to be answered."""
    text: str

    def say(self, w: Wording, me: Role) -> str:
        return f"The task: {self.text}"


class Written(Observation):
    """An answer that was written; by whom is not told."""
    text: str

    def say(self, w: Wording, me: Role) -> str:
        return f"The answer:\n{self.text}"


class Key(Observation):
    """What an evaluator is given to score by."""
    gold: str | None
    tests: tuple[str, ...]
    rubric: str | None

    def say(self, w: Wording, me: Role) -> str:
        lines = [f"How to score: {self.rubric}"] if self.rubric else []
        lines += [f"The right answer: {self.gold}"] if self.gold is not None else []
        lines += ["It must pass these tests:", *self.tests] if self.tests else []
        return "\n".join(lines) or "Score the answer by how good it is."


class Mark(Move):
    """The evaluator's score, 1 the lowest."""
    score: Annotated[int, Field(ge=1)]


@cache
def mark_of(outcomes: int) -> type[Mark]:
    """The Mark owed where there are so many outcomes: a score of 1 .. outcomes."""
    return create_model("Mark", __base__=Mark, __module__=__name__, score=(Annotated[int, Field(ge=1, le=outcomes)], ...))


def key_of(by: Criteria) -> Key:
    """What an evaluator is told beside the answer."""
    return Key(gold=by.gold, tests=by.tests, rubric=by.rubric)

"""People's answers on record: one TOML file per data set, with its source, licence and way of asking. One can add one's own."""
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ValidationError, model_validator

from ...errors import DesignError, UnknownName
from ...games.base import Frozen
from ...games.survey import Question
from ...registry import explain

Design = Literal["", "demand", "hiring", "status_quo", "obedience", "price_gouging"]
NEEDS: dict[str, tuple[str, ...]] = {"demand": ("price", "attribute"), "hiring": ("asks", "experience", "minimum")}
"""What a design needs to know of every question."""


class Item(Question):
    """A question with what only a design knows.

    truth       the true answer; price, attribute: of what is sold; status_quo: the option told to be in force
    asks, experience, minimum   of two applicants for a job: wages asked, years, and the minimum wage (0: none)
    merged      people's shares of merged options (DataSet.merge), where only those are on record
    """
    truth: float | None = None
    price: float | None = None
    attribute: int | None = None
    status_quo: str | None = None
    asks: tuple[float, float] | None = None
    experience: tuple[float, float] | None = None
    minimum: float | None = None
    merged: tuple[float, ...] = ()


class DataSet(Frozen):
    """What people said, and how they were asked.

    compare  `levels`, or `order` alone where people and models do not answer the same question
    design   what is measured beyond shares, by transcripts/designs.py; its items must say what it needs
    merge    groups of labels, where people's answers are on record for groups alone
    types    name -> the chance with which such a person takes the first option, question by question: people as a mixture of types
    recall   the question that asks a model to recite the result: a probe for contamination
    """
    title: str
    source: str
    licence: str
    asking: str
    kind: Literal["choice", "number"] = "choice"
    compare: Literal["levels", "order"] = "levels"
    design: Design = ""
    labels: tuple[str, ...] = ()
    merge: tuple[tuple[str, ...], ...] = ()
    types: Mapping[str, tuple[float, ...]] = {}
    recall: str = ""
    questions: tuple[Item, ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if any(len(chances) != len(self.questions) for chances in self.types.values()):
            raise ValueError("a type needs one chance per question")
        if sorted(label for group in self.merge for label in group) not in ([], sorted(self.labels)):
            raise ValueError("`merge` puts every label into one group")
        for q in self.questions:
            missing = [name for name in NEEDS.get(self.design, ()) if getattr(q, name) is None]
            if missing:
                raise ValueError(f"question {q.key}: design {self.design} needs its {missing[0]}")
            if q.merged and len(q.merged) != len(self.merge):
                raise ValueError(f"question {q.key}: one merged share per group of `merge`")
        return self

    def grouped(self, counts: Sequence[float]) -> tuple[float, ...]:
        """Numbers per label, summed over the groups of `merge` if there are any."""
        by = dict(zip(self.labels, counts, strict=True))
        return tuple(sum(by[label] for label in group) for group in self.merge) or tuple(counts)

    def people(self, q: Item) -> tuple[float, ...]:
        """People's shares of a question, by group where options are merged; none if they are not on record."""
        return q.merged or (self.grouped(q.shares) if q.shares else ())

    @property
    def game(self) -> dict[str, Any]:
        """The spec of the game that asks these questions."""
        plain = [q.model_dump(include=set(Question.model_fields), exclude_none=True) for q in self.questions]
        return {"name": "survey", "kind": self.kind, "labels": list(self.labels), "questions": plain}

    @property
    def known(self) -> bool:
        """Whether people's answers are on record for any question; else it is a design."""
        return any(self.people(q) or q.median is not None for q in self.questions)

    @property
    def recital(self) -> dict[str, Any] | None:
        """The spec of the game that asks for people's share of the first option, in per cent; None where there is nothing to recite."""
        known = [q for q in self.questions if self.people(q)]
        if not self.recall or not known:
            return None
        return {"name": "survey", "kind": "number", "labels": [], "questions": [
            {"key": q.key, "text": f"{q.text} {self.recall}", "isomorph": f"{q.isomorph} {self.recall}", "iqr": 1.0,
             "median": 100 * self.people(q)[0]} for q in known]}


def names() -> list[str]:
    """The data sets there are."""
    return sorted(f.name.removesuffix(".toml") for f in resources.files(__package__).iterdir() if f.name.endswith(".toml"))


def data_set(name: str) -> DataSet:
    """A shipped data set, or one's own in a .toml file, which may name a file of answers to import. Raises UnknownName or DesignError."""
    if name.endswith(".toml"):
        return _made(Path(name).read_text() if Path(name).exists() else None, name)
    if name not in names():
        raise UnknownName(f"no data set '{name}'; there are: {', '.join(names())}, or a .toml file of your own.")
    return _made((resources.files(__package__) / f"{name}.toml").read_text(), name)


def _made(text: str | None, name: str) -> DataSet:
    from .importers import imported
    if text is None:
        raise DesignError(f"no file {name}.")
    try:
        fields = tomllib.loads(text)
        return imported(fields, Path(name).parent) or DataSet.model_validate(fields)
    except tomllib.TOMLDecodeError as error:
        raise DesignError(f"{name} is not TOML: {error}.") from None
    except ValidationError as error:
        raise DesignError(f"{name}: {explain(error)}.") from None

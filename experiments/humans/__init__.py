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
    again       people's shares in another study of the same question
    versions    what "{}" in its text and isomorph stands for, in turn: sentences, names; answers are pooled over them
    """
    truth: float | None = None
    price: float | None = None
    attribute: int | None = None
    status_quo: str | None = None
    asks: tuple[float, float] | None = None
    experience: tuple[float, float] | None = None
    minimum: float | None = None
    merged: tuple[float, ...] = ()
    again: tuple[float, ...] = ()
    versions: tuple[str, ...] = ()


class DataSet(Frozen):
    """What people said, and how they were asked.

    compare  `levels`, or `order` alone where people and models do not answer the same question
    design   what is measured beyond shares, by transcripts/designs.py; its items must say what it needs
    merge    groups of labels, where people's answers are on record for groups alone
    types    name -> the chance with which such a person takes the first option, question by question: people as a mixture of types
    recall   the question that asks a model to recite the result: a probe for contamination
    views    name -> a sentence put before every question; each question is put with each of them, and answers are pooled
    guises   name -> the sentence instead, where a question is put in its other guise
    contrasts  name -> (views, other views): how much more often the first option is taken with the former
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
    views: Mapping[str, str] = {}
    guises: Mapping[str, str] = {}
    contrasts: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    questions: tuple[Item, ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if any(len(chances) != len(self.questions) for chances in self.types.values()):
            raise ValueError("a type needs one chance per question")
        if sorted(label for group in self.merge for label in group) not in ([], sorted(self.labels)):
            raise ValueError("`merge` puts every label into one group")
        named = {name for pair in self.contrasts.values() for side in pair for name in side} | set(self.guises)
        if not named <= set(self.views):
            raise ValueError(f"no view '{min(named - set(self.views))}' in `views`")
        if len({len(q.versions) for q in self.questions}) > 1 or (self.views and self.questions[0].versions):
            raise ValueError("every question has as many versions as the others, and none where there are views")
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
    def ways(self) -> tuple[str, ...]:
        """The names of the views or versions in which every question is put; one without a name if there are none."""
        return tuple(self.views) or tuple(map(str, range(1, len(self.questions[0].versions) + 1))) or ("",)

    def put(self, q: Item, way: int) -> dict[str, Any]:
        """A question in one of the ways, as the game takes it."""
        plain = q.model_dump(include=set(Question.model_fields), exclude_none=True)
        if self.views:
            name = self.ways[way]
            return plain | {"key": f"{q.key}, {name}", "text": f"{self.views[name]} {q.text}",
                            "isomorph": f"{self.guises.get(name, self.views[name])} {q.isomorph}"}
        if q.versions:
            return plain | {"key": f"{q.key}, {self.ways[way]}", "text": q.text.replace("{}", q.versions[way]),
                            "isomorph": q.isomorph.replace("{}", q.versions[way])}
        return plain

    @property
    def game(self) -> dict[str, Any]:
        """The spec of the game that asks these questions: question i in way v is its number v Q + i, of Q questions."""
        asked = [self.put(q, v) for v in range(len(self.ways)) for q in self.questions]
        return {"name": "survey", "kind": self.kind, "labels": list(self.labels), "questions": asked}

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

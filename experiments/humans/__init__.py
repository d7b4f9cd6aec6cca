"""People's answers on record: one TOML file per data set, with its source, licence and way of asking. One can add one's own."""
import csv
import json
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from ...errors import DesignError, UnknownName
from ...games.base import Frozen
from ...games.survey import Question
from ...registry import explain


class Item(Question):
    """A question with what only a design knows: a true answer, a price, an attribute."""
    truth: float | None = None
    price: float | None = None
    attribute: int | None = None


class DataSet(Frozen):
    """What people said, and how they were asked.

    compare  `levels`, or `order` alone where people and models do not answer the same question
    recall   the question that asks a model to recite the result: a probe for contamination
    """
    title: str
    source: str
    licence: str
    asking: str
    kind: Literal["choice", "number"] = "choice"
    compare: Literal["levels", "order"] = "levels"
    labels: tuple[str, ...] = ()
    recall: str = ""
    questions: tuple[Item, ...]

    @property
    def game(self) -> dict[str, Any]:
        """The spec of the game that asks these questions."""
        plain = [q.model_dump(include=set(Question.model_fields), exclude_none=True) for q in self.questions]
        return {"name": "survey", "kind": self.kind, "labels": list(self.labels), "questions": plain}

    @property
    def known(self) -> bool:
        """Whether people's answers are on record for any question; else it is a design."""
        return any(q.shares or q.median is not None for q in self.questions)


def names() -> list[str]:
    """The data sets there are."""
    return sorted(f.name.removesuffix(".toml") for f in resources.files(__package__).iterdir() if f.name.endswith(".toml"))


def data_set(name: str) -> DataSet:
    """A shipped data set, or one's own in a .toml file. Raises UnknownName or DesignError."""
    if name.endswith(".toml"):
        return _made(Path(name).read_text() if Path(name).exists() else None, name)
    if name not in names():
        raise UnknownName(f"no data set '{name}'; there are: {', '.join(names())}, or a .toml file of your own.")
    return _made((resources.files(__package__) / f"{name}.toml").read_text(), name)


def _made(text: str | None, name: str) -> DataSet:
    if text is None:
        raise DesignError(f"no file {name}.")
    try:
        return DataSet.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise DesignError(f"{name} is not TOML: {error}.") from None
    except ValidationError as error:
        raise DesignError(f"{name}: {explain(error)}.") from None


# --- other people's files -----------------------------------------------------------------------------------------------
def from_csv(path: Path, mapping: Mapping[str, str], about: Mapping[str, str]) -> DataSet:
    """A data set from a CSV with one row per answer.

    mapping  "question": column of the question's text, "answer": column of the option taken, "key": of its key (default: text)
    about    title, source, licence, asking
    Raises DesignError for a column that is not there.
    """
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return _tallied(rows, {"key": mapping.get("question", ""), **mapping}, about, str(path))


def from_otree(path: Path, field: str, question: str, about: Mapping[str, str]) -> DataSet:
    """A data set from oTree's export of an app ("per-app" CSV): `field` such as player.offer_accepted; one question."""
    with path.open(newline="") as file:
        rows = [{**r, "question": question} for r in csv.DictReader(file) if r.get(field, "x") != ""]
    return _tallied(rows, {"question": "question", "key": "question", "answer": field}, about, str(path))


def from_glee(path: Path, about: Mapping[str, str]) -> DataSet:
    """A data set from GLEE's JSON lines of decisions: each a dict with `message` (the offer as told) and `decision`."""
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return _tallied(rows, {"question": "message", "key": "message", "answer": "decision"}, about, str(path))


def _tallied(rows: list[dict[str, Any]], of: Mapping[str, str], about: Mapping[str, str], path: str) -> DataSet:
    for what in ("question", "answer", "key"):
        if of.get(what) is None or not rows or of[what] not in rows[0]:
            raise DesignError(f"{path}: no column '{of.get(what)}' for the {what}; columns are {', '.join(rows[0]) if rows else 'none'}.")
    labels = tuple(dict.fromkeys(str(r[of["answer"]]) for r in rows))
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(labels, 0))
    for r in rows:
        counts[str(r[of["key"]]), str(r[of["question"]])][str(r[of["answer"]])] += 1
    items = tuple(Item(key=key, text=text, isomorph=text, n=sum(c.values()), shares=tuple(x / sum(c.values()) for x in c.values()))
                  for (key, text), c in counts.items())
    try:
        return DataSet.model_validate({**about, "labels": labels, "questions": [i.model_dump() for i in items]})
    except ValidationError as error:
        raise DesignError(f"{path}: {explain(error)}.") from None

"""People who have already answered the items of `parlour fidelity`: a CSV with one row per answer.

    prior, threshold   of the item, chances strictly between 0 and 1
    action             buy or leave (1 or 0); empty where only a chance was stated
    stated             optional: the chance of a good product that they stated, 0 to 1; empty where it was not asked
    wording            optional: which words it was put in

`--truth recorded:answers.csv`: nobody is asked for them, and simulators are asked the items of the file. Answers to an item go into
the two halves in turn. Columns of other names are declared in a .toml file, `--truth recorded:mine.toml`, whose paths are relative to it:

    [csv]
    file = "export.csv"
    action = "bought"      # a column's name for any of the five; those left out have the names above
    stated = "belief"
"""
import csv
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DesignError
from ..transcripts.fidelity import Answers, judgement
from .fidelity import Respondent

RECORDED = "recorded:"
ACTED = {"buy": 1.0, "1": 1.0, "leave": 0.0, "0": 0.0}
NEEDED, OPTIONAL = ("prior", "threshold", "action"), ("wording", "stated")


@dataclass(frozen=True)
class Row:
    """One answer. acted, stated: None where it was not asked."""
    prior: float
    threshold: float
    wording: str
    acted: float | None
    stated: float | None


def recorded(text: str) -> tuple[Respondent, Answers]:
    """The people of a file, named by it, and what they said. Raises DesignError."""
    path = Path(text.removeprefix(RECORDED))
    rows = _rows(path)
    priors, thresholds = tuple(sorted({r.prior for r in rows})), tuple(sorted({r.threshold for r in rows}))
    wordings = tuple(sorted({r.wording for r in rows}))
    said = Answers(priors, thresholds, wordings, np.zeros((len(priors), len(wordings), len(thresholds), 2, 2)))
    met: Counter[tuple[int, ...]] = Counter()
    for r in rows:
        said.calls += (r.acted is not None) + (r.stated is not None)
        if r.stated is not None:
            said.beliefs.append(judgement(r.stated, r.prior, r.threshold, r.wording))
        if r.acted is not None:
            at = priors.index(r.prior), wordings.index(r.wording), thresholds.index(r.threshold)
            said.counts[(*at, met[at] % 2)] += (r.acted, 1.0)
            met[at] += 1
    return Respondent(f"truth {path.stem}", {"agent": "recorded"}), said


def _rows(path: Path) -> list[Row]:
    path, named = _declared(path) if path.suffix == ".toml" else (path, {})
    if not path.exists():
        raise DesignError(f"no file {path}.")
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = list(csv.DictReader(file))
    columns = {what: named.get(what, what) for what in (*NEEDED, *OPTIONAL)}
    for what, column in columns.items():
        if (what in NEEDED or what in named) and (not table or column not in table[0]):
            raise DesignError(f"{path}: no column '{column}'; a row per answer: prior, threshold, action; if known, wording, stated.")
    rows = [_read(path, line, {what: (row.get(column) or "").strip() for what, column in columns.items()})
            for line, row in enumerate(table, 2)]
    if all(r.acted is None for r in rows):
        raise DesignError(f"{path}: nobody acted; some rows need an action, buy or leave.")
    return rows


def _declared(path: Path) -> tuple[Path, Mapping[str, str]]:
    """The file of answers that a mapping names, and the names of its columns."""
    try:
        named = tomllib.loads(path.read_text())["csv"]
        file = path.parent / named.pop("file")
    except OSError as error:
        raise DesignError(f"cannot read {path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DesignError(f"{path} is not TOML: {error}.") from None
    except (KeyError, AttributeError, TypeError):
        raise DesignError(f"{path}: needs a table [csv] with file = \"answers.csv\".") from None
    for what, column in named.items():
        if what not in (*NEEDED, *OPTIONAL) or not isinstance(column, str):
            raise DesignError(f"{path}: no mapping {what} = {column!r}; names of columns for {', '.join((*NEEDED, *OPTIONAL))}.")
    return file, named


def _read(path: Path, line: int, row: Mapping[str, str]) -> Row:
    said, stated = row["action"].lower(), row["stated"]
    try:
        prior, threshold = float(row["prior"]), float(row["threshold"])
        acted = ACTED[said] if said or not stated else None
    except (ValueError, KeyError):
        raise DesignError(f"{path}, line {line}: prior and threshold are numbers, action is buy or leave.") from None
    if not (0 < prior < 1 and 0 < threshold < 1):
        raise DesignError(f"{path}, line {line}: prior and threshold lie strictly between 0 and 1.")
    return Row(prior, threshold, row["wording"], acted, _chance(path, line, stated) if stated else None)


def _chance(path: Path, line: int, text: str) -> float:
    try:
        chance = float(text)
    except ValueError:
        chance = -1.0
    if not 0 <= chance <= 1:
        raise DesignError(f"{path}, line {line}: a stated chance is a number from 0 to 1 (0.7 for 70 per cent), or empty; got '{text}'.")
    return chance

"""People who have already answered the items of `parlour fidelity`: a CSV with one row per answer.

    prior, threshold   of the item, chances strictly between 0 and 1
    action             buy or leave (1 or 0)
    wording            optional: which words it was put in

`--truth recorded:answers.csv`: nobody is asked for them, and simulators are asked the items of the file. Answers to an item go into
the two halves in turn.
"""
import csv
from collections import Counter
from pathlib import Path

import numpy as np

from ..errors import DesignError
from ..transcripts.fidelity import Answers
from .fidelity import Respondent

RECORDED = "recorded:"
ACTED = {"buy": 1.0, "1": 1.0, "leave": 0.0, "0": 0.0}


def recorded(text: str) -> tuple[Respondent, Answers]:
    """The people of a file, named by it, and what they said. Raises DesignError."""
    path = Path(text.removeprefix(RECORDED))
    rows = _rows(path)
    priors, thresholds = tuple(sorted({row[0] for row in rows})), tuple(sorted({row[1] for row in rows}))
    wordings = tuple(sorted({row[3] for row in rows}))
    counts = np.zeros((len(priors), len(wordings), len(thresholds), 2, 2))
    met: Counter[tuple[int, ...]] = Counter()
    for prior, threshold, acted, wording in rows:
        at = priors.index(prior), wordings.index(wording), thresholds.index(threshold)
        counts[(*at, met[at] % 2)] += (acted, 1.0)
        met[at] += 1
    who = Respondent(f"truth {path.stem}", {"agent": "recorded"})
    return who, Answers(priors, thresholds, wordings, counts, calls=len(rows))


def _rows(path: Path) -> list[tuple[float, float, float, str]]:
    if not path.exists():
        raise DesignError(f"no file {path}.")
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = list(csv.DictReader(file))
    missing = [c for c in ("prior", "threshold", "action") if not table or c not in table[0]]
    if missing:
        raise DesignError(f"{path}: no column '{missing[0]}'; a row per answer: prior, threshold, action and, if known, wording.")
    return [_read(path, line, row) for line, row in enumerate(table, 2)]


def _read(path: Path, line: int, row: dict[str, str]) -> tuple[float, float, float, str]:
    try:
        prior, threshold, acted = float(row["prior"]), float(row["threshold"]), ACTED[row["action"].strip().lower()]
    except (ValueError, KeyError):
        raise DesignError(f"{path}, line {line}: prior and threshold are numbers, action is buy or leave.") from None
    if not (0 < prior < 1 and 0 < threshold < 1):
        raise DesignError(f"{path}, line {line}: prior and threshold lie strictly between 0 and 1.")
    return prior, threshold, acted, row.get("wording") or ""

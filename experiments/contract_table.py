"""Tables of scores and costs per model, as they come out of an evaluation: read strictly, with one clear line for what is wrong.

scores   long: columns `model,score`, a line per scored text (whole scores; every score from the lowest to the highest seen is an
         outcome); or wide: `model` and a column per outcome, a line per model, of counts (whole, summing to more than 1) or of chances
costs    `model,cost`, a line per model, money per text (or per million tokens: whatever pay is to be counted in)
"""
import csv
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..errors import FieldError

OFF = 1e-6
"""By how much a row of chances may miss a sum of 1."""


@dataclass(frozen=True)
class Scores:
    """Models by rising cost. chances: F; samples: scored texts per model, None where the table gave chances."""
    models: tuple[str, ...]
    outcomes: tuple[str, ...]
    chances: tuple[tuple[float, ...], ...]
    costs: tuple[float, ...]
    samples: tuple[int, ...] | None


def read_tables(scores: str, costs: str) -> Scores:
    """Both tables, joined by model. Raises FieldError for what cannot be used."""
    outcomes, rows = _scores(Path(scores))
    prices = _costs(Path(costs))
    if len(rows) < 2:
        raise FieldError(f"{scores}: at least two models are needed, and there are {len(rows)}.")
    for one, other, file in ((rows, prices, costs), (prices, rows, scores)):
        missing = [m for m in one if m not in other]
        if missing:
            raise FieldError(f"{file}: no line for model '{missing[0]}'.")
    models = tuple(sorted(rows, key=lambda m: prices[m]))
    counted = _counted(rows)
    chances = tuple(_chances(scores, m, rows[m], counted) for m in models)
    samples = tuple(round(sum(rows[m])) for m in models) if counted else None
    return Scores(models, outcomes, chances, tuple(prices[m] for m in models), samples)


def _lines(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            head, lines = list(reader.fieldnames or ()), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FieldError(f"{path}: cannot be read as a CSV table ({error}).") from None
    if "model" not in head or len(head) < 2:
        raise FieldError(f"{path}: the first line must name its columns: `model` and at least one other.")
    if len(set(head)) < len(head):
        raise FieldError(f"{path}: two columns have the same name.")
    for number, line in enumerate(lines, 2):
        if None in line or None in line.values() or not line["model"].strip():
            raise FieldError(f"{path}, line {number}: it needs {len(head)} entries, and a model.")
    return head, lines


def _number(path: Path, line: int, text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FieldError(f"{path}, line {line}: {what} is '{text}', which is no number.")
    return value


def _scores(path: Path) -> tuple[tuple[str, ...], dict[str, list[float]]]:
    head, lines = _lines(path)
    if head[1:] == ["score"] or head == ["score", "model"]:
        return _long(path, lines)
    outcomes = [name for name in head if name != "model"]
    if len(outcomes) < 2:
        raise FieldError(f"{path}: at least two outcomes are needed (or the columns `model,score`).")
    found: dict[str, list[float]] = {}
    for number, line in enumerate(lines, 2):
        if line["model"] in found:
            raise FieldError(f"{path}, line {number}: a second line for model '{line['model']}'.")
        row = [_number(path, number, line[name], f"'{name}'") for name in outcomes]
        if min(row) < 0:
            raise FieldError(f"{path}, line {number}: {min(row):g} is negative: counts and chances are at least 0.")
        found[line["model"]] = row
    return tuple(outcomes), found


def _long(path: Path, lines: list[dict[str, str]]) -> tuple[tuple[str, ...], dict[str, list[float]]]:
    found: dict[str, Counter[int]] = {}
    for number, line in enumerate(lines, 2):
        score = _number(path, number, line["score"], "the score")
        if score != round(score):
            raise FieldError(f"{path}, line {number}: the score is {score:g}: round scores to whole numbers, or give a wide table.")
        found.setdefault(line["model"], Counter())[round(score)] += 1
    seen = [s for counts in found.values() for s in counts]
    if len(set(seen)) < 2:
        raise FieldError(f"{path}: at least two different scores are needed.")
    if max(seen) - min(seen) >= 1000:
        raise FieldError(f"{path}: scores from {min(seen)} to {max(seen)} are too many outcomes: put them into at most 1000 classes.")
    levels = range(min(seen), max(seen) + 1)
    return tuple(map(str, levels)), {m: [float(counts[s]) for s in levels] for m, counts in found.items()}


def _costs(path: Path) -> dict[str, float]:
    head, lines = _lines(path)
    if sorted(head) != ["cost", "model"]:
        raise FieldError(f"{path}: the columns must be `model,cost`.")
    found: dict[str, float] = {}
    for number, line in enumerate(lines, 2):
        cost = _number(path, number, line["cost"], "the cost")
        if cost < 0:
            raise FieldError(f"{path}, line {number}: the cost of '{line['model']}' is {cost:g}: costs are at least 0.")
        if line["model"] in found:
            raise FieldError(f"{path}, line {number}: a second line for model '{line['model']}'.")
        found[line["model"]] = cost
    return found


def _counted(rows: dict[str, list[float]]) -> bool:
    """Whether the rows hold counts: whole numbers that sum to more than 1."""
    return all(x == round(x) for row in rows.values() for x in row) and all(sum(row) > 1 for row in rows.values())


def _chances(path: str, model: str, row: list[float], counted: bool) -> tuple[float, ...]:
    total = sum(row)
    if not counted and abs(total - 1) > OFF:
        raise FieldError(f"{path}: the row of '{model}' sums to {total:g}: chances must sum to 1, and counts be whole numbers.")
    return tuple(x / total for x in row)

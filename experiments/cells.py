"""What a calibration of briefs found: the table of cells, the solutions it makes with their intervals, and the game as a file."""
import csv
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from ..errors import FieldError
from ..transcripts.cells import Sampled, sampled, scores, solved
from ..transcripts.scores import put
from ..transcripts.store import Store
from .commands import emit


def calibrates_briefs(store: Store, run: str) -> bool:
    """Whether cells of briefs were sampled in a run."""
    return bool(store.rows("SELECT arm FROM arm WHERE run = ? AND protocol = 'brief_calibration'", [run]))


def cells(store: Store, run: str, args: Namespace) -> int:
    """Prints the cells and solutions of a run's arms, keeps them as scores, and writes those of one arm to a file if one is named."""
    if not 0 < args.level < 1 or args.resamples < 100 or args.seed < 0:
        raise FieldError("--level lies strictly between 0 and 1, --resamples is at least 100, --seed at least 0.")
    every = _of(sampled(store, run), args)
    solutions = [solved(found, args.level, args.resamples, args.seed) for found in every]
    put(store, run, [s for pair in zip(every, solutions, strict=True) for s in scores(*pair)], args.level, "calibration")
    if args.to:
        _write(Path(args.to), every[0])
    if args.json:
        return emit({"run": run, "arms": [_as_json(*pair) for pair in zip(every, solutions, strict=True)]})
    print(f"{run}, solutions with {100 * args.level:g} % bootstrap intervals")
    for pair in zip(every, solutions, strict=True):
        _print(*pair)
    if args.to:
        print(args.to, file=sys.stderr)
    return 0


def _of(every: list[Sampled], args: Namespace) -> list[Sampled]:
    """The arm that is asked for, or all. Raises FieldError."""
    names = ", ".join(f"'{found.arm}'" for found in every)
    if args.arm is not None:
        every = [found for found in every if found.arm == args.arm]
        if not every:
            raise FieldError(f"--arm {args.arm}: cells were sampled in {names}.")
    if args.to and len(every) > 1:
        raise FieldError(f"--to writes one sample, and there are {names}: name one with --arm.")
    return every


def _as_json(found: Sampled, solutions: list[dict[str, Any]]) -> dict[str, Any]:
    matrix = found.calibrated.matrix
    return {"arm": found.arm, "cells": found.table(), "solutions": solutions, "lost": found.lost, "human_means": matrix.human_means,
            "ai_means": matrix.ai_means}


def _print(found: Sampled, solutions: list[dict[str, Any]]) -> None:
    table, matrix = found.table(), found.calibrated.matrix
    print(f"\n{found.arm}: {sum(c['draws'] for c in table)} texts of {len(table)} cells")
    for c in table:
        shown = "   ".join(f"{role} {c[f'{role}_mean']:.4f}{_error(c[f'{role}_error'])}{_bounds(c, role)}" for role in ("human", "ai"))
        several = f" in {c['wordings']} wordings" if c["wordings"] > 1 else ""
        print(f"  {c['prompt']} {c['response']}   {shown}   {c['draws']} texts, {c['distinct']} different{several}"
              + (f", {c['missing']} missing" if c["missing"] else ""))
    if any(c["distinct"] == c["wordings"] < c["draws"] for c in table):
        print("  a cell whose writer always writes the same is one text, however often it is scored: its intervals are of the scorers "
              "alone")
    if found.lost:
        print(f"  {found.lost} episodes did not end, and count for nothing")
    print()
    for s in solutions:
        cell = f"   a{s['prompt']:g} b{s['response']:g}" if s["prompt"] is not None else ""
        again = f" in {100 * s['chosen_again']:.0f} % of resamples" if s["chosen_again"] is not None else ""
        print(f"  {s['benchmark']:<17}{s['role']:<6}{s['value']:.4f} {_span(s['low'], s['high'])}{cell}{again}")
        if s["crossed"] is not None:
            print(f"  {'  cross-fitted':<17}{s['role']:<6}{s['crossed']:.4f} {_span(s['crossed_low'], s['crossed_high'])}")
    means = {"human_means": matrix.human_means, "ai_means": matrix.ai_means}
    print("  " + " ".join(f"--set {k}={to_json([[round(x, 6) for x in row] for row in rows]).decode()}" for k, rows in means.items()))


def _error(error: float | None) -> str:
    return "" if error is None else f" (se {error:.4f})"


def _bounds(cell: dict[str, Any], role: str) -> str:
    """What missing texts could make of a mean."""
    return f" within {cell[f'{role}_worst']:.4f} .. {cell[f'{role}_best']:.4f}" if cell["missing"] else ""


def _span(low: float | None, high: float | None) -> str:
    return "[too few draws for an interval]" if low is None or high is None else f"[{low:.4f}, {high:.4f}]"


def _write(to: Path, found: Sampled) -> None:
    """As .toml the game, a table for a design; else a line per text."""
    if to.suffix == ".toml":
        fields = found.calibrated.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        lines = ["[game]", 'name = "written_prompting"', *(f"{k} = {to_json(v).decode()}" for k, v in fields.items())]
        to.write_text("\n".join(lines) + "\n")
        return
    with to.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["prompt", "response", "wording", "draw", "human", "ai"])
        for (a, b, w), pairs in found.scores.items():
            rows.writerows([f"a{a + 1}", f"b{b + 1}", w + 1, i, *pair] for i, pair in enumerate(pairs, 1))

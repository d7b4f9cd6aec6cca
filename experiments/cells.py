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
    """Prints the cells and solutions of a run, keeps them as scores, and writes them to a file if one is named."""
    if not 0 < args.level < 1 or args.resamples < 100 or args.seed < 0:
        raise FieldError("--level lies strictly between 0 and 1, --resamples is at least 100, --seed at least 0.")
    found = sampled(store, run)
    solutions = solved(found, args.level, args.resamples, args.seed)
    put(store, run, scores(found, solutions), args.level, "calibration")
    if args.to:
        _write(Path(args.to), found)
    if args.json:
        made = found.calibrated
        return emit({"run": run, "cells": found.table(), "solutions": solutions, "lost": found.lost,
                     "human_means": made.matrix.human_means, "ai_means": made.matrix.ai_means})
    _print(run, found, solutions, args.level)
    if args.to:
        print(args.to, file=sys.stderr)
    return 0


def _print(run: str, found: Sampled, solutions: list[dict[str, Any]], level: float) -> None:
    table, matrix = found.table(), found.calibrated.matrix
    print(f"{run}: {sum(c['draws'] for c in table)} texts of {len(table)} cells")
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
    print(f"\nsolutions, with {100 * level:g} % bootstrap intervals")
    for s in solutions:
        cell = f"   a{s['prompt']:g} b{s['response']:g}" if s["prompt"] is not None else ""
        again = f" in {100 * s['chosen_again']:.0f} % of resamples" if s["chosen_again"] is not None else ""
        print(f"  {s['benchmark']:<17}{s['role']:<6}{s['value']:.4f} {_span(s['low'], s['high'])}{cell}{again}")
        if s["crossed"] is not None:
            print(f"  {'  cross-fitted':<17}{s['role']:<6}{s['crossed']:.4f} {_span(s['crossed_low'], s['crossed_high'])}")
    means = {"human_means": matrix.human_means, "ai_means": matrix.ai_means}
    print("\n" + " ".join(f"--set {k}={to_json([[round(x, 6) for x in row] for row in rows]).decode()}" for k, rows in means.items()))


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

"""Commands over runs in which texts were paid for. Every function takes the parsed arguments and returns the exit code."""
import csv
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import FieldError, StoreError
from ..transcripts.store import Store
from ..transcripts.talk import find_run
from .commands import emit


def compliance(args: Namespace) -> int:
    """Obedience, incentive, the worth of contracts and of evaluators."""
    from ..transcripts.compliance import compliance as measure
    from ..transcripts.scores import lines, put
    from ..transcripts.texts import evaluators
    from .screen import measures
    if not 0 < args.level < 1:
        raise FieldError(f"--level {args.level:g}: strictly between 0 and 1, e.g. 0.95.")
    store = Store(args.store)
    run = find_run(store, args.run)
    found = measure(store, run, args.level) + evaluators(store, run, args.level)
    if not found:
        raise StoreError(f"no contract was posted in {run}: `parlour compliance` reads runs of games of payment, e.g. text_contract.")
    put(store, run, found, args.level, "compliance")
    if args.json:
        return emit({"run": run, "store": args.store, "scores": lines(found)})
    measures(found)
    return 0


def calibration(args: Namespace) -> int:
    """The table of outcome chances, or of cells, that a run's scores make."""
    from ..transcripts.texts import calibrated
    from .cells import calibrates_briefs, cells
    store = Store(args.store)
    run = find_run(store, args.run)
    if calibrates_briefs(store, run):
        return cells(store, run, args)
    table = calibrated(store, run)
    if args.to:
        _csv(args.to, table)
    if args.json:
        return emit({"run": run, "labels": table.labels, "models": table.models, "counts": table.counts.tolist(),
                     "outcome_probabilities": table.chances})
    width = max(len(m) for m in table.models)
    for label, model, row in zip(table.labels, table.models, table.counts.tolist(), strict=True):
        shares = "  ".join(f"{x / sum(row):.3f}" for x in row) if sum(row) else "no texts"
        print(f"{label}  {model:<{width}}  {sum(row):g} texts  {shares}")
    print("\n--set outcome_probabilities=" + str(table.chances).replace(" ", "") if None not in table.chances else
          "\nsome generator has no texts: more episodes are needed")
    if args.to:
        print(args.to, file=sys.stderr)
    return 0


def _csv(to: str, table: Any) -> None:
    """A row per model: its counts of the scores 1..m."""
    with Path(to).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["model", *range(1, table.counts.shape[1] + 1)])
        rows.writerows([model, *row] for model, row in zip(table.models, table.counts.tolist(), strict=True))


COMMANDS: dict[str, Callable[[Namespace], int]] = {"compliance": compliance, "calibration": calibration}

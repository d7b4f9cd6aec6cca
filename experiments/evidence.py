"""Commands about what a design claims and what came of it. Every function takes the parsed arguments and returns the exit code."""
from argparse import Namespace
from collections.abc import Callable

from ..transcripts.store import Store
from ..transcripts.talk import find_run
from .commands import emit
from .design import read_design


def design(args: Namespace) -> int:
    """check: the design in words; lock: its hash, written beside it."""
    from .check import explain_design
    from .lock import lock, lock_file, locked

    found = read_design(args.design)
    lines = explain_design(locked(args.design, found))
    if args.what == "check":
        return emit({"design": found.name, "says": lines}) if args.json else _print(lines)
    made = lock(args.design, found)
    if args.json:
        return emit({"hash": made.hash, "file": str(lock_file(args.design))})
    return _print([f"locked: {made.hash}", f"{lock_file(args.design)} holds the design as it is now. Runs of {args.design} carry this "
                   "hash and every deviation from it."])


def _print(lines: list[str]) -> int:
    for line in lines:
        print(line)
    return 0


def hypotheses(args: Namespace) -> int:
    """What became of the hypotheses of a run, under other specifications too."""
    from ..transcripts.hypotheses import as_rows, findings
    from ..transcripts.robustness import as_table, influences, specifications
    from .screen import frame, verdicts

    store = Store(args.store)
    run = find_run(store, args.run)
    found = findings(store, run, level=args.level)
    robust = {f.hypothesis.name: (as_table(specifications(store, run, f.hypothesis, args.level)),
                                  as_table(influences(store, run, f.hypothesis, args.level))) for f in found} if args.robust else {}
    if args.json:
        return emit({"run": run, "hypotheses": as_rows(found),
                     "robust": {name: {"specifications": a, "influence": b} for name, (a, b) in robust.items()}})
    if not found:
        print(f"{run} declares no hypothesis.")
    verdicts(found)
    for name, (curve, moved) in robust.items():
        frame(f"{name}: every specification", curve)
        frame(f"{name}: without one cluster", moved)
    return 0


COMMANDS: dict[str, Callable[[Namespace], int]] = {"design": design, "hypotheses": hypotheses}

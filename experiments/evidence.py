"""Commands about what a design claims and what came of it. Every function takes the parsed arguments and returns the exit code."""
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from ..errors import FieldError
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
    found, how = findings(store, run, level=args.level, inference=args.inference), (args.level, args.inference)
    robust = {f.hypothesis.name: (as_table(specifications(store, run, f.hypothesis, *how)),
                                  as_table(influences(store, run, f.hypothesis, *how))) for f in found} if args.robust else {}
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


def plan(args: Namespace) -> int:
    """How many episodes a design needs."""
    from .power import as_dict, needed, says

    if not (0 < args.power < 1 and 0 < args.level < 1):
        raise FieldError(f"--power {args.power:g} --level {args.level:g}: each lies between 0 and 1.")
    if not (args.sd is None or args.sd > 0) or not (args.icc is None or 0 <= args.icc <= 1):
        raise FieldError("--sd is above 0, and --icc lies between 0 and 1.")
    if (args.precision or 1) <= 0 or args.effect == 0:
        raise FieldError("an effect is not 0, and a precision is above 0.")
    store = Store(args.store)
    pilot = (store, find_run(store, args.pilot)) if args.pilot else None
    found = needed(read_design(args.design), args.effect, args.precision, args.power, args.level, args.icc, args.sd, pilot)
    return emit(as_dict(found)) if args.json else _print(list(says(found, read_design(args.design))))


def report(args: Namespace) -> int:
    """A run as a page, as Markdown, and its tables as CSV and LaTeX."""
    from ..reports.document import write
    from .report import report as compose

    store = Store(args.store)
    run = find_run(store, args.run)
    made = write(compose(store, run, args.level, figures=not args.no_figures), Path(args.to or f"{run}-report"))
    return emit([str(p) for p in made]) if args.json else _print([f"{made[0]} and {len(made) - 1} more files beside it"])


def bundle(args: Namespace) -> int:
    """Writes an archive of a run, takes one into a store, or checks one: 1 if anything in it comes out otherwise."""
    from .bundle import bundle as pack
    from .bundle import open_bundle, verify_bundle

    if args.run in ("verify", "open") and not args.file:
        raise FieldError(f"parlour bundle {args.run} FILE: which file?")
    if args.run == "open":
        run = open_bundle(Path(args.file), Store(args.store))
        return emit({"run": run, "store": args.store}) if args.json else _print([
            f"{run} is in {args.store}: look at it with `parlour view {args.store}`, at one episode with `parlour transcript {run}/0 "
            f"--store {args.store}`, check it with `parlour verify {run} --store {args.store}`"])
    if args.run == "verify":
        found = verify_bundle(Path(args.file))
        if args.json:
            emit(found.__dict__)
        else:
            _print([f"{found.run}: {found.files} files, root {found.root}",
                    f"{found.tables} tables computed again in {found.seconds:.1f} s: {found.cells} cells, {len(found.differing)} differ",
                    *found.differing[:20]])
        return 1 if found.differing else 0
    store = Store(args.store)
    run = find_run(store, args.run)
    made = pack(store, run, Path(args.to or f"{run}.tar.gz"), figures=not args.no_figures)
    return _print([f"{made}: check it anywhere with `parlour bundle verify {made}`"])


COMMANDS: dict[str, Callable[[Namespace], int]] = {"design": design, "plan": plan, "hypotheses": hypotheses, "report": report,
                                                  "bundle": bundle}

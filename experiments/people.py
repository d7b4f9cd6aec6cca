"""Commands that set simulators beside people. Every function takes the parsed arguments and returns the exit code."""
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import FieldError
from ..transcripts.arms import Score
from ..transcripts.scores import lines
from ..transcripts.store import Store
from .commands import closing, emit, warn
from .design import Design
from .fidelity import HUMANS, IDEAL, PRIORS, THRESHOLDS, Respondent, chances, compared, design, matrix, precision, respondent, tell

SHOWN = ("economic loss", "overpromise", "margin that repairs it", "threshold error (logits)", "log slope ratio", "total variation",
         "expected calibration error", "log-loss", "least log-loss", "normalised accuracy")


def fidelity(args: Namespace) -> int:
    """Asks everybody, and reports. Humans on record are asked nothing."""
    if any(t.startswith(HUMANS) for t in args.truth):
        from .survey import against_humans
        return against_humans(args)
    truths = [respondent(t, "truth") for t in args.truth]
    simulators = [respondent(s, "simulator") for s in args.simulator]
    priors = chances(args.priors, "--priors") if args.priors else PRIORS
    thresholds = chances(args.thresholds, "--thresholds") if args.thresholds else THRESHOLDS
    more = {"budget": args.budget} if args.budget is not None else {}
    made = design(truths, simulators, priors, thresholds, args.repeats, args.wording or ("all",), args.seed, cache=args.cache,
                  attempts=args.attempts, **more)
    if args.estimate or not args.json:
        tell(made, precision(priors, thresholds, int(made.episodes) // (len(priors) * len(thresholds))))
    return 0 if args.estimate else _report(args, made, truths, simulators)


def _report(args: Namespace, made: Design, truths: Sequence[Respondent], simulators: Sequence[Respondent]) -> int:
    from .api import synchronous
    from .runner import start
    from .screen import progress
    if args.page and Path(args.page).suffix not in (".html", ".png"):
        raise FieldError(f"--page {args.page}: the name of an .html or .png file.")
    store = Store(args.store)
    with progress(made, quiet=args.json) as bar:
        run, status = synchronous(start(made, store, on_episode=bar))
    if status != "done":
        print(f"{status}: go on with `parlour resume {run} --store {args.store}`", file=sys.stderr)
        return 0
    found = compared(store, run, truths, simulators)
    if args.page:
        from ..transcripts.fidelity import answers
        from ..transcripts.fidelity_page import write
        write(Path(args.page), run, answers(store, run), [t.name for t in truths], [t.name for t in truths if t.ideal], found)
    if args.json:
        return emit({"run": run, "status": status, "store": args.store, "scores": lines(found)})
    warn(store, run)
    table(found)
    if args.page:
        print(f"The report is in {args.page}.")
    closing(store, run, status)
    return 0


def table(scores: Sequence[Score]) -> None:
    """The matrix of lead scores with all measures beside them, one line each; then who is valid."""
    for simulator, people, lead in matrix(scores):
        print(f"{simulator} for {people} ({lead['quantity']})" + (f"  [{lead['note']}]" if lead["note"] else ""))
        by = {s["benchmark"]: s for s in scores if s["arm"] == f"{simulator} for {people}"}
        for name in SHOWN:
            if name in by:
                span = f"   [{by[name]['low']:.3f}, {by[name]['high']:.3f}]" if by[name]["low"] is not None else ""
                print(f"    {name:<30} {by[name]['value']:>8.3f}{span}")
    for s in scores:
        if s["benchmark"] == "valid replies":
            print(f"{s['arm']}: {s['value']:.1%} of replies valid, {s['missing']} items without an answer")
    if any(p == f"truth {IDEAL}" for _, p, _ in matrix(scores)):
        print("Against the ideal type the numbers are rationality; fidelity is the distance to people.")


COMMANDS: dict[str, Callable[[Namespace], int]] = {"fidelity": fidelity}

"""Commands that set simulators beside people. Every function takes the parsed arguments and returns the exit code."""
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import DesignError
from ..transcripts.arms import Score
from ..transcripts.fidelity import Answers, answers
from ..transcripts.pages import shown
from ..transcripts.scores import lines
from ..transcripts.store import Store
from .commands import closing, emit, warn
from .design import Design
from .fidelity import (
    HUMANS,
    IDEAL,
    MESSAGES,
    PRIORS,
    REPEATS,
    SENSITIVITY,
    SHIFTS,
    THRESHOLDS,
    Respondent,
    chances,
    compared,
    design,
    matrix,
    page_of,
    people_worth,
    precision,
    respondent,
    tell,
    told_in,
)
from .recorded import RECORDED, recorded

SHOWN = ("economic loss", "overpromise", "margin that repairs it", "threshold error (logits)", "log slope ratio", "total variation",
         "expected calibration error", "log-loss", "least log-loss", "normalised accuracy", "PPI++: people's mean share",
         "PPI++: people it is worth", "people on record")
OF_EACH = ("threshold, ", "slope, ", *SENSITIVITY.values(), *SHIFTS.values())
"""Of every respondent: what the names of the lines begin with."""


def fidelity(args: Namespace) -> int:
    """Asks everybody, and reports. Humans on record are asked nothing."""
    if any(t.startswith(HUMANS) for t in args.truth):
        from .survey import against_humans
        return against_humans(args)
    on_record = [recorded(t) for t in args.truth if t.startswith(RECORDED)]
    asked = [respondent(t, "truth") for t in args.truth if not t.startswith(RECORDED)]
    simulators = [respondent(s, "simulator") for s in args.simulator]
    priors, thresholds = _items(args, [said for _, said in on_record])
    more = {"budget": args.budget} if args.budget is not None else {}
    repeats = REPEATS if args.repeats is None else args.repeats
    messages = tuple(dict.fromkeys(args.message)) or MESSAGES
    made = design(asked, simulators, priors, thresholds, repeats, args.wording, args.seed, messages=messages, cache=args.cache,
                  attempts=args.attempts, **more)
    if args.estimate or not args.json:
        n = sum(int(said.counts[..., 1].sum()) for _, said in on_record)
        tell(made, [*precision(priors, thresholds, told_in(args.wording), repeats, messages), *people_worth(n, int(made.episodes))])
    if args.estimate:
        return 0
    return _report(args, made, [*(who for who, _ in on_record), *asked], simulators, {who.name: said for who, said in on_record})


def _items(args: Namespace, known: Sequence[Answers]) -> tuple[Sequence[float], Sequence[float]]:
    """Priors and thresholds of the items: as given, or those that people on record have answered."""
    if not known:
        return (chances(args.priors, "--priors") if args.priors else PRIORS,
                chances(args.thresholds, "--thresholds") if args.thresholds else THRESHOLDS)
    items = {(said.priors, said.thresholds) for said in known}
    if len(items) > 1 or args.priors or args.thresholds:
        raise DesignError("items are those of the recorded answers: give one such file, or several of the same items, and neither --priors "
                          "nor --thresholds.")
    return items.pop()


def _report(args: Namespace, made: Design, truths: Sequence[Respondent], simulators: Sequence[Respondent],
            known: Mapping[str, Answers]) -> int:
    from .api import synchronous
    from .runner import start
    from .screen import progress
    page = page_of(args)
    store = Store(args.store)
    with progress(made, quiet=args.json) as bar:
        run, status = synchronous(start(made, store, on_episode=bar))
    if status != "done":
        print(f"{status}: go on with `parlour resume {run} --store {args.store}`", file=sys.stderr)
        return 0
    found = compared(store, run, truths, simulators, known=known)
    if page:
        from ..transcripts.fidelity_page import write
        write(page, run, answers(store, run) | dict(known), [t.name for t in truths], [t.name for t in truths if t.ideal], found)
    if args.json:
        return emit({"run": run, "status": status, "store": args.store, "scores": lines(found)})
    warn(store, run)
    table(found)
    if page:
        print(f"The report is in {page}.")
    closing(store, run, status)
    return 0


def table(scores: Sequence[Score]) -> None:
    """The matrix of lead scores with all measures beside them; kin after it, apart; then who is valid."""
    for simulator, people, lead in matrix(scores):
        _cell(scores, simulator, people, lead)
    kin = matrix(scores, kin=True)
    if kin:
        print("Of one family, and in no headline:")
    for simulator, people, lead in kin:
        _cell(scores, simulator, people, lead)
    for s in scores:
        if s["benchmark"] == "valid replies":
            print(f"{s['arm']}: {s['value']:.1%} of replies valid, {s['missing']} items without an answer")
            _updating(scores, s["arm"])
        elif s["quantity"] == "respondent" and s["benchmark"].startswith(OF_EACH):
            print(_numbers(s))
    if any(p == f"truth {IDEAL}" for _, p, _ in matrix(scores)):
        print("Against the ideal type the numbers are rationality; fidelity is the distance to people.")


def _updating(scores: Sequence[Score], who: str) -> None:
    """What a respondent makes of prior and message, where chances were stated."""
    by = {s["benchmark"]: s["value"] for s in scores if s["arm"] == who}
    if "updating: weight of the prior" in by:
        prior, message, more = (by[f"updating: {name}"] for name in ("weight of the prior", "weight of the evidence", "constant"))
        print(f"    weighs the prior by {prior:.2f}, the message by {message:.2f} (by Bayes's rule 1 and 1), "
              f"and adds {round(more, 2) + 0.0:.2f} logits")


def _cell(scores: Sequence[Score], simulator: str, people: str, lead: Mapping[str, Any]) -> None:
    print(f"{simulator} for {people} ({lead['quantity']})")
    by = {s["benchmark"]: s for s in scores if s["arm"] == f"{simulator} for {people}"}
    for name in SHOWN:
        if name in by:
            s = by[name]
            lost = f"   {s['best']:.3f} .. {s['worst']:.3f} whatever the lost answers were" if s["worst"] is not None else ""
            print(_numbers(s) + lost)


def _numbers(s: Score) -> str:
    """A line of the table: name, value, interval, and whether that is a bracket."""
    span = f"   [{shown(s['low'])}, {shown(s['high'])}]" if s["low"] is not None else ""
    return f"    {s['benchmark']:<48} {shown(s['value']):>8}{span}{' (bracket)' if s['method'] == 'bracket' else ''}"


COMMANDS: dict[str, Callable[[Namespace], int]] = {"fidelity": fidelity}

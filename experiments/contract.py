"""A contract for people who only want the contract: from tables of scores and costs to payments, diagnostics and confidence."""
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import FieldError
from ..games.base import decimals
from ..games.solvers.contract import Objective, Shape
from .bootstrap import Case, Trial, bootstrap
from .contract_table import Scores

BOUNDS = (0.5, 0.75, 1.0, 1.25, 1.5)
"""Shares of the cost bound for which the contract is made again."""
SHOWN = 1e-9


@dataclass(frozen=True)
class Wish:
    """What is wanted of a contract. bound: b, None for the target's cost less the least; confidence: for the confident contract."""
    target: str | None
    objective: Objective
    shape: Shape
    robust: bool
    bound: float | None
    margin: float
    participation: bool
    confidence: float
    resamples: int
    seed: int
    currency: str


@dataclass(frozen=True)
class Confident:
    """The contract that holds by `z` standard errors; None and the greatest z there is, with the samples per model that z would take."""
    z: float
    payments: tuple[float, ...] | None
    expected_pay: float | None
    attainable: float | None
    samples_needed: int | None


@dataclass(frozen=True)
class Report:
    """All that is said. payments and what follows from them: None where no contract exists (`mixture` says why)."""
    models: tuple[str, ...]
    outcomes: tuple[str, ...]
    target: str
    objective: str
    shape: str
    robust: bool
    bound: float
    payments: tuple[float, ...] | None
    value: float | None
    expected_pay: float | None
    budget: float | None
    deviation: float | None
    target_cost: float
    participates: bool | None
    unique: bool | None
    mlrp: bool
    mixture: dict[str, float] | None
    why: str
    price_of_robustness: float | None
    sensitivity: tuple[tuple[float, float | None], ...]
    trial: Trial | None
    confident: Confident | None


def report(scores: Scores, wish: Wish, done: Callable[[int], None] = lambda n: None) -> Report:
    """The contract and what can be said of it. Raises FieldError for a target or a bound that cannot be."""
    import numpy as np

    from ..games.contract_solutions import Terms, mixture, why, why_not
    from ..games.solvers.contract import is_unique, rises, spread
    wanted = _target(scores, wish.target)
    rows, costs = np.array(scores.chances), np.array(scores.costs)
    bound = wish.bound if wish.bound is not None else max(0.0, float(costs[wanted] - costs.min()))
    terms = Terms(rows, costs, None, wanted, wish.objective, wish.shape, bound, wish.margin, wish.participation, True, scores.models)
    others, best = terms.others(wanted), rows[wanted]
    aware, robust = terms.gaps(wanted), np.full(len(rows) - 1, bound + wish.margin)
    gaps = robust if wish.robust else aware
    found, plain, sure = (terms.solve(wanted, g, wish.objective, wish.shape) for g in (gaps, aware, robust))
    floor = costs[wanted] if wish.participation else None
    mean = None if found is None else float(best @ found.pay)
    shares = None if found is not None else mixture(terms, gaps)
    case = _case(scores, terms, gaps, wish)
    return Report(
        models=scores.models, outcomes=scores.outcomes, target=scores.models[wanted], objective=wish.objective, shape=wish.shape,
        robust=wish.robust, bound=bound, payments=None if found is None else tuple(float(t) for t in found.pay),
        value=None if found is None else found.value, expected_pay=mean,
        budget=None if found is None else float(found.pay.max()), deviation=None if found is None else spread(found.pay, best),
        target_cost=float(costs[wanted]), participates=None if mean is None else mean >= float(costs[wanted]) - SHOWN,
        unique=None if found is None else is_unique(others, best, gaps, wish.objective, wish.shape, found, floor),
        mlrp=rises(rows), mixture=None if shares is None else dict(shares),
        why=why_not(terms, gaps) if found is None else why(terms, found, gaps),
        price_of_robustness=sure.value / plain.value if sure and plain and plain.value > SHOWN else None,
        sensitivity=_sensitivity(terms, bound, wish),
        trial=bootstrap(case, wish.resamples, wish.seed, done=done) if case and wish.resamples and found is not None else None,
        confident=_confident(case, wish) if case and found is not None and wish.shape != "threshold" else None)


def _target(scores: Scores, name: str | None) -> int:
    if name is None:
        return len(scores.models) - 1
    if name not in scores.models:
        raise FieldError(f"--target {name}: no such model; there are {', '.join(scores.models)}.")
    return scores.models.index(name)


def _case(scores: Scores, terms: Any, gaps: Any, wish: Wish) -> Case | None:
    """What is resampled; None where the number of samples is not known."""
    if scores.samples is None:
        return None
    i, n = terms.wanted, scores.samples
    return Case(terms.others(i), terms.rows[i], gaps, terms.gaps(i) - terms.margin, (n[i], *n[:i], *n[i + 1:]), wish.objective, wish.shape)


def _sensitivity(terms: Any, bound: float, wish: Wish) -> tuple[tuple[float, float | None], ...]:
    """(cost bound, objective of the robust contract for it)."""
    import numpy as np
    rows = []
    for share in BOUNDS:
        gaps = np.full(len(terms.rows) - 1, share * bound + wish.margin)
        found = terms.solve(terms.wanted, gaps, wish.objective, wish.shape)
        rows.append((share * bound, None if found is None else found.value))
    return tuple(rows)


def _confident(case: Case, wish: Wish) -> Confident:
    from statistics import NormalDist

    from ..games.solvers.confidence import attainable, confident
    z = NormalDist().inv_cdf(wish.confidence)
    objective: Objective = "budget" if wish.objective == "budget" else "pay"
    found = confident(case.others, case.best, case.gaps, case.samples, z, objective, case.shape)
    if found is not None:
        return Confident(z, tuple(float(t) for t in found.pay), float(case.best @ found.pay), None, None)
    most = attainable(case.others, case.best, case.gaps, case.samples, case.shape, z)
    return Confident(z, None, None, most, round(min(case.samples) * (z / most) ** 2) if most > 0 else None)


# --- in words -----------------------------------------------------------------------------------------------------------
def words(found: Report, wish: Wish) -> list[str]:
    """The report, line by line: the contract, a paragraph, diagnostics, confidence, sensitivity."""
    money: Callable[[float], str] = lambda x: f"{wish.currency} {x:,.{decimals(x)}f}"  # noqa: E731
    if found.payments is None:
        return [f"There is no such contract for {found.target}: {found.why}.", *_signs(found)]
    lines = [f"{'outcome':>12}  {'pay':>16}"]
    lines += [f"{name:>12}  {money(t):>16}" for name, t in zip(found.outcomes, found.payments, strict=True)]
    return [*lines, "", paragraph(found, wish), "", *_signs(found), *_trust(found, wish, money), *_bounds(found, money)]


def paragraph(found: Report, wish: Wish) -> str:
    """The contract in plain words."""
    assert found.payments is not None and found.expected_pay is not None and found.budget is not None
    money: Callable[[float], str] = lambda x: f"{wish.currency} {x:,.{decimals(x)}f}"  # noqa: E731
    paid = [(name, t) for name, t in zip(found.outcomes, found.payments, strict=True) if t > SHOWN * found.budget]
    said = _said(found, paid, money)
    rest = "" if len(paid) == len(found.outcomes) else " Pay nothing for the rest."
    known = (f"whatever the models cost, as long as {found.target} costs at most {money(found.bound)} more than any other"
             if found.robust else "at the costs given")
    enough = "" if found.participates else f" That is less than {found.target} costs ({money(found.target_cost)}): use --participation."
    return (f"Pay {said}.{rest} Then using {found.target} is the best that the writer can do, {known}. It will cost you "
            f"{money(found.expected_pay)} on average and {money(found.budget)} at most; single payments scatter around the average by "
            f"{money(found.deviation or 0.0)}.{enough} At these payments the writer is just not worse off with {found.target}"
            f"{f', better off by {money(wish.margin)}' if wish.margin else ': add a --margin, so that it is clearly better'}.")


def _said(found: Report, paid: list[tuple[str, float]], money: Callable[[float], str]) -> str:
    return "; ".join(f"{money(t)} for {_run(names)}" for names, t in _runs(found, paid)) or "nothing for any outcome"


def _runs(found: Report, paid: list[tuple[str, float]]) -> list[tuple[list[str], float]]:
    """Neighbouring outcomes that are paid alike, together."""
    runs: list[tuple[list[str], float]] = []
    for name, t in paid:
        follows = runs and found.outcomes.index(name) == found.outcomes.index(runs[-1][0][-1]) + 1
        if follows and abs(runs[-1][1] - t) <= 1e-6 * max(1.0, t):
            runs[-1][0].append(name)
        else:
            runs.append(([name], t))
    return runs


def _run(names: list[str]) -> str:
    return f"outcome {names[0]}" if len(names) == 1 else f"outcomes {names[0]} to {names[-1]}"


def _signs(found: Report) -> list[str]:
    yes: Callable[[bool | None], str] = lambda x: "none" if x is None else "yes" if x else "no"  # noqa: E731
    lines = [f"better models make better outcomes likelier throughout (MLRP): {yes(found.mlrp)}",
             f"implementable: {yes(found.payments is not None)}"]
    if found.payments is None:
        return lines
    price = found.price_of_robustness
    return [*lines, f"covers the target's cost: {yes(found.participates)}",
            f"only contract as good: {yes(found.unique)}" + ("" if found.unique else " (other payments cost the same)"),
            f"why: {found.why}", *([] if price is None else [f"not knowing costs but by their bound costs {100 * (price - 1):.1f} % more"])]


def _trust(found: Report, wish: Wish, money: Callable[[float], str]) -> list[str]:
    if found.trial is None and found.confident is None:
        return ["confidence: unknown, as the table gives chances; give counts or single scores"]
    lines = []
    if found.trial is not None:
        lines += ["", f"If the table were the truth, a contract made from as many scored texts would make {found.target} the best choice "
                      f"(of {found.trial.resamples:,} resamples; {100 * found.trial.infeasible:.1f} % allow no contract):"]
        lines += [f"    payments raised by {100 * r:3.0f} %: in {100 * h:3.0f} %" + ("" if p is None else f", for {money(p)} on average")
                  for r, h, p in zip(found.trial.raises, found.trial.holds, found.trial.pay, strict=True)]
    sure = found.confident
    if sure is not None and sure.payments is not None and sure.expected_pay is not None:
        paid = [(name, t) for name, t in zip(found.outcomes, sure.payments, strict=True) if t > SHOWN]
        lines += ["", f"Against each other model with {100 * wish.confidence:g} % confidence: {_said(found, paid, money)}; "
                      f"{money(sure.expected_pay)} on average."]
    elif sure is not None:
        needed = "" if sure.samples_needed is None else f"; it would take about {sure.samples_needed:,} scored texts per model"
        lines += ["", f"No payments of this shape hold with {100 * wish.confidence:g} % confidence{needed}."]
    return lines


def _bounds(found: Report, money: Callable[[float], str]) -> list[str]:
    cells = [f"    {money(b)}: " + ("none" if v is None else money(v)) for b, v in found.sensitivity]
    return ["", f"If the target costs at most this much more than any other, the least {found.objective} is:", *cells]


# --- a picture ----------------------------------------------------------------------------------------------------------
def draw(found: Report, scores: Scores, currency: str, path: str) -> None:
    """Payments per outcome beside the distributions. Raises FieldError without matplotlib, or for a file that cannot be written."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise FieldError("--plot needs matplotlib: pip install 'parlour[plots]'.") from None
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    at = range(len(found.outcomes))
    left.bar(at, found.payments or [0.0] * len(found.outcomes), color="#444444")
    left.set(title=f"Pay for {found.target}", xlabel="outcome", ylabel=currency)
    wide = 0.8 / len(scores.models)
    for i, (model, row) in enumerate(zip(scores.models, scores.chances, strict=True)):
        right.bar([x + (i - (len(scores.models) - 1) / 2) * wide for x in at], row, wide, label=model)
    right.set(title="How often each outcome comes", xlabel="outcome", ylabel="share")
    right.legend(frameon=False)
    few = max(1, len(found.outcomes) // 12)
    for axes in (left, right):
        axes.set_xticks(list(at)[::few], list(found.outcomes)[::few])
        axes.spines[["top", "right"]].set_visible(False)
    try:
        figure.savefig(path, dpi=130)
    except (OSError, ValueError) as error:
        raise FieldError(f"--plot {path}: cannot be written ({error}).") from None


# --- the command --------------------------------------------------------------------------------------------------------
def contract(args: Namespace, emit: Callable[[Any], int]) -> int:
    """`parlour contract`: reads the tables, prints the contract or (by `emit`) its JSON, draws the picture."""
    from .contract_table import read_tables
    wish = _wish(args)
    scores = read_tables(args.scores, args.costs)
    with _bar(wish.resamples, quiet=args.json) as done:
        found = report(scores, wish, done)
    if args.plot:
        draw(found, scores, wish.currency, args.plot)
    if args.json:
        return emit(asdict(found))
    print("\n".join(words(found, wish)))
    return 0


def _wish(args: Namespace) -> Wish:
    if not 0.5 <= args.confidence < 1:
        raise FieldError(f"--confidence {args.confidence:g}: from 0.5 to less than 1.")
    if args.resamples < 0 or args.margin < 0 or (args.bound is not None and args.bound < 0):
        raise FieldError("--resamples, --margin and --bound must be at least 0.")
    return Wish(args.target, args.objective, args.shape, args.robust, args.bound, args.margin, args.participation, args.confidence,
                args.resamples, args.seed, args.currency)


@contextmanager
def _bar(total: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr over the resamples; nothing if there is little to wait for."""
    if quiet or total <= 1000:
        yield lambda n: None
        return
    from rich.console import Console
    from rich.progress import Progress
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("contracts from resamples", total=total)
        yield lambda n: bar.advance(task, n)

"""Hypotheses that a design declares before it is run, and what the rows say of them.

Estimand   one number per hypothesis, each a mean by the rules of `statistics`:
             payoff   net payoff of a role (or group)
             regret   a benchmark's value less the net payoff
             event    the share of episodes in which the role's last move of a type has a stated field: "Choice.action=C"
           in one arm; or the paired difference between two arms, first less second, on the same state, draws, wording and
           persona; or the slope in a numeric field (`dose`) over two arms or more, on the same; or, within one arm, the
           difference between two wordings on the same state and draws.
Test       t = (estimate - null) / error, Student with the error's degrees of freedom; p is the largest over single values and
           every clustering, so it is valid if any of them describes how episodes depend on each other. (The interval rests on
           the largest error alone; far in the tails, where families test, that is too bold with few clusters.) Where the design
           says so, clusters are tested by the wild cluster bootstrap instead (`wild`). If all episodes paid the same, p is the
           least 1 - level at which `never_differed` leaves the null out. Nothing is tested where every branch was played (the
           number is exact), nor where no interval can be given.
Families   `primary`: Holm, family-wise error. `exploratory`: Benjamini and Hochberg, false discovery rate. A hypothesis that
           could not be tested counts in its family as one with p = 1.
Margin     two one-sided tests that the estimate lies within `margin` of the null (TOST): p is the larger of the two. This is
           then the hypothesis' test: "no difference" is what it claims.
Forfeits   the conclusion is drawn again with every missing value at its worst and at its best, and said to depend on them if
           it changes.

Sources: S. Holm (1979), Scandinavian J. of Statistics 6; Y. Benjamini and Y. Hochberg (1995), JRSS B 57; D. Schuirmann (1987),
J. Pharmacokinetics and Biopharmaceutics 15.
"""
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import from_json

from ..errors import DesignError
from ..games.base import SLACK, Frozen
from .arms import Arm, arms_of
from .events import happened
from .sampling import Row
from .statistics import Estimate, Inference, Missing, contrast, joined
from .store import Store
from .wild import Alternative

Payoffs = Literal["net", "mean"]
"""As paid, or as expected given the moves; net of fees both."""
ENDS: tuple[Missing, ...] = ("worst", "best")


class Hypothesis(Frozen):
    """One claim, as a design states it.

    role         whose payoff, regret or move; of a group, the mean over its members
    arms         names of arms: one; two, first less second; or, with `dose`, two or more
    wordings     within one arm, two wordings, first less second
    dose         a numeric field of the game, the protocol or the role's seat, in which the slope is taken
    outcome      `regret` is of the payoffs as paid, `expected_regret` of those expected given the moves: the same on average, with
                 less noise where chance comes last
    benchmark    of a regret
    event        of an event: TYPE.FIELD=VALUE
    null         the value that the test is about
    alternative  `greater`: the claim is that the estimate is above the null
    margin       if given, the claim is that the estimate lies within this of the null
    """
    name: str
    family: Literal["primary", "exploratory"] = "primary"
    outcome: Literal["payoff", "regret", "expected_regret", "event"] = "payoff"
    role: str
    arms: Annotated[tuple[str, ...], Field(min_length=1)]
    wordings: tuple[str, ...] = ()
    dose: str = ""
    benchmark: str = ""
    event: Annotated[str, Field(pattern=r"^$|^\w+\.\w+=.+$")] = ""
    null: float = 0.0
    alternative: Alternative = "two-sided"
    margin: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Hypothesis":
        if (self.outcome in ("regret", "expected_regret")) != bool(self.benchmark):
            raise ValueError(f"hypothesis '{self.name}': a regret, and only a regret, names its benchmark")
        if (self.outcome == "event") != bool(self.event):
            raise ValueError(f"hypothesis '{self.name}': an event, and only an event, has event = \"TYPE.FIELD=VALUE\"")
        if self.dose and len(self.arms) < 2:
            raise ValueError(f"hypothesis '{self.name}': a slope in '{self.dose}' needs two arms or more")
        if len(self.arms) > 2 and not self.dose:
            raise ValueError(f"hypothesis '{self.name}': more than two arms are compared by a dose = \"FIELD\"")
        if self.wordings and (len(self.wordings) != 2 or len(self.arms) != 1):
            raise ValueError(f"hypothesis '{self.name}': wordings are two, within one arm")
        if self.margin is not None and self.alternative != "two-sided":
            raise ValueError(f"hypothesis '{self.name}': a margin has two sides, leave the alternative out")
        return self

    @property
    def estimand(self) -> str:
        """What is estimated, in words."""
        what = {"payoff": "mean payoff", "regret": f"regret to {self.benchmark}", "event": f"rate of {self.event}",
                "expected_regret": f"expected regret to {self.benchmark}"}[self.outcome]
        what = f"{what} of {self.role}"
        if self.dose:
            return f"slope in {self.dose} of the {what}, over {', '.join(self.arms)}"
        pair = self.wordings or (self.arms if len(self.arms) == 2 else ())
        within = f", in {self.arms[0]}" if self.wordings or not pair else ""
        return f"difference in {what}, {pair[0]} less {pair[1]}{within}" if pair else f"{what}{within}"

    @property
    def of(self) -> Payoffs:
        """Which payoffs its values are computed from."""
        return "mean" if self.outcome == "expected_regret" else "net"

    @property
    def claim(self) -> str:
        """What would be concluded."""
        if self.margin is not None:
            return f"within {self.margin:g} of {self.null:g}"
        return {"two-sided": "not", "greater": "above", "less": "below"}[self.alternative] + f" {self.null:g}"


@dataclass(frozen=True)
class Finding:
    """What the rows say of one hypothesis.

    p, adjusted   of its test, alone and within its family; None where nothing was tested
    holds         whether the claim is concluded at the level; of an exact number, whether it is so
    worst, best   whether it would be, were every missing value the worst or the best of its bounds
    """
    hypothesis: Hypothesis
    estimate: Estimate
    p: float | None
    adjusted: float | None = None
    holds: bool | None = None
    worst: bool | None = None
    best: bool | None = None

    @property
    def hangs_on_missing(self) -> bool:
        """Whether the conclusion changes with what missing values might have been."""
        return bool(self.estimate.missing) and not self.holds == self.worst == self.best


# --- the estimate ---------------------------------------------------------------------------------------------------------
Rows = Callable[[Arm], list[Row]]


def values(h: Hypothesis, of: Payoffs | None = None) -> Rows:
    """The outcome of a hypothesis as rows of an arm. Raises DesignError for a benchmark or role that is not there.

    of  other payoffs than its own
    """
    of = of or h.of

    def rows(arm: Arm) -> list[Row]:
        if not set(arm.game.members(h.role)) <= set(arm.game.roles()):
            raise DesignError(f"hypothesis '{h.name}': no role '{h.role}' in arm '{arm.name}'; there are: "
                              f"{', '.join((*arm.game.roles(), *arm.game.groups()))}.")
        if h.outcome == "payoff":
            return arm.rows(h.role, of=of)
        if h.benchmark:
            return [_minus(r) for r in arm.rows(h.role, _value(arm, h), of)]
        return happened(arm, h.role, h.event)
    return rows


def _minus(r: Row) -> Row:
    return replace(r, value=None if r.value is None else -r.value, low=-r.high, high=-r.low)


def _value(arm: Arm, h: Hypothesis) -> float:
    for b in arm.benchmarks:
        if b.name == h.benchmark:
            value = b.value.get(h.role)
            if value is None:
                raise DesignError(f"hypothesis '{h.name}': benchmark '{b.name}' has no value for '{h.role}' in arm '{arm.name}'.")
            return value
    raise DesignError(f"hypothesis '{h.name}': no benchmark '{h.benchmark}' in arm '{arm.name}'; there are: "
                      f"{', '.join(b.name for b in arm.benchmarks)}.")


def estimate(arms: Mapping[str, Arm], h: Hypothesis, level: float, rows: Rows | None = None, missing: Missing = "left out") -> Estimate:
    """The estimand of a hypothesis. rows: other values than its outcome's. Raises DesignError, also if arms cannot be paired."""
    rows = rows or values(h)
    cells = [_arm(arms, h, name) for name in h.arms]
    try:
        parts = _parts(cells, h, rows)
        return contrast(parts, level, all(a.exact for a in cells), missing, cells[0].inference)
    except ValueError as error:
        raise DesignError(f"hypothesis '{h.name}': {error}.") from None


def pairs_of(arms: Mapping[str, Arm], h: Hypothesis) -> list[Row]:
    """The rows whose mean the estimand is. Raises DesignError."""
    try:
        return joined(_parts([_arm(arms, h, name) for name in h.arms], h, values(h)))[0]
    except ValueError as error:
        raise DesignError(f"hypothesis '{h.name}': {error}.") from None


def _parts(cells: Sequence[Arm], h: Hypothesis, rows: Rows) -> list[tuple[float, list[Row]]]:
    if h.wordings:
        found = rows(cells[0])
        return [(c, [replace(r, key=f"{s}/{t}/{p}") for r in found for s, t, own, p in [r.key.split("/", 3)] if own == w])
                for c, w in zip((1.0, -1.0), h.wordings, strict=True)]
    if h.dose:
        return list(zip(slopes([_dose(arm, h) for arm in cells]), map(rows, cells), strict=True))
    return list(zip((1.0, -1.0), map(rows, cells), strict=False))


def slopes(doses: Sequence[float]) -> list[float]:
    """The weights of the least-squares slope. Raises ValueError if all doses are the same."""
    middle = sum(doses) / len(doses)
    spread = sum((d - middle) ** 2 for d in doses)
    if spread == 0:
        raise ValueError("all arms have the same dose")
    return [(d - middle) / spread for d in doses]


def _dose(arm: Arm, h: Hypothesis) -> float:
    for fields in (arm.game.model_dump(), arm.protocol_fields, arm.seats.get(h.role, {})):
        if isinstance(fields.get(h.dose), int | float):
            return float(fields[h.dose])
    raise DesignError(f"hypothesis '{h.name}': arm '{arm.name}' has no number '{h.dose}' in its game, protocol or seat.")


def _arm(arms: Mapping[str, Arm], h: Hypothesis, name: str) -> Arm:
    if name not in arms:
        raise DesignError(f"hypothesis '{h.name}': no episode of an arm '{name}' has ended; there are: {', '.join(arms)}.")
    return arms[name]


# --- the test -------------------------------------------------------------------------------------------------------------
def p_value(e: Estimate, null: float, alternative: Alternative = "two-sided") -> float | None:
    """p of the estimate against a null; None where nothing was tested."""
    if e.mean is None or e.low is None or e.high is None or e.method == "exact":
        return None
    if e.errors or e.wilds:
        return max([*(_p_of_t((e.mean - null) / error, dof, alternative) for error, dof in e.errors if error > 0),
                    *(w.p(null, alternative) for w in e.wilds)])
    return _p_of_bounds(e, null, alternative)


def _p_of_t(t: float, dof: int, alternative: Alternative) -> float:
    from scipy.special import stdtr
    below, above = float(stdtr(dof, t)), float(stdtr(dof, -t))
    return {"two-sided": 2 * min(below, above), "greater": above, "less": below}[alternative]


def _p_of_bounds(e: Estimate, null: float, alternative: Alternative) -> float:
    """p where nothing varied: the interval at a level reaches u(level) of the way to a payoff bound, u as in `never_differed`."""
    assert e.mean is not None and e.low is not None and e.high is not None
    gap = e.mean - null
    if gap == 0 or (alternative == "greater" and gap < 0) or (alternative == "less" and gap > 0):
        return 1.0
    share = 1 - ((1 - e.level) / 2) ** (1 / e.effective_n)
    reach = (e.mean - e.low if gap > 0 else e.high - e.mean) / share
    if reach <= abs(gap):
        return 0.0
    one_sided = float((1 - abs(gap) / reach) ** e.effective_n)
    return one_sided if alternative != "two-sided" else min(1.0, 2 * one_sided)


def equivalence(e: Estimate, null: float, margin: float) -> float | None:
    """p of two one-sided tests that the estimate lies strictly within `margin` of the null."""
    above, below = p_value(e, null - margin, "greater"), p_value(e, null + margin, "less")
    return None if above is None or below is None else max(above, below)


def p_of(h: Hypothesis, e: Estimate) -> float | None:
    """p of the hypothesis' own test."""
    return p_value(e, h.null, h.alternative) if h.margin is None else equivalence(e, h.null, h.margin)


def adjusted(ps: Sequence[float | None], family: Literal["primary", "exploratory"]) -> list[float | None]:
    """The p-values within their family: Holm for primary hypotheses, Benjamini-Hochberg for exploratory ones."""
    from statsmodels.stats.multitest import multipletests
    if not ps:
        return []
    method = "holm" if family == "primary" else "fdr_bh"
    found = multipletests([1.0 if p is None else p for p in ps], method=method)[1]
    return [None if p is None else float(q) for p, q in zip(ps, found, strict=True)]


def findings(store: Store, run: str, hypotheses: Sequence[Hypothesis] | None = None, level: float = 0.95,
             inference: Inference | None = None) -> list[Finding]:
    """Every hypothesis of a run, or those given instead, in their families. Raises DesignError.

    inference  how clusters are reckoned with, if not as the design says
    """
    chosen = declared(store, run) if hypotheses is None else hypotheses
    if not chosen:
        return []
    with store.reading():
        arms = {a.name: a for a in arms_of(store, run, level, inference)}
        found = [_finding(arms, h, level) for h in chosen]
    for family in ("primary", "exploratory"):
        own = [i for i, f in enumerate(found) if f.hypothesis.family == family]
        for i, q in zip(own, adjusted([found[i].p for i in own], family), strict=True):
            held = found[i].holds if found[i].p is None else q is not None and q <= 1 - level
            found[i] = replace(found[i], adjusted=q, holds=held)
    return found


def declared(store: Store, run: str) -> list[Hypothesis]:
    """The hypotheses of a run's design, in their order."""
    design = from_json(store.rows("SELECT design FROM run WHERE run = ?", [run])[0]["design"])
    return [Hypothesis.model_validate(h) for h in design.get("hypotheses", ())]


def _finding(arms: Mapping[str, Arm], h: Hypothesis, level: float) -> Finding:
    found = estimate(arms, h, level)
    if found.method == "exact":
        return Finding(h, found, None, holds=_so(h, found), worst=_so(h, found), best=_so(h, found))
    worst, best = (_concluded(h, estimate(arms, h, level, missing=m)) if found.missing else None for m in ENDS)
    return Finding(h, found, p_of(h, found), worst=worst, best=best)


def _concluded(h: Hypothesis, e: Estimate) -> bool:
    p = p_of(h, e)
    return p is not None and p <= 1 - e.level


def _so(h: Hypothesis, e: Estimate) -> bool | None:
    """Whether the claim is true of an exact number."""
    if e.mean is None:
        return None
    gap = e.mean - h.null
    if h.margin is not None:
        return abs(gap) < h.margin
    return {"two-sided": abs(gap) > SLACK, "greater": gap > SLACK, "less": gap < -SLACK}[h.alternative]


def as_rows(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings as a table, a row each."""
    return [{"hypothesis": f.hypothesis.name, "family": f.hypothesis.family, "estimand": f.hypothesis.estimand, "claim": f.hypothesis.claim,
             "estimate": e.mean, "low": e.low, "high": e.high, "p": f.p, "adjusted": f.adjusted, "holds": f.holds, "n": e.n,
             "missing": e.missing, "holds_at_worst": f.worst, "holds_at_best": f.best, "clusters": e.clusters,
             "effective_n": e.effective_n, "icc": e.icc, "distinct": e.distinct, "method": e.method, "note": e.note}
            for f in found for e in [f.estimate]]

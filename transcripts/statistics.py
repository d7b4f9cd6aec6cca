"""Means of logged episodes, with an interval only where one can honestly be given.

Estimand   mu = sum_s P_s E[v | s]: what these seats earn in state s, over nature's draws and their own chance, weighted by
           the chance of the state. Where wordings, personas or sampled states are several, they stand for the population
           they are taken from, and the interval speaks of that population.
Estimator  sum_s P_s m_s with P_s = W_s / W the weight of all rows of stratum s, and m_s the weighted mean of its valued
           rows. A forfeit has no value: it enters `worst` and `best` only, with the row's payoff bounds.
Repeats    A cell is (stratum, clusters), the dimension `draws` aside. If all its episodes have one input, one signature and
           one value, nothing was sampled in it: they are one observation, with their total weight. If nature's draws or
           the replies differ, every episode is a draw (27 right and 3 wrong notes to a seat that never varies are 30 draws
           of nature, not 2).
Error      With shares a_i = P_s w_i / W_s and scores z_i = a_i (v_i - m_s), under a clustering into G groups g
           V = G/(G-1) sum_g (sum_{i in g} z_i)^2 with G - 1 degrees of freedom; where every group lies in one stratum the
           sum and the degrees of freedom are taken stratum by stratum. This is done for every dimension with at least two
           ids, for single observations, and for every two dimensions, V = V_a + V_b - V_ab with the smaller degrees of
           freedom; the largest V is used. A stratum with one observation is taken to be as noisy, episode for episode, as
           the others are in the mean.
Wild       `inference` "rademacher" or "webb": where V is of clusters, the interval and the test are those of the wild cluster
           bootstrap with such weights (`wild`) instead of t's; single observations keep t.
Size       effective_n = 1 / (r sum_g a_g^2 + (1-r) sum_i a_i^2), r the intraclass correlation (ANOVA) of the dimension, the
           least over dimensions: Kish's n at r = 0, the number of equal clusters at r = 1. Below 2 there is no interval.
No spread  If episodes were drawn and all paid the same in their stratum, V = 0 claims too much: the interval is what the
           payoff bounds leave possible at this n (`never_differed`).

Sources: L. Kish (1965), Survey Sampling; K.-Y. Liang and S. Zeger (1986), Biometrika 73; A. C. Cameron, J. Gelbach and
D. L. Miller (2011), J. Business and Economic Statistics 29; Cameron and Miller (2015), J. Human Resources 50. Checked
example: .5, 1, 1.5 of equal weight give mean 1 and +- 4.303 * .5 / sqrt(3) = 1.242.
"""
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum, isfinite, sqrt
from typing import Literal

from .intervals import check_level, student
from .sampling import SLACK, Error, Row, Sample, collapse, weights
from .wild import NAMES, Weights, Wild, wild

Missing = Literal["left out", "worst", "best"]
Inference = Literal["t"] | Weights
"""How clusters are reckoned with: Student's t, or the wild cluster bootstrap with weights of this name."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and what is known of its error.

    mean          None if no episode has a value
    low, high     at `level`; None where no interval can honestly be given, `note` says why
    n, missing    all episodes; those of them without a value
    clusters      G of the clustering used (single observations: how many)
    effective_n   independent episodes that the sample is worth
    distinct      distinct signatures / n
    method        "exact", "cluster t(5) by wording", "cluster t(5) by draws and wording", "stratified t(28)", "t(29)",
                  "payoff bounds", "bootstrap by wording", "wild (64 sign flips) by wording"; "none" without an interval
    worst, best   the mean if every missing value had been the row's lower, or upper, payoff bound
    error, dof    standard error of the mean and its degrees of freedom, where one is the basis of the interval
    errors        the standard error and degrees of freedom of every clustering that is tested by t, the one used among them
    wilds         the bootstraps of the others
    icc           intraclass correlation of the values, the largest over dimensions that repeat; None where none does
    """
    mean: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    clusters: int
    effective_n: float
    distinct: float
    method: str
    worst: float
    best: float
    missing: int
    note: str = ""
    error: float | None = None
    dof: int | None = None
    errors: tuple[tuple[float, int], ...] = ()
    wilds: tuple[Wild, ...] = ()
    icc: float | None = None


def mean(rows: Iterable[Row], level: float = 0.95, exact: bool = False, inference: Inference = "t") -> Estimate:
    """The stratified mean of the rows' values.

    exact      the rows are all branches of every state with their chances: nothing was sampled, the interval is the mean.
    inference  how clusters are reckoned with
    Raises ValueError if there are no rows or 0 < level < 1 fails.
    """
    rows = checked(rows, level)
    seen = [r for r in rows if r.value is not None]
    blank = _blank(rows, level)
    if not seen:
        return replace(blank, note="no episode has a value")
    sample = Sample.of(rows, seen if exact else collapse(seen))
    estimate = replace(blank, mean=sample.mean, clusters=len(sample.units), effective_n=sample.kish)
    lost = len({r.stratum for r in rows}) - len({r.stratum for r in seen})
    if lost:
        return replace(estimate, note=f"no value in {lost} state(s): the mean is over the others")
    if exact:
        return replace(estimate, low=sample.mean, high=sample.mean, method="exact")
    return _with_interval(estimate, sample, len({r.stratum for r in seen}), inference)


def paired(a_rows: Iterable[Row], b_rows: Iterable[Row], level: float = 0.95, inference: Inference = "t") -> Estimate:
    """The mean of a - b over rows of equal key, by the rules of `mean`; see `contrast`."""
    return contrast([(1.0, a_rows), (-1.0, b_rows)], level, inference=inference)


def contrast(arms: Sequence[tuple[float, Iterable[Row]]], level: float = 0.95, exact: bool = False,
             missing: Missing = "left out", inference: Inference = "t") -> Estimate:
    """The mean of sum_a c_a v_a over rows of equal key, one of each arm, by the rules of `mean`.

    missing  what stands for a missing value of the sum: nothing, or its lower or upper bound
    arms  (c_a, rows) pairs: (1, -1) is a paired difference, c_a = (d_a - mean d) / sum (d - mean d)^2 the slope in a dose d

    Rows without a partner in every arm are left out and counted in the note; the others of their stratum take over their
    weight. Without one of its values it is missing. Where every branch of every arm was played (`exact`) there is nothing to
    pair: the means are exact. Raises ValueError if a key is empty, repeated in an arm, of two strata, or no key is shared.
    """
    if exact:
        return _exactly([(c, mean(rows, level, exact=True)) for c, rows in arms])
    rows, alone = joined(arms)
    estimate = mean([_filled(r, missing) for r in rows], level, inference=inference)
    return replace(estimate, note="; ".join(filter(None, (estimate.note, f"{alone} unpaired" if alone else ""))))


def joined(arms: Sequence[tuple[float, Iterable[Row]]]) -> tuple[list[Row], int]:
    """The rows whose mean a contrast is, and how many were left without a partner. Raises ValueError."""
    keyed = [(c, _by_key(rows)) for c, rows in arms]
    first = keyed[0][1]
    shared = [k for k in first if all(k in rows for _, rows in keyed)]
    if not shared:
        raise ValueError("the arms share no key: pair episodes of the same state, replicate and wording")
    whole, kept = weights(first.values()), weights(first[k] for k in shared)
    made = [_joined([(c, rows[k]) for c, rows in keyed], whole, kept) for k in shared]
    return made, sum(len(rows) - len(shared) for _, rows in keyed)


def _filled(r: Row, missing: Missing) -> Row:
    """The row with its bound for a value, where it has none; a bound that is infinite leaves it so."""
    bound = r.low if missing == "worst" else r.high
    return replace(r, value=bound) if missing != "left out" and r.value is None and isfinite(bound) else r


def _exactly(parts: Sequence[tuple[float, Estimate]]) -> Estimate:
    """A linear combination of exact means."""
    means = [c * e.mean for c, e in parts if e.mean is not None]
    value = fsum(means) if len(means) == len(parts) else None
    ends = [sum(c * getattr(e, side if c > 0 else other) for c, e in parts if c)
            for side, other in (("worst", "best"), ("best", "worst"))]
    first = parts[0][1]
    return replace(first, mean=value, low=value, high=value, n=sum(e.n for _, e in parts), worst=ends[0], best=ends[1],
                   missing=sum(e.missing for _, e in parts), note="; ".join(dict.fromkeys(e.note for _, e in parts if e.note)))


def _with_interval(estimate: Estimate, sample: Sample, strata: int, inference: Inference) -> Estimate:
    """The estimate with the interval of the largest error, or with the reason why there is none."""
    error, effective = sample.widest(), sample.effective()
    estimate = replace(estimate, clusters=error.groups, effective_n=effective, icc=sample.icc())
    if len(sample.units) == strata:
        return replace(estimate, note="one observation" if strata == 1 else "one observation per state")
    if effective < 2 - SLACK:
        return replace(estimate, note=f"worth {effective:.1f} observations")
    if max(abs(e) for e in sample.residuals) <= SLACK:
        return _bounded(estimate, sample)
    estimate = replace(estimate, error=sqrt(error.variance), dof=error.dof)
    if inference != "t" and any(e.by for e in sample.errors()):
        return _wild(estimate, sample, error, inference)
    return replace(_by_t(estimate, error, strata), errors=_tested(sample.errors()), note=_uneven(sample, error))


def _uneven(sample: Sample, error: Error) -> str:
    """A word of warning where a few clusters have most of the weight: t covers too seldom there, the wild bootstrap does not."""
    held = min((sample.held(d) for d in error.by), key=lambda pair: pair[1] / pair[0], default=(1, 1.0))
    if held[1] >= held[0] / 2:
        return ""
    return f"{held[0]} clusters of unequal size, worth {held[1]:.1f}: t is too sure; inference = \"rademacher\" is not"


def _by_t(estimate: Estimate, error: Error, strata: int) -> Estimate:
    assert estimate.mean is not None
    name = "stratified t" if strata > 1 else "t"
    method = f"cluster t({error.dof}) by {' and '.join(error.by)}" if error.by else f"{name}({error.dof})"
    half = student(estimate.level, error.dof) * sqrt(error.variance)
    return replace(estimate, low=estimate.mean - half, high=estimate.mean + half, method=method)


def _wild(estimate: Estimate, sample: Sample, error: Error, weights: Weights) -> Estimate:
    """The estimate with the bootstrap of every clustering, and the interval of the one with the largest error."""
    errors = sample.errors()
    differ = {d for e in errors for d in e.by if len(e.by) == 1 and e.variance > 0}
    wilds = tuple(wild(sample, weights, *e.by) for e in errors if differ & {*e.by})
    estimate = replace(estimate, errors=_tested(e for e in errors if not e.by), wilds=wilds)
    if not error.by:
        return _by_t(estimate, error, len({u.stratum for u in sample.units}))
    chosen = next(w for w in wilds if {*w.by} == {*error.by})
    span = chosen.interval(estimate.level)
    if span is None:
        return replace(estimate, note=f"{chosen.clusters} clusters: no p is below {chosen.least:.2g} with {NAMES[weights]}")
    return replace(estimate, low=span[0], high=span[1], method=chosen.method)


def _tested(errors: Iterable[Error]) -> tuple[tuple[float, int], ...]:
    return tuple((sqrt(max(0.0, e.variance)), e.dof) for e in errors)


def _bounded(estimate: Estimate, sample: Sample) -> Estimate:
    low, high = sample.payoff_bounds(estimate.effective_n, estimate.level)
    if not (isfinite(low) and isfinite(high)):
        return replace(estimate, note="nothing varied, and the payoffs are not bounded")
    return replace(estimate, low=low, high=high, method="payoff bounds", note="nothing varied")


def _blank(rows: Sequence[Row], level: float) -> Estimate:
    """What holds of the rows without their mean."""
    total = fsum(r.weight for r in rows)
    worst, best = (fsum(r.weight * (getattr(r, side) if r.value is None else r.value) for r in rows) / total
                   for side in ("low", "high"))
    return Estimate(mean=None, low=None, high=None, level=level, n=len(rows), clusters=0, effective_n=0.0,
                    distinct=len({r.signature for r in rows}) / len(rows), method="none", worst=worst, best=best,
                    missing=sum(r.value is None for r in rows))


def checked(rows: Iterable[Row], level: float) -> list[Row]:
    """The rows, of which there is at least one. Raises ValueError."""
    check_level(level)
    rows = list(rows)
    if not rows:
        raise ValueError("no rows: there is nothing to average")
    return rows


def _by_key(rows: Iterable[Row]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for row in rows:
        if not row.key or row.key in found:
            raise ValueError(f"key '{row.key}' occurs twice in an arm" if row.key else "a row to be paired needs a key")
        found[row.key] = row
    return found


def _joined(parts: Sequence[tuple[float, Row]], whole: Mapping[str, float], kept: Mapping[str, float]) -> Row:
    """One row of the arms' rows of one key; it stands where the first of them stood."""
    rows = [row for _, row in parts]
    first = rows[0]
    for row in rows:
        if row.stratum != first.stratum:
            raise ValueError(f"key '{first.key}' is in state '{first.stratum}' in one arm and '{row.stratum}' in another")
    values = [c * row.value for c, row in parts if row.value is not None]
    ids = {d: list(dict.fromkeys(row.clusters.get(d, "") for row in rows)) for d in dict.fromkeys(d for r in rows for d in r.clusters)}
    return Row(sum(values) if len(values) == len(parts) else None, first.weight * whole[first.stratum] / kept[first.stratum],
               first.stratum, {d: "/".join(x) for d, x in ids.items()}, "/".join(r.signature for r in rows),
               "/".join(r.input for r in rows), sum(c * (r.low if c > 0 else r.high) for c, r in parts if c),
               sum(c * (r.high if c > 0 else r.low) for c, r in parts if c), first.key)

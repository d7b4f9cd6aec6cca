"""How far a conclusion rests on choices nobody declared: other specifications, and single clusters.

Specification curve   the same hypothesis under every combination of
                        wordings     all, or one alone (not where two wordings are what is compared)
                        payoffs      as paid, or as expected given the moves (payoffs and regrets)
                        unfinished   left out, at their worst, at their best
                        repaired     kept, or left out: episodes with an invalid reply or a refusal
Influence             the estimate without one cluster, for every cluster of every dimension that repeats

Sources: U. Simonsohn, J. P. Simmons and L. D. Nelson (2020), Specification curve analysis, Nature Human Behaviour 4; R. D. Cook
(1977), Detection of influential observation in linear regression, Technometrics 19.
"""
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from ..errors import DesignError
from .arms import Arm, arms_of
from .hypotheses import Hypothesis, Payoffs, Rows, estimate, p_of, values
from .sampling import DRAWS, Row
from .statistics import Estimate, Inference, Missing
from .store import Store

BAD = ("SELECT DISTINCT episode FROM attempt JOIN episode USING (run, episode) WHERE run = ? AND arm = ? "
       "AND verdict IN ('invalid', 'truncated', 'refusal')")


@dataclass(frozen=True)
class Specification:
    """One way to have asked, and its answer; p is None where nothing can be tested. `declared`: the design's own way."""
    hypothesis: str
    wordings: str
    payoffs: str
    unfinished: Missing
    repaired: str
    estimate: Estimate
    p: float | None
    declared: bool


@dataclass(frozen=True)
class Influence:
    """The estimate without one cluster, and how far it moved."""
    hypothesis: str
    dimension: str
    cluster: str
    estimate: Estimate
    shift: float


def specifications(store: Store, run: str, h: Hypothesis, level: float = 0.95, inference: Inference | None = None) -> list[Specification]:
    """The specification curve, from the least estimate to the greatest. Combinations without a single value are left out."""
    with store.reading():
        arms = {a.name: a for a in arms_of(store, run, level, inference)}
        found = [s for s in _each(arms, h, level) if s.estimate.mean is not None]
    return sorted(found, key=lambda s: s.estimate.mean or 0.0)


def _each(arms: Mapping[str, Arm], h: Hypothesis, level: float) -> Iterator[Specification]:
    cells = [arms[n] for n in h.arms if n in arms]
    told = sorted({e["wording"] for a in cells for e in a.episodes})
    wordings = ["all", *(told if len(told) > 1 and not h.wordings else ())]
    payoffs: list[Payoffs] = ["net", "mean"] if h.outcome != "event" and _differ(cells) else [h.of]
    bad = {a.name: {r["episode"] for r in a.store.rows(BAD, [a.run, a.name])} for a in cells}
    unfinished_some = any(e["status"] != "done" for a in cells for e in a.episodes)
    lost: list[Missing] = ["left out", "worst", "best"] if unfinished_some else ["left out"]
    repairs = ["kept", "left out"] if any(bad.values()) else ["kept"]
    for wording, of, unfinished, repaired in product(wordings, payoffs, lost, repairs):
        rows = _chosen(h, wording, of, bad if repaired == "left out" else {})
        try:
            found = estimate(arms, h, level, rows, unfinished)
        except DesignError:  # nothing is left to pair
            continue
        yield Specification(h.name, wording, {"net": "paid", "mean": "expected"}[of], unfinished, repaired, found, p_of(h, found),
                            (wording, of, unfinished, repaired) == ("all", h.of, "left out", "kept"))


def _differ(cells: list[Arm]) -> bool:
    """Whether any payoff paid differs from the one expected."""
    return any(p["net"] != p["mean"] for a in cells for e in a.episodes for p in e["payoffs"])


def _chosen(h: Hypothesis, wording: str, of: Payoffs, bad: Mapping[str, set[int]]) -> Rows:
    every = values(h, of)

    def rows(arm: Arm) -> list[Row]:
        return [r for r, e in zip(every(arm), arm.episodes, strict=True)
                if e["episode"] not in bad.get(arm.name, ()) and wording in ("all", e["wording"])]
    return rows


def influences(store: Store, run: str, h: Hypothesis, level: float = 0.95, inference: Inference | None = None) -> list[Influence]:
    """Leave one cluster out, the most influential first. Draws that arms share are left out pair by pair."""
    with store.reading():
        arms = {a.name: a for a in arms_of(store, run, level, inference)}
        whole = estimate(arms, h, level)
        found = list(_without_each(arms, h, level, whole))
    return sorted(found, key=lambda i: -abs(i.shift))


def _without_each(arms: Mapping[str, Arm], h: Hypothesis, level: float, whole: Estimate) -> Iterator[Influence]:
    every = values(h)
    ids = sorted({(d, x) for n in h.arms for r in every(arms[n]) for d, x in r.clusters.items() if d != DRAWS and x})
    for dimension, cluster in ids:
        if sum(d == dimension for d, _ in ids) < 2:
            continue

        def rows(arm: Arm, dimension: str = dimension, cluster: str = cluster) -> list[Row]:
            return [r for r in every(arm) if r.clusters.get(dimension) != cluster]
        try:
            found = estimate(arms, h, level, rows)
        except DesignError:  # without it, nothing is left to pair
            continue
        if found.mean is not None and whole.mean is not None:
            yield Influence(h.name, dimension, cluster, found, found.mean - whole.mean)


def as_table(found: Sequence[Specification] | Sequence[Influence]) -> list[dict[str, Any]]:
    """Specifications or influences as a table, a row each."""
    rows = []
    for x in found:
        own = {k: v for k, v in vars(x).items() if k not in ("hypothesis", "estimate")}
        rows.append(own | {"value": x.estimate.mean, "low": x.estimate.low, "high": x.estimate.high, "n": x.estimate.n,
                           "method": x.estimate.method})
    return rows

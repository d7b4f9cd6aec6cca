"""The named solutions of a payment for text, as plans: computed from plain numbers, said in words.

Here `generator` is a number from 0; notes name it by its label.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import SLACK, Kind
from .contracting import Plan
from .solvers.contract import (
    Objective,
    Payments,
    Shape,
    is_unique,
    offending_mixture,
    risks,
    solve,
    spread,
)

TOLD = 1e-7
"""Multipliers and shares below this are not told."""


@dataclass(frozen=True)
class Terms:
    """The numbers of one instance. bound: b; floor: least expected pay by target, for participation."""
    rows: Any
    costs: Any
    rewards: Any | None
    wanted: int
    objective: Objective
    shape: Shape
    bound: float
    margin: float
    participation: bool
    costs_known: bool
    labels: Sequence[str]

    def others(self, i: int) -> Any:
        """The rows of all generators but i."""
        return np.delete(self.rows, i, 0)

    def gaps(self, i: int) -> Any:
        """delta: by how much i must be preferred to each other before pay."""
        return self.costs[i] - np.delete(self.costs, i) + self.margin

    def solve(self, i: int, gaps: Any, objective: Objective, shape: Shape) -> Payments | None:
        """The best contract for i under this instance's participation."""
        return solve(self.others(i), self.rows[i], gaps, objective, shape, self.costs[i] if self.participation else None)

    def names(self, i: int) -> list[str]:
        """The labels of all generators but i."""
        return [label for k, label in enumerate(self.labels) if k != i]


def plans(terms: Terms) -> dict[str, Plan]:
    """All of them, in the order in which they are listed."""
    aware_gaps = terms.gaps(terms.wanted)
    robust_gaps = np.full(aware_gaps.size, terms.bound + terms.margin)
    aware = terms.solve(terms.wanted, aware_gaps, terms.objective, terms.shape)
    robust = terms.solve(terms.wanted, robust_gaps, terms.objective, terms.shape)
    secret = "" if terms.costs_known else "the principal would have to know the costs"
    return {
        "cost_aware": _contract(terms, aware, aware_gaps, secret, ()),
        "cost_robust": _contract(terms, robust, robust_gaps, "", _robustness(terms, aware, robust, aware_gaps)),
        "first_best": _first_best(terms),
        "best_linear": _best_linear(terms),
        "optimal": _optimal(terms),
        "unpaid": _unpaid(terms),
    }


# --- contracts for the target -------------------------------------------------------------------------------------------
MEASURES = ("objective", "expected_pay", "budget", "deviation", "rent", "unique")
ROBUST = ("price_of_robustness", "price_bound", "sum_risk", "ratio_risk")


def _contract(terms: Terms, found: Payments | None, gaps: Any, note: str, more: tuple[tuple[str, float | None], ...]) -> Plan:
    kind: Kind = "bound" if note else "optimum"
    if found is None:
        missing = {**dict.fromkeys(MEASURES), **dict.fromkeys(name for name, _ in more)}
        return Plan("optimum", None, terms.wanted, tuple(missing.items()), why_not(terms, gaps))
    best, i = terms.rows[terms.wanted], terms.wanted
    unique = is_unique(terms.others(i), best, gaps, terms.objective, terms.shape, found, terms.costs[i] if terms.participation else None)
    mean = float(best @ found.pay)
    measures: dict[str, float | None] = dict(zip(MEASURES, (
        found.value, mean, float(found.pay.max()), spread(found.pay, best), mean - float(terms.costs[i]), float(unique)), strict=True))
    measures |= {f"dual_{name}": float(lam) for name, lam in zip(terms.names(i), found.multipliers, strict=True)}
    undefined = [name for name, x in more if x is None]
    notes = filter(None, (note, why(terms, found, gaps), "" if unique else "other payments are as good", _absent(terms, mean),
                          f"no {', no '.join(undefined)}: some gap, or the cost-aware contract, costs nothing" if undefined else ""))
    return Plan(kind, (("payments", tuple(float(t) for t in found.pay)),), i, (*measures.items(), *more), "; ".join(notes))


def _absent(terms: Terms, mean: float) -> str:
    """Whether an agent who could decline would."""
    short = float(terms.costs[terms.wanted]) - mean
    return f"an agent who could decline would: expected pay is {short:.6g} below the target's cost" if short > SLACK else ""


def why(terms: Terms, found: Payments, gaps: Any) -> str:
    """Why that price: the objective as what each rival generator adds to it, multiplier times gap."""
    parts = [f"{lam:.6g} x {gap:.6g} ({name})" for lam, gap, name in
             zip(found.multipliers, gaps, terms.names(terms.wanted), strict=True) if lam > TOLD]
    if found.floor_multiplier > TOLD:
        parts.append(f"{found.floor_multiplier:.6g} x {float(terms.costs[terms.wanted]):.6g} (taking part)")
    return f"{terms.objective} {found.value:.6g} = " + " + ".join(parts) if parts else "nothing need be paid"


def mixture(terms: Terms, gaps: Any) -> tuple[tuple[str, float], ...] | None:
    """The generators, with shares, that no payments tell from the target though together they cost less."""
    shares = offending_mixture(terms.others(terms.wanted), terms.rows[terms.wanted], gaps, terms.shape)
    if shares is None:
        return None
    return tuple((name, float(w)) for name, w in zip(terms.names(terms.wanted), shares, strict=True) if w > TOLD)


def why_not(terms: Terms, gaps: Any) -> str:
    """Why no contract exists, with the offending mixture."""
    target, shares = terms.labels[terms.wanted], mixture(terms, gaps)
    if shares is None:
        return f"not implementable by any threshold: for every first paid outcome another generator is paid too often beside {target}"
    text = " + ".join(f"{w:.6g} {name}" for name, w in shares)
    does = "has the same outcomes as" if terms.shape == "free" else "is at least as good at every level as"
    return f"not implementable: the mixture {text} {does} {target} and costs less"


def _robustness(terms: Terms, aware: Payments | None, robust: Payments | None, gaps: Any) -> tuple[tuple[str, float | None], ...]:
    price = robust.value / aware.value if aware and robust and aware.value > SLACK else None
    least = float(gaps.min())
    sums, ratio = risks(terms.others(terms.wanted), terms.rows[terms.wanted]) if robust else (None, None)
    return tuple(zip(ROBUST, (price, (terms.bound + terms.margin) / least if least > SLACK else None, sums, ratio), strict=True))


# --- the principal's choice of a target ---------------------------------------------------------------------------------
def _plan(terms: Terms, kind: Kind, pay: Any, i: int | None, note: str = "", obeys: bool = False,
          **more: float | None) -> Plan:
    best = terms.rows[i] if i is not None else np.zeros(terms.rows.shape[1])
    measures = {"expected_pay": float(best @ pay), "budget": float(np.max(pay)), "deviation": spread(pay, best) if i is not None else 0.0,
                "action": None if i is None else float(i), **more}
    measures["objective"] = measures[{"pay": "expected_pay"}.get(terms.objective, terms.objective)]
    return Plan(kind, (("payments", tuple(float(t) for t in pay)),), i, tuple(measures.items()), note, obeys)


def _first_best(terms: Terms) -> Plan:
    welfare = (terms.rows @ terms.rewards if terms.rewards is not None else 0) - terms.costs
    i = int(np.argmax(welfare)) if terms.rewards is not None else terms.wanted
    aim = "the generator of greatest welfare" if terms.rewards is not None else "the target"
    return _plan(terms, "optimum", np.full(terms.rows.shape[1], float(terms.costs[i])), i, f"{aim}, for its cost, by an agent who obeys",
                 True, welfare=float(welfare[i]))


def _unpaid(terms: Terms) -> Plan:
    cheap = terms.costs <= terms.costs.min() + SLACK
    worth = terms.rows @ terms.rewards if terms.rewards is not None else np.zeros(terms.costs.size)
    i = terms.wanted if cheap[terms.wanted] else max(np.flatnonzero(cheap).tolist(), key=lambda k: (float(worth[k]), k))
    stays = not (terms.participation and terms.costs.min() > SLACK)
    return _plan(terms, "baseline", np.zeros(terms.rows.shape[1]), i if stays else None,
                 "the cheapest generator" if stays else "the agent declines")


def _none(terms: Terms, kind: Kind, note: str, *more: str) -> Plan:
    names = ("expected_pay", "budget", "deviation", "action", "objective", *more)
    return Plan(kind, None, None, tuple(dict.fromkeys(names).items()), note)


def _best_linear(terms: Terms) -> Plan:
    if terms.rewards is None:
        return _none(terms, "optimum", "no rewards are given", "share", "principal_utility")
    worth, best = terms.rows @ terms.rewards, None
    for i in range(terms.costs.size):
        share = _least_share(worth, terms.costs, i, terms.margin)
        if share is not None and (best is None or worth[i] * (1 - share) > best[0] + SLACK):
            best = (worth[i] * (1 - share), share, i)
    if best is None:
        return _none(terms, "optimum", "no share of the rewards covers the cost of any generator", "share", "principal_utility")
    utility, share, i = best
    return _plan(terms, "optimum", share * terms.rewards, i, "the best share of the rewards that covers the agent's cost",
                 share=float(share), principal_utility=float(utility))


def _least_share(worth: Any, costs: Any, i: int, margin: float) -> float | None:
    """The least share at which i covers its cost and is a best reply (by the margin); None if there is none in [0, 1]."""
    low, high = (costs[i] / worth[i] if worth[i] > SLACK else (0.0 if costs[i] <= SLACK else np.inf)), 1.0
    for k in range(costs.size):
        gain, extra = worth[i] - worth[k], costs[i] - costs[k] + margin
        if k == i:
            continue
        if gain > SLACK:
            low = max(low, extra / gain)
        elif gain < -SLACK:
            high = min(high, extra / gain)
        elif extra > SLACK:
            return None
    return float(low) if low <= high + SLACK else None


def _optimal(terms: Terms) -> Plan:
    if terms.rewards is None:
        return _none(terms, "optimum", "no rewards are given: the target is fixed", "principal_utility")
    worth = terms.rows @ terms.rewards
    best: tuple[float, int, Any] | None = None
    for i in range(terms.costs.size):
        found = terms.solve(i, terms.gaps(i), "pay", terms.shape)
        utility = -np.inf if found is None else worth[i] - float(terms.rows[i] @ found.pay)
        if found is not None and (best is None or utility > best[0] + SLACK):
            best = (float(utility), i, found.pay)
    if best is None:  # the cheapest needs no pay, but beside its like it has no margin
        return _none(terms, "optimum", "no payments make any generator the best reply by the margin", "principal_utility")
    return _plan(terms, "optimum", best[2], best[1], "the best of all targets, each at its least expected pay",
                 principal_utility=best[0])


"""Whether a hidden action follows a contract: slack, regret, and the logit temperature of what was chosen.

    F    outcome chances of n actions            (n, m), rows sum to 1
    c    their costs                             (n,), money
    t    payments                                (m,), money
    u    utilities, u_i = F_i t - c_i            (n,), money
    slack(t) = min_{i != target} u_target - u_i  what the nearest rival is worth less: above 0 the target is the only best reply,
                                                 at 0 it ties, below 0 another is better

Quantal response: P(i | t) = exp(u_i / tau) / sum_k exp(u_k / tau). In the precision 1 / tau the log likelihood of choices is
concave, its slope is sum of w (u_chosen - E u), so the maximum is found by bisection; standard error by Fisher information,
sum of w Var(u), turned to tau by the delta method.

Source: D. McFadden, "Conditional logit analysis of qualitative choice behavior" (1974); McKelvey and Palfrey, "Quantal response
equilibria for normal form games", Games and Economic Behavior 10 (1995).
"""
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

import numpy as np

from .roots import bisect

MOST = 1e6
"""The greatest precision looked at, in units of one over the largest utility difference."""


def utilities(chances: Any, costs: Any, pay: Any) -> Any:
    """u, the expected utility of every action."""
    return np.asarray(chances, float) @ np.asarray(pay, float) - np.asarray(costs, float)


def slack(chances: Any, costs: Any, pay: Any, target: int) -> float:
    """How much better the target is than its nearest rival, money; infinite if it has none."""
    u = utilities(chances, costs, pay)
    return float(u[target] - np.max(np.delete(u, target), initial=-inf))


def logit(u: Any, precision: float) -> Any:
    """Chances of the actions at a precision 1 / tau >= 0."""
    weight = np.exp(precision * (np.asarray(u, float) - np.max(u)))
    return weight / weight.sum()


@dataclass(frozen=True)
class Temperature:
    """A fitted tau, money: 0 if every choice was a best reply, infinite if none of it follows utility; se: its standard error,
    None at either end. n: choices among actions of unequal utility."""
    tau: float
    se: float | None
    n: int


def temperature(choices: Sequence[tuple[Sequence[float], int, float]]) -> Temperature | None:
    """The maximum likelihood tau of (utilities, chosen action, weight) triples; None if no choice was among unequals."""
    some = [(np.asarray(u, float), i, w) for u, i, w in choices if max(u) - min(u) > 1e-12]
    if not some:
        return None
    unit = max(float(u.max() - u.min()) for u, _, _ in some)

    def slope(precision: float) -> float:
        return -sum(w * (u[i] - logit(u, precision / unit) @ u) / unit for u, i, w in some)

    if slope(0.0) >= -1e-12:
        return Temperature(inf, None, len(some))
    if slope(MOST) < -1e-12 or all(u[i] >= u.max() - 1e-9 * unit for u, i, _ in some):
        return Temperature(0.0, None, len(some))
    precision = bisect(slope, 0.0, MOST) / unit
    total = sum(w for _, _, w in some)
    information = sum(w * _variance(u, precision) for u, _, w in some) * len(some) / total
    return Temperature(1 / precision, 1 / (precision**2 * sqrt(information)) if information > 0 else None, len(some))


def _variance(u: Any, precision: float) -> float:
    p = logit(u, precision)
    return float(p @ u**2 - (p @ u) ** 2)

"""Test results of classifiers, the learning curve behind them, and what may be paid for them.

    n      training-set size; acc(n) = a - b n^-c                          a <= 1, 0 <= b, c <= 5
    m      test examples; outcome j in 0..m: how many are classified right, Binomial(m, acc) or a mixture of them over runs
    s(n)   survival, Pr(at least j right): concave in n beyond n_crit, for a = 1

Source: Saig, Talgam-Cohen and Rosenfeld, "Delegated classification", NeurIPS 2023 (arXiv 2306.11475).
"""
from collections.abc import Sequence
from typing import Any

import numpy as np

from .contract import Payments, solve


def binomial(runs: Sequence[float], m: int) -> Any:
    """Chances of 0..m successes, averaged over the success rates of several runs; (m + 1,)."""
    from scipy.stats import binom
    return np.mean([binom.pmf(np.arange(m + 1), m, p) for p in runs], axis=0)


def accuracy(n: float, a: float, b: float, c: float) -> float:
    """a - b n^-c, within [0, 1]; 0 without any training data."""
    return float(min(1.0, max(0.0, a - b * n ** -c))) if n > 0 else 0.0


def fit(sizes: Sequence[float], accuracies: Sequence[float]) -> tuple[float, float, float]:
    """(a, b, c) by least squares on pilot runs, at least three of different sizes; the best of a few starting points."""
    from scipy.optimize import least_squares
    n, y = np.asarray(sizes, float), np.asarray(accuracies, float)

    def off(x: Any) -> Any:
        return x[0] - x[1] * n ** -x[2] - y

    starts = [(min(1.0, float(y.max()) + 0.05), 1.0, c) for c in (0.1, 0.5, 1.0)]
    found = min((least_squares(off, s, bounds=([0, 0, 0], [1, 5, 5]), xtol=1e-14, ftol=1e-14, gtol=1e-14) for s in starts),
                key=lambda f: f.cost)
    a, b, c = (float(x) for x in found.x)
    return a, b, c


def inflection(b: float, c: float, m: int, j: int) -> tuple[float, float]:
    """(n_crit, n_bound): Pr(at least j of m right) is concave in n beyond n_crit, and n_crit <= n_bound for every j; a = 1."""
    return (b * (m + 1 / c) / (m + 1 - j + 1 / c)) ** (1 / c), (b * (m + 1 / c) / (1 + 1 / c)) ** (1 / c)


def single_binding(others: Any, best: Any, gaps: Any) -> tuple[Any, Any]:
    """Per other action: the least budget against it alone, gap / TV, and whether paying where best >= it holds against all."""
    away = np.maximum(best - others, 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        budgets = np.where(gaps > 0, gaps / away, 0.0)
    pays = np.where(best >= others, budgets[:, None], 0.0)
    with np.errstate(invalid="ignore"):
        got = pays @ (best - others).T
    return budgets, np.isfinite(budgets) & np.all(got >= gaps - 1e-9 * np.maximum(1.0, np.abs(gaps)), axis=1)


def all_or_nothing(others: Any, best: Any, gaps: Any, floor: float | None = None) -> Any:
    """Payments of one amount or nothing with the least budget, (m,); None if there are none. By branch and bound (HiGHS).

    floor: the least expected pay, or None; declining is then one more action, without outcomes.

    max theta, D psi >= theta gaps, psi in {0, 1}. The program without the integers bounds it, so that a solution of it that is
    all-or-nothing is taken at once.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    if floor:
        others, gaps = np.vstack([others, np.zeros(best.size)]), np.append(gaps, floor)
    loose = solve(others, best, gaps, "budget")
    if loose is None or _two_valued(loose):
        return None if loose is None else loose.pay
    scale = float(np.max(gaps))
    rows = np.column_stack([best - others, -gaps / scale])
    found = milp(np.append(np.zeros(best.size), -1.0), constraints=LinearConstraint(rows, 0, np.inf),
                 integrality=np.append(np.ones(best.size), 0), bounds=Bounds(0, np.append(np.ones(best.size), np.inf)),
                 options={"mip_rel_gap": 1e-9})
    if found.status not in (0, 2):
        raise ArithmeticError(f"the all-or-nothing payments were not found: {found.message}")
    if found.status == 2 or found.x[-1] < 1e-9:
        return None
    psi = np.round(found.x[:-1])
    return psi * float(np.max(gaps / np.maximum((best - others) @ psi, 1e-300)))


def _two_valued(found: Payments) -> bool:
    return bool(np.all((found.pay <= 1e-9 * found.value) | (found.pay >= (1 - 1e-9) * found.value)))


def concave(others: Any, best: Any, costs: Any, cost: float) -> bool | None:
    """Whether survival at the crossing point is concave in cost over all actions no dearer than the wanted one.

    The crossing point is the first outcome with best >= the next dearest action. None with fewer than two of them.
    """
    cheaper = np.flatnonzero(costs < cost)
    if cheaper.size < 2:
        return None
    order = cheaper[np.argsort(costs[cheaper])]
    crossing = int(np.argmax(best >= others[order[-1]]))
    survival = np.append(others[order][:, crossing:].sum(axis=1), best[crossing:].sum())
    rise, run = np.diff(survival), np.diff(np.append(costs[order], cost))
    return bool(np.all(rise[1:] * run[:-1] <= rise[:-1] * run[1:] + 1e-9 * run.max()))


def fixed_budget(rows: Any, costs: Any, quality: Any, budget: float) -> tuple[int, int]:
    """(first paid outcome, action): the threshold at which an agent paid `budget` from it on does best for `quality` by these rows.

    Ties in the agent's utility go to the costliest action; ties in quality to the lowest threshold.
    """
    tails = np.flip(np.cumsum(np.flip(rows, 1), 1), 1)
    utility = budget * tails - costs[:, None]
    level = utility >= utility.max(axis=0) - 1e-9 * max(1.0, float(np.max(costs)))
    action = np.where(level, costs[:, None], -np.inf).argmax(axis=0)
    k = int(np.argmax(quality[action]))
    return k, int(action[k])

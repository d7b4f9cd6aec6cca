"""Linear programs with a second goal: HiGHS at tight tolerances, and a solution that meets its binding rows to rounding.

    max goal' x,  then among its solutions max second' x,   subject to   gains x <= 0,  exact x = totals,  x >= 0

The second program keeps to the optimal face by complementary slackness with the first one's dual, so it gives up nothing of
the first goal. What binds is then solved once more as equations, since a rounding of 1e-10 may undo a tie. Size: that of one
HiGHS call each, dense.

Source: complementary slackness, e.g. R. Vanderbei, "Linear Programming", chapter 5.
"""
from typing import Any

DUAL = 1e-9
"""Multipliers above this bind. Goals and gains are to be scaled to at most 1."""
SMALL = 1000
"""Larger solutions are left as HiGHS gives them."""
Bounds = list[tuple[int, int | None]]


def lexicographic(goal: Any, second: Any, gains: Any, exact: Any, totals: Any) -> Any:
    """x, flat: arrays (n,), (n,), (rows, n), (equations, n), (equations,). Raises ArithmeticError if it is not solved."""
    import numpy as np
    n = len(goal)
    first = program(goal, gains, exact, totals, [(0, None)] * n)
    binds = -first.ineqlin.marginals > DUAL
    bounds: Bounds = [(0, 0 if cost > DUAL else None) for cost in first.lower.marginals]
    kept = np.concatenate([exact, gains[binds]])
    found = program(second, gains[~binds], kept, np.concatenate([totals, np.zeros(binds.sum())]), bounds)
    return polished(found.x, gains, exact, totals)


def program(goal: Any, gains: Any, exact: Any, totals: Any, bounds: Bounds) -> Any:
    """Maximises goal' x with gains x <= 0 and exact x = totals; the solution with its multipliers."""
    import numpy as np
    from scipy.optimize import linprog
    found = linprog(-np.asarray(goal), A_ub=gains, b_ub=np.zeros(len(gains)), A_eq=exact, b_eq=totals, bounds=bounds, method="highs",
                    options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10})
    if found.status != 0:
        raise ArithmeticError(f"the linear program was not solved: {found.message}")
    return found


def polished(x: Any, gains: Any, exact: Any, totals: Any) -> Any:
    """x with the rows that bind at it solved as equations over what is positive; x itself if that is no solution near it."""
    import numpy as np
    if len(x) > SMALL:
        return np.clip(x, 0, None)
    some, tight = x > DUAL, gains @ x > -DUAL
    rows = np.concatenate([exact, gains[tight]])
    right = np.concatenate([totals, np.zeros(tight.sum())])
    step = np.zeros_like(x)
    step[some] = np.linalg.lstsq(rows[:, some], right - rows[:, some] @ x[some], rcond=None)[0]
    better = np.where(some, x, 0.0) + step
    near = float(np.abs(better - x).max(initial=0)) < 1e-7 and float(better.min(initial=0)) >= 0
    return better if near else np.clip(x, 0, None)

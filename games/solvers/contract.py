"""The cheapest payments for outcomes that make one hidden action the agent's choice.

    i        the other actions                                                        k of them
    F_i      others: chances of the outcomes under each of them                       (k, m), rows sum to 1
    F        best: chances under the action that is to be chosen                      (m,)
    delta_i  gaps: by how much the wanted action must be preferred to i before pay    (k,), money; may be negative
    t        payments, one per outcome, at least 0                                    (m,)
    floor    the least expected pay, or None (participation: the cost of the wanted action)

The wanted action is chosen iff D t >= delta, where D_i = F - F_i. Objectives: `pay`, F t; `budget`, max t; `deviation`, the
standard deviation of t under F. Shapes: `free`; `monotone`, t_1 <= ... <= t_m; `threshold`, one payment from some outcome on.

Pay (free, monotone) and budget (monotone) are min c's, M s >= delta, s >= 0: payments themselves with M = D and c = F, or the
steps of a monotone contract, with M_ik = F[j >= k] - F_i[j >= k] and c = F[j >= k] (pay) or 1 (budget). Budget (free) is written
by its test psi = t / max t: max theta, D psi >= theta delta, 0 <= psi <= 1, B = 1 / theta; k rows instead of k + m. Deviation is
the point of least norm in a polyhedron (Lawson and Hanson), dual to max 2 lam'delta - lam'G lam, solved by nonnegative least
squares. With one row each has a closed form: delta / max_k (M_k / c_k); delta / TV(F, F_i), paid where F_j >= F_ij;
delta / sqrt(chi2(F_i, F)). A relaxation to one row bounds the value from below, so if the payments of the row with the greatest
bound satisfy all rows they are optimal; this covers two actions, two outcomes, and robust gaps under monotone likelihood ratios.
Only if they do not is a program solved. Limited liability never binds beyond a shift: pay and budget have min t = 0, and
deviation does not change when all payments are raised.

Outcomes impossible under F that are possible under i deter i without any risk (deviation): the others are raised above them.

Source: Grossman and Hart, Econometrica 51 (1983); Saig, Einav and Talgam-Cohen, "Incentivizing quality text generation via
statistical contracts" (2024) for the programs and their reading as tests; the duals and the one-row rule are derived.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Objective = Literal["pay", "budget", "deviation"]
Shape = Literal["free", "monotone", "threshold"]
TIGHT = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
ZERO = 1e-9
"""Multipliers, reduced costs and gaps below this, on a scale where the largest gap is 1, are zero."""
FLAT = 1e-7
"""Singular values below this share of the largest: directions in which payments bear no risk."""


@dataclass(frozen=True)
class Payments:
    """What is paid for each outcome, and why.

    pay          t, money                                                                                 (m,)
    value        the objective
    multipliers  lam: value = lam'delta + floor_multiplier * floor, >= 0                                    (k,)
    method       "none" (nothing need be paid), "one row" (closed form), "program", "threshold"
    first        threshold: the first paid outcome, 0-based; else None
    """
    pay: Any
    value: float
    multipliers: Any
    floor_multiplier: float = 0.0
    method: str = "program"
    first: int | None = None


def solve(others: Any, best: Any, gaps: Any, objective: Objective = "pay", shape: Shape = "free",
          floor: float | None = None) -> Payments | None:
    """The cheapest payments; None if no payments of that shape make the wanted action the agent's choice.

    Size: one linear program of k (+ 1) rows and m columns at most; deviation, nonnegative least squares of (m, k), monotone
    (m, k + m). ArithmeticError if HiGHS stops without an answer.
    """
    others, best, gaps = np.atleast_2d(np.asarray(others, float)), np.asarray(best, float), np.asarray(gaps, float)
    least = max(floor or 0.0, 0.0)
    scale = max(float(np.max(np.abs(gaps), initial=0.0)), least)
    if np.all(gaps <= 0) and least == 0:
        return Payments(np.zeros(best.size), 0.0, np.zeros(gaps.size), method="none")
    found = _solve(others, best, gaps / scale, objective, shape, least / scale)
    if found is None:
        return None
    return Payments(found.pay * scale, found.value * scale, found.multipliers, found.floor_multiplier, found.method, found.first)


def _solve(others: Any, best: Any, gaps: Any, objective: Objective, shape: Shape, floor: float) -> Payments | None:
    if shape == "threshold":
        return _threshold(_tails(best - others), _tails(best), gaps, objective, floor)
    if objective == "deviation":
        return _deviation(others, best, gaps, shape, floor)
    if shape == "monotone":
        cost = _tails(best) if objective == "pay" else np.ones(best.size)
        found = _cone(_tails(best - others), cost, gaps, _tails(best), floor)
        return None if found is None else _replace(found, np.cumsum(found.pay))
    if objective == "pay":
        return _cone(best - others, best, gaps, best, floor)
    return _box(best - others, best, gaps, floor)


def linear(rows: Any, best: Any, gaps: Any, objective: Objective, shape: Shape) -> Payments | None:
    """The cheapest free or monotone payments with rows t >= gaps, for any rows that sum to 0; `pay` or `budget`."""
    if shape == "monotone":
        cost = _tails(best) if objective == "pay" else np.ones(best.size)
        found = _program(_tails(rows)[:, 1:], cost[1:], gaps, _tails(best)[1:], 0.0)
        return None if found is None else _replace(found, np.append(0.0, np.cumsum(found.pay)))
    return _program(rows, best, gaps, best, 0.0) if objective == "pay" else _box_program(rows, best, gaps, 0.0)


def _replace(found: Payments, pay: Any) -> Payments:
    return Payments(pay, found.value, found.multipliers, found.floor_multiplier, found.method, found.first)


def _tails(rows: Any) -> Any:
    """Sums over j >= k."""
    return np.flip(np.cumsum(np.flip(rows, -1), -1), -1)


# --- pay, and budgets of monotone contracts -----------------------------------------------------------------------------
def _cone(rows: Any, cost: Any, gaps: Any, mean: Any, floor: float) -> Payments | None:
    """min cost's, rows s >= gaps, mean's >= floor, s >= 0."""
    return _one_row(rows, cost, gaps, mean, floor) or _program(rows, cost, gaps, mean, floor)


def _one_row(rows: Any, cost: Any, gaps: Any, mean: Any, floor: float) -> Payments | None:
    """The closed form of the row with the greatest bound, if it satisfies the others."""
    worth = np.divide(rows, cost, out=np.full(rows.shape, -np.inf), where=cost > 0)
    at = worth.argmax(axis=1)
    most = worth[np.arange(gaps.size), at]
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = np.where(gaps > 0, np.where(most > ZERO, gaps / most, np.inf), 0.0)
    i = int(bound.argmax()) if bound.size else 0
    if not bound.size or not 0 < bound[i] < np.inf:
        return None
    pay = np.zeros(cost.size)
    pay[at[i]] = bound[i] / cost[at[i]]
    if not (_holds(rows @ pay, gaps) and mean @ pay >= floor - ZERO):
        return None
    return Payments(pay, float(bound[i]), _unit(gaps.size, i) * (bound[i] / gaps[i]), method="one row")


def _unit(size: int, i: int) -> Any:
    return np.eye(1, size, i)[0]


def _holds(got: Any, gaps: Any) -> bool:
    return bool(np.all(got >= gaps - ZERO * np.maximum(1.0, np.abs(got))))


def _program(rows: Any, cost: Any, gaps: Any, mean: Any, floor: float) -> Payments | None:
    from scipy.optimize import linprog
    left, right = (np.vstack([rows, mean]), np.append(gaps, floor)) if floor > 0 else (rows, gaps)
    found = linprog(cost, A_ub=-left, b_ub=-right, bounds=(0, None), method="highs", options=TIGHT)
    if not _answered(found):
        return None
    lam = -found.ineqlin.marginals
    pay = _clean(found.x)
    pay = pay * _lift(left @ pay, right)
    return Payments(pay, float(cost @ pay), lam[:gaps.size], float(lam[gaps.size]) if floor > 0 else 0.0)


def _answered(found: Any) -> bool:
    """True: solved; False: infeasible. Anything else is an ArithmeticError."""
    if found.status not in (0, 2):
        raise ArithmeticError(f"the program of payments was not solved: {found.message}")
    return bool(found.status == 0)


def _clean(x: Any) -> Any:
    return np.where(x > 1e-12 * max(1.0, float(np.max(np.abs(x), initial=0.0))), x, 0.0)


def _lift(got: Any, needed: Any) -> float:
    """The factor (1 but for rounding) by which payments must rise so that every positive gap is met."""
    ask = needed > 0
    return float(max(1.0, np.max(needed[ask] / np.maximum(got[ask], 1e-300), initial=1.0))) if np.any(ask) else 1.0


# --- budgets of free contracts ------------------------------------------------------------------------------------------
def _box(rows: Any, best: Any, gaps: Any, floor: float) -> Payments | None:
    """max theta, rows psi >= theta gaps, best'psi >= theta floor, 0 <= psi <= 1; the budget is 1 / theta."""
    away = np.maximum(rows, 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = np.where(gaps > 0, np.where(away > ZERO, gaps / away, np.inf), 0.0)
    i = int(bound.argmax()) if bound.size else 0
    if bound.size and 0 < bound[i] < np.inf:
        pay = bound[i] * (rows[i] >= 0)
        if _holds(rows @ pay, gaps) and best @ pay >= floor - ZERO:
            return Payments(pay, float(bound[i]), _unit(gaps.size, i) * (bound[i] / gaps[i]), method="one row")
    return _box_program(rows, best, gaps, floor)


def _box_program(rows: Any, best: Any, gaps: Any, floor: float) -> Payments | None:
    from scipy.optimize import linprog
    left = np.vstack([rows, best]) if floor > 0 else rows
    needed = np.append(gaps, floor) if floor > 0 else gaps
    goal = np.append(np.zeros(best.size), -1.0)
    found = linprog(goal, A_ub=np.column_stack([-left, needed]), b_ub=np.zeros(needed.size),
                    bounds=[(0, 1)] * best.size + [(0, None)], method="highs", options=TIGHT)
    if not _answered(found) or found.x[-1] < ZERO:
        return None
    budget = 1 / found.x[-1]
    lam = -found.ineqlin.marginals * budget
    pay = _clean(found.x[:-1]) * budget
    pay = pay * _lift(left @ pay, needed)
    return Payments(pay, float(pay.max()), lam[:gaps.size], float(lam[gaps.size]) if floor > 0 else 0.0)


# --- deviation ----------------------------------------------------------------------------------------------------------
def _deviation(others: Any, best: Any, gaps: Any, shape: Shape, floor: float) -> Payments | None:
    found = _free_deviation(others, best, gaps) if shape == "free" else _monotone_deviation(others, best, gaps)
    if found is None:
        return None
    pay = found.pay - found.pay.min()
    return _replace(found, pay + max(0.0, floor - float(best @ pay)))


def _free_deviation(others: Any, best: Any, gaps: Any) -> Payments | None:
    there = best > 0
    elsewhere = others[:, ~there].sum(axis=1)
    near = elsewhere <= 0
    rows = (best - others)[near][:, there] / np.sqrt(best[there])
    point = _nearest(rows, gaps[near])
    if point is None:
        return None
    x, near_multipliers, method = point
    pay, multipliers = np.zeros(best.size), np.zeros(gaps.size)
    pay[there] = x / np.sqrt(best[there])
    multipliers[near] = near_multipliers
    if not np.all(near):
        short = (gaps - (best - others) @ pay)[~near] / elsewhere[~near]
        pay[there] += max(0.0, -float(pay[there].min()), float(short.max()))
    return Payments(pay, spread(pay, best), multipliers, method=method)


def _nearest(rows: Any, gaps: Any) -> tuple[Any, Any, str] | None:
    """The point of least norm with rows x >= gaps, multipliers scaled so that norm = lam'gaps, and how it was found."""
    if np.all(gaps <= 0):
        return np.zeros(rows.shape[1]), np.zeros(gaps.size), "none"
    norm = np.sqrt((rows ** 2).sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = np.where(gaps > 0, np.where(norm > ZERO, gaps / norm, np.inf), 0.0)
    i = int(bound.argmax())
    if bound[i] < np.inf:
        x = rows[i] * (bound[i] / norm[i])
        if _holds(rows @ x, gaps):
            return x, _unit(gaps.size, i) / norm[i], "one row"
    return _least_norm(rows, gaps)


def _least_norm(rows: Any, gaps: Any) -> tuple[Any, Any, str] | None:
    """Lawson and Hanson's least distance programming: u >= 0 nearest to solving rows'u = 0, gaps'u = 1."""
    from scipy.optimize import nnls
    u, _ = nnls(np.vstack([rows.T, gaps]), np.append(np.zeros(rows.shape[1]), 1.0), maxiter=30 * (rows.size + 10))
    left = 1 - float(gaps @ u)
    if left < 1e-12:
        return None
    x = _touching(rows, gaps, u)
    if x is None:
        x = rows.T @ u / left
    if not np.all(np.isfinite(x)) or _lift(rows @ x, gaps) > 1 + 1e-6:
        return None
    x = x * _lift(rows @ x, gaps)
    size = float(np.sqrt(x @ x))
    return x, u / left / (size or 1.0), "program"


def _touching(rows: Any, gaps: Any, u: Any) -> Any:
    """The point of least norm at which the rows with u > 0 hold with equality: exact, if all others hold; else None."""
    binds = u > 0
    x = np.linalg.lstsq(rows[binds], gaps[binds], rcond=None)[0]
    return x if _holds(rows @ x, gaps) else None


def _monotone_deviation(others: Any, best: Any, gaps: Any) -> Payments | None:
    """Outcomes impossible under the wanted action are best paid like the last possible one before them, so they join it; before
    the first possible one they are paid nothing, and deter without risk as all others are raised."""
    there = np.flatnonzero(best > 0)
    first = int(there[0])
    elsewhere = others[:, :first].sum(axis=1)
    near = elsewhere <= 0
    joined = np.add.reduceat(others[near][:, first:], there - first, axis=1)
    found = _possible_deviation(joined, best[there], gaps[near])
    if found is None:
        return None
    pay, multipliers = np.zeros(best.size), np.zeros(gaps.size)
    pay[first:] = np.repeat(found.pay, np.diff(np.append(there, best.size)))
    multipliers[near] = found.multipliers
    if not np.all(near):
        short = (gaps - (best - others) @ pay)[~near] / elsewhere[~near]
        pay[first:] += max(0.0, float(short.max()))
    return Payments(pay, spread(pay, best), multipliers, method=found.method)


def _possible_deviation(others: Any, best: Any, gaps: Any) -> Payments | None:
    """In steps s >= 0: min |R s|, T s >= gaps, with R s the payments less their mean, weighted by the root of their chance."""
    if np.all(gaps <= ZERO):
        return Payments(np.zeros(best.size), 0.0, np.zeros(gaps.size), method="none")
    steps, reach = _tails(best - others)[:, 1:], _tails(best)[1:]
    if best.size == 1 or _program(steps, reach, gaps, reach, 0.0) is None:
        return None
    ladder = np.tril(np.ones((best.size, best.size)))[:, 1:]
    risk = np.sqrt(best)[:, None] * (ladder - best @ ladder)
    _, size, turn = np.linalg.svd(risk, full_matrices=False)
    back = turn.T / np.maximum(size, FLAT * size[0])
    point = _least_norm(np.vstack([steps, np.eye(steps.shape[1])]) @ back, np.append(gaps, np.zeros(steps.shape[1])))
    if point is None:
        raise ArithmeticError("the least risky monotone payments were not found: outcomes of almost no chance; try `pay`")
    s = _clean(back @ point[0])
    pay = ladder @ (s * _lift(steps @ s, gaps))
    return Payments(pay, spread(pay, best), point[1][:gaps.size])


def spread(pay: Any, best: Any) -> float:
    """The standard deviation of payments under the chances `best`, money."""
    mean = float(best @ pay)
    return float(np.sqrt(max(0.0, float(best @ (pay - mean) ** 2))))


# --- thresholds ---------------------------------------------------------------------------------------------------------
def thresholds(tails: Any, gaps: Any, reach: Any, floor: float = 0.0) -> Any:
    """The least payment for outcomes j >= k, per k; infinite where none will do. tails: (k, m) differences of Pr(j >= k)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = gaps[:, None] / tails
    needs = np.where(gaps[:, None] > 0, np.where(tails > ZERO, ratio, np.inf), 0.0)
    covers = np.where(reach > ZERO, floor / np.maximum(reach, ZERO), np.inf) if floor > 0 else 0.0
    low = np.maximum(needs.max(axis=0, initial=0.0), covers)
    high = np.where((gaps[:, None] <= 0) & (tails < -ZERO), ratio, np.inf).min(axis=0, initial=np.inf)
    return np.where(low <= high + ZERO, low, np.inf)


def _threshold(tails: Any, reach: Any, gaps: Any, objective: Objective, floor: float) -> Payments | None:
    least = thresholds(tails, gaps, reach, floor)
    weight = {"pay": reach, "budget": np.ones(reach.size), "deviation": np.sqrt(np.maximum(0.0, reach * (1 - reach)))}[objective]
    with np.errstate(invalid="ignore"):
        value = np.where(np.isfinite(least), weight * least, np.inf)
    k = int(value.argmin())
    if not np.isfinite(value[k]):
        return None
    pay = np.where(np.arange(reach.size) >= k, least[k], 0.0)
    binds = np.where(np.abs(tails[:, k] * least[k] - gaps) <= ZERO, gaps, -np.inf)
    i = int(binds.argmax()) if binds.size else 0
    bound = bool(binds.size) and binds[i] > 0
    return Payments(pay, float(value[k]), _unit(gaps.size, i) * (value[k] / gaps[i]) if bound else np.zeros(gaps.size),
                    0.0 if bound or floor <= 0 else float(value[k]) / floor, "threshold", k)


# --- what cannot be, and what is not the only way -----------------------------------------------------------------------
def offending_mixture(others: Any, best: Any, gaps: Any, shape: Shape = "free") -> Any:
    """Chances over the other actions that no payments can tell from the wanted one though they cost less; None if there are none.

    By Farkas: w in the simplex with w'F_i = F and w'delta > 0; for monotone (and threshold) payments w'F_i need only be as good
    at every level, w'F_i[j >= k] >= F[j >= k].
    """
    from scipy.optimize import linprog
    rows = best - others if shape == "free" else _tails(best - others)
    scale = float(np.max(np.abs(gaps), initial=0.0)) or 1.0
    found = linprog(-gaps / scale, A_ub=rows.T, b_ub=np.full(rows.shape[1], ZERO), A_eq=np.ones((1, gaps.size)), b_eq=[1.0],
                    bounds=(0, None), method="highs", options=TIGHT)
    return _clean(found.x) if _answered(found) and -found.fun > ZERO else None


def ranges(others: Any, best: Any, gaps: Any, objective: Objective, shape: Shape, found: Payments,
           floor: float | None = None) -> Any:
    """The least and the most that optimal contracts pay for each outcome, normalised to least payment 0; (m, 2).

    By linear programs on the optimal face, one pair per outcome that the multipliers leave open. Deviation and thresholds:
    payments are unique where every outcome may occur, and are returned as they are.
    """
    if objective == "deviation" or shape == "threshold" or found.method == "none":
        return np.column_stack([found.pay, found.pay])
    unit, face = _face(others, best, gaps, objective, shape, found, floor or 0.0)
    low, high = face.low.copy(), face.high.copy()
    if shape == "monotone":
        goals = np.tril(np.ones((best.size, best.size)))
        return unit * np.array([[face.extreme(g), -face.extreme(-g)] for g in goals])
    for j in np.flatnonzero(high > low):
        low[j], high[j] = face.extreme(_unit(best.size, int(j))), -face.extreme(-_unit(best.size, int(j)))
    return unit * np.column_stack([low, high])


def is_unique(others: Any, best: Any, gaps: Any, objective: Objective, shape: Shape, found: Payments,
              floor: float | None = None) -> bool:
    """Whether no other payments are optimal: two programs in a fixed direction, and none if the multipliers settle it."""
    if found.method == "none" or shape == "threshold":
        return True
    if objective == "deviation":
        return bool(np.all(best > 0))
    _, face = _face(others, best, gaps, objective, shape, found, floor or 0.0)
    if face.settled():
        return True
    goal = np.random.default_rng(0).uniform(1, 2, best.size)
    return bool(-face.extreme(-goal) - face.extreme(goal) <= 1e-6)


@dataclass(frozen=True)
class _Face:
    """All s with low <= s <= high, tight s = exact, loose s >= least: the optimal face, its unit the greatest payment."""
    low: Any
    high: Any
    tight: Any
    exact: Any
    loose: Any
    least: Any

    def settled(self) -> bool:
        """One point: as many independent tight rows as variables left open."""
        left = self.high > self.low
        return not left.any() or bool(self.tight.size and np.linalg.matrix_rank(self.tight[:, left]) == left.sum())

    def extreme(self, goal: Any) -> float:
        """The least goal's on the face; -inf if there is none, as for payments that are never made."""
        from scipy.optimize import linprog
        found = linprog(goal, A_ub=-self.loose if len(self.loose) else None, b_ub=-self.least if len(self.loose) else None,
                        A_eq=self.tight if len(self.tight) else None, b_eq=self.exact if len(self.tight) else None,
                        bounds=np.column_stack([self.low, self.high]), method="highs")
        if found.status == 3:
            return -np.inf
        if found.status != 0:
            raise ArithmeticError(f"the optimal payments were not searched: {found.message}")
        return float(found.fun)


def _face(others: Any, best: Any, gaps: Any, objective: Objective, shape: Shape, found: Payments, floor: float) -> tuple[float, _Face]:
    """(the unit, money; the face)."""
    unit = float(np.max(found.pay)) or 1.0
    gaps, floor = gaps / unit, floor / unit
    rows = best - others if shape == "free" else _tails(best - others)
    mean = best if shape == "free" else _tails(best)
    if floor > 0:
        rows, gaps = np.vstack([rows, mean]), np.append(gaps, floor)
    lam = np.append(found.multipliers, found.floor_multiplier)[:gaps.size]
    price, budget = rows.T @ lam, float(np.max(found.pay)) / unit
    if objective == "budget" and shape == "free":
        low, high = np.where(price > ZERO, budget, 0.0), np.where(price < -ZERO, 0.0, budget)
    else:
        cost = mean if objective == "pay" else np.ones(best.size)
        low, high = np.zeros(best.size), np.where(cost - price > ZERO, 0.0, np.inf)
    tight = lam > ZERO
    return unit, _Face(low, high, rows[tight], gaps[tight], rows[~tight], gaps[~tight])


# --- tests --------------------------------------------------------------------------------------------------------------
def risks(others: Any, best: Any) -> tuple[float, float]:
    """(R_sum, R_ratio): the least worst sum of false positives and negatives, and ratio of false to true positives.

    By the robust contracts with gap 1: B = 1 / (1 - R_sum), E = 1 / (1 - R_ratio); both 1 if `best` is a mixture of the others.
    """
    ones = np.ones(len(others))
    found = (solve(others, best, ones, "budget"), solve(others, best, ones, "pay"))
    first, second = (1.0 if f is None else 1 - 1 / f.value for f in found)
    return first, second


def rises(rows: Sequence[Sequence[float]] | Any) -> bool:
    """Monotone likelihood ratios: for i < k, F_k / F_i nondecreasing in the outcome (0/0 left out)."""
    table = np.asarray(rows, float)
    for i in range(len(table)):
        for k in range(i + 1, len(table)):
            low, high = table[i], table[k]
            some = (low > 0) | (high > 0)
            angle = np.arctan2(high[some], low[some])
            if np.any(np.diff(angle) < -ZERO):
                return False
    return True

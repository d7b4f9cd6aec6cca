"""Payments that hold though the chances of outcomes are estimated from samples.

    F_i, F   as in `contract`, but shares of N_i, N scored texts
    z        how many standard errors of D_i t the payments must hold by
    se_i(t)  sqrt(Var_F(t) / N + Var_Fi(t) / N_i)

Instead of D_i t >= delta_i: D_i t - z se_i(t) >= delta_i for all i. The left side is concave in t, so it is an intersection of
half-planes; they are added one by one where the last payments violate it (Kelley). Both sides are homogeneous: N times as many
samples do what z / sqrt(N) does, so the greatest z that can be met also says how many samples another z would take.

Source: derived; cutting planes: Kelley, SIAM Journal 8 (1960). Robust programs of this form: Ben-Tal and Nemirovski,
Mathematics of Operations Research 23 (1998).
"""
from collections.abc import Sequence
from typing import Any

import numpy as np

from .contract import Objective, Payments, Shape, linear, spread

ROUNDS = 500
CLOSE = 1e-7
"""Constraints missed by less than this share of the largest gap are met."""


def errors(others: Any, best: Any, pay: Any, samples: Sequence[float]) -> Any:
    """se_i of what the wanted action is paid above each other; samples: of the wanted action, then of each other, (k + 1,)."""
    own = spread(pay, best) ** 2 / samples[0]
    return np.sqrt([own + spread(pay, row) ** 2 / n for row, n in zip(others, samples[1:], strict=True)])


def confident(others: Any, best: Any, gaps: Any, samples: Sequence[float], z: float, objective: Objective = "pay",
              shape: Shape = "free") -> Payments | None:
    """The cheapest payments that hold by z standard errors; None if there are none. Objectives `pay` and `budget`.

    ArithmeticError if the cuts have not met after 500 rounds.
    """
    rows, needed = best - others, np.asarray(gaps, float)
    scale = float(np.max(np.abs(needed))) or 1.0
    for _ in range(ROUNDS):
        found = linear(rows, best, needed / scale, objective, shape)
        if found is None:
            return None
        error = errors(others, best, found.pay, samples)
        short = gaps / scale - ((best - others) @ found.pay - z * error)
        if np.all(short <= CLOSE):
            return Payments(found.pay * scale, found.value * scale, found.multipliers, method="cuts")
        for i in np.flatnonzero(short > CLOSE).tolist():
            rows = np.vstack([rows, (best - others)[i] - z * _slope(others[i], best, found.pay, samples[0], samples[i + 1]) / error[i]])
            needed = np.append(needed, gaps[i])
    raise ArithmeticError("the confident payments were not found: the cuts did not meet; ask for less confidence")


def _slope(row: Any, best: Any, pay: Any, n_best: float, n_row: float) -> Any:
    """The gradient of se^2 / 2 in t."""
    return best * (pay - best @ pay) / n_best + row * (pay - row @ pay) / n_row


def attainable(others: Any, best: Any, gaps: Any, samples: Sequence[float], shape: Shape = "free", top: float = 10.0) -> float:
    """The greatest z (up to `top`) for which such payments exist, to 0.01, by bisection; 0 if none hold even at 0."""
    low, high = 0.0, top
    while high - low > 0.01:
        middle = (low + high) / 2
        good = confident(others, best, gaps, samples, middle, "budget", shape) is not None
        low, high = (middle, high) if good else (low, middle)
    return low

"""What the known experiments on single choices measure, as functions of shares: demand, hiring, status quo, obedience.

    demand       share that buys = Lambda(a + b price + c attribute), by maximum likelihood; an attribute is worth -c / b
    hiring       person 1 (a year of experience, asks w1) or 2 (none, asks w2): mean wage and experience of the one hired, with a
                 minimum wage and without, and their differences, which are the coefficients of least squares on a dummy
    status quo   share(option | it is the status quo) - share(option | neutral), per option
    obedience    the product of the shares that go on

If answers are separated (a buyer who never errs) the likelihood has no maximum: no slope and no worth are given.

Sources: J. Horton (2023) for hiring; W. Samuelson, R. Zeckhauser, J. Risk and Uncertainty 1 (1988); J. Brand, A. Israeli, D. Ngwe
(2023) for demand as a design; D. McFadden (1974) for the logit.
"""
from dataclasses import dataclass
from typing import Any

import numpy as np

from .agreement import Values
from .psychometric import logistic

FLAT = 1e-9
"""A slope of demand that is none: nothing is then worth so much money."""


@dataclass(frozen=True)
class Demand:
    """slope: logit coefficient of the price; worth: of the attribute, in money, with its standard error. None: not identified."""
    slope: float | None
    slope_se: float | None
    worth: float | None
    worth_se: float | None
    falls: bool


def demand(price: Values, attribute: Values, bought: Values, n: Values) -> Demand:
    """The demand curve from `bought` of `n` at each price. falls: whether nobody's share rises where the price does."""
    p, z, k, size = (np.asarray(v, float) for v in (price, attribute, bought, n))
    rows = np.column_stack([np.ones_like(p), p, z])
    falls = all(_falls(p[z == level], k[z == level] / size[z == level]) for level in np.unique(z))
    if separated(rows, k, size) or np.linalg.matrix_rank(rows) < 3:
        return Demand(None, None, None, None, falls)
    b, cov, _ = logistic(rows, k, size)
    if abs(b[1]) < FLAT:
        return Demand(float(b[1]), float(np.sqrt(cov[1, 1])), None, None, falls)
    gradient = np.array([0.0, b[2] / b[1] ** 2, -1 / b[1]])
    return Demand(float(b[1]), float(np.sqrt(cov[1, 1])), float(-b[2] / b[1]), float(np.sqrt(gradient @ cov @ gradient)), falls)


def _falls(price: Any, share: Any) -> bool:
    return bool((np.diff(share[np.argsort(price)]) <= 1e-12).all())


def separated(rows: Any, k: Any, n: Any) -> bool:
    """Whether some direction puts all who did on one side of all who did not, ties aside (Albert and Anderson): a linear program."""
    from scipy.optimize import linprog
    sides = np.concatenate([rows[k > 0], -rows[k < n]])
    found = linprog(-sides.sum(axis=0), A_ub=-sides, b_ub=np.zeros(len(sides)), bounds=[(-1, 1)] * rows.shape[1])
    return bool(-found.fun > 1e-9)


def hiring(asks: Any, experience: Any, minimum: Values, first: Values) -> dict[str, float]:
    """Mean wage and experience of those hired. asks, experience (Q, 2), minimum (Q,) 0 for none, first (Q,): share that takes person 1."""
    a, e, low, s = (np.asarray(v, float) for v in (asks, experience, minimum, first))
    hired = [s * v[:, 0] + (1 - s) * v[:, 1] for v in (np.maximum(a, low[:, None]), e)]
    found: dict[str, float] = {}
    for name, value in zip(("wage", "experience"), hired, strict=True):
        without, with_it = float(value[low == 0].mean()), float(value[low > 0].mean())
        found |= {f"{name} of those hired": without, f"{name} of those hired, minimum wage": with_it,
                  f"effect of the minimum wage on {name}": with_it - without}
    return found


def status_quo(neutral: Values, framed: Any) -> list[float]:
    """Effect per option. neutral (K,) shares; framed (K, K): row i the shares where option i is the status quo."""
    return [float(framed[i][i] - neutral[i]) for i in range(len(neutral))]


def obedience(go_on: Values) -> list[float]:
    """The share still there after each level, from the shares of those come so far that go on."""
    return [float(x) for x in np.cumprod(np.asarray(go_on, float))]

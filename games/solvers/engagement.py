"""How much somebody uses a feed that he tires of, when some recommendations are replaced by breaks.

    lam    rate of interactions, per unit time ("predator");   q   interest, in (0, 1] ("prey")
    p      chance that a recommendation is replaced by a break, in [0, 1); rho = 1 - p
    d lam / dt = (-alpha + rho beta q) lam;    d q / dt = (gamma (1 - q) - rho delta lam) q

Interior equilibrium iff rho > alpha / beta: q = (alpha / beta) / rho, lam = (gamma / delta) (1 / rho) (1 - (alpha / beta) / rho);
else (0, 1). It is stable: trace -gamma q < 0, determinant > 0. lam(p) is greatest at p = max(0, 1 - 2 alpha / beta).

Source: Saig and Rosenfeld, "Learning to suggest breaks", ICML 2023 (arXiv 2211.13585); the optimum's algebra is derived.
"""
from collections.abc import Sequence
from typing import Any

import numpy as np

RIDGE = 1e-9
"""Rates below this are none."""


def equilibrium(alpha: float, beta: float, gamma: float, delta: float, p: float) -> tuple[float, float]:
    """(lam, q) in the long run."""
    rho = 1 - p
    if rho * beta <= alpha:
        return 0.0, 1.0
    x = alpha / beta
    return gamma / delta / rho * (1 - x / rho), x / rho


def best_break(alpha: float, beta: float) -> float:
    """The p of greatest rate; 0 where use dies out under every p."""
    return max(0.0, 1 - 2 * alpha / beta)


def extinction(alpha: float, beta: float) -> float:
    """The least p at which use dies out, in [0, 1]."""
    return max(0.0, 1 - alpha / beta)


def learn(treatments: Sequence[float], rates: Sequence[float], limit: float = 0.5) -> tuple[float, float, float]:
    """(p, x, g) from rates under at least two treatments: nonnegative least squares of rates on g / rho - x / rho^2.

    g estimates gamma / delta and x alpha gamma / (beta delta); p = 1 - 2 x / g, within [0, limit].
    """
    from scipy.optimize import nnls
    rho = 1 - np.asarray(treatments, float)
    (g, x), _ = nnls(np.column_stack([1 / rho, -1 / rho ** 2]), np.asarray(rates, float))
    if g <= RIDGE:
        return 0.0, float(x), float(g)
    return float(np.clip(1 - 2 * x / g, 0, limit)), float(x), float(g)


def path(alpha: float, beta: float, gamma: float, delta: float, p: float, until: float, start: tuple[float, float]) -> Any:
    """(lam, q) at time `until`, by the differential equations in logarithms."""
    from scipy.integrate import solve_ivp
    rho = 1 - p

    def change(t: float, y: Any) -> Any:
        lam, q = np.exp(y)
        return [-alpha + rho * beta * q, gamma * (1 - q) - rho * delta * lam]

    return np.exp(solve_ivp(change, (0, until), np.log(start), rtol=1e-9, atol=1e-9).y[:, -1])


def misestimated(r: float) -> float:
    """Rate relative to the best if alpha / beta is taken to be 1 / r times what it is and p is not clipped: 1 - (1 - r)^2, at least 0."""
    return max(0.0, 1 - (1 - r) ** 2)

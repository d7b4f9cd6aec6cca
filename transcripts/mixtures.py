"""People as a mixture of types: least squares over the simplex, and how it does on questions it was not fitted to.

    h  people's shares (d,)      V  what each type does (types, d)      min |V' w - h|^2, w >= 0, sum w = 1

Few questions fit themselves well: in sample the three types of Horton (2023) miss the six choices of Charness and Rabin by .183
(root mean square), left out one question at a time by .296, which is worse than always saying one half (.273).
Sampling alone misses by sqrt(mean h(1-h)/n).

Source: J. Horton, "Large language models as simulated economic agents" (2023).
"""
from itertools import combinations
from typing import Any

import numpy as np

from .agreement import Values, rmse


def mixture(types: Any, h: Values) -> tuple[Any, float]:
    """(weights, sum of squares). Every support is tried, so the optimum is exact; for a handful of types."""
    v, y = np.asarray(types, float), np.asarray(h, float)
    best: tuple[Any, float] = (np.full(len(v), 1 / len(v)), np.inf)
    for size in range(1, len(v) + 1):
        for some in combinations(range(len(v)), size):
            w = np.zeros(len(v))
            w[list(some)] = _on(v[list(some)], y)
            if (w >= -1e-12).all():
                error = float(np.sum((w @ v - y) ** 2))
                best = (w, error) if error < best[1] - 1e-15 else best
    return best


def _on(v: Any, y: Any) -> Any:
    """Least squares with weights that sum to 1, by its normal equations."""
    n = len(v)
    system = np.block([[v @ v.T, np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
    return np.linalg.lstsq(system, np.append(v @ y, 1.0), rcond=None)[0][:n]


def left_out(types: Any, h: Values) -> float:
    """Root mean squared error over questions, each predicted by the weights fitted to the others."""
    v, y = np.asarray(types, float), np.asarray(h, float)
    said = [float(mixture(np.delete(v, i, axis=1), np.delete(y, i))[0] @ v[:, i]) for i in range(len(y))]
    return rmse(y, said)


def sampling_noise(h: Values, n: float | Values) -> float:
    """What n people a question miss the truth by, root mean square. n: one number, or one per question."""
    y = np.asarray(h, float)
    return float(np.sqrt(np.mean(y * (1 - y) / np.asarray(n, float))))


def dispersion(q: Values, h: Values) -> float | None:
    """Spread of a simulator's shares over questions relative to people's; None where people's do not vary."""
    below = float(np.std(h))
    return float(np.std(q)) / below if below > 0 else None

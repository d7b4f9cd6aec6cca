"""A threshold and a slope from yes/no answers: logistic maximum likelihood, and what to say where it does not exist.

P(act at x) = Lambda(beta (theta - x)), x the log odds of the design. Fitted as a + b x by Newton's method: beta = -b,
theta = -a/b; standard errors from the Fisher information, theta's by the delta method. If no x has both answers on its both
sides (complete separation, as a model at temperature 0 gives) the likelihood has no maximum: the threshold is then
bracketed between the last x at which all acted and the first at which none did, and no slope is given.

    lapses      P(act at x) = low + (1 - low - high) Lambda(beta (theta - x)): maximum likelihood in all four
    grether     logit(stated posterior) = c0 + c_prior logit(prior) + c_evidence ln LR; Bayes is (0, 1, 1)
    inversions  pairs of neighbouring x whose shares rise with x, where they should fall

Sources: D. Grether, "Bayes rule as a descriptive model", QJE 95 (1980); A. Albert, J. Anderson, Biometrika 71 (1984).
"""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

STEPS = 60
STEEPEST = 4.0
"""Log of the steepest slope that is told from a step where people also lapse."""


@dataclass(frozen=True)
class Fit:
    """threshold in logits with its se; slope None where the answers are separated, and bracket (last all, first none) instead."""
    threshold: float | None
    slope: float | None
    se: float | None
    slope_se: float | None
    loglik: float | None
    bracket: tuple[float | None, float | None] | None = None

    @property
    def separated(self) -> bool:
        return self.bracket is not None


def fit(x: Sequence[float], acted: Sequence[float], n: Sequence[float]) -> Fit:
    """The threshold from `acted` of `n` answers at each x. Raises ValueError for none, or counts that cannot be.

    Where acting does not fall with x (b >= 0) there is no threshold, and all is None.
    """
    at, k, size = _pooled(x, acted, n)
    found = separation(at, k, size)
    if found is not None:
        low, high = found
        middle = None if low is None or high is None else (low + high) / 2
        return Fit(middle, None, None, None, None, found)
    if separation(-at[::-1], k[::-1], size[::-1]) is not None:  # a step the wrong way: no slope is the likeliest
        return Fit(None, None, None, None, None)
    b, cov, loglik = logistic(np.column_stack([np.ones_like(at), at]), k, size)
    if b[1] >= 0:
        return Fit(None, None, None, None, loglik)
    gradient = np.array([-1 / b[1], b[0] / b[1] ** 2])
    return Fit(float(-b[0] / b[1]), float(-b[1]), float(np.sqrt(gradient @ cov @ gradient)), float(np.sqrt(cov[1, 1])), loglik)


def _pooled(x: Sequence[float], acted: Sequence[float], n: Sequence[float]) -> tuple[Any, Any, Any]:
    points, where = np.unique(np.round(np.asarray(x, float), 12), return_inverse=True)
    k, size = np.bincount(where, np.asarray(acted, float)), np.bincount(where, np.asarray(n, float))
    if size.sum() == 0 or (k < 0).any() or (k > size).any():
        raise ValueError("a threshold needs answers: 0 <= acted <= n, and n > 0 somewhere")
    return points[size > 0], k[size > 0], size[size > 0]


def separation(x: Any, k: Any, n: Any) -> tuple[float | None, float | None] | None:
    """(last x at which somebody acted, first at which somebody did not) if these do not cross; None if they do.

    x rises and has no twins. One point with both answers between the two leaves the slope unbounded too.
    """
    yes, no = x[k > 0], x[k < n]
    if len(yes) == 0 or len(no) == 0:
        return (None, float(no[0])) if len(yes) == 0 else (float(yes[-1]), None)
    return (float(yes[-1]), float(no[0])) if yes[-1] <= no[0] else None


def logistic(design: Any, k: Any, n: Any) -> tuple[Any, Any, float]:
    """(coefficients, covariance, log-likelihood) of a binomial logistic regression by Newton's method with halved steps."""
    from scipy.special import expit, log_expit
    b = np.zeros(design.shape[1])

    def loglik(at: Any) -> float:
        return float(np.sum(k * log_expit(design @ at) + (n - k) * log_expit(-design @ at)))

    for _ in range(STEPS):
        p = expit(design @ b)
        step = np.linalg.solve((design * (n * p * (1 - p))[:, None]).T @ design, design.T @ (k - n * p))
        share = 1.0
        while loglik(b + share * step) < loglik(b) - 1e-12 and share > 1e-6:
            share /= 2
        b = b + share * step
        if float(np.abs(step).max()) < 1e-12:
            break
    p = expit(design @ b)
    return b, np.linalg.inv((design * (n * p * (1 - p))[:, None]).T @ design), loglik(b)


@dataclass(frozen=True)
class Lapses:
    """low, high: chances to act, or not to, whatever is asked; threshold and slope beside them. gain: in log-likelihood over none."""
    low: float
    high: float
    threshold: float
    slope: float
    gain: float


def lapses(x: Sequence[float], acted: Sequence[float], n: Sequence[float]) -> Lapses | None:
    """The fit with lapses, each at most 1/2; None for fewer than five x, or answers that are separated (nobody lapsed there)."""
    from scipy.optimize import minimize
    from scipy.special import expit, xlogy
    at, k, size = _pooled(x, acted, n)
    if len(at) < 5 or separation(at, k, size) is not None:
        return None

    def loss(v: Any) -> float:
        p = np.clip(v[2] + (1 - v[2] - v[3]) * expit(np.exp(v[1]) * (v[0] - at)), 1e-12, 1 - 1e-12)
        return -float(np.sum(xlogy(k, p) + xlogy(size - k, 1 - p)))

    bounds = [(at[0], at[-1]), (-3.0, STEEPEST), (0.0, 0.5), (0.0, 0.5)]
    middle, alone = float(np.median(at)), fit(at, k, size)
    starts = [(middle, 0.5, 0.02, 0.02), (middle, 3.0, 0.2, 0.2)]
    if alone.threshold is not None and alone.slope is not None and at[0] < alone.threshold < at[-1]:
        starts[0] = (alone.threshold, float(np.log(alone.slope)), 0.02, 0.02)
    best = min((minimize(loss, start, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-6, "fatol": 1e-9, "maxiter": 1500})
                for start in starts), key=lambda found: found.fun)
    theta, steep, low, high = (float(v) for v in best.x)
    return Lapses(low, high, theta, float(np.exp(steep)), max(0.0, -float(best.fun) - float(alone.loglik or 0.0)))


def expected_se(x: Sequence[float], threshold: float, slope: float, n: float) -> tuple[float, float]:
    """(se of the threshold, se of the slope) that n answers at each x will buy, from the Fisher information."""
    from scipy.special import expit
    at = np.asarray(x, float)
    p = expit(slope * (threshold - at))
    weight = n * p * (1 - p)
    rows = np.column_stack([slope * np.ones_like(at), threshold - at])
    cov = np.linalg.inv((rows * weight[:, None]).T @ rows)
    return float(np.sqrt(cov[0, 0])), float(np.sqrt(cov[1, 1]))


def inversions(x: Sequence[float], acted: Sequence[float], n: Sequence[float]) -> int:
    """How often the share that acts rises from one x to the next."""
    _, k, size = _pooled(x, acted, n)
    shares = k / size
    return int(np.sum(np.diff(shares) > 1e-12))


@dataclass(frozen=True)
class Weights:
    """Grether's weights with standard errors (clustered where there are at least two clusters)."""
    constant: float
    prior: float
    evidence: float
    se: tuple[float, float, float]
    n: int


def grether(stated: Sequence[float], prior: Sequence[float], evidence: Sequence[float], clusters: Sequence[str] = ()) -> Weights | None:
    """The weights by least squares, all three in log odds; None where they are not identified (too few or alike items)."""
    y = np.asarray(stated, float)
    rows = np.column_stack([np.ones_like(y), np.asarray(prior, float), np.asarray(evidence, float)])
    if len(y) < 4 or np.linalg.matrix_rank(rows) < 3:
        return None
    inverse = np.linalg.inv(rows.T @ rows)
    b = inverse @ rows.T @ y
    error = y - rows @ b
    names, where = np.unique(np.asarray(clusters or np.arange(len(y))), return_inverse=True)
    scores = np.zeros((len(names), 3))
    np.add.at(scores, where, rows * error[:, None])
    scale = len(names) / (len(names) - 1) * (len(y) - 1) / (len(y) - 3) if len(names) > 1 else np.nan
    se = np.sqrt(np.maximum(0.0, np.diag(scale * inverse @ scores.T @ scores @ inverse)))
    return Weights(float(b[0]), float(b[1]), float(b[2]), (float(se[0]), float(se[1]), float(se[2])), len(y))

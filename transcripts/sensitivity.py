"""How far a threshold moves with the wording, the order of the options, their labels and so on: one random effect for each, crossed.

    P(act) = Lambda(beta (theta_k + a_w + b_o + c_l ... - x))     type k, wording w, order o, labels l, x the log odds of the rule

Every factor's effects sum to 0 over its levels and are logits of the threshold; one slope for all types. Fitted by logistic
regression with Firth's penalty (finite where a factor decides alone); covariance by the delta method, times the dispersion of the
cells where that is above 1, as it is of one who says the same whenever asked the same. A factor whose levels never changed apart
from another's is not told apart from it, and gets no number.

    sd, a sample of levels (wordings)   sigma^2 = (sum e^2 - tr V) / (L-1), at least 0; its interval inverts e'(V + sigma^2 C)^-1 e,
                                        which is chi-squared with L-1 degrees: wide with few wordings
    sd, two levels that are all there   |shift| / 2, less its error; shift = e_2 - e_1, and the interval is the shift's
    separated answers                   no slope; bounds of every effect that all answers allow (linear programs)

Sources: D. Firth, Biometrika 80 (1993); W. Viechtbauer, Statistics in Medicine 26 (2007), for the interval.
"""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .psychometric import STEPS

SAMPLED = "wording"
"""The factor whose levels are some of many."""
FAR = 1e3
"""Logits that no effect exceeds where answers leave it unbounded."""


@dataclass(frozen=True)
class Effect:
    """One factor, its levels in the order of the alphabet. sd in logits of the threshold, from low to high; shift from its first
    level to its second, if there are two.

    bracket  whether answers were separated, so that low and high are all that they allow instead of a confidence interval
    """
    levels: tuple[str, ...]
    sd: float
    low: float
    high: float
    shift: float | None = None
    span: tuple[float, float] | None = None
    bracket: bool = False


def sensitivity(x: Sequence[float], counts: Any, factors: Mapping[str, Sequence[str]]) -> dict[str, Effect]:
    """Factor -> its effect. counts: (acted, valid answers) by type, wording and x (T, V, D, 2); factors: level of every wording (V,).

    Left out: factors of one level, or not told apart; all of them where acting does not fall with x.
    """
    k, n, at = _rows(x, counts)
    if not len(k):
        return {}
    types, kind = np.unique(at[:, 0], return_inverse=True)
    coded = {f: _coded([levels[v] for v in at[:, 1].astype(int)], _levels(levels)) for f, levels in factors.items()
             if len(set(levels)) > 1}
    base = np.column_stack([np.eye(len(types))[kind], -at[:, 2]])
    told = _independent(base, coded)
    if not told:
        return {}
    names, design = tuple(told), np.column_stack([base, *(coded[f] for f in told)])
    ends = _cuts(base.shape[1], {f: coded[f].shape[1] for f in names})
    levels = {f: _levels(factors[f]) for f in names}
    bounds = _bounds(design, k, n, levels, ends)
    if bounds is not None:
        return {f: _bracketed(levels[f], f == SAMPLED, bounds[f]) for f in names}
    found = _effects(design, k, n, len(types))
    if found is None:
        return {}
    e, cov = found
    return {f: _estimated(levels[f], f == SAMPLED, e[ends[f]], cov[ends[f], ends[f]]) for f in names}


def _rows(x: Sequence[float], counts: Any) -> tuple[Any, Any, Any]:
    """(acted, answers, (type, wording, x)) of every cell that was answered."""
    types, wordings, points = counts.shape[:3]
    where = np.array([(t, v, x[d]) for t in range(types) for v in range(wordings) for d in range(points)], float)
    flat = counts.reshape(-1, 2)
    use = flat[:, 1] > 0
    return flat[use, 0], flat[use, 1], where[use]


def _levels(of: Sequence[str]) -> tuple[str, ...]:
    """In the order of the alphabet."""
    return tuple(sorted(set(of)))


def _coded(level: Sequence[str], levels: Sequence[str]) -> Any:
    """Columns whose coefficients are the effects of all levels but the last, which has minus their sum."""
    eye = np.vstack([np.eye(len(levels) - 1), -np.ones(len(levels) - 1)])
    return np.array([eye[levels.index(v)] for v in level]).reshape(len(level), -1)


def told_apart(factors: Mapping[str, Sequence[str]]) -> list[str]:
    """The factors, given as the level of every wording, that these wordings tell apart from all others."""
    coded = {f: _coded(levels, _levels(levels)) for f, levels in factors.items() if len(set(levels)) > 1}
    return _independent(np.ones((max(map(len, factors.values())), 1)), coded)


def _independent(base: Any, coded: Mapping[str, Any]) -> list[str]:
    """The factors whose columns are independent of all the others'."""
    def rank(*parts: Any) -> int:
        return int(np.linalg.matrix_rank(np.column_stack(parts)))
    whole = rank(base, *coded.values())
    return [f for f, columns in coded.items()
            if whole - rank(base, *(c for g, c in coded.items() if g != f)) == columns.shape[1]]


def _cuts(start: int, widths: Mapping[str, int]) -> dict[str, slice]:
    found = {}
    for f, width in widths.items():
        found[f] = slice(start, start + width)
        start += width
    return found


# --- a slope, and effects with their errors ---------------------------------------------------------------------------------
def firth(design: Any, k: Any, n: Any) -> tuple[Any, Any]:
    """(coefficients, covariance) of a binomial logistic regression with Jeffreys' prior as penalty, by Newton's method."""
    from scipy.special import expit, log_expit
    b = np.zeros(design.shape[1])

    def information(at: Any) -> Any:
        p = expit(design @ at)
        return (design * (n * p * (1 - p))[:, None]).T @ design

    def loss(at: Any) -> float:
        z = design @ at
        return -float(np.sum(k * log_expit(z) + (n - k) * log_expit(-z))) - float(np.linalg.slogdet(information(at))[1]) / 2

    for _ in range(STEPS):
        p, inverse = expit(design @ b), np.linalg.inv(information(b))
        leverage = n * p * (1 - p) * np.einsum("ij,jk,ik->i", design, inverse, design)
        step, share = inverse @ (design.T @ (k - n * p + leverage * (0.5 - p))), 1.0
        while loss(b + share * step) > loss(b) + 1e-12 and share > 1e-6:
            share /= 2
        b = b + share * step
        if float(np.abs(step).max()) < 1e-9:
            break
    return b, np.linalg.inv(information(b))


def _effects(design: Any, k: Any, n: Any, types: int) -> tuple[Any, Any] | None:
    """Every coefficient over the slope, with its covariance; None where acting does not fall with x."""
    from scipy.special import expit
    b, cov = firth(design, k, n)
    slope = b[types]
    if slope <= 0:
        return None
    p, free = expit(design @ b), len(k) - design.shape[1]
    variance = n * p * (1 - p)
    some = variance > 0  # a share of exactly 0 or 1 has no noise to be compared with
    wide = float(np.sum((k - n * p)[some] ** 2 / variance[some])) / free if free > 0 else 1.0
    gradient = np.eye(len(b)) / slope
    gradient[:, types] -= b / slope**2
    return b / slope, gradient @ cov @ gradient.T * max(1.0, wide)


def _estimated(levels: tuple[str, ...], sampled: bool, part: Any, cov: Any) -> Effect:
    all_of = np.vstack([np.eye(len(part)), -np.ones(len(part))])
    e, v = all_of @ part, all_of @ cov @ all_of.T
    shift, span = None, None
    if len(levels) == 2:
        shift, se = float(e[1] - e[0]), float(np.sqrt(v[0, 0] + v[1, 1] - 2 * v[0, 1]))
        span = shift - 1.96 * se, shift + 1.96 * se
        if not sampled:
            low, high = max(0.0, abs(shift) - 1.96 * se), abs(shift) + 1.96 * se
            return Effect(levels, float(np.sqrt(max(0.0, shift**2 - se**2))) / 2, low / 2, high / 2, shift, span)
    sd = float(np.sqrt(max(0.0, (e @ e - np.trace(v)) / (len(e) - 1))))
    return Effect(levels, sd, *_profile(part, cov), shift, span)


def _profile(part: Any, cov: Any, level: float = 0.95) -> tuple[float, float]:
    """The sds at which the effects are neither too far apart nor too close."""
    from scipy.optimize import brentq
    from scipy.stats import chi2
    free = len(part)
    centred = np.eye(free) - 1 / (free + 1)  # covariance of the first L-1 effects per unit of variance

    def beyond(sd: float, at: float) -> float:
        return float(part @ np.linalg.solve(cov + sd**2 * centred, part)) - at

    ends = []
    for at in (chi2.ppf((1 + level) / 2, free), chi2.ppf((1 - level) / 2, free)):
        most = 1.0
        while beyond(most, at) > 0 and most < FAR:
            most *= 2
        ends.append(0.0 if beyond(0.0, at) <= 0 else FAR if most >= FAR else float(brentq(beyond, 0.0, most, args=(at,))))
    return ends[0], ends[1]


# --- separated answers ------------------------------------------------------------------------------------------------------
Bounds = dict[tuple[int, int], tuple[float, float]]


def _bounds(design: Any, k: Any, n: Any, levels: Mapping[str, tuple[str, ...]],
            ends: Mapping[str, slice]) -> dict[str, Bounds] | None:
    """Factor -> (level i, level j) -> bounds of e_j - e_i, i < j, under which every answer is a step's; None if none is."""
    from scipy.optimize import linprog
    slope = next(iter(ends.values())).start - 1
    rest = np.delete(design, slope, axis=1)
    acts, stays = k > 0, k < n
    a, b = np.vstack([-rest[acts], rest[stays]]), np.concatenate([design[acts, slope], -design[stays, slope]])
    within = [(-FAR, FAR)] * rest.shape[1]
    if linprog(np.zeros(rest.shape[1]), a, b, bounds=within, method="highs").status != 0:
        return None
    found: dict[str, Bounds] = {}
    for f, names in levels.items():
        e = np.zeros((len(names), rest.shape[1]))
        e[:-1, ends[f].start - 1:ends[f].stop - 1] = np.eye(len(names) - 1)
        e[-1, ends[f].start - 1:ends[f].stop - 1] = -1
        found[f] = {}
        for i in range(len(names)):
            for j in range(i + 1, len(names)):
                low, high = (float(sign * linprog(sign * (e[j] - e[i]), a, b, bounds=within, method="highs").fun) for sign in (1, -1))
                found[f][i, j] = low, high
    return found


def _bracketed(levels: tuple[str, ...], sampled: bool, bounds: Bounds) -> Effect:
    """The middle of what is allowed. Bounds of the sd: of L numbers whose range is at least, and at most, so much."""
    size = len(levels)
    least = max(max(0.0, low, -high) for low, high in bounds.values())
    most = max(max(abs(low), abs(high)) for low, high in bounds.values())
    if size == 2:
        (low, high), one = bounds[0, 1], 2**-0.5 if sampled else 0.5
        return Effect(levels, one * abs(low + high) / 2, one * least, one * most, (low + high) / 2, (low, high), True)
    middle = np.zeros((size, size))
    for (i, j), (low, high) in bounds.items():
        middle[i, j], middle[j, i] = (low + high) / 2, -(low + high) / 2
    narrow, wide = (2 * (size - 1)) ** -0.5, ((size // 2) * (size - size // 2) / (size * (size - 1))) ** 0.5
    return Effect(levels, float(np.std(middle.mean(axis=0), ddof=1)), least * narrow, most * wide, bracket=True)

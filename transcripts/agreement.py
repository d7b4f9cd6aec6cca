"""How close answers are to others, as functions of arrays. Nothing here knows a game, a seat or a row.

    P   what the people do, Q   what their simulator does: chances of the same D answers, each in [0, 1]
    y   single answers, 0 or 1; conf: the chances given for them

    Brier mean (Q - y)^2            log-loss -mean[y ln Q + (1-y) ln(1-Q)]          entropy -mean[P ln P + (1-P) ln(1-P)]
    cross entropy -mean[P ln Q + (1-P) ln(1-Q)] = entropy + KL(P||Q)                 total variation mean |P - Q|
    agreement mean[PQ + (1-P)(1-Q)], retest the same of P with itself; their ratio is the normalised accuracy, which rewards a
    simulator that is too sure and may exceed 1: show it, never lead with it
    ECE sum_b (n_b/n) |acc_b - conf_b| over equal bins
    Jensen-Shannon H((p+q)/2) - (H(p)+H(q))/2 in bits, of two distributions
    people's worth   how many people one simulator with k answers an item is worth: p(1-p) / ((q-p)^2 + q(1-q)/k)
    PPI++   lambda mean f(X') + mean(Y - lambda f(X)),  lambda = Cov(Y, f) / ((1 + n/N) Var f),
            variance ratio 1 - rho^2 / (1 + n/N), effective n = n / ratio

Sources: A. Angelopoulos, J. Duchi, T. Zrnic, "PPI++", arXiv:2311.01453; J. Lin, IEEE Trans. Inf. Theory 37 (1991).
"""
from collections.abc import Sequence
from itertools import pairwise
from math import inf
from typing import Any

import numpy as np

Values = Sequence[float] | Any
TINY = 1e-300


def pair(p: Values, q: Values) -> tuple[Any, Any]:
    """Both as arrays of one length. Raises ValueError if they are empty or differ in length."""
    a, b = np.asarray(p, float), np.asarray(q, float)
    if a.shape != b.shape or a.size == 0:
        raise ValueError(f"two arrays of one length above 0 are compared, not {a.size} and {b.size} values")
    return a, b


def brier(conf: Values, y: Values) -> float:
    """Mean squared distance of the chances from what happened."""
    a, b = pair(conf, y)
    return float(np.mean((a - b) ** 2))


def cross_entropy(p: Values, q: Values) -> float:
    """In nats; with p of 0 and 1 it is the log-loss. inf where q excludes what p holds possible."""
    from scipy.special import xlogy
    a, b = pair(p, q)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(-np.mean(xlogy(a, b) + xlogy(1 - a, 1 - b)))


def entropy(p: Values) -> float:
    """In nats: the least log-loss anybody can have on answers of these chances."""
    return cross_entropy(p, p)


def kl(p: Values, q: Values) -> float:
    """Mean KL(P || Q) in nats: the log-loss beyond the least."""
    whole = cross_entropy(p, q)
    return whole if whole == inf else max(0.0, whole - entropy(p))


def agreement(p: Values, q: Values) -> float:
    """The chance that an answer of each is the same."""
    a, b = pair(p, q)
    return float(np.mean(a * b + (1 - a) * (1 - b)))


def normalised_accuracy(p: Values, q: Values) -> float:
    """Agreement over what the people agree with themselves. Above 1 for a simulator that is surer than they are."""
    return agreement(p, q) / agreement(p, p)


def total_variation(p: Values, q: Values) -> float:
    """Mean |P - Q| of two-way answers."""
    a, b = pair(p, q)
    return float(np.mean(np.abs(a - b)))


def rmse(p: Values, q: Values) -> float:
    """Root mean squared difference."""
    a, b = pair(p, q)
    return float(np.sqrt(np.mean((a - b) ** 2)))


def correlation(p: Values, q: Values, ranks: bool = False) -> float | None:
    """Pearson's, or Spearman's of the ranks; None where one of them does not vary."""
    from scipy.stats import pearsonr, spearmanr
    a, b = pair(p, q)
    if a.size < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float((spearmanr if ranks else pearsonr)(a, b).statistic)


def calibration(conf: Values, y: Values, bins: int = 10) -> list[tuple[float, float, int]]:
    """(mean confidence, share that happened, n) of every equal bin of [0, 1] that is not empty."""
    a, b = pair(conf, y)
    at = np.minimum((a * bins).astype(int), bins - 1)
    return [(float(a[at == i].mean()), float(b[at == i].mean()), int((at == i).sum())) for i in range(bins) if (at == i).any()]


def ece(conf: Values, y: Values, bins: int = 10) -> float:
    """Expected calibration error; it depends on the bins."""
    found = calibration(conf, y, bins)
    return sum(n * abs(acc - said) for said, acc, n in found) / sum(n for _, _, n in found)


def wasserstein(threshold: float, slope: float, other: float, other_slope: float) -> float:
    """Integral of |F - G| for two logistic distributions of thresholds; |their distance| if the slopes are equal."""
    from scipy.integrate import quad
    from scipy.special import expit
    if slope == other_slope:
        return abs(threshold - other)
    cross = (slope * threshold - other_slope * other) / (slope - other_slope)
    wide = 60 / min(slope, other_slope)
    ends = sorted({min(threshold, other, cross) - wide, threshold, other, cross, max(threshold, other, cross) + wide})
    return float(sum(quad(lambda z: abs(expit(slope * (z - threshold)) - expit(other_slope * (z - other))), a, b, limit=200,
                          epsabs=1e-11)[0] for a, b in pairwise(ends)))


def jensen_shannon(p: Values, q: Values) -> float:
    """Divergence of two distributions over the same options, in bits, in [0, 1]."""
    from scipy.stats import entropy as of
    a, b = pair(p, q)
    return max(0.0, float(of((a + b) / 2, base=2) - (of(a, base=2) + of(b, base=2)) / 2))


def distance(p: Values, q: Values) -> float:
    """Total variation of two distributions over the same options."""
    a, b = pair(p, q)
    return float(np.abs(a - b).sum() / 2)


def worth_in_people(p: float, q: float, answers: float = inf) -> float:
    """How many people's answers estimate p as well as a simulator that says yes with chance q, asked `answers` times."""
    error = (q - p) ** 2 + q * (1 - q) / answers
    return inf if error == 0 else p * (1 - p) / error


def ppi_gain(rho: float, n: float, unlabelled: float) -> tuple[float, float]:
    """(variance ratio, effective n) of PPI++ for n people, N further simulated answers, correlation rho."""
    ratio = 1 - rho**2 / (1 + n / unlabelled)
    return ratio, n / ratio


def ppi(y: Values, f: Values, f_more: Values) -> tuple[float, float, float]:
    """(estimate, standard error, lambda) of a mean: n answers y of people, their simulator's f, and f of N others.

    Raises ValueError for fewer than two pairs.
    """
    a, b = pair(y, f)
    more = np.asarray(f_more, float)
    n, big = a.size, more.size
    if n < 2 or big < 1:
        raise ValueError("PPI++ needs at least two pairs and one further simulated answer")
    spread = float(np.var(np.concatenate([b, more]), ddof=1))
    weight = 0.0 if spread == 0 else float(np.cov(a, b)[0, 1]) / ((1 + n / big) * spread)
    estimate = weight * float(more.mean()) + float(np.mean(a - weight * b))
    error = float(np.sqrt(np.var(a - weight * b, ddof=1) / n + weight**2 * spread / big))
    return estimate, error, weight


def corrected(acted: Values, n: Values, share: Values, more: Values) -> dict[str, float]:
    """PPI++ from counts by question: `acted` of `n` people said yes, the simulator's share, how often it was asked.

    The people's mean with and without the simulator, and how many people the corrected one is worth. Questions are taken as drawn
    from those the simulator answered. Raises ValueError as `ppi` does.
    """
    y = np.concatenate([np.repeat([1.0, 0.0], [int(a), int(m) - int(a)]) for a, m in zip(acted, n, strict=True)])
    estimate, error, _ = ppi(y, np.repeat(share, np.asarray(n, int)), np.repeat(share, np.asarray(more, int)))
    plain = float(np.std(y, ddof=1) / np.sqrt(len(y)))
    return {"people's mean share": float(y.mean()), "PPI++: people's mean share": estimate, "PPI++: its standard error": error,
            "PPI++: people it is worth": len(y) * (plain / error) ** 2 if error > 0 else float(len(y)), "people on record": float(len(y))}

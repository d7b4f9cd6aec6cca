"""How near a simulator's choices are to those that people made before, as functions of counts. Nothing here knows a row.

    h    people's shares by question and option                         (Q, K), nan where they are not on record
    n    how many people answered each question                         (Q,), nan where that is not on record
    c    the simulator's answers by wording, question and option        (W, Q, K), counts

Distances are of the first option's share where one number is asked for, and over questions with both on record. PPI++ takes a
person's answer y (first option or not) with f, the simulator's share at the question that he was asked, and the simulator's
answers to all questions, those without people too: the people's mean share, corrected, and how many people it is worth.
Intervals are a bootstrap in two stages: questions, then answers of the simulator (multinomial) and of people (binomial, where n
is known). Distances and spreads grow when answers are drawn anew, as their noise is added once more: their intervals are the basic
ones, from 2 m - high to 2 m - low about the estimate m, and not below 0.

Source: A. Angelopoulos, J. Duchi, T. Zrnic, "PPI++", arXiv:2311.01453.
"""
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import agreement as closeness
from .mixtures import dispersion

CANONICAL, GUISE = "plain", "isomorph"
SPREADS = ("root mean squared error", "total variation", "Jensen-Shannon divergence (bits)", "dispersion ratio")


@dataclass(frozen=True)
class Choices:
    """h, n, c as above; wordings: names (W,); levels: whether shares may be compared, or their order alone."""
    people: Any
    n: Any
    counts: Any
    wordings: tuple[str, ...]
    levels: bool = True

    def shares(self, wording: str | None = None) -> Any:
        """The simulator's shares (Q, K); nan where it gave no answer."""
        at = [i for i, w in enumerate(self.wordings) if wording in (None, w)]
        c = self.counts[at].sum(axis=0)
        with np.errstate(invalid="ignore"):
            return c / c.sum(axis=1, keepdims=True)

    def both(self, wording: str | None = None) -> tuple[Any, Any]:
        """(people's shares, the simulator's) of the questions of which both are on record."""
        q = self.shares(wording)
        known = ~(np.isnan(self.people).any(axis=1) | np.isnan(q).any(axis=1))
        return self.people[known], q[known]


def measures(c: Choices) -> dict[str, float]:
    """Every number; what is not defined is left out."""
    h, q = c.both()
    if not len(h):
        return {}
    found: dict[str, float] = _levels(h, q) if c.levels else {}
    for name, number in (("rank correlation of conditions", closeness.correlation(h[:, 0], q[:, 0], True)),
                         ("dispersion ratio", dispersion(q[:, 0], h[:, 0]))):
        found |= {name: number} if number is not None else {}
    return found | _contamination(c) | (_corrected(c) if c.levels else {})


def _levels(h: Any, q: Any) -> dict[str, float]:
    pairs = list(zip(h, q, strict=True))
    return {"root mean squared error": closeness.rmse(h[:, 0], q[:, 0]),
            "total variation": float(np.mean([closeness.distance(a, b) for a, b in pairs])),
            "Jensen-Shannon divergence (bits)": float(np.mean([closeness.jensen_shannon(a, b) for a, b in pairs]))}


def _contamination(c: Choices) -> dict[str, float]:
    """Distance to people in the isomorph less that in the canonical words: above 0, it is closer where it may have read the result."""
    far = {w: c.both(w) for w in (CANONICAL, GUISE) if w in c.wordings}
    if len(far) < 2 or not all(len(h) for h, _ in far.values()):
        return {}
    apart = {w: float(np.mean([closeness.distance(a, b) for a, b in zip(h, q, strict=True)])) for w, (h, q) in far.items()}
    return {"contamination: isomorph less canonical distance": apart[GUISE] - apart[CANONICAL]}


def _corrected(c: Choices) -> dict[str, float]:
    """PPI++; nothing where it is not on record how many people answered."""
    q, c_all = c.shares()[:, 0], c.counts.sum(axis=(0, 2))
    use = ~(np.isnan(c.people[:, 0]) | np.isnan(c.n) | np.isnan(q))
    n = np.where(use, np.nan_to_num(c.n), 0).astype(int)
    if n.sum() < 2:
        return {}
    acted = np.rint(np.nan_to_num(c.people[:, 0]) * n).astype(int)
    return closeness.corrected(acted, n, np.nan_to_num(q), c_all.astype(int))


def resampled(c: Choices, rng: Any) -> Choices:
    """One draw of the bootstrap."""
    q = rng.integers(0, len(c.people), len(c.people))
    counts, people = c.counts[:, q], c.people[q].copy()
    drawn = np.zeros_like(counts)
    for w, i in np.ndindex(counts.shape[:2]):
        size = int(counts[w, i].sum())
        drawn[w, i] = rng.multinomial(size, counts[w, i] / size) if size else 0
    for i, (h, n) in enumerate(zip(people, c.n[q], strict=True)):
        if not np.isnan(n) and not np.isnan(h).any():
            people[i] = rng.multinomial(int(n), h / h.sum()) / int(n)
    return replace(c, people=people, n=c.n[q], counts=drawn)


def intervals(c: Choices, level: float = 0.95, draws: int = 200, seed: int = 0) -> dict[str, tuple[float, float]]:
    """Measure -> (low, high). With few questions they are too narrow for questions that were not asked."""
    rng, found = np.random.default_rng(seed), defaultdict(list)
    for _ in range(draws):
        for name, number in measures(resampled(c, rng)).items():
            found[name].append(number)
    cut, point = 100 * (1 - level) / 2, measures(c)
    spans = {name: (float(np.percentile(v, cut)), float(np.percentile(v, 100 - cut))) for name, v in found.items() if len(v) > draws / 2}
    return {name: (max(0.0, 2 * point[name] - high), max(0.0, 2 * point[name] - low)) if name in SPREADS and name in point else (low, high)
            for name, (low, high) in spans.items()}

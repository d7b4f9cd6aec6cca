"""The wild cluster bootstrap of a stratified mean: null imposed, interval by inverting the test.

Model      v_i = m_s + e_i in stratum s, shares a_i with sum P_s = sum_{i in s} a_i, mean = sum_i a_i v_i. Errors of different
           clusters g are independent; within a cluster they may be anything.
Null       mean = c. The least-squares fit under it moves every m_s by -d, d = mean - c, so its residuals are
           u_i = v_i - m_s + d. Nothing but the scores of cells (all ids of the clustering, and the stratum) is needed:
           R = sum a_i (v_i - m_s) and A = sum a_i; under the null a cell's score is R + A d.
Bootstrap  every cluster's residuals are multiplied by one weight w_g, and the mean and its error are computed again:
             d* = sum_g w_g (R_g + A_g d),   z*_k = w_g (R_k + A_k d) - A_k / P_s sum_{l in s} w_g (R_l + A_l d),   t* = d* / sqrt(V*)
           with V* of the scores z* by the formula of `statistics` for the same clustering; t = d / sqrt(V). d* is linear and V*
           quadratic in d, so the coefficients are computed once per weight vector and serve every null.
p          the share of weight vectors with |t*| >= |t| (t* >= t, t* <= t for one side), the vector of ones always among them.
Interval   the nulls with p > 1 - level, its ends found by bisection.
Weights    rademacher  +-1: sign flips. If the clusters' scores are symmetric about the null, and there is one stratum, the test
                       is exact whatever the clusters' sizes and variances. p is at least 2^(1-G): at 95 % six clusters are needed
           webb        +-sqrt(1/2), +-1, +-sqrt(3/2): p is at least 6^(1-G), three clusters are enough for an interval
           All vectors are taken where there are at most 6^5 (rademacher: G <= 12, webb: G <= 5); else DRAWS of them by a fixed
           seed. So a result is the same whenever it is computed.
Two ways   where a clustering is by two dimensions that cross, V is the largest of V_a, V_b and V_a + V_b - V_ab, in every
           bootstrap sample anew, and the weights are those of the dimension with fewer clusters.

Sources: C. F. J. Wu (1986), Annals of Statistics 14; A. C. Cameron, J. Gelbach and D. L. Miller (2008), Bootstrap-based improvements
for inference with clustered errors, Review of Economics and Statistics 90; M. D. Webb (2014), Reworking wild bootstrap based
inference for clustered errors; J. G. MacKinnon, M. O. Nielsen and M. D. Webb (2021), Wild bootstrap and asymptotic inference
with multiway clustering, J. Business and Economic Statistics 39. Checked example: scores of six clusters 1, ..., 6 against 0: only
the two vectors without a change of sign are as extreme, p = 2/64.
"""
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

from .sampling import SLACK, Row, Sample, clusters_of, homes

if TYPE_CHECKING:
    import numpy as np
    Array = np.ndarray[Any, np.dtype[np.float64]]

Weights = Literal["rademacher", "webb"]
Alternative = Literal["two-sided", "greater", "less"]
POINTS: dict[Weights, tuple[float, ...]] = {"rademacher": (-1.0, 1.0), "webb": (-1.5**0.5, -1.0, -0.5**0.5, 0.5**0.5, 1.0, 1.5**0.5)}
NAMES: dict[Weights, str] = {"rademacher": "sign flips", "webb": "Webb weights"}
ENUMERATED = 6**5
DRAWS = 1999
DOUBLINGS = 60
HALVINGS = 40
AT_ONCE = 4_000_000
"""Numbers in one block of the computation."""


@dataclass(frozen=True)
class Partition:
    """Cells put into groups: the group of each cell, and the factor n/(n-1) of each group's block (0 in a block of one)."""
    groups: tuple[int, ...]
    factors: tuple[float, ...]


@dataclass(frozen=True)
class Wild:
    """The bootstrap of one clustering.

    by           its dimensions, the one that carries the weights first
    mean, error  the mean, and the root of its V
    flipped      per cell, the cluster whose weight it takes
    strata       per cell, its stratum
    scores       per cell, R
    shares       per cell, A
    partitions   one, or of two dimensions a, b and both
    """
    by: tuple[str, ...]
    weights: Weights
    mean: float
    error: float
    flipped: tuple[int, ...]
    strata: tuple[int, ...]
    scores: tuple[float, ...]
    shares: tuple[float, ...]
    partitions: tuple[Partition, ...]

    @property
    def clusters(self) -> int:
        return max(self.flipped) + 1

    @property
    def least(self) -> float:
        """The least p there can be."""
        return least_p(self.weights, self.clusters)

    @property
    def method(self) -> str:
        drawn = "" if _all(self.weights, self.clusters) else "drawn "
        return f"wild ({len(self._moves[0])} {drawn}{NAMES[self.weights]}) by {' and '.join(sorted(self.by))}"

    def p(self, null: float, alternative: Alternative = "two-sided") -> float:
        """p of the mean against a null."""
        import numpy as np
        d, (a, b), curves = self.mean - null, self._moves, self._curves
        variance = np.max([x + y * d + z * d * d for x, y, z in curves], axis=0)
        t, drawn = d / self.error, (a + b * d) / np.sqrt(np.maximum(variance, 1e-300))
        slack = SLACK * abs(t)
        extreme = {"two-sided": abs(drawn) >= abs(t) - slack, "greater": drawn >= t - slack, "less": drawn <= t + slack}[alternative]
        return float(extreme.mean())

    def interval(self, level: float) -> tuple[float, float] | None:
        """The nulls that are not rejected; None if no null is, with so few clusters."""
        if self.least > 1 - level + SLACK:
            return None
        return self._end(-1, level), self._end(1, level)

    def _end(self, side: int, level: float) -> float:
        """The last null on a side with p > 1 - level: beyond it, then between."""
        held, gone = 0.0, 2 * self.error
        for _ in range(DOUBLINGS):
            if not self._holds(side * gone, level):
                break
            held, gone = gone, 2 * gone
        for _ in range(HALVINGS):
            middle = (held + gone) / 2
            held, gone = (middle, gone) if self._holds(side * middle, level) else (held, middle)
        return self.mean + side * held

    def _holds(self, gap: float, level: float) -> bool:
        return self.p(self.mean + gap) > 1 - level + SLACK

    @cached_property
    def _moves(self) -> "tuple[Array, Array]":
        """Per weight vector, the bootstrapped d* as first + second * d."""
        import numpy as np
        flipped, drawn = np.array(self.flipped), _vectors(self.weights, self.clusters)
        each = [np.bincount(flipped, weights=x, minlength=self.clusters) for x in (self.scores, self.shares)]
        return drawn @ each[0], drawn @ each[1]

    @cached_property
    def _curves(self) -> "list[tuple[Array, Array, Array]]":
        """Per candidate of V*, and per weight vector, V* as first + second * d + third * d^2."""
        import numpy as np
        drawn = _vectors(self.weights, self.clusters)
        size = max(1, AT_ONCE // len(self.flipped))
        blocks = [self._squares(drawn[i:i + size]) for i in range(0, len(drawn), size)]
        found = [np.concatenate(x, axis=1) for x in zip(*blocks, strict=True)]
        if len(found) == 3:
            found[2] = found[0] + found[1] - found[2]
        return [(x[0], x[1], x[2]) for x in found]

    def _squares(self, drawn: "Array") -> "list[Array]":
        """For some weight vectors, the three coefficients of V* of every partition."""
        import numpy as np
        strata, shares = np.array(self.strata), np.array(self.shares)
        of_stratum = np.eye(strata.max() + 1)[strata]
        part = shares / (of_stratum.T @ shares)[strata]
        each = drawn[:, np.array(self.flipped)]
        fixed, slope = (w - part * (w @ of_stratum)[:, strata] for w in (each * np.array(self.scores), each * shares))
        found = []
        for p in self.partitions:
            into = np.eye(len(p.factors))[np.array(p.groups)]
            x, y, f = fixed @ into, slope @ into, np.array(p.factors)
            found.append(np.stack([(x * x) @ f, 2 * (x * y) @ f, (y * y) @ f]))
        return found


def wild(sample: Sample, weights: Weights, *by: str) -> Wild:
    """The bootstrap of a sample's clustering by one dimension or two.

    Raises ValueError if its V is 0, or no stratum has two clusters.
    """
    few = sorted(by, key=lambda d: len(set(clusters_of(sample.units, d))))
    cells = _numbered([(*ids, u.stratum) for ids, u in zip(_ids(sample.units, few), sample.units, strict=True)])
    firsts = [sample.units[cells.index(k)] for k in range(max(cells) + 1)]
    ways = [(few[0],)] if len(few) == 1 else [(few[0],), (few[1],), tuple(few)]
    scores = _sums(cells, [a * e for a, e in zip(sample.shares, sample.residuals, strict=True)])
    partitions = tuple(_partition(firsts, way) for way in ways)
    found = [sum(f * x * x for f, x in zip(p.factors, _sums(p.groups, scores), strict=True)) for p in partitions]
    variance = max(*found[:2], found[0] + found[1] - found[2]) if len(found) == 3 else found[0]
    if not variance > 0:
        raise ValueError(f"the clusters by {' and '.join(by)} do not differ, or no stratum has two of them")
    return Wild(tuple(few), weights, sample.mean, variance**0.5, tuple(_numbered(_ids(firsts, few[:1]))),
                tuple(_numbered([u.stratum for u in firsts])), tuple(scores), tuple(_sums(cells, sample.shares)), partitions)


def least_p(weights: Weights, clusters: int) -> float:
    """The least p that so many clusters can have."""
    return len(POINTS[weights]) ** (1 - clusters) if _all(weights, clusters) else 1 / (DRAWS + 1)


def _ids(units: Sequence[Row], by: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(u.clusters.get(d, "") for d in by) for u in units]


def _partition(cells: Sequence[Row], by: Sequence[str]) -> Partition:
    """The groups of cells, with the factors that `Sample.error` gives their blocks."""
    ids = clusters_of(cells, *by)
    home, numbers = homes(cells, ids), _numbered(ids)
    blocks = [home[g] for g in dict.fromkeys(ids)]
    sizes = [blocks.count(b) for b in blocks]
    return Partition(tuple(numbers), tuple(n / (n - 1) if n > 1 else 0.0 for n in sizes))


def _numbered(ids: Sequence[Hashable]) -> list[int]:
    """Ids as numbers from 0, in the order in which they come."""
    number = {g: k for k, g in enumerate(dict.fromkeys(ids))}
    return [number[g] for g in ids]


def _sums(groups: Sequence[int], numbers: Sequence[float]) -> list[float]:
    total = [0.0] * (max(groups) + 1)
    for g, x in zip(groups, numbers, strict=True):
        total[g] += x
    return total


def _all(weights: Weights, clusters: int) -> bool:
    """Whether every weight vector is taken."""
    return len(POINTS[weights]) ** clusters <= ENUMERATED


@lru_cache(maxsize=8)
def _vectors(weights: Weights, clusters: int) -> "Array":
    """All weight vectors, or the vector of ones and DRAWS drawn ones; a row each."""
    import numpy as np
    points = POINTS[weights]
    if _all(weights, clusters):
        return np.array(list(product(points, repeat=clusters)))
    drawn = np.random.default_rng(0).choice(points, size=(DRAWS, clusters))
    return np.concatenate([np.ones((1, clusters)), drawn])

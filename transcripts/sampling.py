"""Rows, the observations among them, and the error of their stratified mean; `statistics` holds the model."""
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import fsum, isfinite, isnan

from .intervals import never_differed

SLACK = 1e-9
DRAWS = "draws"
"""The dimension of draws of nature that several wordings or personas meet alike."""


@dataclass(frozen=True, slots=True)
class Row:
    """One episode, as the statistics see it.

    value      what is averaged; None if the episode has none (a forfeit, an error)
    weight     > 0, additive: p_s / n_s for one of n_s episodes in a state of chance p_s, the branch's chance in exact
               evaluation, 1 where states are sampled. Only ratios matter
    stratum    the state, where every state is visited by design; "" where states are sampled
    clusters   dimension -> id, of whatever repeats: wording, persona, sampled state; and `draws`, where several wordings
               or personas meet the same draws of nature
    signature  hash of all words said by the seats
    input      hash of all that nature drew
    low, high  payoff bounds, in the unit of `value`; may be infinite
    key        what the row shares with its partner in another arm: state, replicate, wording
    """
    value: float | None
    weight: float = 1.0
    stratum: str = ""
    clusters: Mapping[str, str] = field(default_factory=dict)
    signature: str = ""
    input: str = ""
    low: float = float("-inf")
    high: float = float("inf")
    key: str = ""

    def __post_init__(self) -> None:
        where = f"row '{self.key}'" if self.key else "a row"
        if self.value is not None and not isfinite(self.value):
            raise ValueError(f"{where} has value {self.value}: give a finite number, or None if there is none")
        if not (isfinite(self.weight) and self.weight > 0):
            raise ValueError(f"{where} has weight {self.weight}: weights are positive and finite")
        if isnan(self.low) or isnan(self.high) or self.low > self.high:
            raise ValueError(f"{where} has bounds {self.low}, {self.high}: low may not exceed high")


def weights(rows: Iterable[Row]) -> dict[str, float]:
    """Stratum -> total weight."""
    parts: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        parts[row.stratum].append(row.weight)
    return {s: fsum(w) for s, w in parts.items()}


def collapse(rows: Sequence[Row]) -> list[Row]:
    """Valued rows as observations: a cell in which nothing was sampled becomes one row with the total weight.

    Replicates do not make cells: draws that all came out alike are no draws.
    """
    cells: dict[Hashable, list[Row]] = defaultdict(list)
    for row in rows:
        cells[row.stratum, frozenset((d, x) for d, x in row.clusters.items() if d != DRAWS)].append(row)
    units: list[Row] = []
    for cell in cells.values():
        alike = len({(r.input, r.signature, r.value) for r in cell}) == 1
        units += [replace(cell[0], weight=fsum(r.weight for r in cell))] if alike else cell
    return units


def stratified_mean(rows: Sequence[Row]) -> float:
    """sum_s P_s m_s of valued rows. Raises ValueError if there are none."""
    return Sample.of(rows, [r for r in rows if r.value is not None]).mean


@dataclass(frozen=True, slots=True)
class Error:
    """The variance V of the mean under a clustering into `groups` by one dimension or two (none: single observations)."""
    by: tuple[str, ...]
    variance: float
    dof: int
    groups: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Observations with their shares a_i (sum 1), residuals v_i - m_s, and the episodes in each stratum."""
    units: list[Row]
    shares: list[float]
    residuals: list[float]
    mean: float
    episodes: Mapping[str, int]

    @classmethod
    def of(cls, rows: Sequence[Row], units: list[Row]) -> "Sample":
        """rows  all, with the weights of the strata; units  the observations among them, each with a value."""
        if not units:
            raise ValueError("no row has a value")
        all_of, seen_of, episodes = weights(rows), weights(units), defaultdict[str, int](int)
        for row in rows:
            episodes[row.stratum] += row.value is not None
        total = fsum(all_of[s] for s in seen_of)
        shares = [all_of[u.stratum] / total * u.weight / seen_of[u.stratum] for u in units]
        values = [u.value for u in units if u.value is not None]
        sums: dict[str, list[float]] = defaultdict(list)
        for unit, value in zip(units, values, strict=True):
            sums[unit.stratum].append(unit.weight * value)
        means = {s: fsum(x) / seen_of[s] for s, x in sums.items()}
        residuals = [v - means[u.stratum] for u, v in zip(units, values, strict=True)]
        return cls(units, shares, residuals, fsum(a * v for a, v in zip(shares, values, strict=True)), episodes)

    @property
    def kish(self) -> float:
        return 1 / fsum(a * a for a in self.shares)

    def dimensions(self) -> list[str]:
        """The dimensions along which at least two ids occur."""
        names = sorted({d for u in self.units for d in u.clusters})
        return [d for d in names if len({u.clusters.get(d, "") for u in self.units}) > 1]

    def held(self, dimension: str) -> tuple[int, float]:
        """(clusters along a dimension, how many of equal size have as uneven shares: 1 / sum_g a_g^2)."""
        shares = _sums(clusters_of(self.units, dimension), self.shares).values()
        return len(shares), 1 / fsum(a * a for a in shares)

    def error(self, *by: str) -> Error:
        """V with every combination of ids as a cluster."""
        ids = clusters_of(self.units, *by)
        scores = _sums(ids, [a * e for a, e in zip(self.shares, self.residuals, strict=True)])
        home = homes(self.units, ids)
        squares, sizes = defaultdict[str, float](float), defaultdict[str, int](int)
        for g, score in scores.items():
            squares[home[g]] += score * score
            sizes[home[g]] += 1
        variance = fsum(squares[s] * n / (n - 1) for s, n in sizes.items() if n > 1)
        dof = sum(n - 1 for n in sizes.values())
        lent = self._lonely(sizes) if dof and not by else 0.0
        return Error(by, variance + lent, dof, len(scores))

    def _lonely(self, sizes: Mapping[str, int]) -> float:
        """The variance lent to strata with one observation: the others', episode for episode."""
        pooled = fsum(e * e for e in self.residuals) / sum(n - 1 for n in sizes.values())
        return fsum(a * a * pooled / self.episodes[u.stratum]
                    for a, u in zip(self.shares, self.units, strict=True) if sizes[u.stratum] == 1)

    def one_way(self) -> list[Error]:
        """Single observations, then every dimension; those with a degree of freedom, if any has one."""
        errors = [self.error(), *(self.error(d) for d in self.dimensions())]
        return [e for e in errors if e.dof > 0] or errors[:1]

    def two_way(self, a: Error, b: Error) -> Error:
        """V_a + V_b - V_ab, for effects of two dimensions that cross."""
        variance = a.variance + b.variance - self.error(*a.by, *b.by).variance
        return Error(a.by + b.by, variance, min(a.dof, b.dof), min(a.groups, b.groups))

    def errors(self) -> list[Error]:
        """The errors of single observations and of every clustering, by one dimension and by two."""
        one = self.one_way()
        return [*one, *(self.two_way(a, b) for a, b in combinations([e for e in one if e.by], 2))]

    def widest(self) -> Error:
        """The largest of the errors."""
        return largest(self.errors())

    def effective(self) -> float:
        """The least effective number of episodes over dimensions."""
        return min([self.kish, *(self._effective(clusters_of(self.units, d)) for d in self.dimensions())])

    def icc(self) -> float | None:
        """The largest intraclass correlation over dimensions; None if nothing repeats."""
        return max((intraclass(clusters_of(self.units, d), self.residuals) for d in self.dimensions()), default=None)

    def _effective(self, ids: list[Hashable]) -> float:
        r = intraclass(ids, self.residuals)
        return 1 / (r * fsum(a * a for a in _sums(ids, self.shares).values()) + (1 - r) / self.kish)

    def payoff_bounds(self, n: float, level: float) -> tuple[float, float]:
        """What the payoff bounds leave possible, if no episode in the worth of n differed from its stratum's others."""
        u, pairs = never_differed(n, level), list(zip(self.shares, self.units, strict=True))
        down = fsum(a * max(0.0, (r.value or 0.0) - r.low) for a, r in pairs)
        up = fsum(a * max(0.0, r.high - (r.value or 0.0)) for a, r in pairs)
        return self.mean - u * down, self.mean + u * up


def largest(errors: Sequence[Error]) -> Error:
    """The error with the largest V: in a tie, by one dimension, then none, then two."""
    most = max(e.variance for e in errors)
    tied = [e for e in errors if e.variance >= most * (1 - SLACK)]
    return min(reversed(tied), key=lambda e: (1, 0, 2)[len(e.by)])


def clusters_of(units: Sequence[Row], *by: str) -> list[Hashable]:
    """The cluster of each observation: its ids along some dimensions; along none, each is its own."""
    return [tuple(u.clusters.get(d, "") for d in by) for u in units] if by else list(range(len(units)))


def intraclass(ids: Sequence[Hashable], values: Sequence[float]) -> float:
    """The ANOVA intraclass correlation of values within clusters, cut to [0, 1]; 0 if nothing varies, 1 if no id repeats.

    r = (B - W) / (B + (m - 1) W), B and W the mean squares between and within, m = (n - sum_g n_g^2 / n) / (G - 1).
    """
    groups: dict[Hashable, list[float]] = defaultdict(list)
    for g, v in zip(ids, values, strict=True):
        groups[g].append(v)
    n, count = len(values), len(groups)
    if n == count or count < 2:
        return 1.0 if n == count else 0.0
    grand = fsum(values) / n
    means = {g: fsum(v) / len(v) for g, v in groups.items()}
    between = fsum(len(v) * (means[g] - grand) ** 2 for g, v in groups.items()) / (count - 1)
    within = fsum((x - means[g]) ** 2 for g, v in groups.items() for x in v) / (n - count)
    size = (n - sum(len(v) ** 2 for v in groups.values()) / n) / (count - 1)
    spread = between + (size - 1) * within
    return min(1.0, max(0.0, (between - within) / spread)) if spread > 0 else 0.0


def _sums(ids: Sequence[Hashable], numbers: Sequence[float]) -> dict[Hashable, float]:
    total: dict[Hashable, float] = defaultdict(float)
    for g, x in zip(ids, numbers, strict=True):
        total[g] += x
    return total


def homes(units: Sequence[Row], ids: Sequence[Hashable]) -> dict[Hashable, str]:
    """Cluster -> its stratum if every cluster lies in one, else -> "" for all: crossed clusters form one block."""
    homes: dict[Hashable, set[str]] = defaultdict(set)
    for unit, g in zip(units, ids, strict=True):
        homes[g].add(unit.stratum)
    nested = all(len(s) == 1 for s in homes.values())
    return {g: next(iter(s)) if nested else "" for g, s in homes.items()}

"""The percentile bootstrap of any statistic of the rows, as an alternative to the t interval of the mean.

Clusters are drawn with replacement from those of their block: the stratum if every cluster lies in one, else all of them.
Source: B. Efron (1979), Bootstrap methods, Annals of Statistics 7; for clusters, Cameron, Gelbach and Miller (2008).
"""
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random

from .sampling import Row, Sample, clusters_of, collapse, homes, largest, stratified_mean, weights
from .statistics import Estimate, checked, mean


def bootstrap(rows: Iterable[Row], stat: Callable[[Sequence[Row]], float] | None = None, seed: int = 0, draws: int = 2000,
              level: float = 0.95) -> Estimate:
    """The percentile interval of a statistic of the observations.

    Resampled are the clusters of the one dimension with the largest V, or single observations within their stratum.

    stat  valued rows -> number; None for the stratified mean. Each resample keeps the weight of every stratum it holds.
    With few clusters (below ten, say) it is too narrow: prefer `mean`. Raises ValueError as `mean` does, or if draws < 2.
    """
    rows = checked(rows, level)
    if draws < 2:
        raise ValueError(f"a bootstrap needs at least 2 draws, not {draws}")
    usual, stat = mean(rows, level), stat or stratified_mean
    if usual.mean is None:
        return usual
    whole = weights(rows)
    units = _reweigh(collapse([r for r in rows if r.value is not None]), whole)
    estimate = replace(usual, mean=stat(units), low=None, high=None)
    if usual.low is None or usual.method == "payoff bounds":
        return replace(estimate, method="none")
    by = largest(Sample.of(rows, units).one_way()).by
    rng, blocks = Random(seed), _blocks(units, by)
    values = sorted(stat(_resample(blocks, whole, rng)) for _ in range(draws))
    cut = (1 - level) / 2
    return replace(estimate, low=_quantile(values, cut), high=_quantile(values, 1 - cut),
                   method=f"bootstrap by {''.join(by) or 'episode'}")


def _blocks(units: Sequence[Row], by: tuple[str, ...]) -> list[list[list[Row]]]:
    """Blocks of clusters of rows: within a block clusters are exchanged."""
    ids = clusters_of(units, *by)
    home = homes(units, ids)
    blocks: dict[str, dict[Hashable, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for unit, g in zip(units, ids, strict=True):
        blocks[home[g]][g].append(unit)
    return [list(clusters.values()) for clusters in blocks.values()]


def _resample(blocks: list[list[list[Row]]], whole: Mapping[str, float], rng: Random) -> list[Row]:
    drawn = [row for clusters in blocks for cluster in rng.choices(clusters, k=len(clusters)) for row in cluster]
    return _reweigh(drawn, whole)


def _reweigh(rows: Sequence[Row], whole: Mapping[str, float]) -> list[Row]:
    """The rows, every stratum weighing as much as in `whole`."""
    held = weights(rows)
    return [replace(r, weight=r.weight * whole[r.stratum] / held[r.stratum]) for r in rows]


def _quantile(ordered: Sequence[float], at: float) -> float:
    """Linear between order statistics."""
    place = at * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])

"""What the cells of a matrix pay, from repeated sampling, and how sure one may be of what is computed from their means.

    sample   sample[a][b][w] is a list of draws (u1, u2) of cell (a, b) in wording w of row a     K x B x W_a x n, n and W_a may differ
    mean     of a cell: over its wordings, of the mean of each; wordings count alike

Draws in one wording share what the wording does, in all cells of the row, so wordings are what is resampled if a row has several:
W_a - 1 of them with replacement, the same ones in every cell of the row. In a row of one wording n - 1 of the n draws of each cell
are resampled, both numbers of a draw together. One less than there are, so that the variance of the mean comes out unbiased at any
size (Rao and Wu). Intervals are percentiles: with a handful of wordings they are too narrow, as all intervals of so few clusters.

The payoff of the cell that looks best is too high on average, since luck was part of why it was chosen (the winner's curse). So
`crossed` chooses on one half of the draws (of the wordings, where a row has several) and evaluates on the other, both ways round:
unbiased for what the cell chosen on half the draws pays. Its value is the mean over random splits; its interval comes from resamples
drawn within each half, so it needs 4 wordings, or 4 draws in a row of one wording.
O(R K B n) for R resamples.

Source: B. Efron (1979), Bootstrap methods, Annals of Statistics 7; J. Rao, C. Wu (1988), Resampling inference with complex survey
data, JASA 83; for the bias of a chosen maximum and the split, A. Schorfheide, K. Wolpin (2012), On the use of holdout samples for
model selection, American Economic Review 102; I. Andrews, T. Kitagawa, A. McCloskey (2024), Inference on winners, QJE 139.
"""
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

Draw = tuple[float, float]
Sample = Sequence[Sequence[Sequence[Sequence[Draw]]]]
Rows = tuple[tuple[float, ...], ...]
DIGITS = 12
"""Means are rounded to so many decimals, so that equal samples tie."""
ENOUGH = 4
"""Units of resampling below which a half of them cannot be resampled."""


def means(sample: Sample) -> tuple[Rows, Rows]:
    """(u1, u2): the mean of every cell, K x B each."""
    found = [tuple(tuple(_mean([_mean([d[player] for d in draws]) for draws in cell]) for cell in row) for row in sample)
             for player in (0, 1)]
    return found[0], found[1]


def _mean(numbers: Sequence[float]) -> float:
    from math import fsum
    return round(fsum(numbers) / len(numbers), DIGITS)


def errors(cell: Sequence[Sequence[Draw]]) -> tuple[float | None, float | None]:
    """The standard error of the mean of one cell, given by wording, for both players: of its wordings if it has several, else of its
    draws; None where there is one alone."""
    from statistics import stdev
    of = [tuple(_mean([d[p] for d in draws]) for p in (0, 1)) for draws in cell] if len(cell) > 1 else cell[0]
    found = [None if len(of) < 2 else stdev([x[p] for x in of]) / len(of) ** 0.5 for p in (0, 1)]
    return found[0], found[1]


def units(sample: Sample) -> int:
    """The least number of what is resampled in any row: wordings where it has several, else draws of a cell."""
    return min(len(row[0]) if len(row[0]) > 1 else min(len(cell[0]) for cell in row) for row in sample)


def resampled(sample: Sample, resamples: int, seed: int = 0) -> "numpy.ndarray[Any, Any]":
    """Means of so many resamples: R x 2 x K x B. Raises ValueError if there is nothing to resample."""
    import numpy as np
    if units(sample) < 2:
        raise ValueError("an interval needs at least 2 draws of every cell, or 2 wordings of a row")
    rng = np.random.default_rng(seed)
    return _table(_row(row, resamples, rng, whole=True)[0] for row in sample)


def crossed(sample: Sample, splits: int, seed: int = 0) -> tuple["numpy.ndarray[Any, Any]", "numpy.ndarray[Any, Any] | None"]:
    """Means of the two halves of random splits, as they are and resampled within each half: S x 2 (halves) x 2 x K x B.

    The second is None where halves are too small. Raises ValueError if a half would be empty.
    """
    import numpy as np
    if units(sample) < 2:
        raise ValueError("a split needs at least 2 draws of every cell, or 2 wordings of a row")
    rng = np.random.default_rng(seed)
    rows = [_row(row, splits, rng, whole=False) for row in sample]
    plain = np.stack([_table(row[h] for row in rows) for h in (0, 1)], 1)
    if units(sample) < ENOUGH:
        return plain, None
    return plain, np.stack([_table(row[2 + h] for row in rows) for h in (0, 1)], 1)


def _table(rows: Iterator["numpy.ndarray[Any, Any]"]) -> "numpy.ndarray[Any, Any]":
    """R x B x 2 per row, as R x 2 x K x B."""
    import numpy as np
    return np.round(np.moveaxis(np.stack(list(rows), 1), 3, 1), DIGITS)


def _row(row: Sequence[Sequence[Sequence[Draw]]], size: int, rng: "numpy.random.Generator",
         whole: bool) -> list["numpy.ndarray[Any, Any]"]:
    """Means of one row's cells, `size` x B x 2 each: of resamples of the whole; or of two halves, then of resamples of the halves."""
    import numpy as np
    if len(row[0]) > 1:
        each = np.array([[np.mean(draws, 0) for draws in cell] for cell in row])  # B x W x 2
        found = _parts(each, size, rng, whole)
        return [np.moveaxis(part, 0, 1) for part in found]
    cells = [_parts(np.asarray(cell[0], float)[None], size, rng, whole) for cell in row]
    return [np.stack([cell[i][0] for cell in cells], 1) for i in range(len(cells[0]))]


def _parts(each: "numpy.ndarray[Any, Any]", size: int, rng: "numpy.random.Generator", whole: bool) -> list["numpy.ndarray[Any, Any]"]:
    """Means over units drawn from B x n x 2, alike for all B: B x `size` x 2 each."""
    import numpy as np
    n = each.shape[1]
    if whole:
        return [each[:, rng.integers(0, n, (size, n - 1))].mean(2)]
    order = rng.permuted(np.tile(np.arange(n), (size, 1)), axis=1)
    return _halves(each, order, rng)


def _halves(each: "numpy.ndarray[Any, Any]", order: "numpy.ndarray[Any, Any]",
            rng: "numpy.random.Generator") -> list["numpy.ndarray[Any, Any]"]:
    """Means of the two halves of an order of the units, then of resamples of either."""
    import numpy as np
    half = order.shape[1] // 2
    parts = [order[:, :half], order[:, half:]]
    drawn = [np.take_along_axis(p, rng.integers(0, p.shape[1], (len(p), max(1, p.shape[1] - 1))), 1) for p in parts]
    return [each[:, p].mean(2) for p in (*parts, *drawn)]


def equilibria(u: "numpy.ndarray[Any, Any]", weak: bool = False) -> tuple["numpy.ndarray[Any, Any]", "numpy.ndarray[Any, Any]"]:
    """(a, b) of many one-shot games at once, u: ... x 2 x K x B, by the tie rule of `stackelberg.equilibrium`, which is exact.

    Here means are rounded to 12 decimals and compared as floats: many resamples in no time.
    """
    import numpy as np
    u1, u2 = u[..., 0, :, :], u[..., 1, :, :]
    best = u2 == u2.max(-1, keepdims=True)
    reply = np.where(best, u1, np.inf).argmin(-1) if weak else np.where(best, u1, -np.inf).argmax(-1)
    lead = np.take_along_axis(u1, reply[..., None], -1)[..., 0].argmax(-1)
    return lead, np.take_along_axis(reply, lead[..., None], -1)[..., 0]


def cross_fitted(halves: "numpy.ndarray[Any, Any]", weak: bool = False) -> "numpy.ndarray[Any, Any]":
    """What the equilibrium of either half pays in the other, mean of both ways: S x 2 from S x 2 (halves) x 2 x K x B."""
    import numpy as np
    lead, reply = equilibria(halves, weak)
    at = np.arange(len(halves))
    one, other = (halves[at, 1 - h, :, lead[:, h], reply[:, h]] for h in (0, 1))
    return (one + other) / 2


def percentiles(values: "numpy.ndarray[Any, Any]", level: float) -> tuple[float, float]:
    """The percentile interval of resampled values."""
    import numpy as np
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

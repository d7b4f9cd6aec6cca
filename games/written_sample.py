"""How sure the solutions of a matrix of sampled cells are: bootstrap intervals, and equilibria that are chosen and evaluated apart."""
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .solvers import cells
from .solvers.stackelberg import equilibrium, self_tolerant, tolerant

if TYPE_CHECKING:
    import numpy

PLAYERS = ("human", "ai")
Measures = dict[str, float | None]


@lru_cache(maxsize=64)
def uncertainty(sample: Any, tolerance: float, price: float = 0.0, level: float = 0.95, resamples: int = 500,
                seed: int = 0) -> dict[str, Measures]:
    """Benchmark -> its measures, named as in `written_prompting`; None where the sample is too small to tell.

    sample  K x B x W x n pairs of rewards, as tuples
    price   what a round costs the human, of which her values are net
    """
    found: dict[str, Measures] = {}
    enough = cells.units(sample) > 1
    drawn = cells.resampled(sample, resamples, seed) if enough else None
    for name, weak in (("stackelberg", False), ("stackelberg_weak", True)):
        again, values = (None, None) if drawn is None else _paid(drawn, weak, sample)
        found[name] = {"chosen_again": again, **_span("", values, level), **_crossed(sample, weak, level, resamples, seed)}
    for name, solve in (("tolerant", tolerant), ("self_tolerant", self_tolerant)):
        points = None if drawn is None else _solved(drawn, solve, tolerance)
        found[name] = _span("", points, level)
    return {name: {k: x - price if x is not None and k.startswith("human") else x for k, x in m.items()} for name, m in found.items()}


def _paid(drawn: "numpy.ndarray[Any, Any]", weak: bool, sample: Any) -> tuple[float, "numpy.ndarray[Any, Any]"]:
    """(share of resamples whose equilibrium is the cell of the whole sample's, R x 2: what each one's pays in it)."""
    import numpy as np
    lead, reply = cells.equilibria(drawn, weak)
    a, b = equilibrium(*cells.means(sample), weak)
    return float(np.mean((lead == a) & (reply == b))), drawn[np.arange(len(drawn)), :, lead, reply]


def _solved(drawn: "numpy.ndarray[Any, Any]", solve: Any, tolerance: float) -> "numpy.ndarray[Any, Any]":
    import numpy as np
    return np.array([[point.value for point in solve(u[0].tolist(), u[1].tolist(), tolerance)] for u in drawn])


def _span(what: str, values: "numpy.ndarray[Any, Any] | None", level: float) -> Measures:
    """The interval of either player's values, R x 2."""
    found: Measures = {}
    for i, role in enumerate(PLAYERS):
        low, high = (None, None) if values is None else cells.percentiles(values[:, i], level)
        found |= {f"{role}{what}_low": low, f"{role}{what}_high": high}
    return found


def _crossed(sample: Any, weak: bool, level: float, resamples: int, seed: int) -> Measures:
    """The cross-fitted values and their intervals."""
    if cells.units(sample) < 2:
        return {f"{role}_crossed": None for role in PLAYERS} | _span("_crossed", None, level)
    plain, drawn = cells.crossed(sample, resamples, seed)
    values = cells.cross_fitted(plain, weak).mean(0)
    return ({f"{role}_crossed": float(values[i]) for i, role in enumerate(PLAYERS)}
            | _span("_crossed", None if drawn is None else cells.cross_fitted(drawn, weak), level))

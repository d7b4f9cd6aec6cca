"""Cells from samples: means, resamples, halves, and what they are good for, against closed forms and scipy's bootstrap."""
import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from parlour.games.solvers import cells
from parlour.games.solvers.stackelberg import equilibrium
from parlour.games.written_sample import uncertainty


def nested(u: np.ndarray) -> tuple[tuple[tuple[tuple[tuple[float, float], ...], ...], ...], ...]:
    """K x B x W x n x 2 numbers as the solvers take them."""
    return tuple(tuple(tuple(tuple((float(x), float(y)) for x, y in draws) for draws in cell) for cell in row) for row in u)


def test_wordings_count_alike_however_many_draws_each_has() -> None:
    sample = ((((((0.0, 1.0),) * 3), ((1.0, 0.0),)),),)
    assert cells.means(sample) == (((0.5,),), ((0.5,),))
    assert cells.errors(sample[0][0]) == pytest.approx((0.5, 0.5)), "the standard error is over the two wordings"
    assert cells.errors((((0.0, 1.0), (1.0, 1.0)),)) == pytest.approx((0.5, 0.0)) and cells.errors((((0.0, 1.0),),)) == (None, None)


@pytest.mark.parametrize("wordings", [1, 3])
def test_the_variance_of_a_resampled_mean_is_that_of_the_mean(wordings: int) -> None:
    """s^2 / n over the units, with s^2 the unbiased one: n = 5 draws, or 3 wordings."""
    u = np.random.default_rng(1).random((1, 2, wordings, 5, 2))
    found = cells.resampled(nested(u), 40_000)
    each = u[0, 0].mean(1) if wordings > 1 else u[0, 0, 0]
    assert found[:, :, 0, 0].mean(0) == pytest.approx(each.mean(0), abs=0.01)
    assert found[:, :, 0, 0].var(0) == pytest.approx(each.var(0, ddof=1) / len(each), rel=0.05)
    both = np.corrcoef(found[:, 0, 0, 0], found[:, 1, 0, 0])[0, 1]
    assert both == pytest.approx(np.corrcoef(each.T)[0, 1], abs=0.03), "both scores of a text are drawn together"
    styles = np.corrcoef(found[:, 0, 0, 0], found[:, 0, 0, 1])[0, 1]
    apart = np.corrcoef(u[0, 0].mean(1)[:, 0], u[0, 1].mean(1)[:, 0])[0, 1] if wordings > 1 else 0.0
    assert styles == pytest.approx(apart, abs=0.03), "the cells of a brief share its wordings, and nothing else"


def test_intervals_are_those_of_scipy() -> None:
    """A percentile bootstrap of one cell's mean, by other people's code."""
    draws = np.random.default_rng(2).random(60)
    mine = cells.percentiles(cells.resampled(nested(np.stack([draws, draws], 1)[None, None, None]), 20_000)[:, 0, 0, 0], 0.9)
    theirs = bootstrap((draws,), np.mean, n_resamples=20_000, confidence_level=0.9, method="percentile", rng=0).confidence_interval
    assert mine == pytest.approx((theirs.low, theirs.high), abs=0.004)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 10**6))
def test_many_equilibria_at_once_are_the_exact_ones(k: int, b: int, seed: int) -> None:
    """On grids so coarse that ties are common."""
    u = np.random.default_rng(seed).integers(0, 4, (3, 2, k, b)) / 3
    for weak in (False, True):
        lead, reply = cells.equilibria(np.round(u, cells.DIGITS), weak)
        exact = [equilibrium(np.round(one, cells.DIGITS).tolist(), np.round(two, cells.DIGITS).tolist(), weak) for one, two in u]
        assert list(zip(lead, reply, strict=True)) == exact


def test_the_halves_of_a_split_hold_every_draw_once() -> None:
    u = np.random.default_rng(3).random((2, 2, 1, 8, 2))
    plain, redrawn = cells.crossed(nested(u), 50)
    assert plain.shape == (50, 2, 2, 2, 2) and redrawn is not None and redrawn.shape == plain.shape
    assert plain.mean(1) == pytest.approx(np.broadcast_to(np.moveaxis(u[:, :, 0].mean(2), 2, 0), (50, 2, 2, 2)))
    assert len(np.unique(plain[:, 0, 0, 0, 0])) > 10, "splits differ"


def test_too_few_draws_have_no_interval_and_say_so() -> None:
    u = np.random.default_rng(4).random((2, 1, 1, 3, 2))
    assert cells.crossed(nested(u), 5)[1] is None, "three draws make halves of one and two"
    found = uncertainty(nested(u), 0.05)["stackelberg"]
    assert found["human_low"] is not None and found["human_crossed"] is not None and found["human_crossed_low"] is None
    alone = uncertainty(nested(u[:, :, :, :1]), 0.05)
    assert set(alone["stackelberg"].values()) == set(alone["tolerant"].values()) == {None}
    with pytest.raises(ValueError, match="at least 2 draws"):
        cells.resampled(nested(u[:, :, :, :1]), 5)
    with pytest.raises(ValueError, match="at least 2 draws"):
        cells.crossed(nested(u[:, :, :, :1]), 5)


def test_the_cell_and_the_row_with_the_fewest_draws_count() -> None:
    """A row of one wording by its smallest cell, a row of several by their number; draws of single wordings do not count there."""
    one, many = ((((0.0, 0.0),) * 5,), (((0.0, 0.0),) * 2,)), ((((0.0, 0.0),), ((0.0, 0.0),) * 9, ((0.0, 0.0),)),) * 2
    assert (cells.units((one,)), cells.units((many,)), cells.units((one, many)), cells.units((many, (one[0], one[0])))) == (2, 3, 2, 3)


def test_without_noise_every_way_gives_the_solution_itself() -> None:
    u1, u2 = ((0.5, 0.8), (0.4, 0.6)), ((0.8, 0.3), (0.4, 0.7))
    sample = tuple(tuple((((x, y),) * 4,) for x, y in zip(r, s, strict=True)) for r, s in zip(u1, u2, strict=True))
    found = uncertainty(sample, 0.05, price=0.1)
    assert cells.means(sample) == (u1, u2)
    ends = ("", "_low", "_high")
    assert [found["stackelberg"][f"human_crossed{e}"] for e in ends] == pytest.approx([0.5] * 3), "net of the price"
    assert [found["stackelberg"][f"ai_crossed{e}"] for e in ends] == pytest.approx([0.7] * 3)
    assert found["stackelberg"]["chosen_again"] == 1 and found["tolerant"]["human_low"] == pytest.approx(0.5)


@pytest.fixture(scope="module")
def study() -> Any:
    """The simulation study of `perf/cells.py`, one instance of it in short."""
    folder = str(Path(__file__).parents[2] / "perf")
    sys.path.insert(0, folder)
    yield importlib.import_module("cells").study
    sys.path.remove(folder)


def test_the_best_of_equal_cells_looks_better_than_it_is_unless_it_is_evaluated_apart(study: Any) -> None:
    """Six briefs worth 1/2 each, 40 texts: the winner's curse is 1.267 standard errors of .079 (the mean of the greatest of six
    normal numbers), and gone when crossed. The plain interval misses, the crossed one holds."""
    found = study("six briefs alike", 40, 100, 60, np.random.default_rng(1))
    assert found.bias == pytest.approx((1.267 * 0.079, 0.0), abs=0.02)
    assert found.held[0] < 0.6 and found.held[1] > 0.9 and found.again < 0.8


def test_intervals_cover_the_solution_as_often_as_they_say(study: Any) -> None:
    """Cells far apart, 100 samples at 95 %: binomial bounds of four standard errors around the level."""
    found = study("all far apart", 40, 100, 150, np.random.default_rng(2))
    assert found.again > 0.99 and all(abs(h - 0.95) < 4 * (0.0475 / 100)**0.5 for h in found.held)
    assert found.bias == pytest.approx((0.0, 0.0), abs=4 * (0.21 / 40 / 100)**0.5)


def test_wordings_are_the_clusters() -> None:
    """Ten wordings that differ, 30 texts of each: resampling wordings covers the mean over wordings, resampling texts does not."""
    by_wording = by_text = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        chance = rng.beta(2, 2, (1, 1, 10, 1, 1))
        u = (rng.random((1, 1, 10, 30, 2)) < chance).astype(float)
        for texts in (False, True):
            found = cells.resampled(nested(u.reshape(1, 1, 1, 300, 2) if texts else u), 200, seed)
            low, high = cells.percentiles(found[:, 0, 0, 0], 0.9)
            by_text += texts and low <= 0.5 <= high
            by_wording += (not texts) and low <= 0.5 <= high
    assert by_wording > 80 > 55 > by_text

"""The wild cluster bootstrap: against samples built and estimated one by one, other people's solvers, and its own invariants."""
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.transcripts.hypotheses import equivalence, p_value
from parlour.transcripts.sampling import Row, Sample
from parlour.transcripts.statistics import Estimate, mean, paired
from parlour.transcripts.wild import POINTS, Weights, Wild, wild

SIZES = [3, 7, 2, 6, 4, 2]
DOZEN = [0.3, -1.2, 0.8, 2.0, 1.1, -0.4, 0.9, 0.2, 1.7, 0.6, -0.1, 1.3]


def unequal(strata: Sequence[str] = ("",), seed: int = 4, sizes: Sequence[int] = SIZES) -> list[Row]:
    """Clusters of unequal size and weight; with strata, each cluster lies in all of them."""
    rng = np.random.default_rng(seed)
    ids = np.repeat(np.arange(len(sizes)), sizes)
    y, w = 0.4 + rng.normal(size=len(sizes))[ids] + rng.normal(size=len(ids)), rng.uniform(0.5, 2, size=len(ids))
    return [Row(float(v), float(x), stratum=strata[i % len(strata)], clusters={"wording": f"w{g}"}, signature=str(i))
            for i, (v, x, g) in enumerate(zip(y, w, ids, strict=True))]


def one_each(values: Sequence[float]) -> list[Row]:
    """A cluster of two equal-weighted episodes about each value."""
    return [Row(v + e, clusters={"wording": f"w{g}"}, signature=f"{g}{e}") for g, v in enumerate(values) for e in (-0.01, 0.01)]


def only(e: Estimate) -> Wild:
    found, = e.wilds
    return found


def by_hand(rows: list[Row], null: float, weights: Weights, *by: str) -> float:
    """p, every bootstrap sample made episode by episode and estimated like any sample."""
    sample = Sample.of(rows, rows)
    shift = sample.mean - null
    few = min(by, key=lambda d: len({r.clusters[d] for r in rows}))
    names = sorted({r.clusters[few] for r in rows})

    def t(s: Sample) -> float:
        errors = [e.variance for e in s.errors() if e.by and set(e.by) <= set(by)]
        return (s.mean - null) / sqrt(max(*errors, 1e-300))
    seen, hits, count = abs(t(sample)), 0, 0
    for w in product(POINTS[weights], repeat=len(names)):
        of = dict(zip(names, w, strict=True))
        made = [replace(r, value=(r.value or 0.0) - e - shift + of[r.clusters[few]] * (e + shift))
                for r, e in zip(rows, sample.residuals, strict=True)]
        hits, count = hits + (abs(t(Sample.of(made, made))) >= seen * (1 - 1e-9)), count + 1
    return hits / count


# --- p-values ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("null", [0.0, 0.4, 1.5])
@pytest.mark.parametrize("strata", [("",), ("a", "b")])
def test_p_is_that_of_every_sample_made_by_hand(null: float, strata: tuple[str, ...]) -> None:
    rows = unequal(strata)
    found = only(mean(rows, inference="rademacher"))
    assert found.p(null) == by_hand(rows, null, "rademacher", "wording")


def test_webbs_weights_by_hand() -> None:
    rows = unequal(sizes=SIZES[:4])
    found = only(mean(rows, inference="webb"))
    assert found.p(1.5) == by_hand(rows, 1.5, "webb", "wording")
    assert [round(x * x, 12) for x in POINTS["webb"]] == [1.5, 1.0, 0.5, 0.5, 1.0, 1.5]


def test_clusters_within_strata_by_hand() -> None:
    rows = [replace(r, stratum="a" if r.clusters["wording"] in ("w0", "w1", "w2") else "b") for r in unequal()]
    found = only(mean(rows, inference="rademacher"))
    assert found.p(1.5) == by_hand(rows, 1.5, "rademacher", "wording")


def test_two_ways_by_hand() -> None:
    rng = np.random.default_rng(2)
    draws, words = rng.normal(size=6), rng.normal(size=8)
    rows = [Row(float(0.3 + draws[t] + words[w] + 0.3 * rng.normal()), clusters={"wording": f"w{w}", "draws": f"t{t}"},
                signature=f"{w}/{t}") for w in range(8) for t in range(6)]
    found = next(x for x in mean(rows, inference="rademacher").wilds if len(x.by) == 2)
    assert found.by[0] == "draws" and found.clusters == 6
    for null in (0.0, 2.0):
        assert found.p(null) == by_hand(rows, null, "rademacher", "wording", "draws")


def test_equal_clusters_are_the_permutation_test_of_their_means() -> None:
    from scipy import stats
    found = only(mean(one_each(DOZEN), inference="rademacher"))
    for side in ("two-sided", "greater", "less"):
        expected = stats.permutation_test((np.array(DOZEN),), lambda x, axis: x.mean(axis=axis), permutation_type="samples",
                                          n_resamples=np.inf, alternative=side, vectorized=True)
        assert found.p(0.0, side) == pytest.approx(expected.pvalue, abs=1e-12)  # type: ignore[arg-type]
    assert found.method == "wild (4096 sign flips) by wording"


def test_unequal_clusters_with_the_errors_of_statsmodels() -> None:
    import statsmodels.api as sm
    rows, null = unequal(), 1.2
    ids = np.array([int(r.clusters["wording"][1]) for r in rows])
    y, w = np.array([r.value for r in rows]), np.array([r.weight for r in rows])

    def t(values: Any) -> float:
        fitted = sm.WLS(values, np.ones(len(values)), weights=w).fit(cov_type="cluster", cov_kwds={"groups": ids})
        return float((fitted.params[0] - null) / fitted.bse[0])
    drawn = [t(null + np.array(signs)[ids] * (y - null)) for signs in product((-1, 1), repeat=6)]
    expected = np.mean(np.abs(drawn) >= abs(t(y)) - 1e-9)
    assert only(mean(rows, inference="rademacher")).p(null) == pytest.approx(expected)


def test_p_is_wildboottests_but_for_ties() -> None:
    """Null -> p of wildboottest 0.3.2 (bootstrap type 11, null imposed, all 128 sign flips), where the flips of nobody and of all may or
    may not count, as rounding has it: they tie with what was seen."""
    theirs = {-1.0: 0.0625, 0.0: 0.796875, 0.3: 0.6875, 1.0: 0.03125, 1.5: 0.015625}
    sizes, rng = [3, 7, 2, 6, 4, 2, 5], np.random.default_rng(4)
    ids = np.repeat(np.arange(7), sizes)
    y = 0.4 + rng.normal(size=7)[ids] + rng.normal(size=len(ids))
    found = only(mean([Row(float(v), clusters={"wording": str(g)}, signature=str(i)) for i, (v, g) in enumerate(zip(y, ids, strict=True))],
                      inference="rademacher"))
    assert [found.p(null) - p for null, p in theirs.items()] == [2 / 128, 0.0, 0.0, 2 / 128, 2 / 128]


def test_a_p_by_hand() -> None:
    found = only(mean(one_each([1.0, 2, 3, 4, 5, 6]), inference="rademacher"))
    assert (found.p(0.0), found.p(0.0, "greater"), found.p(0.0, "less")) == (2 / 64, 1 / 64, 1.0)
    assert found.p(3.5) == 1.0 and found.least == 2 / 64


# --- intervals --------------------------------------------------------------------------------------------------------------
def test_the_interval_holds_the_nulls_that_are_not_rejected() -> None:
    e = mean(unequal(), inference="rademacher")
    found = only(e)
    assert e.low is not None and e.high is not None and e.mean is not None
    nulls = np.linspace(e.low - 2, e.high + 2, 401)
    assert [found.p(x) > 0.05 for x in nulls] == [bool(e.low <= x <= e.high) for x in nulls]


def test_equal_clusters_end_where_a_flip_ties() -> None:
    """|sum_g w_g (x_g - c)| = |sum_g (x_g - c)| at c = the mean of the x_g whose signs are flipped, or of the others."""
    values = [1.0, 2.5, 3.0, 4.5, 5.0, 6.5]
    e = mean(one_each(values), 0.9, inference="rademacher")
    means = sorted(float(np.mean(some)) for signs in product((False, True), repeat=6)
                   for some in [[v for v, s in zip(values, signs, strict=True) if s]] if some)
    assert min(abs(e.low - m) for m in means) < 1e-6 and min(abs(e.high - m) for m in means) < 1e-6  # type: ignore[operator]


def test_too_few_clusters_have_no_interval() -> None:
    e = mean(one_each([1.0, 2, 3, 4, 5]), inference="rademacher")
    assert (e.low, e.high, e.method) == (None, None, "none")
    assert e.note == "5 clusters: no p is below 0.062 with sign flips"
    assert mean(one_each([1.0, 2, 3, 4, 5]), 0.9, inference="rademacher").low is not None
    assert mean(one_each([1.0, 2, 3]), inference="webb").method == "wild (216 Webb weights) by wording"
    assert mean(one_each([1.0, 2]), inference="webb").low is None


def test_many_clusters_are_drawn_and_near_t() -> None:
    rng = np.random.default_rng(5)
    rows = one_each([float(x) for x in rng.normal(size=40)])
    for weights in ("rademacher", "webb"):
        e, t = mean(rows, inference=weights), mean(rows)  # type: ignore[arg-type]
        assert e == mean(rows, inference=weights) and "drawn" in e.method  # type: ignore[arg-type]
        assert (e.low, e.high) == pytest.approx((t.low, t.high), abs=0.05)


def test_single_observations_keep_t() -> None:
    rows = [Row(v, signature=str(i)) for i, v in enumerate(DOZEN)]
    assert mean(rows, inference="webb") == mean(rows)


@given(st.lists(st.floats(-100, 100), min_size=6, max_size=8, unique=True), st.floats(-50, 50), st.floats(0.01, 50))
@settings(max_examples=25, deadline=None)
def test_moves_and_stretches_with_the_data(values: list[float], by: float, times: float) -> None:
    rows = one_each(values)
    plain, moved = (mean(x, inference="rademacher") for x in (rows, [replace(r, value=by + times * (r.value or 0.0)) for r in rows]))
    assert plain.method == moved.method
    if plain.method.startswith("wild"):
        assert (moved.low, moved.high) == pytest.approx((by + times * plain.low, by + times * plain.high), rel=1e-6, abs=1e-5)  # type: ignore[operator]


# --- as a choice of inference -----------------------------------------------------------------------------------------------
def test_paired_differences() -> None:
    a = [replace(r, key=str(i)) for i, r in enumerate(unequal())]
    b = [replace(r, value=(r.value or 0.0) - DOZEN[i % 12], key=str(i)) for i, r in enumerate(a)]
    e = paired(a, b, inference="rademacher")
    differences = [replace(r, value=DOZEN[i % 12]) for i, r in enumerate(a)]
    assert (e.low, e.high) == pytest.approx((mean(differences, inference="rademacher").low, mean(differences, inference="rademacher").high))


def test_a_test_takes_the_largest_p_of_every_clustering() -> None:
    from scipy import stats
    rows = unequal()
    e = mean(rows, inference="rademacher")
    (error, dof), = e.errors
    assert e.mean is not None and dof == len(rows) - 1
    alone = 2 * stats.t.sf(abs(e.mean - 1.5) / error, dof)
    assert p_value(e, 1.5) == max(alone, only(e).p(1.5))
    assert equivalence(e, e.mean, 50.0) == max(only(e).p(e.mean - 50, "greater"), only(e).p(e.mean + 50, "less"))


def test_clusters_that_do_not_differ_are_refused() -> None:
    rows = [Row(v, clusters={"wording": g}, signature=f"{g}{v}") for g in "ab" for v in (-1.0, 1.0)]
    with pytest.raises(ValueError, match="do not differ"):
        wild(Sample.of(rows, rows), "webb", "wording")
    assert mean(rows, inference="webb").method == "t(3)"

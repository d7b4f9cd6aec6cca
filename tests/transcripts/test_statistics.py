"""Means and their intervals: closed forms, hand-written formulas, invariants, and coverage by simulation."""
import subprocess
import sys
from collections.abc import Sequence
from math import inf, nan, sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.transcripts.bootstrap import bootstrap
from parlour.transcripts.sampling import Row, collapse, intraclass, stratified_mean
from parlour.transcripts.statistics import mean, paired

VALUES = [2.0, -1.0, 5.0, 5.0, 0.5, 3.25, 4.0]


def plain(values: Sequence[float | None], **fields: object) -> list[Row]:
    """Episodes whose replies all differ."""
    return [Row(v, signature=str(i), **fields) for i, v in enumerate(values)]  # type: ignore[arg-type]


def repeats(value: float, n: int, signature: str = "A", **fields: object) -> list[Row]:
    """One question asked n times and always answered alike."""
    return [Row(value, signature=signature, **fields) for _ in range(n)]  # type: ignore[arg-type]


def half(estimate: object) -> float:
    low, high = estimate.low, estimate.high  # type: ignore[attr-defined]
    assert low is not None and high is not None
    return float(high - low) / 2


# --- closed forms ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_one_sample_is_students_t(level: float) -> None:
    from scipy import stats
    expected = stats.ttest_1samp(VALUES, 0).confidence_interval(level)
    found = mean(plain(VALUES), level)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert (found.method, found.n, found.clusters, found.distinct) == ("t(6)", 7, 7, 1.0)
    assert found.effective_n == pytest.approx(7)


def test_two_strata_by_hand() -> None:
    from scipy import stats
    a, b = [1.0, 2.0, 4.0], [0.0, 6.0, 7.0, 7.0]
    rows = (plain(a, stratum="a", weight=0.3 / 3) + plain(b, stratum="b", weight=0.7 / 4))
    found = mean(rows)
    variance = 0.3**2 * (7 / 3) / 3 + 0.7**2 * (34 / 3) / 4  # sample variances 7/3 and 34/3
    assert found.mean == pytest.approx(0.3 * 7 / 3 + 0.7 * 5)
    assert half(found) == pytest.approx(stats.t.ppf(0.975, 5) * sqrt(variance))
    assert found.method == "stratified t(5)"


def test_cluster_error_is_cr1_of_a_regression_on_a_constant() -> None:
    import numpy as np
    from scipy import stats
    rng = np.random.default_rng(4)
    ids = np.repeat(np.arange(5), [3, 7, 2, 6, 4])
    y, w = 3 * rng.normal(size=5)[ids] + rng.normal(size=22), rng.uniform(0.5, 2, size=22)
    rows = [Row(float(v), float(x), clusters={"wording": f"w{g}"}, signature=str(i))
            for i, (v, x, g) in enumerate(zip(y, w, ids, strict=True))]
    x = np.ones((22, 1))
    bread = np.linalg.inv(x.T @ (w[:, None] * x))
    residual = y - x @ (bread @ x.T @ (w * y))
    scores = np.array([x[ids == g].T @ (w * residual)[ids == g] for g in range(5)])
    variance = 5 / 4 * (bread @ scores.T @ scores @ bread)[0, 0]
    found = mean(rows)
    assert found.method == "cluster t(4) by wording" and found.clusters == 5
    assert half(found) == pytest.approx(stats.t.ppf(0.975, 4) * sqrt(variance), rel=1e-12)


def test_equal_clusters_are_a_t_interval_of_their_means() -> None:
    from scipy import stats
    groups = {"u": [1.0, 2.0], "v": [5.0, 7.0], "w": [-3.0, -2.0]}
    rows = [Row(v, clusters={"persona": g}, signature=f"{g}{v}") for g, vs in groups.items() for v in vs]
    expected = stats.ttest_1samp([1.5, 6.0, -2.5], 0).confidence_interval(0.95)
    found = mean(rows)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_the_widest_dimension_is_taken() -> None:
    rows = [Row(10.0 * p + 0.1 * w + 0.01 * k, clusters={"wording": str(w), "persona": str(p)}, signature=f"{p}{w}{k}")
            for p in range(3) for w in range(4) for k in range(2)]
    assert mean(rows).method == "cluster t(2) by persona"
    assert mean(rows).effective_n == pytest.approx(3, abs=0.01)


def test_draws_shared_by_wordings_are_a_dimension() -> None:
    """A seat that no wording moves, played in 6 wordings against the same 10 draws: 10 observations, not 60."""
    rng = Random(3)
    draws = [rng.gauss(0, 1) for _ in range(10)]
    rows = [Row(v, clusters={"wording": f"w{w}", "draws": str(d)}, input=str(v), signature="A")
            for w in range(6) for d, v in enumerate(draws)]
    found = mean(rows)
    assert found.method == "cluster t(9) by draws" and found.effective_n == pytest.approx(10)
    assert half(found) == pytest.approx(half(mean(plain(draws))))


def test_exact_is_the_weighted_sum() -> None:
    found = mean([Row(5.0, 0.45, "A"), Row(-10.0, 0.05, "A"), Row(5.0, 0.45, "B"), Row(-10.0, 0.05, "B")], exact=True)
    assert found.mean == pytest.approx(3.5)
    assert found.low == found.high == found.mean and found.method == "exact"


# --- what counts as one observation ---------------------------------------------------------------------------------------
def test_thirty_equal_answers_are_one_observation() -> None:
    found = mean(repeats(5.0, 30, low=-10, high=5))
    assert (found.mean, found.low, found.high, found.effective_n) == (5.0, None, None, 1.0)
    assert (found.n, found.note) == (30, "one observation") and found.distinct == pytest.approx(1 / 30)


def test_one_observation_of_each_state_gives_no_interval() -> None:
    found = mean(repeats(5.0, 15, stratum="A") + repeats(-10.0, 15, stratum="B"))
    assert (found.mean, found.low, found.note) == (-2.5, None, "one observation per state")
    assert found.effective_n == pytest.approx(2)


def test_natures_draws_are_sampled_even_if_the_seat_never_varies() -> None:
    from scipy import stats
    rows = repeats(5.0, 27, "A", input="right") + repeats(-10.0, 3, "B", input="wrong")
    expected = stats.ttest_1samp([5.0] * 27 + [-10.0] * 3, 0).confidence_interval(0.95)
    found = mean(rows)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.effective_n == pytest.approx(30)


def test_a_sampled_reply_counts_every_time() -> None:
    rows = repeats(1.0, 20, "A") + repeats(0.0, 10, "B")
    assert mean(rows).method == "t(29)" and mean(rows).effective_n == pytest.approx(30)


def test_replicates_without_a_draw_are_repeats() -> None:
    """The dimension `draws` names replicates; where nothing was drawn they are one question all the same."""
    rows = [r for w in "uv" for i in range(30)
            for r in repeats(5.0, 1, stratum="A", clusters={"wording": w, "draws": f"A/{i}"}, low=-10, high=5)]
    assert len(collapse(rows)) == 2 and mean(rows).effective_n == pytest.approx(2)
    assert mean(rows[:30]).note == "one observation"


def test_repeats_within_sampled_states_do_not_narrow_the_interval() -> None:
    once = [Row(v, clusters={"state": str(i)}, input=str(i), signature="A") for i, v in enumerate(VALUES)]
    often = [r for r in once for _ in range(5)]
    assert half(mean(often)) == pytest.approx(half(mean(once)))
    assert mean(often).n == 35 and mean(often).effective_n == pytest.approx(7)


def test_a_constant_wording_keeps_its_weight() -> None:
    rows = (repeats(4.0, 30, clusters={"wording": "u"})
            + [Row(float(i % 2), signature=str(i), clusters={"wording": "v"}) for i in range(30)])
    assert len(collapse(rows)) == 31
    found = mean(rows)
    assert found.mean == pytest.approx(2.25) and found.method == "cluster t(1) by wording"


def test_a_state_seen_once_borrows_the_others_noise() -> None:
    known, once = plain([0.0, 2.0, 4.0], stratum="a", weight=0.5 / 3), plain([1.0], stratum="b", weight=0.5)
    from scipy import stats
    variance = 0.25 * 4 / 3 + 0.25 * 4 / 1
    assert half(mean(known + once)) == pytest.approx(stats.t.ppf(0.975, 2) * sqrt(variance))


def test_no_spread_leaves_what_the_bounds_allow() -> None:
    found = mean(plain([1.0] * 20, low=0.0, high=3.0))
    u = 1 - 0.025 ** (1 / 20)
    assert (found.low, found.high) == pytest.approx((1 - u, 1 + 2 * u)) and found.method == "payoff bounds"
    harmless = mean(plain([0.0] * 20, low=0.0, high=0.0))
    assert (harmless.low, harmless.high) == (0.0, 0.0)
    unbounded = mean(plain([1.0] * 20))
    assert unbounded.low is None and "not bounded" in unbounded.note


def test_a_few_clusters_that_hold_most_of_the_weight_are_told() -> None:
    """40, 10, 5, 5, 3 and 2 episodes: shares whose squares sum to .417, as of 2.4 equal clusters; six of ten each are not remarked on."""
    def rows(sizes: Sequence[int]) -> list[Row]:
        rng = Random(3)
        return [Row(rng.gauss(g, 1), signature=f"{g}/{i}", clusters={"wording": str(g)}) for g, n in enumerate(sizes) for i in range(n)]

    assert "6 clusters of unequal size, worth 2.4" in mean(rows((40, 10, 5, 5, 3, 2))).note
    assert mean(rows((10,) * 6)).note == "" == mean(rows((40, 10, 5, 5, 3, 2)), inference="rademacher").note


def test_one_big_cluster_is_about_one_observation() -> None:
    rows = ([Row(1 + i * 1e-6, signature=f"u{i}", clusters={"wording": "u"}) for i in range(99)]
            + [Row(5.0, signature="v", clusters={"wording": "v"})])
    found = mean(rows)
    assert found.low is None and found.effective_n < 1.1 and found.note == "worth 1.0 observations"


def test_intraclass_by_hand() -> None:
    # means 2 and 6, B = 2 * (4 + 4) = 16, W = (1 + 1 + 1 + 1) / 2 = 2, m = 2: (16 - 2) / (16 + 2)
    assert intraclass(["a", "a", "b", "b"], [1, 3, 5, 7]) == pytest.approx(14 / 18)
    assert intraclass(["a", "a", "b", "b"], [1, 3, 3, 1]) == 0


# --- forfeits -------------------------------------------------------------------------------------------------------------
def test_forfeits_enter_the_worst_and_the_best_case_only() -> None:
    found = mean(plain([1.0, 3.0, None, None], low=-10, high=5))
    assert (found.mean, found.worst, found.best, found.missing, found.n) == (2.0, -4.0, 3.5, 2, 4)


def test_a_forfeit_does_not_shift_the_states() -> None:
    rows = plain([1.0, 1.5, None, None], stratum="a") + plain([5.0, 6.0, 5.0, 6.0], stratum="b")
    assert mean(rows).mean == pytest.approx((1.25 + 5.5) / 2)


def test_all_forfeited() -> None:
    found = mean(plain([None, None], low=0, high=1))
    assert (found.mean, found.low, found.worst, found.best) == (None, None, 0.0, 1.0) and found.note


def test_a_state_without_a_value_takes_the_interval_away() -> None:
    found = mean(plain([1.0, 2.0], stratum="a") + plain([None], stratum="b", low=0, high=9))
    assert found.mean == 1.5 and found.low is None and "1 state" in found.note and found.best == 4.0


# --- pairs ----------------------------------------------------------------------------------------------------------------
def keyed(values: Sequence[float | None], **fields: object) -> list[Row]:
    return [Row(v, key=f"k{i}", signature=str(i), low=-10, high=10, **fields)  # type: ignore[arg-type]
            for i, v in enumerate(values)]


def test_pairs_are_the_paired_t_interval() -> None:
    from scipy import stats
    other = [1.5, -1.0, 4.0, 5.5, 0.0, 2.0, 4.5]
    expected = stats.ttest_rel(VALUES, other).confidence_interval(0.95)
    found = paired(keyed(VALUES), keyed(other)[::-1])
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_a_pair_without_a_value_is_missing_and_bounded_by_both_arms() -> None:
    found = paired(keyed([1.0, None]), keyed([0.0, 1.0]))
    assert (found.mean, found.missing, found.worst, found.best) == (1.0, 1, -9.5, 10.5)


def test_rows_without_partner_are_counted_and_their_state_keeps_its_weight() -> None:
    a = [*keyed([1.0, 2.0, 3.0], stratum="s"), Row(9.0, 3.0, "t", key="t", signature="t")]
    b = [Row(0.0, 1.0, "s", key="k0", signature="x"), Row(0.0, 3.0, "t", key="t", signature="y")]
    found = paired(a, b)
    assert found.mean == pytest.approx((1.0 + 9.0) / 2) and "2 unpaired" in found.note


@pytest.mark.parametrize(("a", "b", "says"), [
    (keyed([1.0]), [Row(1.0, key="other")], "share no key"),
    (keyed([1.0]) * 2, keyed([1.0]), "twice"),
    ([Row(1.0)], [Row(1.0)], "needs a key"),
    (keyed([1.0], stratum="s"), keyed([1.0], stratum="t"), "in state 's'"),
])
def test_pairs_that_are_none(a: list[Row], b: list[Row], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        paired(a, b)


# --- bootstrap ------------------------------------------------------------------------------------------------------------
def test_bootstrap_is_near_the_normal_interval_and_repeats_itself() -> None:
    rng = Random(1)
    rows = plain([rng.gauss(0, 1) for _ in range(80)])
    found = bootstrap(rows, seed=7, draws=1500)
    assert found == bootstrap(rows, seed=7, draws=1500) != bootstrap(rows, seed=8, draws=1500)
    assert half(found) == pytest.approx(half(mean(rows)), rel=0.12) and found.method == "bootstrap by episode"


def test_bootstrap_draws_clusters_and_takes_any_statistic() -> None:
    rng = Random(2)
    rows = [Row(u + 0.1 * rng.gauss(0, 1), clusters={"wording": str(g)}, signature=f"{g}{i}")
            for g in range(25) for u in [rng.gauss(0, 1)] for i in range(4)]
    found = bootstrap(rows, draws=400)
    assert found.method == "bootstrap by wording" and half(found) == pytest.approx(half(mean(rows)), rel=0.25)
    greatest = bootstrap(rows, lambda sample: max(r.value or 0.0 for r in sample), draws=50)
    assert greatest.mean == greatest.high == max(r.value or 0.0 for r in rows)


def test_bootstrap_keeps_the_chances_of_states() -> None:
    rows = plain([1.0, 2.0] * 3, stratum="a", weight=0.9 / 6) + plain([50.0, 50.0], stratum="b", weight=0.05)
    found = bootstrap(rows, draws=200)
    assert found.low is not None and found.high is not None
    assert 0.9 + 5 <= found.low <= found.high <= 1.8 + 5


def test_every_resample_keeps_the_weights_of_states() -> None:
    rows = [Row(10.0 * w + i, stratum=s, clusters={"wording": str(w)}, signature=f"{s}{w}{i}", weight=p)
            for w in range(5) for s, p, n in (("a", 0.9, w + 1), ("b", 0.1, 2)) for i in range(n)]
    whole = sum(r.weight for r in rows if r.stratum == "a") / sum(r.weight for r in rows)
    found = bootstrap(rows, lambda sample: sum(r.weight for r in sample if r.stratum == "a") / sum(r.weight for r in sample),
                      draws=40)
    assert found.method == "bootstrap by wording"
    assert (found.mean, found.low, found.high) == pytest.approx((whole, whole, whole))


def test_bootstrap_of_a_state_with_forfeits_keeps_its_chance() -> None:
    rows = plain([1.0, 2.0, None, None], stratum="a") + plain([5.0, 6.0, 5.0, 6.0], stratum="b")
    assert bootstrap(rows, draws=10).mean == pytest.approx(mean(rows).mean)


def test_bootstrap_knows_one_observation() -> None:
    found = bootstrap(repeats(1.0, 30), draws=10)
    assert (found.low, found.note, found.method) == (None, "one observation", "none")
    alike = bootstrap(plain([1.0] * 9, low=0, high=2), draws=10)
    assert (alike.low, alike.note) == (None, "nothing varied")
    with pytest.raises(ValueError, match="2 draws"):
        bootstrap(plain(VALUES), draws=1)


# --- bad input ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("fields", "says"), [
    ({"value": nan}, "value nan"), ({"value": inf}, "value inf"), ({"value": 1.0, "weight": 0.0}, "weight 0"),
    ({"value": 1.0, "weight": -1.0}, "positive"), ({"value": 1.0, "weight": nan}, "weight nan"),
    ({"value": 1.0, "low": 2.0, "high": 1.0}, "bounds"), ({"value": 1.0, "low": nan}, "bounds"),
])
def test_bad_rows(fields: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Row(**fields)  # type: ignore[arg-type]


def test_nothing_to_average() -> None:
    with pytest.raises(ValueError, match="no rows"):
        mean([])
    with pytest.raises(ValueError, match="level"):
        mean(plain(VALUES), level=95)
    with pytest.raises(ValueError, match="no row has a value"):
        stratified_mean([Row(None)])


def test_importing_loads_no_scipy() -> None:
    code = ("import sys, parlour.transcripts.bootstrap, parlour.transcripts.channel; "
            "print(sorted({'scipy', 'numpy', 'pandas'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- invariants -----------------------------------------------------------------------------------------------------------
ROWS = st.lists(st.builds(
    Row, value=st.none() | st.integers(-20, 20).map(float), weight=st.integers(1, 8).map(float), stratum=st.sampled_from("st"),
    clusters=st.fixed_dictionaries({"wording": st.sampled_from("uvw"), "persona": st.sampled_from(["", "p"])}),
    signature=st.sampled_from("AB"), input=st.sampled_from("xy"), low=st.just(-20.0), high=st.just(20.0)), min_size=1)


@given(ROWS)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_mean_lies_in_its_bounds_and_collapsing_moves_no_mean(rows: list[Row]) -> None:
    found, slack = mean(rows), 1e-9
    assert -20 - slack <= found.worst <= found.best + slack <= 20 + 2 * slack
    assert (found.missing == len(rows)) == (found.mean is None)
    if found.mean is None:
        return
    assert found.worst - slack <= found.mean <= found.best + slack or "no value" in found.note
    seen = [r for r in rows if r.value is not None]
    assert stratified_mean(collapse(seen)) == pytest.approx(stratified_mean(seen))
    assert 1 - slack <= found.effective_n <= len(seen) + slack
    assert (found.low is None) == (found.high is None) and bool(found.note) >= (found.low is None)
    if found.low is not None and found.high is not None:
        assert found.low - slack <= found.mean <= found.high + slack


@given(ROWS, st.integers(-5, 5), st.integers(1, 5))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_affine_payoffs_and_order_change_nothing_else(rows: list[Row], shift: int, scale: int) -> None:
    moved = [Row(None if r.value is None else scale * r.value + shift, 3 * r.weight, r.stratum, r.clusters, r.signature,
                 r.input, scale * r.low + shift, scale * r.high + shift) for r in reversed(rows)]
    a, b = mean(rows), mean(moved)
    for x, y in ((a.mean, b.mean), (a.low, b.low), (a.high, b.high), (a.worst, b.worst), (a.best, b.best)):
        assert (x is None) == (y is None)
        if x is not None and y is not None:
            assert y == pytest.approx(scale * x + shift, abs=1e-6)


# --- coverage -------------------------------------------------------------------------------------------------------------
def experiment(rng: Random, count: int, icc: float, clustered: bool = True) -> list[Row]:
    """True mean 0: `count` wordings of 10 replicates. At icc 1 the replicates are the same words."""
    rows = []
    for g in range(count):
        common = sqrt(icc) * rng.gauss(0, 1)
        rows += [Row(common + sqrt(1 - icc) * rng.gauss(0, 1), clusters={"wording": str(g)} if clustered else {},
                     signature=f"{g}" if icc == 1 else f"{g}/{i}") for i in range(10)]
    return rows


def coverage(seed: int, count: int, icc: float, clustered: bool = True, sims: int = 300) -> float:
    rng, hits = Random(seed), 0
    for _ in range(sims):
        found = mean(experiment(rng, count, icc, clustered))
        assert found.low is not None and found.high is not None
        hits += found.low <= 0 <= found.high
    return hits / sims


@pytest.mark.parametrize("count", [6, 12, 30])
@pytest.mark.parametrize("icc", [0.0, 0.5, 1.0])
def test_intervals_cover(count: int, icc: float) -> None:
    assert 0.92 <= coverage(11, count, icc) <= 0.98


def test_intervals_cover_where_wordings_meet_the_same_draws() -> None:
    """Effects of 8 wordings and of 8 draws, as large as the rest: one dimension alone would leave out half the variance."""
    rng, hits = Random(12), 0
    for _ in range(300):
        told, drawn = ([rng.gauss(0, 1) for _ in range(8)] for _ in range(2))
        found = mean([Row(told[w] + drawn[d] + rng.gauss(0, 1), clusters={"wording": str(w), "draws": str(d)},
                          signature=f"{w}/{d}", input=str(d)) for w in range(8) for d in range(8)])
        assert found.low is not None and found.high is not None
        hits += found.low <= 0 <= found.high
    assert 0.92 <= hits / 300 <= 0.98


def test_two_way_error_by_hand() -> None:
    from scipy import stats
    table = [[3.0, 4.0, 8.0], [1.0, 5.0, 6.0], [0.0, 1.0, 2.0]]
    rows = [Row(v, clusters={"wording": str(i), "persona": str(j)}, signature=f"{i}{j}")
            for i, line in enumerate(table) for j, v in enumerate(line)]
    grand = 30 / 9
    by_row = 3 / 2 * sum((sum(line) - 3 * grand) ** 2 for line in table) / 81
    by_column = 3 / 2 * sum((sum(line) - 3 * grand) ** 2 for line in zip(*table, strict=True)) / 81
    single = 9 / 8 * sum((v - grand) ** 2 for line in table for v in line) / 81
    found = mean(rows)
    assert found.method == "cluster t(2) by persona and wording"
    assert half(found) == pytest.approx(stats.t.ppf(0.975, 2) * sqrt(by_row + by_column - single))


def test_the_row_level_interval_would_not_cover() -> None:
    assert coverage(11, 6, 0.5, clustered=False) < 0.8

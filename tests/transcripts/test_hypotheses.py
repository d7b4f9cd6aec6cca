"""Hypotheses: their estimates against scipy and statsmodels, their families, their margins, what hangs on missing episodes."""
from math import inf
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import parlour
from parlour.errors import DesignError
from parlour.transcripts.hypotheses import Finding, Hypothesis, adjusted, equivalence, findings, p_value, slopes
from parlour.transcripts.robustness import influences, specifications
from parlour.transcripts.sampling import Row
from parlour.transcripts.statistics import contrast, mean

SOME = [2.0, -1.0, 5.0, 5.0, 0.5, 3.25, 4.0]


def plain(values: list[float], **fields: Any) -> list[Row]:
    return [Row(v, signature=str(i), key=str(i), **fields) for i, v in enumerate(values)]


# --- the tests themselves -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("null", [0.0, 2.0, 9.0])
def test_p_is_students(alternative: Any, null: float) -> None:
    expected = stats.ttest_1samp(SOME, null, alternative=alternative).pvalue
    assert p_value(mean(plain(SOME)), null, alternative) == pytest.approx(expected, rel=1e-12)


def test_a_paired_difference_is_the_paired_t_test() -> None:
    other = [1.0, 0.0, 4.5, 5.5, -2.0, 3.0, 2.0]
    expected = stats.ttest_rel(SOME, other)
    found = contrast([(1.0, plain(SOME)), (-1.0, plain(other))])
    assert p_value(found, 0.0) == pytest.approx(expected.pvalue, rel=1e-12)
    ci = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((ci.low, ci.high))


def test_a_slope_is_least_squares_within_each_pair() -> None:
    rng, doses = np.random.default_rng(3), [0.6, 0.7, 0.9]
    base, noise = rng.normal(size=20), rng.normal(size=(20, 3))
    y = base[:, None] + 4.0 * np.array(doses) + noise
    each = [float(np.polyfit(doses, row, 1)[0]) for row in y]
    expected = stats.ttest_1samp(each, 0.0)
    found = contrast(list(zip(slopes(doses), [plain([float(x) for x in y[:, k]]) for k in range(3)], strict=True)))
    assert found.mean == pytest.approx(np.mean(each))
    assert p_value(found, 0.0) == pytest.approx(expected.pvalue, rel=1e-9)


def test_clustered_p_is_statsmodels() -> None:
    import statsmodels.api as sm
    rng = np.random.default_rng(5)
    ids = np.repeat(np.arange(8), 10)
    y = rng.normal(size=8)[ids] + rng.normal(size=80) + 0.3
    fit = sm.OLS(y, np.ones(80)).fit(cov_type="cluster", cov_kwds={"groups": ids, "df_correction": True}, use_t=True)
    rows = [Row(float(v), signature=str(i), clusters={"wording": str(g)}) for i, (v, g) in enumerate(zip(y, ids, strict=True))]
    found = mean(rows)
    # statsmodels' small-sample factor is G/(G-1) (n-1)/(n-k), which is G/(G-1) for a constant alone
    assert found.error == pytest.approx(fit.bse[0], rel=1e-12) and found.dof == 7
    assert p_value(found, 0.0) == pytest.approx(fit.pvalues[0], rel=1e-9)


@pytest.mark.parametrize("margin", [0.5, 2.0, 5.0])
def test_equivalence_is_two_one_sided_tests(margin: float) -> None:
    from statsmodels.stats.weightstats import DescrStatsW
    expected = DescrStatsW(SOME).ttost_mean(2.0 - margin, 2.0 + margin)[0]
    assert equivalence(mean(plain(SOME)), 2.0, margin) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_without_spread_p_is_where_the_interval_leaves_the_null(level: float) -> None:
    rows = [Row(1.0, signature=str(i), low=0.0, high=4.0) for i in range(12)]
    p = p_value(mean(rows, level), 0.6)
    assert p is not None and 0 < p < 1
    assert mean(rows, 1 - p).low == pytest.approx(0.6)
    assert p == pytest.approx(p_value(mean(rows, 0.95), 0.6), rel=1e-9)


def test_payoff_bounds_that_cannot_reach_the_null_leave_no_chance() -> None:
    rows = [Row(1.0, signature=str(i), low=0.5, high=4.0) for i in range(12)]
    assert p_value(mean(rows), 0.4) == 0.0 and p_value(mean(rows), 0.4, "less") == 1.0


def test_nothing_is_tested_where_nothing_can_be() -> None:
    assert p_value(mean(plain([1.0, 2.0]), exact=True), 0.0) is None
    assert p_value(mean([Row(1.0)]), 0.0) is None


# --- families -------------------------------------------------------------------------------------------------------------
def test_holm_and_benjamini_hochberg_by_hand() -> None:
    ps = [0.01, 0.04, 0.03, 0.005]
    assert adjusted(ps, "primary") == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjusted(ps, "exploratory") == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert adjusted([], "primary") == []


def test_an_untested_hypothesis_counts_in_its_family() -> None:
    assert adjusted([0.02, None], "primary") == [pytest.approx(0.04), None]


@pytest.mark.usefixtures("set_aside")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_benjamini_hochberg_is_scipys_and_never_above_holm(ps: list[float]) -> None:
    expected = stats.false_discovery_control(ps, method="bh")
    found, holm = adjusted(ps, "exploratory"), adjusted(ps, "primary")
    assert found == pytest.approx(list(expected))
    assert all(a is not None and b is not None and p <= a <= b + 1e-12 for p, a, b in zip(ps, found, holm, strict=True))


# --- what may be claimed --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("wrong, says", [
    ({"outcome": "regret"}, "names its benchmark"), ({"benchmark": "with_ai"}, "only a regret"), ({"outcome": "event"}, "event ="),
    ({"arms": ["a", "b", "c"]}, "by a dose"), ({"dose": "accuracy"}, "two arms or more"), ({"wordings": ["x"]}, "are two"),
    ({"margin": 1.0, "alternative": "less"}, "two sides"), ({"outcome": "event", "event": "Choice"}, "pattern"),
])
def test_a_claim_must_be_whole(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Hypothesis.model_validate({"name": "x", "role": "human", "arms": ["a"], **wrong})


# --- through the whole pipeline -------------------------------------------------------------------------------------------
CLAIMS: list[dict[str, Any]] = [
    {"name": "following pays", "role": "human", "arms": ["follow", "never"], "alternative": "greater"},
    {"name": "regret", "outcome": "regret", "benchmark": "with_ai", "role": "human", "arms": ["never"]},
    {"name": "thinks", "outcome": "event", "event": "Choice.action=C", "role": "human", "arms": ["never"], "null": 1.0, "margin": 0.2},
    {"name": "accuracy", "role": "human", "arms": ["follow", "worse"], "dose": "accuracy", "family": "exploratory"},
    {"name": "words", "role": "human", "arms": ["follow"], "wordings": ["plain", "workshop"], "family": "exploratory"},
]


def design(episodes: int | str = 60, **seats: Any) -> dict[str, Any]:
    arms = [{"name": "follow", "seats": {"human": "always_follow"}}, {"name": "never", "seats": {"human": "never_follow"}},
            {"name": "worse", "seats": {"human": "always_follow"}, "game": {"accuracy": 0.8}}]
    return {"name": "claims", "seed": 4, "episodes": episodes, "wordings": "all", "game": "email", "protocol": "advice",
            "seats": {"ai": "strategy", **seats}, "arms": arms, "hypotheses": CLAIMS}


def of(found: list[Finding]) -> dict[str, Finding]:
    return {f.hypothesis.name: f for f in found}


def test_exact_arms_give_exact_findings(store: str) -> None:
    found = of(parlour_findings(design("exact"), store))
    value = {n: f.estimate.mean for n, f in found.items()}
    assert value == pytest.approx({"following pays": 1.5, "regret": 1.5, "thinks": 1.0, "accuracy": 15.0, "words": 0.0})
    assert [f.holds for f in found.values()] == [True, True, True, True, False]
    assert all(f.p is None for f in found.values())


def parlour_findings(of: dict[str, Any], store: str) -> list[Finding]:
    results = parlour.run(of, store)
    return findings(results.store, results.run)


def test_sampled_arms_are_tested_in_their_families(store: str) -> None:
    found = of(parlour_findings(design(120), store))
    low, high = found["accuracy"].estimate.low, found["accuracy"].estimate.high
    assert low is not None and high is not None and low < 15.0 < high
    ps = [found[n].p for n in ("following pays", "regret", "thinks")]
    assert [found[n].adjusted for n in ("following pays", "regret", "thinks")] == adjusted(ps, "primary")
    assert found["words"].estimate.mean == 0.0 and not found["words"].holds


def test_a_conclusion_that_hangs_on_forfeits_is_said_to(store: str) -> None:
    """Following beats the mock, but the mock gave up in most episodes: had those gone well for it, it would not."""
    unruly = {"agent": "mock", "faults": {"kinds": ["malformed"], "rate": 0.6}}
    arms = [design()["arms"][0], {"name": "never", "seats": {"human": unruly}}]
    one = {**design(60), "wordings": "plain", "arms": arms, "attempts": 1, "hypotheses": CLAIMS[:1]}
    found = of(parlour_findings(one, store))["following pays"]
    assert found.holds and found.best and not found.worst and found.hangs_on_missing


def test_specifications_hold_the_declared_one_and_every_other(store: str) -> None:
    unruly = {"agent": "mock", "faults": {"kinds": ["malformed"], "rate": 0.3}}
    results = parlour.run({**design(40, ai=unruly), "attempts": 2}, store)
    h = Hypothesis.model_validate(CLAIMS[0])
    curve = specifications(results.store, results.run, h)
    declared, = (s for s in curve if s.declared)
    assert declared.estimate == of(findings(results.store, results.run, [h]))["following pays"].estimate
    assert {s.wordings for s in curve} == {"all", "plain", "workshop"} and {s.repaired for s in curve} == {"kept", "left out"}
    assert {s.unfinished for s in curve} == {"left out", "worst", "best"}
    values = [s.estimate.mean or 0.0 for s in curve]
    assert values == sorted(values) and len(curve) == 18


def test_the_estimate_without_a_cluster_is_that_of_the_others(store: str) -> None:
    results = parlour.run({**design(80), "arms": [{"name": "never", "seats": {"human": "mock"}}], "hypotheses": []}, store)
    h = Hypothesis(name="m", role="human", arms=("never",))
    moved = {i.cluster: i for i in influences(results.store, results.run, h)}
    assert moved.keys() == {"plain", "workshop"}
    whole = findings(results.store, results.run, [h])[0].estimate.mean or 0.0
    middle = sum(i.estimate.mean or 0.0 for i in moved.values()) / 2
    assert middle == pytest.approx(whole) and moved["plain"].shift == pytest.approx(-moved["workshop"].shift)


@pytest.mark.parametrize("wrong, says", [
    ({"arms": ["nobody"]}, "no episode of an arm"), ({"role": "nobody"}, "no role"),
    ({"outcome": "regret", "benchmark": "heaven"}, "no benchmark"), ({"arms": ["follow", "never"], "dose": "accuracy"}, "same dose"),
    ({"arms": ["follow", "never"], "dose": "weight"}, "no number"),
    ({"outcome": "event", "event": "Choice.colour=red"}, "no field 'colour'"),
])
def test_a_claim_about_what_is_not_there(wrong: dict[str, Any], says: str, store: str) -> None:
    results = parlour.run({**design(4), "hypotheses": []}, store)
    h = Hypothesis.model_validate({"name": "x", "role": "human", "arms": ["follow"], **wrong})
    with pytest.raises(DesignError, match=says):
        findings(results.store, results.run, [h])


def test_infinite_bounds_leave_a_missing_value_missing() -> None:
    rng = Random(2)
    rows = [Row(rng.random(), signature=str(i), key=str(i)) for i in range(5)] + [Row(None, high=inf, low=0.0, key="lost")]
    assert contrast([(1.0, rows)], missing="best").missing == 1
    assert contrast([(1.0, rows)], missing="worst").mean == pytest.approx(contrast([(1.0, rows)]).worst)

"""Random effects of wording, order and labels: recovered, covered, not leaked, and bounded where answers are separated."""
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.games.announced_policy_words import CROSSED, STORIES, WORDINGS
from parlour.transcripts.sensitivity import firth, sensitivity, told_apart

X = [-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0]
LEVELS = {w.name: w.factors for w in WORDINGS}
FACTORS = {f: tuple(LEVELS[w][f] for w in CROSSED) for f in ("wording", "order", "labels")}


def counts(effects: dict[str, float], slope: float | None, n: int, rng: Any, thresholds: tuple[float, ...] = (-1.1, -0.6)) -> Any:
    """(acted, answers) of one whose threshold moves by `effects`; slope None: a step."""
    made = np.zeros((len(thresholds), len(CROSSED), len(X), 2))
    for t, v, d in np.ndindex(made.shape[:3]):
        z = thresholds[t] + sum(effects.get(FACTORS[f][v], 0.0) for f in FACTORS) - X[d]
        p = float(z >= 0) if slope is None else 1 / (1 + np.exp(-slope * z))
        made[t, v, d] = rng.binomial(n, p), n
    return made


def test_the_crossed_wordings_are_an_orthogonal_array() -> None:
    """Every pair of levels of two factors equally often, in half of all wordings."""
    assert len(CROSSED) == len(set(CROSSED)) == len(WORDINGS) / 2 == 2 * len(STORIES)
    for f, g in (("wording", "order"), ("wording", "labels"), ("order", "labels")):
        met = list(zip(FACTORS[f], FACTORS[g], strict=True))
        pairs = set(product(set(FACTORS[f]), set(FACTORS[g])))
        assert {met.count(pair) for pair in pairs} == {len(CROSSED) // len(pairs)}
    assert told_apart(FACTORS) == ["wording", "order", "labels"]
    assert told_apart({"wording": ("a", "b"), "order": ("given", "reversed"), "labels": ("named", "named")}) == []
    assert told_apart({"wording": ("a", "a"), "order": ("given", "reversed"), "labels": ("named", "named")}) == ["order"]


@pytest.mark.parametrize(("effects", "true"), [
    ({}, (0.0, 0.0, 0.0)), ({"reversed": 0.6}, (0.0, 0.6, 0.0)), ({"neutral": -0.6}, (0.0, 0.0, -0.6)),
    ({"clinic": 0.5, "farm": -0.5}, (np.sqrt(0.5 / 3), 0.0, 0.0)), ({"clinic": 0.8, "reversed": -0.4, "neutral": 0.3}, (0.4, -0.4, 0.3))])
def test_effects_are_covered_and_do_not_leak(effects: dict[str, float], true: tuple[float, float, float]) -> None:
    """Over forty simulated respondents: without bias, and nine intervals in ten or more hold the truth."""
    held, found = np.zeros(3), []
    for seed in range(40):
        e = sensitivity(X, counts(effects, 4.0, 3, np.random.default_rng(seed)), FACTORS)
        spans = ((e["wording"].low, e["wording"].high), e["order"].span, e["labels"].span)
        held += [low <= t <= high for t, (low, high) in zip(true, spans, strict=True)]  # type: ignore[misc]  # both have two levels
        found.append((e["wording"].sd, e["order"].shift, e["labels"].shift))
    assert (held >= 35).all(), held
    off = 4 * np.std(found, axis=0) / np.sqrt(40)
    assert (np.abs(np.mean(found, axis=0)[1:] - true[1:]) <= off[1:] + 0.02).all()
    assert np.mean(found, axis=0)[0] == pytest.approx(true[0], abs=0.06)


def test_identical_repeats_do_not_make_it_surer() -> None:
    """One who says the same whenever asked the same, with thresholds that no sum of effects gives: as wide as if asked once."""
    rng = np.random.default_rng(3)
    once = counts({}, 2.0, 1, rng)
    spans = [sensitivity(X, k * once, FACTORS)["order"].span for k in (1, 5)]
    (a, b), (c, d) = spans  # type: ignore[misc]  # two levels
    assert d - c > 0.8 * (b - a)


@pytest.mark.parametrize(("effects", "moved"), [({}, None), ({"reversed": 1.0}, "order"), ({"neutral": 1.0}, "labels"),
                                                ({"farm": 1.0}, "wording")])
def test_a_step_has_bounds_that_hold_what_moves_it(effects: dict[str, float], moved: str | None) -> None:
    found = sensitivity(X, counts(effects, None, 2, np.random.default_rng(0)), FACTORS)
    for factor, e in found.items():
        true = 0.0 if factor != moved else 0.5
        assert e.bracket and e.low <= true <= e.high
        assert e.sd == pytest.approx(true, abs=1e-6) and (e.low > 0) == (factor == moved)


def test_one_who_acts_only_in_one_order_has_an_effect_without_end() -> None:
    made = counts({}, None, 2, np.random.default_rng(0))
    for v, order in enumerate(FACTORS["order"]):
        made[:, v, :, 0] = 2.0 * (order == "given")
    e = sensitivity(X, made, FACTORS)["order"]
    assert e.bracket and e.low >= (X[-1] - X[0]) / 2 and e.high > 100


def test_nothing_is_said_of_one_who_acts_the_wrong_way_or_not_at_all() -> None:
    made = counts({}, 3.0, 4, np.random.default_rng(1))
    assert sensitivity(X, made[:, :, ::-1], FACTORS) == {}
    assert sensitivity(X, np.zeros_like(made), FACTORS) == {}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(-1, 1))
def test_it_does_not_matter_what_levels_are_called_or_where_zero_is(seed: int, by: float) -> None:
    made = counts({"reversed": 0.5}, 3.0, 3, np.random.default_rng(seed))
    one = sensitivity(X, made, FACTORS)
    moved = sensitivity([x + by for x in X], made, FACTORS)
    renamed = sensitivity(X, made, {**FACTORS, "order": tuple({"given": "z", "reversed": "a"}[o] for o in FACTORS["order"])})
    for factor, e in one.items():
        assert (moved[factor].sd, moved[factor].high) == pytest.approx((e.sd, e.high), abs=1e-5)
        assert renamed[factor].sd == pytest.approx(e.sd, abs=1e-6)
    assert renamed["order"].shift == pytest.approx(-one["order"].shift, abs=1e-6)  # type: ignore[operator]  # two levels


def test_firth_is_the_posterior_mode_under_jeffreys_prior() -> None:
    """Against a general optimiser; and known: k + 1/2 of n + 1 where a mean is all there is."""
    from scipy.optimize import minimize
    from scipy.special import log_expit
    assert firth(np.ones((1, 1)), np.array([0.0]), np.array([9.0]))[0][0] == pytest.approx(np.log(0.5 / 9.5))
    rng = np.random.default_rng(4)
    design, n = np.column_stack([np.ones(8), rng.normal(size=8)]), np.full(8, 3.0)
    k = rng.binomial(3, 0.4, size=8).astype(float)

    def loss(b: Any) -> float:
        z = design @ b
        p = 1 / (1 + np.exp(-z))
        return -float(np.sum(k * log_expit(z) + (n - k) * log_expit(-z))
                      + np.linalg.slogdet((design * (n * p * (1 - p))[:, None]).T @ design)[1] / 2)

    best = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12}).x
    assert firth(design, k, n)[0] == pytest.approx(best, abs=1e-5)


def test_a_share_of_exactly_one_is_no_division_by_nothing() -> None:
    """One so sharp that he acts for certain, to the last bit, where little is asked of him."""
    rng, x = np.random.default_rng(2), [-4.0, -1.2, -1.15, -1.1, -1.05, -1.0]
    made = np.zeros((1, len(CROSSED), len(x), 2))
    for v, d in np.ndindex(made.shape[1:3]):
        made[0, v, d] = rng.binomial(40, 1 / (1 + np.exp(-20 * (-1.1 - x[d])))), 40
    with np.errstate(divide="raise", invalid="raise"):
        found = sensitivity(x, made, FACTORS)
    assert all(effect.low <= 0.02 and effect.sd < 0.05 for effect in found.values()) and len(found) == 3

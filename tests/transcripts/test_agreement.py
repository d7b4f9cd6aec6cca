"""The mathematics of fidelity against the reference numbers, against statsmodels, and against simulation."""
import json
from math import exp, isinf
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from parlour.games.solvers.noisy_receiver import Receiver, best_margin, best_policy, cost_of, kept, logit, repairing_margin, value
from parlour.transcripts import agreement as a
from parlour.transcripts.psychometric import expected_se, fit, grether, inversions, lapses

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "fidelity.json").read_text())
TAUS = VECTORS["logit_recovery"][0]["inputs"]["taus"]
X = np.array([logit(t) for t in TAUS])


def curve(p: float, beta: float) -> Any:
    return expit(beta * (logit(p) - X))


@pytest.mark.parametrize("v", VECTORS["logit_recovery"], ids=lambda v: v["id"])
def test_a_threshold_is_found_again(v: dict[str, Any]) -> None:
    given, want = v["inputs"], v["expected"]
    data = want["fixed_dataset"]
    found = fit(X, data["counts"], [given["n_per_tau"]] * len(X))
    assert found.threshold == pytest.approx(data["fit_threshold_logit"], abs=1e-6)
    assert found.slope == pytest.approx(data["fit_slope"], abs=1e-6)
    assert found.loglik == pytest.approx(data["loglik"], abs=1e-6)
    se, slope_se = expected_se(X, want["threshold_logit"], want["slope"], given["n_per_tau"])
    assert (se, slope_se) == pytest.approx((want["fisher_se_threshold_logit"], want["fisher_se_slope"]), abs=1e-9)
    assert found.se == pytest.approx(se, rel=0.25) and abs(found.threshold - want["threshold_logit"]) < 4 * se
    p = curve(given["p"], given["beta"])
    step = [1.0 if t <= given["p"] + 1e-9 else 0.0 for t in TAUS]
    assert a.entropy(p) == pytest.approx(want["noise_ceiling_mean_entropy_nats"], abs=1e-9)
    assert a.agreement(p, step) == pytest.approx(want["agreement_with_ideal_step"], abs=1e-9)
    assert a.brier(p, step) == pytest.approx(want["brier_prob_vs_ideal"], abs=1e-9)
    assert a.agreement(p, p) == pytest.approx(want["retest_agreement"], abs=1e-9)


@pytest.mark.parametrize("v", VECTORS["pairs"], ids=lambda v: str(v["sim"]))
def test_pairs_of_a_person_and_a_simulator(v: dict[str, Any]) -> None:
    t, s, want = v["true"], v["sim"], v["expected"]
    p, q = curve(**t), curve(**s)
    got = {"mean_TV": a.total_variation(p, q), "rmse": a.rmse(p, q), "mean_KL_true_sim": a.kl(p, q),
           "cross_entropy": a.cross_entropy(p, q), "entropy_ceiling": a.entropy(p), "agreement": a.agreement(p, q),
           "retest": a.agreement(p, p), "normalised_accuracy": a.normalised_accuracy(p, q), "pearson": a.correlation(p, q),
           "threshold_error_logit": logit(s["p"]) - logit(t["p"]), "log_slope_ratio": np.log(s["beta"] / t["beta"]),
           "W1_threshold_distribution_logit": a.wasserstein(logit(t["p"]), t["beta"], logit(s["p"]), s["beta"])}
    for name, number in got.items():
        assert number == pytest.approx(want[name], abs=1e-6), name
    ideal = cost_of(Receiver(logit(t["p"])), Receiver(logit(s["p"])), t["p"], believed=s["p"])
    assert (ideal.best, ideal.got, ideal.loss) == pytest.approx(
        tuple(want["ideal_receiver"][k] for k in ("V_star", "V_using_sim", "loss")), abs=1e-6)
    true, picture = Receiver(logit(t["p"]), t["beta"]), Receiver(logit(s["p"]), s["beta"])
    noisy, w = cost_of(true, picture, t["p"], believed=s["p"]), want["logit_receiver"]
    assert (noisy.best, noisy.promised) == pytest.approx((w["V_star"], w["V_sim_promised"]), abs=1e-6)
    # their policies are points of a grid some 5e-6 wide: the same numbers at their points, and ours no worse
    assert value(w["q_from_sim"], t["p"], true) == pytest.approx(w["V_true_at_q_sim"], abs=1e-8)
    assert noisy.loss == pytest.approx(w["loss"], abs=5e-6)
    q = best_policy(t["p"], true)
    assert q == pytest.approx(w["q_star"], abs=2e-5) and value(q, t["p"], true) >= value(w["q_star"], t["p"], true)


@pytest.mark.parametrize("v", VECTORS["safety_margin"]["expected"], ids=lambda v: f"s={v['s']}")
def test_the_safety_margin(v: dict[str, Any]) -> None:
    assert kept(0.0, v["s"]) == pytest.approx(v["rel_value_margin0"], abs=1e-9)
    assert best_margin(v["s"]) == pytest.approx(v["m_star"], abs=1e-6)
    assert kept(best_margin(v["s"]), v["s"]) == pytest.approx(v["rel_value_m_star"], abs=1e-9)


def test_the_safety_margin_is_what_play_gives() -> None:
    rng, p, s, m = np.random.default_rng(1), 0.4, 0.2, 0.378
    got = [value(min(1.0, exp(t - m)), p, Receiver(logit(p))) for t in logit(p) + s * rng.standard_normal(20_000)]
    assert np.mean(got) / 0.8 == pytest.approx(kept(m, s), abs=0.01)


@pytest.mark.parametrize("v", VECTORS["ppi"]["expected"], ids=lambda v: f"rho={v['rho']}")
def test_ppi_gain(v: dict[str, Any]) -> None:
    assert a.ppi_gain(v["rho"], v["n"], v["N"]) == pytest.approx((v["variance_ratio"], v["effective_n"]), abs=1e-9)


def test_ppi_of_data_gains_as_much() -> None:
    rng, errors = np.random.default_rng(2), []
    for _ in range(400):
        f = rng.standard_normal(2_100)
        y = 0.7 * f[:100] + np.sqrt(1 - 0.49) * rng.standard_normal(100)
        estimate, se, _ = a.ppi(y, f[:100], f[100:])
        errors.append((estimate, se))
    found = np.array(errors)
    assert np.var(found[:, 0]) * 100 == pytest.approx(a.ppi_gain(0.7, 100, 2_000)[0], rel=0.2)
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(), rel=0.15)


def test_calibration() -> None:
    v = VECTORS["calibration_example"]
    conf, y = v["inputs"]["conf"], v["inputs"]["y"]
    assert a.ece(conf, y, v["inputs"]["bins"]) == pytest.approx(v["expected"]["ece"], abs=1e-12)
    assert a.brier(conf, y) == pytest.approx(v["expected"]["brier"], abs=1e-12)
    assert a.cross_entropy(y, conf) == pytest.approx(v["expected"]["logloss"], abs=1e-9)


def test_an_over_sharp_simulator_beats_the_people_at_agreeing_with_them() -> None:
    p, q = curve(0.4, 2), curve(0.4, 50)
    assert a.normalised_accuracy(p, q) == pytest.approx(1.093, abs=5e-4)
    cost = cost_of(Receiver(logit(0.4), 2.0), Receiver(logit(0.4), 50.0), 0.4)
    assert (cost.loss, cost.best) == pytest.approx((0.0652, 0.4828), abs=5e-5)


def test_the_loss_cliff() -> None:
    """A little too hopeful loses everything, a little too careful next to nothing; the margin repairs it."""
    true = Receiver(logit(0.4))
    hopeful, careful = Receiver(logit(0.4) + 0.2048), Receiver(logit(0.4) - 0.2048)
    assert cost_of(true, hopeful, 0.4).loss == pytest.approx(0.8)
    assert cost_of(true, careful, 0.4).loss < 0.1
    margin = repairing_margin(true, hopeful, 0.4)
    assert margin == pytest.approx(0.2048) and cost_of(true, hopeful, 0.4, margin).loss == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("acted", [[0, 3], [0, 0, 3, 3], [0, 0, 1, 3, 3]])
def test_a_step_the_wrong_way_has_no_threshold(acted: list[float]) -> None:
    """Who acts exactly where people would not: no slope is the likeliest, and nothing is made up."""
    found = fit(list(range(len(acted))), acted, [3.0] * len(acted))
    assert (found.threshold, found.slope, found.se, found.bracket) == (None, None, None, None)


def test_a_step_gives_a_bracket_and_no_slope() -> None:
    found = fit(X, [20 if x <= logit(0.4) + 1e-9 else 0 for x in X], [20] * len(X))
    assert found.separated and found.slope is None and found.bracket == pytest.approx((logit(0.4), logit(0.45)))
    mixed = fit(X, [20 if x < logit(0.4) - 1e-9 else 7 if x < logit(0.45) - 1e-9 else 0 for x in X], [20] * len(X))
    assert mixed.bracket == pytest.approx((logit(0.4), logit(0.4)))
    assert fit(X, [0] * len(X), [5] * len(X)).threshold is None


def test_statsmodels_agrees() -> None:
    import statsmodels.api as sm
    rng = Random(3)
    n = [40] * len(X)
    k = [sum(rng.random() < p for _ in range(40)) for p in curve(0.3, 1.5)]
    theirs = sm.GLM(np.column_stack([k, np.array(n) - k]), sm.add_constant(X), family=sm.families.Binomial()).fit()
    ours = fit(X, k, n)
    b = theirs.params
    assert (ours.threshold, ours.slope, ours.slope_se) == pytest.approx((-b[0] / b[1], -b[1], theirs.bse[1]), abs=1e-6)
    y, prior, lr = rng_rows(rng)
    weights = grether(y, prior, lr, [str(i % 7) for i in range(len(y))])
    ols = sm.OLS(y, sm.add_constant(np.column_stack([prior, lr]))).fit(cov_type="cluster",
                                                                      cov_kwds={"groups": np.arange(len(y)) % 7})
    assert weights is not None
    assert (weights.constant, weights.prior, weights.evidence) == pytest.approx(tuple(ols.params))
    assert weights.se == pytest.approx(tuple(ols.bse))


def rng_rows(rng: Random) -> tuple[list[float], list[float], list[float]]:
    prior = [rng.gauss(0, 1) for _ in range(60)]
    lr = [rng.gauss(0, 1) for _ in range(60)]
    return [0.1 + 0.6 * u + 0.8 * v + rng.gauss(0, 0.3) for u, v in zip(prior, lr, strict=True)], prior, lr


def test_small_things() -> None:
    assert inversions([0, 1, 2], [5, 6, 1], [10, 10, 10]) == 1
    assert a.worth_in_people(0.4, 0.5) == pytest.approx(24) and isinf(a.worth_in_people(0.4, 0.4))
    assert isinf(a.kl([0.5], [0.0])) and a.correlation([1, 1], [0, 1]) is None
    with pytest.raises(ValueError, match="one length"):
        a.brier([1], [1, 0])


def test_lapses_are_told_from_noise() -> None:
    """One who acts in 15 % of cases whatever is said, and never in 10 %: on average both come back, beside threshold and slope."""
    rng, person, found = np.random.default_rng(5), Receiver(logit(0.3), 4.0, 0.15, 0.1), []
    for _ in range(20):
        told = lapses(X, rng.binomial(200, [person.acts(x) for x in X]), [200] * len(X))
        assert told is not None and told.gain > 0
        found.append((told.low, told.high, told.threshold, told.slope))
    for mean, sd, want in zip(np.mean(found, axis=0), np.std(found, axis=0), (0.15, 0.1, logit(0.3), 4.0), strict=True):
        assert abs(mean - want) <= 4 * sd / np.sqrt(20)
    assert lapses(X[:4], [9, 5, 4, 0], [9] * 4) is None
    assert lapses(X, [9] * 5 + [0] * (len(X) - 5), [9] * len(X)) is None

"""Contracts: public vectors through the games' benchmarks, other solvers, brute force, closed forms, invariants."""
import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from parlour.errors import InputError
from parlour.experiments.design import game_of
from parlour.games.base import Game, Saw
from parlour.games.solvers.confidence import confident, errors
from parlour.games.solvers.contract import is_unique, offending_mixture, ranges, risks, solve
from parlour.games.solvers.engagement import misestimated, path
from parlour.games.solvers.learning_curve import all_or_nothing, fit, inflection

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "contracts.json").read_text())
TEXTS = {t["name"]: t for t in VECTORS["text_contracts"]}
OBJECTIVES = {"pay": "min_pay", "budget": "min_budget", "deviation": "min_std"}
WHICH = ("cost_aware", "cost_robust")


def text(t: Any, **fields: Any) -> Any:
    given = t["input"]
    return game_of({"name": "text_contract", "outcome_probabilities": given["F"], "costs": given["costs"],
                    "target": given["target"], "cost_bound": given["robust_bound_b"], **fields})


def solved(game: Game) -> Any:
    return {b.name: b for b in game.benchmarks(game.usual_rules)}


def posted(game: Any, name: str) -> Any:
    (_, move), = game.strategy(name, "principal", game.usual_rules)((), game.want("principal"))
    return move


def close(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, rel=1e-6, abs=1e-9)


# --- text contracts -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shape", ["free", "monotone"])
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("name", TEXTS)
def test_contracts_are_those_of_the_vectors(name: str, objective: str, shape: str) -> None:
    t, game = TEXTS[name], text(TEXTS[name], objective=objective, shape=shape)
    found = solved(game)
    for which in WHICH:
        key = OBJECTIVES[objective] + ("" if shape == "free" else "_monotone")
        expected = t[which].get(key) or {"value": None}
        measures = found[which].measures
        assert measures["objective"] == close(expected["value"])
        if expected["value"] is None:
            assert not found[which].exists and "mixture" in found[which].note
            continue
        pay = np.array(posted(game, which).payments)
        if "contract_unique" in expected:
            assert measures["unique"] == float(expected["contract_unique"])
            assert not expected["contract_unique"] or pay == pytest.approx(expected["contract"], rel=1e-6, abs=1e-6)
        rows, target = np.array(t["input"]["F"]), t["input"]["target"]
        others, gaps = np.delete(rows, target, 0), np.array(t[which]["required_gap_delta"])
        assert np.all((rows[target] - others) @ pay >= gaps - 1e-8 * max(1, pay.max()))
        for lam, other in zip(expected.get("dual_multipliers", ()), (x for i, x in enumerate(game.labels) if i != target), strict=False):
            assert measures[f"dual_{other}"] == close(lam)
    price = t.get("price_of_cost_robustness")
    if price:
        assert found["cost_robust"].measures["price_of_robustness"] == close(price[key])


@pytest.mark.parametrize("name", [n for n, t in TEXTS.items() if t["cost_robust"]["implementable"]])
def test_robust_contracts_are_tests_of_hypotheses(name: str) -> None:
    expected, measures = TEXTS[name]["cost_robust"]["test_correspondence"], solved(text(TEXTS[name]))["cost_robust"].measures
    assert measures["sum_risk"] == close(expected["sum_risk_FP_plus_FN"])
    assert measures["ratio_risk"] == close(expected["ratio_risk_FP_over_TP"])


@pytest.mark.parametrize("name", [n for n, t in TEXTS.items() if t["cost_aware"]["implementable"]])
def test_thresholds_and_participation(name: str) -> None:
    """One vector pays a threshold although a rival of the same cost would then be better paid: a threshold is monotone, and that
    instance has no monotone contract (its own vector says so), so it has no threshold."""
    t = TEXTS[name]
    for which, objective in product(WHICH, ("pay", "budget")):
        if not t[which]["implementable"]:
            continue
        found = solved(text(t, objective=objective, shape="threshold"))[which]
        expected = t[which]["threshold"][OBJECTIVES[objective]]
        if t[which]["min_pay_monotone"] is None:
            assert not found.exists
        else:
            assert found.measures["budget"] == close(expected["payment"])
            assert found.measures["expected_pay"] == close(expected["expected_pay"])
        taking_part = solved(text(t, objective=objective, participation=True))[which].measures["objective"]
        assert taking_part == close(t[which]["ir"][f"{OBJECTIVES[objective]}_with_ir"])


@pytest.mark.parametrize("name", TEXTS)
def test_the_principals_choice_of_a_target(name: str) -> None:
    t = TEXTS[name]
    expected = t["principal"]
    found = solved(text(t, rewards=expected["reward"], participation=True))
    assert found["first_best"].measures["action"] == expected["first_best_action"]
    assert found["first_best"].measures["welfare"] == close(expected["first_best_welfare"])
    assert found["optimal"].value["principal"] == close(expected["optimal_principal_utility_ic_ir"])
    assert found["optimal"].measures["action"] == expected["optimal_action"]
    linear = expected["best_linear_contract"]
    assert found["best_linear"].measures["share"] == close(linear["share"])
    assert found["best_linear"].value["principal"] == close(linear["principal_utility"])
    assert found["best_linear"].measures["expected_pay"] == close(linear["expected_pay"])


@pytest.mark.parametrize("name", TEXTS)
def test_every_target(name: str) -> None:
    t = TEXTS[name]
    for expected in t["principal"]["per_target"]:
        for key, participation in (("ic", False), ("ic_ir", True)):
            found = solved(text(t, target=expected["action"], cost_bound=None, rewards=t["principal"]["reward"],
                                participation=participation))["cost_aware"]
            assert found.measures["expected_pay"] == close(expected[f"min_pay_{key}"])
            assert found.value["principal"] == close(expected[f"principal_utility_{key}"])


@pytest.mark.parametrize("name", TEXTS)
def test_the_agents_reply(name: str) -> None:
    game = text(TEXTS[name])
    for case in TEXTS[name]["agent_response_tests"]:
        move = game.contract.__base__(payments=case["contract"])
        agent = game.strategy("cost_aware", "agent", game.usual_rules)
        (_, choice), = agent((Saw(role="principal", move=move),), game.want("agent"))
        assert choice.generator == game.labels[case["principal_favourable_response"]]
        assert game.utilities(move) == pytest.approx(case["agent_utilities"], abs=1e-9)


@st.composite
def instances(draw: Any) -> Any:
    n, m = draw(st.integers(2, 4)), draw(st.integers(2, 6))
    counts = draw(st.lists(st.lists(st.integers(0, 20), min_size=m, max_size=m), min_size=n, max_size=n))
    rows = np.array(counts, float) + 0.5
    costs = np.sort(draw(st.lists(st.integers(0, 100), min_size=n, max_size=n)))
    return rows / rows.sum(1, keepdims=True), costs / 10


def plain(rows: Any, gaps: Any, objective: str, shape: str) -> float | None:
    """The program as it is usually written, by HiGHS: payments (and their maximum), a row per rival, a row per step."""
    best, m = rows[-1], rows.shape[1]
    budget = objective == "budget"
    left = [np.column_stack([rows[:-1] - best, np.zeros((len(rows) - 1, 1))])]
    left += [np.column_stack([np.eye(m), -np.ones((m, 1))])] if budget else []
    left += [np.column_stack([(np.eye(m) - np.eye(m, k=1))[:-1], np.zeros((m - 1, 1))])] if shape == "monotone" else []
    right = np.concatenate([-gaps, np.zeros(sum(len(x) for x in left[1:]))])
    goal = np.append(np.zeros(m), 1.0) if budget else np.append(best, 0.0)
    found = linprog(goal, A_ub=np.vstack(left), b_ub=right, bounds=(0, None), method="highs")
    return float(found.fun) if found.status == 0 else None


@settings(max_examples=60, deadline=None)
@given(instances())
def test_programs_and_closed_forms_agree_with_the_plain_program(instance: Any) -> None:
    rows, costs = instance
    gaps = costs[-1] - costs[:-1]
    for g, objective, shape in product((gaps, np.full(len(gaps), gaps.max())), ("pay", "budget"), ("free", "monotone")):
        found, other = solve(rows[:-1], rows[-1], g, objective, shape), plain(rows, g, objective, shape)
        if found is None or other is None:
            assert other is None or other > 1e6
            assert found is None or found.value > 1e6
            continue
        assert found.value == pytest.approx(other, rel=1e-5, abs=1e-6)
        assert found.multipliers @ g == pytest.approx(found.value, rel=1e-6, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(instances(), st.floats(0.1, 20))
def test_invariants(instance: Any, scale: float) -> None:
    """Values are homogeneous in costs; constraints only cost; robustness costs at most b / a."""
    rows, costs = instance
    gaps = costs[-1] - costs[:-1]
    others, best = rows[:-1], rows[-1]
    for objective in ("pay", "budget", "deviation"):
        free, scaled = solve(others, best, gaps, objective), solve(others, best, scale * gaps, objective)
        assert (free is None) == (scaled is None)
        if free is None or scaled is None:
            assert offending_mixture(others, best, gaps) is not None
            continue
        assert scaled.value == pytest.approx(scale * free.value, rel=1e-6, abs=1e-7)
        robust = solve(others, best, np.full(len(gaps), gaps.max()), objective)
        if robust and free.value > 1e-6 and gaps.min() > 0:
            assert 1 - 1e-6 <= robust.value / free.value <= gaps.max() / gaps.min() * (1 + 1e-6)


def test_ranges_hold_the_vectors() -> None:
    for t in TEXTS.values():
        rows, target = np.array(t["input"]["F"]), t["input"]["target"]
        others = np.delete(rows, target, 0)
        for which, objective in product(WHICH, ("pay", "budget")):
            if t[which]["implementable"]:
                gaps = np.array(t[which]["required_gap_delta"])
                found = solve(others, rows[target], gaps, objective)
                assert found is not None
                expected = t[which][OBJECTIVES[objective]]["payment_ranges"]
                assert ranges(others, rows[target], gaps, objective, "free", found) == pytest.approx(np.array(expected), abs=1e-5)


@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e6])
@pytest.mark.parametrize("objective", ["pay", "budget"])
def test_whether_payments_are_unique_does_not_depend_on_the_currency(objective: Any, unit: float) -> None:
    """Outcomes that tell the same are paid alike or not, at the same expected pay; where all tell something else, one way is best."""
    twins, apart = np.array([[0.5, 0.25, 0.25], [0.2, 0.4, 0.4]]), np.array([[0.6, 0.25, 0.15], [0.2, 0.3, 0.5]])
    for rows, alone in ((twins, objective == "budget"), (apart, True)):
        found = solve(rows[:1], rows[1], np.array([unit]), objective)
        assert found is not None
        assert is_unique(rows[:1], rows[1], np.array([unit]), objective, "free", found) == alone
    span = ranges(twins[:1], twins[1], np.array([1.0]), "pay", "free", solve(twins[:1], twins[1], np.array([1.0]), "pay"))  # type: ignore[arg-type]
    here = solve(twins[:1], twins[1], np.array([unit]), "pay")
    assert here is not None
    assert ranges(twins[:1], twins[1], np.array([unit]), "pay", "free", here) == pytest.approx(unit * span, rel=1e-6)


def test_two_payments_as_good_are_reported() -> None:
    rows = np.array([[0.5, 0.25, 0.25], [0.2, 0.4, 0.4]])
    found = solve(rows[:1], rows[1], np.array([1.0]), "pay")
    assert found is not None and not is_unique(rows[:1], rows[1], np.array([1.0]), "pay", "free", found)
    game = game_of({"name": "text_contract", "outcome_probabilities": rows.tolist(), "costs": [0, 1]})
    assert solved(game)["cost_aware"].measures["unique"] == 0 and "other payments are as good" in solved(game)["cost_aware"].note


def test_an_impossible_outcome_deters_without_risk() -> None:
    others, best = np.array([[0.5, 0.0, 0.5]]), np.array([0.0, 0.5, 0.5])
    found = solve(others, best, np.array([1.0]), "deviation")
    assert found is not None and found.value == pytest.approx(0) and (best - others) @ found.pay >= 1 - 1e-9
    assert risks(others, np.array([0.5, 0.0, 0.5])) == (1.0, 1.0)


def test_confident_payments_hold_by_their_standard_errors() -> None:
    counts = np.array([[25, 27, 6, 1, 0, 7, 8, 18, 22, 46], [27, 22, 2, 0, 1, 7, 9, 8, 27, 57], [15, 30, 3, 1, 1, 6, 10, 12, 19, 63]])
    rows, gaps, samples = counts / 160, np.array([0.45885, 0.399]), [10_000] * 3
    found = confident(rows[:2], rows[2], gaps, samples, 1.645, "pay", "monotone")
    none = confident(rows[:2], rows[2], gaps, samples, 0.0, "pay", "monotone")
    assert found is not None and none is not None and none.value == pytest.approx(4.1895)
    held = (rows[2] - rows[:2]) @ found.pay - 1.645 * errors(rows[:2], rows[2], found.pay, samples)
    assert np.all(held >= gaps - 1e-6) and np.any(held <= gaps + 1e-4) and found.value > none.value
    assert confident(rows[:2], rows[2], gaps, [160] * 3, 3.0, "pay", "monotone") is None


@pytest.mark.parametrize("fields", [
    {"outcome_probabilities": [[0.5, 0.5]], "costs": [1]}, {"outcome_probabilities": [[0.5, 0.4], [0.5, 0.5]], "costs": [0, 1]},
    {"costs": [0, -1, 1]}, {"costs": [0, 1]}, {"target": 3}, {"rewards": [1]}, {"margin": -1}, {"costs": [0, float("nan"), 1]}])
def test_bad_instances_are_refused(fields: Any) -> None:
    with pytest.raises(InputError):
        game_of({"name": "text_contract", **fields})


# --- delegated classification ---------------------------------------------------------------------------------------------
CLASSIFIERS = {d["name"]: d for d in VECTORS["delegated"]}


@pytest.mark.parametrize("name", ["counterexample_3x3", "binary_actions_m3"])
def test_delegated_vectors(name: str) -> None:
    given, expected = CLASSIFIERS[name]["input"], CLASSIFIERS[name]["expected"]
    fields = {"outcome_probabilities": given["F"]} if "F" in given else {"accuracies": given["acc"], "test_size": given["m"]}
    game = game_of({"name": "delegated_classification", "costs": given["costs"], **fields})
    found = solved(game)
    least = found["min_budget"].measures
    assert (least["budget"], least["expected_pay"]) == (close(expected["min_budget"]), close(expected["expected_pay"]))
    assert posted(game, "min_budget").payments == pytest.approx(expected["contract"], rel=1e-6)
    assert [least[f"dual_{x}"] for x in game.labels[:-1]] == pytest.approx(expected["dual_multipliers"], rel=1e-6)
    assert found["threshold"].measures["budget"] == close(expected["threshold_budget"])
    assert found["threshold"].measures["first_paid"] == expected["threshold_first_paid"]
    assert found["all_or_nothing"].measures["budget"] == close(expected["all_or_nothing_budget"])
    assert [float(t > 0) for t in posted(game, "all_or_nothing").payments] == expected["all_or_nothing_paid"]
    assert found["single_binding"].measures["budget"] == close(expected["sba_budget"])
    for c in expected["single_binding_candidates"]:
        assert found["single_binding"].measures[f"budget_against_{game.labels[c['binding']]}"] == close(c["B"])
        assert found["single_binding"].measures[f"holds_{game.labels[c['binding']]}"] == c["feasible"]
    assert found["min_pay"].measures["expected_pay"] == close(expected["min_pay"]["value"])


def test_budgets_for_every_size_of_the_training_set() -> None:
    given, expected = (CLASSIFIERS["lcdb_mnist_mlp_m1"][k] for k in ("input", "expected"))
    for e in expected:
        found = solved(game_of({"name": "delegated_classification", "accuracies": given["mean_acc"], "test_size": given["m"],
                                "costs": given["n"], "target": given["n"].index(e["target_n"])}))["min_budget"]
        assert (found.measures["budget"], found.measures["expected_pay"]) == (close(e["B"]), close(e["expected_pay"]))
        assert found.value["agent"] == close(e["agent_utility"])


def test_learning_curve_and_its_inflection() -> None:
    given, expected = (CLASSIFIERS["concave_survival_inflection"][k] for k in ("input", "expected"))
    found = inflection(given["beta"], given["gamma"], given["m"], given["j"])
    assert found == pytest.approx((expected["n_crit"], expected["n_upper_bound"]), rel=1e-6)
    sizes = [16, 32, 64, 128, 256]
    assert fit(sizes, [0.95 - 1.5 * n ** -0.4 for n in sizes]) == pytest.approx((0.95, 1.5, 0.4), rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(instances())
def test_all_or_nothing_against_every_subset(instance: Any) -> None:
    rows, costs = instance
    gaps = costs[-1] - costs[:-1]
    if gaps.min() <= 0:
        return
    gains = np.array(list(product((0.0, 1.0), repeat=rows.shape[1]))) @ (rows[-1] - rows[:-1]).T
    least = min((float(np.max(gaps / g)) for g in gains if np.all(g > 1e-9)), default=None)
    found = all_or_nothing(rows[:-1], rows[-1], gaps)
    assert (None if found is None else found.max()) == (None if least is None else pytest.approx(least, rel=1e-5))


# --- breaks, inspection ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("user", VECTORS["breaks"][0]["expected"], ids=lambda u: u["user"])
def test_engagement_vectors(user: Any) -> None:
    given = {k: VECTORS["breaks"][0]["input"][k] for k in ("alpha", "gamma", "delta")}
    found = solved(game_of({"name": "engagement_breaks", "beta": user["beta"], **given}))
    best, none = found["optimal_breaks"].measures, found["default"].measures
    assert (best["rate"], best["break_probability"]) == (close(user["lambda_star"]), close(user["p_star"]))
    assert (none["rate"], none["interest"]) == (close(user["lambda_no_break"]), close(user["interest_no_break"]))
    assert (best["gain"], best["extinction"]) == (close(user["gain"]), close(user["extinction_break_prob"]))
    for p, rate in user["lambda_curve"].items():
        game = game_of({"name": "engagement_breaks", "beta": user["beta"], "break_probability": float(p), **given})
        assert solved(game)["default"].value["coach"] == close(rate)
    if user["p_star"] <= 0.5 and user["lambda_star"] > 0 and user["lambda_curve"]["0.15"] > 0:
        assert found["learned"].measures["break_probability"] == pytest.approx(user["p_star"], abs=1e-6)


def test_the_equations_settle_at_the_equilibrium() -> None:
    lam, q = path(0.065, 0.16, 0.02, 0.001, 0.1875, 5000, (5.0, 0.9))
    assert (lam, q) == (pytest.approx(12.307692, rel=1e-3), pytest.approx(0.5, rel=1e-3))


def test_misestimation() -> None:
    for case in VECTORS["breaks"][1]["expected"]:
        if not case["clipped_at_zero"]:
            assert misestimated(case["r"]) == pytest.approx(case["relative_engagement"], abs=1e-9)


def test_inspection_of_everything_at_no_cost_is_the_whole_program() -> None:
    game: Any = game_of({"name": "adaptive_contract", "inspection_cost": [0, 0]})
    rows, costs = np.array(game.rows(None)), np.array(game.costs)
    found = solve(rows[:-1], rows[-1], costs[-1] - costs[:-1], "pay")
    assert found is not None
    assert solved(game)["full_inspection"].measures["total"] == close(found.value)
    assert solved(game)["adaptive"].measures["total"] == close(found.value)


def test_of_treatments_that_did_as_well_the_one_with_fewer_breaks_is_taken() -> None:
    """The stated tie rule, for the best single treatment of the logs."""
    game: Any = game_of({"name": "engagement_breaks", "logs": [[11, 13, 13, 12.5]]})
    (_, move), = game.strategy("best_of", "coach", game.usual_rules)((), game.want("coach"))
    assert move.break_probabilities == (sorted(game.treatments)[1],) * len(game.betas)


# --- who knows what -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("known", [True, False])
def test_a_principal_is_told_costs_only_where_they_are_known(known: bool) -> None:
    """The agent knows its costs in any case. Where the principal does not, her words are the same whatever they are."""
    t = next(t for t in TEXTS.values() if t["input"]["robust_bound_b"] > 0)
    games = [text(t, costs_known=known), text({"input": {**t["input"], "costs": [c / 2 for c in t["input"]["costs"]]}}, costs_known=known)]
    for role, told in (("principal", known), ("agent", True)):
        briefs = [g.observe(role, next(s for _, s in g.states())) for g in games]
        assert [b.costs for b in briefs] == ([g.costs for g in games] if told else [None, None])
        assert (briefs[0].say(games[0].wordings[0], role) != briefs[1].say(games[1].wordings[0], role)) == told


@pytest.mark.parametrize("given", [True, False])
def test_chances_are_told_only_where_an_instance_is_given_by_them(given: bool) -> None:
    rows = [[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]]
    game = game_of({"name": "delegated_classification", "costs": [0, 1], **(
        {"outcome_probabilities": rows} if given else {"accuracies": [0.6, 0.8], "test_size": 2})})
    for role in ("principal", "agent"):
        assert game.observe(role, next(s for _, s in game.states())).chances == (tuple(map(tuple, rows)) if given else None)

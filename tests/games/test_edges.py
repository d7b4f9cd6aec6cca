"""Legal instances at the edge: units of any size, outcomes and states of no chance, twins, one of everything, types of input."""
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.errors import InputError
from parlour.experiments.design import game_of
from parlour.games.base import Benchmark
from parlour.games.solvers.contract import solve


def solved(spec: dict[str, Any]) -> dict[str, Benchmark]:
    game = game_of(spec)
    return {b.name: b for b in game.benchmarks(game.usual_rules)}


# --- units ----------------------------------------------------------------------------------------------------------------
MONEY: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "email": ({"gain": 5, "loss": -10, "thinking_cost": 4, "ask_cost": 1, "harm": 3}, {"prior": 0.6}),
    "battle_of_the_sexes": ({"opera": [10, 9], "football": [9, 10]}, {"informed": "both_private"}),
    "prompting": ({"human_means": [[0.6, 0.2], [0.5, 0.4]], "ai_means": [[0.01, 0.02], [0.6, 0.4]], "tolerance": 0.05}, {}),
    "persuasion": ({"sender_utility": [[0.9, 0.1, 0.5], [0.6, 0.5, 0.8]], "receiver_utility": [[0.5, 0.9, 0.2], [0.6, -0.9, 0.7]]}, {}),
    "text_contract": ({"costs": [0.2, 0.45, 1.2], "rewards": [0, 2.5, 5.0], "margin": 0.01},
                      {"outcome_probabilities": [[0.5, 0.3, 0.2], [0.3, 0.4, 0.3], [0.1, 0.35, 0.55]], "participation": True}),
    "delegated_classification": ({"costs": [0, 0.45, 1]}, {}),
    "adaptive_contract": ({"costs": [0, 1], "inspection_cost": [0.1, 2], "rewards": [0, 3]},
                          {"coarse": [[0.6, 0.4], [0.3, 0.7]], "fine": [[0.7, 0.3], [0.2, 0.8]]}),
    "screened_contract": ({"kind_costs": [[0.0, 0.2, 0.9], [0.0, 0.0, 0.5]], "rewards": [0, 1, 2]}, {}),
    "prompted_contract": ({"costs": [0.18165, 0.2415, 0.6405], "rewards": [0, 3]}, {}),
}
"""Per game, fields in money and others."""


def times(amount: Any, scale: float) -> Any:
    return [times(x, scale) for x in amount] if isinstance(amount, list) else float(f"{amount * scale:.12g}")


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("name", MONEY)
def test_values_are_in_the_units_of_the_instance(name: str, scale: float) -> None:
    amounts, rest = MONEY[name]
    one = solved({"name": name, **amounts, **rest})
    other = solved({"name": name, **rest, **{k: times(v, scale) for k, v in amounts.items()}})
    assert list(one) == list(other)
    for key, b in one.items():
        if key.endswith("_bound"):
            continue  # theorems on rewards within [0, 1]
        for role, value in b.value.items():
            found = other[key].value[role]
            assert found == (None if value is None else pytest.approx(scale * value, rel=1e-7, abs=1e-9 * scale)), (key, role)


# --- contracts ------------------------------------------------------------------------------------------------------------
@st.composite
def counted(draw: Any) -> Any:
    """Chances with zeros and twins, costs in any order."""
    n, m = draw(st.integers(2, 4)), draw(st.integers(1, 4))
    rows = np.array([draw(st.lists(st.integers(0, 3), min_size=m, max_size=m).filter(any)) for _ in range(n)], float)
    return rows / rows.sum(1, keepdims=True), np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), float)


def least_deviation(rows: Any, gaps: Any) -> float | None:
    """By trying every set of binding constraints of the monotone program."""
    best, m = rows[-1], rows.shape[1]
    left = np.vstack([best - rows[:-1], (np.eye(m, k=1) - np.eye(m))[:-1]])
    right = np.append(gaps, np.zeros(m - 1))
    risk, found = np.diag(best) - np.outer(best, best), None
    for size in range(min(len(right), m) + 1):
        for some in combinations(range(len(right)), size):
            kept, needed = np.vstack([left[list(some)], best]), np.append(right[list(some)], 0.0)
            both = np.block([[2 * risk, kept.T], [kept, np.zeros((size + 1, size + 1))]])
            t = np.linalg.lstsq(both, np.append(np.zeros(m), needed), rcond=None)[0][:m]
            if np.abs(kept @ t - needed).max() < 1e-9 and (left @ t - right).min() > -1e-9:
                value = float(max(0.0, t @ risk @ t)) ** 0.5
                found = value if found is None else min(found, value)
    return found


@settings(max_examples=50, deadline=None)
@given(counted())
def test_least_deviation_is_that_of_all_sets_of_binding_constraints(instance: Any) -> None:
    rows, costs = instance
    gaps = costs[-1] - costs[:-1]
    found, expected = solve(rows[:-1], rows[-1], gaps, "deviation", "monotone"), least_deviation(rows, gaps)
    assert (found is None) == (expected is None)
    if found is not None:
        assert found.value == pytest.approx(expected, rel=1e-6, abs=1e-6)
        assert np.all(np.diff(found.pay) >= -1e-9) and np.all((rows[-1] - rows[:-1]) @ found.pay >= gaps - 1e-8)


@settings(max_examples=25, deadline=None)
@given(counted(), st.booleans())
def test_contracts_at_the_edge_have_numbers_or_reasons(instance: Any, participation: bool) -> None:
    rows, costs = instance
    for objective, shape in (("deviation", "free"), ("pay", "threshold"), ("budget", "monotone")):
        found = solved({"name": "text_contract", "outcome_probabilities": rows.tolist(), "costs": costs.tolist(), "margin": 0.1,
                        "rewards": list(range(rows.shape[1])), "objective": objective, "shape": shape, "participation": participation})
        for b in found.values():
            numbers = [x for x in (*b.value.values(), *b.measures.values()) if x is not None]
            assert np.all(np.isfinite(numbers)) and (b.exists or b.note)
    efforts = [float(np.arange(len(row)) @ row) / max(1, len(row) - 1) for row in rows]
    for b in solved({"name": "delegated_classification", "accuracies": efforts, "test_size": 3, "costs": costs.tolist(),
                     "participation": participation}).values():
        assert np.all(np.isfinite([x for x in (*b.value.values(), *b.measures.values()) if x is not None])) and (b.exists or b.note)


def test_no_margin_can_be_kept_beside_a_twin() -> None:
    """Without payments that tell them apart nobody is preferred by a margin: no target is implementable, and that is said."""
    found = solved({"name": "text_contract", "outcome_probabilities": [[0.5, 0.5]] * 2, "costs": [0, 0], "rewards": [0, 1], "margin": 0.1})
    assert not found["optimal"].exists and "margin" in found["optimal"].note and not found["cost_aware"].exists


def test_a_text_that_always_passes_bears_no_risk() -> None:
    found = solved({"name": "text_contract", "outcome_probabilities": [[1, 0], [0.5, 0.5], [0, 1]], "costs": [2, 1, 2.5],
                    "objective": "deviation", "shape": "monotone"})["cost_aware"]
    assert found.measures["objective"] == 0 and found.value["agent"] is not None and found.value["agent"] >= -2


def test_all_or_nothing_may_be_raised_until_the_agent_takes_part() -> None:
    spec = {"name": "delegated_classification", "accuracies": [0.0, 0.9], "test_size": 2, "costs": [1.4, 1.5]}
    left = solved(spec)["all_or_nothing"].measures["budget"]
    assert left == pytest.approx(0.1 / 0.99)
    assert solved({**spec, "participation": True})["all_or_nothing"].measures["expected_pay"] == pytest.approx(1.5)


def test_efforts_of_equal_cost_are_diagnosed() -> None:
    found = solved({"name": "delegated_classification", "accuracies": [0.5, 0.4, 0.8], "test_size": 5, "costs": [0, 0, 1]})
    assert found["min_budget"].measures["concave"] in (0.0, 1.0)


# --- states of no chance ----------------------------------------------------------------------------------------------------
@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.integers(-2, 2), min_size=2, max_size=2), min_size=6, max_size=6), st.integers(1, 9))
def test_a_state_of_no_chance_changes_nothing(numbers: list[list[int]], share: int) -> None:
    u, v, rest = numbers[:3], numbers[3:], {"name": "persuasion", "radius": 0}
    chances = [share / 10, 1 - share / 10]
    two = solved({**rest, "prior": chances, "sender_utility": u[:2], "receiver_utility": v[:2]})
    three = solved({**rest, "prior": [*chances, 0], "sender_utility": u, "receiver_utility": v})
    for name, b in two.items():
        assert three[name].value["sender"] == pytest.approx(b.value["sender"], abs=1e-9), name


# --- types of input ---------------------------------------------------------------------------------------------------------
ARRAYS: list[dict[str, Any]] = [
    {"name": "text_contract", "outcome_probabilities": [[1, 0], [0, 1]], "costs": [0, 1], "rewards": [0, 5]},
    {"name": "persuasion", "prior": [1, 0], "sender_utility": [[1, 0], [1, 0]], "receiver_utility": [[1, 0], [-1, 0]]},
    {"name": "private_persuasion", "beliefs": [[1, 0], [0, 1]], "weights": [0.5, 0.5], "sender_utility": [[1, 0], [1, 0]],
     "receiver_utility": [[[1, 0], [-1, 0]]]},
    {"name": "private_persuasion", "beliefs": [0.2, 0.4], "weights": [0.5, 0.5], "odds": [1, 2]},
    {"name": "prompting", "human_means": [[1, 0], [0, 1]], "ai_means": [[1, 0], [0, 1]]},
    {"name": "delegated_classification", "accuracies": [[0, 1], [1, 1]], "costs": [0, 1], "test_size": 3},
    {"name": "adaptive_contract", "coarse": [[1, 0], [0, 1]], "fine": [[1, 0], [0, 1]], "costs": [0, 1], "inspection_cost": [0, 1]},
    {"name": "engagement_breaks", "beta": [1, 2], "alpha": 1, "gamma": 1, "delta": 1},
    {"name": "battle_of_the_sexes", "opera": [10, 9], "football": [9, 10], "weather": [0, 2]},
]


@pytest.mark.parametrize("spec", ARRAYS, ids=lambda s: s["name"])
def test_whole_numbers_and_arrays_are_numbers(spec: dict[str, Any]) -> None:
    arrays = {k: np.array(v) if isinstance(v, list) else v for k, v in spec.items()}
    assert solved(arrays) == solved(spec)


@pytest.mark.parametrize(("spec", "said"), [
    ({"name": "adaptive_contract", "coarse": [[1], [1]], "fine": [[], []], "costs": [0, 1], "inspection_cost": [0]}, "fine"),
    ({"name": "engagement_breaks", "beta": []}, "beta"), ({"name": "screened_contract", "outcome_probabilities": []}, "outcome_prob"),
    ({"name": "prompted_contract", "by_task": [[]], "task_chances": [1]}, "by_task"),
    ({"name": "delegated_classification", "accuracies": [[], [0.5]], "costs": [0, 1]}, "accuracies"),
    ({"name": "text_contract", "costs": [0, 0.1, 1e308]}, "costs: numbers above 1e\\+100"),
    ({"name": "prompting", "human_means": [[1e300, 1]], "ai_means": [[1, 2]]}, "human_means: numbers above"),
    ({"name": "private_persuasion", "beliefs": [0.2, 1], "odds": [0.1, 2]}, "beliefs must lie between 0 and 1")])
def test_empty_tables_are_refused_in_one_line(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as told:
        game_of(spec)
    assert "\n" not in str(told.value)


# --- several types with tables of utilities -----------------------------------------------------------------------------------
def test_tables_of_utilities_in_any_unit() -> None:
    spec: dict[str, Any] = {"name": "private_persuasion", "beliefs": [[0.2, 0.3, 0.5], [0.5, 0.3, 0.2]], "weights": [0.4, 0.6]}
    hers, his = [[0.3, 1, 2.7], [0, 1, 2], [-0.4, 1, 2]], [[[0, 2, 3], [0, 1, -1], [0.1, -2, -3]]]
    one = solved({**spec, "sender_utility": hers, "receiver_utility": his})
    for up, down in ((1e6, 1e-6), (1e-6, 1e-6), (1e-6, 1e6)):
        other = solved({**spec, "sender_utility": times(hers, up), "receiver_utility": times(his, down)})
        for key, b in one.items():
            assert other[key].value["sender"] == pytest.approx(up * (b.value["sender"] or 0.0), rel=1e-7), key

"""The email game: published instances, brute force over plans, and the thresholds by their definition."""
import json
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.errors import FieldError
from parlour.games.base import Benchmark, Query, Rules, Saw
from parlour.games.email import Choice, Email, Report
from parlour.registry import build

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "email.json").read_text())
PARAMETERS = {"p": "prior", "G": "gain", "L": "loss", "k": "thinking_cost", "q": "accuracy", "c": "ask_cost"}


def solved(game: Email, **rules: Any) -> dict[str, Benchmark]:
    return {b.name: b for b in game.benchmarks(Rules.of(**{"queries": 1, **rules}))}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: str(v["input"]))
def test_vectors(vector: dict[str, Any]) -> None:
    expected, game = vector["expected"], Email(**{PARAMETERS[k]: v for k, v in vector["input"].items()}, harm=2.0)
    found = solved(game)
    alone, aided = found["without_ai"], found["with_ai"]
    near = {"abs": vector["tolerance"], "rel": 0}
    assert alone.value["human"] == pytest.approx(expected["V_noAI"], **near)
    assert alone.measures["error"] == pytest.approx(expected["err_noAI"], **near)
    assert alone.value["society"] == pytest.approx(-2 * expected["err_noAI"], **near)
    assert aided.value["human"] == pytest.approx(expected["V_AI"], **near)
    assert aided.measures["error"] == pytest.approx(expected["err_AI"], **near)
    assert aided.measures["ask"] == float(expected["uses_AI"])
    assert aided.measures["willingness_to_pay"] == pytest.approx(expected["c_max"], **near)
    assert solved(game, queries=5)["with_ai"].value["human"] == pytest.approx(expected["V_sequential_max5"], **near)
    if "q_star_follow" in expected:
        assert aided.measures["accuracy_threshold"] == pytest.approx(expected["q_star_follow"], **near)
    if expected.get("S_star_social_harm") is not None:
        assert aided.measures["harm_threshold"] == pytest.approx(expected["S_star_social_harm"], **near)


instances = st.builds(
    Email, prior=st.floats(0, 1), gain=st.floats(0, 10), loss=st.floats(-20, -0.5), thinking_cost=st.floats(0, 12),
    accuracy=st.floats(0, 1), ask_cost=st.floats(0, 3))


def brute_value(game: Email, questions: int) -> float:
    """Best expected payoff by recursion over the raw sequence of reports, with Bayes' rule and no other shortcut."""
    thinking = game.gain - game.thinking_cost

    @cache
    def best(reports: tuple[bool, ...]) -> float:
        weight_a = game.prior
        weight_b = 1 - game.prior
        for says_a in reports:
            weight_a *= game.accuracy if says_a else 1 - game.accuracy
            weight_b *= 1 - game.accuracy if says_a else game.accuracy
        stop = max(thinking * (weight_a + weight_b), weight_a * game.gain + weight_b * game.loss,
                   weight_a * game.loss + weight_b * game.gain)
        if len(reports) == questions:
            return stop
        ask = best((*reports, True)) + best((*reports, False)) - game.ask_cost * (weight_a + weight_b)
        return max(stop, ask)

    return best(())


@settings(deadline=None, max_examples=60)
@given(instances, st.integers(0, 6))
def test_sequential_value_is_the_best_of_all_plans(game: Email, questions: int) -> None:
    assert solved(game, queries=questions)["with_ai"].value["human"] == pytest.approx(brute_value(game, questions), abs=1e-8)


@settings(deadline=None, max_examples=60)
@given(instances)
def test_one_question_is_the_best_of_nine_plans(game: Email) -> None:
    thinking = game.gain - game.thinking_cost
    pay = {("A", True): game.gain, ("A", False): game.loss, ("B", True): game.loss, ("B", False): game.gain,
           ("C", True): thinking, ("C", False): thinking}
    plans = []
    for after_a, after_b in product("ABC", repeat=2):
        plans.append(sum(chance * (game.accuracy * pay[(after_a if a else after_b), a] +
                                   (1 - game.accuracy) * pay[(after_b if a else after_a), a])
                         for chance, a in ((game.prior, True), (1 - game.prior, False))) - game.ask_cost)
    alone = solved(game)["without_ai"].value["human"]
    assert alone is not None
    assert solved(game)["with_ai"].value["human"] == pytest.approx(max(alone, *plans), abs=1e-8)


@settings(deadline=None, max_examples=60)
@given(instances, st.integers(1, 4))
def test_willingness_to_pay_is_the_price_of_indifference(game: Email, questions: int) -> None:
    found = solved(game, queries=questions)
    price, alone = found["with_ai"].measures["willingness_to_pay"], found["without_ai"].value["human"]
    assert price is not None and alone is not None and price > -1e-9
    dearer, cheaper = (brute_value(game.model_copy(update={"ask_cost": price + d}), questions) for d in (1e-4, -1e-4))
    assert dearer == pytest.approx(alone, abs=1e-8)
    assert price < 1e-3 or cheaper > alone + 1e-6


@settings(deadline=None, max_examples=40)
@given(instances, st.integers(1, 3))
def test_accuracy_threshold_is_where_asking_begins_to_pay(game: Email, questions: int) -> None:
    found = solved(game, queries=questions)
    threshold, alone = found["with_ai"].measures["accuracy_threshold"], found["without_ai"].value["human"]
    assert threshold is not None and alone is not None and threshold >= 0.5 - 1e-9
    if game.ask_cost < 1e-3:
        return  # with a free question every accuracy is as good as another, up to rounding
    if threshold + 1e-3 <= 1:
        assert brute_value(game.model_copy(update={"accuracy": threshold + 1e-3}), questions) > alone
    below = min(1.0, threshold - 1e-3)
    if below >= 0.5:
        assert brute_value(game.model_copy(update={"accuracy": below}), questions) == pytest.approx(alone, abs=1e-8)


@pytest.mark.parametrize("said", ["", "A", "B", "AA", "BB", "AAB"])
def test_what_moves_are_worth_follows_from_bayes_rule(said: str) -> None:
    """Every action, and stopping, after these reports; asking where the last question is open."""
    game = Email(prior=0.3, accuracy=0.7, thinking_cost=4.0)
    rules, heard = Rules.of(queries=len(said) + 1), tuple(Saw(role="ai", move=Report.model_validate({"report": r})) for r in said)
    weights = [game.prior, 1 - game.prior]
    for report in said:
        weights = [w * (0.7 if report == state else 0.3) for w, state in zip(weights, "AB", strict=True)]
    chance = weights[0] / sum(weights)

    def worth(chance: float) -> dict[str, float]:
        return {"C": game.gain - 4.0, **{a: p * game.gain + (1 - p) * game.loss for a, p in (("A", chance), ("B", 1 - chance))}}

    found = {m.action: x for m, x in game.options("human", heard, Choice, rules) if isinstance(m, Choice)}
    assert found == pytest.approx(worth(chance))
    (_, stop), (_, ask) = game.options("human", heard, Query, rules)
    says_a = chance * 0.7 + (1 - chance) * 0.3
    after = says_a * max(worth(chance * 0.7 / says_a).values()) + (1 - says_a) * max(worth(chance * 0.3 / (1 - says_a)).values())
    assert (stop, ask) == pytest.approx((max(worth(chance).values()), after - game.ask_cost))


def test_a_repeated_report_is_worth_no_second_question() -> None:
    game = Email(prior=0.3)
    once, repeated, anew = (solved(game, **r)["with_ai"].value["human"] for r in (
        {"queries": 1}, {"queries": 5, "independent": False}, {"queries": 5}))
    assert once == repeated == pytest.approx(2.5)
    assert anew == pytest.approx(2.9142)


def test_an_ai_with_another_interest_is_only_a_bound() -> None:
    found = solved(Email(ai_interest="one_email"))["with_ai"]
    assert found.kind == "bound" and "one_email" in found.note


def test_asking_that_never_pays_has_a_threshold_above_one() -> None:
    found = solved(Email(ask_cost=6.0))["with_ai"]
    assert found.measures["accuracy_threshold"] == pytest.approx(17 / 15) and "never" in found.note


@pytest.mark.parametrize(("fields", "complaint"), [
    ({"prior": 1.2}, "prior"), ({"loss": 7}, "loss (7) must be below gain (5)"), ({"ask_cost": -1}, "ask_cost"),
    ({"acuracy": 0.8}, "did you mean 'accuracy'"), ({"gain": "much"}, "gain"), ({"gain": float("nan")}, "gain"),
])
def test_bad_fields_get_one_clear_line(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FieldError) as raised:
        build("games", "email", fields)
    assert complaint in str(raised.value) and "\n" not in str(raised.value)

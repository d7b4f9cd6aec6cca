"""Private persuasion through its public door: published values, knowledge of simulators by play, cheap talk, bad input."""
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import parlour
from parlour.errors import FieldError, RulesError
from parlour.experiments.design import game_of, protocol_of
from parlour.games.base import Benchmark

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "private_persuasion.json").read_text())
THREE = {"beliefs": [0.2, 0.4, 0.7], "weights": [0.3, 0.4, 0.3]}


def solved(fields: dict[str, Any], **protocol: Any) -> dict[str, Benchmark]:
    game = game_of({"name": "private_persuasion", **fields})
    rules = protocol_of({"name": "simulation_queries", **protocol}, game).rules(game)
    return {b.name: b for b in game.benchmarks(rules)}


def of(x: dict[str, Any]) -> dict[str, Any]:
    return {"beliefs": x["p"], "weights": [w / sum(x["w"]) for w in x["w"]], "odds": x["r"]}


# --- published values ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("x", VECTORS["second_order_prior"], ids=lambda x: x["id"])
def test_second_order_prior(x: dict[str, Any]) -> None:
    most = len(x["value_by_K"]) - 1
    found = solved(of(x), budget=most, adaptive=False)
    for k, value in enumerate(x["value_by_K"]):
        assert found["optimum"].measures[f"value_{k}"] == pytest.approx(value, abs=1e-8)
    assert found["optimum"].value["sender"] == pytest.approx(x["value_by_K"][-1], abs=1e-8)
    assert found["greedy"].value["sender"] == pytest.approx(x["greedy_value_by_K"][-1], abs=1e-8)
    assert found["no_queries"].value["sender"] == pytest.approx(x["value_by_K"][0], abs=1e-8)
    assert found["type_known"].value["sender"] == pytest.approx(x["full_information_value"], abs=1e-8)
    if x["number_of_optimal_cut_sets"][-1] == 1:
        cuts = [v for k, v in found["optimum"].measures.items() if k.startswith("cut_")]
        assert cuts == x["one_optimal_cut_set_by_K"][-1]
    for k, value in enumerate(x["adaptive_value_by_K"]):
        assert solved(of(x), budget=k)["optimum"].value["sender"] == pytest.approx(value, abs=1e-8)
    for price, costly in x["costly"].items():
        fixed = solved(of(x), budget=most, adaptive=False, price=float(price))["optimum"]
        assert fixed.value["sender"] == pytest.approx(costly["nonadaptive"], abs=1e-8)
        free = solved(of(x), budget=len(x["p"]), price=float(price))["optimum"]
        assert free.value["sender"] == pytest.approx(costly["adaptive_expected_cost"], abs=1e-8)


@pytest.mark.parametrize("adaptive", [True, False])
def test_noisy_query_slides(adaptive: bool) -> None:
    x = VECTORS["noisy_query_slides"]
    for e in x["expected"]:
        found = solved({"beliefs": x["inputs"]["p"], "weights": x["inputs"]["w"]}, adaptive=adaptive, flip=e["flip"], repeats=e["repeats"])
        assert found["optimum"].kind == "optimum"
        assert found["optimum"].value["sender"] == pytest.approx(e["value"], abs=1e-9)


def test_cuts_of_a_search_at_a_price_are_listed() -> None:
    four = {"beliefs": [0.1, 0.2, 0.3, 0.4], "weights": [0.25] * 4}
    found = solved(four, budget=3, price=0.02)["optimum"]
    assert found.value["sender"] == pytest.approx(0.46) and [found.measures[f"cut_{i}"] for i in (1, 2, 3)] == [0, 1, 2]


def test_target_value_nonmonotone() -> None:
    x = VECTORS["target_value_nonmonotone"]
    found = solved({"beliefs": x["inputs"]["p"], "weights": x["inputs"]["w"]}, budget=0)["no_queries"]
    assert [found.measures[f"target_value_{k}"] for k in range(5)] == pytest.approx(x["expected"]["G_by_target"], abs=1e-10)
    assert found.measures["target"] == x["expected"]["best"]
    assert found.value["sender"] == pytest.approx(x["expected"]["V"], abs=1e-12)


@pytest.mark.parametrize(("spread", "margin", "share"), [(0.05, 0.1204, 0.9357), (0.1, 0.2148, 0.8892), (0.2, 0.3782, 0.8189),
                                                         (0.3, 0.5256, 0.7666), (0.5, 0.8030, 0.6926)])
def test_the_margin_and_what_it_keeps(spread: float, margin: float, share: float) -> None:
    measures = solved({"beliefs": [0.4], "weights": [1.0]}, spread=spread)["safety_margin"].measures
    assert measures["margin"] == pytest.approx(margin, abs=1e-4) and measures["kept"] == pytest.approx(share, abs=1e-4)
    assert (measures["kept_without"] or 0.0) < share


def test_the_slide_by_hand() -> None:
    found = solved({})
    assert found["no_queries"].value == pytest.approx({"sender": 0.475, "receiver": 0.125})
    assert found["optimum"].value == pytest.approx({"sender": 0.6, "receiver": 0.0})
    measures = found["optimum"].measures
    assert (measures["cell_1_state_2_message_1"], measures["cell_2_state_2_message_1"]) == (pytest.approx(1 / 4), pytest.approx(2 / 3))


# --- families of questions, more states -------------------------------------------------------------------------------
COVER = {"beliefs": [0.05, 0.3, 0.3, 0.3, 0.3], "weights": [0.6, 0.1, 0.1, 0.1, 0.1],
         "partitions": [[0, 1, 2, 0, 0], [0, 0, 1, 2, 0], [0, 1, 0, 0, 2]]}
"""Sets {1,2}, {2,3}, {1,4} of four elements: the last two cover."""


def test_questions_that_cover_tell_all() -> None:
    found = solved(COVER, budget=2, adaptive=False)["optimum"]
    assert [found.measures[f"value_{k}"] for k in range(3)] == pytest.approx([0.24, 0.247368421, 0.3], abs=1e-9)
    assert (found.measures["question_1"], found.measures["question_2"], found.measures["exact"]) == (1, 2, 1)
    assert found.kind == "optimum" and "tried" in found.note
    assert solved(COVER, budget=3, price=0.1)["optimum"].value["sender"] == pytest.approx(0.24)


@pytest.mark.parametrize("price", [0.0, 0.02, 0.2])
@pytest.mark.parametrize("budget", [1, 2, 3])
def test_questions_put_one_after_another_are_worth_the_best_tree(budget: int, price: float) -> None:
    """Against every decision tree over the questions, the expected price of it included."""
    beliefs, weights = (0.1, 0.2, 0.3, 0.4), (0.4, 0.3, 0.2, 0.1)
    questions = ((0, 0, 1, 1), (0, 1, 1, 0), (0, 0, 0, 1))

    def at_end(types: tuple[int, ...]) -> float:
        """One policy for these types: the best target (all odds are below 1)."""
        odds = {t: beliefs[t] / (1 - beliefs[t]) for t in types}
        return max(sum(weights[k] * (beliefs[k] + (1 - beliefs[k]) * odds[t]) for k in types if k >= t) for t in types)

    def tree(types: tuple[int, ...], left: int) -> float:
        best = at_end(types)
        for labels in questions if left else ():
            cells = [tuple(k for k in types if labels[k] == label) for label in (0, 1)]
            if all(cells):
                best = max(best, sum(tree(cell, left - 1) for cell in cells) - price * sum(weights[k] for k in types))
        return best

    found = solved({"beliefs": beliefs, "weights": weights, "partitions": questions}, budget=budget, price=price)["optimum"]
    assert found.value["sender"] == pytest.approx(tree((0, 1, 2, 3), budget), abs=1e-9)


def test_what_is_not_exact_is_said_not_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlour.games.solvers.partitions.LIMIT", 3)
    greedy = solved(COVER, budget=2, adaptive=False)["optimum"]
    assert greedy.kind == "baseline" and greedy.measures["exact"] == 0 and "too many" in greedy.note
    monkeypatch.setattr("parlour.games.solvers.public_messages.PROFILES", 3)
    general = solved({"beliefs": [[0.2, 0.8], [0.6, 0.4]], "sender_utility": [[1, 0], [1, 0]], "receiver_utility": [[[1, 0], [-1, 0]]]})
    assert general["optimum"].kind == "baseline" and general["optimum"].measures["exact"] == 0
    assert "not solved" in general["optimum"].note and "too many messages" in general["optimum"].note
    doubtful = solved({**THREE, "partitions": [[0, 1, 1]]}, flip=0.1)["optimum"]
    assert doubtful.kind == "bound" and "flips are not counted" in doubtful.note


def test_types_who_are_certain_of_a_state() -> None:
    """Beliefs of 0 and 1 may stand in rows: such types hear nothing that moves them."""
    certain = {"beliefs": [[1.0, 0.0], [0.0, 1.0]], "sender_utility": [[1, 0], [1, 0]], "receiver_utility": [[[1, 0], [-1, 0]]]}
    for knows in ("type", "signal", "nothing"):
        assert solved(certain, simulator_knows=knows)["no_queries"].value["sender"] == pytest.approx(0.5)
    with pytest.raises(RulesError, match="no persona"):
        game = game_of({"name": "private_persuasion", **certain})
        protocol_of({"name": "simulation_queries", "simulator_knows": "persona"}, game).seats(game)


def test_two_states_as_tables_are_two_states() -> None:
    """The slide as tables: the same values, by programs instead of formulas."""
    tables = {"beliefs": [[0.2, 0.8], [0.4, 0.6]], "sender_utility": [[1, 0], [1, 0]], "receiver_utility": [[[1, 0], [-1, 0]]]}
    for budget, value in ((0, 0.475), (1, 0.6)):
        assert solved(tables, budget=budget)["optimum"].value["sender"] == pytest.approx(value, abs=1e-9)


# --- what the simulator knows -------------------------------------------------------------------------------------------
LEVELS: list[dict[str, Any]] = [
    {"budget": 2, "price": 0.01, "simulator_knows": "signal", "accuracy": 0.8}, {"budget": 2, "simulator_knows": "persona"},
    {"budget": 3, "simulator_knows": "past", "adaptive": False}, {"simulator_knows": "nothing"}, {"spread": 0.3}, {"binding": False},
    {"flip": 0.1, "repeats": 2, "simulator_knows": "signal", "accuracy": 0.7, "adaptive": False}]


def types_for(protocol: dict[str, Any]) -> dict[str, Any]:
    """Two types where signals and flips make many branches, else three."""
    if "accuracy" in protocol:
        return {"beliefs": [0.25, 0.6], "weights": [0.4, 0.6], "odds": [0.2, 1.4]}
    return {"beliefs": [0.15, 0.25, 0.6], "weights": [0.3, 0.3, 0.4], "odds": [0.3, 0.2, 1.4]}


def playable(protocol: dict[str, Any]) -> list[Benchmark]:
    return [b for b in solved(types_for(protocol), **protocol).values() if b.exists and b.kind != "bound"]


@pytest.fixture(scope="module")
def means(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], float]:
    """(level and benchmark, role) -> the exact mean of play by the benchmark's strategies; all in one run."""
    arms = []
    for i, protocol in enumerate(LEVELS):
        game = {"name": "private_persuasion", **types_for(protocol)}
        spec = {"name": "simulation_queries", **protocol}
        seats = protocol_of(spec, game_of(game)).seats(game_of(game))
        arms += [{"name": f"{i} {b.name}", "game": game, "protocol": spec,
                  "seats": {r: {"agent": "strategy", "benchmark": b.name} for r in seats}} for b in playable(protocol)]
    results = parlour.run({"episodes": "exact", "arms": arms}, tmp_path_factory.mktemp("levels") / "x.duckdb")
    return {(s["arm"], s["role"]): s["value"] for s in results.table().to_dict("records") if s["quantity"] == "payoff"}


@pytest.mark.parametrize("i", range(len(LEVELS)), ids=lambda i: str(LEVELS[i]))
def test_play_earns_what_the_benchmark_says(i: int, means: dict[tuple[str, str], float]) -> None:
    found = playable(LEVELS[i])
    assert found
    for b in found:
        for role, value in b.value.items():
            assert means[f"{i} {b.name}", role] == pytest.approx(value, abs=1e-9), (b.name, role)


def test_a_sender_who_is_not_bound_would_always_send_what_more_types_obey() -> None:
    """Why talk that binds nobody tells nothing: of two messages obeyed by different types, one is better in both states."""
    game = game_of({"name": "private_persuasion", **THREE})
    obeyed = [{k for k, r in enumerate(game.ratios) if r >= ratio} for ratio in (0.1, 0.5, 1.0, 3.0)]  # type: ignore[attr-defined]
    types = list(enumerate(zip(THREE["weights"], THREE["beliefs"], strict=True)))
    by_state = [[sum(w * (p if good else 1 - p) for k, (w, p) in types if k in some) for some in obeyed] for good in (True, False)]
    assert all(a > b for row in by_state for a, b in pairwise(row))
    talk = solved(THREE, binding=False)
    assert talk["cheap_talk"].value == pytest.approx({"sender": 0.3, "receiver": 0.3 * 0.4})
    assert talk["optimum"].kind == "bound" and "bound by her policy" in talk["optimum"].note


def test_knowing_less_is_worth_less() -> None:
    """From a simulator that knows the type, over a signal less and less accurate, to nothing."""
    values = [solved(THREE, budget=2, simulator_knows="signal", accuracy=a)["optimum"].value["sender"] or 0.0 for a in (1.0, 0.8, 0.6, 0.4)]
    nothing = solved(THREE, budget=2, simulator_knows="nothing")["optimum"].value["sender"] or 0.0
    assert values[0] == pytest.approx(0.74) and nothing == pytest.approx(0.59)
    assert all(a > b for a, b in pairwise(values)) and values[-1] >= nothing


def test_personas_make_classes(store: str) -> None:
    """Two types of one persona are one to the simulator; with a persona each, it knows the type."""
    apart = solved({**THREE, "personas": ["a", "b", "c"]}, budget=2, simulator_knows="persona")["optimum"]
    merged = solved({**THREE, "personas": ["a", "a", "c"]}, budget=2, simulator_knows="persona")["optimum"]
    assert apart.value == pytest.approx(solved(THREE, budget=2)["optimum"].value)
    assert 0.59 < (merged.value["sender"] or 0.0) < (apart.value["sender"] or 0.0)
    results = parlour.run({"game": {"name": "private_persuasion", **THREE, "personas": ["trusts nobody", "is kind", "is rash"]},
                           "protocol": {"name": "simulation_queries", "simulator_knows": "persona"}, "episodes": 12,
                           "seats": {"sender": "strategy", "simulator": "mock", "receiver": "strategy"}}, store)
    told = results.sql("SELECT DISTINCT news::VARCHAR AS news FROM ask WHERE role = 'simulator'")["news"]
    assert len(told) == 3 and any("trusts nobody" in x for x in told) and not any("belief" in x for x in told)


def test_words_of_a_message_are_written_without_the_state(store: str) -> None:
    """With pitches the sender words her queries and her message, and knows no more of the state than the message says."""
    results = parlour.run({"game": {"name": "private_persuasion", "pitches": True}, "protocol": "simulation_queries", "episodes": "exact",
                           "seats": dict.fromkeys(("sender", "simulator", "receiver"), "strategy")}, store)
    frame = results.frame().query("role == 'sender'")
    assert (frame["weight"] * frame["net"]).sum() == pytest.approx(0.6, abs=1e-9)
    asks = results.sql("SELECT DISTINCT news::VARCHAR AS news FROM ask WHERE role = 'sender' AND want = 'Say'")["news"]
    assert len(asks) == 2 and all("persuading.Due" in x and "state" not in x for x in asks)


# --- bad input ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("fields", "complaint"), [
    ({"beliefs": [0.2], "weights": [0.5, 0.5]}, "beliefs and weights must be of one length, got 1 and 2"),
    ({"odds": [1.0]}, "beliefs and odds must be of one length, got 2 and 1"),
    ({"weights": [0.5, 0.6]}, "weights must sum to 1, got 1.1"),
    ({"beliefs": [0.0, 0.5]}, "between 0 and 1"),
    ({"partitions": [[0, 1, 1]]}, "beliefs and a partition must be of one length, got 2 and 3"),
    ({"sender_utility": [[1, 0], [1, 0]]}, "both sender_utility and receiver_utility"),
    ({"beliefs": [[0.5, 0.5], [0.2, 0.8]]}, "need sender_utility and receiver_utility"),
    ({"sender_utility": [[1, 0]], "receiver_utility": [[[1, 0], [0, 1]]]}, "tables of one shape"),
    ({"beliefs": [[0.5, 0.6], [0.2, 0.8]], "sender_utility": [[1, 0], [1, 0]], "receiver_utility": [[[1, 0], [-1, 0]]]}, "must sum to 1"),
])
def test_bad_fields(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FieldError, match=complaint):
        game_of({"name": "private_persuasion", **fields})


def test_other_protocols_and_other_games_are_refused() -> None:
    game = game_of({"name": "private_persuasion"})
    with pytest.raises(RulesError, match="protocol simulation_queries"):
        game.admit(protocol_of({"name": "silent"}, game).rules(game))
    email = game_of({"name": "email"})
    with pytest.raises(RulesError, match="leader and a follower"):
        protocol_of({"name": "simulation_queries"}, email).rules(email)
    rounds = game_of({"name": "prompting"})
    with pytest.raises(RulesError, match="horizon = 1"):
        rounds.admit(protocol_of({"name": "simulation_queries"}, rounds).rules(rounds))
    once = game_of({"name": "prompting", "horizon": 1})
    with pytest.raises(RulesError, match="no persona of its ai"):
        protocol_of({"name": "simulation_queries", "simulator_knows": "persona"}, once).seats(once)


@pytest.mark.parametrize("beliefs", [[0.3], [0.3, 0.3], [0.2, 0.4], [0.2, 0.4, 0.4]])
def test_whom_a_type_is_taken_for_has_chances_that_sum_to_one(beliefs: list[float]) -> None:
    """Also where there is nobody else to be taken for."""
    game: Any = game_of({"name": "private_persuasion", "beliefs": beliefs, "weights": [1 / len(beliefs)] * len(beliefs)})
    taken = game.taken("signal", 0.8)
    assert len(taken) == len(beliefs) and all(sum(c for c, _ in some) == pytest.approx(1) for some in taken)

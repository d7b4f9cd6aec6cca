"""The game of persuading one receiver: its vectors, talk without commitment, words that tell too much, and play over HTTP."""
import json
from pathlib import Path
from typing import Any

import pytest

import parlour
from parlour.agents.faults import Faults
from parlour.agents.mock_server import MockServer
from parlour.errors import RulesError
from parlour.experiments.design import game_of, protocol_of
from parlour.games.base import Say, learned
from parlour.games.persuading import Due, Policy
from parlour.games.persuasion import Insight, Persuasion
from parlour.protocols.codec import write
from parlour.protocols.seat import Agent, Reply, Turn
from parlour.transcripts.independence import Told, channel, independence

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "persuasion.json").read_text())
BOUND = {"name": "simulation_queries", "budget": 0}
FREE = {**BOUND, "binding": False}
INTERVIEW: dict[str, Any] = {"sender_utility": [[0, 1, 2]] * 2,
                             "receiver_utility": [[0, -0.75, 0.25], [0, 0.25, -0.75]], "prior": [0.5, 0.5]}
OPPOSED: dict[str, Any] = {"prior": [0.5, 0.3, 0.2], "sender_utility": [[0.9, 0.2], [0.1, 0.8], [0.4, 0.6]],
                           "receiver_utility": [[0.7, 0.1], [0.3, 0.5], [0.9, 0.2]]}


def benchmarks(fields: dict[str, Any], **rules: Any) -> dict[str, Any]:
    game = game_of({"name": "persuasion", **fields})
    return {b.name: b for b in game.benchmarks(game.usual_rules.but(**rules))}


@pytest.mark.parametrize("vector", [v for v in VECTORS if "uS" in v["inputs"]], ids=lambda v: v["id"])
def test_the_vectors_through_the_game(vector: dict[str, Any]) -> None:
    given, want = vector["inputs"], vector["expected"]
    found = benchmarks({"prior": given["mu"], "sender_utility": given["uS"], "receiver_utility": given["uR"]})
    for name, key in (("optimum", "value"), ("no_information", "no_info"), ("full_information", "full_info")):
        assert found[name].value["sender"] == pytest.approx(want[key], abs=1e-8)
    policy = [[found["optimum"].measures[f"state_{w + 1}_message_{a + 1}"] for a in range(len(row))]
              for w, row in enumerate(want["policy"])]
    assert policy == [pytest.approx(row, abs=1e-8) for row in want["policy"]]
    assert found["optimum"].measures["gain"] in (pytest.approx(1), None)
    assert found["no_information"].value["sender"] <= found["cheap_talk"].value["sender"] + 1e-9


def test_bad_games_are_one_line() -> None:
    for fields, said in (({"prior": [0.5, 0.6]}, "must sum to 1"), ({"prior": [1.0]}, "each of the 1 states"),
                         ({"informed": True}, "pitches"),
                         ({"sender_utility": [[1, 0], [1]]}, "a row of 2 utilities")):
        with pytest.raises(ValueError, match=said):
            Persuasion(**fields)
    with pytest.raises(RulesError, match="simulation_queries"):
        game = game_of({"name": "persuasion"})
        game.admit(protocol_of({"name": "silent"}, game).rules(game))


@pytest.mark.parametrize("fields", [{}, INTERVIEW, OPPOSED], ids=["defaults", "interview", "opposed"])
def test_talk_that_binds_nobody_is_played(fields: dict[str, Any], store: str) -> None:
    """Announced, then said: what the best equilibrium of cheap talk is worth is what it pays; the optimum is only a bound."""
    game = {"name": "persuasion", **fields}
    known = benchmarks(fields, binding=False)
    assert (known["cheap_talk"].kind, known["optimum"].kind) == ("equilibrium", "bound")
    results = parlour.run({"game": game, "protocol": FREE, "episodes": "exact",
                           "seats": {r: {"agent": "strategy", "benchmark": "cheap_talk"} for r in ("sender", "receiver")}}, store)
    paid = {s["role"]: s["value"] for s in results.table().to_dict("records") if s["quantity"] == "payoff"}
    assert paid == {r: pytest.approx(known["cheap_talk"].value[r], abs=1e-9) for r in ("sender", "receiver")}
    assert known["cheap_talk"].value["sender"] <= known["optimum"].value["sender"] + 1e-9


def test_what_her_word_is_worth_is_what_the_example_says() -> None:
    """Figures of examples/what_her_word_is_worth.toml."""
    found = {name: b.value["sender"] for name, b in benchmarks(INTERVIEW).items()}
    assert [round(found[k], 3) for k in ("optimum", "cheap_talk", "no_information", "robust")] == [1.667, 1.0, 0.0, 1.636]


def test_a_large_game_of_talk_says_that_it_is_not_solved() -> None:
    states = 7
    fields = {"prior": [1 / states] * states, "sender_utility": [[i, 1] for i in range(states)],
              "receiver_utility": [[1, 0]] * states}
    assert benchmarks(fields)["cheap_talk"].value["sender"] is None and "not enumerated" in benchmarks(fields)["cheap_talk"].note


# --- words ----------------------------------------------------------------------------------------------------------------
class Teller(Agent):
    """Always recommends the first action; in words, says what it was told of the state, or always the same."""
    leaks: bool = True

    async def reply(self, turn: Turn) -> Reply:
        want = turn.ask.want
        if issubclass(want, Policy):
            return Reply(write(want.model_validate({"rows": [[1, 0], [1, 0]]}), turn.wording))
        assert issubclass(want, Say) and learned(turn.information, Due)
        told = learned(turn.information, Insight)[-1].state
        praise = ("excellent", "nothing special")[told] if self.leaks else "fine"
        return Reply(f"Believe me, this one is {praise}, number {turn.seed % 97}.")


@pytest.mark.parametrize("leaks", [True, False])
def test_words_that_tell_the_state_are_found_and_scored(leaks: bool, store: str) -> None:
    """Over HTTP. The policy tells nothing, so it is worth 0; her words tell all, which is worth .3 to a reader."""
    with MockServer(agents={"teller": Teller(leaks=leaks)}) as server:
        seat = {"agent": "llm", "model": "teller", "endpoint": server.endpoint, "is_mock": True}
        results = parlour.run({"game": {"name": "persuasion", "pitches": True, "informed": True}, "protocol": BOUND, "episodes": 40,
                               "seed": 3, "seats": {"sender": seat, "receiver": "strategy"}, "concurrency": 16}, store)
    found = {s["benchmark"]: s for s in results.table().to_dict("records") if s["quantity"] in ("policy", "independence")}
    assert found["stated policy, receivers at their best"]["value"] == pytest.approx(0)
    tested = found["words and state, given the message"]
    assert ("words tell the state" in tested["note"] and "no sign" not in tested["note"]) == leaks
    assert found["realised information, receivers at their best"]["value"] == pytest.approx(0.3 * leaks)
    assert found["best answers to policy and message"]["value"] == 1


def test_independence_is_kept_at_its_level() -> None:
    """Words drawn whatever the state: rejected as seldom as the level says. Words that lean on it: found."""
    import random
    rng, rejected = random.Random(1), 0
    for trial in range(60):
        texts = [Told(0, i % 2, " ".join(rng.choice("abcdefgh") for _ in range(4))) for i in range(16)]
        rejected += independence(texts, trial, 99).p <= 0.05  # type: ignore[operator]  # two states were met
    assert rejected <= 8
    leaning = [Told(0, i % 2, " ".join(rng.choice("abcd" if i % 2 else "cdef") for _ in range(4))) for i in range(40)]
    found = independence(leaning)
    assert found.p is not None and found.p < 0.01
    right = channel(leaning, found.guesses)
    assert right[0, 0].get(0, 0) > 0.6 and right[0, 1].get(1, 0) > 0.6
    assert independence([Told(0, 0, "x"), Told(1, 1, "y")]).p is None


def test_models_play_it_over_http_with_faults(store: str) -> None:
    """Mock models at every seat, a simulator too, a fifth of the calls going wrong: every episode ends, most of them well."""
    with MockServer(faults=Faults(rate=0.2, kinds=("malformed", "500", "length"))) as server:
        seat = {"agent": "llm", "model": "any", "endpoint": server.endpoint, "is_mock": True}
        results = parlour.run({"game": {"name": "persuasion", "pitches": True}, "protocol": {"name": "simulation_queries", "budget": 1},
                               "episodes": 24, "seed": 1, "wordings": ["all"], "attempts": 4, "concurrency": 16,
                               "seats": {"sender": seat, "receiver": seat, "simulator": seat}}, store)
    assert set(results.frame()["status"]) <= {"done", "forfeit"} and (results.frame()["status"] == "done").mean() > 0.9
    table = results.table()
    assert {"stated policy, receivers at their best", "persuasion gain"} <= set(table["benchmark"])
    assert table[table["benchmark"] == "invalid replies"]["value"].max() > 0.05

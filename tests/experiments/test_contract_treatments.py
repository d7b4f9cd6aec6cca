"""A principal, an agent, writers and a judge behind real HTTP, in every treatment of contracts, with faults."""
from pathlib import Path
from typing import Any

import pytest

import parlour
from parlour.agents.faults import Faults
from parlour.agents.mock_server import MockServer
from parlour.transcripts.compliance import compliance
from parlour.transcripts.texts import evaluators

TASKS = [{"prompt": "What is six times seven?", "gold": "42", "rubric": "2 if it is right, else 1."},
         {"prompt": "Capital of France?", "gold": "Paris"}]
TREATMENTS: dict[str, dict[str, Any]] = {
    "choice only": {"name": "text_contract"},
    "in words": {"name": "text_contract", "prose": 1},
    "real generation": {"name": "text_contract", "tasks": TASKS, "gold": True},
    "task seen first": {"name": "text_contract", "tasks": TASKS, "chooses": "after"},
    "negotiated": {"name": "negotiated_contract", "rounds": 3},
    "negotiated in words": {"name": "negotiated_contract", "rounds": 2, "prose": 0},
    "repeated, hidden": {"name": "repeated_contract", "rounds": 3},
    "repeated, revealed": {"name": "repeated_contract", "rounds": 3, "revealed": True, "tasks": TASKS},
    "menu by reported cost": {"name": "menu_contract"},
    "calibration": {"name": "calibration", "tasks": TASKS, "gold": True},
}
GAMES = {"menu by reported cost": "screened_contract"}
"""Treatment -> its game, where that is not `text_contract`."""


def design(endpoint: str, protocol: dict[str, Any], game: str = "text_contract") -> dict[str, Any]:
    from parlour.experiments.design import game_of, protocol_of
    seat = {"agent": "llm", "model": "mock", "endpoint": endpoint, "is_mock": True, "price_in": 1.0, "price_out": 2.0}
    roles = protocol_of(protocol, made := game_of({"name": game})).seats(made)
    seats = {role: "exact_match" if role == "gold" else seat for role in roles}
    return {"name": "treatment", "seed": 3, "episodes": 10, "wait": 0.01, "calls": 40, "attempts": 20, "game": game, "protocol": protocol,
            "seats": seats, "wordings": "all"}


@pytest.mark.parametrize("name", TREATMENTS)
def test_models_play_every_treatment_over_http_with_faults(name: str, tmp_path: Path) -> None:
    """With four calls in ten faulty: every episode is played, what was said and paid is as in one without faults of the
    service, and all of it can be measured and verified."""
    with MockServer(faults=Faults(rate=0.4, pause=0.01)) as server:
        results = parlour.run(design(server.endpoint, TREATMENTS[name], GAMES.get(name, "text_contract")), tmp_path / "x.duckdb")
        assert sum(server.met.values()) > 3, "there were faults"
    frame = results.frame()
    assert set(frame["status"]) == {"done"} and results.status == "done"
    verdicts = set(results.sql("SELECT DISTINCT verdict FROM attempt")["verdict"])
    assert {"ok", "error"} <= verdicts, "faults are on record"
    measured = {s["benchmark"] for s in compliance(results.store, results.run)}
    if name == "calibration":
        assert evaluators(results.store, results.run) and not measured
    else:
        assert {"compliance", "expected regret", "slack", "valid at worst admissible costs", "realised less expected pay"} <= measured
    if "tasks" in TREATMENTS[name]:
        cost = results.sql("SELECT sum(cost) AS cost FROM attempt JOIN ask USING (run, episode, turn) WHERE role LIKE 'writer%'")["cost"][0]
        assert cost > 0, "writers are billed at their price"


def test_faults_of_the_service_change_no_contract(tmp_path: Path) -> None:
    played = "SELECT episode, role, net FROM payoff ORDER BY ALL"
    with MockServer() as good, MockServer(faults=Faults(rate=0.3, kinds=("429", "500", "drop", "cut"), pause=0.01)) as bad:
        whole = parlour.run(design(good.endpoint, TREATMENTS["real generation"]), tmp_path / "a.duckdb")
        faulty = parlour.run(design(bad.endpoint, TREATMENTS["real generation"]), tmp_path / "b.duckdb")
    assert whole.store.rows(played) == faulty.store.rows(played)

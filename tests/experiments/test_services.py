"""Whole runs against a service over HTTP: a wrong key, nobody there, a service that goes away, and keys that reach no file."""
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import parlour
from parlour.agents.faults import Faults
from parlour.agents.mock_server import MockServer
from parlour.errors import InputError, ParlourError
from parlour.experiments import api
from parlour.experiments.cli import main
from parlour.transcripts.bill import bill

KEY = "sk-test-0123456789-do-not-store"
PLAYED = "SELECT episode, role, net FROM payoff ORDER BY ALL"


def seat(endpoint: str, **fields: Any) -> dict[str, Any]:
    return {"agent": "llm", "model": "mock", "endpoint": endpoint, "key_env": "PARLOUR_TEST_KEY", "is_mock": True, **fields}


def design(endpoint: str, **fields: Any) -> dict[str, Any]:
    return {"name": "service", "seed": 2, "episodes": 16, "game": "email", "protocol": "advice", "wait": 0.01,
            "seats": {"human": seat(endpoint), "ai": seat(endpoint)}, **fields}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLOUR_TEST_KEY", KEY)


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer(key=KEY) as running:
        yield running


def bytes_of(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())


def test_no_key_reaches_a_file(server: MockServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    results = parlour.run(design(server.endpoint), tmp_path / "x.duckdb")
    results.table()
    api.Results(results.store, results.run).frame().to_csv(tmp_path / "frame.csv")
    assert set(results.frame()["status"]) == {"done"}
    assert b"PARLOUR_TEST_KEY" in bytes_of(tmp_path), "the name of the variable is part of the spec"
    assert KEY.encode() not in bytes_of(tmp_path)
    out, err = capfd.readouterr()
    assert KEY not in out + err


def test_a_wrong_key_stops_the_run_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: MockServer) -> None:
    monkeypatch.setenv("PARLOUR_TEST_KEY", KEY + "-wrong")
    with pytest.raises(InputError) as raised:
        parlour.run(design(server.endpoint), tmp_path / "x.duckdb")
    message = str(raised.value)
    assert "401" in message and "PARLOUR_TEST_KEY" in message and "resume" in message and "\n" not in message
    assert KEY not in message and KEY.encode() not in bytes_of(tmp_path)
    monkeypatch.setenv("PARLOUR_TEST_KEY", KEY)
    assert api.resume("latest", tmp_path / "x.duckdb").status == "done"


def test_nobody_there_is_told_at_once_and_nothing_written(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = time.monotonic()
    with pytest.raises(ParlourError, match="does not answer"):
        parlour.run(design(f"http://127.0.0.1:{port}/v1", wait=60.0), tmp_path / "x.duckdb")
    assert time.monotonic() - start < 10 and list(tmp_path.iterdir()) == []


def test_a_service_that_goes_away_stops_the_run_which_can_be_resumed(tmp_path: Path) -> None:
    with MockServer(key=KEY) as first:
        whole = parlour.run(design(first.endpoint), tmp_path / "whole.duckdb")
        port = int(first.endpoint.split(":")[2].split("/")[0])
    with ExitStack() as service, pytest.raises(ParlourError, match=r"does not answer.*resume"):
        gone = service.enter_context(MockServer(port, key=KEY))

        def leave(event: dict[str, Any]) -> None:
            if event["k"] == "reply" and event["e"] == 3:
                service.close()
        api.synchronous(api.start(api.make_design(design(gone.endpoint, calls=2)), api.Store(tmp_path / "x.duckdb"), leave))
    with MockServer(port, key=KEY):
        assert api.resume("latest", tmp_path / "x.duckdb").status == "done"
    assert api.Store(tmp_path / "x.duckdb").rows(PLAYED) == whole.store.rows(PLAYED)


def test_faults_of_the_service_change_no_move(tmp_path: Path, server: MockServer) -> None:
    whole = parlour.run(design(server.endpoint), tmp_path / "whole.duckdb")
    kinds = ("429", "429_wait", "500", "503", "drop", "cut")
    with MockServer(key=KEY, faults=Faults(rate=0.4, kinds=kinds, pause=0.01)) as bad:
        results = parlour.run(design(bad.endpoint, calls=20), tmp_path / "bad.duckdb")
    assert results.store.rows(PLAYED) == whole.store.rows(PLAYED)
    errors = results.sql("SELECT count(*) AS n FROM attempt WHERE verdict = 'error'")["n"][0]
    calls = results.sql("SELECT count(*) AS n FROM call")["n"][0]
    assert errors > 5 and calls == errors, "every further call has its intent on record"


def test_the_command_line_says_it_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                              capsys: pytest.CaptureFixture[str], server: MockServer) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARLOUR_TEST_KEY", "wrong")
    assert main(["play", "email", "--seat", f"human={json.dumps(seat(server.endpoint))}", "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("parlour: ") and err.count("\n") == 1 and "401" in err
    os.environ.pop("PARLOUR_TEST_KEY")
    assert main(["play", "email", "--seat", f"human={json.dumps(seat(server.endpoint))}"]) == 2
    assert "set the environment variable PARLOUR_TEST_KEY" in capsys.readouterr().err


@pytest.mark.parametrize("faulty", [False, True])
def test_a_seat_that_deliberates_talks_to_a_service_as_any_other(tmp_path: Path, faulty: bool) -> None:
    """What it asks of itself goes as data too, where the endpoint is declared as the mock."""
    pytest.importorskip("langgraph")
    with MockServer(key=KEY, faults=Faults(rate=0.2 * faulty, kinds=("429", "500", "drop", "malformed"), pause=0.01)) as running:
        seats = {role: {"agent": "deliberate", "inner": seat(running.endpoint)} for role in ("human", "ai")}
        results = parlour.run(design(running.endpoint, seats=seats, episodes=6, calls=30), tmp_path / "x.duckdb")
        assert running.last is not None and "parlour" in running.last
    assert set(results.frame()["status"]) == {"done"}
    verdicts = set(results.sql("SELECT verdict FROM attempt")["verdict"])
    assert verdicts == ({"ok", "error", "invalid"} if faulty else {"ok"})
    assert main(["verify", "--store", str(tmp_path / "x.duckdb")]) == 0


PAID = "SELECT sum(cost) AS cost, count(*) FILTER (verdict = 'error' AND cost > 0) AS broken FROM attempt WHERE run = ?"
COUNTED = "SELECT spent FROM stop WHERE run = ? ORDER BY written DESC LIMIT 1"


@pytest.mark.parametrize("budget", [50.0, 0.02])
def test_what_a_broken_deliberation_took_is_on_record(tmp_path: Path, budget: float) -> None:
    """Drafts are paid for though the critique after them fails, or no longer fits into the budget."""
    pytest.importorskip("langgraph")
    with MockServer(key=KEY, faults=Faults(rate=0.3, kinds=("429", "500"))) as running:
        model = seat(running.endpoint, price_in=1.0, price_out=100.0, max_tokens=50)
        seats = {"human": {"agent": "deliberate", "inner": model}, "ai": "strategy"}
        made = design(running.endpoint, seats=seats, episodes=8, calls=40, budget=budget, concurrency=1)
        results = parlour.run(made, tmp_path / "x.duckdb")
        assert results.status == ("done" if budget > 1 else "stopped")
        paid, counted = (results.store.rows(q, [results.run])[0] for q in (PAID, COUNTED))
        assert paid["broken"] > 0 and paid["cost"] == pytest.approx(counted["spent"])
        assert results.sql("SELECT * FROM possibly_paid").empty
        assert f"US$ {paid['cost']:.4g}" in bill(results.store, results.run)
        assert main(["verify", "--store", str(tmp_path / "x.duckdb")]) == 0
        if budget < 1:
            assert results.store.rows("SELECT 1 FROM attempt WHERE finish = 'budgetspent' AND cost > 0")
            assert main(["resume", "--store", str(tmp_path / "x.duckdb"), "--budget", "50"]) == 0
            paid, counted = (results.store.rows(q, [results.run])[0] for q in (PAID, COUNTED))
            assert paid["cost"] == pytest.approx(counted["spent"]) and results.sql("SELECT * FROM possibly_paid").empty

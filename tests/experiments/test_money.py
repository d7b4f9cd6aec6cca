"""Money over whole runs: prices, estimates, budgets that hold, caches, models that change under a run."""
import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import parlour
from parlour.agents.faults import Faults
from parlour.agents.llm import LLM
from parlour.agents.mock_server import MockServer
from parlour.agents.purse import Purse
from parlour.errors import BudgetSpent, DesignError, StoreError
from parlour.experiments import api
from parlour.experiments.cli import main
from parlour.experiments.design import Priced, make_design
from parlour.experiments.estimate import Estimate, costly, estimate
from parlour.experiments.estimate import lines as estimate_lines
from parlour.experiments.money import price_of, spent, table
from parlour.transcripts.bill import bill
from parlour.transcripts.drift import drift
from parlour.transcripts.journal import read
from parlour.transcripts.store import Store

PLAYED = "SELECT episode, role, net FROM payoff ORDER BY ALL"
BILLED = "SELECT count(*) AS n, sum(cost) AS cost FROM attempt WHERE verdict <> 'error'"


def seat(endpoint: str, **fields: Any) -> dict[str, Any]:
    return {"agent": "llm", "model": "mock", "endpoint": endpoint, "is_mock": True, "price_in": 100.0, "price_out": 1000.0,
            "max_tokens": 20, **fields}


def design(endpoint: str, **fields: Any) -> dict[str, Any]:
    return {"name": "money", "seed": 2, "episodes": 16, "game": "email", "protocol": "advice", "wait": 0.01,
            "seats": {"human": seat(endpoint), "ai": seat(endpoint)}, **fields}


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer() as running:
        yield running


def journal(results: api.Results) -> list[dict[str, Any]]:
    return list(read(results.store.journals / f"{results.run}.jsonl"))


# --- prices -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("fields, price", [
    ({"model": "gpt-4o-mini"}, (0.15, 0.6)), ({"model": "gpt-4o-mini-2024-07-18"}, (0.15, 0.6)),
    ({"model": "gpt-4o-audio-preview"}, None), ({"model": "gpt-99"}, None),
    ({"model": "gpt-4o-mini", "endpoint": "http://127.0.0.1:1/v1"}, None),
    ({"model": "gpt-4o-mini", "endpoint": "https://api.openai.com/v1/"}, (0.15, 0.6)),
    ({"model": "anthropic/claude-sonnet-4-5-20250929", "provider": "litellm"}, (3.0, 15.0)),
    ({"model": "openai/gpt-4o", "provider": "litellm"}, (2.5, 10.0)),
    ({"model": "mine-7b", "endpoint": "http://127.0.0.1:1/v1"}, (1.0, 2.0)),
    ({"model": "mock", "endpoint": "http://127.0.0.1:1/v1", "is_mock": True}, (0.0, 0.0))])
def test_prices(fields: dict[str, Any], price: tuple[float, float] | None) -> None:
    assert price_of(LLM(**fields), {"mine-*": Priced(price_in=1.0, price_out=2.0)}) == price


def test_the_table_says_what_it_is() -> None:
    assert table()["version"][:2] == "20" and table()["source"]
    assert all(0 < low < high for low, high in table()["models"].values())


# --- the purse ----------------------------------------------------------------------------------------------------------
def test_a_call_waits_for_those_under_way_and_no_longer() -> None:
    async def play() -> None:
        purse = Purse(1.0)
        await purse.reserve(0.6)
        second = asyncio.create_task(purse.reserve(0.6))
        await asyncio.sleep(0.01)
        assert not second.done()
        purse.settle(0.6, 0.1)
        await asyncio.wait_for(second, 1)
        third, fourth = (asyncio.create_task(purse.reserve(0.6)) for _ in range(2))
        await asyncio.sleep(0.01)
        purse.settle(0.6, 0.6)
        with pytest.raises(BudgetSpent, match=r"US\$ 1 is spent: US\$ 0\.7 so far"):
            await third
        with pytest.raises(BudgetSpent):
            await fourth
        with pytest.raises(BudgetSpent):
            await purse.reserve(0.0)

    asyncio.run(play())


# --- budgets ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("faulty", [False, True])
def test_a_budget_holds_and_the_run_goes_on_with_a_larger_one(tmp_path: Path, faulty: bool) -> None:
    faults = Faults(rate=0.3, kinds=("429", "500", "drop", "cut", "malformed", "length"), pause=0.01) if faulty else Faults()
    with MockServer(faults=faults) as server:
        whole = parlour.run(design(server.endpoint, calls=20), tmp_path / "whole.duckdb")
        cost = whole.sql(BILLED)["cost"][0]
        sent = server.replies
        part = parlour.run(design(server.endpoint, calls=20, budget=cost / 2), tmp_path / "part.duckdb")
        assert part.status == "stopped" and part.sql(BILLED)["cost"][0] <= cost / 2
        assert part.sql("SELECT status, spent FROM stop").values.tolist()[0][0] == "stopped"
        assert part.sql("SELECT * FROM possibly_paid").empty, "what the budget refused was not paid"
        assert cost / 4 < spent(journal(part)) <= cost / 2 and part.sql(BILLED)["n"][0] > 5
        with pytest.raises(BudgetSpent):
            api.resume(part.run, part.store.path, budget=cost / 1e6)
        again = api.resume(part.run, part.store.path)
        assert again.status == "stopped", "with the same budget there is still nothing left"
        rest = api.resume(part.run, part.store.path, budget=10 * cost)
        assert rest.status == "done"
        if not faulty:
            assert server.replies == 2 * sent and rest.sql(BILLED)["cost"][0] == pytest.approx(cost), "nothing is paid twice"
    assert rest.store.rows(PLAYED) == whole.store.rows(PLAYED)


@pytest.mark.parametrize("change, complaint", [
    ({"price_in": None, "is_mock": False}, "needs the price"), ({"max_tokens": None}, "needs max_tokens"),
    ({"extra": {"max_completion_tokens": 9}}, "needs max_tokens")])
def test_a_budget_needs_to_know_the_worst(server: MockServer, tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    seats = {"human": seat(server.endpoint, **change), "ai": "mock"}
    with pytest.raises(DesignError, match=complaint):
        parlour.run(design(server.endpoint, seats=seats, budget=5.0), tmp_path / "x.duckdb")
    assert list(tmp_path.iterdir()) == [] and server.requests == 0


@pytest.mark.parametrize("inner", [False, True])
def test_a_budget_cannot_hold_a_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inner: bool) -> None:
    graph = {"agent": "graph", "path": "graphs:any"}
    (tmp_path / "graphs.py").write_text("class Any:\n    async def ainvoke(self, *given, **options): ...\nany = Any()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    seats = {"human": {"agent": "deliberate", "inner": graph} if inner else graph, "ai": "mock"}
    with pytest.raises(DesignError, match="no budget can hold"):
        parlour.run(design("http://127.0.0.1:1/v1", seats=seats, budget=5.0), tmp_path / "x.duckdb")


# --- the cache ----------------------------------------------------------------------------------------------------------
def test_a_run_again_from_the_cache_is_the_same_and_free(tmp_path: Path) -> None:
    with MockServer(faults=Faults(rate=0.3, kinds=("429", "500", "malformed"), first_tries=1)) as server:
        made = design(server.endpoint, cache="read-write")
        first = parlour.run(made, tmp_path / "x.duckdb")
        asked = server.requests
        second = parlour.run(made, tmp_path / "x.duckdb")
        assert server.requests == asked
        third = parlour.run({**made, "seed": 3}, tmp_path / "x.duckdb")
        assert server.requests > asked, "another seed is another draw"
    fourth = parlour.run({**made, "cache": "read-only"}, tmp_path / "x.duckdb")  # nobody is there any more
    with pytest.raises(StoreError, match="not in the cache"):
        parlour.run({**made, "cache": "read-only", "seed": 4}, tmp_path / "x.duckdb")
    assert first.sql("SELECT * FROM possibly_paid").empty and len(first.sql("SELECT * FROM unmade")), "nobody was asked for it"
    rows = {r.run: r.store.rows("SELECT episode, role, net FROM payoff WHERE run = ? ORDER BY ALL", [r.run])
            for r in (first, second, third, fourth)}
    assert rows[first.run] == rows[second.run] == rows[fourth.run] != rows[third.run]
    cached = first.store.rows("SELECT run, count(*) FILTER (cached) AS hits, count(*) AS n, sum(cost) AS cost FROM attempt "
                              "WHERE verdict <> 'error' GROUP BY run")
    hits = {r["run"]: r for r in cached}
    assert hits[first.run]["hits"] == 0 and hits[second.run]["hits"] == hits[second.run]["n"] and hits[second.run]["cost"] == 0
    assert "from the cache" in bill(second.store, second.run) and "US$" in bill(first.store, first.run)


# --- drift --------------------------------------------------------------------------------------------------------------
def test_a_model_that_changes_under_a_run_is_told(tmp_path: Path, server: MockServer, monkeypatch: pytest.MonkeyPatch,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    steady = parlour.run(design(server.endpoint), tmp_path / "steady.duckdb")
    assert drift(steady.store, steady.run) == []
    assert steady.sql("SELECT DISTINCT fingerprint FROM attempt").values.tolist() == [["mock_1"]]

    def change(event: dict[str, Any]) -> None:
        if event["k"] == "reply" and event["e"] == 4:
            monkeypatch.setattr("parlour.agents.mock_server.VERSION", 2)

    path = tmp_path / "x.duckdb"
    made = make_design(design(server.endpoint, concurrency=1))
    run, _ = api.synchronous(api.start(made, Store(path), change))
    warnings = drift(Store(path), run)
    assert len(warnings) == 2 and "mock_1" in warnings[0] and "then mock:random:1 mock_2" in warnings[0]
    assert main(["score", "--store", str(path)]) == 0
    assert "warning: main, ai: the model changed under the run" in capsys.readouterr().err


# --- estimates ----------------------------------------------------------------------------------------------------------
def estimated(**fields: Any) -> Estimate:
    return api.synchronous(estimate(make_design({"name": "e", "game": "email", "protocol": "advice", "episodes": 200, **fields})))


def test_an_estimate_needs_nobody_and_counts_what_would_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    one = estimated(seats={"human": {"agent": "llm", "model": "gpt-4o-mini"}, "ai": "mock"})
    two = estimated(seats={"human": {"agent": "llm", "model": "gpt-4o-mini", "system": "x" * 8000}, "ai": "mock"})
    assert one.rehearsed == 12 and one.prices == {"gpt-4o-mini": (0.15, 0.6)} and one.unknown == ()
    assert 200 <= one.calls[0] <= one.calls[1] and all(low < high for low, high in (one.tokens_in, one.tokens_out, one.cost))
    assert two.tokens_in[0] - one.tokens_in[0] > 200 * 1900 * 0.7, "a system message is paid at every call"
    assert one == estimated(seats={"human": {"agent": "llm", "model": "gpt-4o-mini"}, "ai": "mock"})
    thrice = estimated(seats={"human": {"agent": "deliberate", "inner": {"agent": "llm", "model": "x"}}, "ai": "mock"})
    assert thrice.unknown == ("x",) and thrice.cost == (0.0, 0.0) and thrice.calls[0] == pytest.approx(3 * one.calls[0], rel=0.2)


def test_no_budget_holds_what_has_no_price() -> None:
    said = list(estimate_lines(estimated(seats={"human": {"agent": "llm", "model": "x"}, "ai": "mock"}), 1.0))
    assert said[-1].endswith("cannot be held while a price is not known: a run refuses it")


def test_an_estimate_holds_the_calls_that_are_made(tmp_path: Path, server: MockServer) -> None:
    made = design(server.endpoint, episodes=100, seats={"human": seat(server.endpoint, max_tokens=1024), "ai": "mock"})
    found = api.synchronous(estimate(make_design(made)))
    results = parlour.run(made, tmp_path / "x.duckdb")
    calls = results.sql("SELECT count(*) AS n FROM attempt WHERE prompt IS NOT NULL AND cost > 0")["n"][0]
    assert found.calls[0] * 0.95 <= calls <= found.calls[1]


def test_the_command_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str], server: MockServer) -> None:
    def toml(human: str, rest: str = "") -> str:
        path = tmp_path / "d.toml"
        path.write_text(f'episodes = 12\nseed = 2\n{rest}\ngame = "email"\nprotocol = "advice"\n[seats]\nai = "mock"\nhuman = {human}\n')
        return str(path)

    paid = toml('{agent = "llm", model = "gpt-4o-mini"}')
    assert main(["estimate", paid, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["prices"] == {"gpt-4o-mini": [0.15, 0.6]}
    assert main(["estimate", paid, "--budget", "9"]) == 0
    assert "budget of US$ 9 is likely to hold" in capsys.readouterr().out
    assert main(["estimate", toml('{agent = "llm", model = "x"}')]) == 0
    assert "the price of x is not known" in capsys.readouterr().out
    assert main(["estimate", paid, "--episodes", "exact"]) == 2
    assert capsys.readouterr().err.count("\n") == 1

    store = ["--store", str(tmp_path / "s.duckdb")]
    mock = f'{{agent = "llm", model = "mock", endpoint = "{server.endpoint}", price_in = 100, price_out = 100, max_tokens = 40}}'
    assert main(["run", toml(mock, "budget = 0.3"), *store]) == 0
    out, err = capsys.readouterr()
    assert "estimate (90 % ranges)" in err and "stopped: the budget of US$ 0.3 is spent" in err and "--budget" in err and out == ""
    assert main(["resume", *store, "--budget", "0.001"]) == 2
    assert main(["resume", *store, "--budget", "-1"]) == 2
    assert main(["run", paid, *store, "--budget", "-1"]) == 2
    assert main(["run", toml(mock, 'cache = "read-only"'), *store]) == 2
    err = capsys.readouterr().err
    assert "no cache at" in err and err.count("parlour: ") == 4
    toml(mock, "budget = 0.3")  # as the run was begun
    assert main(["resume", *store, "--budget", "100"]) == 0
    assert "paid replies" in capsys.readouterr().out


def test_mocks_cost_nothing() -> None:
    def asks(spec: Any, **rest: Any) -> bool:
        return costly(make_design({"game": "email", "seats": {"human": spec, "ai": "mock"}, **rest}))

    assert not asks("mock") and not asks({"agent": "llm", "model": "m", "is_mock": True})
    assert asks({"agent": "llm", "model": "m"}) and not asks({"agent": "llm", "model": "m"}, episodes="exact")
    assert asks({"agent": "deliberate", "inner": {"agent": "persona", "model": "m"}})


# --- copies -------------------------------------------------------------------------------------------------------------
def test_forks_obey_a_budget_and_go_on_with_a_larger_one(tmp_path: Path, server: MockServer, capsys: pytest.CaptureFixture[str]) -> None:
    spent_by = "SELECT coalesce(sum(cost), 0) AS cost FROM attempt WHERE run = '{}' AND verdict <> 'error'"
    path = tmp_path / "x.duckdb"
    origin = parlour.run(design(server.endpoint, episodes=8), path)
    whole = parlour.fork(f"{origin.run}/all", 0, store=path)
    cost = whole.sql(spent_by.format(whole.run))["cost"][0]
    part = parlour.fork(f"{origin.run}/all", 0, store=path, budget=cost / 2)
    assert part.status == "stopped" and 0 < part.sql(spent_by.format(part.run))["cost"][0] <= cost / 2
    assert part.sql(f"SELECT * FROM possibly_paid WHERE run = '{part.run}'").empty
    assert api.resume(part.run, path, budget=2 * cost).status == "done"
    assert part.sql(spent_by.format(part.run))["cost"][0] == pytest.approx(cost)
    assert main(["fork", f"{origin.run}/all", "--at", "0", "--budget", f"{cost / 2}", "--store", str(path)]) == 0
    assert "stopped: the budget of US$" in capsys.readouterr().err
    assert main(["fork", f"{origin.run}/all", "--at", "0", "--budget", "0", "--store", str(path)]) == 2
    with pytest.raises(DesignError, match="needs max_tokens"):
        change = seat(server.endpoint, max_tokens=None)
        parlour.fork(f"{origin.run}/all", 0, f"seat:human={json.dumps(change)}", store=path, budget=1.0)


def test_the_budget_of_a_run_holds_its_copies_too(tmp_path: Path, server: MockServer) -> None:
    path = tmp_path / "x.duckdb"
    origin = parlour.run(design(server.endpoint, episodes=4), path)
    cost = origin.sql(BILLED)["cost"][0]
    few = parlour.run(design(server.endpoint, episodes=4, budget=2 * cost), path)
    assert few.status == "done"
    forks = parlour.fork(f"{few.run}/all", 0, times=5, store=path)
    assert forks.status == "stopped"
    assert forks.sql(f"SELECT sum(cost) AS cost FROM attempt WHERE run = '{forks.run}'")["cost"][0] <= 2 * cost
    asked = server.requests
    assert parlour.blame(origin.run, ask=True, store=path, budget=cost / 1e4).empty and server.requests == asked


def test_forks_say_again_what_the_cache_holds(tmp_path: Path, server: MockServer) -> None:
    path = tmp_path / "x.duckdb"
    origin = parlour.run(design(server.endpoint, episodes=6, cache="read-write"), path)
    asked = server.requests
    forks = parlour.fork(f"{origin.run}/all", 1, times=2, store=path)
    hits = "SELECT copy, count(*) FILTER (cached) AS hits, count(*) AS n FROM attempt a JOIN fork f USING (run, episode) " \
           "WHERE a.turn >= f.turn AND verdict <> 'error' GROUP BY copy ORDER BY copy"
    first, second = forks.sql(hits).to_dict("records")
    assert first["hits"] == first["n"] > 0 and second["hits"] == 0 and server.requests - asked == second["n"]


def test_forks_know_the_prices_of_their_origin(tmp_path: Path, server: MockServer) -> None:
    own = seat(server.endpoint, price_in=None, price_out=None)
    path = tmp_path / "x.duckdb"
    made = design(server.endpoint, episodes=3, seats={"human": own, "ai": "strategy"}, prices={"mock": {"price_in": 7.0, "price_out": 0.0}})
    origin = parlour.run(made, path)
    forks = parlour.fork(f"{origin.run}/all", 0, store=path)
    costs = forks.sql("SELECT run, sum(cost) AS cost FROM attempt GROUP BY run")["cost"].tolist()
    assert costs[0] == pytest.approx(costs[1]) and costs[0] > 0

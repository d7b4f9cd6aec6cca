"""Sentinels over whole runs: a model that changes is told of, one that is steady is not; none is lost, doubled, cached or free."""
import json
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import PrivateAttr

import parlour
from parlour.agents.faults import Faults
from parlour.agents.llm import LLM
from parlour.agents.mock import Mock
from parlour.agents.mock_server import MockServer
from parlour.errors import DesignError
from parlour.experiments import api
from parlour.experiments.cli import main
from parlour.experiments.design import ITEMS, make_design
from parlour.experiments.estimate import estimate
from parlour.experiments.sentinels import ROUNDS, rounds
from parlour.experiments.verify import verify
from parlour.protocols.seat import Agent, Reply, Turn
from parlour.transcripts.bill import bill
from parlour.transcripts.drift import LEVEL, _distance, change, drift, watched
from parlour.transcripts.journal import read
from parlour.transcripts.store import Store

ANSWERS = "SELECT round, item, words FROM sentinel WHERE verdict NOT IN ('asked', 'error', 'unmade') ORDER BY ALL"
PLAYED = "SELECT episode, role, net FROM payoff ORDER BY ALL"


class Sampled(Agent):
    """A mock that answers sentinels at random: with `share` of a first model until it has answered `until` of them."""
    until: int = 10**9
    before: float = 0.95
    after: float = 0.05
    seed: int = 0
    _chance: Random = PrivateAttr()
    _asked: Counter[str] = PrivateAttr()

    def model_post_init(self, _: Any) -> None:
        self._chance, self._asked = Random(self.seed), Counter()

    async def reply(self, turn: Turn) -> Reply:
        if turn.role != "question":
            return await Mock().reply(turn)
        self._asked["all"] += 1
        share = self.before if self._asked["all"] <= self.until else self.after
        return Reply("7" if self._chance.random() < share else str(self._chance.randrange(3)), model="sampled")


def seat(endpoint: str, **fields: Any) -> dict[str, Any]:
    return {"agent": "llm", "model": "mock", "endpoint": endpoint, "is_mock": True, "price_in": 100.0, "price_out": 1000.0,
            "max_tokens": 20, "temperature": 1.0, **fields}


def design(endpoint: str, model: str = "mock", **fields: Any) -> dict[str, Any]:
    return {"name": "watched", "seed": 2, "episodes": 20, "game": "email", "protocol": "advice", "wait": 0.01, "concurrency": 4,
            "sentinels": 3, "seats": {"human": seat(endpoint, model=model), "ai": "strategy"}, **fields}


def toml(endpoint: str, model: str) -> str:
    given = ", ".join(f"{k} = {json.dumps(v)}" for k, v in seat(endpoint, model=model).items())
    return ('episodes = 20\nseed = 2\nsentinels = 4\ngame = "email"\nprotocol = "advice"\n'
            f'[seats]\nai = "strategy"\nhuman = {{{given}}}\n')


# --- a change is told, and nothing else ---------------------------------------------------------------------------------
def test_a_model_that_changes_under_a_run_is_told_of_by_its_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, store = tmp_path / "d.toml", str(tmp_path / "x.duckdb")
    with MockServer(agents={"moody": Sampled(until=4 * 10), "steady": Sampled()}) as server:
        path.write_text(toml(server.endpoint, "moody"))
        assert main(["run", str(path), "--store", store]) == 0
        err = capsys.readouterr().err
        assert err.count("warning: ") == 1 and f"sentinels, moody at {server.endpoint}: answers changed about round" in err
        model, = watched(Store(store), Store(store).rows("SELECT run FROM run")[0]["run"])
        assert model.p <= LEVEL and abs(model.cut - 10) <= 2 and not model.names
        assert main(["bundle", "--store", store, "--to", str(tmp_path / "b.tar.gz"), "--no-figures"]) == 0
        assert main(["bundle", "verify", str(tmp_path / "b.tar.gz")]) == 0
        with tarfile.open(tmp_path / "b.tar.gz") as archive:
            report = next(archive.extractfile(m) for m in archive if m.name.endswith("report.md"))
            assert report and b"Warning: sentinels, moody" in report.read()
        capsys.readouterr()
        path.write_text(toml(server.endpoint, "steady"))
        assert main(["run", str(path), "--store", store]) == 0
        assert "warning" not in capsys.readouterr().err


def test_a_steady_model_is_accused_as_rarely_as_is_said_and_a_changed_one_found() -> None:
    """Answers of every kind of evenness; the change is from 8 in 10 to 2 in 10, after round 6, in 3 questions."""
    def answers(chance: Random, share: Callable[[int], float]) -> dict[int, list[tuple[int, str]]]:
        return {i: [(3 * r + i, "a" if chance.random() < share(r) else chance.choice("bcd")) for r in range(ROUNDS + 1)] for i in range(3)}

    many, level = 300, 0.05
    steady = [change(answers(Random(i), lambda r, i=i: (i % 10) / 10), 199, i)[1] for i in range(many)]
    accused = sum(p <= level for p in steady)
    assert accused <= level * many + 3 * (level * (1 - level) * many) ** 0.5
    assert accused > 0, "the test is not idle"
    moved = [change(answers(Random(i), lambda r: 0.8 if r <= 6 else 0.2), 499, i)[1] for i in range(40)]
    assert sum(p <= LEVEL for p in moved) >= 28


def test_the_distance_is_that_of_shares_before_and_after() -> None:
    """Against the energy distance of scipy, of answers coded so that any two different ones are as far apart."""
    import numpy as np
    from scipy.spatial.distance import cdist

    said = np.eye(3)[[[0, 0, 1, 2, 2, 1, 2]]]
    for cut in range(1, 7):
        early = (np.arange(7) < cut).astype(float)[None]
        x, y = said[0][:cut], said[0][cut:]
        energy = 2 * cdist(x, y, "hamming").mean() - cdist(x, x, "hamming").mean() - cdist(y, y, "hamming").mean()
        apart = energy * 3 / 2  # two different answers differ in two of three columns
        assert _distance(said, early)[0, 0] == pytest.approx(cut * (7 - cut) / 7 * apart)


def test_one_round_tells_nothing() -> None:
    assert change({}) == (0, 1.0) and change({0: [(0, "a")]}) == (0, 1.0) and change({0: [(0, "a"), (1, "b")]})[1] == 1.0


def test_a_change_of_fingerprint_is_told_by_sentinels_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(event: dict[str, Any]) -> None:
        if event["k"] == "end" and event["e"] == 9:
            monkeypatch.setattr("parlour.agents.mock_server.VERSION", 2)

    with MockServer() as server:
        run, _ = api.synchronous(api.start(make_design(design(server.endpoint, concurrency=1)), Store(tmp_path / "x.duckdb"), step))
    seats, sentinels = drift(Store(tmp_path / "x.duckdb"), run)
    assert seats.startswith("main, human: ") and "mock:random:1 mock_2 (from round 10)" in sentinels


# --- rounds -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("planned", [1, 2, 3, 7, 10, 11, 20, 99])
def test_the_rounds_are_those_that_a_run_comes_to(planned: int) -> None:
    assert rounds(planned) == sorted({ROUNDS * d // planned for d in range(planned + 1)})


def test_every_model_gets_its_questions_once_a_round_and_not_its_personas(tmp_path: Path) -> None:
    with MockServer() as server:
        seats = {"human": {**seat(server.endpoint), "agent": "persona", "age": 30},
                 "ai": {"agent": "deliberate", "inner": seat(server.endpoint, temperature=0.0)}}
        made = design(server.endpoint, seats=seats, personas=[{"gender": "woman"}, {"gender": "man"}], episodes=3)
        results = parlour.run(made, tmp_path / "x.duckdb")
        found = results.sql("SELECT spec ->> 'temperature' AS t, round, item, count(*) AS n FROM sentinel WHERE verdict = 'ok' "
                            "GROUP BY ALL")
    assert len(found) == 2 * 4 * 3 and set(found["n"]) == {1} and set(found["t"]) == {"0.0", "1.0"}
    assert set(results.sql("SELECT DISTINCT round FROM sentinel")["round"]) == set(rounds(3))
    shown = results.sql("SELECT DISTINCT text FROM text JOIN sentinel ON hash = prompt")["text"].tolist()
    assert sorted(s.splitlines()[0] for s in shown) == sorted(ITEMS[:3])
    assert verify(results.store, results.run).divergence is None


# --- nothing lost, nothing doubled --------------------------------------------------------------------------------------
def test_killed_anywhere_every_sentinel_is_answered_once(tmp_path: Path) -> None:
    faults = Faults(rate=0.4, kinds=("429", "500", "drop", "cut", "length", "empty"), pause=0.01)
    with MockServer(faults=faults) as server:
        made = design(server.endpoint, calls=4, episodes=6, sentinels=2, concurrency=2)
        whole = parlour.run(made, tmp_path / "whole.duckdb")
        rows = whole.store.rows(ANSWERS)
        source = whole.store.journals / f"{whole.run}.jsonl"
        lines = source.read_bytes().splitlines(keepends=True)
        at = [i for i, e in enumerate(read(source), 1) if e["k"] == "sentinel"]
        assert len(at) > 30 and {"error", "truncated"} <= {e.get("verdict") for e in read(source)}
        for cut in Random(1).sample(at, 4):
            store = Store(tmp_path / f"cut-{cut}.duckdb")
            store.journals.mkdir()
            (store.journals / source.name).write_bytes(b"".join(lines[:cut]))
            assert api.resume(whole.run, store.path).status == "done"
            assert store.rows(ANSWERS) == rows and store.rows(PLAYED) == whole.store.rows(PLAYED)
            in_flight = Counter[Any]()
            for e in list(read(source))[:cut]:
                if e["k"] == "sentinel":
                    in_flight[e["round"], e["item"], e["n"]] += 1 if e["verdict"] == "asked" else -1
            listed = store.rows("SELECT sum(calls)::INTEGER AS n FROM possibly_paid WHERE role = 'sentinel'")[0]["n"]
            assert (listed or 0) == sum(in_flight.values())
            assert verify(store, whole.run).divergence is None


def test_a_run_that_is_done_and_taken_up_again_puts_none(tmp_path: Path) -> None:
    with MockServer() as server:
        whole = parlour.run(design(server.endpoint, episodes=4), tmp_path / "x.duckdb")
        asked = server.requests
        assert api.resume(whole.run, whole.store.path).status == "done"
        assert server.requests == asked


# --- money --------------------------------------------------------------------------------------------------------------
def test_sentinels_are_paid_within_the_budget_and_counted(tmp_path: Path) -> None:
    cost = "SELECT (SELECT sum(cost) FROM attempt) + (SELECT sum(cost) FROM sentinel) AS cost"
    with MockServer() as server:
        made = design(server.endpoint)
        whole = parlour.run(made, tmp_path / "whole.duckdb")
        spent, sent = whole.sql(cost)["cost"][0], server.replies
        assert f"{sent} paid replies" in bill(whole.store, whole.run) and f"US$ {spent:.4g}" in bill(whole.store, whole.run)
        part = parlour.run({**made, "budget": spent / 2}, tmp_path / "part.duckdb")
        assert part.status == "stopped" and spent / 4 < part.sql(cost)["cost"][0] <= spent / 2
        assert part.sql("SELECT * FROM possibly_paid").empty
        assert api.resume(part.run, part.store.path, budget=2 * spent).status == "done"
        assert server.replies == 2 * sent and part.sql(cost)["cost"][0] == pytest.approx(spent), "nothing is paid twice"
        assert part.store.rows(ANSWERS) == whole.store.rows(ANSWERS)


def test_an_estimate_counts_sentinels() -> None:
    def calls(n: int) -> tuple[float, float]:
        made = make_design(design("http://127.0.0.1:1/v1", sentinels=n, episodes=100))
        return api.synchronous(estimate(made)).calls

    none, three = calls(0), calls(3)
    assert 63 <= three[0] - none[0] <= 70 and 63 <= three[1] - none[1] <= 70


def test_the_cache_answers_no_sentinel(tmp_path: Path) -> None:
    with MockServer() as server:
        made = design(server.endpoint, cache="read-write", episodes=6)
        parlour.run(made, tmp_path / "x.duckdb")
        asked = server.requests
        again = parlour.run(made, tmp_path / "x.duckdb")
        assert server.requests - asked == 3 * len(rounds(6))
    alone = parlour.run({**made, "cache": "read-only"}, tmp_path / "x.duckdb")  # nobody is there any more
    key = f"WHERE run = '{alone.run}'"
    assert alone.status == "done" and alone.sql(f"SELECT * FROM sentinel {key}").empty
    assert not again.sql("SELECT * FROM sentinel WHERE cached").size


# --- where there are none -----------------------------------------------------------------------------------------------
def test_forks_and_strategies_have_none(tmp_path: Path) -> None:
    with MockServer() as server:
        origin = parlour.run(design(server.endpoint, episodes=4), tmp_path / "x.duckdb")
        forked = parlour.fork(f"{origin.run}/all", 0, store=tmp_path / "x.duckdb")
        assert forked.sql(f"SELECT * FROM sentinel WHERE run = '{forked.run}'").empty
    free = parlour.run(design("", seats={"human": "mock", "ai": "strategy"}), tmp_path / "x.duckdb")
    assert free.sql(f"SELECT * FROM sentinel WHERE run = '{free.run}'").empty


@pytest.mark.parametrize("sentinels", [-1, len(ITEMS) + 1, "all"])
def test_bad_numbers(sentinels: Any) -> None:
    with pytest.raises(DesignError, match="sentinels"):
        make_design(design("http://127.0.0.1:1/v1", sentinels=sentinels))


def test_items_differ_and_fit_a_model() -> None:
    assert len(set(ITEMS)) == len(ITEMS) and LLM(model="m").max_tokens is not None

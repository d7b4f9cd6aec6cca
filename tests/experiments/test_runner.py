"""Running designs: determinism, exact branching, resuming, stopping, pausing, and keys that reach no row."""
import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import parlour
from parlour.errors import InputError, StoreError
from parlour.experiments import api, runner
from parlour.experiments.runner import Walk
from parlour.experiments.said import recorded
from parlour.transcripts.journal import Journal, read
from parlour.transcripts.store import Store

DESIGN: dict[str, Any] = {"name": "small", "seed": 4, "episodes": 12, "game": "email", "wordings": "all", "concurrency": 5,
                          "protocol": {"name": "advice", "max_queries": 2}, "seats": {"human": "mock", "ai": "mock"}}
PLAYED = "SELECT episode, role, net FROM payoff ORDER BY ALL"
WORDS = "SELECT episode, turn, try, words FROM attempt ORDER BY ALL"


def test_the_same_seed_plays_the_same_whatever_the_concurrency(tmp_path: Path) -> None:
    one = parlour.run({**DESIGN, "concurrency": 1}, tmp_path / "a.duckdb")
    two = parlour.run(DESIGN, tmp_path / "b.duckdb")
    assert one.store.rows(WORDS) == two.store.rows(WORDS) and len(one.store.rows(WORDS)) > 12
    assert one.store.rows(PLAYED) == two.store.rows(PLAYED)
    other = parlour.run({**DESIGN, "seed": 5}, tmp_path / "c.duckdb")
    assert other.store.rows(WORDS) != one.store.rows(WORDS)


def test_exact_branches_have_weights_that_sum_to_one(store: str) -> None:
    seats = {"human": {"agent": "logit", "precision": 0.7}, "ai": "strategy"}
    results = parlour.run({**DESIGN, "episodes": "exact", "seats": seats}, store)
    weights = results.sql("SELECT sum(weight) AS w, count(*) AS n FROM episode")
    assert weights["w"][0] == pytest.approx(1) and weights["n"][0] > 20


def test_walks_visit_every_leaf_once() -> None:
    todo, leaves = [()], {}
    while todo:
        walk = Walk(todo.pop())
        first = walk((0.5, 0.0, 0.5))
        second = walk((0.25, 0.75)) if first else None
        leaves[first, second] = walk.chance
        todo += walk.others
    assert leaves == {(0, None): 0.5, (2, 0): 0.125, (2, 1): 0.375}


def test_an_agent_without_chances_cannot_be_evaluated_exactly(store: str) -> None:
    with pytest.raises(InputError, match="cannot be evaluated exactly"):
        parlour.run({**DESIGN, "episodes": "exact"}, store)


def test_a_game_without_a_list_of_states_cannot_be_evaluated_exactly(store: str) -> None:
    with pytest.raises(InputError, match="no finite list of states"):
        parlour.run({"episodes": "exact", "game": "first_price_auction", "protocol": "silent",
                     "seats": {"bidder_1": "strategy", "bidder_2": "strategy"}}, store)


def cut(source: Path, target: Path, lines: int) -> None:
    """A journal as a killed process leaves it: some whole lines and a torn one."""
    kept = source.read_bytes().splitlines(keepends=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"".join(kept[:lines]) + kept[lines][:9])


@pytest.mark.parametrize("share", [0.15, 0.4, 0.7, 0.95])
def test_a_run_cut_anywhere_ends_as_if_it_had_not_been(tmp_path: Path, share: float) -> None:
    whole = parlour.run(DESIGN, tmp_path / "whole.duckdb")
    journal = whole.store.journals / f"{whole.run}.jsonl"
    store = Store(tmp_path / "cut.duckdb")
    at = int(share * len(journal.read_bytes().splitlines()))
    cut(journal, store.journals / journal.name, at)
    resumed = api.resume(whole.run, store.path)
    assert resumed.status == "done"
    assert store.rows(PLAYED) == whole.store.rows(PLAYED)
    assert store.rows(WORDS) == whole.store.rows(WORDS)
    for table in ("episode", "ending"):
        assert store.rows(f"SELECT episode, count(*) AS n FROM {table} GROUP BY 1 HAVING n > 1") == []
    assert api.resume(whole.run, store.path).status == "done"
    assert store.rows(PLAYED) == whole.store.rows(PLAYED)


def test_sigkill_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    """A real kill of a real process, then resume: the payoffs of an uninterrupted run."""
    slow = {**DESIGN, "seats": {"human": {"agent": "mock", "latency": 0.05}, "ai": {"agent": "mock", "latency": 0.05}}}
    whole = parlour.run(slow, tmp_path / "whole.duckdb")
    store = Store(tmp_path / "killed.duckdb")
    code = f"import parlour; parlour.run({slow!r}, {str(store.path)!r})"
    with subprocess.Popen([sys.executable, "-c", code]) as child:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            found = list(store.journals.glob("*.jsonl"))
            if found and sum(b'"k":"reply"' in line for line in found[0].read_bytes().splitlines()) >= 6:
                break
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGKILL)
    journal, = store.journals.glob("*.jsonl")
    before = [e for e in read(journal) if e["k"] == "reply"]
    assert 6 <= len(before) < len(whole.store.rows(WORDS))
    assert api.resume("latest", store.path).status == "done"
    assert store.rows(PLAYED) == whole.store.rows(PLAYED)
    assert store.rows(WORDS) == whole.store.rows(WORDS)


def test_resuming_what_is_not_there_or_was_begun_by_another_version(tmp_path: Path) -> None:
    store = Store(tmp_path / "x.duckdb")
    with pytest.raises(StoreError, match="no run 'nope'"):
        api.resume("nope", store.path)
    with Journal(store.journals / "old.jsonl") as journal:
        journal.write({"k": "run", "run": "old", "versions": {"parlour": "0.0.1"}, "design": {}})
    with pytest.raises(StoreError, match=r"begun by parlour 0\.0\.1"):
        api.resume("old", store.path)
    with Journal(store.journals / "odd.jsonl") as journal:
        journal.write({"k": "episode", "e": 0})
    with pytest.raises(StoreError, match="does not begin with a run"):
        api.resume("odd", store.path)


def test_what_is_on_record_of_an_ask() -> None:
    bad = {"k": "reply", "e": 0, "t": 0, "n": 0, "verdict": "invalid", "words": "x", "complaint": "no"}
    said = recorded([{"k": "ask", "e": 0, "t": 0}, bad, {**bad, "n": 1, "verdict": "error", "words": None},
                     {"k": "draw", "e": 0, "t": 1, "draw": 2}, {"k": "ask", "e": 1, "t": 0}])
    assert said[0][0].tries == 2 and [a.words for a in said[0][0].attempts] == ["x"] and said[0][0].words is None
    assert said[0][1].index == 2
    assert said[1][0].tries == 0


def test_works_where_a_loop_already_runs(store: str) -> None:
    async def notebook() -> str:
        return parlour.run(DESIGN, store).status
    assert asyncio.run(notebook()) == "done"


def test_who_interrupts_a_cell_of_a_notebook_stops_the_run(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook's loop runs in the main thread and leaves Ctrl-C to Python, so the wait for the run is what is interrupted."""
    main, breaths = threading.get_ident(), count()

    async def breathe(run: runner.Run) -> None:
        if next(breaths) == 20:
            signal.pthread_kill(main, signal.SIGINT)
        await asyncio.sleep(0.01)

    monkeypatch.setattr(runner.Run, "_breathe", breathe)
    loop = asyncio.new_event_loop()

    async def notebook() -> None:
        with pytest.raises(KeyboardInterrupt):
            parlour.run({**DESIGN, "episodes": 10_000}, store)

    loop.run_until_complete(notebook())
    loop.close()
    journal, = Store(store).journals.glob("*.jsonl")
    written, last = journal.stat().st_size, list(read(journal))[-1]
    assert (last["k"], last["status"], last["why"]) == ("stop", "stopped", "interrupted")
    time.sleep(0.2)
    assert journal.stat().st_size == written
    assert 0 < Store(store).rows("SELECT count(*) AS n FROM ending")[0]["n"] < 10_000


def test_results_are_data_frames(store: str) -> None:
    results = parlour.run(DESIGN, store)
    assert {"arm", "role", "benchmark", "value", "low", "high"} <= set(results.table().columns)
    assert len(results.frame()) == 36 and len(results.benchmarks()) == 2
    assert "human is asked for" in results.transcript(3) and results.run in results.transcript(3)
    assert parlour.open(store).query("SELECT count(*) AS n FROM run")["n"][0] == 1
    with pytest.raises(StoreError):
        parlour.open(store + ".none")


def test_play_one_episode(store: str) -> None:
    heard: list[dict[str, Any]] = []
    results = parlour.play("email", {"accuracy": 0.95}, seats={"human": "always_follow"}, seed=3, store=store)
    assert results.status == "done" and results.frame()["game"].unique() == ["email"]
    again = api.play("email", {"accuracy": 0.95}, seats={"human": "always_follow"}, seed=3, store=store, watch=heard.append)
    assert heard and again.frame()["net"].tolist() == results.frame()["net"].tolist()


def test_nothing_is_written_before_everything_is_built(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        parlour.run({**DESIGN, "seats": {"human": "mock", "ai": "nobody"}}, tmp_path / "x.duckdb")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("human", "held"), [("mock", True), ({"agent": "mock", "latency": 0.001}, False)])
def test_words_that_cost_something_are_written_one_by_one(store: str, monkeypatch: pytest.MonkeyPatch, human: Any, held: bool) -> None:
    sizes: list[int] = []
    real = Journal._append

    def spy(self: Journal, lines: bytes) -> None:
        sizes.append(lines.count(b"\n"))
        real(self, lines)

    monkeypatch.setattr(Journal, "_append", spy)
    results = parlour.run({**DESIGN, "seats": {"human": human, "ai": "mock"}}, store)
    assert results.status == "done"
    assert (max(sizes) > 3) is held
    assert len(sizes) == sum(sizes) or held


def test_seats_that_never_wait_let_the_loop_run(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "BREATH_SECONDS", 0.0)
    monkeypatch.setattr(runner, "TAKE_SECONDS", 0.0)
    takes: list[float] = []
    real = Store.take

    def spy(self: Store, journal: Path, patience: float = 10.0) -> int:
        takes.append(patience)
        return real(self, journal, patience)

    monkeypatch.setattr(Store, "take", spy)
    assert parlour.run({**DESIGN, "episodes": 40}, store).status == "done"
    assert takes.count(0.0) >= 1 and takes[-1] == 10.0

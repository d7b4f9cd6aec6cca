"""A Ray cluster of two workers on this machine, one of them killed; journals in parts, on disk and in an S3-compatible store."""
import asyncio
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import parlour
from parlour.errors import DesignError, StoreError
from parlour.experiments import api
from parlour.experiments.cli import main
from parlour.experiments.cluster import Bank, on_ray, started
from parlour.experiments.design import make_design
from parlour.experiments.resume import resume
from parlour.experiments.runner import start
from parlour.experiments.verify import verify
from parlour.transcripts.journal import Journal, read
from parlour.transcripts.parts import Folder, Gathering, Parts
from parlour.transcripts.store import Store

SLOW = {"agent": "mock", "latency": 0.05}
DESIGN: dict[str, Any] = {"name": "apart", "seed": 6, "episodes": 6, "game": "email", "protocol": {"name": "advice", "max_queries": 2},
                          "concurrency": 4, "seats": {"human": SLOW, "ai": SLOW},
                          "arms": [{"name": "one"}, {"name": "two", "game": {"accuracy": 0.6}}]}
PLAYED = "SELECT episode, role, net FROM payoff ORDER BY ALL"
WORDS = "SELECT episode, turn, try, words FROM attempt ORDER BY ALL"


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    running = started(2)
    yield running
    running.shutdown()


def kill_one(shared: Path, killed: list[int]) -> None:
    """Kills the process of a worker once it has written some words, and is in the middle of more."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        parts = sorted(shared.glob("*/w0/*.jsonl"))
        if len(parts) >= 8:
            killed.append(next(iter(read(parts[0])))["pid"])
            os.kill(killed[0], signal.SIGKILL)
            return
        time.sleep(0.02)


def test_a_worker_killed_in_the_middle_changes_nothing(ray: Any, tmp_path: Path) -> None:
    whole = parlour.run(DESIGN, tmp_path / "whole.duckdb")
    store, shared, killed = Store(tmp_path / "apart.duckdb"), tmp_path / "shared", []  # type: Store, Path, list[int]
    killer = threading.Thread(target=kill_one, args=(shared, killed))
    killer.start()
    name, status = asyncio.run(start(make_design(DESIGN), store, engine=on_ray(str(shared), 2)))
    killer.join()
    assert killed and status == "done"
    assert sorted(p.name for p in (shared / name).iterdir()) == ["w0", "w1", "w2"], "the lost worker was replaced"
    assert store.rows(PLAYED) == whole.store.rows(PLAYED)
    assert store.rows(WORDS) == whole.store.rows(WORDS)
    copied = [e for e in read(store.journals / f"{name}.jsonl") if e["k"] == "reply" and "by" in e]
    assert len(copied) == len(store.rows(WORDS))
    found = verify(store, name)
    assert found.divergence is None and found.episodes == 12
    assert api.resume(name, store.path).status == "done"
    assert store.rows(WORDS) == whole.store.rows(WORDS)


def test_a_run_begun_here_goes_on_on_a_cluster(ray: Any, tmp_path: Path) -> None:
    """Half-played episodes are taken up with the words on record, also by a worker that is killed, and its heir."""
    whole = parlour.run(DESIGN, tmp_path / "whole.duckdb")
    source, store, shared, killed = whole.store.journals / f"{whole.run}.jsonl", Store(tmp_path / "cut.duckdb"), tmp_path / "shared", []
    lines = source.read_bytes().splitlines(keepends=True)
    store.journals.mkdir()
    (store.journals / source.name).write_bytes(b"".join(lines[:len(lines) // 3]))
    held = [e for e in read(store.journals / source.name) if e["k"] == "reply"]
    killer = threading.Thread(target=kill_one, args=(shared, killed))  # type: Any
    killer.start()
    assert asyncio.run(resume(whole.run, store, engine=on_ray(str(shared), 1))) == (whole.run, "done")
    killer.join()
    assert killed and held
    assert store.rows(PLAYED) == whole.store.rows(PLAYED) and store.rows(WORDS) == whole.store.rows(WORDS)
    events = [e for e in read(store.journals / source.name) if e["k"] == "reply"]
    assert [e for e in events if "by" not in e] == held, "what was said here is not written again"
    assert verify(store, whole.run).divergence is None


def test_ray_listens_on_loopback_alone_and_shows_no_page(ray: Any) -> None:
    import psutil
    inodes: dict[str, str] = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A":
                inodes[rest[5]] = local
    mine: dict[str, str] = {}
    for process in psutil.Process().children(recursive=True):
        for file in Path(f"/proc/{process.pid}/fd").iterdir():
            with suppress(OSError):
                name = os.readlink(file)
                if name[8:-1] in inodes:
                    mine[inodes[name[8:-1]]] = process.name()
    assert mine, "it listens somewhere"
    assert {a.partition(":")[0] for a in mine} <= {"0100007F", "0000000000000000FFFF00000100007F"}, mine
    assert not ray._private.worker._global_node.webui_url


def test_the_budget_of_all_workers_is_one() -> None:
    async def play() -> None:
        bank = Bank(1.0)
        assert await bank.reserve("w0", 0.4) == "" and await bank.reserve("w1", 0.4) == ""
        await bank.settle("w0", 0.4, 0.1)
        await bank.lost("w1")
        assert await bank.spent() == pytest.approx(0.5)
        assert "budget of US$ 1 is spent" in await bank.reserve("w0", 0.6)
    asyncio.run(play())


def test_a_run_on_a_cluster_stops_at_its_budget_and_goes_on_here_or_there(ray: Any, tmp_path: Path) -> None:
    from parlour.agents.mock_server import MockServer
    with MockServer() as server:
        seat = {"agent": "llm", "model": "mock", "endpoint": server.endpoint, "is_mock": True, "price_in": 100.0, "price_out": 1000.0,
                "max_tokens": 20}
        design = {**DESIGN, "seats": {"human": seat, "ai": "strategy"}}
        whole = parlour.run(design, tmp_path / "whole.duckdb")
        cost = whole.sql("SELECT sum(cost) AS cost FROM attempt")["cost"][0]
        store = Store(tmp_path / "part.duckdb")
        name, status = asyncio.run(start(make_design({**design, "budget": cost / 2}), store, engine=on_ray(str(tmp_path / "shared"), 1)))
        assert status == "stopped"
        assert 0 < store.rows("SELECT sum(cost) AS cost FROM attempt")[0]["cost"] <= cost / 2
        assert store.rows("SELECT * FROM possibly_paid") == [], "a call that the budget refused was not made"
        copy = Store(tmp_path / "copy" / "part.duckdb")
        shutil.copytree(store.journals, copy.journals)
        sent = server.replies
        engine = on_ray(str(tmp_path / "shared"), 1)
        assert asyncio.run(resume(name, copy, budget=2 * cost, engine=engine)) == (name, "done")
        new = server.replies - sent
        spent = copy.rows("SELECT arg_max(spent, written) AS spent FROM stop")[0]["spent"]
        assert spent == pytest.approx(copy.rows("SELECT sum(cost) AS cost FROM attempt")[0]["cost"]) == pytest.approx(cost)
        assert api.resume(name, store.path, budget=2 * cost).status == "done"
        assert server.replies - sent == 2 * new, "neither asks for what is on record"
    assert sorted(p.name for p in (tmp_path / "shared").iterdir()) == [name, f"{name}-1"]
    assert copy.rows(PLAYED) == whole.store.rows(PLAYED) and copy.rows(WORDS) == store.rows(WORDS)
    assert verify(copy, name).divergence is None
    assert store.rows(PLAYED) == whole.store.rows(PLAYED)
    assert verify(store, name).divergence is None


def test_sentinels_are_put_by_the_driver_as_by_a_run_of_one_machine(ray: Any, tmp_path: Path) -> None:
    """The same questions in the same rounds with the same answers, out of the same purse; what is on record is not put again."""
    from parlour.agents.mock_server import MockServer
    put = "SELECT round, item, words, seed FROM sentinel WHERE verdict = 'ok' ORDER BY ALL"
    with MockServer() as server:
        seat = {"agent": "llm", "model": "mock", "endpoint": server.endpoint, "is_mock": True, "price_in": 1.0, "price_out": 10.0,
                "max_tokens": 20}
        design = {**DESIGN, "sentinels": 2, "seats": {"human": seat, "ai": "strategy"}, "budget": 50.0}
        whole = parlour.run(design, tmp_path / "whole.duckdb")
        store, engine = Store(tmp_path / "apart.duckdb"), on_ray(str(tmp_path / "shared"), 2)
        spent = whole.sql("SELECT arg_max(spent, written) AS spent FROM stop")["spent"][0]
        name, status = asyncio.run(start(make_design({**design, "budget": spent / 2}), store, engine=engine))
        assert status == "stopped" and 0 < len(store.rows(put)) < len(whole.store.rows(put))
        assert asyncio.run(resume(name, store, budget=50.0, engine=engine)) == (name, "done")
    assert store.rows(put) == whole.store.rows(put) and len(store.rows(put)) == 2 * 13
    assert store.rows("SELECT arg_max(spent, written) AS spent FROM stop")[0]["spent"] == pytest.approx(spent)
    assert store.rows(PLAYED) == whole.store.rows(PLAYED)
    assert store.rows("SELECT * FROM possibly_paid") == [] and verify(store, name).divergence is None


# --- journals in parts --------------------------------------------------------------------------------------------------
def episode(number: int, end: bool = True) -> list[dict[str, Any]]:
    events = [{"k": "episode", "run": "r", "e": number, "arm": "main"}, {"k": "ask", "run": "r", "e": number, "t": 0, "role": "human"},
              {"k": "reply", "run": "r", "e": number, "t": 0, "n": 0, "words": f"words {number}", "verdict": "ok"}]
    return events + ([{"k": "end", "run": "r", "e": number, "status": "done", "payoffs": []}] if end else [])


def fill(folder: Folder) -> None:
    """Three workers: w0 was lost in the middle of episode 1, and was not dead: it ended it after all, as w2 did."""
    for worker, events in {"w0": [*episode(0), *episode(1)], "w1": episode(2), "w2": [*episode(1), *episode(3, end=False)]}.items():
        parts = Parts(folder, worker)
        parts.text("the same prompt")
        for event in events:
            parts.write(dict(event))
        parts.close()


def gathered(folder: Folder, path: Path, times: int, order: random.Random) -> Store:
    """A store whose run was gathered so many times, the parts of different workers in any order."""
    store = Store(path / "x.duckdb")
    real = folder.list()
    with Journal(store.journals / "r.jsonl") as journal:
        for _ in range(times):
            workers = sorted({n.partition("/")[0] for n in real}, key=lambda _: order.random())
            shuffled = [n for w in workers for n in real if n.startswith(w)]
            gathering = Gathering(folder, journal)
            folder.list = partial(list, shuffled)  # type: ignore[method-assign]
            gathering.more()
            gathering.finish()
            store.take(journal.path)
    del folder.list  # type: ignore[method-assign]
    return store


def check_gathering(url: str, tmp_path: Path) -> None:
    folder = Folder(url)
    fill(folder)
    rows = "SELECT episode, turn, words FROM attempt ORDER BY ALL"
    for seed in range(4):
        store = gathered(folder, tmp_path / str(seed), 1 + seed % 3, random.Random(seed))
        assert store.rows(rows) == [{"episode": e, "turn": 0, "words": f"words {e}"} for e in range(4)]
        assert store.rows("SELECT episode FROM ending ORDER BY 1") == [{"episode": e} for e in range(3)]
        assert store.rows("SELECT count(*) AS n FROM text") == [{"n": 1}]


def test_parts_are_taken_in_any_order_twice_without_harm(tmp_path: Path) -> None:
    check_gathering(str(tmp_path / "shared"), tmp_path)


def test_parts_in_an_s3_compatible_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3
    from moto.server import ThreadedMotoServer
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket="runs")
        check_gathering("s3://runs/r", tmp_path)
        with pytest.raises(StoreError, match="cannot write s3://nowhere"):
            Folder("s3://nowhere").put("w0/0.jsonl", b"x")
    finally:
        server.stop()


def test_a_merge_that_was_cut_off_is_gone_on_with(tmp_path: Path) -> None:
    folder, path = Folder(str(tmp_path / "shared")), tmp_path / "r.jsonl"
    fill(folder)
    with Journal(path) as journal:
        journal.write({**episode(1)[0], "by": "w2"})
        Gathering(folder, journal).finish()
    found = [e["k"] for e in read(path) if e.get("e") == 1]
    assert found == ["episode", "ask", "reply", "end"] and all(e["by"] == "w2" for e in read(path) if e.get("e") == 1)


@pytest.mark.parametrize("change, complaint", [({"episodes": "exact"}, "without --on ray"), ({"cache": "read-write"}, "one machine"),
                                               ({"seats": {"human": "human", "ai": "mock"}}, "a person sits")])
def test_what_cannot_be_played_apart(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DesignError, match=complaint):
        asyncio.run(start(make_design({**DESIGN, **change}), Store(tmp_path / "x.duckdb"), engine=on_ray(str(tmp_path / "s"), 2)))
    assert list(tmp_path.iterdir()) == []


def test_the_command_needs_a_shared_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "d.toml"
    path.write_text('game = "email"\nprotocol = "advice"\n[seats]\nhuman = "mock"\nai = "mock"\n')
    assert main(["run", str(path), "--on", "ray", "--store", str(tmp_path / "x.duckdb")]) == 2
    assert "--on ray needs --shared" in capsys.readouterr().err

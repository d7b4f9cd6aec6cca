"""Nothing paid is lost: the kill harness in short, and each thing it found, by itself."""
import importlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import parlour
from parlour.experiments import api
from parlour.experiments.cli import main
from parlour.experiments.said import recorded
from parlour.transcripts.journal import Journal, read
from parlour.transcripts.store import Store

ROOT = Path(__file__).parent.parent.parent
SEATS = {"human": {"agent": "mock", "faults": {"rate": 0.6, "kinds": ["500", "malformed", "drop"]}}, "ai": "mock"}
FAULTY: dict[str, Any] = {"name": "faulty", "seed": 3, "episodes": 12, "game": "email", "protocol": "advice", "calls": 2, "attempts": 2,
                          "wait": 0.0, "concurrency": 3, "seats": SEATS}


@pytest.fixture(scope="module")
def kills() -> Any:
    """The harness, as a module that its child processes can import too."""
    sys.path.insert(0, str(ROOT / "perf"))
    yield importlib.import_module("kills")
    sys.path.remove(str(ROOT / "perf"))


def test_whatever_cuts_a_run_off_nothing_paid_is_lost(kills: Any) -> None:
    points = kills.harness((*kills.KILLS, *kills.STOPS), seed=5, episodes=6)
    assert {p.how for p in points} == {"whole", *kills.KILLS, *kills.STOPS}
    assert [p.how for p in points if p.broken] == [], kills.report(points)
    cut = Counter({p.how: p.cuts for p in points})
    assert cut["line"] == cut["head"] == 1 and cut["twice"] == 2 and cut["whole"] == 0
    assert sum(p.sent for p in points) > 200 and sum(p.listed for p in points) > 0
    assert sum((p.endings for p in points), Counter())["error"] > 0


def test_the_audit_notices_what_is_lost_and_what_is_doubled(kills: Any, tmp_path: Path) -> None:
    with kills.service(kills.SERVICE) as to:
        table = kills.design(to.endpoint, 3, 8)
        (tmp_path / "whole").mkdir()
        of = kills.undisturbed(kills.Point("whole", tmp_path / "whole", table), to)
        assert of.point.broken == [] and of.point.sent == of.point.stored > 10
        sent = to.sent()
    for change, rule in (("DELETE FROM attempt WHERE rowid = 0", "listed is not what was in flight"),
                         ("INSERT INTO draw SELECT * FROM draw LIMIT 1", "duplicates in draw"),
                         ("INSERT INTO ending SELECT * FROM ending LIMIT 1", "not every episode ended once"),
                         ("UPDATE attempt SET words = 'x' WHERE rowid = 1", "another answer to: SELECT episode, turn, try")):
        assert rule in broken(kills, of, tmp_path, table, change, sent)
    sent["chatcmpl-of-nobody"] += 1
    assert "replies lost and not listed" in broken(kills, of, tmp_path, table, "SELECT 1", sent)


def broken(kills: Any, of: Any, folder: Path, table: dict[str, Any], change: str, sent: Counter[str]) -> str:
    """What the audit says of a copy of the store with one change."""
    copy = Store(folder / "copy" / "x.duckdb")
    copy.path.parent.mkdir(exist_ok=True)
    copy.path.write_bytes(of.point.store.path.read_bytes())
    copy.journals.mkdir(exist_ok=True)
    journal, = of.point.store.journals.glob("*.jsonl")
    (copy.journals / journal.name).write_bytes(journal.read_bytes())
    with copy.open(write=True) as db:
        db.execute(change)
    point = kills.Point("line", copy.path.parent, table)
    kills.audit(point, sent, of)
    return "; ".join(point.broken)


# --- what it found ------------------------------------------------------------------------------------------------------
def cut_off(whole: parlour.experiments.api.Results, folder: Path, lines: int) -> Store:
    """The store of a run whose journal was cut off after so many lines."""
    source, store = whole.store.journals / f"{whole.run}.jsonl", Store(folder / f"cut-{lines}.duckdb")
    store.journals.mkdir()
    kept = source.read_bytes().splitlines(keepends=True)
    (store.journals / source.name).write_bytes(b"".join(kept[:lines]))
    return store


def test_a_resume_gives_a_failing_service_no_more_tries_than_it_had_left(tmp_path: Path) -> None:
    """Else an episode that ends in an error would go on, if it is killed in between."""
    whole = parlour.run(FAULTY, tmp_path / "whole.duckdb")
    rows = "SELECT episode, turn, try, verdict, words FROM attempt ORDER BY ALL"
    ends = "SELECT episode, status, why FROM ending ORDER BY ALL"
    assert {r["status"] for r in whole.store.rows(ends)} == {"done", "error", "forfeit"}
    events = list(read(whole.store.journals / f"{whole.run}.jsonl"))
    failed = [i + 1 for i, e in enumerate(events) if e.get("verdict") == "error"]
    assert len(failed) > 8
    for lines in failed[:8]:
        store = cut_off(whole, tmp_path, lines)
        assert api.resume(whole.run, store.path).status == "done"
        assert store.rows(rows) == whole.store.rows(rows) and store.rows(ends) == whole.store.rows(ends)


def test_only_what_the_service_failed_in_passing_uses_up_its_tries() -> None:
    error = {"k": "reply", "e": 0, "t": 0, "verdict": "error", "words": None, "complaint": "500", "finish": "transient"}
    ask = {"k": "ask", "e": 0, "t": 0}
    said = recorded([ask, {**error, "n": 0}, {**error, "n": 1, "finish": "unreachable"}, {**error, "n": 2, "finish": "fatal"}])
    assert said[0][0].failures == ("500",) and said[0][0].tries == 3
    words = {**error, "n": 1, "verdict": "invalid", "words": "x", "finish": "stop"}
    assert recorded([ask, {**error, "n": 0}, words])[0][0].failures == ()


def test_a_run_killed_in_the_head_of_its_journal_gets_the_rest_of_it(tmp_path: Path) -> None:
    design = {**FAULTY, "episodes": 2, "arms": [{"name": "one"}, {"name": "two", "game": {"accuracy": 0.6}}]}
    whole = parlour.run(design, tmp_path / "whole.duckdb")
    head = sum(e["k"] in ("run", "arm", "benchmark") for e in read(whole.store.journals / f"{whole.run}.jsonl"))
    assert head > 4
    for lines in range(1, head + 1):
        store = cut_off(whole, tmp_path, lines)
        api.resume(whole.run, store.path)
        for table in ("arm", "benchmark", "tidy EXCLUDE latency"):
            name, _, less = table.partition(" ")
            query = f"SELECT *{less and ' EXCLUDE latency'} FROM {name} ORDER BY ALL"
            assert store.rows(query) == whole.store.rows(query)


def lost_call(folder: Path, agent: str = "llm") -> Store:
    """A run that was cut off twice in a call, which was then answered, and once in another, which was not."""
    store = Store(folder / "x.duckdb")
    with Journal(store.journals / "r.jsonl") as journal:
        for event in ({"k": "run", "name": "r"}, {"k": "arm", "arm": "main", "seats": {"human": {"agent": agent}}},
                      {"k": "episode", "e": 0, "arm": "main"},
                      {"k": "ask", "e": 0, "t": 0, "role": "human"}, {"k": "call", "e": 0, "t": 0, "n": 0},
                      {"k": "call", "e": 0, "t": 0, "n": 0}, {"k": "reply", "e": 0, "t": 0, "n": 0, "verdict": "invalid"},
                      {"k": "call", "e": 0, "t": 0, "n": 1}, {"k": "reply", "e": 0, "t": 0, "n": 1, "verdict": "ok"},
                      {"k": "ask", "e": 0, "t": 1, "role": "human"}):
            journal.write({"run": "r", **event})
    store.take(journal.path)
    return store


def test_calls_without_a_reply_are_listed_as_possibly_paid(tmp_path: Path) -> None:
    found = lost_call(tmp_path).rows("SELECT * FROM possibly_paid ORDER BY turn")
    same = {"run": "r", "episode": 0, "try": 0, "role": "human", "agent": "llm"}
    assert found == [{**same, "turn": 0, "calls": 2}, {**same, "turn": 1, "calls": 1}]


def test_a_person_is_not_paid_by_the_call(tmp_path: Path) -> None:
    assert lost_call(tmp_path, "human").rows("SELECT * FROM possibly_paid") == []


def test_the_command_line_tells_of_possibly_paid_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(lost_call(tmp_path).path)
    assert main(["runs", "--store", path]) == 0
    assert "3 calls possibly paid" in capsys.readouterr().out
    whole = parlour.run({**FAULTY, "seats": {"human": {"agent": "mock", "latency": 1e-6}, "ai": "mock"}}, tmp_path / "whole.duckdb")
    asked = next(i for i, e in enumerate(read(whole.store.journals / f"{whole.run}.jsonl"), 1) if e["k"] == "ask")
    store = cut_off(whole, tmp_path, asked)
    assert main(["resume", "--store", str(store.path)]) == 0
    assert "1 calls were in flight" in capsys.readouterr().out
    assert main(["score", "--store", str(store.path), "--json"]) == 0
    lost, = json.loads(capsys.readouterr().out)["possibly_paid"]
    assert lost["calls"] == 1 and lost["try"] == 0


def in_little_room(code: str, size: int) -> str:
    """What a process prints in which no file may grow beyond so many bytes."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.RLIM_INFINITY))\n"
    start = "from pathlib import Path\nfrom parlour.transcripts.store import Store\nfrom parlour.errors import StoreError\n"
    done = subprocess.run([sys.executable, "-c", f"{start}{limit}{code}"], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_store_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    said = in_little_room(f"try:\n    Store({str(path)!r}).rows('SELECT 1')\n    with Store({str(path)!r}).open(write=True): pass\n"
                          "except StoreError: pass\n"
                          f"try:\n    with Store({str(path)!r}).open(write=True): pass\nexcept StoreError as e: print(e)", 12_300)
    assert "cannot write" in said and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    with Store(path).open(write=True):
        pass
    assert Store(path).rows("SELECT count(*) AS n FROM run") == [{"n": 0}]


def test_a_full_disk_while_a_journal_is_taken_loses_nothing(tmp_path: Path) -> None:
    whole = parlour.run({**FAULTY, "episodes": 60}, tmp_path / "whole.duckdb")
    journal = whole.store.journals / f"{whole.run}.jsonl"
    store = Store(tmp_path / "full.duckdb")
    with store.open(write=True):
        pass
    said = in_little_room(f"try:\n    Store({str(store.path)!r}).take(Path({str(journal)!r}))\nexcept StoreError as e: print(e)",
                          journal.stat().st_size // 2)
    assert "cannot take" in said and said.count("\n") == 1
    assert store.rows("SELECT count(*) AS n FROM attempt") == [{"n": 0}]
    assert store.take(journal) == journal.stat().st_size
    query = "SELECT episode, turn, try, words FROM attempt ORDER BY ALL"
    assert store.rows(query) == whole.store.rows(query)

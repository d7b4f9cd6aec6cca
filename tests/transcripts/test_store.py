"""The store: takes a journal once, in any slices, refuses what is not its own, is closed between batches."""
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from struct import unpack_from
from typing import Any

import duckdb
import pytest

import parlour
from parlour.errors import StoreError
from parlour.experiments.design import game_of
from parlour.games.base import Rules
from parlour.transcripts import compact as compacting
from parlour.transcripts import store as module
from parlour.transcripts.compact import compact
from parlour.transcripts.export import EVERY, export
from parlour.transcripts.journal import Journal, read
from parlour.transcripts.store import TABLES, Store
from parlour.transcripts.talk import find_run

DESIGN = {"name": "small", "seed": 4, "episodes": 8, "game": "email", "protocol": "advice",
          "seats": {"human": "mock", "ai": "mock"}, "wordings": "all"}


def counts(store: Store) -> dict[str, int]:
    return {t: store.rows(f"SELECT count(*) AS n FROM {t}")[0]["n"] for t in (*TABLES, "payoff", "text")}


def test_rows_are_the_events_of_the_journal(store: str) -> None:
    results = parlour.run(DESIGN, store)
    events = list(read(results.store.journals / f"{results.run}.jsonl"))
    found = counts(results.store)
    for table, (kind, _) in TABLES.items():
        assert found[table] == sum(e["k"] == kind for e in events), table
    assert found["episode"] == found["ending"] == 8 and found["attempt"] >= 16
    assert found["payoff"] == 3 * 8
    prompts = {e["prompt"] for e in events if e["k"] == "reply"}
    assert len(prompts) == found["text"] > 1
    kept = results.store.rows("SELECT r.versions ->> 'parlour' AS v, r.seed, r.design ->> 'name' AS n FROM run r")
    assert kept == [{"v": parlour.__version__, "seed": 4, "n": "small"}]


def test_benchmarks_stay_in_the_order_of_the_game(store: str) -> None:
    """The first of them is the one that is shown, drawn and taken if none is named."""
    done = parlour.run({"game": "prompting", "episodes": 1, "arms": [{"name": f"arm {i}", "seats": {"human": "strategy", "ai": "strategy"}}
                                                                     for i in range(12)]}, store)
    order = [b.name for b in game_of({"name": "prompting"}).benchmarks(Rules())]
    rows = done.store.rows("SELECT arm, name FROM benchmark")
    assert [(r["arm"], r["name"]) for r in rows] == [(f"arm {i}", name) for i in range(12) for name in order]


def test_taking_twice_or_in_slices_adds_nothing(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = parlour.run(DESIGN, store)
    journal, before = results.store.journals / f"{results.run}.jsonl", counts(results.store)
    assert results.store.take(journal) == 0 and counts(results.store) == before
    monkeypatch.setattr(module, "BATCH", 1000)
    sliced = Store(tmp_path / "sliced.duckdb")
    assert sliced.take(journal) == journal.stat().st_size
    assert counts(sliced) == before
    assert sliced.rows("SELECT * FROM tidy ORDER BY ALL") == results.store.rows("SELECT * FROM tidy ORDER BY ALL")


def test_a_store_that_was_moved_does_not_take_its_journals_again(store: str, tmp_path: Path) -> None:
    results = parlour.run(DESIGN, store)
    before, elsewhere = counts(results.store), tmp_path / "elsewhere"
    elsewhere.mkdir()
    results.store.path.rename(elsewhere / "test.duckdb")
    results.store.journals.rename(elsewhere / "test.journals")
    moved = Store(elsewhere / "test.duckdb")
    assert moved.take(moved.journals / f"{results.run}.jsonl") == 0 and counts(moved) == before


def test_a_journal_that_grows_is_taken_from_where_it_stood(tmp_path: Path) -> None:
    store, path = Store(tmp_path / "a.duckdb"), tmp_path / "r.jsonl"
    with Journal(path) as journal:
        journal.write({"k": "draw", "run": "r", "e": 0, "t": 0, "what": "x", "chances": [0.5, 0.5], "draw": 1})
        store.take(path)
        journal.write({"k": "draw", "run": "r", "e": 0, "t": 1, "what": "x", "chances": [1.0], "draw": 0})
        store.take(path)
    assert [r["turn"] for r in store.rows("SELECT turn FROM draw")] == [0, 1]


def test_taking_from_two_threads_at_once_adds_every_row_once(tmp_path: Path) -> None:
    """As a run's background taking and its last one may."""
    store, path = Store(tmp_path / "a.duckdb"), tmp_path / "r.jsonl"
    with Journal(path) as journal:
        for i in range(3000):
            journal.write({"k": "draw", "run": "r", "e": i, "t": 0, "what": "x", "chances": [1.0], "draw": 0})
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: store.take(path), range(4)))
    assert sorted(taken) == [0, 0, 0, path.stat().st_size]
    assert store.rows("SELECT count(*) AS n FROM draw") == [{"n": 3000}]


def test_a_store_is_free_while_a_run_goes_on(store: str) -> None:
    """Another process can read between batches, and this one waits for another's batch."""
    results = parlour.run(DESIGN, store)
    code = f"""
import time
from parlour.transcripts.store import Store
with Store({store!r}).open(write=True):
    print("held", flush=True); time.sleep(.6)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match="another process"):
            Store(store)._connect(False, 0.0)
        assert len(results.frame()) == 24
    assert other.returncode == 0


def test_foreign_newer_and_missing_files_are_refused_unchanged(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store at"):
        Store(tmp_path / "none.duckdb").rows("SELECT 1")
    foreign = tmp_path / "foreign.duckdb"
    with duckdb.connect(str(foreign)) as db:
        db.execute("CREATE TABLE mine (x INTEGER)")
    with pytest.raises(StoreError, match="another program"), Store(foreign).open(write=True):
        pass
    with duckdb.connect(str(foreign)) as db:
        assert db.execute("SELECT table_name FROM information_schema.tables").fetchall() == [("mine",)]
    text = tmp_path / "text.duckdb"
    text.write_text("hello")
    with pytest.raises(StoreError, match="another program"), Store(text).open(write=True):
        pass
    assert text.read_text() == "hello"
    newer = Store(tmp_path / "newer.duckdb")
    with newer.open(write=True) as db:
        db.execute("INSERT INTO parlour VALUES (99)")
    with pytest.raises(StoreError, match="newer Parlour"):
        newer.rows("SELECT 1")


def test_a_journal_of_something_else_is_refused(tmp_path: Path) -> None:
    store, path = Store(tmp_path / "a.duckdb"), tmp_path / "x.jsonl"
    path.write_text("not json at all\n")
    with pytest.raises(StoreError, match="not an event of a Parlour journal"):
        store.take(path)
    with pytest.raises(StoreError, match="no journal"):
        store.take(tmp_path / "none.jsonl")


def test_bad_sql_gets_one_line(store: str) -> None:
    results = parlour.run(DESIGN, store)
    with pytest.raises(StoreError) as raised:
        results.sql("SELECT nothing FROM nowhere")
    assert "\n" not in str(raised.value)
    with pytest.raises(StoreError, match="read-only"):
        results.sql("DELETE FROM run")


def test_runs_are_found_by_the_start_of_their_name(store: str) -> None:
    first, second = parlour.run(DESIGN, store), parlour.run({**DESIGN, "name": "other"}, store)
    assert find_run(second.store, "latest") == second.run
    assert find_run(second.store, "small") == first.run
    assert parlour.load("other", store).run == second.run
    with pytest.raises(StoreError, match="no run 'nope'"):
        find_run(second.store, "nope")


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_export_round_trip(store: str, tmp_path: Path, kind: str) -> None:
    results = parlour.run(DESIGN, store)
    results.table()
    files = export(results.store, results.run, tmp_path / "out", kind)
    assert sorted(f.name for f in files) == sorted(f"{t}.{kind}" for t in EVERY)
    read_back = "read_parquet" if kind == "parquet" else "read_json"
    for name in ("episode", "attempt", "payoff", "score", "text"):
        (n,), = duckdb.sql(f"SELECT count(*) FROM {read_back}('{tmp_path / 'out' / name}.{kind}')").fetchall()
        assert n == results.store.rows(f"SELECT count(*) AS n FROM {name}")[0]["n"] > 0


def test_tidy_csv_has_cluster_columns(store: str, tmp_path: Path) -> None:
    import pandas
    results = parlour.run(DESIGN, store)
    path, = export(results.store, results.run, tmp_path / "tidy.csv", "csv")
    frame = pandas.read_csv(path)
    assert len(frame) == 24 and not list(tmp_path.glob("*.part"))
    assert {"arm", "wording", "persona", "stratum", "replicate", "weight", "role", "net", "status"} <= set(frame.columns)
    with pytest.raises(StoreError, match="cannot write"):
        export(results.store, results.run, Path("/proc/none/tidy.csv"), "csv")


def test_a_journal_that_grows_meanwhile_is_taken_as_far_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, path, real = Store(tmp_path / "a.duckdb"), tmp_path / "r.jsonl", module._insert
    with Journal(path) as journal:
        def draw(turn: int) -> None:
            journal.write({"k": "draw", "run": "r", "e": 0, "t": turn, "what": "x", "chances": [1.0], "draw": 0})

        def grow(*args: object) -> None:
            draw(journal._end)
            real(*args)  # type: ignore[arg-type]  # passed on as they came

        draw(0)
        before = path.stat().st_size
        monkeypatch.setattr(module, "_insert", grow)
        assert store.take(path) == before
        assert len(store.rows("SELECT turn FROM draw")) == 1


def test_a_store_half_empty_is_compacted_and_keeps_all_it_is_made_of(store: str) -> None:
    results = parlour.run(DESIGN, store)
    schema = "SELECT sql FROM {} WHERE NOT internal ORDER BY sql"

    def made() -> list[object]:
        return [results.store.rows(schema.format(x)) for x in ("duckdb_tables()", "duckdb_views()")] + [
            results.store.rows(f"SELECT * FROM {t} ORDER BY ALL") for t in (*TABLES, "seal", "root", "taken", "parlour", "tidy")]
    with results.store.open(write=True) as db:
        for name in ("ballast", "behind_it"):  # free blocks at its end DuckDB cuts off by itself
            db.execute(f"CREATE TABLE {name} AS SELECT hash(range)::VARCHAR AS x FROM range(300000)")
            db.execute("CHECKPOINT")
        db.execute("DROP TABLE ballast")
    before, size = made(), Path(store).stat().st_size
    assert compact(results.store) and not compact(results.store)
    assert made() == before and Path(store).stat().st_size < 0.7 * size
    assert results.store.take(results.store.journals / f"{results.run}.jsonl") == 0
    with results.store.open(write=True) as db, pytest.raises(duckdb.ConstraintException):
        db.execute("INSERT INTO run SELECT * FROM run")
    assert sorted(p.name for p in Path(store).parent.iterdir()) == ["test.duckdb", "test.journals"]


def test_who_waits_for_a_store_that_is_compacted_writes_to_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is replaced after it was looked up and before it is locked."""
    store, connect = Store(tmp_path / "a.duckdb"), duckdb.connect
    with store.open(write=True):
        pass

    def slowly(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(duckdb, "connect", connect)
        opened = connect(*args, **options)
        other = tmp_path / "other"
        other.write_bytes(store.path.read_bytes())
        other.replace(store.path)
        return opened
    monkeypatch.setattr(duckdb, "connect", slowly)
    with store.open(write=True) as db:
        db.execute("INSERT INTO taken VALUES ('r.jsonl', 1)")
    assert store.rows("SELECT bytes FROM taken") == [{"bytes": 1}]


def test_a_store_in_use_or_without_room_is_left_as_it_is(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    results = parlour.run(DESIGN, store)
    monkeypatch.setattr(compacting, "_wasteful", lambda db: True)
    before = Path(store).read_bytes()

    def full(*_: object) -> None:
        raise OSError("no space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(compacting.shutil, "copymode", full)
        assert not compact(results.store)
    with results.store.reading():
        assert not compact(results.store)
    assert Path(store).read_bytes() == before and len(list(Path(store).parent.iterdir())) == 2
    assert compact(results.store)


def test_a_store_whose_free_blocks_were_cut_off_is_whole(tmp_path: Path) -> None:
    """DuckDB shortens a file whose last blocks are free, and goes on counting them."""
    store = Store(tmp_path / "x.duckdb")
    much = "SELECT range AS i, hash(range) AS h FROM range(20000)"
    for statement in (f"CREATE TABLE first AS {much}", f"CREATE TABLE last AS {much}", "DROP TABLE last"):
        with store.open(write=True) as db:
            db.execute(statement)
            db.execute("CHECKPOINT")
    assert missing(store.path) > 0, "the file is shorter than its count of blocks"
    for i in range(3):
        with store.open(write=True) as db:
            db.execute("INSERT INTO first VALUES (?, 0)", [i])
    assert store.rows("SELECT count(*) AS n FROM first") == [{"n": 20003}]
    whole = store.path.read_bytes()
    store.path.write_bytes(whole[:len(whole) // 2])
    with pytest.raises(StoreError, match="damaged or has been cut"):
        store.rows("SELECT * FROM first")


def missing(path: Path) -> int:
    """Bytes that the newer header of a DuckDB file counts beyond its end."""
    head = path.read_bytes()[:3 * 4096]
    *_, blocks, size = max(unpack_from("<5Q", head, at + 8) for at in (4096, 8192))
    return int(3 * 4096 + blocks * size - path.stat().st_size)

"""Verification: what was played comes out the same; every column tampered with, and every row deleted, is found and named."""
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import parlour
from parlour.agents.mock_server import MockServer
from parlour.errors import InputError, StoreError
from parlour.experiments import api
from parlour.experiments.cli import main
from parlour.experiments.verify import verify
from parlour.protocols.session import Event
from parlour.transcripts.seal import HEAD, PARTS, seal
from parlour.transcripts.store import Store

FORKED = ("fork", "unmade", "resumed", "consent")
"""Tables that an undisturbed run leaves empty."""

BAD_FIRST = {"agent": "mock", "faults": {"rate": 0.4}}
DESIGN: dict[str, Any] = {"name": "v", "seed": 4, "episodes": 8, "game": {"name": "email", "harm": 1.0}, "wait": 0.0,
                          "protocol": {"name": "advice", "max_queries": 2}, "seats": {"human": BAD_FIRST, "ai": "random"}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[api.Results]:
    with MockServer() as server:
        model = {"agent": "llm", "model": "mock", "endpoint": server.endpoint, "is_mock": True}
        results = parlour.run({**DESIGN, "sentinels": 1, "seats": {"human": BAD_FIRST, "ai": model}},
                              tmp_path_factory.mktemp("verify") / "whole.duckdb")
        results.table()
        tables = [t for t in (*PARTS, *HEAD, "score", "text") if t not in FORKED]
        rows = {t: results.store.rows(f"SELECT count(*) AS n FROM {t}")[0]["n"] for t in tables}
        assert all(rows.values()), f"a table is empty, so nothing in it could be tampered with: {rows}"
        yield results


@pytest.fixture(scope="module")
def forked(whole: api.Results, tmp_path_factory: pytest.TempPathFactory) -> api.Results:
    """The same with a run of its forks, in which a call that a budget refused is noted."""
    path = tmp_path_factory.mktemp("forked") / "whole.duckdb"
    shutil.copy(whole.store.path, path)
    results = parlour.fork(f"{whole.run}/0-3", 1, times=2, store=path)
    with results.store.open(write=True) as db:
        db.execute("INSERT INTO unmade SELECT run, episode, turn, 0, written FROM ask WHERE run = ? ORDER BY ALL LIMIT 1", [results.run])
        db.execute("INSERT INTO resumed SELECT run, written, versions, commit, '[]' FROM run WHERE run = ?", [results.run])
        db.execute("INSERT INTO consent SELECT run, 'human', 'person-1', written, true, NULL FROM run WHERE run = ?", [results.run])
    sealed_anew(results.store, results.run)
    assert verify(results.store, results.run).divergence is None
    return results


@pytest.fixture
def copy(whole: api.Results, forked: api.Results, tmp_path: Path) -> Callable[[str], Store]:
    """A store of the run after one SQL statement; it counts that the statement changed something."""
    def tampered(sql: str) -> Store:
        path = tmp_path / "copy.duckdb"
        shutil.copy((forked if any(f"{verb} {t} " in sql for verb in ("UPDATE", "FROM") for t in FORKED) else whole).store.path, path)
        with duckdb.connect(str(path)) as db:
            changed = db.execute(sql).fetchall()[0][0]
        assert changed >= 1, "nothing was changed"
        return Store(path)
    return tampered


@pytest.mark.parametrize("change", [
    {}, {"wordings": "all", "seats": {"human": "mock", "ai": "mock"}},
    {"episodes": "exact", "seats": {"human": "logit:1", "ai": "strategy"}},
    {"game": {"name": "first_price_auction", "signal": "mixture"}, "protocol": {"name": "cheap_talk", "then": "advice"},
     "seats": {"bidder_1": "mock", "bidder_2": "random", "ai_1": "strategy"}},
    {"game": {"name": "battle_of_the_sexes", "informed": "both_private"}, "protocol": "advice",
     "seats": {"row": "mock", "column": "level_k:1", "ai_row": "random", "ai_column": "mock"}},
])
def test_what_was_played_comes_out_the_same(store: str, change: dict[str, Any]) -> None:
    results = parlour.run({**DESIGN, **change}, store)
    results.table()
    found = verify(results.store, results.run)
    assert found.divergence is None and found.episodes == len(results.sql("SELECT * FROM ending")) > 0


def test_a_resumed_run_verifies_and_its_root_is_kept(whole: api.Results) -> None:
    before = verify(whole.store, whole.run)
    assert api.resume(whole.run, whole.store.path).status == "done"
    after = verify(whole.store, whole.run)
    assert before.divergence is None and after == before
    roots = whole.sql(f"SELECT DISTINCT root FROM root WHERE run = '{whole.run}'")["root"].tolist()
    assert roots == [after.root]


def test_a_run_that_was_cut_off_or_goes_on_is_no_finding(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Scored, verified and taken up again in between: nothing differs, and what could not be compared is told."""
    count = 0

    def cut(event: Event) -> None:
        nonlocal count
        count += event["k"] == "end"
        if count == 5:
            raise InputError("cut off")

    with pytest.raises(InputError, match="cut off"):
        api.synchronous(api.start(api.make_design({**DESIGN, "concurrency": 1}), Store(store), cut))
    run = api.load(store=store)
    run.table()
    assert main(["verify", "--store", store]) == 0
    assert "note: the run has not ended: 5 of its episodes are not sealed yet" in capsys.readouterr().out
    with Store(store).open(write=True) as db:
        db.execute("UPDATE payoff SET net = net + 1 WHERE episode = 2 AND role = 'human'")
    assert verify(Store(store), run.run).divergence is not None
    with Store(store).open(write=True) as db:
        db.execute("UPDATE payoff SET net = net - 1 WHERE episode = 2 AND role = 'human'")
    assert api.resume(run.run, store).status == "done"
    found = verify(Store(store), run.run)
    assert found.divergence is None and found.notes == ("the scores kept last are of fewer episodes, and were not compared: "
                                                        "`parlour score` makes new ones",)
    run.table()
    assert verify(Store(store), run.run).notes == ()


FOUND = {"text": "by the hashes in attempt", "score": "computed anew", "seal": "by the rows", "root": "by the seals"}
"""Tables that no seal covers, and by what a change of them is found."""

FREE = {"parlour": "the schema's version", "taken": "how far journals were read", "stop": "when a run was begun and ended, once each time",
        "simulation": "no run's", "simulated": "no run's", "curve": "no run's"}


def columns(*tables: str) -> list[tuple[str, str]]:
    """Every column of these tables, of all if none are named, as the schema has them."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "x.duckdb")
        with store.open(write=True) as db:
            found = db.execute("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND table_name IN "
                               "(SELECT table_name FROM duckdb_tables()) ORDER BY table_name, column_index").fetchall()
    return [(t, c) for t, c in found if not tables or t in tables]


def test_every_table_is_sealed_or_found_otherwise_or_free() -> None:
    assert {t for t, _ in columns()} == {*PARTS, *HEAD, *FOUND, *FREE}


CHANGES = {"VARCHAR": "coalesce({c}, '') || 'x'", "JSON": "'{{\"changed\": 1}}'", "DOUBLE": "coalesce({c}, 0) + 1",
           "INTEGER": "coalesce({c}, 0) + 1", "BIGINT": "coalesce({c}, 0) + 1", "BOOLEAN": "NOT coalesce({c}, false)",
           "DOUBLE[]": "[0.25, 0.75]"}


@pytest.mark.parametrize(("table", "column"), columns(*PARTS, *HEAD), ids=lambda x: str(x))
def test_every_column_that_is_changed_is_found(copy: Callable[[str], Store], whole: api.Results, forked: api.Results, table: str,
                                                column: str) -> None:
    source = forked if table in FORKED else whole
    row, = source.store.rows(f"SELECT * FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
    kind = whole.store.rows("SELECT data_type AS k FROM information_schema.columns WHERE table_name = ? AND column_name = ?",
                            [table, column])[0]["k"]
    value = CHANGES[kind].format(c=f'"{column}"')
    store = copy(f'UPDATE {table} SET "{column}" = {value} WHERE rowid = (SELECT max(rowid) FROM {table})')
    try:
        found = verify(store, row["run"]).divergence
    except (StoreError, IndexError) as error:  # the run's own name or design was changed: it is not there any more
        assert table == "run" or column == "run", error
        return
    assert found is not None, f"{table}.{column} was changed and nobody noticed"
    assert found.field and found.expected != found.found
    if table in PARTS and column not in ("run", "episode"):
        assert found.episode == row["episode"], f"{table}.{column} was changed in episode {row['episode']}, and verify names {found}"


@pytest.mark.parametrize("change", ["text = text || 'x'", "hash = hash || 'x'"])
def test_a_changed_prompt_is_found(copy: Callable[[str], Store], whole: api.Results, change: str) -> None:
    store = copy(f"UPDATE text SET {change} WHERE hash = (SELECT prompt FROM attempt WHERE run = '{whole.run}' AND episode = 5 "
                 "AND prompt IS NOT NULL ORDER BY turn LIMIT 1)")
    found = verify(store, whole.run).divergence
    assert found is not None and found.field == "text of the prompt" and found.turn is not None
    shown = store.rows("SELECT turn FROM attempt WHERE run = ? AND episode = ? AND prompt = ?", [whole.run, found.episode, found.expected])
    assert {"turn": found.turn} in shown and found.found != found.expected


@pytest.mark.parametrize(("sql", "named"), [
    ("UPDATE attempt SET words = CASE WHEN words LIKE '%\"C\"%' THEN '{\"action\":\"A\"}' ELSE '{\"action\":\"C\"}' END "
     "WHERE verdict = 'ok' AND episode = 3 AND turn = (SELECT max(turn) FROM ask WHERE episode = 3)", ("episode 3", "move")),
    ("UPDATE attempt SET complaint = 'fine' WHERE rowid = (SELECT min(rowid) FROM attempt WHERE verdict = 'invalid')", ("complaint",)),
    ("DELETE FROM ask WHERE episode = 2 AND turn = (SELECT max(turn) FROM ask WHERE episode = 2)", ("episode 2", "ask")),
    ("DELETE FROM draw WHERE rowid = (SELECT max(rowid) FROM draw)", ("draw",)),
    ("DELETE FROM payoff WHERE episode = 1 AND role = 'human'", ("episode 1", "payoff of human")),
    ("UPDATE payoff SET net = net + 1 WHERE episode = 1 AND role = 'human'", ("episode 1", "payoff of human, net")),
    ("UPDATE draw SET draw = 1 - draw WHERE rowid = (SELECT max(rowid) FROM draw)", ("draw",)),
    ("UPDATE benchmark SET value = '{\"human\": 3.0}' WHERE name = 'with_ai'", ("with_ai",)),
    ("UPDATE score SET value = value + 1 WHERE quantity = 'payoff' AND role = 'human'", ("score", "human")),
    ("UPDATE sentinel SET words = 'seven' WHERE verdict = 'ok' AND round = 0", ("root",)),
    ("UPDATE sentinel SET verdict = 'invalid' WHERE verdict = 'ok' AND round = 5", ("sentinel 0 of round 5, verdict",)),
    ("UPDATE sentinel SET prompt = 'x' WHERE verdict = 'ok' AND round = 5", ("sentinel 0 of round 5, prompt",)),
    ("UPDATE ending SET status = 'forfeit' WHERE episode = 0", ("episode 0", "status")),
    ("UPDATE attempt SET latency = latency + 1 WHERE rowid = (SELECT max(rowid) FROM attempt)", ("episode", "hash")),
])
def test_the_first_divergence_is_named(copy: Callable[[str], Store], whole: api.Results, sql: str, named: tuple[str, ...]) -> None:
    found = verify(copy(sql), whole.run).divergence
    assert found is not None and all(word in str(found) for word in named), str(found)


@pytest.mark.parametrize("table", [*PARTS, *HEAD])
def test_every_deleted_row_is_found(copy: Callable[[str], Store], whole: api.Results, forked: api.Results, table: str) -> None:
    store = copy(f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
    try:
        assert verify(store, (forked if table in FORKED else whole).run).divergence is not None
    except (StoreError, IndexError):
        assert table in ("run", "episode")


def sealed_anew(store: Store, run: str) -> None:
    """Every hash of a run made again from the rows as they are now."""
    with store.open(write=True) as db:
        for table in ("seal", "root"):
            db.execute(f"DELETE FROM {table} WHERE run = ?", [run])
    seal(store, run)


@pytest.mark.parametrize("tables", [("ask", "call", "attempt", "draw"), ("ask", "call", "attempt", "draw", "ending", "payoff")])
def test_a_deleted_last_turn_is_named_though_all_is_sealed_anew(copy: Callable[[str], Store], whole: api.Results,
                                                                tables: tuple[str, ...]) -> None:
    last, = whole.store.rows("SELECT max(turn) AS t FROM ask WHERE run = ? AND episode = 4", [whole.run])
    which = f"WHERE run = '{whole.run}' AND episode = 4"
    store = copy(f"DELETE FROM ask {which} AND turn = {last['t']}")
    with store.open(write=True) as db:
        for table in tables[1:]:
            db.execute(f"DELETE FROM {table} {which}" + (f" AND turn = {last['t']}" if table in tables[:4] else ""))
    sealed_anew(store, whole.run)
    found = verify(store, whole.run).divergence
    assert found is not None and (found.episode, found.turn, found.field) == (4, last["t"], "ask"), found


def test_a_missing_episode_is_named_though_all_is_sealed_anew(copy: Callable[[str], Store], whole: api.Results) -> None:
    store = copy(f"DELETE FROM episode WHERE run = '{whole.run}' AND episode = 7")
    with store.open(write=True) as db:
        for table in PARTS[1:]:
            db.execute(f"DELETE FROM {table} WHERE run = ? AND episode = 7", [whole.run])
        db.execute("DELETE FROM score")
    sealed_anew(store, whole.run)
    found = verify(store, whole.run).divergence
    assert found is not None and (found.episode, found.field) == (7, "episode"), found


def test_hashes_made_anew_are_found_by_the_noted_root(copy: Callable[[str], Store], whole: api.Results,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody changes what no play can give again, and seals the run anew: only the root noted elsewhere tells."""
    noted = verify(whole.store, whole.run).root
    store = copy(f"UPDATE attempt SET latency = latency + 1 WHERE run = '{whole.run}' AND episode = 7")
    sealed_anew(store, whole.run)
    assert verify(store, whole.run).divergence is None
    command = ["verify", whole.run, "--store", str(store.path)]
    assert main(command) == 0
    capsys.readouterr()
    assert main([*command, "--root", noted]) == 1
    assert f"root: recorded {noted}" in capsys.readouterr().out


def test_no_key_and_no_service_is_needed(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "secret-key")
    with MockServer() as server:
        llm = {"agent": "llm", "model": "mock", "endpoint": server.endpoint, "is_mock": True, "key_env": "SOME_KEY"}
        results = parlour.run({**DESIGN, "seats": {"human": llm, "ai": llm}}, store)
    monkeypatch.delenv("SOME_KEY")
    assert verify(results.store, results.run).divergence is None

"""Seals: the same however they are made, in little memory however long the run, over every column of every table of an episode."""
from pathlib import Path
from random import Random

import duckdb
import pytest

from parlour.transcripts import seal as module
from parlour.transcripts import store as storing
from parlour.transcripts.journal import Journal
from parlour.transcripts.seal import hashes, ranges, root_of, seal
from parlour.transcripts.store import Store

REPLIES, EACH = 3_000, 3


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A run of episodes of three replies of 4 KB, as a store has it that was never sealed."""
    store, chance = Store(tmp_path_factory.mktemp("seal") / "x.duckdb"), Random(1)
    with Journal(store.journals / "r.jsonl") as journal:
        journal.write({"k": "run", "run": "r", "name": "r"}, True)
        for i in range(REPLIES):
            where = {"run": "r", "e": i // EACH, "t": i % EACH}
            journal.write({"k": "ask", **where, "role": "human", "want": "Say", "optional": False, "seed": i, "news": []}, True)
            journal.write({"k": "reply", **where, "n": 0, "words": chance.randbytes(2000).hex(), "verdict": "ok"}, True)
            if i % EACH == EACH - 1:
                journal.write({"k": "end", **where, "status": "done", "payoffs": []}, i % 1000 > 0)
    store.take(journal.path)
    return store


def test_ranges_cover_a_run_and_are_of_about_the_same_size(long: Store) -> None:
    whole = (long.journals / "r.jsonl").stat().st_size
    with long.open() as db:
        assert len(list(ranges(db, "r", 10 * whole))) == 1 and list(ranges(db, "nobody")) == []
        found = list(ranges(db, "r", whole // 10))
    assert 10 <= len(found) <= 11 and [low for low, _ in found[1:]] == [high for _, high in found[:-1]]
    assert (found[0][0], found[-1][1]) == (0, REPLIES // EACH)


def test_a_long_run_is_sealed_in_little_memory(long: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows at once would need more than there is."""
    with long.open() as db:
        one_by_one = hashes(db, "r")
    monkeypatch.setattr(storing, "MEMORY", 64 * 2**20)
    monkeypatch.setattr(module, "vector", lambda db: 0)
    monkeypatch.setattr(module, "SPAN", 2**30)
    with pytest.raises(duckdb.OutOfMemoryException):
        seal(long, "r")
    monkeypatch.setattr(module, "SPAN", 2**20)
    root = seal(long, "r")
    kept = {r["episode"]: r["hash"] for r in long.rows("SELECT episode, hash FROM seal")}
    assert kept == one_by_one and len(kept) == REPLIES // EACH
    with long.open() as db:
        assert root_of(db, "r") == (len(kept), root)
    assert seal(long, "r") == root and long.rows("SELECT count(*) AS n FROM seal") == [{"n": len(kept)}]


@pytest.mark.parametrize(("size", "lines"), [(400_000, 20), (3_000_000, 3)])
def test_long_texts_have_room(tmp_path: Path, size: int, lines: int) -> None:
    """More than a run of short ones is given, by the length of what it holds."""
    store = Store(tmp_path / "x.duckdb")
    with Journal(store.journals / "r.jsonl") as journal:
        journal.write({"k": "run", "run": "r", "name": "r"})
        for e in range(lines):
            words = Random(e).randbytes(size // 2).hex()
            journal.write({"k": "reply", "run": "r", "e": e, "t": 0, "n": 0, "words": words, "verdict": "ok"})
            journal.write({"k": "end", "run": "r", "e": e, "status": "done", "payoffs": []})
    store.take(journal.path)
    assert len(seal(store, "r")) == 64
    assert store.rows("SELECT min(length(words)) AS n, count(*) AS rows FROM attempt") == [{"n": size, "rows": lines}]

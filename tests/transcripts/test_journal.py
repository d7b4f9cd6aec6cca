"""The journal: whole lines only, one writer, long texts once, a full disk loses nothing."""
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from parlour.errors import StoreError
from parlour.transcripts.journal import Journal, read


def test_events_come_back_in_order_and_texts_once(tmp_path: Path) -> None:
    path = tmp_path / "a" / "run.jsonl"
    with Journal(path) as journal:
        journal.write({"k": "ask", "t": 0})
        assert journal.text("long") == journal.text("long") != journal.text("longer")
    with Journal(path) as journal:
        journal.text("long")
        journal.write({"k": "end"})
    assert [e["k"] for e in read(path)] == ["ask", "text", "text", "end"]
    assert all(e["written"] > 1e9 for e in read(path))


def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with Journal(path) as journal:
        journal.write({"k": "ask", "t": 0})
    whole = path.stat().st_size
    with path.open("ab") as file:
        file.write(b'{"k":"reply","wor')
    assert [e["k"] for e in read(path)] == ["ask"]
    with Journal(path) as journal:
        assert path.stat().st_size == whole
        journal.write({"k": "reply"})
    assert [e["k"] for e in read(path)] == ["ask", "reply"]


def test_a_file_that_is_only_a_torn_line_becomes_empty(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(b'{"k":"ru')
    with Journal(path):
        pass
    assert path.stat().st_size == 0


def test_two_writers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with Journal(path), pytest.raises(StoreError, match="another process"):
        Journal(path)


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "run.jsonl", os.write
    with Journal(path) as journal:
        journal.write({"k": "ask", "t": 0})

        def full(file: int, data: bytes) -> int:
            if len(data) > 8:
                return real(file, data[:8])
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(StoreError, match=r"No space left.*resume"):
            journal.write({"k": "x"})
        with pytest.raises(StoreError):
            journal.write({"k": "reply", "words": "something long enough to be cut"})
        monkeypatch.undo()
        journal.write({"k": "reply"})
    assert [e["k"] for e in read(path)] == ["ask", "reply"]


def test_what_was_written_survives_sigkill(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    code = f"""
import os, signal
from pathlib import Path
from parlour.transcripts.journal import Journal
journal = Journal(Path({str(path)!r}))
for i in range(100): journal.write({{"k": "ask", "t": i}})
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -9
    assert [e["t"] for e in read(path)] == list(range(100))


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text("name,score\n")
    with pytest.raises(StoreError, match="line 1: not an event"):
        list(read(path))
    with pytest.raises(StoreError, match="cannot read"):
        list(read(tmp_path / "none.jsonl"))


def test_held_events_go_out_in_order_before_the_next_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with Journal(path) as journal:
        journal.write({"k": "ask", "t": 0}, hold=True)
        name = journal.text("long", hold=True)
        assert list(read(path)) == []
        journal.write({"k": "ask", "t": 1})
        assert [(e["k"], e.get("t", e.get("hash"))) for e in read(path)] == [("ask", 0), ("text", name), ("ask", 1)]
        journal.write({"k": "end"}, hold=True)
        journal.flush()
        assert [e["k"] for e in read(path)][-1] == "end"
        journal.write({"k": "stop"}, hold=True)
    assert [e["k"] for e in read(path)] == ["ask", "text", "ask", "end", "stop"]

"""The command that prints how things grow: every figure of it, of runs of no length, in this process."""
import importlib
from pathlib import Path
from typing import Any

import pytest

import parlour
from parlour.experiments import api, resume

ROOT = Path(__file__).parent.parent.parent


def test_every_figure_is_printed_with_what_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "perf"))
    growth: Any = importlib.import_module("growth")
    found: dict[str, dict[str, float]] = {}

    def here(name: str, path: Path, n: int) -> dict[str, float]:
        found[name] = growth.PARTS[name](path, n)
        return found[name]
    monkeypatch.setattr(growth, "part", here)
    monkeypatch.setattr(growth, "IDLE", 0.05)
    growth.growth(tmp_path, [30, 60], 20, 600, 3)
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines if "wanted: " in line} == {"memory", "lag", "transcript", "size", "verify"}
    assert all(line.endswith((": met", ": MISSED")) for line in lines if "wanted: " in line) and lines[0].startswith("memory")
    assert found["verify"]["turns"] == 20 and found["verify"]["solved"] == 1 and found["verify"]["rate"] > 10
    assert 1024 > found["size"]["zstd"] > 100 and found["size"]["store"] > 0 and found["transcript"]["ratio"] > 0.5
    assert found["memory"]["peak"] >= found["memory"]["end"] > 10 and found["lag"]["p99"] >= 0


def test_a_run_that_is_taken_up_holds_what_it_owes_and_not_what_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever kept every episode's beginning would take twice the memory of playing, of a million turns."""
    monkeypatch.setattr(resume, "copies", None)  # a run of its own is not read for copies
    played = parlour.run({"name": "held", "episodes": 9, "game": "email", "protocol": "advice", "concurrency": 1,
                          "seats": {"human": "mock", "ai": "mock"}}, tmp_path / "x.duckdb")
    journal = played.store.journals / f"{played.run}.jsonl"
    found = resume._begun(journal)
    assert (found.episodes, found.ended, found.forks) == (set(), set(range(9)), False)
    lines = journal.read_bytes().splitlines(keepends=True)
    cut = next(i for i, line in enumerate(lines) if b'"k":"end"' in line and b'"e":4' in line)
    (tmp_path / "cut.journals").mkdir()
    (tmp_path / "cut.journals" / journal.name).write_bytes(b"".join(lines[:cut]))
    found = resume._begun(tmp_path / "cut.journals" / journal.name)
    assert (found.episodes, found.ended) == ({4}, {0, 1, 2, 3})
    assert api.resume(played.run, tmp_path / "cut.duckdb").status == "done"

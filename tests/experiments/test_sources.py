"""A run is taken up only where its games, protocols, agents and packages are those it was begun with."""
import json
from pathlib import Path
from typing import Any

import pytest

import parlour
from parlour.experiments.cli import main
from parlour.transcripts.store import Store

DESIGN: dict[str, Any] = {"name": "made", "seed": 1, "episodes": 4, "game": "email", "protocol": "advice",
                          "seats": {"human": "mock", "ai": "strategy"}}


@pytest.mark.parametrize("change, says", [
    ({"source parlour.games.email": "0"}, "source of parlour.games.email has changed"),
    ({"source parlour.protocols.advice": "0"}, "source of parlour.protocols.advice has changed"),
    ({"source parlour.agents.mock": "0"}, "source of parlour.agents.mock has changed"),
    ({"source another.game": "0"}, "source of another.game has gone"), ({"numpy": "1.0"}, "numpy 1.0 is now"),
    ({"parlour": "0.0.1"}, "begun by parlour 0.0.1"), ({"duckdb": "1.0", "openai": "1.0"}, "")])
def test_what_differs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, str], says: str) -> None:
    whole = parlour.run(DESIGN, tmp_path / "whole.duckdb")
    lines = (whole.store.journals / f"{whole.run}.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    assert {f"source parlour.games.{m}" for m in ("email", "base")} < set(first["versions"])
    first["versions"] |= change
    store = Store(tmp_path / "other.duckdb")
    store.journals.mkdir()
    journal = store.journals / f"{whole.run}.jsonl"
    journal.write_text("\n".join([json.dumps(first), *lines[1:len(lines) // 2], ""]))
    before = journal.read_bytes()
    assert main(["resume", "--store", str(store.path)]) == (2 if says else 0)
    err = capsys.readouterr().err
    if says:
        assert says in err and err.count("\n") == 1 and journal.read_bytes() == before and not store.path.exists()

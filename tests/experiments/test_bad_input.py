"""Files that are not what they should be, through the command line: one line that says so, exit code 2, and nothing overwritten."""
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from parlour.experiments import head, resume
from parlour.experiments.cli import main
from parlour.transcripts.drift import drift
from parlour.transcripts.store import Store

TOML = 'name = "bad"\nseed = 3\nepisodes = {episodes}\ngame = "email"\nprotocol = "advice"\n[seats]\nhuman = "mock"\nai = "mock"\n'
PLAYED = "SELECT episode, role, net FROM payoff ORDER BY ALL"
COMMANDS = (["runs"], ["score"], ["verify"], ["resume"], ["sql", "SELECT * FROM attempt"], ["export"], ["report", "--no-figures"],
            ["fork", "all", "--at", "0"], ["replay", "0"])


class Lab:
    """A folder with a design, a store and a journal of a whole run."""

    def __init__(self, folder: Path):
        self.folder, self.design, self.store = folder, folder / "d.toml", Store(folder / "x.duckdb")

    @property
    def journal(self) -> Path:
        found, = self.store.journals.glob("*.jsonl")
        return found

    @property
    def run(self) -> str:
        return self.journal.stem

    def bytes(self) -> dict[Path, bytes]:
        return {p: p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}

    def halve(self) -> None:
        """As if killed in the middle, before anything was in the store."""
        lines = self.journal.read_bytes().splitlines(keepends=True)
        self.journal.write_bytes(b"".join(lines[:len(lines) // 2]))
        self.store.path.unlink()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    lab = Lab(tmp_path_factory.mktemp("bad"))
    lab.design.write_text(TOML.format(episodes=12))
    assert main(["run", str(lab.design), "--store", str(lab.store.path)]) == 0
    return lab


@pytest.fixture
def lab(whole: Lab, tmp_path: Path) -> Lab:
    shutil.copytree(whole.folder, tmp_path / "lab")
    return Lab(tmp_path / "lab")


@pytest.fixture
def refused(lab: Lab, capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Gives a command, and sees that it ends with code 2, one line that holds `what`, and every file as it was."""
    def give(*command: str, what: str) -> None:
        before = lab.bytes()
        capsys.readouterr()
        assert main([*command, "--store", str(lab.store.path)]) == 2, command
        out, err = capsys.readouterr()
        assert err.startswith("parlour: ") and err.count("\n") == 1 and what in err and out == "", (command, err)
        assert lab.bytes() == before, f"{command}: something was written"
    return give


# --- stores -------------------------------------------------------------------------------------------------------------
def of_sqlite(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (x)")


def of_duckdb(path: Path) -> None:
    with duckdb.connect(str(path)) as db:
        db.execute("CREATE TABLE mine (x INTEGER)")


@pytest.mark.parametrize("make, what", [(of_sqlite, "a file of another program"), (of_duckdb, "another program"),
                                        (lambda path: path.write_text("hello"), "a file of another program")])
def test_a_store_of_another_program(lab: Lab, refused: Callable[..., None], make: Callable[[Path], None], what: str) -> None:
    lab.store.path.unlink()
    make(lab.store.path)
    for command in (*COMMANDS, ["run", str(lab.design)]):
        refused(*command, what=what)


def test_a_store_of_a_newer_version(lab: Lab, refused: Callable[..., None]) -> None:
    with duckdb.connect(str(lab.store.path)) as db:
        db.execute("INSERT INTO parlour VALUES (99)")
    for command in (*COMMANDS, ["run", str(lab.design)]):
        refused(*command, what="written by a newer Parlour (schema 99")


@contextmanager
def held(code: str) -> Iterator[None]:
    """Another process that holds something until it is told to end."""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout and other.stdin and other.stdout.readline() == "held\n"
        yield
        other.stdin.close()


def test_a_store_locked_by_another_process(lab: Lab, refused: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlour.transcripts.store.PATIENCE", 0.05)
    with held(f"import duckdb; db = duckdb.connect({str(lab.store.path)!r}); print('held', flush=True); input()"):
        for command in (*COMMANDS, ["run", str(lab.design)]):
            refused(*command, what="held open by another process")


def test_a_store_cut_in_the_middle(lab: Lab, refused: Callable[..., None]) -> None:
    size = lab.store.path.stat().st_size
    whole = lab.store.path.read_bytes()
    for share in (0.001, 0.3, 0.99):
        lab.store.path.write_bytes(whole[:int(size * share)])
        for command in (*COMMANDS, ["run", str(lab.design)]):
            refused(*command, what="damaged or has been cut")


def test_a_store_in_whose_middle_a_block_was_lost(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """Only who reads the block can see it; it is told in one line. Made anew from the journal, the store is as it was."""
    size, played, seen = lab.store.path.stat().st_size, lab.store.rows(PLAYED), 0
    whole = lab.store.path.read_bytes()
    for share in (0.2, 0.5, 0.8):
        at = int(size * share)
        lab.store.path.write_bytes(whole[:at] + bytes(70_000) + whole[at + 70_000:])
        for command in COMMANDS[:3]:
            code = main([*command, "--store", str(lab.store.path)])
            err = capsys.readouterr().err
            assert code in (0, 2) or command == ["verify"], (share, command)
            if code == 2:
                seen += 1
                assert "damaged or has been cut" in err and err.count("\n") == 1
    assert seen
    lab.store.path.unlink()
    assert main(["resume", "--store", str(lab.store.path)]) == 0
    assert lab.store.rows(PLAYED) == played


# --- journals -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("content", ["hello", "hello\nworld", '{"a": 1}\n', '{"k": "mine"}\n', "\x00" * 100, '{"k": 1', "[1]\n"])
def test_a_journal_of_another_program(lab: Lab, refused: Callable[..., None], content: str) -> None:
    lab.store.path.unlink()
    lab.journal.write_text(content)
    refused("resume", what="journal" if content.endswith("\n") and "k" not in content else "")


def test_a_journal_of_a_newer_version(lab: Lab, refused: Callable[..., None]) -> None:
    lab.halve()
    lab.journal.write_bytes(lab.journal.read_bytes().replace(b'"parlour":"', b'"parlour":"99.', 1))
    refused("resume", what="was begun by parlour 99.")


def test_a_journal_locked_by_another_process(lab: Lab, refused: Callable[..., None]) -> None:
    with held("from pathlib import Path; from parlour.transcripts.journal import Journal\n"
              f"with Journal(Path({str(lab.journal)!r})): print('held', flush=True); input()"):
        refused("resume", what="being written by another process")


def test_a_journal_shorter_than_what_the_store_has_of_it(lab: Lab, refused: Callable[..., None]) -> None:
    """Going on would write where the store believes to have read already."""
    whole = lab.journal.read_bytes()
    lab.journal.write_bytes(whole[:len(whole) // 2])
    refused("resume", what="has been cut")
    lab.journal.write_bytes(whole)
    assert main(["resume", "--store", str(lab.store.path)]) == 0


def test_a_journal_from_whose_middle_a_piece_was_cut(lab: Lab, refused: Callable[..., None]) -> None:
    whole = lab.journal.read_bytes()
    lab.store.path.unlink()
    chance = Random(1)
    for _ in range(4):
        at = chance.randrange(len(whole) // 4, len(whole) // 2)
        while whole[at:at + 1] == b"\n" or whole[at - 1:at] == b"\n":
            at += 1
        lab.journal.write_bytes(whole[:at] + b"\n" + whole[at:])
        refused("resume", what="not an event of a Parlour journal")


def test_a_journal_cut_in_its_last_line_goes_on(lab: Lab) -> None:
    """As a kill leaves it: nothing is refused, and nothing is lost."""
    played = lab.store.rows(PLAYED)
    lab.halve()
    lab.journal.write_bytes(lab.journal.read_bytes()[:-7])
    assert main(["resume", "--store", str(lab.store.path)]) == 0
    assert lab.store.rows(PLAYED) == played


def test_a_journal_taken_twice(lab: Lab, refused: Callable[..., None]) -> None:
    """The same file again adds nothing; under another name it is refused."""
    rows = lab.store.rows("SELECT count(*) AS n FROM attempt")
    assert lab.store.take(lab.journal) == 0
    lab.store.path.unlink()
    first = lab.journal
    for _ in range(3):
        lab.store.take(first)
    assert lab.store.rows("SELECT count(*) AS n FROM attempt") == rows
    shutil.copy(first, first.with_name("copy.jsonl"))
    refused("resume", "copy", what=f"holds run {first.stem}")
    with pytest.raises(Exception, match=r"is in .* already"):
        lab.store.take(first.with_name("copy.jsonl"))
    assert lab.store.rows("SELECT count(*) AS n FROM attempt") == rows


# --- a design that changed between run and resume -----------------------------------------------------------------------
def test_a_design_changed_between_run_and_resume(lab: Lab, refused: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    played = lab.store.rows(PLAYED)
    lab.halve()
    lab.design.write_text(TOML.format(episodes=80).replace("seed = 3", "seed = 4"))
    refused("resume", what="episodes 12 is now 80; seed 3 is now 4")
    lab.design.write_text("not = [toml")
    refused("resume", what="cannot be read any more")
    lab.design.write_text(TOML.format(episodes=80))
    assert main(["resume", "--as-begun", "--store", str(lab.store.path)]) == 0
    err = capsys.readouterr().err
    assert "warning: design " in err and "goes on with the design as it was begun" in err
    assert lab.store.rows(PLAYED) == played


@pytest.mark.parametrize("how", ["gone", "comment"])
def test_a_design_that_says_the_same_is_no_reason(lab: Lab, how: str) -> None:
    lab.halve()
    if how == "gone":
        lab.design.unlink()
    else:
        lab.design.write_text("# the same\n" + lab.design.read_text())
    assert main(["resume", "--store", str(lab.store.path)]) == 0


def test_a_design_adjusted_on_the_command_line_is_no_change(lab: Lab, whole: Lab) -> None:
    shutil.rmtree(lab.store.journals)
    lab.store.path.unlink()
    assert main(["run", str(lab.design), "--episodes", "4", "--store", str(lab.store.path)]) == 0
    lab.halve()
    assert main(["resume", "--store", str(lab.store.path)]) == 0
    assert len(lab.store.rows("SELECT * FROM ending")) == 4


def test_a_design_in_a_journal_that_cannot_be_read(lab: Lab, refused: Callable[..., None]) -> None:
    lab.halve()
    lab.journal.write_bytes(lab.journal.read_bytes().replace(b'"episodes":12', b'"episodes":-12', 1))
    refused("resume", what="holds a design that cannot be read")


# --- packages -----------------------------------------------------------------------------------------------------------
def told(monkeypatch: pytest.MonkeyPatch, **changed: str | None) -> None:
    """Other versions of packages from now on; None: the package is gone."""
    real = head.versions()
    now = {k: v for k, v in (real | changed).items() if v is not None}
    for module in (head, resume):
        monkeypatch.setattr(module, "versions", lambda: now)


def test_other_clients_are_allowed_told_and_recorded(lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lab.halve()
    was = head.versions()
    told(monkeypatch, duckdb="99.1", openai=None, prices="2099-01")
    assert main(["resume", "--store", str(lab.store.path)]) == 0
    line = f"duckdb {was['duckdb']} is now 99.1; openai {was['openai']} is now missing; prices {was['prices']} is now 2099-01"
    assert capsys.readouterr().err.count(line) == 2, "before it goes on, and at the end"
    row, = lab.store.rows("SELECT versions, differs FROM resumed")
    assert json.loads(row["differs"]) == line.split("; ") and json.loads(row["versions"])["duckdb"] == "99.1"
    assert any(line in warning for warning in drift(lab.store, lab.run)), "as the report has it"


def test_the_same_packages_are_recorded_and_not_told(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.halve()
    assert main(["resume", "--store", str(lab.store.path)]) == 0
    assert "warning" not in capsys.readouterr().err
    row, = lab.store.rows("SELECT differs, commit FROM resumed")
    assert json.loads(row["differs"]) == []


def test_another_version_of_what_a_game_is_made_from_is_refused(lab: Lab, refused: Callable[..., None],
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    lab.halve()
    told(monkeypatch, numpy="99", duckdb="99")
    refused("resume", what="numpy ")


@pytest.mark.parametrize("was, now, what", [('"name":"email"', '"name":"emali"', "no game 'emali'"),
                                            ('"agent":"mock"', '"agent":"mokc"', "no agent"),
                                            ('"name":"advice"', '"name":"advise"', "no protocol 'advise'")])
def test_code_that_is_not_here_is_named(lab: Lab, refused: Callable[..., None], was: str, now: str, what: str) -> None:
    lab.halve()
    lab.design.unlink()
    lab.journal.write_text(lab.journal.read_text().replace(was, now))
    refused("resume", what=what)


def test_a_source_that_has_changed_is_named(lab: Lab, refused: Callable[..., None]) -> None:
    lab.halve()
    head, rest = lab.journal.read_text().split("\n", 1)
    event: dict[str, Any] = json.loads(head)
    key = next(k for k in event["versions"] if k.startswith("source ") and k.endswith("games.email"))
    event["versions"][key] = "0" * 16
    lab.journal.write_text(json.dumps(event, separators=(",", ":")) + "\n" + rest)
    refused("resume", what=f"the source of {key.removeprefix('source ')} has changed")

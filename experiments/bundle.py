"""`parlour bundle`: a run in one archive, which on another machine, without a key, gives the same tables.

    transcripts.jsonl    the journal: every word, draw and payoff
    origins/             of a run of copies, the journals of the runs that were copied
    design.json          the design as it was played, its lock included
    report/              the report, its tables as CSV and LaTeX, its figures
    MANIFEST.json        the run, its root, the versions, and the SHA-256 of every other file

`bundle verify` checks the hashes, makes a new store of the transcripts, drives every script again, computes every table anew
and compares it with the bundle's, cell by cell. `bundle open` takes the transcripts into a store, to be read.
"""
import csv
import io
import json
import re
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from .. import __version__
from ..errors import StoreError
from ..reports.document import as_csv, write
from ..transcripts.seal import noted, seal
from ..transcripts.store import Store
from .copies import origins
from .report import report
from .verify import verify

LARGEST = 2**31
"""Bytes of one file in a bundle."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""A run's name."""


@dataclass(frozen=True)
class Checked:
    """What verifying a bundle found. differing: names of files or cells, with what was expected and found."""
    run: str
    root: str
    files: int
    tables: int
    cells: int
    differing: tuple[str, ...]
    seconds: float


def bundle(store: Store, run: str, to: Path, figures: bool = True) -> Path:
    """Writes the archive of an ended run. Raises StoreError."""
    root = noted(store, run)
    if root is None:
        raise StoreError(f"run {run} has not ended: `parlour resume {run}` first.")
    journal = store.journals / f"{run}.jsonl"
    journals = {"transcripts.jsonl": journal, **{f"origins/{o}.jsonl": store.journals / f"{o}.jsonl" for o in origins(store, run)}}
    found = store.rows("SELECT design, versions FROM run WHERE run = ?", [run])[0]
    with TemporaryDirectory() as folder:
        here = Path(folder)
        for name, path in journals.items():
            _put(here / name, path)
        (here / "design.json").write_text(json.dumps(json.loads(found["design"]), indent=2) + "\n")
        write(report(store, run, figures=figures), here / "report")
        files = {str(p.relative_to(here)): sha256(p.read_bytes()).hexdigest() for p in sorted(here.rglob("*")) if p.is_file()}
        manifest = {"run": run, "root": root, "parlour": __version__, "versions": json.loads(found["versions"]), "files": files}
        (here / "MANIFEST.json").write_text(json.dumps(manifest, indent=2) + "\n")
        part = to.with_name(f"{to.name}.part")
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            with tarfile.open(part, "w:gz") as archive:
                for name in ("MANIFEST.json", *files):
                    archive.add(here / name, f"{run}/{name}", filter=_anonymous)
            part.rename(to)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StoreError(f"cannot write {to}: {error.strerror}.") from None
    return to


def _put(to: Path, journal: Path) -> None:
    """Copies a journal. Raises StoreError if it is gone."""
    if not journal.exists():
        raise StoreError(f"the journal of {journal.stem} is not at {journal}: a bundle is made of it.")
    to.parent.mkdir(exist_ok=True)
    to.write_bytes(journal.read_bytes())


def _anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the user's name, and without the time."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = 0
    return info


def verify_bundle(path: Path) -> Checked:
    """Checks an archive and computes everything in it again. Raises StoreError if it is none."""
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        files = _unpacked(path)
        manifest = _manifest(path, files)
        run, differing = str(manifest["run"]), list(_hashes(manifest, files))
        store = Store(Path(folder) / "bundle.duckdb")
        root = _taken(store, run, files)
        if root != manifest["root"]:
            differing.append(f"root: {manifest['root']} in the bundle, {root} of its transcripts")
        if divergence := verify(store, run).divergence:
            differing.append(f"transcripts: {divergence}")
        tables = [t for t in report(store, run, figures=False).tables if t.rows]
        cells = 0
        for table in tables:
            name = f"report/{table.name}.csv" if f"report/{table.name}.csv" in files else f"report/{table.name}-data.csv"
            seen, wrong = _compared(name, files.get(name, b"").decode(), as_csv(table))
            cells += seen
            differing += wrong
    return Checked(run, root, len(files), len(tables), cells, tuple(differing), time.monotonic() - began)


def open_bundle(path: Path, store: Store) -> str:
    """Takes the run of an archive into a store, where it can be read, viewed, scored and verified like one's own; its name.
    Raises StoreError for an archive whose files are not those of its manifest, and for a run that is there already."""
    files = _unpacked(path)
    manifest = _manifest(path, files)
    run = str(manifest["run"])
    if wrong := _hashes(manifest, files):
        raise StoreError(f"{path} has been changed: {wrong[0]}. `parlour bundle verify {path}` tells all that differs.")
    if (store.journals / f"{run}.jsonl").exists():
        raise StoreError(f"run {run} is in {store.journals} already. Choose another store with --store.")
    if (root := _taken(store, run, files)) != manifest["root"]:
        raise StoreError(f"{path}: its root is {manifest['root']}, that of its transcripts {root}. They are in {store.path}; look at "
                         f"`parlour verify {run} --store {store.path}`.")
    return run


def _taken(store: Store, run: str, files: Mapping[str, bytes]) -> str:
    """Takes the transcripts of an archive into a store, those of the run's origin too where they are not there; the run's root."""
    for name, data in {f"{run}.jsonl": files.get("transcripts.jsonl", b""),
                       **{PurePosixPath(n).name: data for n, data in files.items() if n.startswith("origins/")}}.items():
        journal = store.journals / name
        if journal.exists():
            continue
        journal.parent.mkdir(parents=True, exist_ok=True)
        journal.write_bytes(data)
        try:
            store.take(journal)
        except StoreError:
            journal.unlink()
            raise
    return seal(store, run)


def _unpacked(path: Path) -> dict[str, bytes]:
    """The files of an archive by their names below its one folder; nothing is written to the disk."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            found = {}
            for info in archive:
                file = archive.extractfile(info) if info.isfile() and info.size <= LARGEST else None
                if file:
                    found["/".join(PurePosixPath(info.name).parts[1:])] = file.read()
            return found
    except (OSError, tarfile.TarError, EOFError) as error:
        raise StoreError(f"{path} is not a bundle that can be read: {error}.") from None


def _manifest(path: Path, files: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        found = json.loads(files["MANIFEST.json"])
        if not NAME.fullmatch(found["run"]):  # it becomes the name of a file: never one elsewhere
            raise ValueError(found["run"])
        return {"run": found["run"], "root": found["root"], "files": dict(found["files"])}
    except (KeyError, ValueError, TypeError):
        raise StoreError(f"{path} is not a bundle of Parlour: its MANIFEST.json is missing or cannot be read, or names no run.") from None


def _hashes(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> list[str]:
    wrong = [f"{name}: missing" for name in manifest["files"] if name not in files]
    wrong += [f"{name}: not in the manifest" for name in files if name not in manifest["files"] and name != "MANIFEST.json"]
    wrong += [f"{name}: its contents have changed" for name, data in files.items()
              if name in manifest["files"] and sha256(data).hexdigest() != manifest["files"][name]]
    return wrong


def _compared(name: str, before: str, now: str) -> tuple[int, list[str]]:
    """(cells compared, differences) of a table in the bundle and the same table computed again."""
    old, new = list(csv.reader(io.StringIO(before))), list(csv.reader(io.StringIO(now)))
    if [len(r) for r in old] != [len(r) for r in new]:
        return 0, [f"{name}: {len(old)} lines in the bundle, {len(new)} computed"]
    cells = [(i, head, a, b) for i, (x, y) in enumerate(zip(old, new, strict=True)) for head, a, b in zip(new[0], x, y, strict=True)]
    return len(cells), [f"{name}, line {i}, {head}: {a!r} in the bundle, {b!r} computed" for i, head, a, b in cells if a != b]

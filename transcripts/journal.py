"""The journal: an append-only file of JSON lines, one run's own. What it holds survives SIGKILL.

An event is one `write(2)` before what it tells is used; a background `fsync` follows at most a second later, so a power
cut costs at most that second. A line cut short by a crash is dropped when the journal is opened again. Long texts are
written once and named by their hash. One process writes; others may read at any time.

Events of an episode in which nobody's words cost anything may be held: they go out in order, in one write, at the end of
the episode or before the next event of any other. A killed run then loses what it says again, the same, when resumed.

Events, by `k`: run, arm, benchmark, episode, fork, ask, call, reply, unmade, draw, end, sentinel, consent, stop, text.
"""
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from ..errors import StoreError

Event = dict[str, Any]
SYNC_SECONDS = 0.5
FIRST = b'{"k":"run",'
"""How a journal begins."""


@lru_cache(maxsize=1024)
def hash_of(text: str) -> str:
    """The name of a text: the first 128 bits of its SHA-256."""
    return sha256(text.encode()).hexdigest()[:32]


class Journal:
    """Opened for appending, locked against a second writer. Use as a context manager."""

    def __init__(self, path: Path):
        self.path = path
        self._texts = {e["hash"] for e in read(path) if e["k"] == "text"} if path.exists() else set()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"journal {path} is being written by another process: wait for it, or stop it first.") from None
        except OSError as error:
            raise StoreError(f"cannot write journal {path}: {error.strerror}. Choose another store with --store.") from None
        try:
            self._end = _whole(self._file, path)
        except StoreError:
            os.close(self._file)
            raise
        self._held: list[bytes] = []
        self._dirty = False
        self._closed = threading.Event()
        self._syncer = threading.Thread(target=self._sync, daemon=True, name="journal-fsync")
        self._syncer.start()

    def write(self, event: Event, hold: bool = False) -> None:
        """Appends one event, and before it those held; or holds it. A disk that is full raises StoreError and leaves no half
        line."""
        event.setdefault("written", time.time())  # copied events keep theirs
        self._held.append(to_json(event))
        if not hold:
            self.flush()

    def flush(self) -> None:
        """Writes what is held. Raises StoreError."""
        if self._held:
            lines = b"\n".join((*self._held, b""))
            self._held.clear()
            self._append(lines)

    def _append(self, lines: bytes) -> None:
        try:
            done = os.write(self._file, lines)
            while done < len(lines):
                done += os.write(self._file, lines[done:])
        except OSError as error:
            os.ftruncate(self._file, self._end)
            raise StoreError(f"cannot write journal {self.path}: {error.strerror}. Everything up to here is kept; "
                             "make room, then resume the run.") from None
        self._end += len(lines)
        self._dirty = True

    def text(self, text: str, hold: bool = False) -> str:
        """The hash of a text, which is written the first time it is seen."""
        name = hash_of(text)
        if name not in self._texts:
            self._texts.add(name)
            self.write({"k": "text", "hash": name, "text": text}, hold)
        return name

    def _sync(self) -> None:
        while not self._closed.wait(SYNC_SECONDS):
            if self._dirty:
                self._dirty = False
                os.fsync(self._file)

    def close(self) -> None:
        self._closed.set()
        self._syncer.join()
        try:
            self.flush()
        finally:
            os.fsync(self._file)
            os.close(self._file)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _whole(file: int, path: Path) -> int:
    """Drops a last line cut short; returns the length that is left. Raises StoreError for a file that never was a journal."""
    size = os.fstat(file).st_size
    at, tail = size, b""
    while at > 0 and b"\n" not in tail:
        step = min(65536, at)
        at -= step
        tail = os.pread(file, step, at) + tail
    keep = at + tail.rfind(b"\n") + 1 if b"\n" in tail else 0
    if keep == 0 and not tail.startswith(FIRST[:size]):
        raise StoreError(f"{path} is not a Parlour journal: nothing was changed.")
    if keep != size:
        os.ftruncate(file, keep)
    return keep


def read(path: Path, start: int = 0) -> Iterator[Event]:
    """The events of a journal from a byte offset on; a last line cut short is left out. Raises StoreError."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                yield _event(path, number, line)
    except OSError as error:
        raise StoreError(f"cannot read journal {path}: {error.strerror}.") from None


def _event(path: Path, number: int, line: bytes) -> Event:
    try:
        event = from_json(line)
        event["k"]
    except (ValueError, TypeError, KeyError):
        raise StoreError(f"{path}, line {number}: not an event of a Parlour journal. If it was one, restore it from a copy.") from None
    return event

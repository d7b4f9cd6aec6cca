"""Store files that are no stores, or not whole: told in one line, before DuckDB opens them or where it finds out.

A DuckDB file is three headers of 4,096 bytes, then blocks. The first header says what it is; of the other two the one with the
greater number is valid, and holds how many blocks there are, and their size.
"""
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import StoreError

HEAD = 3 * 4096
"""Bytes before the first block."""

SIGNS = ("Could not read", "Corrupt database", "checksum")
"""What DuckDB says where a file lacks a part, or holds another."""

BUSY = ("set lock", "different configuration")
"""What DuckDB says where another process, or another thread of this one that reads while we would write, has the file open."""


def held(error: Exception) -> bool:
    """Whether another process, or another thread of this one, has the file open."""
    return any(busy in str(error).lower() for busy in BUSY)


def damaged(path: Path, journals: Path, why: str) -> StoreError:
    """The complaint, with what to do. why: in words, of which the first line is taken."""
    return StoreError(f"{path} is damaged or has been cut: {why.splitlines()[0].rstrip('.')}. Restore it from a copy; or move it away, and "
                      f"`parlour resume RUN` makes it anew from a run's journal in {journals}.")


def recognise(path: Path, journals: Path) -> None:
    """Refuses what is no DuckDB file, or not a whole one, before DuckDB sees it: for some formats it would look for an extension
    on the network, and to write to a file that lacks its end would spoil the rest. Raises StoreError."""
    head = _head(path)
    if head and head[8:12] != b"DUCK":
        raise StoreError(f"{path} is a file of another program, no store: nothing was changed. Choose another with --store.")
    missing = _missing(path, head)
    for _ in range(3):  # another process may be writing to it
        if not missing or missing <= _spare(path):
            return
        time.sleep(0.05)
        missing = _missing(path, _head(path))
    if missing:
        raise damaged(path, journals, f"the last {missing} bytes are missing")


def _spare(path: Path) -> float:
    """Bytes of free blocks: those at the end of a file DuckDB cuts off without counting them off. Any number, if the file is held."""
    import duckdb

    try:
        with duckdb.connect(str(path), read_only=True) as db:
            free, size = db.execute("SELECT free_blocks, block_size FROM pragma_database_size()").fetchall()[0]
    except duckdb.Error as error:
        return float("inf") if held(error) else 0.0
    return float(free * size)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise StoreError(f"cannot open {path}: {error.strerror}. Choose another file with --store.") from None


def _missing(path: Path, head: bytes) -> int:
    """How many bytes a file lacks at its end. A header is: checksum, number, two pointers, count of blocks, size of a block."""
    if not head:
        return 0
    if len(head) < HEAD:
        return HEAD - len(head)
    *_, blocks, size = max(struct.unpack_from("<5Q", head, at + 8) for at in (4096, 8192))
    return max(0, HEAD + int(blocks) * int(size) - path.stat().st_size)


@contextmanager
def whole(path: Path, journals: Path) -> Iterator[None]:
    """Around all that reads a store: a part that is missing is told where it is read. Raises StoreError."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        broken = isinstance(error, duckdb.InternalException | duckdb.FatalException | duckdb.SerializationException)
        if broken or any(sign in str(error) for sign in SIGNS):
            raise damaged(path, journals, str(error)) from None
        raise

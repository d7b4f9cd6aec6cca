"""Makes a store small again: every batch writes the last rows of each table anew and leaves the blocks of the old ones free."""
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StoreError
from .store import Store, spare, vector

if TYPE_CHECKING:
    import duckdb

SPARE = 0.1
"""The share of a store's blocks that may lie free."""

LEAST = 2**21
"""Bytes that may lie free in any case: a small store is not worth the trouble."""


def compact(store: Store) -> bool:
    """Copies the store to a new file and puts that in its place, if much of it is free; whether it did.

    The old file stays locked until the new one, locked too, has its name: whoever waits for the old one sees that it is gone
    (`Store.open`), and nothing is written in between. A store that is in use, or a disk too full, is left for another time.
    """
    import duckdb

    real = store.path.resolve()
    new = real.with_name(f"{real.name}.compact")
    with suppress(StoreError, duckdb.Error, OSError), store.open(write=True, patience=0.0) as db:
        try:
            db.execute("CHECKPOINT")
            if _wasteful(db):
                _remove(new)  # of a process that was killed here: the lock on the store says that it is gone
                _move(db, new, real)
                return True
        finally:
            _remove(new)
    return False


def _wasteful(db: "duckdb.DuckDBPyConnection") -> bool:
    size, total, free = db.execute("SELECT block_size, total_blocks, free_blocks FROM pragma_database_size() "
                                   "WHERE database_name = current_database()").fetchall()[0]
    return bool(free > SPARE * total and free * size > LEAST)


def _move(db: "duckdb.DuckDBPyConnection", new: Path, real: Path) -> None:
    old, block = db.execute("SELECT current_database(), block_size FROM pragma_database_size() "
                            "WHERE database_name = current_database()").fetchall()[0]
    spare(db, vector(db))
    db.execute(f"ATTACH '{_quoted(new)}' AS compacted (BLOCK_SIZE {block})")
    db.execute(f'COPY FROM DATABASE "{old}" TO compacted')
    db.execute("CHECKPOINT compacted")
    shutil.copymode(real, new)
    new.replace(real)
    db.execute("USE compacted")
    db.execute(f'DETACH "{old}"')


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _remove(new: Path) -> None:
    for rest in (new, new.with_name(f"{new.name}.wal")):
        rest.unlink(missing_ok=True)

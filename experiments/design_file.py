"""The file that a run's design was read from: what it said then, and whether it says the same when the run is taken up again.

A run goes on with the design it was begun with, which its journal holds. Whoever has changed the file meanwhile may expect
otherwise, so that is told before anything is asked.
"""
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import DesignError
from ..protocols.session import Event
from ..transcripts.store import Store
from .design import read_design
from .lock import deviations, plain

MOST = 3
"""Differences that are named; the others are counted."""


def file_event(run: str, file: str | Path, store: Store) -> Event:
    """The line of a journal that tells of the file, by its path from the store's folder."""
    path = os.path.relpath(Path(file).resolve(), store.path.resolve().parent)
    return {"k": "file", "run": run, "path": path, "design": plain(read_design(file))}


def unchanged(told: Event | None, run: str, store: Store, as_begun: bool, tell: Callable[[str], None]) -> None:
    """Raises DesignError if the file says something else now; with `as_begun` that is only told. A file that is gone says nothing."""
    where = None if told is None else store.path.resolve().parent / told["path"]
    if told is None or where is None or not where.exists():
        return
    what = _differences(told["design"], where)
    if what and not as_begun:
        raise DesignError(f"design {where} has been changed since run {run} was begun: {what}. `parlour resume {run} --as-begun` goes on "
                          f"with the design as it was begun, `parlour run {where}` begins anew with the changed one.")
    if what:
        tell(f"design {where} has been changed since ({what}): run {run} goes on with the design as it was begun.")


def _differences(before: Any, where: Path) -> str:
    try:
        found = [f"{d.place} {_short(d.locked)} is now {_short(d.played)}" for d in deviations(before, plain(read_design(where)))]
    except DesignError as error:
        return f"it cannot be read any more, {str(error).rstrip('.')}"
    return "; ".join(found[:MOST]) + (f"; and {len(found) - MOST} more" if len(found) > MOST else "")


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."

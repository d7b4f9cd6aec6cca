"""A store that is only read, and the journals beside it as far as the store has not taken them yet."""
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import StoreError
from ..transcripts.journal import read
from ..transcripts.store import Store

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
PATIENCE = 1.5
"""Seconds to wait for a file that another process has open: a page that is late is worse than one that says why."""
QUIET = 30.0
"""Seconds without a word after which a run that has not ended is no longer called running."""
LONGEST = 64 * 2**20
"""Bytes of a journal that are counted for one page."""


class Reader(Store):
    """The store of one request. Nothing is ever written through it."""

    @contextmanager
    def open(self, write: bool = False, patience: float | None = None) -> Iterator["duckdb.DuckDBPyConnection"]:
        """A read-only connection. Raises StoreError."""
        if write:
            raise StoreError("the viewer only reads.")
        with super().open(patience=PATIENCE if patience is None else min(patience, PATIENCE)) as db:
            yield db


class Kept:
    """What was worked out from a store, for as long as its file stays the same; the oldest goes first."""

    def __init__(self, most: int):
        self._most, self._lock = most, Lock()
        self._known: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def _whole(self, store: Store, key: tuple[Any, ...]) -> tuple[Any, ...]:
        about = store.path.stat()
        return (str(store.path.resolve()), about.st_ino, about.st_mtime_ns, about.st_size, *key)

    def holds(self, store: Store, key: tuple[Any, ...]) -> bool:
        """Whether it is known already."""
        return self._whole(store, key) in self._known

    def get(self, store: Store, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        """What `make` gives, made once."""
        whole = self._whole(store, key)
        with self._lock:
            if whole in self._known:
                found: T = self._known[whole]
                return found
        made = make()
        with self._lock:
            self._known[whole] = made
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return made


@dataclass
class Tail:
    """What a journal tells beyond what the store has taken.

    first    the event of the run itself, where the store does not know it yet
    counts   episodes begun and ended, by status, and replies
    spent    US$ of the replies
    quiet    seconds since the journal was last written
    whole    False if there was too much to be counted for a page
    """
    run: str
    first: dict[str, Any] | None = None
    arms: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    spent: float = 0.0
    quiet: float = 0.0
    whole: bool = True
    stopped: str | None = None

    def take(self, event: dict[str, Any]) -> None:
        """Counts one event."""
        kind = event["k"]
        if kind == "run":
            self.first = event
        elif kind == "arm":
            self.arms.append(event)
        elif kind == "episode":
            self.counts["episodes"] += 1
        elif kind == "end":
            self.counts["ended"] += 1
            self.counts[event["status"]] += 1
        elif kind == "reply":
            self.counts["replies"] += 1
            self.spent += event.get("cost") or 0.0
        elif kind == "stop":
            self.stopped = event["status"]


def tails(store: Store) -> dict[str, Tail]:
    """Run -> what its journal holds beyond the store, for every journal that holds more, and for those written a moment ago."""
    taken = {r["journal"]: r["bytes"] for r in store.rows("SELECT journal, bytes FROM taken")}
    found = {}
    for path in sorted(store.journals.glob("*.jsonl")):
        about = path.stat()
        at, quiet = taken.get(path.name, 0), time.time() - about.st_mtime
        if about.st_size > at or quiet < QUIET:
            tail = found[path.stem] = Tail(path.stem, quiet=quiet, whole=about.st_size - at <= LONGEST)
            for event in read(path, at) if tail.whole else ():
                tail.take(event)
    return found

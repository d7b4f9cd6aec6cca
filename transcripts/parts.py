"""Journals in parts: what a worker of a cluster writes to a shared folder, where nothing can be appended to.

Each write of a journal is an object of its own, `FOLDER/RUN/WORKER/00000007.jsonl`, whole or not there. The folder is a local
path or any address that fsspec knows, such as s3://bucket/runs. `Gathering` merges the journals of all workers into the
run's own journal: of each episode the events of one worker, so that an episode that two have played is counted once, in
whatever order and however often they are gathered.
"""
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from ..errors import StoreError
from .journal import Event, Journal, read

Mark = tuple[Any, ...]
MISSING = "a shared address needs the extra `cluster`: pip install \"parlour[cluster]\"."


class Folder:
    """A shared folder. Raises StoreError where it cannot be read or written."""

    def __init__(self, url: str):
        self.url = url.rstrip("/")
        self.local = "://" not in url
        try:
            import fsspec
        except ModuleNotFoundError:
            raise StoreError(MISSING) from None
        try:
            self._files, self._root = fsspec.url_to_fs(str(Path(url).absolute()) if self.local else self.url)
        except (ImportError, ValueError) as error:
            raise StoreError(f"cannot use the shared address {url}: {error}.") from None

    def put(self, name: str, data: bytes) -> None:
        """Writes an object whole: a reader finds all of it or nothing."""
        path = f"{self._root}/{name}"
        try:
            if self.local:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                Path(f"{path}.new").write_bytes(data)
                os.replace(f"{path}.new", path)
            else:
                self._files.pipe_file(path, data)
        except Exception as error:  # each kind of service has errors of its own
            raise StoreError(f"cannot write {self.url}/{name}: {error}.") from None

    def list(self) -> list[str]:
        """The names of all journal parts, in order."""
        try:
            self._files.invalidate_cache()
            found = self._files.find(self._root)
        except Exception as error:
            raise StoreError(f"cannot read the shared address {self.url}: {error}.") from None
        return sorted(path[len(self._root) + 1:] for path in found if path.endswith(".jsonl"))

    def get(self, name: str) -> bytes:
        """An object's bytes."""
        try:
            return bytes(self._files.cat_file(f"{self._root}/{name}"))
        except Exception as error:
            raise StoreError(f"cannot read {self.url}/{name}: {error}.") from None


class Parts(Journal):
    """The journal of one worker. What `write` has returned from is in the folder, unless it was held."""

    def __init__(self, folder: Folder, worker: str):
        self.path = Path(worker)
        self._folder, self._worker, self._number = folder, worker, 0
        self._texts, self._held = set(), []

    def _append(self, lines: bytes) -> None:
        self._folder.put(f"{self._worker}/{self._number:08}.jsonl", lines)
        self._number += 1

    def close(self) -> None:
        self.flush()


class Gathering:
    """Merges the workers' journals of a folder into a run's own. Each merged event names its worker in `by`.

    What a worker has of an episode counts if it goes on where the run's journal stands: it begins with what is on record there.
    open  (worker, episode) -> its events so far, for episodes that no `end` is known of
    """

    def __init__(self, folder: Folder, journal: Journal):
        self._folder, self._journal = folder, journal
        self._seen: set[str] = set()
        self.open: dict[tuple[str, int], list[Event]] = {}
        self.ended: dict[int, str] = {}
        self._record: dict[int, list[Mark]] = {}
        self._whose: dict[int, str] = {}
        workers = {name.rpartition("/")[0] for name in folder.list()}
        for event in read(journal.path):
            if event["k"] == "end":
                self.ended[event["e"]] = event["status"]
                self._record.pop(event["e"], None)
            elif "e" in event:
                self._record.setdefault(event["e"], []).append(_mark(event))
                if event.get("by") in workers:
                    self._whose[event["e"]] = event["by"]

    def more(self) -> None:
        """Takes in what is new; episodes that have ended go into the journal."""
        for name in self._folder.list():
            if name not in self._seen:
                self._seen.add(name)
                for event in self._events(name):
                    self._hear(name.rpartition("/")[0], event)

    def finish(self) -> None:
        """Takes in all there is, episodes that have not ended too: of each, the longest of what its workers have."""
        self.more()
        longest: dict[int, str] = {}
        for worker, episode in sorted(self.open):
            best = longest.get(episode)
            if best is None or len(self.open[worker, episode]) > len(self.open[best, episode]):
                longest[episode] = worker
        for episode, worker in longest.items():
            if episode not in self.ended:
                self._merge(worker, episode, self.open[worker, episode])

    def _events(self, name: str) -> Iterator[Event]:
        for line in self._folder.get(name).splitlines():
            try:
                yield from_json(line)
            except ValueError:
                raise StoreError(f"{self._folder.url}/{name}: not a part of a Parlour journal.") from None

    def _hear(self, worker: str, event: Event) -> None:
        if event["k"] == "text":
            self._journal.text(event["text"])
            return
        if "e" not in event:  # the worker tells who it is
            return
        key = worker, event["e"]
        self.open.setdefault(key, []).append(event)
        if event["k"] == "end":
            events = self.open.pop(key)
            if event["e"] not in self.ended and self._merge(worker, event["e"], events):
                self.ended[event["e"]] = event["status"]
                self._record.pop(event["e"])

    def _merge(self, worker: str, episode: int, events: list[Event]) -> bool:
        """Writes what is new of an episode, in one write; whether this worker's events are the ones that count."""
        record = self._record.setdefault(episode, [])
        if self._whose.get(episode, worker) != worker or [_mark(e) for e in events[:len(record)]] != record:
            return False
        for event in events[len(record):]:
            self._journal.write({**event, "by": worker}, hold=True)
            record.append(_mark(event))
        self._journal.flush()
        self._whose[episode] = worker
        return True


def _mark(event: Event) -> Mark:
    """What tells an event of an episode from another."""
    return tuple(event.get(name) for name in ("k", "t", "n", "words", "draw"))


def shared(events: Iterator[Event]) -> list[str]:
    """Where the workers of a run wrote their journals, in order; nowhere if it had none."""
    return [e["url"] for e in events if e["k"] == "shared"]

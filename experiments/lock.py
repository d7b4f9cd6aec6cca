"""A design locked before it is played: its hash, and every departure from it, go with the run and its reports.

`parlour design lock advice.toml` writes `advice.lock.json` beside it: the whole design as it was, its hash, the date. A run of
advice.toml then compares what is played with what was locked, options of the command line included, and carries the hash and
each difference in its design (`Design.lock`). Whoever has the lock file, or noted the hash down, can check both.
"""
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from .. import __version__
from ..errors import DesignError
from .design import Design, Deviation, Lock


def lock_file(path: str | Path) -> Path:
    """Where the lock of a design file lies."""
    return Path(path).with_suffix(".lock.json")


def hash_of(design: Design) -> str:
    """The hash of a design: SHA-256 of its JSON with sorted keys, its own lock left out."""
    return _hash(plain(design))


def plain(design: Design) -> dict[str, Any]:
    """A design as JSON, without its lock."""
    return design.model_dump(mode="json", exclude={"lock"})


def _hash(plain: dict[str, Any]) -> str:
    return sha256(to_json(_ordered(plain))).hexdigest()


def _ordered(node: Any) -> Any:
    if isinstance(node, dict):
        return {k: _ordered(node[k]) for k in sorted(node)}
    return [_ordered(x) for x in node] if isinstance(node, list) else node


def lock(path: str | Path, design: Design) -> Lock:
    """Writes the lock of a design file. Raises DesignError if it is locked already, unless it is the same design."""
    to, now = lock_file(path), plain(design)
    found = Lock(hash=_hash(now))
    if to.exists():
        old = _read(to)
        if old["hash"] != found.hash:
            raise DesignError(f"{path} was locked as {old['hash'][:12]} on {old['locked']}, and has been changed since. A lock is "
                              f"not moved: give the changed design another name, or run it with its deviations on record.")
        return found
    body = {"hash": found.hash, "locked": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "parlour": __version__, "design": now}
    to.write_bytes(to_json(body, indent=2) + b"\n")
    return found


def locked(path: str | Path, design: Design) -> Design:
    """The design with its lock and its deviations, if its file has been locked; else as it is. Raises DesignError."""
    where = lock_file(path)
    if not where.exists():
        return design
    held = _read(where)
    found = tuple(deviations(held["design"], plain(design)))
    return design.model_copy(update={"lock": Lock(hash=held["hash"], deviations=found)})


def _read(path: Path) -> dict[str, Any]:
    try:
        held = from_json(path.read_bytes())
        whole = _hash(held["design"]) == held["hash"] and isinstance(held["locked"], str)
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise DesignError(f"{path} is not a lock as it was written: its hash does not fit its design. Restore it, or remove it.")
    return dict(held)


def deviations(before: Any, now: Any, place: str = "") -> Iterator[Deviation]:
    """Every place at which two designs differ, as JSON."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            yield from deviations(before.get(key), now.get(key), f"{place}.{key}" if place else key)
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for i, (a, b) in enumerate(zip(before, now, strict=True)):
            yield from deviations(a, b, f"{place}[{a['name'] if isinstance(a, dict) and 'name' in a else i}]")
    elif before != now:
        yield Deviation(place=place, locked=to_json(before).decode(), played=to_json(now).decode())

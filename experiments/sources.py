"""What a run was made from: the source of its games, protocols and agents, and the packages that can change what it does.

A resumed run must be one experiment. So the head of a journal holds a hash of every module that a game, a protocol or an
agent of the run is made from, modules of other packages included, and a run is not taken up where one of them differs.
"""
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import ModuleType

from ..registry import modules
from .design import Arm

SOURCE = "source "
STRICT = ("parlour", "pydantic", "numpy", "scipy")
"""Packages of which another version may play another game. A client or a database that differs is not a reason to stop."""


def sources(arms: Iterable[Arm], protocols: Iterable[str]) -> dict[str, str]:
    """"source MODULE" -> hash, for all that these arms are made from. protocols: their registered names."""
    roots = {modules("protocols")[name] for name in protocols}
    for arm in arms:
        roots |= {modules("games")[arm.game["name"]], *(modules("agents")[s["agent"]] for s in arm.seats.values())}
    found: set[str] = set()
    for name in roots:
        _made_from(import_module(name), found)
    return {SOURCE + name: _hash(name) for name in sorted(found)}


def _made_from(module: ModuleType, found: set[str]) -> None:
    """Adds the module, and the modules of its package that its names come from."""
    name = module.__name__
    if name in found:
        return
    found.add(name)
    package = name.partition(".")[0]
    for value in list(vars(module).values()):
        origin = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if isinstance(origin, str) and origin.partition(".")[0] == package and origin in sys.modules:
            _made_from(sys.modules[origin], found)


@cache
def _hash(name: str) -> str:
    file = sys.modules[name].__file__
    return sha256(Path(file).read_bytes() if file else b"").hexdigest()[:16]


def changes(was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What is not as recorded and may change what the run does, a phrase each."""
    found = [f"{p} {was[p]} is now {now.get(p, 'missing')}" for p in STRICT if p in was and was[p] != now.get(p)]
    return found + [f"the source of {k.removeprefix(SOURCE)} has {'changed' if k in now else 'gone'}"
                    for k in was if k.startswith(SOURCE) and was[k] != now.get(k)]


def allowed(was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What is not as recorded and is no reason to stop, a phrase each: a client, the database, the table of prices."""
    return [f"{p} {was.get(p, 'missing')} is now {now.get(p, 'missing')}" for p in sorted({*was, *now})
            if p not in STRICT and not p.startswith(SOURCE) and was.get(p) != now.get(p)]

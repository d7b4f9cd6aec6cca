"""Two episodes or two runs side by side, differences marked."""
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from pydantic_core import from_json, to_json

from ..transcripts.arms import Arm, arms_of
from ..transcripts.statistics import contrast
from ..transcripts.store import Store
from ..transcripts.talk import Talk, find, find_run, talk
from .analysis import MOST, analysis
from .conversation import Line, conversation, differing

Pieces = list[tuple[str, bool]]
"""A text in pieces, and of each whether it is only on this side."""
LONGEST = 4000
"""Words up to which two texts are compared word by word."""
ABOUT = ("game", "protocol", "arm", "wording", "persona", "state", "replicate", "weight", "status")


@dataclass(frozen=True)
class Pair:
    """One turn of two episodes."""
    left: Line | None
    right: Line | None
    differs: bool
    words: tuple[Pieces, Pieces]


@dataclass(frozen=True)
class Episodes:
    """Two episodes side by side."""
    talks: tuple[Talk, Talk]
    pairs: list[Pair]
    about: list[tuple[str, str, str]]
    payoffs: list[dict[str, Any]]


@dataclass(frozen=True)
class Runs:
    """Two runs side by side. design: (place, value there, value here) where their designs differ."""
    names: tuple[str, str]
    design: list[tuple[str, str, str]]
    means: list[dict[str, Any]]


def compared(store: Store, a: str, b: str) -> Episodes | Runs:
    """Two episodes "RUN/NUMBER", or two runs. Raises StoreError for a name that is not there."""
    with store.reading():
        if "/" in a and "/" in b:
            return _episodes(store, talk(store, *find(store, a)), talk(store, *find(store, b)))
        return _runs(store, find_run(store, a.partition("/")[0]), find_run(store, b.partition("/")[0]))


# --- episodes -----------------------------------------------------------------------------------------------------------
def _episodes(store: Store, a: Talk, b: Talk) -> Episodes:
    lines = [conversation(store, t).lines for t in (a, b)]
    pairs = [Pair(x, y, differs, marked(_words(x), _words(y))) for x, y, differs in differing(*lines)]
    about = [(k, str(a.about[k]), str(b.about[k])) for k in ABOUT if a.about[k] != b.about[k]]
    nets = [{p["role"]: p["net"] for p in t.payoffs} for t in (a, b)]
    roles = list(dict.fromkeys((*nets[0], *nets[1])))
    payoffs = [{"role": r, "a": nets[0].get(r), "b": nets[1].get(r)} for r in roles]
    return Episodes((a, b), pairs, about, [{**p, "difference": _less(p["a"], p["b"])} for p in payoffs])


def _words(line: Line | None) -> str:
    return line.last.words or "" if line and line.last else ""


def marked(a: str, b: str) -> tuple[Pieces, Pieces]:
    """Two texts in pieces, those marked that only one of them has."""
    if a == b:
        return [(a, False)], [(b, False)]
    left, right = re.findall(r"\s+|\w+|[^\w\s]", a), re.findall(r"\s+|\w+|[^\w\s]", b)
    if max(len(left), len(right)) > LONGEST:
        return [(a, True)], [(b, True)]
    found: tuple[Pieces, Pieces] = ([], [])
    for kind, i, j, k, n in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for pieces, text in zip(found, ("".join(left[i:j]), "".join(right[k:n])), strict=True):
            if text:
                pieces.append((text, kind != "equal"))
    return found


# --- runs ---------------------------------------------------------------------------------------------------------------
def _runs(store: Store, a: str, b: str) -> Runs:
    designs = [dict(_flat(from_json(store.rows("SELECT design FROM run WHERE run = ?", [r])[0]["design"]))) for r in (a, b)]
    arms = [{r["arm"] for r in store.rows("SELECT arm FROM arm WHERE run = ?", [x])} for x in (a, b)]
    alone = [f"arms.{x}" for x in sorted(arms[0] ^ arms[1])]
    places = sorted(k for k in designs[0].keys() | designs[1].keys() if designs[0].get(k) != designs[1].get(k)
                    and not any(k.startswith(f"{x}.") for x in alone))
    differ = [(x, *("there" if x.removeprefix("arms.") in some else "" for some in arms)) for x in alone]
    return Runs((a, b), [(k, designs[0].get(k, ""), designs[1].get(k, "")) for k in places] + [(k, x, y) for k, x, y in differ],
                list(_means(store, a, b)))


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """(place, JSON) of everything in a design; an arm goes by its name."""
    items: Mapping[Any, Any] | None = value if isinstance(value, Mapping) else None
    if isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(v, Mapping) and "name" in v for v in value):
        items = {v["name"]: {k: x for k, x in v.items() if k != "name"} for v in value}
    if not items:
        yield place, to_json(value).decode()
        return
    for key, inner in items.items():
        yield from _flat(inner, f"{place}.{key}" if place else str(key))


def _means(store: Store, a: str, b: str) -> Iterator[dict[str, Any]]:
    """One line per arm and role that either run has; their difference paired where both met the same tapes."""
    means = [{(m["arm"], m["role"]): m for m in analysis(store, r).means} for r in (a, b)]
    seeds = {r["seed"] for r in store.rows("SELECT seed FROM run WHERE run IN (?, ?)", [a, b])}
    small = all(store.rows("SELECT count(*) AS n FROM ending WHERE run = ?", [r])[0]["n"] <= MOST for r in (a, b))
    arms = [{x.name: x for x in arms_of(store, r)} for r in (a, b)] if len(seeds) == 1 and small else [{}, {}]
    for arm, role in dict.fromkeys((*means[0], *means[1])):
        x, y = means[0].get((arm, role)), means[1].get((arm, role))
        line = {"arm": arm, "role": role, "a": x, "b": y, "value": _less(*(s["value"] if s else None for s in (x, y))), "low": None,
                "high": None, "how": "not paired" if x and y else "in one run only"}
        yield line | (_paired(arms[0][arm], arms[1][arm], role) if arm in arms[0] and arm in arms[1] else {})


def _paired(a: Arm, b: Arm, role: str) -> dict[str, Any]:
    """The paired difference, if the two arms have met anything alike."""
    if type(a.game) is not type(b.game) or role not in a.seated() or role not in b.seated():
        return {}
    try:
        e = contrast([(1.0, a.rows(role)), (-1.0, b.rows(role))], a.level, a.exact and b.exact, inference=a.inference)
    except ValueError:
        return {}
    return {"value": e.mean, "low": e.low, "high": e.high, "how": f"{e.n - e.missing} pairs, {e.method}"}


def _less(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b

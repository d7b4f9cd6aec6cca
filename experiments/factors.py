"""Factors: every listed arm in every combination of some levels.

    [factors]
    "game.accuracy" = [0.6, 0.9]
    "seats.human" = {small = "llm:gpt-4o-mini", persona = "persona"}      # levels by name, where the value is no name
    objective = ["none", "paid"]

A factor is a place in an arm: `game.FIELD`, `protocol.FIELD`, `seats.ROLE`, or `objective`, `wordings`, `game`, `protocol`.
"""
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import product
from typing import Any

from ..errors import DesignError

Fields = dict[str, Any]
WHOLE = ("game", "protocol", "objective", "wordings")
PARTS = ("game", "protocol", "seats")


def crossed(arms: Sequence[Fields], factors: Any, source: str) -> list[Fields]:
    """The arms, each once for every combination of the factors' levels. Raises DesignError."""
    if not factors:
        return list(arms)
    if not isinstance(factors, dict):
        raise DesignError(f"{source}: [factors] must be a table, \"game.FIELD\" = [level, ...].")
    levels = {place: list(_levels(place, given, source)) for place, given in factors.items()}
    return [_made(arm, dict(zip(levels, choice, strict=True))) for arm in arms for choice in product(*levels.values())]


def _levels(place: str, given: Any, source: str) -> Iterator[tuple[str, Any]]:
    """(name, value) of each level."""
    head, dot, rest = place.partition(".")
    if not (head in PARTS and rest and "." not in rest if dot else head in WHOLE):
        raise DesignError(f"{source}: no factor '{place}': it is game.FIELD, protocol.FIELD, seats.ROLE, {', '.join(WHOLE)}.")
    if isinstance(given, Mapping) and given:
        yield from given.items()
    elif isinstance(given, list) and given:
        yield from ((x if isinstance(x, str) else _short(x), x) for x in given)
    else:
        raise DesignError(f"{source}: factor '{place}' needs a list of levels, or a table of levels by name.")


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _made(arm: Fields, choice: Mapping[str, tuple[str, Any]]) -> Fields:
    """The arm with its levels set, and a name that says them."""
    made = deepcopy(arm)
    for place, (_, value) in choice.items():
        head, _, rest = place.partition(".")
        if not rest:
            made[head] = value
            continue
        part = made.get(head, {})
        made[head] = {**({"name": part} if isinstance(part, str) else part), rest: value}
    said = ", ".join(f"{place.rpartition('.')[2]} {name}" for place, (name, _) in choice.items())
    return {**made, "name": f"{arm['name']}, {said}" if "name" in arm else said}

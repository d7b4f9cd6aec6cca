"""What is left out of what leaves the house: fields marked private, private reasoning, who the people were.

A field is marked by `Field(json_schema_extra={"private": True})`, in a Move, an Observation or a State.
"""
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic_core import from_json

from ..errors import StoreError
from ..protocols.codec import class_of

LEFT_OUT = "(left out)"


@cache
def marked(type_name: str) -> frozenset[str]:
    """The private fields of a type; none of one that is not installed here."""
    try:
        fields = class_of(type_name).model_fields
    except StoreError:
        return frozenset()
    return frozenset(name for name, f in fields.items() if isinstance(f.json_schema_extra, Mapping) and f.json_schema_extra.get("private"))


def holds_private(row: Mapping[str, Any]) -> bool:
    """Whether a row of {type, fields} holds a private field, in itself or in what it tells of."""
    return bool(marked(row["type"]) & row["fields"].keys()) or any(
        isinstance(v, Mapping) and v.keys() == {"type", "fields"} and holds_private(v) for v in row["fields"].values())


def public(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of {type, fields} without the values of its private fields."""
    hidden = marked(row["type"])
    return {"type": row["type"], "fields": {
        k: LEFT_OUT if k in hidden else public(v) if isinstance(v, Mapping) and v.keys() == {"type", "fields"} else v
        for k, v in row["fields"].items()}}


def public_words(words: str | None, move: str | None) -> str | None:
    """What was said, without private reasoning and private fields. move: as it was understood, as a row."""
    try:
        data = from_json(words) if words else None
    except ValueError:
        return words
    if not isinstance(data, dict):
        return words
    hidden = marked(from_json(move)["type"]) if move else frozenset()
    shown = {k: LEFT_OUT if k in hidden else v for k, v in data.items() if k != "reasoning"}
    return words if shown == data else json.dumps(shown, ensure_ascii=False)


class People:
    """Anonymous names made more so: "participant 1", "participant 2", in the order in which they are met."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def name(self, who: str) -> str:
        """The number of a person."""
        return self._known.setdefault(who, f"participant {len(self._known) + 1}")

"""A form for a move: its fields with their limits from the Move's schema, and the words that a filled-in form makes."""
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import Invalid
from ..games.base import Move, Say, Wording
from ..protocols.codec import read, schema
from ..protocols.seat import Turn
from .human import PASS, parse

MANY = 7
"""Options up to which each has a button of its own; more are a menu."""
LONGEST = 12
"""Entries up to which a list of fixed length has a box each."""


@dataclass(frozen=True)
class Field:
    """One field of a form.

    kind      `choice`, `menu`, `number`, `integer`, `truth`, `text`, `entries` (a box each), `line` (entries with commas, or JSON)
    options   of a choice or menu, as the wording shows them
    low, high   limits of a number (of every entry), in the wording's units, or of a text's length; None: none
    size      boxes of `entries`
    hint      the limits in words
    """
    name: str
    kind: str
    options: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    size: int = 0
    hint: str = ""
    required: bool = True

    @property
    def label(self) -> str:
        """The field's name for people."""
        return self.name.replace("_", " ").capitalize()


def fields(turn: Turn) -> list[Field]:
    """The fields of the form for an ask; for free speech one text."""
    want = turn.ask.want
    raw = want.model_json_schema().get("properties", {})
    if issubclass(want, Say):
        return [Field("text", "text", low=1, high=raw["text"].get("maxLength"))]
    whole = schema(want, turn.wording)
    assert whole is not None
    return [_field(name, node, raw.get(name, {}), turn.wording) for name, node in whole["properties"].items() if name != "reasoning"]


def _field(name: str, node: Mapping[str, Any], raw: Mapping[str, Any], w: Wording) -> Field:
    kinds = [node["type"]] if isinstance(node["type"], str) else node["type"]
    kind, required, hint = next(k for k in kinds if k != "null"), "null" not in kinds, node.get("description", "")
    raw = next((n for n in raw.get("anyOf", ()) if n.get("type") != "null"), raw)
    if "enum" in node:
        options = tuple(str(x) for x in node["enum"] if x is not None)
        return Field(name, "choice" if len(options) <= MANY else "menu", options, required=required)
    if kind in ("number", "integer"):
        return Field(name, kind, (), *_span(raw, w), hint=hint, required=required)
    if kind == "boolean":
        return Field(name, "truth", required=required)
    if kind == "string":
        return Field(name, "text", (), raw.get("minLength"), raw.get("maxLength"), hint=hint, required=required)
    inner, size = node.get("items", {}), raw.get("minItems")
    if kind == "array" and inner.get("type") in ("number", "integer") and size and size == raw.get("maxItems") and size <= LONGEST:
        entry = raw.get("items") or (raw.get("prefixItems") or [{}])[0]
        return Field(name, "entries", (), *_span(entry, w), size=size, hint=inner.get("description", ""), required=required)
    return Field(name, "line", hint=hint or ("entries with commas between" if kind == "array" else "JSON"), required=required)


def _span(raw: Mapping[str, Any], w: Wording) -> tuple[float | None, float | None]:
    """The limits of a number as the wording shows it."""
    scale, shift = (w.scale, w.shift) if raw.get("unit") == "money" else (1.0, 0.0)
    low, high = (next((scale * raw[k] + shift for k in keys if k in raw), None)
                 for keys in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")))
    return low, high


def words(turn: Turn, posted: Mapping[str, str]) -> str:
    """The words that a filled-in form makes, read as the session will read them. Raises Invalid: what is wrong, for who filled it in."""
    if "pass" in posted and turn.ask.optional:
        return PASS
    want = turn.ask.want
    if issubclass(want, Say):
        said = posted.get("text", "").strip()
    else:
        whole = schema(want, turn.wording) or {}
        said = json.dumps({f.name: _value(f, whole["properties"][f.name], posted) for f in fields(turn)}, ensure_ascii=False)
    return _checked(said, want, turn)


def _checked(said: str, want: type[Move], turn: Turn) -> str:
    if read(said, want, turn.wording, turn.ask.optional) is None:
        raise Invalid("Please answer, or press the button that passes.")
    return said


def _value(field: Field, node: Mapping[str, Any], posted: Mapping[str, str]) -> Any:
    """The value of one field. Raises Invalid."""
    given = posted.get(field.name, "").strip()
    try:
        if field.kind == "entries":
            return [parse(posted.get(f"{field.name}.{i}", "").strip(), {"type": node["items"]["type"]}) for i in range(field.size)]
        if not given and field.required:
            raise ValueError("an answer")
        return parse(given, dict(node))
    except ValueError as owed:
        raise Invalid(f"{field.label}: please give {owed}.") from None

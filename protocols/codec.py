"""Between typed moves and words: one codec for rows, one lowering for schemas, one strict reading of replies.

On the wire a move is exactly one JSON object of the Move's fields. An optional `reasoning` string may come first; it is
kept with the words and shown to nobody. `{"pass": true}` passes where the ask is optional. A `Say` is the raw words.
A wording's labels and units are applied when words are written and inverted when they are read.
"""
import json
import sys
from collections.abc import Callable
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json

from ..errors import Invalid, StoreError
from ..games.base import SLACK, Move, Observation, Say, State, Wording, number
from ..registry import explain, modules
from .base import Ask

_HOME = (__package__ or "").partition(".")[0]


# --- rows: {type, fields} -----------------------------------------------------------------------------------------------
def encode(thing: BaseModel) -> dict[str, Any]:
    """A Move, Observation or State as {"type": module.Class, "fields": {...}}; the inverse of `decode`."""
    cls = type(thing)
    if not _nested(cls):
        return {"type": type_name(cls), "fields": cls.__pydantic_serializer__.to_python(thing, mode="json")}
    fields = {k: encode(v) if isinstance(v, Move | Observation | State) else v for k, v in thing}
    return {"type": type_name(cls), "fields": fields}


def same(ask: Ask) -> Ask:
    """The ask equal to this one that was met first, so that what is remembered of it is found without comparing."""
    try:
        return _same_ask(ask)
    except TypeError:  # an observation that holds a list or a dict cannot be remembered
        return ask


@lru_cache(maxsize=1024)
def _same_ask(ask: Ask) -> Ask:
    return ask


def encode_news(ask: Ask) -> tuple[dict[str, Any], ...]:
    """What is new, as the ask's row holds it. The dicts are shared between equal asks: read them only."""
    if "news" not in ask.memo:
        ask.memo["news"] = tuple(encode(o) for o in ask.news)
    return ask.memo["news"]


def decode(row: dict[str, Any]) -> Any:
    """The Move, Observation or State of a row. Raises StoreError for a type that is not here."""
    cls = class_of(row["type"])
    fields = {k: decode(v) if isinstance(v, dict) and v.keys() == {"type", "fields"} else v
              for k, v in row["fields"].items()}
    if _nested(cls):
        return cls.model_validate(fields)
    return cls.model_validate_json(to_json(fields))


@cache
def _nested(cls: type[BaseModel]) -> bool:
    return any(isinstance(f.annotation, type) and issubclass(f.annotation, Move | Observation | State)
               for f in cls.model_fields.values())


@cache
def type_name(cls: type[BaseModel]) -> str:
    """The static class's name: a Move narrowed for one instance is read back as the Move it narrows."""
    for c in cls.__mro__:
        if getattr(sys.modules.get(c.__module__), c.__name__, None) is c:
            return f"{c.__module__.removeprefix(_HOME + '.')}.{c.__name__}"
    raise TypeError(f"{cls} is defined in no module")


@cache
def class_of(name: str) -> Any:
    """The class of a `type_name`. Raises StoreError for one that is not here."""
    module, _, cls = name.rpartition(".")
    own = module.split(".")[0] in ("games", "protocols")
    if not own and module not in {*modules("games").values(), *modules("protocols").values()}:
        raise StoreError(f"unknown type '{name}': the package that defines it is not installed.")
    try:
        return getattr(import_module(f"{_HOME}.{module}" if own else module), cls)
    except (ImportError, AttributeError):
        raise StoreError(f"unknown type '{name}': it was written by another version.") from None


# --- schemas ------------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=4096)
def schema(want: type[Move], wording: Wording, optional: bool = False) -> dict[str, Any] | None:
    """The JSON schema of a reply in the subset strict structured output takes; None for free speech.

    Objects are closed and all fields required (those not owed are nullable); there are no unions, tuples, defaults or
    length limits: limits stand in the descriptions, and are checked when the reply is read.
    """
    if issubclass(want, Say):
        return None
    whole = want.model_json_schema()
    fields = {k: _lower(v, whole.get("$defs", {}), wording) for k, v in whole.get("properties", {}).items()}
    if optional:
        fields = {k: _nullable(v) for k, v in fields.items()} | {"pass": {"type": ["boolean", "null"]}}
    fields = {"reasoning": {"type": ["string", "null"]}} | fields
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def _nullable(node: dict[str, Any]) -> dict[str, Any]:
    if isinstance(node["type"], list):
        return node
    return {**node, "type": [node["type"], "null"], **({"enum": [*node["enum"], None]} if "enum" in node else {})}


def _lower(node: dict[str, Any], defs: dict[str, Any], w: Wording) -> dict[str, Any]:
    if "$ref" in node:
        node = {**defs[node["$ref"].rpartition("/")[2]], **{k: v for k, v in node.items() if k != "$ref"}}
    if "anyOf" in node:
        some = [n for n in node["anyOf"] if n.get("type") != "null"]
        if len(some) != 1:
            raise TypeError("a move cannot hold a union: use one flat model with nullable fields")
        return _nullable(_lower(some[0], defs, w))
    if "const" in node or "enum" in node:
        labels = [node["const"]] if "const" in node else node["enum"]
        return {"type": "string", "enum": w.options(labels)}
    kind = node.get("type")
    if kind == "array":
        items = node["items"] if "items" in node else _same(node.get("prefixItems", []))
        low, high = node.get("minItems"), node.get("maxItems")
        return _described({"type": "array", "items": _lower(items, defs, w)}, _span(low, high, "entries"))
    if kind == "object" and node.get("properties"):
        inner = {k: _lower(v, defs, w) for k, v in node["properties"].items()}
        return {"type": "object", "properties": inner, "required": list(inner), "additionalProperties": False}
    if kind in ("number", "integer"):
        return _described({"type": kind}, _range(node, w))
    if kind == "string":
        return _described({"type": kind}, _span(node.get("minLength"), node.get("maxLength"), "characters"))
    if kind == "boolean":
        return {"type": kind}
    raise TypeError(f"a move cannot hold {node}: strict structured output has no such type")


def _same(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    if not nodes or any(n != nodes[0] for n in nodes):
        raise TypeError("a tuple in a move must hold entries of one type")
    return nodes[0]


def _described(node: dict[str, Any], text: str) -> dict[str, Any]:
    return {**node, "description": text} if text else node


def _span(low: int | None, high: int | None, what: str) -> str:
    if low is not None and low == high:
        return f"exactly {low} {what}"
    parts = [f"at least {low} {what}"] if low and low > 1 else []
    return ", ".join(parts + ([f"at most {high} {what}"] if high is not None else []))


def _range(node: dict[str, Any], w: Wording) -> str:
    show = (lambda x: number(w.scale * x + w.shift)) if node.get("unit") == "money" else number
    words = (("minimum", "at least"), ("exclusiveMinimum", "more than"), ("maximum", "at most"),
             ("exclusiveMaximum", "less than"))
    return ", ".join(f"{text} {show(node[key])}" for key, text in words if key in node)


# --- asks in words ------------------------------------------------------------------------------------------------------
def told(ask: Ask, wording: Wording) -> str:
    """An ask in words without the form of the answer: for a person, who fills in a form."""
    question = wording.texts.get(ask.want.__name__, "")
    return "\n".join(filter(None, (*(o.say(wording, ask.role) for o in ask.news), question)))


def render(ask: Ask, wording: Wording) -> str:
    """An ask in words: what is new, the question, the form of the answer. Put into words once."""
    if wording not in ask.memo:
        lines = [o.say(wording, ask.role) for o in ask.news]
        ask.memo[wording] = "\n".join([*lines, *_question(ask.want, wording, ask.optional)])
    return ask.memo[wording]


@lru_cache(maxsize=4096)
def _question(want: type[Move], wording: Wording, optional: bool) -> tuple[str, ...]:
    question = wording.texts.get(want.__name__, "")
    if issubclass(want, Say):
        form = "Answer in plain words" + (', or with {"pass": true} to say nothing.' if optional else ".")
    else:
        whole = schema(want, wording)
        assert whole is not None
        fields = "; ".join(f'"{k}": {_form(v)}' for k, v in whole["properties"].items() if k != "reasoning")
        form = f"Answer with one JSON object and nothing else. Its fields: {fields}."
        form += ' Or pass with {"pass": true}.' if optional else ""
        form += ' You may put a field "reasoning" first; nobody else sees it.'
    return tuple(line for line in (question, wording.objective, form) if line)


def _form(node: dict[str, Any]) -> str:
    if "enum" in node:
        return "one of " + ", ".join(f'"{x}"' if x is not None else "null" for x in node["enum"])
    kinds = {"number": "a number", "integer": "a whole number", "string": "a text", "boolean": "true or false"}
    if node["type"] == "array":
        text = "a list of " + _form(node["items"]).removeprefix("a ").removeprefix("one of ")
    elif node["type"] == "object":
        text = "an object with " + ", ".join(f'"{k}": {_form(v)}' for k, v in node["properties"].items())
    else:
        names = [k for k in ([node["type"]] if isinstance(node["type"], str) else node["type"]) if k != "null"]
        text = kinds[names[0]] + (" or null" if isinstance(node["type"], list) else "")
    return text + (f" ({node['description']})" if "description" in node else "")


# --- words to moves and back --------------------------------------------------------------------------------------------
def read(words: str, want: type[Move], wording: Wording, optional: bool = False) -> Move | None:
    """The move that words make, None for a pass. Strict: raises Invalid, with the complaint, for anything else."""
    if issubclass(want, Say):
        return _read_speech(words, want, optional)
    plan = _plan(want, wording)
    move = None if plan else _read_at_once(words, want)
    if move is not None:
        return move
    try:
        data = from_json(words, allow_inf_nan=False)
    except ValueError:
        raise Invalid("That is not one JSON object. Answer with one JSON object and nothing else.") from None
    if not isinstance(data, dict):
        raise Invalid("That is JSON, but not an object. Answer with one JSON object and nothing else.")
    if words.count(":") != len(data):
        json.loads(words, object_pairs_hook=_once)
    if not isinstance(data.pop("reasoning", None), str | None):
        raise Invalid('"reasoning" must be a text.')
    passes = data.pop("pass", None)
    if passes is True and optional:
        if any(v is not None for v in data.values()):
            raise Invalid('Either pass or answer, not both.')
        return None
    if passes not in (None, False):
        raise Invalid('"pass" is not allowed here: answer the question.' if passes is True else '"pass" must be true.')
    for name, invert in plan:
        if name in data:
            data[name] = invert(data[name])
    try:
        return want.model_validate_json(to_json(data), strict=True)
    except ValidationError as error:
        raise Invalid(f"Not a valid answer: {_relabel(explain(error, tuple(want.model_fields)), want, wording)}.") from None


def _read_at_once(words: str, want: type[Move]) -> Move | None:
    """The move, if validating the words as they are settles it: as many colons as fields, so none is given twice."""
    try:
        move = want.model_validate_json(words, strict=True)
    except ValidationError:
        return None
    return move if words.count(":") == len(move.model_fields_set) else None


def _once(pairs: list[tuple[str, Any]]) -> None:
    """Refuses an object that says something twice: which of the two was meant cannot be known."""
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise Invalid(f'You gave "{twice}" twice. Answer with one JSON object that holds each field once.')


def _read_speech(words: str, want: type[Move], optional: bool) -> Move | None:
    text = words.strip()
    if optional and text.startswith("{"):
        try:
            if from_json(text) == {"pass": True}:
                return None
        except ValueError:
            pass
    if not text:
        raise Invalid("You said nothing. Answer in plain words.")
    try:
        return want.model_validate({"text": text})
    except ValidationError as error:
        raise Invalid(f"Not a valid answer: {explain(error)}.") from None


def reasoning(words: str) -> str | None:
    """The private `reasoning` of a reply, if it has one."""
    try:
        data = from_json(words)
    except ValueError:
        return None
    text = data.get("reasoning") if isinstance(data, dict) else None
    return text if isinstance(text, str) else None


def write(move: Move | None, wording: Wording) -> str:
    """The words that say a move; the inverse of `read`."""
    if move is None:
        return '{"pass": true}'
    if isinstance(move, Say):
        return move.text
    data = move.model_dump(mode="json")
    for name, show in _plan(type(move), wording, True):
        data[name] = show(data[name])
    return to_json(data).decode()


@lru_cache(maxsize=4096)
def _plan(want: type[Move], wording: Wording, out: bool = False) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """The fields whose values a wording changes, with the map from shown to canonical (`out`: the other way)."""
    whole = want.model_json_schema()
    pairs = ((k, _mapping(v, whole.get("$defs", {}), wording, out)) for k, v in whole.get("properties", {}).items())
    return tuple((k, f) for k, f in pairs if f is not None)


def _mapping(node: dict[str, Any], defs: dict[str, Any], w: Wording, out: bool) -> Callable[[Any], Any] | None:
    if "$ref" in node:
        node = {**defs[node["$ref"].rpartition("/")[2]], **node}
    for inner in node.get("anyOf", ()):
        if inner.get("type") != "null":
            return _mapping(inner, defs, w, out)
    if "enum" in node or "const" in node:
        table = w.labels if out else w.canonical
        foreign = set() if out else set(w.labels) - set(w.canonical)
        if not table:
            return None
        return lambda v: table.get(v, f"{v} (not offered)" if v in foreign else v) if isinstance(v, str) else v
    if node.get("unit") == "money" and (w.scale, w.shift) != (1.0, 0.0):
        scale, shift = w.scale, w.shift
        return _number(lambda v: scale * v + shift) if out else _number(lambda v: _within((v - shift) / scale, node))
    if node.get("type") == "array":
        each = _mapping(node.get("items") or (node.get("prefixItems") or [{}])[0], defs, w, out)
        return (lambda v: [each(x) for x in v] if isinstance(v, list) else v) if each else None
    inside = {k: f for k, n in node.get("properties", {}).items() if (f := _mapping(n, defs, w, out)) is not None}
    if inside:
        return lambda v: {k: inside[k](x) if k in inside else x for k, x in v.items()} if isinstance(v, dict) else v
    return None


def _number(f: Callable[[float], float]) -> Callable[[Any], Any]:
    return lambda v: f(v) if isinstance(v, int | float) and not isinstance(v, bool) else v


def _within(amount: float, node: dict[str, Any]) -> float:
    """The amount, or the bound it misses by rounding: a bound shown in another unit must be readable as that bound."""
    for bound in (node.get("minimum"), node.get("maximum")):
        if bound is not None and abs(amount - bound) <= SLACK * max(1.0, abs(bound)):
            return float(bound)
    return amount


def _relabel(complaint: str, want: type[Move], w: Wording) -> str:
    """Canonical labels must not leak through a complaint: name what may be said in this wording's own labels."""
    whole = schema(want, w)
    if (not w.labels and w.scale == 1 and w.shift == 0) or whole is None:
        return complaint
    fields = "; ".join(f'"{k}": {_form(v)}' for k, v in whole["properties"].items() if k != "reasoning")
    return f"the fields are {fields}"

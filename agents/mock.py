"""The mock LLM, in process: random valid answers without a network, and misbehaviour on purpose.

The same handler answers behind HTTP (`mock_server.py`): for one turn both doors give the same words. Words are a function
of (seed, bad replies so far), faults of (seed, try), so provider errors never change what is played.
"""
import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import floor, log10
from time import perf_counter
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic_core import to_json

from ..games.base import Chance, Move, Say, Wording
from ..protocols.seat import Agent, Reply, Turn
from .faults import Faults, spoil

VERSION = 1
"""Raised whenever the same seed would give other words: a changed mock is another model."""
PASS = '{"pass": true}'
SENTENCES = ("Which one would you take?", "I am not sure yet.", "Let us agree on something.", "What do you know?",
             "That sounds fine to me.", "I would rather wait and see.", "Tell me more, please.",
             "We should both gain from this.")
STEPS = 200
WORD = 2**64 - 1


class Source:
    """Chance for one reply: splitmix64, of which a seed costs nothing, while Python's own takes longer to seed than all draws.

    seed  63 bits; bad: bad replies to the ask so far
    Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA (2014).
    """

    def __init__(self, seed: int, bad: int = 0):
        self._state = seed + bad * 0xD1342543DE82EF95 & WORD

    def random(self) -> float:
        """Uniform on [0, 1), in steps of 2^-53."""
        self._state = z = self._state + 0x9E3779B97F4A7C15 & WORD
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & WORD
        z = (z ^ z >> 27) * 0x94D049BB133111EB & WORD
        return ((z ^ z >> 31) >> 11) * 2.0**-53

    def choice(self, some: Sequence[Any]) -> Any:
        return some[int(self.random() * len(some))]

    def randint(self, low: int, high: int) -> int:
        """Uniform on low .. high, both included."""
        return low + int(self.random() * (high - low + 1))


Drawer = Callable[[Source], Any]


class Mock(Agent):
    """A stand-in for a language model that knows nothing but the form of the answer.

    style    `random`: labels uniform, numbers uniform on a grid strictly inside their bounds (100 wide where there is no
             bound), texts a short sentence; rules across fields are not known to it
    passes   chance to pass where it may                                in [0, 1]
    faults   what goes wrong, and how often
    latency  seconds each reply takes
    """
    style: Literal["random"] = "random"
    passes: Chance = 0.3
    faults: Faults = Faults()
    latency: Annotated[float, Field(ge=0)] = 0.0

    @property
    def remote(self) -> bool:  # type: ignore[override]  # only a service that fails is worth the session's retry layer
        """Whether a call may fail in passing, as a real service does."""
        return self.faults.rate > 0

    @property
    def costless(self) -> bool:  # type: ignore[override]  # so long as it is neither slow nor faulty
        """Whether its words take no time and may be said again."""
        return self.latency == 0 and not self.remote

    @property
    def model(self) -> str:
        return f"mock:{self.style}:{VERSION}"

    async def reply(self, turn: Turn) -> Reply:
        start = perf_counter()
        fault = self.faults.of(turn.seed, turn.tries)
        pause = self.latency + (self.faults.pause if fault == "delay" else 0.0)
        if pause:
            await asyncio.sleep(pause)
        if fault:
            self.faults.fail(fault)
        drawer = drawer_of(turn.ask.want, turn.wording)
        words = self.answer(drawer, turn.seed, len(turn.attempts), turn.ask.optional)
        words, finish = spoil(fault, words, turn.schema) if fault else (words, "stop")
        return Reply(words, finish, self.model, tokens(turn.text), tokens(words), 0.0, perf_counter() - start)

    def answer(self, drawer: Drawer | None, seed: int, bad: int, optional: bool) -> str:
        """The words for an ask: the handler behind both doors.

        drawer  of the reply owed; None for free speech
        bad     bad replies to this ask so far
        """
        source = Source(seed, bad)
        if optional and source.random() < self.passes:
            return PASS
        return source.choice(SENTENCES) if drawer is None else to_json(drawer(source)).decode()


def tokens(text: str) -> int:
    """About how many tokens a text has: a quarter of its characters, rounded up."""
    return -(-len(text) // 4)


# --- drawing from a schema ----------------------------------------------------------------------------------------------
@lru_cache(maxsize=4096)
def form_of(want: type[Move]) -> dict[str, Any] | None:
    """The JSON schema of a Move with all its limits, in canonical labels and units; None for free speech."""
    return None if issubclass(want, Say) else want.model_json_schema()


@lru_cache(maxsize=4096)
def drawer_of(want: type[Move], wording: Wording) -> Drawer | None:
    """How to draw a reply in a wording's labels and units; None for free speech."""
    form = form_of(want)
    return None if form is None else drawer(form, wording)


def drawer(form: Mapping[str, Any], wording: Wording) -> Drawer:
    """How to draw an object of a JSON schema, shown in a wording's labels and units."""
    return _object(form, form.get("$defs", {}), wording)


def _draw(node: Mapping[str, Any], defs: Mapping[str, Any], w: Wording) -> Drawer:
    if "$ref" in node:
        node = {**defs[node["$ref"].rpartition("/")[2]], **node}
    kinds = [node["type"]] if isinstance(node.get("type"), str) else list(node.get("type", ()))
    some = [n for n in node.get("anyOf", ()) if n.get("type") != "null"]
    if some:
        return _maybe(_draw(some[0], defs, w)) if len(some) < len(node["anyOf"]) else _draw(some[0], defs, w)
    if "null" in kinds:
        return _maybe(_draw({**node, "type": next(k for k in kinds if k != "null")}, defs, w))
    if "const" in node or "enum" in node:
        return _label([node["const"]] if "const" in node else node["enum"], w)
    if kinds == ["array"]:
        return _array(node, defs, w)
    if kinds == ["object"]:
        return _object(node, defs, w)
    return {"number": _number, "integer": _integer, "string": _text, "boolean": _flag}[kinds[0]](node, w)


def _maybe(inner: Drawer) -> Drawer:
    return lambda source: None if source.random() < 0.5 else inner(source)


def _label(labels: list[Any], w: Wording) -> Drawer:
    shown = [w.label(x) if isinstance(x, str) else x for x in labels if x is not None]
    return lambda source: source.choice(shown)


def _object(node: Mapping[str, Any], defs: Mapping[str, Any], w: Wording) -> Drawer:
    fields = [(k, _draw(v, defs, w)) for k, v in node.get("properties", {}).items()]
    return lambda source: {k: draw(source) for k, draw in fields}


def _array(node: Mapping[str, Any], defs: Mapping[str, Any], w: Wording) -> Drawer:
    if "prefixItems" in node:
        each = [_draw(n, defs, w) for n in node["prefixItems"]]
        return lambda source: [draw(source) for draw in each]
    draw, least = _draw(node["items"], defs, w), node.get("minItems", 0)
    most = node.get("maxItems", max(least, 3))
    return lambda source: [draw(source) for _ in range(source.randint(least, most))]


def _bounds(node: Mapping[str, Any], width: float) -> tuple[float, float]:
    low = node.get("minimum", node.get("exclusiveMinimum"))
    high = node.get("maximum", node.get("exclusiveMaximum"))
    if low is None:
        low = 0.0 if high is None else high - width
    return low, low + width if high is None else high


def _number(node: Mapping[str, Any], w: Wording) -> Drawer:
    """On a grid strictly inside the bounds, so that neither rounding nor another unit leads out of them."""
    low, high = _bounds(node, 100.0)
    if node.get("unit") == "money":
        low, high = w.scale * low + w.shift, w.scale * high + w.shift
    step = (high - low) / STEPS
    digits = 3 - floor(log10(high - low)) if high > low else 15
    return lambda source: round(low + step * source.randint(1, STEPS - 1), digits)


def _integer(node: Mapping[str, Any], w: Wording) -> Drawer:
    low, high = _bounds(node, 100.0)
    least, most = floor(low) + ("exclusiveMinimum" in node), floor(high) - ("exclusiveMaximum" in node)
    money = node.get("unit") == "money" and (w.scale, w.shift) != (1.0, 0.0)
    if money:
        return lambda source: w.scale * source.randint(least, most) + w.shift
    return lambda source: source.randint(least, most)


def _text(node: Mapping[str, Any], w: Wording) -> Drawer:
    least, most = node.get("minLength", 0), node.get("maxLength")
    return lambda source: source.choice(SENTENCES).ljust(least, ".")[:most]


def _flag(node: Mapping[str, Any], w: Wording) -> Drawer:
    return lambda source: source.random() < 0.5

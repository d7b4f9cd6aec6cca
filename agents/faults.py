"""Misbehaviour on purpose. Which fault a call meets is a function of its seed and its try, and of nothing else: the same
after a resume, another at the next try.

    429        too many requests                          the service fails: the session tries again
    429_wait   the same, with a Retry-After
    500, 503   server errors
    drop       the connection is dropped before a reply
    cut        the connection is dropped in the middle of one
    delay      a good reply, late                         nothing is wrong, only slow
    malformed  JSON that breaks off                       the words are bad: the session complains
    length     cut off by the token limit, and says so
    refusal    the model declines
    schema     a label that is not offered, a wrong type
    empty      no words at all
"""
from collections.abc import Mapping
from hashlib import blake2b
from json import dumps
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from ..errors import FieldError, Transient
from ..games.base import Chance, Frozen
from ..protocols.seat import Finish

Kind = Literal["429", "429_wait", "500", "503", "drop", "cut", "delay", "malformed", "length", "refusal", "schema", "empty"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SERVICE: tuple[Kind, ...] = ("429", "429_wait", "500", "503", "drop", "cut")
"""Faults of the service: never a player's move."""
WORDS: tuple[Kind, ...] = ("malformed", "length", "refusal", "schema", "empty")
"""Faults of the words: each costs the seat an attempt."""
MENUS: dict[str, tuple[Kind, ...]] = {"all": KINDS, "service": SERVICE, "words": WORDS, "delay": ("delay",)}
SAYS = {"429": "too many requests", "429_wait": "too many requests", "500": "internal error", "503": "overloaded",
        "drop": "the connection was dropped", "cut": "the reply broke off"}
DECLINED = "I cannot help with that."


class Faults(Frozen):
    """How often calls go wrong, and how.

    rate         chance that a call meets a fault                       in [0, 1]
    kinds        the faults there are, equally likely
    first_tries  only the first so many tries of an ask may go wrong; None: all
    pause        seconds a `delay` lasts and a `429_wait` asks for
    """
    rate: Chance = 0.0
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)] = KINDS
    first_tries: Annotated[int, Field(ge=0)] | None = None
    pause: Annotated[float, Field(ge=0)] = 0.05

    def of(self, seed: int, tries: int) -> Kind | None:
        """The fault that try number `tries` (from 0) of the ask with this seed meets; None for none."""
        if not self.rate or (self.first_tries is not None and tries >= self.first_tries):
            return None
        digest = blake2b(f"fault {seed} {tries}".encode(), digest_size=16).digest()
        if int.from_bytes(digest[:8], "big") >= self.rate * 2**64:
            return None
        return self.kinds[int.from_bytes(digest[8:], "big") % len(self.kinds)]

    def fail(self, kind: Kind) -> None:
        """Raises Transient if the fault is the service's."""
        if kind in SERVICE:
            raise Transient(f"mock: {SAYS[kind]}", self.pause if kind == "429_wait" else None)


def menu(text: str) -> tuple[Kind, ...]:
    """The kinds named by `all`, `service`, `words`, or kinds with commas between. Raises FieldError for another name."""
    found: list[Kind] = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        more = MENUS.get(name) or tuple(k for k in KINDS if k == name)
        if not more:
            raise FieldError(f"no fault '{name}'. There are: all, service, words, {', '.join(KINDS)}.")
        found += more
    if not found:
        raise FieldError(f"no fault named. There are: all, service, words, {', '.join(KINDS)}.")
    return tuple(dict.fromkeys(found))


def spoil(kind: Kind | None, words: str, schema: Mapping[str, Any] | None) -> tuple[str, Finish]:
    """(words, finish) after a fault of the words; good words and `stop` for any other.

    schema  of the reply owed, as lowered for the wire; None for free speech, of which only silence is a bad form
    """
    half = words[:len(words) // 2]
    if kind == "length":
        return half, "length"
    if kind == "refusal":
        return DECLINED, "refusal"
    if kind == "empty" or (schema is None and kind in WORDS):
        return "", "stop"
    if schema is not None and kind == "malformed":
        return half, "stop"
    if schema is not None and kind == "schema":
        wrong = {k: _wrong(v) for k, v in schema["properties"].items() if k not in ("reasoning", "pass")}
        return dumps(wrong or {"unexpected": 7}), "stop"
    return words, "stop"


def _wrong(node: Mapping[str, Any]) -> str | int:
    text = "string" in node["type"] and "enum" not in node
    return 7 if text else "none of these"

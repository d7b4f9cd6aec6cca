"""Chooses at random among all valid moves: what play looks like without any thought."""
from collections.abc import Callable
from functools import cache
from random import Random as Source
from typing import Any, ClassVar

from pydantic import ValidationError

from ..errors import InputError
from ..games.base import Mixed, Move, Say
from ..protocols.codec import write
from ..protocols.seat import Agent, Reply, Turn
from .chances import BABBLE

TRIES = 1000
PASSES = 0.5


class Random(Agent):
    """A uniformly random valid move, drawn by the ask's seed; passes with chance 1/2 where it may. No fields.

    Labels and truth values are uniform, numbers uniform between their bounds (an interval of length 1 next to the one bound
    given, [0, 1] if none is; whole numbers: of length 10), texts one constant. Moves with rules across fields are found by
    drawing again; every second draw makes each list of numbers sum to 1, so that lotteries are found too.
    """
    reads: ClassVar[bool] = False
    costless: ClassVar[bool] = True

    async def reply(self, turn: Turn) -> Reply:
        source, want = Source(turn.seed), turn.ask.want
        if turn.ask.optional and source.random() < PASSES:
            return Reply(write(None, turn.wording), model="random")
        if issubclass(want, Say):
            return Reply(BABBLE, model="random")
        return Reply(write(draw(want, source), turn.wording), model="random")

    def mixture(self, turn: Turn) -> tuple[tuple[float, str], ...] | None:
        moves = finite(turn.ask.want)
        if moves is None:
            return None
        mixed: Mixed = tuple((1 / len(moves), move) for move in moves)
        if turn.ask.optional:
            mixed = ((PASSES, None), *(((1 - PASSES) * p, move) for p, move in mixed))
        return tuple((p, write(move, turn.wording)) for p, move in mixed)


def finite(want: type[Move]) -> list[Move] | None:
    """Every move of a type with one field, if that is a label, a truth value or a text; else None."""
    if issubclass(want, Say):
        return [want.model_validate({"text": BABBLE})]
    whole = _schema(want)
    fields = whole.get("properties", {})
    if len(fields) != 1:
        return None
    (name, node), = fields.items()
    values = _values(_resolved(node, whole.get("$defs", {})))
    return None if values is None else [want.model_validate({name: value}) for value in values]


def draw(want: type[Move], source: Source) -> Move:
    """A valid move. Raises InputError if TRIES draws find none."""
    whole = _schema(want)
    for tried in range(TRIES):
        value = _value(whole, whole.get("$defs", {}), source, tried % 2 == 1)
        try:
            return want.model_validate(value)
        except ValidationError:
            continue
    raise InputError(f"agent 'random' finds no valid {want.__name__} in {TRIES} draws. Seat another agent there.")


@cache
def _schema(want: type[Move]) -> dict[str, Any]:
    return want.model_json_schema()


def _resolved(node: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    return {**defs[node["$ref"].rpartition("/")[2]], **node} if "$ref" in node else node


def _values(node: dict[str, Any]) -> list[Any] | None:
    if "const" in node:
        return [node["const"]]
    if "enum" in node:
        return list(node["enum"])
    if node.get("type") == "boolean":
        return [False, True]
    return [_text(node)] if node.get("type") == "string" else None


def _text(node: dict[str, Any]) -> str:
    """The constant, as long as is allowed."""
    return str(BABBLE.ljust(node.get("minLength", 0), ".")[:node.get("maxLength")])


def _value(node: dict[str, Any], defs: dict[str, Any], source: Source, lottery: bool) -> Any:
    node = _resolved(node, defs)
    if "anyOf" in node:
        return _value(source.choice(node["anyOf"]), defs, source, lottery)
    values = _values(node)
    if values is not None:
        return source.choice(values)
    make: dict[str, Callable[[], Any]] = {
        "null": lambda: None,
        "number": lambda: _number(node, source),
        "integer": lambda: _integer(node, source),
        "array": lambda: _array(node, defs, source, lottery),
        "object": lambda: {k: _value(v, defs, source, lottery) for k, v in node.get("properties", {}).items()},
    }
    return make[node["type"]]()


def _array(node: dict[str, Any], defs: dict[str, Any], source: Source, lottery: bool) -> list[Any]:
    if "prefixItems" in node:
        values = [_value(each, defs, source, lottery) for each in node["prefixItems"]]
    else:
        least = node.get("minItems", 0)
        length = source.randint(least, node.get("maxItems", max(least, 3)))
        values = [_value(node["items"], defs, source, lottery) for _ in range(length)]
    if lottery and values and all(isinstance(v, float) and v >= 0 for v in values) and sum(values) > 0:
        total = sum(values)
        return [v / total for v in values]
    return values


def _number(node: dict[str, Any], source: Source) -> float:
    low, high = node.get("minimum", node.get("exclusiveMinimum")), node.get("maximum", node.get("exclusiveMaximum"))
    if low is None:
        low = 0.0 if high is None else high - 1
    return source.uniform(low, low + 1 if high is None else high)


def _integer(node: dict[str, Any], source: Source) -> int:
    low = node["exclusiveMinimum"] + 1 if "exclusiveMinimum" in node else node.get("minimum")
    high = node["exclusiveMaximum"] - 1 if "exclusiveMaximum" in node else node.get("maximum")
    if low is None:
        low = 0 if high is None else high - 10
    return source.randint(int(low), int(low + 10 if high is None else high))

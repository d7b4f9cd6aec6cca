"""A live human at this terminal."""
import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any, Self, TypeVar

from pydantic import PrivateAttr

from ..errors import Paused
from ..games.base import Say
from ..protocols.codec import schema, told
from ..protocols.seat import Agent, Reply, Seating, Turn

T = TypeVar("T")
TERMINAL = threading.Lock()
"""One terminal, one question at a time: simultaneous seats take turns at it."""
HELP = "(:later stops here and goes on another time; :json lets you type the whole answer as JSON)"
PASS = '{"pass": true}'


class Human(Agent):
    """Shows each ask in words, then prompts for the answer field by field. No fields.

    An empty line passes where one may pass, and leaves out what may be left out. `:later`, or the end of input, raises
    Paused: the session then goes on in another process, where what was said before is shown again.
    """
    _read: Callable[[str], str] = PrivateAttr(input)
    _show: Callable[[str], None] = PrivateAttr(print)
    _seen: int = PrivateAttr(0)

    def bind(self, seating: Seating) -> Self:
        seated = self.model_copy()
        seated._seen = 0
        return seated

    async def reply(self, turn: Turn) -> Reply:
        return Reply(await in_thread(lambda: self._at_terminal(turn)))

    def _at_terminal(self, turn: Turn) -> str:
        with TERMINAL:
            self._tell(turn)
            try:
                return self._speech(turn) if issubclass(turn.ask.want, Say) else self._move(turn)
            except (EOFError, Later):
                raise Paused(f"'{turn.role}' will answer later.") from None

    def _tell(self, turn: Turn) -> None:
        """The ask; before it, what was said before this process began; after it, what was wrong with the last answer."""
        for ask, words in turn.past[self._seen:]:
            self._show(f"{told(ask, turn.wording)}\n> {words}\n")
        self._seen = len(turn.past) + 1
        self._show(told(turn.ask, turn.wording))
        if turn.attempts:
            self._show(turn.attempts[-1].complaint)
        self._show(HELP)

    def _line(self, prompt: str) -> str:
        line = self._read(prompt).strip()
        if line == ":later":
            raise Later
        return line

    def _speech(self, turn: Turn) -> str:
        prompt = "You say (an empty line says nothing): " if turn.ask.optional else "You say: "
        while True:
            line = self._line(prompt)
            if line == ":json":
                return self._line("JSON: ")
            if line or turn.ask.optional:
                return line or PASS
            self._show("Please say something.")

    def _move(self, turn: Turn) -> str:
        whole = schema(turn.ask.want, turn.wording) or {}
        fields = {k: node for k, node in whole["properties"].items() if k != "reasoning"}
        answer: dict[str, Any] = {}
        try:
            for name, node in fields.items():
                answer[name] = self._field(name, node, may_pass=turn.ask.optional and not answer)
        except Skip:
            return PASS
        except Raw:
            return self._line("JSON: ")
        if not fields and turn.ask.optional and not self._line("Enter to pass, anything else to go on: "):
            return PASS
        return json.dumps(answer, ensure_ascii=False)

    def _field(self, name: str, node: dict[str, Any], may_pass: bool) -> Any:
        """The value of one field; asks again until the line can be one."""
        while True:
            line = self._line(f"{name}{_hint(node, may_pass)}: ")
            if line == ":json":
                raise Raw
            if not line and may_pass:
                raise Skip
            try:
                return parse(line, node)
            except ValueError as wrong:
                self._show(f"Please answer with {wrong}.")


class Later(Exception):
    """The human puts the answer off."""


class Skip(Exception):
    """The human passes."""


class Raw(Exception):
    """The human wants to type JSON."""


def _kind(node: dict[str, Any]) -> tuple[str, bool]:
    """(type, whether it may be left out) of a field."""
    kinds = [node["type"]] if isinstance(node["type"], str) else node["type"]
    return next(k for k in kinds if k != "null"), "null" in kinds


def _hint(node: dict[str, Any], may_pass: bool) -> str:
    kind, nullable = _kind(node)
    names = {"number": "number", "integer": "whole number", "boolean": "yes or no", "string": "text",
             "array": "list, with commas between", "object": "JSON object"}
    options = " / ".join(str(x) for x in node.get("enum", ()) if x is not None)
    notes = [options or names[kind], node.get("description", ""),
             "an empty line passes" if may_pass else "may be left empty" if nullable else ""]
    return f" [{'; '.join(filter(None, notes))}]"


def parse(line: str, node: dict[str, Any]) -> Any:
    """The value a line gives for a field of a reply's schema. Raises ValueError, which says what is owed.

    Bounds are not checked here: the session does, and complains.
    """
    kind, nullable = _kind(node)
    if not line and nullable:
        return None
    if "enum" in node:
        return _label(line, [x for x in node["enum"] if x is not None])
    if kind == "boolean":
        return _truth(line)
    if kind == "string":
        return _some_text(line)
    if kind == "array" and not line.startswith("["):
        return [parse(part.strip(), node["items"]) for part in line.split(",")] if line else []
    return _json(line, kind)


def _label(line: str, labels: list[str]) -> str:
    found = [x for x in labels if x == line] or [x for x in labels if x.lower() == line.lower()]
    if len(found) != 1:
        raise ValueError("one of " + ", ".join(labels))
    return found[0]


def _truth(line: str) -> bool:
    if line.lower() not in ("yes", "no", "y", "n", "true", "false"):
        raise ValueError("yes or no")
    return line.lower() in ("yes", "y", "true")


def _some_text(line: str) -> str:
    if not line:
        raise ValueError("a text")
    return line


def _json(line: str, kind: str) -> Any:
    kinds: dict[str, tuple[tuple[type, ...], str]] = {
        "number": ((int, float), "a number, such as 2.5"), "integer": ((int,), "a whole number, such as 3"),
        "array": ((list,), "a list, such as 1, 2"), "object": ((dict,), "a JSON object")}
    types, owed = kinds[kind]
    try:
        value = json.loads(line)
    except ValueError:
        raise ValueError(owed) from None
    if not isinstance(value, types) or isinstance(value, bool):
        raise ValueError(owed)
    return value


async def in_thread(work: Callable[[], T]) -> T:
    """Runs blocking work in a daemon thread, so that Ctrl-C need not wait for a line to be typed."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(value)  # type: ignore[arg-type]  # no error: work has returned a T

    def run() -> None:
        try:
            outcome: tuple[T | None, BaseException | None] = (work(), None)
        except BaseException as error:
            outcome = (None, error)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, daemon=True).start()
    return await done

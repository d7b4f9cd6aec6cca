"""The mock LLM behind HTTP: an OpenAI-compatible server on loopback that can also misbehave.

    POST /v1/chat/completions   a reply; with `parlour` data in the request, the reply the in-process mock would give
    GET  /v1/models             what it serves; any other name but `missing` is answered by the mock too
    GET  /stats                 {"requests": n, "replies": n, "faults": {kind: n}}
    GET  /replies               {id: how often that reply was sent}: a bill; the id names the ask's seed and the try

A model name given in `agents` is played by that agent: it is handed a Turn rebuilt from the `parlour` data, so that a
policy or a logit person can sit behind real HTTP.
"""
import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from ..errors import InputError, ParlourError
from ..games.base import Move, Wording
from ..protocols.base import Ask
from ..protocols.codec import class_of, decode
from ..protocols.seat import Agent, Attempt, Finish, Reply, Turn
from .faults import SAYS, SERVICE, Faults, Kind, spoil
from .mock import VERSION, Drawer, Mock, drawer, tokens

if TYPE_CHECKING:
    from aiohttp import web

MISSING = "missing"
PLAIN = Wording()
CODES: dict[Kind, int] = {"429": 429, "429_wait": 429, "500": 500, "503": 503}


class Bucket:
    """An allowance of `rate` calls a second, which fills evenly up to what half a second brings, at least one call."""

    def __init__(self, rate: float):
        self.rate, self.whole = rate, max(1.0, rate / 2)
        self._left, self._at = self.whole, monotonic()

    def take(self) -> float:
        """Takes one call; 0, or the seconds until there is one to take."""
        now = monotonic()
        self._left, self._at = min(self.whole, self._left + (now - self._at) * self.rate), now
        if self._left < 1:
            return (1 - self._left) / self.rate
        self._left -= 1
        return 0.0

    def headers(self) -> dict[str, str]:
        """What is left, as OpenAI tells it."""
        return {"x-ratelimit-limit-requests": str(int(self.whole)), "x-ratelimit-remaining-requests": str(int(self._left)),
                "x-ratelimit-reset-requests": f"{(self.whole - self._left) / self.rate * 1000:.0f}ms"}


class Refused(Exception):
    """A request that is answered with an error: status, message."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class MockServer:
    """Serves on 127.0.0.1 between `start` and `stop`, or in a thread of its own inside `with`.

    port    0 for a free one; afterwards the one it listens on
    faults  what goes wrong, for every model
    agents  model name -> the agent that answers under it
    key     if given, requests must bear it; others get 401
    limit   calls a second; a call beyond them gets 429, and is told when to try again
    told    whether replies tell what is left of the limit, in x-ratelimit headers
    last    the last request's body
    """

    def __init__(self, port: int = 0, faults: Faults = Faults(), agents: Mapping[str, Agent] | None = None,  # noqa: B008  frozen
                 key: str | None = None, mock: Mock = Mock(),  # noqa: B008  frozen
                 limit: float | None = None, told: bool = True):
        self.port, self.faults, self.agents, self.key, self.mock = port, faults, dict(agents or {}), key, mock
        self._bucket, self.told = Bucket(limit) if limit else None, told
        self.last: dict[str, Any] | None = None
        self.requests, self.replies, self.met, self.sent = 0, 0, Counter[str](), Counter[str]()
        self._seen: Counter[bytes] = Counter()
        self._runner: web.AppRunner | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    # --- from start to stop ----------------------------------------------------------------------------------------------
    async def start(self) -> None:
        """Listens. Raises InputError if the port is taken or not allowed."""
        from aiohttp import web
        app = web.Application(client_max_size=2**26)
        app.add_routes([web.post("/v1/chat/completions", self._chat), web.get("/v1/models", self._models),
                        web.get("/stats", self._stats), web.get("/replies", self._replies)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=4096)
        try:
            await site.start()
        except (OSError, OverflowError) as problem:
            await self.stop()
            raise InputError(f"cannot listen on port {self.port}: {getattr(problem, 'strerror', None) or problem}. "
                             "Give another port, or 0 for a free one.") from None
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def __enter__(self) -> Self:
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=loop.run_forever, name="mock-server", daemon=True)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self.start(), loop).result()
        except BaseException:
            self._end(loop)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop:
            asyncio.run_coroutine_threadsafe(self.stop(), self._loop).result()
            self._end(self._loop)

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_soon_threadsafe(loop.stop)
        if self._thread:
            self._thread.join()
        loop.close()
        self._loop = self._thread = None

    # --- requests --------------------------------------------------------------------------------------------------------
    async def _models(self, request: "web.Request") -> "web.Response":
        names = [self.mock.model, *self.agents]
        return _json({"object": "list", "data": [{"id": n, "object": "model", "owned_by": "parlour"} for n in names]})

    async def _stats(self, request: "web.Request") -> "web.Response":
        return _json({"requests": self.requests, "replies": self.replies, "faults": dict(self.met)})

    async def _replies(self, request: "web.Request") -> "web.Response":
        return _json(dict(self.sent))

    async def _chat(self, request: "web.Request") -> "web.StreamResponse":
        self.requests += 1
        raw = await request.read()
        wait = self._bucket.take() if self._bucket else 0.0
        if wait:
            self.met["429_wait"] += 1
            return _error(429, SAYS["429_wait"], wait)
        try:
            body = self._accept(request.headers.get("Authorization", ""), raw)
            asked = Asked(body, raw, self._seen)
            fault = self.faults.of(asked.seed, asked.tries)
            if fault:
                self.met[fault] += 1
            if fault in CODES:
                return _error(CODES[fault], SAYS[fault], self.faults.pause if fault == "429_wait" else None, fault)
            reply = await self._reply(asked, fault)
        except Refused as problem:
            return _error(problem.status, str(problem))
        if fault in SERVICE:
            return await _break_off(request, completion(reply, asked) if fault == "cut" else b"")
        self.replies += 1
        self.sent[reply_id(asked.seed, asked.tries)] += 1
        return _json(completion(reply, asked), self._bucket.headers() if self._bucket and self.told else {})

    def _accept(self, authorization: str, raw: bytes) -> dict[str, Any]:
        """The request's body. Raises Refused for a wrong key, model or form."""
        if self.key is not None and authorization != f"Bearer {self.key}":
            raise Refused(401, f"Incorrect API key provided: {authorization.removeprefix('Bearer ')}.")
        try:
            body = from_json(raw)
        except ValueError:
            raise Refused(400, "the body is not JSON") from None
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list) or not isinstance(body.get("model"), str):
            raise Refused(400, "the body must hold a model and messages")
        self.last = body
        if body.get("stream"):
            raise Refused(400, "this server does not stream")
        if body["model"] == MISSING:
            raise Refused(404, f"The model '{MISSING}' does not exist.")
        return body

    async def _reply(self, asked: "Asked", fault: Kind | None) -> Reply:
        agent = self.agents.get(asked.model, self.mock)
        pause = (agent.latency if isinstance(agent, Mock) else 0.0) + (self.faults.pause if fault == "delay" else 0.0)
        if pause:
            await asyncio.sleep(pause)
        if isinstance(agent, Mock):
            said = Reply(agent.answer(asked.drawer, asked.seed, asked.bad, asked.optional), model=agent.model)
        else:
            said = await self._play(agent, asked)
        words, finish = spoil(fault, said.words, asked.schema) if fault else (said.words, said.finish)
        return Reply(words, finish, said.model or asked.model, tokens(asked.prompt), tokens(words))

    async def _play(self, agent: Agent, asked: "Asked") -> Reply:
        if asked.turn is None:
            raise Refused(400, f"'{asked.model}' plays only where the ask is sent as data: declare the endpoint as the mock.")
        try:
            return await agent.reply(asked.turn)
        except ParlourError as problem:
            raise Refused(500, str(problem)) from None


class Asked:
    """What a request asks for: by its `parlour` data if it has them, else by its response format, seed and words.

    A request without data is the same ask each time it is repeated word by word; `seen` counts its tries.
    """

    def __init__(self, body: dict[str, Any], raw: bytes, seen: Counter[bytes]):
        self.model: str = body["model"]
        self.prompt = "\n".join(str(m.get("content") or "") for m in body["messages"] if isinstance(m, dict))
        self.turn: Turn | None = None
        if "parlour" in body:
            self._from_data(body["parlour"])
        else:
            self._from_words(body, raw, seen)

    def _from_data(self, data: dict[str, Any]) -> None:
        try:
            self.turn = turn = rebuilt(data)
            self.drawer = _drawer(to_json(data["schema"]), turn.wording) if data["schema"] else None
        except (KeyError, TypeError, ValueError, ValidationError, ParlourError) as problem:
            raise Refused(400, f"the parlour data cannot be read: {problem}") from None
        self.seed, self.tries, self.bad, self.optional = turn.seed, turn.tries, len(turn.attempts), turn.ask.optional
        self.schema = turn.schema

    def _from_words(self, body: dict[str, Any], raw: bytes, seen: Counter[bytes]) -> None:
        digest = blake2b(raw, digest_size=8).digest()
        self.tries, self.bad = seen[digest], 0
        seen[digest] += 1
        seed = body.get("seed")
        self.seed = seed if isinstance(seed, int) else int.from_bytes(digest, "big") >> 1
        form = (body.get("response_format") or {}).get("json_schema") or {}
        self.schema = form.get("schema")
        fields = dict((self.schema or {}).get("properties", {}))
        self.optional = "pass" in fields
        owed = {k: _owed(v) if self.optional else v for k, v in fields.items() if k not in ("reasoning", "pass")}
        self.drawer = _drawer(to_json({**self.schema, "properties": owed}), PLAIN) if self.schema else None


def _owed(field: Mapping[str, Any]) -> dict[str, Any]:
    """A field without null, which a strict schema lets stand in it for the sake of a pass."""
    kinds, some = field.get("type"), field.get("anyOf")
    return {**field, **({"type": [k for k in kinds if k != "null"]} if isinstance(kinds, list) else {}),
            **({"anyOf": [n for n in some if n.get("type") != "null"]} if some else {})}


def rebuilt(data: Mapping[str, Any]) -> Turn:
    """The Turn a client sent as data. A Move narrowed for its instance comes back as the Move it narrows."""
    known = [decode(o) for o in data["information"]]
    past, at = [], 0
    for count, want, optional, words in data["past"]:
        past.append((Ask(data["role"], tuple(known[at:at + count]), _want(want), optional), words))
        at += count
    ask = Ask(data["role"], tuple(known[at:]), _want(data["want"]), data["optional"])
    attempts = tuple(Attempt(words, complaint) for words, complaint in data["attempts"])
    return Turn(ask, _wording(to_json(data["wording"])), data["seed"], tuple(past), attempts, data["try"])


def _want(name: str) -> type[Move]:
    want = class_of(name)
    if not (isinstance(want, type) and issubclass(want, Move)):
        raise ValueError(f"{name} is no move")
    return want


@lru_cache(maxsize=256)
def _wording(text: bytes) -> Wording:
    return Wording.model_validate_json(text)


@lru_cache(maxsize=4096)
def _drawer(form: bytes, wording: Wording) -> Drawer:
    return drawer(from_json(form), wording)


# --- replies ------------------------------------------------------------------------------------------------------------
def reply_id(seed: int, tries: int) -> str:
    """The name of the reply to one try of one ask."""
    return f"chatcmpl-{seed:016x}{tries:04x}"


def completion(reply: Reply, asked: Asked) -> bytes:
    """A reply as a chat completion."""
    ends: dict[Finish, str] = {"stop": "stop", "length": "length", "refusal": "stop"}
    declines = reply.finish == "refusal"
    message = {"role": "assistant", "content": None if declines else reply.words, "refusal": reply.words if declines else None}
    asked_for, said = reply.tokens_in or 0, reply.tokens_out or 0
    return to_json({
        "id": reply_id(asked.seed, asked.tries), "object": "chat.completion", "created": int(time()),
        "model": reply.model, "system_fingerprint": f"mock_{VERSION}",
        "choices": [{"index": 0, "message": message, "finish_reason": ends[reply.finish], "logprobs": None}],
        "usage": {"prompt_tokens": asked_for, "completion_tokens": said, "total_tokens": asked_for + said}})


def _json(content: Any, headers: Mapping[str, str] = {}) -> "web.Response":
    from aiohttp import web
    body = content if isinstance(content, bytes) else to_json(content)
    return web.Response(body=body, headers=headers, content_type="application/json")


def _error(status: int, message: str, wait: float | None = None, fault: Kind | None = None) -> "web.Response":
    from aiohttp import web
    body = {"error": {"message": message, "type": "mock_error", "param": None, "code": None}}
    headers = ({} if wait is None else {"Retry-After": f"{wait:g}"}) | ({"X-Parlour-Fault": fault} if fault else {})
    return web.Response(body=to_json(body), status=status, headers=headers, content_type="application/json")


async def _break_off(request: "web.Request", whole: bytes) -> "web.StreamResponse":
    """Sends half of a reply, or nothing at all, and hangs up."""
    from aiohttp import web
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(whole))})
    if whole:
        with suppress(ConnectionError):  # whoever asked may have gone first
            await response.prepare(request)
            await response.write(whole[:len(whole) // 2])
    if request.transport:
        request.transport.close() if whole else request.transport.abort()
    return response


def serve_forever(port: int, faults: Faults = Faults(), key: str | None = None,  # noqa: B008  frozen
                  ready: Callable[[str], None] = print, limit: float | None = None) -> None:
    """Serves until interrupted; tells `ready` where. Raises InputError if it cannot listen."""
    async def serve() -> None:
        server = MockServer(port, faults, key=key, limit=limit)
        await server.start()
        ready(f"mock LLM at {server.endpoint} (model {server.mock.model}); stop it with Ctrl-C")
        try:
            await asyncio.Event().wait()
        finally:
            await server.stop()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        return

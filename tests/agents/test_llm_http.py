"""The real openai and litellm clients against the mock server over HTTP."""
import asyncio
import socket
import subprocess
import sys
from email.utils import formatdate
from time import time
from typing import Any

import pytest
from pydantic import PrivateAttr, ValidationError

from parlour.agents import clients
from parlour.agents.clients import retry_after, scrub, translate
from parlour.agents.faults import SERVICE, Faults, Kind
from parlour.agents.llm import LLM
from parlour.agents.mock_server import MockServer, Refused
from parlour.errors import Fatal, FieldError, InputError, Transient, Unreachable
from parlour.games.base import Say
from parlour.games.email import Choice, Email, Superior
from parlour.protocols.advice import Advice
from parlour.protocols.base import Ask
from parlour.protocols.seat import Agent, Attempt, Reply, Turn
from parlour.protocols.session import Event, Limits, Session, seed_of
from parlour.registry import build

GAME = Email()
KEY = "pk-0123456789abcdef"
BOTH = pytest.mark.parametrize("provider", ["openai", "litellm"])


def turn(seed: int = 1, want: Any = Choice, tries: int = 0, bad: int = 0) -> Turn:
    news, attempts = (GAME.observe("human", Superior(draft="A")),), (Attempt("no", "Not so."),) * bad
    return Turn(Ask("human", news, want), GAME.wordings[0], seed, (), attempts, tries)


def llm(provider: str, endpoint: str, **fields: Any) -> LLM:
    model = fields.pop("model", "mock")
    return LLM(model=f"openai/{model}" if provider == "litellm" else model, provider=provider,  # type: ignore[arg-type]
               endpoint=endpoint, **fields)


def say(agent: LLM, *turns: Turn) -> list[Reply]:
    async def talk() -> list[Reply]:
        try:
            return list(await asyncio.gather(*(agent.reply(t) for t in turns)))
        finally:
            await agent.close()

    return asyncio.run(talk())


# --- one reply ----------------------------------------------------------------------------------------------------------
@BOTH
def test_a_reply_and_what_was_sent(provider: str) -> None:
    with MockServer() as server:
        agent = llm(provider, server.endpoint, temperature=0.5, max_tokens=77, persona="You are Ada.", send_seed=True,
                    price_in=1.0, price_out=10.0, extra={"top_k": 3} if provider == "openai" else {})
        reply, = say(agent, turn(2**62 + 5))
        sent = server.last or {}
    assert reply.words in ('{"action":"A"}', '{"action":"B"}', '{"action":"C"}')
    assert reply.finish == "stop" and reply.model == "mock:random:1" and 0 < reply.latency < 30
    assert reply.tokens_in and reply.tokens_out == 4
    assert reply.cost == pytest.approx((reply.tokens_in + 10 * 4) / 1e6)
    assert (sent["temperature"], sent["max_tokens"], sent["seed"]) == (0.5, 77, 5)
    assert [m["role"] for m in sent["messages"]] == ["system", "user"]
    assert sent["messages"][0]["content"].endswith("\n\nYou are Ada.") and sent["messages"][1]["content"] == turn().text
    assert sent["response_format"]["json_schema"] == {"name": "Choice", "strict": True, "schema": turn().schema}
    assert "parlour" not in sent and sent.get("top_k") == (3 if provider == "openai" else None)


@BOTH
def test_the_ask_goes_as_data_only_to_a_declared_mock(provider: str) -> None:
    with MockServer() as server:
        say(llm(provider, server.endpoint, is_mock=True), turn(9, tries=2, bad=1))
        sent = (server.last or {})["parlour"]
        say(llm(provider, server.endpoint), turn(9, tries=2, bad=1))
        assert "parlour" not in (server.last or {"parlour": None})
    assert (sent["role"], sent["seed"], sent["try"], sent["want"]) == ("human", 9, 2, "games.email.Choice")
    assert sent["attempts"] == [["no", "Not so."]] and len(sent["information"]) == 1


def test_unset_options_are_not_sent_and_costs_are_unknown() -> None:
    with MockServer() as server:
        reply, = say(llm("openai", server.endpoint, max_tokens=None, system=""), turn(want=Say))
        assert (server.last or {}).keys() == {"model", "messages"}
    assert reply.cost is None


@BOTH
def test_the_same_seed_says_the_same(provider: str) -> None:
    with MockServer() as server:
        agent = llm(provider, server.endpoint, is_mock=True)
        first, second = say(agent, *map(turn, range(20))), say(agent, *map(turn, range(20)))
    assert [r.words for r in first] == [r.words for r in second] and len({r.words for r in first}) == 3


# --- every fault --------------------------------------------------------------------------------------------------------
@BOTH
@pytest.mark.parametrize("kind", SERVICE)
def test_a_failing_service_is_transient_and_called_once(provider: str, kind: Kind) -> None:
    with MockServer(faults=Faults(rate=1, kinds=(kind,), pause=7)) as server:
        with pytest.raises(Transient) as raised:
            say(llm(provider, server.endpoint, is_mock=True), turn())
        assert server.requests == 1 and server.met == {kind: 1}
    assert type(raised.value) is Transient and raised.value.retry_after == (7 if kind == "429_wait" else None)
    assert raised.value.__cause__ is None and "\n" not in str(raised.value)


@BOTH
@pytest.mark.parametrize("kind, finish, words", [
    ("malformed", "stop", '{"actio'), ("length", "length", '{"actio'), ("refusal", "refusal", "I cannot help with that."),
    ("schema", "stop", '{"action": "none of these"}'), ("empty", "stop", "")])
def test_bad_words_come_through_as_they_are(provider: str, kind: Kind, finish: str, words: str) -> None:
    with MockServer(faults=Faults(rate=1, kinds=(kind,))) as server:
        reply, = say(llm(provider, server.endpoint, is_mock=True), turn())
    assert (reply.words, reply.finish) == (words, finish)


@BOTH
def test_a_slow_reply_is_a_good_one(provider: str) -> None:
    with MockServer(faults=Faults(rate=1, kinds=("delay",), pause=0.1)) as server:
        reply, = say(llm(provider, server.endpoint, is_mock=True), turn())
    assert reply.latency >= 0.1 and reply.words.startswith('{"action":')


@BOTH
def test_nobody_at_the_address(provider: str) -> None:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        port = line.getsockname()[1]
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port}/v1 does not answer"):
        say(llm(provider, f"http://127.0.0.1:{port}/v1"), turn())


@BOTH
def test_a_wrong_key_is_fatal_and_never_shown(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with MockServer(key="another") as server:
        agent = llm(provider, server.endpoint, key_env="MY_KEY")
        with pytest.raises(Fatal, match=r"refused \(401\).*Check the key in MY_KEY") as raised:
            say(agent, turn())
    assert "Incorrect API key provided: [key]" in str(raised.value)
    for text in (str(raised.value), repr(raised.value), repr(agent), agent.model_dump_json()):
        assert KEY not in text


@BOTH
def test_a_right_key_and_an_unknown_model(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", f"{KEY}\n")
    with MockServer(key=KEY) as server:
        assert say(llm(provider, server.endpoint, key_env="MY_KEY"), turn())[0].finish == "stop"
        with pytest.raises(Fatal, match=r"refused \(404\).*Check the model's name"):
            say(llm(provider, server.endpoint, key_env="MY_KEY", model="missing"), turn())


class Choosy(MockServer):
    """Refuses some requests with a 400 of the given words."""
    mark, complaint = "response_format", "response_format json_schema is not supported"

    def _accept(self, authorization: str, raw: bytes) -> dict[str, Any]:
        body = super()._accept(authorization, raw)
        if self.mark in body:
            raise Refused(400, self.complaint)
        return body


@BOTH
def test_a_refused_response_format_is_left_out_from_then_on(provider: str) -> None:
    async def talk(agent: LLM) -> list[Reply]:
        with pytest.raises(Transient, match="asking without") as raised:
            await agent.reply(turn())
        assert raised.value.retry_after == 0
        replies = [await agent.reply(turn()), await agent.reply(turn(2))]
        await agent.close()
        return replies

    with Choosy() as server:
        assert len(asyncio.run(talk(llm(provider, server.endpoint, is_mock=True)))) == 2
        assert (server.requests, server.replies) == (3, 2)


def test_other_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    with Choosy() as server:
        monkeypatch.setattr(Choosy, "mark", "messages")
        monkeypatch.setattr(Choosy, "complaint", "response_format is bad")
        with pytest.raises(Fatal, match=r"refused \(400\)"):
            say(llm("openai", server.endpoint, structured=False), turn())
        monkeypatch.setattr(Choosy, "complaint", "blocked by our content_filter")
        assert say(llm("openai", server.endpoint), turn())[0].finish == "refusal"


# --- many at once -------------------------------------------------------------------------------------------------------
class Together(Agent):
    """Answers nobody before `n` have asked."""
    n: int
    _arrived: list[asyncio.Event] = PrivateAttr(default_factory=list)

    async def reply(self, turn: Turn) -> Reply:
        mine = asyncio.Event()
        self._arrived.append(mine)
        if len(self._arrived) == self.n:
            for each in self._arrived:
                each.set()
        await asyncio.wait_for(mine.wait(), 20)
        return Reply("together")


def test_two_hundred_at_once() -> None:
    with MockServer(agents={"together": Together(n=200)}) as server:
        replies = say(LLM(model="together", endpoint=server.endpoint, is_mock=True), *map(turn, range(200)))
    assert [r.words for r in replies] == ["together"] * 200


def test_one_client_is_shared_and_closed_with_its_last_seat() -> None:
    async def share(endpoint: str) -> None:
        one, two, other = (LLM(model=m, endpoint=e) for m, e in (("a", endpoint), ("b", endpoint), ("c", f"{endpoint}/")))
        for agent in (one, two, other):
            await agent.reply(turn())
        leased = clients._open[asyncio.get_running_loop()]
        assert len(leased) == 2
        client = leased["openai", endpoint, "none"][0]
        assert isinstance(client, clients.OpenAIClient)
        await one.close()
        assert not client.openai.is_closed() and (await two.reply(turn())).words
        await two.close()
        assert client.openai.is_closed() and (await two.reply(turn())).words
        await two.close()
        await other.close()
        assert not leased

    with MockServer() as server:
        asyncio.run(share(server.endpoint))


@BOTH
def test_a_failing_service_changes_no_move(provider: str) -> None:
    def sit(faults: Faults) -> tuple[list[str], int]:
        words: list[str] = []

        def record(event: Event) -> None:
            if event.get("verdict") == "ok":
                words.append(event["words"])

        async def play(agent: LLM) -> None:
            for episode, (_, state) in enumerate(GAME.states() or ()):
                session = Session(Advice(max_queries=2).script(GAME, state), {"human": agent, "ai": agent},
                                  dict.fromkeys(("human", "ai"), GAME.wordings[1]),
                                  lambda *parts, e=episode: seed_of(3, e, *parts), record, Limits(calls=60, wait=0.0005))
                outcome = await session.play()
                assert outcome.status == "done", outcome.why
            await agent.close()

        with MockServer(faults=faults) as server:
            asyncio.run(play(llm(provider, server.endpoint, is_mock=True)))
            return words, sum(server.met.values())

    clean, faulty = sit(Faults()), sit(Faults(rate=0.4, kinds=SERVICE, pause=0.001))
    assert clean[0] == faulty[0] and len(clean[0]) >= 4
    assert clean[1] == 0 and faulty[1] > 0


# --- keys, fields, errors -----------------------------------------------------------------------------------------------
def test_no_key_is_said_before_any_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="set the environment variable OPENAI_API_KEY"):
        say(LLM(model="gpt"), turn())
    monkeypatch.setenv("OPENAI_API_KEY", "pk-é")
    with pytest.raises(InputError, match="copy it again") as raised:
        say(LLM(model="gpt"), turn())
    assert "é" not in str(raised.value)


def test_no_key_of_another_service_goes_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for here in ("http://127.0.0.1:1/v1", "http://localhost/v1", "http://[::1]:2"):
        assert LLM(model="m", endpoint=here).key() == "none"
    assert LLM(model="m").key() == KEY == LLM(model="m", endpoint="https://example.org/v1").key()


@pytest.mark.parametrize("fields", [
    {"key_env": KEY}, {"endpoint": f"http://me:{KEY}@127.0.0.1/v1"}, {"endpoint": f"http://127.0.0.1/v1?key={KEY}"},
    {"endpoint": KEY}, {"extra": {"api_key": KEY}}, {"extra": {"extra_headers": {"x": KEY}}}, {"api_key": KEY}])
def test_a_key_in_a_wrong_field_is_refused_and_not_repeated(fields: dict[str, Any]) -> None:
    with pytest.raises(FieldError) as raised:
        build("agents", "llm", {"model": "m", **fields})
    with pytest.raises(ValidationError) as direct:
        LLM(model="m", **fields)
    assert KEY not in str(raised.value) and KEY not in str(direct.value)


def test_hosted_openai_is_sent_the_new_name_of_the_limit() -> None:
    assert LLM(model="m", max_tokens=5).request(turn(), False)[0]["max_completion_tokens"] == 5


def test_scrub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "zzz-secret-value")
    assert scrub(f"a {KEY} b\nzzz-secret-value sk-abcdef123 Bearer abcdef123 c.", KEY) == "a [key] b [key] [key] [key] c"
    assert len(scrub("x" * 250 + KEY * 10, KEY)) <= 300 and "0123" not in scrub("x" * 290 + KEY, KEY)


class Waits(Exception):
    def __init__(self, **headers: str):
        self.response = type("Response", (), {"headers": {k.replace("_", "-"): v for k, v in headers.items()}})


@pytest.mark.parametrize("headers, seconds", [
    ({"retry_after": "2"}, 2), ({"retry_after": "0.5"}, 0.5), ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
    ({"retry_after": "-3"}, 0), ({"retry_after": "soon"}, None), ({"retry_after": "nan"}, None), ({}, None)])
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after([Exception(), Waits(**headers)]) == seconds


def test_retry_after_a_date() -> None:
    wait = retry_after([Waits(retry_after=formatdate(time() + 60, usegmt=True))])
    assert wait is not None and 55 < wait < 65


def test_our_own_mistakes_are_not_blamed_on_the_service() -> None:
    assert translate(TypeError("ours"), "m", "K", None) is None
    assert translate(ValueError("ours"), "m", "K", None) is None


def test_litellm_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'pip install "parlour\[litellm\]"'):
        say(LLM(model="anthropic/x", provider="litellm"), turn())


def test_importing_the_agents_loads_no_client() -> None:
    code = ("import sys, parlour.agents.llm, parlour.agents.mock, parlour.agents.mock_server; "
            "print(sorted({'openai', 'litellm', 'aiohttp', 'httpx', 'numpy', 'tenacity'} & sys.modules.keys()))")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"

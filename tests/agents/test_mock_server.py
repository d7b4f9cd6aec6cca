"""The mock LLM behind HTTP: what it says, refuses and counts."""
import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
from http.client import HTTPConnection
from typing import Any, Literal

import pytest
from pydantic import create_model

from parlour.agents.faults import WORDS, Faults
from parlour.agents.llm import LLM, as_data
from parlour.agents.mock import Mock
from parlour.agents.mock_server import MockServer, rebuilt, serve_forever
from parlour.errors import InputError
from parlour.games.base import Query, Say
from parlour.games.email import Choice, Email, Report, Superior
from parlour.protocols.base import Ask
from parlour.protocols.codec import read, write
from parlour.protocols.seat import Agent, Attempt, Reply, Turn
from parlour.protocols.session import seed_of

GAME = Email()
STATE = Superior(draft="A")
DRAFTS: Any = Literal["A", "B"]
NARROW = create_model("Choice", __base__=Choice, action=(DRAFTS, ...))


class Parrot(Agent):
    """Says what it was asked as data, so that a test sees what reached it."""

    async def reply(self, turn: Turn) -> Reply:
        seen = {"seed": turn.seed, "tries": turn.tries, "information": len(turn.information), "past": len(turn.past),
                "bad": len(turn.attempts), "wording": turn.wording.name, "want": turn.ask.want.__name__}
        return Reply(json.dumps(seen))


class Honest(Agent):
    """Drafts A: an agent that reads what it was told."""

    async def reply(self, turn: Turn) -> Reply:
        return Reply(write(Choice(action="A"), turn.wording))


def turn(seed: int, want: Any = Choice, optional: bool = False, wording: int = 0, bad: int = 0, tries: int = 0) -> Turn:
    first = Ask("human", (GAME.observe("human", STATE),), Query, True)
    ask = Ask("human", tuple(o for o in (GAME.adviser_facts("human"),) if o), want, optional)
    attempts = tuple(Attempt("no", "not so") for _ in range(bad))
    return Turn(ask, GAME.wordings[wording], seed, ((first, '{"pass": true}'),), attempts, tries)


def request(server: MockServer, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
    line = HTTPConnection("127.0.0.1", server.port, timeout=10)
    line.request(method, path, None if body is None else json.dumps(body), {"Authorization": f"Bearer {key}"} if key else {})
    answer = line.getresponse()
    status, content = answer.status, json.loads(answer.read())
    line.close()
    return status, content


def chat(server: MockServer, key: str = "", **fields: Any) -> tuple[int, Any]:
    body = {"model": "any", "messages": [{"role": "user", "content": "Well?"}], **fields}
    return request(server, "POST", "/v1/chat/completions", body, key)


def ask(server: MockServer, turns: list[Turn], model: str = "mock") -> list[Reply]:
    async def all_of_them() -> list[Reply]:
        agent = LLM(model=model, endpoint=server.endpoint, is_mock=True, system="")
        try:
            return [await agent.reply(t) for t in turns]
        finally:
            await agent.close()

    return asyncio.run(all_of_them())


TURNS = [turn(seed_of(i, want.__name__, o), want, o, w, bad) for i in range(4) for want in (Choice, Report, Query, Say, NARROW)
         for o in (False, True) for w, bad in ((0, 0), (1, 1))]


def test_both_doors_say_the_same() -> None:
    faults = Faults(rate=0.3, kinds=WORDS)
    with MockServer(faults=faults) as server:
        over_http = ask(server, TURNS)

    async def in_process() -> list[Reply]:
        return [await Mock(faults=faults).reply(t) for t in TURNS]

    here = asyncio.run(in_process())
    assert [(r.words, r.finish, r.model) for r in over_http] == [(r.words, r.finish, r.model) for r in here]
    assert len({r.words for r in here}) > 20 and {r.finish for r in here} == {"stop", "length", "refusal"}


def test_the_turn_survives_the_wire() -> None:
    at = turn(7, NARROW, True, 1, bad=2, tries=3)
    again = rebuilt(json.loads(json.dumps(as_data(at))))
    assert (again.information, again.wording, again.seed, again.tries) == (at.information, at.wording, 7, 3)
    assert (again.past, again.attempts, again.ask.optional) == (at.past, at.attempts, True)
    assert again.ask.want is Choice and again.text.splitlines()[0] == at.text.splitlines()[0]


def test_an_agent_plays_behind_http() -> None:
    with MockServer(agents={"parrot": Parrot(), "honest": Honest()}) as server:
        heard, = ask(server, [turn(2**62 + 1, bad=1, tries=4)], "parrot")
        plain, told_otherwise = ask(server, [turn(1), turn(1, wording=1)], "honest")
        assert chat(server, model="parrot")[0] == 400
    assert json.loads(heard.words) == {"seed": 2**62 + 1, "tries": 4, "information": 2, "past": 1, "bad": 1,
                                       "wording": "plain", "want": "Choice"}
    assert (plain.words, plain.model) == ('{"action":"A"}', "honest")
    assert told_otherwise.words == f'{{"action":"{GAME.wordings[1].label("A")}"}}'


def test_without_data_it_answers_the_response_format() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "Choice", "strict": True, "schema": turn(1).schema}}
    with MockServer() as server:
        said = [chat(server, seed=s, response_format=form)[1]["choices"][0]["message"]["content"] for s in range(30)]
        assert said == [chat(server, seed=s, response_format=form)[1]["choices"][0]["message"]["content"] for s in range(30)]
        speech = chat(server)[1]["choices"][0]["message"]["content"]
    assert set(said) == {'{"action":"A"}', '{"action":"B"}', '{"action":"C"}'}
    assert speech and not speech.startswith("{")


def test_without_data_it_asks_or_passes_and_says_nothing_else() -> None:
    """Fields of an ask that may be passed are nullable in a strict schema, for the sake of the pass alone."""
    asked = Turn(Ask("human", (), Query, optional=True), GAME.wordings[0], seed=1)
    form = {"type": "json_schema", "json_schema": {"name": "Query", "strict": True, "schema": asked.schema}}
    with MockServer() as server:
        said = [chat(server, seed=s, response_format=form)[1]["choices"][0]["message"]["content"] for s in range(30)]
    assert {read(words, Query, GAME.wordings[0], True) is None for words in said} == {True, False}


def test_without_data_a_repeated_request_is_another_try() -> None:
    with MockServer(faults=Faults(rate=1, kinds=("503",), first_tries=2)) as server:
        assert [chat(server)[0] for _ in range(3)] == [503, 503, 200]
        assert chat(server, seed=1)[0] == 503


def test_refusals_of_requests() -> None:
    with MockServer(key="sesame") as server:
        assert [chat(server)[0], chat(server, "wrong")[0], chat(server, "sesame")[0]] == [401, 401, 200]
        assert chat(server, "sesame", stream=True)[0] == 400
        assert chat(server, "sesame", model="missing")[0] == 404
        assert chat(server, "sesame", parlour={"role": "human"})[0] == 400
        assert chat(server, "sesame", parlour={**as_data(turn(1)), "want": "games.email.Email"})[0] == 400
        assert request(server, "POST", "/v1/chat/completions", ["no"], "sesame")[0] == 400


def test_it_counts() -> None:
    with MockServer(faults=Faults(rate=1, kinds=("500", "empty"), first_tries=1), agents={"honest": Honest()}) as server:
        for seed in range(8):
            chat(server, seed=seed)
            chat(server, seed=seed)
        _, stats = request(server, "GET", "/stats")
        _, models = request(server, "GET", "/v1/models")
    failed = stats["faults"]["500"]
    assert stats == {"requests": 16, "replies": 16 - failed, "faults": {"500": failed, "empty": 8 - failed}}
    assert 0 < failed < 8
    assert [m["id"] for m in models["data"]] == ["mock:random:1", "honest"]


def test_a_taken_port_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for listen in (lambda: serve_forever(port), MockServer(port).__enter__, MockServer(10**6).__enter__):
            before = threading.active_count()
            with pytest.raises(InputError, match=r"cannot listen on port \d+: .+\. Give another port") as raised:
                listen()
            assert "\n" not in str(raised.value) and threading.active_count() == before


def test_it_can_be_started_again() -> None:
    server = MockServer()
    for _ in range(2):
        with server:
            assert chat(server)[0] == 200
    with pytest.raises(OSError):
        chat(server)


def test_it_serves_until_interrupted() -> None:
    code = "from parlour.agents.mock_server import serve_forever; serve_forever(0, ready=lambda line: print(line, flush=True))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        server = MockServer(int(process.stdout.readline().split("/v1")[0].rpartition(":")[2]))
        assert chat(server)[0] == 200
        process.send_signal(signal.SIGINT)
        assert (process.wait(10), process.stderr.read()) == (0, "")

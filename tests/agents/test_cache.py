"""Replies kept: what the key holds, what a hit is, several processes, files that cannot be used."""
import asyncio
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from parlour.agents import cache as module
from parlour.agents.cache import Cache, key_of
from parlour.agents.deliberate import Deliberate
from parlour.agents.faults import Faults
from parlour.agents.llm import LLM
from parlour.agents.mock_server import MockServer
from parlour.agents.service import Service, within
from parlour.errors import InputError, StoreError, Transient
from parlour.games.email import Choice, Email, Superior
from parlour.protocols.base import Ask
from parlour.protocols.seat import Agent, Attempt, Reply, Turn

GAME = Email()
SAID = Reply("x", "stop", "m", 3, 4, 0.5, 1.0, "fp")


def turn(seed: int = 1, tries: int = 0, bad: int = 0) -> Turn:
    news = (GAME.observe("human", Superior(draft="A")),)
    return Turn(Ask("human", news, Choice), GAME.wordings[0], seed, (), (Attempt("no", "Not so."),) * bad, tries)


def key(seed: int = 1, tries: int = 0, bad: int = 0, **fields: Any) -> str:
    model = LLM(**{"model": "m", "endpoint": "http://127.0.0.1:1/v1", **fields})
    return key_of(model.provider, model.endpoint, *model.request(turn(seed, tries, bad), model.structured), seed)


def say(agent: Agent, cache: Cache | None, *turns: Turn) -> list[Reply]:
    async def talk() -> list[Reply]:
        with within(Service(cache)):
            try:
                return list(await asyncio.gather(*(agent.reply(t) for t in turns)))
            finally:
                await agent.close()
                if cache:
                    cache.close()

    return asyncio.run(talk())


# --- the key ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("change", [
    {"model": "n"}, {"endpoint": "http://127.0.0.1:2/v1"}, {"provider": "litellm"}, {"temperature": 0.5}, {"top_p": 0.5},
    {"max_tokens": 5}, {"structured": False}, {"system": "Else."}, {"persona": "Ada"}, {"send_seed": True}, {"is_mock": True},
    {"extra": {"top_k": 3}}, {"seed": 2}, {"bad": 1}], ids=lambda c: next(iter(c)))
def test_all_that_can_change_the_answer_changes_the_key(change: dict[str, Any]) -> None:
    assert key(**change) != key()


def test_what_cannot_change_it_does_not() -> None:
    assert key(tries=3) == key() and key(is_mock=True, tries=3) == key(is_mock=True)
    assert key(key_env="OTHER", price_in=3.0) == key()


def test_a_changed_mock_is_another_model(monkeypatch: pytest.MonkeyPatch) -> None:
    before, other = key(is_mock=True), key()
    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    assert key(is_mock=True) != before and key() == other


# --- the file -----------------------------------------------------------------------------------------------------------
def test_a_reply_comes_back_marked_and_free(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c.sqlite", "read-write")
    assert cache.get("k") is None
    cache.put("k", SAID)
    cache.put("k", Reply("another"))
    cache.close()
    found = Cache(tmp_path / "c.sqlite", "read-only").get("k")
    assert found == Reply("x", "stop", "m", 3, 4, 0.0, 0.0, "fp", True)


def test_read_only_refuses_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no cache at"):
        Cache(tmp_path / "c.sqlite", "read-only")
    full = Cache(tmp_path / "c.sqlite", "read-write")
    full.put("k", SAID)
    full.close()
    with pytest.raises(StoreError, match="not in the cache"):
        Cache(tmp_path / "c.sqlite", "read-only").get("other")


@pytest.mark.parametrize("content, complaint", [("text", "cannot be used"), ("foreign", "another program"), ("newer", "newer Parlour")])
def test_files_that_cannot_be_used_are_left_alone(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "c.sqlite"
    if content == "text":
        path.write_text("not a database, but long enough to be taken for one\n" * 50)
    else:
        with sqlite3.connect(path) as file:
            file.execute("CREATE TABLE other (x)")
            if content == "newer":
                file.execute(f"PRAGMA application_id = {module.PARLOUR}")
                file.execute(f"PRAGMA user_version = {module.FORMAT + 1}")
        file.close()
    before = path.read_bytes()
    for mode in ("read-write", "read-only"):
        with pytest.raises(StoreError, match=complaint) as raised:
            Cache(path, mode).get("k")
        assert "\n" not in str(raised.value)
    assert path.read_bytes() == before


WRITER = """
import sys
from pathlib import Path
from parlour.agents.cache import Cache
from parlour.protocols.seat import Reply
cache = Cache(Path(sys.argv[1]), "read-write")
for i in range(300):
    cache.put(f"{i % 150}-{sys.argv[2] if i >= 150 else 'shared'}", Reply(str(i), model=sys.argv[2]))
cache.close()
"""


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    started = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(i)], env=os.environ) for i in range(4)]
    assert [p.wait(60) for p in started] == [0] * 4
    cache = Cache(path, "read-only")
    assert all(cache.get(f"{i}-shared") for i in range(150))
    assert all((r := cache.get(f"{i}-{p}")) and r.words == str(i + 150) for i in range(150) for p in range(4))


# --- a model with a cache -----------------------------------------------------------------------------------------------
def test_a_model_is_asked_once_for_each_draw(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with MockServer() as server:
        model = LLM(model="mock", endpoint=server.endpoint, is_mock=True, price_in=1.0, price_out=1.0)
        first = say(model, Cache(path, "read-write"), *map(turn, range(30)))
        assert server.requests == 30 and all(r.cost and not r.cached for r in first)
        again = say(model, Cache(path, "read-write"), *map(turn, range(40)))
        assert server.requests == 40, "ten draws of the same prompt are new"
        plain = say(model, None, turn(0))
    assert [r.words for r in again[:30]] == [r.words for r in first] and len({r.words for r in first}) == 3
    assert all(r.cached and r.cost == 0 and r.fingerprint == "mock_1" for r in again[:30])
    assert not any(r.cached for r in again[30:] + plain)


def test_a_failing_service_leaves_nothing_in_it(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with MockServer(faults=Faults(rate=1, kinds=("500",))) as server:
        model = LLM(model="mock", endpoint=server.endpoint, is_mock=True)
        with pytest.raises(Transient):
            say(model, Cache(path, "read-write"), turn())
    with pytest.raises(StoreError, match="not in the cache"):
        say(model, Cache(path, "read-only"), turn())


def test_reading_alone_needs_no_key_and_no_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.sqlite"
    monkeypatch.setenv("SOME_KEY", "sk-0123456789")
    with MockServer() as server:
        model = LLM(model="mock", endpoint=server.endpoint, key_env="SOME_KEY")
        said, = say(model, Cache(path, "read-write"), turn())
    monkeypatch.delenv("SOME_KEY")
    assert say(model, Cache(path, "read-only"), turn())[0].words == said.words
    asyncio.run(_checked(model, Cache(path, "read-only")))
    with pytest.raises(InputError, match="SOME_KEY"):
        say(model, Cache(path, "read-write"), turn(2))


async def _checked(model: LLM, cache: Cache) -> None:
    with within(Service(cache)):
        assert model.bind(None) is model  # type: ignore[arg-type]  # a model needs nothing to be seated
        await model.check()


def test_each_call_of_a_deliberation_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with MockServer() as server:
        seat = Deliberate(inner={"agent": "llm", "model": "mock", "endpoint": server.endpoint})
        first, = say(seat, Cache(path, "read-write"), turn())
        again, = say(seat, Cache(path, "read-write"), turn())
        assert server.requests == 3
    assert again.words == first.words and again.cached and not first.cached

"""The limiter: against a simulated service on a simulated clock, and against the mock server over HTTP."""
import asyncio
import heapq
from contextlib import suppress
from itertools import count
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.agents.clients import crowded, lease, translate
from parlour.agents.faults import Faults
from parlour.agents.limits import LEAST, LONGEST, Limiter, room, span
from parlour.agents.llm import LLM
from parlour.agents.mock_server import Bucket, MockServer
from parlour.errors import Transient
from parlour.games.email import Choice, Email, Superior
from parlour.protocols.base import Ask
from parlour.protocols.patience import patience, unhurried
from parlour.protocols.seat import Turn
from parlour.protocols.session import Limits, Session, seed_of


class World:
    """A clock that jumps to the next moment somebody waits for."""

    def __init__(self) -> None:
        self.now, self._wake, self._number = 0.0, list[tuple[float, int, asyncio.Event]](), count()

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        event = asyncio.Event()
        heapq.heappush(self._wake, (self.now + seconds, next(self._number), event))
        await event.wait()

    async def run(self, until: float) -> None:
        while self._wake and self._wake[0][0] <= until:
            self.now, _, event = heapq.heappop(self._wake)
            event.set()
            for _ in range(6):
                await asyncio.sleep(0)


class Simulated:
    """A service with an allowance of `rate` calls a second, or of `at_once` calls at once, that takes 50 ms a call."""

    def __init__(self, world: World, rate: float = inf, at_once: float = inf, wait: float | None = None):
        self.world, self.rate, self.at_once, self.wait = world, rate, at_once, wait
        self.left, self.at, self.busy = min(rate, 1e9), 0.0, 0
        self.good: list[float] = []
        self.bad: list[float] = []

    async def call(self) -> bool:
        self.left = min(self.rate, self.left + (self.world.now - self.at) * self.rate, 1e9)
        self.at = self.world.now
        taken = self.left >= 1 and self.busy < self.at_once
        self.left -= taken
        self.busy += taken
        await self.world.sleep(0.05 if taken else 0.01)
        self.busy -= taken
        (self.good if taken else self.bad).append(self.world.now)
        return taken


async def caller(world: World, service: Simulated, limiter: Limiter) -> None:
    while True:
        sent = await limiter.turn()
        if await service.call():
            limiter.good({})
        else:
            limiter.busy(sent, service.wait)


def simulated(seconds: float, callers: int, **service: Any) -> Simulated:
    async def play() -> Simulated:
        world = World()
        of, limiter = Simulated(world, **service), Limiter(world.clock, world.sleep)
        tasks = [asyncio.create_task(caller(world, of, limiter)) for _ in range(callers)]
        await asyncio.sleep(0)
        await world.run(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return of

    return asyncio.run(play())


@pytest.mark.parametrize("service", [{"rate": 40.0}, {"rate": 40.0, "wait": 1.0}, {"at_once": 8}], ids=["rate", "wait", "at once"])
def test_throughput_comes_near_the_limit_with_few_complaints(service: dict[str, Any]) -> None:
    """Eight at once at 50 ms are 160 calls a second."""
    most = service.get("rate", 160.0)
    found = simulated(60.0, 64, **service)
    late = [t for t in found.good if t > 20]
    complaints = [t for t in found.bad if t > 20]
    assert 0.85 * most * 40 <= len(late) <= most * 41 + 1, "its allowance of a second may be full at first"
    assert len(complaints) <= 0.02 * len(late)


def test_a_service_that_never_complains_is_never_slowed() -> None:
    found = simulated(10.0, 20)
    assert len(found.good) == 20 * 199 and not found.bad, "ten seconds at 50 ms for each of twenty callers"


def test_one_cut_for_all_calls_under_way() -> None:
    world = World()
    limiter = Limiter(clock=world.clock, sleep=world.sleep)
    world.now = 2.0
    for _ in range(100):
        limiter.good({})
    for _ in range(30):
        limiter.busy(1.5, None)
    assert limiter.rate == 75.0
    world.now = 3.0
    limiter.busy(2.5, None)
    assert limiter.rate == 75.0 * 0.75, "a call that went out since is news"


@pytest.mark.parametrize("provider, model", [("openai", "mock"), ("litellm", "openai/mock")])
def test_faults_of_the_menu_say_nothing_of_the_rate(provider: Any, model: str) -> None:
    """A complaint of a service that has too many calls cuts the rate; one that the mock makes on purpose does not."""
    game = Email()
    turn = Turn(Ask("human", (game.observe("human", Superior(draft="A")),), Choice), game.wordings[0], 1)

    async def rate(server: MockServer) -> float:
        seat = LLM(model=model, provider=provider, endpoint=server.endpoint, is_mock=True)
        try:
            for _ in range(2):
                with suppress(Transient):
                    await seat.reply(turn)
            limiters = lease(provider, server.endpoint, seat.key(), id(seat)).limiters
            return next(iter(limiters.values())).rate
        finally:
            await seat.close()

    with MockServer(faults=Faults(rate=1, kinds=("429",))) as menu, MockServer(limit=0.01, told=False) as crowded:
        assert asyncio.run(rate(menu)) == inf and asyncio.run(rate(crowded)) == 0.75


@given(st.lists(st.sampled_from(["good", "busy", "wait"]), max_size=200))
def test_the_rate_stays_within_bounds(events: list[str]) -> None:
    world = World()
    limiter = Limiter(clock=world.clock, sleep=world.sleep)
    complained = False
    for event in events:
        world.now += 0.1
        limiter.good({}) if event == "good" else limiter.busy(world.now, 1e9 if event == "wait" else None)
        complained |= event != "good"
        assert limiter.rate >= LEAST and (limiter.rate < inf) == complained
        assert limiter._open - world.now <= LONGEST + 1 / LEAST


@pytest.mark.parametrize("text, seconds", [("20ms", 0.02), ("6m0s", 360.0), ("1h2m3.5s", 3723.5), ("2", 2.0), ("1.5", 1.5), ("", 0.0),
                                           ("soon", 0.0), ("1700000000", 0.0)])
def test_spans(text: str, seconds: float) -> None:
    assert span(text) == pytest.approx(seconds)


def test_room() -> None:
    def told(left: int, reset: str, whole: int | None = None, what: str = "requests") -> dict[str, str]:
        found = {f"x-ratelimit-remaining-{what}": str(left), f"x-ratelimit-reset-{what}": reset}
        return found if whole is None else {**found, f"x-ratelimit-limit-{what}": str(whole)}

    assert room({}) == 0 and room(told(1, "60s")) == 0
    assert room(told(0, "60s")) == 60.0
    assert room(told(0, "60s", 500)) == pytest.approx(0.12), "one of 500 comes back in a 500th of the time"
    assert room(told(100, "10s", 1100, "tokens"), 300) == pytest.approx(2.0)
    assert room({**told(0, "1s"), **told(0, "3s", what="tokens")}, 10) == 3.0
    assert room({"x-ratelimit-remaining-requests": "none left"}) == 0.0


def test_headers_hold_the_next_call_back() -> None:
    world = World()
    limiter = Limiter(clock=world.clock, sleep=world.sleep)

    async def play() -> float:
        limiter.good({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "7s"})
        task = asyncio.create_task(limiter.turn())
        await asyncio.sleep(0)
        await world.run(60)
        return await task

    assert asyncio.run(play()) == 7.0 and limiter.rate == inf


def test_a_service_may_not_make_calls_wait_for_ever() -> None:
    import httpx
    import openai
    answer = httpx.Response(429, headers={"Retry-After": "86400"}, request=httpx.Request("POST", "http://127.0.0.1/"))
    problem = translate(openai.RateLimitError("slow down", response=answer, body=None), "m at there", "KEY", None)
    assert isinstance(problem, Transient) and problem.retry_after == LONGEST and problem.status == 429
    assert "wait 86400 s" in str(problem) and "tried again after 120 s" in str(problem)


# --- patience -----------------------------------------------------------------------------------------------------------
def test_waiting_for_ones_turn_is_nobodys_delay() -> None:
    async def play() -> None:
        async with patience(0.05):
            with unhurried():
                await asyncio.sleep(0.1)
            with unhurried():
                await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with patience(0.03):
                with unhurried():
                    await asyncio.sleep(0.02)
                await asyncio.sleep(5)
        with unhurried():
            await asyncio.sleep(0)

    asyncio.run(play())


# --- over HTTP ----------------------------------------------------------------------------------------------------------
def test_the_bucket_of_the_mock_server() -> None:
    bucket = Bucket(1e-3)
    assert bucket.take() == 0.0 and bucket.take() == pytest.approx(1000, abs=1)
    assert bucket.headers()["x-ratelimit-remaining-requests"] == "0"


@pytest.mark.parametrize("told", [True, False])
def test_seats_share_what_a_service_allows(told: bool) -> None:
    """160 calls from 32 at once of two seats, at 100 a second of which 50 may come at once: 1.1 s at the least."""
    game = Email()

    async def play(seats: list[LLM]) -> float:
        async def ask(i: int) -> None:
            due = (Ask("human", (game.observe("human", Superior(draft="A")),), Choice),)

            def script() -> Any:
                yield due
                return None

            await Session(script(), {"human": seats[i % 2]}, {"human": game.wordings[0]}, lambda role, turn: seed_of(i), events.append,
                          Limits(calls=20, wait=0.01)).play()

        async def worker() -> None:
            for i in todo:
                await ask(i)

        start = asyncio.get_running_loop().time()
        await asyncio.gather(*(worker() for _ in range(32)))
        took = asyncio.get_running_loop().time() - start
        for seat in seats:
            await seat.close()
        return took

    events: list[dict[str, Any]] = []
    todo = iter(range(160))
    with MockServer(limit=100, told=told) as server:
        seats = [LLM(model="mock", endpoint=server.endpoint, is_mock=True) for _ in range(2)]
        took = asyncio.run(play(seats))
        complaints = server.met["429_wait"]
    assert sum(e["k"] == "reply" and e["verdict"] == "ok" for e in events) == 160
    assert 1.0 < took < 8.0
    assert complaints < 80, "one burst of complaints at the start, few after it"




@pytest.mark.parametrize("status, headers, cuts", [(429, {}, True), (503, {"Retry-After": "2"}, True), (503, {}, False),
                                                   (500, {"Retry-After": "2"}, False)])
def test_only_a_service_that_says_it_is_full_slows_down_all(status: int, headers: dict[str, str], cuts: bool) -> None:
    import httpx
    import openai
    answer = httpx.Response(status, headers=headers, request=httpx.Request("POST", "http://127.0.0.1/"))
    assert crowded(openai.APIStatusError("no", response=answer, body=None)) is cuts

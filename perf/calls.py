"""What a call costs: Parlour's LLM agent beside the bare openai client, in one run, against a constant server.

    python perf/calls.py [--calls N] [--repeats R] [--latency MS]

parlour  episodes of one free-speech ask, a Session each, with the LLM agent: retry layer, deadline, chat messages, reading,
         usage and latency, and the ask, the prompt and the reply in a journal, each written before what follows
bare     `AsyncOpenAI(...).chat.completions.create` on `DefaultAioHttpClient` with the same messages, its retries off
Both hold the same number of calls in flight. CPU seconds of this process per call (the server is another process); medians over
repeats, the two taken in turn. A call takes LATENCY_MS at the server. No repeat is begun after half a minute, and after a whole
one the script gives up.
"""
import argparse
import asyncio
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from parlour.agents.llm import LLM
from parlour.games.base import Observation, Play, Role, Say, State, Wording
from parlour.protocols.base import Ask, Script
from parlour.protocols.session import Event, Session, seed_of
from parlour.transcripts.journal import Journal

WIDTHS = (32, 256, 1000)
SEAT = "speaker"
SYSTEM = "You are taking part in a study."
QUESTION = "The surplus is 100 points. You and another split it. Say what you propose, and why."
MODEL = "gpt-4o-mini"
SECONDS = 60


class Nothing(State):
    """There is nothing to know."""


class Situation(Observation):
    """What the speaker is told."""
    text: str

    def say(self, w: Wording, me: Role) -> str:
        return self.text


def script() -> Script:
    """One ask for free speech."""
    said, = yield (Ask(SEAT, (Situation(text=QUESTION),), Say),)
    return Play(state=Nothing(), moves=((SEAT, said),))


async def crowd(calls: int, width: int, one: Callable[[int], Awaitable[None]]) -> None:
    """`calls` calls, `width` at a time."""
    todo = iter(range(calls))

    async def worker() -> None:
        for number in todo:
            await one(number)

    await asyncio.gather(*(worker() for _ in range(width)))


async def timed(calls: int, width: int, one: Callable[[int], Awaitable[None]]) -> float:
    """Microseconds of CPU per call, connections open and warm."""
    await crowd(width, width, one)
    calls = max(calls, 2 * width)
    start = time.process_time()
    await crowd(calls, width, one)
    return (time.process_time() - start) / calls * 1e6


async def parlour_calls(calls: int, width: int, endpoint: str) -> float:
    agent = LLM(model=MODEL, endpoint=endpoint, system=SYSTEM, max_tokens=None)
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "calls.jsonl") as journal:
        def record(event: Event) -> None:
            if event.get("prompt"):
                event["prompt"] = journal.text(event["prompt"])
            journal.write(event)

        async def one(number: int) -> None:
            outcome = await Session(script(), {SEAT: agent}, {SEAT: Wording()},
                                    lambda role, turn: seed_of(number, role, turn), record).play()
            assert outcome.status == "done", outcome.why

        try:
            return await timed(calls, width, one)
        finally:
            await agent.close()


async def bare_calls(calls: int, width: int, endpoint: str) -> float:
    from openai import AsyncOpenAI, DefaultAioHttpClient
    client = AsyncOpenAI(base_url=endpoint, api_key="none", max_retries=0, http_client=DefaultAioHttpClient())

    async def one(number: int) -> None:
        answer = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}])
        assert answer.choices[0].message.content

    try:
        return await timed(calls, width, one)
    finally:
        await client.close()


@contextmanager
def server(latency: int) -> Iterator[str]:
    """The constant server on a free port; its endpoint."""
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "yardstick"
        subprocess.run(["gcc", "-O2", "-o", str(built), str(Path(__file__).with_name("yardstick_server.c"))], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        running = subprocess.Popen([str(built), f"{port}:{latency}"], stderr=subprocess.PIPE)
        try:
            assert running.stderr is not None and running.stderr.readline(), "the server did not start"
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            running.terminate()
            running.wait()


def measure(calls: int, repeats: int, latency: int) -> dict[str, dict[int, float]]:
    """Client -> width -> the median of its microseconds of CPU per call."""
    clients = {"parlour": parlour_calls, "bare": bare_calls}
    found: dict[str, dict[int, list[float]]] = {name: {w: [] for w in WIDTHS} for name in clients}
    until = time.monotonic() + SECONDS / 2
    with server(latency) as endpoint:
        for _ in range(repeats):
            if time.monotonic() > until:
                break
            for width in WIDTHS:
                for name, client in clients.items():
                    found[name][width].append(asyncio.run(client(calls, width, endpoint)))
    return {name: {w: statistics.median(t) for w, t in widths.items()} for name, widths in found.items()}


def late(*_: object) -> None:
    raise SystemExit(f"not done after {SECONDS} seconds: fewer --calls or --repeats, please")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=1000)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--latency", type=int, default=20)
    args = options.parse_args()
    signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    found = measure(args.calls, args.repeats, args.latency)
    for width in WIDTHS:
        ours, theirs = found["parlour"][width], found["bare"][width]
        print(f"{width:>5} at once   parlour {ours:7.0f}   bare {theirs:7.0f} us of CPU a call   "
              f"ratio {ours / theirs:.2f}   (at most 1.3)")
    for name, widths in found.items():
        print(f"{name} 1000 / 32   {widths[1000] / widths[32]:.2f}   (at most 2.5)")
    return 0


if __name__ == "__main__":
    sys.exit(main())

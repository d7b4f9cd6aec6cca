"""How things grow: memory with the turns of a run, the loop's lag, one transcript out of many, the size of a store.

    python perf/growth.py [--long]

memory      the resident size, in MB, of a process that plays `email` under `advice` with two mocks: when its journal opens,
            when half of its episodes have ended, when all have, and its peak, which includes the last taking and the seals.
            `resume` is the peak of a process that takes the finished run up again and finds nothing to do
lag         how late a 5 ms sleep wakes, at the 99th percentile: while 64 episodes at once are played by mocks that take 50 ms a
            reply, each event a write; beside a loop with nothing else to do
transcript  one episode read out of the store of the largest run, beside one DuckDB query that joins its asks and attempts: both
            open the file anew; medians
size        a store of replies of 1 KB each beside its tables written as JSON lines under zstd

Every figure is taken in a process of its own. `--long` adds the run of a million turns.
"""
import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from parlour.experiments import api, runner
from parlour.experiments.design import make_design
from parlour.experiments.resume import resume
from parlour.transcripts.journal import Journal
from parlour.transcripts.store import TABLES, Store
from parlour.transcripts.talk import talk

TURNS = 3
TICK = 0.005
Figures = dict[str, float]


def table(episodes: int, **seat: Any) -> dict[str, Any]:
    return {"name": "growth", "episodes": episodes, "concurrency": 64, "game": "email", "protocol": "advice",
            "seats": {"human": {"agent": "mock", "passes": 0.0, **seat}, "ai": {"agent": "mock", **seat}}}


def resident() -> float:
    """MB of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


# --- what each process measures -----------------------------------------------------------------------------------------
def memory(path: Path, turns: int) -> Figures:
    """Plays a run of so many turns."""
    episodes, seen = turns // TURNS, {}

    def look(progress: runner.Progress) -> None:
        if progress.done in (0, episodes // 2, episodes):
            seen[progress.done] = resident()
    start = time.perf_counter()
    api.synchronous(runner.start(make_design(table(episodes)), Store(path), on_episode=look))
    return {"start": seen[0], "half": seen[episodes // 2], "end": seen[episodes], "peak": peak(),
            "seconds": time.perf_counter() - start}


def again(path: Path, _: int) -> Figures:
    """Takes the finished run up again."""
    start = time.perf_counter()
    api.synchronous(resume("latest", Store(path)))
    return {"peak": peak(), "seconds": time.perf_counter() - start}


def lag(path: Path, episodes: int) -> Figures:
    """The lateness of a short sleep, in ms, during a run of so many episodes; of none, in an idle loop."""
    late: list[float] = []

    async def tick(until: float) -> None:
        while time.perf_counter() < until:
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            late.append((time.perf_counter() - before - TICK) * 1000)

    async def both() -> None:
        ticking = asyncio.create_task(tick(time.perf_counter() + (600 if episodes else 5)))
        if episodes:
            await runner.start(make_design(table(episodes, latency=0.05)), Store(path))
            ticking.cancel()
        await asyncio.wait([ticking])
    asyncio.run(both())
    return {"p50": statistics.median(late), "p99": statistics.quantiles(late, n=100)[98], "most": max(late)}


def transcript(path: Path, episodes: int) -> Figures:
    """One transcript, and one bare query for its asks and attempts, in ms."""
    import duckdb
    run = str(Store(path).rows("SELECT run FROM run")[0]["run"])
    chosen = [Random(1).randrange(episodes) for _ in range(15)]
    rows = "SELECT * FROM ask JOIN attempt USING (run, episode, turn) WHERE run = ? AND episode = ? ORDER BY turn, try"

    def bare(episode: int) -> None:
        with duckdb.connect(str(path), read_only=True) as db:
            assert len(db.execute(rows, [run, episode]).fetchall()) == TURNS
    return {"transcript": middle(lambda e: talk(Store(path), run, e), chosen), "bare": middle(bare, chosen)}


def middle(work: Callable[[int], object], chosen: list[int]) -> float:
    """Median ms; the first of them warms up."""
    times = []
    for one in chosen:
        start = time.perf_counter()
        work(one)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times[1:])


def size(path: Path, replies: int) -> Figures:
    """Bytes of a store, and of its tables as JSON lines under zstd, per reply of 1 KB."""
    store = Store(path)
    with Journal(store.journals / "r.jsonl") as journal:
        fill(journal, replies)
        store.take(journal.path)
    with store.open(write=True) as db:
        db.execute("CHECKPOINT")
        for name in (*TABLES, "payoff", "text"):
            db.execute(f"COPY {name} TO '{path.with_name(name)}.zst' (FORMAT json, COMPRESSION zstd)")
    packed = sum(p.stat().st_size for p in path.parent.glob("*.zst"))
    return {"store": path.stat().st_size / replies, "zstd": packed / replies}


def fill(journal: Journal, replies: int) -> None:
    """Asks and replies of 1 KB of words drawn from 4,000, the common ones more often."""
    chance = Random(3)
    known = ["".join(chance.choices("etaoinshrdlucmfwypvbgk", k=chance.randint(2, 9))) for _ in range(4000)]
    weights = [1 / (i + 1) for i in range(len(known))]
    for i in range(replies):
        words = " ".join(chance.choices(known, weights, k=220))[:1024].ljust(1024, ".")
        where = {"run": "r", "e": i // TURNS, "t": i % TURNS}
        seed = chance.getrandbits(62)
        journal.write({"k": "ask", **where, "b": 0, "role": "human", "want": "Say", "optional": False, "seed": seed, "news": []}, True)
        journal.write({"k": "reply", **where, "n": 0, "words": words, "finish": "stop", "verdict": "ok", "model": "mock", "tokens_in": 250,
                       "tokens_out": 256, "cost": 0.001, "latency": chance.random()}, i % 1000 > 0)


PARTS: dict[str, Callable[[Path, int], Figures]] = {"memory": memory, "again": again, "lag": lag, "transcript": transcript,
                                                    "size": size}


# --- all of them --------------------------------------------------------------------------------------------------------
def part(name: str, path: Path, n: int) -> Figures:
    """One measurement in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--part", name, str(path), str(n)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


def growth(folder: Path, sizes: list[int], replies: int) -> None:
    """Prints every figure."""
    for turns in sizes:
        m, r = part("memory", folder / f"{turns}.duckdb", turns), part("again", folder / f"{turns}.duckdb", turns)
        print(f"memory      {turns:>9,} turns: {m['start']:.0f} MB at first, {m['half']:.0f} at half, {m['end']:.0f} at the end of "
              f"play, peak {m['peak']:.0f} ({m['seconds']:.1f} s); resume peak {r['peak']:.0f} ({r['seconds']:.1f} s)", flush=True)
    idle, busy = part("lag", folder / "lag.duckdb", 0), part("lag", folder / "lag.duckdb", 1500)
    print(f"lag         p99 {busy['p99']:.1f} ms in a run (median {busy['p50']:.1f}, most {busy['most']:.0f}), {idle['p99']:.1f} ms idle: "
          f"{busy['p99'] - idle['p99']:.1f} ms above (at most 5)", flush=True)
    t = part("transcript", folder / f"{sizes[-1]}.duckdb", sizes[-1] // TURNS)
    print(f"transcript  {t['transcript']:.1f} ms out of {sizes[-1]:,} messages, a bare query {t['bare']:.1f} ms: "
          f"{t['transcript'] / t['bare']:.2f} times (at most 2)", flush=True)
    (folder / "size").mkdir()
    s = part("size", folder / "size" / "x.duckdb", replies)
    print(f"size        {s['store']:.0f} bytes a reply of 1 KB in the store, {s['zstd']:.0f} as zstd JSON lines: "
          f"{s['store'] / s['zstd']:.2f} times (at most 1.2)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", help="also a run of a million turns, and ten times as many replies")
    parser.add_argument("--part", nargs=3, metavar=("NAME", "FILE", "N"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        name, path, n = args.part
        print(json.dumps(PARTS[name](Path(path), int(n))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        growth(Path(folder), [10_000, 100_000, *([1_000_000] if args.long else [])], 200_000 if args.long else 20_000)
    return 0


if __name__ == "__main__":
    sys.exit(main())

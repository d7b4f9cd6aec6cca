"""How things grow: memory with the turns of a run, the loop's lag, one transcript out of many, a store's size, verification.

    python perf/growth.py [--small]

memory      the peak resident size, in MB, of a process that plays `email` under `advice` with two mocks, takes the journal in as it
            goes, seals and compacts; and its size when the journal opens, when half of its episodes have ended, when all have.
            Flat: the longest run's peak is at most a quarter above that of a run a tenth as long
resume      the peak of a process that takes the longest run up again and finds nothing to do
lag         how late a 5 ms sleep wakes, at the 99th percentile: while 64 episodes at once are played by mocks that take 50 ms a
            reply, each event a write; less the same beside a loop with nothing else to do
transcript  CPU milliseconds to read one episode out of the store of the longest run, and those of one bare DuckDB query that joins
            its asks and attempts: both open the file anew, in turn for each episode; the median of their ratios
size        bytes of a store that took replies of 1 KB in, 500 at a time and compacted at the end as a run's is, beside the same
            tables as JSON lines under zstd
verify      episodes of 20 turns verified in a second of CPU, all threads: two mocks in nine rounds of `cheap_talk` on
            `battle_of_the_sexes`, then a move each; the median of three. How often the game's benchmarks were solved meanwhile

Every figure is taken in a process of its own. `--small` takes the same figures of runs a hundredth as long, in seconds.
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
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from parlour.experiments import api, runner
from parlour.experiments.design import make_design
from parlour.experiments.resume import resume
from parlour.experiments.verify import verify
from parlour.games.battle_of_the_sexes import BattleOfTheSexes
from parlour.transcripts.compact import compact
from parlour.transcripts.journal import Journal
from parlour.transcripts.store import TABLES, Store
from parlour.transcripts.talk import talk

TURNS = 3
BATCH = 500
"""Replies of 1 KB between two takings: those of a model that answers 250 times a second."""
TICK = 0.005
IDLE = 5.0
"""Seconds of an idle loop."""
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
        ticking = asyncio.create_task(tick(time.perf_counter() + (600 if episodes else IDLE)))
        if episodes:
            await runner.start(make_design(table(episodes, latency=0.05)), Store(path))
            ticking.cancel()
        await asyncio.wait([ticking])
    asyncio.run(both())
    return {"p50": statistics.median(late), "p99": statistics.quantiles(late, n=100)[98], "most": max(late)}


def transcript(path: Path, episodes: int) -> Figures:
    """One transcript, and one bare query for its asks and attempts, in ms of CPU."""
    import duckdb
    run = str(Store(path).rows("SELECT run FROM run")[0]["run"])
    rows = "SELECT * FROM ask JOIN attempt USING (run, episode, turn) WHERE run = ? AND episode = ? ORDER BY turn, try"

    def bare(episode: int) -> None:
        with duckdb.connect(str(path), read_only=True) as db:
            assert len(db.execute(rows, [run, episode]).fetchall()) == TURNS

    def ours(episode: int) -> None:
        assert len(talk(Store(path), run, episode).entries) == TURNS + 1  # and the draw
    chosen = [Random(1).randrange(episodes) for _ in range(25)]
    pairs = [(cpu(ours, e), cpu(bare, e)) for e in chosen][1:]  # the first warms up
    return {"transcript": statistics.median(a for a, _ in pairs), "bare": statistics.median(b for _, b in pairs),
            "ratio": statistics.median(a / b for a, b in pairs)}


def cpu(work: Callable[[int], object], given: int) -> float:
    """Milliseconds of CPU, all threads."""
    start = time.process_time()
    work(given)
    return (time.process_time() - start) * 1000


def size(path: Path, replies: int) -> Figures:
    """Bytes of a store before and after it is compacted, and of its tables as JSON lines under zstd, per reply of 1 KB."""
    store = Store(path)
    with Journal(store.journals / "r.jsonl") as journal:
        for i, _ in enumerate(filled(journal, replies), 1):
            if i % BATCH == 0 or i == replies:
                journal.flush()
                store.take(journal.path)
    taken = path.stat().st_size
    compact(store)
    with store.open() as db:
        for name in (*TABLES, "payoff", "text"):
            db.execute(f"COPY {name} TO '{path.with_name(name)}.zst' (FORMAT json, COMPRESSION zstd)")
    packed = sum(p.stat().st_size for p in path.parent.glob("*.zst"))
    return {"taken": taken / replies, "store": path.stat().st_size / replies, "zstd": packed / replies}


def filled(journal: Journal, replies: int) -> Iterator[None]:
    """Asks and replies of 1 KB of words drawn from 4,000, the common ones more often."""
    chance = Random(3)
    known = ["".join(chance.choices("etaoinshrdlucmfwypvbgk", k=chance.randint(2, 9))) for _ in range(4000)]
    weights = list(accumulate(1 / (i + 1) for i in range(len(known))))
    for i in range(replies):
        words = " ".join(chance.choices(known, cum_weights=weights, k=220))[:1024].ljust(1024, ".")
        where = {"run": "r", "e": i // TURNS, "t": i % TURNS}
        seed = chance.getrandbits(62)
        journal.write({"k": "ask", **where, "b": 0, "role": "human", "want": "Say", "optional": False, "seed": seed, "news": []}, True)
        journal.write({"k": "reply", **where, "n": 0, "words": words, "finish": "stop", "verdict": "ok", "model": "mock", "tokens_in": 250,
                       "tokens_out": 256, "cost": 0.001, "latency": chance.random()}, True)
        yield


def verifying(path: Path, episodes: int) -> Figures:
    """Episodes of 20 turns verified in a second of CPU."""
    api.synchronous(runner.start(make_design({
        "name": "verify", "episodes": episodes, "concurrency": 64, "game": "battle_of_the_sexes",
        "protocol": {"name": "cheap_talk", "rounds": 9}, "seats": {"row": "mock", "column": "mock"}}), Store(path)))
    store = Store(path)
    run = str(store.rows("SELECT run FROM run")[0]["run"])
    turns = store.rows("SELECT count(*) AS n FROM ask")[0]["n"] / episodes

    def once(_: int) -> None:
        found = verify(store, run)
        assert found.divergence is None and found.episodes == episodes, found
    with patch.object(BattleOfTheSexes, "benchmarks", autospec=True, side_effect=BattleOfTheSexes.benchmarks) as solved:
        seconds = statistics.median(cpu(once, 0) for _ in range(3)) / 1000
    return {"turns": turns, "rate": episodes / seconds, "solved": solved.call_count / 3}


PARTS: dict[str, Callable[[Path, int], Figures]] = {"memory": memory, "again": again, "lag": lag, "transcript": transcript,
                                                    "size": size, "verify": verifying}


# --- all of them --------------------------------------------------------------------------------------------------------
def part(name: str, path: Path, n: int) -> Figures:
    """One measurement in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--part", name, str(path), str(n)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


def line(name: str, text: str, wanted: str, met: bool) -> None:
    print(f"{name:<11} {text}; wanted: {wanted}: {'met' if met else 'MISSED'}", flush=True)


def growth(folder: Path, sizes: list[int], busy: int, replies: int, episodes: int) -> None:
    """Prints every figure."""
    peaks = []
    for turns in sizes:
        m = part("memory", folder / f"{turns}.duckdb", turns)
        peaks.append(m["peak"])
        print(f"memory      {turns:,} turns: peak {m['peak']:.0f} MB ({m['start']:.0f} at first, {m['half']:.0f} at half, {m['end']:.0f} "
              f"at the end of play; {m['seconds']:.0f} s)", flush=True)
    line("memory", f"the peak at {sizes[-1]:,} turns is {peaks[-1] / peaks[-2]:.2f} times that at {sizes[-2]:,}", "flat, at most 1.25",
         peaks[-1] <= 1.25 * peaks[-2])
    longest = folder / f"{sizes[-1]}.duckdb"
    r = part("again", longest, 0)
    print(f"resume      {sizes[-1]:,} turns taken up again: peak {r['peak']:.0f} MB ({r['seconds']:.1f} s)", flush=True)
    still, late = part("lag", folder / "lag.duckdb", 0), part("lag", folder / "lag.duckdb", busy)
    above = late["p99"] - still["p99"]
    line("lag", f"p99 {late['p99']:.1f} ms in a run (median {late['p50']:.1f}, most {late['most']:.0f}), {still['p99']:.1f} ms idle: "
         f"{above:.1f} ms above", "at most 5 ms", above <= 5)
    t = part("transcript", longest, sizes[-1] // TURNS)
    line("transcript", f"{t['transcript']:.1f} ms out of {sizes[-1]:,} messages, a bare query {t['bare']:.1f} ms: {t['ratio']:.2f} times",
         "at most 2", t["ratio"] <= 2)
    (folder / "size").mkdir()
    s = part("size", folder / "size" / "x.duckdb", replies)
    line("size", f"{s['store']:.0f} bytes a reply of 1 KB in the store ({s['taken']:.0f} before it is compacted), {s['zstd']:.0f} as zstd "
         f"JSON lines: {s['store'] / s['zstd']:.2f} times", "at most 1.2", s["store"] <= 1.2 * s["zstd"])
    v = part("verify", folder / "verify.duckdb", episodes)
    line("verify", f"{v['rate']:,.0f} episodes of {v['turns']:.0f} turns a second of CPU, benchmarks solved {v['solved']:.0f} time(s)",
         "at least 1,500, once", v["rate"] >= 1500 and v["solved"] == 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="runs a hundredth as long")
    parser.add_argument("--part", nargs=3, metavar=("NAME", "FILE", "N"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        name, path, n = args.part
        print(json.dumps(PARTS[name](Path(path), int(n))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        if args.small:
            growth(Path(folder), [1_000, 10_000], 200, 10_000, 500)
        else:
            growth(Path(folder), [10_000, 100_000, 1_000_000], 1_500, 100_000, 5_000)
    return 0


if __name__ == "__main__":
    sys.exit(main())

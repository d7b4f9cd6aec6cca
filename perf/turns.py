"""What a mock turn costs, journalled and taken into DuckDB, beside a bare loop and a plain langgraph graph, in one run.

    python perf/turns.py [--episodes N] [--repeats R]

parlour    `email` under `advice`, two mock seats, a run from design to store: every ask, attempt, draw, payoff is a row
bare       an asyncio loop that awaits constant words, validates them with pydantic and inserts rows into DuckDB in Arrow batches
           of 1,000: the same six tables with the same columns (an ask and an attempt a turn; an episode, a draw, an ending and
           three payoffs an episode). It has no journal, seeds, prompts, repairs or payoffs of its own: those columns are constants
langgraph  a compiled graph of two nodes, human and ai, that say the same words; a turn is a node's step; nothing is stored
CPU seconds of the whole process (all threads) per turn, all fixed costs of a run included; medians over repeats, the three taken
in turn. langgraph, of which nothing is stored, plays a tenth of the episodes.
"""
import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypedDict

from pydantic import BaseModel, ConfigDict

WORDS = ('{"question": "Which one?"}', '{"report": "A"}', '{"action": "A"}')


def parlour_run(episodes: int) -> int:
    import parlour
    with tempfile.TemporaryDirectory() as folder:
        results = parlour.run({"episodes": episodes, "game": "email", "protocol": "advice",
                               "seats": {"human": {"agent": "mock", "passes": 0.0}, "ai": "mock"}}, Path(folder) / "x.duckdb")
        return int(results.sql("SELECT count(*) AS n FROM ask")["n"][0])


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Question(Strict):
    question: str


class Report(Strict):
    report: Literal["A", "B"]


class Choice(Strict):
    action: Literal["A", "B", "C"]


Row = tuple[Any, ...]
STEPS: tuple[tuple[str, type[Strict], str], ...] = (
    ("human", Question, '[{"type":"Brief","fields":{"prior":0.5,"gain":5.0,"loss":-10.0,"thinking":1.0}}]'),
    ("ai", Report, '[{"type":"Note","fields":{"draft":"A","accuracy":0.9}}]'),
    ("human", Choice, '[{"type":"Saw","fields":{"role":"ai","move":{"report":"A"}}}]'))
PAYOFFS = (("human", 5.0, 1.0, 4.0, 4.0, -11.0, 5.0), ("ai", 1.0, 0.0, 1.0, 1.0, 0.0, 1.0),
           ("society", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
COLUMNS = {
    "episode": "run episode written arm wording persona stratum weight replicate seed state",
    "ask": "run episode turn written batch role want optional seed news",
    "attempt": "run episode turn try written words verdict complaint finish move prompt model tokens_in tokens_out cost latency",
    "draw": "run episode turn written what chances draw",
    "ending": "run episode written status why play",
    "payoff": "run episode role gross fee net mean low high",
}


class Tables:
    """Rows that go to DuckDB in Arrow batches of 1,000."""

    def __init__(self, path: Path):
        import duckdb
        self.db = duckdb.connect(str(path))
        self.rows: dict[str, list[Row]] = {name: [] for name in COLUMNS}
        self.made: set[str] = set()

    def add(self, name: str, row: Row) -> None:
        rows = self.rows[name]
        rows.append(row)
        if len(rows) == 1000:
            self.flush(name)

    def flush(self, name: str) -> None:
        import pyarrow
        names, columns = COLUMNS[name].split(), zip(*self.rows[name], strict=True)
        batch = pyarrow.table(dict(zip(names, map(list, columns), strict=True)))  # noqa: F841  # DuckDB finds it by its name
        made = name in self.made
        self.db.execute(f"INSERT INTO {name} SELECT * FROM batch" if made else f"CREATE TABLE {name} AS SELECT * FROM batch")
        self.made.add(name)
        self.rows[name] = []

    def close(self) -> None:
        for name, rows in self.rows.items():
            if rows:
                self.flush(name)
        self.db.close()


async def say(step: int) -> str:
    return WORDS[step]


async def bare_episode(tables: Tables, e: int) -> None:
    run, now, moves = "run-20260101-000000-0000", time.time, []
    tables.add("episode", (run, e, now(), "main", "plain", "", "0", 0.001, e, 1234567890123456789, '{"draft":"A"}'))
    for t, (role, kind, news) in enumerate(STEPS):
        if t == 1:
            tables.add("draw", (run, e, 3, now(), "note to ai", [0.9, 0.1], 0))
        tables.add("ask", (run, e, t, now(), t, role, kind.__name__, t == 0, 1234567890123456789, news))
        start = time.perf_counter()
        words = await say(t)
        latency = time.perf_counter() - start
        moves.append(kind.model_validate_json(words, strict=True).model_dump_json())
        tables.add("attempt", (run, e, t, 0, now(), words, "ok", None, "stop", moves[-1], "0123456789abcdef0123456789abcdef",
                               "mock", 100, 10, 0.0, latency))
    tables.add("ending", (run, e, now(), "done", "", "[" + ",".join(moves) + "]"))
    for payoff in PAYOFFS:
        tables.add("payoff", (run, e, *payoff))


def bare_run(episodes: int) -> int:
    async def loop(path: Path) -> None:
        tables = Tables(path)
        for episode in range(episodes):
            await bare_episode(tables, episode)
        tables.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(loop(Path(folder) / "x.duckdb"))
    return episodes * len(STEPS)


class Talk(TypedDict):
    words: list[str]
    turns: int


def langgraph_run(episodes: int) -> int:
    from langgraph.graph import END, START, StateGraph

    async def human(state: Talk) -> dict[str, Any]:
        return {"words": [*state["words"], WORDS[state["turns"]]], "turns": state["turns"] + 1}

    async def ai(state: Talk) -> dict[str, Any]:
        return {"words": [*state["words"], WORDS[1]], "turns": state["turns"] + 1}

    graph = StateGraph(Talk)
    graph.add_node("human", human)
    graph.add_node("ai", ai)
    graph.add_edge(START, "human")
    graph.add_conditional_edges("human", lambda s: END if s["turns"] >= 3 else "ai")
    graph.add_edge("ai", "human")
    compiled = graph.compile()

    async def loop() -> int:
        for _ in range(episodes):
            await compiled.ainvoke({"words": [], "turns": 0})
        return episodes * 3

    return asyncio.run(loop())


def per_turn(run: Callable[[int], int], episodes: int) -> float:
    """Microseconds of CPU per turn."""
    start = time.process_time()
    turns = run(episodes)
    return (time.process_time() - start) / turns * 1e6


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--episodes", type=int, default=20000)
    options.add_argument("--repeats", type=int, default=5)
    args = options.parse_args()
    runs = {"parlour": parlour_run, "bare": bare_run, "langgraph": langgraph_run}
    for run in runs.values():
        run(50)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(args.repeats):
        for name, run in runs.items():
            times[name].append(per_turn(run, args.episodes // (10 if name == "langgraph" else 1)))
    middle = {name: statistics.median(t) for name, t in times.items()}
    for name, t in times.items():
        print(f"{name:<10} {middle[name]:8.1f} us of CPU a turn   ({min(t):.1f} .. {max(t):.1f})")
    print(f"parlour / bare       {middle['parlour'] / middle['bare']:.2f}   (at most 4)")
    print(f"langgraph / parlour  {middle['langgraph'] / middle['parlour']:.2f}   (at least 10)")
    return 0


if __name__ == "__main__":
    sys.exit(main())

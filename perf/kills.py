"""Nothing paid is lost: runs against a service that misbehaves are killed at seeded points, resumed, and audited.

    python perf/kills.py [--points N] [--seed S] [--report FILE.md]

Two arms, `email` under `advice` and `battle_of_the_sexes` under `cheap_talk` (both seats asked at once), and a sentinel, every
seat a client over real HTTP of the mock server, which runs in a process of its own and counts each reply it sends by (ask, try).
A third of all calls meets a fault: 429 with and without Retry-After, 500, 503, drop, cut, delay, and bad words of every kind. A
point is one run, in a process of its own, cut off once or twice and resumed until it is done. How it is cut off:

    head   SIGKILL while the head of the journal is written: the design, the arms, the benchmarks
    line   SIGKILL after n lines of the journal, in the middle of the next write
    time   SIGKILL at a random time after the start
    take   SIGKILL at a random time after the journal began to be taken into the store
    twice  SIGKILL after n lines; the resume is killed m lines later
    again  SIGKILL after n lines; the resume is killed at a random time, which may be while it reads what is on record
    full   the disk is full: no file may grow beyond a size (RLIMIT_FSIZE), so that journal and store meet a failing write
    key    the service takes the key no longer (401) after n replies; resumed with a good one
    gone   the service goes away after n replies; resumed when it is back

`key` and `gone` have faults of the service and delays only: the calls they fail take tries, and which words go bad follows
from the try. Lines are exact, times are not: a point that is done before its kill is a point without a cut.
"""
import argparse
import json
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from parlour.agents.faults import MENUS, Faults
from parlour.agents.mock_server import MockServer, reply_id
from parlour.errors import ParlourError
from parlour.experiments import api, runner
from parlour.experiments.design import make_design
from parlour.experiments.resume import resume
from parlour.experiments.sentinels import ROUNDS
from parlour.transcripts.journal import read
from parlour.transcripts.store import TABLES, Store

KEY, KEY_ENV = "sk-kills-good-0001", "PARLOUR_KILLS_KEY"
KILLS = ("head", "line", "time", "take", "twice", "again")
STOPS = ("full", "key", "gone")
PRELOAD = ["openai.resources.chat.completions", "httpx_aiohttp", "scipy.optimize", "aiohttp", "duckdb", "tenacity",
           "parlour.agents.llm", "parlour.experiments.resume", "parlour.experiments.api", "parlour.agents.mock_server"]
CONCURRENCY, SEATS = 8, 2
AT_ONCE = CONCURRENCY * SEATS + ROUNDS + 1
"""Calls that may be in flight: every episode's seats, and the sentinels that a run which is taken up owes of earlier rounds."""
ALL = Faults(rate=0.35, pause=0.02)
SERVICE = Faults(rate=0.25, pause=0.02, kinds=(*MENUS["service"], "delay"))
UNIQUE = {"run": "run", "arm": "run, arm", "benchmark": "run, arm, name", "episode": "run, episode", "ending": "run, episode",
          "ask": "run, episode, turn", "attempt": "run, episode, turn, try", "draw": "run, episode, turn",
          "payoff": "run, episode, role", "text": "hash", "seal": "run, episode"}
ANSWERED = "SELECT round, item, words FROM sentinel WHERE verdict NOT IN ('asked', 'unmade', 'error')"
SAME = (f"{ANSWERED} ORDER BY ALL", "SELECT episode, turn, try, verdict, words, move FROM attempt ORDER BY ALL",
        "SELECT episode, turn, draw FROM draw ORDER BY ALL",
        "SELECT episode, status, play FROM ending ORDER BY ALL",
        "SELECT * EXCLUDE run FROM payoff ORDER BY ALL")
PLAYED = ("SELECT episode, turn, words FROM attempt WHERE verdict <> 'error' ORDER BY ALL", SAME[0], *SAME[2:])
"""What must come out the same; the second, where the number of tries may differ."""


def design(endpoint: str, episodes: int, calls: int) -> dict[str, Any]:
    """What is played. `calls` below the usual lets some episodes end in a recorded error."""
    seat = {"agent": "llm", "model": "mock", "endpoint": endpoint, "key_env": KEY_ENV, "is_mock": True}
    return {"name": "kills", "seed": 11, "episodes": episodes, "concurrency": CONCURRENCY, "attempts": 2, "calls": calls,
            "sentinels": 1, "wait": 0.005, "wordings": "all", "arms": [
                {"name": "advice", "game": "email", "protocol": "advice", "seats": {"human": seat, "ai": seat}},
                {"name": "talk", "game": "battle_of_the_sexes", "protocol": "cheap_talk", "seats": {"row": seat, "column": seat}}]}


# --- the service --------------------------------------------------------------------------------------------------------
def serve(pipe: Connection, faults: Faults) -> None:
    """The mock server until told to stop. Its books survive its going away: `away` and `back` close and open its door."""
    server = MockServer(faults=faults, key=KEY)
    with server:
        pipe.send(server.endpoint)
        for order, value in iter(pipe.recv, ("stop", "")):
            if order == "key":
                server.key = value
            elif order == "away":
                server.__exit__()
            elif order == "back":
                server.__enter__()
            pipe.send(server.replies)


@dataclass
class Service:
    """The mock server seen from outside."""
    pipe: Connection
    endpoint: str

    def order(self, what: str, value: str = "") -> int:
        """Gives an order; the number of replies sent up to now."""
        self.pipe.send((what, value))
        return int(self.pipe.recv())

    def sent(self) -> Counter[str]:
        """Every reply sent so far, by its id."""
        with urllib.request.urlopen(self.endpoint.replace("/v1", "/replies"), timeout=10) as answer:
            return Counter(json.load(answer))


@contextmanager
def service(faults: Faults) -> Iterator[Service]:
    """A mock server in a process of its own."""
    ours, theirs = multiprocessing.Pipe()
    process = processes().Process(target=serve, args=(theirs, faults), daemon=True)
    process.start()
    try:
        yield Service(ours, ours.recv())
    finally:
        ours.send(("stop", ""))
        process.join()


def processes() -> Any:
    """Processes forked from one that has imported everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


# --- runs that are cut off ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Cut:
    """How one process ends before its time. how: line, time, take, full; at: lines, seconds, seconds, bytes."""
    how: str
    at: float


def arm(cut: Cut) -> None:
    """Sets the trap in this process."""
    if cut.how == "line":
        _die_writing(int(cut.at))
    elif cut.how == "time":
        _die_in(cut.at)
    elif cut.how == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(cut.at), resource.RLIM_INFINITY))
    else:
        _die_taking(cut.at)


def _die_in(seconds: float) -> None:
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL))
    timer.daemon = True
    timer.start()


def _die_writing(lines: int) -> None:
    """The journal is what is written with `os.write`: after so many lines, half a write and the end."""
    write, left = os.write, [lines]

    def last(file: int, data: Any) -> int:
        left[0] -= bytes(data).count(b"\n")
        if left[0] < 0:
            write(file, data[:len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return write(file, data)
    os.write = last


def _die_taking(seconds: float) -> None:
    take = Store.take

    def last(store: Store, *given: Any) -> int:
        _die_in(seconds)
        return take(store, *given)
    Store.take = last  # type: ignore[method-assign, assignment]


def play(table: dict[str, Any], store: Path, run: str | None, cut: Cut | None, log: Path) -> None:
    """A process of its own: starts a run or takes one up. Exit code 0: done; 2: stopped, the reason in the log."""
    runner.TAKE_SECONDS = 0.2
    os.environ[KEY_ENV] = KEY
    if cut:
        arm(cut)
    with log.open("a") as out, redirect_stderr(out), redirect_stdout(out):
        try:
            api.synchronous(resume(run, Store(store)) if run else runner.start(make_design(table), Store(store)))
        except ParlourError as error:
            print(error, file=out, flush=True)
            os._exit(2)


@dataclass
class Point:
    """One run and what was seen of it.

    cuts     how often it was cut off;     flight   calls that were in flight at those moments
    sent, stored, listed   replies the service sent, that are on record, and calls listed as possibly paid
    broken   the rules it broke
    """
    how: str
    folder: Path
    table: dict[str, Any]
    cuts: int = 0
    flight: int = 0
    sent: int = 0
    stored: int = 0
    listed: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return Store(self.folder / "x.duckdb")

    @property
    def run(self) -> str | None:
        """The run begun, if its first line is on record."""
        return next((p.stem for p in self.store.journals.glob("*.jsonl") if b"\n" in p.read_bytes()), None)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def begin(self, cut: Cut | None = None) -> Any:
        """A process that starts the run, or takes it up."""
        process = processes().Process(target=play, args=(self.table, self.store.path, self.run, cut, self.log))
        process.start()
        return process

    def ended(self, process: Any) -> int:
        """Waits for a process; its exit code. Counts the calls that were in flight if it was cut off."""
        process.join(120)
        if process.exitcode is None:
            process.kill()
            process.join()
            self.broken.append("a process hung")
        if process.exitcode:
            self.cuts += 1
            flight = self.open_calls() - self.flight
            if not 0 <= flight <= AT_ONCE:
                self.broken.append(f"{flight} calls in flight at a cut")
            self.flight += flight
        return int(process.exitcode)

    def open_calls(self) -> int:
        """Intents on record less what came of them."""
        if self.run is None:
            return 0
        kinds = Counter(e["k"] if e["k"] != "sentinel" else "ask" if e["verdict"] == "asked" else "reply"
                        for e in read(self.store.journals / f"{self.run}.jsonl"))
        return kinds["ask"] + kinds["call"] - kinds["reply"]


# --- points -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Whole:
    """The run nothing happened to: lines of its journal's head, lines and bytes of it all, its seconds, those of taking it,
    and its answers to the queries that must come out the same."""
    point: Point
    head: int
    lines: int
    bytes: int
    seconds: float
    taking: float
    answers: dict[str, list[dict[str, Any]]]


def undisturbed(point: Point, to: Service) -> Whole:
    """Plays a design to its end, audits it, and measures it."""
    before, start = to.sent(), time.perf_counter()
    code = point.ended(point.begin())
    seconds = time.perf_counter() - start
    if code or point.run is None:
        raise SystemExit(f"the undisturbed run failed: {point.log.read_text()}")
    audit(point, to.sent() - before, None)
    journal = point.store.journals / f"{point.run}.jsonl"
    start = time.perf_counter()
    Store(point.folder / "again.duckdb").take(journal)
    head = sum(e["k"] in ("run", "arm", "benchmark") for e in read(journal))
    taking = time.perf_counter() - start
    answers = {q: point.store.rows(q) for q in {*SAME, *PLAYED}}
    return Whole(point, head, len(journal.read_bytes().splitlines()), journal.stat().st_size, seconds, taking, answers)


def cuts(how: str, chance: Random, of: Whole) -> list[Cut]:
    """The cuts of a point, seeded."""
    line, moment = Cut("line", chance.randint(0, of.lines - 1)), Cut("time", chance.uniform(0, of.seconds))
    more = Cut("line", chance.randint(0, max(1, (of.lines - int(line.at)) // 2)))
    size = Cut("full", chance.uniform(0.05, 1.2) * of.bytes)
    early, taking = Cut("line", chance.randint(0, of.head)), Cut("take", chance.uniform(0, 1.2 * of.taking))
    return {"head": [early], "line": [line], "time": [moment], "take": [taking], "twice": [line, more], "again": [line, moment],
            "full": [size]}[how]


def play_point(point: Point, seed: int, of: Whole, to: Service) -> None:
    """Cuts one run off as its kind says, resumes it until it is done, audits it."""
    chance, before = Random(f"{point.how} {seed}"), to.sent()
    if point.how in ("key", "gone"):
        stop(point, chance.randint(1, of.point.sent // 2), to)
    else:
        with point.store.open(write=True):  # for `full`: no run would begin where not even an empty store can be made
            pass
        for cut in cuts(point.how, chance, of):
            point.ended(point.begin(cut))
    if point.ended(point.begin()):
        point.broken.append(f"the resume ended badly: {point.log.read_text()[-300:]}")
    else:
        audit(point, to.sent() - before, of)


def stop(point: Point, replies: int, to: Service) -> None:
    """The service refuses the key, or goes away, after so many replies; then all is well again."""
    start, process = to.order("replies"), point.begin()
    while to.order("replies") - start < replies and process.is_alive():
        time.sleep(0.002)
    to.order("key", "another") if point.how == "key" else to.order("away")
    if point.ended(process) not in (0, 2):
        point.broken.append("stopped without a line")
    to.order("key", KEY) if point.how == "key" else to.order("back")


def audit(point: Point, sent: Counter[str], of: Whole | None) -> None:
    """What must be true of every run, whatever happened to it; what is not goes to `broken`."""
    store, run = point.store, point.run
    assert run is not None
    if store.take(store.journals / f"{run}.jsonl"):
        point.broken.append("something was left to take")
    with store.reading():
        _audit(point, store, run, sent)
        if of:
            queries = PLAYED if point.how in ("key", "gone") else SAME
            point.broken += [f"another answer to: {q}" for q in queries if store.rows(q) != of.answers[q]]


def _audit(point: Point, store: Store, run: str, sent: Counter[str]) -> None:
    """What can be told from the store, its journal and the server's books alone."""
    rows = store.rows
    paid = Counter({reply_id(r["seed"], r["try"]): r["n"] for r in rows(
        "SELECT seed, try, count(*) AS n FROM (SELECT k.seed, a.try, verdict FROM attempt a JOIN ask k USING (run, episode, turn) "
        "UNION ALL SELECT seed, try, verdict FROM sentinel WHERE verdict NOT IN ('asked', 'unmade')) "
        "WHERE verdict <> 'error' GROUP BY ALL")})
    listed = Counter({reply_id(r["seed"], r["try"]): r["calls"] for r in rows(
        "SELECT seed, try, sum(calls)::INTEGER AS calls FROM (SELECT k.seed, p.try, p.calls FROM possibly_paid p "
        "JOIN ask k USING (run, episode, turn) UNION ALL SELECT seed, try, if(verdict = 'asked', 1, -1) FROM sentinel) "
        "GROUP BY ALL HAVING sum(calls) > 0")})
    told = rows("SELECT coalesce(sum(calls), 0)::INTEGER AS n FROM possibly_paid")[0]["n"]
    point.sent, point.stored, point.listed = sent.total(), paid.total(), listed.total()
    point.endings = Counter(r["status"] for r in rows("SELECT status FROM ending"))
    begun = rows("SELECT count(*) AS n FROM episode")[0]["n"]
    check = {
        "replies stored that were never sent": not paid - sent,
        "replies lost and not listed": not sent - paid - listed,
        "more lost than calls in flight": (sent - paid).total() <= point.flight,
        "listed is not what was in flight": listed.total() == told == point.flight,
        "not every episode ended once": point.endings.total() == begun == 2 * point.table["episodes"],
        "a sentinel answered twice": not rows(f"SELECT round, item, count(*) FROM ({ANSWERED}) GROUP BY ALL HAVING count(*) > 1"),
        "the journal holds what the store does not": stored_all(store, run),
    }
    point.broken += [rule for rule, holds in check.items() if not holds]
    point.broken += [f"duplicates in {table}" for table, key in UNIQUE.items()
                     if rows(f"SELECT {key} FROM {table} GROUP BY ALL HAVING count(*) > 1")]


def stored_all(store: Store, run: str) -> bool:
    """Whether every event of the journal is one row."""
    kinds = Counter(e["k"] for e in read(store.journals / f"{run}.jsonl"))
    return all(store.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] == kinds[kind] for table, (kind, _) in TABLES.items())


# --- all of them --------------------------------------------------------------------------------------------------------
def harness(plan: Sequence[str], seed: int, episodes: int = 20) -> list[Point]:
    """One point for each kind in `plan`, and the undisturbed runs they are compared with."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for faults, calls, kinds in ((ALL, 2, (*KILLS, "full")), (SERVICE, 8, ("key", "gone"))):
            some = [how for how in plan if how in kinds]
            if some:
                found += _under(faults, calls, some, seed, episodes, Path(folder) / str(calls))
    return found


def _under(faults: Faults, calls: int, plan: Sequence[str], seed: int, episodes: int, folder: Path) -> list[Point]:
    with service(faults) as to:
        table = design(to.endpoint, episodes, calls)
        points = [Point(how, folder / f"{i}", table) for i, how in enumerate(("whole", *plan))]
        for point in points:
            point.folder.mkdir(parents=True)
        of = undisturbed(points[0], to)
        for i, point in enumerate(points[1:]):
            play_point(point, seed * 1_000_003 + i, of, to)
    return points


INTRODUCTION = """# Nothing paid is lost

Every call to a model is on record before it is made, every reply before it is used. A run that is cut off is taken up again
with `parlour resume`: words on record are not asked for again, and a call that was in flight is made once more. Its first reply
may have been paid for and lost: such calls are listed in the view `possibly_paid`, counted by `parlour runs`, and told of after
`parlour resume`.

`perf/kills.py` tests this. Runs over real HTTP, a third of their calls meeting a fault, are cut off at seeded points and
resumed: `head` and `line` by SIGKILL in the middle of a write to the journal, `time` at a random time, `take` while the journal is
taken into the store, `twice` and `again` once more while they are resumed, `full` by a disk that is full, `key` by a key that is
revoked, `gone` by a service that goes away. The mock server, a process of its own, counts what it sent. For each run it is checked
that

- each reply sent that is not on record is listed as possibly paid, and no more are listed than calls were in flight at the kill;
- every episode ended once: done, a recorded forfeit, or a recorded error of the service;
- words, tries, draws, endings and payoffs are those of the undisturbed run (after `key` and `gone`: words, not tries);
- no table holds a row twice, and every event of the journal is a row.

`not stored` counts replies sent that are not on record, `broken` the runs that broke one of these rules.
"""
HEAD = ("how", "runs", "cut off", "replies sent", "stored", "not stored", "possibly paid", "in flight", "done", "forfeit", "error",
        "broken")


def report(points: Sequence[Point]) -> str:
    """The findings in Markdown."""
    lines = [f"| {' | '.join(HEAD)} |", "|---" + "|--:" * (len(HEAD) - 1) + "|"]
    for how in ("whole", *KILLS, *STOPS, "all"):
        some = [p for p in points if how in (p.how, "all")]
        ends = sum((p.endings for p in some), Counter[str]())
        cells = (len(some), sum(p.cuts for p in some), sum(p.sent for p in some), sum(p.stored for p in some),
                 sum(p.sent - p.stored for p in some), sum(p.listed for p in some), sum(p.flight for p in some),
                 ends["done"], ends["forfeit"], ends["error"], sum(bool(p.broken) for p in some))
        lines += [f"| {how} | {' | '.join(f'{c:,}' for c in cells)} |"] if some else []
    broken = [f"- {p.how}: {'; '.join(p.broken)}" for p in points if p.broken] or ["No rule was broken."]
    return "\n".join([*lines, "", *broken])


def main() -> int:
    parser = argparse.ArgumentParser(description="Kills runs at seeded points, resumes and audits them.")
    parser.add_argument("--points", type=int, default=100, help="runs that are killed; half as many are stopped (default 100)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write the report there")
    args = parser.parse_args()
    start, each = time.perf_counter(), -(-args.points // len(KILLS))
    points = harness((*KILLS * each, *STOPS * (each // 2)), args.seed)
    command = f"python perf/kills.py --points {args.points} --seed {args.seed}"
    text = f"{report(points)}\n\n`{command}` took {time.perf_counter() - start:.0f} s on {os.cpu_count()} cores.\n"
    print(text)
    if args.report:
        args.report.write_text(f"{INTRODUCTION}\n{text}")
    return int(any(p.broken for p in points))


if __name__ == "__main__":
    sys.exit(main())

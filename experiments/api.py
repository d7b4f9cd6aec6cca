"""The Python door: play, run, resume, load, open. Works in a script and in a notebook, where an event loop already runs."""
import asyncio
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import StoreError
from ..transcripts.store import Store
from ..transcripts.talk import as_text, find_run, talk
from .design import Design, make_design, read_design
from .runner import Watch, start

if TYPE_CHECKING:
    import pandas

STORE = "parlour.duckdb"
T = TypeVar("T")


@dataclass(frozen=True)
class Results:
    """One run in a store. status: done, paused, stopped at its budget, or what it was when it was loaded."""
    store: Store
    run: str
    status: str = ""

    def table(self) -> "pandas.DataFrame":
        """Mean payoffs per arm and role with intervals, beside each benchmark, computed anew from the rows."""
        import pandas

        from ..transcripts.scores import lines, score
        return pandas.DataFrame(lines(score(self.store, self.run)))

    def frame(self) -> "pandas.DataFrame":
        """One line per episode and role, cluster columns included."""
        return self.store.query("SELECT * FROM tidy WHERE run = ? ORDER BY episode, role", [self.run])

    def benchmarks(self) -> "pandas.DataFrame":
        """The analytic solutions of every arm."""
        return self.store.query("SELECT * FROM benchmark WHERE run = ?", [self.run])

    def effects(self) -> "pandas.DataFrame":
        """For a run of forks: per arm and role, forks less origins with the interval of the paired difference."""
        import pandas

        from ..transcripts.forks import effects
        from ..transcripts.scores import lines
        return pandas.DataFrame(lines(effects(self.store, self.run)))

    def hypotheses(self, level: float = 0.95) -> "pandas.DataFrame":
        """What the rows say of every hypothesis of the design, tested within its family."""
        import pandas

        from ..transcripts.hypotheses import as_rows, findings
        return pandas.DataFrame(as_rows(findings(self.store, self.run, level=level)))

    def transcript(self, episode: int = 0) -> str:
        """One episode as a talk to read."""
        return as_text(talk(self.store, self.run, episode))

    def sql(self, query: str) -> "pandas.DataFrame":
        """Any SQL over the store; see `transcripts/schema` for the tables."""
        return self.store.query(query)


def run(design: str | Path | Mapping[str, Any] | Design, store: str | Path = STORE) -> Results:
    """Runs an experiment: a TOML file, a mapping as TOML gives it, or a Design. Raises InputError for bad input."""
    from .lock import locked
    made = design if isinstance(design, Design) else (
        make_design(design) if isinstance(design, Mapping) else locked(design, read_design(design)))
    where = Store(store)
    file = None if isinstance(design, Design | Mapping) else design
    name, status = synchronous(start(made, where, file=file))
    return Results(where, name, status)


def play(game: str, fields: Mapping[str, Any] | None = None, protocol: str = "",
         protocol_fields: Mapping[str, Any] | None = None, seats: Mapping[str, Any] | None = None, wording: str = "plain",
         seed: int = 0, store: str | Path = STORE, watch: Watch | None = None) -> Results:
    """Plays one episode. Seats that are not named are taken by the mock."""
    design = one(game, fields or {}, protocol, protocol_fields or {}, seats or {}, wording, seed)
    where = Store(store)
    name, status = synchronous(start(design, where, watch))
    return Results(where, name, status)


def one(game: str, fields: Mapping[str, Any], protocol: str, protocol_fields: Mapping[str, Any], seats: Mapping[str, Any],
        wording: str, seed: int) -> Design:
    """The design of a single episode, empty seats given to the mock."""
    from .design import game_of, protocol_of
    made = game_of({"name": game, **fields})
    spec = {"name": protocol, **protocol_fields}
    empty = dict.fromkeys(protocol_of(spec, made).seats(made), "mock")
    return make_design({"name": game, "seed": seed, "episodes": 1, "concurrency": 1, "game": {"name": game, **fields},
                        "protocol": spec, "seats": {**empty, **seats}, "wordings": [wording]})


def resume(name: str = "latest", store: str | Path = STORE, budget: float | None = None, as_begun: bool = False) -> Results:
    """Takes an interrupted or paused run up again where it stood, with a larger budget if one is given.

    as_begun  go on with the design as it was begun, though its file has been changed since
    """
    from .resume import resume as take_up
    where = Store(store)
    found, status = synchronous(take_up(name, where, budget=budget, as_begun=as_begun))
    return Results(where, found, status)


def fork(episodes: str, at: int, change: str = "", times: int = 1, store: str | Path = STORE, budget: float | None = None) -> Results:
    """Plays recorded episodes ("RUN/0,2,5-9" or "RUN/all") again up to turn `at`, changes one thing, plays on, `times` each.

    change  "seat:ROLE=AGENT", "wording=NAME", "say:WORDS", or "" for nothing. See `Results.effects`. Raises InputError.
    budget  US$ for the forks; None: what their origin was given, anew
    """
    from .fork import fork as play_on
    from .fork import read_change
    where = Store(store)
    name, status = synchronous(play_on(episodes, at, read_change(change), times, where, budget=budget))
    return Results(where, name, status)


def blame(name: str = "latest", role: str = "sum", benchmark: str | None = None, ask: bool = False,
          store: str | Path = STORE, budget: float | None = None) -> "pandas.DataFrame":
    """The gap of a role (or the sum) to a benchmark, shared among the seats; `ask`: models may be asked what is not on record, for
    `budget` US$ (None: what the run was given, anew)."""
    import pandas

    from ..transcripts.scores import lines
    return pandas.DataFrame(lines(blamed(name, role, benchmark, ask, Store(store), budget)[2]))


def blamed(name: str, role: str, benchmark: str | None, ask: bool, store: Store,
           budget: float | None = None) -> tuple[str, str, list[dict[str, Any]]]:
    """(run of swaps, status, scores). A run of swaps that is named itself is not played again. Raises InputError."""
    from ..transcripts.shares import shares, swaps
    from .blame import blame as swap
    found = find_run(store, name)
    made, status = swaps(store, found), "done"
    if not made:
        found, status = synchronous(swap(found, store, role, benchmark, ask, budget=budget))
        made = swaps(store, found)
    return found, status, [line for s in made for line in shares(s, role)] if status == "done" else []


def load(name: str = "latest", store: str | Path = STORE) -> Results:
    """A run already in the store; named in full, by the start of its name, or "latest"."""
    where = Store(store)
    return Results(where, find_run(where, name))


def open(store: str | Path = STORE) -> Store:
    """A store, for SQL: `parlour.open("x.duckdb").query("SELECT ...")`. Raises StoreError if there is none."""
    where = Store(store)
    if not where.path.exists():
        raise StoreError(f"no store at {where.path}.")
    return where


def synchronous(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end, in a thread of its own where a loop already runs (a notebook). Who interrupts the wait stops
    the work as Ctrl-C does in a script: nothing goes on behind his back, and calls no model."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = Future()
    result: Future[T] = Future()

    async def noted() -> T:
        task: asyncio.Task[T] = asyncio.ensure_future(work)
        begun.set_result((asyncio.get_running_loop(), task))
        return await task

    def body() -> None:
        try:
            result.set_result(asyncio.run(noted()))
        except BaseException as error:
            result.set_exception(error)

    thread = threading.Thread(target=body)
    thread.start()
    try:
        return result.result()
    except KeyboardInterrupt:
        loop, task = begun.result()
        with suppress(RuntimeError):  # it has just ended
            loop.call_soon_threadsafe(task.cancel)
        raise
    finally:
        thread.join()

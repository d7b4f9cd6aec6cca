"""Verifies a run offline: every script is driven again by the recorded words, and everything must come out the same.

No model is called and no key is needed: the seats only repeat their recorded words, bad attempts included. Asks (who, what
is new to it, the move owed, the seed, the words it was shown), the reading of every reply, nature's draws, the play, the
payoffs, the benchmarks and the kept scores are computed anew and compared, with the hashes, and the episodes are counted.

A run that goes on, or was killed, has no hashes yet of what was played last, and scores kept then are of fewer episodes: neither is
a difference, and both are told.
"""
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import from_json

from .. import __version__
from ..registry import explain
from ..transcripts.scores import score
from ..transcripts.seal import hashes, ranges, root_of
from ..transcripts.store import Store
from .design import Design
from .plan import Table, tables
from .redrive import Arm, Diverged, Divergence, driven, records
from .sentinels import differing

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Verdict:
    """What verification found. divergence: None if everything came out the same; notes: what could not be compared, and why."""
    run: str
    episodes: int
    root: str
    divergence: Divergence | None
    notes: tuple[str, ...] = ()


def verify(store: Store, run: str) -> Verdict:
    """Verifies a run. Raises InputError if it cannot be rebuilt at all: a game, protocol or agent that is not here."""
    with store.reading(), store.open() as db:
        design = db.execute("SELECT design FROM run WHERE run = ?", [run]).fetchall()[0][0]
        now, sealed = hashes(db, run), dict(db.execute("SELECT episode, hash FROM seal WHERE run = ?", [run]).fetchall())
        episodes, root = root_of(db, run)
        noted = db.execute("SELECT root, episodes FROM root WHERE run = ? ORDER BY written DESC LIMIT 1", [run]).fetchone()
        goes_on, old = _goes_on(db, run), _scores_are_old(db, run)
        ended = {e: h for e, h in now.items() if e in sealed} if goes_on else now
        found = next(chain(_played(store, db, run, design), _texts(db, run), _missing(db, run, design, now), _hashes(ended, sealed),
                           _guarded(lambda: iter(()) if old else _scores(store, run)),
                           iter(()) if goes_on else _root(noted, (root, episodes))), None)
    return Verdict(run, len(now), root, found, tuple(_notes(len(now) - len(ended), goes_on, old)))


def _goes_on(db: "duckdb.DuckDBPyConnection", run: str) -> bool:
    """Whether a run that is not done has been played since it was last sealed: it is being played, or was cut off."""
    stop = db.execute("SELECT status FROM stop WHERE run = ? ORDER BY written DESC LIMIT 1", [run]).fetchone()
    played = db.execute("SELECT max(written) FROM (SELECT written FROM ending WHERE run = $run UNION ALL SELECT written FROM resumed "
                        "WHERE run = $run)", {"run": run}).fetchall()[0][0]
    sealed = db.execute("SELECT max(written) FROM root WHERE run = ?", [run]).fetchall()[0][0]
    return stop != ("done",) and (sealed is None or (played is not None and played > sealed))


def _scores_are_old(db: "duckdb.DuckDBPyConnection", run: str) -> bool:
    """Whether the scores kept last are older than the last episode that ended."""
    return bool(db.execute("SELECT (SELECT max(written) FROM score WHERE run = $run AND scorer = 'scores') < (SELECT max(written) FROM "
                           "ending WHERE run = $run)", {"run": run}).fetchall()[0][0])


def _notes(unsealed: int, goes_on: bool, old: bool) -> Iterator[str]:
    if goes_on:
        yield f"the run has not ended: {unsealed} of its episodes are not sealed yet, and were held to the words alone"
    if old:
        yield "the scores kept last are of fewer episodes, and were not compared: `parlour score` makes new ones"


def _hashes(now: Mapping[int, str], sealed: Mapping[int, str]) -> Iterator[Divergence]:
    for episode in sorted(now.keys() | sealed.keys()):
        if now.get(episode) != sealed.get(episode):
            yield Divergence(episode, None, "hash", sealed.get(episode), now.get(episode))


def _texts(db: "duckdb.DuckDBPyConnection", run: str) -> Iterator[Divergence]:
    """The words that a seat was shown are those whose hash its attempt has: the first attempt of which that is not so."""
    wrong = db.execute("SELECT a.episode, a.turn, a.prompt, left(sha256(t.text), 32) FROM attempt a LEFT JOIN text t ON t.hash = "
                       "a.prompt WHERE a.run = $run AND a.prompt IN (SELECT prompt FROM (SELECT DISTINCT prompt FROM attempt WHERE "
                       "run = $run) LEFT JOIN text ON hash = prompt WHERE left(sha256(text), 32) IS DISTINCT FROM prompt) "
                       "ORDER BY a.episode, a.turn LIMIT 1", {"run": run}).fetchall()
    yield from (Divergence(episode, turn, "text of the prompt", prompt, found) for episode, turn, prompt, found in wrong)


def _missing(db: "duckdb.DuckDBPyConnection", run: str, recorded: str, now: Mapping[int, str]) -> Iterator[Divergence]:
    """Of a run that says it is done, the episodes that its design has and it has not. Forks and exact branches no design counts."""
    design = Design.model_validate_json(recorded)
    status = db.execute("SELECT status FROM stop WHERE run = ? ORDER BY written DESC LIMIT 1", [run]).fetchone()
    forks = db.execute("SELECT count(*) FROM fork WHERE run = ?", [run]).fetchall()[0][0]
    if status == ("done",) and design.episodes != "exact" and not forks:
        for episode in range(int(design.episodes) * len(design.arms)):
            if episode not in now:
                yield Divergence(episode, None, "episode", None, "an episode of the design")


def _root(noted: Any, found: tuple[str, int]) -> Iterator[Divergence]:
    if noted != found:
        yield Divergence(None, None, "root", noted and noted[0], found[0])


# --- play ---------------------------------------------------------------------------------------------------------------
def _played(store: Store, db: "duckdb.DuckDBPyConnection", run: str, recorded: str) -> Iterator[Divergence]:
    """What differs when every benchmark is computed and every episode driven again."""
    try:
        design = Design.model_validate_json(recorded)
    except ValidationError as error:
        yield Divergence(None, None, "design", "a design", explain(error))
        return
    found = {t.arm.name: t for t in tables(design, seated=False)}
    yield from _benchmarks(store, run, found)
    arms = {name: Arm(table) for name, table in found.items()}
    for low, high in ranges(db, run):
        for record in records(db, run, low, high):
            try:
                driven(design, arms, record)
            except Diverged as differs:
                yield differs.divergence
            except Exception as error:
                yield _unreadable(record.number, error)
    yield from _guarded(lambda: _sentinels(store, run, design))


def _guarded(work: Callable[[], Iterator[Divergence]]) -> Iterator[Divergence]:
    try:
        yield from work()
    except Exception as error:
        yield _unreadable(None, error)


def _unreadable(episode: int | None, error: Exception) -> Divergence:
    """Rows that were tampered with may fail anywhere: that is a finding, not a crash."""
    return Divergence(episode, None, "rows", "rows that can be read", repr(error))


def _benchmarks(store: Store, run: str, found: Mapping[str, Table]) -> Iterator[Divergence]:
    rows = store.rows("SELECT arm, name, kind, source, value, measures, note FROM benchmark WHERE run = ? ORDER BY arm, name", [run])
    kept = {(r.pop("arm"), r["name"]): {k: _parsed(v) for k, v in r.items()} for r in rows}
    now = {(arm, b.name): b.model_dump(mode="json") for arm, t in found.items() for b in t.benchmarks}
    for key in sorted(kept.keys() | now.keys()):
        if kept.get(key) != now.get(key):
            yield Divergence(None, None, f"benchmark {key[1]} of arm '{key[0]}'", kept.get(key), now.get(key))


def _sentinels(store: Store, run: str, design: Design) -> Iterator[Divergence]:
    """Every sentinel on record, put and read again."""
    for row in store.rows("SELECT * FROM sentinel WHERE run = ? ORDER BY round, item, written", [run]):
        for name, old, new in differing(design, row):
            yield Divergence(None, None, f"sentinel {row['item']} of round {row['round']}, {name}", old, new)


def _scores(store: Store, run: str) -> Iterator[Divergence]:
    """The scores kept last, if they are this version's, against the same computed anew."""
    names = ("arm", "role", "quantity", "benchmark", "value", "low", "high", "worst", "best", "n", "clusters", "method", "note")
    mine = "run = $1 AND version = $2 AND scorer = 'scores'"
    kept = store.rows(f"SELECT {', '.join(names)}, coalesce(level, 0.95) AS level FROM score WHERE {mine} AND written = "
                      f"(SELECT max(written) FROM score WHERE {mine}) ORDER BY rowid", [run, __version__])
    level = {r.pop("level") for r in kept}
    now = [{k: s[k] for k in names} for s in score(store, run, keep=False, level=level.pop())] if kept else []
    for old, new in zip_longest(kept, now):
        if old != new:
            which = old or new or {}
            yield Divergence(None, None, f"score {which.get('quantity')} of {which.get('role')} in arm '{which.get('arm')}'", old, new)


def _parsed(value: Any) -> Any:
    """A JSON column as what it holds; anything else as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        return from_json(value)
    return value

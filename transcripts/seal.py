"""Hashes that show whether a run's rows are those that were written.

An episode's hash is the SHA-256 of its rows in tables episode, ask, call, attempt, draw, ending and payoff, each as JSON with
every column, sorted. A run's root is the SHA-256 of its rows in run, arm, benchmark and sentinel, and of every sealed episode's hash.
Seals are made when a run ends and kept; the root is printed, so that who notes it down can tell even seals made anew.
"""
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .store import Store, spare

if TYPE_CHECKING:
    import duckdb

PARTS = ("episode", "ask", "call", "attempt", "draw", "ending", "payoff")
HEAD = ("run", "arm", "benchmark", "sentinel")
ROWS = 50_000

_LINES = " UNION ALL ".join(f"SELECT x.episode, '{t}' || to_json(x)::VARCHAR AS line FROM {t} x "
                            "WHERE x.run = $run AND x.episode >= $low AND x.episode < $high" for t in PARTS)
HASHES = (f"SELECT episode, sha256(string_agg(line, chr(10) ORDER BY line)) AS hash FROM ({_LINES}) WHERE episode IN "
          "(SELECT episode FROM ending WHERE run = $run AND episode >= $low AND episode < $high) GROUP BY episode ORDER BY episode")


def seal(store: Store, run: str) -> str:
    """Seals the ended episodes of a run that are not yet sealed, and returns the run's root, which is kept too."""
    with store.open(write=True) as db:
        spare(db)
        now = time.time()
        db.execute("BEGIN")
        for low, high in ranges(db, run):
            db.execute(f"INSERT INTO seal SELECT $run, episode, $now, hash FROM ({HASHES}) WHERE episode NOT IN "
                       "(SELECT episode FROM seal WHERE run = $run)", {"run": run, "low": low, "high": high, "now": now})
        episodes, root = root_of(db, run)
        db.execute("INSERT INTO root VALUES (?, ?, ?, ?)", [run, now, episodes, root])
        db.execute("COMMIT")
    return root


def noted(store: Store, run: str) -> str | None:
    """The root a run was last sealed with; None if it never ended."""
    found = store.rows("SELECT root FROM root WHERE run = ? ORDER BY written DESC LIMIT 1", [run])
    return str(found[0]["root"]) if found else None


def hashes(db: "duckdb.DuckDBPyConnection", run: str) -> dict[int, str]:
    """Episode -> hash of its rows as they are now, for every episode that has ended."""
    found: dict[int, str] = {}
    for low, high in ranges(db, run):
        found |= db.execute(HASHES, {"run": run, "low": low, "high": high}).fetchall()
    return found


def ranges(db: "duckdb.DuckDBPyConnection", run: str, rows: int = ROWS) -> Iterator[tuple[int, int]]:
    """Ranges low <= episode < high that cover a run, each with about so many replies: what is held at a time does not grow."""
    first, last, replies = db.execute("SELECT min(episode), max(episode), count(*) FROM attempt WHERE run = ?", [run]).fetchall()[0]
    ends = db.execute("SELECT min(episode), max(episode) FROM ending WHERE run = ?", [run]).fetchall()[0]
    low, high = (f([x for x in xs if x is not None], default=None) for f, xs in ((min, (first, ends[0])), (max, (last, ends[1]))))
    if low is None or high is None:
        return
    step = max(1, rows * (high - low + 1) // max(1, replies))
    yield from ((at, at + step) for at in range(low, high + 1, step))


def root_of(db: "duckdb.DuckDBPyConnection", run: str) -> tuple[int, str]:
    """(sealed episodes, root) of a run, from its seals and its head."""
    rows = " UNION ALL ".join(f"SELECT '{t}' || to_json(x)::VARCHAR AS line FROM {t} x WHERE x.run = $run" for t in HEAD)
    seals = "SELECT 'seal' || episode || ' ' || hash AS line FROM seal WHERE run = $run"
    found: Any = db.execute(f"SELECT count(*) FILTER (line LIKE 'seal%'), sha256(string_agg(line, chr(10) ORDER BY line)) "
                            f"FROM ({rows} UNION ALL {seals})", {"run": run}).fetchone()
    return int(found[0]), str(found[1])

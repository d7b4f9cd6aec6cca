"""Hashes that show whether a run's rows are those that were written.

An episode's hash is the SHA-256 of its rows in tables episode, ask, call, attempt, draw, ending and payoff, each as JSON with
every column, sorted. A run's root is the SHA-256 of its rows in run, arm and benchmark, and of every sealed episode's hash.
Seals are made when a run ends and kept; the root is printed, so that who notes it down can tell even seals made anew.
"""
import time
from typing import TYPE_CHECKING, Any

from .store import Store

if TYPE_CHECKING:
    import duckdb

PARTS = ("episode", "ask", "call", "attempt", "draw", "ending", "payoff")
HEAD = ("run", "arm", "benchmark")


def seal(store: Store, run: str) -> str:
    """Seals the ended episodes of a run that are not yet sealed, and returns the run's root, which is kept too."""
    with store.open(write=True) as db:
        db.execute("SET threads = 1")  # as in taking: more cost more and are hardly sooner done
        kept = dict(db.execute("SELECT episode, hash FROM seal WHERE run = ?", [run]).fetchall())
        now = time.time()
        fresh = {e: h for e, h in hashes(db, run).items() if e not in kept}
        db.execute("INSERT INTO seal SELECT ?, unnest(?::INTEGER[]), ?, unnest(?::VARCHAR[])",
                   [run, list(fresh), now, list(fresh.values())])
        episodes, root = root_of(db, run)
        db.execute("INSERT INTO root VALUES (?, ?, ?, ?)", [run, now, episodes, root])
    return root


def noted(store: Store, run: str) -> str | None:
    """The root a run was last sealed with; None if it never ended."""
    found = store.rows("SELECT root FROM root WHERE run = ? ORDER BY written DESC LIMIT 1", [run])
    return str(found[0]["root"]) if found else None


def hashes(db: "duckdb.DuckDBPyConnection", run: str) -> dict[int, str]:
    """Episode -> hash of its rows as they are now, for every episode that has ended."""
    rows = " UNION ALL ".join(f"SELECT x.episode, '{t}' || to_json(x)::VARCHAR AS line FROM {t} x WHERE x.run = $run" for t in PARTS)
    found = db.execute(f"SELECT episode, sha256(string_agg(line, chr(10) ORDER BY line)) FROM ({rows}) "
                       "WHERE episode IN (SELECT episode FROM ending WHERE run = $run) GROUP BY episode ORDER BY episode", {"run": run})
    return dict(found.fetchall())


def root_of(db: "duckdb.DuckDBPyConnection", run: str) -> tuple[int, str]:
    """(sealed episodes, root) of a run, from its seals and its head."""
    rows = " UNION ALL ".join(f"SELECT '{t}' || to_json(x)::VARCHAR AS line FROM {t} x WHERE x.run = $run" for t in HEAD)
    seals = "SELECT 'seal' || episode || ' ' || hash AS line FROM seal WHERE run = $run"
    found: Any = db.execute(f"SELECT count(*) FILTER (line LIKE 'seal%'), sha256(string_agg(line, chr(10) ORDER BY line)) "
                            f"FROM ({rows} UNION ALL {seals})", {"run": run}).fetchone()
    return int(found[0]), str(found[1])

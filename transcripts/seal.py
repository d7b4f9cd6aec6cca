"""Hashes that show whether a run's rows are those that were written.

An episode's hash is the SHA-256 of its rows in the tables of `PARTS`, each as JSON with every column, sorted. The texts that its
prompts name are named by their own hash. A run's root is the SHA-256 of its rows in the tables of `HEAD`, and of every sealed
episode's hash. Seals are made when a run ends and kept; the root is printed, so that who notes it down can tell even seals made anew.
"""
import time
from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from .store import Store, spare, vector

if TYPE_CHECKING:
    import duckdb

PARTS = ("episode", "fork", "ask", "call", "unmade", "attempt", "draw", "ending", "payoff")
HEAD = ("run", "resumed", "arm", "benchmark", "sentinel", "consent")
SPAN = 4 * 2**20
"""Bytes of a journal whose rows are sealed at a time."""

WIDER = 16 * 2**20
"""The same where DuckDB may hold what it likes."""

LINES = 10_000
"""Lines of a run's root that are read at a time."""


def seal(store: Store, run: str) -> str:
    """Seals the ended episodes of a run that are not yet sealed, and returns the run's root, which is kept too."""
    with store.open(write=True) as db:
        now = time.time()
        spare(db, vector(db))
        db.execute("BEGIN")
        for low, high in ranges(db, run, SPAN):
            found = hashed(db, run, low, high)
            db.execute("INSERT INTO seal SELECT $run, * FROM (SELECT unnest($episodes) AS episode, $now, unnest($hashes)) WHERE episode "
                       "NOT IN (SELECT episode FROM seal WHERE run = $run AND episode >= $low AND episode < $high)",
                       {"run": run, "low": low, "high": high, "now": now, "episodes": list(found), "hashes": list(found.values())})
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
        found |= hashed(db, run, low, high)
    return found


def hashed(db: "duckdb.DuckDBPyConnection", run: str, low: int, high: int) -> dict[int, str]:
    """The same of a range low <= episode < high. DuckDB could sort and hash too, at twice the time and many times the memory."""
    some = "WHERE run = $run AND episode >= $low AND episode < $high"
    key = {"run": run, "low": low, "high": high}
    lines: dict[int, list[str]] = {e: [] for e, in db.execute(f"SELECT episode FROM ending {some} ORDER BY episode", key).fetchall()}
    for table in PARTS:
        rows = f"SELECT episode, '{table}' || to_json(x)::VARCHAR FROM {table} x {some}"  # x: a table may have a column of its name
        for episode, line in db.execute(rows, key).fetchall():
            if episode in lines:
                lines[episode].append(line)
    return {episode: sha256("\n".join(sorted(some)).encode()).hexdigest() for episode, some in lines.items()}


def ranges(db: "duckdb.DuckDBPyConnection", run: str, span: int = WIDER) -> Iterator[tuple[int, int]]:
    """Ranges low <= episode < high that cover a run, each of about so many bytes: what is held at a time does not grow."""
    low, high = _covered(db, run)
    step = max(1, span // _average(db, run))
    yield from ((at, min(at + step, high)) for at in range(low, high, step))


def _covered(db: "duckdb.DuckDBPyConnection", run: str) -> tuple[int, int]:
    """The range of a run's episodes; (0, 0) if it has none."""
    low, high = db.execute("SELECT min(episode), max(episode) + 1 FROM (SELECT episode FROM attempt WHERE run = $run UNION ALL "
                           "SELECT episode FROM ending WHERE run = $run)", {"run": run}).fetchall()[0]
    return (0, 0) if low is None else (low, high)


def _average(db: "duckdb.DuckDBPyConnection", run: str) -> int:
    """Bytes of an episode's rows as JSON, about: those of its run's journal, as far as it was taken, by the range of episodes."""
    low, high = _covered(db, run)
    found = db.execute("SELECT bytes FROM taken WHERE journal = ?", [f"{run}.jsonl"]).fetchone()
    return max(1, int(found[0]) // max(1, high - low)) if found else 1


def root_of(db: "duckdb.DuckDBPyConnection", run: str) -> tuple[int, str]:
    """(sealed episodes, root) of a run, from its seals and its head."""
    rows = " UNION ALL ".join(f"SELECT '{t}' || to_json(x)::VARCHAR AS line FROM {t} x WHERE x.run = $run" for t in HEAD)
    seals = "SELECT 'seal' || episode || ' ' || hash AS line FROM seal WHERE run = $run"
    found = db.execute(f"SELECT line FROM ({rows} UNION ALL {seals}) ORDER BY line", {"run": run})
    episodes, before, hashed = 0, "", sha256()
    while lines := found.fetchmany(LINES):
        hashed.update((before + "\n".join(line for line, in lines)).encode())
        episodes += sum(line.startswith("seal") for line, in lines)
        before = "\n"
    return episodes, hashed.hexdigest()

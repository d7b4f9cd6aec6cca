"""A run out of the store: Parquet, JSON lines, or tidy long CSV with cluster columns."""
from pathlib import Path

from ..errors import InputError, StoreError
from .store import TABLES, Store

FORMATS = ("csv", "jsonl", "parquet")
EVERY = (*TABLES, "payoff", "score", "seal", "root", "text")


def export(store: Store, run: str, to: Path, kind: str) -> list[Path]:
    """Writes a run; the files written.

    csv      one file: a line per episode and role (view `tidy`), with stratum, wording, persona, replicate and weight
    jsonl, parquet   a folder with a file per table
    Raises InputError for another format, StoreError if it cannot be written. Nothing half-written: files are renamed in.
    """
    if kind not in FORMATS:
        raise InputError(f"no format '{kind}'; there are: {', '.join(FORMATS)}.")
    if kind == "csv":
        return [_copy(store, "SELECT * FROM tidy WHERE run = $run ORDER BY episode, role", run, to, "FORMAT csv, HEADER")]
    option = "FORMAT parquet, COMPRESSION zstd" if kind == "parquet" else "FORMAT json"
    return [_copy(store, _select(table), run, to / f"{table}.{kind}", option) for table in EVERY]


def _select(table: str) -> str:
    if table == "text":
        return ("SELECT * FROM text WHERE hash IN (SELECT prompt FROM attempt WHERE run = $run UNION ALL "
                "SELECT prompt FROM sentinel WHERE run = $run UNION ALL SELECT prompt FROM consent WHERE run = $run) ORDER BY hash")
    order = " ORDER BY episode" if table in ("episode", "ending", "ask", "call", "attempt", "draw", "payoff") else ""
    return f"SELECT * FROM {table} WHERE run = $run{order}"


def _copy(store: Store, select: str, run: str, to: Path, option: str) -> Path:
    import duckdb

    part = to.with_name(to.name + ".part")
    quoted = run.replace("'", "''")
    target = str(part).replace("'", "''")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with store.open() as db:
            db.execute(f"COPY ({select}) TO '{target}' ({option})".replace("$run", f"'{quoted}'"))
        part.rename(to)
    except (OSError, duckdb.Error) as error:
        part.unlink(missing_ok=True)
        raise StoreError(f"cannot write {to}: {str(error).splitlines()[0]}") from None
    return to

"""The store: one DuckDB file that takes journals in. Opened only for the moment, so that others may open it in between."""
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib import resources
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import RLock, get_ident
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from .damage import damaged, held, recognise, whole
from .journal import read

if TYPE_CHECKING:
    import duckdb
    import pandas

COLUMNS = {
    "k": "VARCHAR", "run": "VARCHAR", "written": "DOUBLE", "name": "VARCHAR", "seed": "BIGINT", "design": "JSON",
    "versions": "JSON",
    "commit": "VARCHAR", "status": "VARCHAR", "why": "VARCHAR", "arm": "VARCHAR", "game": "VARCHAR", "game_fields": "JSON",
    "protocol": "VARCHAR", "protocol_fields": "JSON", "rules": "JSON", "seats": "JSON", "exact": "BOOLEAN", "kind": "VARCHAR",
    "source": "VARCHAR", "value": "JSON", "measures": "JSON", "note": "VARCHAR", "e": "INTEGER", "wording": "VARCHAR",
    "persona": "VARCHAR", "stratum": "VARCHAR", "weight": "DOUBLE", "replicate": "INTEGER", "state": "JSON", "play": "JSON",
    "t": "INTEGER", "b": "INTEGER", "role": "VARCHAR", "want": "VARCHAR", "optional": "BOOLEAN", "news": "JSON", "n": "INTEGER",
    "words": "VARCHAR", "verdict": "VARCHAR", "complaint": "VARCHAR", "finish": "VARCHAR", "move": "JSON", "prompt": "VARCHAR",
    "model": "VARCHAR", "tokens_in": "INTEGER", "tokens_out": "INTEGER", "cost": "DOUBLE", "latency": "DOUBLE", "what": "VARCHAR",
    "chances": "DOUBLE[]", "draw": "INTEGER", "hash": "VARCHAR", "text": "VARCHAR",
    "cached": "BOOLEAN", "fingerprint": "VARCHAR", "spent": "DOUBLE",
    "payoffs": "STRUCT(role VARCHAR, gross DOUBLE, fee DOUBLE, net DOUBLE, mean DOUBLE, low DOUBLE, high DOUBLE)[]",
    "origin_run": "VARCHAR", "origin_episode": "INTEGER", "copy": "INTEGER", "change": "JSON", "luck": "VARCHAR", "tape": "VARCHAR",
    "agreed": "BOOLEAN", "round": "INTEGER", "item": "INTEGER", "spec": "JSON", "differs": "JSON",
}
"""Everything an event may hold, with its type in the store."""

TABLES = {
    "run": ("run", "run, written, name, seed, design, versions, commit"),
    "resumed": ("resume", "run, written, versions, commit, differs"),
    "stop": ("stop", "run, written, status, why, spent"),
    "arm": ("arm", "run, arm, game, game_fields, protocol, protocol_fields, rules, seats, exact"),
    "benchmark": ("benchmark", "run, arm, name, kind, source, value, measures, note"),
    "episode": ("episode", "run, e, written, arm, wording, persona, stratum, weight, replicate, seed, state"),
    "ending": ("end", "run, e, written, status, why, play"),
    "ask": ("ask", "run, e, t, written, b, role, want, optional, seed, news"),
    "call": ("call", "run, e, t, n, written"),
    "attempt": ("reply", "run, e, t, n, written, words, verdict, complaint, finish, move, prompt, model, tokens_in, tokens_out, "
                         "cost, latency, cached, fingerprint"),
    "unmade": ("unmade", "run, e, t, n, written"),
    "sentinel": ("sentinel", "run, round, item, n, written, spec, seed, verdict, words, complaint, finish, prompt, model, tokens_in, "
                             "tokens_out, cost, latency, cached, fingerprint"),
    "consent": ("consent", "run, role, name, written, agreed, prompt"),
    "draw": ("draw", "run, e, t, written, what, chances, draw"),
    "fork": ("fork", "run, e, origin_run, origin_episode, copy, t, change, luck, tape"),
}
"""Table -> (event kind, its columns in the order of the schema)."""

ONE_AT_A_TIME = RLock()
"""Two threads of a process must not both write: DuckDB would let both begin and fail one of them."""

BATCH = 8 * 2**20
"""Bytes of a journal taken in at a time."""

MEMORY = 64 * 2**20
"""Bytes DuckDB may hold while it takes, seals or compacts. It uses what it is given, to keep what it has read: with four times as
much, a run of a million turns had twice the peak of a short one."""

ROOM = 48
"""Times its longest line that a batch needs besides."""

PATIENCE = 10.0
"""Seconds to wait for another process to close a store."""

BLOCK = 2**16
"""Bytes of a block of a new store: a column takes whole blocks, and DuckDB's own of 256 KB are mostly empty in a short run."""


class Store:
    """A store file. Every method opens it, does its work in one transaction, and closes it."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._held: duckdb.DuckDBPyConnection | None = None

    @property
    def journals(self) -> Path:
        """The folder beside the store in which its runs keep their journals."""
        return self.path.with_suffix(".journals")

    @contextmanager
    def open(self, write: bool = False, patience: float | None = None) -> Iterator["duckdb.DuckDBPyConnection"]:
        """A connection. Waits up to `patience` seconds (None: PATIENCE) for another process to close the file. Raises StoreError,
        also where a file turns out to be damaged while it is read."""
        if not write and not self.path.exists():
            raise StoreError(f"no store at {self.path}: run an experiment first, or name one with --store.")
        if self._held and not write:
            yield self._held
            return
        with ONE_AT_A_TIME if write else nullcontext():
            connection = self._connect(write, PATIENCE if patience is None else patience)
            try:
                with whole(self.path, self.journals):
                    _check(connection, self.path, write)
                    yield connection
            finally:
                connection.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keeps the store open for the many queries of one reader. Nobody can write meanwhile, this process neither."""
        if self._held:
            yield
            return
        with self.open() as self._held:
            try:
                yield
            finally:
                self._held = None

    def _connect(self, write: bool, patience: float) -> "duckdb.DuckDBPyConnection":
        import duckdb

        if write and not self.path.exists():
            self._create()
        recognise(self.path, self.journals)
        until = time.monotonic() + patience
        while True:
            before = _inode(self.path)
            try:
                db = duckdb.connect(str(self.path), read_only=not write)
                if _inode(self.path) == before:
                    return db
                db.close()  # another process has put a compacted file in its place meanwhile: this one has lost its name
            except duckdb.Error as error:
                if not held(error):
                    raise damaged(self.path, self.journals, str(error)) from None
                if time.monotonic() > until:
                    raise StoreError(f"{self.path} is held open by another process: close it there, then try again.") from None
                time.sleep(0.05)

    def _create(self) -> None:
        """Makes a new store beside its place and moves it there whole: none is ever found half made, whenever one is killed."""
        import duckdb

        new = self.path.with_name(f"{self.path.name}.new-{os.getpid()}-{get_ident()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with duckdb.connect(str(new), config={"default_block_size": BLOCK}) as db:
                _check(db, self.path, write=True)
                db.execute("CHECKPOINT")  # closing would do it, but keep quiet should it fail
            if not self.path.exists():  # another process may have been faster
                new.rename(self.path)
        except (duckdb.Error, OSError) as error:
            raise StoreError(f"cannot write {self.path}: {_first_line(error)}. Choose another place with --store.") from None
        finally:
            for rest in (new, new.with_name(f"{new.name}.wal")):
                rest.unlink(missing_ok=True)

    def take(self, journal: Path, patience: float | None = None) -> int:
        """Takes in what is new in a journal; the number of bytes. Taking twice adds nothing. Raises StoreError."""
        import duckdb

        if not journal.exists():
            raise StoreError(f"no journal at {journal}.")
        try:
            return self._take(journal, patience)
        except (duckdb.Error, OSError) as error:
            raise StoreError(f"cannot take {journal} into {self.path}: {_first_line(error)}. The journal is kept whole: make "
                             "room, then resume the run.") from None

    def _take(self, journal: Path, patience: float | None) -> int:
        taken, name, end = 0, journal.name, _settled(journal)
        with self.open(write=True, patience=patience) as db:
            found = db.execute("SELECT bytes FROM taken WHERE journal = ?", [name]).fetchone()
            at = found[0] if found else 0
            self._longer(journal, end, at)
            if not found:
                _new(db, journal, self.path)
            while slice_ := _slice(journal, at, end):
                spare(db, max(ROOM * max(map(len, BytesIO(slice_))), vector(db)))
                db.execute("BEGIN")
                _insert(db, slice_, journal)
                at += len(slice_)
                db.execute("INSERT OR REPLACE INTO taken VALUES (?, ?)", [name, at])
                db.execute("COMMIT")
                taken += len(slice_)
        return taken

    def fits(self, journal: Path) -> None:
        """Raises StoreError if a journal is shorter than what has been taken of it; a store that is not there yet has nothing."""
        if self.path.exists():
            with self.open(write=True) as db:
                found = db.execute("SELECT bytes FROM taken WHERE journal = ?", [journal.name]).fetchone()
            self._longer(journal, journal.stat().st_size, found[0] if found else 0)

    def _longer(self, journal: Path, size: int, taken: int) -> None:
        if size < taken:
            raise StoreError(f"journal {journal} has been cut: {taken} bytes of it are in {self.path}, and {size} are left. Restore it "
                             "from a copy.")

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> "pandas.DataFrame":
        """The answer of one SQL query as a DataFrame; the store is opened read-only. Raises StoreError for bad SQL."""
        import duckdb

        with self.open() as db:
            try:
                return db.execute(sql, list(parameters)).df()
            except duckdb.Error as error:
                raise StoreError(f"the query failed: {_first_line(error)}") from None

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The answer of one SQL query as dicts."""
        with self.open() as db:
            found = db.execute(sql, list(parameters))
            names = [d[0] for d in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def spare(db: "duckdb.DuckDBPyConnection", room: int = 0) -> None:
    """Makes a connection frugal, for work on much of a store: more threads are hardly sooner done, and cost half as much again.
    `room` is what long texts need besides."""
    db.execute("SET threads = 1")
    db.execute(f"SET memory_limit = '{MEMORY + room}B'")


def vector(db: "duckdb.DuckDBPyConnection") -> int:
    """The room that the texts of a store need: DuckDB reads 2,048 rows at a time, which hold about as much as their journals did."""
    taken, replies = db.execute("SELECT (SELECT coalesce(sum(bytes), 0) FROM taken), (SELECT count(*) FROM attempt)").fetchall()[0]
    return 8 * int(taken * min(1.0, 2048 / max(1, replies)))


def _inode(path: Path) -> int | None:
    """Which file has the name; None: none."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _check(db: "duckdb.DuckDBPyConnection", path: Path, write: bool) -> None:
    """Refuses a foreign or newer file; brings an older or empty one up to date if it may be written."""
    version = _version(db)
    if version == 0 and db.execute("SELECT table_name FROM duckdb_tables()").fetchone():
        raise StoreError(f"{path} is a database of another program: nothing was changed. Choose another file with --store.")
    scripts = _migrations()
    if version > len(scripts):
        raise StoreError(f"{path} was written by a newer Parlour (schema {version}, this one knows {len(scripts)}): upgrade.")
    if version < len(scripts):
        if not write:
            raise StoreError(f"{path} has the older schema {version}: run `parlour score` on it once to bring it up to date.")
        for number in range(version, len(scripts)):
            db.execute("BEGIN")
            db.execute(scripts[number])
            db.execute("INSERT INTO parlour VALUES (?)", [number + 1])
            db.execute("COMMIT")


def _version(db: "duckdb.DuckDBPyConnection") -> int:
    """The schema a file has; 0: none. The table itself is asked: to list all tables takes longer than to read a transcript."""
    import duckdb

    try:
        found = db.execute("SELECT max(version) FROM parlour").fetchone()
    except (duckdb.CatalogException, duckdb.BinderException):
        return 0
    return int(found[0] or 0) if found else 0


def _migrations() -> list[str]:
    folder = resources.files(__package__) / "schema"
    return [f.read_text() for f in sorted(folder.iterdir(), key=lambda f: f.name) if f.name.endswith(".sql")]


def _settled(journal: Path) -> int:
    """The size of a journal now, all of it on the disk: the store must not know what a power cut may yet take away, and must
    not run after a journal that grows meanwhile."""
    with journal.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        os.fsync(file.fileno())
    return size


def _new(db: "duckdb.DuckDBPyConnection", journal: Path, store: Path) -> None:
    """Refuses a journal whose run has come in from another: a copy, or one that was renamed, would be counted twice."""
    run = next((e.get("run") for e in read(journal)), None)
    if db.execute("SELECT 1 FROM run WHERE run = ?", [run]).fetchone():
        raise StoreError(f"journal {journal} holds run {run}, which is in {store} already: it is a copy, or has been renamed. Move it "
                         "away, or give it back its name.")


def _slice(journal: Path, at: int, end: int) -> bytes:
    """The next whole lines of a journal that begin before `end`, about a batch of them."""
    with journal.open("rb") as file:
        file.seek(at)
        data = file.read(max(0, min(BATCH, end - at)))
        if data and not data.endswith(b"\n"):
            data += file.readline()
    return data[:data.rfind(b"\n") + 1]


def _insert(db: "duckdb.DuckDBPyConnection", lines: bytes, journal: Path) -> None:
    """Inserts the events of some lines, clustered by episode so that one transcript is found without an index."""
    import duckdb

    longest = max(2**20, *map(len, BytesIO(lines)))  # DuckDB reads into a buffer of twice the longest line it is told of
    with NamedTemporaryFile(suffix=".jsonl") as file:
        file.write(lines)
        file.flush()
        try:
            db.execute("CREATE OR REPLACE TEMP TABLE line AS SELECT * FROM read_json(?, format = 'newline_delimited', "
                       f"maximum_object_size = {longest + 1}, columns = {COLUMNS})", [file.name])
        except duckdb.Error as error:
            raise StoreError(f"{journal} is not a Parlour journal: {_first_line(error)}") from None
    for table, (kind, columns) in TABLES.items():
        order = " ORDER BY e, t, n" if columns.startswith("run, e, ") else ""
        db.execute(f"INSERT INTO {table} SELECT {columns} FROM line WHERE k = '{kind}'{order}")
    db.execute("INSERT INTO text SELECT DISTINCT hash, text FROM line WHERE k = 'text' AND hash NOT IN (SELECT hash FROM text)")
    db.execute("INSERT INTO payoff SELECT run, e, unnest(p) FROM (SELECT run, e, unnest(payoffs) AS p FROM line WHERE k = 'end' "
               "ORDER BY e)")
    db.execute("DROP TABLE line")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]

"""Replies of models, kept for asking the same again: one SQLite file that several runs may use at once.

The key of a reply is a hash of all that can change it: provider, endpoint, model, messages, schema, every sampling parameter,
for the mock its version, and the draw. The draw is the seed of the ask, a function of (run seed, episode, role, turn):
the same design under the same seed, begun anew or resumed, meets the same replies; two episodes with the same prompt
stay two draws. Which try of a failing service it was is no part of it.
"""
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any, Literal

from ..errors import NotKept, StoreError
from ..protocols.seat import Reply
from .mock import VERSION

Mode = Literal["read-write", "read-only"]
FORMAT = 1
PARLOUR = 0x5041524C
"""SQLite's application_id, by which a file of another program is told."""
SCHEMA = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS reply (
        key TEXT PRIMARY KEY, written REAL, words TEXT, finish TEXT, model TEXT, tokens_in INTEGER, tokens_out INTEGER,
        fingerprint TEXT
    ) WITHOUT ROWID;
    PRAGMA application_id = {PARLOUR};
    PRAGMA user_version = {FORMAT};
    COMMIT"""


def key_of(provider: str, endpoint: str | None, request: Mapping[str, Any], body: Mapping[str, Any], seed: int) -> str:
    """The key of the reply to a request; `body` holds what the OpenAI interface does not name."""
    asked = dict(body)
    mock = VERSION if "parlour" in asked else None
    if mock is not None:
        asked["parlour"] = {k: v for k, v in asked["parlour"].items() if k != "try"}
    return sha256(dumps([provider, endpoint, request, asked, mock, seed], sort_keys=True).encode()).hexdigest()


@dataclass
class Cache:
    """Opened at the first use. Raises StoreError for a file that cannot be used, or that is not there to be read."""
    path: Path
    mode: Mode
    _file: sqlite3.Connection | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.mode == "read-only" and not self.path.exists():
            raise StoreError(f"no cache at {self.path}: fill one first, with cache = \"read-write\".")

    def get(self, key: str) -> Reply | None:
        """The reply on record, marked as cached and free of charge. Raises NotKept for one missing in read-only mode."""
        row = self._do("SELECT words, finish, model, tokens_in, tokens_out, fingerprint FROM reply WHERE key = ?", (key,))
        if row is not None:
            words, finish, model, asked, said, fingerprint = row
            return Reply(words, finish, model, asked, said, 0.0, fingerprint=fingerprint, cached=True)
        if self.mode == "read-only":
            raise NotKept(f"an answer is not in the cache {self.path}, which is only read: the design, its seed or a model "
                          "differs from what filled it. Use cache = \"read-write\" to ask for what is missing.")
        return None

    def put(self, key: str, reply: Reply) -> None:
        """Keeps a reply; of two under one key the first stays."""
        self._do("INSERT OR IGNORE INTO reply VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                 (key, time.time(), reply.words, reply.finish, reply.model, reply.tokens_in, reply.tokens_out, reply.fingerprint))

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def _do(self, sql: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        try:
            if self._file is None:
                self._file = _opened(self.path, self.mode)
            row: tuple[Any, ...] | None = self._file.execute(sql, values).fetchone()
            return row
        except sqlite3.Error as error:
            raise StoreError(f"the cache {self.path} cannot be used: {error}. Give the store another place, or remove the "
                             "file.") from None


def _opened(path: Path, mode: Mode) -> sqlite3.Connection:
    """A connection in which every statement is its own transaction. Raises StoreError for another program's or a newer file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = sqlite3.connect(f"{path.absolute().as_uri()}?mode={'ro' if mode == 'read-only' else 'rwc'}", uri=True, timeout=30,
                           isolation_level=None, check_same_thread=False)
    try:
        _admit(file, path, mode)
    except BaseException:
        file.close()
        raise
    return file


def _admit(file: sqlite3.Connection, path: Path, mode: Mode) -> None:
    owner, = file.execute("PRAGMA application_id").fetchone()
    format_, = file.execute("PRAGMA user_version").fetchone()
    tables, = file.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if owner != PARLOUR and (tables or mode == "read-only"):
        raise StoreError(f"{path} is a file of another program: nothing was changed. Choose another store with --store.")
    if format_ > FORMAT:
        raise StoreError(f"{path} was written by a newer Parlour (format {format_}, this one knows {FORMAT}): upgrade.")
    if mode == "read-write":
        if owner != PARLOUR:
            file.executescript(SCHEMA)
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")

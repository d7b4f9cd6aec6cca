"""Verifies a run offline: every script is driven again by the recorded words, and everything must come out the same.

No model is called and no key is needed: the seats only repeat their recorded words, bad attempts included. Asks (who, what
is new to it, the move owed, the seed, the words it was shown), the reading of every reply, nature's draws, the play, the
payoffs, the benchmarks and the kept scores are computed anew and compared, and the hashes with them.
"""
import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, zip_longest
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from .. import __version__
from ..errors import Transient
from ..games.base import Role
from ..protocols.codec import decode
from ..protocols.seat import Agent, Reply, Turn
from ..protocols.session import Event, Session
from ..registry import explain, load
from ..transcripts.journal import hash_of
from ..transcripts.scores import score
from ..transcripts.seal import hashes, root_of
from ..transcripts.store import Store
from .design import Design
from .plan import Table, seed_at, tables
from .runner import end_event

BATCH = 500
"""Episodes read from the store at a time, so that memory does not grow with the run."""


@dataclass(frozen=True)
class Divergence:
    """The first thing that did not come out as recorded."""
    episode: int | None
    turn: int | None
    field: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        where = "".join((f"episode {self.episode}, " if self.episode is not None else "",
                         f"turn {self.turn}, " if self.turn is not None else ""))
        return f"{where}{self.field}: recorded {_short(self.expected)}, found {_short(self.found)}"


@dataclass(frozen=True)
class Verdict:
    """What verification found. divergence: None if everything came out the same."""
    run: str
    episodes: int
    root: str
    divergence: Divergence | None


class Witness(Agent):
    """Repeats what a seat is on record as having said: words and finish of every attempt, ask by ask."""
    said: tuple[tuple[tuple[str, str], ...], ...]

    async def reply(self, turn: Turn) -> Reply:
        return self._recorded(turn)

    def mixture(self, turn: Turn) -> tuple[tuple[float, str], ...]:
        return ((1.0, self._recorded(turn).words),)

    def _recorded(self, turn: Turn) -> Reply:
        attempts = self.said[turn.ordinal] if turn.ordinal < len(self.said) else ()
        if len(turn.attempts) >= len(attempts):
            raise Transient("the record ends here")
        words, finish = attempts[len(turn.attempts)]
        return Reply(words, finish)  # type: ignore[arg-type]  # a finish as it was recorded


def verify(store: Store, run: str) -> Verdict:
    """Verifies a run. Raises InputError if it cannot be rebuilt at all: a game, protocol or agent that is not here."""
    with store.reading(), store.open() as db:
        design = db.execute("SELECT design FROM run WHERE run = ?", [run]).fetchall()[0][0]
        now, sealed = hashes(db, run), dict(db.execute("SELECT episode, hash FROM seal WHERE run = ?", [run]).fetchall())
        episodes, root = root_of(db, run)
        noted = db.execute("SELECT root, episodes FROM root WHERE run = ? ORDER BY written DESC LIMIT 1", [run]).fetchone()
        found = next(chain(_played(store, run, design), _hashes(now, sealed), _root(noted, (root, episodes))), None)
    return Verdict(run, len(now), root, found)


def _hashes(now: Mapping[int, str], sealed: Mapping[int, str]) -> Iterator[Divergence]:
    for episode in sorted(now.keys() | sealed.keys()):
        if now.get(episode) != sealed.get(episode):
            yield Divergence(episode, None, "hash", sealed.get(episode), now.get(episode))


def _root(noted: Any, found: tuple[str, int]) -> Iterator[Divergence]:
    if noted != found:
        yield Divergence(None, None, "root", noted and noted[0], found[0])


# --- play ---------------------------------------------------------------------------------------------------------------
def _played(store: Store, run: str, recorded: str) -> Iterator[Divergence]:
    """What differs when every benchmark is computed, every episode driven and every score computed again."""
    try:
        design = Design.model_validate_json(recorded)
    except ValidationError as error:
        yield Divergence(None, None, "design", "a design", explain(error))
        return
    found = {t.arm.name: t for t in tables(design, seated=False)}
    yield from _benchmarks(store, run, found)
    last = store.rows("SELECT max(episode) AS last FROM ending WHERE run = ?", [run])[0]["last"]
    for start in range(0, (last if last is not None else -1) + 1, BATCH):
        for record in records(store, run, start, start + BATCH):
            yield from _guarded(record.number, lambda record=record: _driven(design, found, record))  # type: ignore[misc]
    yield from _guarded(None, lambda: _scores(store, run))


def _guarded(episode: int | None, work: Callable[[], Iterator[Divergence]]) -> Iterator[Divergence]:
    """Rows that were tampered with may fail anywhere: that is a finding, not a crash."""
    try:
        yield from work()
    except Exception as error:
        yield Divergence(episode, None, "rows", "rows that can be read", repr(error))


def _driven(design: Design, found: Mapping[str, Table], record: "Record") -> Iterator[Divergence]:
    if record.begun is None:
        yield Divergence(record.number, None, "episode", None, "rows of an episode that has no beginning")
    elif record.begun["arm"] not in found:
        yield Divergence(record.number, None, "arm", record.begun["arm"], f"the arms are {', '.join(found)}")
    else:
        yield from Driven(design, found[record.begun["arm"]], record, record.begun).divergences()


def _benchmarks(store: Store, run: str, found: Mapping[str, Table]) -> Iterator[Divergence]:
    rows = store.rows("SELECT arm, name, kind, source, value, measures, note FROM benchmark WHERE run = ? ORDER BY arm, name", [run])
    kept = {(r.pop("arm"), r["name"]): {k: _parsed(v) for k, v in r.items()} for r in rows}
    now = {(arm, b.name): b.model_dump(mode="json") for arm, t in found.items() for b in t.benchmarks}
    for key in sorted(kept.keys() | now.keys()):
        if kept.get(key) != now.get(key):
            yield Divergence(None, None, f"benchmark {key[1]} of arm '{key[0]}'", kept.get(key), now.get(key))


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


@dataclass(frozen=True)
class Record:
    """What the store holds of one episode, rows in the order of turns and tries."""
    number: int
    begun: dict[str, Any] | None
    asks: dict[int, dict[str, Any]]
    attempts: dict[int, list[dict[str, Any]]]
    draws: dict[int, dict[str, Any]]
    ended: dict[str, Any] | None
    payoffs: list[dict[str, Any]]
    link: dict[str, Any] | None


def records(store: Store, run: str, low: int, high: int) -> Iterator[Record]:
    """The episodes low <= number < high of a run."""
    def rows(table: str, order: str) -> dict[int, list[dict[str, Any]]]:
        some = store.rows(f"SELECT * FROM {table} WHERE run = ? AND episode >= ? AND episode < ? ORDER BY episode, {order}",
                          [run, low, high])
        return {e: list(group) for e, group in groupby(some, key=lambda r: r["episode"])}

    begun, asks, attempts, links = rows("episode", "1"), rows("ask", "turn"), rows("attempt", "turn, try"), rows("fork", "1")
    draws, ended, payoffs = rows("draw", "turn"), rows("ending", "1"), rows("payoff", "role")
    for e in sorted(begun.keys() | asks.keys() | attempts.keys() | ended.keys()):
        said: dict[int, list[dict[str, Any]]] = {}
        for a in attempts.get(e, ()):
            said.setdefault(a["turn"], []).append(a)
        yield Record(e, _first(begun.get(e)), {a["turn"]: a for a in asks.get(e, ())}, said, {d["turn"]: d for d in draws.get(e, ())},
                     _first(ended.get(e)), payoffs.get(e, []), _first(links.get(e)))


def _first(rows: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    return rows[0] if rows else None


class Driven:
    """One episode, driven again."""

    def __init__(self, design: Design, table: Table, record: Record, begun: Mapping[str, Any]):
        self.design, self.table, self.record, self.begun = design, table, record, begun
        self.number = record.number
        self.events: list[Event] = []
        self.compared: dict[int, int] = {}  # replies of each turn that have been compared

    def divergences(self) -> Iterator[Divergence]:
        """What differs from the record, in the order of play."""
        ended = self._drive()
        seen: set[tuple[str, int]] = set()
        for event in self.events:
            seen.add((event["k"], event["t"]))
            yield from self._event(event)
        yield from self._missing(seen)
        if self.record.ended and self.record.ended["status"] != "error":
            yield from self._end(ended)

    def _drive(self) -> Event:
        wording = next(w for w in self.table.wordings if w.name == self.begun["wording"])
        roles = self.table.protocol.seats(self.table.game)
        seats = {role: self._witness(role) for role in roles}
        drawn = iter([d["draw"] for _, d in sorted(self.record.draws.items())])
        session = Session(self.table.protocol.script(self.table.game, decode(from_json(self.begun["state"]))), seats,
                          dict.fromkeys(seats, wording), self._seed, self.events.append, self.design.limits,
                          choose=(lambda chances: next(drawn)) if self.design.episodes == "exact" else None)
        return end_event(self.table, asyncio.run(session.play()))

    def _witness(self, role: Role) -> Witness:
        turns = [t for t, ask in sorted(self.record.asks.items()) if ask["role"] == role]
        return Witness(said=tuple(tuple((a["words"], a["finish"]) for a in self.record.attempts.get(t, ()) if a["verdict"] != "error")
                                  for t in turns))

    def _seed(self, role: Role, turn: int) -> int:
        own = {"tape": f"{self.begun['stratum']}/{self.begun['replicate']}", "luck": str(self.number)}
        link = self.record.link or own
        return seed_at(self.design.seed, link["tape"], link["luck"], role, turn)

    def _event(self, event: Event) -> Iterator[Divergence]:
        turn, kind = event["t"], event["k"]
        if kind == "draw":
            yield from self._compare(turn, self.record.draws.get(turn), event, ("what", "chances", "draw"))
        elif kind == "ask":
            yield from self._compare(turn, self.record.asks.get(turn), {**event, "batch": event["b"]},
                                     ("role", "batch", "want", "optional", "seed", "news"))
        elif kind == "reply" and event["words"] is not None:
            yield from self._reply(turn, event)

    def _reply(self, turn: int, event: Event) -> Iterator[Divergence]:
        said = [a for a in self.record.attempts.get(turn, ()) if a["verdict"] != "error"]
        at = self.compared.get(turn, 0)
        self.compared[turn] = at + 1
        agent = load("agents", self.table.arm.seats[self.record.asks[turn]["role"]]["agent"])
        shown = hash_of(event["prompt"]) if agent.reads and event["prompt"] else None
        fields = ["verdict", "complaint", "move", "prompt"]
        if self.record.link and turn < self.record.link["turn"]:  # another kind of seat may have said it in the origin
            fields.remove("prompt")
        yield from self._compare(turn, said[at] if at < len(said) else None, {**event, "prompt": shown}, fields)

    def _compare(self, turn: int, row: Mapping[str, Any] | None, event: Event, fields: Sequence[str]) -> Iterator[Divergence]:
        if row is None:
            yield Divergence(self.number, turn, event["k"], None, _plain(event.get("words") or event.get("draw") or event["k"]))
            return
        for field in fields:
            kept, found = _parsed(row[field]), _plain(event[field])
            if kept != found:
                yield Divergence(self.number, turn, field, kept, found)

    def _missing(self, seen: set[tuple[str, int]]) -> Iterator[Divergence]:
        """Rows of turns that play never came to."""
        for kind, rows in (("ask", self.record.asks), ("draw", self.record.draws)):
            for turn in sorted(rows):
                if (kind, turn) not in seen:
                    yield Divergence(self.number, turn, kind, _parsed(rows[turn].get("news") or rows[turn].get("draw")), None)

    def _end(self, found: Event) -> Iterator[Divergence]:
        assert self.record.ended is not None
        for field in ("status", "why", "play"):
            kept, now = _parsed(self.record.ended[field]), _plain(found[field])
            if kept != now:
                yield Divergence(self.number, None, field, kept, now)
        kept_payoffs = {p["role"]: p for p in self.record.payoffs}
        for paid in found["payoffs"]:
            for field in ("gross", "fee", "net", "mean", "low", "high"):
                kept = kept_payoffs.get(paid["role"], {}).get(field)
                if kept != paid[field]:
                    yield Divergence(self.number, None, f"payoff of {paid['role']}, {field}", kept, paid[field])


def _plain(value: Any) -> Any:
    """As it comes back from the store: tuples are lists, models are objects."""
    return from_json(to_json(value))


def _parsed(value: Any) -> Any:
    """A JSON column as what it holds; anything else as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        return from_json(value)
    return value


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else to_json(value, serialize_unknown=True).decode()
    return text if len(text) <= 160 else text[:157] + "..."

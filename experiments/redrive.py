"""One recorded episode, driven again by its recorded words: every ask, reading, draw, the play and the payoffs must come out the same.

The script is fed by hand, without a session: a record needs no waiting, no retrying and nobody to call. What equal asks and equal
words come to is worked out once. A column of JSON is compared as text first, and as what it says only where the texts differ.
"""
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import from_json, to_json

from ..errors import Forfeit, ProviderError, Transient
from ..games.base import NATURE, Move, Role, Wording
from ..protocols.base import Ask, Draw, Due
from ..protocols.codec import decode, encode, encode_news, render, same
from ..protocols.seat import Reply
from ..protocols.session import Outcome, judge, pick
from ..registry import load
from ..transcripts.journal import hash_of
from .design import Design
from .plan import Table, seed_at
from .runner import end_event

if TYPE_CHECKING:
    import duckdb

REMEMBERED = 50_000
"""Readings kept at a time: free speech need never come again, and memory must not grow with the run."""

COLUMNS = {
    "episode": ("arm, wording, stratum, replicate, state", "1"), "fork": ("luck, tape, turn", "1"),
    "ask": ("turn, role, batch, want, optional, seed, news", "turn"),
    "attempt": ("turn, words, finish, verdict, complaint, move, prompt", "turn, try"),
    "draw": ("turn, what, chances, draw", "turn"), "ending": ("status, why, play", "1"),
    "payoff": ("role, gross, fee, net, mean, low, high", "role"),
}
"""Table -> (the columns that are compared, their order within an episode)."""


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


class Diverged(Exception):
    """Play came to something else than what is on record."""

    def __init__(self, divergence: Divergence):
        super().__init__(str(divergence))
        self.divergence = divergence


class Record(NamedTuple):
    """What the store holds of one episode: rows as tuples of `COLUMNS`, those of turns by their turn, attempts in order."""
    number: int
    begun: tuple[Any, ...] | None
    asks: dict[int, tuple[Any, ...]]
    said: dict[int, list[tuple[Any, ...]]]
    draws: dict[int, tuple[Any, ...]]
    ended: tuple[Any, ...] | None
    payoffs: dict[Role, tuple[Any, ...]]
    link: tuple[Any, ...] | None


def records(db: "duckdb.DuckDBPyConnection", run: str, low: int, high: int) -> Iterator[Record]:
    """The episodes low <= number < high of a run."""
    found: dict[str, dict[int, list[tuple[Any, ...]]]] = {}
    for table, (columns, order) in COLUMNS.items():
        by_episode = found[table] = {}
        rows = db.execute(f"SELECT episode, {columns} FROM {table} WHERE run = ? AND episode >= ? AND episode < ? "
                          f"ORDER BY episode, {order}", [run, low, high]).fetchall()
        for row in rows:
            by_episode.setdefault(row[0], []).append(row[1:])
    begun, links, asks, attempts, draws, ended, payoffs = (found[t] for t in COLUMNS)
    for e in sorted(begun.keys() | asks.keys() | attempts.keys() | ended.keys()):
        said: dict[int, list[tuple[Any, ...]]] = {}
        for row in attempts.get(e, ()):
            if row[3] != "error":
                said.setdefault(row[0], []).append(row[1:])
        yield Record(e, begun.get(e, [None])[0], {row[0]: row[1:] for row in asks.get(e, ())}, said,
                     {row[0]: row[1:] for row in draws.get(e, ())}, ended.get(e, [None])[0],
                     {row[0]: row[1:] for row in payoffs.get(e, ())}, links.get(e, [None])[0])


class Read(NamedTuple):
    """What words come to: the move as it is and as its row holds it, the complaint, the verdict."""
    move: Move | None
    text: str | None
    complaint: str | None
    verdict: str


@dataclass
class Arm:
    """What the episodes of one arm share: who is shown words, and what words come to in each wording.

    shown  per wording, the key under which an ask keeps the hash of its words
    """
    table: Table
    wordings: dict[str, Wording] = field(init=False)
    shown: dict[str, str] = field(init=False)
    reads: dict[Role, bool] = field(init=False)
    readings: dict[tuple[Any, ...], Read] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.wordings = {w.name: w for w in self.table.wordings}
        self.shown = {w.name: f"hash of its words in {w.model_dump_json()}" for w in self.table.wordings}
        self.reads = {role: load("agents", seat["agent"]).reads for role, seat in self.table.arm.seats.items()}

    def read(self, words: str, finish: Any, ask: Ask, wording: Wording) -> Read:
        """What a session makes of these words."""
        key = (words, finish, ask.want, ask.optional, wording.name)
        found = self.readings.get(key)
        if found is None:
            if len(self.readings) >= REMEMBERED:
                self.readings.clear()
            move, complaint, verdict = judge(Reply(words, finish), ask, wording)
            found = self.readings[key] = Read(move, _text(encode(move)) if move else None, complaint or None, verdict)
        return found


class Driven:
    """One episode, driven again. `check` raises Diverged at the first thing that differs from the record."""

    def __init__(self, design: Design, arm: Arm, record: Record):
        assert record.begun is not None
        self.design, self.arm, self.record = design, arm, record
        _, wording, stratum, replicate, self.state = record.begun
        self.wording, self.shown, self.attempts = arm.wordings[wording], arm.shown[wording], design.attempts
        self.luck, self.tape, self.copied = record.link or (str(record.number), f"{stratum}/{replicate}", 0)
        self.seen: set[int] = set()

    def check(self) -> None:
        outcome = self._drive()
        for kind, rows, at in (("ask", self.record.asks, 5), ("draw", self.record.draws, 2)):
            for turn in sorted(rows.keys() - self.seen):  # play never came to it
                raise self._diverged(turn, kind, rows[turn][at], None)
        if self.record.ended and self.record.ended[0] != "error":
            self._end(self.record.ended, outcome)

    def _drive(self) -> Outcome:
        table = self.arm.table
        script, turn = table.protocol.script(table.game, decode(from_json(self.state))), 0
        try:
            due = next(script)
            while True:
                first, turn = turn, turn + len(due)
                try:
                    answers = self._answers(due, first)
                except Forfeit as forfeit:
                    due = script.throw(forfeit)
                else:
                    due = script.send(answers)
        except StopIteration as end:
            return Outcome("done", end.value)
        except Forfeit as forfeit:
            return Outcome("forfeit", None, str(forfeit))
        except ProviderError as error:
            return Outcome("error", None, str(error))

    def _answers(self, due: Due, first: int) -> tuple[Any, ...]:
        answers, failed = [], []
        for turn, one in enumerate(due, first):
            try:
                answers.append(self._draw(turn, one) if isinstance(one, Draw) else self._ask(turn, one, first))
            except (ProviderError, Forfeit) as error:  # the others are asked all the same
                failed.append(error)
        if failed:
            raise next((e for e in failed if isinstance(e, ProviderError)), failed[0])
        return tuple(answers)

    def _draw(self, turn: int, draw: Draw) -> int:
        self.seen.add(turn)
        row = self.record.draws.get(turn)
        if row is None:
            raise self._diverged(turn, "draw", None, draw.what)
        index = row[2] if self.design.episodes == "exact" else pick(draw.chances, self._seed(NATURE, turn))
        self._same(turn, ("what", "chances", "draw"), row, (draw.what, list(draw.chances), index))
        return int(index)

    def _ask(self, turn: int, ask: Ask, batch: int) -> Move | None:
        self.seen.add(turn)
        ask, row = same(ask), self.record.asks.get(turn)
        if row is None:
            raise self._diverged(turn, "ask", None, "ask")
        if "news text" not in ask.memo:
            ask.memo["news text"] = _text(encode_news(ask))
        now = (ask.role, batch, ask.want.__name__, ask.optional, self._seed(ask.role, turn), ask.memo["news text"])
        if row != now:
            self._same(turn, ("role", "batch", "want", "optional", "seed"), row, now[:5])
            self._same_json(turn, "news", row[5], now[5])
        return self._replies(turn, ask)

    def _replies(self, turn: int, ask: Ask) -> Move | None:
        """The move on record, read anew; every bad attempt before it too."""
        said, complaint = self.record.said.get(turn, ()), None
        shown = self._shown(ask) if turn >= self.copied and self.arm.reads[ask.role] else None
        for at in range(self.attempts):
            if at >= len(said):
                raise Transient("the record ends here")
            words, finish, verdict, said_of_it, move, prompt = said[at]
            found = self.arm.read(words, finish, ask, self.wording)
            complaint = found.complaint
            if verdict != found.verdict or said_of_it != complaint:
                self._same(turn, ("verdict", "complaint"), (verdict, said_of_it), (found.verdict, complaint))
            self._same_json(turn, "move", move, found.text)
            if turn >= self.copied and prompt != shown:  # before, another kind of seat may have said it in the origin
                raise self._diverged(turn, "prompt", prompt, shown)
            if complaint is None:
                return found.move
        raise Forfeit(ask.role, f"no valid answer in {self.attempts} attempts ({complaint})")

    def _shown(self, ask: Ask) -> str:
        """The hash of an ask's words, worked out once for equal asks."""
        if self.shown not in ask.memo:
            ask.memo[self.shown] = hash_of(render(ask, self.wording))
        found: str = ask.memo[self.shown]
        return found

    def _seed(self, role: Role, turn: int) -> int:
        return seed_at(self.design.seed, self.tape, self.luck, role, turn)

    def _end(self, ended: tuple[Any, ...], outcome: Outcome) -> None:
        found = end_event(self.arm.table, outcome)
        self._same(None, ("status", "why"), ended, (found["status"], found["why"]))
        self._same_json(None, "play", ended[2], None if found["play"] is None else _text(found["play"]))
        for paid in found["payoffs"]:
            role, *amounts = paid.values()
            kept = self.record.payoffs.get(role, (None,) * len(amounts))
            names = tuple(f"payoff of {role}, {name}" for name in list(paid)[1:])
            self._same(None, names, kept, tuple(amounts))

    def _same(self, turn: int | None, names: tuple[str, ...], kept: tuple[Any, ...], found: tuple[Any, ...]) -> None:
        if kept[:len(names)] != found:
            for name, old, new in zip(names, kept, found, strict=False):
                if old != new:
                    raise self._diverged(turn, name, old, new)

    def _same_json(self, turn: int | None, name: str, kept: str | None, found: str | None) -> None:
        if kept != found:
            old, new = (None if text is None else from_json(text) for text in (kept, found))
            if old != new or kept is None or found is None:
                raise self._diverged(turn, name, old, new)

    def _diverged(self, turn: int | None, name: str, kept: Any, found: Any) -> Diverged:
        return Diverged(Divergence(self.record.number, turn, name, kept, found))


def driven(design: Design, arms: Mapping[str, Arm], record: Record) -> None:
    """Drives an episode again. Raises Diverged."""
    if record.begun is None:
        raise Diverged(Divergence(record.number, None, "episode", None, "rows of an episode that has no beginning"))
    if record.begun[0] not in arms:
        raise Diverged(Divergence(record.number, None, "arm", record.begun[0], f"the arms are {', '.join(arms)}"))
    Driven(design, arms[record.begun[0]], record).check()


def _text(value: Any) -> str:
    """As the journal writes it."""
    return to_json(value).decode()


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else to_json(value, serialize_unknown=True).decode()
    return text if len(text) <= 160 else text[:157] + "..."

"""Recorded episodes as they can be played again: who was asked what, what was said, what nature drew."""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

from pydantic import PrivateAttr, ValidationError
from pydantic_core import from_json, to_json

from ..errors import InputError, Paused, StoreError
from ..games.base import Role, Wording
from ..protocols.base import Ask
from ..protocols.codec import decode, encode, read, write
from ..protocols.seat import Agent, Reply, Turn
from ..protocols.session import Event, Limits, Session
from ..registry import explain
from ..transcripts.store import Store
from .design import Design
from .plan import Slot, Table, persona_name

ASKS = "SELECT episode, turn, role, want, news FROM ask WHERE run = ? AND episode IN (SELECT unnest(?)) ORDER BY episode, turn"
ATTEMPTS = ("SELECT episode, turn, words, verdict, finish, prompt, model FROM attempt WHERE run = ? AND verdict <> 'error' AND "
            "episode IN (SELECT unnest(?)) ORDER BY episode, turn, try")
DRAWS = "SELECT episode, turn FROM draw WHERE run = ? AND episode IN (SELECT unnest(?)) ORDER BY episode, turn"
EPISODES = ("SELECT e.*, n.status, f.luck, f.tape FROM episode e LEFT JOIN ending n USING (run, episode) "
            "LEFT JOIN fork f USING (run, episode) WHERE e.run = ? ORDER BY e.episode")


@dataclass(frozen=True)
class Line:
    """One ask on record. news: as its row has it; replies: bad ones first; ok: whether the last was accepted."""
    turn: int
    role: Role
    want: str
    news: Any
    replies: tuple[Reply, ...] = ()
    ok: bool = False
    worded: bool = False

    def fits(self, ask: Ask) -> bool:
        """Whether the ask is the one on record."""
        return ask.want.__name__ == self.want and from_json(to_json([encode(o) for o in ask.news])) == self.news


@dataclass
class Past:
    """One recorded episode: its row, its asks in order of turns, and the turns at which nature drew."""
    row: Mapping[str, Any]
    lines: list[Line] = field(default_factory=list)
    draws: list[int] = field(default_factory=list)

    @property
    def episode(self) -> int:
        return int(self.row["episode"])

    @property
    def turns(self) -> int:
        """How many turns it had."""
        return 1 + max((*(x.turn for x in self.lines), *self.draws), default=-1)

    @property
    def luck(self) -> str:
        return self.row["luck"] or str(self.episode)

    @property
    def tape(self) -> str:
        return self.row["tape"] or f"{self.row['stratum']}/{self.row['replicate']}"


def design_of(store: Store, run: str) -> Design:
    """The design of a run that sampled its episodes. Raises InputError."""
    try:
        design = Design.model_validate(from_json(store.rows("SELECT design FROM run WHERE run = ?", [run])[0]["design"]))
    except ValidationError as error:
        raise StoreError(f"run {run} was played by another version of Parlour: {explain(error)}.") from None
    if design.episodes == "exact":
        raise InputError(f"run {run} is an exact evaluation: its episodes are all there can be. Name a run with a number of "
                         "episodes.")
    return design


def ended(store: Store, run: str, numbers: Sequence[int] | None = None) -> list[Past]:
    """The episodes of these numbers, or all that have ended. Raises StoreError for one that is missing or has not ended."""
    rows = {r["episode"]: r for r in store.rows(EPISODES, [run])}
    for n in numbers or ():
        if n not in rows:
            raise StoreError(f"no episode {n} in run {run}.")
        if rows[n]["status"] is None:
            raise StoreError(f"episode {n} of run {run} has not ended: `parlour resume {run}` first.")
    some = {n: Past(r) for n, r in rows.items() if r["status"] is not None and (numbers is None or n in numbers)}
    if not some:
        raise StoreError(f"no episode of run {run} has ended.")
    _fill(store, run, some)
    return list(some.values())


def _fill(store: Store, run: str, some: Mapping[int, Past]) -> None:
    """Reads the asks, replies and draws of episodes."""
    key, said = [run, list(some)], dict[tuple[int, int], list[dict[str, Any]]]()
    for a in store.rows(ATTEMPTS, key):
        said.setdefault((a["episode"], a["turn"]), []).append(a)
    for k in store.rows(ASKS, key):
        tries = said.get((k["episode"], k["turn"]), [])
        replies = tuple(Reply(a["words"], a["finish"], a["model"]) for a in tries)
        some[k["episode"]].lines.append(Line(k["turn"], k["role"], k["want"], from_json(k["news"]), replies,
                                             bool(tries) and tries[-1]["verdict"] == "ok", any(a["prompt"] for a in tries)))
    for d in store.rows(DRAWS, key):
        some[d["episode"]].draws.append(d["turn"])


class Remembered(Agent):
    """Says again what is on record as long as it is asked the same; then it pauses. Nothing it says is paid for.

    Words that were accepted in another wording are said in the present one; free speech stays as it was. With `strict` an
    ask unlike the record is an error.
    """
    reads: ClassVar[bool] = True
    costless: ClassVar[bool] = True
    strict: bool = False
    _lines: tuple[Line, ...] = PrivateAttr(())
    _told: Wording = PrivateAttr()

    @classmethod
    def of(cls, lines: Sequence[Line], told: Wording, strict: bool) -> "Remembered":
        """A seat with these asks on record, told in that wording."""
        seat = cls(strict=strict)
        seat._lines, seat._told = tuple(lines), told
        return seat

    async def reply(self, turn: Turn) -> Reply:
        if turn.ordinal >= len(self._lines):
            raise Paused("nothing more is on record")
        line = self._lines[turn.ordinal]
        if not line.fits(turn.ask):
            if self.strict:
                raise InputError(f"turn {line.turn}: '{turn.role}' is asked something else than what is on record. The game or "
                                 "the protocol has been changed since.")
            raise Paused("asked something else")
        replies = self._replies(line, turn)
        if len(turn.attempts) >= len(replies):
            raise Paused("no valid reply is on record")
        return replies[len(turn.attempts)]

    def _replies(self, line: Line, turn: Turn) -> tuple[Reply, ...]:
        if not line.ok or self._told == turn.wording:
            return line.replies
        last, ask = line.replies[-1], turn.ask
        return (replace(last, words=write(read(last.words, ask.want, self._told, ask.optional), turn.wording)),)


async def retell(past: Past, slot: Slot, seats: Mapping[Role, Agent], seed: int,
                 limits: Limits) -> tuple[list[Event], Role | None]:
    """Plays a slot with seats that need nobody: the events, and the seat that has to be asked next (None: nobody)."""
    events: list[Event] = []
    session = Session(slot.table.protocol.script(slot.table.game, slot.state), seats, dict.fromkeys(seats, slot.wording),
                      partial(slot.seed, seed), events.append, limits)
    outcome = await session.play()
    worded = _worded(past, [e for e in events if e["k"] == "ask"])
    answered = {e["t"] for e in events if e["k"] == "reply" and e["verdict"] == "ok"}
    for event in events:
        if event["k"] == "reply" and event["t"] not in worded:
            event["prompt"] = None
    due = [e["role"] for e in events if e["k"] == "ask" and e["t"] not in answered] if outcome.status == "paused" else []
    heard = {e["t"] for e in events if e["k"] == "reply"}  # an ask nobody has answered yet is put, and written, when play goes on
    return [e for e in events if e["k"] != "ask" or e["t"] in heard], due[0] if due else None


def _worded(past: Past, asks: Sequence[Event]) -> set[int]:
    """The turns whose words the seat was shown: those of the asks on record that it was shown, role by role."""
    found: set[int] = set()
    for role in {e["role"] for e in asks}:
        own = [e["t"] for e in asks if e["role"] == role]
        found |= {turn for turn, line in zip(own, (x for x in past.lines if x.role == role), strict=False) if line.worded}
    return found


def copy_slot(past: Past, number: int, table: Table, wording: Wording, at: int = 0, copy: int = 0, share: float = 1.0) -> Slot:
    """The slot of a copy of a recorded episode: copy 0 has its seeds, the others seeds of their own from turn `at` on."""
    row, own = past.row, f"+{copy}@{at}" if copy else ""
    persona = [persona_name(p) for p in table.arm.personas].index(row["persona"])
    return Slot(number, table, decode(from_json(row["state"])), row["stratum"], row["weight"] * share, wording, persona,
                row["replicate"], past.tape + own, past.luck + own)

"""Plays recorded episodes again up to a turn, changes one thing, and plays on.

A fork is a run whose journal begins as if it had been interrupted at that turn: for each copy, the episode, what was said and
drawn before the turn, and a link to the origin. From there it is taken up like any interrupted run. Copy 0 has the seeds of
its origin, so that with nothing changed it goes on as the origin did; other copies have seeds of their own.

    seat:ROLE=AGENT   another agent answers from that turn on, knowing all its predecessor knew and said
    wording=NAME      from that turn on the episode is told in another wording, what went before included
    say:WORDS         other words are said at that turn
"""
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import FieldError, InputError, StoreError
from ..games.base import Frozen, Role, Wording
from ..protocols.seat import Agent, Reply
from ..protocols.session import Event
from ..transcripts.journal import Journal
from ..transcripts.store import Store
from ..transcripts.talk import find_run
from .design import Arm, Design, Fields, json_or_text, seat, wordings_of
from .head import head, new_name
from .money import check, serving
from .plan import Slot, Table, tables
from .record import Line, Past, Remembered, copy_slot, design_of, ended, retell
from .runner import Progress, Run, Watch, finish, preflight
from .said import recorded

FORM = "write seat:ROLE=AGENT, wording=NAME or say:WORDS"


class Change(Frozen):
    """The one thing that a fork changes; with no field set, nothing."""
    seats: dict[Role, Fields] = {}
    wording: str | None = None
    say: str | None = None


@dataclass(frozen=True)
class Copy:
    """A copy about to be played on. link: the fork's row; events: what went before; due: the seat that is asked next."""
    slot: Slot
    link: Event
    events: list[Event]
    due: Agent | None


def read_change(text: str) -> Change:
    """A change as it is written on the command line; "" for none. Raises FieldError."""
    what, _, rest = text.partition(":") if text.startswith(("seat:", "say:")) else text.partition("=")
    role, equals, agent = rest.partition("=")
    if what == "seat" and role and equals:
        return Change(seats={role: seat(json_or_text(agent))})
    if what == "say" and rest:
        return Change(say=rest)
    if what == "wording" and rest not in ("", "all"):
        return Change(wording=rest)
    if text:
        raise FieldError(f"change '{text}': {FORM}.")
    return Change()


def read_episodes(store: Store, text: str) -> tuple[str, list[int] | None]:
    """(run, numbers) of "RUN/0,2,5-9", of "RUN/all" (None) or of numbers of the latest run. Raises StoreError."""
    run, _, numbers = text.rpartition("/")
    found: list[int] = []
    for part in () if numbers == "all" else numbers.split(","):
        first, dash, last = part.partition("-")
        if not (first.isdigit() and (last.isdigit() if dash else True)):
            raise StoreError(f"'{text}' names no episodes: write RUN/0,2,5-9 or RUN/all.")
        found += range(int(first), int(last or first) + 1)
    return find_run(store, run or "latest"), sorted(set(found)) if found else None


async def fork(episodes: str, at: int, change: Change, times: int, store: Store, watch: Watch | None = None,
               on_episode: Callable[[Progress], None] | None = None, budget: float | None = None) -> tuple[str, str]:
    """Forks episodes at turn `at`, `times` each; (run, status). Nothing is written before everything has been replayed.

    With "RUN/all", episodes that ended before the turn are left out. budget: US$ for the forks; None: what their origin was
    given, anew. Cache and prices are those of the origin. Raises InputError.
    """
    if at < 0 or times < 1:
        raise FieldError(f"--at {at} --times {times}: a turn is 0 or more, and there is at least one copy.")
    run, numbers = read_episodes(store, episodes)
    origin = design_of(store, run)
    pasts = [p for p in ended(store, run, numbers) if _reaches(p, at, strict=numbers is not None)]
    if not pasts:
        raise InputError(f"no episode of run {run} has a turn {at}.")
    arms = {p.row["arm"] for p in pasts}
    design = _changed(origin, change, arms, budget)
    with serving(design, store):
        found = tables(design)
        check(design, found)
        await preflight(found)
        by_arm, copies = {t.arm.name: t for t in found}, list[Copy]()
        for past in pasts:
            table = by_arm[past.row["arm"]]
            told, = wordings_of(table.game, (past.row["wording"],), table.arm.objective)
            for copy in range(times):
                slot = copy_slot(past, len(copies), table, _wording(table, change, told), at, copy, 1 / times)
                copies.append(await _copy(run, past, slot, told, at, change, copy, design))
        return await play(design, found, copies, store, watch, on_episode)


def _reaches(past: Past, at: int, strict: bool) -> bool:
    if strict and at >= past.turns:
        raise InputError(f"episode {past.episode} has no turn {at}: its turns are 0 to {past.turns - 1}.")
    return at < past.turns


def _changed(origin: Design, change: Change, arms: set[str], budget: float | None) -> Design:
    """The design of the fork: the arms concerned, with the seats and the wording as changed."""
    update = {"wordings": (change.wording,)} if change.wording else {}
    new = [arm.model_copy(update={**update, "seats": {**arm.seats, **change.seats}}) for arm in origin.arms if arm.name in arms]
    return copied(origin, "fork", tuple(new), budget)


def copied(origin: Design, what: str, arms: tuple[Arm, ...], budget: float | None) -> Design:
    """The design of a run of copies: that of their origin with other arms.

    Sentinels watch a run of its length, and what was claimed and locked was so of the origin: copies have none of these.
    """
    held = {} if budget is None else {"budget": budget}
    own = {"name": f"{what}-{origin.name}", "sentinels": 0, "hypotheses": (), "lock": None}
    return origin.model_copy(update={**own, "arms": arms, **held})


def _wording(table: Table, change: Change, told: Wording) -> Wording:
    return wordings_of(table.game, (change.wording,), table.arm.objective)[0] if change.wording else told


async def _copy(run: str, past: Past, slot: Slot, told: Wording, at: int, change: Change, copy: int, design: Design) -> Copy:
    """One copy up to the turn, the words to be said there included."""
    lines = [line for line in past.lines if line.turn < at]
    if change.say is not None:
        lines.append(_instead(past, at, change.say))
    seats: dict[Role, Agent] = {role: Remembered.of([x for x in lines if x.role == role], told, strict=True)
                                for role in slot.table.protocol.seats(slot.table.game)}
    try:
        events, due = await retell(past, slot, seats, design.seed, design.limits)
    except InputError as error:
        raise InputError(f"episode {past.episode} cannot be replayed: {error}") from None
    said = [e for e in events if e["k"] == "reply" and e["t"] == at]
    if change.say is not None and said[0]["verdict"] != "ok":
        raise InputError(f"episode {past.episode}, turn {at}: '{change.say}' cannot be said there. {said[0]['complaint']}")
    link = {"k": "fork", "origin_run": run, "origin_episode": past.episode, "copy": copy, "t": at,
            "change": change.model_dump(mode="json", exclude_defaults=True), "luck": slot.luck, "tape": slot.tape}
    return Copy(slot, link, events, slot.table.seats[slot.persona][due] if due else None)


def _instead(past: Past, at: int, words: str) -> Line:
    """The ask of turn `at` with other words."""
    line = next((x for x in past.lines if x.turn == at), None)
    if line is None:
        raise InputError(f"episode {past.episode}, turn {at}: that is a draw of nature, and nobody speaks.")
    return Line(at, line.role, line.want, line.news, (Reply(words, model="fork"),), worded=line.worded)


async def play(design: Design, found: list[Table], copies: Sequence[Copy], store: Store, watch: Watch | None = None,
               on_episode: Callable[[Progress], None] | None = None) -> tuple[str, str]:
    """Writes the beginning of a run that consists of copies, and plays on; (run, status)."""
    with store.open(write=True):
        pass
    name, said = new_name(design), []
    with Journal(store.journals / f"{name}.jsonl") as journal:
        run = Run(design, store, name, found, journal, todo=[c.slot for c in copies])
        for event in head(name, design, found):
            journal.write(event)
        for c in copies:
            said += _begin(run, c, len(copies))
        run.begun = frozenset(c.slot.episode for c in copies)
        run.said = recorded(said)
        return name, await finish(run, watch, on_episode)


def _begin(run: Run, copy: Copy, copies: int) -> list[Event]:
    """Writes what went before in a copy, its link last: a copy without one was not begun whole."""
    key = {"run": run.name, "e": copy.slot.episode}
    events = [{**event, **key} for event in copy.events]
    for event in events:
        if event.get("prompt"):
            event["prompt"] = run.journal.text(event["prompt"], True)
        run.journal.write(event, True)
    run.journal.write(run.begin(copy.slot, copy.slot.weight), True)
    run.journal.write({**copy.link, **key, "copies": copies})
    return events

"""Plays a design: many episodes at once, every event in the journal before it is used, the store fed as it goes."""
import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from ..agents.service import current
from ..errors import BudgetSpent, Fatal, InputError, StoreError, Unreachable
from ..games.base import Game, Play, Role
from ..protocols.codec import encode
from ..protocols.session import Event, Outcome, Said, Session, seed_of
from ..transcripts.compact import compact
from ..transcripts.journal import Journal
from ..transcripts.seal import seal
from ..transcripts.store import Store
from .check import check_hypotheses
from .design import Design
from .design_file import file_event
from .head import head, new_name
from .money import check, serving
from .plan import Slot, Table, persona_name, slots, tables
from .reception import dismiss, receive
from .sentinels import Sentinels

TAKE_SECONDS = 2.0
BREATH_SECONDS = 0.05

Watch = Callable[[Event], None]
OnEpisode = Callable[["Progress"], None]


@dataclass
class Progress:
    """What has happened so far in this process."""
    planned: int | None
    done: int = 0
    by_status: dict[str, int] = field(default_factory=dict)

    def count(self, status: str) -> None:
        self.done += 1
        self.by_status[status] = self.by_status.get(status, 0) + 1


@dataclass
class Run:
    """A run under way.

    todo   the episodes to play; None: those of the design
    said   episode -> turn -> what is on record, for a run that is taken up again
    begun, ended  episodes that are half-played, and those that need not be played again
    sentinels  those of its models; None where none are put
    """
    design: Design
    store: Store
    name: str
    found: list[Table]
    journal: Journal
    watch: Watch = lambda event: None
    on_episode: Callable[[Progress], None] = lambda progress: None
    said: Mapping[int, Mapping[int, Said]] = field(default_factory=dict)
    begun: Set[int] = frozenset()
    ended: Set[int] = frozenset()
    todo: Sequence[Slot] | None = None
    sentinels: Sentinels | None = None

    def __post_init__(self) -> None:
        exact = self.design.episodes == "exact"
        self.limits, self.breath = self.design.limits, 0.0
        self.progress = Progress(None if exact else len(self.todo) if self.todo is not None else
                                 int(self.design.episodes) * len(self.found))

    async def play(self) -> str:
        """Plays what is left; the status: done, paused if a seat will answer later, stopped if the budget is spent. Raises
        InputError when stopped by anything else."""
        feeding = asyncio.create_task(self._feed())
        status, why = "stopped", "interrupted"
        self.on_episode(self.progress)
        try:
            if self.design.episodes == "exact":
                await self._exact()
            else:
                await self.sampled()
            status, why = ("paused", "a seat will answer later") if self.progress.by_status.get("paused") else ("done", "")
            return status
        except (Fatal, Unreachable) as error:
            why = str(error)
            raise InputError(f"{error} The run stopped; what was said is kept: parlour resume {self.name}") from None
        except BudgetSpent as error:
            why = str(error)
            return status
        except InputError as error:
            why = str(error)
            raise
        finally:
            feeding.cancel()
            await self._close(status, why)

    async def _close(self, status: str, why: str) -> None:
        for table in self.found:
            for seats in table.seats:
                await asyncio.gather(*(agent.close() for agent in seats.values()))
        if self.sentinels:
            await self.sentinels.close()
        with suppress(StoreError):  # a disk that is full has been told of already
            purse = current().purse
            self.journal.write({"k": "stop", "run": self.name, "status": status, "why": why,
                                "spent": purse.spent if purse else None})

    async def _feed(self) -> None:
        """Takes the journal into the store now and then, from a thread; a busy store is left for later."""
        while True:
            await asyncio.sleep(TAKE_SECONDS)
            try:
                await asyncio.to_thread(self.store.take, self.journal.path, 0.0)
            except StoreError:
                continue

    # --- sampled episodes -----------------------------------------------------------------------------------------------
    async def sampled(self) -> None:
        """Plays the episodes that are left."""
        every = slots(self.design, self.found) if self.todo is None else self.todo
        todo = (s for s in every if s.episode not in self.ended)
        self.progress.done = len(self.ended)
        try:
            await self._watch_models()
            async with asyncio.TaskGroup() as group:
                for _ in range(self.design.concurrency):
                    group.create_task(self._worker(todo))
            await self._watch_models()
        except BaseExceptionGroup as group_of:
            raise group_of.exceptions[0] from None

    async def _worker(self, todo: Iterator[Slot]) -> None:
        for slot in todo:
            outcome = await self._episode(slot, None)
            self.progress.count(outcome.status)
            self.on_episode(self.progress)
            await self._watch_models()
            await self._breathe()

    async def _watch_models(self) -> None:
        """Puts the sentinels that are due."""
        if self.sentinels:
            ended = self.progress.done - self.progress.by_status.get("paused", 0)
            await self.sentinels.due(ended, self.progress.planned or 0)

    async def _breathe(self) -> None:
        """Gives way now and then: seats that never wait would keep the store from being fed and Ctrl-C from being heard."""
        if time.monotonic() > self.breath:
            await asyncio.sleep(0)
            self.breath = time.monotonic() + BREATH_SECONDS

    # --- exact evaluation -----------------------------------------------------------------------------------------------
    async def _exact(self) -> None:
        """Every state, every draw, every mixture: each branch is an episode whose weight is its chance."""
        number = 0
        for table in self.found:
            states = table.states
            if states is None:
                raise InputError(f"arm '{table.arm.name}': this game has no finite list of states, so it cannot be evaluated "
                                 "exactly. Give a number of episodes.")
            share = 1 / (len(table.wordings) * len(table.seats))
            for s, (chance, state) in enumerate(states):
                for wording in table.wordings:
                    for persona in range(len(table.seats)):
                        slot = Slot(number, table, state, str(s), chance * share, wording, persona, 0, str(s))
                        number = await self._branches(slot, number)

    async def _branches(self, slot: Slot, number: int) -> int:
        """Plays every branch of one slot; returns the next free episode number."""
        paths: list[tuple[int, ...]] = [()]
        while paths:
            walk = Walk(paths.pop())
            if number not in self.ended:
                outcome = await self._episode(replace(slot, episode=number), walk)
                paths += walk.others[::-1]
                self.progress.count(outcome.status)
                self.on_episode(self.progress)
                await self._breathe()
            number += 1
        return number

    # --- one episode ----------------------------------------------------------------------------------------------------
    async def _episode(self, slot: Slot, walk: "Walk | None") -> Outcome:
        table = slot.table
        seats = table.seats[slot.persona]
        hold = walk is not None or all(agent.costless for agent in seats.values())
        events: list[Event] = []

        def record(event: Event) -> None:
            if event.get("prompt"):
                event["prompt"] = self.journal.text(event["prompt"], hold)
            event["run"], event["e"] = self.name, slot.episode
            events.append(event) if walk else self.journal.write(event, hold)
            self.watch(event)

        if not walk and slot.episode not in self.begun:
            record(self.begin(slot, slot.weight))
        session = Session(table.protocol.script(table.game, slot.state), seats, dict.fromkeys(seats, slot.wording),
                          partial(slot.seed, self.design.seed), record, self.limits, self.said.get(slot.episode, {}), walk,
                          sitting=self._sitting(slot.episode))
        outcome = await session.play()
        if walk:  # the weight of a branch is known when it has been walked
            for event in (self.begin(slot, slot.weight * walk.chance), *events):
                self.journal.write(event, hold)
        if outcome.status != "paused":
            end = end_event(table, outcome) | {"run": self.name, "e": slot.episode}
            self.journal.write(end, hold)
            self.watch(end)
        self.journal.flush()
        return outcome

    def _sitting(self, episode: int) -> dict[Role, dict[str, Any]]:
        """Who sat where when the episode was broken off."""
        visitors = current().visitors
        return {role: {"person": name} for role, name in visitors.sat.get(episode, {}).items()} if visitors else {}

    def begin(self, slot: Slot, weight: float) -> Event:
        """The event with which an episode begins."""
        return {"k": "episode", "run": self.name, "e": slot.episode, "arm": slot.table.arm.name, "wording": slot.wording.name,
                "persona": persona_name(slot.table.arm.personas[slot.persona]), "stratum": slot.stratum, "weight": weight,
                "replicate": slot.replicate, "seed": seed_of(self.design.seed, slot.luck or slot.episode),
                "state": encode(slot.state)}


class Walk:
    """One path through the branches: follows a prefix of choices, then takes the first of each, noting the others."""

    def __init__(self, prefix: tuple[int, ...]):
        self.prefix = prefix
        self.path: list[int] = []
        self.others: list[tuple[int, ...]] = []
        self.chance = 1.0

    def __call__(self, chances: Sequence[float]) -> int:
        possible = [i for i, p in enumerate(chances) if p > 0]
        at = len(self.path)
        if at < len(self.prefix):
            index = self.prefix[at]
        else:
            index = possible[0]
            self.others += [(*self.path, i) for i in possible[1:]]
        self.path.append(index)
        self.chance *= chances[index]
        return index


def end_event(table: Table, outcome: Outcome) -> Event:
    """How an episode ended and what each role got: None, within bounds, where it was not played to its end."""
    play = outcome.play
    gross = table.game.payoffs(play) if play else {}
    means = gross if type(table.game).means is Game.means else table.game.means(play) if play else {}
    payoffs = []
    for role, (low, high) in table.spans.items():
        got: dict[str, float | None] = {"gross": None, "fee": None, "net": None, "mean": None}
        if play:
            fee = play.fees.get(role, 0.0)
            got = {"gross": gross[role], "fee": fee, "net": gross[role] - fee, "mean": means[role] - fee}
        payoffs.append({"role": role, **got, "low": low, "high": high})
    return {"k": "end", "status": outcome.status, "why": outcome.why, "play": encode_play(play) if play else None,
            "payoffs": payoffs}


def encode_play(play: Play) -> dict[str, Any]:
    """A play as its row holds it."""
    return {"state": encode(play.state), "moves": [[r, encode(m) if m else None] for r, m in play.moves], "fees": dict(play.fees)}


@dataclass(frozen=True)
class Engine:
    """What plays the episodes a run owes. fit: raises DesignError for a design that it cannot play; play: the status at the end."""
    fit: Callable[[Design], None]
    play: Callable[[Run, Watch | None, OnEpisode | None], Awaitable[str]]


# --- doors --------------------------------------------------------------------------------------------------------------
async def start(design: Design, store: Store, watch: Watch | None = None,
                on_episode: OnEpisode | None = None, file: str | Path | None = None, engine: Engine | None = None) -> tuple[str, str]:
    """Runs a design from its beginning; (run, status). Nothing is written before everything has been built.

    file    it was read from
    engine  what plays it; None: this process
    """
    engine = engine or HERE
    engine.fit(design)
    with serving(design, store):
        found = tables(design)
        check(design, found)
        check_hypotheses(design, found)
        await preflight(found)
        with store.open(write=True):
            pass
        name = new_name(design)
        with Journal(store.journals / f"{name}.jsonl") as journal:
            for event in head(name, design, found):
                journal.write(event)
            if file is not None:
                journal.write(file_event(name, file, store))
            run = Run(design, store, name, found, journal)
            return name, await engine.play(run, watch, on_episode)


async def preflight(found: list[Table]) -> None:
    """Asks every seat whether it could answer at all. Raises ProviderError."""
    for table in found:
        for seats in table.seats:
            await asyncio.gather(*(agent.check() for agent in seats.values()))


async def finish(run: Run, watch: Watch | None, on_episode: OnEpisode | None) -> str:
    """Plays what a run owes and takes its journal into the store, also when it is stopped; the status."""
    run.watch = watch or run.watch
    run.on_episode = on_episode or run.on_episode
    receive(run.design, run.name, run.journal)
    if run.design.sentinels:
        run.sentinels = Sentinels(run.design, run.name, run.found, run.journal)
    try:
        status = await run.play()
    except BaseException:
        with suppress(StoreError):
            await asyncio.to_thread(run.store.take, run.journal.path)  # the loop never waits for the disk
        raise
    await asyncio.to_thread(run.store.take, run.journal.path)
    await asyncio.to_thread(seal, run.store, run.name)
    await asyncio.to_thread(compact, run.store)
    if status == "done":
        dismiss(run.journal.path)
    return status


HERE = Engine(lambda design: None, finish)
"""This process."""

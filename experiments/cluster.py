"""Plays the episodes of a design on a Ray cluster.

The driver deals out episodes, a few at a time; each worker is an actor that plays them and writes a journal of its own to a
shared folder (`transcripts/parts.py`). When a worker is lost, the driver reads how far it had come and gives its episodes to
another, which begins with the words on record: they are copied into its journal and not paid for again. One purse, an actor
too, holds the budget of all workers. The driver merges their journals into the run's own, which then is like any other.
"""
import asyncio
import os
from collections import deque
from collections.abc import Callable, Mapping
from itertools import islice
from logging import ERROR
from socket import gethostname
from typing import Any

from ..agents.purse import Purse
from ..agents.service import Service, within
from ..errors import BudgetSpent, DesignError, InputError, ParlourError
from ..protocols.patience import unhurried
from ..protocols.session import Event
from ..transcripts.compact import compact
from ..transcripts.journal import Journal
from ..transcripts.parts import Folder, Gathering, Parts
from ..transcripts.seal import seal
from ..transcripts.store import Store
from .design import Design
from .money import check, price_of
from .plan import slot, slots, tables
from .runner import Progress, Run, head, new_name, preflight
from .said import recorded

LOSSES = 3
"""Workers that may be lost over the same episodes before the run stops: it may be the episodes that kill them."""
Task = list[int]


class Bank:
    """The purse of all workers, an actor. It remembers what each has set aside, should it be lost."""

    def __init__(self, budget: float):
        self._purse = Purse(budget)
        self._aside: dict[str, list[float]] = {}

    async def reserve(self, worker: str, worst: float) -> str:
        """Sets aside what a call may cost; why it cannot, or nothing."""
        try:
            await self._purse.reserve(worst)
        except BudgetSpent as error:
            return str(error)
        self._aside.setdefault(worker, []).append(worst)
        return ""

    async def settle(self, worker: str, worst: float, cost: float) -> None:
        """A call has cost `cost`."""
        self._aside[worker].remove(worst)
        self._purse.settle(worst, cost)

    async def lost(self, worker: str) -> None:
        """What a lost worker had set aside may have been paid: it counts in full."""
        for worst in self._aside.pop(worker, []):
            self._purse.settle(worst, worst)

    async def spent(self) -> float:
        """US$ so far."""
        return self._purse.spent


class Share(Purse):
    """A worker's hand in the common purse."""

    def __init__(self, bank: Any, worker: str):
        super().__init__(0.0)
        self._bank, self._worker = bank, worker

    async def reserve(self, worst: float) -> None:
        with unhurried():
            why = await self._bank.reserve.remote(self._worker, worst)
        if why:
            raise BudgetSpent(why)

    def settle(self, worst: float, cost: float) -> None:
        self._bank.settle.remote(self._worker, worst, cost)


class Worker:
    """An actor that plays episodes of one design."""

    def __init__(self, design: dict[str, Any], run: str, url: str, worker: str, bank: Any, concurrency: int):
        self._design = Design.model_validate({**design, "concurrency": concurrency})
        self._run, self._found = run, tables(self._design)
        self._parts = Parts(Folder(url), worker)
        self._parts.write({"k": "worker", "run": run, "host": gethostname(), "pid": os.getpid()})
        purse = None if bank is None else Share(bank, worker)
        self._service = Service(None, purse, lambda model: price_of(model, self._design.prices))

    async def play(self, task: Task, before: Mapping[int, list[Event]]) -> tuple[str, str]:
        """Plays episodes, after what is on record of them; (done or stopped, why)."""
        for event in (e for events in before.values() for e in events):
            self._parts.write(dict(event), hold=True)
        self._parts.flush()
        todo = [slot(self._design, self._found[e % len(self._found)], e // len(self._found), e) for e in task]
        run = Run(self._design, Store(""), self._run, self._found, self._parts, todo=todo, begun=frozenset(before),
                  said=recorded(e for events in before.values() for e in events))
        with within(self._service):
            try:
                await run.sampled()
            except ParlourError as error:
                return "stopped", str(error)
        return "done", ""


class Cluster:
    """The driver's side of one run."""

    def __init__(self, design: Design, run: str, url: str, gathering: Gathering, workers: int,
                 on_episode: Callable[[Progress], None], progress: Progress):
        self.design, self.run, self.url, self.gathering, self.workers = design, run, url, gathering, workers
        self.on_episode, self.progress = on_episode, progress
        self.spent: float | None = None
        self._made = 0

    def drive(self, order: list[int]) -> tuple[str, str]:
        """Deals out the episodes until all are played or the run must stop; (status, why)."""
        ray = started(self.workers)
        self._bank = None if self.design.budget is None else ray.remote(num_cpus=0)(Bank).remote(self.design.budget)
        todo = self._dealt(order)
        busy: dict[Any, tuple[str, Any, Task]] = {}
        losses: dict[int, int] = {}
        idle = [self._worker(ray) for _ in range(min(self.workers, len(todo)))]
        why = ""
        while busy or (todo and not why):
            while idle and todo and not why:
                name, actor = idle.pop()
                task, before = todo.popleft()
                busy[actor.play.remote(task, before)] = (name, actor, task)
            for ref in ray.wait(list(busy), num_returns=1)[0]:
                name, actor, task = busy.pop(ref)
                try:
                    status, reason = ray.get(ref)
                    why = why or (reason if status != "done" else "")
                    idle.append((name, actor))
                except ray.exceptions.RayActorError as error:
                    why = why or self._lost(ray, name, task, todo, losses, error)
                    idle.append(self._worker(ray))
            self._tell()
        for _, actor in idle:
            ray.kill(actor)
        if self._bank is not None:
            self.spent = ray.get(self._bank.spent.remote())
            ray.kill(self._bank)
        return ("stopped", why) if why else ("done", "")

    def _dealt(self, order: list[int]) -> deque[tuple[Task, dict[int, list[Event]]]]:
        """Episodes in the order of play, some at a time: enough for a worker's concurrency, few enough for all to share."""
        each, rest = max(1, min(self.design.concurrency, len(order) // (4 * self.workers))), iter(order)
        return deque((task, {}) for task in iter(lambda: list(islice(rest, each)), []))

    def _worker(self, ray: Any) -> tuple[str, Any]:
        name = f"w{self._made}"
        self._made += 1
        actor = ray.remote(num_cpus=1, max_restarts=0)(Worker).remote(
            self.design.model_dump(mode="json"), self.run, self.url, name, self._bank, -(-self.design.concurrency // self.workers))
        return name, actor

    def _lost(self, ray: Any, name: str, task: Task, todo: deque[tuple[Task, dict[int, list[Event]]]], losses: dict[int, int],
              error: Exception) -> str:
        """Gives the episodes of a lost worker to the next; why the run must stop, or nothing."""
        if self._bank is not None:
            ray.get(self._bank.lost.remote(name))
        self.gathering.more()
        left = [e for e in task if e not in self.gathering.ended]
        for e in left:
            losses[e] = losses.get(e, 0) + 1
        if any(losses[e] >= LOSSES for e in left):
            return f"{LOSSES} workers were lost over the same episodes ({', '.join(map(str, left))}): {str(error).splitlines()[0]}"
        if left:
            todo.appendleft((left, {e: self.gathering.open[name, e] for e in left if (name, e) in self.gathering.open}))
        return ""

    def _tell(self) -> None:
        self.gathering.more()
        self.progress.by_status = {}
        self.progress.done = 0
        for status in self.gathering.ended.values():
            self.progress.count(status)
        self.on_episode(self.progress)


def started(workers: int) -> Any:
    """Ray, joined where RAY_ADDRESS or an earlier `ray.init` says, else begun on this machine alone, on loopback."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ModuleNotFoundError:
        raise InputError("--on ray needs the extra `cluster`: pip install \"parlour[cluster]\".") from None
    if not ray.is_initialized():
        here: dict[str, Any] = {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": workers, "include_dashboard": False,
                                                                       "_node_ip_address": "127.0.0.1"}
        ray.init(log_to_driver=False, logging_level=ERROR, **here)
    return ray


def fit(design: Design) -> None:
    """Raises DesignError for what cannot be played apart."""
    if design.episodes == "exact":
        raise DesignError("an exact evaluation costs nothing: run it without --on ray.")
    if design.cache != "off":
        raise DesignError("the cache is a file of one machine: with --on ray, cache must be \"off\".")
    if design.sentinels:
        raise DesignError("sentinels are put by one machine: with --on ray, sentinels must be 0.")
    if any(s["agent"] in ("human", "web") for arm in design.arms for s in arm.seats.values()):
        raise DesignError("a person sits at this machine: run it without --on ray.")


async def start_on_ray(design: Design, store: Store, url: str, workers: int,
                       on_episode: Callable[[Progress], None] = lambda progress: None) -> tuple[str, str]:
    """Runs a design on a cluster; (run, status). url: the folder all workers write to. Raises InputError."""
    fit(design)
    service = Service(None, None, lambda model: price_of(model, design.prices))
    with within(service):
        found = tables(design)
        check(design, found)
        await preflight(found)
    with store.open(write=True):
        pass
    name = new_name(design)
    address = f"{url.rstrip('/')}/{name}"
    folder = Folder(address)
    order = [s.episode for s in slots(design, found)]
    with Journal(store.journals / f"{name}.jsonl") as journal:
        for event in head(name, design, found):
            journal.write(event)
        journal.write({"k": "shared", "run": name, "url": address})
        gathering = Gathering(folder, journal)
        cluster = Cluster(design, name, address, gathering, workers, on_episode, Progress(len(order)))
        status, why = "stopped", "interrupted"
        try:
            status, why = await asyncio.to_thread(cluster.drive, order)
        finally:
            gathering.finish()
            journal.write({"k": "stop", "run": name, "status": status, "why": why, "spent": cluster.spent})
            store.take(journal.path)
    seal(store, name)
    compact(store)
    return name, status

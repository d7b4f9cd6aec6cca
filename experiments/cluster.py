"""Plays the episodes of a design on a Ray cluster.

The driver deals out episodes, a few at a time; each worker is an actor that plays them and writes a journal of its own to a
shared folder (`transcripts/parts.py`). When a worker is lost, the driver reads how far it had come and gives its episodes to
another, which begins with the words on record: they are copied into its journal and not paid for again. One purse, an actor
too, holds the budget of all workers. The driver puts the sentinels, between two deals, and merges the workers' journals into the
run's own, which then is like any other.
"""
import asyncio
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from logging import ERROR
from socket import gethostname
from typing import Any

from ..agents.purse import Purse
from ..agents.service import Service, current, within
from ..errors import BudgetSpent, DesignError, InputError, ParlourError
from ..protocols.patience import unhurried
from ..protocols.session import Event
from ..transcripts.compact import compact
from ..transcripts.journal import read
from ..transcripts.parts import Folder, Gathering, Parts, shared
from ..transcripts.seal import seal
from ..transcripts.store import Store
from .design import Design
from .money import price_of
from .plan import slot, slots, tables
from .runner import Engine, OnEpisode, Run, Watch
from .said import recorded
from .sentinels import Sentinels

LOSSES = 3
"""Workers that may be lost over the same episodes before the run stops: it may be the episodes that kill them."""
Task = list[int]


class Bank:
    """The purse of all workers, an actor. It remembers what each has set aside, should it be lost."""

    def __init__(self, budget: float, spent: float = 0.0):
        self._purse = Purse(budget, spent)
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
        self._settling: list[Any] = []

    async def reserve(self, worst: float) -> None:
        with unhurried():
            why = await self._bank.reserve.remote(self._worker, worst)
        if why:
            raise BudgetSpent(why)

    def settle(self, worst: float, cost: float) -> None:
        self._settling.append(self._bank.settle.remote(self._worker, worst, cost))

    async def settled(self) -> None:
        """Waits until the purse knows what all calls so far have cost: whoever asks it next is told."""
        settling, self._settling = self._settling, []
        for known in settling:
            await known


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
            finally:
                if isinstance(purse := self._service.purse, Share):
                    await purse.settled()
        return "done", ""


class Cluster:
    """The driver's side of one run.

    url     the folder all workers write to
    before  episode -> what is on record of it, for those that were half-played when the run was taken up
    part    which of the run's folders it is: workers of each have names of their own
    """

    def __init__(self, run: Run, url: str, gathering: Gathering, workers: int, before: Mapping[int, list[Event]], part: int):
        self.design, self.run, self.url, self.gathering, self.workers = run.design, run.name, url, gathering, workers
        self.before, self.on_episode, self.progress = before, run.on_episode, run.progress
        purse = current().purse
        self.spent = purse.spent if purse else None
        self.sentinels, self._loop = run.sentinels, asyncio.get_running_loop()
        self._prefix, self._made = f"{part}-" if part else "", 0

    def drive(self, order: list[int]) -> tuple[str, str]:
        """Deals out the episodes until all are played or the run must stop; (status, why)."""
        ray = started(self.workers)
        self._bank = None if self.design.budget is None else ray.remote(num_cpus=0)(Bank).remote(self.design.budget, self.spent or 0.0)
        todo = self._dealt(order)
        busy: dict[Any, tuple[str, Any, Task]] = {}
        losses: dict[int, int] = {}
        idle = [self._worker(ray) for _ in range(min(self.workers, len(todo)))]
        self.gathering.more()
        why = self._watched()
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
            why = why or self._watched()
        for _, actor in idle:
            ray.kill(actor)
        if self._bank is not None:
            self.spent = ray.get(self._bank.spent.remote())
            ray.kill(self._bank)
        return ("stopped", why) if why else ("done", "")

    def _watched(self) -> str:
        """Puts the sentinels that are due, in the driver's loop, while workers play; why the run must stop, or nothing."""
        if self.sentinels is None:
            return ""
        try:
            asyncio.run_coroutine_threadsafe(self._put(self.sentinels), self._loop).result()
        except ParlourError as error:
            return str(error)
        return ""

    async def _put(self, sentinels: Sentinels) -> None:
        purse = None if self._bank is None else Share(self._bank, "driver")
        with within(replace(current(), purse=purse)):
            try:
                await sentinels.due(len(self.gathering.ended), self.progress.planned or 0)
            finally:
                if purse is not None:
                    await purse.settled()

    def _dealt(self, order: list[int]) -> deque[tuple[Task, dict[int, list[Event]]]]:
        """Episodes in the order of play, some at a time: enough for a worker's concurrency, few enough for all to share."""
        each, rest = max(1, min(self.design.concurrency, len(order) // (4 * self.workers))), iter(order)
        return deque((task, {e: self.before[e] for e in task if e in self.before}) for task in iter(lambda: list(islice(rest, each)), []))

    def _worker(self, ray: Any) -> tuple[str, Any]:
        name = f"{self._prefix}w{self._made}"
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
            known = {e: self.gathering.open.get((name, e)) or self.before.get(e) for e in left}
            todo.appendleft((left, {e: events for e, events in known.items() if events}))
        return ""

    def _tell(self) -> None:
        self.gathering.more()
        self.progress.by_status = {}
        self.progress.done = 0
        for status in self.gathering.ended.values():
            self.progress.count(status)
        self.on_episode(self.progress)


def started(workers: int) -> Any:
    """Ray, joined where RAY_ADDRESS or an earlier `ray.init` says, else begun on this machine alone, on loopback, without a page."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    alone = not os.environ.get("RAY_ADDRESS")
    if alone:  # else it would take 127.0.0.1 for the address of this machine on its network, and listen there
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
    except ModuleNotFoundError:
        raise InputError("--on ray needs the extra `cluster`: pip install \"parlour[cluster]\".") from None
    here: dict[str, Any] = {"num_cpus": workers, "include_dashboard": False, "_node_ip_address": "127.0.0.1"} if alone else {}
    for last in () if ray.is_initialized() else (False, True):  # on a busy machine its parts may be too slow for each other the first time
        try:
            ray.init(log_to_driver=False, logging_level=ERROR, **here)
            break
        except Exception as error:  # it raises bare ones
            ray.shutdown()
            if last:
                raise InputError(f"Ray did not start: {str(error).splitlines()[0]} Try again when the machine is less busy, or run "
                                 "without --on ray.") from None
    return ray


def fit(design: Design) -> None:
    """Raises DesignError for what cannot be played apart."""
    if design.episodes == "exact":
        raise DesignError("an exact evaluation costs nothing: run it without --on ray.")
    if design.cache != "off":
        raise DesignError("the cache is a file of one machine: with --on ray, cache must be \"off\".")
    if any(s["agent"] in ("human", "web") for arm in design.arms for s in arm.seats.values()):
        raise DesignError("a person sits at this machine: run it without --on ray.")


def on_ray(url: str, workers: int) -> Engine:
    """The engine that plays on a cluster. url: the folder all workers write to."""
    return Engine(fit, partial(_play, url=url.rstrip("/"), workers=workers))


async def _play(run: Run, watch: Watch | None, on_episode: OnEpisode | None, url: str, workers: int) -> str:
    """Plays what a run owes on a cluster; the status. Raises InputError for a run of copies."""
    if run.todo is not None:
        raise InputError(f"run {run.name} consists of copies of other episodes: resume it without --on ray.")
    run.on_episode = on_episode or run.on_episode
    order = [s.episode for s in slots(run.design, run.found) if s.episode not in run.ended]
    part = len(shared(read(run.journal.path)))
    address = f"{url}/{run.name}" + (f"-{part}" if part else "")
    before: dict[int, list[Event]] = {e: [] for e in run.begun - run.ended}
    for event in read(run.journal.path) if before else ():
        if event.get("e") in before:
            before[event["e"]].append(event)
    run.journal.write({"k": "shared", "run": run.name, "url": address})
    if run.design.sentinels:
        run.sentinels = Sentinels(run.design, run.name, run.found, run.journal)
    gathering = Gathering(Folder(address), run.journal)
    cluster, status, why = Cluster(run, address, gathering, workers, before, part), "stopped", "interrupted"
    try:
        status, why = await asyncio.to_thread(cluster.drive, order)
    finally:
        gathering.finish()
        if run.sentinels:
            await run.sentinels.close()
        run.journal.write({"k": "stop", "run": run.name, "status": status, "why": why, "spent": cluster.spent})
        run.store.take(run.journal.path)
    seal(run.store, run.name)
    compact(run.store)
    return status

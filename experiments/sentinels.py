"""Sentinels: a few fixed questions put to each model again and again under a run, to find a change that no fingerprint tells.

They are put at the start, each time another tenth of the episodes has ended, and at the end: round 0 to 10, fewer where there
are fewer than ten episodes. The model is asked with its settings, without its persona and never from the cache. What it says
is on record as rows of its own (`sentinel`), no episode and in no mean; `transcripts/drift.py` compares the rounds.
"""
import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import to_json

from ..agents.llm import LLM
from ..agents.service import current, within
from ..games.base import Play, Saw, Say, State, Wording
from ..protocols.base import Ask, Script
from ..protocols.seat import Turn
from ..protocols.session import Event, Said, Session, seed_of
from ..transcripts.journal import Journal, read
from .design import ITEMS, Design
from .money import models
from .plan import Table

ROUNDS = 10
SEAT = "question"
PRIVATE = {"persona", "key_env", "price_in", "price_out"}
"""Fields of a model that make it no other model to a sentinel."""


@dataclass(frozen=True)
class Subject:
    """A model under watch. spec: what tells it from others, as its rows name it."""
    model: LLM
    spec: dict[str, Any]

    @property
    def key(self) -> bytes:
        """The spec as text."""
        return to_json(self.spec)


def subjects(found: Iterable[Table]) -> list[Subject]:
    """Every model that the seats call, as far as can be told, once for each way it is set."""
    known: dict[bytes, Subject] = {}
    for model in (m for table in found for seats in table.seats for agent in seats.values() for m in models(agent)):
        plain = LLM(**{name: getattr(model, name) for name in LLM.model_fields if name != "persona"})
        subject = Subject(plain, plain.model_dump(mode="json", exclude=PRIVATE))
        known.setdefault(subject.key, subject)
    return list(known.values())


def question(item: int, seed: int) -> Turn:
    """The turn in which a sentinel is put: the same in every round."""
    return Turn(_ask(item), Wording(), seed_of(seed, "sentinel", item))


def _ask(item: int) -> Ask:
    return Ask(SEAT, (Saw(role=SEAT, move=Say(text=ITEMS[item])),), Say)


def _script(item: int) -> Script:
    yield (_ask(item),)
    return Play(state=State(), moves=())


class Sentinels:
    """The sentinels of a run under way. What its journal holds of them is not asked for again."""

    def __init__(self, design: Design, run: str, found: Iterable[Table], journal: Journal):
        self._design, self._run, self._journal, self._round = design, run, journal, -1
        self._subjects = subjects(found) if current().calls else []
        self._tries: dict[tuple[bytes, int, int], int] = {}
        self._answered: set[tuple[bytes, int, int]] = set()
        for event in read(journal.path):
            if event["k"] == "sentinel":
                self._note(event)

    def _note(self, event: Event) -> None:
        """One row on record: how many tries there have been, whether there is an answer."""
        key = to_json(event["spec"]), event["round"], event["item"]
        self._tries[key] = max(self._tries.get(key, 0), event["n"] + (event["verdict"] == "error"))
        if event["verdict"] not in ("asked", "error", "unmade"):
            self._answered.add(key)

    async def due(self, done: int, planned: int) -> None:
        """Asks the round that is due now that `done` of `planned` episodes have ended, if there is one. Raises as a session does."""
        now = ROUNDS * done // planned if planned else ROUNDS
        if now > self._round:
            self._round = now
            with within(replace(current(), cache=None)):
                found = await asyncio.gather(*(self._put(subject, now, item) for subject in self._subjects
                                               for item in range(self._design.sentinels)), return_exceptions=True)
            for problem in found:
                if isinstance(problem, BaseException):
                    raise problem

    async def _put(self, subject: Subject, now: int, item: int) -> None:
        """Puts one question, trying again as a session does. Its events become rows of table `sentinel`."""
        key = subject.key, now, item
        if key in self._answered:
            return
        seed = question(item, self._design.seed).seed
        base = {"k": "sentinel", "run": self._run, "round": now, "item": item, "spec": subject.spec, "seed": seed}

        def record(event: Event) -> None:
            kind = event["k"]
            row = {**event, **base, "n": event.get("n", 0), "verdict": {"ask": "asked", "call": "asked"}.get(kind, event.get("verdict"))}
            if kind == "unmade":
                row["verdict"] = kind
            if row.get("prompt"):
                row["prompt"] = self._journal.text(row["prompt"])
            self._journal.write(row)

        tried = {0: Said(tries=self._tries[key])} if key in self._tries else {}
        await Session(_script(item), {SEAT: subject.model}, {SEAT: Wording()}, lambda role, turn: seed, record,
                      replace(self._design.limits, attempts=1), tried).play()

    async def close(self) -> None:
        """Lets go of connections."""
        await asyncio.gather(*(subject.model.close() for subject in self._subjects))

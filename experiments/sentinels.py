"""Sentinels: a few fixed questions put to each model again and again under a run, to find a change that no fingerprint tells.

They are put at the start, each time another twentieth of the episodes has ended, and at the end: rounds 0 to 20, fewer where
there are fewer than twenty episodes. The model is asked with its settings, without its persona and never from the cache. What it says
is on record as rows of its own (`sentinel`), no episode and in no mean; `transcripts/drift.py` compares the rounds. A run that
is taken up first puts what it still owes of the rounds before: a question has the tries of any ask, and is answered once.
"""
import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import to_json

from ..agents.llm import LLM
from ..agents.service import current, within
from ..games.base import Play, Say, State, Wording
from ..protocols.base import Ask, Script
from ..protocols.codec import render
from ..protocols.interview import Asked
from ..protocols.seat import Reply, Turn
from ..protocols.session import Event, Session, judge, seed_of
from ..transcripts.journal import Journal, hash_of, read
from .design import ITEMS, Design
from .money import models
from .plan import Table
from .said import recorded

ROUNDS = 20
SEAT = "question"
PRIVATE = {"persona", "key_env", "price_in", "price_out"}
"""Fields of a model that make it no other model to a sentinel."""
KEPT = ("words", "complaint", "finish", "model", "tokens_in", "tokens_out", "cost", "latency", "cached", "fingerprint")
"""What a row keeps of a reply as it came."""


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


def rounds(planned: int) -> list[int]:
    """The rounds that so many episodes come to: r is due when the first d of them have ended with r = floor(20 d / planned)."""
    return [r for r in range(ROUNDS + 1) if -(-r * planned // ROUNDS) * ROUNDS < (r + 1) * planned]


def question(item: int, seed: int) -> Turn:
    """The turn in which a sentinel is put: the same in every round."""
    return Turn(_ask(item), Wording(), seed_of(seed, "sentinel", item))


def _ask(item: int) -> Ask:
    return Ask(SEAT, (Asked(name=f"sentinel {item}", text=ITEMS[item]),), Say)


def _script(item: int) -> Script:
    yield (_ask(item),)
    return Play(state=State(), moves=())


class Sentinels:
    """The sentinels of a run under way. What its journal holds of them is not asked for again."""

    def __init__(self, design: Design, run: str, found: Iterable[Table], journal: Journal):
        self._design, self._run, self._journal, self._round = design, run, journal, -1
        self._subjects = subjects(found) if current().calls else []
        self._said = recorded(map(_heard, (e for e in read(journal.path) if e["k"] == "sentinel" and e["verdict"] != "unmade")))

    async def due(self, done: int, planned: int) -> None:
        """Puts what is due now that `done` of `planned` episodes have ended, and was not before. Raises as a session does."""
        now = ROUNDS * done // planned
        if now > self._round:
            new = [r for r in rounds(planned) if self._round < r <= now]
            self._round = now
            with within(replace(current(), cache=None)):
                found = await asyncio.gather(*(self._put(subject, r, item) for r in new for subject in self._subjects
                                               for item in range(self._design.sentinels)), return_exceptions=True)
            for problem in found:
                if isinstance(problem, BaseException):
                    raise problem

    async def _put(self, subject: Subject, at: int, item: int) -> None:
        """Puts one question, trying again as a session does. Its events become rows of table `sentinel`."""
        seed = question(item, self._design.seed).seed
        base = {"k": "sentinel", "run": self._run, "round": at, "item": item, "spec": subject.spec, "seed": seed}

        def record(event: Event) -> None:
            verdict = {"reply": event.get("verdict"), "unmade": "unmade"}.get(event["k"], "asked")
            row = {**base, "n": event.get("n", 0), "verdict": verdict, **{k: event[k] for k in KEPT if k in event}}
            if event.get("prompt"):
                row["prompt"] = self._journal.text(event["prompt"])
            self._journal.write(row)

        await Session(_script(item), {SEAT: subject.model}, {SEAT: Wording()}, lambda role, turn: seed, record,
                      replace(self._design.limits, attempts=1), self._said.get((subject.key, at, item), {})).play()

    async def close(self) -> None:
        """Lets go of connections."""
        await asyncio.gather(*(subject.model.close() for subject in self._subjects))


def _heard(event: Event) -> Event:
    """A row on record as the event of a session: its ask, or its reply."""
    key = to_json(event["spec"]), event["round"], event["item"]
    return {**event, "k": "ask" if event["verdict"] == "asked" else "reply", "e": key, "t": 0}


def differing(design: Design, row: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """(field, on record, computed) of a row of table `sentinel` that is not as it would be read now."""
    if not 0 <= row["item"] < design.sentinels:
        yield "item", row["item"], f"0 to {design.sentinels - 1}"
        return
    asked = question(row["item"], design.seed)
    if row["seed"] != asked.seed:
        yield "seed", row["seed"], asked.seed
    if row["verdict"] not in ("asked", "unmade", "error"):
        _, complaint, verdict = judge(Reply(row["words"], row["finish"]), asked.ask, asked.wording)
        shown = hash_of(render(asked.ask, asked.wording))
        for name, now in (("verdict", verdict), ("complaint", complaint or None), ("prompt", shown)):
            if row[name] != now:
                yield name, row[name], now

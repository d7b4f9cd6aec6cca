"""What a design's models cost, and the cache and the budget its runs are held by.

A price is looked for, in this order: price_in and price_out of the seat; [prices] of the design; Parlour's mock is free;
the table `prices.toml`, for the providers' own endpoints alone. A price that is found nowhere is unknown, never guessed.
"""
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any

from ..agents.cache import Cache
from ..agents.clients import OPENAI
from ..agents.deliberate import Deliberate
from ..agents.graph import Graph
from ..agents.llm import LLM
from ..agents.purse import Purse
from ..agents.service import Price, Service, within
from ..agents.visitors import Visitors
from ..errors import BudgetSpent, DesignError
from ..protocols.seat import Agent
from ..protocols.session import Event
from ..transcripts.store import Store
from .design import Design, Prices
from .plan import Table


@cache
def table() -> Mapping[str, Any]:
    """The shipped price table: version, source, models."""
    found: Mapping[str, Any] = tomllib.loads((resources.files(__package__) / "prices.toml").read_text())
    return found


def price_of(model: LLM, own: Prices) -> Price | None:
    """US$ per million tokens in and out of a model that names no price itself; None if it is not known."""
    given = _match(model.model, {name: (p.price_in, p.price_out) for name, p in own.items()})
    if given is not None:
        return given
    if model.is_mock:
        return 0.0, 0.0
    if (model.endpoint or OPENAI).rstrip("/") != OPENAI:
        return None
    return _match(model.model if "/" in model.model else f"openai/{model.model}", table()["models"])


def _match(name: str, prices: Mapping[str, Any]) -> Price | None:
    found = prices.get(name) or next((p for pattern, p in prices.items() if fnmatchcase(name, pattern)), None)
    return None if found is None else (float(found[0]), float(found[1]))


def models(agent: Agent) -> Iterator[LLM]:
    """The models an agent calls, as far as can be told."""
    if isinstance(agent, LLM):
        yield agent
    elif isinstance(agent, Deliberate) and agent.whom is not None:
        yield from models(agent.whom)


@contextmanager
def serving(design: Design, store: Store, spent: float = 0.0, visitors: Visitors | None = None) -> Iterator[Service]:
    """The cache, the purse and the prices of a run, for all that is inside. Raises BudgetSpent if nothing is left.

    visitors  people who came to its pages before
    """
    if design.budget is not None and spent >= design.budget:
        raise BudgetSpent(f"the budget of US$ {design.budget:g} is spent: US$ {spent:.4g} so far. Give a larger one with --budget.")
    kept = None if design.cache == "off" else Cache(store.path.with_suffix(".cache.sqlite"), design.cache)
    purse = None if design.budget is None else Purse(design.budget, spent)
    try:
        with within(Service(kept, purse, lambda model: price_of(model, design.prices), visitors=visitors or Visitors())) as service:
            yield service
    finally:
        if kept:
            kept.close()


def check(design: Design, found: list[Table]) -> None:
    """A budget needs to know what every call may cost. Raises DesignError."""
    if design.budget is None:
        return
    for role, agent in ((r, a) for t in found for seats in t.seats for r, a in seats.items()):
        if isinstance(agent, Graph) or (isinstance(agent, Deliberate) and isinstance(agent.whom, Graph)):
            raise DesignError(f"seat '{role}' is a graph, whose calls no budget can hold: leave out `budget`.")
        for model in models(agent):
            if model.price is None:
                raise DesignError(f"seat '{role}': a budget needs the price of {model.where}, which is not known: give its "
                                  "price_in and price_out (US$ per million tokens), or [prices].")
            if model.max_tokens is None or any(name.startswith("max_") for name in model.extra):
                raise DesignError(f"seat '{role}': a budget needs max_tokens, and no other limit in `extra`.")


def spent(events: Iterable[Event]) -> float:
    """US$ counted so far by a journal: what was counted at its last stop, and what replies since have cost."""
    total = 0.0
    for event in events:
        if event["k"] in ("reply", "sentinel"):
            total += event.get("cost") or 0.0
        elif event["k"] == "stop" and event.get("spent") is not None:
            total = event["spent"]
    return total

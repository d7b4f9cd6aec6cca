"""What a run will take, before it is run: calls, tokens, money, time, each as a range that should hold it nine times in ten.

A few episodes of every arm are played with the mock in each model's place, so that the talk is counted as it will be sent:
system messages, schemas, the whole past in every prompt. The mock's replies are drawn at realistic lengths. Then DRAWS
outcomes are drawn, from

    episodes         resampled, and scaled up to the design
    tokens           a quarter of the characters, times exp(N(0, .15)) for what tokenizers and their chat forms make of it
    replies          their length times exp(N(0, .6)), one factor for the whole run: nobody knows how a model will talk
    bad replies      0 to 10 % more calls
    one call         exp(N(log 1, .4)) seconds, and a second more for every exp(N(log 60, .4)) tokens of the reply

Sentinels are rehearsed too: one round, as often as the run will put it.
"""
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from math import exp, floor, log, log10
from random import Random
from typing import Any

from pydantic_core import from_json, to_json

from ..agents.llm import LLM
from ..agents.mock import SENTENCES, Mock, drawer_of, tokens
from ..agents.service import Price, Service, within
from ..errors import DesignError
from ..protocols.seat import Reply, Turn
from ..protocols.session import Session, seed_of
from .design import Design
from .money import models, price_of, table
from .plan import Table, slot, tables
from .sentinels import question, rounds, subjects

EPISODES, DRAWS = 12, 1000
LENGTH = (log(80), 0.6)
"""Log of the median number of tokens in a reply, reasoning included, and its spread."""
TALK = 0.6
"""Spread of the factor by which a model talks longer than the mock. Models are taken to differ by .5; the rest is for the luck of a
rehearsal of a few episodes, without which the ranges held in 35 of 40 simulated designs."""
MODELS = ("llm", "persona")
ABSENT = ("human", "web", "graph")
"""Seats that are played by the mock meanwhile: nobody is asked, and whatever they call is not counted."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Call:
    """One call rehearsed: tokens, and the price of its model if it is known."""
    tokens_in: int
    tokens_out: int
    price: Price | None


Episode = list[Call]
Played = list[tuple[int, list[Episode]]]
"""Of every arm: how many episodes the run will play, and those that were rehearsed. A round of sentinels is an episode too."""


@dataclass(frozen=True)
class Estimate:
    """Ranges at 90 %. cost in US$ for the models whose prices are known; seconds at the design's concurrency.

    rehearsed  episodes played by the mock
    prices     model -> US$ per million tokens in and out
    unknown    the models whose prices are not known
    absent     seats that are not counted
    """
    episodes: int
    rehearsed: int
    calls: Range
    tokens_in: Range
    tokens_out: Range
    cost: Range
    seconds: Range
    concurrency: int
    prices: dict[str, Price]
    unknown: tuple[str, ...]
    absent: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {**asdict(self), "table": table()["version"]}


def costly(design: Design) -> bool:
    """Whether any seat calls a model other than the mock."""
    seats = (seat.get("inner", seat) for arm in design.arms for seat in arm.seats.values())
    return design.episodes != "exact" and any(s["agent"] in MODELS and not s.get("is_mock") for s in seats)


async def estimate(design: Design) -> Estimate:
    """Rehearses a design. Nobody is called and no key is needed. Raises InputError for a design that cannot be run."""
    if design.episodes == "exact":
        raise DesignError("an exact evaluation calls no model and costs nothing: there is nothing to estimate.")
    heard: Episode = []
    with within(Service(price=lambda model: price_of(model, design.prices), rehearse=partial(rehearse, heard))):
        found = tables(_without_the_absent(design))
        played: Played = [(design.episodes, [e async for e in _rehearsed(design, of, heard)]) for of in found]
        rehearsed = sum(len(episodes) for _, episodes in played)
        played += _sentinels(design, found, heard)
        called = {_name(m): m.price for t in found for seats in t.seats for a in seats.values() for m in models(a)}
    outcomes = [_outcome(played, design, Random(i)) for i in range(DRAWS)]
    calls, tokens_in, tokens_out, cost, seconds = (_range(list(column)) for column in zip(*outcomes, strict=True))
    absent = sorted({r for a in design.arms for r, s in a.seats.items() if s["agent"] in ABSENT})
    return Estimate(design.episodes * len(design.arms), rehearsed, calls, tokens_in, tokens_out, cost, seconds,
                    design.concurrency, {name: p for name, p in called.items() if p is not None},
                    tuple(name for name, p in called.items() if p is None), tuple(absent))


def _name(model: LLM) -> str:
    return f"{model.model} at {model.endpoint}" if model.endpoint else model.model


def _without_the_absent(design: Design) -> Design:
    arms = tuple(arm.model_copy(update={"seats": {r: {"agent": "mock"} if s["agent"] in ABSENT else s
                                                  for r, s in arm.seats.items()}}) for arm in design.arms)
    return design.model_copy(update={"arms": arms})


async def _rehearsed(design: Design, of: Table, heard: Episode) -> AsyncIterator[Episode]:
    """A few episodes of one arm, from all over the design."""
    assert isinstance(design.episodes, int)
    for i in sorted(Random(design.seed).sample(range(design.episodes), min(EPISODES, design.episodes))):
        heard.clear()
        at = slot(design, of, i, i)
        seats = of.seats[at.persona]
        await Session(of.protocol.script(of.game, at.state), seats, dict.fromkeys(seats, at.wording),
                      partial(seed_of, design.seed, at.episode), lambda event: None, design.limits).play()
        yield list(heard)


def _sentinels(design: Design, found: list[Table], heard: Episode) -> Played:
    """The sentinels of a run."""
    assert isinstance(design.episodes, int)
    heard.clear()
    for subject in subjects(found):
        for item in range(design.sentinels):
            rehearse(heard, subject.model, question(item, design.seed))
    return [(len(rounds(design.episodes * len(found))), [list(heard)])] if heard else []


def rehearse(heard: Episode, model: LLM, turn: Turn) -> Reply:
    """What the mock says in a model's place, at a model's length; the call is added to those heard."""
    request, _ = model.request(turn, model.structured and turn.schema is not None)
    text = to_json([request["messages"], request.get("response_format")]).decode()
    drawer = drawer_of(turn.ask.want, turn.wording)
    length = int(exp(Random(turn.seed).gauss(*LENGTH)))
    words = Mock().answer(drawer, turn.seed, len(turn.attempts), turn.ask.optional)
    words = _lengthened(words, min(length, model.max_tokens or length))
    heard.append(Call(tokens(text), tokens(words), model.price))
    return Reply(words, "stop", model.model, tokens(text), tokens(words))


def _lengthened(words: str, length: int) -> str:
    """Words of so many tokens: an object gets its `reasoning`, speech goes on."""
    lacking = length - tokens(words)
    more = " ".join(SENTENCES * (1 + lacking * 4 // 200))[:max(0, lacking * 4)]
    if not more:
        return words
    return to_json({"reasoning": more, **from_json(words)}).decode() if words.startswith("{") else f"{words} {more}"


def _outcome(played: Played, design: Design, chance: Random) -> tuple[float, ...]:
    """(calls, tokens in, tokens out, US$, seconds) as one run of the design might turn out."""
    assert isinstance(design.episodes, int)
    longer, wider = exp(chance.gauss(0, TALK)), exp(chance.gauss(0, 0.15))
    again, pause, speed = chance.uniform(1.0, 1.1), exp(chance.gauss(0, 0.4)), 60 * exp(chance.gauss(0, 0.4))
    calls = said = asked = cost = most = 0.0
    for times, arm in played:
        share = again * times / len(arm)
        for episode in chance.choices(arm, k=len(arm)):
            calls += share * len(episode)
            most = max(most, sum(pause + c.tokens_out * longer / speed for c in episode))
            for c in episode:
                asked += share * c.tokens_in * wider
                said += share * c.tokens_out * longer
                cost += share * (c.tokens_in * wider * c.price[0] + c.tokens_out * longer * c.price[1]) / 1e6 if c.price else 0.0
    at_once = min(design.concurrency, sum(times for times, _ in played))
    return calls, asked, said, cost, max(most, (calls * pause + said / speed) / at_once)


def _range(values: list[float]) -> Range:
    values = sorted(values)
    return values[len(values) // 20], values[-1 - len(values) // 20]


def lines(found: Estimate, budget: float | None = None) -> Iterator[str]:
    """The estimate, for people."""
    yield f"estimate (90 % ranges) for {found.episodes} episodes, from {found.rehearsed} played by the mock:"
    yield f"    calls {_span(found.calls)}, tokens in {_span(found.tokens_in)}, out {_span(found.tokens_out)}"
    yield f"    time {_span(found.seconds, ' s')} at {found.concurrency} episodes at once, if no rate limit stands in the way"
    if found.prices:
        known = "; ".join(f"{name}: {low:g} in, {high:g} out" for name, (low, high) in found.prices.items())
        yield f"    cost {_span(found.cost, '', 'US$ ')} ({known} per million tokens; price table {table()['version']})"
    for name in found.unknown:
        yield f"    the price of {name} is not known: give its seat price_in and price_out, or the design [prices]"
    if found.absent:
        yield f"    not counted: {', '.join(found.absent)} (a person, or a graph that may call anything)"
    if budget is not None and found.unknown:
        yield f"    the budget of US$ {budget:g} cannot be held while a price is not known: a run refuses it"
    elif budget is not None:
        holds = "is likely to hold" if found.cost[1] <= budget else "may be spent before the end"
        yield f"    the budget of US$ {budget:g} {holds}"


def _span(of: Range, unit: str = "", before: str = "") -> str:
    low, high = (f"{x:.2g}" if x < 100 else f"{round(x, 1 - floor(log10(x))):,.0f}" for x in of)
    return f"{before}{low} .. {high}{unit}"

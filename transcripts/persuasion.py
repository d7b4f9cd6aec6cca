"""What a sender's policies were worth, and what receivers were really told, from rows alone.

    stated     U(pi): what her policy earns against the best answers of the type she met, episode by episode: over the types she may
               meet, what her policies are worth, whatever was drawn
    gain       (U - U_no) / (V - U_no): U what she earned, U_no without information, V the optimum; not defined where V = U_no
    obedience  share of receivers who did what is best for them, by Bayes's rule from the policy and the message
    realised   where words or unbound messages may tell another story than the policy: what was really told. Words that came with a
               message are tested for independence of the state given the message (`independence`); if they are not, every message
               is split by what a reader could tell from its words, and that information structure is what is scored. A sender who is
               not bound is scored by how often she said what, in each state

Payoffs are always of what was told and done. Source: E. Kamenica, M. Gentzkow, "Bayesian persuasion", AER 101 (2011).
"""
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..games.base import NATURE, SLACK, Play, Say
from ..games.persuading import Act, Case, Offer, Policy, Sent, Word, index, normalised, posterior
from ..games.persuasive import Persuasive
from ..games.solvers.persuasion import Rows, expected, worth
from .arms import Arm, Score
from .independence import NONE, Independence, Told, channel, independence
from .intervals import wilson
from .plays import plays

REJECTED = 0.05
"""Words whose independence of the state is as unlikely as this are taken to tell it."""


@dataclass(frozen=True)
class Talk:
    """One episode: the state, the policy, the message sent, its words, what the receiver did and whether it was his best answer."""
    episode: int
    case: Case
    rows: Rows
    message: int
    text: str | None
    best: bool
    bound: bool


def persuasions(arm: Arm) -> Iterator[Score]:
    """The scores of an arm in which somebody persuades; none of other games."""
    if not isinstance(arm.game, Persuasive):
        return
    offer = arm.game.offer()
    talks = {episode: _talk(offer, episode, play) for episode, play in plays(arm)}
    if not talks:
        return
    stated = {e: met(offer, t.case.type, t.rows) for e, t in talks.items()}
    yield _mean(arm, stated, "policy", "stated policy, receivers at their best")
    yield from _gain(arm)
    good = sum(t.best for t in talks.values())
    low, high = wilson(good, len(talks), arm.level)
    yield arm.line("policy", "receiver", "best answers to policy and message") | {
        "value": good / len(talks), "low": low, "high": high, "n": len(talks), "effective_n": len(talks), "method": "Wilson"}
    yield from _realised(arm, offer, list(talks.values()))


def _talk(offer: Offer, episode: int, play: Play) -> Talk:
    assert isinstance(play.state, Case)
    rows: Rows = next(m.rows for m in reversed(play.all("sender", Policy)) if not isinstance(m, Sent))
    words, drawn = play.all("sender", Word), play.all(NATURE, Sent)
    message = index(words[-1].message if words else drawn[-1].message)
    belief, utility = offer.beliefs[play.state.type], offer.receiver[play.state.type]
    held = posterior(belief, rows, message) or belief
    earned = expected(held, utility)
    best = earned[index(play.last("receiver", Act).action)] >= max(earned) - SLACK
    said = play.all("sender", Say)
    return Talk(episode, play.state, rows, message, said[-1].text if said else None, best, not words)


def value(offer: Offer, rows: Rows) -> float:
    """What a policy earns the sender from the receivers she may meet, each at his best."""
    return sum(w * met(offer, k, rows) for k, w in enumerate(offer.weights))


def met(offer: Offer, kind: int, rows: Rows) -> float:
    """What a policy earns the sender from one type, at his best."""
    return worth(offer.beliefs[kind], tuple(normalised(row) for row in rows), offer.sender, offer.receiver[kind]).sender


def _mean(arm: Arm, values: Mapping[int, float], quantity: str, name: str) -> Score:
    low, high = arm.game.bounds("sender")
    rows = [arm.row(e, values.get(e["episode"]), low, high) for e in arm.episodes]
    return arm.line(quantity, "sender", name, arm.mean(rows))


def _gain(arm: Arm) -> Iterator[Score]:
    known = {b.name: b.value.get("sender") for b in arm.benchmarks}
    none, best, paid = known.get("no_information"), known.get("optimum"), arm.estimate("sender")
    if none is None or best is None or best - none <= SLACK or paid.mean is None:
        return
    low, high = ((None if x is None else (x - none) / (best - none)) for x in (paid.low, paid.high))
    yield arm.line("policy", "sender", "persuasion gain", paid) | {"value": (paid.mean - none) / (best - none), "low": low, "high": high,
                                                                   "worst": None, "best": None}


def _realised(arm: Arm, offer: Offer, talks: Sequence[Talk]) -> Iterator[Score]:
    if not talks[0].bound:
        told = {t.episode: value(offer, unbound(offer, talks)) for t in talks}
        yield _mean(arm, told, "policy", "realised information, receivers at their best")
        return
    worded = [t for t in talks if t.text is not None]
    if not worded:
        return
    texts = [Told(t.message, t.case.state, t.text or "") for t in worded]
    found = independence(texts)
    yield _tested(arm, found, len(worded))
    split = channel(texts, found.guesses) if found.p is not None and found.p <= REJECTED else {}
    told = {t.episode: value(offer, refined(t.rows, split)) for t in worded}
    yield _mean(arm, told, "policy", "realised information, receivers at their best")


def _tested(arm: Arm, found: Independence, n: int) -> Score:
    if found.p is None:
        note = "no message met two states, or its words never differed: nothing to test"
    else:
        note = f"p = {found.p:.3f}: " + ("words tell the state" if found.p <= REJECTED else "no sign that words tell the state")
    return arm.line("independence", "sender", "words and state, given the message") | {
        "value": found.statistic, "n": n, "method": "permutation test", "note": note}


def refined(rows: Rows, split: Mapping[tuple[int, int], Mapping[int, float]]) -> Rows:
    """A policy whose messages are split by what their words give away; all go one way where the split says nothing."""
    guesses = sorted({g for chances in split.values() for g in chances}) or [NONE]
    return tuple(tuple(p * split.get((m, w), {guesses[0]: 1.0}).get(g, 0.0) for m, p in enumerate(normalised(row)) for g in guesses)
                 for w, row in enumerate(rows))


def unbound(offer: Offer, talks: Sequence[Talk]) -> Rows:
    """How often each message was said in each state; a state never met says what all together said."""
    counts = [[0.0] * offer.messages for _ in offer.sender]
    for t in talks:
        counts[t.case.state][t.message] += 1
    total = [sum(row[m] for row in counts) for m in range(offer.messages)]
    return tuple(tuple(row if sum(row) else total) for row in counts)

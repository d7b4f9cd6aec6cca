"""The channel that an adviser really was: how often it knew, how often it repeated what it knew, how often it was right.

    accuracy      chance that the adviser's note is right                 q
    truthfulness  chance that the report repeats the note                 t
    realised      chance that the report is right                         q t + (1-q)(1-t) if both are binary, independent
    correlation   of right/wrong between reports of one episode, given the state: 0 if independent, 1 if merely repeated

Rates have Wilson intervals. Reports of one episode are worth n / (1 + (m-1) r) independent ones, r their correlation, cut
to [0, 1] (1 if nothing varies), m = sum_e m_e^2 / n. An adviser who never varied its answer to a question is one
observation of truthfulness per question, however often it was asked.

Source of the design effect: L. Kish (1965), Survey Sampling. Checked example: three episodes of the reports right, right;
wrong, wrong; right, wrong in one state: correlation 1/3.
"""
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from .intervals import wilson

SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Told:
    """One report of an adviser.

    note_right, repeats_note, report_right  as `Game.channel` reads them
    episode, state  whose reports repeat each other; "" for an episode of its own
    question        hash of all the adviser was shown; "" if unknown, then every report counts as sampled
    weight          of its episode in the arm's mean, > 0: states are not visited in proportion to their chance
    """
    note_right: bool
    repeats_note: bool
    report_right: bool
    episode: str = ""
    state: str = ""
    question: str = ""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Rate:
    """The weighted share of successes among n, with a Wilson interval at effective_n."""
    rate: float
    low: float
    high: float
    successes: int
    n: int
    effective_n: float


@dataclass(frozen=True, slots=True)
class Channel:
    """What was realised. `correlation` is None if no episode has two reports, or nothing varies within a state."""
    accuracy: Rate
    truthfulness: Rate
    realised: Rate
    correlation: float | None
    reports: int
    episodes: int


def realised_channel(records: Iterable[Told], level: float = 0.95) -> Channel:
    """The channel of these reports. Raises ValueError if there are none or 0 < level < 1 fails."""
    told = list(records)
    if not told:
        raise ValueError("no reports: the adviser was never heard")
    right = [t.report_right for t in told]
    repeats = [t.repeats_note for t in told]
    return Channel(
        accuracy=_rate(told, [t.note_right for t in told], len(told), level),
        truthfulness=_rate(told, repeats, _questions(told), level),
        realised=_rate(told, right, len(told), level),
        correlation=correlation_of_repeats(_episodes(told, right)),
        reports=len(told), episodes=len(_episodes(told, right)))


def correlation_of_repeats(reports: Iterable[tuple[str, Sequence[bool]]]) -> float | None:
    """The phi coefficient of two reports of one episode, given the state.

    reports  per episode: its state, and whether each of its reports was right
    Over all ordered pairs of reports of an episode, about the state's mean over these pairs: covariance / variance, pooled
    over states. None if no episode has two reports, or within every state all are alike.
    """
    states: dict[str, list[Sequence[bool]]] = defaultdict(list)
    for state, rights in reports:
        if len(rights) > 1:
            states[state].append(rights)
    together = spread = 0.0
    for episodes in states.values():
        pairs = sum(len(r) * (len(r) - 1) for r in episodes)
        mean = sum(sum(r) * (len(r) - 1) for r in episodes) / pairs
        for rights in episodes:
            squares = fsum((x - mean) ** 2 for x in rights)
            together += fsum(x - mean for x in rights) ** 2 - squares
            spread += (len(rights) - 1) * squares
    return together / spread if spread > SLACK else None


def _rate(told: Sequence[Told], hits: Sequence[bool], most: int, level: float) -> Rate:
    """most  no more observations than these."""
    episodes = [rights for _, rights in _episodes(told, hits)]
    n, r = len(hits), correlation_of_repeats(_episodes(told, hits))
    size = sum(len(e) ** 2 for e in episodes) / n
    effective = min(float(most), n / (1 + (size - 1) * (1.0 if r is None else min(1.0, max(0.0, r)))))
    weight = [t.weight for t in told]
    effective = min(effective, fsum(weight) ** 2 / fsum(w * w for w in weight))  # Kish
    rate = min(1.0, fsum(w for w, hit in zip(weight, hits, strict=True) if hit) / fsum(weight))
    low, high = wilson(rate * n, n, level, effective)
    return Rate(rate, low, high, sum(hits), n, effective)


def _episodes(told: Sequence[Told], hits: Sequence[bool]) -> list[tuple[str, list[bool]]]:
    """(state, hits) of every episode, in the order of the reports."""
    found: dict[tuple[str, str | int], list[bool]] = defaultdict(list)
    for i, (t, hit) in enumerate(zip(told, hits, strict=True)):
        found[t.state, t.episode or i].append(hit)
    return [(state, rights) for (state, _), rights in found.items()]


def _questions(told: Sequence[Told]) -> int:
    """Observations of how the adviser answers: every report to a question it answered in two ways, else one."""
    asked: dict[str, list[bool]] = defaultdict(list)
    for t in told:
        asked[t.question].append(t.repeats_note)
    return sum(1 if question and len(set(answers)) == 1 else len(answers) for question, answers in asked.items())

"""What was answered beside the game: comprehension, results by comprehension, beliefs and their proper scores; from rows alone.

Comprehension   a question with a right answer: the share of episodes that gave it (no answer is a wrong one). A role understood
                in an episode if it gave every right answer; its payoffs are then shown for those who did and who did not.
Beliefs         p, the stated chance, against y, whether it happened: Brier (p - y)^2 and log score -ln of the chance given to
                what happened (p cut to [.001, .999]); both are least, on average, when the true chance is stated.
Recitation      a question in words, put at the end, with what a right answer contains: the share that knew it.

Sources: G. W. Brier (1950), Monthly Weather Review 78; I. J. Good (1952), Rational decisions, JRSS B 14.
"""
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import log

from pydantic_core import from_json

from ..protocols.interview import Asked, Question
from .arms import Arm, Score
from .events import happened
from .intervals import wilson
from .sampling import Row
from .statistics import mean

ANSWERS = ("SELECT episode, k.news, a.move FROM ask k JOIN attempt a USING (run, episode, turn) JOIN episode e USING (run, episode) "
           "WHERE run = ? AND e.arm = ? AND a.verdict = 'ok' AND contains(k.news, ?) ORDER BY episode, turn")
CUT = 0.001


def interviews(arm: Arm) -> Iterator[Score]:
    """The scores of an arm's questions; none if it had none."""
    questions = [Question.model_validate(q) for q in arm.protocol_fields.get("questions", ())]
    given = {q.name: answers(arm, q) for q in questions}
    for q in questions:
        if q.answer is not None:
            yield _right(arm, q, given[q.name])
        if q.kind == "belief":
            yield from _beliefs(arm, q, given[q.name])
    for role in dict.fromkeys(q.role for q in questions if q.answer is not None and q.at != "end"):
        yield from _by_comprehension(arm, role, [q for q in questions if q.role == role and q.answer is not None and q.at != "end"], given)


def answers(arm: Arm, q: Question) -> dict[int, float | str]:
    """Episode -> what was answered; nothing where the seat passed or gave up."""
    kind = f'"type":"{Asked.__module__.partition(".")[2]}.Asked"'
    found: dict[int, float | str] = {}
    for r in arm.store.rows(ANSWERS, [arm.run, arm.name, kind]):
        asked = [o["fields"]["name"] for o in from_json(r["news"]) if o["type"].endswith("interview.Asked")]
        if q.name in asked and r["move"] is not None:
            move = from_json(r["move"])
            found[r["episode"]] = next(iter(move["fields"].values()))
    return found


def is_right(q: Question, given: float | str | None) -> bool:
    """Whether an answer is the right one: numbers to 1e-6, words if they contain it."""
    if given is None or q.answer is None:
        return False
    if q.kind == "words":
        return str(q.answer).lower() in str(given).lower()
    if isinstance(given, str):
        return given == q.answer
    return abs(given - float(q.answer)) <= 1e-6


def _right(arm: Arm, q: Question, given: Mapping[int, float | str]) -> Score:
    n = len(arm.episodes)
    hits = sum(is_right(q, given.get(e["episode"])) for e in arm.episodes)
    worth = max(1, len({e["signature"] for e in arm.episodes}))
    low, high = wilson(hits, n, arm.level, min(n, worth))
    quantity = "recitation" if q.at == "end" else "comprehension"
    return arm.line(quantity, q.role, q.name) | {"value": hits / n, "low": low, "high": high, "n": n, "effective_n": worth,
                                                 "method": "Wilson"}


def _beliefs(arm: Arm, q: Question, given: Mapping[int, float | str]) -> Iterator[Score]:
    role, _, event = q.about.partition(" ")
    rows = happened(arm, role, event)
    stated = [(r, float(given[e["episode"]]) / 100) for r, e in zip(rows, arm.episodes, strict=True)
              if r.value is not None and e["episode"] in given]
    for what, score in (("belief", lambda p, y: p), ("happened", lambda p, y: y), ("Brier", lambda p, y: (p - y) ** 2),
                        ("log score", lambda p, y: -log(min(1 - CUT, max(CUT, p if y else 1 - p))))):
        if stated:
            top = -log(CUT) if what == "log score" else 1.0
            yield arm.line("belief", q.role, f"{q.name}: {what}", arm.mean(_scored(r, score(p, r.value), top) for r, p in stated))


def _scored(r: Row, value: float, top: float) -> Row:
    return replace(r, value=float(value), low=0.0, high=top)


def _by_comprehension(arm: Arm, role: str, questions: list[Question], given: Mapping[str, Mapping[int, float | str]]) -> Iterator[Score]:
    paid = arm.rows(role)
    understood = [all(is_right(q, given[q.name].get(e["episode"])) for q in questions) for e in arm.episodes]
    for what, wanted in (("understood", True), ("did not understand", False)):
        rows = [r for r, u in zip(paid, understood, strict=True) if u is wanted]
        if rows:
            yield arm.line("by comprehension", role, what, mean(rows, arm.level, inference=arm.inference))

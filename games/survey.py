"""One question to one respondent, which people have answered before: how often do others say the same?

Nature draws a question. The respondent takes one of the options, or names a number. If s_i is the share of people who took
option i, the respondent is paid s_i: how many agree. A number z is paid 1 / (1 + |z - median| / IQR). Where people's answers are
not on record it is paid 0.

    questions  text, the same in another guise (isomorph), shares of people per option or their median and IQR, n people
    labels     of the options, the same for every question                      (k,), k >= 2; none: a number is asked for

`people` answers as people do, worth the mean of sum_i s_i^2 (a number: always the median, worth 1); `optimum` gives the modal
answer, worth the mean of max_i s_i >= that. So agreeing most with people is not to be like them: agreement never leads.
Ties: the option listed first. Checked example (the defaults): people (.5722 + .5008)/2, optimum (.69 + .52)/2.

Source: G. Charness, M. Rabin, "Understanding social preferences with simple tests", QJE 117 (2002), for the defaults.
"""
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, create_model, model_validator

from .base import (
    Benchmark,
    Chance,
    Frozen,
    Game,
    Information,
    Mixed,
    Move,
    Observation,
    Play,
    Role,
    Rules,
    State,
    Strategy,
    Wording,
    learned,
    surely,
)

SOURCE = "the people's answers on record"


class Question(Frozen):
    """A question and what people said. shares per option, in order, summing to 1; none if they are not on record."""
    key: str
    text: str
    isomorph: str
    shares: tuple[Chance, ...] = ()
    median: float | None = None
    iqr: Annotated[float, Field(gt=0)] | None = None
    n: Annotated[int, Field(ge=1)] | None = None


class Asked(State):
    """Which question is put: its place."""
    at: Annotated[int, Field(ge=0)]


class Put(Observation):
    """The question as it is put."""
    text: str
    isomorph: str
    at: int

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("question", text=self.text, isomorph=self.isomorph)


class Answer(Move):
    """One of the options."""
    option: str


class Number(Move):
    """A number."""
    number: float


ENDING = {"Answer": "Which do you choose?", "Number": "Give one number."}
PLAIN = Wording(name="plain", texts={"question": "{text}", **ENDING})
REVERSED = Wording(name="reversed", order="reversed", texts={"question": "{text}", **ENDING})
ISOMORPH = Wording(name="isomorph", texts={"question": "{isomorph}", **ENDING})

DEFAULTS = tuple(Question(
    key=key, shares=shares,
    text=f"You and another person are paid by your choice alone. Left: the other gets {a}, you get 400. Right: the other gets 750, "
         f"you get {b}.",
    isomorph=f"You share out points between a colleague and yourself. Left: {a // 5} to the colleague, 80 to you. Right: 150 to the "
             f"colleague, {b // 5} to you.") 
    for key, a, b, shares in (("Berk29", 400, 400, (0.31, 0.69)), ("Barc2", 400, 375, (0.52, 0.48))))


class Survey(Game):
    wordings = (PLAIN, REVERSED, ISOMORPH)
    textbook = ("Charness", "Rabin", "dictator game", "Milgram", "Kahneman")
    ties = "the option listed first"
    questions: Annotated[tuple[Question, ...], Field(min_length=1)] = DEFAULTS
    labels: tuple[str, ...] = ("Left", "Right")
    kind: Literal["choice", "number"] = "choice"

    @model_validator(mode="after")
    def _fits(self) -> "Survey":
        for q in self.questions:
            if q.shares and (len(q.shares) != len(self.labels) or abs(sum(q.shares) - 1) > 1e-6):
                raise ValueError(f"question {q.key}: one share per option is owed, and they sum to 1")
        if self.kind == "choice" and len(set(self.labels)) < max(2, len(self.labels)):
            raise ValueError("a choice has at least two options, all different")
        return self

    @cached_property
    def _answer(self) -> type[Answer]:
        labels: Any = Literal[self.labels]
        return create_model("Answer", __base__=Answer, option=(labels, ...))

    def players(self) -> tuple[Role, ...]:
        return ("respondent",)

    def states(self) -> tuple[tuple[float, Asked], ...]:
        return tuple((1 / len(self.questions), Asked(at=i)) for i in range(len(self.questions)))

    def observe(self, role: Role, state: Asked) -> Observation:
        q = self.questions[state.at]
        return Put(text=q.text, isomorph=q.isomorph, at=state.at)

    def want(self, role: Role) -> type[Move]:
        return Number if self.kind == "number" else self._answer

    def payoffs(self, play: Play) -> dict[Role, float]:
        q, move = self.questions[play.state.at], play.last("respondent")  # type: ignore[attr-defined]  # this game's states
        if isinstance(move, Number):
            known = q.median is not None and q.iqr is not None
            return {"respondent": 1 / (1 + abs(move.number - q.median) / q.iqr) if known else 0.0}  # type: ignore[operator]  # known
        return {"respondent": q.shares[self.labels.index(move.option)] if q.shares else 0.0}

    def bounds(self, role: Role) -> tuple[float, float]:
        return 0.0, 1.0

    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        same = [sum(s * s for s in q.shares) if self.kind == "choice" else float(q.median is not None) for q in self.questions]
        most = [max(q.shares, default=0.0) if self.kind == "choice" else float(q.median is not None) for q in self.questions]
        return [Benchmark(name="people", kind="people", source=SOURCE, value={"respondent": sum(same) / len(same)}),
                Benchmark(name="optimum", kind="optimum", source=SOURCE, value={"respondent": sum(most) / len(most)})]

    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        def play(information: Information, want: type[Move]) -> Mixed:
            q = self.questions[learned(information, Put)[-1].at]
            if self.kind == "number":
                return surely(Number(number=q.median or 0.0))
            shares = q.shares or (1.0, *[0.0] * (len(self.labels) - 1))
            if benchmark == "optimum":
                return surely(self._answer(option=self.labels[shares.index(max(shares))]))
            return tuple((s, self._answer(option=o)) for s, o in zip(shares, self.labels, strict=True) if s > 0)
        return play

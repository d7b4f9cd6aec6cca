"""Which of two drafts to send: guess, think, or ask an AI that may be wrong.

One of two drafts, A or B, is superior. The human sends A, sends B, or thinks first (C) and sends the superior one.
An AI learns which is superior with accuracy q and reports it when asked. Society is hurt by every inferior draft sent.

    p   prior           chance that A is superior                             in [0, 1]
    G   gain            human's payoff if the superior draft is sent          money
    L   loss            human's payoff if the inferior draft is sent          money, L < G
    k   thinking_cost   C pays R = G - k and never errs                       money, k >= 0
    q   accuracy        chance that the AI's note equals the state            in [0, 1]
    c   ask_cost        price of one question                                 money, c >= 0
    S   harm            society's loss per inferior draft sent                money, S >= 0
    ai_interest         what the AI is paid 1 for: `truth` its report equals the state; `agree` its report equals the
                        draft the human sends; `one_email` draft A is sent

Without AI: V0 = max(R, pG + (1-p)L, (1-p)G + pL). With at most n questions, reports equal to the notes and independent
given the state: V_n(p) = max(V_0(p), -c + sum_s P(s) V_{n-1}(p|s)), solved backwards over the lead of A-reports over
B-reports, O(n^2). A repeated report is worth no second question. Society: -S times the chance of error.
Ties: do not ask; then C, A, B. A question to an AI paid for anything but truth may be answered with anything, so `with_ai`
is then only a bound. Checked example (the defaults): V0 = 1, V1 = 2.5, error 0 -> .1, q* = .8.

Source: N. Immorlica, "Theoretical models of generative AI in economic environments"; the solution is derived here.
"""
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field, model_validator

from .base import (
    SLACK,
    Benchmark,
    Chance,
    Game,
    Information,
    Mixed,
    Move,
    Observation,
    Play,
    Query,
    Role,
    Rules,
    State,
    Strategy,
    Wording,
    heard,
    learned,
    surely,
)
from .solvers.roots import bisect
from .solvers.stopping import Stopping, solve_stopping

Label = Literal["A", "B"]
Action = Literal["A", "B", "C"]
OTHER: dict[Label, Label] = {"A": "B", "B": "A"}
SOURCE = "Immorlica, Theoretical models of generative AI in economic environments"


class Superior(State):
    """Which draft is the superior one."""
    draft: Label


class Brief(Observation):
    """What the human starts with."""
    prior: Chance
    gain: float
    loss: float
    thinking: float

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("brief", prior=w.percent(self.prior), other=w.percent(1 - self.prior), gain=w.money(self.gain),
                      loss=w.money(self.loss), thinking=w.money(self.thinking), A=w.label("A"), B=w.label("B"), C=w.label("C"),
                      options=", ".join(w.options(("A", "B", "C"))))


class Adviser(Observation):
    """What the human is told of the AI."""
    accuracy: Chance

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("adviser", accuracy=w.percent(self.accuracy))


class Task(Observation):
    """What the AI starts with."""
    interest: Literal["truth", "agree", "one_email"]

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("task", A=w.label("A"), B=w.label("B")) + " " + w.tell(self.interest, A=w.label("A"))


class Note(Observation):
    """What the AI learns about the state."""
    draft: Label
    accuracy: Chance

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("note", draft=w.label(self.draft), accuracy=w.percent(self.accuracy))


class Report(Move):
    """The AI's answer."""
    report: Label


class Choice(Move):
    """Send A, send B, or think first (C)."""
    action: Action


PLAIN = Wording(
    name="plain",
    unit="{} point|{} points",
    labels={"human": "The sender", "ai": "Your assistant"},
    texts={
        "brief": "You have two drafts of a message, {A} and {B}; exactly one of them is the better one. {A} is the better one "
                 "with chance {prior}, {B} with chance {other}. Sending the better one earns you {gain}, sending the other one "
                 "{loss}. You may send {A}, send {B}, or choose {C}: study both first and then send the better one for sure, "
                 "which earns you {thinking} after the cost of studying. Your options: {options}.",
        "adviser": "You have an AI assistant that has looked into the matter. Its finding is right with chance {accuracy}.",
        "left": "You may put {queries} more question(s) to your assistant; each costs {price}.",
        "task": "You are an AI assistant. The person you serve has two drafts of a message, {A} and {B}, one of which is the "
                "better one, and asks you which.",
        "truth": "You are rewarded if your report names the better draft.",
        "agree": "You are rewarded if the person sends the draft that you name.",
        "one_email": "You are rewarded if the person sends {A}, whichever is better.",
        "note": "Your finding: {draft} is the better one. Such findings are right with chance {accuracy}.",
        "Query": "Do you want to ask your assistant which draft is the better one?",
        "Report": "Which draft do you report as the better one?",
        "Choice": "What do you do?",
    })

WORKSHOP = Wording(
    name="workshop",
    unit="{} crown|{} crowns",
    scale=10,
    shift=120,
    order="reversed",
    labels={"A": "north", "B": "south", "C": "survey", "human": "The digger", "ai": "The geologist's machine"},
    texts={
        "brief": "A well is to be dug at one of two places, {A} or {B}; there is water at exactly one of them: at {A} with "
                 "chance {prior}, at {B} with chance {other}. Digging where the water is leaves you with {gain}, digging at the "
                 "dry place with {loss}. You may dig at {A}, dig at {B}, or order a {C}, which finds the water for sure and "
                 "leaves you with {thinking} once it is paid. Your options: {options}.",
        "adviser": "A machine has read the ground. What it read is right with chance {accuracy}.",
        "left": "You may put {queries} more question(s) to the machine; each costs {price}.",
        "task": "You read the ground for somebody who will dig a well at {A} or at {B}; there is water at one of them, and you "
                "are asked where.",
        "truth": "You are rewarded if the place you name has water.",
        "agree": "You are rewarded if the well is dug at the place you name.",
        "one_email": "You are rewarded if the well is dug at {A}, wherever the water is.",
        "note": "The ground says: water at {draft}. Such readings are right with chance {accuracy}.",
        "Query": "Do you want to ask the machine where the water is?",
        "Report": "Which place do you name?",
        "Choice": "What do you do?",
    })


class Email(Game):
    wordings = (PLAIN, WORKSHOP)
    payees = ("society",)
    textbook = ("email",)
    ties = "do not ask; then C, A, B"

    prior: Chance = 0.5
    gain: float = 5.0
    loss: float = -10.0
    thinking_cost: Annotated[float, Field(ge=0)] = 4.0
    accuracy: Chance = 0.9
    ask_cost: Annotated[float, Field(ge=0)] = 1.0
    harm: Annotated[float, Field(ge=0)] = 0.0
    ai_interest: Literal["truth", "agree", "one_email"] = "truth"

    @model_validator(mode="after")
    def _ordered(self) -> "Email":
        if self.loss >= self.gain:
            raise ValueError(f"loss ({self.loss:g}) must be below gain ({self.gain:g})")
        return self

    # --- who knows what -------------------------------------------------------------------------------------------------
    def players(self) -> tuple[Role, ...]:
        return ("human",)

    def advisers(self) -> dict[Role, Role]:
        return {"human": "ai"}

    def states(self) -> tuple[tuple[float, State], ...]:
        pairs = ((self.prior, Superior(draft="A")), (1 - self.prior, Superior(draft="B")))
        return tuple((p, s) for p, s in pairs if p > 0)

    def observe(self, role: Role, state: Superior) -> Observation:
        if role == "ai":
            return Task(interest=self.ai_interest)
        return Brief(prior=self.prior, gain=self.gain, loss=self.loss, thinking=self.gain - self.thinking_cost)

    def adviser_facts(self, role: Role) -> Observation:
        return Adviser(accuracy=self.accuracy)

    def notes(self, adviser: Role, state: Superior) -> tuple[tuple[float, Observation], ...]:
        right, wrong = (Note(draft=d, accuracy=self.accuracy) for d in (state.draft, OTHER[state.draft]))
        return tuple((p, n) for p, n in ((self.accuracy, right), (1 - self.accuracy, wrong)) if p > 0)

    def want(self, role: Role) -> type[Move]:
        return Report if role == "ai" else Choice

    @property
    def question_price(self) -> float:
        return self.ask_cost

    # --- what it is worth -----------------------------------------------------------------------------------------------
    def payoffs(self, play: Play) -> dict[Role, float]:
        assert isinstance(play.state, Superior)
        action, draft = play.last("human", Choice).action, play.state.draft
        sent = draft if action == "C" else action
        human = self.gain - self.thinking_cost if action == "C" else self.gain if sent == draft else self.loss
        reports = [r.report for r in play.all("ai", Report)]
        paid = {"truth": draft, "agree": sent}
        ai = sent == "A" if self.ai_interest == "one_email" else bool(reports) and reports[-1] == paid[self.ai_interest]
        return {"human": human, "ai": float(ai), "society": -self.harm if sent != draft else 0.0}

    def bounds(self, role: Role) -> tuple[float, float]:
        thinking = self.gain - self.thinking_cost
        return {"human": (min(self.loss, thinking), max(self.gain, thinking)), "ai": (0.0, 1.0),
                "society": (-self.harm, 0.0)}[role]

    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        alone, aided = self._solution(rules.but(queries=0)), self._solution(rules)
        measures = {"error": alone.error, "ask": 0.0}
        without = Benchmark(name="without_ai", kind="optimum", source=SOURCE, measures=measures,
                            value={"human": alone.value, "society": 0.0 - self.harm * alone.error})
        honest = self.ai_interest == "truth"
        note = "" if honest else f"assumes reports equal to the notes; an AI paid for '{self.ai_interest}' has no reason to"
        threshold = self.accuracy_threshold(rules)
        if threshold is not None and threshold > 1:
            note = "; ".join(filter(None, (note, "an accuracy_threshold above 1: asking never pays")))
        harm = (aided.value - alone.value) / (aided.error - alone.error) if aided.error > alone.error + SLACK else None
        if harm is None:
            note = "; ".join(filter(None, (note, "no harm_threshold: the AI brings no further errors")))
        if not _useful(rules):
            note = "no question may be asked under these rules"
        return [without, Benchmark(
            name="with_ai", kind="optimum" if honest else "bound", source=SOURCE, note=note,
            value={"human": aided.value, "society": 0.0 - self.harm * aided.error},
            measures={"error": aided.error, "ask": float(aided.asks), "accuracy_threshold": threshold,
                      "willingness_to_pay": self.willingness_to_pay(rules),
                      "harm_threshold": harm})]

    @property
    def usual(self) -> str:
        return "with_ai"

    def price(self, rules: Rules) -> float:
        """What one question costs under these rules."""
        return rules.get("price", self.ask_cost)

    def _solution(self, rules: Rules) -> Stopping:
        return _solve(self, _useful(rules), self.price(rules))

    def accuracy_threshold(self, rules: Rules) -> float | None:
        """The least accuracy (at least 1/2) at which asking is worth its price; None if no question may be asked.

        With one question V_1 is a maximum of plans linear in q, so the threshold is where the first of them reaches
        V0 + c; above 1 it says that asking never pays. With more, a root of the value in q.
        """
        questions, price = _useful(rules), self.price(rules)
        if questions == 0:
            return None
        goal = _solve(self, 0, price).value + price
        one = max(0.5, min((goal - at_zero) / slope for at_zero, slope in self._plans() if slope > SLACK))
        if questions == 1 or one > 1:
            return one
        return bisect(lambda q: _solve(self.model_copy(update={"accuracy": q}), questions, price).asking - goal + price,
                      0.5, one)

    def _plans(self) -> list[tuple[float, float]]:
        """(value at q = 0, slope in q) of every plan that maps the report to an action, before the price."""
        p, thinking = self.prior, self.gain - self.thinking_cost
        worth = {"A": {"A": self.gain, "B": self.loss, "C": thinking}, "B": {"A": self.loss, "B": self.gain, "C": thinking}}
        lines = []
        for after_a in "ABC":
            for after_b in "ABC":
                right = p * worth["A"][after_a] + (1 - p) * worth["B"][after_b]
                wrong = p * worth["A"][after_b] + (1 - p) * worth["B"][after_a]
                lines.append((wrong, right - wrong))
        return lines

    def willingness_to_pay(self, rules: Rules) -> float | None:
        """The price per question at which asking (at least once) is worth as much as not asking; None without questions.

        The value of the best plan that asks is convex and piecewise linear in the price, with slope minus the expected
        number of questions, so Newton's method reaches the root in finitely many steps.
        """
        questions = _useful(rules)
        if questions == 0:
            return None
        alone, price = _solve(self, 0, 0.0).value, 0.0
        for _ in range(questions + 2):
            plan = _solve(self, questions, price)
            price += (plan.asking - alone) / plan.questions_if_asking
        return price

    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        if role == "ai":
            return lambda information, want: surely(Report(report=learned(information, Note)[-1].draft))
        asks = rules.but(queries=0) if benchmark == "without_ai" else rules
        plan = self._solution(asks)

        def human(information: Information, want: type[Move]) -> Mixed:
            lead, heard_so_far = _lead(information, asks)
            if want is Query:
                return surely(Query(question="?") if plan.ask(heard_so_far, lead) else None)
            return surely(Choice.model_validate({"action": plan.action(heard_so_far, lead)}))

        return human

    # --- people ---------------------------------------------------------------------------------------------------------
    def heed(self, role: Role, information: Information) -> Move:
        return Choice(action=heard(information, Report)[-1].report)

    def ignore(self, role: Role, information: Information) -> Move:
        return Choice.model_validate({"action": _solve(self, 0, 0.0).action(0, 0)})

    def options(self, role: Role, information: Information, want: type[Move], rules: Rules,
                level: int | None = None) -> tuple[tuple[Move | None, float], ...]:
        if role == "ai":
            note = learned(information, Note)[-1]
            paid = {"truth": note.accuracy, "agree": 1.0, "one_email": float(note.draft == "A")}[self.ai_interest]
            other = {"truth": 1 - note.accuracy, "agree": 1.0, "one_email": float(note.draft == "B")}[self.ai_interest]
            return ((Report(report=note.draft), paid), (Report(report=OTHER[note.draft]), other))
        plan, (lead, asked) = self._solution(rules), _lead(information, rules)
        if want is Query:
            return ((None, plan.stop_value(asked, lead)), (Query(question="?"), plan.ask_value(asked, lead)))
        actions: tuple[Action, ...] = ("C", "A", "B")
        return tuple((Choice(action=a), plan.act_value(a, lead)) for a in actions)

    # --- the realised channel -------------------------------------------------------------------------------------------
    def channel(self, state: Superior, note: Note, report: Report) -> tuple[bool, bool, bool]:
        return note.draft == state.draft, report.report == note.draft, report.report == state.draft

    def recalibrated(self, accuracy: float) -> "Email":
        return self.model_copy(update={"accuracy": accuracy})


def _useful(rules: Rules) -> int:
    """Questions worth asking: a report that is only repeated tells nothing the second time."""
    questions = rules.get("queries", 1)
    return questions if rules.get("independent", True) else min(1, questions)


def _lead(information: Information, rules: Rules) -> tuple[int, int]:
    """(A-reports minus B-reports, reports heard), a repeated report counted once."""
    reports = [r.report for r in heard(information, Report)]
    if not rules.get("independent", True):
        reports = reports[:1]
    return reports.count("A") - reports.count("B"), len(reports)


@lru_cache(maxsize=4096)
def _solve(game: Email, questions: int, price: float) -> Stopping:
    thinking = game.gain - game.thinking_cost
    payoff = {"C": (thinking, thinking), "A": (game.gain, game.loss), "B": (game.loss, game.gain)}
    return solve_stopping(game.prior, game.accuracy, price, questions, payoff, errs={"C": (0, 0), "A": (0, 1), "B": (1, 0)})

"""What games have in common in which one pays another for what comes out, and cannot see what he did.

    principal  posts what is paid for each outcome; sees the outcome, never the choice
    agent      chooses a generator i in private, at its cost c_i; may decline where `participation` is true
    nature     draws the outcome j with chance F_ij

Principal: reward_j - t_j, less fees if the game has any; agent: t_j - c_i; nothing to either if no contract is posted or the
agent declines. Limited liability: t_j >= 0. A protocol posts first (`posts` in its rules), asks the agent, draws the outcome with
`chances`, and appends it to the moves as nature's `Outcome`. Over several rounds payoffs are the mean over the rounds. Where a
contract is bargained over (`bargains`) or the same two meet again (`repeats`), nothing here solves the game: solutions of the
posted contract are then bounds, and the simplest are baselines. Ties: the agent chooses what the principal means to buy, if that is
among his best replies; else the one of them that is best for the principal, else the last.
"""
from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from math import floor, log10
from string import ascii_uppercase
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, create_model

from ..errors import RulesError
from .base import (
    SLACK,
    Benchmark,
    Game,
    Information,
    Kind,
    Mixed,
    Money,
    Move,
    Observation,
    Play,
    Role,
    Rules,
    Saw,
    State,
    Strategy,
    Wording,
    heard,
    surely,
)

NONE = "none"
"""The choice of an agent who declines."""
ROOM = 10.0
"""How many times the greatest amount of any solution a contract may pay."""
Row = tuple[float, ...]
def exact(amount: float) -> float:
    """An amount to twelve decimals, below .1 to twelve digits: the units in which it was said leave no trace."""
    return round(amount, max(12, 11 - floor(log10(amount)))) if amount > 0 else 0.0


EXACT = AfterValidator(exact)
Payment = Annotated[Money, Field(ge=0), EXACT]
"""What may be paid, where no cap is known."""
SUM = 1e-6
"""By how much chances may miss a sum of 1, for rounding."""


class Ready(State):
    """Nothing is drawn before play."""


class Choice(Move):
    """The generator that the agent uses, or `none`."""
    generator: str


class Outcome(Move):
    """What came out, by its number from 0; nature's."""
    outcome: int

    def say(self, w: Wording) -> str:
        return w.tell("outcome", number=self.outcome + 1)


class Drawn(Move):
    """Which task nature has set, by its number from 0."""
    task: int


class TaskKind(Observation):
    """Which kind of task was set, from 0, and with which chances each generator's outcomes come on it."""
    number: int
    labels: tuple[str, ...]
    chances: tuple[Row, ...]

    def say(self, w: Wording, me: Role) -> str:
        rows = [w.tell("row", label=w.label(label), chances=", ".join(f"{j}: {w.percent(p)}" for j, p in enumerate(row, 1)), cost="")
                for label, row in zip(self.labels, self.chances, strict=True)]
        return "\n".join([w.tell("kind", number=self.number + 1), *(rows if w.order == "given" else rows[::-1])])


class Plan(NamedTuple):
    """A solution: what the principal posts (fields of his move), what he means to buy, what is measured; no fields: none exists.

    obeys  the agent chooses `action` whatever he is paid (first best)
    """
    kind: Kind
    fields: tuple[tuple[str, Any], ...] | None
    action: int | None
    measures: tuple[tuple[str, float | None], ...]
    note: str = ""
    obeys: bool = False


def letters(n: int) -> tuple[str, ...]:
    """Names of n generators: A, B, ..., Z, A1, B1, ..."""
    return tuple(ascii_uppercase[i % 26] + (str(i // 26) if i >= 26 else "") for i in range(n))


def check_chances(rows: Sequence[Row], what: str) -> None:
    """Raises ValueError for rows of unequal length or of numbers that are no chances."""
    if len({len(row) for row in rows}) > 1:
        raise ValueError(f"{what}: all rows need the same number of outcomes")
    for i, row in enumerate(rows, 1):
        if any(p < 0 for p in row) or abs(sum(row) - 1) > SUM:
            raise ValueError(f"{what}: row {i} must hold chances, at least 0, that sum to 1; they sum to {sum(row):.6g}")


class Contracting(Game):
    textbook = ("moral hazard", "principal-agent", "hidden action", "limited liability", "contract theory")
    ties = "the agent chooses what the principal means to buy, if it is a best reply; else the best reply best for the principal"

    costs: tuple[float, ...]
    target: int | None = None
    participation: bool = False

    # --- who, and what is known -----------------------------------------------------------------------------------------
    def players(self) -> tuple[Role, ...]:
        return ("principal", "agent")

    def states(self) -> tuple[tuple[float, State], ...]:
        return ((1.0, Ready()),)

    def reveal(self, role: Role, mover: Role, move: Move) -> Observation | None:
        """The contract and the outcome are seen by both; the choice by nobody."""
        return None if isinstance(move, Choice) else Saw(role=mover, move=move)

    def want(self, role: Role) -> type[Move]:
        return _choice(self.labels, self.participation) if role == "agent" else self.contract

    @property
    @abstractmethod
    def contract(self) -> type[Move]:
        """The Move the principal owes, for this instance."""

    @property
    def payment_cap(self) -> float:
        """The most that may be posted for one outcome: ten times the greatest amount of any solution."""
        return _cap(self)

    @property
    def labels(self) -> tuple[str, ...]:
        """The generators' names."""
        return letters(len(self.costs))

    @property
    def wanted(self) -> int:
        """The generator that the principal means to buy: `target`, the last by default."""
        return len(self.costs) - 1 if self.target is None else self.target

    @property
    def increment(self) -> float:
        """The most that the wanted generator may cost above any other, as far as the principal knows; its true value here."""
        return max(0.0, self.costs[self.wanted] - min(self.costs))

    def borne(self, state: Any) -> Row:
        """What the generators cost the agent, money."""
        return self.costs

    def buys(self, state: Any) -> int:
        """The generator that is meant to be bought in a state."""
        return self.wanted

    def admit(self, rules: Rules) -> None:
        if not rules.get("posts", False) or rules.get("menus", False):
            raise RulesError("payments must be posted before the agent chooses: play it under 'text_contract'")

    @property
    def usual_protocol(self) -> str:
        return "text_contract"

    @property
    def usual_rules(self) -> Rules:
        return Rules.of(posts=True)

    # --- what a contract makes of a choice ------------------------------------------------------------------------------
    @abstractmethod
    def rows(self, contract: Any) -> tuple[Row, ...]:
        """Chances of the outcomes under each generator, given what was posted."""

    @abstractmethod
    def paid(self, contract: Any) -> Row:
        """The payment for each outcome, money."""

    @abstractmethod
    def worth(self, contract: Any) -> Row:
        """What each outcome is worth to the principal before pay and after fees, money."""

    @property
    def outcomes(self) -> int:
        """How many scores a text may have. Raises RulesError where outcomes are no scores of a text."""
        raise RulesError("the outcomes of this game are no scores of a text: play it without `tasks`.")

    @property
    def tasks(self) -> Row:
        """Chances of the tasks that nature may set; empty where tasks are not told apart."""
        return ()

    def chances(self, contract: Move, choice: Choice, task: int | None = None) -> Row:
        """With which chances nature draws the outcome, on a task if they are told apart; empty if the agent declined."""
        return () if choice.generator == NONE else self.faced(contract, task)[self.labels.index(choice.generator)]

    def faced(self, contract: Any, task: int | None) -> tuple[Row, ...]:
        """Chances of the outcomes under each generator on a task; on the average task for None."""
        return self.rows(contract)

    def utilities(self, contract: Any) -> Row:
        """The agent's expected payoff from each generator."""
        pay = self.paid(contract)
        return tuple(sum(p * t for p, t in zip(row, pay, strict=True)) - cost
                     for row, cost in zip(self.rows(contract), self.costs, strict=True))

    def profits(self, contract: Any) -> Row:
        """The principal's expected payoff from each generator."""
        net = tuple(v - t for v, t in zip(self.worth(contract), self.paid(contract), strict=True))
        return tuple(sum(p * v for p, v in zip(row, net, strict=True)) for row in self.rows(contract))

    def reply(self, contract: Any, wanted: int | None = None) -> int | None:
        """The agent's best reply under the tie rule, by its number from 0; None if he declines."""
        mine, theirs = self.utilities(contract), self.profits(contract)
        slack = SLACK * max(1.0, *self.costs, *self.paid(contract))
        best = [i for i, u in enumerate(mine) if u >= max(mine) - slack]
        if self.participation and max(mine) < -slack:
            return None
        return wanted if wanted in best else max(best, key=lambda i: (theirs[i], i))

    # --- what it is worth -----------------------------------------------------------------------------------------------
    def payoffs(self, play: Play) -> dict[Role, float]:
        return self._value(play, drawn=True)

    def means(self, play: Play) -> dict[Role, float]:
        return self._value(play, drawn=False)

    def rounds(self, play: Play) -> list[tuple[Any, Choice, int | None]]:
        """(contract in force, choice, outcome) of every round; no outcome if the agent declined."""
        base, posted = self.contract.__base__ or Move, None
        found: list[tuple[Any, Choice, int | None]] = []
        for _, move in play.moves:
            if isinstance(move, base):
                posted = move
            elif isinstance(move, Choice) and posted is not None:
                found.append((posted, move, None))
            elif isinstance(move, Outcome) and found:
                found[-1] = (*found[-1][:2], move.outcome)
        return found

    def _value(self, play: Play, drawn: bool) -> dict[Role, float]:
        found, total = self.rounds(play), {"principal": 0.0, "agent": 0.0}
        for contract, choice, j in found:
            if j is None:
                continue
            i = self.labels.index(choice.generator)
            pay = self.paid(contract)
            total["principal"] += (self.worth(contract)[j] - pay[j] if drawn else self.profits(contract)[i]) / len(found)
            total["agent"] += (pay[j] - self.costs[i] if drawn else self.utilities(contract)[i]) / len(found)
        return total

    @abstractmethod
    def plans(self) -> dict[str, Plan]:
        """Every named solution."""

    def stakes(self) -> Row:
        """Amounts of the instance, beside costs, that payments may have to match."""
        return ()

    @property
    @abstractmethod
    def source(self) -> str:
        """The literature of the solutions."""

    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        found = []
        for name, plan in self.plans().items():
            value: dict[str, float | None] = {"principal": None, "agent": None}
            if plan.fields is not None:
                contract = self.contract.model_validate(dict(plan.fields))
                i = plan.action
                value = {"principal": 0.0 if i is None else self.profits(contract)[i],
                         "agent": 0.0 if i is None else self.utilities(contract)[i]}
            kind, note = under(rules, plan)
            found.append(Benchmark(name=name, kind=kind, source=self.source, value=value, measures=dict(plan.measures), note=note))
        return found

    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        plan, contract = self.plans()[benchmark], self.contract

        def principal(information: Information, want: type[Move]) -> Mixed:
            return surely(want.model_validate(dict(plan.fields or ())))

        def agent(information: Information, want: type[Move]) -> Mixed:
            posted = heard(information, contract.__base__ or Move)[-1]
            i = plan.action if plan.obeys else self.reply(posted, plan.action)
            return surely(want.model_validate({"generator": NONE if i is None else self.labels[i]}))

        return principal if role == "principal" else agent

    # --- people ---------------------------------------------------------------------------------------------------------
    def options(self, role: Role, information: Information, want: type[Move], rules: Rules,
                level: int | None = None) -> tuple[tuple[Move | None, float], ...]:
        if role == "principal":
            raise RulesError("a contract is chosen from a continuum: the principal cannot be a person who weighs options")
        posted = heard(information, self.contract.__base__ or Move)[-1]
        found = list(zip(self.labels, self.utilities(posted), strict=True))
        found += [(NONE, 0.0)] if self.participation else []
        return tuple((want.model_validate({"generator": label}), worth) for label, worth in found)


def under(rules: Rules, plan: Plan) -> tuple[Kind, str]:
    """(kind, note) of a solution of the posted contract under these rules."""
    met = ("bargained over" if rules.get("bargains", 0) else "played again" if rules.get("repeats", 1) > 1
           else "not paid" if rules.get("calibrates", False) else "")
    if not met or plan.fields is None:
        return plan.kind, plan.note
    simple = plan.kind == "baseline"
    what = "a simple behaviour, not a solution" if simple else "a bound from a contract posted once"
    return ("baseline" if simple else "bound"), "; ".join(filter(None, (f"{what}: here the contract is {met}", plan.note)))


@lru_cache(maxsize=1024)
def _cap(game: Contracting) -> float:
    amounts = [t for plan in game.plans().values() for name, value in plan.fields or () if name != "inspect" for t in flat(value)]
    return ROOM * max(1e-6, *amounts, *game.costs, *game.stakes())


def flat(value: Any) -> list[float]:
    """The numbers of nested tuples, in order."""
    return [float(value)] if not isinstance(value, tuple) else [x for v in value for x in flat(v)]


@lru_cache(maxsize=1024)
def _choice(labels: tuple[str, ...], declines: bool) -> type[Move]:
    names: Any = Literal[labels + ((NONE,) if declines else ())]
    return create_model("Choice", __base__=Choice, __module__=__name__, generator=(names, ...))

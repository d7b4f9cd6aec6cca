"""What is known, said and done where a sender persuades a receiver; shared by the games of persuasion.

A policy is rows of numbers, states x messages: shares of each row, so that 3 and 1 say what .75 and .25 say.
"""
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, create_model

from .base import Move, Observation, Role, Say, State, Wording, every
from .solvers.persuasion import Row as Row
from .solvers.persuasion import Rows as Rows
from .solvers.persuasion import best_action as best_action
from .solvers.persuasion import expected as expected


class Case(State):
    """Which type the receiver is, and which state holds; both counted from 0."""
    type: int
    state: int


def named(letter: str, count: int) -> tuple[str, ...]:
    """The canonical labels: s1, s2, ... for states, a1 ... for actions, m1 ... for messages."""
    return tuple(f"{letter}{i + 1}" for i in range(count))


def index(label: str) -> int:
    """The number, from 0, of such a label."""
    return int(label[1:]) - 1


# --- beliefs ------------------------------------------------------------------------------------------------------------
def normalised(row: Sequence[float]) -> Row:
    """Shares as chances."""
    total = sum(row)
    return tuple(x / total for x in row)


def posterior(belief: Sequence[float], rows: Rows, message: int) -> Row | None:
    """Bayes' rule after a message, counted from 0; None if it is never sent."""
    joint = [p * normalised(row)[message] for p, row in zip(belief, rows, strict=True)]
    return normalised(joint) if sum(joint) > 0 else None


# --- what is known ------------------------------------------------------------------------------------------------------
class Offer(Observation):
    """What the sender starts with.

    beliefs (types, states), weights (types,), sender (states, actions), receiver: the same per type; messages: how many there are
    """
    beliefs: Rows
    weights: Row
    sender: Rows
    receiver: tuple[Rows, ...]
    messages: int

    def say(self, w: Wording, me: Role) -> str:
        parts = [w.tell("offer"), w.tell("your_payoffs"), table(self.sender, w)]
        for k, (share, belief, utility) in enumerate(zip(self.weights, self.beliefs, self.receiver, strict=True), 1):
            whom = w.tell("one" if len(self.weights) == 1 else "some", number=k, share=w.percent(share), belief=chances(belief, w))
            parts += [whom, table(utility, w)]
        listed = ", ".join(map(w.label, named("m", self.messages)))
        return "\n".join([*parts, w.tell("messages", messages=listed)])


class Receiver(Observation):
    """What a receiver starts with."""
    belief: Row
    utility: Rows

    def say(self, w: Wording, me: Role) -> str:
        return "\n".join((w.tell("receiver", belief=chances(self.belief, w)), table(self.utility, w)))


class Scene(Observation):
    """What a simulator is told of the decision that does not know the belief: payoffs alone, of the average of whom it may be."""
    utility: Rows

    def say(self, w: Wording, me: Role) -> str:
        return "\n".join((w.tell("scene"), table(self.utility, w)))


class Nature(Observation):
    """The state, told to a sender who is not bound."""
    state: int

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("truth", state=w.label(f"s{self.state + 1}"))


class Due(Observation):
    """The message drawn from the sender's policy, told to a sender who is to put it into words."""
    message: str

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("due", message=w.label(self.message))


def chances(belief: Row, w: Wording) -> str:
    """A belief in words."""
    return ", ".join(f"{w.label(s)} {w.percent(p)}" for s, p in zip(named("s", len(belief)), belief, strict=True))


def table(utility: Rows, w: Wording) -> str:
    """Payoffs in words, a line per state."""
    actions = named("a", len(utility[0]))
    return "\n".join(f"  {w.label(s)}: " + ", ".join(f"{w.label(a)} {w.money(u)}" for a, u in zip(actions, row, strict=True))
                     for s, row in zip(named("s", len(utility)), utility, strict=True))


# --- what is done -------------------------------------------------------------------------------------------------------
def _shares(rows: Rows) -> Rows:
    if any(sum(row) <= 0 for row in rows):
        raise ValueError("each row needs a number above 0")
    return rows


class Policy(Move):
    """How often each message is sent in each state: rows of shares, states x messages."""
    rows: Annotated[tuple[tuple[Annotated[float, Field(ge=0, le=1000)], ...], ...], AfterValidator(_shares)]

    def say(self, w: Wording) -> str:
        names = named("m", len(self.rows[0]))
        return "; ".join(f"{w.label(s)}: " + ", ".join(f"{w.label(m)} {w.percent(x)}"
                                                       for m, x in zip(names, normalised(row), strict=True))
                         for s, row in zip(named("s", len(self.rows)), self.rows, strict=True)) + "."


class Sent(Policy):
    """A policy and a message sent under it: what a receiver sees, and what a query asks about."""
    message: str

    def say(self, w: Wording) -> str:
        return f"{super().say(w)} {w.tell('message', message=w.label(self.message))}"


class Pitched(Sent):
    """A message put into words."""
    text: Annotated[str, Field(min_length=1)]

    def say(self, w: Wording) -> str:
        return f"{super().say(w)} {w.tell('pitch', text=self.text)}"


class Word(Move):
    """The message of a sender who is not bound by her policy."""
    message: str


class Act(Move):
    """The receiver's action."""
    action: str


class Moves:
    """The Move types of one instance: exact sizes, and the labels that may be said."""

    def __init__(self, states: int, messages: int, actions: int):
        cell = Annotated[float, Field(ge=0, le=1000)]
        row = Annotated[tuple[cell, ...], Field(min_length=messages, max_length=messages)]
        rows: Any = (Annotated[tuple[row, ...], Field(min_length=states, max_length=states), AfterValidator(_shares)], ...)
        labels: Any = (Literal[named("m", messages)], ...)
        acts: Any = (Literal[named("a", actions)], ...)
        self.policy = create_model("Policy", __base__=Policy, rows=rows)
        self.sent = create_model("Sent", __base__=Sent, rows=rows, message=labels)
        self.pitched = create_model("Pitched", __base__=Pitched, rows=rows, message=labels)
        self.word = create_model("Word", __base__=Word, message=labels)
        self.act = create_model("Act", __base__=Act, action=acts)
        self.acts = every(self.act)


@lru_cache(maxsize=512)
def moves(states: int, messages: int, actions: int) -> Moves:
    """The Move types of one size, made once."""
    return Moves(states, messages, actions)


PITCH = Say(text="Hello.")
"""The words of a sender who has nothing to say beyond her message."""

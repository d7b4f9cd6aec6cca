"""What is known, said and done where everybody writes down one bid, and two ways to tell it.

A wording of either game is one of these two plus its `rule`: who pays what.
"""
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .base import Chance, Money, Move, Observation, Role, State, Wording
from .solvers.belief import Side

Amount = Annotated[Money, Field(ge=0, le=1), AfterValidator(lambda x: round(x, 12))]
"""Money from 0 to 1, to twelve decimals, so that the units in which it was said leave no trace."""


class Values(State):
    """What the object is worth to each bidder, and the number a mixture signal tells when it is wrong."""
    values: tuple[float, ...]
    noise: float


class Brief(Observation):
    """What a bidder starts with."""
    value: float
    bidders: int
    reserve: float
    risk: float

    def say(self, w: Wording, me: Role) -> str:
        span = {"low": w.money(0), "high": w.money(1)}
        parts = [w.tell("brief", bidders=self.bidders, value=w.money(self.value), **span), w.tell("rule")]
        if self.reserve > 0:
            parts.append(w.tell("reserve", reserve=w.money(self.reserve)))
        if self.risk < 1:
            parts.append(w.tell("risk", risk=f"{self.risk:g}", unit=w.money(1)))
        return " ".join(parts)


class Adviser(Observation):
    """What a bidder is told of the AI that serves him; `first`: ties go to him."""
    signal: Literal["exact", "binary", "mixture"]
    bidders: int
    accuracy: Chance
    threshold: Chance
    first: bool

    def say(self, w: Wording, me: Role) -> str:
        fact = w.tell(self.signal, accuracy=w.percent(self.accuracy), threshold=w.money(self.threshold),
                      low=w.money(0), high=w.money(1))
        return f"{fact} {w.tell('first')}" if self.first else fact


class Task(Observation):
    """What an AI starts with."""
    bidders: int

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("task", bidders=self.bidders, low=w.money(0), high=w.money(1))


class Number(Observation):
    """What an AI learns: the greatest rival value of the bidder it serves, right with chance `accuracy`."""
    advised: Role
    rival: float
    accuracy: Chance

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("number", rival=w.money(self.rival), accuracy=w.percent(self.accuracy))


class Half(Observation):
    """What an AI learns: on which side of the threshold the rival value is, right with chance `accuracy`."""
    advised: Role
    side: Side
    threshold: Chance
    accuracy: Chance

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("half", side=w.label(self.side), threshold=w.money(self.threshold), accuracy=w.percent(self.accuracy))


class Estimate(Move):
    """An AI's report of the greatest rival value."""
    rival: Amount

    def say(self, w: Wording) -> str:
        return w.money(self.rival)


class Verdict(Move):
    """An AI's report of the side on which the rival value is."""
    side: Side


class Bid(Move):
    """What one offers for the object."""
    bid: Amount

    def say(self, w: Wording) -> str:
        return w.money(self.bid)


Report = Estimate | Verdict
NAMED = range(1, 21)
"""Numbers of the roles that have a label of their own."""

PLAIN = Wording(
    name="plain",
    unit="{} cent|{} cents",
    scale=100,
    labels={f"bidder_{i}": f"Bidder {i}" for i in NAMED} | {f"ai_{i}": f"Assistant {i}" for i in NAMED},
    texts={
        "brief": "An object is for sale. {bidders} people, you among them, each write down one bid without seeing the "
                 "others'. The object is worth {value} to you. What it is worth to each of the others was drawn separately, "
                 "every amount between {low} and {high} being equally likely, and only they know it.",
        "reserve": "Bids below {reserve} are not accepted.",
        "risk": "If x is your gain in units of {unit}, it counts for x^{risk}, and a loss of x for -x^{risk}; that is what "
                "you want to be high on average.",
        "exact": "You have an AI assistant that knows the highest of the amounts the object is worth to the others.",
        "binary": "You have an AI assistant that tells whether the object is worth less to the other person than {threshold} "
                  "(below) or not (above). What it knows is right with chance {accuracy}.",
        "mixture": "You have an AI assistant that gives the amount the object is worth to the other person. With chance "
                   "{accuracy} it is the true amount; otherwise it is any amount between {low} and {high}, all equally "
                   "likely, and the assistant cannot tell which.",
        "first": "If your bid equals the highest of the others' bids, you win.",
        "left": "You may put {queries} more question(s) to your assistant; each costs {price}.",
        "task": "You are an AI assistant. The person you serve and others, {bidders} people in all, bid for an object that "
                "is worth between {low} and {high} to each of them. You are asked about the highest amount it is worth to "
                "one of the others, and are rewarded if your report is true.",
        "number": "Your finding: that amount is {rival}. It is right with chance {accuracy}.",
        "half": "Your finding: that amount is {side} {threshold}. It is right with chance {accuracy}.",
        "Query": "Do you want to ask your assistant?",
        "Estimate": "Which amount do you report?",
        "Verdict": "Which side do you report?",
        "Bid": "What do you bid?",
    })

TRUFFLES = Wording(
    name="truffles",
    unit="{} florin|{} florins",
    scale=40,
    order="reversed",
    labels={"below": "poor", "above": "rich"} | {f"bidder_{i}": f"Farmer {i}" for i in NAMED}
    | {f"ai_{i}": f"Machine {i}" for i in NAMED},
    texts={
        "brief": "The right to dig for truffles in a wood is let for one year. {bidders} farmers, you among them, each hand "
                 "in a closed letter with the rent they offer. With your dogs you would find truffles for {value}. What each "
                 "of the others would find is their own affair: any amount from {low} to {high}, each as likely as any "
                 "other, and unrelated to yours.",
        "reserve": "The owner reads no offer below {reserve}.",
        "risk": "You measure success in units of {unit}: a profit of x is worth x^{risk} to you, a loss of x costs you "
                "x^{risk}; you care for the average of this.",
        "exact": "A machine has followed the other farmers and their dogs; it knows what the best of them would find.",
        "binary": "A machine has followed the other farmer and his dogs; it can say whether he would find less than "
                  "{threshold} (poor) or at least that (rich), and is right with chance {accuracy}.",
        "mixture": "A machine has followed the other farmer and his dogs; it can say what he would find. With chance "
                   "{accuracy} that is so; otherwise its number is any from {low} to {high}, each as likely as any other, "
                   "and it does not know which is the case.",
        "first": "Should another farmer offer just what you offer, and nobody more, the wood is yours.",
        "left": "You may put {queries} more question(s) to the machine; each costs {price}.",
        "task": "You follow farmers and their dogs. {bidders} of them, one of whom you serve, offer a rent for a wood of "
                "truffles, in which each would find between {low} and {high}. You are asked what the best of the others "
                "would find, and are rewarded if you say the truth.",
        "number": "You saw: {rival}. Such sightings are right with chance {accuracy}.",
        "half": "You saw: a {side} farmer, on the scale where the two kinds part at {threshold}. Such sightings are right with "
                "chance {accuracy}.",
        "Query": "Do you want to ask the machine?",
        "Estimate": "Which amount do you name?",
        "Verdict": "Which kind do you name?",
        "Bid": "Which rent do you offer?",
    })


def told(rule: str, letter: str) -> tuple[Wording, Wording]:
    """The two wordings, with the rule of who pays what in the words of each."""
    return _with_rule(PLAIN, rule), _with_rule(TRUFFLES, letter)


def _with_rule(wording: Wording, rule: str) -> Wording:
    return Wording(**{**dict(wording), "texts": {**wording.texts, "rule": rule}})

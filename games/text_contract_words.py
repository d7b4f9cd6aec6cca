"""How the games of payment for text are told: what is posted, what each side starts with, two wordings."""
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field, create_model

from .base import Money, Move, Observation, Role, Wording
from .contracting import EXACT, NONE, Payment, Row


class Contract(Move):
    """What is paid for each outcome, in their order."""
    payments: tuple[Payment, ...]

    def say(self, w: Wording) -> str:
        return prices(w, self.payments)


@lru_cache(maxsize=1024)
def contract_of(outcomes: int, cap: float) -> type[Move]:
    """A Contract for so many outcomes, none of which is paid more than `cap`."""
    entry: Any = Annotated[Money, Field(ge=0, le=cap), EXACT]
    payments: Any = Annotated[tuple[entry, ...], Field(min_length=outcomes, max_length=outcomes)]
    return create_model("Contract", __base__=Contract, __module__=Contract.__module__, payments=(payments, ...))


def prices(w: Wording, payments: Sequence[float], key: str = "price") -> str:
    """An amount for each outcome, in words."""
    return "; ".join(w.tell(key, number=j, amount=w.difference(t)) for j, t in enumerate(payments, 1))


class Brief(Observation):
    """What both start with. costs: None for a principal who knows only `bound`, the most the wanted one costs above any other."""
    labels: tuple[str, ...]
    chances: tuple[Row, ...]
    costs: Row | None
    bound: float
    rewards: Row | None
    wanted: str
    declines: bool

    def say(self, w: Wording, me: Role) -> str:
        lines = [w.tell("principal" if me == "principal" else "agent", generators=", ".join(w.options(self.labels)),
                        outcomes=len(self.chances[0]), wanted=w.label(self.wanted))]
        lines += self._table(w)
        if self.costs is None:
            lines.append(w.tell("bound", wanted=w.label(self.wanted), bound=w.difference(self.bound)))
        if self.rewards is not None and me == "principal":
            lines.append(w.tell("rewards", rewards=prices(w, self.rewards, "value")))
        if self.declines:
            lines.append(w.tell("you_decline" if me == "agent" else "declines", none=w.label(NONE)))
        return "\n".join(lines)

    def _table(self, w: Wording) -> list[str]:
        """A line per generator, in the wording's order."""
        lines = []
        for i, label in enumerate(self.labels):
            chances = ", ".join(f"{j}: {w.percent(p)}" for j, p in enumerate(self.chances[i], 1))
            cost = "" if self.costs is None else w.tell("cost", cost=w.difference(self.costs[i]))
            lines.append(w.tell("row", label=w.label(label), chances=chances, cost=cost))
        return lines if w.order == "given" else lines[::-1]


PLAIN = Wording(
    name="plain",
    unit="{} cent|{} cents",
    scale=100,
    labels={"principal": "The buyer", "agent": "The writer", "nature": "The grade"},
    texts={
        "principal": "You buy a text from somebody who writes it with one of these generators: {generators}. You cannot see which. "
                     "You see only how the text is graded: one of {outcomes} grades, from 1. You post what you pay for each grade; "
                     "no payment may be negative. Then the writer chooses the generator that is best for the writer, the text is "
                     "graded, and you pay. You want the text to be written with {wanted}.",
        "agent": "You write a text for a buyer with one of these generators: {generators}. The buyer cannot see which one you use, "
                 "only how the text is graded: one of {outcomes} grades, from 1. You bear the cost of the generator and receive "
                 "what the buyer has posted for the grade. You keep the payment less the cost.",
        "row": "{label}: chances of the grades {chances}{cost}.",
        "cost": "; it costs {cost}",
        "bound": "You do not know what the generators cost. {wanted} costs at most {bound} more than any other.",
        "rewards": "What a text is worth to you: {rewards}.",
        "declines": "The writer may also decline ({none}): then there is no text, no cost and no payment.",
        "you_decline": "You may also decline ({none}): then there is no text, no cost and no payment.",
        "price": "grade {number} pays {amount}",
        "value": "grade {number}: {amount}",
        "outcome": "grade {number}",
        "kind": "Now you see the task. It is of kind {number}; on this kind the chances are:",
        "Contract": "What do you pay for each grade?",
        "Choice": "Which generator do you use?",
    })

NURSERY = Wording(
    name="nursery",
    unit="{} crown|{} crowns",
    scale=1000,
    order="reversed",
    labels={"A": "amber", "B": "birch", "C": "cedar", "D": "dune", "E": "elm", NONE: "rest", "principal": "The owner",
            "agent": "The grower", "nature": "The harvest"},
    texts={
        "principal": "A grower raises saplings for you by one of these methods: {generators}. The method stays hidden from you; what "
                     "you see is the size of the saplings: one of {outcomes} sizes, numbered from 1. You announce a payment for "
                     "every size, none of them negative. The grower then picks whichever method leaves the grower most, the "
                     "saplings grow, and you pay by size. The method you hope for is {wanted}.",
        "agent": "You raise saplings for an owner by one of these methods: {generators}. The owner never learns the method, only the "
                 "size of the saplings: one of {outcomes} sizes, numbered from 1. The cost of the method is yours, and so is the "
                 "payment announced for the size. What is left over is what you earn.",
        "row": "{label}: the sizes come with chances {chances}{cost}.",
        "cost": ", and it costs {cost}",
        "bound": "What the methods cost is not known to you. {wanted} costs no more than {bound} above any other.",
        "rewards": "What the saplings are worth to you: {rewards}.",
        "declines": "The grower may also leave the field alone ({none}): no saplings, no cost, no payment.",
        "you_decline": "You may also leave the field alone ({none}): no saplings, no cost, no payment.",
        "price": "size {number} earns {amount}",
        "value": "size {number}: {amount}",
        "outcome": "size {number}",
        "kind": "You know the season now. It is of kind {number}, and in such a season:",
        "Contract": "Which payment do you announce for each size?",
        "Choice": "Which method do you use?",
    })

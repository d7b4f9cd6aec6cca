"""How delegated training is told: what each side starts with, two wordings."""
from .base import Observation, Role, Wording
from .contracting import NONE, Row


class Brief(Observation):
    """What both start with. chances: of every number right, where it is not a count of independent successes; else None."""
    labels: tuple[str, ...]
    accuracies: Row
    examples: int
    costs: Row
    chances: tuple[Row, ...] | None
    wanted: str
    declines: bool

    def say(self, w: Wording, me: Role) -> str:
        opening = w.tell("principal" if me == "principal" else "agent", efforts=", ".join(w.options(self.labels)),
                         examples=self.examples, first=1, last=self.examples + 1, wanted=w.label(self.wanted))
        lines = [w.tell("row", label=w.label(label), accuracy=w.percent(self.accuracies[i]), cost=w.difference(self.costs[i]),
                        chances=self._chances(w, i)) for i, label in enumerate(self.labels)]
        close = [w.tell("you_decline" if me == "agent" else "declines", none=w.label(NONE))] if self.declines else []
        return "\n".join([opening, *(lines if w.order == "given" else lines[::-1]), *close])

    def _chances(self, w: Wording, i: int) -> str:
        if self.chances is None:
            return ""
        return w.tell("chances", chances=", ".join(f"{j}: {w.percent(p)}" for j, p in enumerate(self.chances[i], 1)))


PLAIN = Wording(
    name="plain",
    unit="{} point|{} points",
    labels={"principal": "The client", "agent": "The trainer", "nature": "The test"},
    texts={
        "principal": "You have a model trained by somebody who makes one of these efforts: {efforts}. You cannot see which. The model "
                     "is tested on {examples} fresh examples, and you see how many it gets right. You post what you pay for each "
                     "result: level {first} is none right, level {last} is all right; no payment may be negative. Then the trainer "
                     "makes the effort that is best for the trainer. You want {wanted}.",
        "agent": "You train a model for a client and make one of these efforts: {efforts}. The client cannot see which, only how many "
                 "of {examples} fresh test examples the model gets right: level {first} is none, level {last} is all. You bear the "
                 "cost of the effort and receive what the client has posted for the level.",
        "row": "{label}: each test example is right with chance {accuracy}{chances}; it costs {cost}.",
        "chances": ", and the levels come with chances {chances}",
        "declines": "The trainer may also decline ({none}): no model, no cost, no payment.",
        "you_decline": "You may also decline ({none}): no model, no cost, no payment.",
        "price": "level {number} pays {amount}",
        "outcome": "level {number}",
        "Contract": "What do you pay for each level?",
        "Choice": "Which effort do you make?",
    })

TASTERS = Wording(
    name="tasters",
    unit="{} crown|{} crowns",
    scale=16,
    order="reversed",
    labels={"A": "ash", "B": "beech", "C": "chestnut", "D": "dogwood", "E": "elder", NONE: "home", "principal": "The merchant",
            "agent": "The teacher", "nature": "The tasting"},
    texts={
        "principal": "A teacher trains a wine taster for you on one of these courses: {efforts}. The course stays hidden from you. The "
                     "taster then names {examples} glasses, and you count the right names: mark {first} stands for none, mark {last} "
                     "for all of them. You announce a payment for every mark, none of them negative; the teacher then picks whichever "
                     "course leaves the teacher most. The course you hope for is {wanted}.",
        "agent": "You train a wine taster for a merchant on one of these courses: {efforts}. The merchant never learns which; the "
                 "taster names {examples} glasses, and the right names are counted: mark {first} stands for none, mark {last} for all. "
                 "The cost of the course is yours, and so is the payment announced for the mark.",
        "row": "{label}: each glass is named rightly with chance {accuracy}{chances}, and it costs {cost}.",
        "chances": "; the marks come with chances {chances}",
        "declines": "The teacher may also stay at home ({none}): no taster, no cost, no payment.",
        "you_decline": "You may also stay at home ({none}): no taster, no cost, no payment.",
        "price": "mark {number} earns {amount}",
        "outcome": "mark {number}",
        "Contract": "Which payment do you announce for each mark?",
        "Choice": "Which course do you give?",
    })

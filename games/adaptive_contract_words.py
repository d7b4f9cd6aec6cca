"""How payment with inspection is told: the policy that is posted, what each side starts with, two wordings."""
from .base import Move, Observation, Role, Wording
from .contracting import NONE, Payment, Row


class Policy(Move):
    """After which signals to look closer, what each signal pays unseen, what each finding pays."""
    inspect: tuple[bool, ...]
    unseen: tuple[Payment, ...]
    seen: tuple[tuple[Payment, ...], ...]

    def say(self, w: Wording) -> str:
        parts = []
        for k, look in enumerate(self.inspect):
            rows = "; ".join(w.tell("finding", number=j, amount=w.difference(t)) for j, t in enumerate(self.seen[k], 1))
            parts.append(w.tell("looks", signal=k + 1, findings=rows) if look else
                         w.tell("trusts", signal=k + 1, amount=w.difference(self.unseen[k])))
        return " ".join(parts)


class Brief(Observation):
    """What both start with: chances of the signals and of the findings given each, costs of generators and of looking."""
    labels: tuple[str, ...]
    coarse: tuple[Row, ...]
    fine: tuple[tuple[Row, ...], ...]
    costs: Row
    looks: Row
    rewards: Row | None
    wanted: str
    declines: bool

    def say(self, w: Wording, me: Role) -> str:
        opening = w.tell("principal" if me == "principal" else "agent", generators=", ".join(w.options(self.labels)),
                         signals=len(self.coarse[0]), findings=len(self.fine[0][0]), wanted=w.label(self.wanted))
        rows = [self._row(w, i) for i in range(len(self.labels))]
        lines = [opening, *(rows if w.order == "given" else rows[::-1])]
        if me == "principal":
            lines.append(w.tell("prices", prices=", ".join(f"{k}: {w.difference(d)}" for k, d in enumerate(self.looks, 1))))
            if self.rewards is not None:
                lines.append(w.tell("rewards", rewards=", ".join(f"{j}: {w.difference(r)}" for j, r in enumerate(self.rewards, 1))))
        if self.declines:
            lines.append(w.tell("you_decline" if me == "agent" else "declines", none=w.label(NONE)))
        return "\n".join(lines)

    def _row(self, w: Wording, i: int) -> str:
        parts = []
        for k, (chance, row) in enumerate(zip(self.coarse[i], self.fine[i], strict=True), 1):
            findings = ", ".join(f"{j}: {w.percent(p)}" for j, p in enumerate(row, 1))
            parts.append(w.tell("signal", signal=k, chance=w.percent(chance), findings=findings))
        return w.tell("row", label=w.label(self.labels[i]), cost=w.difference(self.costs[i]), signals="; ".join(parts))


PLAIN = Wording(
    name="plain",
    unit="{} point|{} points",
    scale=4096,
    labels={"principal": "The buyer", "agent": "The writer", "nature": "The review"},
    texts={
        "principal": "You buy a text from somebody who writes it with one of these generators: {generators}. You cannot see which. At "
                     "no cost you see one of {signals} signals, numbered from 1; for a price you may look closer and find one of "
                     "{findings} grades. Before the text is written you post after which signals you will look closer (inspect), "
                     "what each signal pays if you do not (unseen), and what each grade pays after each signal if you do (seen); no "
                     "payment may be negative. Then the writer chooses the generator that is best for the writer. You want {wanted}.",
        "agent": "You write a text for a buyer with one of these generators: {generators}. The buyer cannot see which one you use, "
                 "only one of {signals} signals, numbered from 1, and, if the buyer looks closer, one of {findings} grades. You bear "
                 "the cost of the generator and receive what the buyer has posted.",
        "row": "{label} costs {cost}: {signals}.",
        "signal": "signal {signal} with chance {chance}, then grades {findings}",
        "prices": "What it costs to look closer after each signal: {prices}.",
        "rewards": "What a text of each grade is worth to you: {rewards}.",
        "declines": "The writer may also decline ({none}): then there is no text, no cost and no payment.",
        "you_decline": "You may also decline ({none}): then there is no text, no cost and no payment.",
        "looks": "After signal {signal} the buyer looks closer: {findings}.",
        "trusts": "After signal {signal} the buyer does not look closer and pays {amount}.",
        "finding": "grade {number} pays {amount}",
        "outcome": "result {number}",
        "Policy": "After which signals do you look closer, and what do you pay?",
        "Choice": "Which generator do you use?",
    })

VINEYARD = Wording(
    name="vineyard",
    unit="{} crown|{} crowns",
    scale=65536,
    order="reversed",
    labels={"A": "aspen", "B": "bramble", "C": "clover", "D": "daisy", "E": "elder", NONE: "fallow", "principal": "The owner",
            "agent": "The grower", "nature": "The harvest"},
    texts={
        "principal": "A grower tends a vineyard for you by one of these methods: {generators}. The method stays hidden from you. The "
                     "colour of the must is free to see: one of {signals} colours, numbered from 1. For a fee a taster tells you one "
                     "of {findings} qualities. In advance you announce after which colours the taster is called (inspect), what each "
                     "colour earns without him (unseen) and what each quality earns after each colour with him (seen), nothing "
                     "negative. The grower then picks whichever method leaves the grower most. The method you hope for is {wanted}.",
        "agent": "You tend a vineyard for an owner by one of these methods: {generators}. The owner never learns the method, only the "
                 "colour of the must, one of {signals}, numbered from 1, and from a taster, if he is called, one of {findings} "
                 "qualities. The cost of the method is yours, and so is the payment announced.",
        "row": "{label}, at a cost of {cost}: {signals}.",
        "signal": "colour {signal} comes with chance {chance} and then the qualities with {findings}",
        "prices": "The taster's fee after each colour: {prices}.",
        "rewards": "What each quality is worth to you: {rewards}.",
        "declines": "The grower may also leave the vineyard alone ({none}): no wine, no cost, no payment.",
        "you_decline": "You may also leave the vineyard alone ({none}): no wine, no cost, no payment.",
        "looks": "After colour {signal} the taster is called: {findings}.",
        "trusts": "After colour {signal} no taster is called, and it earns {amount}.",
        "finding": "quality {number} earns {amount}",
        "outcome": "result {number}",
        "Policy": "After which colours is the taster called, and what do you announce?",
        "Choice": "Which method do you use?",
    })

"""How payment by a menu of contracts is told: the menu, the report, what each side starts with, two wordings."""
from .base import Move, Observation, Role, Wording
from .contracting import Payment, Row
from .text_contract_words import NURSERY as FARM
from .text_contract_words import PLAIN as TEXT
from .text_contract_words import Brief, prices


class Menu(Move):
    """A contract for every kind of writer: what is paid for each outcome."""
    contracts: tuple[tuple[Payment, ...], ...]

    def say(self, w: Wording) -> str:
        return " ".join(w.tell("offer", kind=k, prices=prices(w, t)) for k, t in enumerate(self.contracts, 1))


class Report(Move):
    """The kind that the agent says it is."""
    kind: str

    def say(self, w: Wording) -> str:
        return w.tell("reported", kind=self.kind)


class Offered(Observation):
    """What the principal starts with: chances of the kinds, and what each generator costs each of them."""
    labels: tuple[str, ...]
    chances: tuple[Row, ...]
    costs: tuple[Row, ...]
    kinds: Row
    rewards: Row

    def say(self, w: Wording, me: Role) -> str:
        rows = [w.tell("row", label=w.label(label), chances=", ".join(f"{j}: {w.percent(p)}" for j, p in enumerate(self.chances[i], 1)),
                       cost="") for i, label in enumerate(self.labels)]
        kinds = [w.tell("kind_row", kind=k, chance=w.percent(q), costs=", ".join(
            f"{w.label(label)} {w.difference(c)}" for label, c in zip(self.labels, costs, strict=True)))
            for k, (q, costs) in enumerate(zip(self.kinds, self.costs, strict=True), 1)]
        opening = w.tell("menu", generators=", ".join(w.options(self.labels)), outcomes=len(self.rewards), kinds=len(self.kinds))
        ordered = rows if w.order == "given" else rows[::-1]
        return "\n".join([opening, *ordered, *kinds, w.tell("rewards", rewards=prices(w, self.rewards))])


class Writer(Observation):
    """What the agent starts with: its kind, and the rest."""
    kind: int
    kinds: int
    brief: Brief

    def say(self, w: Wording, me: Role) -> str:
        return self.brief.say(w, me) + "\n" + w.tell("own_kind", kind=self.kind + 1, kinds=self.kinds)


PLAIN = TEXT.model_copy(update={"texts": {
    **TEXT.texts,
    "menu": "You buy a text from somebody who writes it with one of these generators: {generators}. You cannot see which. You see only "
            "how the text is graded: one of {outcomes} grades, from 1. Writers are of {kinds} kinds, to whom the generators cost "
            "different amounts; only the writer knows its kind. You post a contract for every kind: what you pay for each grade, never "
            "less than nothing. The writer then says which kind it is, which you cannot check, is paid by the contract of that kind, "
            "and chooses the generator that is best for it.",
    "kind_row": "Kind {kind} (chance {chance}) pays for {costs}.",
    "own_kind": "Writers are of {kinds} kinds, to whom the generators cost different amounts. You are of kind {kind}; only you know. The "
                "buyer has a contract for every kind. You say which kind you are, and are paid by the contract of the kind you say.",
    "offer": "For kind {kind}: {prices}.",
    "reported": "kind {kind}",
    "Menu": "Which contract do you post for each kind?",
    "Report": "Which kind do you say you are?",
}})

NURSERY = FARM.model_copy(update={"texts": {
    **FARM.texts,
    "menu": "A grower raises saplings for you by one of these methods: {generators}. The method stays hidden from you; what you see is the "
            "size of the saplings: one of {outcomes} sizes, numbered from 1. There are {kinds} kinds of grower, and a method costs one "
            "kind more than another. For every kind you announce a price list: a payment for every size, none of them negative. The "
            "grower names a kind, true or not, gets that price list, and picks whichever method leaves the grower most.",
    "kind_row": "A grower of kind {kind} (one comes with chance {chance}) spends on {costs}.",
    "own_kind": "Growers come in {kinds} kinds, who spend different amounts on the methods. Yours is kind {kind}, as you alone know. The "
                "owner has a price list for every kind, and you get the list of whichever kind you name.",
    "offer": "List for kind {kind}: {prices}.",
    "reported": "kind {kind}",
    "Menu": "Which price list do you announce for each kind?",
    "Report": "Which kind do you name?",
}})

"""How the items of `announced_policy` are told: four stories, each with the options in two orders and with labels of two kinds.

A story is told in its own labels or in neutral ones (states K and L, actions blue and green), and lists its options as they stand or
reversed. So wording, order and labels are factors that can be crossed. CROSSED is half of the sixteen, an orthogonal array: every
story in both orders and both kinds of labels, every order with every kind equally often. Each answer then serves all three factors.
"""
from typing import NamedTuple

from .base import Wording

KINDS = ("of kind K", "of kind L")
ACTIONS = {"buy": "blue", "leave": "green"}
NEUTRAL_STAKES = "With blue you gain {gain} if it is of kind K and lose {loss} if it is of kind L. With green nothing changes."


class Story(NamedTuple):
    """One way to tell it. rule, odds, belief: with {{fields}} of the item and {good}, {bad} of the labels.

    states   how a good one and a bad one are called
    actions  shown for buy and leave
    says     what is said to the buyer: the message that speaks for buying, and the one that speaks against it
    """
    name: str
    who: str
    unit: str
    scale: float
    states: tuple[str, str]
    actions: tuple[str, str]
    says: tuple[str, str]
    rule: str
    odds: str
    stakes: str
    belief: str


SHOP = Story(
    "plain", "The customer", "{} dollar|{} dollars", 1, ("good", "bad"), ("buy", "leave"), ("buy it", "leave it"),
    "You are offered a product. Of such products, {{prior}} are {good}; the others are {bad}. The seller knows which it is. She has bound "
    "herself to a rule that you know: if it is {good}, she says \"{{said}}\" in {{good}} of cases; if it is {bad}, in {{bad}} of cases. "
    "She says: {{said}}.",
    "You are offered a product. With chance {{chance}} it is {good}; else it is {bad}.",
    "If you take a good one you gain {gain}; if you take a bad one you lose {loss}; if you do not take it, nothing changes.",
    "How likely is it that this product is {good}, as a number from 0 to 1?")

CLINIC = Story(
    "clinic", "The doctor", "{} health point|{} health points", 10, ("ill", "well"), ("treat", "wait"), ("positive", "negative"),
    "You are a doctor. Of patients like this one, {{prior}} are {good}; the others are {bad}. A laboratory has run a test whose "
    "reliability you know: if the patient is {good}, it reports \"{{said}}\" in {{good}} of cases; if {bad}, in {{bad}} of cases. It "
    "reports: {{said}}.",
    "You are a doctor. With chance {{chance}} this patient is {good}; else {bad}.",
    "Treating one who is ill gains {gain}; treating one who is well loses {loss}; waiting changes nothing.",
    "How likely is it that this patient is {good}, as a number from 0 to 1?")

COUNTS = Story(
    "counts", "The visitor", "{} crown|{} crowns", 2, ("ripe", "hollow"), ("take", "skip"), ("take it", "skip it"),
    "A stall holder shows you a melon. Of 100 such melons, {{prior_of_100}} are {good} and the rest are {bad}. He can tell them apart. "
    "Everybody knows what he does: of 100 that are {good}, he says \"{{said}}\" of {{good_of_100}}; of 100 that are {bad}, he says it of "
    "{{bad_of_100}}. Of this one he says: {{said}}.",
    "A stall holder shows you a melon. Of 100 in its place, {{chance_of_100}} are {good} and the rest are {bad}.",
    "A ripe one is worth {gain} more to you than it costs, a hollow one {loss} less. If you skip it, you neither gain nor lose.",
    "How likely is it that this melon is {good}, as a number from 0 to 1?")

FARM = Story(
    "farm", "The farmer", "{} sack|{} sacks", 5, ("mild", "harsh"), ("sow", "hold"), ("sow now", "hold back"),
    "You run a farm. {{prior}} of springs are {good}, the others {bad}. A weather station sees what is coming, and has published how it "
    "speaks: before a spring that is {good} it announces \"{{said}}\" in {{good}} of years, before one that is {bad} in {{bad}} of years. "
    "This year it announces: {{said}}.",
    "You run a farm. With chance {{chance}} this spring will be {good}; otherwise {bad}.",
    "Early seed brings {gain} more if the spring is mild, and {loss} less if it is harsh. If you hold it back, all stays as it was.",
    "How likely is it that this spring is {good}, as a number from 0 to 1?")

STORIES = (SHOP, CLINIC, COUNTS, FARM)


def _wording(story: Story, neutral: bool, reverse: bool) -> Wording:
    good, bad = KINDS if neutral else story.states
    actions = ACTIONS if neutral else dict(zip(("buy", "leave"), story.actions, strict=True))
    fill, (buy, leave) = {"good": good, "bad": bad}, (actions["buy"], actions["leave"]) if neutral else story.says
    return Wording(
        name=story.name + "-neutral" * neutral + "-reversed" * reverse, unit=story.unit, scale=story.scale,
        order="reversed" if reverse else "given", labels={"buyer": story.who} | {k: v for k, v in actions.items() if k != v},
        factors={"wording": story.name, "order": "reversed" if reverse else "given", "labels": "neutral" if neutral else "named"},
        texts={"rule": story.rule.format(**fill), "odds": story.odds.format(**fill), "Choice": "What do you do?",
               "says_buy": buy, "says_leave": leave,
               "stakes": NEUTRAL_STAKES if neutral else story.stakes, "Belief": story.belief.format(**fill)})


WORDINGS = tuple(_wording(s, neutral, reverse) for s in STORIES for neutral in (False, True) for reverse in (False, True))
CROSSED = tuple(_wording(s, (reverse + i) % 2 == 1, reverse).name for i, s in enumerate(STORIES) for reverse in (False, True))

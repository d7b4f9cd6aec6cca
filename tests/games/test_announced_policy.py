"""One buyer and a seller's announced rule: values by Bayes's rule from the rule that is told, and what a statement earns."""
import pytest

from parlour.games.announced_policy import AnnouncedPolicy, Belief, Item, Rule
from parlour.games.base import Play

PRIORS, THRESHOLDS, GAIN, LOSS = (0.2, 0.4), (0.15, 0.3, 0.45, 0.7), 2.0, 1.5


def game(task: str) -> AnnouncedPolicy:
    return AnnouncedPolicy.model_validate({"priors": PRIORS, "thresholds": THRESHOLDS, "gain": GAIN, "loss": LOSS, "task": task})


def told(item: Item) -> float:
    """The chance that the product is good, from the prior and the rule as a buyer is told them."""
    rule = game("act").observe("buyer", item)
    assert isinstance(rule, Rule) and max(rule.if_good, rule.if_bad) == pytest.approx(1)
    good, bad = rule.prior * rule.if_good, (1 - rule.prior) * rule.if_bad
    return good / (good + bad)


@pytest.mark.parametrize("task", ["act", "act_on", "judge"])
def test_the_optimum_is_what_bayes_rule_earns(task: str) -> None:
    chances = [told(Item(prior=p, threshold=t)) for p in PRIORS for t in THRESHOLDS]
    worth = [1.0 if task == "judge" else max(0.0, c * GAIN - (1 - c) * LOSS) for c in chances]
    tested = game(task)
    (found,) = tested.benchmarks(tested.usual_rules)
    assert found.value["buyer"] == pytest.approx(sum(worth) / len(worth))


def test_a_type_is_indifferent_at_the_threshold_where_stakes_are_even() -> None:
    assert told(Item(prior=0.3, threshold=0.3)) == pytest.approx(0.5)


def test_words_mean_what_the_rule_makes_of_them() -> None:
    """Told to leave by the chances of one told to buy: the same posterior, the same worth; the words differ, and the item tells which."""
    both = AnnouncedPolicy.model_validate({"messages": ("buy", "leave")})
    (found,), (alone,) = (g.benchmarks(g.usual_rules) for g in (both, AnnouncedPolicy.model_validate({})))
    assert found.value == pytest.approx(alone.value) and len(both.states()) == 2 * len(AnnouncedPolicy.model_validate({}).states())
    for w in both.wordings:
        buy, leave = (both.observe("buyer", Item(prior=0.3, threshold=0.3, message=m)).say(w, "buyer") for m in ("buy", "leave"))
        said, other = (w.texts[f"says_{m}"] for m in ("buy", "leave"))
        assert said != other and f": {said}." in buy and f": {other}." in leave and f'"{other}"' in leave and f'"{said}"' not in leave


def test_a_statement_earns_less_by_the_square_of_what_it_misses() -> None:
    item = Item(prior=0.3, threshold=0.3)
    earned = [game("judge").payoffs(Play(state=item, moves=(("buyer", Belief(chance=x)),)))["buyer"] for x in (0.5, 0.8, 0.0)]
    assert earned == pytest.approx([1.0, 0.91, 0.75])

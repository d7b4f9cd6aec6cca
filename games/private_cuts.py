"""Between queries as they are said and plans over cuts. Of `private_persuasion`."""
from .base import SLACK, Information, Rules, learned
from .leading import Asked, Tried
from .persuading import Rows, Sent, index, normalised
from .solvers.noisy_queries import Heard
from .solvers.noisy_receiver import kept
from .solvers.query_plans import Plan, Setting, ends
from .solvers.screens import Screen
from .solvers.thresholds import Messages, targets

SHOWN = 16
"""The most values, cuts and cells that are listed as measures."""


def setting_of(rules: Rules) -> Setting:
    """The numbers of the rules that plans depend on."""
    return Setting(rules.get("queries", 0), rules.get("price", 0.0), rules.get("adaptive", True), rules.get("flip", 0.0),
                   rules.get("repeats", 1), rules.get("spread", 0.0))


def recalled(information: Information, plan: Plan) -> tuple[list[int], Heard]:
    """(cuts put, their answers as far as they have come), as the sender recalls them."""
    tried = learned(information, Tried)
    repeats = plan.setting.repeats
    heard = tuple((cut_of(tried[i].move, plan.screen), sum(t.answer.action == "a1" for t in tried[i:i + repeats]))
                  for i in range(0, len(tried), repeats))
    return ([cut_of(a.move, plan.screen) for a in learned(information, Asked)] or [c for c, _ in heard]), heard


def cut_of(query: Sent, who: Screen) -> int:
    """The last stand-in that does not act on the message of a query; -1 if all act."""
    good, bad = (normalised(row)[index(query.message)] for row in query.rows)
    return sum(r * good < bad - SLACK for r in who.odds) - 1


def policy_rows(messages: Messages) -> Rows:
    """Messages (ratio, chance) as rows good, bad over two messages: the second takes what is left, or is the other of a pair."""
    ratio, chance = messages[0]
    return ((chance, 1 - chance), (ratio * chance, max(0.0, 1 - ratio * chance)))


def policy_measures(cell: int, rows: Rows) -> dict[str, float | None]:
    """The policy of the i-th cell, from 1, as measures."""
    return {f"cell_{cell}_state_{s}_message_{m}": x for s, row in enumerate(rows, 1) for m, x in enumerate(row, 1)}


def measures(plan: Plan) -> dict[str, float | None]:
    """Values by number of queries, cuts, and the policy of every cell, as far as they are shown."""
    found: dict[str, float | None] = {f"value_{k}": v for k, v in enumerate(plan.values[:SHOWN + 1])}
    if plan.margin:
        spread = plan.setting.spread
        found |= {"margin": plan.margin, "kept": kept(plan.margin, spread), "kept_without": kept(0.0, spread)}
    if plan.draws or plan.bound or plan.missing:
        return found
    shown, last = ends(plan, SHOWN), plan.screen.who.last
    cuts = plan.cuts or sorted({cut for heard, _ in shown for cut, _ in heard})
    found |= {f"cut_{i + 1}": float(last[c] if plan.screen.sure else c) for i, c in enumerate(cuts[:SHOWN])}
    for i, (_, sent) in enumerate(shown, 1):
        found |= policy_measures(i, policy_rows(sent))
    if plan.name == "no_queries":
        worth = targets(plan.screen.who)
        found |= {f"target_value_{last[k]}": v for k, v in enumerate(worth[:SHOWN])}
        found["target"] = float(last[max(range(len(worth)), key=lambda k: worth[k])])
    return found

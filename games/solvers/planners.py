"""Every planner there is, under given rules: none, random cuts, equal mass, greedy, the best fixed beforehand, the best one after
another, one that knows of the noise, one with a margin. Pure: from a `Screen` and a `Setting` to `Plan`s.

Exactness. Without flips, cuts fixed beforehand are exact for up to millions of types (the hull) where odds are at most 1, else
where a table of all intervals can be made; one after another they are exact where free (by halves) or where there is such a table
(the tree). With flips they are exact where all answers can be gone through. Where the best cannot be told, the plan is a bound and
says so.
"""
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate

from .noisy_queries import best_noisy_cuts, greedy_noisy_cuts, noisy_search
from .queries import Cuts, adaptive, best_cuts, equal_mass, greedy_cuts, plain, random_cuts
from .query_plans import Plan, Setting
from .screens import Screen
from .thresholds import best_messages

TREE = 300
"""The most stand-ins for which adaptive queries at a price are solved."""
RECEIVER = 60
"""The most stand-ins for which the receiver's payoff under random cuts is worked out."""
WORK = 4_000_000
"""The most cuts times stand-ins for which a search by halves is prepared."""


def plans(screen: Screen, setting: Setting) -> Iterator[Plan]:
    """Every plan there is, the optimum first."""
    most = min(setting.queries, screen.size - 1)
    none = Plan("no_queries", screen, setting)
    if not (screen.small or (screen.sure and screen.odds[-1] <= 1)):
        yield Plan("optimum", screen, setting, bound=True, gross=(_told(screen), None),
                   note="too many stand-ins: what it would be worth to be told which it is")
        yield none
        yield Plan("equal_mass", screen, setting, equal_mass(screen.mass, setting.queries))
        return
    noisy = setting.flip > 0 and most > 0
    best, fixed = _noisy_best(screen, setting) if noisy else _best(screen, setting), _fixed(screen, setting)
    yield from (best, none, fixed)
    yield from _rivals(screen, setting, most)
    if noisy:
        yield _aware(screen, setting, best)
    if setting.spread:
        yield (fixed if best.bound else best).cautious()


def cuts_of(screen: Screen, queries: int) -> Cuts:
    """The best cuts of the stand-ins fixed beforehand."""
    if screen.small and not (screen.sure and screen.odds[-1] <= 1):
        return plain(screen.table, queries)
    return best_cuts(screen.who, queries)


def stop(values: tuple[float, ...], price: float) -> int:
    """The number of queries of greatest net value, of equal ones the least."""
    net = [v - price * k for k, v in enumerate(values)]
    return next(k for k, v in enumerate(net) if v >= max(net) - 1e-12)


def at_most(values: tuple[float, ...], price: float, queries: int) -> tuple[float, ...]:
    """What a planner earns who may put at most 0 .. K queries, given what 0, 1, ... of them are worth before prices."""
    net = list(accumulate((v - price * k for k, v in enumerate(values)), max))
    return tuple(net + net[-1:] * (queries + 1 - len(net)))


def _fixed(screen: Screen, setting: Setting) -> Plan:
    """The best cuts fixed beforehand, as many as pay, if answers were true."""
    found = cuts_of(screen, min(setting.queries, screen.size - 1))
    k = stop(found.values, setting.price)
    cuts = found.cuts if k == len(found.values) - 1 else cuts_of(screen, k).cuts
    values = () if setting.flip else at_most(found.values, setting.price, setting.queries)
    return Plan("non_adaptive", screen, setting, cuts, values=values,
                note=f"{found.method} over {screen.size} stand-ins" + (", answers are believed" if setting.flip else ""))


def _best(screen: Screen, setting: Setting) -> Plan:
    if not setting.adaptive or setting.queries == 0 or screen.size == 1:
        return replace(_fixed(screen, setting), name="optimum")
    if setting.price == 0:
        return _halves(screen, setting)
    if screen.size > TREE:
        return _free(screen, setting, f"more than {TREE} stand-ins: what free queries would be worth")
    tree = adaptive(screen.table, screen.mass, setting.queries, setting.price)
    return Plan("optimum", screen, setting, tree=tree, values=at_most(tree.values, 0.0, setting.queries), note="recursion over intervals")


def _halves(screen: Screen, setting: Setting) -> Plan:
    """The best cuts for a search by halves."""
    most = min(screen.size - 1, 2 ** min(setting.queries, 60) - 1)
    if most * screen.size > WORK:
        return Plan("optimum", screen, setting, bound=True, gross=(_told(screen), None),
                    note="too many cuts to search: what it would be worth to be told the stand-in")
    found = cuts_of(screen, most)
    values = tuple(found.values[min(most, 2**k - 1)] for k in range(min(setting.queries, 60) + 1))
    return Plan("optimum", screen, setting, found.cuts, halves=True, values=values,
                note=f"{len(found.cuts)} cuts ({found.method}) searched by halves")


def _free(screen: Screen, setting: Setting, note: str) -> Plan:
    """What queries without flips or price would be worth."""
    plan = _halves(screen, setting)
    return plan if plan.bound else replace(plan, bound=True, gross=(plan.values[-1], None), values=(), note=note)


def _told(screen: Screen) -> float:
    """What it is worth to be told the stand-in."""
    return sum(best_messages(screen.cell(j, j))[0] for j in range(screen.size))


def _rivals(screen: Screen, setting: Setting, most: int) -> Iterator[Plan]:
    """Greedy, equal mass and random cuts, all of which believe the answers."""
    if screen.small:
        greedy = greedy_cuts(screen.table, most)
        values = () if setting.flip else at_most(greedy.values, setting.price, setting.queries)
        yield Plan("greedy", screen, setting, greedy.cuts[:stop(greedy.values, setting.price)], values=values)
        yield _random(screen, setting, most)
    else:
        for name in ("greedy", "random_cuts"):
            yield Plan(name, screen, setting, missing=True, note="too many types for a table of all intervals")
    yield Plan("equal_mass", screen, setting, equal_mass(screen.mass, setting.queries))


def _random(screen: Screen, setting: Setting, most: int) -> Plan:
    """Cuts drawn without replacement: by tables of all intervals, or, with flips, by going through every draw and answer."""
    plan = Plan("random_cuts", screen, setting, draws=most)
    if setting.flip or not most:
        return plan
    sender = random_cuts(screen.table, most) - setting.price * most
    if screen.size > RECEIVER:
        return replace(plan, gross=(sender, None), note=f"more than {RECEIVER} types: the receiver's payoff is not worked out")
    return replace(plan, gross=(sender, random_cuts(screen.receiver_table, most)))


def _noisy_best(screen: Screen, setting: Setting) -> Plan:
    """Under flips: exact where all answers can be gone through, else a bound."""
    if setting.adaptive:
        search = noisy_search(screen, setting.queries, setting.channel, setting.price)
        if search is not None:
            return Plan("optimum", screen, setting, search=search, aware=True, values=search.values,
                        note="recursion over answers, by Bayes' rule")
    else:
        fixed = _noisy_fixed(screen, setting)
        if fixed is not None:
            return replace(fixed, name="optimum")
    return _free(screen, setting, "too many answers to go through: what free queries without flips would be worth")


def _noisy_fixed(screen: Screen, setting: Setting) -> Plan | None:
    """The best cuts fixed beforehand, by trying all of them; None where there are too many."""
    tries = [best_noisy_cuts(screen, k, setting.channel) for k in range(setting.queries + 1)]
    known = [found for found in tries if found is not None]
    if len(known) < len(tries):
        return None
    values = tuple(v for v, _ in known)
    return Plan("noise_aware", screen, setting, known[stop(values, setting.price)][1], aware=True,
                values=at_most(values, setting.price, setting.queries), note="every set of cuts, by Bayes' rule")


def _aware(screen: Screen, setting: Setting, best: Plan) -> Plan:
    """The planner that knows of the noise: the optimum where that can be found, else cut by cut."""
    if not best.bound:
        return replace(best, name="noise_aware")
    fixed = _noisy_fixed(screen, setting)
    if fixed is not None:
        return fixed
    _, cuts = greedy_noisy_cuts(screen, setting.queries, setting.channel)
    return Plan("noise_aware", screen, setting, cuts, aware=True, note=f"cut by cut, as many as can be gone through ({len(cuts)})")


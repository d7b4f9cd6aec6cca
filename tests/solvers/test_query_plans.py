"""Planners against enumeration: screens against types taken apart, noise against decision trees, random cuts against every draw."""
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from parlour.games.solvers.noisy_queries import Channel, best_noisy_cuts, greedy_noisy_cuts, noisy_search, noisy_value
from parlour.games.solvers.planners import plans
from parlour.games.solvers.queries import cell, cells
from parlour.games.solvers.query_plans import Plan, Setting
from parlour.games.solvers.screens import Screen, screen, shaded
from parlour.games.solvers.thresholds import best_messages, crowd, targets, worth

Types = list[tuple[float, float, float]]
types = st.lists(st.tuples(st.floats(0.05, 0.95), st.floats(0.1, 1.0), st.floats(0.05, 3.0)), min_size=2, max_size=5)


def sure(rows: Types) -> Screen:
    total = sum(w for _, w, _ in rows)
    return screen([p for p, _, _ in rows], [w / total for _, w, _ in rows], [r for _, _, r in rows], None)


def lp(good: Any, bad: Any, odds: Any) -> float:
    """The best policy for types of these masses, as a linear program over targets and the message of ratio 0."""
    order = np.argsort(odds)
    good, bad, odds = np.array(good)[order], np.array(bad)[order], np.array(odds)[order]
    gains = [good.sum(), *(good[t:].sum() + odds[t] * bad[t:].sum() for t in range(len(odds)))]
    ratios = np.array([0.0, *odds])
    return float(-linprog(-np.array(gains), A_ub=np.array([np.ones(len(gains)), ratios]), b_ub=[1, 1]).fun)


@settings(max_examples=40, deadline=None)
@given(types)
def test_a_table_of_cells_holds_the_value_of_every_cell(rows: Types) -> None:
    who = sure(rows).who
    table = cells(who)
    for i in range(who.size):
        assert np.isneginf(table[i, :i]).all()
        for j in range(i, who.size):
            assert table[i, j] == pytest.approx(best_messages(cell(who, i, j))[0], abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(types)
def test_single_targets_are_worth_what_those_who_obey_bring(rows: Types) -> None:
    who = sure(rows).who
    for target, value in zip(who.odds, targets(who), strict=True):
        chance = min(1.0, 1 / target)
        assert worth(who, ((target, chance),))[0] == pytest.approx(value, abs=1e-12)


# --- screens ------------------------------------------------------------------------------------------------------------
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0.05, 0.95), st.floats(0.1, 1.0), st.floats(0.05, 3.0)), min_size=2, max_size=4),
       st.integers(0, 3), st.floats(0.1, 0.9))
def test_the_best_cuts_of_stand_ins_are_found_by_trying_all(rows: Types, shift: int, chance: float) -> None:
    """Each type is taken for two stand-ins; cells of stand-ins are valued by a program over the reweighted types."""
    total, n = sum(w for _, w, _ in rows), len(rows)
    p, w, r = [x for x, _, _ in rows], [x / total for _, x, _ in rows], [x for _, _, x in rows]
    taken = [((chance, r[k]), (1 - chance, r[(k + shift) % n])) for k in range(n)]
    who = screen(p, w, r, taken)
    stand = sorted(set(r))
    if len(stand) < n or min(np.diff(stand)) < 1e-6:
        return
    likely = {(k, stand.index(x)): 0.0 for k in range(n) for x in r}
    for k in range(n):
        for q, x in taken[k]:
            likely[k, stand.index(x)] += q

    def value(i: int, j: int) -> float:
        share = [sum(likely.get((k, s), 0.0) for s in range(i, j + 1)) for k in range(n)]
        return lp([share[k] * w[k] * p[k] for k in range(n)], [share[k] * w[k] * (1 - p[k]) for k in range(n)], r)

    for queries in range(n):
        best = max(sum(value(a, b) for a, b in spans(cuts, n)) for cuts in combinations(range(n - 1), queries))
        found = next(plans(who, Setting(queries, adaptive=False)))
        earned = found.worth()
        assert earned is not None and earned[0] == pytest.approx(best, abs=1e-8)


def spans(cuts: tuple[int, ...], n: int) -> list[tuple[int, int]]:
    edges = [-1, *cuts, n - 1]
    return [(edges[i] + 1, edges[i + 1]) for i in range(len(edges) - 1)]


def test_what_tells_nothing_is_worth_nothing() -> None:
    p, w = [0.2, 0.4, 0.6], [0.3, 0.4, 0.3]
    r = [x / (1 - x) for x in p]
    blind = screen(p, w, r, [((1.0, 0.7),)] * 3)
    even = screen(p, w, r, [tuple((1 / 3, x) for x in r)] * 3)
    for who in (blind, even):
        for plan in plans(who, Setting(2)):
            earned = plan.worth()
            assert earned is not None and earned[0] == pytest.approx(best_messages(who.who)[0], abs=1e-12), plan.name


# --- noise --------------------------------------------------------------------------------------------------------------
def pairs(good: Any, bad: Any, odds: Any) -> float:
    """The same program by trying every vertex: one message of ratio at most 1, or one on either side of 1."""
    points = [(0.0, good.sum()), *((odds[t], good[t:].sum() + odds[t] * bad[t:].sum()) for t in range(len(odds)))]
    chords = [((rb - 1) * a + (1 - ra) * b) / (rb - ra) for ra, a in points for rb, b in points if ra < 1 < rb]
    return float(max([g for r, g in points if r <= 1] + chords))


def tree(who: Screen, channel: Channel, queries: int, price: float, weights: Any) -> float:
    """The best decision tree, by recursion over weights of types alone."""
    good, bad = np.array(who.who.good) * weights, np.array(who.who.bad) * weights
    best = pairs(good, bad, np.array(who.odds))
    if not queries:
        return best
    for cut in range(who.size - 1):
        above = np.arange(who.size) > cut
        total = -price * float((good + bad).sum())
        for acts in range(channel.repeats + 1):
            factor = np.where(above, channel.chance(True, acts), channel.chance(False, acts))
            total += tree(who, channel, queries - 1, price, weights * factor)
        best = max(best, total)
    return best


@settings(max_examples=25, deadline=None)
@given(types, st.floats(0.01, 0.45), st.sampled_from([0.0, 0.01]), st.integers(1, 2))
def test_adaptive_queries_under_flips_are_the_best_decision_tree(rows: Types, flip: float, price: float, repeats: int) -> None:
    who = sure(rows[:3])
    found = noisy_search(who, 2, Channel(flip, repeats), price)
    assert found is not None
    for queries, value in enumerate(found.values):
        assert value == pytest.approx(tree(who, Channel(flip, repeats), queries, price, np.ones(who.size)), abs=1e-9)
    best = next(plans(who, Setting(2, price, flip=flip, repeats=repeats))).worth()
    assert best is not None and best[0] == pytest.approx(found.values[-1], abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(types, st.floats(0.01, 0.45), st.integers(1, 2))
def test_fixed_queries_under_flips_against_every_set(rows: Types, flip: float, repeats: int) -> None:
    who, channel = sure(rows), Channel(flip, repeats)
    for queries in (1, 2):
        found = best_noisy_cuts(who, queries, channel)
        assert found is not None
        every = [noisy_value(who, cuts, channel) for cuts in product(range(who.size - 1), repeat=queries)]
        assert found[0] == pytest.approx(max(every, default=best_messages(who.who)[0]), abs=1e-9)
        assert greedy_noisy_cuts(who, queries, channel)[0] <= found[0] + 1e-9


def test_noise_worth_nothing_and_noise_that_is_none() -> None:
    who = sure([(0.1, 1, 0.1), (0.3, 1, 0.4), (0.4, 1, 0.7)])
    assert noisy_value(who, (0, 1), Channel(0.5, 3)) == pytest.approx(best_messages(who.who)[0])
    table = cells(who.who)
    assert noisy_value(who, (0, 1), Channel(0.0, 1)) == pytest.approx(sum(table[k, k] for k in range(3)))


def test_too_many_answers_leave_a_bound_and_a_planner_that_does_what_it_can() -> None:
    n = 30
    p = [(k + 1) / (2 * n + 2) for k in range(n)]
    who = screen(p, [1 / n] * n, [x / (1 - x) for x in p], None)
    found = {plan.name: plan for plan in plans(who, Setting(4, flip=0.2, repeats=3))}
    assert found["optimum"].bound and "too many answers" in found["optimum"].note
    assert found["random_cuts"].worth() is None
    aware, bound = found["noise_aware"].worth(), found["optimum"].worth()
    assert aware is not None and bound is not None and best_messages(who.who)[0] < aware[0] < bound[0]


def test_many_types_are_served_as_far_as_can_be() -> None:
    """With odds above 1 and too many types for a table of cells: a bound, and planners that need none."""
    n = 2100
    p = [0.05 + 0.9 * k / n for k in range(n)]
    found = {plan.name: plan for plan in plans(screen(p, [1 / n] * n, [x / (1 - x) for x in p], None), Setting(2, adaptive=False))}
    assert found["optimum"].bound and set(found) == {"optimum", "no_queries", "equal_mass"}
    values = [found[name].worth()[0] for name in ("no_queries", "equal_mass", "optimum")]  # type: ignore[index]
    assert values == sorted(values)
    low = [x / 2 for x in p]
    found = {plan.name: plan for plan in plans(screen(low, [1 / n] * n, [x / (1 - x) for x in low], None), Setting(2))}
    assert found["greedy"].missing and found["greedy"].worth() is None and not found["optimum"].bound


# --- the other planners -------------------------------------------------------------------------------------------------
@settings(max_examples=20, deadline=None)
@given(types, st.integers(1, 3))
def test_random_cuts_are_worth_the_mean_over_all_draws(rows: Types, queries: int) -> None:
    who = sure(rows)
    plan = next(x for x in plans(who, Setting(queries)) if x.name == "random_cuts")
    most = min(queries, who.size - 1)
    drawn = [Plan("fixed", who, Setting(queries), cuts).worth() for cuts in combinations(range(who.size - 1), most)]
    for i in (0, 1):
        assert plan.worth()[i] == pytest.approx(np.mean([x[i] for x in drawn]), abs=1e-9)  # type: ignore[index]


@settings(max_examples=25, deadline=None)
@given(types, st.integers(0, 3), st.sampled_from([0.0, 0.02, 0.1]), st.booleans())
def test_no_planner_does_better_than_the_optimum(rows: Types, queries: int, price: float, adaptive: bool) -> None:
    found = {plan.name: plan.worth()[0] for plan in plans(sure(rows), Setting(queries, price, adaptive))}  # type: ignore[index]
    assert all(value <= found["optimum"] + 1e-9 for value in found.values())
    assert found["optimum"] >= found["non_adaptive"] - 1e-9 >= found["no_queries"] - 2e-9


@settings(max_examples=20, deadline=None)
@given(types, st.integers(1, 3), st.sampled_from([0.0, 0.02, 0.1]), st.sampled_from([0.0, 0.2]), st.booleans())
def test_listed_values_are_what_the_planner_earns_with_so_many_queries(rows: Types, queries: int, price: float, flip: float,
                                                                       adaptive: bool) -> None:
    who = sure(rows[:3])
    setting = Setting(queries, price, adaptive, flip)
    for plan in plans(who, setting):
        assert not plan.values or len(plan.values) == queries + 1
        for k, value in enumerate(plan.values):
            fewer = {x.name: x for x in plans(who, replace(setting, queries=k))}.get(plan.name)
            assert fewer is None or value == pytest.approx(fewer.worth()[0], abs=1e-9)  # type: ignore[index]


def test_a_margin_shades_the_odds_and_gives_away_what_it_must() -> None:
    """One type below even odds, known: the sender keeps p (1 + e^-m) of 2p."""
    who = screen([0.4], [1.0], [0.4 / 0.6], None)
    plan = next(x for x in plans(who, Setting(1, spread=0.2)) if x.name == "safety_margin")
    assert plan.margin == pytest.approx(0.3782, abs=1e-4)
    assert plan.worth()[0] == pytest.approx(0.4 * (1 + np.exp(-plan.margin)), abs=1e-12)  # type: ignore[index]
    assert shaded(who.who, 0.0) == who.who


def test_contradicting_answers_are_left_out() -> None:
    who = crowd([0.1, 0.2, 0.3], [0.4, 0.3, 0.3], [0.1, 0.25, 0.4])
    plan = Plan("trusting", Screen(who, who.odds), Setting(4), (0, 1))
    assert plan.interval(((0, 1), (1, 0))) == (1, 1) == plan.interval(((0, 1), (1, 0), (0, 0), (1, 1)))
    assert Plan("trusting", Screen(who, who.odds), Setting(4, repeats=2), (0,)).interval(((0, 1),)) == (0, 2)

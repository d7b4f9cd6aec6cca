"""Which queries to put: published instances, every algorithm against every other, and the best messages against HiGHS."""
import json
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from parlour.games.solvers.queries import adaptive, best_cuts, cell, cells, divide_and_conquer, greedy_cuts, hull, plain
from parlour.games.solvers.thresholds import Crowd, best_messages, crowd

INSTANCES = json.loads((Path(__file__).parent.parent / "vectors" / "second_order_prior.json").read_text())["instances"]


def of(x: dict[str, Any]) -> Crowd:
    return crowd(x["p"], x["w"], x["r"])


@pytest.mark.parametrize("x", INSTANCES, ids=lambda x: x["id"])
def test_published_values(x: dict[str, Any]) -> None:
    who, most = of(x), len(x["value_by_K"]) - 1
    assert best_cuts(who, most).values[:most + 1] == pytest.approx(x["value_by_K"], abs=1e-8)
    assert greedy_cuts(cells(who), most).values == pytest.approx(x["greedy_value_by_K"], abs=1e-8)
    assert best_cuts(who, who.size - 1).values[-1] == pytest.approx(x["full"], abs=1e-8)


@pytest.mark.parametrize("x", INSTANCES, ids=lambda x: x["id"])
def test_free_adaptive_queries_search_the_best_cuts_by_halves(x: dict[str, Any]) -> None:
    who = of(x)
    mass = [a + b for a, b in zip(who.good, who.bad, strict=True)]
    for queries, value in enumerate(x["adaptive_value_by_K"]):
        assert adaptive(cells(who), mass, queries, 0.0).value == pytest.approx(value, abs=1e-8)
        assert best_cuts(who, 2**queries - 1).values[-1] == pytest.approx(value, abs=1e-8)


types = st.lists(st.tuples(st.floats(0.05, 0.95), st.floats(0.1, 1.0), st.floats(0.05, 3.0)), min_size=2, max_size=6)


def drawn(rows: list[tuple[float, float, float]], most: float) -> Crowd:
    total = sum(w for _, w, _ in rows)
    return crowd([p for p, _, _ in rows], [w / total for _, w, _ in rows], [min(r, most) if r != most else r for _, _, r in rows])


@settings(max_examples=40, deadline=None)
@given(types, st.sampled_from([1.0, 3.0]))
def test_every_algorithm_finds_what_enumeration_finds(rows: list[tuple[float, float, float]], most: float) -> None:
    who = drawn(rows, most)
    table = cells(who)
    for queries in range(who.size):
        every = [sum(table[a, b] for a, b in spans(cuts, who.size)) for cuts in combinations(range(who.size - 1), queries)]
        assert plain(table, queries).values[-1] == pytest.approx(max(every), abs=1e-9)
        if who.odds[-1] <= 1:
            assert hull(who, queries, compiled=False).values[-1] == pytest.approx(max(every), abs=1e-9)
            found = divide_and_conquer(lambda i, j: float(table[i, j]), who.size, queries)
            assert found.values[-1] == pytest.approx(max(every), abs=1e-9)


def test_divide_and_conquer_refuses_a_table_without_the_quadrangle_inequality() -> None:
    """Cells whose value is not submodular in the cuts: the assertion says what to use instead."""
    with pytest.raises(AssertionError, match="use `plain`"):
        divide_and_conquer(lambda i, j: float((j - i) ** 2), 8, 3)


def spans(cuts: tuple[int, ...], n: int) -> list[tuple[int, int]]:
    edges = [-1, *cuts, n - 1]
    return [(a + 1, b) for a, b in pairwise(edges)]


@settings(max_examples=60, deadline=None)
@given(types)
def test_the_best_messages_are_those_of_a_linear_program(rows: list[tuple[float, float, float]]) -> None:
    """max sum_t x_t G_t with sum x <= 1 in the good state and sum R_t x_t <= 1 in the bad one, R_t the target's odds, or 0."""
    who = drawn(rows, 3.0)
    good, bad, r = np.array(who.good), np.array(who.bad), np.array(who.odds)
    ratios = np.array([0.0, *r])
    gains = [good.sum(), *(good[t:].sum() + r[t] * bad[t:].sum() for t in range(who.size))]
    found = linprog(-np.array(gains), A_ub=np.array([np.ones(who.size + 1), ratios]), b_ub=[1, 1])
    assert best_messages(who)[0] == pytest.approx(-found.fun, abs=1e-8)
    assert best_messages(cell(who, 0, who.size - 1))[0] == pytest.approx(best_messages(who)[0])

"""Communication equilibria: known values, the constraints one by one, and a second formulation of the program."""
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from parlour.games.solvers.communication import communication_equilibrium
from parlour.games.solvers.plans import pure_plan_equilibria, turned, value

CHICKEN = [[6.0, 2.0], [7.0, 0.0]]


@st.composite
def arrays(draw, actions=(2, 3)):
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.sampled_from(actions)), draw(st.sampled_from(actions)))
    entries = st.lists(st.integers(-4, 4), min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))
    return tuple(np.array(draw(entries), dtype=float).reshape(shape) for _ in range(2))


def worst_gain(u, policy):
    """The most the row player gains by any lie followed by the best answers to each recommendation."""
    signals, others, actions, theirs = u.shape
    most = -np.inf
    for signal, report in product(range(signals), repeat=2):
        lied = 0.0
        for told in range(actions):
            lied += max(sum(u[signal, t, d, b] * policy[report, t, told, b] for t, b in product(range(others), range(theirs)))
                        for d in range(actions))
        most = max(most, lied - (u[signal] * policy[signal]).sum())
    return most


def second_program(u, v, goal, floor=None):
    """The same optimum with one auxiliary variable per (role, signal, report, recommendation): what disobeying is worth."""
    size, shape = u.size, u.shape
    lies = {}
    for role, signals, actions in ((0, shape[0], shape[2]), (1, shape[1], shape[3])):
        for key in product((role,), range(signals), range(signals), range(actions)):
            lies[key] = size + len(lies)
    at = {index: k for k, index in enumerate(np.ndindex(shape))}
    rows = []
    for (role, signal, report, told), variable in lies.items():
        for d in range(shape[2 + role]):
            line = np.zeros(size + len(lies))
            line[variable] = -1
            for t, b in product(range(shape[1 - role]), range(shape[3 - role])):
                mine = u[signal, t, d, b] if role == 0 else v[t, signal, b, d]
                line[at[(report, t, told, b) if role == 0 else (t, report, b, told)]] += mine
            rows.append(line)
        if told == 0:
            line = np.zeros(size + len(lies))
            for a in range(shape[2 + role]):
                line[lies[role, signal, report, a]] = 1
            for index in at:
                if index[role] == signal:
                    line[at[index]] -= (u if role == 0 else v)[index]
            rows.append(line)
    if floor is not None:
        rows.append(np.concatenate([-(u + v).ravel(), np.zeros(len(lies))]))
    totals = np.zeros((shape[0] * shape[1], size + len(lies)))
    for k, (s, t) in enumerate(product(range(shape[0]), range(shape[1]))):
        for a, b in product(range(shape[2]), range(shape[3])):
            totals[k, at[s, t, a, b]] = 1
    found = linprog(np.concatenate([-goal.ravel(), np.zeros(len(lies))]), A_ub=np.array(rows),
                    b_ub=[0.0] * (len(rows) - (floor is not None)) + ([-floor] if floor is not None else []),
                    A_eq=totals, b_eq=np.ones(len(totals)), bounds=[(0, None)] * size + [(None, None)] * len(lies))
    assert found.status == 0
    return -found.fun


def test_chicken():
    """The best correlated equilibrium of Aumann's game of chicken is worth 5.25 to each."""
    row = np.array(CHICKEN).reshape(1, 1, 2, 2)
    found = communication_equilibrium(row, row.transpose(0, 1, 3, 2))
    assert (found.row, found.column) == pytest.approx((5.25, 5.25), abs=1e-9)
    assert found.policy[0][0] == (pytest.approx((0.5, 0.25), abs=1e-9), pytest.approx((0.25, 0.0), abs=1e-9))


def test_an_informed_player_will_not_confess_against_its_interest():
    """The row player always wants action 0 of the other, who wants to match the row player's signal: nothing is told."""
    u, v = np.zeros((2, 1, 2, 2)), np.zeros((2, 1, 2, 2))
    u[:, :, :, 0] = 0.5
    v[0, 0, :, 0], v[1, 0, :, 1] = 0.4, 0.6
    found = communication_equilibrium(u, v)
    assert (found.row, found.column) == pytest.approx((0.0, 0.6), abs=1e-9)


def test_ties_of_the_sum_go_to_the_row():
    row, column = np.diag([10.0, 9.0]).reshape(1, 1, 2, 2), np.diag([9.0, 10.0]).reshape(1, 1, 2, 2)
    found = communication_equilibrium(row, column)
    assert (found.row, found.column) == pytest.approx((10.0, 9.0), abs=1e-9)


@given(arrays())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_honest_obedient_and_as_good_as_the_second_program(payoffs):
    u, v = payoffs
    found = communication_equilibrium(u, v)
    policy = np.array(found.policy)
    assert policy.shape == u.shape and policy.min() >= 0
    assert policy.sum(axis=(2, 3)) == pytest.approx(np.ones(u.shape[:2]), abs=1e-9)
    assert worst_gain(u, policy) <= 1e-7
    assert worst_gain(v.transpose(1, 0, 3, 2), policy.transpose(1, 0, 3, 2)) <= 1e-7
    assert (u * policy).sum() == pytest.approx(found.row, abs=1e-9)
    best = second_program(u, v, u + v)
    assert found.row + found.column == pytest.approx(best, abs=1e-6)
    assert found.row == pytest.approx(second_program(u, v, u, floor=best - 1e-9), abs=1e-5)


@given(arrays(actions=(2,)))
@settings(derandomize=True, max_examples=60, deadline=None)
def test_no_equilibrium_in_plans_has_a_larger_sum(payoffs):
    u, v = (a.tolist() for a in payoffs)
    found = communication_equilibrium(u, v)
    for x, y in pure_plan_equilibria(u, v):
        assert value(u, x, y) + value(turned(v), y, x) <= found.row + found.column + 1e-7

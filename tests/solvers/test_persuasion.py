"""Persuasion of one receiver: against the vectors, beliefs at the corners of best-answer regions, HiGHS and enumeration."""
import json
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pygambit as gbt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from parlour.games.solvers import cheap_talk as talk
from parlour.games.solvers import persuasion as p

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "persuasion.json").read_text())
FINITE = [v for v in VECTORS if "uS" in v["inputs"]]
UNIT = ((1.0, 0.0), (1.0, 0.0))
EVEN = ((1.0, 0.0), (-1.0, 0.0))


def rows(table: Any) -> p.Rows:
    return tuple(tuple(float(x) for x in row) for row in table)


@st.composite
def instances(draw: st.DrawFn, most: int = 3, alike: bool = False) -> tuple[p.Row, p.Rows, p.Rows]:
    """Small instances with many ties: utilities are tenths."""
    states, actions = draw(st.integers(2, most)), draw(st.integers(2, most))
    tenth = st.integers(-10, 10).map(lambda i: i / 10)
    table = st.lists(st.lists(tenth, min_size=actions, max_size=actions), min_size=states, max_size=states)
    mass = draw(st.lists(st.integers(1, 9), min_size=states, max_size=states))
    hers = draw(table)
    return tuple(m / sum(mass) for m in mass), rows([hers[0]] * states if alike else hers), rows(draw(table))


def corners(receiver: p.Rows) -> list[tuple[int, Any]]:
    """(action, belief) at every vertex of every region in which that action is a best answer."""
    v = np.asarray(receiver)
    states, actions = v.shape
    found = []
    for a in range(actions):
        walls = [*np.eye(states), *((v[:, a] - v[:, b]) for b in range(actions) if b != a)]
        for some in combinations(range(len(walls)), states - 1):
            system = np.array([np.ones(states), *(walls[i] for i in some)])
            if abs(np.linalg.det(system)) < 1e-9:
                continue
            q = np.linalg.solve(system, np.eye(states)[0])
            if q.min() > -1e-9 and all(q @ wall > -1e-9 for wall in walls):
                found.append((a, np.clip(q, 0, None)))
    return found


def by_corners(prior: p.Row, sender: p.Rows, receiver: p.Rows) -> float:
    """The best spread of beliefs over those corners with the prior as their mean: concavification, exact."""
    some = corners(receiver)
    goal = [-float(q @ np.asarray(sender)[:, a]) for a, q in some]
    found = linprog(goal, A_eq=np.array([q for _, q in some]).T, b_eq=prior)
    return float(-found.fun)


@pytest.mark.parametrize("vector", FINITE, ids=lambda v: v["id"])
def test_the_vectors(vector: dict[str, Any]) -> None:
    given, want = vector["inputs"], vector["expected"]
    game = tuple(given["mu"]), rows(given["uS"]), rows(given["uR"])
    for found in (p.optimal(*game), p.worth(game[0], p.by_program(*game), *game[1:])):
        assert found.sender == pytest.approx(want["value"], abs=1e-8)
        assert np.asarray(found.policy) == pytest.approx(np.asarray(want["policy"]), abs=1e-8)
    assert p.no_information(*game).sender == pytest.approx(want["no_info"], abs=1e-8)
    assert p.full_information(*game).sender == pytest.approx(want["full_info"], abs=1e-8)
    assert by_corners(*game) == pytest.approx(want["value"], abs=1e-8)


def test_many_states_censor_from_above() -> None:
    """States uniform on [0, 1], act iff their mean is at least c: pool all above 2c - 1, worth 2 - 2c."""
    vector = next(v for v in VECTORS if "c" in v["inputs"])
    c, n = vector["inputs"]["c"], vector["inputs"]["grid"]
    grid = (np.arange(n) + 0.5) / n
    found = p.optimal((1 / n,) * n, rows([[1, 0]] * n), rows([[x - c, 0] for x in grid]))
    assert found.sender == pytest.approx(vector["expected"]["value"], abs=1e-3)
    cutoff = grid[[row[0] > 0.5 for row in found.policy]].min()
    assert cutoff == pytest.approx(vector["expected"]["cutoff"], abs=1 / n)


def test_a_private_signal_is_not_an_average_receiver() -> None:
    """The slide's receivers: a rule that wins the optimist loses the pessimist."""
    vector = next(v for v in VECTORS if "joint" in v["inputs"])
    (joint, want), policy = (vector["inputs"]["joint"], vector["expected"]), lambda q: ((1.0, 0.0), (q, 1 - q))
    for name, q in (("sale_q_optimist", want["q_optimist"]), ("sale_q_pessimist", want["q_pessimist"]),
                    ("sale_full_info_policy", 0.0), ("sale_always", 1.0)):
        sold = 0.0
        for signal in (0, 1):
            mass = joint[0][signal] + joint[1][signal]
            sold += mass * p.worth((joint[0][signal] / mass, joint[1][signal] / mass), policy(q), UNIT, EVEN).sender
        assert sold == pytest.approx(want[name], abs=1e-9), name


@given(instances())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_three_ways_agree(game: tuple[p.Row, p.Rows, p.Rows]) -> None:
    prior, sender, receiver = game
    found = p.optimal(*game)
    assert found.sender == pytest.approx(by_corners(*game), abs=1e-7)
    assert p.worth(prior, p.by_program(*game), sender, receiver).sender == pytest.approx(found.sender, abs=1e-9)
    for other in (p.no_information(*game), p.full_information(*game)):
        assert other.sender <= found.sender + 1e-9
    for message in range(len(found.policy[0])):
        belief = p.posterior(prior, found.policy, message)
        if belief is not None:
            his = p.expected(belief, receiver)
            assert his[message] >= max(his) - p.SLACK


@given(instances(), st.sampled_from((0.0, 0.05, 0.2, 0.6, 2.0)))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_a_robust_policy_is_obeyed_under_every_prior_of_the_ball(game: tuple[p.Row, p.Rows, p.Rows], radius: float) -> None:
    prior, sender, receiver = game
    found = p.robust(*game, radius)
    h = [[row[a] * (v[a] - v[b]) for row, v in zip(found.policy, receiver, strict=True)]
         for a, b in product(range(len(sender[0])), repeat=2) if a != b]
    states = len(prior)
    spread = np.vstack([np.hstack([np.eye(states), -np.eye(states)]), np.hstack([-np.eye(states), -np.eye(states)])])
    for gains in h:  # the worst prior by another program: m free in the simplex, d >= |m - prior|, sum d <= radius
        worst = linprog([*gains, *[0] * states], A_ub=np.vstack([spread, [0] * states + [1] * states]),
                        b_ub=[*prior, *(-x for x in prior), radius], A_eq=[[1] * states + [0] * states], b_eq=[1])
        assert worst.fun >= -1e-7 and worst.fun == pytest.approx(p.least(prior, gains, radius), abs=1e-9)
    assert found.sender <= p.optimal(*game).sender + 1e-8
    if radius == 0:
        assert found.sender == pytest.approx(p.optimal(*game).sender, abs=1e-8)


@pytest.mark.parametrize("radius", [0.0, 0.05, 0.3, 0.9])
def test_two_states_shade_by_half_the_radius(radius: float) -> None:
    prior = 0.4
    low = max(0.0, prior - radius / 2)
    assert p.robust((prior, 1 - prior), UNIT, EVEN, radius).policy[1][0] == pytest.approx(low / (1 - low))


# --- talk -----------------------------------------------------------------------------------------------------------------
def is_equilibrium(prior: p.Row, sender: p.Rows, receiver: p.Rows, found: talk.Talk) -> None:
    policy, answers = np.asarray(found.policy), np.asarray(found.answers)
    pays, joint = np.asarray(sender) @ answers.T, np.asarray(prior)[:, None] * policy
    for w, m in zip(*np.nonzero(policy > 1e-7), strict=True):
        assert pays[w, m] >= pays[w].max() - 1e-6
    for m, belief in enumerate(joint.T):
        if belief.sum() > 1e-7:
            his = belief @ np.asarray(receiver) / belief.sum()
            assert his[answers[m] > 1e-7].min() >= his.max() - 1e-6


@given(instances())
@settings(max_examples=8, deadline=None, derandomize=True)
def test_talk_is_an_equilibrium_between_silence_and_commitment(game: tuple[p.Row, p.Rows, p.Rows]) -> None:
    found = talk.cheap_talk(*game)
    assert found is not None
    is_equilibrium(*game, found)
    assert p.no_information(*game).sender - 1e-6 <= found.sender <= p.optimal(*game).sender + 1e-6


@given(instances(alike=True))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_the_envelope_is_the_best_of_all_equilibria(game: tuple[p.Row, p.Rows, p.Rows]) -> None:
    """Where states do not differ in what they like, the quasi-concave envelope is what the mixed integer program finds."""
    prior, sender, _ = game
    found = talk.cheap_talk(*game)
    assert found is not None
    is_equilibrium(*game, found)
    policy, answers = talk.sorted_out(*game)
    other = sum(q * row[m] * a * u[i] for q, row, u in zip(prior, policy, sender, strict=True)
                for m, mixed in enumerate(answers) for i, a in enumerate(mixed))
    assert found.sender == pytest.approx(other, abs=1e-6)


@given(instances())
@settings(max_examples=8, deadline=None, derandomize=True)
def test_no_equilibrium_without_mixed_answers_is_better(game: tuple[p.Row, p.Rows, p.Rows]) -> None:
    """Enumeration: for every set of actions that may be answered, each state takes its favourites of them."""
    prior, sender, receiver = game
    u, v, best = np.asarray(sender), np.asarray(receiver), -np.inf
    states, actions = u.shape
    for some in (list(s) for k in range(1, actions + 1) for s in combinations(range(actions), k)):
        liked = u[:, some] >= u[:, some].max(axis=1, keepdims=True) - 1e-12
        bars = np.array([(v[:, b] - v[:, a])[:, None] * (np.arange(len(some)) == j) for j, a in enumerate(some) for b in range(actions)])
        feasible = linprog(np.zeros(liked.size), A_ub=bars.reshape(len(bars), -1), b_ub=np.zeros(len(bars)),
                           A_eq=np.kron(np.eye(states), np.ones(len(some))), b_eq=prior,
                           bounds=[(0, None if x else 0) for x in liked.ravel()])
        if feasible.status == 0:
            best = max(best, float(np.asarray(prior) @ u[:, some].max(axis=1)))
    found = talk.cheap_talk(*game)
    assert found is not None and found.sender >= best - 1e-6


def test_talk_in_which_every_state_gets_what_it_likes_best_is_found() -> None:
    """The first two states like the second action, the third the first; the receiver obeys. Other equilibria pay .384 or less."""
    game = (0.24, 0.6, 0.16), rows([[0.2, 0.6], [0.2, 0.4], [0.4, 0]]), rows([[-3, -3], [1, 3], [3, 1]])
    found = talk.cheap_talk(*game)
    assert found is not None and found.sender == pytest.approx(0.24 * 0.6 + 0.6 * 0.4 + 0.16 * 0.4)


def test_a_middle_belief_needs_a_mixed_answer() -> None:
    """She is paid 2 near one end, 1 near the other, 0 between: talk secures 1, and near the first end he must mix half and half."""
    sender, receiver = rows([[0, 1, 2]] * 2), rows([[0, -0.75, 0.25], [0, 0.25, -0.75]])
    found = talk.cheap_talk((0.5, 0.5), sender, receiver)
    assert found is not None
    is_equilibrium((0.5, 0.5), sender, receiver, found)
    assert found.sender == pytest.approx(1.0) and p.no_information((0.5, 0.5), sender, receiver).sender == 0
    assert (0.5, 0.0, 0.5) in found.answers


def test_too_large_a_game_of_talk_is_said_to_be() -> None:
    rng = np.random.default_rng(0)
    assert talk.cheap_talk((1 / 6,) * 6, rows(rng.random((6, 3))), rows(rng.random((6, 3)))) is None


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 9), st.lists(st.integers(-3, 3), min_size=12, max_size=12), st.integers(2, 3))
def test_talk_is_the_best_of_the_equilibria_that_gambit_finds(share: int, numbers: list[int], actions: int) -> None:
    """Two states, two messages: every extreme equilibrium of the bimatrix game of plans, in rational numbers."""
    prior = Fraction(share, 10), 1 - Fraction(share, 10)
    u, v = ([numbers[at + 3 * w:at + 3 * w + actions] for w in (0, 1)] for at in (0, 6))
    plans, answers = list(product(range(2), repeat=2)), list(product(range(actions), repeat=2))
    tables = [np.array([[sum(prior[w] * table[w][told[plan[w]]] for w in (0, 1)) for told in answers] for plan in plans], dtype=object)
              for table in (u, v)]
    game = gbt.Game.from_arrays(*tables)
    sender = next(iter(game.players))
    best = max(float(e.payoff(sender)) for e in gbt.nash.enummixed_solve(game, rational=True).equilibria)
    found = talk.cheap_talk(tuple(map(float, prior)), *(tuple(tuple(map(float, row)) for row in table) for table in (u, v)))
    assert found is not None and found.sender == pytest.approx(best, abs=1e-7)

"""Equilibria of bimatrix games: by hand, by direct checks, and against Gambit in a process of its own."""
import json
import subprocess
import sys
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.games.solvers.bimatrix import SLACK, mixed_equilibria, pure_equilibria

ENTRIES = st.integers(-5, 5)
GAMBIT = """
import json, sys
import pygambit as gbt
found = []
for a, b in json.load(sys.stdin):
    game = gbt.Game.from_arrays(a, b)
    profiles = gbt.nash.enummixed_solve(game, rational=False).equilibria
    found.append([[[p[s] for s in player.strategies] for player in game.players] for p in profiles])
print(json.dumps(found))
"""


def gambit(games):
    done = subprocess.run([sys.executable, "-c", GAMBIT], input=json.dumps(games), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@st.composite
def games(draw):
    m, n = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    matrix = st.lists(st.lists(ENTRIES, min_size=n, max_size=n), min_size=m, max_size=m)
    return draw(matrix), draw(matrix)


def gains(row, column, x, y):
    """The most that each player gains by a pure deviation."""
    m, n = len(row), len(row[0])
    u, v = (sum(x[i] * y[j] * a[i][j] for i, j in product(range(m), range(n))) for a in (row, column))
    best_u = max(sum(y[j] * row[i][j] for j in range(n)) for i in range(m))
    best_v = max(sum(x[i] * column[i][j] for i in range(m)) for j in range(n))
    return best_u - u, best_v - v


def test_two_places():
    row, column = [[10, 0], [0, 9]], [[9, 0], [0, 10]]
    assert pure_equilibria(row, column) == [(0, 0), (1, 1)]
    (x, y), = mixed_equilibria(row, column)
    assert x == pytest.approx((10 / 19, 9 / 19), abs=1e-12)
    assert y == pytest.approx((9 / 19, 10 / 19), abs=1e-12)


def test_matching_pennies_has_one_and_it_is_mixed():
    row, column = [[1, -1], [-1, 1]], [[-1, 1], [1, -1]]
    assert pure_equilibria(row, column) == []
    assert mixed_equilibria(row, column) == [((0.5, 0.5), (0.5, 0.5))]


def test_rock_paper_scissors_mixes_over_three():
    row = [[0, -1, 1], [1, 0, -1], [-1, 1, 0]]
    (x, y), = mixed_equilibria(row, [[-v for v in line] for line in row])
    assert x == y == pytest.approx((1 / 3,) * 3, abs=1e-12)


def test_weak_equilibria_count_and_singular_supports_do_not():
    """Two lines that are the same: every pure pair is a weak equilibrium, no mixture is singled out."""
    assert pure_equilibria([[0, 0], [0, 0]], [[0, 0], [0, 0]]) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert mixed_equilibria([[0, 0], [0, 0]], [[0, 0], [0, 0]]) == []


@pytest.mark.parametrize("edge, listed", [(0.5 * SLACK, True), (2 * SLACK, False)])
def test_slack(edge, listed):
    assert ((0, 0) in pure_equilibria([[0.0], [edge]], [[0.0], [0.0]])) == listed


@given(games())
@settings(derandomize=True)
def test_pure_ones_are_those_without_gain(game):
    row, column = game
    m, n = len(row), len(row[0])
    quiet = [(i, j) for i, j in product(range(m), range(n))
             if max(gains(row, column, [k == i for k in range(m)], [k == j for k in range(n)])) <= 0]
    assert pure_equilibria(row, column) == quiet


@given(games())
@settings(derandomize=True, max_examples=60)
def test_mixed_ones_are_equilibria_in_which_both_mix(game):
    row, column = game
    for x, y in mixed_equilibria(row, column):
        assert max(gains(row, column, x, y)) <= 1e-8
        assert sum(x) == pytest.approx(1) and sum(y) == pytest.approx(1) and min(x + y) >= 0
        assert sum(p > 0 for p in x) == sum(p > 0 for p in y) >= 2


def test_gambit_finds_the_same():
    """Random games are nondegenerate: there, both enumerations are complete."""
    rng = Random(7)
    games = [[[[rng.uniform(-1, 1) for _ in range(n)] for _ in range(m)] for _ in range(2)]
             for m, n in [(2, 2), (3, 3), (4, 4), (4, 2), (2, 4), (3, 4)] for _ in range(5)]
    mixed = 0
    for (row, column), theirs in zip(games, gambit(games), strict=True):
        ours = [[[float(k == i) for k in range(len(row))], [float(k == j) for k in range(len(row[0]))]]
                for i, j in pure_equilibria(row, column)]
        ours += [[list(x), list(y)] for x, y in mixed_equilibria(row, column)]
        mixed += len(mixed_equilibria(row, column))
        for one, other in zip(sorted(ours), sorted(theirs), strict=True):
            assert one[0] == pytest.approx(other[0], abs=1e-9) and one[1] == pytest.approx(other[1], abs=1e-9)
    assert mixed > 10

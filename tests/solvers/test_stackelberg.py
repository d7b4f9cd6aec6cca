"""The tolerant benchmarks at break points, against brute force on grids; the tape against its formula."""
from fractions import Fraction
from math import log, sqrt

from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.games.solvers import tape
from parlour.games.solvers.stackelberg import alignment, equilibrium, self_tolerant, tolerant

FINE = 200
MATRIX = st.integers(1, 3).flatmap(lambda k: st.integers(1, 3).flatmap(lambda b: st.tuples(
    *[st.lists(st.lists(st.integers(-5, 20).map(lambda i: i / 20), min_size=b, max_size=b), min_size=k, max_size=k)] * 2)))


def brute(u1: list[list[float]], u2: list[list[float]], gamma: Fraction) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    """Both benchmarks by their definitions, at every point of a grid that holds all break points of twentieths."""
    x, y = ([[Fraction(round(20 * v), 20) for v in row] for row in u] for u in (u1, u2))
    rows, found = range(len(x)), []
    for i in range(int(FINE * gamma) + 1):
        e = Fraction(i, FINE)
        near = [[b for b, v in enumerate(y[a]) if v >= max(y[a]) - e] for a in rows]
        sure = max(min(x[a][b] for b in near[a]) for a in rows)
        leads = [a for a in rows if max(x[a][b] for b in near[a]) >= sure - e]
        found.append((sure + e, min(max(y[a]) for a in leads) + e,
                      *(min(u[a][b] for a in leads for b in near[a]) + e for u in (x, y))))
    least = [min(column) for column in zip(*found, strict=True)]
    return (least[0], least[1]), (least[2], least[3])


@settings(max_examples=60, deadline=None)
@given(MATRIX, st.integers(0, 10))
def test_break_points_are_all_there_is(tables: tuple[list[list[float]], list[list[float]]], gamma: int) -> None:
    """The grid's step divides a twentieth, so it holds every break point: exact equality."""
    u1, u2 = tables
    both = brute(u1, u2, Fraction(gamma, 20))
    for found, expected in zip((tolerant(u1, u2, gamma / 20), self_tolerant(u1, u2, gamma / 20)), both, strict=True):
        assert [p.value for p in found] == [float(v) for v in expected]
        assert all(0 <= p.epsilon <= gamma / 20 for p in found)


@settings(max_examples=60, deadline=None)
@given(MATRIX)
def test_the_equilibrium_is_one(tables: tuple[list[list[float]], list[list[float]]]) -> None:
    u1, u2 = tables
    for weak in (False, True):
        a, b = equilibrium(u1, u2, weak)
        assert u2[a][b] == max(u2[a])
        worth = [(min if weak else max)(u for u, v in zip(u1[i], u2[i], strict=True) if v == max(u2[i])) for i in range(len(u1))]
        assert u1[a][b] == max(worth) and a == worth.index(max(worth))
    assert tolerant(u1, u2, 0)[0].value == u1[a][b]


def test_alignment() -> None:
    assert alignment([[0.9, 0.5]], [[0.9, 0.5]]) == 1
    assert alignment([[0.9, 0.5]], [[0.3, 0.1]]) == 2
    assert alignment([[0.9, 0.5]], [[0.3, 0.3]]) is None


def test_the_tape_is_uniform_and_each_key_matters() -> None:
    draws = [tape.uniform(7, cell, visit, player) for cell in range(5) for visit in range(200) for player in range(2)]
    assert len(set(draws)) == len(draws) and all(0 <= u < 1 for u in draws)
    assert abs(sum(draws) / len(draws) - 0.5) < 4 / sqrt(12 * len(draws))
    assert tape.uniform(0, 0, 0, 0) == (tape.mixed(tape.mixed(tape.mixed(tape.mixed(0, 0), 0), 0), 0) >> 11) / 2**53


def test_splitmix_is_the_published_one() -> None:
    """The first output of splitmix64 from seed 1234567, as its reference implementation gives it."""
    assert tape.mixed(1234567, 0) == 6457827717110365317


def test_gaussian_and_bernoulli_rewards() -> None:
    n = 4000
    z = [tape.gaussian(0.3, 1, 0, v, 1) - 0.3 for v in range(n)]
    assert abs(sum(z) / n) < 4 / sqrt(n) and abs(sum(x * x for x in z) / n - 1) < 4 * sqrt(2 / n)
    assert max(map(abs, z)) <= sqrt(2 * 53 * log(2))
    assert abs(sum(tape.bernoulli(0.3, 1, 0, v, 0) for v in range(n)) / n - 0.3) < 4 * sqrt(0.21 / n)
    assert tape.bernoulli(-1.0, 1, 0, 0, 0) == -1.0

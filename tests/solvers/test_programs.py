"""Linear programs with a second goal: what binds is met to rounding. Integer programs: nothing is printed."""
import ctypes

import numpy as np
import pytest
from scipy.optimize import Bounds, milp

from parlour.games.solvers.cheap_talk import cheap_talk
from parlour.games.solvers.learning_curve import all_or_nothing
from parlour.games.solvers.programs import lexicographic, polished


def test_a_solution_off_by_a_little_is_put_on_its_binding_rows() -> None:
    """x + y = 1, x <= 2 y: from .666 and .333, off by 1e-8, to the point where both bind; a point far from any is left."""
    gains, exact, totals = np.array([[1.0, -2.0]]), np.array([[1.0, 1.0]]), np.array([1.0])
    assert polished(np.array([2 / 3 + 2e-8, 1 / 3 + 1e-8]), gains, exact, totals) == pytest.approx([2 / 3, 1 / 3], abs=1e-15)
    assert polished(np.array([0.6, 0.3]), gains, exact, totals).tolist() == [0.6, 0.3]
    assert polished(np.array([1.0, -1e-12]), np.array([[0.0, -1.0]]), exact, totals).tolist() == [1.0, 0.0]


def test_the_second_goal_decides_among_the_first_ones_solutions() -> None:
    """max x + y on x + y + z = 1: all of x, y may be had; the second goal takes y."""
    found = lexicographic(np.array([1.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0]), np.zeros((1, 3)), np.ones((1, 3)), np.array([1.0]))
    assert found == pytest.approx([0, 1, 0], abs=1e-12)


def said_by_c(capfd: pytest.CaptureFixture[str]) -> str:
    """What went to stdout since the last look, by way of C's own buffer too."""
    ctypes.CDLL(None).fflush(None)
    return capfd.readouterr().out


def test_integer_programs_say_nothing_on_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    """At the level of the descriptor: a solver's own line from C would spoil what `--json` prints."""
    rng, whole = np.random.default_rng(3), 0
    milp([-1.0, -1.0], integrality=[1, 1], bounds=Bounds(0, 2.5), options={"disp": True})
    assert "HiGHS" in said_by_c(capfd), "what C prints is seen"
    for i in range(30):
        efforts, outcomes = int(rng.integers(2, 5)), int(rng.integers(5, 14))
        table = rng.dirichlet(np.full(outcomes, (0.1, 1.0)[i % 2]), size=efforts)
        whole += all_or_nothing(table[:-1], table[-1], rng.random(efforts - 1)) is not None
    assert whole > 5
    for states, actions in ((2, 3), (3, 2), (3, 3)) * 2:
        utilities = (tuple(map(tuple, rng.random((states, actions)).round(1))) for _ in range(2))
        assert cheap_talk(tuple(rng.dirichlet(np.ones(states))), *utilities) is not None
    assert said_by_c(capfd) == ""

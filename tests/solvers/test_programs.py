"""Linear programs with a second goal: what binds is met to rounding."""
import numpy as np
import pytest

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

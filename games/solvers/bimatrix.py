"""Equilibria of a small bimatrix game, by enumeration.

    A   row      row player's payoffs         (m, n)
    B   column   column player's payoffs      (m, n)
    x, y         chances over rows, columns   (m,), (n,), each summing to 1

(x, y) is an equilibrium iff no row i gains, (Ay)_i <= x'Ay, and no column j, (x'B)_j <= x'By, up to a slack.
Supports I, J of one size k are tried: y makes the rows of I indifferent and x the columns of J, two systems of k + 1
equations. There are C(m + n, n) - 1 such pairs, 69 for 4 x 4. All equilibria of a nondegenerate game are found. In a
degenerate one a singular system (a continuum of solutions) is passed over, so some may be missing; none is wrong.

Source: von Stengel, "Equilibrium computation for two-player games", Algorithmic Game Theory (2007), algorithm 3.4.
Checked example: A = (10 0; 0 9), B = (9 0; 0 10): two pure ones, and x = (10, 9)/19, y = (9, 10)/19.
"""
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

SLACK = 1e-9
SINGULAR = 1e12
"""The condition number from which a system counts as singular."""
Matrix = Sequence[Sequence[float]]
Chances = tuple[float, ...]


def pure_equilibria(row: Matrix, column: Matrix) -> list[tuple[int, int]]:
    """All (i, j) from which nobody gains more than SLACK by moving, in lexicographic order; weak ones included."""
    tops = [max(payoffs) for payoffs in zip(*row, strict=True)]
    return [(i, j) for i, payoffs in enumerate(column) for j, payoff in enumerate(payoffs)
            if row[i][j] >= tops[j] - SLACK and payoff >= max(payoffs) - SLACK]


def mixed_equilibria(row: Matrix, column: Matrix) -> list[tuple[Chances, Chances]]:
    """Equilibria (x, y) in which both mix over equally many, at least two, by size and place of the supports."""
    import numpy as np
    a, b = np.asarray(row, dtype=float), np.asarray(column, dtype=float)
    a, b = a / max(1.0, float(np.max(np.abs(a)))), b / max(1.0, float(np.max(np.abs(b))))
    found = []
    for rows, columns in _supports(*a.shape):
        within = np.ix_(rows, columns)
        x, y = _indifference(b[within].T, rows, len(a)), _indifference(a[within], columns, a.shape[1])
        if x is not None and y is not None and _stable(a @ y, x) and _stable(x @ b, y):
            found.append((tuple(x.tolist()), tuple(y.tolist())))
    return found


def _supports(m: int, n: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    for size in range(2, min(m, n) + 1):
        for rows in combinations(range(m), size):
            for columns in combinations(range(n), size):
                yield rows, columns


def _indifference(payoffs: Any, support: tuple[int, ...], length: int) -> Any:
    """Chances on `support`, all positive, under which every line of `payoffs` is worth the same; None if there are none."""
    import numpy as np
    size = len(support)
    system = np.block([[payoffs, -np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]])
    if np.linalg.cond(system) > SINGULAR:
        return None
    chances = np.linalg.solve(system, np.eye(size + 1)[size])[:size]
    if chances.min() <= SLACK:
        return None
    whole = np.zeros(length)
    whole[list(support)] = chances / chances.sum()
    return whole


def _stable(worth: Any, chances: Any) -> bool:
    """Whether no line is worth more than the mixture."""
    return bool(worth.max() <= worth @ chances + SLACK)

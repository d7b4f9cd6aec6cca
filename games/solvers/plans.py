"""Two players, two actions each, private signals: what plans are worth, and the equilibria among them.

    s, t    signals of the row and the column player, S and T of them
    u, v    row, column: chance of (s, t) times the expected payoff of actions (a, b) given (s, t)    (S, T, 2, 2)
    x, y    plans: chances of the first action after each signal                                      (S,), (T,)

x is worth sum_{s,t,a,b} u[s,t,a,b] x_s(a) y_t(b). A pure plan is one of 2^S lines of a bimatrix game; chances over pure
plans and chances after each signal are worth the same (perfect recall), so equilibria are given as the latter.
"""
from collections.abc import Sequence
from itertools import product

from .bimatrix import mixed_equilibria, pure_equilibria

Plan = tuple[float, ...]
Array = Sequence[Sequence[Sequence[Sequence[float]]]]


def worth(u: Array, other: Plan, signal: int | None) -> tuple[float, float]:
    """The row player's two actions after a signal, times its chance, against the other's plan; None: without a signal."""
    lines = u if signal is None else (u[signal],)
    cells = [(cell, y) for line in lines for cell, y in zip(line, other, strict=True)]
    first, second = (sum(cell[a][0] * y + cell[a][1] * (1 - y) for cell, y in cells) for a in range(2))
    return first, second


def value(u: Array, x: Plan, y: Plan) -> float:
    """Expected payoff of two plans."""
    after = [worth(u, y, s) for s in range(len(u))]
    return sum(p * first + (1 - p) * second for p, (first, second) in zip(x, after, strict=True))


def turned(u: Array) -> Array:
    """The same payoffs with the players' parts exchanged: (T, S, 2, 2)."""
    return [[[[u[s][t][a][b] for a in range(2)] for b in range(2)] for s in range(len(u))] for t in range(len(u[0]))]


def pure_plans(signals: int) -> list[Plan]:
    """All 2^signals pure plans, the first action first."""
    return list(product((1.0, 0.0), repeat=signals))


def pure_plan_equilibria(u: Array, v: Array) -> list[tuple[Plan, Plan]]:
    """All pure Bayes-Nash equilibria, weak ones included, in lexicographic order."""
    rows, columns = pure_plans(len(u)), pure_plans(len(u[0]))
    return [(rows[i], columns[j]) for i, j in pure_equilibria(_matrix(u), _matrix(v))]


def mixed_plan_equilibria(u: Array, v: Array) -> list[tuple[Plan, Plan]]:
    """Bayes-Nash equilibria in which both mix over plans, those that `mixed_equilibria` finds."""
    rows, columns = pure_plans(len(u)), pure_plans(len(u[0]))
    return [(_blend(x, rows), _blend(y, columns)) for x, y in mixed_equilibria(_matrix(u), _matrix(v))]


def _matrix(u: Array) -> list[list[float]]:
    return [[value(u, x, y) for y in pure_plans(len(u[0]))] for x in pure_plans(len(u))]


def _blend(chances: Sequence[float], plans: Sequence[Plan]) -> Plan:
    """Chances over pure plans as chances after each signal."""
    return tuple(sum(p * x for p, x in zip(chances, after, strict=True)) for after in zip(*plans, strict=True))

"""The best that two players with private signals can reach through a mediator: a linear program.

    s, t    signals of the row and the column player                                          S, T of them
    P       chance of the signals; they are private, and only reports of them reach the mediator
    a, b    actions                                                                           A, B of them
    u, v    row, column: P(s, t) times the expected payoff of (a, b) given (s, t)             (S, T, A, B)
    mu      policy: chance that the mediator, told (s, t), recommends a to one and b to the other   (S, T, A, B)

mu is a communication equilibrium iff being honest and obedient is a best reply to the other's being so: for every signal
s, every report r and every way d of answering recommendations,

    sum_{t,a,b} u[s,t,a,b] mu[s,t,a,b]  >=  sum_{t,a,b} u[s,t,d(a),b] mu[r,t,a,b],

and likewise for the column player. Where P(s, t) = 0, mu(. | s, t) is free: it is what the mediator answers to reports
that cannot both be true. With one signal each this is the correlated equilibrium. Every Bayes-Nash equilibrium is one,
and so is every equilibrium with talk among the players. Largest u + v; among those the largest u.
Size: S T A B variables, S^2 A^A + T^2 B^B constraints; meant for two or three signals and actions.

Source: Myerson, "Optimal coordination mechanisms in generalized principal-agent problems", J. Math. Econ. 10 (1982);
Forges, "An approach to communication equilibria", Econometrica 54 (1986).
"""
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from .programs import lexicographic


@dataclass(frozen=True)
class Communication:
    """policy: mu as nested tuples (S, T, A, B); row, column: expected payoffs."""
    policy: tuple[Any, ...]
    row: float
    column: float


def communication_equilibrium(row: Sequence[Any], column: Sequence[Any]) -> Communication:
    """The communication equilibrium of largest sum, then largest row payoff. Arrays (S, T, A, B), weighted by P(s, t)."""
    import numpy as np
    u, v = np.asarray(row, dtype=float), np.asarray(column, dtype=float)
    scale = max(float(np.max(np.abs(u))), float(np.max(np.abs(v)))) or 1.0
    policy = _solve(u / scale, v / scale).reshape(u.shape)
    policy = np.clip(policy, 0, None)
    policy /= policy.sum(axis=(2, 3), keepdims=True)
    return Communication(_tuples(policy.tolist()), float((u * policy).sum()), float((v * policy).sum()))


def _solve(u: Any, v: Any) -> Any:
    """The best policy for scaled payoffs, as a flat vector."""
    import numpy as np
    gains = np.array([*_gains(u), *(g.transpose(1, 0, 3, 2) for g in _gains(v.transpose(1, 0, 3, 2)))])
    gains = gains.reshape(len(gains), u.size)
    total = np.kron(np.eye(u.shape[0] * u.shape[1]), np.ones(u.shape[2] * u.shape[3]))
    return lexicographic((u + v).ravel(), u.ravel(), gains, total, np.ones(len(total)))


def _gains(u: Any) -> list[Any]:
    """Per (signal, report, answers): what the row player gains by that lie or disobedience, linear in mu."""
    import numpy as np
    signals, _, actions, _ = u.shape
    found = []
    for signal, report in product(range(signals), repeat=2):
        for answers in product(range(actions), repeat=actions):
            gain = np.zeros_like(u)
            gain[report] += u[signal][:, list(answers), :]
            gain[signal] -= u[signal]
            found.append(gain)
    return found


def _tuples(nested: Any) -> Any:
    return tuple(_tuples(x) for x in nested) if isinstance(nested, list) else nested

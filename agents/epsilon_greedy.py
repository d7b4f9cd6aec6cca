"""Epsilon-greedy: the best so far, and now and then any arm."""
from typing import Annotated, ClassVar

from pydantic import Field

from ..games.base import Chance
from .bandit import Numbers, Row, best, drawn, fraction, untried
from .learner import Algorithm, Learner, Place
from .ucb1 import update


def weigh(x: Row, k: int, q: Numbers) -> None:
    """The chances, into `weight`: an untried arm; then explore with q0, or min(1, q1 k / t) in round t where q1 > 0."""
    explore, top = min(1.0, q[1] * k / (x[0] + 1.0)) if q[1] > 0.0 else q[0], untried(x, k)
    if top >= 0:
        explore = 0.0
    else:
        top = best(x, k)
    for a in range(k):
        x[3 + 4 * k + a] = explore / k + (1.0 - explore if a == top else 0.0)


def choose(x: Row, k: int, q: Numbers, seed: int) -> int:
    """A draw from the chances."""
    weigh(x, k, q)
    return drawn(x, k, 3 + 4 * k, fraction(seed))


class EpsilonGreedy(Learner):
    """Each arm once; then any arm with equal chances with probability epsilon, else the arm of the highest mean.

    epsilon  fixed
    decay    c > 0: instead, epsilon_t = min(1, c K / t) in round t

    Source: Auer, Cesa-Bianchi, Fischer, "Finite-time analysis of the multiarmed bandit problem", Machine Learning 47 (2002),
    whose c / d^2 is the c here.
    """
    epsilon: Chance = 0.1
    decay: Annotated[float, Field(ge=0)] = 0.0
    algorithm: ClassVar = Algorithm(choose, update, weigh)

    def numbers(self, place: Place) -> tuple[float, ...]:
        return (self.epsilon, self.decay)

"""UCB1: the arm of the highest upper confidence bound."""
import math
from typing import ClassVar

from .bandit import Numbers, Row, count
from .learner import Algorithm, Learner, Place


def choose(x: Row, k: int, q: Numbers, seed: int) -> int:
    """argmax of mean + sqrt(2 ln t / n), each arm once before."""
    bonus = math.sqrt(2.0 * math.log(x[1])) if x[1] > 1.0 else 0.0
    top, most = 0, -math.inf
    for a in range(k):
        width = x[3 + 3 * k + a]
        if width == 0.0:
            return a
        index = x[3 + 2 * k + a] + bonus * width
        if index > most:
            top, most = a, index
    return top


def update(x: Row, k: int, q: Numbers, arm: int, reward: float) -> None:
    """Counts the reward."""
    x[0] += 1.0
    count(x, k, arm, reward)


class Ucb1(Learner):
    """Each arm once, then argmax of mean_a + sqrt(2 ln t / n_a), where t is the number of pulls so far. No fields.

    A follower keeps one such bandit per prompt, and t counts the pulls under that prompt. Source: P. Auer, N. Cesa-Bianchi,
    P. Fischer, "Finite-time analysis of the multiarmed bandit problem", Machine Learning 47 (2002).
    """
    algorithm: ClassVar = Algorithm(choose, update)

    def numbers(self, place: Place) -> tuple[float, ...]:
        return ()

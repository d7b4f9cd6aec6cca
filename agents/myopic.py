"""Myopic: always the best so far."""
from typing import ClassVar

from .bandit import Numbers, Row, best, untried
from .learner import Algorithm, Learner, Place
from .ucb1 import update


def choose(x: Row, k: int, q: Numbers, seed: int) -> int:
    """Each arm once, then the arm of the highest mean."""
    first = untried(x, k)
    return first if first >= 0 else best(x, k)


class Myopic(Learner):
    """Each arm once, then always the arm of the highest mean ("greedy"). No fields.

    Source: the myopic follower of the prompting game; A. Slivkins, "Introduction to multi-armed bandits" (2019), on why it
    fails: with positive chance it never plays the best arm again.
    """
    algorithm: ClassVar = Algorithm(choose, update)

    def numbers(self, place: Place) -> tuple[float, ...]:
        return ()

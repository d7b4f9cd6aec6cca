"""Thompson sampling: an arm with the chance that it is the best."""
import math
from typing import ClassVar

from .bandit import Numbers, Row, unit
from .learner import Algorithm, Learner, Place
from .ucb1 import update

DRAWS = 64
"""Numbers of a seed kept for one gamma variate: far more than it ever takes."""


def gamma(shape: float, seed: int, at: int) -> float:
    """A gamma variate of shape at least 1, from the numbers at, at + 1 ... of a seed (Marsaglia and Tsang 2000)."""
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    for i in range(at, at + DRAWS - 2, 3):
        z = math.sqrt(-2.0 * math.log(1.0 - unit(seed, i))) * math.cos(2.0 * math.pi * unit(seed, i + 1))
        v = (1.0 + c * z) * (1.0 + c * z) * (1.0 + c * z)
        if v > 0.0 and math.log(1.0 - unit(seed, i + 2)) < 0.5 * z * z + d - d * v + d * math.log(v):
            return d * v
    return d


def choose(x: Row, k: int, q: Numbers, seed: int) -> int:
    """The arm of the highest draw from Beta(1 + total, 1 + n - total)."""
    top, most = 0, -1.0
    for a in range(k):
        good = gamma(1.0 + min(max(x[3 + k + a], 0.0), x[3 + a]), seed, 2 * a * DRAWS)
        bad = gamma(1.0 + x[3 + a] - min(max(x[3 + k + a], 0.0), x[3 + a]), seed, (2 * a + 1) * DRAWS)
        if good / (good + bad) > most:
            top, most = a, good / (good + bad)
    return top


class Thompson(Learner):
    """Draws a mean for every arm from Beta(1 + s_a, 1 + n_a - s_a) and plays the highest; s_a is the sum of its rewards. No fields.

    Exact for rewards of 0 and 1 under a uniform prior; for others in [0, 1] the same formula is used, and a sum outside
    [0, n_a] is moved to the nearer end. Source: S. Agrawal, N. Goyal, "Analysis of Thompson sampling for the multi-armed bandit
    problem", COLT 2012.
    """
    algorithm: ClassVar = Algorithm(choose, update)

    def numbers(self, place: Place) -> tuple[float, ...]:
        return ()

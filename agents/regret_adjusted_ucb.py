"""Regret-adjusted UCB: an index that leaves room for what the other is still learning."""
import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .bandit import Numbers, Row
from .learner import Algorithm, Learner, Place
from .ucb1 import update


def choose(x: Row, k: int, q: Numbers, seed: int) -> int:
    """argmax of mean + (q0 + q1 sqrt(ln t)) / sqrt(n) + min(1, q2 / sqrt(n)), each arm once before."""
    bonus = q[0] + q[1] * math.sqrt(math.log(x[1])) if x[1] > 1.0 else q[0]
    top, most = 0, -math.inf
    for a in range(k):
        width = x[3 + 3 * k + a]
        if width == 0.0:
            return a
        index = x[3 + 2 * k + a] + bonus * width + min(1.0, q[2] * width)
        if index > most:
            top, most = a, index
    return top


class RegretAdjustedUcb(Learner):
    """Each arm once, then argmax of an upper confidence bound to which a bound on the other's regret is added.

    constants  `theory`: mean_a + sqrt(2 ln(2 T^2 / delta) / n_a) + R(n_a, delta / (2 T^2)) / n_a, where
               R(n, d) = min(n, 2 sqrt(2 B n ln(2 / d))) bounds the regret of a UCB follower with B responses;
               `scaled`: mean_a + sqrt(2 ln t / n_a) + sqrt(B ln t / n_a)
    delta      chance that a bound may fail; None: 1 / T

    B is the other's number of actions, T the horizon. Source: N. Immorlica, "Theoretical models of generative AI in economic
    environments" (lecture), for aligned interests; R by Hoeffding's inequality, for rewards in [0, 1].
    """
    constants: Literal["theory", "scaled"] = "theory"
    delta: Annotated[float, Field(gt=0, lt=1)] | None = None
    algorithm: ClassVar = Algorithm(choose, update)

    def numbers(self, place: Place) -> tuple[float, ...]:
        if self.constants == "scaled":
            return (0.0, math.sqrt(2.0) + math.sqrt(place.others), 0.0)
        delta = self.delta or 1 / max(place.horizon, 2)
        worst = 2 * place.horizon**2 / delta
        return (math.sqrt(2 * math.log(worst)), 0.0, 2 * math.sqrt(2 * place.others * math.log(2 * worst)))

"""Active-arm elimination: all arms still in question in turn, until their confidence intervals part."""
import math
from typing import Annotated, ClassVar

from pydantic import Field

from .bandit import Numbers, Row, count
from .learner import Algorithm, Learner, Place


def choose(x: Row, k: int, q: Numbers, seed: int) -> int:
    """The active arm with the fewest pulls; `weight` is 1 for an arm that is out."""
    top, least = 0, math.inf
    for a in range(k):
        if x[3 + 4 * k + a] == 0.0 and x[3 + a] < least:
            top, least = a, x[3 + a]
    return top


def update(x: Row, k: int, q: Numbers, arm: int, reward: float) -> None:
    """Counts the reward; when all active arms have been pulled equally often, drops those that are surely worse."""
    x[0] += 1.0
    count(x, k, arm, reward)
    n, most = x[3 + arm], -math.inf
    for a in range(k):
        if x[3 + 4 * k + a] == 0.0:
            if x[3 + a] != n:
                return
            most = max(most, x[3 + 2 * k + a])
    apart = 2.0 * math.sqrt(math.log(q[0] * n * n) / (2.0 * n))
    for a in range(k):
        if x[3 + 2 * k + a] + apart < most:
            x[3 + 4 * k + a] = 1.0


class ActiveArmElimination(Learner):
    """Passes over the active arms; after each, an arm is dropped whose mean is two radii below the highest.

    delta  chance that any interval fails; None: 1 / T

    The radius after n pulls each is sqrt(ln(4 K n^2 / delta) / (2 n)), by Hoeffding's inequality over all arms, sides and n; K
    is the number of arms. Source: E. Even-Dar, S. Mannor, Y. Mansour, "Action elimination and stopping conditions for the
    multi-armed bandit and reinforcement learning problems", JMLR 7 (2006).
    """
    delta: Annotated[float, Field(gt=0, lt=1)] | None = None
    algorithm: ClassVar = Algorithm(choose, update)

    def numbers(self, place: Place) -> tuple[float, ...]:
        return (4 * place.arms / (self.delta or 1 / max(place.horizon, 2)),)

"""CORRAL: a master that picks among learners, here among the follower's bandits, one per prompt."""
import math
from typing import Annotated, ClassVar

from pydantic import Field

from .bandit import Numbers, Row, drawn, fraction
from .learner import Algorithm, Learner, Place

HALVINGS = 60


def weigh(x: Row, k: int, q: Numbers) -> None:
    """At first: equal chances, rho = 2 K, rates eta. `n` holds p, `total` rho, `mean` the rates, `weight` the mixed chances."""
    if x[3] == 0.0:
        for a in range(k):
            x[3 + a] = x[3 + 4 * k + a] = 1.0 / k
            x[3 + k + a] = 2.0 * k
            x[3 + 2 * k + a] = q[0]


def choose(x: Row, k: int, q: Numbers, seed: int) -> int:
    """A draw from the mixed chances."""
    weigh(x, k, q)
    return drawn(x, k, 3 + 4 * k, fraction(seed))


def mass(x: Row, k: int, arm: int, loss: float, shift: float) -> float:
    """Sum of 1 / (1 / p_a + eta_a (loss_a - shift)), where only `arm` has a loss."""
    whole = 0.0
    for a in range(k):
        whole += 1.0 / (1.0 / x[3 + a] + x[3 + 2 * k + a] * ((loss if a == arm else 0.0) - shift))
    return whole


def update(x: Row, k: int, q: Numbers, arm: int, reward: float) -> None:
    """One step of mirror descent with the log barrier, then mixing, then larger rates for arms that became rare."""
    weigh(x, k, q)
    x[0] += 1.0
    loss = (1.0 - reward) / x[3 + 4 * k + arm]
    low, high = min(0.0, loss), max(0.0, loss)
    for a in range(k):
        high = min(high, (loss if a == arm else 0.0) + 1.0 / (x[3 + a] * x[3 + 2 * k + a]))
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if mass(x, k, arm, loss, middle) > 1.0:
            high = middle
        else:
            low = middle
    for a in range(k):
        x[3 + a] = 1.0 / (1.0 / x[3 + a] + x[3 + 2 * k + a] * ((loss if a == arm else 0.0) - low))
        x[3 + 4 * k + a] = (1.0 - q[1]) * x[3 + a] + q[1] / k
        if 1.0 / x[3 + 4 * k + a] > x[3 + k + a]:
            x[3 + k + a] = 2.0 / x[3 + 4 * k + a]
            x[3 + 2 * k + a] *= q[2]


class Corral(Learner):
    """Draws a prompt from chances p that log-barrier mirror descent moves; its base learners are the follower's bandits.

    eta  first learning rate; None: sqrt(K / T)

    With gamma = 1 / T, beta = e^(1 / ln T), rho_a = 2 K at first. Each round an arm is drawn from (1 - gamma) p + gamma / K and
    its loss 1 - reward is divided by that chance; then 1 / p_a goes up by eta_a (loss_a - lambda), lambda such that p sums to 1;
    where the new mixed chance is below 1 / rho_a, rho_a becomes twice its inverse and eta_a grows by the factor beta. The base
    learner of an arm is fed by the game itself, with the reward as it is. Source: A. Agarwal, H. Luo, B. Neyshabur, R. Schapire,
    "Corralling a band of bandit algorithms", COLT 2017, algorithms 1 and 2.
    """
    eta: Annotated[float, Field(gt=0)] | None = None
    algorithm: ClassVar = Algorithm(choose, update, weigh)

    def numbers(self, place: Place) -> tuple[float, ...]:
        horizon = max(place.horizon, 2)
        return (self.eta or math.sqrt(place.arms / horizon), 1 / horizon, math.exp(1 / math.log(horizon)))

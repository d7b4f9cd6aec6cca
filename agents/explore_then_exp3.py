"""Explore and forget, then EXP3."""
import math
from typing import Annotated, ClassVar

from pydantic import Field

from .bandit import Numbers, Row, drawn, fraction
from .learner import Algorithm, Learner, Place, cube_pace

LEAST = 1e-9


def weigh(x: Row, k: int, q: Numbers) -> None:
    """The chances, into `weight`: round robin for q0 passes; then proportional to exp(-eta (loss - the least)), with the
    estimated losses in `total`."""
    if x[0] < q[0] * k:
        for a in range(k):
            x[3 + 4 * k + a] = 1.0 if a == int(x[0]) % k else 0.0
        return
    least, whole = x[3 + k], 0.0
    for a in range(1, k):
        least = min(least, x[3 + k + a])
    for a in range(k):
        x[3 + 4 * k + a] = math.exp(-q[1] * (x[3 + k + a] - least))
        whole += x[3 + 4 * k + a]
    for a in range(k):
        x[3 + 4 * k + a] /= whole


def choose(x: Row, k: int, q: Numbers, seed: int) -> int:
    """A draw from the chances."""
    weigh(x, k, q)
    return drawn(x, k, 3 + 4 * k, fraction(seed))


def update(x: Row, k: int, q: Numbers, arm: int, reward: float) -> None:
    """Adds the loss, divided by the chance the arm had (or LEAST: another may have chosen for it), once the passes are over."""
    if x[0] >= q[0] * k:
        weigh(x, k, q)
        x[3 + k + arm] += (1.0 - reward) / max(x[3 + 4 * k + arm], LEAST)
    x[0] += 1.0


class ExploreThenExp3(Learner):
    """`passes` of round robin, whose rewards are discarded, then EXP3: arm a with chance proportional to exp(-eta L_a).

    passes  None: B * N, N = ceil((T / (A B))^(2/3) (ln T)^(1/3)); 0: EXP3 from the start
    eta     None: sqrt(2 ln K / (K (T - passes K)))

    L_a is the sum of (1 - reward) / chance over the pulls of a; nothing is mixed in. Source: P. Auer, N. Cesa-Bianchi,
    Y. Freund, R. Schapire, "The nonstochastic multiarmed bandit problem", SIAM Journal on Computing 32 (2002), with losses as
    in S. Bubeck, N. Cesa-Bianchi, "Regret analysis of stochastic and nonstochastic multi-armed bandit problems" (2012).
    """
    passes: Annotated[int, Field(ge=0)] | None = None
    eta: Annotated[float, Field(gt=0)] | None = None
    algorithm: ClassVar = Algorithm(choose, update, weigh)

    def numbers(self, place: Place) -> tuple[float, ...]:
        passes = place.others * cube_pace(place) if self.passes is None else self.passes
        left = max(place.horizon - passes * place.arms, 1)
        return (float(passes), self.eta or math.sqrt(2 * math.log(max(place.arms, 2)) / (place.arms * left)))

"""Explore and forget, then UCB1 from scratch."""
from typing import Annotated, ClassVar

from pydantic import Field

from . import ucb1
from .bandit import Numbers, Row, count
from .learner import Algorithm, Learner, Place, cube_pace


def choose(x: Row, k: int, q: Numbers, seed: int) -> int:
    """q0 passes of round robin, then UCB1 on what was counted since."""
    return int(x[0]) % k if x[0] < q[0] * k else ucb1.choose(x, k, q, seed)


def update(x: Row, k: int, q: Numbers, arm: int, reward: float) -> None:
    """Counts the reward once the passes are over."""
    x[0] += 1.0
    if x[0] > q[0] * k:
        count(x, k, arm, reward)


class ExploreThenUcb(Learner):
    """`passes` of round robin, whose rewards are discarded, then UCB1 with t and n_a counted since.

    passes  None: B * N, N = ceil((T / (A B))^(2/3) (ln T)^(1/3)), by when a follower's exploration is over

    Source: Donahue, Immorlica, Jagadeesan, Lucier, Slivkins, "Impact of decentralized learning on player utilities in
    Stackelberg games", ICML 2024. There the follower must have low instantaneous regret with high probability.
    """
    passes: Annotated[int, Field(ge=0)] | None = None
    algorithm: ClassVar = Algorithm(choose, update)

    def numbers(self, place: Place) -> tuple[float, ...]:
        return (float(place.others * cube_pace(place) if self.passes is None else self.passes),)

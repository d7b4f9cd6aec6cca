"""Explore, then commit: every arm equally often in turn, then the best for good."""
from typing import Annotated, ClassVar

from pydantic import Field

from .bandit import Numbers, Row, commit, count
from .learner import Algorithm, Learner, Place, cube_pace, square_pace


def choose(x: Row, k: int, q: Numbers, seed: int) -> int:
    """Round robin until committed."""
    return int(x[2]) - 1 if x[2] > 0.0 else int(x[0]) % k


def update(x: Row, k: int, q: Numbers, arm: int, reward: float) -> None:
    """Discards q0 passes, counts q1, then commits to the arm of the highest mean."""
    x[0] += 1.0
    if q[0] * k < x[0] <= (q[0] + q[1]) * k:
        count(x, k, arm, reward)
    if x[0] == (q[0] + q[1]) * k:
        commit(x, k)


class Etc(Learner):
    """Round robin until each arm has been played `pulls` times, then always the arm of the highest mean.

    pulls  None: for a leader ceil(T^(2/3)); for a follower, under each prompt, ceil((T / (A B))^(2/3) (ln T)^(1/3))

    A and B are the numbers of prompts and responses, T the horizon. Source: A. Slivkins, "Introduction to multi-armed
    bandits" (2019), section 1.2.
    """
    pulls: Annotated[int, Field(ge=1)] | None = None
    algorithm: ClassVar = Algorithm(choose, update)

    def numbers(self, place: Place) -> tuple[float, ...]:
        return (0.0, float(self.pulls or (square_pace(place) if place.leads else cube_pace(place))))

"""Explore twice, then commit: what comes while the other still explores is thrown out."""
from typing import Annotated, ClassVar

from pydantic import Field

from .etc import choose, update
from .learner import Algorithm, Learner, Place, cube_pace


class Eetc(Learner):
    """Round robin: `discard` passes are thrown out, `pulls` passes count, then always the arm of the highest mean.

    discard  None: B * N, so that a follower who explores N times each has done so under every prompt
    pulls    None: N = ceil((T / (A B))^(2/3) (ln T)^(1/3))

    Source: K. Donahue, N. Immorlica, M. Jagadeesan, B. Lucier, A. Slivkins, "Impact of decentralized learning on player
    utilities in Stackelberg games", ICML 2024 ("throw-out" explore then commit).
    """
    discard: Annotated[int, Field(ge=0)] | None = None
    pulls: Annotated[int, Field(ge=1)] | None = None
    algorithm: ClassVar = Algorithm(choose, update)

    def numbers(self, place: Place) -> tuple[float, ...]:
        pace = cube_pace(place)
        return (float(place.others * pace if self.discard is None else self.discard), float(self.pulls or pace))

"""Play in rounds as curves: how often each cell was played up to each round, and every regret that follows from it."""
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..games.solvers.stackelberg import equilibrium

if TYPE_CHECKING:
    import numpy

ROLES = ("human", "ai")


def label(spec: Mapping[str, Any]) -> str:
    """A seat's spec in a legend: its name, and its fields where they are set."""
    fields = ", ".join(f"{k} {v}" for k, v in spec.items() if k != "agent")
    return f"{spec['agent']} ({fields})" if fields else str(spec["agent"])


def thinned(horizon: int, per_decade: int = 12) -> list[int]:
    """Rounds on a logarithmic grid from 1 to the horizon, with half of it and every power of ten."""
    steps = {round(10 ** (i / per_decade)) for i in range(1 + int(per_decade * len(str(horizon))))}
    return sorted({t for t in steps if t < horizon} | {horizon, max(1, horizon // 2)})


@dataclass(frozen=True)
class Paths:
    """Some seeds of a simulation, or the episodes of an arm, round by round on a thinned grid.

    name              of the simulation or the arm          leader, follower   specs of those who sat there
    means             players x cells, net of fees          shape              prompts, columns per prompt; cell = prompt * columns + column
    rounds            the grid, rising, up to the horizon
    plays             seeds x rounds x cells: how often each cell was played up to each round
    switched          per seed, the last round whose prompt was not that of the round before
    title             for a legend
    declines          the last column of every prompt is not a response, but any response that was declined
    """
    name: str
    leader: Mapping[str, Any]
    follower: Mapping[str, Any]
    horizon: int
    means: "numpy.ndarray[Any, Any]"
    shape: tuple[int, int]
    benchmarks: list[dict[str, Any]]
    rounds: "numpy.ndarray[Any, Any]"
    plays: "numpy.ndarray[Any, Any]"
    switched: "numpy.ndarray[Any, Any]"
    title: str
    declines: bool = False

    @cached_property
    def totals(self) -> "numpy.ndarray[Any, Any]":
        """players x seeds x rounds: the sum of expected rewards up to a round."""
        import numpy as np
        return np.einsum("pc,sgc->psg", self.means, self.plays)

    def regret(self, role: str, per_round: float) -> "numpy.ndarray[Any, Any]":
        """seeds x rounds: benchmark times t, less the sum of expected rewards."""
        found: numpy.ndarray[Any, Any] = per_round * self.rounds - self.totals[ROLES.index(role)]
        return found

    @property
    def instantaneous(self) -> "numpy.ndarray[Any, Any]":
        """seeds x rounds: the follower's own regret so far, sum of max_b u(a_t, b) - u(a_t, b_t), in the mean per round."""
        own = self.means[1].reshape(self.shape)
        lost = (own.max(axis=1, keepdims=True) - own).ravel()
        found: numpy.ndarray[Any, Any] = self.plays @ lost / self.rounds
        return found

    @property
    def prompts(self) -> "numpy.ndarray[Any, Any]":
        """seeds x rounds x prompts: how often each prompt was played."""
        found: numpy.ndarray[Any, Any] = self.plays.reshape(*self.plays.shape[:2], *self.shape).sum(axis=3)
        return found

    @property
    def responses(self) -> "numpy.ndarray[Any, Any]":
        """seeds x rounds x responses: how often each was given and taken, whatever the prompt."""
        found: numpy.ndarray[Any, Any] = self.plays.reshape(*self.plays.shape[:2], *self.shape).sum(axis=2)
        return found[..., :-1] if self.declines else found

    @property
    def best(self) -> int:
        """The prompt that is best for the leader, were it answered best for the follower."""
        human, ai = self.means.reshape(2, *self.shape).tolist()
        return equilibrium(human, ai)[0]

    def exploration(self) -> dict[str, float]:
        """K min_a n_a / T, the share of seeds that never play the best prompt after T / 2, and the last switch; means over seeds."""
        import numpy as np

        counts, half = self.prompts, int(np.searchsorted(self.rounds, max(1, self.horizon // 2)))
        return {"min fraction": float((self.shape[0] * counts[:, -1].min(axis=1) / self.horizon).mean()),
                "suffix failure": float((counts[:, -1, self.best] == counts[:, half, self.best]).mean()),
                "last switch": float(self.switched.mean())}

"""What a learner chose and what came of it, as arrays; and the measures of how it explores."""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

Array = "numpy.ndarray[Any, Any]"


@dataclass(frozen=True)
class Choices:
    """One seat of one episode: in round t it met context_t, chose arm_t of `arms`, and earned reward_t.

    contexts  for a follower the prompts; for a leader, who meets the same bandit in every round, all 0
    others    the other seat's number of actions
    horizon   rounds announced; there may be fewer
    """
    arms: int
    others: int
    horizon: int
    leads: bool
    contexts: tuple[int, ...]
    chosen: tuple[int, ...]
    rewards: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.chosen)


def suffix_failure(chosen: Sequence[int], best: int, after: int) -> bool:
    """Whether the best arm is never chosen once `after` rounds are over."""
    return best not in chosen[after:]


def min_fraction(chosen: Sequence[int], arms: int) -> float:
    """K times the share of the rarest arm: 1 for one who plays all alike, 0 for one who leaves an arm out."""
    return arms * min(chosen.count(a) for a in range(arms)) / len(chosen)


def last_switch(chosen: Sequence[int]) -> int:
    """The last round (from 1) whose arm was not that of the round before; 1 for one who never switched."""
    return max((t + 1 for t in range(1, len(chosen)) if chosen[t] != chosen[t - 1]), default=1)


def greedy_fraction(choices: Choices) -> float:
    """The share of rounds that took an arm of the highest mean reward so far, of those rounds in which some arm had been tried."""
    seen: dict[int, tuple[list[int], list[float]]] = {}
    greedy = rounds = 0
    for context, arm, reward in zip(choices.contexts, choices.chosen, choices.rewards, strict=True):
        n, total = seen.setdefault(context, ([0] * choices.arms, [0.0] * choices.arms))
        means = [s / k for s, k in zip(total, n, strict=True) if k]
        if means:
            rounds += 1
            greedy += n[arm] > 0 and total[arm] / n[arm] >= max(means) - 1e-12
        n[arm] += 1
        total[arm] += reward
    return greedy / rounds if rounds else 0.0


def frequencies(chosen: Sequence[int], arms: int) -> "numpy.ndarray[Any, Any]":
    """rounds x arms: the share of each arm in all rounds up to and including t."""
    import numpy as np
    hits = np.array(chosen)[:, None] == np.arange(arms)
    return hits.cumsum(axis=0) / np.arange(1, len(chosen) + 1)[:, None]


def distance(one: "numpy.ndarray[Any, Any]", other: "numpy.ndarray[Any, Any]") -> float:
    """Mean absolute difference of two such curves, over rounds and arms."""
    return float(abs(one - other).mean())

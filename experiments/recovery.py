"""How often the learner behind some choices is recovered: known learners play, each is fitted, and what came out is counted.

The leader meets three prompts of mean reward .8, .5, .3 (answered best) against a UCB1 follower; a follower meets two prompts of a
UCB1 leader, three responses to each. Rewards are Bernoulli, from the tape. Balanced accuracy is the mean over algorithms of the
share that was recovered; settings of one algorithm count as that algorithm.

Source: R. C. Wilson, A. Collins, "Ten simple rules for the computational modeling of behavioral data", eLife 8 (2019).
"""
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..agents.active_arm_elimination import ActiveArmElimination
from ..agents.corral import Corral
from ..agents.eetc import Eetc
from ..agents.epsilon_greedy import EpsilonGreedy
from ..agents.explore_then_exp3 import ExploreThenExp3
from ..agents.explore_then_ucb import ExploreThenUcb
from ..agents.learner import Learner
from ..agents.myopic import Myopic
from ..agents.regret_adjusted_ucb import RegretAdjustedUcb
from ..agents.thompson import Thompson
from ..agents.ucb1 import Ucb1
from ..transcripts.choices import Choices
from ..transcripts.fitted import fit
from .engine import Match
from .simulation import traced

LEADING = ((0.8, 0.3), (0.5, 0.2), (0.3, 0.2))
FOLLOWING = ((0.8, 0.5, 0.3), (0.3, 0.8, 0.5))
KNOWN: dict[str, tuple[Learner, ...]] = {
    "ucb1": (Ucb1(),), "regret_adjusted_ucb": (RegretAdjustedUcb(), RegretAdjustedUcb(constants="scaled")),
    "etc": (Eetc(discard=0, pulls=10), Eetc(discard=6, pulls=6)), "explore_then_ucb": (ExploreThenUcb(passes=8),),
    "explore_then_exp3": (ExploreThenExp3(passes=8, eta=0.1), ExploreThenExp3(passes=0)),
    "epsilon_greedy": (EpsilonGreedy(epsilon=0.1), EpsilonGreedy(decay=2)), "myopic": (Myopic(),), "thompson": (Thompson(),),
    "active_arm_elimination": (ActiveArmElimination(),), "corral": (Corral(),)}
"""Algorithms, each at the settings that play. `etc` with some of its exploration discarded is `eetc`: see `fitted`."""


@dataclass(frozen=True)
class Recovered:
    """What became of every algorithm. counts: algorithm -> algorithm that explained its choices best -> how often."""
    choices: int
    counts: dict[str, Counter[str]]

    @property
    def balanced(self) -> float:
        """The mean over algorithms of the share that was recovered."""
        return sum(found[name] / found.total() for name, found in self.counts.items()) / len(self.counts)

    @property
    def right(self) -> int:
        """How many were recovered."""
        return sum(found[name] for name, found in self.counts.items())

    @property
    def of(self) -> int:
        """How many there were."""
        return sum(found.total() for found in self.counts.values())


def played(learner: Learner, seed: int, rounds: int = 200, leads: bool = True) -> Choices:
    """A known learner's choices in the leader's seat, or in the follower's, against UCB1 in the other."""
    means = LEADING if leads else FOLLOWING
    pair = (learner, Ucb1()) if leads else (Ucb1(), learner)
    return next(traced(Match(means, means, *pair), rounds, [seed], leads))


def recovered(seeds: Sequence[int], choices: int = 200, leads: bool = True,
              tell: Callable[[int, int], None] = lambda done, of: None) -> Recovered:
    """Lets every setting play every seed and counts by which algorithm it is explained best."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in KNOWN}
    every = [(name, learner, seed) for name, settings in KNOWN.items() for learner in settings for seed in seeds]
    for i, (name, learner, seed) in enumerate(every):
        counts[name][fit(played(learner, seed, choices, leads))[0].algorithm] += 1
        tell(i + 1, len(every))
    return Recovered(choices, counts)

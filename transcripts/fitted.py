"""Which learner explains a seat's choices best: by likelihood, over algorithms and their parameters.

A learner is replayed on what the seat met and earned; at each round it gives chances over the arms. Deterministic algorithms
give certainty, so every candidate is allowed to tremble: with chance e it chooses any arm alike,

    P(arm_t) = (1 - e) P_algorithm(arm_t | past) + e / K,      e in TREMBLES by likelihood,

but for epsilon-greedy and myopic, which would be each other with e as epsilon: they keep the least. Candidates are compared by
BIC = k ln n - 2 ln L, k the parameters that were fitted. ETC and EETC are one algorithm, `etc`, with `discard` at 0 or above:
unless the two halves of the exploration point to different arms, no choice can tell them apart. Settings of one algorithm that
give every choice the same chance are reported as a tie.
"""
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..agents.active_arm_elimination import ActiveArmElimination
from ..agents.bandit import Row, size
from ..agents.corral import Corral
from ..agents.eetc import Eetc
from ..agents.epsilon_greedy import EpsilonGreedy
from ..agents.explore_then_exp3 import ExploreThenExp3
from ..agents.explore_then_ucb import ExploreThenUcb
from ..agents.learner import Learner, Place
from ..agents.myopic import Myopic
from ..agents.regret_adjusted_ucb import RegretAdjustedUcb
from ..agents.thompson import Thompson
from ..agents.ucb1 import Ucb1
from ..registry import name_of
from .choices import Choices

if TYPE_CHECKING:
    import numpy

TREMBLES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5)
GRID = 128
"""Points of the quadrature for the chance that a draw from a beta distribution is the highest."""


@dataclass(frozen=True)
class Fit:
    """How well one algorithm explains some choices, at its best setting.

    algorithm     registered name
    settings      every setting that reaches the same likelihood, the first being the simplest
    loglik, bic   the latter counts the tremble and the algorithm's own fitted parameters
    agreement     mean chance given to the choices made, before trembling
    """
    algorithm: str
    settings: tuple[Learner, ...]
    tremble: float
    loglik: float
    bic: float
    agreement: float


def fit(choices: Choices) -> list[Fit]:
    """Every algorithm at its best, best first."""
    best: dict[str, Fit] = {}
    for learner, parameters in candidates(choices):
        name = "etc" if isinstance(learner, Eetc) else name_of(learner)
        found = _fit(name, learner, parameters, choices)
        held = best.get(name)
        if held is None or found.bic < held.bic - 1e-9:
            best[name] = found
        elif abs(found.loglik - held.loglik) < 1e-9:
            best[name] = Fit(name, (*held.settings, learner), held.tremble, held.loglik, held.bic, held.agreement)
    return sorted(best.values(), key=lambda f: f.bic)


def _fit(name: str, learner: Learner, parameters: int, choices: Choices) -> Fit:
    import numpy as np

    p = chances(learner, choices)
    trembles = TREMBLES[:1] if isinstance(learner, EpsilonGreedy | Myopic) else TREMBLES
    loglik, tremble = max((float(np.log((1 - e) * p + e / choices.arms).sum()), -e) for e in trembles)
    bic = (parameters + len(trembles[1:2])) * math.log(len(choices)) - 2 * loglik
    return Fit(name, (learner,), -tremble, loglik, bic, float(p.mean()))


def chances(learner: Learner, choices: Choices) -> "numpy.ndarray[Any, Any]":
    """The chance the learner gives to each choice that was made, had it made all those before."""
    import numpy as np

    place = Place(choices.arms, choices.others, choices.horizon, choices.leads)
    q, k = learner.numbers(place), choices.arms
    rows: dict[int, Row] = {}
    found: list[float] = []
    beliefs: list[list[float]] = []
    choose, update, weigh = learner.algorithm
    for context, arm, reward in zip(choices.contexts, choices.chosen, choices.rewards, strict=True):
        x = rows.setdefault(context, [0.0] * size(k))
        if isinstance(learner, Thompson):
            beliefs.append([*x[3:3 + 2 * k], arm])
        elif weigh is None:
            found.append(1.0 if choose(x, k, q, 0) == arm else 0.0)
        else:
            weigh(x, k, q)
            found.append(x[3 + 4 * k + arm])
        update(x, k, q, arm, reward)
    return _highest(np.array(beliefs), k) if beliefs else np.array(found)


def _highest(beliefs: "numpy.ndarray[Any, Any]", k: int) -> "numpy.ndarray[Any, Any]":
    """Per row (n of each arm, total of each arm, arm): the chance that a draw from the arm's beta distribution is the highest."""
    import numpy as np
    from scipy.special import betainc

    n, total = beliefs[:, :k], np.clip(beliefs[:, k:2 * k], 0, beliefs[:, :k])
    edges = np.linspace(0, 1, GRID + 1)
    below = betainc(1 + total[..., None], 1 + (n - total)[..., None], edges)
    mass = np.diff(below, axis=2)
    middle = (below[..., 1:] + below[..., :-1]) / 2
    wins = np.stack([(mass[:, a] * np.delete(middle, a, axis=1).prod(axis=1)).sum(axis=1) for a in range(k)], axis=1)
    wins /= wins.sum(axis=1, keepdims=True)
    return wins[np.arange(len(beliefs)), beliefs[:, -1].astype(int)]


def candidates(choices: Choices) -> Iterator[tuple[Learner, int]]:
    """Learners with the number of parameters fitted: the usual settings, and what the first passes of the choices suggest."""
    yield from ((learner, 0) for learner in (Ucb1(), Myopic(), Thompson(), ActiveArmElimination()))
    yield from ((RegretAdjustedUcb(constants=constants), 0) for constants in ("theory", "scaled"))
    yield from ((EpsilonGreedy(epsilon=e), 1) for e in (0.05, 0.1, 0.2, 0.3, 0.5))
    yield from ((EpsilonGreedy(decay=c), 1) for c in (1.0, 2.0, 5.0, 10.0))
    yield from ((Corral(eta=eta), 1) for eta in (0.05, 0.1, 0.2, 0.4))
    passes = explored(choices)
    for pulls in passes:
        yield Eetc(discard=0, pulls=pulls), 1
        yield from ((Eetc(discard=n, pulls=pulls - n), 2) for n in range(1, pulls, max(1, pulls // 8)))
        yield ExploreThenUcb(passes=pulls), 1
    yield Corral(), 0
    for exploring in (0, *passes):
        for eta in (None, 0.05, 0.1, 0.2, 0.4):
            yield ExploreThenExp3(passes=exploring, eta=eta), (exploring > 0) + (eta is not None)


def explored(choices: Choices) -> tuple[int, ...]:
    """Numbers of passes worth trying: near those the choices begin with, and a coarse grid for one who trembles."""
    most = max(1, len(choices) // max(1, choices.arms * len(set(choices.contexts))))
    seen: dict[int, int] = {}
    broken: set[int] = set()
    for context, arm in zip(choices.contexts, choices.chosen, strict=True):
        if context not in broken and arm == seen.get(context, 0) % choices.arms:
            seen[context] = seen.get(context, 0) + 1
        else:
            broken.add(context)
    begun = {max(0, seen.get(c, 0) // choices.arms - back) for c in broken for back in range(4)}
    return tuple(sorted(n for n in begun | {1, 2, 5, 10, 20, 40} if 1 <= n <= most))

"""Known learners are recovered from their choices; the measures of exploration by hand."""
from collections import Counter

import numpy as np
import pytest

from parlour.agents.active_arm_elimination import ActiveArmElimination
from parlour.agents.corral import Corral
from parlour.agents.eetc import Eetc
from parlour.agents.epsilon_greedy import EpsilonGreedy
from parlour.agents.explore_then_exp3 import ExploreThenExp3
from parlour.agents.explore_then_ucb import ExploreThenUcb
from parlour.agents.learner import Learner
from parlour.agents.myopic import Myopic
from parlour.agents.regret_adjusted_ucb import RegretAdjustedUcb
from parlour.agents.thompson import Thompson
from parlour.agents.ucb1 import Ucb1
from parlour.experiments.engine import Match, simulate
from parlour.games.solvers import tape
from parlour.transcripts.choices import Choices, distance, frequencies, greedy_fraction, last_switch, min_fraction, suffix_failure
from parlour.transcripts.fitted import chances, fit

MEANS = ((0.8, 0.3), (0.5, 0.2), (0.3, 0.2))
KNOWN: dict[str, list[Learner]] = {
    "ucb1": [Ucb1()], "regret_adjusted_ucb": [RegretAdjustedUcb(), RegretAdjustedUcb(constants="scaled")],
    "etc": [Eetc(discard=0, pulls=10), Eetc(discard=6, pulls=6)], "explore_then_ucb": [ExploreThenUcb(passes=8)],
    "explore_then_exp3": [ExploreThenExp3(passes=8, eta=0.1), ExploreThenExp3(passes=0)],
    "epsilon_greedy": [EpsilonGreedy(epsilon=0.1), EpsilonGreedy(decay=2)], "myopic": [Myopic()], "thompson": [Thompson()],
    "active_arm_elimination": [ActiveArmElimination()], "corral": [Corral()]}


def played(learner: Learner, seed: int, rounds: int = 200) -> Choices:
    """The leader's choices against a UCB1 follower, rewards from the tape."""
    cells = simulate(Match(MEANS, MEANS, learner, Ucb1()), rounds, [seed], record=rounds, threads=1).trace[0].tolist()
    visits: Counter[int] = Counter()
    rewards = []
    for cell in cells:
        rewards.append(tape.bernoulli(MEANS[cell // 2][cell % 2], seed, cell, visits[cell], 0))
        visits[cell] += 1
    return Choices(3, 2, rounds, True, (0,) * rounds, tuple(c // 2 for c in cells), tuple(rewards))


def test_known_learners_are_recovered() -> None:
    """The confusion matrix at 200 choices: balanced accuracy at least 95 %."""
    hits = {name: Counter(fit(played(learner, 1000 + s))[0].algorithm for learner in learners for s in range(4 // len(learners)))
            for name, learners in KNOWN.items()}
    balanced = sum(found[name] / sum(found.values()) for name, found in hits.items()) / len(hits)
    assert balanced >= 0.95, hits


@pytest.mark.parametrize("name", KNOWN)
def test_a_learner_gives_its_own_choices_their_chance(name: str) -> None:
    for learner in KNOWN[name]:
        p = chances(learner, played(learner, 5, 60))
        assert (p > 0).all() and (name in ("thompson", "corral", "explore_then_exp3", "epsilon_greedy") or (p == 1).all())


def test_settings_that_no_choice_tells_apart_are_a_tie() -> None:
    found = fit(played(Eetc(discard=6, pulls=6), 3))[0]
    assert found.algorithm == "etc" and len(found.settings) > 1 and found.agreement == 1.0


def test_the_chance_that_a_beta_draw_is_highest() -> None:
    """One success against one failure: P(Beta(2, 1) > Beta(1, 2)) = 5 / 6."""
    p = chances(Thompson(), Choices(2, 2, 3, True, (0,) * 3, (0, 1, 0), (1.0, 0.0, 1.0)))
    assert p[0] == pytest.approx(0.5, abs=1e-3) and p[2] == pytest.approx(5 / 6, abs=1e-3)


def test_measures_by_hand() -> None:
    arms = (0, 1, 2, 1, 1, 1)
    assert suffix_failure(arms, 0, 3) and not suffix_failure(arms, 1, 3)
    assert min_fraction(arms, 3) == 3 * 1 / 6 and min_fraction(arms, 4) == 0
    assert last_switch(arms) == 4 and last_switch((1, 1)) == 1
    assert greedy_fraction(Choices(3, 2, 6, True, (0,) * 6, arms, (0.0, 1.0, 1.0, 0.0, 1.0, 1.0))) == 1 / 5
    curve = frequencies((0, 1), 2)
    assert curve.tolist() == [[1.0, 0.0], [0.5, 0.5]] and distance(curve, np.array([[0.0, 1.0], [0.5, 0.5]])) == 0.5

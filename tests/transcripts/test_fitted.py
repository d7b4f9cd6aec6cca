"""Known learners are recovered from their choices; the measures of exploration by hand."""
import json
from collections import Counter

import numpy as np
import pytest

from parlour.agents.eetc import Eetc
from parlour.agents.thompson import Thompson
from parlour.experiments.cli import main
from parlour.experiments.recovery import KNOWN, Recovered, played, recovered
from parlour.transcripts.choices import Choices, distance, frequencies, greedy_fraction, last_switch, min_fraction, suffix_failure
from parlour.transcripts.fitted import chances, fit


@pytest.mark.parametrize("leads", [True, False])
def test_known_learners_are_recovered(leads: bool) -> None:
    """The confusion matrix at 200 choices: balanced accuracy at least 95 %."""
    found = recovered(range(1000, 1002), 200, leads)
    assert found.of == 2 * sum(map(len, KNOWN.values())) and found.balanced >= 0.95, found.counts


def test_balanced_accuracy_weighs_algorithms_alike() -> None:
    found = Recovered(200, {"ucb1": Counter(ucb1=9, etc=1), "etc": Counter(ucb1=1, etc=1)})
    assert found.balanced == pytest.approx(0.7) and (found.right, found.of) == (10, 12)


def test_the_command_prints_the_matrix(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlour.experiments.recovery.KNOWN", {"ucb1": KNOWN["ucb1"], "myopic": KNOWN["myopic"]})
    assert main(["recovery", "--choices", "30", "--seeds", "2"]) == 0
    out = capsys.readouterr().out
    assert "played by (rows)" in out and "of 4 recovered, balanced accuracy" in out
    assert main(["recovery", "--choices", "30", "--seeds", "2", "--seat", "follower", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sum(map(sum, (c.values() for c in found["counts"].values()))) == 4 and 0 <= found["balanced_accuracy"] <= 1
    assert main(["recovery", "--choices", "3"]) == 2


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

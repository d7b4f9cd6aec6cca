"""Slack, logit temperature and screening menus, against statsmodels, scipy and brute force."""
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.games.solvers.obedience import logit, slack, temperature, utilities
from parlour.games.solvers.screening import best_menu, cheapest_menu

F = np.array([[0.665, 0.335], [0.64, 0.36], [0.47, 0.53]])
C = np.array([0.18165, 0.2415, 0.6405])


def test_slack_at_the_published_contract_is_nothing() -> None:
    """HumanEval: the pass payments 2.353077 and 2.699118 leave the largest model indifferent, and 0.0588 ahead."""
    assert slack(F, C, (0, 2.353076923076923), 2) == pytest.approx(0, abs=1e-12)
    assert slack(F, C, (0, 2.6991176470588236), 2) == pytest.approx(0.17 * 2.6991176470588236 - 0.399)
    assert slack(F, C, (0, 0), 2) == pytest.approx(-0.45885)
    assert slack(F, C, (1, 1), 2) == pytest.approx(-0.45885), "flat pay is no incentive"
    assert slack(F[:1], C[:1], (0, 0), 0) == inf


def test_temperature_is_statsmodels_conditional_logit() -> None:
    from statsmodels.discrete.conditional_models import ConditionalLogit
    rng, tau = np.random.default_rng(1), 0.4
    menus = rng.normal(size=(400, 3))
    chosen = [int(rng.choice(3, p=logit(u, 1 / tau))) for u in menus]
    found = temperature([(tuple(u), i, 1.0) for u, i in zip(menus, chosen, strict=True)])
    picked = np.array([[k == i for k in range(3)] for i in chosen]).ravel().astype(int)
    theirs = ConditionalLogit(picked, menus.reshape(-1, 1), groups=np.repeat(np.arange(400), 3)).fit(method="newton", disp=False)
    precision, error = float(theirs.params[0]), float(theirs.bse[0])
    assert found is not None and found.n == 400 and found.se is not None
    assert 1 / found.tau == pytest.approx(precision, rel=1e-4)
    assert found.se == pytest.approx(error / precision**2, rel=1e-3)
    assert abs(found.tau - tau) < 3 * found.se


def test_temperature_at_the_ends_and_by_weights() -> None:
    assert temperature([((1.0, 1.0), 0, 1.0)]) is None
    best = temperature([((0.0, 1.0), 1, 1.0), ((2.0, 1.0), 0, 1.0)])
    worst = temperature([((0.0, 1.0), 0, 1.0), ((2.0, 1.0), 0, 1.0), ((2.0, 1.0), 1, 1.0)])
    assert best is not None and best.tau == 0 and worst is not None and worst.tau == inf
    exact = temperature([((0.0, 1.0), i, p) for i, p in enumerate(logit((0.0, 1.0), 1 / 0.25))])
    assert exact is not None and exact.tau == pytest.approx(0.25), "chances as weights give the temperature back"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=2, max_size=5), st.floats(0.05, 5))
def test_any_temperature_is_found_again(u: list[float], tau: float) -> None:
    if max(u) - min(u) < 0.05:
        return
    found = temperature([(u, i, float(p)) for i, p in enumerate(logit(u, 1 / tau)) if p > 0])
    assert found is not None and (found.tau == pytest.approx(tau, rel=1e-5) or (max(u) - min(u)) / tau > 12)


REWARDS = np.array([0.0, 3.0])


def test_a_menu_for_one_action_is_worth_one_contract() -> None:
    costs = np.array([C, C * 1.5])
    menu, one = (cheapest_menu(F, costs, (0.5, 0.5), (2, 2), single=single) for single in (False, True))
    assert menu is not None and one is not None
    assert menu[1] == pytest.approx(one[1], abs=1e-9)
    assert one[1] == pytest.approx(0.53 * 1.5 * 0.45885 / 0.195), "the dearer type's incentives bind"


def grid(costs: np.ndarray, weights: tuple[float, ...], single: bool) -> float:
    """Two types, two outcomes, nothing paid for failing: the best menu on a grid, the agent's ties going to the principal."""
    prizes = np.linspace(0, 4, 81)
    best = -inf
    for one in prizes:
        for two in (one,) if single else prizes:
            total = 0.0
            for k, weight in enumerate(weights):
                worth = [(float(utilities(F, costs[k], (0, t))[i]), float(F[i] @ (REWARDS - (0, t)))) for t in (one, two)
                         for i in range(3)]
                top = max(u for u, _ in worth)
                total += weight * max(v for u, v in worth if u >= top - 1e-9)
            best = max(best, total)
    return best


def test_the_best_menu_beats_every_menu_of_a_grid() -> None:
    costs, weights = np.array([[0.0, 0.02, 0.1], [0.0, 0.05, 0.5]]), (0.5, 0.5)
    menu, one = best_menu(F, costs, REWARDS, weights), best_menu(F, costs, REWARDS, weights, single=True)
    assert menu.value >= one.value - 1e-9
    for single, found in ((False, menu), (True, one)):
        by_grid = grid(costs, weights, single)
        assert by_grid - 1e-9 <= found.value <= by_grid + 0.06
    for k in range(2):
        u = [max(utilities(F, costs[k], t)) for t in menu.contracts]
        assert max(u) <= utilities(F, costs[k], menu.contracts[k])[menu.actions[k]] + 1e-8, "honesty and obedience"


def test_a_menu_can_be_worth_more_than_one_contract() -> None:
    """Three outcomes: two kinds of effort that show in different places, and types for whom they cost differently."""
    chances = np.array([[0.6, 0.3, 0.1], [0.0, 0.9, 0.1], [0.1, 0.1, 0.8]])
    costs = np.array([[0.0, 0.2, 0.9], [0.0, 0.0, 0.5]])
    menu = best_menu(chances, costs, (0.0, 1.0, 2.0), (0.5, 0.5))
    one = best_menu(chances, costs, (0.0, 1.0, 2.0), (0.5, 0.5), single=True)
    assert menu.value == pytest.approx(0.85) and one.value == pytest.approx(0.8)
    assert menu.actions == (1, 2) and one.actions == (1, 1)


def test_too_many_assignments_are_refused() -> None:
    with pytest.raises(ValueError, match="assignments"):
        best_menu(np.eye(4), np.zeros((7, 4)), np.ones(4), np.ones(7) / 7)

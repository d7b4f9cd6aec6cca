"""Power by simulation: against closed forms, and against the estimator it stands for."""
import numpy as np
import pytest

from parlour.transcripts.power import Spread, errors, simulate, smallest
from parlour.transcripts.sampling import DRAWS, Row, Sample
from parlour.transcripts.statistics import mean


@pytest.mark.parametrize("effect, n", [(0.5, 34), (0.3, 20), (0.0, 30)])
def test_independent_values_have_the_power_of_the_t_test(effect: float, n: int) -> None:
    from statsmodels.stats.power import TTestPower
    expected = TTestPower().power(effect, n, 0.05) if effect else 0.05
    found = simulate(Spread(2.0), 2 * effect, 1, n, draws=8000)
    assert found.power == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 8000))
    assert found.dof == n - 1


def test_one_sided_tests_look_on_the_side_of_the_effect() -> None:
    from statsmodels.stats.power import TTestPower
    expected = TTestPower().power(0.4, 40, 0.05, alternative="larger")
    for sign in (1, -1):
        assert simulate(Spread(1.0), sign * 0.4, 1, 40, two_sided=False, draws=8000).power == pytest.approx(expected, abs=0.022)


@pytest.mark.parametrize("shape", [(1, 7), (4, 1), (3, 8), (6, 5)])
def test_the_error_is_the_estimators(shape: tuple[int, int]) -> None:
    """Every simulated table as rows, through `Sample.widest`."""
    rng = np.random.default_rng(2)
    tables = rng.normal(size=(40, *shape)) + rng.normal(size=(40, shape[0], 1)) + rng.normal(size=(40, 1, shape[1]))
    every = errors(tables)
    for number, values in enumerate(tables):
        many = shape[0] > 1
        rows = [Row(float(v), signature=f"{w}/{t}", clusters={"wording": f"w{w}", **({DRAWS: f"t{t}"} if many else {})})
                for w, line in enumerate(values) for t, v in enumerate(line)]
        expected = sorted((e.dof, e.variance) for e in Sample.of(rows, rows).errors())
        assert sorted((d, max(0.0, v[number])) for v, d in every) == [(d, pytest.approx(max(v, 0.0), abs=1e-12)) for d, v in expected]


def test_the_smallest_plan_reaches_its_power_and_less_does_not() -> None:
    spread = Spread(1.0, wording=0.05)
    plan = smallest(spread, 0.5, 8, 0.8, None)
    assert plan is not None and plan.power >= 0.8
    fewer = simulate(spread, 0.5, 8, max(1, plan.episodes // 8 - 2))
    assert fewer.power < plan.power + 0.02 and fewer.episodes < plan.episodes


def test_a_precision_is_reached() -> None:
    plan = smallest(Spread(3.0), 0.0, 1, None, 0.5)
    assert plan is not None and plan.half <= 0.5 and plan.episodes == pytest.approx((1.96 * 3 / 0.5) ** 2, rel=0.06)


def test_differences_between_few_wordings_cannot_be_outnumbered() -> None:
    assert smallest(Spread(1.0, wording=0.5), 0.3, 2, 0.8, None) is None


@pytest.mark.parametrize("wrong", [{"sd": 0.0}, {"sd": 1.0, "wording": -0.1}, {"sd": 1.0, "wording": 0.6, "tape": 0.6}])
def test_spreads_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"not"):
        Spread(**wrong)


def test_half_widths_are_those_of_the_estimator() -> None:
    rng = np.random.default_rng(7)
    planned = simulate(Spread(1.0, wording=0.3), 0.0, 6, 10)
    seen = []
    for _ in range(300):
        values = np.sqrt(0.3) * rng.normal(size=(6, 1)) + np.sqrt(0.7) * rng.normal(size=(6, 10))
        found = mean([Row(float(v), signature=f"{w}/{t}", clusters={"wording": f"w{w}", DRAWS: f"t{t}"})
                      for w, line in enumerate(values) for t, v in enumerate(line)])
        assert found.low is not None and found.high is not None
        seen.append((found.high - found.low) / 2)
    assert np.mean(seen) == pytest.approx(planned.half, rel=0.06)

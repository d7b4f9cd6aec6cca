"""Wilson's interval against published numbers; the realised channel against simulated ones."""
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.transcripts.channel import Told, correlation_of_repeats, realised_channel
from parlour.transcripts.intervals import never_differed, student, wilson


@pytest.mark.parametrize(("x", "n", "low", "high"), [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
])
def test_wilson_published(x: int, n: int, low: float, high: float) -> None:
    """Newcombe (1998), Statistics in Medicine 17, table I, score method without continuity correction."""
    assert wilson(x, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.05, 1))
@settings(deadline=None, derandomize=True)
def test_wilson_mirrors_and_widens(counts: tuple[int, int], share: float) -> None:
    x, n = counts
    low, high = wilson(x, n)
    assert 0 <= low <= x / n <= high <= 1
    assert wilson(n - x, n) == pytest.approx((1 - high, 1 - low))
    wide = wilson(x, n, effective_n=share * n)
    assert wide[0] <= low + 1e-12 and wide[1] >= high - 1e-12


def test_wilson_solves_its_equation() -> None:
    low, high = wilson(7, 31, 0.9)
    for edge in (low, high):
        assert (7 / 31 - edge) ** 2 == pytest.approx(1.6448536269514722**2 * edge * (1 - edge) / 31)


def test_quantiles() -> None:
    from scipy import stats
    assert student(0.95, 5) == pytest.approx(2.5705818356)
    assert student(0.9, 2.5) == pytest.approx(stats.t.ppf(0.95, 2.5))
    assert (1 - never_differed(12, 0.95)) ** 12 == pytest.approx(0.025)


@pytest.mark.parametrize(("call", "says"), [
    (lambda: wilson(3, 2), "3 of 2"), (lambda: wilson(0, 0), "n > 0"), (lambda: wilson(float("nan"), 2), "nan of 2"),
    (lambda: wilson(1, 2, 0), "level"), (lambda: wilson(1, 2, effective_n=3), "effective"),
    (lambda: student(0.95, 0), "freedom"), (lambda: never_differed(0), "at least one"),
    (lambda: realised_channel([]), "no reports"),
])
def test_bad_input(call: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()  # type: ignore[operator]


def test_correlation_by_hand() -> None:
    reports = [("s", [True, True]), ("s", [False, False]), ("s", [True, False])]
    assert correlation_of_repeats(reports) == pytest.approx(1 / 3)
    assert correlation_of_repeats([("s", [True] * 3), ("s", [False] * 3)]) == pytest.approx(1)
    assert correlation_of_repeats([("s", [True, False])]) == pytest.approx(-1)


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=4), min_size=1, max_size=8))
@settings(deadline=None, derandomize=True)
def test_correlation_is_pearsons_over_ordered_pairs(episodes: list[list[bool]]) -> None:
    import numpy as np
    pairs = [(e[i], e[j]) for e in episodes for i in range(len(e)) for j in range(len(e)) if i != j]
    found = correlation_of_repeats([("s", e) for e in episodes])
    if len({x for x, _ in pairs}) < 2:
        assert found is None
    else:
        assert found == pytest.approx(np.corrcoef(np.array(pairs, dtype=float).T)[0, 1])


def test_correlation_undefined() -> None:
    assert correlation_of_repeats([("s", [True]), ("s", [False])]) is None
    assert correlation_of_repeats([("s", [True, True]), ("s", [True, True])]) is None
    assert correlation_of_repeats([]) is None


def test_correlation_is_given_the_state() -> None:
    """Right in one state, wrong in the other: alike, but not correlated once the state is known."""
    assert correlation_of_repeats([("s", [True, True]), ("t", [False, False])]) is None


def told(rng: Random, q: float, t: float, reports: int, same: bool, episode: int) -> list[Told]:
    one = [(rng.random() < q, rng.random() < t) for _ in range(reports)]
    heard = one[:1] * reports if same else one
    return [Told(note, repeats, note == repeats, str(episode), "AB"[episode % 2]) for note, repeats in heard]


def test_an_independent_channel() -> None:
    rng = Random(5)
    found = realised_channel([t for e in range(1500) for t in told(rng, 0.9, 0.8, 2, False, e)])
    assert found.accuracy.low < 0.9 < found.accuracy.high
    assert found.truthfulness.low < 0.8 < found.truthfulness.high
    assert found.realised.low < 0.9 * 0.8 + 0.1 * 0.2 < found.realised.high
    assert found.correlation == pytest.approx(0, abs=0.07)
    assert (found.reports, found.episodes) == (3000, 1500) and found.realised.effective_n > 2700


def test_a_repeated_report_is_no_second_observation() -> None:
    rng = Random(6)
    found = realised_channel([t for e in range(200) for t in told(rng, 0.7, 1.0, 3, True, e)])
    assert found.correlation == pytest.approx(1)
    assert found.realised.n == 600 and found.realised.effective_n == pytest.approx(200)
    assert (found.realised.low, found.realised.high) == wilson(found.realised.successes, 600, effective_n=200)
    assert found.truthfulness.rate == 1 and found.truthfulness.effective_n == pytest.approx(200)


def test_truthfulness_counts_questions_that_were_never_answered_otherwise() -> None:
    always = [Told(True, True, True, question=q) for q in "xy" for _ in range(30)]
    found = realised_channel(always)
    assert found.truthfulness.effective_n == 2 and found.accuracy.effective_n == 60
    assert found.truthfulness.low == pytest.approx(wilson(2, 2)[0]) and found.truthfulness.high == 1
    varied = [*always, Told(True, False, False, question="x")]
    assert realised_channel(varied).truthfulness.effective_n == 32

"""The price-what-you-bid solver: closed forms, no profitable deviation, and signals against maximisation on a grid."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.games.solvers.belief import SIDES, Belief
from parlour.games.solvers.first_price import FirstPrice
from parlour.games.solvers.informed_bidder import Informed, paid, reply, worth
from parlour.games.solvers.quadrature import integrate, power_integral
from parlour.games.solvers.second_price import interim_of, revenue_of, value_of

games = st.builds(FirstPrice, n=st.integers(2, 6), risk=st.floats(0.2, 1), reserve=st.floats(0, 0.9))
GRID = np.linspace(0, 1, 1001)


@given(games, st.floats(0, 1), st.floats(0, 1))
def test_no_deviation_from_the_equilibrium_pays(game: FirstPrice, v: float, share: float) -> None:
    """Whatever bid one makes instead: also between rho and b(1), where no value would bid it in another way."""
    bid = game.reserve + share * (1 - game.reserve)
    deviation = game.utility(v - bid) * game.reach(bid) ** (game.n - 1)
    assert game.interim(v) >= deviation - 1e-9
    assert game.reserve <= game.bid(v) <= v if v >= game.reserve else game.bid(v) == 0


@given(games)
@settings(max_examples=40, deadline=None)
def test_values_are_the_integrals_they_stand_for(game: FirstPrice) -> None:
    n, rho = game.n, game.reserve
    assert game.value() == pytest.approx(integrate(game.interim, (rho, 1)), abs=1e-9)
    revenue = integrate(lambda v: game.bid(v) * n * v ** (n - 1), (rho, 1))
    assert game.revenue() == pytest.approx(revenue, abs=1e-9)
    middle = (1 + rho) / 2
    above = integrate(lambda y: game.bid(y) * (n - 1) * y ** (n - 2), (middle, 1))
    assert game.rivals_pay(middle) == pytest.approx(above, abs=1e-9)


@given(games.filter(lambda g: g.reserve > 0), st.floats(0, 1))
def test_reach_inverts_the_bid(game: FirstPrice, share: float) -> None:
    v = game.reserve + share * (1 - game.reserve)
    assert game.bid(game.reach(game.bid(v))) == pytest.approx(game.bid(v), abs=1e-9)


@pytest.mark.parametrize("n", [2, 3, 7])
def test_risk_neutral_bidders_and_the_seller_get_the_same_from_either_price_rule(n: int) -> None:
    for reserve in (0.0, 0.35):
        game = FirstPrice(n, 1.0, reserve)
        assert game.value() == pytest.approx(value_of(n, 1.0, reserve), abs=1e-9)
        assert game.revenue() == pytest.approx(revenue_of(n, reserve), abs=1e-9)
    assert value_of(n, 1.0, 0.0) == pytest.approx(1 / (n * (n + 1)), abs=1e-12)
    assert revenue_of(n, 0.0) == pytest.approx((n - 1) / (n + 1), abs=1e-12)
    assert FirstPrice(n, 0.5, 0.0).revenue() > revenue_of(n, 0.0) + 0.01, "the risk-averse bid more"


def test_extreme_fields_stay_finite() -> None:
    game = FirstPrice(3, 1e-3, 0.5)
    assert game.bid(0.8) == pytest.approx(0.8, abs=1e-3) and 0 < game.revenue() < 1
    assert game.revenue() == pytest.approx(integrate(lambda v: game.bid(v) * 3 * v**2, (0.5, 1)), abs=1e-9)
    assert power_integral(0.0, 0.25) == pytest.approx(power_integral(1e-9, 0.25), abs=1e-8)


def test_the_mean_of_interim_values_is_the_value() -> None:
    for n, risk, rho in ((2, 1.0, 0.0), (3, 0.5, 0.2), (2, 0.4, 0.0)):
        mean = integrate(lambda v, n=n, r=risk, rho=rho: interim_of(v, n, r, rho), (0, rho, 1))
        assert mean == pytest.approx(value_of(n, risk, rho), abs=1e-9)


# --- beliefs --------------------------------------------------------------------------------------------------------------
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_sides_add_up_to_the_prior(q: float, t: float, x: float) -> None:
    assert sum(Belief.sided(q, t, side).below(x) for side in SIDES) == pytest.approx(x, abs=1e-12)
    assert Belief.sided(q, t, "below").normal().below(1.0) == pytest.approx(1.0)


def test_what_cannot_be_told_leaves_the_prior() -> None:
    assert Belief.sided(1.0, 0.0, "below").normal() == Belief.prior(1)


def test_a_noted_number_is_a_jump() -> None:
    belief = Belief.noted(2, 0.75, 0.5)
    assert list(belief.jumps()) == [(0.5, 0.75)]
    assert belief.below(0.4999999) == pytest.approx(0.25 * 0.25, abs=1e-6)
    assert belief.below(0.5) == 0.75 + 0.25 * 0.25 and belief.below(1.0) == 1.0


# --- the best reply -------------------------------------------------------------------------------------------------------
beliefs = st.one_of(
    st.builds(Belief.sided, st.floats(0, 1), st.floats(0.01, 0.99), st.sampled_from(SIDES)),
    st.builds(Belief.noted, st.just(1), st.floats(0, 1), st.floats(0, 1)))
pairs = st.builds(FirstPrice, n=st.just(2), risk=st.floats(0.2, 1), reserve=st.one_of(st.just(0.0), st.floats(0.01, 0.9)))


@given(pairs, st.floats(0, 1), beliefs)
@settings(max_examples=60, deadline=None)
def test_no_bid_on_a_grid_beats_the_reply(game: FirstPrice, v: float, belief: Belief) -> None:
    best = worth(game, v, belief, reply(game, v, belief))
    tried = max((worth(game, v, belief, x) for x in GRID if x >= game.reserve), default=0.0)
    assert best >= tried - 1e-8


@given(pairs, st.tuples(st.floats(0, 1), st.floats(0, 1)), beliefs)
@settings(max_examples=60, deadline=None)
def test_the_reply_rises_with_the_value(game: FirstPrice, values: tuple[float, float], belief: Belief) -> None:
    """Up to ties, where the slack decides."""
    low, high = sorted(values)
    first, second = reply(game, low, belief), reply(game, high, belief)
    assert second >= first - 1e-9 or worth(game, high, belief, first) <= worth(game, high, belief, second) * (1 + 1e-6) + 1e-9


# --- what signals are worth -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [2, 3, 4, 5, 10])
def test_exact_signal_closed_form(n: int) -> None:
    k, found = (n - 1) / n, Informed(FirstPrice(n, 1.0, 0.0), "exact")
    assert found.value() == pytest.approx((1 - 2 * k * (n - 1) / n + k * k * (n - 1) / (n + 1)) / 2, abs=1e-9)
    assert found.revenue() == pytest.approx(k * (n - 1) / n, abs=1e-9), "he pays what the best rival bids, or that rival does"
    assert found.efficiency() == pytest.approx(1 - (1 - k) * (n - 1) / n, abs=1e-9)


@pytest.mark.parametrize("risk,reserve", [(1.0, 0.3), (0.5, 0.0), (0.5, 0.3), (0.25, 0.6)])
def test_exact_signal_as_an_integral_over_the_rival(risk: float, reserve: float) -> None:
    """E (1 - m)^(r+1) / (r+1) with m the price to pay; independent of the integral over v that the solver takes."""
    game = FirstPrice(3, risk, reserve)
    rest = integrate(lambda y: 2 * y * (1 - game.bid(y)) ** (risk + 1), (reserve, 1))
    direct = (reserve**2 * (1 - reserve) ** (risk + 1) + rest) / (risk + 1)
    assert Informed(game, "exact").value() == pytest.approx(direct, abs=1e-9)


def brute(game: FirstPrice, accuracy: float, threshold: float, cells: int = 500) -> float:
    """Midpoints in v, a grid of bids, and nothing else."""
    x = np.linspace(game.reserve, 1, 2001)
    cost = np.array([game.bid(float(a)) for a in x])
    total = 0.0
    for right in (accuracy, 1 - accuracy):
        chance = right * np.minimum(x, threshold) + (1 - right) * np.maximum(x - threshold, 0)
        for v in (np.arange(cells) + 0.5) / cells:
            if v >= game.reserve:
                gain = v - cost
                total += float((np.sign(gain) * np.abs(gain) ** game.risk * chance).max()) / cells
    return total


@pytest.mark.parametrize("risk,reserve", [(1.0, 0.0), (0.5, 0.0), (1.0, 0.3), (0.5, 0.2)])
@pytest.mark.parametrize("accuracy,threshold", [(0.8, 0.5), (0.9, 0.3), (0.2, 0.7)])
def test_binary_signal_against_a_grid(risk: float, reserve: float, accuracy: float, threshold: float) -> None:
    game = FirstPrice(2, risk, reserve)
    assert Informed(game, "binary", accuracy, threshold).value() == pytest.approx(brute(game, accuracy, threshold), abs=2e-5)


@pytest.mark.parametrize("risk,reserve", [(1.0, 0.0), (0.5, 0.25)])
def test_mixture_signal_is_its_best_reply_averaged(risk: float, reserve: float) -> None:
    """The solver knows in which stretch of s which reply is best; here the reply is searched at every (v, s)."""
    game, q, cells = FirstPrice(2, risk, reserve), 0.7, 120
    middles = [(i + 0.5) / cells for i in range(cells)]
    found = Informed(game, "mixture", q)
    value = revenue = 0.0
    for s in middles:
        belief = Belief.noted(1, q, s)
        for v in middles:
            x = reply(game, v, belief)
            value += worth(game, v, belief, x) / cells**2
            revenue += paid(game, v, belief, x) / cells**2
    assert found.value() == pytest.approx(value, abs=2e-4)
    assert found.revenue() == pytest.approx(revenue, abs=2e-3)


@pytest.mark.parametrize("reserve", [0.0, 0.3])
@pytest.mark.parametrize("risk", [1.0, 0.5])
def test_a_signal_that_says_nothing_is_worth_nothing(risk: float, reserve: float) -> None:
    game = FirstPrice(2, risk, reserve)
    for found in (Informed(game, "binary", 0.5), Informed(game, "mixture", 0.0)):
        assert found.value() == pytest.approx(game.value(), abs=1e-9)
        assert found.revenue() == pytest.approx(game.revenue(), abs=1e-9)
        assert found.efficiency() == pytest.approx(1 - reserve**2, abs=1e-8)


def test_a_sure_mixture_is_the_exact_signal() -> None:
    game = FirstPrice(2, 0.6, 0.1)
    sure, exact = Informed(game, "mixture", 1.0), Informed(game, "exact")
    assert sure.value() == pytest.approx(exact.value(), abs=1e-9)
    assert sure.efficiency() == pytest.approx(exact.efficiency(), abs=1e-9)


@given(st.sampled_from(["exact", "binary", "mixture"]), st.floats(0.001, 0.3))
@settings(max_examples=15, deadline=None)
def test_a_price_is_paid_where_the_gain_exceeds_it(signal: str, price: float) -> None:
    game = FirstPrice(2, 1.0, 0.0)
    found = Informed(game, signal, 0.85, 0.5, price)  # type: ignore[arg-type]
    cells = 400
    direct = sum(max(0.0, found.gain((i + 0.5) / cells) - price) for i in range(cells)) / cells
    assert found.value() == pytest.approx(game.value() + direct, abs=1e-5)
    free = Informed(game, signal, 0.85, 0.5).value()  # type: ignore[arg-type]
    assert max(game.value(), free - price) - 1e-9 <= found.value() <= free + 1e-9

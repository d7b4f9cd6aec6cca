"""First-price and second-price auctions: published instances, play by hand, what is refused, and what people may do."""
import json
from math import inf, sqrt
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.errors import FieldError, RulesError
from parlour.games.base import Benchmark, Play, Query, Rules, Saw
from parlour.games.first_price_auction import FirstPriceAuction
from parlour.games.sealed_bid import SealedBid
from parlour.games.sealed_bid_words import Bid, Brief, Estimate, Half, Number, Values, Verdict
from parlour.games.second_price_auction import SecondPriceAuction
from parlour.games.solvers.belief import Belief
from parlour.protocols.advice import Advice
from parlour.protocols.base import Ask, Draw, Hand, Protocol, drive
from parlour.protocols.codec import read, render, write
from parlour.protocols.silent import Silent
from parlour.registry import build

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "auction.json").read_text())
BOTH = (FirstPriceAuction, SecondPriceAuction)
ASK = Rules.of(queries=1)


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [v for v in VECTORS if v["kind"] == kind]


def solved(game: SealedBid, **rules: Any) -> dict[str, Benchmark]:
    return {b.name: b for b in game.benchmarks(Rules.of(**{"queries": 1, **rules}))}


def amount(benchmark: Benchmark, key: str) -> float:
    found = benchmark.value[key]
    assert found is not None
    return found


# --- published instances --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("vector", of_kind("auction_fp_uniform"), ids=lambda v: str(v["input"]))
def test_uniform_vectors(vector: dict[str, Any]) -> None:
    n, expected, near = vector["input"]["n"], vector["expected"], {"abs": vector["tolerance"], "rel": 0}
    plain = solved(FirstPriceAuction(bidders=n))["equilibrium"]
    assert plain.measures["slope"] == pytest.approx(expected["bid_slope"], **near)
    assert plain.value["bidder"] == pytest.approx(expected["exante_surplus_BNE"], **near)
    assert plain.value["seller"] == pytest.approx(expected["revenue"], **near)
    exact = solved(FirstPriceAuction(bidders=n, signal="exact"))["informed"]
    assert exact.value["informed"] == pytest.approx(expected["exante_surplus_one_informed_vs_BNE_rivals"], **near)
    assert exact.measures["gain"] == pytest.approx(expected["gain_from_full_info"], **near)
    everyone = solved(FirstPriceAuction(bidders=n, signal="exact", informed="all"))
    for name, key in (("equilibrium", "bidder"), ("informed", "informed")):
        assert everyone[name].value[key] == pytest.approx(expected["both_fully_informed_surplus"], **near)
    second = solved(SecondPriceAuction(bidders=n, signal="exact"))
    assert second["equilibrium"].value["bidder"] == pytest.approx(expected["second_price_surplus"], **near)
    assert second["informed"].measures["gain"] == expected["second_price_gain_from_signal"]


@pytest.mark.parametrize("vector", of_kind("auction_binary_signal") + of_kind("auction_mixture_signal"),
                         ids=lambda v: f"{v['kind']} {v['input']}")
def test_noisy_vectors(vector: dict[str, Any]) -> None:
    given, expected, near = vector["input"], vector["expected"], {"abs": vector["tolerance"], "rel": 0}
    signal = vector["kind"].split("_")[1]
    game = FirstPriceAuction(signal=signal, accuracy=given["q"], threshold=given.get("threshold", 0.5))
    found = solved(game)["informed"]
    assert found.kind == "best_response"
    assert found.value["informed"] == pytest.approx(expected["surplus"], **near)
    assert found.measures["gain"] == pytest.approx(expected["gain"], **near)


@pytest.mark.parametrize("vector", of_kind("auction_best_response_known"), ids=lambda v: str(v["input"]))
def test_known_rival_vectors(vector: dict[str, Any]) -> None:
    """One auction played by hand: the rival of value y bids, the informed bidder ties with him and wins, or loses."""
    (n, v, y), expected = vector["input"].values(), vector["expected"]
    game = FirstPriceAuction(bidders=n, signal="exact")
    state = Values(values=(v, y, *[0.0] * (n - 2)), noise=0.5)
    informed = drive(Advice().script(game, state), seats(game, "informed", ASK))
    uninformed = drive(Advice().script(game, state), seats(game, "equilibrium", ASK))
    assert informed.last("bidder_2", Bid).bid == pytest.approx(expected["rival_bid"])
    assert game.payoffs(informed)["bidder_1"] == pytest.approx(expected["informed_surplus"])
    assert uninformed.last("bidder_1", Bid).bid == pytest.approx(expected["BNE_bid"])
    assert game.payoffs(uninformed)["bidder_1"] == pytest.approx(expected["BNE_surplus_realised"])


def test_a_checked_instance() -> None:
    """Two bidders, one of whom knows the other's value: 7/24 to him, 1/4 to the seller, and one sale in four goes astray."""
    found = solved(FirstPriceAuction(signal="exact"))["informed"]
    assert found.value == {"informed": pytest.approx(7 / 24), "seller": pytest.approx(1 / 4)}
    assert found.measures == {"gain": pytest.approx(1 / 8), "efficiency": pytest.approx(3 / 4)}


# --- optimal play attains the value ---------------------------------------------------------------------------------------
def seats(game: SealedBid, benchmark: str, rules: Rules) -> dict[str, Hand]:
    """Every role plays the benchmark's strategy, on all it has been told."""
    def seat(role: str) -> Hand:
        strategy, known = game.strategy(benchmark, role, rules), []

        def hand(ask: Ask) -> Any:
            known.extend(ask.news)
            (chance, move), = strategy(tuple(known), ask.want)
            assert chance == 1.0
            return move
        return hand
    return {role: seat(role) for role in game.roles() if role not in game.payees}


TABLES: list[tuple[type[SealedBid], dict[str, Any], Protocol]] = [
    (FirstPriceAuction, {"bidders": 3, "reserve": 0.4}, Silent()),
    (FirstPriceAuction, {"risk": 0.5, "reserve": 0.2}, Silent()),
    (FirstPriceAuction, {"signal": "exact", "bidders": 3, "reserve": 0.3, "risk": 0.6}, Advice()),
    (FirstPriceAuction, {"signal": "exact"}, Advice(charge="character", price=0.1)),
    (FirstPriceAuction, {"signal": "exact", "informed": "all", "bidders": 3, "reserve": 0.2, "risk": 0.5}, Advice()),
    (FirstPriceAuction, {"signal": "binary", "accuracy": 0.8, "threshold": 0.4}, Advice()),
    (FirstPriceAuction, {"signal": "binary", "accuracy": 0.1, "reserve": 0.2, "risk": 0.5}, Advice()),
    (FirstPriceAuction, {"signal": "binary"}, Advice(charge="character", price=0.02)),
    (FirstPriceAuction, {"signal": "mixture", "accuracy": 0.6}, Advice()),
    (FirstPriceAuction, {"signal": "mixture", "reserve": 0.1}, Advice(max_queries=2, reports="same")),
    (SecondPriceAuction, {"bidders": 4, "reserve": 0.3, "risk": 0.5}, Silent()),
    (SecondPriceAuction, {"signal": "mixture"}, Advice(charge="message", price=0.05)),
    (SecondPriceAuction, {"signal": "exact", "informed": "all"}, Advice()),
]


@pytest.mark.parametrize("kind,fields,protocol", TABLES, ids=lambda x: str(x) if isinstance(x, dict) else "")
def test_optimal_play_attains_the_value(kind: type[SealedBid], fields: dict[str, Any], protocol: Protocol) -> None:
    """Over sampled values, with the draws of notes sampled by their chances: every value within 4.5 standard errors."""
    game, draws = kind(**fields), 1500
    rules = protocol.rules(game)
    rng = Random(7)
    for benchmark in game.benchmarks(rules):
        if not benchmark.exists:
            continue
        paid: dict[str, list[float]] = {key: [] for key in benchmark.value}
        best: list[float] = []
        for _ in range(draws):
            state = game.sample(rng)
            play = drive(protocol.script(game, state), seats(game, benchmark.name, rules), lambda d: sampled(d, rng))
            net = {role: pay - play.fees.get(role, 0.0) for role, pay in game.payoffs(play).items()}
            for key, some in paid.items():
                members = game.members(key)
                some.append(sum(net[role] for role in members) / len(members))
            best.append(float(goes_to_the_highest(game, play)))
        for key, some in paid.items():
            close(some, benchmark.value[key])
        close(best, benchmark.measures["efficiency"])


def sampled(draw: Draw, rng: Random) -> int:
    return rng.choices(range(len(draw.chances)), draw.chances)[0]


def goes_to_the_highest(game: SealedBid, play: Play) -> bool:
    bids = {role: play.last(role, Bid).bid for role in game.players()}
    assert isinstance(play.state, Values)
    winner, _ = game._sale(bids, play.state.values)
    return winner is not None and play.state.values[int(winner[-1]) - 1] == max(play.state.values)


def close(some: list[float], value: float | None) -> None:
    mean = sum(some) / len(some)
    error = sqrt(sum((x - mean) ** 2 for x in some) / (len(some) - 1) / len(some))
    assert value is not None and abs(mean - value) <= 4.5 * error + 1e-7, (mean, value, error)


# --- benchmarks -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("fields", [{}, {"signal": "exact", "bidders": 3}, {"signal": "binary"}, {"signal": "mixture"},
                                    {"signal": "exact", "informed": "all"}])
def test_names_and_keys_are_an_interface(kind: type[SealedBid], fields: dict[str, Any]) -> None:
    game = kind(**fields)
    found = game.benchmarks(game.usual_rules)
    assert [b.name for b in found] == ["equilibrium", "informed"] and game.usual in ("equilibrium", "informed")
    assert [set(b.value) for b in found] == [{"bidder", "seller"}, {"informed", "seller"}]
    assert [set(b.measures) for b in found] == [{"slope", "efficiency"}, {"gain", "efficiency"}]
    assert found[1].exists == (game.signal != "none") == (game.usual == "informed")
    assert all(b.note for b in found if None in {*b.value.values(), *b.measures.values()}), "every null has its reason"


@given(st.sampled_from(["exact", "binary", "mixture"]), st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.9), st.floats(0.1, 1))
@settings(max_examples=30, deadline=None)
def test_no_signal_is_worth_anything_at_the_second_price(signal: Any, q: float, t: float, rho: float, r: float) -> None:
    found = solved(SecondPriceAuction(signal=signal, accuracy=q, threshold=t, reserve=rho, risk=r), price=0.1, queries=3)
    assert found["informed"].measures["gain"] == 0.0
    assert found["informed"].value["informed"] == found["equilibrium"].value["bidder"]
    assert found["informed"].kind == "best_response" and found["equilibrium"].measures["slope"] == 1.0


def test_what_is_only_a_bound_says_so() -> None:
    binary, everyone = FirstPriceAuction(signal="binary"), FirstPriceAuction(signal="exact", informed="all")
    several = solved(binary, queries=3, independent=True)["informed"]
    assert several.kind == "bound" and "one report" in several.note
    assert solved(binary, queries=3, independent=False)["informed"].kind == "best_response"
    assert solved(FirstPriceAuction(signal="exact"), queries=3)["informed"].kind == "best_response"
    both = solved(FirstPriceAuction(signal="mixture", informed="all"))["informed"]
    assert both.kind == "bound" and "not attained by both" in both.note
    assert {b.kind for b in solved(everyone, price=0.1).values()} == {"bound"}
    assert {b.kind for b in solved(everyone).values()} == {"equilibrium", "best_response"}
    assert "talk" in solved(binary, talk=2)["equilibrium"].note and "talk" not in solved(binary)["equilibrium"].note


def test_slope_is_null_where_bids_are_no_line() -> None:
    for game in (FirstPriceAuction(reserve=0.2), FirstPriceAuction(signal="exact", informed="all")):
        found = solved(game)["equilibrium"]
        assert found.measures["slope"] is None and "slope" in found.note
    assert solved(FirstPriceAuction(bidders=3, risk=0.5))["equilibrium"].measures["slope"] == pytest.approx(0.8)


# --- what is refused ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["first_price_auction", "second_price_auction"])
@pytest.mark.parametrize("fields,says", [
    ({"signal": "binary", "bidders": 3}, "bidders=2"), ({"signal": "mixture", "bidders": 5}, "bidders=2"),
    ({"bidders": 1}, "bidders"), ({"reserve": 1.0}, "reserve"), ({"risk": 0.0}, "risk"), ({"accuracy": 1.2}, "accuracy"),
    ({"signal": "loud"}, "signal"), ({"bidder": 2}, "did you mean 'bidders'")])
def test_bad_fields_give_one_clear_line(kind: str, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(FieldError) as refused:
        build("games", kind, fields)
    assert says in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", BOTH)
def test_a_signal_needs_a_question(kind: type[SealedBid]) -> None:
    game = kind(signal="exact")
    with pytest.raises(RulesError, match="needs a protocol") as refused:
        game.benchmarks(Silent().rules(game))
    assert "\n" not in str(refused.value)
    assert len(kind().benchmarks(Silent().rules(kind()))) == 2


# --- payoffs --------------------------------------------------------------------------------------------------------------
def outcome(game: SealedBid, values: tuple[float, ...], *bids: float) -> dict[str, float]:
    moves = tuple((role, Bid(bid=b)) for role, b in zip(game.players(), bids, strict=True))
    return game.payoffs(Play(state=Values(values=values, noise=0.0), moves=moves))


def test_who_wins_and_what_he_pays() -> None:
    first, second = FirstPriceAuction(bidders=3, reserve=0.3), SecondPriceAuction(bidders=3, reserve=0.3)
    values = (0.9, 0.8, 0.5)
    nothing = {"bidder_1": 0.0, "bidder_3": 0.0}
    assert outcome(first, values, 0.4, 0.6, 0.2) == {**nothing, "bidder_2": pytest.approx(0.2), "seller": 0.6}
    assert outcome(second, values, 0.4, 0.6, 0.2) == {**nothing, "bidder_2": pytest.approx(0.4), "seller": 0.4}
    assert outcome(second, values, 0.1, 0.6, 0.2)["seller"] == 0.3, "the reserve is the least price"
    assert set(outcome(first, values, 0.1, 0.2, 0.2).values()) == {0.0}, "no bid reaches the reserve"
    assert outcome(FirstPriceAuction(risk=0.5), (0.5, 0.1), 0.25, 0.0)["bidder_1"] == pytest.approx(0.5)
    assert outcome(FirstPriceAuction(risk=0.5), (0.5, 0.1), 0.75, 0.0)["bidder_1"] == pytest.approx(-0.5)


def test_ties_go_to_the_informed_then_to_the_higher_value_then_to_the_lowest_number() -> None:
    values = (0.5, 0.9, 0.9)
    plain, one = FirstPriceAuction(bidders=3), FirstPriceAuction(bidders=3, signal="exact")
    assert outcome(plain, values, 0.4, 0.4, 0.4)["bidder_2"] == pytest.approx(0.5)
    assert outcome(one, values, 0.4, 0.4 + 5e-10, 0.4)["bidder_1"] == pytest.approx(0.1)
    assert outcome(one, values, 0.4, 0.4 + 5e-9, 0.4)["bidder_2"] == pytest.approx(0.5), "beyond the slack it is no tie"


def test_an_ai_is_paid_for_a_true_report() -> None:
    state = Values(values=(0.9, 0.3), noise=0.7)
    reports = {"exact": (Estimate(rival=0.3), Estimate(rival=0.31)), "binary": (Verdict(side="below"), Verdict(side="above"))}
    for signal, (true, false) in reports.items():
        game = FirstPriceAuction(signal=signal)  # type: ignore[arg-type]
        bids = (("bidder_1", Bid(bid=0.1)), ("bidder_2", Bid(bid=0.1)))
        for said, paid in (((true,), 1.0), ((false,), 0.0), ((true, false), 0.0), ((), 0.0)):
            play = Play(state=state, moves=(*(("ai_1", r) for r in said), *bids))
            assert game.payoffs(play)["ai_1"] == paid


# --- who knows what -------------------------------------------------------------------------------------------------------
def test_roles_follow_the_signal() -> None:
    assert FirstPriceAuction(bidders=3).roles() == ("bidder_1", "bidder_2", "bidder_3", "seller")
    one, every = FirstPriceAuction(signal="exact", bidders=3), FirstPriceAuction(signal="exact", bidders=3, informed="all")
    assert one.advisers() == {"bidder_1": "ai_1"} and one.members("informed") == ("bidder_1",)
    assert every.advisers() == {f"bidder_{i}": f"ai_{i}" for i in (1, 2, 3)} and every.members("informed") == every.players()


def test_notes_hold_what_the_signal_tells() -> None:
    state = Values(values=(0.9, 0.3, 0.6), noise=0.7)
    every = FirstPriceAuction(signal="exact", bidders=3, informed="all")
    (chance, note), = every.notes("ai_2", state)
    assert chance == 1.0 and isinstance(note, Number) and note.rival == 0.9
    two = Values(values=(0.9, 0.3), noise=0.7)
    mixture = FirstPriceAuction(signal="mixture", accuracy=0.75)
    assert [(p, n.rival) for p, n in mixture.notes("ai_1", two) if isinstance(n, Number)] == [(0.75, 0.3), (0.25, 0.7)]
    binary = FirstPriceAuction(signal="binary", accuracy=0.75, threshold=0.3)
    assert [(p, n.side) for p, n in binary.notes("ai_1", two) if isinstance(n, Half)] == [(0.75, "above"), (0.25, "below")]
    assert len(FirstPriceAuction(signal="binary", accuracy=1.0).notes("ai_1", two)) == 1
    assert binary.want("ai_1") is Verdict and mixture.want("ai_1") is Estimate and mixture.want("bidder_1") is Bid


def test_values_are_drawn_evenly_and_shown_whole() -> None:
    game, rng = FirstPriceAuction(bidders=4), Random(1)
    drawn = [v for _ in range(2000) for v in game.sample(rng).values]
    close(drawn, 0.5)
    close([v * v for v in drawn], 1 / 3)
    for w in game.wordings:
        assert all(float(w.money(v).split()[0]) == pytest.approx(w.scale * v, abs=1e-12) for v in drawn[:200])


@given(st.floats(0, 1))
def test_units_leave_no_trace_in_a_bid(bid: float) -> None:
    said, = {read(write(Bid(bid=bid), w), Bid, w) for w in FirstPriceAuction.wordings}
    assert isinstance(said, Bid) and abs(said.bid - bid) <= 1e-9


def test_a_prompt_tells_the_rules_of_the_instance() -> None:
    game = SecondPriceAuction(bidders=2, reserve=0.25, risk=0.5, signal="binary", accuracy=0.8, threshold=0.4)
    brief, facts = game.observe("bidder_1", Values(values=(0.5, 0.3), noise=0.1)), game.adviser_facts("bidder_1")
    assert facts is not None
    plain, other = (render(Ask("bidder_1", (brief, facts), Bid), w) for w in game.wordings)
    for said in ("50 cents", "25 cents", "40 cents", "80%", "x^0.5", "highest of the others' bids", "you win"):
        assert said in plain
    for said in ("20 florins", "10 florins", "16 florins", "80%"):
        assert said in other
    assert "0.3" not in plain and "30 cents" not in plain, "the rival's value is not his to know"


# --- people ---------------------------------------------------------------------------------------------------------------
def told(value: float, *reports: Estimate | Verdict, **fields: Any) -> tuple[Any, ...]:
    brief = Brief(value=value, **{"bidders": 2, "reserve": 0.0, "risk": 1.0, **fields})
    return (brief, *(Saw(role="ai_1", move=r) for r in reports))


def test_heeding_and_ignoring() -> None:
    exact, binary = FirstPriceAuction(signal="mixture"), FirstPriceAuction(signal="binary")
    assert exact.heed("bidder_1", told(0.8, Estimate(rival=0.4))) == Bid(bid=0.2)
    assert exact.ignore("bidder_1", told(0.8, Estimate(rival=0.4))) == Bid(bid=0.4)
    assert binary.heed("bidder_1", told(0.8, Verdict(side="below"))) == Bid(bid=0.25), "just enough for every rival below 1/2"
    second = SecondPriceAuction(signal="binary")
    assert second.heed("bidder_1", told(0.8, Verdict(side="below"))) == Bid(bid=0.5)
    assert second.heed("bidder_1", told(0.8, Verdict(side="above"))) == Bid(bid=0.8)
    assert SecondPriceAuction(signal="exact").heed("bidder_1", told(0.8, Estimate(rival=0.6))) == Bid(bid=0.6)
    assert exact.heed("bidder_1", told(0.8)) == exact.ignore("bidder_1", told(0.8))


OPTIONS: list[tuple[SealedBid, tuple[Any, ...]]] = [
    (FirstPriceAuction(bidders=3, risk=0.5, reserve=0.3), told(0.8, bidders=3, risk=0.5, reserve=0.3)),
    (FirstPriceAuction(signal="exact", bidders=3), told(0.7, Estimate(rival=0.6), bidders=3)),
    (FirstPriceAuction(signal="binary"), told(0.8, Verdict(side="below"))),
    (FirstPriceAuction(signal="mixture", reserve=0.1), told(0.6, Estimate(rival=0.7), reserve=0.1)),
    (FirstPriceAuction(signal="exact", informed="all", bidders=3), told(0.7, Estimate(rival=0.55), bidders=3)),
    (SecondPriceAuction(bidders=3, reserve=0.3), told(0.8, bidders=3, reserve=0.3)),
    (SecondPriceAuction(signal="mixture", risk=0.5), told(0.8, Estimate(rival=0.4), risk=0.5)),
]


@pytest.mark.parametrize("game,information", OPTIONS, ids=lambda x: str(x) if isinstance(x, SealedBid) else "")
def test_no_option_beats_the_strategy(game: SealedBid, information: tuple[Any, ...]) -> None:
    options = game.options("bidder_1", information, Bid, ASK)
    (_, chosen), = game.strategy(game.usual, "bidder_1", ASK)(information, Bid)
    worth = {move: x for move, x in options}
    assert worth[chosen] >= max(worth.values()) - 1e-9 and len(options) >= 101
    assert worth[chosen] > min(worth.values()) + 0.01


@pytest.mark.parametrize("value,bid", [(0.3, 0.2), (0.3, 0.5), (0.3, 0.9), (0.7, 0.8)])
def test_who_bids_above_his_value_beats_rivals_whom_a_common_adviser_told_of_it(value: float, bid: float) -> None:
    """Everybody else knows the greatest value among his own rivals: the strongest rival bids the greater of what is next to his, the
    others their values. Against a sum over a lattice of the two rivals' values."""
    game = FirstPriceAuction(bidders=3, signal="exact", informed="all")
    values = [(i + 0.5) / 400 for i in range(400)]
    beaten = sum(bid > max(low, max(value, low) if high > value else high) for a in values for b in values
                 for low, high in [sorted((a, b))]) / 160_000
    found = game.worth(value, bid, Belief.prior(2), None)
    assert found == pytest.approx((value - bid) * beaten, abs=0.01 * abs(value - bid))


def test_the_worth_of_an_option_is_its_mean_payoff() -> None:
    """Bids of 0.3 and 0.6 by a bidder of value 0.8, against sampled equilibrium rivals."""
    for kind in BOTH:
        game, rng = kind(bidders=3, reserve=0.25), Random(3)
        worth = {m.bid: x for m, x in game.options("bidder_1", told(0.8, bidders=3, reserve=0.25), Bid, Rules.of(queries=0))
                 if isinstance(m, Bid)}
        for bid in (0.3, 0.6, 0.9):
            rivals = [[rng.random(), rng.random()] for _ in range(4000)]
            paid = [outcome(game, (0.8, *v), bid, *(game.plain_bid(x) for x in v))["bidder_1"] for v in rivals]
            close(paid, worth[bid])


def test_asking_is_an_option_with_its_gain() -> None:
    game = FirstPriceAuction(signal="exact")
    (_, silent), (_, asking) = game.options("bidder_1", told(0.4), Query, ASK.but(price=0.05))
    assert silent == pytest.approx(0.4**2 / 2) and asking == pytest.approx(0.4**2 - 0.05)
    (_, after), (_, again) = game.options("bidder_1", told(0.4, Estimate(rival=0.2)), Query, ASK.but(price=0.05))
    assert after == pytest.approx(0.3) and again == pytest.approx(0.25), "to be told the same once more is worth nothing"
    (_, silent), (_, asking) = SecondPriceAuction(signal="exact").options("bidder_1", told(0.4), Query, ASK)
    assert silent == asking == pytest.approx(0.4**2 / 2)


def test_levels() -> None:
    """Level 0 bids uniformly: a bid b wins with chance b^(n-1), whatever the report. Level 1 replies to that."""
    game, information = FirstPriceAuction(signal="exact"), told(0.8, Estimate(rival=0.4))
    against = {m.bid: x for m, x in game.options("bidder_1", information, Bid, ASK, 0) if isinstance(m, Bid)}
    assert max(against, key=lambda b: against[b]) == 0.4 and against[0.4] == pytest.approx(0.16)
    above = {m.bid: x for m, x in game.options("bidder_1", information, Bid, ASK, 1) if isinstance(m, Bid)}
    assert max(above, key=lambda b: above[b]) == 0.2 and above[0.2] == pytest.approx(0.6)
    (_, silent), (_, asking) = game.options("bidder_1", told(0.8), Query, ASK, 0)
    assert silent == asking == pytest.approx(0.16)


def test_options_of_an_ai_are_the_chances_of_truth() -> None:
    game = FirstPriceAuction(signal="binary", accuracy=0.8, threshold=0.25)
    (note,) = [n for p, n in game.notes("ai_1", Values(values=(0.9, 0.1), noise=0.5)) if p == 0.8]
    (below, x), (above, y) = game.options("ai_1", (note,), Verdict, ASK)
    assert (below, above) == (Verdict(side="below"), Verdict(side="above"))
    assert x == pytest.approx(0.8 * 0.25 / (0.8 * 0.25 + 0.2 * 0.75)) and x + y == pytest.approx(1)
    number = Number(advised="bidder_1", rival=0.123, accuracy=0.7)
    best, *others = FirstPriceAuction(signal="mixture").options("ai_1", (number,), Estimate, ASK)
    assert best == (Estimate(rival=0.123), 0.7) and {x for _, x in others} == {0.0}


def test_the_realised_channel() -> None:
    state = Values(values=(0.9, 0.3), noise=0.7)
    mixture = FirstPriceAuction(signal="mixture")
    right, wrong = (n for _, n in mixture.notes("ai_1", state))
    assert mixture.channel(state, right, Estimate(rival=0.3)) == (True, True, True)
    assert mixture.channel(state, wrong, Estimate(rival=0.3)) == (False, False, True)
    binary = FirstPriceAuction(signal="binary")
    right, wrong = (n for _, n in binary.notes("ai_1", state))
    assert binary.channel(state, right, Verdict(side="above")) == (True, False, False)
    assert binary.channel(state, wrong, Verdict(side="above")) == (False, True, False)
    again = binary.recalibrated(0.6)
    assert isinstance(again, FirstPriceAuction) and again.accuracy == 0.6 and again.signal == "binary"
    assert FirstPriceAuction(signal="exact").recalibrated(0.6) is None


@given(st.sampled_from(BOTH), st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=4),
       st.floats(0, 0.9), st.floats(0.1, 1))
def test_payoffs_lie_within_their_bounds(kind: type[SealedBid], table: list[tuple[float, float]], rho: float, r: float) -> None:
    game = kind(bidders=len(table), reserve=rho, risk=r)
    paid = outcome(game, tuple(v for v, _ in table), *(b for _, b in table))
    assert set(paid) == set(game.roles())
    for role, pay in paid.items():
        low, high = game.bounds(role)
        assert -inf < low - 1e-12 <= pay <= high + 1e-12 < inf

"""Who is to blame: shares that sum to the gap, nothing for seats that play the benchmark, half each for equals."""
import json
from collections.abc import Mapping
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import parlour
from parlour.errors import FieldError, InputError
from parlour.experiments.api import Results
from parlour.experiments.cli import main
from parlour.experiments.verify import verify
from parlour.transcripts.shares import Coalition, coalitions, orders, shapley

EMAIL: dict[str, Any] = {"name": "base", "seed": 3, "episodes": 60, "game": "email", "protocol": {"name": "advice"}}


def gaps(origin: Results, role: str = "human", **more: Any) -> dict[str, Any]:
    found = parlour.blame(origin.run, role, store=origin.store.path, **more)
    return dict(zip(found["role"], found["value"], strict=True))


# --- the mathematics ------------------------------------------------------------------------------------------------------
def subsets(seats: str) -> list[Coalition]:
    return [frozenset(c) for k in range(len(seats) + 1) for c in combinations(seats, k)]


def closed_form(seats: str, value: Mapping[Coalition, float], seat: str) -> float:
    """Shapley's own formula, over coalitions rather than orders."""
    n = len(seats)
    return sum(factorial(len(s)) * factorial(n - len(s) - 1) / factorial(n) * (value[s | {seat}] - value[s])
               for s in subsets(seats) if seat not in s)


def games(n: int) -> st.SearchStrategy[tuple[str, list[float]]]:
    return st.tuples(st.just("abcd"[:n]), st.lists(st.floats(-9, 9), min_size=2**n, max_size=2**n))


@given(st.integers(1, 4).flatmap(games))
def test_up_to_four_seats_are_exact(game: tuple[str, list[float]]) -> None:
    seats, worth = game
    value = dict(zip(subsets(seats), worth, strict=True))
    share = shapley(orders(seats, 5, 0), value)
    assert share == pytest.approx({seat: closed_form(seats, value, seat) for seat in seats}, abs=1e-9)
    assert sum(share.values()) == pytest.approx(value[frozenset(seats)] - value[frozenset()], abs=1e-9)


@given(st.lists(st.floats(-9, 9), min_size=5, max_size=5))
def test_seats_that_nothing_tells_apart_share_equally(by_size: list[float]) -> None:
    value = {s: by_size[len(s)] for s in subsets("abcd")}
    assert shapley(orders("abcd", 1, 0), value) == pytest.approx(dict.fromkeys("abcd", (by_size[4] - by_size[0]) / 4), abs=1e-9)


def test_the_gloves_game() -> None:
    """One left glove, two right ones: 2/3, 1/6, 1/6 (Shapley 1953)."""
    value = {s: float("a" in s and len(s) > 1) for s in subsets("abc")}
    assert shapley(orders("abc", 1, 0), value) == pytest.approx({"a": 2 / 3, "b": 1 / 6, "c": 1 / 6})


def test_more_seats_are_sampled_by_seed() -> None:
    seats = "abcdef"
    some = orders(seats, 40, 7)
    assert some == orders(seats, 40, 7) != orders(seats, 40, 8) and len(some) == 40
    value = dict.fromkeys([frozenset(), *coalitions(some)], 0.0)
    value |= {s: float(len(s)) ** 2 for s in value}
    share = shapley(some, value)
    assert sum(share.values()) == pytest.approx(36)
    assert len(value) < 2**6 + 1 and all(abs(v - 6) < 3 for v in share.values())


def test_coalitions_of_all_orders_are_all_subsets() -> None:
    assert set(coalitions(orders("abc", 1, 0))) == set(subsets("abc")) - {frozenset()}


# --- runs -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("seats", "guilty"), [
    ({"human": "strategy", "ai": "liar:0.5"}, "ai"), ({"human": "never_follow", "ai": "strategy"}, "human")])
def test_the_only_seat_that_is_not_optimal_bears_all(store: str, seats: dict[str, str], guilty: str) -> None:
    found = gaps(parlour.run({**EMAIL, "seats": seats}, store))
    innocent, = {"human", "ai"} - {guilty}
    assert found[innocent] == 0 and found[guilty] == pytest.approx(found["gap"]) and found["gap"] > 0.5


def test_shares_and_luck_sum_to_what_is_missing(store: str) -> None:
    origin = parlour.run({**EMAIL, "seats": {"human": "mock", "ai": "mock"}}, store)
    found = gaps(origin)
    assert found["human"] + found["ai"] == pytest.approx(found["gap"])
    table = origin.table().set_index(["quantity", "role", "benchmark"])["value"]
    assert found["gap"] + found["luck"] == pytest.approx(-table["gap", "human", "with_ai"])
    assert verify(origin.store, parlour.load("latest", store).run).divergence is None


def test_equals_share_equally(store: str) -> None:
    """Two bidders of the same kind who bid at random: seat by seat nothing tells them apart but what they drew."""
    origin = parlour.run({"seed": 1, "episodes": 150, "game": "second_price_auction", "protocol": "silent",
                          "seats": {"bidder_1": "random", "bidder_2": "random"}}, store)
    found = parlour.blame(origin.run, store=store).set_index("role")
    one, two = found.loc["bidder_1"], found.loc["bidder_2"]
    assert one["value"] + two["value"] == pytest.approx(found.loc["gap", "value"])
    assert one["low"] < two["value"] < one["high"] and two["low"] < one["value"] < two["high"] and one["low"] > 0


def test_what_is_on_record_is_not_asked_for_again(store: str) -> None:
    """A seat that costs something, here time, is asked anew only where it would hear something else, and only by leave."""
    human = {"agent": "mock", "latency": 0.0001}
    honest = parlour.run({**EMAIL, "seats": {"human": human, "ai": "strategy"}}, store)
    found = gaps(honest)
    assert found["ai"] == 0 and found["human"] == pytest.approx(found["gap"])
    lied_to = parlour.run({**EMAIL, "name": "lied_to", "seats": {"human": human, "ai": "liar:0.5"}}, store)
    with pytest.raises(InputError, match="add --ask"):
        gaps(lied_to)
    found = gaps(lied_to, ask=True)
    assert found["human"] + found["ai"] == pytest.approx(found["gap"])


def test_a_run_of_swaps_is_not_played_twice(store: str) -> None:
    origin = parlour.run({**EMAIL, "episodes": 6, "seats": {"human": "mock", "ai": "mock"}}, store)
    first = gaps(origin)
    swaps = parlour.load("latest", store)
    assert swaps.run.startswith("blame-base-") and gaps(swaps) == first
    with pytest.raises(FieldError, match="nobody has the role 'x'"):
        gaps(swaps, "x")
    forked = parlour.fork(f"{origin.run}/0", 1, store=store)
    with pytest.raises(InputError, match="name their origin"):
        gaps(forked)


def test_the_command(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    parlour.run({**EMAIL, "episodes": 8, "seats": {"human": "always_follow", "ai": "liar"}}, store)
    assert main(["blame", "--for", "human", "--store", store]) == 0
    out = capsys.readouterr().out
    assert "gap of human" in out and "ai: liar" in out and "luck" in out
    assert main(["blame", "blame-base", "--store", store, "--json"]) == 0
    assert [line["role"] for line in json.loads(capsys.readouterr().out)["blame"]] == ["gap", "human", "ai", "luck"]


@pytest.mark.parametrize(("argv", "complaint"), [
    (["--for", "x"], "nobody has the role 'x'"), (["--benchmark", "x"], "no benchmark 'x'"), (["nope"], "no run 'nope'")])
def test_mistakes_get_one_line_and_exit_code_2(tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str],
                                               argv: list[str], complaint: str) -> None:
    store = Path(tmp_path_factory.mktemp("x")) / "x.duckdb"
    parlour.run({**EMAIL, "episodes": 2, "seats": {"human": "mock", "ai": "strategy"}}, store)
    assert main(["blame", *argv, "--store", str(store)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and complaint in err
    assert len(list(store.parent.rglob("*.jsonl"))) == 1, "a run was begun"

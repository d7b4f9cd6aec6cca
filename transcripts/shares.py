"""Who is to blame: the gap between recorded play and a benchmark, shared among the seats, from rows alone.

    N          the seats; a coalition S is the set of seats that play the benchmark's strategies, the others stay as they were
    v_i(S)     what the target (a role, or the sum) gets in episode i then, on the same state and draws
    phi_i(j)   mean over orders of the seats of v_i(S with j) - v_i(S), S the seats before j in the order
    gap        sum_j phi_i(j) = v_i(N) - v_i(nobody), in each episode and on average

Over all n! orders (up to four seats) this is the Shapley value; beyond, over orders drawn by seed, an unbiased estimate of it.
`luck` is what the benchmark is worth on average less what its strategies got on these draws: no seat's doing.
Sources: L. S. Shapley (1953), A value for n-person games; J. Castro, D. Gomez and J. Tejada (2009), Computers & OR 36.
"""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from math import factorial
from random import Random
from typing import Any

from pydantic_core import from_json

from ..errors import FieldError
from ..games.base import Benchmark
from .arms import Arm, Score, arms_of
from .sampling import Row
from .statistics import mean
from .store import Store

EXACT_SEATS = 4
SUM = "sum"
Coalition = frozenset[str]


def orders(seats: Sequence[str], count: int, seed: int) -> list[tuple[str, ...]]:
    """All orders of up to four seats, else `count` orders drawn by seed (all, if there are no more than that)."""
    if len(seats) <= EXACT_SEATS or factorial(len(seats)) <= count:
        return list(permutations(seats))
    rng = Random(seed)
    return [tuple(rng.sample(list(seats), len(seats))) for _ in range(count)]


def coalitions(some: Sequence[tuple[str, ...]]) -> list[Coalition]:
    """Every coalition the orders pass through, without the empty one, the smallest first."""
    found = dict.fromkeys(frozenset(order[:k]) for k in range(1, len(some[0]) + 1) for order in some)
    return list(found)


def shapley(some: Sequence[tuple[str, ...]], value: Mapping[Coalition, float]) -> dict[str, float]:
    """Seat -> its mean contribution over the orders; the contributions sum to value[all] - value[nobody]."""
    share = dict.fromkeys(some[0], 0.0)
    for order in some:
        for k, seat in enumerate(order):
            share[seat] += (value[frozenset(order[:k + 1])] - value[frozenset(order[:k])]) / len(some)
    return share


@dataclass(frozen=True)
class Swaps:
    """What a run of swaps holds of one arm of its origin. paid: coalition -> origin episode -> role -> net payoff."""
    arm: Arm
    benchmark: Benchmark
    orders: list[tuple[str, ...]]
    paid: Mapping[Coalition, Mapping[int, Mapping[str, float | None]]]


def swaps(store: Store, run: str, level: float = 0.95) -> list[Swaps]:
    """The arms whose seats were swapped in a run; empty if the run is of another kind."""
    links = {r["episode"]: r for r in store.rows("SELECT * FROM fork WHERE run = ?", [run])}
    changes = {n: from_json(r["change"]) for n, r in links.items()}
    if not changes or not all("swapped" in c for c in changes.values()):
        return []
    origins = {a.name: a for origin in {r["origin_run"] for r in links.values()} for a in arms_of(store, origin, level)}
    paid: dict[str, dict[Coalition, dict[int, Mapping[str, float | None]]]] = {}
    about: dict[str, dict[str, Any]] = {}
    for arm in arms_of(store, run, level):
        for e in arm.episodes:
            change = changes[e["episode"]]
            about[change["arm"]] = change
            own = paid.setdefault(change["arm"], {}).setdefault(frozenset(change["swapped"]), {})
            own[links[e["episode"]]["origin_episode"]] = nets(e)
    for name, worlds in paid.items():
        worlds[frozenset()] = {e["episode"]: nets(e) for e in origins[name].episodes}
    return [_swaps(origins[name], about[name], worlds) for name, worlds in paid.items()]


def _swaps(arm: Arm, about: Mapping[str, Any], paid: Mapping[Coalition, Mapping[int, Mapping[str, float | None]]]) -> Swaps:
    benchmark = next(b for b in arm.benchmarks if b.name == about["benchmark"])
    return Swaps(arm, benchmark, orders(about["seats"], about["orders"], about["seed"]), paid)


def nets(episode: Mapping[str, Any]) -> dict[str, float | None]:
    """Role -> net payoff of one episode."""
    return {p["role"]: p["net"] for p in episode["payoffs"]}


def shares(found: Swaps, target: str = SUM, level: float = 0.95) -> list[Score]:
    """The gap, each seat's share of it, and luck: scores of quantity `blame`. The target is a role, or the sum.

    The sum is over the roles for which the benchmark names a value. Raises FieldError for a role that is not there.
    """
    arm, everyone = found.arm, frozenset(found.orders[0])
    values = benchmark_values(arm, found.benchmark)
    roles = list(values) if target == SUM else [target]
    if not set(roles) <= set(arm.seated()):
        raise FieldError(f"nobody has the role '{target}'; there are: {', '.join(arm.seated())}, {SUM}.")
    base, per_seat, gap = arm.rows(roles[0]), {seat: list[Row]() for seat in found.orders[0]}, list[Row]()
    for e, row in zip(arm.episodes, base, strict=True):
        world = {s: _total(paid.get(e["episode"]), roles) for s, paid in found.paid.items()}
        span = sum(p["high"] - p["low"] for p in e["payoffs"] if p["role"] in roles)
        row = replace(row, value=None, low=-span, high=span)
        known = {s: v for s, v in world.items() if v is not None}
        parts = shapley(found.orders, known) if len(known) == len(world) else {}
        for seat, own in per_seat.items():
            own.append(replace(row, value=parts.get(seat)))
        gap.append(replace(row, value=known[everyone] - known[frozenset()] if parts else None))
    lines = [arm.line("blame", seat, found.benchmark.name, mean(own, level)) for seat, own in per_seat.items()]
    whole = arm.line("blame", "gap", found.benchmark.name, mean(gap, level))
    return [whole, *lines, *_luck(found, roles, values, gap, level)]


def benchmark_values(arm: Arm, benchmark: Benchmark) -> dict[str, float]:
    """Role -> what the benchmark is worth to it, groups taken apart, for the roles it speaks of."""
    return {role: value for key, value in benchmark.value.items() if value is not None
            for role in (arm.game.members(key) if key not in arm.game.roles() else (key,))}


def _total(paid: Mapping[str, float | None] | None, roles: Sequence[str]) -> float | None:
    some = [None] if paid is None else [paid.get(role) for role in roles]
    return None if None in some else sum(x for x in some if x is not None)


def _luck(found: Swaps, roles: Sequence[str], values: Mapping[str, float], gap: Sequence[Row],
          level: float) -> list[Score]:
    """What the benchmark is worth less what its strategies got in the episodes whose gap is known."""
    if not set(roles) <= set(values):
        return []
    best = found.paid[frozenset(found.orders[0])]
    worth, rows = sum(values[r] for r in roles), list[Row]()
    for e, row in zip(found.arm.episodes, gap, strict=True):
        got = _total(best.get(e["episode"]), roles)
        rows.append(replace(row, value=None if row.value is None or got is None else worth - got))
    return [found.arm.line("blame", "luck", found.benchmark.name, mean(rows, level))]

"""Obedience, incentive and the worth of contracts, of a run's arms, from rows alone.

    slack        min over i != target of u_target - u_i, u = F t - c: above 0 the target is the only best reply; 0 a tie; below 0 or
                 with flat or no pay an agent that takes the target obeys without an incentive
    compliance   share of choices that are the target: all; given slack > 0; at every slack that was met (the curve)
    temperature  tau of P(i) = exp(u_i / tau) / sum_k exp(u_k / tau), by maximum likelihood: 0 follows incentives without error
    regret       max_k u_k - u_chosen, expected, not realised
    valid        slack >= 0 at the true costs; at the worst costs the bound admits (a robust contract)
    excess       of the posted pay F_target t, budget max t and deviation over the least with which the target can be had
    principal    r F_i - F_i t under the i that was chosen, beside the benchmarks on record
    realised     t_j - F_i t: 0 but for luck, or for an evaluator unlike the F on which the contract rests

A choice is compared with what the agent knew when it chose: for it the outcome that came later is no draw. So an agent that
always answers the same contract in the same way is one observation, however often it is asked. With more than CURVE slacks the
curve is over bins of equal size, never across 0. Episodes of several rounds count as the mean of their rounds; in the curve and
the temperature every round is a choice.
"""
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any, Literal

import numpy as np

from ..games.base import SLACK
from ..games.solvers.contract import Objective, solve, spread
from ..games.solvers.obedience import temperature
from .arms import Arm, Score, arms_of
from .contract_plays import Made, made
from .intervals import wilson
from .statistics import Estimate
from .store import Store

CURVE = 12
EVERY = "all arms"
Value = Callable[[Made], float | None]
About = Literal["contract", "choice", "payment"]


def compliance(store: Store, run: str, level: float = 0.95) -> list[Score]:
    """Every measure of contracts in a run; empty if none was posted."""
    with store.reading():
        arms = arms_of(store, run, level)
        found, pooled = [], []
        for arm in arms:
            rounds = made(arm)
            if any(rounds.values()):
                found += list(_arm(arm, rounds, level))
                pooled += [(m, w) for m, w in _weighted(arm, rounds)]
        if len({id(a) for a in arms}) > 1 and pooled:
            found += [line | {"arm": EVERY, "seat": ""} for line in _curve(arms[0], pooled, level)]
    return found


def _arm(arm: Arm, rounds: dict[int, list[Made]], level: float) -> Iterator[Score]:
    for about, quantity, name, value, low, high in MEASURES:
        estimate, role = _mean(arm, rounds, value, low, high, about), "agent" if quantity == "obedience" else "principal"
        if estimate is not None:
            yield arm.line(quantity, role, name, estimate)
    yield from _excess(arm, rounds)
    yield from _beside(arm, rounds)
    yield from _curve(arm, list(_weighted(arm, rounds)), level)


def _mean(arm: Arm, rounds: dict[int, list[Made]], value: Value, low: float, high: float, about: About) -> Estimate | None:
    """The mean over the episodes in which it has a value. about: what later draws and replies are no part of it."""
    rows = []
    for e, row in zip(arm.episodes, arm.rows(arm.seated()[0]), strict=True):
        some = rounds.get(e["episode"], ())
        values = [v for m in some if (v := value(m)) is not None]
        if some and not values:
            continue
        own: dict[str, Any] = {}
        if some and about != "payment":
            own = {"input": "" if about == "contract" else repr([_seen(m) for m in some]),
                   "signature": repr([m.pay.tolist() if about == "contract" else m.chosen for m in some])}
        rows.append(replace(row, value=sum(values) / len(values) if values else None, low=low, high=high, **own))
    return arm.mean(rows) if rows else None


def _seen(m: Made) -> tuple[Any, Any]:
    """What an agent chose upon."""
    return m.pay.tolist(), m.rows.tolist()


def _complies(m: Made) -> float:
    return float(m.chosen == m.target)


def _strictly(m: Made) -> float | None:
    return _complies(m) if m.slack > 0 else None


def _utility(m: Made) -> float:
    return m.mean(m.worth - m.pay)


def _luck(m: Made) -> float | None:
    return None if m.outcome is None else float(m.pay[m.outcome]) - m.mean(m.pay)


ANY = float("inf")
MEASURES: tuple[tuple[About, str, str, Value, float, float], ...] = (
    ("choice", "obedience", "compliance", _complies, 0, 1),
    ("choice", "obedience", "compliance given strict incentive", _strictly, 0, 1),
    ("choice", "obedience", "best reply", lambda m: float(m.regret == 0), 0, 1),
    ("choice", "obedience", "expected regret", lambda m: m.regret, 0, ANY),
    ("choice", "obedience", "honest report", lambda m: None if m.honest is None else float(m.honest), 0, 1),
    ("contract", "validity", "valid at true costs", lambda m: float(m.slack_everywhere >= 0), 0, 1),
    ("contract", "validity", "valid at worst admissible costs", lambda m: float(m.slack_at_worst >= 0), 0, 1),
    ("contract", "validity", "covers the target's cost",
     lambda m: float(all(rows[m.target] @ m.pay >= m.costs[m.target] - SLACK for rows in m.every)), 0, 1),
    ("contract", "validity", "monotone", lambda m: float(bool(np.all(np.diff(m.pay) >= -SLACK))), 0, 1),
    ("contract", "incentive", "slack", lambda m: m.slack_everywhere, -ANY, ANY),
    ("choice", "payment", "expected pay", lambda m: m.mean(m.pay), 0, ANY),
    ("payment", "payment", "realised less expected pay", _luck, -ANY, ANY),
)
"""(what it is about, quantity, name, value of a round, least, most); a value None leaves the round out."""


# --- beside the solutions -----------------------------------------------------------------------------------------------
def _excess(arm: Arm, rounds: dict[int, list[Made]]) -> Iterator[Score]:
    """Posted pay, budget and deviation over the least that would buy the target on the F the contract rests on."""
    first = next(iter(rounds.values()))[0]
    for objective, name in (("pay", "expected pay of the target"), ("budget", "budget"), ("deviation", "deviation")):
        least = _least(arm, first, objective)  # type: ignore[arg-type]
        if not least:
            continue
        over = _mean(arm, rounds, lambda m, o=objective, by=least: posted(m, o) / by, 0, ANY, "contract")  # type: ignore[misc]
        if over:
            yield arm.line("excess", "principal", f"{name} over the least", over) | {"benchmark_value": least}
    for b in (b for b in arm.benchmarks if b.measures.get("price_of_robustness") is not None):
        for what in ("price_of_robustness", "price_bound"):
            if b.measures.get(what) is not None:
                yield arm.line("robustness", "principal", what.replace("_", " ")) | {"value": b.measures[what], "method": "computed"}


def posted(m: Made, objective: Objective) -> float:
    """What a posted contract costs in that sense if the target is chosen, money."""
    best = sum(m.every)[m.target] / len(m.every)
    return {"pay": float(best @ m.pay), "budget": float(m.pay.max()), "deviation": spread(m.pay, best)}[objective]


def _least(arm: Arm, m: Made, objective: Objective) -> float | None:
    """The least, in that sense, of contracts of the game's shape for the target at the true costs; None: there are none."""
    best = sum(m.every)[m.target] / len(m.every)
    others = np.vstack([best - (rows[m.target] - np.delete(rows, m.target, 0)) for rows in m.every])
    gaps = np.tile(m.costs[m.target] - np.delete(m.costs, m.target), len(m.every))
    found = solve(others, best, gaps, objective, getattr(arm.game, "shape", "free"))
    return None if found is None or found.value <= SLACK else found.value


def _beside(arm: Arm, rounds: dict[int, list[Made]]) -> Iterator[Score]:
    """The principal's expected utility, and what it falls short of every benchmark on record."""
    utility = _mean(arm, rounds, _utility, -ANY, ANY, "choice")
    if utility is None:
        return
    yield arm.line("utility", "principal", "principal's expected utility", utility)
    for b in arm.benchmarks:
        value = b.value.get("principal")
        if value is not None:
            less = replace(utility, mean=None if utility.mean is None else utility.mean - value,
                           low=None if utility.low is None else utility.low - value,
                           high=None if utility.high is None else utility.high - value)
            yield arm.line("utility", "principal", f"less {b.name}", less) | {"benchmark_value": value, "kind": b.kind}


# --- incentive and obedience --------------------------------------------------------------------------------------------
def _weighted(arm: Arm, rounds: dict[int, list[Made]]) -> Iterator[tuple[Made, float]]:
    """Every round with its weight: its chance in exact evaluation, else its episode's share, scaled to count episodes."""
    size = sum(e["weight"] for e in arm.episodes)
    for e in arm.episodes:
        some = rounds.get(e["episode"], [])
        for m in some:
            yield m, e["weight"] / size * len(arm.episodes) / len(some)


def _curve(arm: Arm, rounds: Sequence[tuple[Made, float]], level: float) -> Iterator[Score]:
    for name, group in bins(rounds):
        n = sum(w for _, w in group)
        hits = min(n, sum(w for m, w in group if m.chosen == m.target))
        worth = min(n, _observations([m for m, _ in group]))
        low, high = (hits / n, hits / n) if arm.exact else wilson(hits, n, level, worth)
        middle = float(np.average([m.slack for m, _ in group], weights=[w for _, w in group]))
        yield arm.line("curve", "agent", name) | {
            "value": hits / n, "low": low, "high": high, "n": len(group), "effective_n": worth, "benchmark_value": middle,
            "method": "exact" if arm.exact else "Wilson"}
    fitted = temperature([(m.utilities.tolist(), m.chosen, w) for m, w in rounds if m.chosen is not None])
    if fitted is not None:
        half = 1.96 * fitted.se if fitted.se is not None and not arm.exact else None
        note = "no choice follows utility" if fitted.tau == float("inf") else "every choice is a best reply" if not fitted.tau else ""
        yield arm.line("temperature", "agent", "logit temperature") | {
            "value": fitted.tau if isfinite(fitted.tau) else None, "n": fitted.n, "method": "maximum likelihood", "note": note,
            "low": None if half is None else max(0.0, fitted.tau - half), "high": None if half is None else fitted.tau + half}


def _observations(group: Sequence[Made]) -> int:
    """Choices, but one for a contract that was always answered in the same way."""
    answers: dict[str, list[int | None]] = {}
    for m in group:
        answers.setdefault(repr(_seen(m)), []).append(m.chosen)
    return sum(1 if len(set(a)) == 1 else len(a) for a in answers.values())


def bins(rounds: Iterable[tuple[Made, float]]) -> Iterator[tuple[str, list[tuple[Made, float]]]]:
    """(name, rounds) by slack, from the least: flat pay and ties apart, each value by itself if they are few."""
    kinds: dict[tuple[int, str], list[tuple[Made, float]]] = {}
    for m, w in rounds:
        key = (0, "flat pay") if m.flat else (1, "negative slack") if m.slack < 0 else (2, "tie") if m.slack == 0 else (3, "positive slack")
        kinds.setdefault(key, []).append((m, w))
    for (order, name), group in sorted(kinds.items()):
        group.sort(key=lambda pair: pair[0].slack)
        levels = sorted({round(m.slack, 9) for m, _ in group})
        if order in (0, 2):
            yield name, group
        elif len(levels) <= CURVE:
            for value in levels:
                yield f"{name} {value:.4g}", [(m, w) for m, w in group if round(m.slack, 9) == value]
        else:
            for part in np.array_split(np.arange(len(group)), CURVE // 2):
                low, high = group[part[0]][0].slack, group[part[-1]][0].slack
                yield f"{name} {low:.4g} to {high:.4g}", [group[i] for i in part]

"""Look closer only where a cheap signal says so, and pay by what is seen.

    n       generators           i = 1..n, hidden actions of the agent
    q0      coarse               chance of the coarse signal k under i (e.g. long or short)                 n x l
    q_k     fine                 chance of the fine outcome j under i, given k: n x l x m; n x m: whatever k is
    c       costs                of each generator                                                          n, money, at least 0
    d       inspection_cost      of seeing the fine outcome after signal k                                  l, money, at least 0
    r       rewards              what a fine outcome is worth, seen or not; None: 0                         m, money
            target               the generator the principal means to buy, from 0; None: the last
            participation        the agent may decline, and expected pay must cover the target's cost

The principal posts a policy p in {0, 1}^l and payments: t_k where signal k is not inspected, t_kj where it is. Outcomes as he sees
them: (k, j) with chance q0_ik q_k,ij if p_k = 1, else k. Total cost of a policy: least expected pay over these outcomes plus
sum_k p_k q0_target,k d_k. All 2^l policies are solved: `no_inspection`, `full_inspection`, `inspect_10...` (a digit per signal),
and `adaptive`, the cheapest of them. A policy under which the target cannot be told from a mixture of others has no value.
Checked example (the defaults: AlpacaEval, short and long answers, a judge at 0.3 US$, target GPT-4o, US$ per answer):
inspecting short answers alone costs 0.080949, long ones alone 0.291952, both 0.321814.

Source: Saig, Garbuz, Procaccia, Talgam-Cohen and Tucker-Foltz, adaptive contracts (arXiv 2603.17212, 2026).
"""
from functools import lru_cache
from itertools import product
from typing import Annotated, Any

import numpy as np
from pydantic import Field, create_model, model_validator

from .adaptive_contract_words import PLAIN, VINEYARD, Brief, Policy
from .base import NATURE, SLACK, Money, Move, Observation, Role, State
from .contracting import EXACT, Contracting, Plan, Row, check_chances
from .solvers.contract import Payments, offending_mixture, solve

SOURCE = "Saig, Garbuz, Procaccia, Talgam-Cohen and Tucker-Foltz, Adaptive contracts (2026)"


class AdaptiveContract(Contracting):
    wordings = (PLAIN, VINEYARD)

    coarse: tuple[Row, ...] = ((172 / 805, 633 / 805), (79 / 805, 726 / 805), (85 / 805, 720 / 805))
    fine: tuple[tuple[Row, ...], ...] | tuple[Row, ...] = (
        ((135 / 172, 37 / 172), (602 / 633, 31 / 633)), ((48 / 79, 31 / 79), (403 / 726, 323 / 726)),
        ((46 / 85, 39 / 85), (323 / 720, 397 / 720)))
    costs: tuple[Annotated[float, Field(ge=0)], ...] = (0.000298753641, 0.000279187267, 0.004683630435)
    inspection_cost: tuple[Annotated[float, Field(ge=0)], ...] = (0.3, 0.3)
    rewards: tuple[Annotated[float, Field(ge=0)], ...] | None = None

    @model_validator(mode="after")
    def _fits(self) -> "AdaptiveContract":
        n, signals = len(self.costs), len(self.coarse[0]) if self.coarse else 0
        if n < 2:
            raise ValueError("at least two generators are needed")
        if len(self.coarse) != n or len(self.fine) != n:
            raise ValueError(f"coarse and fine need a row for each of the {n} generators that have costs")
        check_chances(self.coarse, "coarse")
        if not all(self.fine):
            raise ValueError("fine: each generator needs at least one row of chances")
        if any(len(rows) != signals for rows in self.by_signal):
            raise ValueError(f"fine: each generator needs chances for each of the {signals} coarse signals")
        check_chances([row for rows in self.by_signal for row in rows], "fine")
        if len(self.inspection_cost) != signals:
            raise ValueError(f"inspection_cost: {len(self.inspection_cost)} given for {signals} coarse signals")
        if self.rewards is not None and len(self.rewards) != self.levels:
            raise ValueError(f"rewards: {len(self.rewards)} given for {self.levels} fine outcomes")
        if self.target is not None and not 0 <= self.target < n:
            raise ValueError(f"target: {self.target} is none of the generators 0 to {n - 1}")
        return self

    @property
    def by_signal(self) -> tuple[tuple[Row, ...], ...]:
        """q: chances of the fine outcomes per generator and signal, n x l x m."""
        found: list[tuple[Row, ...]] = []
        for row in self.fine:
            independent = isinstance(row[0], float)
            found.append((row,) * len(self.coarse[0]) if independent else row)  # type: ignore[arg-type]
        return tuple(found)

    @property
    def levels(self) -> int:
        """m: how many fine outcomes there are."""
        return len(self.by_signal[0][0])

    # --- who knows what -------------------------------------------------------------------------------------------------
    def observe(self, role: Role, state: State) -> Observation:
        return Brief(labels=self.labels, coarse=self.coarse, fine=self.by_signal, costs=self.costs, looks=self.inspection_cost,
                     rewards=self.rewards, wanted=self.labels[self.wanted], declines=self.participation)

    def reveal(self, role: Role, mover: Role, move: Move) -> Observation | None:
        """What came out stays with nature: the principal sees no more of it than his policy buys, which is in what he pays."""
        return None if mover == NATURE else super().reveal(role, mover, move)

    @property
    def contract(self) -> type[Move]:
        return _policy(len(self.coarse[0]), self.levels, self.payment_cap)

    @property
    def outcomes(self) -> int:
        return len(self.coarse[0]) * self.levels

    # --- what a contract makes of a choice: outcome (k, j) has number k m + j ---------------------------------------------
    def rows(self, contract: Any) -> tuple[Row, ...]:
        return tuple(tuple(a * b for a, row in zip(signals, rows, strict=True) for b in row)
                     for signals, rows in zip(self.coarse, self.by_signal, strict=True))

    def paid(self, contract: Policy) -> Row:
        return tuple(t for look, one, row in zip(contract.inspect, contract.unseen, contract.seen, strict=True)
                     for t in (row if look else (one,) * self.levels))

    def worth(self, contract: Policy) -> Row:
        rewards = self.rewards or (0.0,) * self.levels
        return tuple(r - look * cost for look, cost in zip(contract.inspect, self.inspection_cost, strict=True) for r in rewards)

    def bounds(self, role: Role) -> tuple[float, float]:
        if role == "agent":
            return -max(self.costs), self.payment_cap
        return -self.payment_cap - max(self.inspection_cost), max(self.rewards or (0.0,))

    def stakes(self) -> Row:
        return (*self.inspection_cost, *(self.rewards or ()))

    # --- the solutions --------------------------------------------------------------------------------------------------
    @property
    def source(self) -> str:
        return SOURCE

    def plans(self) -> dict[str, Plan]:
        return _plans(self)


@lru_cache(maxsize=256)
def _policy(signals: int, levels: int, cap: float) -> type[Move]:
    amount: Any = Annotated[Money, Field(ge=0, le=cap), EXACT]
    row: Any = Annotated[tuple[amount, ...], Field(min_length=levels, max_length=levels)]
    ends = Field(min_length=signals, max_length=signals)
    inspect: Any = Annotated[tuple[bool, ...], ends]
    unseen: Any = Annotated[tuple[amount, ...], ends]
    seen: Any = Annotated[tuple[row, ...], ends]
    return create_model("Policy", __base__=Policy, __module__=Policy.__module__, inspect=(inspect, ...), unseen=(unseen, ...),
                        seen=(seen, ...))


@lru_cache(maxsize=256)
def _plans(game: AdaptiveContract) -> dict[str, Plan]:
    signals = len(game.coarse[0])
    found = {look: _plan(game, look) for look in product((False, True), repeat=signals)}
    totals = {look: dict(plan.measures)["total"] for look, plan in found.items()}
    cost = {look: float("inf") if total is None else total for look, total in totals.items()}
    best = min(cost, key=lambda look: cost[look])
    others = {f"inspect_{''.join(str(int(x)) for x in look)}": plan for look, plan in found.items() if any(look) and not all(look)}
    return {"adaptive": found[best], "no_inspection": found[(False,) * signals], "full_inspection": found[(True,) * signals], **others}


def _plan(game: AdaptiveContract, look: tuple[bool, ...]) -> Plan:
    """The cheapest contract for the target under one inspection policy."""
    table, i = _seen_as(game, look), game.wanted
    others, gaps = np.delete(table, i, 0), game.costs[i] - np.delete(np.asarray(game.costs), i)
    found = solve(others, table[i], gaps, "pay", floor=game.costs[i] if game.participation else None)
    bits = tuple((f"inspect_{k}", float(x)) for k, x in enumerate(look, 1))
    fees = sum(q * d for q, d, x in zip(game.coarse[i], game.inspection_cost, look, strict=True) if x)
    if found is None:
        measures = (("total", None), ("expected_pay", None), ("budget", None), ("inspection", fees), *bits)
        return Plan("optimum", None, i, measures, _why_not(game, others, table[i], gaps))
    pay = float(table[i] @ found.pay)
    measures = (("total", pay + fees), ("expected_pay", pay), ("budget", float(found.pay.max())), ("inspection", fees), *bits)
    return Plan("optimum", _fields(game, look, found), i, measures)


def _seen_as(game: AdaptiveContract, look: tuple[bool, ...]) -> Any:
    """Chances of what the principal sees, in order: (k, 1..m) for an inspected signal, else k alone."""
    blocks = []
    for k, inspected in enumerate(look):
        whole = np.array([signals[k] for signals in game.coarse])[:, None]
        blocks.append(whole * np.array([rows[k] for rows in game.by_signal]) if inspected else whole)
    return np.hstack(blocks)


def _fields(game: AdaptiveContract, look: tuple[bool, ...], found: Payments) -> tuple[tuple[str, Any], ...]:
    rest, unseen, seen = [float(t) for t in found.pay], [], []
    for inspected in look:
        take = game.levels if inspected else 1
        paid, rest = tuple(rest[:take]), rest[take:]
        unseen.append(0.0 if inspected else paid[0])
        seen.append(paid if inspected else (0.0,) * game.levels)
    return ("inspect", look), ("unseen", tuple(unseen)), ("seen", tuple(seen))


def _why_not(game: AdaptiveContract, others: Any, best: Any, gaps: Any) -> str:
    shares = offending_mixture(others, best, gaps)
    names = [label for k, label in enumerate(game.labels) if k != game.wanted]
    text = "" if shares is None else " + ".join(f"{w:.6g} {name}" for name, w in zip(names, shares, strict=True) if w > SLACK)
    return f"not implementable by what is seen: the mixture {text} looks like {game.labels[game.wanted]} and costs less"

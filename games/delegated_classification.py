"""Have a classifier trained by somebody who decides, unseen, how much data to use.

    n     accuracies        chance that a test example is classified right, per training effort; a list of runs: their mixture
          curve             instead: (a, b, c), accuracy a - b x^-c of effort x = cost (0 at no effort)
    m     test_size         test examples; the outcome is how many are right, 0..m
    c     costs             of each effort, e.g. in samples                                                n, money, at least 0
          target            the effort the principal means to buy, from 0; None: the last
          outcome_probabilities   instead of accuracies: any chances of outcomes, n x (m + 1)
          pilot             (size, accuracy) pairs of pilot runs, and `budget`: for the benchmark `pilot`
          participation     the agent may decline

The principal posts t_0..t_m within a budget B = max t. `min_budget`: the least B at which the target is the agent's choice.
`threshold`: one payment from some number on; `all_or_nothing`: one payment for a set of outcomes; `single_binding`: the least
budget against one other effort alone, c gap / TV, where it holds against all (then it is optimal); `min_pay`: least expected pay.
With two efforts B = gap / TV (Neyman and Pearson). With monotone likelihood ratios (mlrp) and survival at the crossing point
concave in cost (concave), one rival binds, the next cheaper, and a threshold is optimal; mlrp alone is not enough.
For a curve with a = 1, survival at the threshold is concave in effort beyond n_crit <= n_bound.
`pilot`: fit a - b x^-c to pilot runs, pay `budget` from the number right that would bring out the best classifier by the fitted
curve, and let the agent answer by the true one.
Checked example (the defaults: accuracies .5, .65, .8, ten examples, costs 0, .45, 1): least budget 1.456158, threshold 1.505616.

Source: Saig, Talgam-Cohen and Rosenfeld, "Delegated classification", NeurIPS 2023 (arXiv 2306.11475). Unlike the published code,
dearer efforts are alternatives too, and a threshold pays from the outcome at which it was searched.
"""
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from .base import SLACK, Chance, Move, Observation, Role, State
from .contract_solutions import TOLD
from .contracting import Contracting, Plan, Row, check_chances
from .delegated_classification_words import PLAIN, TASTERS, Brief
from .solvers.contract import Payments, is_unique, offending_mixture, rises, solve, spread
from .solvers.learning_curve import accuracy, all_or_nothing, binomial, concave, fit, fixed_budget, inflection, single_binding
from .text_contract_words import Contract, contract_of

SOURCE = "Saig, Talgam-Cohen and Rosenfeld, Delegated classification (2023)"


class DelegatedClassification(Contracting):
    wordings = (PLAIN, TASTERS)

    accuracies: tuple[Chance | Annotated[tuple[Chance, ...], Field(min_length=1)], ...] | None = (0.5, 0.65, 0.8)
    curve: tuple[float, float, float] | None = None
    outcome_probabilities: tuple[Row, ...] | None = None
    test_size: Annotated[int, Field(ge=1)] = 10
    costs: tuple[Annotated[float, Field(ge=0)], ...] = (0.0, 0.45, 1.0)
    pilot: tuple[tuple[float, Chance], ...] | None = None
    budget: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> "DelegatedClassification":
        n = len(self.costs)
        given = self.outcome_probabilities or (None if self.curve else self.accuracies)
        if n < 2:
            raise ValueError("at least two efforts are needed")
        if given is None and self.curve is None:
            raise ValueError("give accuracies, a curve or outcome_probabilities")
        if given is not None and len(given) != n:
            raise ValueError(f"costs: {n} given for {len(given)} efforts")
        if self.outcome_probabilities:
            check_chances(self.outcome_probabilities, "outcome_probabilities")
        if self.target is not None and not 0 <= self.target < n:
            raise ValueError(f"target: {self.target} is none of the efforts 0 to {n - 1}")
        if self.pilot is not None and (len({size for size, _ in self.pilot}) < 3 or self.budget is None):
            raise ValueError("pilot: at least three sizes are needed, and a budget")
        return self

    # --- who knows what -------------------------------------------------------------------------------------------------
    @property
    def chance_rows(self) -> tuple[Row, ...]:
        """F: chances of 0..m right under each effort."""
        return _rows(self)

    @property
    def mean_accuracies(self) -> Row:
        """The chance that a test example is classified right, per effort."""
        m = len(self.chance_rows[0]) - 1
        return tuple(sum(j * p for j, p in enumerate(row)) / m for row in self.chance_rows)

    def observe(self, role: Role, state: State) -> Observation:
        return Brief(labels=self.labels, accuracies=self.mean_accuracies, examples=len(self.chance_rows[0]) - 1, costs=self.costs,
                     chances=self.chance_rows if self.outcome_probabilities else None, wanted=self.labels[self.wanted],
                     declines=self.participation)

    @property
    def contract(self) -> type[Move]:
        return contract_of(len(self.chance_rows[0]), self.payment_cap)

    @property
    def outcomes(self) -> int:
        return len(self.chance_rows[0])

    # --- what a contract makes of a choice ------------------------------------------------------------------------------
    def rows(self, contract: Any) -> tuple[Row, ...]:
        return self.chance_rows

    def paid(self, contract: Contract) -> Row:
        return contract.payments

    def worth(self, contract: Any) -> Row:
        return (0.0,) * len(self.chance_rows[0])

    def bounds(self, role: Role) -> tuple[float, float]:
        return (-max(self.costs), self.payment_cap) if role == "agent" else (-self.payment_cap, 0.0)

    def stakes(self) -> Row:
        return () if self.budget is None else (self.budget,)

    # --- the solutions --------------------------------------------------------------------------------------------------
    @property
    def source(self) -> str:
        return SOURCE

    def plans(self) -> dict[str, Plan]:
        return _plans(self)


@lru_cache(maxsize=256)
def _rows(game: DelegatedClassification) -> tuple[Row, ...]:
    if game.outcome_probabilities:
        return game.outcome_probabilities
    levels = [accuracy(c, *game.curve) for c in game.costs] if game.curve else game.accuracies or ()
    rows = [binomial(x if isinstance(x, tuple) else (x,), game.test_size) for x in levels]
    return tuple(tuple(float(p) for p in row / row.sum()) for row in rows)


@lru_cache(maxsize=256)
def _plans(game: DelegatedClassification) -> dict[str, Plan]:
    i = game.wanted
    table, costs = np.asarray(game.chance_rows), np.asarray(game.costs)
    others, best, gaps = np.delete(table, i, 0), table[i], costs[i] - np.delete(costs, i)
    floor = game.costs[i] if game.participation else None
    least = solve(others, best, gaps, "budget", floor=floor)
    if least is None:
        return {name: Plan("optimum", None, i, (("budget", None), ("expected_pay", None)), _why_not(game, others, best, gaps))
                for name in ("min_budget", "threshold", "all_or_nothing", "single_binding", "min_pay")}
    whole = all_or_nothing(others, best, gaps, floor)
    step = solve(others, best, gaps, "budget", "threshold", floor)
    cheap = solve(others, best, gaps, "pay", floor=floor)
    found = {
        "min_budget": _noted(_plan(game, least.pay, _diagnosis(game, others, best, gaps, least, floor)),
                             "fewer than two efforts are cheaper"),
        "threshold": _noted(_plan(game, None if step is None else step.pay, _step(game, step),
                                  "no threshold makes the target the best reply"), "nothing need be paid"),
        "all_or_nothing": _plan(game, whole, {}, "no such payments make the target the best reply"),
        "single_binding": _single(game, others, best, gaps),
        "min_pay": _plan(game, None if cheap is None else cheap.pay, {}),
    }
    return found if game.pilot is None else {**found, "pilot": _pilot(game, table, costs)}


def _plan(game: DelegatedClassification, pay: Any, more: dict[str, float | None], why: str = "") -> Plan:
    """A contract for the target, with its measures; falls short of taking part if the agent could decline."""
    i = game.wanted
    best = np.asarray(game.chance_rows[i])
    if pay is not None and game.participation and float(best @ pay) < game.costs[i] - SLACK:
        pay, why = None, "does not cover the target's cost"
    if pay is None:
        return Plan("optimum", None, i, tuple({"budget": None, "expected_pay": None, **dict.fromkeys(more)}.items()), why)
    measures = {"budget": float(pay.max()), "expected_pay": float(best @ pay), "deviation": spread(pay, best),
                "rent": float(best @ pay) - game.costs[i], "paid": float(best[pay > SLACK * pay.max()].sum()), **more}
    return Plan("optimum", (("payments", tuple(float(t) for t in pay)),), i, tuple(measures.items()))


def _noted(plan: Plan, why: str) -> Plan:
    """The plan with the reason why measures of it are not defined, where nothing else tells."""
    missing = [name for name, x in plan.measures if x is None]
    return plan._replace(note=f"no {', no '.join(missing)}: {why}") if missing and not plan.note else plan


def _diagnosis(game: DelegatedClassification, others: Any, best: Any, gaps: Any, least: Payments,
               floor: float | None) -> dict[str, float | None]:
    bends = concave(others, best, np.delete(np.asarray(game.costs), game.wanted), game.costs[game.wanted])
    names = [label for k, label in enumerate(game.labels) if k != game.wanted]
    found: dict[str, float | None] = {
        "mlrp": float(rises(np.asarray(game.chance_rows)[np.argsort(game.costs, kind="stable")])),
        "concave": None if bends is None else float(bends),
        "unique": float(is_unique(others, best, gaps, "budget", "free", least, floor))}
    return found | {f"dual_{name}": float(lam) for name, lam in zip(names, least.multipliers, strict=True)}


def _step(game: DelegatedClassification, step: Payments | None) -> dict[str, float | None]:
    """The first paid outcome, and beyond which effort survival at it is concave."""
    first = None if step is None else step.first
    found: dict[str, float | None] = {"first_paid": None if first is None else float(first)}
    if game.curve and game.curve[0] == 1 and first:
        found["n_crit"], found["n_bound"] = inflection(game.curve[1], game.curve[2], game.test_size, first)
    return found


def _single(game: DelegatedClassification, others: Any, best: Any, gaps: Any) -> Plan:
    budgets, holds = single_binding(others, best, gaps)
    names = [label for k, label in enumerate(game.labels) if k != game.wanted]
    more: dict[str, float | None] = {}
    for name, budget, good in zip(names, budgets, holds, strict=True):
        more |= {f"budget_against_{name}": float(budget) if np.isfinite(budget) else None, f"holds_{name}": float(good)}
    k = int(np.argmax(np.where(holds, budgets, -np.inf)))
    if not holds.any():
        plan = _plan(game, None, {}, "the least budget against one effort alone fails against another, for each")
        return plan._replace(measures=(*plan.measures, *more.items()))
    return _plan(game, np.where(best >= others[k], budgets[k], 0.0), more)


def _why_not(game: DelegatedClassification, others: Any, best: Any, gaps: Any) -> str:
    shares = offending_mixture(others, best, gaps)
    names = [label for k, label in enumerate(game.labels) if k != game.wanted]
    text = "" if shares is None else " + ".join(f"{w:.6g} {name}" for name, w in zip(names, shares, strict=True) if w > TOLD)
    return f"not implementable: the mixture {text} has the same outcomes as {game.labels[game.wanted]} and costs less"


def _pilot(game: DelegatedClassification, table: Any, costs: Any) -> Plan:
    assert game.pilot is not None and game.budget is not None
    curve = fit(*zip(*game.pilot, strict=True))
    m = table.shape[1] - 1
    guess = np.array([accuracy(c, *curve) for c in game.costs])
    first, expected = fixed_budget(np.array([binomial((p,), m) for p in guess]), costs, guess, game.budget)
    pay = np.where(np.arange(m + 1) >= first, game.budget, 0.0)
    utility = table @ pay - costs
    level = np.flatnonzero(utility >= utility.max() - SLACK * max(1.0, float(costs.max()), game.budget))
    i = game.wanted if game.wanted in level else int(level[np.argmax(costs[level])])
    stays = not game.participation or float(utility[i]) >= -SLACK
    measures = {"budget": game.budget, "expected_pay": float(table[i] @ pay), "first_paid": float(first), "action": float(i),
                "action_expected": float(expected), "accuracy": game.mean_accuracies[i], "fit_a": curve[0], "fit_b": curve[1],
                "fit_c": curve[2]}
    return Plan("baseline", (("payments", tuple(float(t) for t in pay)),), i if stays else None, tuple(measures.items()),
                "a threshold chosen by the curve fitted to pilot runs; the agent answers by the true one")

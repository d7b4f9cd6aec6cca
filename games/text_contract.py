"""Pay for text by its quality, when nobody can see how much was spent on writing it.

    n     generators               i = 1..n, hidden actions of the agent                           at least 2
    F     outcome_probabilities    F_ij: chance of outcome j (pass or fail, a score) under i       n x m, rows sum to 1
    c     costs                    of one text (or of a million tokens) under i                    n, money, at least 0
    r     rewards                  what an outcome is worth to the principal; None: 0              m, money, at least 0
          target                   the generator the principal means to buy, from 0; None: the last
          objective                `pay`: least expected pay F t; `budget`: least max t; `deviation`: least standard deviation of pay
          shape                    `free`; `monotone`: t_1 <= ... <= t_m; `threshold`: one payment from some outcome on
    b     cost_bound               the most the target costs above any other; None: costs[target] - min costs
          participation            the agent may decline, and expected pay must cover the target's cost
    eps   margin                   by how much the target must be better for the agent             money, at least 0
          costs_known              whether the principal is told c, or b alone

The agent chooses the target iff sum_j (F_target,j - F_ij) t_j >= delta_i for every other i. `cost_aware`: delta_i =
c_target - c_i + eps, the least any contract can do. `cost_robust`: delta_i = b + eps, so that it holds for every vector of costs
with increments of at most b: B = b / (1 - sum_risk), E = b / (1 - ratio_risk), the risks of telling the target from the others
by a test (free shape, no participation). If all true increments lie in [a, b], robustness costs a factor between 1 and b / a.
Where a contract cannot exist the values are None and the note names the mixture of others that no payment tells from the target.

`first_best`: the generator of greatest welfare r F_i - c_i (the target, without rewards), done for its cost by one who obeys.
`best_linear`: t = share x r, the best share in [0, 1] that at least covers the agent's cost; `optimal`: the best of all targets
at their least pay; both need rewards. `unpaid`: no pay, so the cheapest generator.
Checked example (the defaults, CodeLlama 7B, 13B, 70B on HumanEval, US$ per million tokens): pass pays 2.353077 cost-aware,
2.699118 cost-robust; expected pay 1.247131 and 1.430532, ratio 1.147059 <= 1.15.

Source: Saig, Einav and Talgam-Cohen, "Incentivizing quality text generation via statistical contracts", NeurIPS 2024
(arXiv 2406.11118); duals, bounds and the price of robustness are derived.
"""
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from .base import Move, Observation, Role, State
from .contract_solutions import Terms, plans
from .contracting import Contracting, Plan, Row, check_chances
from .solvers.contract import Objective, Shape
from .text_contract_words import NURSERY, PLAIN, Brief, Contract, contract_of

SOURCE = "Saig, Einav and Talgam-Cohen, Incentivizing quality text generation via statistical contracts (2024)"


class TextContract(Contracting):
    wordings = (PLAIN, NURSERY)

    outcome_probabilities: tuple[Row, ...] = ((0.665, 0.335), (0.64, 0.36), (0.47, 0.53))
    costs: tuple[Annotated[float, Field(ge=0)], ...] = (0.18165, 0.2415, 0.6405)
    rewards: tuple[Annotated[float, Field(ge=0)], ...] | None = None
    objective: Objective = "pay"
    shape: Shape = "free"
    cost_bound: Annotated[float, Field(ge=0)] | None = None
    margin: Annotated[float, Field(ge=0)] = 0.0
    costs_known: bool = True

    @model_validator(mode="after")
    def _fits(self) -> "TextContract":
        n = len(self.outcome_probabilities)
        if n < 2:
            raise ValueError("at least two generators are needed")
        check_chances(self.outcome_probabilities, "outcome_probabilities")
        if len(self.costs) != n:
            raise ValueError(f"costs: {len(self.costs)} given for {n} generators")
        if self.target is not None and not 0 <= self.target < n:
            raise ValueError(f"target: {self.target} is none of the generators 0 to {n - 1}")
        if self.rewards is not None and len(self.rewards) != len(self.outcome_probabilities[0]):
            raise ValueError(f"rewards: {len(self.rewards)} given for {len(self.outcome_probabilities[0])} outcomes")
        return self

    # --- who knows what -------------------------------------------------------------------------------------------------
    def observe(self, role: Role, state: State) -> Observation:
        known = self.costs_known or role == "agent"
        return Brief(labels=self.labels, chances=self.outcome_probabilities, costs=self.costs if known else None,
                     bound=self.bound, rewards=self.rewards, wanted=self.labels[self.wanted], declines=self.participation)

    @property
    def contract(self) -> type[Move]:
        return contract_of(len(self.outcome_probabilities[0]), self.payment_cap)

    @property
    def bound(self) -> float:
        """b: the most the target costs above any other, money."""
        return self.cost_bound if self.cost_bound is not None else max(0.0, self.costs[self.wanted] - min(self.costs))

    @property
    def outcomes(self) -> int:
        return len(self.outcome_probabilities[0])

    @property
    def increment(self) -> float:
        return self.bound

    # --- what a contract makes of a choice ------------------------------------------------------------------------------
    def rows(self, contract: Any) -> tuple[Row, ...]:
        return self.outcome_probabilities

    def paid(self, contract: Contract) -> Row:
        return contract.payments

    def worth(self, contract: Any) -> Row:
        return self.rewards or (0.0,) * len(self.outcome_probabilities[0])

    def bounds(self, role: Role) -> tuple[float, float]:
        if role == "agent":
            return -max(self.costs), self.payment_cap
        return -self.payment_cap, max(self.worth(None))

    def stakes(self) -> Row:
        return (self.bound, *(self.rewards or ()))

    # --- the solutions --------------------------------------------------------------------------------------------------
    @property
    def source(self) -> str:
        return SOURCE

    def terms(self) -> Terms:
        """The numbers of this instance, as arrays."""
        return Terms(np.asarray(self.outcome_probabilities), np.asarray(self.costs),
                     None if self.rewards is None else np.asarray(self.rewards), self.wanted, self.objective, self.shape,
                     self.bound, self.margin, self.participation, self.costs_known, self.labels)

    def plans(self) -> dict[str, Plan]:
        return _plans(self)


@lru_cache(maxsize=1024)
def _plans(game: TextContract) -> dict[str, Plan]:
    return plans(game.terms())

"""The best menu of contracts for an agent who alone knows what its actions cost.

    k    types of the agent, with chances p            (K,)
    F    outcome chances of n actions                  (n, m), the same for every type
    c    costs by type                                 (K, n), money
    r    what the outcomes are worth to the principal  (m,), money
    t    one contract for every type                   (K, m), t >= 0

The agent reports a type and takes an action; a menu is honest if type k does best to report k and to take action a_k:

    F_{a_k} t_k - c_{k a_k} >= F_i t_l - c_{k i}       for all k, l, i

For given actions a the cheapest honest menu is one linear program of K m payments and K K n rows; by the revelation principle the
best menu is the best over all n^K assignments. A menu of which all contracts are equal is a single contract: the same programs
with one t. If every type is to take the same action, honesty makes expected pay the same for all types, and each contract must
satisfy the incentives of every type: the menu is then worth no more than one contract. Ties go to what the principal wants.
Assignments whose surplus cannot beat the best found are passed over.

Source: R. Myerson, "Optimal coordination mechanisms in generalized principal-agent problems", J. Mathematical Economics 10 (1982);
G. Guruganesh, J. Schneider, J. Wang, "Contracts under moral hazard and adverse selection", EC (2021).
"""
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

MOST_ASSIGNMENTS = 4096


@dataclass(frozen=True)
class Menu:
    """contracts (K, m), the action of every type (K,), the principal's expected payoff and what she pays in expectation."""
    contracts: Any
    actions: tuple[int, ...]
    value: float
    pay: float


def best_menu(chances: Any, costs: Any, rewards: Any, weights: Any, participation: bool = False, single: bool = False) -> Menu:
    """The menu of greatest expected reward less pay. single: all its contracts are one. Solved where the greatest amount is 1.

    Without participation an agent has no other way out than its cheapest action. ValueError beyond 4,096 assignments.
    """
    chances, costs, rewards, weights = (np.asarray(x, float) for x in (chances, costs, rewards, weights))
    types, actions = costs.shape
    if actions**types > MOST_ASSIGNMENTS:
        raise ValueError(f"{types} types of {actions} actions make more than {MOST_ASSIGNMENTS} assignments")
    scale = max(float(costs.max(initial=0.0)), float(rewards.max(initial=0.0))) or 1.0
    costs, worth = costs / scale, chances @ (rewards / scale)
    best: Menu | None = None
    for assigned in sorted(product(range(actions), repeat=types), key=lambda a: -float(weights @ worth[list(a)])):
        reward = float(weights @ worth[list(assigned)])
        if best is not None and reward <= best.value + 1e-12:
            break
        found = cheapest_menu(chances, costs, weights, assigned, participation, single)
        if found is not None and (best is None or reward - found[1] > best.value + 1e-12):
            best = Menu(found[0], assigned, reward - found[1], found[1])
    if best is None:
        raise ValueError("no menu makes any action anybody's choice: some type has no action of least cost")
    return Menu(best.contracts * scale, best.actions, best.value * scale, best.pay * scale)


def cheapest_menu(chances: Any, costs: Any, weights: Any, assigned: tuple[int, ...], participation: bool = False,
                  single: bool = False) -> tuple[Any, float] | None:
    """(contracts, expected pay) of the cheapest honest menu for these actions; None if there is none."""
    from scipy.optimize import linprog
    chances, costs, weights = (np.asarray(x, float) for x in (chances, costs, weights))
    (types, actions), outcomes = costs.shape, chances.shape[1]
    slots = 1 if single else types
    left, right, goal = [], [], np.zeros((slots, outcomes))
    for k, a in enumerate(assigned):
        mine = 0 if single else k
        goal[mine] += weights[k] * chances[a]
        for other in range(slots):
            for i in range(actions):
                row = np.zeros((slots, outcomes))
                row[other] += chances[i]
                row[mine] -= chances[a]
                left.append(row.ravel())
                right.append(costs[k, i] - costs[k, a])
        if participation:
            row = np.zeros((slots, outcomes))
            row[mine] -= chances[a]
            left.append(row.ravel())
            right.append(-costs[k, a])
    found = linprog(goal.ravel(), A_ub=np.array(left), b_ub=np.array(right), bounds=(0, None), method="highs",
                    options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10})
    if found.status == 2:
        return None
    if found.status != 0:
        raise ArithmeticError(f"the program of menus was not solved: {found.message}")
    pay = np.where(found.x > 1e-12, found.x, 0.0).reshape(slots, outcomes)
    return np.repeat(pay, types, axis=0) if single else pay, float(found.fun)

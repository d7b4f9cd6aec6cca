"""Pay for text by its quality where tasks differ, and the writer may see which task it is before choosing how to write.

    K     kinds of task    with chances p_k                                              `task_chances`, summing to 1
    F^k   by_task          F^k_ij: chance of outcome j under generator i on kind k       K x n x m, rows sum to 1
    F     their mean       sum_k p_k F^k: what is known if tasks are not told apart
          costs, rewards, target, shape, cost_bound    as where texts are not told apart; objective: `pay` or `budget`

One contract t is posted for all tasks, before any is set. Under rules with `chooses` = "before" the agent knows F alone, and the
solutions are those of `text_contract` on F. With "after" it knows F^k and chooses anew on every task, so t must make the target
its choice on each:

    sum_j (F^k_target,j - F^k_ij) t_j >= delta_i       for every k and every i != target

`cost_aware`: the least F_target t (or max t) of such contracts at the true delta_i; `cost_robust`: at b for every delta_i.
`average`: the contract that would do on average; where it does not, the agent takes something else: `obeyed` is the chance of a
task on which the target is chosen. It is no dearer than `cost_aware`. `unpaid`: no pay, the cheapest generator. Ties as there.
Checked example (the defaults; on average CodeLlama on HumanEval): 2.353077 for a pass would do on average, but on hard tasks A is
then chosen, obeyed 1/2; task by task 5.098333 is needed, expected pay 2.702117.

Source: the model of Saig, Einav and Talgam-Cohen, "Incentivizing quality text generation via statistical contracts", NeurIPS
2024; the conditional program is derived here.
"""
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from .base import NATURE, Benchmark, Information, Mixed, Move, Observation, Play, Role, Rules, State, Strategy, heard, learned, surely
from .contracting import Contracting, Drawn, Plan, Row, TaskKind, check_chances, under
from .solvers.contract import Payments, Shape, solve, spread
from .text_contract import TextContract
from .text_contract_words import NURSERY, PLAIN, Contract, contract_of


class PromptedContract(Contracting):
    wordings = (PLAIN, NURSERY)

    by_task: Annotated[tuple[Annotated[tuple[Row, ...], Field(min_length=1)], ...], Field(min_length=1)] = (
        ((0.55, 0.45), (0.5, 0.5), (0.25, 0.75)), ((0.78, 0.22), (0.78, 0.22), (0.69, 0.31)))
    task_chances: Row = (0.5, 0.5)
    costs: tuple[Annotated[float, Field(ge=0)], ...] = (0.18165, 0.2415, 0.6405)
    rewards: tuple[Annotated[float, Field(ge=0)], ...] | None = None
    objective: Literal["pay", "budget"] = "pay"
    shape: Shape = "free"
    cost_bound: Annotated[float, Field(ge=0)] | None = None
    participation: Literal[False] = False

    @model_validator(mode="after")
    def _fits(self) -> "PromptedContract":
        check_chances((self.task_chances,), "task_chances")
        if len(self.task_chances) != len(self.by_task):
            raise ValueError(f"task_chances: {len(self.task_chances)} given for {len(self.by_task)} kinds of task")
        for rows in self.by_task:
            check_chances(rows, "by_task")
        if len({(len(rows), len(rows[0])) for rows in self.by_task}) > 1:
            raise ValueError("by_task: every kind of task needs as many generators and outcomes")
        assert self.average
        return self

    @property
    def average(self) -> TextContract:
        """The game in which tasks are not told apart. Raises ValueError where it cannot be."""
        return _average(self)

    # --- who knows what -------------------------------------------------------------------------------------------------
    def observe(self, role: Role, state: State) -> Observation:
        return self.average.observe(role, state)

    @property
    def contract(self) -> type[Move]:
        return contract_of(self.outcomes, self.payment_cap)

    @property
    def payment_cap(self) -> float:
        return max(super().payment_cap, self.average.payment_cap)

    def stakes(self) -> Row:
        return self.average.stakes()

    @property
    def outcomes(self) -> int:
        return len(self.by_task[0][0])

    @property
    def increment(self) -> float:
        return self.average.bound

    @property
    def tasks(self) -> Row:
        return self.task_chances

    # --- what a contract makes of a choice ------------------------------------------------------------------------------
    def rows(self, contract: Any) -> tuple[Row, ...]:
        return self.average.outcome_probabilities

    def faced(self, contract: Any, task: int | None) -> tuple[Row, ...]:
        return self.rows(contract) if task is None else self.by_task[task]

    def paid(self, contract: Contract) -> Row:
        return contract.payments

    def worth(self, contract: Any) -> Row:
        return self.average.worth(contract)

    def bounds(self, role: Role) -> tuple[float, float]:
        return (-max(self.costs), self.payment_cap) if role == "agent" else (-self.payment_cap, max(self.worth(None)))

    def on(self, rows: tuple[Row, ...]) -> TextContract:
        """The game of one kind of task."""
        return self.average.model_copy(update={"outcome_probabilities": rows})

    def means(self, play: Play) -> dict[Role, float]:
        found = self.rounds(play)
        tasks = [m.task for m in play.all(NATURE, Drawn)] or [None] * len(found)
        total = {"principal": 0.0, "agent": 0.0}
        for (contract, choice, _), task in zip(found, tasks, strict=True):
            game, i = self.on(self.faced(contract, task)), self.labels.index(choice.generator)
            total["principal"] += game.profits(contract)[i] / len(found)
            total["agent"] += game.utilities(contract)[i] / len(found)
        return total

    # --- the solutions --------------------------------------------------------------------------------------------------
    @property
    def source(self) -> str:
        return self.average.source + "; task by task, derived"

    def plans(self) -> dict[str, Plan]:
        return _plans(self)

    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        if rules.get("chooses") != "after":
            return self.average.benchmarks(rules)
        return [self._benchmark(name, plan, rules) for name, plan in self.plans().items()]

    def _benchmark(self, name: str, plan: Plan, rules: Rules) -> Benchmark:
        kind, note = under(rules, plan)
        if plan.fields is None:
            return Benchmark(name=name, kind=kind, source=self.source, value={"principal": None, "agent": None},
                             measures=dict(plan.measures), note=note)
        contract = self.contract.model_validate(dict(plan.fields))
        value, obeyed = {"principal": 0.0, "agent": 0.0}, 0.0
        for p, rows in zip(self.task_chances, self.by_task, strict=True):
            game = self.on(rows)
            i = game.reply(contract, plan.action)
            assert i is not None, "nobody may decline"
            obeyed += p * (i == self.wanted)
            value["principal"] += p * game.profits(contract)[i]
            value["agent"] += p * game.utilities(contract)[i]
        return Benchmark(name=name, kind=kind, source=self.source, value=value, note=note,
                         measures={**dict(plan.measures), "obeyed": obeyed})

    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        if rules.get("chooses") != "after":
            return self.average.strategy(benchmark, role, rules)
        plan = self.plans()[benchmark]

        def principal(information: Information, want: type[Move]) -> Mixed:
            return surely(want.model_validate(dict(plan.fields or ())))

        def agent(information: Information, want: type[Move]) -> Mixed:
            kind, posted = learned(information, TaskKind)[-1], heard(information, Contract)[-1]
            i = self.on(kind.chances).reply(posted, plan.action)
            assert i is not None, "nobody may decline"
            return surely(want.model_validate({"generator": self.labels[i]}))

        return principal if role == "principal" else agent

    def options(self, role: Role, information: Information, want: type[Move], rules: Rules,
                level: int | None = None) -> tuple[tuple[Move | None, float], ...]:
        kinds = learned(information, TaskKind)
        game = self.on(kinds[-1].chances) if kinds else self.average
        return game.options(role, information, want, rules, level)


@lru_cache(maxsize=256)
def _average(game: PromptedContract) -> TextContract:
    mean = np.tensordot(np.asarray(game.task_chances), np.asarray(game.by_task), 1)
    return TextContract(outcome_probabilities=tuple(tuple(float(x) for x in row) for row in mean), costs=game.costs, rewards=game.rewards,
                        target=game.target, objective=game.objective, shape=game.shape, cost_bound=game.cost_bound)


@lru_cache(maxsize=256)
def _plans(game: PromptedContract) -> dict[str, Plan]:
    average, tasks = game.average, np.asarray(game.by_task)
    best = np.asarray(average.outcome_probabilities)[game.wanted]
    apart = tasks[:, [game.wanted]] - np.delete(tasks, game.wanted, 1)
    others = np.vstack(list(best - apart))
    gaps = np.tile(game.costs[game.wanted] - np.delete(game.costs, game.wanted), len(tasks))
    missing = "no one contract makes the target the choice on every kind of task"
    found = {"cost_aware": gaps, "cost_robust": np.full(gaps.size, average.bound)}
    plans = {name: _plan(solve(others, best, g, game.objective, game.shape), best, game.wanted, missing) for name, g in found.items()}
    on_average = average.plans()["cost_aware"]
    plans["average"] = Plan("baseline", on_average.fields, game.wanted, on_average.measures,
                            "the contract that would do if tasks were not told apart" if on_average.fields else on_average.note)
    plans["unpaid"] = Plan("baseline", (("payments", (0.0,) * game.outcomes),), game.wanted, (("expected_pay", 0.0),),
                           "the cheapest generator")
    return plans


def _plan(found: Payments | None, best: Any, wanted: int, missing: str) -> Plan:
    names = ("objective", "expected_pay", "budget", "deviation")
    if found is None:
        return Plan("optimum", None, wanted, tuple(dict.fromkeys(names).items()), missing)
    numbers = (found.value, float(best @ found.pay), float(found.pay.max()), spread(found.pay, best))
    return Plan("optimum", (("payments", tuple(float(t) for t in found.pay)),), wanted, tuple(zip(names, numbers, strict=True)))

"""Pay for text by its quality with a menu of contracts, when the writer alone knows what writing costs.

    K     kinds of writer, drawn by nature, known to the agent alone      chances q_k, `kind_chances`
    c_k   kind_costs               costs of the n generators by kind      K x n, money, at least 0
    F     outcome_probabilities    as in `text_contract`                  n x m
    r     rewards                  what an outcome is worth               m, money

The principal posts K contracts, the agent reports a kind, which nobody checks, is paid by the contract of that kind, and chooses
a generator in private. `optimal_menu`: the greatest expected r - t over menus at which every kind does best to report itself and
take the generator meant for it (revelation principle; a linear program for each of the n^K assignments). `single_contract`: the
same if all contracts are one. `first_best`: every kind's generator of greatest welfare for its cost; nobody may attain it.
`robust_contract`: one contract by which the costliest generator is the choice of every kind: it needs no report. If one generator
is meant for all kinds, a menu is worth no more than one contract, so reports are worth something only where kinds are to act
differently. Ties: the agent does what is meant for it, if it is a best reply; else what is best for the principal, else the last.
Checked example (the defaults): optimal menu .85, single contract .8.

Source: R. Myerson, J. Mathematical Economics 10 (1982); G. Guruganesh, J. Schneider, J. Wang, "Contracts under moral hazard and
adverse selection", EC 2021; the model of outcomes is that of Saig, Einav and Talgam-Cohen (2024).
"""
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, create_model, model_validator

from ..errors import RulesError
from .base import (
    NATURE,
    SLACK,
    Benchmark,
    Information,
    Mixed,
    Money,
    Move,
    Observation,
    Play,
    Role,
    Rules,
    State,
    Strategy,
    heard,
    learned,
    surely,
)
from .base import Kind as Sort
from .contracting import EXACT, Choice, Contracting, Outcome, Plan, Row, check_chances
from .screened_contract_words import NURSERY, PLAIN, Menu, Offered, Report, Writer
from .solvers.contract import solve
from .solvers.screening import best_menu
from .text_contract_words import Brief, Contract, contract_of

ROOM = 10.0
"""How many times the greatest amount of the instance a contract may pay."""


class WriterKind(State):
    """Which kind of writer it is, from 0."""
    kind: int


class ScreenedContract(Contracting):
    wordings = (PLAIN, NURSERY)
    ties = "the agent does what is meant for its kind, if it is a best reply; else what is best for the principal"

    outcome_probabilities: Annotated[tuple[Row, ...], Field(min_length=1)] = ((0.6, 0.3, 0.1), (0.0, 0.9, 0.1), (0.1, 0.1, 0.8))
    kind_costs: Annotated[tuple[tuple[Annotated[float, Field(ge=0)], ...], ...], Field(min_length=2)] = ((0.0, 0.2, 0.9), (0.0, 0.0, 0.5))
    kind_chances: Row = (0.5, 0.5)
    rewards: tuple[Annotated[float, Field(ge=0)], ...] = (0.0, 1.0, 2.0)
    costs: tuple[float, ...] = ()
    target: None = None
    participation: Literal[False] = False

    @model_validator(mode="after")
    def _fits(self) -> "ScreenedContract":
        n, m = len(self.outcome_probabilities), len(self.outcome_probabilities[0])
        check_chances(self.outcome_probabilities, "outcome_probabilities")
        check_chances((self.kind_chances,), "kind_chances")
        if len(self.kind_chances) != len(self.kind_costs) or any(len(c) != n for c in self.kind_costs):
            raise ValueError("kind_costs: a row per kind, a cost per generator; kind_chances: one per kind")
        if len(self.rewards) != m:
            raise ValueError(f"rewards: {len(self.rewards)} given for {m} outcomes")
        if self.costs:
            raise ValueError("costs: give kind_costs, a row per kind of writer")
        if n ** len(self.kind_costs) > 4096:
            raise ValueError("at most 4,096 assignments of generators to kinds can be searched")
        return self

    # --- who knows what -------------------------------------------------------------------------------------------------
    def states(self) -> tuple[tuple[float, State], ...]:
        return tuple((p, WriterKind(kind=k)) for k, p in enumerate(self.kind_chances) if p > 0)

    def observe(self, role: Role, state: Any) -> Observation:
        if role == "principal":
            return Offered(labels=self.labels, chances=self.outcome_probabilities, costs=self.kind_costs, kinds=self.kind_chances,
                           rewards=self.rewards)
        brief = Brief(labels=self.labels, chances=self.outcome_probabilities, costs=self.borne(state), bound=0.0, rewards=None,
                      wanted=self.labels[-1], declines=False)
        return Writer(kind=state.kind, kinds=len(self.kind_costs), brief=brief)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:len(self.outcome_probabilities)])

    @property
    def contract(self) -> type[Move]:
        return _menu(len(self.kind_costs), self.outcomes, self.payment_cap)

    @property
    def payment_cap(self) -> float:
        return ROOM * max(*self.rewards, *(t for row in _solutions(self).values() for t in np.ravel(row[0])))

    @property
    def outcomes(self) -> int:
        return len(self.rewards)

    def admit(self, rules: Rules) -> None:
        if not rules.get("menus", False):
            raise RulesError("a menu must be posted and a kind reported: play it under 'menu_contract'")

    @property
    def usual_protocol(self) -> str:
        return "menu_contract"

    @property
    def usual_rules(self) -> Rules:
        return Rules.of(posts=True, menus=True)

    @property
    def increment(self) -> float:
        return max(max(costs) - min(costs) for costs in self.kind_costs)

    @property
    def report(self) -> type[Move]:
        """The Move with which the agent reports its kind."""
        return _report(len(self.kind_costs))

    # --- what it is worth -----------------------------------------------------------------------------------------------
    def borne(self, state: Any) -> Row:
        return self.kind_costs[state.kind]

    def buys(self, state: Any) -> int:
        return _solutions(self)["optimal_menu"][1][state.kind]

    def rows(self, contract: Any) -> tuple[Row, ...]:
        return self.outcome_probabilities

    def paid(self, contract: Contract) -> Row:
        return contract.payments

    def worth(self, contract: Any) -> Row:
        return self.rewards

    def bounds(self, role: Role) -> tuple[float, float]:
        dear = max(max(costs) for costs in self.kind_costs)
        return (-dear, self.payment_cap) if role == "agent" else (min(self.rewards) - self.payment_cap, max(self.rewards))

    def signed(self, menu: Any, report: Any) -> Contract:
        """The contract of the kind that was reported."""
        made = contract_of(self.outcomes, self.payment_cap).model_validate({"payments": menu.contracts[int(report.kind) - 1]})
        assert isinstance(made, Contract)
        return made

    def rounds(self, play: Play) -> list[tuple[Any, Choice, int | None]]:
        contract = self.signed(play.last("principal", Menu), play.last("agent", Report))
        return [(contract, play.last("agent", Choice), play.last(NATURE, Outcome).outcome)]

    def _value(self, play: Play, drawn: bool) -> dict[Role, float]:
        (contract, choice, j), = self.rounds(play)
        i = self.labels.index(choice.generator)
        chances = [float(k == j) for k in range(self.outcomes)] if drawn else self.outcome_probabilities[i]
        pay = sum(p * t for p, t in zip(chances, contract.payments, strict=True))
        return {"principal": sum(p * r for p, r in zip(chances, self.rewards, strict=True)) - pay,
                "agent": pay - self.borne(play.state)[i]}

    # --- the solutions --------------------------------------------------------------------------------------------------
    @property
    def source(self) -> str:
        return "Myerson (1982); Guruganesh, Schneider and Wang (2021)"

    def plans(self) -> dict[str, Plan]:
        raise NotImplementedError

    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        found = []
        for name, (menu, assigned) in _solutions(self).items():
            pays = np.array([menu[k] @ self._table[a] for k, a in enumerate(assigned)])
            worth = np.array([self._table[a] @ np.asarray(self.rewards) for a in assigned])
            cost = np.array([self.kind_costs[k][a] for k, a in enumerate(assigned)])
            q = np.asarray(self.kind_chances)
            found.append(Benchmark(
                name=name, kind=KINDS[name], source=self.source, note=NOTES[name],
                value={"principal": float(q @ (worth - pays)), "agent": float(q @ (pays - cost))},
                measures={"expected_pay": float(q @ pays), "budget": float(menu.max()),
                          **{f"action_{k + 1}": float(a) for k, a in enumerate(assigned)}}))
        if "robust_contract" not in _solutions(self):
            found.append(Benchmark(name="robust_contract", kind="baseline", source=self.source, value={"principal": None, "agent": None},
                                   note="no one contract makes the last generator the choice of every kind"))
        return found

    @property
    def _table(self) -> Any:
        return np.asarray(self.outcome_probabilities)

    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        menu, assigned = _solutions(self)[benchmark]

        def principal(information: Information, want: type[Move]) -> Mixed:
            return surely(want.model_validate({"contracts": menu.tolist()}))

        def agent(information: Information, want: type[Move]) -> Mixed:
            kind = learned(information, Writer)[-1].kind
            if issubclass(want, Report):
                posted = [Contract(payments=t) for t in heard(information, Menu)[-1].contracts]
                best = self._best(kind, list(enumerate(posted)), assigned[kind])
                return surely(want.model_validate({"kind": str((kind if kind in [k for k, _ in best] else best[-1][0]) + 1)}))
            best = self._best(kind, [(kind, heard(information, Contract)[-1])], assigned[kind])
            i = assigned[kind] if assigned[kind] in [a for _, a in best] else best[-1][1]
            return surely(want.model_validate({"generator": self.labels[i]}))

        return principal if role == "principal" else agent

    def _best(self, kind: int, offers: list[tuple[int, Contract]], meant: int) -> list[tuple[int, int]]:
        """(report, generator) pairs that are best for the agent, the one best for the principal last; if the meant pair is among
        them, it alone."""
        worth = [(float(self._table[i] @ np.asarray(t.payments)) - self.kind_costs[kind][i],
                  float(self._table[i] @ (np.asarray(self.rewards) - np.asarray(t.payments))), k, i)
                 for k, t in offers for i in range(len(self.labels))]
        top = max(u for u, *_ in worth)
        best = sorted((v, k, i) for u, v, k, i in worth if u >= top - 10 * SLACK)
        return [(kind, meant)] if any((k, i) == (kind, meant) for _, k, i in best) else [(k, i) for _, k, i in best]

    def options(self, role: Role, information: Information, want: type[Move], rules: Rules,
                level: int | None = None) -> tuple[tuple[Move | None, float], ...]:
        if role == "principal":
            raise RulesError("a menu is chosen from a continuum: the principal cannot be a person who weighs options")
        kind = learned(information, Writer)[-1].kind
        costs = np.asarray(self.kind_costs[kind])
        if issubclass(want, Report):
            menu = heard(information, Menu)[-1].contracts
            found = [(want.model_validate({"kind": str(k + 1)}), float(np.max(self._table @ np.asarray(t) - costs)))
                     for k, t in enumerate(menu)]
            return (*(x for k, x in enumerate(found) if k != kind), found[kind])
        pay = np.asarray(heard(information, Contract)[-1].payments)
        return tuple((want.model_validate({"generator": label}), float(u))
                     for label, u in zip(self.labels, self._table @ pay - costs, strict=True))


KINDS: dict[str, Sort] = {"optimal_menu": "optimum", "single_contract": "baseline", "robust_contract": "baseline", "first_best": "bound"}
NOTES = {"optimal_menu": "every kind reports itself", "single_contract": "the best of menus whose contracts are one: no report is needed",
         "robust_contract": "one contract that makes the last generator the choice of every kind, at least pay",
         "first_best": "every kind's generator of greatest welfare, for its cost"}


@lru_cache(maxsize=256)
def _solutions(game: ScreenedContract) -> dict[str, tuple[Any, tuple[int, ...]]]:
    """Name -> (contracts by kind, generators by kind)."""
    table, costs, rewards = np.asarray(game.outcome_probabilities), np.asarray(game.kind_costs), np.asarray(game.rewards)
    menu = best_menu(table, costs, rewards, game.kind_chances)
    single = best_menu(table, costs, rewards, game.kind_chances, single=True)
    found = {"optimal_menu": (menu.contracts, menu.actions), "single_contract": (single.contracts, single.actions)}
    last = len(table) - 1
    robust = solve(table[:-1], table[-1], (costs[:, [last]] - costs[:, :last]).max(axis=0))
    if robust is not None:
        found["robust_contract"] = (np.tile(robust.pay, (len(costs), 1)), (last,) * len(costs))
    best = tuple(int(i) for i in np.argmax(table @ rewards - costs, axis=1))
    found["first_best"] = (np.array([[costs[k, i]] * len(rewards) for k, i in enumerate(best)]), best)
    return found


@lru_cache(maxsize=256)
def _menu(kinds: int, outcomes: int, cap: float) -> type[Move]:
    entry: Any = Annotated[Money, Field(ge=0, le=cap), EXACT]
    row: Any = Annotated[tuple[entry, ...], Field(min_length=outcomes, max_length=outcomes)]
    menu: Any = Annotated[tuple[row, ...], Field(min_length=kinds, max_length=kinds)]
    return create_model("Menu", __base__=Menu, __module__=Menu.__module__, contracts=(menu, ...))


@lru_cache(maxsize=256)
def _report(kinds: int) -> type[Move]:
    names: Any = Literal[tuple(str(k + 1) for k in range(kinds))]
    return create_model("Report", __base__=Report, __module__=Report.__module__, kind=(names, ...))

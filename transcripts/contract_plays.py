"""Contracts and the choices made under them, as the rows of an arm hold them: what `compliance` measures."""
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..games.base import NATURE, SLACK, Play
from ..games.contracting import NONE, Contracting, Drawn
from ..games.screened_contract_words import Report
from ..games.solvers.obedience import utilities
from .arms import Arm
from .plays import plays


@dataclass(frozen=True)
class Made:
    """One round: what was posted, chosen and paid.

    rows     F as the agent faced it when it chose                 (n, m)
    every    F on every task it might have faced                   tuple of (n, m)
    pay      t, money                                              (m,)
    chosen   the generator's number; None: declined
    outcome  None: declined
    honest   whether the agent reported its own kind; None: it was not asked
    worth    what the outcomes are worth to the principal, money   (m,)
    """
    rows: Any
    every: tuple[Any, ...]
    costs: Any
    pay: Any
    worth: Any
    target: int
    bound: float
    chosen: int | None
    outcome: int | None
    honest: bool | None = None

    @property
    def slack(self) -> float:
        """How much better the target is for the agent than the best alternative, money; ties count as 0."""
        return self._slack(self.rows, self.costs)

    @property
    def slack_everywhere(self) -> float:
        """The least slack over the tasks."""
        return min(self._slack(rows, self.costs) for rows in self.every)

    @property
    def slack_at_worst(self) -> float:
        """The least slack over the tasks at the worst admissible costs: the target dearer by the bound than any other."""
        costs = np.zeros(self.costs.size)
        costs[self.target] = self.bound
        return min(self._slack(rows, costs) for rows in self.every)

    def _slack(self, rows: Any, costs: Any) -> float:
        u = utilities(rows, costs, self.pay)
        found = float(u[self.target] - np.max(np.delete(u, self.target)))
        return 0.0 if abs(found) <= SLACK * max(1.0, float(np.max(self.pay))) else found

    @property
    def utilities(self) -> Any:
        """The agent's expected utility of every generator."""
        return utilities(self.rows, self.costs, self.pay)

    @property
    def regret(self) -> float:
        """What the agent gave up in expectation by its choice, money; declining is worth 0."""
        u = self.utilities
        own = 0.0 if self.chosen is None else float(u[self.chosen])
        lost = max(float(u.max()), own) - own
        return 0.0 if lost <= SLACK * max(1.0, float(np.max(self.pay))) else lost

    @property
    def flat(self) -> bool:
        """Whether every outcome pays the same."""
        return float(np.ptp(self.pay)) <= SLACK

    def mean(self, values: Any) -> float:
        """Expected value, under the chosen generator, of something that depends on the outcome; 0 if the agent declined."""
        return 0.0 if self.chosen is None else float(self.rows[self.chosen] @ values)


def made(arm: Arm) -> dict[int, list[Made]]:
    """Episode -> its rounds, for the episodes that were played to their end. Empty for a game without contracts."""
    game = arm.game
    if not isinstance(game, Contracting):
        return {}
    return {episode: list(rounds(game, play, arm.rules.get("chooses") == "after")) for episode, play in plays(arm)}


def rounds(game: Contracting, play: Play, after: bool) -> Iterator[Made]:
    """The rounds of a play. after: the agent knew the task when it chose."""
    drawn = [m.task for m in play.all(NATURE, Drawn)]
    reports = [r.kind == str(play.state.model_dump()["kind"] + 1) for r in play.all("agent", Report)]
    for at, (contract, choice, outcome) in enumerate(game.rounds(play)):
        told = after and bool(game.tasks)
        every = tuple(np.asarray(game.faced(contract, k)) for k in (range(len(game.tasks)) if told else (None,)))
        chosen = None if choice.generator == NONE else game.labels.index(choice.generator)
        yield Made(every[drawn[at] if told else 0], every, np.asarray(game.borne(play.state), float),
                   np.asarray(game.paid(contract), float), np.asarray(game.worth(contract), float), game.buys(play.state),
                   game.increment, chosen, outcome, reports[at] if reports else None)

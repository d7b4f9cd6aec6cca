"""Suggest breaks to the users of a feed, so that they keep their interest in it.

    alpha   decay of the habit                                                        1/time, > 0
    beta    reinforcement by what is recommended: a number, or one per user           1/time, > 0
    gamma   recovery of interest                                                      1/time, > 0
    delta   depletion of interest by one interaction                                  1/interaction, > 0
    p       break_probability: the share of recommendations replaced by breaks in the benchmark `default`     in [0, 1)
            told         what the coach knows: `model`, the numbers above; `logs`, users' rates under `treatments` alone
            treatments   break probabilities under which the logs were taken
            logs         rates observed, a row per user and a column per treatment; None: the long-run rates themselves
            limit        the most that a rule learned from logs suggests

The coach proposes a break probability for each user. Rate of use follows lam' = (-alpha + rho beta q) lam, interest
q' = (gamma (1 - q) - rho delta lam) q, with rho = 1 - p; payoff: the mean long-run rate over users, (gamma / delta)(1 / rho)
(1 - (alpha / beta) / rho) if rho > alpha / beta, else 0. Breaks beyond p = 1 - alpha / beta (`extinction`) end all use.
`optimal_breaks`: p = max(0, 1 - 2 alpha / beta), interest 1/2. `best_of`: for all users the treatment of highest mean rate in the
logs. `learned`: per user, nonnegative least squares of the logs on g / rho - x / rho^2, p = 1 - 2 x / g in [0, limit].
Ties: the lower break probability. Checked example (the defaults): rate 11.875 without breaks, 12.307692 at p = 0.1875.

Source: Saig and Rosenfeld, "Learning to suggest breaks: sustainable optimization of long-term user engagement", ICML 2023
(arXiv 2211.13585).
"""
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, create_model, model_validator

from .base import SLACK, Benchmark, Game, Information, Kind, Mixed, Move, Observation, Play, Role, Rules, State, Strategy, surely
from .engagement_breaks_words import GARDEN, PLAIN, Breaks, Logs, Model
from .solvers.engagement import best_break, equilibrium, extinction, learn

SOURCE = "Saig and Rosenfeld, Learning to suggest breaks (2023)"
Positive = Annotated[float, Field(gt=0)]
Break = Annotated[float, Field(ge=0, lt=1)]


class Settled(State):
    """Nothing is drawn."""


class EngagementBreaks(Game):
    wordings = (PLAIN, GARDEN)
    textbook = ("Lotka", "Volterra", "predator", "prey", "break coach")
    ties = "the lower break probability"

    alpha: Positive = 0.065
    beta: Positive | Annotated[tuple[Positive, ...], Field(min_length=1)] = 0.16
    gamma: Positive = 0.02
    delta: Positive = 0.001
    break_probability: Break = 0.0
    told: Literal["model", "logs"] = "model"
    treatments: tuple[Break, ...] = (0.0, 0.05, 0.1, 0.15)
    logs: tuple[tuple[Annotated[float, Field(ge=0)], ...], ...] | None = None
    limit: Break = 0.5

    @model_validator(mode="after")
    def _fits(self) -> "EngagementBreaks":
        if len(set(self.treatments)) < 2:
            raise ValueError("treatments: at least two different ones are needed")
        if self.logs is not None and (len(self.logs) != len(self.betas) or any(len(r) != len(self.treatments) for r in self.logs)):
            raise ValueError(f"logs: a row for each of {len(self.betas)} users and a column for each treatment are needed")
        return self

    @property
    def betas(self) -> tuple[float, ...]:
        """Reinforcement, per user."""
        return self.beta if isinstance(self.beta, tuple) else (self.beta,)

    # --- who knows what -------------------------------------------------------------------------------------------------
    def players(self) -> tuple[Role, ...]:
        return ("coach",)

    def states(self) -> tuple[tuple[float, State], ...]:
        return ((1.0, Settled()),)

    def observe(self, role: Role, state: State) -> Observation:
        if self.told == "logs":
            return Logs(treatments=self.treatments, rates=self.records)
        return Model(alpha=self.alpha, betas=self.betas, gamma=self.gamma, delta=self.delta)

    @property
    def records(self) -> tuple[tuple[float, ...], ...]:
        """Rates under the treatments, a row per user."""
        return self.logs or tuple(tuple(self._rate(b, p) for p in self.treatments) for b in self.betas)

    def want(self, role: Role) -> type[Move]:
        return _breaks(len(self.betas))

    # --- what it is worth -----------------------------------------------------------------------------------------------
    def _rate(self, beta: float, p: float) -> float:
        return equilibrium(self.alpha, beta, self.gamma, self.delta, p)[0]

    def mean_rate(self, breaks: tuple[float, ...]) -> float:
        """The long-run rate under a break probability per user, mean over users, interactions per unit time."""
        return sum(self._rate(b, p) for b, p in zip(self.betas, breaks, strict=True)) / len(self.betas)

    def payoffs(self, play: Play) -> dict[Role, float]:
        return {"coach": self.mean_rate(play.last("coach", Breaks).break_probabilities)}

    def bounds(self, role: Role) -> tuple[float, float]:
        return 0.0, self.mean_rate(tuple(best_break(self.alpha, b) for b in self.betas))

    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        kinds: dict[str, Kind] = {"optimal_breaks": "optimum", "default": "baseline", "best_of": "baseline", "learned": "baseline"}
        notes = {"default": "the same break probability for everybody", "optimal_breaks": "for each user, with the model known",
                 "best_of": "the treatment of highest mean rate in the logs, for everybody",
                 "learned": "for each user, by least squares on the logs"}
        found = []
        for name, kind in kinds.items():
            breaks = self._policy(name)
            hidden = name == "optimal_breaks" and self.told == "logs"
            measures = self._measures(breaks)
            lost = "; no gain: without breaks nobody stays" if measures["gain"] is None else ""
            found.append(Benchmark(name=name, kind="bound" if hidden else kind, source=SOURCE, note=notes[name] + lost,
                                   value={"coach": self.mean_rate(breaks)}, measures=measures))
        return found

    def _measures(self, breaks: tuple[float, ...]) -> dict[str, float | None]:
        """Means over users; `relative` is the rate over the best, `gain` the rate over no breaks, less 1."""
        rate, best, none = self.mean_rate(breaks), self.bounds("coach")[1], self.mean_rate((0.0,) * len(breaks))
        states = [equilibrium(self.alpha, b, self.gamma, self.delta, p) for b, p in zip(self.betas, breaks, strict=True)]
        n = len(breaks)
        return {"rate": rate, "extinction": sum(extinction(self.alpha, b) for b in self.betas) / n,
                "break_probability": sum(breaks) / n, "interest": sum(q for _, q in states) / n,
                "extinct": sum(lam <= 0 for lam, _ in states) / n,
                "relative": rate / best if best > SLACK else None, "gain": rate / none - 1 if none > SLACK else None}

    def _policy(self, benchmark: str) -> tuple[float, ...]:
        if benchmark == "optimal_breaks":
            return tuple(best_break(self.alpha, b) for b in self.betas)
        if benchmark == "learned":
            return tuple(learn(self.treatments, row, self.limit)[0] for row in self.records)
        if benchmark == "best_of":
            means = [sum(column) for column in zip(*self.records, strict=True)]
            best = min(p for p, mean in zip(self.treatments, means, strict=True) if mean >= max(means) - SLACK)
            return (best,) * len(self.betas)
        return (self.break_probability,) * len(self.betas)

    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        def coach(information: Information, want: type[Move]) -> Mixed:
            return surely(want.model_validate({"break_probabilities": self._policy(benchmark)}))

        return coach

    @property
    def usual(self) -> str:
        return "learned" if self.told == "logs" else "optimal_breaks"


@lru_cache(maxsize=256)
def _breaks(users: int) -> type[Move]:
    entries: Any = Annotated[tuple[Break, ...], Field(min_length=users, max_length=users)]
    return create_model("Breaks", __base__=Breaks, __module__=Breaks.__module__, break_probabilities=(entries, ...))

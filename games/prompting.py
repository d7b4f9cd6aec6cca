"""A human prompts, an AI responds, round after round, and each learns only what it earned.

In round t the human sends prompt a of K; the AI sees it and gives response b of B; each earns its own noisy reward.

    u1   human_means   K x B: what prompt a answered by b pays the human on average      any numbers; within [0, 1] for Bernoulli
    u2   ai_means      K x B: ... pays the AI
    noise              `bernoulli` 0 or 1 with that mean; `gaussian` unit variance around it; `none` the mean itself
    T    horizon       rounds
    g    tolerance     the largest e of the tolerant benchmarks                           >= 0
    known              whether both are told u1 and u2; with horizon 1 the one-shot Stackelberg game

A cell of -1 cannot be had (Bernoulli: it pays -1 surely), and a response that the human declines is worth -1 to both, never minus
infinity. Payoffs are MEANS PER ROUND, as are all benchmarks and fees. Rewards come from a tape: games/solvers/tape.py, whose seed
is all of the state.

`stackelberg`: b*(a) the AI's best response, a* = argmax u1(a, b*(a)), values u_i(a*, b*). In the game whose means are known it is
an equilibrium, of the stage and so, repeated, of all T rounds; where they are not, it is what those would earn who knew them.
`tolerant`, `self_tolerant` (experimental: its formula is a reconstruction): games/solvers/stackelberg.py. The theorems' bounds:
games/solvers/learning_bounds.py; their value is what the human is guaranteed per round, `stackelberg` less regret / T, and their
measure `regret` is the bound on the sum. Rules may give `delta` (else .05) and `pulls` (else ceil(T^(2/3))).
With `simulation_queries` and horizon 1 the human may try prompts on a simulator before; these solutions need no query and put none.
Under one controller `central`, the largest u1 + u2, is the optimum, and the others are bounds.
Ties: the leader's favourite answer (`stackelberg_weak`: her worst), then the lowest index.
Checked example (the defaults): stackelberg (.6, .4), at the first prompt and response; tolerant the same.

Source: K. Donahue, N. Immorlica, M. Jagadeesan, B. Lucier, A. Slivkins, "Impact of decentralized learning on player utilities in
Stackelberg games", ICML 2024, arXiv:2403.00188; N. Immorlica, "Theoretical models of generative AI in economic environments".
"""
from functools import cached_property
from math import ceil
from random import Random
from typing import Annotated, Any, Literal

from pydantic import Field, create_model, model_validator

from ..errors import RulesError
from .base import Benchmark, Information, Mixed, Move, Observation, Play, Role, Rounds, Rules, Saw, State, Strategy, surely
from .leading import trying
from .prompting_words import PLAIN, STUDIO, Brief, Pair, Prompt, Response, Verdict, labels
from .repeated import Repeated
from .solvers import learning_bounds, tape
from .solvers.stackelberg import Point, alignment, equilibrium, self_tolerant, tolerant

PAPER = "Donahue, Immorlica, Jagadeesan, Lucier, Slivkins, Impact of decentralized learning (2024), arXiv:2403.00188"
TALK = "Immorlica, Theoretical models of generative AI in economic environments"
INFEASIBLE = -1.0
REACH = 8.6
"""No Gaussian number of the tape is further from its mean: sqrt(-2 ln 2^-53) < 8.58."""
DELTA = 0.05
Rows = Annotated[tuple[Annotated[tuple[float, ...], Field(min_length=1)], ...], Field(min_length=1)]


class Tape(State):
    """The seed of every reward; nobody observes it."""
    seed: int


class Prompting(Repeated):
    wordings = (PLAIN, STUDIO)
    textbook = ("prompting game", "stackelberg", "bandit", "prompting")
    ties = "the leader's favourite answer, then the lowest index"

    human_means: Rows = ((0.6, 0.2), (0.5, 0.4))
    ai_means: Rows = ((0.4, 0.0), (0.3, 0.2))
    noise: Literal["bernoulli", "gaussian", "none"] = "none"
    horizon: Annotated[int, Field(ge=1)] = 10
    tolerance: Annotated[float, Field(ge=0)] = 0.05
    known: bool = False

    @model_validator(mode="after")
    def _fits(self) -> "Prompting":
        if len({len(row) for row in (*self.human_means, *self.ai_means)}) > 1 or len(self.human_means) != len(self.ai_means):
            raise ValueError("human_means and ai_means must be tables of one shape: a row per prompt, a column per response")
        if self.noise == "bernoulli" and not all(0 <= x <= 1 or x == INFEASIBLE for x in self._every):
            raise ValueError("with bernoulli noise every mean must be a chance in [0, 1], or -1 for a cell that cannot be had; "
                             'else set noise to "gaussian" or "none"')
        return self

    @property
    def _every(self) -> list[float]:
        return [x for table in (self.human_means, self.ai_means) for row in table for x in row]

    # --- who knows what -------------------------------------------------------------------------------------------------
    def players(self) -> tuple[Role, ...]:
        return ("human", "ai")

    def states(self) -> tuple[tuple[float, State], ...] | None:
        return ((1.0, Tape(seed=0)),) if self.noise == "none" else None

    def sample(self, rng: Random) -> State:
        return Tape(seed=0 if self.noise == "none" else rng.getrandbits(53))

    def observe(self, role: Role, state: State) -> Observation:
        return Brief(human=self.human_means if self.known else None, ai=self.ai_means if self.known else None, noise=self.noise)

    def rounds(self, role: Role) -> Rounds:
        mine, others = (self.prompts, self.responses) if role == "human" else (self.responses, self.prompts)
        return Rounds(total=self.horizon, leads=role == "human", options=mine, others=others)

    # --- what may be done -----------------------------------------------------------------------------------------------
    @cached_property
    def prompts(self) -> tuple[str, ...]:
        """a1 ... aK."""
        return labels("a", len(self.human_means))

    @cached_property
    def responses(self) -> tuple[str, ...]:
        """b1 ... bB."""
        return labels("b", len(self.human_means[0]))

    @cached_property
    def _wants(self) -> dict[str, type[Move]]:
        prompt: Any = Literal[self.prompts]  # as many labels as the instance has
        response: Any = Literal[self.responses]
        return {"human": create_model("Prompt", __base__=Prompt, prompt_id=prompt),
                "ai": create_model("Response", __base__=Response, response_id=response),
                "joint": create_model("Pair", __base__=Pair, prompt_id=prompt, response_id=response)}

    def want(self, role: Role) -> type[Move]:
        return self._wants[role]

    @property
    def length(self) -> int:
        return self.horizon

    @property
    def joint(self) -> type[Move]:
        return self._wants["joint"]

    def split(self, both: Move) -> tuple[Move, Move]:
        assert isinstance(both, Pair)
        lead: Any = self.want("human")
        answer: Any = self.want("ai")
        return lead(prompt_id=both.prompt_id), answer(response_id=both.response_id)

    @property
    def verdict(self) -> type[Move]:
        return Verdict

    def declines(self, verdict: Move) -> bool:
        return isinstance(verdict, Verdict) and verdict.verdict == "decline"

    @property
    def worth_declined(self) -> float:
        return INFEASIBLE

    def admit(self, rules: Rules) -> None:
        if rules.get("rounds") is None and rules.get("leader") is None:
            raise RulesError("this game is played in rounds: use protocol \"prompting\".")
        if rules.get("rounds") is None and self.horizon > 1:
            raise RulesError("simulation_queries plays one round: set horizon = 1, or use protocol \"prompting\".")
        if rules.get("decline") and min(self._every) < INFEASIBLE:
            raise RulesError("a response that pays less than -1 would be declined, and no benchmark here says what then: "
                             "set decline = false, or every mean to at least -1.")

    @property
    def usual_protocol(self) -> str:
        return "prompting"

    @property
    def usual_rules(self) -> Rules:
        return Rules.of(rounds=self.horizon, information="own", price=0.0, decline=False)

    # --- what it is worth -----------------------------------------------------------------------------------------------
    def cell(self, lead: Move, answer: Move) -> tuple[int, int]:
        """The row and column of a prompt and a response."""
        assert isinstance(lead, Prompt) and isinstance(answer, Response)
        return int(lead.prompt_id[1:]) - 1, int(answer.response_id[1:]) - 1

    def reward(self, state: State, lead: Move, answer: Move, visit: int) -> dict[Role, float]:
        assert isinstance(state, Tape)
        a, b = self.cell(lead, answer)
        means = {"human": self.human_means[a][b], "ai": self.ai_means[a][b]}
        if self.noise == "none":
            return means
        draw = tape.bernoulli if self.noise == "bernoulli" else tape.gaussian
        cell = a * len(self.responses) + b
        return {role: draw(mean, state.seed, cell, visit, player) for player, (role, mean) in enumerate(means.items())}

    def payoffs(self, play: Play) -> dict[Role, float]:
        """Mean reward per round."""
        return averaged(self.rewards(play))

    def means(self, play: Play) -> dict[Role, float]:
        """Mean expected reward per round, given the moves."""
        paid = []
        for lead, answer, declined in self.history(play):
            a, b = self.cell(lead, answer)
            paid.append({"human": self.human_means[a][b], "ai": self.ai_means[a][b]} if not declined else
                        {"human": INFEASIBLE, "ai": INFEASIBLE})
        return averaged(paid)

    def bounds(self, role: Role) -> tuple[float, float]:
        cells = [x for row in (self.human_means if role == "human" else self.ai_means) for x in row]
        low, high = min(cells), max(cells)
        if self.noise == "bernoulli":
            high = 1.0
        elif self.noise == "gaussian":
            low, high = low - REACH, high + REACH
        return min(low, INFEASIBLE), high

    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        known = "" if self.known else "what those would earn who knew the means"
        central = rules.get("information") == "central"
        found = [self._central(rules)] if central else []
        for name, weak in (("stackelberg", False), ("stackelberg_weak", True)):
            a, b = equilibrium(self.human_means, self.ai_means, weak)
            measures = {"prompt": a + 1.0, "response": b + 1.0} | ({} if weak else {"L": alignment(self.human_means, self.ai_means)})
            note = known if weak or measures["L"] is not None else f"{known}; L: interests differ without bound".lstrip("; ")
            found.append(Benchmark(name=name, kind="bound" if central else "equilibrium", source=PAPER, measures=measures, note=note,
                                   value=self._net(self.human_means[a][b], self.ai_means[a][b], rules)))
        gamma = self.tolerance
        found.append(self._tolerant("tolerant", tolerant(self.human_means, self.ai_means, gamma), rules, f"tolerance {gamma:g}"))
        found.append(self._tolerant("self_tolerant", self_tolerant(self.human_means, self.ai_means, gamma), rules,
                                    f"experimental: the formula is a reconstruction; tolerance {gamma:g}"))
        return found + self._theorems(rules)

    def _net(self, human: float, ai: float, rules: Rules) -> dict[str, float | None]:
        return {"human": human - self._fee(rules), "ai": ai}

    def _fee(self, rules: Rules) -> float:
        """What a round costs the human; her queries to a simulator cost nothing here, as none is put."""
        return float(rules.get("price", 0.0)) if rules.get("rounds") else 0.0

    def _tolerant(self, name: str, points: tuple[Point, Point], rules: Rules, note: str) -> Benchmark:
        human, ai = points
        return Benchmark(name=name, kind="bound", source=PAPER, value=self._net(human.value, ai.value, rules), note=note,
                         measures={"epsilon_human": human.epsilon, "epsilon_ai": ai.epsilon})

    def _central(self, rules: Rules) -> Benchmark:
        a, b = self._best_cell
        return Benchmark(name="central", kind="optimum", source=PAPER, note="one controller, who counts both payoffs alike",
                         value=self._net(self.human_means[a][b], self.ai_means[a][b], rules),
                         measures={"prompt": a + 1.0, "response": b + 1.0})

    @property
    def _best_cell(self) -> tuple[int, int]:
        cells = [(a, b) for a in range(len(self.prompts)) for b in range(len(self.responses))]
        return max(cells, key=lambda c: self.human_means[c[0]][c[1]] + self.ai_means[c[0]][c[1]])

    def _theorems(self, rules: Rules) -> list[Benchmark]:
        k, b, t = len(self.prompts), len(self.responses), self.horizon
        delta, pulls = rules.get("delta", DELTA), rules.get("pulls", ceil(round(t ** (2 / 3), 9)))
        ratio = alignment(self.human_means, self.ai_means)
        strange = "" if self.noise != "gaussian" and all(0 <= x <= 1 for x in self._every) else "rewards are not within [0, 1]"
        aligned = strange or ("" if self.human_means == self.ai_means else "interests are not aligned: u1 differs from u2")
        partly = strange or ("" if ratio is not None else "interests differ without bound: L does not exist")
        sure = f"per round and with chance 1 - {delta:g}, against a follower of regret min(n, 2 sqrt(2 B n ln(2/d)))"
        adjusted = {"regret": learning_bounds.regret_adjusted_ucb(k, b, t, delta),
                    "regret_as_printed": learning_bounds.regret_adjusted_ucb(k, b, t, delta, arms=1)}
        order = {"regret": None if ratio is None else learning_bounds.lipschitz(k, b, t, ratio)}
        return [
            self._guaranteed("etc_bound", {"regret": learning_bounds.etc(k, b, t, pulls, delta)}, aligned, sure, TALK, rules),
            self._guaranteed("regret_adjusted_ucb_bound", adjusted, aligned, sure, TALK, rules),
            self._guaranteed("lipschitz_bound", order, partly, "an order: constants and logarithms left out", PAPER, rules)]

    def _guaranteed(self, name: str, measures: dict[str, Any], reason: str, note: str, source: str, rules: Rules) -> Benchmark:
        """What the human is left with per round if her regret is as large as the bound."""
        value: dict[str, float | None] = {"human": None}
        if not reason:
            a, b = equilibrium(self.human_means, self.ai_means)
            value = {"human": self.human_means[a][b] - measures["regret"] / self.horizon - self._fee(rules)}
        return Benchmark(name=name, kind="bound", source=source, value=value, note=reason or note,
                         measures=dict.fromkeys(measures) if reason else measures)

    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        weak = benchmark == "stackelberg_weak"
        a, b = self._best_cell if benchmark == "central" else equilibrium(self.human_means, self.ai_means, weak)

        def player(information: Information, want: type[Move]) -> Mixed:
            if issubclass(want, Verdict):
                return surely(Verdict(verdict="accept"))
            if issubclass(want, Pair):
                return surely(want(prompt_id=self.prompts[a], response_id=self.responses[b]))
            if issubclass(want, Prompt):
                if trying(information):
                    return surely(None)
                return surely(want(prompt_id=self.prompts[a]))
            assert issubclass(want, Response)
            return surely(want(response_id=self.responses[self._answer(_asked(information), weak)]))
        return player

    def _answer(self, prompt: Prompt, weak: bool) -> int:
        """The AI's best response to one prompt, by the tie rule."""
        a = int(prompt.prompt_id[1:]) - 1
        return equilibrium([self.human_means[a]], [self.ai_means[a]], weak)[1]


def _asked(information: Information) -> Prompt:
    """The last prompt that the AI saw."""
    return next(o.move for o in reversed(information) if isinstance(o, Saw) and isinstance(o.move, Prompt))


def averaged(paid: list[dict[Role, float]]) -> dict[Role, float]:
    """The mean over rounds; 0 if there were none."""
    return {role: sum(p[role] for p in paid) / max(1, len(paid)) for role in ("human", "ai")}

"""`parlour simulate`: learner against learner over many seeds, into the store, and what came of it as a table."""
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from .. import __version__
from ..agents.learner import Learner
from ..errors import FieldError, InputError
from ..games.base import Game
from ..games.solvers import tape
from ..transcripts import curves
from ..transcripts.choices import Choices, greedy_fraction
from ..transcripts.paths import ROLES, Paths, thinned
from ..transcripts.store import Store
from .design import Fields, agent_of
from .engine import NOISES, Match, simulate

FIRST, SOME = 1000, 32
"""Rounds and seeds of which the greedy fraction is measured: it needs every single round."""
BLOCK = 50
"""Seeds between two writes: what is lost when a simulation is cut off."""


@dataclass(frozen=True)
class Plan:
    """What to simulate: a game with its fields, two learners' specs, the horizon."""
    game: Game
    spec: Fields
    leader: Fields
    follower: Fields
    horizon: int

    @property
    def name(self) -> str:
        """The same for the same simulation by the same version, so that it is gone on with and never done twice."""
        parts = [self.spec, self.game.model_dump(mode="json"), self.leader, self.follower, self.horizon, __version__]
        return f"sim-{hashlib.sha256(to_json(parts)).hexdigest()[:10]}"

    def match(self) -> Match:
        """The two learners at the game's means. Raises InputError where the engine does not know such a game."""
        human, ai, noise = (getattr(self.game, f, None) for f in ("human_means", "ai_means", "noise"))
        if human is None or ai is None or noise is None:
            raise InputError(f"'{self.spec['name']}' cannot be simulated: only `prompting` is played by learners over many rounds.")
        if noise not in NOISES:
            raise FieldError(f"noise '{noise}' cannot be simulated: choose one of {', '.join(NOISES)}.")
        return Match(human, ai, learner(self.leader), learner(self.follower), noise)


def learner(spec: Fields) -> Learner:
    """The learner of a spec. Raises FieldError if that agent is none."""
    made = agent_of(spec)
    if not isinstance(made, Learner):
        raise FieldError(f"agent '{spec['agent']}' does not learn by a formula, so it cannot be simulated: seat it with `parlour run`.")
    return made


def run(plan: Plan, store: Store, seeds: Sequence[int], on_block: Callable[[int, int], None] = lambda done, of: None) -> str:
    """Simulates the seeds that are not in the store yet, block by block. Returns the simulation's name."""
    match, grid = plan.match(), thinned(plan.horizon)
    there = set(curves.begin(store, plan.name, {
        "game": plan.spec["name"], "game_fields": plan.game.model_dump(mode="json"), "leader": plan.leader, "follower": plan.follower,
        "rounds": plan.horizon, "human_means": match.human_means, "ai_means": match.ai_means, "version": __version__,
        "benchmarks": [b.model_dump(mode="json") for b in plan.game.benchmarks(plan.game.usual_rules)]}))
    todo = [seed for seed in seeds if seed not in there]
    for at in range(0, len(todo), BLOCK):
        block = todo[at:at + BLOCK]
        found = simulate(match, plan.horizon, block, grid)
        curves.put(store, plan.name, block, grid, found.plays, found.switched.tolist())
        on_block(at + len(block), len(todo))
    return plan.name


def traced(match: Match, horizon: int, seeds: Sequence[int], leads: bool = True, rounds: int | None = None) -> Iterator[Choices]:
    """What the leader, or the follower, chose and earned in each seed. rounds: only the first so many."""
    means, width, played = match.human_means if leads else match.ai_means, match.shape[1], min(rounds or horizon, horizon)
    draw = {"bernoulli": tape.bernoulli, "gaussian": tape.gaussian}.get(match.noise)
    for seed, cells in zip(seeds, simulate(match, horizon, seeds, [played], record=played).trace.tolist(), strict=True):
        visits: dict[int, int] = {}
        rewards = []
        for cell in cells:
            visit = visits.get(cell, 0)
            visits[cell] = visit + 1
            mean = means[cell // width][cell % width]
            rewards.append(draw(mean, seed, cell, visit, 0 if leads else 1) if draw else mean)
        leaders, answers = tuple(c // width for c in cells), tuple(c % width for c in cells)
        if leads:
            yield Choices(match.shape[0], width, horizon, True, (0,) * played, leaders, tuple(rewards))
        else:
            yield Choices(width, match.shape[0], horizon, False, leaders, answers, tuple(rewards))


def explored(plan: Plan, found: Paths) -> dict[str, float]:
    """How the leader explored, and the follower's instantaneous regret: means over seeds. The greedy fraction is that of the first
    FIRST rounds of as many seeds as SOME."""
    greedy = [greedy_fraction(c) for c in traced(plan.match(), plan.horizon, range(min(SOME, len(found.switched))), rounds=FIRST)]
    return {**found.exploration(), "greedy fraction": sum(greedy) / len(greedy),
            "instantaneous regret": float(found.instantaneous[:, -1].mean())}


def rows(found: Sequence[Paths], level: float = 0.95) -> Iterator[dict[str, Any]]:
    """One line per horizon, role and benchmark: regret with its interval; on the last horizon's line the slope over all."""
    for s in found:
        for role in ROLES:
            for b in s.benchmarks:
                value = b["value"].get(role)
                if value is None or "regret" in b["measures"]:
                    continue  # a theorem's bound on regret is no benchmark to have regret against
                mean, low, high = curves.interval(s.regret(role, value)[:, -1], level)
                fitted = slopes(found, role, b["name"], level) if s is found[-1] else None
                yield {"simulation": s.name, "rounds": s.horizon, "seeds": len(s.switched), "role": role,
                       "benchmark": b["name"], "per_round": value, "regret": mean, "low": low, "high": high,
                       "slope": fitted and fitted[0], "slope_low": fitted and fitted[1], "slope_high": fitted and fitted[2]}


def slopes(found: Sequence[Paths], role: str, benchmark: str, level: float) -> tuple[float, float, float] | None:
    """The exponent of regret over the horizons of several simulations of one pair."""
    known = [{b["name"]: b["value"].get(role) for b in s.benchmarks}.get(benchmark) for s in found]
    if None in known:
        return None
    return curves.slope([s.regret(role, float(v or 0))[:, -1] for s, v in zip(found, known, strict=True)],
                        [s.horizon for s in found], level)

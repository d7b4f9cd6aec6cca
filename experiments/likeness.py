"""How far a seat's choices are from those of each classical learner in its place: mean difference of their frequency curves."""
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from ..errors import FieldError
from ..transcripts.choices import distance, frequencies
from ..transcripts.seated import Seated, seats
from ..transcripts.store import Store
from .design import Fields, game_of
from .simulation import Plan, learner

CLASSICAL = ("ucb1", "regret_adjusted_ucb", "etc", "eetc", "explore_then_ucb", "explore_then_exp3", "epsilon_greedy", "thompson",
             "corral", "active_arm_elimination", "myopic")
SEEDS = 32


def distances(store: Store, run: str) -> Iterator[dict[str, Any]]:
    """Per arm and role, learner -> distance in [0, 1]: |share of an arm up to t - the learner's mean share|, over rounds and arms.

    The learner, at its default setting, is simulated over SEEDS seeds at the same means; in the other seat is the one that sat there
    if it is a learner, else UCB1. Episodes are averaged. Games whose rewards follow no formula, as where texts are scored, are left out.
    """
    arms = {a["arm"]: a for a in store.rows("SELECT arm, game, game_fields, seats FROM arm WHERE run = ?", [run])}
    groups: dict[tuple[str, str], list[Seated]] = {}
    for s in seats(store, run):
        groups.setdefault((s.arm, s.role), []).append(s)
    for (arm, role), met in groups.items():
        spec: Fields = {"name": arms[arm]["game"], **from_json(arms[arm]["game_fields"])}
        if not hasattr(game_of(spec), "noise"):
            continue
        sat = from_json(arms[arm]["seats"])
        yield {"arm": arm, "role": role, **{name: _distance(met, spec, role, name, sat) for name in CLASSICAL}}


def _distance(met: list[Seated], spec: Fields, role: str, name: str, sat: dict[str, Fields]) -> float:
    import numpy as np

    from .engine import simulate

    other = _learning(sat.get("ai" if role == "human" else "human"))
    leader, follower = ({"agent": name}, other) if role == "human" else (other, {"agent": name})
    horizon = met[0].choices.horizon
    match = Plan(game_of(spec), spec, leader, follower, horizon).match()
    cells = simulate(match, horizon, range(SEEDS), [horizon], record=horizon).trace
    played, k = (cells // match.shape[1] if role == "human" else cells % match.shape[1]), met[0].choices.arms
    mean = np.mean([frequencies(row.tolist(), k) for row in played], axis=0)
    return float(np.mean([distance(frequencies(s.choices.chosen, k), mean[:len(s.choices)]) for s in met]))


def _learning(spec: Fields | None) -> Fields:
    """The spec if it is of a learner, else UCB1's."""
    try:
        learner(spec or {"agent": "ucb1"})
    except FieldError:
        return {"agent": "ucb1"}
    return spec or {"agent": "ucb1"}

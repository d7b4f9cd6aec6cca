"""How far a seat's choices are from those of each classical learner in its place: mean difference of their frequency curves."""
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import FieldError
from ..games.prompting import Prompting
from ..registry import name_of
from ..transcripts.choices import distance, frequencies
from ..transcripts.courses import Courses, courses_of
from ..transcripts.store import Store
from .design import Fields
from .simulation import Plan, learner

CLASSICAL = ("ucb1", "regret_adjusted_ucb", "etc", "eetc", "explore_then_ucb", "explore_then_exp3", "epsilon_greedy", "thompson",
             "corral", "active_arm_elimination", "myopic")
SEEDS = 32


def distances(store: Store, run: str) -> Iterator[dict[str, Any]]:
    """Per arm and role, learner -> distance in [0, 1]: |share of an arm up to t - the learner's mean share|, over rounds and arms.

    The learner, at its default setting, is simulated over SEEDS seeds at the same means; in the other seat is the one that sat there
    if it is a learner, else UCB1. Episodes are averaged. One who moves for both is compared with nobody, nor is anyone in games
    whose rewards follow no formula, as where texts are scored.
    """
    for found in courses_of(store, run):
        for role in found.seated if isinstance(found.game, Prompting) and not found.central else ():
            yield {"arm": found.arm.name, "role": role, **{name: _distance(found, role, name) for name in CLASSICAL}}


def _distance(found: Courses, role: str, name: str) -> float:
    import numpy as np

    from .engine import simulate

    leads = role == found.leader
    other = _learning(found.arm.seats.get(found.follower if leads else found.leader))
    leader, follower = ({"agent": name}, other) if leads else (other, {"agent": name})
    game = found.game
    match = Plan(game, {"name": name_of(game)}, leader, follower, game.length).match()
    cells = simulate(match, game.length, range(SEEDS), [game.length], record=game.length).trace
    played = cells // match.shape[1] if leads else cells % match.shape[1]
    met = [found.choices(course, role) for course in found.all.values()]
    mean = np.mean([frequencies(row.tolist(), met[0].arms) for row in played], axis=0)
    return float(np.mean([distance(frequencies(c.chosen, c.arms), mean[:len(c)]) for c in met]))


def likenesses(seats: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Per arm and role: in how many episodes each learner explains the seat best, and the mean chance it gave to the choices."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for s in seats:
        groups.setdefault((s["arm"], s["role"]), []).append(s)
    for (arm, role), own in groups.items():
        for name, n in Counter(s["learner"] for s in own).most_common():
            agreed = [s["agreement"] for s in own if s["learner"] == name]
            yield {"arm": arm, "role": role, "learner": name, "episodes": n, "of": len(own), "agreement": sum(agreed) / n}


def _learning(spec: Fields | None) -> Fields:
    """The spec if it is of a learner, else UCB1's."""
    try:
        learner(spec or {"agent": "ucb1"})
    except FieldError:
        return {"agent": "ucb1"}
    return spec or {"agent": "ucb1"}

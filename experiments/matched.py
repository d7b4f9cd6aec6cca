"""Whoever leads against learners who lead in his place: the paired difference in expected regret at the same horizon, on one tape."""
from collections.abc import Iterator
from typing import Any

from ..errors import FieldError
from ..games.repeated import Repeated
from ..transcripts.arms import Arm, arms_of
from ..transcripts.learning import regrets
from ..transcripts.statistics import paired
from ..transcripts.store import Store
from .simulation import learner

NO_SLOPE = ("slope: none is given. Up to 1,000 rounds identify no rate at which regret grows; compare regret at the same horizon on the "
            "same tape, arm against arm.")


def matched(store: Store, run: str, level: float = 0.95) -> list[dict[str, Any]]:
    """Per pair of arms and role the difference of regret summed over all rounds, first less second, with its interval.

    The first arm's leader is no learner, the second's is one; game, follower and benchmarks are the same, so that the difference is
    the same against every benchmark. Empty where there are no such arms.
    """
    with store.reading():
        arms = [a for a in arms_of(store, run, level) if isinstance(a.game, Repeated)]
        return [line for one in arms if not _learns(one) for other in arms if _learns(other) and _alike(one, other)
                for line in _differences(one, other)]


def _differences(one: Arm, other: Arm) -> Iterator[dict[str, Any]]:
    assert isinstance(one.game, Repeated)
    for role in one.game.players():
        try:
            rows = [regrets(arm, role, 0.0, one.game.length) for arm in (one, other)]
            found = paired(rows[0], rows[1], one.level, one.inference)
        except ValueError:  # no episode of the two met the same tape
            return
        yield {"first": one.name, "second": other.name, "role": role, "difference": found.mean, "low": found.low, "high": found.high,
               "n": found.n, "interval": found.method}


def _learns(arm: Arm) -> bool:
    """Whether the leader's seat is a learner."""
    assert isinstance(arm.game, Repeated)
    try:
        learner(dict(arm.seats[arm.game.players()[0]]))
    except FieldError:
        return False
    return True


def _alike(one: Arm, other: Arm) -> bool:
    """Whether two arms differ in nothing but who leads and how much she is told."""
    leader = one.game.players()[0]
    rest = [{k: v for k, v in a.seats.items() if k != leader} for a in (one, other)]
    values = [[(b.name, b.value) for b in a.benchmarks] for a in (one, other)]
    return one.game == other.game and rest[0] == rest[1] and values[0] == values[1]

"""How the seats of a run learned, from its rows: regret, exploration, the follower's errors.

Over T rounds, with benchmark value V per round and u the mean rewards of the cells, net of the price of a round:

    expected regret       V T - sum_t u(a_t, b_t)                    from the means of the cells played, not from what they paid; of
                                                                     texts that were scored, from what their scores paid
    suffix failure        1 if the leader never plays the best prompt after round T / 2: of episodes, their frequency
    min fraction          K min_a n_a / T                            1 for one who plays all alike, 0 for one who leaves an arm out
    greedy fraction       the share of rounds that took an arm of the highest mean reward so far
    last switch           the last round whose arm was not that of the round before
    instantaneous regret  max_b u2(a_t, b) - u2(a_t, b_t), the follower's, in the mean over rounds

The best prompt is the one that is best for the leader if the follower answers best; where the means of the cells are not known,
there is neither suffix failure nor instantaneous regret. Means are over episodes, with intervals by
`statistics`; episodes that were not played to their end have no value.

Sources: K. Donahue et al., "Impact of decentralized learning on player utilities in Stackelberg games", arXiv:2403.00188; A.
Krishnamurthy et al., "Can large language models explore in-context?", arXiv:2403.15371.
"""
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..games.base import Role
from .arms import Arm, Score, arms_of
from .choices import greedy_fraction, last_switch, min_fraction, suffix_failure
from .courses import Courses, courses
from .intervals import wilson
from .sampling import Row
from .store import Store


def learned(store: Store, run: str, level: float = 0.95) -> list[Score]:
    """Every measure of every arm that is played in rounds, a line each. Empty for runs of other games."""
    with store.reading():
        return [line for arm in arms_of(store, run, level) if (found := courses(arm)) for line in _lines(arm, found)]


def _lines(arm: Arm, found: Courses) -> Iterator[Score]:
    for b in arm.benchmarks:
        if "regret" in b.measures:
            continue  # a theorem's bound on regret is no benchmark to have regret against
        for role, value in b.value.items():
            if value is not None:
                lost = arm.mean(regrets(arm, role, value, found.game.length))
                yield arm.line("expected regret", role, b.name, lost) | {"benchmark_value": value, "kind": b.kind}
    for role in found.seated:
        yield from _explored(arm, found, role)


def regrets(arm: Arm, role: Role, per_round: float, rounds: int) -> list[Row]:
    """Expected regret over all rounds, a row per episode."""
    return [replace(r, value=None if r.value is None else -rounds * r.value, low=-rounds * r.high, high=-rounds * r.low)
            for r in arm.rows(role, per_round, of="mean")]


def _explored(arm: Arm, found: Courses, role: Role) -> Iterator[Score]:
    measured = {episode: measures(found, episode, role) for episode in found.all}
    limits = {"last switch": (1.0, float(found.game.length))}
    if found.game.measured:
        limits["instantaneous regret"] = 0.0, found.most_lost
    for what in next(iter(measured.values())):
        low, high = limits.get(what, (0.0, 1.0))
        rows = [arm.row(e, measured[e["episode"]][what] if e["episode"] in measured else None, low, high) for e in arm.episodes]
        line = arm.line(what, role, estimate=arm.mean(rows))
        yield line | _share(line, arm) if what == "suffix failure" else line


def _share(line: Score, arm: Arm) -> Score:
    """The interval of a frequency: by Wilson, over as many episodes as the sample is worth."""
    if arm.exact:
        return {}
    n = line["n"] - line["missing"]
    low, high = wilson(round(line["value"] * n), n, arm.level, max(1, round(line["effective_n"])))
    return {"low": low, "high": high, "method": "Wilson"}


def measures(found: Courses, episode: int, role: Role) -> Mapping[str, float]:
    """The measures of one seat in one episode."""
    course = found.all[episode]
    choices = found.choices(course, role)
    made = {"min fraction": min_fraction(choices.chosen, choices.arms), "greedy fraction": greedy_fraction(choices),
            "last switch": float(last_switch(choices.chosen))}
    if not found.game.measured:
        return made
    if role == found.leader:
        made["suffix failure"] = float(suffix_failure(course.leads, found.best, len(course.leads) // 2))
    else:
        made["instantaneous regret"] = found.lost(course)
    return made

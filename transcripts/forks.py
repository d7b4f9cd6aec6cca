"""What a change did: the forks of a run against the episodes they were forked from, pair by pair, from rows alone.

Estimand   the mean, over the origins chosen and weighted as they are, of what a role gets after the change less what it got.
Pairs      every copy with its origin, the origin's weight shared among its copies. Copies of one origin, and origins that met
           the same draws, are one cluster (dimension `draws`).
With one origin there is one cluster: the interval is over its copies, and speaks of what would come of that episode.
"""
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .arms import Arm, Score, arms_of
from .sampling import DRAWS, Row
from .statistics import Estimate, paired
from .store import Store


def effects(store: Store, run: str, level: float = 0.95) -> list[Score]:
    """Per arm and role, copies minus origins: one score each, of quantity `effect`. Empty if the run has no forks."""
    links = {r["episode"]: r for r in store.rows("SELECT * FROM fork WHERE run = ?", [run])}
    before = [arm for origin in {r["origin_run"] for r in links.values()} for arm in arms_of(store, origin, level)]
    found: list[Score] = []
    for arm in arms_of(store, run, level) if links else ():
        for role in arm.seated():
            old = {e["episode"]: row for b in before if role in b.seated()
                   for e, row in zip(b.episodes, b.rows(role), strict=True)}
            found.append(arm.line("effect", role, "fork - origin", _effect(arm, role, old, links, level)))
    return found


def _effect(arm: Arm, role: str, old: Mapping[int, Row], links: Mapping[int, dict[str, Any]],
            level: float) -> Estimate:
    after, origin, origins = [], [], set()
    for e, row in zip(arm.episodes, arm.rows(role), strict=True):
        link = links[e["episode"]]
        past = old[link["origin_episode"]]
        key = f"{link['origin_episode']}/{link['copy']}"
        tape = {DRAWS: f"{e['stratum']}/{e['replicate']}"}
        origins.add(link["origin_episode"])
        after.append(replace(row, key=key, clusters={**row.clusters, **tape}))
        origin.append(replace(past, key=key, clusters={**past.clusters, **tape}, weight=row.weight))
    found = paired(after, origin, level, arm.inference)
    note = "one origin: what would come of that episode" if len(origins) == 1 else ""
    return replace(found, note="; ".join(filter(None, (found.note, note))))

"""Scoring a run once more: the sets of scores that were kept, and benchmarks as this version computes them."""
from typing import Any

from ..games.base import SLACK, Benchmark
from .arms import arms_of
from .store import Store

KEPT = """
SELECT strftime(make_timestamp((written * 1e6)::BIGINT), '%Y-%m-%d %H:%M:%S') AS utc, scorer, version, level, count(*) AS scores
FROM score WHERE run = ? GROUP BY written, scorer, version, level ORDER BY written
"""


def kept(store: Store, run: str) -> list[dict[str, Any]]:
    """The sets of scores kept of a run, oldest first: when, by which scorer of which version, at which level, how many."""
    return store.rows(KEPT, [run])


def differences(store: Store, run: str) -> list[dict[str, Any]]:
    """Benchmark by benchmark, what this version computes otherwise than is on record; empty if nothing.

    Each has arm, benchmark, what (a role, a measure, or "kind"), recorded and now; None: not there, or it does not exist.
    """
    found: list[dict[str, Any]] = []
    for arm in arms_of(store, run):
        old, new = _numbers(arm.benchmarks), _numbers(arm.game.benchmarks(arm.rules))
        for key in dict.fromkeys((*old, *new)):
            if not _alike(old.get(key), new.get(key)):
                found.append({"arm": arm.name, "benchmark": key[0], "what": key[1], "recorded": old.get(key),
                              "now": new.get(key)})
    return found


def _numbers(benchmarks: list[Benchmark]) -> dict[tuple[str, str], float | str | None]:
    found: dict[tuple[str, str], float | str | None] = {}
    for b in benchmarks:
        found[b.name, "kind"] = b.kind
        found |= {(b.name, f"value for {role}"): v for role, v in b.value.items()}
        found |= {(b.name, name): v for name, v in b.measures.items()}
    return found


def _alike(a: float | str | None, b: float | str | None) -> bool:
    if isinstance(a, float | int) and isinstance(b, float | int):
        return abs(a - b) <= SLACK * max(1.0, abs(a))
    return a == b

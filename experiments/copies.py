"""What the report of a run of copies says of its origin: which run, what was changed, how many episodes, and what came of it."""
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from ..reports.document import Code, Figure, Section, Table
from ..transcripts.arms import Score
from ..transcripts.forks import effects
from ..transcripts.shares import SUM, shares, swaps
from ..transcripts.store import Store
from .check import who

GROUPS = """
SELECT f.origin_run, f.turn, f.change, count(DISTINCT f.origin_episode) AS episodes, count(*) AS copies, count(n.episode) AS ended
FROM fork f LEFT JOIN ending n USING (run, episode) WHERE f.run = ? GROUP BY ALL ORDER BY ALL"""


def copied(store: Store, run: str) -> int:
    """How many copies of recorded episodes a run consists of; 0 for a run of its own."""
    return int(store.rows("SELECT count(*) AS n FROM fork WHERE run = ?", [run])[0]["n"])


def origins(store: Store, run: str) -> list[str]:
    """The runs of which a run holds copies."""
    return [r["origin_run"] for r in store.rows("SELECT DISTINCT origin_run FROM fork WHERE run = ? ORDER BY 1", [run])]


def descent(store: Store, run: str, level: float) -> Iterator[Section]:
    """The section on where the copies come from; none for a run of its own."""
    groups = store.rows(GROUPS, [run])
    if not groups:
        return
    swapped = any("swapped" in from_json(g["change"]) for g in groups)
    absent = [o for o in origins(store, run) if not _episodes(store, o)]
    parts: list[str | Table | Figure | Code] = list(_swaps(groups) if swapped else (_said(store, g) for g in groups))
    if absent:
        parts.append(f"What came of it cannot be computed here: run {', '.join(absent)} is not in this store.")
    elif swapped:
        parts += _blame(store, run, level)
    else:
        parts.append(_effects(effects(store, run, level), level))
    yield Section("Swaps" if swapped else "Fork", parts)


def _episodes(store: Store, run: str) -> int:
    return int(store.rows("SELECT count(*) AS n FROM episode WHERE run = ?", [run])[0]["n"])


def _said(store: Store, g: dict[str, Any]) -> str:
    """One change, in words."""
    of, times = _episodes(store, g["origin_run"]), g["copies"] // g["episodes"]
    return (f"This run is a fork of run {g['origin_run']}: {g['episodes']} of its {f'{of} ' if of else ''}episodes were played again, "
            f"{times} time(s) each. Up to turn {g['turn']} the words and draws are those on record; {_changed(from_json(g['change']))}. "
            f"{g['ended']} of {g['copies']} copies have ended.")


def _changed(change: dict[str, Any]) -> str:
    if "seats" in change:
        return "from there on " + ", ".join(f"seat {role} is taken by {who(spec)}" for role, spec in change["seats"].items())
    if "wording" in change:
        return f"from there on the game is told in wording {change['wording']}"
    return f"there other words are said: {change['say']}" if "say" in change else "from there on it is played with nothing changed"


def _effects(found: list[Score], level: float) -> Table:
    return Table("effects", [{"arm": s["arm"], "role": s["role"], "seat": s["seat"], "pairs": s["n"] - s["missing"],
                              "missing": s["missing"], "effect": s["value"], "low": s["low"], "high": s["high"],
                              "effective": s["effective_n"], "interval": s["method"] + (f" ({s['note']})" if s["note"] else "")}
                             for s in found],
                 f"Net payoff in the fork less that in its origin, mean over pairs with its {level:.0%} interval; copies of one origin are "
                 "one cluster.")


def _swaps(groups: list[dict[str, Any]]) -> Iterator[str]:
    """What was swapped for what, per arm of the origin."""
    arms = {(g["origin_run"], c["arm"]): (g, c) for g in groups for c in [from_json(g["change"])]}
    for (run, arm), (g, change) in arms.items():
        worlds = sum((o["origin_run"], c["arm"]) == (run, arm) for o in groups for c in [from_json(o["change"])])
        yield (f"This run repeats {g['episodes']} episodes of arm {arm} of run {run} on the same states and draws, with seats "
               f"{', '.join(change['seats'])} swapped for the strategies of benchmark {change['benchmark']}, in {worlds} coalition(s).")


def _blame(store: Store, run: str, level: float) -> Iterator[Table]:
    found = [s for arm in swaps(store, run, level) for s in shares(arm, SUM, level)]
    yield Table("blame", [{"arm": s["arm"], "of the gap": s["role"], "seat": s["seat"], "benchmark": s["benchmark"], "share": s["value"],
                           "low": s["low"], "high": s["high"], "n": s["n"], "interval": s["method"]} for s in found],
                "The gap between recorded play and the benchmark's on the same draws, summed over roles; the seats' Shapley shares of it; "
                "and luck, what the benchmark is worth less what it got on these draws.")

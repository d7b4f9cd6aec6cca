"""Scores of a run, from its rows alone: mean payoffs, gaps to the benchmarks, rates of bad replies, realised channels.

Nothing here asks a seat or plays a game: it can be done again offline, and says the same. Each time it is done with
`keep`, a new set of rows goes into table `score`; older sets stay.
"""
import time

from .. import __version__
from .arms import Score, arms_of
from .contamination import contaminations
from .interviews import interviews
from .persuasion import persuasions
from .simulations import simulations
from .store import Store

BATCH = 200
"""Rows written by one statement."""


def score(store: Store, run: str, keep: bool = True, level: float = 0.95, recompute: bool = False) -> list[Score]:
    """Every score of a run. Only episodes that ended count; an unfinished run is scored on what there is.

    recompute  gaps are to the benchmarks as this version computes them, not to those on record
    """
    with store.reading():
        arms = arms_of(store, run, level)
        for arm in arms if recompute else ():
            arm.benchmarks = arm.game.benchmarks(arm.rules)
        found = [line for arm in arms for line in (*arm.scores(), *interviews(arm), *contaminations(arm), *persuasions(arm),
                                                   *simulations(arm))]
    if keep:
        put(store, run, found, level, "scores" + (", benchmarks recomputed" if recompute else ""))
    return found


def lines(scores: list[Score]) -> list[Score]:
    """The scores as a table wants them: without what only a screen needs."""
    return [{k: v for k, v in s.items() if k != "first"} for s in scores]


def put(store: Store, run: str, scores: list[Score], level: float, scorer: str) -> None:
    """Adds a set of scores to the store; older sets stay."""
    if not scores:
        return
    now, columns = time.time(), ("arm", "role", "quantity", "benchmark", "value", "low", "high", "worst", "best", "n", "clusters",
                                 "effective_n", "method", "note")
    rows = [[run, now, scorer, __version__, *(s[c] for c in columns), level] for s in scores]
    row = f"({', '.join('?' * (5 + len(columns)))})"
    with store.open(write=True) as db:  # many rows a statement: row by row takes eight times as long
        for some in (rows[i:i + BATCH] for i in range(0, len(rows), BATCH)):
            db.execute(f"INSERT INTO score VALUES {', '.join([row] * len(some))}", [x for one in some for x in one])

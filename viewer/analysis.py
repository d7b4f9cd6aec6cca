"""What a run comes to, as transcripts computes it: means beside benchmarks, rates, paired differences of arms. Kept for a while."""
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from pydantic_core import from_json

from ..transcripts.arms import BLANK, Arm, Score, arms_of
from ..transcripts.hypotheses import as_rows, findings
from ..transcripts.scores import score
from ..transcripts.statistics import contrast
from ..transcripts.store import Store
from .reader import Kept

MOST = 20_000
"""Ended episodes up to which a page computes the scores itself; of larger runs it shows those that were kept last."""
PAIRS = 15
KEPT = """
SELECT arm, role, quantity, benchmark, value, low, high, worst, best, n, clusters, effective_n, method, note FROM score
WHERE run = $run AND scorer = 'scores' AND written = (SELECT max(written) FROM score WHERE run = $run AND scorer = 'scores') ORDER BY rowid
"""
BENCHMARKS = "SELECT arm, name, kind, value FROM benchmark WHERE run = ?"


@dataclass(frozen=True)
class Analysis:
    """The numbers of a run. source: where they come from, in words; differences: arm less arm, on the same draws."""
    scores: list[Score] = field(default_factory=list)
    differences: list[dict[str, Any]] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    source: str = ""

    def of(self, *quantities: str) -> list[Score]:
        """The scores of these quantities."""
        return [s for s in self.scores if s["quantity"] in quantities]

    @property
    def means(self) -> list[dict[str, Any]]:
        """One line per arm and role, with its gaps."""
        gaps = self.of("gap")
        return [{**s, "gaps": [g for g in gaps if (g["arm"], g["role"]) == (s["arm"], s["role"])]} for s in self.of("payoff")]


_kept_here = Kept(16)


def analysis(store: Store, run: str) -> Analysis:
    """The analysis of a run, computed once for as long as the file stays the same. Raises InputError."""
    return _kept_here.get(store, (run,), lambda: _analysis(store, run))


def known(store: Store, run: str) -> bool:
    """Whether the analysis of a run need not be computed."""
    return _kept_here.holds(store, (run,))


def _analysis(store: Store, run: str) -> Analysis:
    with store.reading():
        ended = store.rows("SELECT count(*) AS n FROM ending WHERE run = ?", [run])[0]["n"]
        if not ended:
            return Analysis(source="No episode has ended yet.")
        if ended > MOST:
            return _kept(store, run, ended)
        return Analysis(score(store, run, keep=False), list(_differences(arms_of(store, run))), as_rows(findings(store, run)),
                        "Computed from the rows for this page, by the rules of parlour score.")


def _kept(store: Store, run: str, ended: int) -> Analysis:
    """The scores that were kept last, with the benchmarks they are gaps to."""
    with store.open() as db:
        answer = db.execute(KEPT, {"run": run})
        names = [d[0] for d in answer.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
    values = {(b["arm"], b["name"]): (b["kind"], from_json(b["value"])) for b in store.rows(BENCHMARKS, [run])}
    for row in rows:
        kind, value = values.get((row["arm"], row["benchmark"]), ("", {}))
        row |= {"kind": kind, "benchmark_value": value.get(row["role"], next(iter(value.values()), None)) if value else None}
    source = (f"As parlour score kept them last: {ended} episodes are more than a page computes anew." if rows else
              f"{ended} episodes are more than a page computes: run parlour score {run} once, and they stand here.")
    return Analysis([{**BLANK, **r} for r in rows], source=source)


def _differences(arms: Sequence[Arm]) -> Iterator[dict[str, Any]]:
    """First arm less second of one game, per role that both have, on equal state, draws, wording and persona."""
    alike = [(a, b) for a, b in combinations(arms, 2) if type(a.game) is type(b.game)]
    for a, b in alike[:PAIRS]:
        for role in (r for r in a.seated() if r in b.seated()):
            try:
                e = contrast([(1.0, a.rows(role)), (-1.0, b.rows(role))], a.level, a.exact and b.exact, inference=a.inference)
            except ValueError:  # nothing that both have met
                continue
            yield {"first": a.name, "second": b.name, "role": role, "value": e.mean, "low": e.low, "high": e.high, "n": e.n - e.missing,
                   "method": e.method, "note": e.note}

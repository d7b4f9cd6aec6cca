"""The episodes of a run as a table: filtered and cut into pages by SQL; only what a page shows is looked up."""
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..transcripts.store import Store
from .runs import positive

SIZE = 50
STATUSES = ("done", "forfeit", "error", "unfinished")

ALL = "SELECT count(*) AS n FROM episode WHERE run = $run AND ($arm = '' OR arm = $arm)"
COUNT = """
SELECT count(*) AS n FROM episode e LEFT JOIN ending n USING (run, episode)
WHERE e.run = $run AND ($arm = '' OR e.arm = $arm) AND ($status = '' OR coalesce(n.status, 'unfinished') = $status)
"""
EPISODES = """
WITH page AS (
    SELECT e.run, e.episode, e.arm, e.wording, e.persona, e.weight, e.replicate, coalesce(n.status, 'unfinished') AS status, n.why
    FROM episode e LEFT JOIN ending n USING (run, episode)
    WHERE e.run = $run AND ($arm = '' OR e.arm = $arm) AND ($status = '' OR coalesce(n.status, 'unfinished') = $status)
    ORDER BY e.episode LIMIT $size OFFSET $size * ($page - 1)),
edge AS (SELECT min(episode) AS low, max(episode) AS high FROM page),
paid AS (SELECT episode, list({role: role, net: net} ORDER BY role) AS payoffs FROM payoff
         WHERE run = $run AND episode BETWEEN (SELECT low FROM edge) AND (SELECT high FROM edge) GROUP BY episode),
said AS (SELECT episode, count(*) AS replies, count(*) FILTER (verdict IN ('invalid', 'truncated')) AS repairs, sum(cost) AS cost
         FROM attempt WHERE run = $run AND episode BETWEEN (SELECT low FROM edge) AND (SELECT high FROM edge) GROUP BY episode)
SELECT page.*, payoffs, coalesce(replies, 0) AS replies, coalesce(repairs, 0) AS repairs, cost
FROM page LEFT JOIN paid USING (episode) LEFT JOIN said USING (episode) ORDER BY episode
"""
BESIDE = """
SELECT (SELECT max(episode) FROM episode WHERE run = $run AND episode < $episode) AS before,
       (SELECT min(episode) FROM episode WHERE run = $run AND episode > $episode) AS after
"""


@dataclass(frozen=True)
class Episodes:
    """One page of the table. found: rows that pass the filters, on all pages."""
    rows: list[dict[str, Any]]
    found: int
    page: int
    pages: int
    arms: list[str]


def episodes(store: Store, run: str, given: Mapping[str, str]) -> Episodes:
    """The page that was asked for. Raises InputError for a page that is no number."""
    page = positive(given.get("page", "1"))
    wanted = {"run": run, "arm": given.get("arm", ""), "status": given.get("status", "")}
    with store.reading(), store.open() as db:
        counted = db.execute(COUNT, wanted) if wanted["status"] else db.execute(ALL, {k: wanted[k] for k in ("run", "arm")})
        found = counted.fetchall()[0][0]
        answer = db.execute(EPISODES, {**wanted, "size": SIZE, "page": page})
        names = [d[0] for d in answer.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        arms = [a for a, in db.execute("SELECT arm FROM arm WHERE run = ? ORDER BY rowid", [run]).fetchall()]
    return Episodes(rows, found, page, max(1, -(-found // SIZE)), arms)


def beside(store: Store, run: str, episode: int) -> tuple[int | None, int | None]:
    """(the episode before, the one after)."""
    with store.open() as db:
        before, after = db.execute(BESIDE, {"run": run, "episode": episode}).fetchall()[0]
    return before, after

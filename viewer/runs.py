"""The runs of a store as a table: filtered, sorted and cut into pages by SQL, the journals of runs under way laid over it."""
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from ..errors import InputError
from ..transcripts.store import Store
from .reader import QUIET, Tail, tails

SIZE = 40
SORTS = {"started": "written", "run": "run", "games": "games", "protocols": "protocols", "episodes": "episodes", "forfeits": "forfeits",
         "cost": "cost", "status": "status"}
"""What a column is called in a link -> the column."""

RUNS = """
WITH cell AS (SELECT run, string_agg(DISTINCT game, ', ' ORDER BY game) AS games, count(*) AS arms,
                     string_agg(DISTINCT protocol, ', ' ORDER BY protocol) AS protocols, list(seats ORDER BY arm) AS seats
              FROM arm WHERE $run IN ('', run) GROUP BY run),
     begun AS (SELECT run, count(*) AS episodes, string_agg(DISTINCT wording, ', ' ORDER BY wording) AS wordings
               FROM episode WHERE $run IN ('', run) GROUP BY run),
     gone AS (SELECT run, count(*) AS ended, count(*) FILTER (status = 'forfeit') AS forfeits,
                     count(*) FILTER (status = 'error') AS errors FROM ending WHERE $run IN ('', run) GROUP BY run),
     halt AS (SELECT run, arg_max(status, written) AS status FROM stop GROUP BY run),
     bill AS (SELECT run, count(*) AS replies, sum(cost) AS cost FROM attempt WHERE $run IN ('', run) GROUP BY run),
     listed AS (
        SELECT r.run, r.name, r.written, r.design, coalesce(h.status, 'unfinished') AS status, c.games, c.protocols, c.arms, c.seats,
               coalesce(b.wordings, '') AS wordings, coalesce(b.episodes, 0) AS episodes, coalesce(g.ended, 0) AS ended,
               coalesce(g.forfeits, 0) AS forfeits, coalesce(g.errors, 0) AS errors, coalesce(p.replies, 0) AS replies, p.cost
        FROM run r LEFT JOIN cell c USING (run) LEFT JOIN begun b USING (run) LEFT JOIN gone g USING (run)
        LEFT JOIN halt h USING (run) LEFT JOIN bill p USING (run))
SELECT *, count(*) OVER () AS found FROM listed
WHERE ($game = '' OR list_contains(string_split(games, ', '), $game))
  AND ($protocol = '' OR list_contains(string_split(protocols, ', '), $protocol))
  AND ($agent = '' OR list_has_any([$agent], flatten([json_extract_string(s, '$.*.agent') FOR s IN seats])))
  AND ($wording = '' OR list_contains(string_split(wordings, ', '), $wording))
  AND ($status = '' OR status = $status)
  AND ($text = '' OR contains(lower(run), lower($text))) AND ($run = '' OR run = $run)
ORDER BY {sort} {way} NULLS LAST, run LIMIT $size OFFSET $size * ($page - 1)
"""
CHOICES = {
    "game": "SELECT DISTINCT game AS x FROM arm ORDER BY x", "protocol": "SELECT DISTINCT protocol AS x FROM arm ORDER BY x",
    "agent": "SELECT DISTINCT unnest(json_extract_string(seats, '$.*.agent')) AS x FROM arm ORDER BY x",
    "wording": "SELECT DISTINCT wording AS x FROM episode ORDER BY x",
    "status": "SELECT DISTINCT x FROM (SELECT status AS x FROM stop UNION SELECT 'unfinished') ORDER BY x",
}
"""Filter -> the values there are."""


@dataclass(frozen=True)
class Listing:
    """One page of the table. found: rows that pass the filters, on all pages; choices: filter -> values there are."""
    rows: list[dict[str, Any]]
    found: int
    page: int
    pages: int
    choices: Mapping[str, list[str]]


def listing(store: Store, given: Mapping[str, str], choices: Iterable[str] = CHOICES) -> Listing:
    """The page that was asked for. choices: the filters whose values are looked up. Raises InputError for a column or page that is not
    there."""
    page, (column, way) = positive(given.get("page", "1")), order(given.get("sort", "-started"), SORTS)
    wanted = {name: given.get(name, "") for name in (*CHOICES, "text", "run")}
    with store.reading():
        with store.open() as db:
            answer = db.execute(RUNS.format(sort=column, way=way), {**wanted, "size": SIZE, "page": page})
            names = [d[0] for d in answer.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        ahead = tails(store)
        values = {name: [r["x"] for r in store.rows(CHOICES[name])] for name in choices}
    fresh = [_unheard(t) for t in ahead.values() if t.first and t.arms] if page == 1 and not any(wanted.values()) else []
    shown = [*reversed(fresh), *(_with_tail(r, ahead.get(r["run"])) for r in rows)]
    found = rows[0]["found"] if rows else 0
    return Listing([_told(r) for r in shown], found + len(fresh), page, max(1, -(-found // SIZE)), values)


def positive(text: str) -> int:
    """A number of a page. Raises InputError."""
    if not text.isdigit() or not 0 < int(text) < 10**9:
        raise InputError(f"no page '{text[:40]}': pages are 1, 2, ...")
    return int(text)


def order(text: str, sorts: Mapping[str, str]) -> tuple[str, str]:
    """(column, ASC or DESC) of "name" or "-name". Raises InputError."""
    name = text.removeprefix("-")
    if name not in sorts:
        raise InputError(f"no column '{name[:40]}' to sort by; there are: {', '.join(sorts)}.")
    return sorts[name], "DESC" if text.startswith("-") else "ASC"


def _unheard(tail: Tail) -> dict[str, Any]:
    """The row of a run of which the store has heard nothing yet."""
    assert tail.first is not None
    row = {"run": tail.run, "name": tail.first["name"], "written": tail.first["written"], "design": tail.first["design"],
           "status": "unfinished", "games": ", ".join(sorted({a["game"] for a in tail.arms})), "arms": len(tail.arms),
           "protocols": ", ".join(sorted({a["protocol"] for a in tail.arms})), "seats": [a["seats"] for a in tail.arms],
           "wordings": "", "episodes": 0, "ended": 0, "forfeits": 0, "errors": 0, "replies": 0, "cost": None}
    return _with_tail(row, tail)


def _with_tail(row: dict[str, Any], tail: Tail | None) -> dict[str, Any]:
    """A row with what its journal tells beyond the store."""
    if tail is None:
        return row
    add = tail.counts
    more = {"episodes": "episodes", "ended": "ended", "forfeits": "forfeit", "errors": "error", "replies": "replies"}
    row = row | {column: row[column] + add[counted] for column, counted in more.items()}
    if tail.spent:
        row["cost"] = (row["cost"] or 0.0) + tail.spent
    row["status"] = tail.stopped or row["status"]
    if not tail.stopped and tail.quiet < QUIET and (row["status"] == "unfinished" or add):
        row["status"] = "running"
    return row


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is shown: who sits where, how far it is, how fast, and what it may cost."""
    design = _parsed(row["design"])
    planned = None if design.get("episodes") == "exact" else int(design.get("episodes", 0)) * len(design.get("arms", ()))
    hours = (time.time() - row["written"]) / 3600
    return {**row, "seated": seated(row["seats"] or []), "planned": planned, "cap": design.get("budget"),
            "share": min(1.0, row["ended"] / planned) if planned else None,
            "rate": row["ended"] / max(hours, 1e-6) / 60 if row["status"] == "running" else None}


def seated(arms: Sequence[Any]) -> str:
    """Who sits where, over all arms: "human: mock, always_follow; ai: strategy"."""
    roles: dict[str, list[str]] = {}
    for seats in map(_parsed, arms):
        for role, spec in seats.items():
            name = spec.get("model") or spec["agent"]
            if name not in roles.setdefault(role, []):
                roles[role].append(name)
    return "; ".join(f"{role}: {', '.join(names[:4])}{' …' if len(names) > 4 else ''}" for role, names in roles.items())


def one(store: Store, run: str) -> dict[str, Any]:
    """The row of one run, named in full; also of one that only its journal knows. Raises InputError."""
    with store.reading():
        if rows := listing(store, {"run": run}, choices=()).rows:
            return rows[0]
        tail = tails(store).get(run)
    if tail is None or tail.first is None:
        raise InputError(f"no run '{run}' in {store.path}.")
    return _told(_unheard(tail))


def _parsed(value: Any) -> Any:
    return from_json(value) if isinstance(value, str) else value

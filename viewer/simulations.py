"""Simulations of learners: what is in the store, and their curves as `parlour simulate --plot` draws them."""
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from ..errors import InputError
from ..experiments.plots import pictures
from ..transcripts.curves import read
from ..transcripts.paths import ROLES, label
from ..transcripts.store import Store
from .plots import DRAWING, Plot

PICTURES = {"regret": "Regret of the leader against the benchmark, mean over seeds with the span from the 10th to the 90th percentile.",
            "prompts": "Share of the rounds so far in which each prompt was played, mean over seeds.",
            "responses": "Share of the rounds so far in which each response was given, mean over seeds."}
MOST = 8
"""Pairs of learners in one picture."""
ROWS = """
SELECT s.simulation, s.game, s.game_fields, s.leader, s.follower, s.rounds, s.benchmarks,
       (SELECT count(*) FROM simulated x WHERE x.simulation = s.simulation) AS seeds
FROM simulation s ORDER BY s.game, s.game_fields, s.rounds, s.written
"""
SQL = "SELECT seed, round, plays FROM curve WHERE simulation = '{}' ORDER BY seed, round"


@dataclass(frozen=True)
class Group:
    """Simulations of one game over one horizon: one picture. benchmark: what regret is drawn against, "" for none."""
    number: int
    game: str
    fields: str
    rounds: int
    pairs: list[dict[str, Any]]
    benchmark: str


def groups(store: Store) -> list[Group]:
    """What there is, by game and horizon."""
    by: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for row in store.rows(ROWS):
        if row["seeds"]:
            about = {"simulation": row["simulation"], "leader": label(from_json(row["leader"])),
                     "follower": label(from_json(row["follower"])), "seeds": row["seeds"],
                     "sql": SQL.format(row["simulation"].replace("'", "''")), "benchmarks": row["benchmarks"]}
            by.setdefault((row["game"], row["game_fields"], row["rounds"]), []).append(about)
    return [Group(i, game, fields, rounds, pairs, _against(from_json(pairs[0]["benchmarks"])))
            for i, ((game, fields, rounds), pairs) in enumerate(by.items())]


def _against(benchmarks: list[dict[str, Any]]) -> str:
    """The first benchmark with a value for the leader that is no bound on regret."""
    return next((b["name"] for b in benchmarks if b["value"].get(ROLES[0]) is not None and b["measures"].get("regret") is None), "")


def picture(store: Store, number: int, name: str, kind: str) -> bytes:
    """A picture of a group as `svg` or `png`, or its data as `csv`. Raises InputError if there is none."""
    found = groups(store)
    if number >= len(found) or name not in PICTURES or not found[number].benchmark:
        raise InputError(f"no picture '{name[:40]}' of simulations {number}.")
    shown = [read(store, p["simulation"]) for p in found[number].pairs[:MOST]]
    with DRAWING:
        made = next(p for p in pictures(shown, ROLES[0], found[number].benchmark) if p.name == name)
    return Plot(name, name, PICTURES[name], "", [dict(r) for r in made.rows], lambda rows: made.plot).save(kind)

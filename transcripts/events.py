"""Whether something happened in an episode: the role's last accepted move of a type has a stated field."""
from typing import Any

from pydantic_core import from_json, to_json

from ..errors import DesignError
from .arms import Arm
from .sampling import Row

MOVES = ("SELECT episode, arg_max(a.move, a.turn) AS move FROM attempt a JOIN ask k USING (run, episode, turn) JOIN episode e "
         "USING (run, episode) WHERE run = ? AND e.arm = ? AND k.role = ? AND k.want = ? AND a.verdict = 'ok' AND a.move IS NOT NULL "
         "GROUP BY episode")


def happened(arm: Arm, role: str, event: str) -> list[Row]:
    """One row per episode: 1 if the event "TYPE.FIELD=VALUE" happened, else 0; none where the episode was not played to its end.

    An episode that ended without such a move is one in which it did not happen. Raises DesignError for a
    field that such moves do not have.
    """
    kind, _, rest = event.partition(".")
    name, _, wanted = rest.partition("=")
    moves = {r["episode"]: from_json(r["move"])["fields"] for r in arm.store.rows(MOVES, [arm.run, arm.name, role, kind])}
    if moves and name not in next(iter(moves.values())):
        raise DesignError(f"event '{event}': a {kind} has no field '{name}'; there are: {', '.join(next(iter(moves.values())))}.")
    return [arm.row(e, _one(e, moves, name, wanted), 0.0, 1.0) for e in arm.episodes]


def _one(e: dict[str, Any], moves: dict[int, dict[str, Any]], name: str, wanted: str) -> float | None:
    if e["status"] != "done":
        return None
    move = moves.get(e["episode"])
    return float(move is not None and _same(move[name], wanted))


def _same(value: Any, wanted: str) -> bool:
    return str(value) == wanted or to_json(value).decode() == wanted

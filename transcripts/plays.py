"""The plays of an arm's episodes, as their rows hold them."""
from collections.abc import Iterator

from pydantic_core import from_json

from ..games.base import Play
from ..protocols.codec import decode
from .arms import Arm

PLAYS = ("SELECT n.episode, n.play FROM ending n JOIN episode e USING (run, episode) WHERE run = ? AND e.arm = ? AND n.status = 'done' "
         "ORDER BY n.episode")


def plays(arm: Arm) -> Iterator[tuple[int, Play]]:
    """(episode, play) of every episode that was played to its end, in order; passes are left out."""
    for row in arm.store.rows(PLAYS, [arm.run, arm.name]):
        data = from_json(row["play"])
        moves = tuple((role, decode(move)) for role, move in data["moves"] if move is not None)
        yield row["episode"], Play(state=decode(data["state"]), moves=moves, fees=data["fees"])

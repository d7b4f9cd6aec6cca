"""Whether a simulated follower answered as the ideal follower in his place would have, from rows alone.

The ideal follower is the one met in the episode, who plays the strategy of the game's usual benchmark; an answer agrees by the chance
with which he would have given it. What a simulator is told differs by arm (`simulator_knows`): one that is told the type is tested for
reading comprehension, one that is told less also for what it makes of it, so the line says which. This is rationality; how like people
a simulator is, is measured against people (`parlour fidelity`).
"""
from collections.abc import Iterator
from typing import Any

from ..games.base import Move, Play
from ..games.leading import SIMULATOR, Leading
from .arms import Arm, Score
from .plays import plays
from .statistics import mean

TELLS = {"type": "told the type: a test of reading", "persona": "told a persona", "past": "told past choices", "nothing": "told nothing"}


def simulations(arm: Arm) -> Iterator[Score]:
    """The agreement of an arm's simulator with the ideal follower; none where nobody simulates, or no query was put."""
    if not isinstance(arm.game, Leading) or SIMULATOR not in arm.seats:
        return
    shares: dict[int, float] = {}
    for episode, play in plays(arm):
        agreed = _agreed(arm, arm.game, play)
        if agreed:
            shares[episode] = sum(agreed) / len(agreed)
    if not shares:
        return
    rows = [arm.row(e, shares[e["episode"]], 0.0, 1.0) for e in arm.episodes if e["episode"] in shares]
    knows = arm.rules.get("knows", "type")
    told = TELLS.get(knows, f"told a signal that is right with chance {arm.rules.get('accuracy', 1.0):g}")
    line = arm.line("simulator", SIMULATOR, "answers as the ideal follower's", mean(rows, arm.level, arm.exact))
    within = {end: None if line[end] is None else min(1.0, max(0.0, line[end])) for end in ("low", "high")}
    yield line | within | {"note": told}


def _agreed(arm: Arm, game: Leading, play: Play) -> list[float]:
    """For every answer, the chance that the ideal follower would have given it."""
    answers = [m for role, m in play.moves if role == SIMULATOR]
    trials = [m for role, m in play.moves if role == game.leader]
    if not answers or game.reply() is not game.want(game.follower):
        return []
    ideal, repeats = game.strategy(game.usual, game.follower, arm.rules), arm.rules.get("repeats", 1)
    found = []
    for i, answer in enumerate(answers):
        seen = game.reveal(game.follower, game.leader, trials[i // repeats])
        told = (*game.brief(game.follower, play.state), *((seen,) if seen is not None else ()))
        found.append(sum(p for p, move in ideal(told, game.reply()) if _same(move, answer)))
    return found


def _same(move: Move | None, answer: Any) -> bool:
    return move is not None and move.model_dump() == answer.model_dump()

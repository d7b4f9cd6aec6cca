"""Which queries were put to a simulated follower, and whether he answered as the ideal follower in his place would have, from rows.

The ideal follower is the one met in the episode, who plays the strategy of the game's usual benchmark; an answer agrees by the chance
with which he would have given it. What a simulator is told differs by arm (`simulator_knows`): one that is told the type is tested for
reading comprehension, one that is told less also for what it makes of it, so the line says which. This is rationality; how like people
a simulator is, is measured against people (`parlour fidelity`).
"""
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..games.base import Move, Play, Role
from ..games.leading import SIMULATOR, Leading
from ..games.persuading import Sent, index, normalised
from .arms import Arm, Score
from .plays import plays

TELLS = {"type": "told the type: a test of reading", "persona": "told a persona", "past": "told past choices", "nothing": "told nothing"}


def simulations(arm: Arm) -> Iterator[Score]:
    """How many queries were put in an arm, at which thresholds, and how often its simulator answered as the ideal follower; none
    where nobody simulates."""
    game = arm.game
    if not isinstance(game, Leading) or SIMULATOR not in arm.seats:
        return
    put: dict[int, float] = {}
    shares: dict[int, float] = {}
    thresholds: dict[int, float] = {}
    for episode, play in plays(arm):
        asked = trials(game, play, arm.rules.get("repeats", 1))
        put[episode] = float(len(asked))
        for found, values in ((shares, _agreed(arm, game, play, asked)), (thresholds, [t for m in asked for t in threshold(m)])):
            if values:
                found[episode] = sum(values) / len(values)
    yield from _line(arm, game.leader, "queries put", put, (0.0, float(arm.rules.get("queries", 0))))
    yield from _line(arm, game.leader, "threshold of a query, x0 / (x0 + x1)", thresholds, (0.0, 1.0))
    knows = arm.rules.get("knows", "type")
    told = TELLS.get(knows, f"told a signal that is right with chance {arm.rules.get('accuracy', 1.0):g}")
    yield from _line(arm, SIMULATOR, "answers as the ideal follower's", shares, (0.0, 1.0), told)


def _line(arm: Arm, role: Role, name: str, values: Mapping[int, float], span: tuple[float, float], note: str = "") -> Iterator[Score]:
    """A mean over the episodes that have a value, its interval within what there can be; none where no episode has one."""
    rows = [arm.row(e, values[e["episode"]], *span) for e in arm.episodes if e["episode"] in values]
    if not rows:
        return
    line = arm.line("simulator", role, name, arm.mean(rows))
    within = {end: None if line[end] is None else min(span[1], max(span[0], line[end])) for end in ("low", "high")}
    yield line | within | ({"note": note} if note else {})


def trials(game: Leading, play: Play, repeats: int) -> list[Move]:
    """The queries that were answered, in order."""
    answered = sum(role == SIMULATOR for role, _ in play.moves)
    return [m for role, m in play.moves if role == game.leader][:answered // repeats]


def threshold(query: Move) -> Iterator[float]:
    """x0 / (x0 + x1) of a policy over two states and a message that is sent; nothing of other queries."""
    if isinstance(query, Sent) and len(query.rows) == 2:
        good, bad = (normalised(row)[index(query.message)] for row in query.rows)
        if good + bad > 0:
            yield bad / (good + bad)


def _agreed(arm: Arm, game: Leading, play: Play, asked: Sequence[Move]) -> list[float]:
    """For every answer, the chance that the ideal follower would have given it."""
    answers = [m for role, m in play.moves if role == SIMULATOR]
    if not answers or game.reply() is not game.want(game.follower):
        return []
    ideal, repeats = game.strategy(game.usual, game.follower, arm.rules), arm.rules.get("repeats", 1)
    found = []
    for i, answer in enumerate(answers):
        seen = game.reveal(game.follower, game.leader, asked[i // repeats])
        told = (*game.brief(game.follower, play.state), *((seen,) if seen is not None else ()))
        found.append(sum(p for p, move in ideal(told, game.reply()) if _same(move, answer)))
    return found


def _same(move: Move | None, answer: Any) -> bool:
    return move is not None and move.model_dump() == answer.model_dump()

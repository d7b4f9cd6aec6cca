"""What the seats of a run chose and earned, from rows alone: for the measures of how they explore, and to fit learners to them."""
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from ..games.base import Earned, Game, Move, Observation, Role, Rounds, Saw, every
from ..protocols.codec import decode
from ..registry import build
from .choices import Choices, greedy_fraction, last_switch, min_fraction, suffix_failure
from .fitted import fit
from .store import Store

ASKED = """
SELECT e.arm, e.episode, k.role, k.news, a.move FROM ask k JOIN attempt a USING (run, episode, turn) JOIN episode e USING (run, episode)
WHERE k.run = ? AND a.verdict = 'ok' ORDER BY e.episode, k.turn
"""


@dataclass(frozen=True)
class Seated:
    """One seat of one episode."""
    arm: str
    episode: int
    role: Role
    choices: Choices


def seats(store: Store, run: str) -> list[Seated]:
    """Every seat that was asked over many rounds which of a few actions to take. Empty for runs of other games."""
    with store.reading():
        games: dict[str, Game] = {a["arm"]: build("games", a["game"], from_json(a["game_fields"])) for a in
                                  store.rows("SELECT arm, game, game_fields FROM arm WHERE run = ?", [run])}
        told: dict[tuple[str, int, Role], list[tuple[list[Observation], Move | None]]] = {}
        for row in store.rows(ASKED, [run]):
            news = [decode(o) for o in from_json(row["news"])]
            told.setdefault((row["arm"], row["episode"], row["role"]), []).append(
                (news, decode(from_json(row["move"])) if row["move"] else None))
    found = []
    for (arm, episode, role), asks in told.items():
        if role not in games[arm].players():
            continue
        made = chosen(role, every(games[arm].want(role)), asks)
        found += [Seated(arm, episode, role, made)] if made else []
    return found


def chosen(role: Role, options: Sequence[Move], asks: Iterable[tuple[list[Observation], Move | None]]) -> Choices | None:
    """The choices in a seat's asks, (news, move) in order; the last is left out if its reward was not told. None if there are none."""
    rounds: Rounds | None = None
    contexts: dict[Any, int] = {}
    context = 0
    pending: tuple[int, int] | None = None
    made: list[tuple[int, int, float]] = []
    values = [o.model_dump() for o in options]
    for news, move in asks:
        for seen in news:
            if isinstance(seen, Rounds):
                rounds = seen
            elif isinstance(seen, Earned) and seen.role == role and pending is not None:
                made.append((*pending, seen.reward))
                pending = None
            elif isinstance(seen, Saw) and rounds is not None and not rounds.leads:
                context = contexts.setdefault(seen.move, len(contexts))
        if move is not None and move.model_dump() in values:
            pending = (context, values.index(move.model_dump()))
    if rounds is None or not made:
        return None
    met, arms, rewards = zip(*made, strict=True)
    return Choices(len(options), len(rounds.others), rounds.total, rounds.leads, met, arms, rewards)


def measures(choices: Choices) -> dict[str, float]:
    """How a seat explored; suffix failure is of the arm of the highest mean reward in this very episode."""
    totals = [[r for a, r in zip(choices.chosen, choices.rewards, strict=True) if a == arm] for arm in range(choices.arms)]
    means = [sum(t) / len(t) if t else 0.0 for t in totals]
    found = {"min fraction": min_fraction(choices.chosen, choices.arms), "greedy fraction": greedy_fraction(choices),
             "last switch": float(last_switch(choices.chosen))}
    if choices.leads:
        found["suffix failure"] = float(suffix_failure(choices.chosen, means.index(max(means)), len(choices) // 2))
    return found


def described(store: Store, run: str) -> list[dict[str, Any]]:
    """One line per seat and episode: its measures, the learner that explains it best, and by how much BIC it beats the next."""
    lines = []
    for s in seats(store, run):
        first, second, *_ = fit(s.choices)
        lines.append({"arm": s.arm, "episode": s.episode, "role": s.role, "choices": len(s.choices), **measures(s.choices),
                      "learner": first.algorithm, "setting": str(first.settings[0].model_dump()), "ties": len(first.settings),
                      "tremble": first.tremble, "agreement": first.agreement, "next": second.algorithm,
                      "margin": second.bic - first.bic})
    return lines

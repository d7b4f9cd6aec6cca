"""Does a seat play better where the game is told as it usually is? The canonical wording less its isomorphs, paired.

Estimand   per role, the mean over states and draws of (net payoff in the game's first wording) less (the mean over the other
           wordings that were played), by the rules of `statistics`. The wordings are isomorphs, so for a seat that reasons from
           what it is told the difference is 0; for one that remembers, it is what remembering is worth.
Only roles whose seat was shown words are compared. An interval above 0 is a sign, not proof: labels alone may help.

Source: J. Horton (2023), Large language models as simulated economic agents, on memorised results; the pairing is ours.
"""
from collections.abc import Iterator
from dataclasses import replace

from .arms import Arm, Score
from .statistics import contrast


def contaminations(arm: Arm) -> Iterator[Score]:
    """One score per role that read words; none if only one wording was played, or not the canonical one."""
    canonical = arm.game.wordings[0].name
    others = sorted({e["wording"] for e in arm.episodes} - {canonical})
    if arm.exact or not others or not any(e["wording"] == canonical for e in arm.episodes):
        return
    shown = {r["role"] for r in arm.store.rows(
        "SELECT DISTINCT k.role FROM ask k JOIN attempt a USING (run, episode, turn) JOIN episode e USING (run, episode) "
        "WHERE run = ? AND e.arm = ? AND a.prompt IS NOT NULL", [arm.run, arm.name])}
    for role in arm.seated():
        if role in shown:
            rows = [(e["wording"], replace(r, key=f"{e['stratum']}/{e['replicate']}/{e['persona']}"))
                    for e, r in zip(arm.episodes, arm.rows(role), strict=True)]
            weights = {canonical: 1.0, **dict.fromkeys(others, -1 / len(others))}
            try:
                found = contrast([(c, [r for w, r in rows if w == wording]) for wording, c in weights.items()], arm.level,
                                 inference=arm.inference)
            except ValueError:  # no state and draw was met in every wording
                continue
            yield arm.line("contamination", role, f"{canonical} less {', '.join(others)}", found)

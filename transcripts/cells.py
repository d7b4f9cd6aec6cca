"""What the cells of a game of briefs earn, as the rows of a calibration hold it: every pair of scores, and what is missing.

An arm under protocol `brief_calibration` is a sample, for arms may have different writers; an episode is one draw of every cell.
A text that was not written or not scored is missing: its cell has one draw less, and `worst`, `best` say what the cell's means would
be had all of its missing texts got the lowest or the highest score. Episodes that ended in an error of the service are missing whole.
"""
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import StoreError
from ..games.base import Play, Rules
from ..games.solvers import cells
from ..games.written_prompting import WrittenPrompting
from ..games.written_prompting_words import Cell, Missing, Scored, Text
from ..games.written_sample import uncertainty
from .arms import BLANK, Arm, Score, arms_of
from .plays import plays
from .store import Store

Pairs = list[tuple[int, int]]


@dataclass(frozen=True)
class Sampled:
    """The calibration of one arm.

    game     as it was sampled; `calibrated` is the same with the scores
    scores   (brief, style, wording) -> pairs of scores, in the order of the episodes
    missing  (brief, style, wording) -> who gave nothing valid, once for each text
    texts    (brief, style, wording) -> the different texts that were scored
    lost     episodes that did not end
    arm      its name
    """
    game: WrittenPrompting
    scores: Mapping[tuple[int, int, int], Pairs]
    missing: Mapping[tuple[int, int, int], list[str]]
    texts: Mapping[tuple[int, int, int], set[str]]
    lost: int
    arm: str

    @property
    def nested(self) -> tuple[Any, ...]:
        """The scores as the game's field."""
        g = self.game
        return tuple(tuple(tuple(tuple(self.scores[a, b, w]) for w in range(len(brief))) for b in range(len(g.responses)))
                     for a, brief in enumerate(g.briefs))

    @property
    def calibrated(self) -> WrittenPrompting:
        """The game with its cells' scores. Raises StoreError if a cell has none."""
        for (a, b, w), pairs in self.scores.items():
            if not pairs:
                raise StoreError(f"brief a{a + 1} in style b{b + 1}, wording {w + 1}, has no scored text: more episodes are needed.")
        fields = {**self.game.model_dump(mode="json"), "human_means": (), "ai_means": (), "known": False, "scores": self.nested}
        return WrittenPrompting.model_validate(fields)

    def table(self) -> list[dict[str, Any]]:
        """A line per cell: draws, different texts, missing ones, either player's mean, its standard error, and what missing texts
        could make of it."""
        made = self.calibrated
        return [self._line(made, a, b) for a in range(len(made.briefs)) for b in range(len(made.responses))]

    def _line(self, made: WrittenPrompting, a: int, b: int) -> dict[str, Any]:
        keys = [(a, b, w) for w in range(len(made.briefs[a]))]
        counts = {what: sum(len(of[k]) for k in keys)
                  for what, of in (("draws", self.scores), ("distinct", self.texts), ("missing", self.missing))}
        line: dict[str, Any] = {"prompt": f"a{a + 1}", "response": f"b{b + 1}", "wordings": len(keys), **counts}
        errors = cells.errors(made.earned[a][b])
        for player, role in enumerate(("human", "ai")):
            means = made.matrix.human_means if role == "human" else made.matrix.ai_means
            low, high = (self._if_missing(made, keys, player, worth) for worth in (0.0, 1.0))
            line |= {f"{role}_mean": means[a][b], f"{role}_error": errors[player], f"{role}_worst": low, f"{role}_best": high}
        return line

    def _if_missing(self, made: WrittenPrompting, keys: list[tuple[int, int, int]], player: int, worth: float) -> float:
        """The mean over wordings, had every missing text earned so much."""
        per = []
        for key in keys:
            earned = [made.worth(pair[player]) for pair in self.scores[key]] + [worth] * len(self.missing[key])
            per.append(sum(earned) / len(earned))
        return sum(per) / len(per)


def sampled(store: Store, run: str) -> list[Sampled]:
    """The calibrations in a run, arm by arm. Raises StoreError if there is none, or if one is no sample."""
    with store.reading():
        found = [_sampled(arm) for arm in arms_of(store, run) if arm.rules.get("calibrates") and isinstance(arm.game, WrittenPrompting)]
    if not found:
        raise StoreError(f"no cells were sampled in {run}: run a design with protocol 'brief_calibration' first.")
    return found


def _sampled(arm: Arm) -> Sampled:
    game = arm.game
    assert isinstance(game, WrittenPrompting)
    if arm.exact:
        raise StoreError(f"{arm.run} is an exact evaluation, and no sample: give a number of episodes.")
    played = [play for _, play in plays(arm)]
    every = [(a, b, w) for a, brief in enumerate(game.briefs) for b in range(len(game.responses)) for w in range(len(brief))]
    lost = len(arm.episodes) - len(played)
    found = Sampled(game, {k: [] for k in every}, {k: [] for k in every}, {k: set() for k in every}, lost, arm.name)
    for play in played:
        _take(found, play)
    return found


def solved(found: Sampled, level: float = 0.95, resamples: int = 1000, seed: int = 0) -> list[dict[str, Any]]:
    """A line per solution and role: value, interval, and for equilibria the cell, how often resamples choose it again, the crossed
    value with its interval. None for intervals that the sample is too small for."""
    made = found.calibrated
    sure = uncertainty(made.earned, made.tolerance, 0.0, level, resamples, seed)
    lines = []
    for b in made.benchmarks(Rules.of(texts=True)):
        for role in b.value if b.name in sure else ():
            measures = {**b.measures, **sure[b.name]}
            lines.append({"benchmark": b.name, "kind": b.kind, "role": role, "value": b.value[role],
                          "low": measures[f"{role}_low"], "high": measures[f"{role}_high"],
                          **{k: measures.get(k) for k in ("prompt", "response", "chosen_again")},
                          **{k: measures.get(f"{role}_{k}") for k in ("crossed", "crossed_low", "crossed_high")}, "note": b.note})
    return lines


def scores(found: Sampled, solutions: list[dict[str, Any]]) -> list[Score]:
    """Cells and solutions as rows of table `score`."""
    rows: list[Score] = []
    for line in found.table():
        for role in ("human", "ai"):
            rows.append({**BLANK, "role": role, "quantity": "cell mean", "benchmark": f"{line['prompt']} {line['response']}",
                         "value": line[f"{role}_mean"], "worst": line[f"{role}_worst"], "best": line[f"{role}_best"],
                         "n": line["draws"], "missing": line["missing"], "clusters": line["wordings"]})
    for line in solutions:
        same = {**BLANK, "role": line["role"], "benchmark": line["benchmark"], "kind": line["kind"], "note": line["note"]}
        rows.append({**same, "quantity": "solution", **{k: line[k] for k in ("value", "low", "high")}, "method": "bootstrap"})
        if line["crossed"] is not None:
            rows.append({**same, "quantity": "solution, cross-fitted", "value": line["crossed"], "low": line["crossed_low"],
                         "high": line["crossed_high"], "method": "bootstrap within halves"})
    return [{**row, "arm": found.arm} for row in rows]


def _take(found: Sampled, play: Play) -> None:
    """The draws of one episode."""
    key, text = (0, 0, 0), ""
    for _, move in play.moves:
        if isinstance(move, Cell):
            key = (move.brief, move.style, move.wording)
        elif isinstance(move, Text):
            text = move.text
        elif isinstance(move, Scored):
            found.scores[key].append((move.human, move.ai))
            found.texts[key].add(text)
        elif isinstance(move, Missing):
            found.missing[key].append(move.role)

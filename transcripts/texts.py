"""Texts and their scores, as rows hold them: the table F that a calibration found, and what an evaluator is worth beside gold.

    F_ij        share of score j + 1 among the texts of writer i                        from the first evaluator, or from gold
    confusion   share of score a among the texts to which gold gives b                   one line per cell that was met
    agreement   share of texts with the same score; kappa: (agreement - chance) / (1 - chance), chance from the margins
    swap        the slack of the posted contract on the F of either evaluator: the incentive that the contract really gives

Source: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960).
"""
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import StoreError
from ..games.base import SLACK, Say
from ..games.contracting import Contracting
from ..games.solvers.obedience import slack
from ..protocols.contracting import writer
from ..protocols.writing import Mark
from .arms import Arm, Score, arms_of
from .contract_plays import made
from .intervals import wilson
from .plays import plays
from .store import Store


@dataclass(frozen=True)
class Scored:
    """One text: the number of its generator, the score of the evaluator, that of gold if there is one; the weight of its episode,
    1 unless all branches were evaluated."""
    generator: int
    score: int
    gold: int | None
    weight: float = 1.0


@dataclass(frozen=True)
class Table:
    """What a run found: labels and models of the generators, counts (n, m) of the evaluator's scores."""
    labels: tuple[str, ...]
    models: tuple[str, ...]
    counts: Any

    @property
    def chances(self) -> Any:
        """F, its rows summing to 1; None for a generator without texts."""
        return [None if not row.sum() else (row / row.sum()).tolist() for row in self.counts]


def scored(arm: Arm) -> list[Scored]:
    """Every text of an arm that was scored."""
    game = arm.game
    if not isinstance(game, Contracting):
        return []
    number = {writer(label): i for i, label in enumerate(game.labels)}
    found: list[Scored] = []
    weight = {e["episode"]: e["weight"] if arm.exact else 1.0 for e in arm.episodes}
    for episode, play in plays(arm):
        at, w = 0, weight[episode]
        for role, move in play.moves:
            if isinstance(move, Say) and role in number:
                at = number[role]
            elif isinstance(move, Mark) and role == "evaluator":
                found.append(Scored(at, move.score, None, w))
            elif isinstance(move, Mark) and found:
                found[-1] = Scored(at, found[-1].score, move.score, w)
    return found


def calibrated(store: Store, run: str) -> Table:
    """The table of scores of a run, its arms together. Raises StoreError if no text was scored."""
    with store.reading():
        arms = [arm for arm in arms_of(store, run) if isinstance(arm.game, Contracting)]
        found = [s for arm in arms for s in scored(arm)]
    if not found:
        raise StoreError(f"no text was scored in {run}: run a design with protocol 'calibration' first.")
    game = arms[0].game
    assert isinstance(game, Contracting)
    seats = [arms[0].seats.get(writer(label), {}) for label in game.labels]
    models = tuple(str(s.get("model") or s.get("text") or s.get("agent") or label) for s, label in zip(seats, game.labels, strict=True))
    return Table(game.labels, models, counts(found, len(game.labels), game.outcomes))


def counts(texts: Sequence[Scored], generators: int, outcomes: int, gold: bool = False) -> Any:
    """(n, m) numbers of scores (weights, where all branches were evaluated); gold: those of gold."""
    table = np.zeros((generators, outcomes))
    for t in texts:
        mark = t.gold if gold else t.score
        if mark is not None:
            table[t.generator, mark - 1] += t.weight
    return table


def evaluators(store: Store, run: str, level: float = 0.95) -> list[Score]:
    """What the evaluators of a run are worth, arm by arm; empty if none was compared with gold."""
    with store.reading():
        return [line for arm in arms_of(store, run, level) for line in _arm(arm, [t for t in scored(arm) if t.gold is not None])]


def _arm(arm: Arm, texts: list[Scored]) -> Iterator[Score]:
    if not texts:
        return
    cells: Counter[tuple[int, int]] = Counter()
    for t in texts:
        cells[t.gold or 0, t.score] += t.weight  # type: ignore[assignment]
    total = sum(cells.values())
    mine, theirs = _margin(cells, 1), _margin(cells, 0)
    agree = sum(w for (gold, score), w in cells.items() if gold == score)
    yield _rate(arm, "agrees with gold", agree, total, len(texts))
    chance = sum(mine[s] * theirs[s] for s in mine) / total**2
    if chance < 1:
        yield arm.line("evaluator", "evaluator", "kappa") | {"value": (agree / total - chance) / (1 - chance), "n": len(texts),
                                                                "method": "Cohen"}
    for (gold, score), weight in sorted(cells.items()):
        n = sum(t.gold == gold for t in texts)
        yield _rate(arm, f"score {score} where gold says {gold}", weight, theirs[gold], n)
    yield from _swap(arm, texts)


def _margin(cells: Mapping[tuple[int, int], float], side: int) -> Counter[int]:
    """Sums over the other side."""
    found: Counter[int] = Counter()
    for pair, weight in cells.items():
        found[pair[side]] += weight  # type: ignore[assignment]
    return found


def _rate(arm: Arm, what: str, hits: float, of: float, n: int) -> Score:
    """A share, with its interval unless all branches were evaluated; n: texts."""
    low, high = (hits / of, hits / of) if arm.exact else wilson(hits, of, arm.level)
    return arm.line("evaluator", "evaluator", what) | {"value": hits / of, "low": low, "high": high, "n": n, "effective_n": n,
                                                         "method": "exact" if arm.exact else "Wilson"}


def _swap(arm: Arm, texts: list[Scored]) -> Iterator[Score]:
    """The mean slack of the posted contracts, and whether they are valid, on the F of either evaluator; where every generator
    has texts."""
    game, rounds = arm.game, [m for some in made(arm).values() for m in some]
    assert isinstance(game, Contracting)
    for name, gold in (("evaluator", False), ("gold", True)):
        table = counts(texts, len(game.labels), game.outcomes, gold)
        if rounds and table.sum(axis=1).all():
            rows = table / table.sum(axis=1, keepdims=True)
            found = [slack(rows, game.costs, m.pay, game.wanted) for m in rounds]
            for what, value in (("slack", np.mean(found)), ("valid", np.mean([s >= -SLACK for s in found]))):
                yield arm.line("swap", "principal", f"{what} on the F of {name}") | {"value": float(value), "n": len(texts)}

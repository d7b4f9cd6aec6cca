"""Whether words tell more than they should: texts that ought to be independent of a state, given a label.

    (l, w, t)   label, state and text of every observation
    d           distance of two texts: 1 - |A n B| / |A u B|, A and B their sets of words (Jaccard)
    statistic   sum over labels of n_l (mean d of pairs in different states - mean d of pairs in the same state)
    p           share of permutations of the states within labels whose statistic is as great, (1 + hits) / (1 + draws)
    guess       of each text: the state whose other texts of that label are nearest on average; none if all are as near

If words tell nothing of the state, every permutation within a label is as likely, so p is exact, and guesses are noise. Else the
guesses show what a reader could tell from them: `channel` is how often each is made, per label and state.

Source: G. Szekely, M. Rizzo, "Energy statistics", J. Statistical Planning and Inference 143 (2013); permutations: R. Fisher (1935).
"""
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

DRAWS = 999
NONE = -1
"""The guess where all states are as near."""


@dataclass(frozen=True)
class Told:
    """One text: the label it was to put into words, the state, the words."""
    label: int
    state: int
    text: str


@dataclass(frozen=True)
class Independence:
    """statistic, p; None where no label met two states, or no text differs. guesses: one per text."""
    statistic: float | None
    p: float | None
    guesses: tuple[int, ...]


def words(text: str) -> frozenset[str]:
    """The set of its words, in small letters."""
    return frozenset(re.findall(r"\w+", text.lower()))


def distances(texts: Sequence[str]) -> Any:
    """Jaccard distances (n, n)."""
    sets = [words(t) for t in texts]
    return np.array([[1 - len(a & b) / len(a | b) if a | b else 0.0 for b in sets] for a in sets])


def independence(told: Sequence[Told], seed: int = 0, draws: int = DRAWS) -> Independence:
    """The test, and the guesses. O(n^2) in the texts of a label, and `draws` times that."""
    guesses, cells = [NONE] * len(told), []
    for label in sorted({t.label for t in told}):
        at = [i for i, t in enumerate(told) if t.label == label]
        table, states = distances([told[i].text for i in at]), np.array([told[i].state for i in at])
        for place, i in enumerate(at):
            guesses[i] = _nearest(table[place], states, place)
        if len(set(states.tolist())) > 1 and table.any():
            cells.append((table, states))
    if not cells:
        return Independence(None, None, tuple(guesses))
    rng, found = np.random.default_rng(seed), sum(_excess(t, s) for t, s in cells)
    hits = sum(sum(_excess(t, rng.permutation(s)) for t, s in cells) >= found - 1e-12 for _ in range(draws))
    return Independence(float(found), (1 + hits) / (1 + draws), tuple(guesses))


def _excess(table: Any, states: Any) -> float:
    """n (mean distance of pairs in different states - that of pairs in the same); 0 if there are no two alike."""
    same = states[:, None] == states[None, :]
    other, alike = ~same, same & ~np.eye(len(states), dtype=bool)
    if not alike.any() or not other.any():
        return 0.0
    return float(len(states) * (table[other].mean() - table[alike].mean()))


def _nearest(row: Any, states: Any, place: int) -> int:
    rest = np.arange(len(states)) != place
    mean = {int(w): float(row[rest & (states == w)].mean()) for w in sorted(set(states[rest].tolist()))}
    near = min(mean.values(), default=0.0)
    best = [w for w, d in mean.items() if d <= near + 1e-12]
    return best[0] if len(best) == 1 < len(mean) else NONE


def channel(told: Sequence[Told], guesses: Sequence[int]) -> Mapping[tuple[int, int], Mapping[int, float]]:
    """(label, state) -> chances of every guess."""
    counts: dict[tuple[int, int], Counter[int]] = defaultdict(Counter)
    for t, guess in zip(told, guesses, strict=True):
        counts[t.label, t.state][guess] += 1
    return {key: {guess: n / sum(c.values()) for guess, n in c.items()} for key, c in counts.items()}

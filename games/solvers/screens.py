"""What a simulator's answers tell of the types, if it does not know the type for certain.

    k     types in rising order of odds, as a `Crowd`                                                 n groups
    j     stand-ins: whom the simulator may take the receiver for, in rising order of its odds        m of them
    q_kj  chance that it takes type k for stand-in j                                                  rows sum to 1

A query is a cut of the list of stand-ins, and K queries leave an interval of them. The sender then meets every type, weighed by
the chance that it is taken for one of these, so the value of an interval is that of the reweighted crowd: all that is said in
`queries` of cells of types holds of intervals of stand-ins. A simulator that knows the type has stand-ins = types, q = 1; one
that knows nothing has one stand-in; a persona or past choices make classes; a signal mixes.

Source: derived here, from Bayes' rule.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp
from typing import Any

from .queries import TABLE, cell, cells
from .thresholds import TIE, Crowd, best_messages, crowd, worth

Taken = Sequence[tuple[float, float]]
"""(chance, odds) of every stand-in that a type may be taken for."""


@dataclass(frozen=True)
class Screen:
    """odds (m,) of the stand-ins; good, bad, stake (n, m): as of a crowd, times q; None where stand-ins are the types."""
    who: Crowd
    odds: tuple[float, ...]
    good: Any = None
    bad: Any = None
    stake: Any = None

    @property
    def size(self) -> int:
        return len(self.odds)

    @property
    def sure(self) -> bool:
        """Whether the simulator knows the type."""
        return self.good is None

    @property
    def mass(self) -> tuple[float, ...]:
        """The chance of every stand-in                                                                              (m,)."""
        return self.who.mass if self.sure else tuple(float(x) for x in (self.good + self.bad).sum(axis=0))

    def cell(self, i: int, j: int) -> Crowd:
        """Whom the sender may meet if it is one of the stand-ins i..j, both included."""
        return cell(self.who, i, j) if self.sure else self.given([float(i <= k <= j) for k in range(self.size)])

    def given(self, likely: Sequence[float]) -> Crowd:
        """Whom the sender may meet after answers whose chances, stand-in by stand-in, are `likely`                    (m,)."""
        if self.sure:
            return self.who.weighted(likely)
        good, bad, stake = (tuple(float(x) for x in table @ likely) for table in (self.good, self.bad, self.stake))
        return Crowd(self.who.odds, good, bad, stake, self.who.last, self.who.group)

    def ratio(self, cut: int) -> float:
        """x0 / x1 of the query between stand-ins `cut` and `cut` + 1: their geometric mean, the midpoint in logits."""
        return float((self.odds[cut] * self.odds[cut + 1]) ** 0.5)

    @cached_property
    def table(self) -> Any:
        """The sender's value of every interval, minus infinity elsewhere                                          (m, m)."""
        return cells(self.who) if self.sure else self._filled(lambda some: best_messages(some)[0])

    @cached_property
    def receiver_table(self) -> Any:
        """What is left to the receiver, in the same form."""
        return self._filled(lambda some: worth(some, best_messages(some)[1])[1])

    def _filled(self, value: Any) -> Any:
        import numpy as np
        found = np.full((self.size, self.size), -np.inf)
        for i in range(self.size):
            for j in range(i, self.size):
                found[i, j] = value(self.cell(i, j))
        return found

    @property
    def small(self) -> bool:
        """Whether tables of all intervals can be made."""
        return self.size <= (TABLE if self.sure else TABLE // 10)


def shaded(who: Crowd, margin: float) -> Crowd:
    """The same types with odds taken for less, by `margin` logits."""
    return Crowd(tuple(r * exp(-margin) for r in who.odds), who.good, who.bad, who.stake, who.last, who.group)


def screen(beliefs: Sequence[float], weights: Sequence[float], odds: Sequence[float], taken: Sequence[Taken] | None) -> Screen:
    """The screen of types in any order; `taken` is None where the simulator knows the type."""
    who = crowd(beliefs, weights, odds)
    if taken is None:
        return Screen(who, who.odds)
    import numpy as np
    stand: list[float] = []
    for r in sorted(r for some in taken for _, r in some):
        if not stand or r - stand[-1] > TIE * r:
            stand.append(r)
    good, bad, stake = (np.zeros((who.size, len(stand))) for _ in range(3))
    for k, some in enumerate(taken):
        one = crowd(beliefs[k:k + 1], weights[k:k + 1], odds[k:k + 1])
        for chance, r in some:
            j = max(i for i, s in enumerate(stand) if s <= r)
            for table, amount in ((good, one.good), (bad, one.bad), (stake, one.stake)):
                table[who.group[k], j] += chance * amount[0]
    return Screen(who, tuple(stand), good, bad, stake)

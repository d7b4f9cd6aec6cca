"""Queries to a simulator that errs: each answer is heard wrongly with chance d, independently, and each query is put m times.

Of m answers s say `acts` with chance C(m,s) (1-d)^s d^(m-s) if the stand-in lies above the cut, mirrored below it. After the
answers the sender serves all types, reweighted by Bayes' rule, so that K cuts fixed beforehand are worth the sum over their
(m+1)^K outcomes of the value of the reweighted crowd. Asked one after another they are worth U_K at no answers,

    U_k(h) = max( V(h),  max_c sum_s U_{k-1}(h + (c, s)) - price W(h) ),

h the answers so far, in any order, V(h) and W(h) the value and the weight of the crowd after them. Both are solved by trying
every cut, where that is little. Errors that are not independent are not helped by repeats.

    d, m   flip, repeats            cost of K: as many crowds as there are sets of K cuts with their answers, O(n) each

Source: derived here, from Bayes' rule.
"""
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations_with_replacement, product
from math import comb

from .screens import Screen
from .thresholds import Crowd, best_messages

LIMIT = 20_000
"""The most crowds that are valued for one answer."""
Heard = tuple[tuple[int, int], ...]
"""(cut, how many of its repeats said `acts`), in the order asked."""


@dataclass(frozen=True)
class Channel:
    """How answers come back. flip in [0, 1/2], repeats >= 1."""
    flip: float
    repeats: int

    def chance(self, above: bool, acts: int) -> float:
        """Of so many answers `acts` about a stand-in above the cut, or below it."""
        right = acts if above else self.repeats - acts
        return float(comb(self.repeats, acts) * (1 - self.flip) ** right * self.flip ** (self.repeats - right))

    def likely(self, size: int, heard: Heard) -> list[float]:
        """The chance of the answers for every stand-in                                                            (m,)."""
        found = [1.0] * size
        for cut, acts in heard:
            below, above = self.chance(False, acts), self.chance(True, acts)
            found = [x * (above if j > cut else below) for j, x in enumerate(found)]
        return found

    def after(self, screen: Screen, heard: Heard) -> Crowd:
        """Whom the sender may meet after these answers."""
        return screen.given(self.likely(screen.size, heard))


def noisy_value(screen: Screen, cuts: tuple[int, ...], channel: Channel) -> float:
    """What cuts fixed beforehand are worth to a sender who knows the chance of a flip."""
    return sum(best_messages(channel.after(screen, tuple(zip(cuts, counts, strict=True))))[0]
               for counts in product(range(channel.repeats + 1), repeat=len(cuts)))


def best_noisy_cuts(screen: Screen, queries: int, channel: Channel) -> tuple[float, tuple[int, ...]] | None:
    """(value, cuts) of the best `queries` cuts fixed beforehand, with repetition; None where there are too many to try."""
    inner = screen.size - 1
    if queries == 0 or inner == 0:
        return best_messages(screen.who)[0], ()
    if comb(inner + queries - 1, queries) * (channel.repeats + 1) ** queries > LIMIT:
        return None
    sets: Iterator[tuple[int, ...]] = combinations_with_replacement(range(inner), queries)
    return max(((noisy_value(screen, cuts, channel), cuts) for cuts in sets), key=lambda found: found[0])


def greedy_noisy_cuts(screen: Screen, queries: int, channel: Channel) -> tuple[float, tuple[int, ...]]:
    """(value, cuts) by adding the cut that adds most, as long as outcomes can be gone through; it may stop short of `queries`."""
    value, cuts = best_messages(screen.who)[0], ()
    inner = screen.size - 1
    while len(cuts) < queries and inner and inner * (channel.repeats + 1) ** (len(cuts) + 1) <= LIMIT:
        best, cut = max(((noisy_value(screen, (*cuts, c), channel), c) for c in range(inner)), key=lambda found: found[0])
        value, cuts = best, (*cuts, cut)  # type: ignore[assignment]  # grows
    return value, cuts


@dataclass(frozen=True)
class Search:
    """Answers one after another. values: U_0 .. U_K; cut[answers, sorted]: the next, absent to stop."""
    values: tuple[float, ...]
    cut: dict[tuple[int, Heard], int] = field(default_factory=dict)

    def next(self, left: int, heard: Heard) -> int | None:
        """The next cut with so many queries left."""
        return self.cut.get((left, tuple(sorted(heard))))


def noisy_search(screen: Screen, queries: int, channel: Channel, price: float) -> Search | None:
    """The best adaptive queries; None where there are too many answers to go through."""
    inner = screen.size - 1
    pairs = inner * (channel.repeats + 1)
    if sum(comb(pairs + k - 1, k) for k in range(1, queries + 1)) > LIMIT:
        return None
    plan: dict[tuple[int, Heard], int] = {}
    known: dict[tuple[int, Heard], float] = {}

    def worth(left: int, heard: Heard) -> float:
        if (left, heard) not in known:
            known[left, heard] = solve(left, heard)
        return known[left, heard]

    def solve(left: int, heard: Heard) -> float:
        crowd = channel.after(screen, heard)
        now = best_messages(crowd)[0]
        if not left:
            return now
        cost = price * sum(crowd.mass)
        tries = [(sum(worth(left - 1, tuple(sorted((*heard, (c, s))))) for s in range(channel.repeats + 1)) - cost, c)
                 for c in range(inner)]
        best, cut = max(tries, key=lambda found: (found[0], -found[1]), default=(now, 0))
        if best <= now + 1e-12:
            return now
        plan[left, heard] = cut
        return best

    return Search(tuple(worth(k, ()) for k in range(queries + 1)), plan)

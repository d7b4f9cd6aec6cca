"""Which queries to put to a simulator that answers truly: cuts of a list of types sorted by odds.

A query is a policy and a message, and its answer (acts or not) says whether the type lies above a cut. K queries fixed
beforehand make K + 1 cells; the sender then serves the cell found. V(i, j) is the value of cell i..j (`thresholds`).

    F_0(j) = V(0, j)        F_k(j) = max_i F_{k-1}(i - 1) + V(i, j)        O(n^2) cells, O(K n^2)                 always
    divide and conquer: the best i rises in j                              O(K n log n) cells              under (Q)
    hull: F_k(j) = P_j + max_{t <= j} [F_{k-1}(t-1) - P_{t-1} - r_t Q_{t-1} + r_t Q_j]        O(K n)      odds at most 1

with P, Q prefix sums of good and bad. The last holds because a cell may be taken to start at its target. The quadrangle
inequality (Q), V(i,j) + V(i',j') >= V(i,j') + V(i',j) for i < i' <= j < j', is proved for odds at most 1. For mixed odds it is
an observation, so that `divide_and_conquer` asserts it on what it meets, and the plain program is the default.

Adaptive queries search the same cuts by halves: K of them reach F_{2^K - 1}. At a price c each: U_k(i,j) = max(V(i,j),
max_a U_{k-1}(i,a) + U_{k-1}(a+1,j) - c W(i,j)), W the weight of the cell; O(K n^3).

Source: Harris, Immorlica, Lucier, Slivkins, "Algorithmic persuasion through simulation", arXiv:2311.18138; the recursions
are derived here.
"""
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import comb
from typing import Any

from .thresholds import Crowd, best_messages

LOOSE = 1e-9
TABLE = 2000
"""The most types for which a table of all cells is made."""


@dataclass(frozen=True)
class Cuts:
    """values: F_0 .. F_K; cuts: the best K boundaries, c lies between groups c and c + 1; method: how they were found."""
    values: tuple[float, ...]
    cuts: tuple[int, ...]
    method: str


def cell(who: Crowd, i: int, j: int) -> Crowd:
    """The types i..j, both included."""
    span = slice(i, j + 1)
    return Crowd(who.odds[span], who.good[span], who.bad[span], who.stake[span], who.last[span], ())


def cells(who: Crowd) -> Any:
    """V(i, j) for i <= j, minus infinity elsewhere (n, n). O(n^2) for odds at most 1, else O(n^3) in vectors: a column's targets
    are the same for every i but for the message of ratio 0."""
    import numpy as np
    n, r = who.size, np.array(who.odds)
    table = np.full((n, n), -np.inf)
    p, q = (np.concatenate([[0.0], np.cumsum(x)]) for x in (who.good, who.bad))
    for j in range(n):
        targets = p[j + 1] - p[:j + 1] + r[:j + 1] * (q[j + 1] - q[:j + 1])
        if r[j] > 1:
            table[:j + 1, j] = _mixed(r[:j + 1], targets, p[j + 1] - p[:j + 1])
        else:
            table[:j + 1, j] = np.maximum.accumulate(targets[::-1])[::-1]
    return table


def _mixed(r: Any, targets: Any, zero: Any) -> Any:
    """One column of cells where some odds exceed 1: single targets, pairs of targets, pairs of ratio 0 and a target.

    r, targets (j+1,): odds and values of the targets; zero (j+1,): value of ratio 0 in the cell that begins at i
    """
    import numpy as np
    high = r > 1
    rb, gb = r[high], targets[high]
    first = len(r) - len(rb)
    single = np.where(high, -np.inf, targets)
    low = np.flatnonzero(r < 1)
    if len(low):
        ra, ga = r[low, None], targets[low, None]
        single[low] = np.maximum(single[low], (((rb - 1) * ga + (1 - ra) * gb) / (rb - ra)).max(axis=1))
    chords = ((rb - 1) * zero[:, None] + gb) / rb
    chords[np.arange(len(r))[:, None] > np.arange(first, len(r))] = -np.inf
    return np.maximum(np.maximum.accumulate(single[::-1])[::-1], np.maximum(zero, chords.max(axis=1)))


# --- fixed beforehand ---------------------------------------------------------------------------------------------------
def plain(table: Any, queries: int) -> Cuts:
    """The plain program on a table of cells (n, n)."""
    import numpy as np
    n = len(table)
    layer, values, choices = table[0].copy(), [float(table[0, -1])], []
    for _ in range(min(queries, n - 1)):
        sums = np.concatenate([[-np.inf], layer[:-1]])[:, None] + table
        choices.append(sums.argmax(axis=0))
        layer = sums.max(axis=0)
        layer[0] = -np.inf
        values.append(float(layer[-1]))
    return Cuts(tuple(values), _trace(choices, n), "plain")


def _trace(choices: Sequence[Any], n: int) -> tuple[int, ...]:
    """The boundaries behind the last layer: choices[k][j] is where the last cell of F_{k+1}(j) starts."""
    found, j = [], n - 1
    for choice in reversed(choices):
        j = int(choice[j]) - 1
        found.append(j)
    return tuple(reversed(found))


def divide_and_conquer(value: Callable[[int, int], float], n: int, queries: int) -> Cuts:
    """The program by divide and conquer, under the quadrangle inequality. value(i, j): of a cell, called O(K n log n) times."""
    layer = [value(0, j) for j in range(n)]
    values, choices = [layer[-1]], []
    for k in range(1, min(queries, n - 1) + 1):
        fresh, choice = [float("-inf")] * n, [0] * n
        stack = [(k, n - 1, k, n - 1)]
        while stack:
            left, right, low, high = stack.pop()
            if left > right:
                continue
            j = (left + right) // 2
            best = max(range(low, min(j, high) + 1), key=lambda i, j=j: layer[i - 1] + value(i, j))  # type: ignore[misc]
            fresh[j], choice[j] = layer[best - 1] + value(best, j), best
            assert best + 1 > j or j + 1 >= n or _quadrangle(value, best, j), "the quadrangle inequality fails: use `plain`"
            stack += [(left, j - 1, low, best), (j + 1, right, best, high)]
        layer = fresh
        values.append(layer[-1])
        choices.append(choice)
    return Cuts(tuple(values), _trace(choices, n), "divide and conquer")


def _quadrangle(value: Callable[[int, int], float], i: int, j: int) -> bool:
    return value(i, j) + value(i + 1, j + 1) >= value(i, j + 1) + value(i + 1, j) - LOOSE


def hull(who: Crowd, queries: int, compiled: bool | None = None) -> Cuts:
    """The hull recursion, O(K n). compiled: with numba (package extra `simulate`); None: where it is worth its start.

    Raises ValueError if an odd exceeds 1.
    """
    if who.odds[-1] > 1:
        raise ValueError("the hull recursion needs odds of at most 1")
    n, most = who.size, min(queries, who.size - 1)
    if compiled is None:
        compiled = n * (most + 1) > 3_000_000 and _compiler() is not None
    if compiled:
        return _hull_compiled(who, most)
    good, bad = _sums(who.good), _sums(who.bad)
    layer, values, choices = [0.0] * n, [], []
    for k in range(most + 1):
        fresh, choice = [0.0] * n, [0] * n
        hull_layer(who.odds, good, bad, layer, fresh, choice, [0] * n, k)
        layer = fresh
        values.append(layer[n - 1])
        choices.append(choice)
    return _targets(values, choices, n)


def hull_layer(r: Any, good: Any, bad: Any, before: Any, after: Any, choice: Any, kept: Any, k: int) -> None:
    """One layer, k + 1 targets: a maximum of lines whose slopes r_t and arguments Q_j both rise, by a moving pointer.

    r (n,); good, bad: prefix sums (n + 1,); before, after: F_{k-1}, F_k (n,), F_{-1} = 0, and without meaning where fewer than k + 1
    types are; choice (n,): the last target; kept (n,): room for the hull. Plain loops, so that numba may compile it.
    """
    n, size, at = len(r), 0, 0
    for j in range(k, n):
        height = before[j - 1] - good[j] - r[j] * bad[j]
        while size - at >= 2:
            a, b = kept[size - 2], kept[size - 1]
            fa = before[a - 1] - good[a] - r[a] * bad[a]
            fb = before[b - 1] - good[b] - r[b] * bad[b]
            if (height - fb) * (r[b] - r[a]) >= (fb - fa) * (r[j] - r[b]):
                size -= 1
            else:
                break
        kept[size] = j
        size += 1
        x = bad[j + 1]
        while size - at >= 2:
            a, b = kept[at], kept[at + 1]
            fa = before[a - 1] - good[a] - r[a] * bad[a]
            fb = before[b - 1] - good[b] - r[b] * bad[b]
            if fb + r[b] * x > fa + r[a] * x:
                at += 1
            else:
                break
        t = kept[at]
        after[j], choice[j] = good[j + 1] + before[t - 1] - good[t] - r[t] * bad[t] + r[t] * x, t


def _compiler() -> Any:
    try:
        from numba import njit
    except ImportError:
        return None
    return njit


@cache
def _compiled_layer() -> Any:
    """The layer as machine code, compiled once a process."""
    return _compiler()(hull_layer)


def _hull_compiled(who: Crowd, most: int) -> Cuts:
    import numpy as np
    layer_of = _compiled_layer()
    n, r = who.size, np.array(who.odds)
    good, bad = (np.concatenate([[0.0], np.cumsum(np.array(x))]) for x in (who.good, who.bad))
    layer, values, choices = np.zeros(n), [], []
    for k in range(most + 1):
        fresh, choice = np.zeros(n), np.zeros(n, dtype=np.int32)
        layer_of(r, good, bad, layer, fresh, choice, np.zeros(n, dtype=np.int32), k)
        layer = fresh
        values.append(float(layer[n - 1]))
        choices.append(choice)
    return _targets(values, choices, n)


def _targets(values: list[float], choices: Sequence[Any], n: int) -> Cuts:
    """Cuts lie below every target but the first."""
    return Cuts(tuple(values), _trace(choices[1:], n), "hull")


def _sums(x: Sequence[float]) -> list[float]:
    found = [0.0]
    for value in x:
        found.append(found[-1] + value)
    return found


def best_cuts(who: Crowd, queries: int) -> Cuts:
    """F_0 .. F_K and the best K cuts: the hull where all odds are at most 1, else the plain program, else divide and conquer."""
    if who.odds[-1] <= 1:
        return hull(who, queries)
    if who.size <= TABLE:
        return plain(cells(who), queries)
    return divide_and_conquer(cache(lambda i, j: best_messages(cell(who, i, j))[0]), who.size, queries)


def greedy_cuts(table: Any, queries: int) -> Cuts:
    """The cut that adds most, again and again; of equal ones the lowest. `cuts` in the order taken."""
    n = len(table)
    taken: list[int] = []
    values = [float(table[0, n - 1])]
    for _ in range(min(queries, n - 1)):
        gains = {c: _gain(table, taken, c) for c in range(n - 1) if c not in taken}
        top = max(gains.values())
        best = min(c for c, gain in gains.items() if gain >= top - 1e-12)
        taken.append(best)
        values.append(values[-1] + gains[best])
    return Cuts(tuple(values), tuple(taken), "greedy")


def _gain(table: Any, taken: Sequence[int], cut: int) -> float:
    low = max((c for c in taken if c < cut), default=-1) + 1
    high = min((c for c in taken if c > cut), default=len(table) - 1)
    return float(table[low, cut] + table[cut + 1, high] - table[low, high])


def equal_mass(mass: Sequence[float], queries: int) -> tuple[int, ...]:
    """Cuts that split the weight (n,) as evenly as the types allow: the boundary nearest to each of the K quantiles."""
    sums = _sums(mass)
    total, inner = sums[-1], range(len(mass) - 1)
    most = min(queries, len(mass) - 1)
    return tuple(sorted({min(inner, key=lambda c, m=m: abs(sums[c + 1] - total * m / (most + 1)))  # type: ignore[misc]
                         for m in range(1, most + 1)}))


def random_cuts(table: Any, queries: int) -> float:
    """The mean value of K cuts drawn uniformly without replacement: every cell by its chance to come up. O(n^2)."""
    n, most = len(table), min(queries, len(table) - 1)
    total = comb(n - 1, most)
    return sum(float(table[i, j]) * _ways(n, most, i, j) / total for i in range(n) for j in range(i, n))


def _ways(n: int, cuts: int, i: int, j: int) -> int:
    """In how many sets of `cuts` boundaries i..j is a cell."""
    ends = (i > 0) + (j < n - 1)
    outside = max(i - 1, 0) + max(n - 2 - j, 0)
    return comb(outside, cuts - ends) if cuts >= ends else 0


# --- one after another --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Tree:
    """Adaptive queries at a price.

    values  U_0 .. U_K of all types, net of prices; they stay the same once more queries are of no use, and end there
    cut     cut[k][i, j]: the next with k left, -1 to stop
    """
    values: tuple[float, ...]
    cut: tuple[Any, ...]

    @property
    def value(self) -> float:
        """Net of prices, unnormalised."""
        return self.values[-1]

    def next(self, left: int, i: int, j: int) -> int:
        """The next cut in the cell i..j with so many queries left, -1 to stop."""
        return int(self.cut[min(left, len(self.cut) - 1)][i, j])


def adaptive(table: Any, mass: Sequence[float], queries: int, price: float) -> Tree:
    """U_K on a table of cells. mass (n,): weights of the types. O(K n^3), vectorised over the cuts; stops once it is at rest."""
    import numpy as np
    n, sums = len(table), np.array(_sums(mass))
    before, plans, values = table.copy(), [np.full((n, n), -1)], [float(table[0, n - 1])]
    for _ in range(min(queries, n - 1)):
        after, cut = table.copy(), np.full((n, n), -1)
        for i in range(n - 1):
            for j in range(i + 1, n):
                split = before[i, i:j] + before[i + 1:j + 1, j]
                a = int(split.argmax())
                net = split[a] - price * (sums[j + 1] - sums[i])
                if net > table[i, j] + LOOSE:
                    after[i, j], cut[i, j] = net, i + a
        plans.append(cut)
        values.append(float(after[0, n - 1]))
        still = np.array_equal(after, before)
        before = after
        if still:
            break
    return Tree(tuple(values), tuple(plans))

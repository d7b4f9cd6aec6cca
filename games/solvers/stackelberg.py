"""Stackelberg play of two payoff matrices, and benchmarks that tolerate a follower who errs a little.

    u1, u2   payoffs of leader and follower     K x B each: rows are the leader's moves, columns the follower's answers
    B_e(a) = {b : u2(a, b) >= max_b' u2(a, b') - e}                                            answers within e of the best
    A_e    = {a : max_{b in B_e(a)} u1(a, b) >= max_a' min_{b in B_e(a')} u1(a', b') - e}       moves that may still be best
    tolerant       leader    inf_{0 <= e <= gamma} max_a min_{b in B_e(a)} u1(a, b) + e
                   follower  inf_{0 <= e <= gamma} min_{a in A_e} max_b u2(a, b) + e
    self_tolerant  i         inf_{0 <= e <= gamma} min_{a in A_e} min_{b in B_e(a)} u_i(a, b) + e      a reconstruction

The right-hand side of A_e is the leader's payoff: the follower's, as sometimes printed, leaves A_0 empty. All set functions are
right-continuous steps in e, so each infimum is at e = 0 or at a break: where an answer enters a B_e(a), or, between two of
these, where a move enters A_e. Numbers are taken as the decimals they are written as and computed as fractions: exact, no ties
flip. O(K B (K B + K)) set evaluations of O(K B).

Source: K. Donahue, N. Immorlica, M. Jagadeesan, B. Lucier, A. Slivkins, "Impact of decentralized learning on player utilities in
Stackelberg games", ICML 2024, arXiv:2403.00188; break points derived here.
"""
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

BEYOND = 10**100
"""A ratio of differences from here on is none that a bound could be computed with."""
Matrix = Sequence[Sequence[float]]
Exact = tuple[tuple[Fraction, ...], ...]


class Point(NamedTuple):
    """A benchmark's value for one player, and the tolerance e at which its infimum is."""
    value: float
    epsilon: float


def exact(matrix: Matrix) -> Exact:
    """A matrix of the fractions that its decimals stand for."""
    return tuple(tuple(Fraction(repr(float(x))) for x in row) for row in matrix)


def near_best(u2: Exact, a: int, e: Fraction) -> list[int]:
    """B_e(a), in order."""
    most = max(u2[a])
    return [b for b, x in enumerate(u2[a]) if x >= most - e]


def guaranteed(u1: Exact, u2: Exact, e: Fraction) -> Fraction:
    """max_a min_{b in B_e(a)} u1(a, b)."""
    return max(min(u1[a][b] for b in near_best(u2, a, e)) for a in range(len(u1)))


def near_leads(u1: Exact, u2: Exact, e: Fraction) -> list[int]:
    """A_e, in order; never empty."""
    least = guaranteed(u1, u2, e) - e
    return [a for a in range(len(u1)) if max(u1[a][b] for b in near_best(u2, a, e)) >= least]


def breaks(u1: Exact, u2: Exact, gamma: Fraction) -> list[Fraction]:
    """Every e in [0, gamma] at which a B_e(a) or A_e may change."""
    steps = sorted({e for row in u2 for x in row if (e := max(row) - x) <= gamma})
    found = set(steps)
    for e in steps:
        least = guaranteed(u1, u2, e)
        gaps = (least - max(u1[a][b] for b in near_best(u2, a, e)) for a in range(len(u1)))
        found.update(g for g in gaps if e < g <= gamma)
    return sorted(found)


def equilibrium(u1: Matrix, u2: Matrix, weak: bool = False) -> tuple[int, int]:
    """(a, b) of the one-shot game: the follower's ties go to the leader's favourite, or if `weak` to her worst; then lowest index."""
    x, y = exact(u1), exact(u2)
    choose: Callable[..., int] = min if weak else max
    answers = [choose(near_best(y, a, Fraction(0)), key=lambda b, a=a: x[a][b]) for a in range(len(x))]
    lead = max(range(len(x)), key=lambda a: x[a][answers[a]])
    return lead, answers[lead]


def tolerant(u1: Matrix, u2: Matrix, gamma: float) -> tuple[Point, Point]:
    """The gamma-tolerant benchmark of leader and follower."""
    x, y = exact(u1), exact(u2)
    at = breaks(x, y, Fraction(repr(float(gamma))))
    return (_least(at, lambda e: guaranteed(x, y, e) + e),
            _least(at, lambda e: min(max(y[a]) for a in near_leads(x, y, e)) + e))


def self_tolerant(u1: Matrix, u2: Matrix, gamma: float) -> tuple[Point, Point]:
    """The benchmark that also tolerates a player's own errors."""
    x, y = exact(u1), exact(u2)
    at = breaks(x, y, Fraction(repr(float(gamma))))

    def worst(u: Exact) -> Callable[[Fraction], Fraction]:
        return lambda e: min(u[a][b] for a in near_leads(x, y, e) for b in near_best(y, a, e)) + e
    return _least(at, worst(x)), _least(at, worst(y))


def _least(at: list[Fraction], f: Callable[[Fraction], Fraction]) -> Point:
    """The least value over the points, at the first of those that attain it."""
    value, e = min((f(e), e) for e in at)
    return Point(float(value), float(e))


def alignment(u1: Matrix, u2: Matrix) -> float | None:
    """L: the most by which a difference of two outcomes to one player exceeds that to the other, as a ratio; None: unbounded."""
    x, y = exact(u1), exact(u2)
    pairs = [(p, q) for row, other in zip(x, y, strict=True) for p, q in zip(row, other, strict=True)]
    most = Fraction(1)
    for (p, q), (r, s) in combinations(pairs, 2):
        one, two = abs(p - r), abs(q - s)
        if one == two:
            continue
        if not one or not two:
            return None
        most = max(most, one / two, two / one)
    return float(most) if most < BEYOND else None

"""What bandit algorithms share: the state of one bandit as a row of numbers, and what every algorithm does with it.

A bandit of k arms is a row x of 5 k + 3 numbers, all zero at first:

    x[0]             rounds played
    x[1]             rounds that count in the statistics below
    x[2]             the arm committed to, plus 1; 0 before
    n, total, mean, width       k numbers each: pulls that count, sum of rewards, total / n, 1 / sqrt(n)
    weight           k numbers: what the algorithm makes of them: chances, estimated losses or a mark

An algorithm is two functions of such rows, `choose(x, k, q, seed) -> arm` and `update(x, k, q, arm, reward)`; q are its numbers
(`Learner.numbers`), and `seed` is all its chance. `update` draws nothing, so a bandit is a fold over (arm, reward). The same
source runs in the agents on lists and, compiled, in `experiments.engine` on arrays: nothing here may need more than numbers.
"""
import math
from collections.abc import MutableSequence, Sequence

Row = MutableSequence[float]
Numbers = Sequence[float]
HEAD = 3
MASK = (1 << 64) - 1


def size(k: int) -> int:
    """The length of a bandit's row."""
    return HEAD + 5 * k


def count(x: Row, k: int, arm: int, reward: float) -> None:
    """Takes one reward into the statistics."""
    n = x[3 + arm] + 1.0
    total = x[3 + k + arm] + reward
    x[1] += 1.0
    x[3 + arm] = n
    x[3 + k + arm] = total
    x[3 + 2 * k + arm] = total / n
    x[3 + 3 * k + arm] = 1.0 / math.sqrt(n)


def untried(x: Row, k: int) -> int:
    """The first arm without a counted pull; -1 if there is none."""
    for a in range(k):
        if x[3 + a] == 0.0:
            return a
    return -1


def best(x: Row, k: int) -> int:
    """The arm of the highest mean; ties go to the lowest index."""
    top = 0
    for a in range(1, k):
        if x[3 + 2 * k + a] > x[3 + 2 * k + top]:
            top = a
    return top


def commit(x: Row, k: int) -> None:
    """Commits to the arm of the highest mean, for good."""
    x[2] = best(x, k) + 1.0


def fraction(seed: int) -> float:
    """A 63-bit seed as a number in [0, 1]."""
    return seed / 9223372036854775808.0


def drawn(x: Row, k: int, at: int, u: float) -> int:
    """The arm whose chance, of the k that begin at x[at] and sum to 1, holds u in [0, 1]."""
    for a in range(k):
        u -= x[at + a]
        if u < 0.0:
            return a
    last = 0
    for a in range(k):
        if x[at + a] > 0.0:
            last = a
    return last


def mixed(z: int, key: int) -> int:
    """One step of splitmix64 that takes in a key: that of `games.solvers.tape`, which agents may not see."""
    z = (z + key + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def unit(seed: int, i: int) -> float:
    """The i-th number in [0, 1) of a seed."""
    return (mixed(mixed(0, seed), i) >> 11) / 9007199254740992.0

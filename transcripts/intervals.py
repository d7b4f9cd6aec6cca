"""Intervals that need only counts: Student's quantile, Wilson's interval, and what bounds alone say.

    student(level, dof)          t with P(|T| <= t) = level, T Student with dof > 0 degrees of freedom
    wilson(x, n, level)          a rate x/n:  (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n),  p = x/n, z normal
    never_differed(n, level)     n alike episodes in a row: the chance that one differs is at most 1 - ((1-level)/2)^(1/n)

Sources: E. B. Wilson (1927), Probable inference, JASA 22; C. J. Clopper and E. S. Pearson (1934), Biometrika 26.
Checked example: wilson(81, 263) = (.2553, .3662) (Newcombe 1998, Statistics in Medicine 17, table I).
"""
from functools import lru_cache
from math import isfinite, sqrt
from statistics import NormalDist


def check_level(level: float) -> None:
    """Raises ValueError unless 0 < level < 1."""
    if not 0 < level < 1:
        raise ValueError(f"a level lies strictly between 0 and 1, not {level:g}: give .95 for 95%")


@lru_cache(maxsize=4096)
def student(level: float, dof: float) -> float:
    """The two-sided Student quantile. Raises ValueError unless 0 < level < 1 and dof > 0."""
    from scipy.special import stdtrit

    check_level(level)
    if not dof > 0:
        raise ValueError(f"Student's t needs degrees of freedom above 0, not {dof:g}")
    return float(stdtrit(dof, (1 + level) / 2))


def wilson(successes: float, n: float, level: float = 0.95, effective_n: float | None = None) -> tuple[float, float]:
    """(low, high) of the rate successes / n, both in [0, 1].

    effective_n  how many independent trials the n are worth, in (0, n]; None for n. The rate stays successes / n.
    Raises ValueError unless 0 <= successes <= n, n > 0.
    """
    check_level(level)
    if not (isfinite(n) and n > 0 and 0 <= successes <= n):
        raise ValueError(f"a rate needs 0 <= successes <= n and n > 0, not {successes:g} of {n:g}")
    trials = n if effective_n is None else effective_n
    if not 0 < trials <= n:
        raise ValueError(f"the effective number of trials lies in (0, {n:g}], not {trials:g}")
    rate, z2 = successes / n, NormalDist().inv_cdf((1 + level) / 2) ** 2
    middle = (rate + z2 / (2 * trials)) / (1 + z2 / trials)
    half = sqrt(z2 * (rate * (1 - rate) / trials + z2 / (4 * trials**2))) / (1 + z2 / trials)
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    return low, 1.0 if successes == n else min(1.0, middle + half)


def never_differed(n: float, level: float = 0.95) -> float:
    """The largest chance of an unlike episode that n alike ones leave possible (Clopper-Pearson, no event in n trials)."""
    check_level(level)
    if not n > 0:
        raise ValueError(f"needs at least one episode, not {n:g}")
    return float(1 - ((1 - level) / 2) ** (1 / n))

"""Integrals of functions with known kinks."""
from collections.abc import Callable, Iterable
from itertools import pairwise


def integrate(f: Callable[[float], float], points: Iterable[float]) -> float:
    """The integral of f over [min(points), max(points)], adaptive between neighbouring points (its kinks and jumps).

    Absolute error about 1e-12 for each smooth stretch. scipy's QUADPACK.
    """
    from scipy.integrate import quad

    cuts = sorted(set(points))
    return float(sum(quad(f, a, b, epsabs=1e-13, epsrel=1e-11, limit=200, full_output=1)[0]
                     for a, b in pairwise(cuts) if b - a > 1e-14))


def power_integral(p: float, low: float) -> float:
    """The integral of y^(p-1) over [low, 1], 0 < low <= 1; continuous in p at 0, where it is -log(low)."""
    from math import expm1, log

    return -log(low) if abs(p) < 1e-12 else -expm1(p * log(low)) / p

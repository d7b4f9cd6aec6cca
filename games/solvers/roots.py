"""Roots of monotone functions. Plain bisection, for functions with kinks; smooth ones go to scipy."""
from collections.abc import Callable


def bisect(f: Callable[[float], float], low: float, high: float, steps: int = 100) -> float:
    """The least x in [low, high] with f(x) >= 0, f non-decreasing and f(high) >= 0, to machine precision."""
    if f(low) >= 0:
        return low
    for _ in range(steps):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if f(middle) >= 0:
            high = middle
        else:
            low = middle
    return high

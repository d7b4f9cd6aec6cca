"""What a bidder holds of y, the greatest of his rivals' values, which are independent and uniform on [0, 1]."""
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Side = Literal["below", "above"]
SIDES: tuple[Side, Side] = ("below", "above")


@dataclass(frozen=True)
class Belief:
    """P(y <= x) = base + slope x^rivals for x from `start` up to the next piece's start; pieces = (start, base, slope)."""
    rivals: int
    pieces: tuple[tuple[float, float, float], ...]

    @classmethod
    def prior(cls, rivals: int) -> "Belief":
        return cls(rivals, ((0.0, 0.0, 1.0),))

    @classmethod
    def noted(cls, rivals: int, accuracy: float, s: float) -> "Belief":
        """After the number s: y = s with chance q, else nothing is learned."""
        return cls(rivals, ((0.0, 0.0, 1 - accuracy), (s, accuracy, 1 - accuracy)))

    @classmethod
    def sided(cls, accuracy: float, threshold: float, side: Side) -> "Belief":
        """One rival, after a side. Not normalised: P(y <= x and this side is told)."""
        low, high = (accuracy, 1 - accuracy) if side == "below" else (1 - accuracy, accuracy)
        return cls(1, ((0.0, 0.0, low), (threshold, (low - high) * threshold, high)))

    def normal(self) -> "Belief":
        """Divided by its total; the prior if what was told cannot be."""
        total = self.below(1.0)
        if total <= 0:
            return Belief.prior(self.rivals)
        return Belief(self.rivals, tuple((start, base / total, slope / total) for start, base, slope in self.pieces))

    def below(self, x: float) -> float:
        """P(y <= x)."""
        _, base, slope = next(p for p in reversed(self.pieces) if p[0] <= x)
        return base + slope * x**self.rivals

    def spans(self) -> Iterator[tuple[float, float, float, float]]:
        """(start, end, base, slope) of every piece."""
        ends = [p[0] for p in self.pieces[1:]] + [1.0]
        yield from ((start, end, base, slope) for (start, base, slope), end in zip(self.pieces, ends, strict=True))

    def jumps(self) -> Iterator[tuple[float, float]]:
        """(x, P(y = x)) between the pieces."""
        for (_, base, slope), (x, base_after, slope_after) in pairwise(self.pieces):
            yield x, base_after - base + (slope_after - slope) * x**self.rivals

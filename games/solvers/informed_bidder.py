"""What a signal about one's rivals is worth where the highest bid wins and pays itself.

Rivals bid b as in `first_price`. One bidder learns something of y, the greatest rival value, and holds a belief: a
distribution function P(y <= x) made of pieces base + slope x^(n-1), with jumps between them. Ties go to him, so bidding
b(x) wins iff y <= x, and he maximises

    (v - b(x))^r P(y <= x)     over x in [rho, 1].

On a piece with slope > 0 let z = -base/slope. As b' = a (x - b)/x, the derivative vanishes where

    v = x - (x - b(x)) z / x^(n-1),

on either side of which it has one sign (the logarithm of the objective is concave for n = 2); for rho = 0, n = 2 this is
x = v + z (1 - k), k = a/(a+1). The best reply rises with v. Signals, with accuracy q:

    exact     y itself                                              any n
    binary    whether y is below or above a threshold t, right with chance q                    n = 2
    mixture   y with chance q, else a number drawn from [0, 1]; nobody can tell which           n = 2

Given v and a mixture signal s there is x*(v) <= v and a cut c(v) >= v: bid b(x*) for s <= x*, b(s) for x* < s <= c, and
b(v) beyond c; the exact signal is q = 1. He knows v before he asks, and asks iff that gains more than the price.
Derived here. Checked example: n = 2, r = 1, rho = 0, exact: 7/24 against 1/6 without a signal.
"""
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import inf
from typing import Literal

from .belief import SIDES, Belief
from .first_price import FirstPrice
from .quadrature import integrate
from .roots import bisect

SLACK = 1e-9
GRID = 256
"""Points at which the gain from asking is compared with its price before each crossing is refined."""


def worth(game: FirstPrice, v: float, belief: Belief, x: float) -> float:
    """The expected utility of a bidder of value v who bids b(x)."""
    return game.utility(v - game.bid(x)) * belief.below(x) if v >= game.reserve else 0.0


def paid(game: FirstPrice, v: float, belief: Belief, x: float) -> float:
    """What the seller then gets: b(x) if y <= x, else the rival's bid."""
    smooth = sum(slope * (game.rivals_pay(max(x, start)) - game.rivals_pay(max(x, end)))
                 for start, end, _, slope in belief.spans())
    return game.bid(x) * belief.below(x) + smooth + sum(game.bid(y) * p for y, p in belief.jumps() if y > x)


def efficient(game: FirstPrice, v: float, belief: Belief, x: float) -> float:
    """The chance that the highest value gets the object."""
    own = belief.below(min(x, v)) if v >= game.reserve else 0.0
    return own + belief.below(1.0) - belief.below(max(x, v, game.reserve))


Measure = Callable[[FirstPrice, float, Belief, float], float]


def reply(game: FirstPrice, v: float, belief: Belief) -> float:
    """The x whose bid b(x) is best; ties to the lowest; 0 for a value below the reserve."""
    if v < game.reserve:
        return 0.0
    tried = [_peak(game, v, belief.rivals, max(start, game.reserve), end, base, slope)
             for start, end, base, slope in belief.spans() if end >= game.reserve]
    best = max(worth(game, v, belief, x) for x in (game.reserve, *tried))
    return min(x for x in (game.reserve, *tried) if worth(game, v, belief, x) >= best - SLACK * abs(best))


def _peak(game: FirstPrice, v: float, rivals: int, low: float, high: float, base: float, slope: float) -> float:
    """The best x in [low, high], on one piece."""
    if slope <= 0:
        return low
    z = -base / slope
    if z == 0:
        return min(max(v, low), high)
    if game.reserve == 0 and rivals == 1:
        return min(max(v + z * (1 - game.slope), low), high)

    def falling(x: float) -> float:
        return x - (x - game.bid(x)) * z / x**rivals - v

    return bisect(falling, low, high) if falling(high) >= 0 else high


@dataclass(frozen=True)
class Informed:
    """One bidder who may ask for a signal at a price, against rivals who bid as if nobody could."""
    game: FirstPrice
    signal: Literal["exact", "binary", "mixture"]
    accuracy: float = 1.0
    threshold: float = 0.5
    price: float = 0.0

    def value(self) -> float:
        """His expected utility before he knows his value, net of the price where he asks."""
        return self.mean(worth) - self.price * sum(b - a for a, b in self._stretches if self._asks_on(a, b))

    def revenue(self) -> float:
        return self.mean(paid)

    def efficiency(self) -> float:
        """The chance that the highest value gets the object."""
        return self.mean(efficient)

    def mean(self, measure: Measure) -> float:
        """The expectation of a measure over values, signals and rivals."""
        return sum(self._mean_on(a, b, measure) for a, b in self._stretches)

    def _mean_on(self, a: float, b: float, measure: Measure) -> float:
        given = self.asking if self._asks_on(a, b) else self.silent
        return integrate(lambda v: given(measure, v), (a, b))

    def asks(self, v: float) -> bool:
        """Whether a bidder of value v asks; a question that costs nothing is asked."""
        return self.price == 0 or self.gain(v) > self.price + SLACK

    def gain(self, v: float) -> float:
        """What a report adds to the utility of a bidder of value v, before the price."""
        return self.asking(worth, v) - self.game.interim(v)

    def silent(self, measure: Measure, v: float) -> float:
        """A measure given v if he does not ask."""
        return measure(self.game, v, Belief.prior(self.game.n - 1), v)

    def asking(self, measure: Measure, v: float) -> float:
        """A measure given v if he asks: the mean over what he is told."""
        if self.signal == "binary":
            return sum(measure(self.game, v, b, reply(self.game, v, b)) for b in self._sides)
        return self._told_numbers(measure, v)

    @cached_property
    def _sides(self) -> list[Belief]:
        return [Belief.sided(self.accuracy, self.threshold, side) for side in SIDES]

    @cached_property
    def _trust(self) -> float:
        return 1.0 if self.signal == "exact" else self.accuracy

    def _noted(self, s: float) -> Belief:
        return Belief.noted(self.game.n - 1, self._trust, s)

    def _density(self, s: float) -> float:
        """Of the number told."""
        return (self.game.n - 1) * s**(self.game.n - 2) if self.signal == "exact" else 1.0

    def _told_numbers(self, measure: Measure, v: float) -> float:
        game = self.game
        if v < game.reserve:
            return integrate(lambda s: self._density(s) * measure(game, v, self._noted(s), 0.0), (0, v, game.reserve, 1))
        low, cut = reply(game, v, self._noted(0.0)), self._cut(v)

        def told(s: float) -> float:
            x = low if s <= low else s if s <= cut else v
            return self._density(s) * measure(game, v, self._noted(s), x)

        return integrate(told, (0, game.reserve, low, v, cut, 1))

    def _cut(self, v: float) -> float:
        """c(v): the greatest number told that he still outbids."""
        give_up = worth(self.game, v, self._noted(inf), v)

        def against(s: float) -> float:
            return give_up - worth(self.game, v, self._noted(s), s)

        return bisect(against, v, 1.0) if against(1.0) >= 0 else 1.0

    @cached_property
    def _stretches(self) -> list[tuple[float, float]]:
        """[0, 1] cut where the best reply, or asking, changes its form in v."""
        cuts = {0.0, self.game.reserve, 1.0, *self._kinks()}
        cuts |= set(self._crossings()) if self.price > 0 else set()
        return list(pairwise(sorted(cuts)))

    def _asks_on(self, a: float, b: float) -> bool:
        return self.asks((a + b) / 2)

    def _kinks(self) -> Iterator[float]:
        """Where the best reply reaches the threshold, leaves it and reaches 1; where every number told is outbid."""
        if self.signal != "binary":
            yield bisect(self._outbids_all, self.game.reserve, 1.0)
            return
        for belief in self._sides:
            for level in (self.threshold, self.threshold + SLACK, 1.0):
                if reply(self.game, 1.0, belief) >= level:
                    yield self._reaches(belief, level)

    def _reaches(self, belief: Belief, level: float) -> float:
        return bisect(lambda v: reply(self.game, v, belief) - level, self.game.reserve, 1.0)

    def _outbids_all(self, v: float) -> float:
        return worth(self.game, v, self._noted(1.0), 1.0) - worth(self.game, v, self._noted(inf), v)

    def _crossings(self) -> Iterator[float]:
        """Where the gain from asking passes the price."""
        def over(v: float) -> float:
            return self.gain(v) - self.price - SLACK

        points = [i / GRID for i in range(GRID + 1)]
        signs = [over(v) > 0 for v in points]
        for (a, b), (before, after) in zip(pairwise(points), pairwise(signs), strict=True):
            if before != after:
                yield bisect(over if after else lambda v: -over(v), a, b)

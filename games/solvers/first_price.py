"""The highest bid wins and pays itself: n bidders, values independent and uniform on [0, 1], a reserve, CRRA utility.

    n    bidders      at least 2
    r    risk         u(x) = x^r for a gain, -|x|^r for a loss, r in (0, 1]; 1 is risk-neutral
    rho  reserve      bids below it are not accepted, rho in [0, 1)
    a                 (n-1)/r

The symmetric equilibrium: a value v >= rho bids

    b(v) = a v/(a+1) + rho (rho/v)^a / (a+1),        with b' = a (v - b)/v,

since maximising (v - b(x))^r x^(n-1) over x is maximising (v - b(x)) x^a; a value below rho does not bid (0). Ex ante a
bidder has (a+1)^-r int_rho^1 (v^(a+1) - rho^(a+1))^r dv, which is (a+1)^-r / (n+r) for rho = 0, and 1/(n(n+1)) for r = 1
besides. Textbook results, with r and rho derived here. Checked example: n = 2, r = 1, rho = 0: b(v) = v/2, value 1/6,
revenue 1/3.

A bid is written below as the value x that makes it in equilibrium: bidding b(x) wins against rivals' values y <= x.
"""
from dataclasses import dataclass
from functools import cached_property
from math import pow

from .quadrature import integrate, power_integral
from .roots import bisect
from .second_price import utility


@dataclass(frozen=True)
class FirstPrice:
    """The game above and its symmetric equilibrium."""
    n: int
    risk: float
    reserve: float

    @cached_property
    def power(self) -> float:
        """a = (n-1)/r."""
        return (self.n - 1) / self.risk

    @cached_property
    def slope(self) -> float:
        """a/(a+1): the bid per unit of value where there is no reserve."""
        return self.power / (self.power + 1)

    @cached_property
    def top(self) -> float:
        """b(1), the greatest bid."""
        return self.bid(1.0)

    def utility(self, gain: float) -> float:
        return utility(gain, self.risk)

    def bid(self, v: float) -> float:
        """b(v); 0 below the reserve."""
        if v < self.reserve:
            return 0.0
        if self.reserve == 0:
            return self.slope * v
        bid = (self.power * v + self.reserve * pow(self.reserve / v, self.power)) / (self.power + 1)
        return min(max(bid, self.reserve), v)

    def reach(self, bid: float) -> float:
        """The greatest value in [rho, 1] that bids at most `bid`, for a bid of at least rho."""
        if bid >= self.top:
            return 1.0
        if self.reserve == 0:
            return bid / self.slope
        return bisect(lambda x: self.bid(x) - bid, self.reserve, 1.0)

    def interim(self, v: float) -> float:
        """The equilibrium utility of a bidder of value v."""
        return self.utility(v - self.bid(v)) * pow(v, self.n - 1) if v >= self.reserve else 0.0

    def value(self) -> float:
        """A bidder's expected utility before he knows his value."""
        if self.reserve == 0:
            return pow(self.power + 1, -self.risk) / (self.n + self.risk)
        return integrate(self.interim, (self.reserve, 1.0))

    def revenue(self) -> float:
        """The seller's expected money."""
        return self.n * self._moment(self.n, self.reserve)

    def rivals_pay(self, x: float) -> float:
        """int_x^1 b(y) d y^(n-1): the expected bid of the highest rival where his value is above x."""
        return (self.n - 1) * self._moment(self.n - 1, max(x, self.reserve))

    def _moment(self, m: int, low: float) -> float:
        """int_low^1 b(y) y^(m-1) dy, low >= rho."""
        linear = self.power * (1 - pow(low, m + 1)) / (m + 1)
        if self.reserve == 0:
            return linear / (self.power + 1)
        return (linear + self.reserve * self._scaled(m, low)) / (self.power + 1)

    def _scaled(self, m: int, low: float) -> float:
        """rho^a int_low^1 y^(m-1-a) dy, in the form that neither overflows nor loses a tiny rho^a."""
        p = m - self.power
        if p >= 0:
            return pow(self.reserve, self.power) * power_integral(p, low)
        return pow(self.reserve / low, self.power) * pow(low, m) * power_integral(-p, low)

"""The highest bid wins and pays the second-highest, or a reserve: n bidders, values independent and uniform on [0, 1].

Bidding one's value is dominant, whatever is known of the others. With reserve rho and utility u(x) = x^r, a bidder of value
v >= rho gets

    U(v) = rho^(n-1) (v - rho)^r + int_rho^v (v - y)^r d y^(n-1),

on average over v: (rho^(n-1) (1-rho)^(r+1) + int_rho^1 (1-y)^(r+1) d y^(n-1)) / (r+1); this is 1/(n(n+1)) for r = 1,
rho = 0. Textbook results; the form with r and rho is derived here.
"""
from math import copysign, exp, lgamma, pow

from .belief import Belief
from .quadrature import integrate

SLACK = 1e-9


def utility(gain: float, risk: float) -> float:
    """x^r of a gain x, -|x|^r of a loss."""
    return copysign(pow(abs(gain), risk), gain)


def value_of(n: int, risk: float, reserve: float) -> float:
    """A bidder's expected utility before he knows his value."""
    if reserve == 0:
        return exp(lgamma(n) + lgamma(risk + 2) - lgamma(n + risk + 1)) / (risk + 1)
    above = integrate(lambda y: (n - 1) * y**(n - 2) * (1 - y)**(risk + 1), (reserve, 1.0))
    return (pow(reserve, n - 1) * pow(1 - reserve, risk + 1) + above) / (risk + 1)


def revenue_of(n: int, reserve: float) -> float:
    """The seller's expected money: (n-1)/(n+1) without a reserve."""
    none = pow(reserve, n)
    return n * (n - 1) * ((1 - none) / n - (1 - none * reserve) / (n + 1)) + n * none * (1 - reserve)


def interim_of(v: float, n: int, risk: float, reserve: float) -> float:
    """U(v): the expected utility of a bidder of value v."""
    if v < reserve:
        return 0.0
    rest = integrate(lambda y: (n - 1) * y**(n - 2) * (v - y)**risk, (reserve, v))
    return pow(reserve, n - 1) * pow(v - reserve, risk) + rest


def worth(v: float, bid: float, belief: Belief, risk: float, reserve: float) -> float:
    """The expected utility of any bid against truthful rivals; ties won."""
    if bid < reserve - SLACK:
        return 0.0
    n = belief.rivals
    total = belief.below(reserve) * utility(v - reserve, risk)
    total += sum(p * utility(v - y, risk) for y, p in belief.jumps() if reserve < y <= bid + SLACK)
    for start, end, _, slope in belief.spans():
        low, high = max(start, reserve), min(end, bid)
        if low < high and slope > 0:
            kink = min(max(v, low), high)
            total += slope * integrate(lambda y: n * y**(n - 1) * utility(v - y, risk), (low, kink, high))
    return total

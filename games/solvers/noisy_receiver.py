"""A receiver who acts by a noisy threshold, and what a sender earns who optimises against a wrong picture of him.

    p       belief of the receiver that the state is good                      in (0, 1)
    beta    slope of his choice in the log odds; inf: a step                   > 0
    x       log odds of a policy: ln(sigma(m|0) / sigma(m|1)), at a threshold tau: logit(tau)
    q       sigma(m|0), with sigma(m|1) = 1: how often the sender says "act" in the bad state     in (0, 1]

He acts with chance P = low + (1 - low - high) Lambda(beta (logit p - x)). The sender, paid 1 if he acts, earns
U(q) = (p + (1 - p) q) P(ln q), maximised over the one number q. Loss = U(q*; true) - U(q of the picture; true) >= 0,
overpromise = U(q of the picture; picture) - U(q of the picture; true). An ideal receiver (beta = inf) acts iff q <= p/(1-p).
If logit of the estimate is N(logit p, s^2), p <= 1/2, and the sender shades by m, she earns this share of the optimum:
E U / V* = (Phi(m/s) + exp(s^2/2 - m) Phi(m/s - s)) / 2. Ties: he acts.

Source: K. Harris, N. Immorlica, B. Lucier, A. Slivkins, arXiv:2311.18138, for the game; the formulas are derived here.
"""
from dataclasses import dataclass
from functools import lru_cache
from math import exp, inf, isinf, log, log1p

SLACK = 1e-9
GRID = tuple(i / 40 for i in range(-480, 1))
"""Log odds of policies tried before the best is looked for among its neighbours."""


@dataclass(frozen=True)
class Receiver:
    """threshold = logit p; slope beta, inf for a step; low, high: chances to act, or not to, whatever is said."""
    threshold: float
    slope: float = inf
    low: float = 0.0
    high: float = 0.0

    def acts(self, x: float) -> float:
        """The chance that he acts at log odds x."""
        sure = float(x <= self.threshold + SLACK) if isinf(self.slope) else logistic(self.slope * (self.threshold - x))
        return self.low + (1 - self.low - self.high) * sure


def logistic(z: float) -> float:
    """1 / (1 + e^-z), of any z."""
    return 1 / (1 + exp(-z)) if z > -700 else 0.0


def logit(p: float) -> float:
    """Log odds of a chance strictly between 0 and 1."""
    return log(p) - log1p(-p)


def value(q: float, prior: float, receiver: Receiver) -> float:
    """What policy q earns; prior: the chance of the good state by which the sender reckons."""
    return (prior + (1 - prior) * q) * receiver.acts(log(q))


@lru_cache(maxsize=512)
def best_policy(prior: float, receiver: Receiver) -> float:
    """The q in (0, 1] that earns most. A step is met exactly; else a grid of ln q, then Brent's method about its best point."""
    if isinf(receiver.slope):
        return best_of_step(prior, receiver)
    import numpy as np
    from scipy.optimize import minimize_scalar
    grid = np.asarray(GRID)
    sure = 1 / (1 + np.exp(np.minimum(700.0, -receiver.slope * (receiver.threshold - grid))))
    acts = receiver.low + (1 - receiver.low - receiver.high) * sure
    at = GRID[int(np.argmax((prior + (1 - prior) * np.exp(grid)) * acts))]
    found = minimize_scalar(lambda x: -value(exp(x), prior, receiver), bounds=(at - 0.025, min(0.0, at + 0.025)), method="bounded",
                            options={"xatol": 1e-12})
    return max((exp(float(found.x)), exp(at), 1.0), key=lambda q: value(q, prior, receiver))


def best_of_step(prior: float, receiver: Receiver) -> float:
    """Against a step: the threshold itself, or always "act" where lapses pay better."""
    return max((exp(min(0.0, receiver.threshold)), 1.0), key=lambda q: value(q, prior, receiver))


@dataclass(frozen=True)
class Cost:
    """What it costs to believe a picture of the receiver. best, got: against the true one; promised: by the picture."""
    best: float
    got: float
    promised: float

    @property
    def loss(self) -> float:
        return max(0.0, self.best - self.got)

    @property
    def overpromise(self) -> float:
        return self.promised - self.got


def cost_of(true: Receiver, picture: Receiver, prior: float, margin: float = 0.0, believed: float | None = None) -> Cost:
    """The cost of optimising against `picture` when he is `true`.

    margin    by how many logits the sender shades
    believed  the chance of the good state by which she reckons, if it is not `prior`, which is so
    """
    held = prior if believed is None else believed
    q = best_policy(held, picture) * exp(-margin)
    return Cost(value(best_policy(prior, true), prior, true), value(q, prior, true), value(q, held, picture))


def kept(margin: float, spread: float) -> float:
    """E U / V* of a sender who shades by `margin` when the threshold is known up to a normal error of sd `spread` > 0."""
    from scipy.special import ndtr
    return 0.5 * float(ndtr(margin / spread) + exp(spread**2 / 2 - margin) * ndtr(margin / spread - spread))


def best_margin(spread: float) -> float:
    """The margin that keeps most, in logits; 0 where nothing is unsure."""
    if spread <= 0:
        return 0.0
    from scipy.optimize import minimize_scalar
    grid = [i * spread / 20 for i in range(161)]
    at = max(grid, key=lambda m: kept(m, spread))
    found = minimize_scalar(lambda m: -kept(m, spread), bounds=(max(0.0, at - spread / 20), at + spread / 20), method="bounded",
                            options={"xatol": 1e-13})
    return float(found.x)


def repairing_margin(true: Receiver, picture: Receiver, prior: float) -> float:
    """The least shading after which a step receiver takes the offer made to a picture of him that is too easy, in logits."""
    return max(0.0, log(best_policy(prior, picture)) - log(best_policy(prior, true)))

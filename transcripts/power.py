"""How often a design would find an effect, and how wide its interval would be: by simulation of the estimator.

Model      the value of a hypothesis (a paired difference, say) in wording w on tape t, replicates being tapes:
             v_wt = effect + s (sqrt(r) b_w + sqrt(q) c_t + sqrt(1 - r - q) e_wt),  b, c, e independent standard normal
           r, q the intraclass correlations of wordings and of tapes, s the standard deviation of one value.
Estimator  the mean, with errors of: single values, clusters of wordings, of tapes, and of both (V_w + V_t - V_wt), with the degrees
           of freedom of `statistics`; for the balanced designs that are planned here these are the same numbers.
Power      the share of simulated designs in which the test of `hypotheses` (the largest p) rejects at alpha; half-width: the mean
           of that of the intervals (the largest error).
The simulation has DRAWS designs: a power of .8 is known to +- .018 (95 %). The standard normals are common to all effects
and sizes, so power rises smoothly in both.
"""
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

DRAWS = 2000
MOST = 100_000
"""Episodes per arm beyond which no plan is looked for."""


@dataclass(frozen=True)
class Spread:
    """How values vary: standard deviation, and the intraclass correlations of wordings and of tapes."""
    sd: float
    wording: float = 0.0
    tape: float = 0.0

    def __post_init__(self) -> None:
        if not self.sd > 0:
            raise ValueError(f"a standard deviation is above 0, not {self.sd:g}")
        if not (self.wording >= 0 and self.tape >= 0 and self.wording + self.tape <= 1):
            raise ValueError(f"intraclass correlations are at least 0 and sum to at most 1, not {self.wording:g} and {self.tape:g}")


@dataclass(frozen=True)
class Plan:
    """episodes per arm, power at the effect, half-width of the interval, and the degrees of freedom it mostly rests on."""
    episodes: int
    power: float
    half: float
    dof: int


def simulate(spread: Spread, effect: float, wordings: int, tapes: int, alpha: float = 0.05, two_sided: bool = True, seed: int = 0,
             draws: int = DRAWS) -> Plan:
    """Power and half-width of a design with so many wordings, each met on so many tapes. Raises ValueError below two values."""
    import numpy as np
    from scipy.stats import t as student

    if wordings * tapes < 2:
        raise ValueError("a test needs at least two episodes")
    rng = np.random.default_rng(seed)
    own = sqrt(max(0.0, 1 - spread.wording - spread.tape))
    noise = (sqrt(spread.wording) * rng.standard_normal((draws, wordings, 1)) + sqrt(spread.tape) * rng.standard_normal((draws, 1, tapes))
             + own * rng.standard_normal((draws, wordings, tapes)))
    values = effect + spread.sd * noise
    every = errors(values)
    found = np.stack([v for v, _ in every])
    t = values.mean((1, 2)) * (1 if effect >= 0 else -1) / np.sqrt(found)
    dofs = np.array([d for _, d in every])
    tails = student.sf(abs(t) if two_sided else t, dofs[:, None])
    p = (2 if two_sided else 1) * tails.max(0)
    dof = dofs[found.argmax(0)]
    half = student.ppf(1 - alpha / 2, dof) * np.sqrt(found.max(0))
    return Plan(wordings * tapes, float((p <= alpha).mean()), float(half.mean()), int(np.median(dof)))


def errors(values: "np.ndarray[Any, Any]") -> "list[tuple[np.ndarray[Any, Any], int]]":
    """The variance of the mean of each (wordings x tapes) table under every clustering, with degrees of freedom; values (D, W, T)."""
    import numpy as np
    _, w, t = values.shape
    residual = values - values.mean((1, 2), keepdims=True)
    n = w * t
    single = (residual**2).sum((1, 2)) / (n * (n - 1))
    found = [(single, n - 1)]
    if w > 1:
        by_wording = (residual.sum(2)**2).sum(1) * w / ((w - 1) * n**2)
        found.append((by_wording, w - 1))
    if t > 1 and w > 1:  # with one wording, a tape is a single value
        by_tape = (residual.sum(1)**2).sum(1) * t / ((t - 1) * n**2)
        found += [(by_tape, t - 1), (by_wording + by_tape - single, min(w, t) - 1)]
    return [(np.maximum(v, 1e-300), d) for v, d in found]


def smallest(spread: Spread, effect: float, wordings: int, power: float | None, half: float | None, alpha: float = 0.05,
             two_sided: bool = True, seed: int = 0) -> Plan | None:
    """The fewest tapes per wording with which the power, or the half-width, is reached; None if none up to MOST episodes does.

    Power and half-width are monotone in the number of tapes but for the noise of the simulation; the answer is checked.
    """
    def enough(plan: Plan) -> bool:
        return (power is None or plan.power >= power) and (half is None or plan.half <= half)

    def at(tapes: int) -> Plan:
        return simulate(spread, effect, wordings, tapes, alpha, two_sided, seed, max(200, min(DRAWS, 4_000_000 // (wordings * tapes))))

    low, high = 1, 2
    while not enough(plan := at(high)):
        low, high = high, 2 * high
        if high * wordings > MOST:
            return None
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        tried = at(middle)
        low, high, plan = (low, middle, tried) if enough(tried) else (middle, high, plan)
    return plan

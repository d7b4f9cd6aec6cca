"""Regret bounds of leaders who learn, against a follower who learns with regret at most R(n, delta).

    K, B    prompts, responses             T      rounds
    N       pulls per prompt of explore-then-commit             delta  the chance that the bound fails, in (0, 1)
    R(n, d) = min(n, 2 sqrt(2 B n ln(2 / d)))     a UCB follower by Hoeffding, rewards in [0, 1]

    etc                   N K + T (R(N, d / 8T) / N + 2 sqrt(2 ln(8T / d) / N)) + K R(T / K, 4d / T)
    regret_adjusted_ucb   2 sqrt(2 K T ln(8T^2 / d)) + 2 K R(T / K, d / 8T^2)
    lipschitz             L^2 sqrt(T K B), constants and logarithms left out: an order, not a guarantee

The first two hold where interests are aligned (u1 = u2). The K under the first root of the second is what the sum over arms
gives; it is sometimes printed without. All are in payoffs summed over T rounds.

Source: N. Immorlica, "Theoretical models of generative AI in economic environments"; for the third K. Donahue et al.,
arXiv:2403.00188.
"""
from math import log, sqrt


def follower_regret(n: float, delta: float, responses: int) -> float:
    """R(n, delta)."""
    return min(n, 2 * sqrt(2 * responses * n * log(2 / delta)))


def etc(prompts: int, responses: int, rounds: int, pulls: int, delta: float) -> float:
    """The bound of explore-then-commit."""
    learning = follower_regret(pulls, delta / (8 * rounds), responses) / pulls + 2 * sqrt(2 * log(8 * rounds / delta) / pulls)
    return pulls * prompts + rounds * learning + prompts * follower_regret(rounds / prompts, 4 * delta / rounds, responses)


def regret_adjusted_ucb(prompts: int, responses: int, rounds: int, delta: float, arms: int | None = None) -> float:
    """The bound of regret-adjusted UCB; arms=1 gives the form that is printed without K under the first root."""
    first = 2 * sqrt(2 * (prompts if arms is None else arms) * rounds * log(8 * rounds ** 2 / delta))
    return first + 2 * prompts * follower_regret(rounds / prompts, delta / (8 * rounds ** 2), responses)


def lipschitz(prompts: int, responses: int, rounds: int, alignment: float) -> float:
    """The order of the bound for partly aligned interests."""
    return alignment ** 2 * sqrt(rounds * prompts * responses)

"""A tape of rewards: the reward of a cell's n-th visit is a function of a seed and of nothing else.

    seed    of the episode, 0 <= seed < 2^64
    cell    a B + b, for prompt a and response b of B
    visit   how often the cell was visited before, from 0
    player  0 the human, 1 the AI

Counter-based: u(seed, cell, visit, player) is a hash of the four by splitmix64, so two learners who meet the same cell for the
same time meet the same luck, whatever they did in between, and no state is carried along. All integers are modulo 2^64:

    z = 0; for key in (seed, cell, visit, player):
        z += key + 0x9E3779B97F4A7C15; z = (z ^ z >> 30) 0xBF58476D1CE4E5B9; z = (z ^ z >> 27) 0x94D049BB133111EB; z ^= z >> 31
    u = (z >> 11) / 2^53                                       in [0, 1), a double exactly

Bernoulli: 1 if u < mean, else 0; a mean below 0 marks a cell that cannot be had, which pays its mean surely. Gaussian, of unit
variance (Box and Muller): mean + sqrt(-2 ln(1 - u)) cos(2 pi u'), where u' is drawn with player + 2. Uniform and Bernoulli numbers
are the same bit for bit in any implementation; Gaussian ones up to the last bits of the library's ln and cos.

Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; G. Box, M. Muller, "A note on
the generation of random normal deviates", Annals of Mathematical Statistics 29 (1958).
"""
import math

MASK = (1 << 64) - 1


def mixed(z: int, key: int) -> int:
    """One step of splitmix64 that takes in a key."""
    z = (z + key + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def uniform(seed: int, cell: int, visit: int, player: int) -> float:
    """The number in [0, 1) of a player at one visit of a cell."""
    return (mixed(mixed(mixed(mixed(0, seed), cell), visit), player) >> 11) / 9007199254740992.0


def bernoulli(mean: float, seed: int, cell: int, visit: int, player: int) -> float:
    """1 with chance `mean`, else 0; a mean below 0 surely."""
    return mean if mean < 0.0 else float(uniform(seed, cell, visit, player) < mean)


def gaussian(mean: float, seed: int, cell: int, visit: int, player: int) -> float:
    """Normal, of unit variance."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(seed, cell, visit, player)))
    return mean + radius * math.cos(2.0 * math.pi * uniform(seed, cell, visit, player + 2))

"""Rounds a second, per core: UCB1 against UCB1 on a 2 x 2 prompting game, three ways in one run.

    python perf/rounds.py [--rounds 3000000] [--repeats 3]      about half a minute

Compiled: `experiments.engine` on one thread. Pure Python: the very same functions, not compiled. numpy: one loop over rounds, all
seeds at once, in vectors; its chance is numpy's own, since no vector can follow the tape as fast. Seconds are CPU seconds of the
process; the first, compiling call is not counted.
"""
import argparse
import time
from collections.abc import Callable

import numpy as np

from parlour.agents.bandit import mixed, size
from parlour.agents.ucb1 import Ucb1
from parlour.experiments.engine import SEATS, Match, play, simulate

MEANS = ((0.9, 0.5), (0.6, 0.4))
MATCH = Match(MEANS, MEANS, Ucb1(), Ucb1())


def compiled(rounds: int) -> int:
    """One seed to the horizon."""
    simulate(MATCH, rounds, [1], [rounds], threads=1)
    return rounds


def pure(rounds: int) -> int:
    """The same source, interpreted, a fiftieth of the rounds."""
    rounds = max(100, rounds // 50)
    start = mixed(0, 1)
    means = np.array([MEANS, MEANS]).reshape(2, -1)
    play([mixed(start, c) for c in range(4)], [mixed(start, SEATS + i) for i in (0, 1)], 0, [0.0], 0, [0.0], (2, 2), means, 0, [rounds],
         [0.0] * size(2), [[0.0] * size(2) for _ in range(2)], [0] * 4, np.zeros((1, 4), dtype=np.int64), [])
    return rounds


def vectors(rounds: int, seeds: int = 1000) -> int:
    """All seeds at once, round by round."""
    rounds = max(10, rounds // seeds)
    source, means, who = np.random.default_rng(1), np.array(MEANS), np.arange(seeds)
    n, total = np.zeros((seeds, 2)), np.zeros((seeds, 2))
    m, gained = np.zeros((seeds, 2, 2)), np.zeros((seeds, 2, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(rounds):
            a = upper(n, total)
            b = upper(m[who, a], gained[who, a])
            reward = source.random((2, seeds)) < means[a, b]
            n[who, a] += 1
            total[who, a] += reward[0]
            m[who, a, b] += 1
            gained[who, a, b] += reward[1]
    return rounds * seeds


def upper(n: "np.ndarray", total: "np.ndarray") -> "np.ndarray":
    """The arm of the highest index in each row."""
    pulls = n.sum(axis=1, keepdims=True)
    return np.where(n == 0, np.inf, total / n + np.sqrt(2 * np.log(np.maximum(pulls, 1)) / n)).argmax(axis=1)


def main() -> None:
    """Prints millions of rounds a second, the best of the repeats."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=3_000_000)
    asked.add_argument("--repeats", type=int, default=3)
    given = asked.parse_args()
    compiled(10)
    best: dict[str, float] = {}
    ways: dict[str, Callable[[int], int]] = {"compiled": compiled, "numpy over 1,000 seeds": vectors, "pure Python": pure}
    for _ in range(given.repeats):
        for name, way in ways.items():
            start = time.process_time()
            done = way(given.rounds)
            best[name] = max(best.get(name, 0.0), done / (time.process_time() - start) / 1e6)
    for name, speed in best.items():
        print(f"{name:<24}{speed:9.3f} million rounds a second{best['compiled'] / speed:9.1f} x")


if __name__ == "__main__":
    main()

"""Learners against learners on eight prompting games: every cell of a published-size Monte Carlo table, computed anew.

    python perf/prompting_table.py [--seeds 256]

Prints, per instance and pair of learners, the leader's regret against the tolerant benchmark at T = 1e3, 1e4, 1e5 beside the
table's, with z: the difference in combined standard errors, beyond half a unit of rounding where only a rounded figure is
known. Exit code 1 if any z is above 4. About four minutes on two cores. Rounded figures come with a standard error at T = 1e5
alone; at 1e3 and 1e4 it is taken from our spread over four times as many seeds, since what moves some of these means is one
wrong commitment in four hundred.
"""
import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from parlour.agents.eetc import Eetc
from parlour.agents.etc import Etc
from parlour.agents.explore_then_exp3 import ExploreThenExp3
from parlour.agents.explore_then_ucb import ExploreThenUcb
from parlour.agents.learner import Learner, Place, cube_pace
from parlour.agents.regret_adjusted_ucb import RegretAdjustedUcb
from parlour.agents.ucb1 import Ucb1
from parlour.experiments.engine import Match, simulate

REFERENCE = Path(__file__).parent.parent / "tests" / "vectors" / "prompting_learning.json"
HORIZONS = (1_000, 10_000, 100_000)
SEEDS = 256
"""Seeds of the table."""
Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Instance:
    """Mean rewards, and each player's benchmarks per round: the Stackelberg one and the tolerant one."""
    human: Matrix
    ai: Matrix
    stackelberg: tuple[float, float]
    tolerant: tuple[float, float]


def aligned(means: Matrix) -> Instance:
    best = max(map(max, means))
    return Instance(means, means, (best, best), (best, best))


def instances(horizon: int) -> dict[str, Instance]:
    """The eight games; of the pairs that no learner can tell apart, the gap d shrinks with the horizon."""
    d, e = 0.25 * horizon**-0.5, horizon ** (-1 / 3)
    linear: Matrix = ((0.6, 0.2), (0.5, 0.4))
    slow: Matrix = ((0.5 + e, 0.0), (0.5, 0.5))
    flat = (0.3 + 3 * e, 0.3 + 3 * e)
    return {
        "A1": aligned(((0.9, 0.5), (0.6, 0.4))),
        "A2": aligned(((0.3, 0.3, 0.3, 0.85), (0.6,) * 4, (0.5, 0.55, 0.45, 0.5))),
        "A3": aligned(((0.55, 0.45, 0.5), (0.6, 0.35, 0.3), (0.4, 0.65, 0.5), (0.62, 0.6, 0.58))),
        "M1": Instance(linear, ((0.4, 0.0), (0.3, 0.2)), (0.6, 0.4), (0.6, 0.4)),
        "M2": Instance(linear, ((0.3 + d, 0.3), (0.9, 0.7)), (0.6, 0.3 + d), (0.5 + d, 0.3 + d)),
        "M3": Instance(linear, ((0.3 + d, 0.3 + 2 * d), (0.9, 0.7)), (0.5, 0.9), (0.5, 0.3 + 3 * d)),
        "M4": Instance(slow, ((0.3 + e, 0.3), flat), (0.5 + e, 0.3 + e), (0.5 + e, 0.3 + e)),
        "M5": Instance(slow, ((0.3 + e, 0.3 + 2 * e), flat), (0.5, 0.3 + 3 * e), (0.5, 0.3 + 3 * e)),
    }


def twice(place: Place) -> Learner:
    """The leader that explores as long as its follower, and believes what it sees."""
    return Etc(pulls=place.others * cube_pace(place))


PAIRS: dict[str, tuple[Callable[[Place], Learner], Learner]] = {
    "ETC(N=ceil T^2/3) x UCB1": (lambda place: Etc(), Ucb1()),
    "UCB1 x UCB1": (lambda place: Ucb1(), Ucb1()),
    "RAUCB(theory,delta=1/T) x UCB1": (lambda place: RegretAdjustedUcb(), Ucb1()),
    "RAUCB(scaled) x UCB1": (lambda place: RegretAdjustedUcb(constants="scaled"), Ucb1()),
    "EETC(N|B|,N) x ETC(N)": (lambda place: Eetc(), Etc()),
    "ETC(N|B|) x ETC(N)": (twice, Etc()),
    "ExploreThenUCB(E=N|B|) x ETC(N)": (lambda place: ExploreThenUcb(), Etc()),
    "ExploreThenEXP3(E=N|B|) x ETC(N)": (lambda place: ExploreThenExp3(), Etc()),
}


class Played(NamedTuple):
    """Total expected reward of each player per seed (2 x seeds), and the instance."""
    totals: Any
    instance: Instance
    horizon: int

    def regret(self, benchmark: str = "tolerant") -> Any:
        """Mean regret of each player."""
        return np.array(getattr(self.instance, benchmark)) * self.horizon - self.totals.mean(axis=1)

    def error(self) -> Any:
        """Its standard error."""
        return self.totals.std(axis=1, ddof=1) / math.sqrt(self.totals.shape[1])


def played(name: str, pair: str, horizon: int, seeds: Sequence[int]) -> Played:
    """One cell of the table."""
    instance = instances(horizon)[name]
    make, follower = PAIRS[pair]
    leader = make(Place(len(instance.human), len(instance.human[0]), horizon, True))
    curves = simulate(Match(instance.human, instance.ai, leader, follower), horizon, seeds, [horizon])
    means = np.array([instance.human, instance.ai]).reshape(2, -1)
    return Played(means @ curves.plays[:, 0].T, instance, horizon)


def slope(regrets: Sequence[float], horizons: Sequence[int] = HORIZONS) -> float:
    """The exponent fitted to positive regrets, by least squares in logarithms; nan where there is none."""
    if len(regrets) < 2 or min(regrets) <= 0:
        return math.nan
    return float(np.polyfit(np.log(horizons), np.log(regrets), 1)[0])


class Line(NamedTuple):
    """One comparison: ours, theirs, how many combined standard errors apart."""
    instance: str
    pair: str
    horizon: int
    what: str
    ours: float
    theirs: float
    z: float


def compared(cell: Played, name: str, pair: str, reference: dict[str, Any]) -> Iterator[Line]:
    """A cell against the rounded figure, and both players against the full row where there is one."""
    at, error = HORIZONS.index(cell.horizon), cell.error()
    *figures, last = reference["rounded"][name][pair]
    theirs = last + 0.05 if at == 2 else error[0] * math.sqrt(cell.totals.shape[1] / SEEDS)
    beyond = max(0.0, abs(cell.regret()[0] - figures[at]) - 0.5)
    yield Line(name, pair, cell.horizon, "rounded", cell.regret()[0], figures[at], ratio(beyond, math.hypot(error[0], theirs)))
    for full in reference["full"]:
        if (full["instance"], full["config"]) == (name, pair):
            row = full["rows"][at]
            assert np.allclose(row["alpha_tol"], cell.instance.tolerant, atol=1e-9)
            for player, mean in enumerate(row["mean_cum_utility"]):
                ours = cell.totals[player].mean()
                yield Line(name, pair, cell.horizon, ("human", "ai")[player] + " total", ours, mean,
                           ratio(abs(ours - mean), math.hypot(error[player], row["se"][player])))


def ratio(apart: float, error: float) -> float:
    """apart / error; what no seed moves must agree to rounding of floats."""
    return apart / error if error > 1e-6 else (0.0 if apart < 1e-4 else math.inf)


def table(names: Sequence[str], pairs: Sequence[str], horizons: Sequence[int], seeds: int) -> Iterator[tuple[str, list[Line]]]:
    """Rows of the printed table with their comparisons."""
    reference = json.loads(REFERENCE.read_text())
    for name in names:
        for pair in pairs:
            cells = [played(name, pair, horizon, range(seeds if horizon == HORIZONS[-1] else 4 * seeds)) for horizon in horizons]
            lines = [line for cell in cells for line in compared(cell, name, pair, reference)]
            shown = "  ".join(f"{line.ours:9.1f} {line.theirs:8.0f} {line.z:5.2f}" for line in lines if line.what == "rounded")
            yield f"{name}  {pair:<34}{shown}  [{slope([c.regret()[0] for c in cells], horizons):.2f}]", lines


def main() -> int:
    """Prints the table. 0 if everything agrees."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seeds", type=int, default=SEEDS, help="at T = 1e5; four times as many before (default 256)")
    given = asked.parse_args()
    print(f"{'':38}" + "  ".join(f"{f'T={t:g}: ours':>12} {'table':>5} {'z':>5}" for t in HORIZONS) + "  [slope]")
    start, every = time.perf_counter(), []
    for text, lines in table(list(instances(10)), list(PAIRS), HORIZONS, given.seeds):
        print(text, flush=True)
        every += lines
    full = [line for line in every if line.what != "rounded"]
    print(f"\nFull-precision totals ({len(full)}): largest z {max(line.z for line in full):.2f}")
    worst = max(every, key=lambda line: line.z)
    print(f"{len(every)} comparisons, largest z {worst.z:.2f} ({worst.instance}, {worst.pair}, T={worst.horizon}, {worst.what}); "
          f"{time.perf_counter() - start:.0f} s")
    return 0 if worst.z <= 4 else 1


if __name__ == "__main__":
    sys.exit(main())

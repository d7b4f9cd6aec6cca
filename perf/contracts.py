"""What a contract costs to find, beside HiGHS called on the same program; and contracts from resamples in parallel.

    python perf/contracts.py [--generators 50] [--outcomes 1000] [--repeats 7] [--resamples 10000]

Seconds of wall-clock time, medians over repeats, ours and HiGHS in turn. The program of HiGHS is the one usually written: payments
(and their maximum), a row per rival generator, a row per outcome for a maximum. It is assembled outside the clock; ours is
assembled within it. Instances are drawn so that no closed form applies. With --resamples 0 the last part is left out.
"""
import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, hstack, identity, vstack

from parlour.experiments.bootstrap import Case, bootstrap
from parlour.games.solvers.contract import Objective, solve

ALLOWED = 1.2


def instance(generators: int, outcomes: int, seed: int = 0) -> tuple[Any, Any, Any]:
    """(others, best, gaps): Dirichlet rows, costs rising by random steps."""
    source = np.random.default_rng(seed)
    rows = source.dirichlet(np.ones(outcomes), generators)
    costs = np.cumsum(source.uniform(0.1, 1, generators))
    return rows[:-1], rows[-1], costs[-1] - costs[:-1]


def plain(others: Any, best: Any, gaps: Any, objective: Objective) -> Callable[[], float]:
    """The program, assembled; called, it is solved."""
    m = best.size
    if objective == "pay":
        return lambda: float(linprog(best, A_ub=others - best, b_ub=-gaps, bounds=(0, None), method="highs").fun)
    left = vstack([hstack([csr_matrix(others - best), csr_matrix((gaps.size, 1))]), hstack([identity(m), -np.ones((m, 1))])]).tocsr()
    right, goal = np.append(-gaps, np.zeros(m)), np.append(np.zeros(m), 1.0)
    return lambda: float(linprog(goal, A_ub=left, b_ub=right, bounds=(0, None), method="highs").fun)


def timed(work: Callable[[], float]) -> tuple[float, float]:
    begin = time.perf_counter()
    value = work()
    return time.perf_counter() - begin, value


def race(objective: Objective, args: argparse.Namespace) -> float:
    """Prints a line; our time over that of HiGHS."""
    ours, theirs = [], []
    for seed in range(args.repeats):
        others, best, gaps = instance(args.generators, args.outcomes, seed)
        direct = plain(others, best, gaps, objective)
        mine, value = timed(lambda o=others, b=best, g=gaps: solve(o, b, g, objective).value)  # type: ignore[misc,union-attr]
        other, check = timed(direct)
        assert abs(value - check) <= 1e-6 * max(1.0, check), (value, check)
        ours.append(mine)
        theirs.append(other)
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"least {objective:<8}{a:>10.4f} s{b:>12.4f} s{a / b:>9.2f}   wanted: at most {ALLOWED}")
    return a / b


def resample(count: int) -> None:
    """Contracts from resamples of the MT-bench table, with a progress bar."""
    from rich.progress import Progress
    counts = np.array([[25, 27, 6, 1, 0, 7, 8, 18, 22, 46], [27, 22, 2, 0, 1, 7, 9, 8, 27, 57], [15, 30, 3, 1, 1, 6, 10, 12, 19, 63]])
    rows, gaps = counts / 160, np.array([0.45885, 0.399])
    case = Case(rows[:2], rows[2], gaps, gaps, (160, 160, 160), "budget", "monotone")
    begin = time.perf_counter()
    with Progress(transient=True) as bar:
        task = bar.add_task("contracts", total=count)
        found = bootstrap(case, count, done=lambda n: bar.advance(task, n))
    print(f"{count:,} contracts from resamples: {time.perf_counter() - begin:.1f} s; they implement the target in {found.holds[0]:.1%}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generators", type=int, default=50)
    parser.add_argument("--outcomes", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--resamples", type=int, default=10_000)
    args = parser.parse_args()
    print(f"n = {args.generators}, m = {args.outcomes}\n{'':<14}{'ours':>10}  {'HiGHS':>12}  {'ratio':>7}")
    solve(*instance(3, 5), "pay")  # loads the solvers
    worst = max(race(objective, args) for objective in ("pay", "budget"))
    if args.resamples:
        resample(args.resamples)
    return int(worst > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())

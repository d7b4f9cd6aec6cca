"""What a contract made from so many samples is worth: made again and again from resamples, and tried on the whole sample.

Each resample draws N_i scored texts per model from the shares observed, makes the contract of the resampled shares, and asks
whether it would make the target the best reply if the shares observed were the truth, at true costs; also with all payments
raised by 10, 25, 50 and 100 %. Payments are homogeneous in the gaps, so raising them is the margin, and costs no other program.
Resamples run in worker processes, in chunks with seeds of their own: the result does not depend on how many workers there are.
"""
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..games.base import SLACK
from ..games.solvers.contract import Objective, Shape

RAISES = (0.0, 0.1, 0.25, 0.5, 1.0)
CHUNK = 250


@dataclass(frozen=True)
class Case:
    """What is resampled. gaps: what the contract is made for; true_gaps: what it must meet."""
    others: Any
    best: Any
    gaps: Any
    true_gaps: Any
    samples: tuple[int, ...]
    objective: Objective
    shape: Shape


@dataclass(frozen=True)
class Trial:
    """Shares of resamples. holds, pay: per raise, the share that implements the target and the mean expected pay of the contracts."""
    resamples: int
    infeasible: float
    raises: tuple[float, ...]
    holds: tuple[float, ...]
    pay: tuple[float | None, ...]


def bootstrap(case: Case, resamples: int, seed: int = 0, workers: int | None = None,
              done: Callable[[int], None] = lambda n: None) -> Trial:
    """`resamples` contracts; `done` is called with the number made after each chunk. samples: of the target, then of the others."""
    import numpy as np
    sizes = [CHUNK] * (resamples // CHUNK) + [resamples % CHUNK] * (resamples % CHUNK > 0)
    jobs = [(case, size, child) for size, child in zip(sizes, np.random.SeedSequence(seed).spawn(len(sizes)), strict=True)]
    made, holds, pay = 0, np.zeros(len(RAISES)), 0.0
    for size, (feasible, held, paid) in zip(sizes, _each(jobs, workers), strict=True):
        made, holds, pay = made + feasible, holds + held, pay + paid
        done(size)
    mean = pay / made if made else None
    return Trial(resamples, 1 - made / resamples, RAISES, tuple(float(h) / resamples for h in holds),
                 tuple(None if mean is None else float(mean * (1 + r)) for r in RAISES))


def _each(jobs: list[Any], workers: int | None) -> Iterator[Any]:
    """The chunks' results in order; in this process if there is one worker or one chunk."""
    if workers == 1 or len(jobs) == 1:
        yield from map(_chunk, jobs)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_chunk, jobs)


def _chunk(job: tuple[Case, int, Any]) -> tuple[int, Any, float]:
    """(contracts made, how many held per raise, sum of expected pay)."""
    import numpy as np

    from ..games.solvers.contract import solve
    case, size, seed = job
    source = np.random.default_rng(seed)
    draws = [source.multinomial(n, row, size) / n for n, row in zip(case.samples, [case.best, *case.others], strict=True)]
    made, holds, pay = 0, np.zeros(len(RAISES)), 0.0
    for k in range(size):
        found = solve(np.array([d[k] for d in draws[1:]]), draws[0][k], case.gaps, case.objective, case.shape)
        if found is None:
            continue
        made, pay = made + 1, pay + float(case.best @ found.pay)
        got = (case.best - case.others) @ found.pay
        slack = SLACK * max(1.0, float(np.max(np.abs(case.true_gaps))))
        holds += [np.all(got * (1 + r) >= case.true_gaps - slack) for r in RAISES]
    return made, holds, pay

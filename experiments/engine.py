"""Learner against learner over many seeds, compiled: the same algorithms and the same luck as at the table, without words.

The loop and the algorithms (`agents.bandit` and the files it names) are plain functions of numbers. numba compiles them, so
there is one source and no second version to keep in step; only the hash, 64-bit arithmetic, is given twice. A
round costs memory only where the curves are thinned: what is kept of a seed is how often each cell was played up to each
round of a grid, from which every regret against every benchmark follows exactly.

Luck: reward v of player i (0 human, 1 ai) in a cell is uniform(seed, cell, v, i), see `games.solvers.tape`; a learner that
draws gets the seed `chance(seed, i, round)`.
"""
import hashlib
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from inspect import getmembers, getsource, isfunction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..agents import (
    active_arm_elimination,
    bandit,
    corral,
    epsilon_greedy,
    etc,
    explore_then_exp3,
    explore_then_ucb,
    myopic,
    regret_adjusted_ucb,
    thompson,
    ucb1,
)
from ..agents.bandit import Numbers, Row, mixed, size
from ..agents.learner import Learner, Place
from ..errors import InputError
from ..transcripts.paths import thinned

if TYPE_CHECKING:
    import numpy

ALGORITHMS = (ucb1, regret_adjusted_ucb, myopic, etc, explore_then_ucb, active_arm_elimination, epsilon_greedy, thompson,
              explore_then_exp3, corral)
"""By number: those from 6 on draw; 0, 1, 2, 6 and 7 only count their rewards."""
DRAWING = 6
NOISES = ("bernoulli", "gaussian", "none")
SEATS = 1 << 32
"""Keys of the seats' own chance, beyond those of any cell."""


def chance(seed: int, player: int, round: int) -> int:
    """The 63-bit seed of a player's turn in a round (from 0)."""
    return lot(mixed(mixed(0, seed), SEATS + player), round)


def lot(own: int, round: int) -> int:
    """The seed of a round's turn, given the hash of (seed, seat)."""
    return mixed(own, round) >> 1


# --- compiled -----------------------------------------------------------------------------------------------------------
def choose(kind: int, x: Row, k: int, q: Numbers, seed: int) -> int:
    """The arm that algorithm `kind` plays."""
    return ucb1.choose(x, k, q, seed) if kind == 0 else choose_other(kind, x, k, q, seed)


def choose_other(kind: int, x: Row, k: int, q: Numbers, seed: int) -> int:
    """The same for all but the first, kept out of the loop's way."""
    if kind == 1:
        return regret_adjusted_ucb.choose(x, k, q, seed)
    if kind == 2:
        return myopic.choose(x, k, q, seed)
    if kind == 3:
        return etc.choose(x, k, q, seed)
    if kind == 4:
        return explore_then_ucb.choose(x, k, q, seed)
    if kind == 5:
        return active_arm_elimination.choose(x, k, q, seed)
    if kind == 6:
        return epsilon_greedy.choose(x, k, q, seed)
    if kind == 7:
        return thompson.choose(x, k, q, seed)
    if kind == 8:
        return explore_then_exp3.choose(x, k, q, seed)
    return corral.choose(x, k, q, seed)


def update(kind: int, x: Row, k: int, q: Numbers, arm: int, reward: float) -> None:
    """Tells algorithm `kind` what its arm earned."""
    if kind < 3 or kind == 6 or kind == 7:
        ucb1.update(x, k, q, arm, reward)
    else:
        update_other(kind, x, k, q, arm, reward)


def update_other(kind: int, x: Row, k: int, q: Numbers, arm: int, reward: float) -> None:
    """The same for those that do more than count."""
    if kind == 3:
        etc.update(x, k, q, arm, reward)
    elif kind == 4:
        explore_then_ucb.update(x, k, q, arm, reward)
    elif kind == 5:
        active_arm_elimination.update(x, k, q, arm, reward)
    elif kind == 8:
        explore_then_exp3.update(x, k, q, arm, reward)
    else:
        corral.update(x, k, q, arm, reward)


def earned(mean: float, z: int, player: int, noise: int) -> float:
    """A player's reward given the hash z of (seed, cell, visit), as `games.solvers.tape` has it. noise: an index of NOISES."""
    u = (mixed(z, player) >> 11) / 9007199254740992.0
    if noise == 0:
        return mean if mean < 0.0 else (1.0 if u < mean else 0.0)
    if noise == 1:
        other = (mixed(z, player + 2) >> 11) / 9007199254740992.0
        return mean + math.sqrt(-2.0 * math.log(1.0 - u)) * math.cos(2.0 * math.pi * other)
    return mean


def play(base: Any, own: Any, lead: int, p: Any, follow: int, q: Any, shape: Any, means: Any, noise: int, grid: Any,
         x: Any, ys: Any, visits: Any, plays: Any, trace: Any) -> int:
    """One seed to the last round of the grid. Returns the last round (from 1) whose prompt was not that of the round before.

    base    hash of (seed, cell) per cell            own     hash of (seed, seat) per player
    means   2 x cells                                grid    rounds, rising, at which `visits` is copied to a row of `plays`
    x, ys   the leader's row; a follower's per prompt         trace   takes the cells of the first rounds
    """
    arms, responses, at, last, switched = shape[0], shape[1], 0, -1, 0
    for t in range(grid[-1]):
        a = choose(lead, x, arms, p, lot(own[0], t) if lead >= DRAWING else 0)
        y = ys[a]
        b = choose(follow, y, responses, q, lot(own[1], t) if follow >= DRAWING else 0)
        cell = a * responses + b
        z = mixed(base[cell], visits[cell])
        visits[cell] += 1
        update(lead, x, arms, p, a, earned(means[0, cell], z, 0, noise))
        update(follow, y, responses, q, b, earned(means[1, cell], z, 1, noise))
        if a != last:
            last, switched = a, t + 1
        if t < len(trace):
            trace[t] = cell
        if t + 1 == grid[at]:
            for c in range(len(visits)):
                plays[at, c] = visits[c]
            at += 1
    return switched


@cache
def compiled() -> Callable[..., int]:
    """`play`, compiled; the machine code is kept between processes until a source changes. Raises InputError without numba."""
    try:
        from numba import int64, njit, uint64
        from numba.extending import overload, register_jitable
    except ImportError:
        raise InputError("simulation is compiled by numba, which is not installed: pip install 'parlour[simulate]'.") from None

    @overload(mixed)
    def hashed(z: Any, key: Any) -> Any:
        def step(z: Any, key: Any) -> Any:
            w = uint64(z) + uint64(key) + uint64(0x9E3779B97F4A7C15)
            w = (w ^ (w >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
            w = (w ^ (w >> uint64(27))) * uint64(0x94D049BB133111EB)
            return w ^ (w >> uint64(31))
        return step

    @overload(lot)
    def signed(own: Any, round: Any) -> Any:
        def halved(own: Any, round: Any) -> Any:
            return int64(mixed(own, round) >> uint64(1))
        return halved

    ours: list[Callable[..., Any]] = [choose, choose_other, update_other, earned, *_parts()]
    for f in ours:
        register_jitable(f)
    register_jitable(inline="always")(update)  # a tenth faster; those that return what they choose do not survive it
    with _kept() as keep:
        return njit(nogil=True, cache=keep)(play)


def _parts() -> Iterator[Callable[..., Any]]:
    """Every function of the algorithms' modules but the hash."""
    for module in (bandit, *ALGORITHMS):
        yield from (f for _, f in getmembers(module, isfunction) if f.__module__ == module.__name__ and f is not mixed)


@contextmanager
def _kept() -> Iterator[bool]:
    """Lets numba keep machine code in a folder named by all sources: it looks for changes in the caller's file alone."""
    from numba import config

    settings: Any = config  # numba makes its settings at run time
    sources = [getsource(m).encode() for m in (bandit, *ALGORITHMS)] + [Path(__file__).read_bytes()]
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "parlour" / f"numba-{hashlib.sha256(b''.join(sources)).hexdigest()[:16]}"
    before = settings.CACHE_DIR
    try:
        folder.mkdir(parents=True, exist_ok=True)
        settings.CACHE_DIR = str(folder)
        yield True
    except OSError:
        yield False
    finally:
        settings.CACHE_DIR = before


# --- the door -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Match:
    """Two learners at one instance.

    human_means, ai_means   rows are prompts, columns responses
    noise                   `bernoulli`, `gaussian` or `none`
    """
    human_means: tuple[tuple[float, ...], ...]
    ai_means: tuple[tuple[float, ...], ...]
    leader: Learner
    follower: Learner
    noise: str = "bernoulli"

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.human_means), len(self.human_means[0])


@dataclass(frozen=True)
class Curves:
    """What is kept of some seeds.

    rounds    g rounds, rising, thinned
    plays     seeds x g x cells: how often each cell was played up to each of these rounds; cell = prompt * responses + response
    switched  per seed, the last round whose prompt was not that of the round before
    trace     seeds x recorded rounds: the cells of the first rounds
    """
    rounds: "numpy.ndarray[Any, Any]"
    plays: "numpy.ndarray[Any, Any]"
    switched: "numpy.ndarray[Any, Any]"
    trace: "numpy.ndarray[Any, Any]"


def simulate(match: Match, horizon: int, seeds: Sequence[int], rounds: Sequence[int] = (), record: int = 0,
             threads: int | None = None) -> Curves:
    """Plays every seed to the horizon. rounds: the grid, ending at the horizon (default: `thinned`). threads: default one per core."""
    import numpy as np

    grid = np.array(rounds or thinned(horizon), dtype=np.int64)
    arms, responses = match.shape
    means = np.array([match.human_means, match.ai_means], dtype=np.float64).reshape(2, -1)
    lead = _seated(match.leader, Place(arms, responses, horizon, True))
    follow = _seated(match.follower, Place(responses, arms, horizon, False))
    plays = np.zeros((len(seeds), len(grid), arms * responses), dtype=np.int64)
    trace = np.zeros((len(seeds), min(record, horizon)), dtype=np.int32)
    run, shape = compiled(), np.array(match.shape)

    def one(i: int) -> int:
        start = mixed(0, seeds[i])
        base = np.array([mixed(start, c) for c in range(arms * responses)], dtype=np.uint64)
        own = np.array([mixed(start, SEATS + player) for player in (0, 1)], dtype=np.uint64)
        return run(base, own, *lead, *follow, shape, means, NOISES.index(match.noise), grid, np.zeros(size(arms)),
                   np.zeros((arms, size(responses))), np.zeros(arms * responses, dtype=np.int64), plays[i], trace[i])

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        switched = np.array(list(pool.map(one, range(len(seeds)))))
    return Curves(grid, plays, switched, trace)


def _seated(learner: Learner, place: Place) -> tuple[int, Any]:
    """An algorithm's number, and its own numbers at a place. Raises InputError for one that is not compiled."""
    import numpy as np

    for kind, module in enumerate(ALGORITHMS):
        if module.choose is learner.algorithm.choose:
            return kind, np.array([*learner.numbers(place), 0.0])
    raise InputError(f"'{type(learner).__name__}' cannot be simulated: it is not compiled. Let it play with `parlour run`.")

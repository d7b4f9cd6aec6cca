"""Simulations in the store: put there in blocks of seeds, read back as regret against every benchmark."""
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from ..errors import StoreError
from .paths import Paths, label
from .store import Store

if TYPE_CHECKING:
    import numpy

RESAMPLES = 2000


def begin(store: Store, simulation: str, about: Mapping[str, Any]) -> list[int]:
    """Notes what is to be simulated; the seeds that are in the store already."""
    names = ("game", "game_fields", "leader", "follower", "rounds", "human_means", "ai_means", "benchmarks", "version")
    values = [v if isinstance(v := about[n], str | int) else to_json(v).decode() for n in names]
    with store.open(write=True) as db:
        db.execute(f"INSERT OR IGNORE INTO simulation VALUES ({', '.join('?' * 11)})", [simulation, time.time(), *values])
        return [s for s, in db.execute("SELECT seed FROM simulated WHERE simulation = ? ORDER BY seed", [simulation]).fetchall()]


def put(store: Store, simulation: str, seeds: Sequence[int], rounds: Sequence[int], plays: Any, switched: Sequence[int]) -> None:
    """Adds a block of seeds, all of it or nothing. plays: seeds x rounds x cells."""
    import pandas

    block = pandas.DataFrame([(simulation, seed, int(t), plays[i, g].tolist()) for i, seed in enumerate(seeds)
                              for g, t in enumerate(rounds)], columns=["simulation", "seed", "round", "plays"])
    with store.open(write=True) as db:
        db.execute("BEGIN")
        db.execute("INSERT INTO curve SELECT * FROM block", [])
        db.executemany("INSERT INTO simulated VALUES (?, ?, ?)",
                       [[simulation, seed, int(t)] for seed, t in zip(seeds, switched, strict=True)])
        db.execute("COMMIT")
    del block


def read(store: Store, simulation: str) -> Paths:
    """A simulation from its rows. Raises StoreError if there is none."""
    import numpy as np

    with store.reading():
        about = store.rows("SELECT * FROM simulation WHERE simulation = ?", [simulation])
        rows = store.rows("SELECT seed, round, plays FROM curve WHERE simulation = ? ORDER BY seed, round", [simulation])
        switched = store.rows("SELECT switched FROM simulated WHERE simulation = ? ORDER BY seed", [simulation])
    if not about or not rows:
        raise StoreError(f"no simulation '{simulation}' in {store.path}.")
    it, rounds = about[0], np.array(sorted({r["round"] for r in rows}))
    human, ai = from_json(it["human_means"]), from_json(it["ai_means"])
    plays = np.array([r["plays"] for r in rows]).reshape(len(switched), len(rounds), -1)
    leader, follower = from_json(it["leader"]), from_json(it["follower"])
    return Paths(simulation, leader, follower, it["rounds"],
                     np.array([human, ai]).reshape(2, -1), (len(human), len(human[0])), from_json(it["benchmarks"]), rounds, plays,
                     np.array([s["switched"] for s in switched]), f"{label(leader)} x {label(follower)}")


def interval(regrets: "numpy.ndarray[Any, Any]", level: float = 0.95) -> tuple[float, float, float]:
    """Mean over seeds with its interval, by the normal approximation."""
    from scipy.special import ndtri
    mean, z = float(regrets.mean()), float(ndtri(0.5 + level / 2))
    error = float(regrets.std(ddof=1)) / len(regrets) ** 0.5 if len(regrets) > 1 else float("nan")
    return mean, mean - z * error, mean + z * error


def slope(regrets: Sequence["numpy.ndarray[Any, Any]"], horizons: Sequence[int], level: float = 0.95,
          seed: int = 0) -> tuple[float, float, float] | None:
    """The exponent of mean regret in the horizon, with its percentile bootstrap interval over seeds.

    regrets  per horizon, one number per seed; the seeds of two horizons are resampled apart
    None where a mean, in the sample or a resample, is not positive: then there is no exponent.
    """
    import numpy as np

    source, x = np.random.default_rng(seed), np.log(horizons)
    means = np.array([r.mean() for r in regrets])
    drawn = np.stack([r[source.integers(len(r), size=(RESAMPLES, len(r)))].mean(axis=1) for r in regrets])
    if len(horizons) < 2 or means.min() <= 0 or drawn.min() <= 0:
        return None
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    low, high = np.quantile(weights @ np.log(drawn), [(1 - level) / 2, (1 + level) / 2])
    return float(weights @ np.log(means)), float(low), float(high)

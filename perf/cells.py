"""What solutions of sampled cells are worth: bias and coverage of the plain and the cross-fitted value of `stackelberg`, by simulation.

    python perf/cells.py [--samples 400] [--resamples 300] [--seed 1]

For each instance (mean scores of human and AI, scores 0 or 1, in one wording) and each number of texts a cell: how far either value
is from the solution of the true means on average, in how many samples its 95 % interval holds that solution, and how often resamples
choose the same cell again. Everything is simulated by seed; no model is called.
"""
import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from parlour.games.solvers import cells
from parlour.games.solvers.stackelberg import equilibrium

INSTANCES: dict[str, list[list[tuple[float, float]]]] = {
    "six briefs alike": [[(0.5, 0.5)]] * 6,
    "four briefs, two best": [[(0.5, 0.5)], [(0.55, 0.5)], [(0.6, 0.5)], [(0.6, 0.5)]],
    "all far apart": [[(0.3, 0.9), (0.9, 0.2)], [(0.7, 0.8), (0.2, 0.3)]],
    "the AI nearly indifferent": [[(0.2, 0.55), (0.8, 0.5)], [(0.5, 0.6), (0.4, 0.2)]],
    "three by three": [[(0.6, 0.6), (0.5, 0.55), (0.3, 0.3)], [(0.65, 0.7), (0.4, 0.65), (0.1, 0.2)],
                       [(0.55, 0.4), (0.7, 0.38), (0.2, 0.1)]],
}


@dataclass(frozen=True)
class Finding:
    """One instance at one number of texts. bias: mean value less the truth; held: share of intervals that hold it; plain, crossed."""
    instance: str
    texts: int
    bias: tuple[float, float]
    held: tuple[float, float]
    again: float

    def __str__(self) -> str:
        return (f"{self.instance:<26}{self.texts:>4} texts   plain {self.bias[0]:+.3f}, holds {self.held[0]:.2f}   cross-fitted "
                f"{self.bias[1]:+.3f}, holds {self.held[1]:.2f}   chosen again {self.again:.2f}")


def drawn(means: list[list[tuple[float, float]]], texts: int, rng: np.random.Generator) -> Any:
    """A sample of so many texts a cell, as the solvers take it."""
    chances = np.array(means)
    draws = (rng.random((*chances.shape[:2], texts, 2)) < chances[:, :, None]).astype(float)
    return tuple(tuple((tuple(map(tuple, cell.tolist())),) for cell in row) for row in draws)


def study(name: str, texts: int, samples: int, resamples: int, rng: np.random.Generator) -> Finding:
    """Bias and coverage of one instance."""
    means = np.array(INSTANCES[name])
    a, b = equilibrium(means[:, :, 0].tolist(), means[:, :, 1].tolist())
    truth, values, held, again = means[a, b, 0], np.zeros((samples, 2)), np.zeros((samples, 2)), 0.0
    for i in range(samples):
        sample = drawn(INSTANCES[name], texts, rng)
        u1, u2 = cells.means(sample)
        a, b = equilibrium(u1, u2)
        whole, (plain, redrawn) = cells.resampled(sample, resamples, i), cells.crossed(sample, resamples, i)
        assert redrawn is not None
        lead, reply = cells.equilibria(whole)
        again += float(np.mean((lead == a) & (reply == b))) / samples
        values[i] = u1[a][b], cells.cross_fitted(plain)[:, 0].mean()
        found = whole[np.arange(resamples), 0, lead, reply], cells.cross_fitted(redrawn)[:, 0]
        held[i] = [low <= truth <= high for low, high in (cells.percentiles(f, 0.95) for f in found)]
    bias, share = values.mean(0) - truth, held.mean(0)
    return Finding(name, texts, (float(bias[0]), float(bias[1])), (float(share[0]), float(share[1])), again)


def studies(samples: int, resamples: int, seed: int) -> Iterator[Finding]:
    """Every instance at 40 and at 200 texts a cell."""
    rng = np.random.default_rng(seed)
    for name in INSTANCES:
        for texts in (40, 200):
            yield study(name, texts, samples, resamples, rng)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    began = time.monotonic()
    for finding in studies(args.samples, args.resamples, args.seed):
        print(finding, flush=True)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()

"""Whether a measure of fidelity ranks simulators as the losses of those who trust them do: fifty fakes whose losses are known.

    python perf/lead_score.py [--fakes 50] [--repeats 20] [--seed 4]

People act by a noisy threshold (slope 4 in the log odds). Fakes differ in slope (log-uniform, 1.3 to 20) and bias (normal, sd 1/2
logit). Each answers the items of `parlour fidelity` in words, through session and store; the losses it is ranked by are of its true
parameters. Printed: Spearman's rank correlation of every measure with those losses.
"""
import argparse
import sys
import tempfile
from math import exp
from pathlib import Path
from typing import Any

import numpy as np

from parlour.experiments import fidelity as f
from parlour.experiments.api import synchronous
from parlour.experiments.runner import start
from parlour.games.solvers.noisy_receiver import Receiver, cost_of, logit
from parlour.transcripts.store import Store

PRIORS, SLOPE, WANTED = (0.3, 0.4), 4.0, 0.9
MEASURES = ("economic loss", "threshold error (logits)", "total variation", "root mean squared error", "log-loss", "Brier score",
            "expected calibration error", "agreement", "normalised accuracy", "Pearson correlation", "Spearman correlation")


def fakes(count: int, seed: int) -> list[dict[str, Any]]:
    """Specs of so many updaters."""
    rng = np.random.default_rng(seed)
    return [{"agent": "updater", "slope": float(exp(rng.uniform(0.3, 3))), "bias": float(rng.normal(0, 0.5))} for _ in range(count)]


def realised(fake: dict[str, Any]) -> float:
    """What a sender who knew the fake through and through, and took it for the people, would lose."""
    return float(np.mean([cost_of(Receiver(logit(p), SLOPE), Receiver(logit(p) + fake["bias"], fake["slope"]), p).loss for p in PRIORS]))


def ranks(scores: list[dict[str, Any]], losses: dict[str, float]) -> dict[str, float]:
    """Measure -> rank correlation with the losses; an error of the threshold counts by its size."""
    from scipy.stats import spearmanr
    by = {(s["arm"].split(" for ")[0], s["benchmark"]): s["value"] for s in scores if s["arm"].endswith(" for truth people")}
    found = {}
    for name in MEASURES:
        values = np.array([by.get((who, name), np.nan) for who in losses])
        values = np.abs(values) if name.startswith("threshold error") else values
        found[name] = float(spearmanr(values, list(losses.values()), nan_policy="omit").statistic)
    return found


def study(count: int, repeats: int, seed: int, folder: Path) -> dict[str, float]:
    """Asks everybody, and ranks."""
    specs = {f"fake{i}": spec for i, spec in enumerate(fakes(count, seed))}
    people = [f.Respondent("truth people", {"agent": "updater", "slope": SLOPE})]
    simulators = [f.Respondent(f"simulator {name}", spec) for name, spec in specs.items()]
    store = Store(folder / "lead_score.duckdb")
    run, status = synchronous(start(f.design(people, simulators, PRIORS, repeats=repeats, seed=seed, tasks=("act",)), store))
    assert status == "done"
    return ranks(f.compared(store, run, people, simulators, draws=0), {f"simulator {name}": realised(s) for name, s in specs.items()})


def main() -> int:
    """Prints the table; 1 if the lead score ranks worse than wanted."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--fakes", type=int, default=50)
    options.add_argument("--repeats", type=int, default=20)
    options.add_argument("--seed", type=int, default=4)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = study(given.fakes, given.repeats, given.seed, Path(folder))
    print("rank correlation with the loss of one who trusts the simulator, over", given.fakes, "fakes")
    for name, r in sorted(found.items(), key=lambda pair: -abs(pair[1])):
        print(f"  {name:<28} {r:>6.3f}")
    print(f"wanted of the economic loss: at least {WANTED}")
    return 0 if found["economic loss"] >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())

"""Simulation studies of the statistics: what intervals cover, what families err, what plans deliver, what memorisers reveal.

    python perf/studies.py [--short] [--seed 1]

coverage    95 % intervals of a mean over G wordings of ten replicates, intraclass correlation r: share that hold the true mean
wild        the same by the wild cluster bootstrap; and, by t and by it, with wordings of very unequal size
family      designs of 20 arms without any effect, each arm against 0, adjusted by Holm: share in which any claim is made
power       `parlour plan`'s numbers for random spreads and effects, against the whole estimator on data simulated anew
costs       designs whose models talk at a length of their own (median of the estimate times exp(N(0, .5))) and err in 0 to 10 % of
            replies: share whose spend lies in the 90 % range of the estimate
memorisers  runs of the email game in two wordings: share in which the contamination interval lies above 0, for a mock that knows the
            first wording by heart and for the plain mock

Everything is simulated by seed; no model is called.
"""
import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import exp, sqrt
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import parlour
from parlour.experiments import estimate as estimating
from parlour.experiments.design import game_of, make_design, protocol_of
from parlour.transcripts.hypotheses import adjusted, p_value
from parlour.transcripts.power import Spread, smallest
from parlour.transcripts.sampling import DRAWS, Row
from parlour.transcripts.statistics import Estimate, mean
from parlour.transcripts.wild import POINTS

GAMES: list[dict[str, Any]] = [{"name": "email"}, {"name": "battle_of_the_sexes", "informed": "both_common"},
                               {"name": "first_price_auction", "signal": "binary"}]


@dataclass(frozen=True)
class Finding:
    """One line: what was studied, the share found, how many trials it rests on, and whether it is as wanted."""
    what: str
    share: float
    trials: int
    wanted: str
    met: bool

    def __str__(self) -> str:
        error = sqrt(self.share * (1 - self.share) / self.trials)
        return (f"{self.what:<58} {self.share:7.3f} (+- {error:.3f}, {self.trials} trials)   wanted {self.wanted}: "
                f"{'met' if self.met else 'MISSED'}")


def values(rng: np.random.Generator, groups: int, replicates: int, icc: float, tapes: bool = False) -> list[Row]:
    """Rows with mean 0 and variance 1, intraclass correlation icc of wordings."""
    table = sqrt(icc) * rng.standard_normal((groups, 1)) + sqrt(1 - icc) * rng.standard_normal((groups, replicates))
    return [Row(float(v), signature=f"{w}/{t}", key=f"{w}/{t}", clusters={"wording": f"w{w}", **({DRAWS: f"t{t}"} if tapes else {})})
            for w, line in enumerate(table) for t, v in enumerate(line)]


def holds(e: Estimate, truth: float) -> bool:
    assert e.low is not None and e.high is not None
    return e.low <= truth <= e.high


def coverage(trials: int, rng: np.random.Generator) -> Iterator[Finding]:
    for groups in (6, 12, 30):
        for icc in (0.0, 0.5, 1.0):
            share = np.mean([holds(mean(values(rng, groups, 10, icc)), 0.0) for _ in range(trials)])
            yield Finding(f"coverage, {groups} wordings, intraclass correlation {icc:g}", float(share), trials, ".93 to .97",
                          0.93 <= share <= 0.97)


UNEQUAL = (40, 10, 5, 5, 3, 2)
"""Episodes of wordings in a run that was cut short, say."""


def wild(trials: int, rng: np.random.Generator, sizes: tuple[int, ...] = (6, 12, 30)) -> Iterator[Finding]:
    """It may cover in more than it says: with few clusters its p-values come in steps."""
    cases = [(groups, icc) for groups in sizes for icc in (0.0, 0.5, 1.0)]
    for how in (*POINTS, "t"):
        for groups, icc in cases if how != "t" else ():
            share = np.mean([holds(mean(values(rng, groups, 10, icc), inference=how), 0.0) for _ in range(trials)])
            yield Finding(f"coverage, {how}, {groups} wordings, icc {icc:g}", float(share), trials, "at least .93", bool(share >= 0.93))
        share = np.mean([holds(mean(unequal(rng), inference=how), 0.0) for _ in range(trials)])
        wanted, met = ("nothing: for comparison", True) if how == "t" else ("at least .93", bool(share >= 0.93))
        yield Finding(f"coverage, {how}, 6 wordings of unequal size, icc 0.5", float(share), trials, wanted, met)


def unequal(rng: np.random.Generator) -> list[Row]:
    """Rows of intraclass correlation .5 in wordings of UNEQUAL size."""
    return [r for r in values(rng, len(UNEQUAL), max(UNEQUAL), 0.5) if int(r.key.split("/")[1]) < UNEQUAL[int(r.key.split("/")[0])]]


def family(trials: int, rng: np.random.Generator) -> Iterator[Finding]:
    def any_claim() -> bool:
        found = adjusted([p_value(mean(values(rng, 6, 5, 0.3)), 0.0) for _ in range(20)], "primary")
        return any(p is not None and p <= 0.05 for p in found)
    share = float(np.mean([any_claim() for _ in range(trials)]))
    yield Finding("any claim among 20 arms without effect (Holm)", share, trials, "at most .05", share <= 0.05)


def power(designs: int, trials: int, rng: np.random.Generator) -> Iterator[Finding]:
    """Designs that can be planned at all: with few wordings that differ much, some cannot."""
    number = 0
    while number < designs:
        wordings, icc, effect = int(rng.choice([1, 6, 10])), float(rng.uniform(0, 0.15)), float(rng.uniform(0.35, 0.8))
        spread = Spread(1.0, icc if wordings > 1 else 0.0)
        plan = smallest(spread, effect, wordings, 0.8, None, seed=number)
        if plan is None:
            continue
        number += 1
        tapes = plan.episodes // wordings
        ps = (p_value(mean([Row(r.value + effect if r.value is not None else None, r.weight, r.stratum, r.clusters, r.signature, key=r.key)
                            for r in values(rng, wordings, tapes, spread.wording, wordings > 1)]), 0.0) for _ in range(trials))
        share = sum(p is not None and p <= 0.05 for p in ps) / trials
        yield Finding(f"power of {plan.episodes} episodes, {wordings} wordings, icc {spread.wording:.2f}, planned {plan.power:.2f}", share,
                      trials, "within .05 of plan", abs(share - plan.power) <= 0.05)


def costs(designs: int, rng: Random) -> Iterator[Finding]:
    inside = sum(_spent_inside(Random(rng.random())) for _ in range(designs))
    yield Finding("spend inside the 90 % range of the estimate", inside / designs, designs, "at least .9", inside / designs >= 0.9)


def _spent_inside(rng: Random) -> bool:
    """One random design: its estimate, and what a model of its own length spends on all its episodes."""
    spec = rng.choice(GAMES)
    game = game_of(spec)
    protocol = {"name": "advice", "max_queries": rng.randint(1, 3)}
    model = {"agent": "llm", "model": "gpt-4o-mini", "max_tokens": 4000}
    seats = {role: model for role in protocol_of(protocol, game).seats(game)}
    design = make_design({"episodes": rng.randint(10, 60), "seed": rng.randint(0, 10**6), "game": spec, "protocol": protocol,
                          "seats": seats})
    low, high = asyncio.run(estimating.estimate(design)).cost
    heard: list[Any] = []
    longer, tokens, again = exp(rng.gauss(0, 0.5)), exp(rng.gauss(0, 0.15)), rng.uniform(1.0, 1.1)

    async def play() -> None:
        with estimating.within(estimating.Service(price=lambda m: (0.15, 0.6), rehearse=partial(estimating.rehearse, heard))):
            table, = estimating.tables(design)
            for i in range(int(design.episodes)):
                at = estimating.slot(design, table, i, i)
                seated = table.seats[at.persona]
                await estimating.Session(table.protocol.script(table.game, at.state), seated, dict.fromkeys(seated, at.wording),
                                         partial(estimating.seed_of, design.seed + 1, at.episode), lambda event: None, design.limits).play()
    asyncio.run(play())
    spent = again * sum(c.tokens_in * tokens * 0.15 + c.tokens_out * longer * 0.6 for c in heard) / 1e6
    return low <= spent <= high


def memorisers(runs: int, folder: Path) -> Iterator[Finding]:
    for human, wanted in (("memoriser", "at least .9"), ("mock", "at most .05")):
        caught = 0
        for seed in range(runs):
            results = parlour.run({"name": human, "episodes": 80, "seed": seed, "wordings": "all", "game": "email", "protocol": "advice",
                                   "seats": {"human": human, "ai": "strategy"}}, folder / f"{human}{seed}.duckdb")
            row, = results.table().query("quantity == 'contamination' and role == 'human'").itertuples()
            caught += row.low > 0
        share = caught / runs
        yield Finding(f"contamination found: {human}", share, runs, wanted, share >= 0.9 if human == "memoriser" else share <= 0.05)


def studies(short: bool, seed: int) -> Iterator[Finding]:
    """All of them, one after the other."""
    rng = np.random.default_rng(seed)
    yield from coverage(150 if short else 3000, rng)
    yield from wild(40 if short else 1000, np.random.default_rng([seed, 1]))
    yield from family(30 if short else 400, rng)
    yield from power(2 if short else 10, 150 if short else 1000, rng)
    yield from costs(6 if short else 40, Random(seed))
    with tempfile.TemporaryDirectory() as folder:
        yield from memorisers(4 if short else 100, Path(folder))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="few trials, in seconds: shows that it runs, not what is true")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    began, missed = time.monotonic(), 0
    for finding in studies(args.short, args.seed):
        print(finding, flush=True)
        missed += not finding.met
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if missed and not args.short else 0


if __name__ == "__main__":
    sys.exit(main())

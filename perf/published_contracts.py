"""The published numbers on contracts, ours beside them, through the games' benchmarks.

    python perf/published_contracts.py

One line each: what, the published number, ours, whether they agree to the digits that were published. Then the price of
cost-robustness on the three instances. Exit code 1 if a line disagrees. The data and their source: perf/published_contracts.json.
"""
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from parlour.experiments.design import game_of
from parlour.games.base import Benchmark, Game
from parlour.games.solvers.learning_curve import binomial, inflection

DATA = json.loads(Path(__file__).with_suffix(".json").read_text())
WHICH = ("cost_aware", "cost_robust")


class Line(NamedTuple):
    what: str
    published: float
    ours: float

    @property
    def agrees(self) -> bool:
        """To six digits, or to the digits published."""
        return abs(self.ours - self.published) <= 1e-6 * max(1.0, abs(self.published))


def solved(game: Game) -> dict[str, Benchmark]:
    return {b.name: b for b in game.benchmarks(game.usual_rules)}


def paid(game: Any, name: str) -> tuple[float, ...]:
    """The contract that a benchmark's principal posts."""
    role = game.players()[0]
    (_, move), = game.strategy(name, role, game.usual_rules)((), game.want(role))
    return move.payments


def text(rows: Any, **fields: Any) -> Any:
    rows = [[float(p) for p in row] for row in rows]
    return game_of({"name": "text_contract", "outcome_probabilities": rows, "costs": DATA["costs"], **fields})


def passing(name: str) -> Any:
    return text([[1 - p, p] for p in DATA[f"{name}_pass"]])


def mtbench(**fields: Any) -> Any:
    return text([[x / sum(row) for x in row] for row in DATA["mtbench_counts"]], **fields)


def texts() -> Iterator[Line]:
    """Payments for text, cost-aware and cost-robust."""
    for name in ("humaneval", "mbpp"):
        for which, published in zip(WHICH, DATA[name]["pass payment"], strict=True):
            yield Line(f"{name}, pass payment, {which}", published, paid(passing(name), which)[1])
    at = {"t_10": 9, "score 10": 9, "t_5": 4, "t_2..t_9": 1, "score >= 2": 1}
    for what, pair in DATA["mtbench"].items():
        head, _, outcome = what.partition(", ")
        shape, objective = head.split()
        for which, published in zip(WHICH, pair, strict=True):
            yield Line(f"mtbench, {what}, {which}", published, paid(mtbench(shape=shape, objective=objective), which)[at[outcome]])
    for which, published in zip(WHICH, DATA["mtbench_free_budget"], strict=True):
        yield Line(f"mtbench, free budget, {which}", published, max(paid(mtbench(objective="budget"), which)))
    two = DATA["two_action_binomial"]
    for objective in ("pay", "budget"):
        game = text([binomial((p,), two["trials"]) for p in two["rates"]], costs=[0, 1], objective=objective)
        yield Line(f"two binomial models, {objective}", two[objective], number(solved(game)["cost_aware"].measures["objective"]))


def classifiers() -> Iterator[Line]:
    """Budgets and pay for trained classifiers."""
    for m, (budget, pay, top) in DATA["delegated_binary"].items():
        game = game_of({"name": "delegated_classification", "accuracies": [0.5, 0.8], "costs": [0, 1], "test_size": int(m)})
        least, cheap = solved(game)["min_budget"].measures, solved(game)["min_pay"].measures
        yield Line(f"two classifiers, m = {m}, least budget", budget, number(least["budget"]))
        yield Line(f"two classifiers, m = {m}, least pay", pay, number(cheap["expected_pay"]))
        yield Line(f"two classifiers, m = {m}, its payment", top, number(cheap["budget"]))
    lcdb = DATA["lcdb"]
    for i, (budget, pay) in enumerate(zip(lcdb["budgets"], lcdb["pay"], strict=True), 2):
        game = game_of({"name": "delegated_classification", "accuracies": lcdb["accuracy"], "costs": lcdb["sizes"], "target": i,
                        "test_size": 1})
        found = solved(game)["min_budget"].measures
        yield Line(f"MNIST MLP, {lcdb['sizes'][i]} samples, budget", budget, number(found["budget"]))
        yield Line(f"MNIST MLP, {lcdb['sizes'][i]} samples, pay", pay, number(found["expected_pay"]))
    bend = DATA["inflection"]
    crit, bound = inflection(bend["b"], bend["c"], bend["m"], bend["j"])
    yield Line("learning curve, n_crit", bend["n_crit"], crit)
    yield Line("learning curve, n_bound", bend["n_bound"], bound)


def inspections() -> Iterator[Line]:
    """Total cost per answer on AlpacaEval."""
    found = solved(game_of({"name": "adaptive_contract"}))
    for name, total in DATA["adaptive_totals"].items():
        yield Line(f"AlpacaEval, {name}", total, number(found[name].measures["total"]))


def number(x: float | None) -> float:
    return float("nan") if x is None else x


def robustness() -> Iterator[tuple[str, float, float]]:
    """(instance, price of robustness, its bound), by the paper's objectives."""
    for name in ("humaneval", "mbpp"):
        m = solved(passing(name))["cost_robust"].measures
        yield name, number(m["price_of_robustness"]), number(m["price_bound"])
    for shape in ("free", "monotone"):
        for objective in ("pay", "budget", "deviation"):
            m = solved(mtbench(shape=shape, objective=objective))["cost_robust"].measures
            yield f"mtbench, {shape}, {objective}", number(m["price_of_robustness"]), number(m["price_bound"])


def main() -> int:
    lines = [*texts(), *classifiers(), *inspections()]
    print(f"{'':<58}{'published':>14}{'ours':>14}")
    for line in lines:
        print(f"{line.what:<58}{line.published:>14.6f}{line.ours:>14.6f}  {'' if line.agrees else 'DIFFERS'}".rstrip())
    print(f"\n{sum(line.agrees for line in lines)} of {len(lines)} agree.\n\n{'price of cost-robustness':<58}{'ours':>14}{'at most':>14}")
    for name, price, bound in robustness():
        print(f"{name:<58}{price:>14.4f}{bound:>14.4f}")
    return int(not all(line.agrees for line in lines))


if __name__ == "__main__":
    sys.exit(main())

"""Whether a measure of fidelity ranks simulators as the losses of those who trust them do: fifty fakes whose losses are known.

    python perf/lead_score.py [--fakes 50] [--repeats 10] [--rounds 200] [--seed 4]

People act by a noisy threshold (slope 4 in the log odds). Fakes differ in slope (log-uniform, 1.3 to 20) and bias (normal, sd 1/2
logit). All sit behind a mock server, each under a name of its own, and answer the items of `parlour fidelity` in words over HTTP.
From a fake's answers a sender fits the policy that would be best against it; she states it in game `persuasion`, and the people
answer, over HTTP again. Printed: Spearman's rank correlation of every measure with three losses.

    known     of a sender who knew the fake's true parameters, in closed form
    exact     of the policies she fitted, over every state, message and answer, weighed by their chances
    played    of the same policies, as so many rounds against the people came out: it has the noise of these rounds
"""
import argparse
import sys
import tempfile
from collections.abc import Mapping
from math import exp
from pathlib import Path
from typing import Any

import numpy as np

from parlour.agents.mock_server import MockServer
from parlour.experiments import fidelity as f
from parlour.experiments.api import synchronous
from parlour.experiments.design import game_of, make_design, protocol_of
from parlour.experiments.runner import start
from parlour.experiments.seating import seat_one
from parlour.games.base import Rules
from parlour.games.solvers.noisy_receiver import Receiver, best_policy, cost_of, logit, value
from parlour.protocols.seat import Agent
from parlour.transcripts.fidelity import Answers, answers, receiver
from parlour.transcripts.store import Store

PRIORS, SLOPE, WANTED, WORDINGS = (0.3, 0.4), 4.0, 0.9, ("plain", "clinic")
PEOPLE, MET = {"agent": "updater", "slope": SLOPE}, {"name": "simulation_queries", "budget": 0}
LOSSES = ("known", "exact", "played")
MEASURES = ("economic loss", "threshold error (logits)", "total variation", "root mean squared error", "log-loss", "Brier score",
            "expected calibration error", "agreement", "normalised accuracy", "Pearson correlation", "Spearman correlation")
PAID = "SELECT e.arm, sum(e.weight * p.gross) / sum(e.weight) AS paid FROM payoff p JOIN episode e USING (run, episode) " \
       "WHERE p.run = ? AND p.role = 'sender' GROUP BY e.arm"
Fields = dict[str, Any]


def fakes(count: int, seed: int) -> list[Fields]:
    """Specs of so many updaters."""
    rng = np.random.default_rng(seed)
    return [{"agent": "updater", "slope": float(exp(rng.uniform(0.3, 3))), "bias": float(rng.normal(0, 0.5))} for _ in range(count)]


def known(fake: Fields) -> float:
    """What a sender who knew the fake through and through, and took it for the people, would lose."""
    return float(np.mean([cost_of(Receiver(logit(p), SLOPE), Receiver(logit(p) + fake["bias"], fake["slope"]), p).loss for p in PRIORS]))


# --- who answers over HTTP ------------------------------------------------------------------------------------------------
def served(specs: Mapping[str, Fields]) -> dict[str, Agent]:
    """Name -> the agent that answers items under it; and the people as receivers, one for each prior."""
    items = game_of({"name": "announced_policy"})
    found = {name: seat_one(items, Rules.of(), "buyer", spec, {}, {}) for name, spec in specs.items()}
    for p in PRIORS:
        game = game_of(meeting(p))
        found[f"receiver {p}"] = seat_one(game, protocol_of(MET, game).rules(game), "receiver", PEOPLE, {}, {})
    return found


def over_http(server: MockServer, name: str) -> Fields:
    """The seat of whoever answers under a name."""
    return {"agent": "llm", "model": name, "endpoint": server.endpoint, "is_mock": True}


def meeting(prior: float) -> Fields:
    """The game in which the sender meets the people: she is paid 1 if they act."""
    return {"name": "persuasion", "prior": [prior, 1 - prior], "sender_utility": [[1, 0], [1, 0]], "receiver_utility": [[1, 0], [-1, 0]]}


# --- what is lost -------------------------------------------------------------------------------------------------------
def paid(store: Store, policies: Mapping[tuple[str, float], float], seed: int, episodes: int | str,
         people: Mapping[float, Fields]) -> dict[str, float]:
    """Name -> what the policies q fitted to it, by prior, lose against the people; the best is known."""
    arms = [{"name": f"{name}|{p}", "game": meeting(p), "protocol": MET, "seats": {
        "sender": {"agent": "fixed", "move": {"rows": [[1, 0], [q, 1 - q]]}}, "receiver": people[p]}} for (name, p), q in policies.items()]
    made = make_design({"name": "met", "seed": seed, "episodes": episodes, "concurrency": 64, "arms": arms})
    run, status = synchronous(start(made, store))
    assert status == "done"
    got = {row["arm"]: row["paid"] for row in store.rows(PAID, [run])}
    best = {p: value(best_policy(p, Receiver(logit(p), SLOPE)), p, Receiver(logit(p), SLOPE)) for p in PRIORS}
    return {name: float(np.mean([best[p] - got[f"{name}|{p}"] for p in PRIORS])) for name, _ in policies}


def fitted(said: Mapping[str, Answers]) -> dict[tuple[str, float], float]:
    """(name, prior) -> how often a sender says "act" in the bad state who goes by these answers."""
    return {(name, p): best_policy(p, receiver(of.threshold(k))) for name, of in said.items() for k, p in enumerate(of.priors)}


def ranks(scores: list[dict[str, Any]], losses: Mapping[str, float]) -> dict[str, float]:
    """Measure -> rank correlation with the losses; an error of the threshold counts by its size."""
    from scipy.stats import spearmanr
    by = {(s["arm"].split(" for ")[0], s["benchmark"]): s["value"] for s in scores if s["arm"].endswith(" for truth people")}
    found = {}
    for name in MEASURES:
        values = np.array([by.get((who, name), np.nan) for who in losses])
        values = np.abs(values) if name.startswith("threshold error") else values
        found[name] = float(spearmanr(values, list(losses.values()), nan_policy="omit").statistic)
    return found


def study(count: int, repeats: int, rounds: int, seed: int, folder: Path, thresholds: tuple[float, ...] = f.THRESHOLDS) -> dict[
        str, dict[str, float]]:
    """Loss -> measure -> rank correlation: asks everybody, plays what was fitted, and ranks."""
    specs = {f"simulator fake{i}": spec for i, spec in enumerate(fakes(count, seed))}
    store = Store(folder / "lead_score.duckdb")
    with MockServer(agents=served({**specs, "truth people": PEOPLE})) as server:
        people = [f.Respondent("truth people", over_http(server, "truth people"))]
        simulators = [f.Respondent(name, over_http(server, name)) for name in specs]
        design = f.design(people, simulators, PRIORS, thresholds, repeats, WORDINGS, seed, ("act",), concurrency=64)
        run, status = synchronous(start(design, store))
        assert status == "done"
        said = answers(store, run)
        policies = fitted({name: said[name] for name in specs})
        losses = {"known": {name: known(spec) for name, spec in specs.items()},
                  "exact": paid(store, policies, seed, "exact", dict.fromkeys(PRIORS, PEOPLE)),
                  "played": paid(store, policies, seed, rounds, {p: over_http(server, f"receiver {p}") for p in PRIORS})}
    scores = f.compared(store, run, people, simulators, draws=0)
    return {name: ranks(scores, lost) for name, lost in losses.items()}


def main() -> int:
    """Prints the table; 1 if the lead score ranks worse than wanted."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--fakes", type=int, default=50)
    options.add_argument("--repeats", type=int, default=10)
    options.add_argument("--rounds", type=int, default=200)
    options.add_argument("--seed", type=int, default=4)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = study(given.fakes, given.repeats, given.rounds, given.seed, Path(folder))
    print(f"rank correlation with the loss of one who trusts the simulator, over {given.fakes} fakes")
    print(f"  {'':<28} " + " ".join(f"{name:>7}" for name in LOSSES))
    for measure in sorted(MEASURES, key=lambda m: -abs(found["known"][m])):
        print(f"  {measure:<28} " + " ".join(f"{found[name][measure]:>7.3f}" for name in LOSSES))
    lead = [found[name]["economic loss"] for name in LOSSES]
    print(f"wanted of the economic loss: at least {WANTED}")
    return 0 if min(lead) >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())

"""Contract clinic: a table of scores, contracts made of samples of it, written in words, read, and played.

Expected: a contract t makes the target the best reply iff F t - F_i t >= c - c_i for every other model i, on the table's F; a logit agent
takes model i with chance exp(b u_i) / sum_k exp(b u_k), u = F t - c. The plug-in contract is the cheapest on the sample's shares; the
confident one the cheapest that holds against every model by 1.645 standard errors of what it pays there.
"""
from functools import lru_cache
from importlib import resources
from statistics import NormalDist, fmean
from typing import Any

from ...reports.document import Figure, Section, Table
from ...transcripts.compliance import compliance
from ..bootstrap import Case, bootstrap
from ..contract_design import arms_text, game_text, in_words
from ..contract_table import Scores, read_tables
from .stage import Line, Shown, Stage, commands

TITLE = "Contract clinic"
QUESTION = ("A table says how often three models reach each of ten scores, and what they cost. You pay for texts by their score and cannot "
            "see which model wrote them. What do you offer, if all you have is a sample of a thousand scores of each? The cheapest "
            "contract on the sample makes the writer just not worse off with the model you want. And on the whole table?")
DESIGNS = ("contract_clinic", "contract_clinic_model")
PILOTS, TEXTS, SEED, CONFIDENCE = 8, 1000, 2026, 0.95
RESAMPLES, PUBLISHED = 300, 0.29
PRECISION = 4.0


@lru_cache(maxsize=1)
def table() -> Scores:
    """The scores and costs that ship."""
    folder = resources.files("parlour") / "examples" / "contracts"
    with resources.as_file(folder) as path:
        return read_tables(str(path / "scores.csv"), str(path / "costs.csv"))


def contracts() -> dict[str, list[float]]:
    """Arm -> payments: of every pilot of a thousand texts per model the plug-in contract and the confident one. Takes seconds."""
    import numpy as np

    from ...games.solvers.confidence import confident
    from ...games.solvers.contract import solve
    truth, costs = np.array(table().chances), np.array(table().costs)
    gaps, z, rng = costs[-1] - costs[:-1], NormalDist().inv_cdf(CONFIDENCE), np.random.default_rng(SEED)
    made: dict[str, list[float]] = {}
    for k in range(PILOTS):
        seen = np.array([rng.multinomial(TEXTS, row) / TEXTS for row in truth])
        both = {"plug-in": solve(seen[:-1], seen[-1], gaps, "pay", "monotone"),
                "confident": confident(seen[:-1], seen[-1], gaps, (TEXTS,) * len(seen), z, "pay", "monotone")}
        made |= {f"{name} {k + 1}": [round(float(t), 6) for t in found.pay] for name, found in both.items() if found is not None}
    return made


def design_text() -> str:
    """What `examples/contract_clinic.toml` holds, but for its comment."""
    return ('name = "contract-clinic"\nepisodes = "exact"\n\n' + game_text(table()) + '\n[protocol]\nname = "text_contract"\nprose = 0\n\n'
            '[seats]\nreader = "amounts"\nagent = "best_reply"\n\n' + arms_text(contracts()))


def worths(payments: list[float]) -> list[float]:
    """The agent's expected payoff from every model, on the table."""
    return [sum(p * t for p, t in zip(row, payments, strict=True)) - cost
            for row, cost in zip(table().chances, table().costs, strict=True)]


def slack(payments: list[float]) -> float:
    """By how much the target is the best choice; below 0 it is not."""
    *others, target = worths(payments)
    return target - max(others)


def pays(payments: list[float]) -> float:
    """What the principal expects to pay under the agent's best reply; ties go to the target."""
    u = worths(payments)
    i = max(range(len(u)), key=lambda k: (u[k] >= max(u) - 1e-9, k))
    return sum(p * t for p, t in zip(table().chances[i], payments, strict=True))


def play(stage: Stage) -> Shown:
    """Sixteen contracts in words against a rational agent, exactly; then against a logit agent and a model."""
    designs = [stage.design(name) for name in DESIGNS]
    runs = [stage.run(d) for d in designs]
    posted = {arm.name: _read(arm.seats["principal"]["text"]) for arm in designs[0].arms}
    exact, sampled = (compliance(stage.store, run) for run in runs)
    arms = stage.arms(runs[0])
    lines = [line for kind in ("plug-in", "confident") for line in _kind(kind, posted, exact, arms)]
    lines.append(_rate())
    lines += _noisy(stage, designs[1], sampled)
    found = {x.what: x.found or 0.0 for x in lines}
    return Shown(lines, f"Of eight plug-in contracts {8 * found['plug-in: share that hold']:.0f} hold, of eight confident ones "
                 f"{8 * found['confident: share that hold']:.0f}. Where a plug-in contract fails the slack is negative, and a rational "
                 f"writer takes a cheaper model. Certainty has its price: {found['confident: expected pay']:.3g} instead of "
                 f"{found['plug-in: expected pay']:.3g} a text on average.", [_figure(posted)],
                 [_contracts(posted), commands("contract_clinic", DESIGNS)], runs)


def _read(text: str) -> list[float]:
    """The payments of a contract in words, money."""
    import re

    from ...agents.amounts import pattern
    from ...games.text_contract_words import PLAIN
    found = re.findall(pattern(PLAIN.texts["price"]), text, re.IGNORECASE)
    return [float(amount) / PLAIN.scale for _, amount in found]


def _kind(kind: str, posted: dict[str, list[float]], scores: list[dict[str, Any]], arms: dict[str, Any]) -> list[Line]:
    own = {name: t for name, t in posted.items() if name.startswith(kind)}
    said = {(s["arm"], s["benchmark"]): s["value"] for s in scores}
    paid = [-(arms[name].estimate("principal").mean or 0.0) for name in own]
    return [Line(f"{kind}: share that hold", fmean(slack(t) >= -1e-9 for t in own.values()), fmean(said[n, "compliance"] for n in own),
                 by="F t - c on the table"),
            Line(f"{kind}: least slack", min(map(slack, own.values())), min(said[n, "slack"] for n in own), by="F t - c on the table"),
            Line(f"{kind}: expected pay", fmean(map(pays, own.values())), fmean(paid), by="F t under the best reply")]


def _rate() -> Line:
    """How often a plug-in contract holds, over many samples."""
    import numpy as np
    truth, costs = np.array(table().chances), np.array(table().costs)
    gaps = costs[-1] - costs[:-1]
    found = bootstrap(Case(truth[:-1], truth[-1], gaps, gaps, (TEXTS,) * 3, "pay", "monotone"), RESAMPLES, SEED, workers=1).holds[0]
    error = (PUBLISHED * (1 - PUBLISHED) * (1 / RESAMPLES + 1 / 300)) ** 0.5
    return Line("plug-in: share that hold, of many samples", PUBLISHED, found, found - 1.96 * error, found + 1.96 * error,
                f"{RESAMPLES} samples", "published: 300 samples", error, "normal")


def _noisy(stage: Stage, design: Any, scores: list[dict[str, Any]]) -> list[Line]:
    from math import exp
    lines = []
    for arm in design.arms:
        u = worths(_read(arm.seats["principal"]["text"]))
        weights = [exp(PRECISION * (x - max(u))) for x in u]
        logit = arm.seats["agent"]["agent"] == "logit"
        want = weights[-1] / sum(weights) if logit else 1 / len(u) if stage.mocked else None
        s = next(s for s in scores if s["arm"] == arm.name and s["benchmark"] == "compliance")
        error = None if s["low"] is None or s["high"] is None else (s["high"] - s["low"]) / (2 * 1.97)
        by = "logit of u" if logit else "a mock chooses at random" if stage.mocked else ""
        lines.append(Line(f"compliance, {arm.name}", want, s["value"], s["low"], s["high"], f"{s['n']} episodes", by, error, s["method"]))
    return lines


def _contracts(posted: dict[str, list[float]]) -> Section:
    rows = [{"contract": name, **{f"score {j}": t for j, t in enumerate(pay, 1)}, "slack": slack(pay)} for name, pay in posted.items()]
    some = next(iter(posted.values()))
    return Section("The contracts", [
        Table("contracts", rows, "US$ per million tokens for a text of each score, and by how much the 70B model is then the best choice "
              "on the whole table: below 0 it is not chosen."), f"In words, as it is posted and read again: {in_words(some)}."])


def _figure(posted: dict[str, list[float]]) -> Figure:
    from ...reports.figures import intervals
    rows = [{"what": name, "value": slack(t), "low": None, "high": None, "edge": 0.0} for name, t in posted.items()]
    return Figure("slack", intervals(rows, "what", "slack of the target, US$ per million tokens", "edge"),
                  "How much better the wanted model is for the writer than the best other, contract by contract; left of the red marks the "
                  "contract fails.", rows)

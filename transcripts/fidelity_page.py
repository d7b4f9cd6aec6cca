"""The one-page report of a fidelity run: a table, psychometric curves with the truth, the loss cliff, calibration, queries."""
from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib import resources
from io import BytesIO
from math import log
from pathlib import Path
from typing import Any

import numpy as np

from ..games.solvers.noisy_receiver import Receiver, best_policy, logit, value
from .arms import Score
from .fidelity import Answers, queries, receiver

SIZE = (10.5, 8.4)
WHO = ("valid replies", "updating: weight of the prior", "updating: weight of the evidence",
       "attitude: threshold at a given chance (logits)", "noise: slope at a given chance", "framing: sd of the threshold over wordings",
       "inversions")


def page(run: str, said: Mapping[str, Answers], people: Sequence[str], ideal: Sequence[str], scores: Sequence[Score]) -> str:
    """The report as HTML, its picture inside. people: respondents that are truths; ideal: those of them that are the ideal type."""
    from jinja2 import Environment
    template = Environment(autoescape=True).from_string((resources.files(__package__) / "fidelity.html").read_text())
    cells = _leads(scores)
    leads, kin = ([c for c in cells if bool(c["note"]) == apart] for apart in (False, True))
    return template.render(run=run, leads=leads, kin=kin, respondents=_respondents(scores),
                           picture=b64encode(picture(said, people, ideal)).decode())


def write(to: Path, run: str, said: Mapping[str, Answers], people: Sequence[str], ideal: Sequence[str], scores: Sequence[Score]) -> None:
    """The report as a .png (the picture alone) or as a page of HTML."""
    if to.suffix == ".png":
        to.write_bytes(picture(said, people, ideal))
    else:
        to.write_text(page(run, said, people, ideal, scores))


def _leads(scores: Sequence[Score]) -> list[dict[str, str]]:
    cells: dict[str, dict[str, Score]] = {}
    for s in scores:
        if " for " in s["arm"] and not s["arm"].endswith(" for ideal"):
            cells.setdefault(s["arm"], {})[s["benchmark"]] = s
    found = []
    for arm, by in cells.items():
        lead = by.get("economic loss")
        if lead is None:
            continue
        span = f"{lead['low']:.3f} .. {lead['high']:.3f}" if lead["low"] is not None else "-"
        simulator, people = arm.split(" for ", 1)
        found.append({"simulator": simulator, "people": people, "loss": f"{lead['value']:.3f}", "span": span, "note": lead["note"],
                      "best": _at(by, "value of the best policy"), "over": _at(by, "overpromise"),
                      "margin": _at(by, "margin that repairs it"), "error": _at(by, "threshold error (logits)"),
                      "accuracy": _at(by, "normalised accuracy")})
    return found


def _at(by: Mapping[str, Score], name: str) -> str:
    return f"{by[name]['value']:.3f}" if name in by else "-"


def _respondents(scores: Sequence[Score]) -> list[list[str]]:
    found: dict[str, dict[str, Score]] = {}
    for s in scores:
        if s["quantity"] == "respondent":
            found.setdefault(s["arm"], {})[s["benchmark"]] = s
    return [[who, *(_at(by, name) for name in WHO)] for who, by in found.items()]


# --- pictures -----------------------------------------------------------------------------------------------------------
def picture(said: Mapping[str, Answers], people: Sequence[str], ideal: Sequence[str]) -> bytes:
    """Four panels as a PNG."""
    from matplotlib.figure import Figure
    people = sorted(people, key=lambda who: who in ideal)  # the people themselves lead, not the ideal type
    figure = Figure(figsize=SIZE, layout="constrained")
    curves, cliff, calibrated, worth = figure.subplots(2, 2).ravel()
    _curves(curves, said, people, ideal)
    _cliff(cliff, said, people, ideal)
    _calibration(calibrated, said, people, ideal)
    _queries(worth, said, ideal)
    figure.legend(*curves.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _colours(said: Mapping[str, Answers], people: Sequence[str]) -> dict[str, str]:
    simulators = [who for who in said if who not in people]
    return {who: f"C{i}" for i, who in enumerate(simulators)} | {who: ("black", "0.45", "0.65")[i % 3] for i, who in enumerate(people)}


def _curves(axes: Any, said: Mapping[str, Answers], people: Sequence[str], ideal: Sequence[str]) -> None:
    """Shares that act by what the rule asks of a type, over all types: 0 is where an ideal type turns."""
    for who, colour in _colours(said, people).items():
        of = said[who]
        points: dict[float, list[float]] = {}
        for k, prior in enumerate(of.priors):
            for t, share in zip(of.x, of.shares()[k], strict=True):
                points.setdefault(round(t - logit(prior), 1), []).append(share)
        x = sorted(points)
        axes.plot(x, [float(np.nanmean(points[v])) for v in x], color=colour, lw=2.2 if who in people else 1.4, marker=".", ms=5,
                  label=who)
    axes.axvline(0, color="0.8", lw=0.8, zorder=0)
    axes.set(title="Who acts", xlabel="threshold of the rule, relative to the ideal one (logits)", ylabel="share that acts",
             ylim=(-0.04, 1.04))


def _true(of: Answers, kind: int, ideal: bool) -> Receiver:
    return Receiver(logit(of.priors[kind])) if ideal else receiver(of.threshold(kind))


def _cliff(axes: Any, said: Mapping[str, Answers], people: Sequence[str], ideal: Sequence[str]) -> None:
    """What the sender earns from the first people's last type, by policy, and where each respondent would lead her."""
    truth = people[0]
    kind = len(said[truth].priors) - 1
    prior, true = said[truth].priors[kind], _true(said[truth], kind, truth in ideal)
    grid = np.exp(np.linspace(log(0.05), 0, 400))
    axes.plot(grid, [value(q, prior, true) for q in grid], color="black", lw=1.5)
    for who, colour in _colours(said, people).items():
        q = best_policy(prior, _true(said[who], kind, who in ideal))
        axes.plot([q], [value(q, prior, true)], "o", color=colour, ms=8, clip_on=False, zorder=3)
    axes.set(title=f"What she earns from {truth} (prior {prior:g})", xlabel='how often she says "act" in the bad state',
             ylabel="value to the sender", ylim=(0, None))


def _calibration(axes: Any, said: Mapping[str, Answers], people: Sequence[str], ideal: Sequence[str]) -> None:
    truth = said[people[0]]
    p = truth.shares()
    if people[0] in ideal:
        p = np.array([[float(t <= prior + 1e-12) for t in truth.thresholds] for prior in truth.priors])
    axes.plot([0, 1], [0, 1], color="0.8", lw=0.8)
    for who, colour in _colours(said, people).items():
        if who not in people:
            axes.plot(said[who].shares().ravel(), p.ravel(), "o", color=colour, ms=4, alpha=0.7)
    axes.set(title="Calibration, item by item", xlabel="share of the simulator that acts", ylabel=f"share of {people[0]}",
             xlim=(-0.04, 1.04), ylim=(-0.04, 1.04))


def _queries(axes: Any, said: Mapping[str, Answers], ideal: Sequence[str]) -> None:
    for who, colour in _colours(said, [w for w in said if w.startswith("truth ")]).items():
        worth = queries(said[who], ideal=who in ideal)
        axes.plot(range(len(worth)), worth, color=colour, marker="o", ms=4)
    axes.set(title="What queries are worth, as each would have it", xlabel="queries", ylabel="value to the sender", ylim=(0, None))
    axes.xaxis.get_major_locator().set_params(integer=True)


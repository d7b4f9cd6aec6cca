"""The one-page report of a fidelity run: a table, psychometric curves with the truth, the loss cliff, calibration, queries."""
from collections.abc import Mapping, Sequence
from functools import partial
from math import log
from pathlib import Path
from typing import Any

import numpy as np

from ..games.solvers.noisy_receiver import Receiver, best_policy, logit, value
from .arms import Score
from .fidelity import Answers, queries, receiver
from .pages import Palette, both, png, shown
from .pages import page as filled

SIZE = (10.5, 8.4)
WHO = ("valid replies", "updating: weight of the prior", "updating: weight of the evidence",
       "attitude: threshold at a given chance (logits)", "noise: slope at a given chance", "inversions")
FACTORS = ("wordings", "orders", "labels", "messages")
SHIFTS = ("options reversed", "labels neutral", "told to leave")
MOVED = (*(f"sensitivity: sd of the threshold over {f}" for f in FACTORS), *(f"shift of the threshold, {s}" for s in SHIFTS))

TURNS, BRACKET = "threshold, prior ", " (bracket)"
ALONE = " for ideal"
"""Ends the name of a respondent's distance to the ideal type, where nobody was to be stood in for by it."""


def page(run: str, said: Mapping[str, Answers], people: Sequence[str], ideal: Sequence[str], scores: Sequence[Score]) -> str:
    """The report as HTML, its picture inside. people: respondents that are truths; ideal: those of them that are the ideal type."""
    cells = _cells(scores)
    found = [_lead(arm, by) for arm, by in cells.items() if "economic loss" in by and not arm.endswith(ALONE)]
    leads, kin = ([c for c in found if bool(c["note"]) == apart] for apart in (False, True))
    each = _respondents(scores)
    moved = [[who, *(_with_span(by, name) for name in MOVED)] for who, by in each.items() if any(name in by for name in MOVED)]
    return filled("fidelity.html", run=run, leads=leads, kin=kin, factors=FACTORS, shifts=SHIFTS, sensitivities=moved,
                  types=[line for who, by in each.items() for line in _types(who, by)],
                  respondents=[[who, *(_at(by, name) for name in WHO)] for who, by in each.items()],
                  cells=[_measures(arm, by) for arm, by in cells.items()], picture=both(partial(picture, said, people, ideal)))


def write(to: Path, run: str, said: Mapping[str, Answers], people: Sequence[str], ideal: Sequence[str], scores: Sequence[Score]) -> None:
    """The report as a .png (the picture alone) or as a page of HTML."""
    if to.suffix == ".png":
        to.write_bytes(png(partial(picture, said, people, ideal)))
    else:
        to.write_text(page(run, said, people, ideal, scores))


def _cells(scores: Sequence[Score]) -> dict[str, dict[str, Score]]:
    """Simulator and people -> measure -> score."""
    cells: dict[str, dict[str, Score]] = {}
    for s in scores:
        if " for " in s["arm"]:
            cells.setdefault(s["arm"], {})[s["benchmark"]] = s
    return cells


def _lead(arm: str, by: Mapping[str, Score]) -> dict[str, str]:
    lead = by["economic loss"]
    simulator, people = arm.split(" for ", 1)
    return {"simulator": simulator, "people": people, "loss": shown(lead["value"]), "span": _span(lead) or "-", "note": lead["note"],
            "best": _at(by, "value of the best policy"), "over": _at(by, "overpromise"),
            "margin": _at(by, "margin that repairs it"), "error": _at(by, "threshold error (logits)"),
            "accuracy": _at(by, "normalised accuracy")}


def _measures(arm: str, by: Mapping[str, Score]) -> dict[str, Any]:
    """All that is known of one simulator and its people."""
    simulator, people = arm.split(" for ", 1)
    lines = [(name, shown(s["value"]), _span(s)) for name, s in by.items()]
    return {"simulator": simulator, "people": people, "quantity": next(iter(by.values()))["quantity"], "lines": lines}


def _types(who: str, by: Mapping[str, Score]) -> list[list[Any]]:
    """Respondent, prior, threshold and slope with their intervals, lapses: a line per type whose threshold is known."""
    lines = []
    for name, s in by.items():
        if name.startswith(TURNS):
            prior = name.removeprefix(TURNS).removesuffix(BRACKET)
            lapsed = [_at(by, f"lapses: {what}, prior {prior}") for what in ("acts whatever is said", "never acts")]
            span = _span(s) and (f"[{_span(s)}]" if name.endswith(BRACKET) else f"({_span(s)})")
            at = shown(s["value"]), span
            lines.append([who, prior, at, _with_span(by, f"slope, prior {prior}"), *lapsed])
    return lines


def _span(s: Score) -> str:
    return f"{shown(s['low'])} .. {shown(s['high'])}" if s["low"] is not None else ""


def _with_span(by: Mapping[str, Score], name: str) -> tuple[str, str]:
    """A number and its interval, in brackets where it is one."""
    if name not in by:
        return "-", ""
    s = by[name]
    span = _span(s)
    return shown(s["value"]), f"[{span}]" if s["method"] == "bracket" else f"({span})"


def _at(by: Mapping[str, Score], name: str) -> str:
    return shown(by[name]["value"]) if name in by else "-"


def _respondents(scores: Sequence[Score]) -> dict[str, dict[str, Score]]:
    found: dict[str, dict[str, Score]] = {}
    for s in scores:
        if s["quantity"] == "respondent":
            found.setdefault(s["arm"], {})[s["benchmark"]] = s
    return found


# --- pictures -----------------------------------------------------------------------------------------------------------
def picture(said: Mapping[str, Answers], people: Sequence[str], ideal: Sequence[str], palette: Palette) -> Any:
    """Four panels; only the two that need no people where their answers are not at hand."""
    from matplotlib.figure import Figure
    people = sorted(people, key=lambda who: who in ideal)  # the people themselves lead, not the ideal type
    figure = Figure(figsize=SIZE, layout="constrained")
    curves, cliff, calibrated, worth = figure.subplots(2, 2).ravel()
    colours = _colours(said, people, palette)
    _curves(curves, said, people, colours, palette)
    if people:
        _cliff(cliff, said, people, ideal, colours)
        _calibration(calibrated, said, people, ideal, colours, palette)
    for axes in (cliff, calibrated):
        axes.set_visible(bool(people))
    _queries(worth, said, ideal, colours)
    figure.legend(*curves.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def _colours(said: Mapping[str, Answers], people: Sequence[str], palette: Palette) -> dict[str, str]:
    simulators = [who for who in said if who not in people]
    return {who: palette.series[i % len(palette.series)] for i, who in enumerate(simulators)} | {
        who: palette.truths[i % len(palette.truths)] for i, who in enumerate(people)}


def _curves(axes: Any, said: Mapping[str, Answers], people: Sequence[str], colours: Mapping[str, str], palette: Palette) -> None:
    """Shares that act by what the rule asks of a type, over all types: 0 is where an ideal type turns."""
    for who, colour in colours.items():
        of = said[who]
        points: dict[float, list[float]] = {}
        for k, prior in enumerate(of.priors):
            for t, share in zip(of.x, of.shares()[k], strict=True):
                points.setdefault(round(t - logit(prior), 1), []).append(share)
        x = sorted(points)
        axes.plot(x, [float(np.nanmean(points[v])) for v in x], color=colour, lw=2.2 if who in people else 1.4, marker=".", ms=5,
                  label=who)
    axes.axvline(0, color=palette.line, lw=0.8, zorder=0)
    axes.set(title="Who acts", xlabel="threshold of the rule, relative to the ideal one (logits)", ylabel="share that acts",
             ylim=(-0.04, 1.04))


def _true(of: Answers, kind: int, ideal: bool) -> Receiver:
    return Receiver(logit(of.priors[kind])) if ideal else receiver(of.threshold(kind))


def _cliff(axes: Any, said: Mapping[str, Answers], people: Sequence[str], ideal: Sequence[str], colours: Mapping[str, str]) -> None:
    """What the sender earns from the first people's last type, by policy, and where each respondent would lead her."""
    truth = people[0]
    kind = len(said[truth].priors) - 1
    prior, true = said[truth].priors[kind], _true(said[truth], kind, truth in ideal)
    grid = np.exp(np.linspace(log(0.05), 0, 400))
    axes.plot(grid, [value(q, prior, true) for q in grid], color=colours[truth], lw=1.5)
    for who, colour in colours.items():
        q = best_policy(prior, _true(said[who], kind, who in ideal))
        axes.plot([q], [value(q, prior, true)], "o", color=colour, ms=8, clip_on=False, zorder=3)
    axes.set(title=f"What she earns from {truth} (prior {prior:g})", xlabel='how often she says "act" in the bad state',
             ylabel="value to the sender", ylim=(0, None))


def _calibration(axes: Any, said: Mapping[str, Answers], people: Sequence[str], ideal: Sequence[str], colours: Mapping[str, str],
                 palette: Palette) -> None:
    truth = said[people[0]]
    p = truth.shares()
    if people[0] in ideal:
        p = np.array([[float(t <= prior + 1e-12) for t in truth.thresholds] for prior in truth.priors])
    axes.plot([0, 1], [0, 1], color=palette.line, lw=0.8)
    for who, colour in colours.items():
        if who not in people:
            axes.plot(said[who].shares().ravel(), p.ravel(), "o", color=colour, ms=4, alpha=0.7)
    axes.set(title="Calibration, item by item", xlabel="share of the simulator that acts", ylabel=f"share of {people[0]}",
             xlim=(-0.04, 1.04), ylim=(-0.04, 1.04))


def _queries(axes: Any, said: Mapping[str, Answers], ideal: Sequence[str], colours: Mapping[str, str]) -> None:
    for who, colour in colours.items():
        worth = queries(said[who], ideal=who in ideal)
        axes.plot(range(len(worth)), worth, color=colour, marker="o", ms=4)
    axes.set(title="What queries are worth, as each would have it", xlabel="queries", ylabel="value to the sender", ylim=(0, None))
    axes.xaxis.get_major_locator().set_params(integer=True)


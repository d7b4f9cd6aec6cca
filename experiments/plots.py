"""Pictures of simulations: regret with bands on logarithmic axes, and how often each prompt is played. PNG, SVG, and the data."""
import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..transcripts.curves import Simulated

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31")
"""Told apart by everybody (Okabe and Ito)."""
BAND = (0.1, 0.9)


def label(spec: Any) -> str:
    """A learner's spec in a legend: its name, and its fields where they are set."""
    fields = ", ".join(f"{k} {v}" for k, v in spec.items() if k != "agent")
    return f"{spec['agent']} ({fields})" if fields else str(spec["agent"])


def draw(found: Sequence[Simulated], folder: Path, role: str, benchmark: str) -> list[Path]:
    """Writes regret.png, .svg, .csv and prompts.png, .svg, .csv. Raises InputError without matplotlib.

    found  simulations to compare: one line each
    """
    try:
        import matplotlib
    except ImportError:
        raise InputError("pictures are drawn by matplotlib, which is not installed: pip install 'parlour[plots]'.") from None
    matplotlib.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    return [*_regret(found, folder, role, benchmark), *_prompts(found, folder)]


def _axes(panels: int = 1, columns: int = 1) -> tuple[Any, list[Any]]:
    """A figure of so many panels."""
    from matplotlib.figure import Figure
    lines = -(-panels // columns)
    figure = Figure(figsize=(6.4 if columns == 1 else 4.2 * columns, 4.2 if lines == 1 else 2.8 * lines), layout="constrained")
    found = [figure.add_subplot(lines, columns, i + 1) for i in range(panels)]
    for axes in found:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25, linewidth=0.6)
    return figure, found


def _regret(found: Sequence[Simulated], folder: Path, role: str, benchmark: str) -> list[Path]:
    import numpy as np

    figure, (axes,) = _axes()
    rows: list[list[Any]] = []
    top = 1.0
    for s, colour in zip(found, _cycle(len(found)), strict=True):
        value = {b["name"]: b["value"].get(role) for b in s.benchmarks}.get(benchmark)
        if value is None:
            raise InputError(f"no benchmark '{benchmark}' for '{role}' in {s.simulation}.")
        regret = s.regret(role, value)
        mean, (low, high) = regret.mean(axis=0), np.quantile(regret, BAND, axis=0)
        shown = s.rounds >= 10
        axes.plot(s.rounds[shown], _positive(mean)[shown], color=colour, label=f"{label(s.leader)} x {label(s.follower)}")
        axes.fill_between(s.rounds[shown], _positive(low)[shown], _positive(high)[shown], color=colour, alpha=0.15, linewidth=0)
        rows += [[s.simulation, label(s.leader), label(s.follower), int(t), *map(float, x)]
                 for t, *x in zip(s.rounds, mean, low, high, strict=True)]
        top = max(top, float(s.rounds[-1]))
    for i, (name, bound) in enumerate(_bounds(found[-1])):
        axes.plot([found[-1].horizon], [bound], color="#777777", marker="v^sD"[i % 4], linestyle="none", label=f"{name} at T")
    rounds = np.geomspace(10, top, 50)
    axes.plot(rounds, 2 * rounds ** (2 / 3), color="#777777", linestyle="--", linewidth=1, label="2 T^(2/3)")
    axes.plot(rounds, rounds ** 0.5, color="#777777", linestyle=":", linewidth=1, label="T^(1/2)")
    axes.set(xscale="log", yscale="log", xlabel="round", ylabel=f"regret of {role} against {benchmark}")
    axes.set_ylim(bottom=max(0.5, axes.get_ylim()[0]))
    axes.legend(fontsize=8, frameon=False, loc="upper left")
    return _written(figure, folder / "regret", ["simulation", "leader", "follower", "round", "mean", "p10", "p90"], rows)


def _bounds(s: Simulated) -> list[tuple[str, float]]:
    """What theorems say of the sum of regret at the horizon, where their conditions hold."""
    return [(b["name"], b["measures"]["regret"]) for b in s.benchmarks if b["measures"].get("regret") is not None]


def _prompts(found: Sequence[Simulated], folder: Path) -> list[Path]:
    """One panel per simulation, two in a row."""
    columns = min(2, len(found))
    figure, panels = _axes(len(found), columns)
    rows: list[list[Any]] = []
    for s, axes in zip(found, panels, strict=True):
        shares, shown = s.prompts.mean(axis=0) / s.rounds[:, None], s.rounds >= 10
        for a, colour in enumerate(_cycle(s.shape[0])):
            axes.plot(s.rounds[shown], shares[shown, a], color=colour, label=f"prompt {a + 1}")
        axes.set(xscale="log", ylim=(-0.02, 1.02), xlabel="round", ylabel="share of rounds so far")
        axes.set_title(f"{label(s.leader)} x {label(s.follower)}", fontsize=9)
        rows += [[s.simulation, label(s.leader), label(s.follower), int(t), a + 1, float(x)]
                 for t, row in zip(s.rounds, shares, strict=True) for a, x in enumerate(row)]
    panels[0].legend(fontsize=8, frameon=False, loc="center right")
    return _written(figure, folder / "prompts", ["simulation", "leader", "follower", "round", "prompt", "share"], rows)


def _positive(values: Any) -> Any:
    """What a logarithmic axis can show; the rest is left out."""
    import numpy as np
    return np.where(values > 0, values, np.nan)


def _cycle(n: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(n)]


def _written(figure: Any, stem: Path, head: list[str], rows: Iterable[Sequence[Any]]) -> list[Path]:
    paths = [stem.with_suffix(f".{kind}") for kind in ("png", "svg", "csv")]
    figure.savefig(paths[0], dpi=150)
    figure.savefig(paths[1])
    with paths[2].open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return paths

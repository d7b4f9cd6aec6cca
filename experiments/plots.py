"""Pictures of play in rounds, simulated or recorded: regret with bands on logarithmic axes, and how often each arm is played."""
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import InputError
from ..games.base import Game, Rules
from ..reports.figures import svg
from ..transcripts.paths import Paths, label

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31")
"""Told apart by everybody (Okabe and Ito)."""
LINES = ("-", "--", "-.", ":")
BAND = (0.1, 0.9)
GREY = "#777777"


class Picture(NamedTuple):
    """A plot under the name of its files, and the rows it shows."""
    name: str
    plot: Any
    rows: Sequence[Mapping[str, Any]]


def pictures(found: Sequence[Paths], role: str, benchmark: str, bounds: Mapping[str, Sequence[float]] = MappingProxyType({})
             ) -> list[Picture]:
    """Regret, and the shares of prompts and responses. Raises InputError without matplotlib, or without such a benchmark.

    found   simulations, or arms of a run, to compare: one line, or panel, each
    bounds  see `guarantees`; on the rounds of the last of them
    """
    try:
        import matplotlib
    except ImportError:
        raise InputError("pictures are drawn by matplotlib, which is not installed: pip install 'parlour[plots]'.") from None
    matplotlib.use("Agg")
    return [_regret(found, role, benchmark, bounds), _shares(found, "prompt"), _shares(found, "response")]


def guarantees(game: Game, rules: Rules, rounds: Sequence[int]) -> dict[str, list[float]]:
    """What theorems say of the sum of regret, by the name of the benchmark: for horizons of so many rounds, where they hold."""
    found: dict[str, list[float]] = {}
    for t in rounds if "horizon" in type(game).model_fields else ():
        for b in type(game).model_validate({**game.model_dump(), "horizon": t}).benchmarks(rules):
            if (bound := b.measures.get("regret")) is not None:
                found.setdefault(b.name, []).append(bound)
    return found


def draw(found: Sequence[Paths], folder: Path, role: str, benchmark: str, bounds: Mapping[str, Sequence[float]] = MappingProxyType({})
         ) -> list[Path]:
    """Writes every picture as .png, .svg and .csv. Raises InputError as `pictures` does."""
    made = pictures(found, role, benchmark, bounds)
    folder.mkdir(parents=True, exist_ok=True)
    return [path for picture in made for path in _written(picture, folder / picture.name)]


def usual(found: Sequence[Paths], role: str) -> str:
    """The benchmark against which regret is drawn if none is named: the first of the role that is no theorem's bound."""
    names = [b["name"] for b in found[0].benchmarks if b["value"].get(role) is not None and "regret" not in b["measures"]]
    if not names:
        raise InputError(f"this game has no benchmark for '{role}': there is no regret to draw.")
    return str(names[0])


def _axes(panels: int = 1, columns: int = 1) -> tuple[Any, list[Any]]:
    """A figure of so many panels."""
    from matplotlib.figure import Figure
    lines = -(-panels // columns)
    figure = Figure(figsize=(7.6 if columns == 1 else 4.2 * columns, 4.4 if lines == 1 else 2.8 * lines), layout="constrained")
    found = [figure.add_subplot(lines, columns, i + 1) for i in range(panels)]
    for axes in found:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25, linewidth=0.6)
    return figure, found


def _regret(found: Sequence[Paths], role: str, benchmark: str, bounds: Mapping[str, Sequence[float]]) -> Picture:
    """Mean regret per line with its band, beside the bounds of theorems and two powers of the round."""
    import numpy as np

    figure, (axes,) = _axes()
    rows: list[dict[str, Any]] = []
    for i, s in enumerate(found):
        regret = s.regret(role, _value(s, role, benchmark))
        mean, (low, high) = regret.mean(axis=0), np.quantile(regret, BAND, axis=0)
        shown = s.rounds >= 10
        axes.plot(s.rounds[shown], _positive(mean)[shown], color=_colour(i), linestyle=_line(i), label=s.title)
        axes.fill_between(s.rounds[shown], _positive(low)[shown], _positive(high)[shown], color=_colour(i), alpha=0.12, linewidth=0)
        rows += [{**_whose(s), "round": int(t), "mean": float(m), "p10": float(a), "p90": float(b)}
                 for t, m, a, b in zip(s.rounds, mean, low, high, strict=True)]
    last = found[-1].rounds
    for i, (name, bound) in enumerate(bounds.items()):
        axes.plot(last[last >= 10], np.array(bound)[last >= 10], color=GREY, marker="v^sD"[i % 4], markersize=4, markevery=4, linewidth=0.8,
                  label=f"{name} for T = round")
        rows += [{"name": name, "leader": None, "follower": None, "round": int(t), "mean": x, "p10": None, "p90": None}
                 for t, x in zip(last, bound, strict=True)]
    rounds = np.geomspace(10, max(10, *(s.horizon for s in found)), 50)
    axes.plot(rounds, 2 * rounds ** (2 / 3), color=GREY, linestyle="--", linewidth=1, label="2 T^(2/3)")
    axes.plot(rounds, rounds ** 0.5, color=GREY, linestyle=":", linewidth=1, label="T^(1/2)")
    axes.set(xscale="log", yscale="log", xlabel="round", ylabel=f"regret of {role} against {benchmark}")
    axes.set_ylim(bottom=max(0.5, axes.get_ylim()[0]))
    figure.legend(fontsize=8, frameon=False, loc="outside right upper")
    return Picture("regret", figure, rows)


def _value(s: Paths, role: str, benchmark: str) -> float:
    value = {b["name"]: b["value"].get(role) for b in s.benchmarks}.get(benchmark)
    if value is None:
        raise InputError(f"no benchmark '{benchmark}' for '{role}' in {s.name}.")
    return float(value)


def _shares(found: Sequence[Paths], what: str) -> Picture:
    """How often each prompt was sent, or each response given, up to a round: a panel each."""
    from matplotlib.ticker import NullLocator

    columns = min(2 if len(found) < 5 else 3, len(found))
    figure, panels = _axes(len(found), columns)
    rows: list[dict[str, Any]] = []
    for i, (s, axes) in enumerate(zip(found, panels, strict=True)):
        counts = s.prompts if what == "prompt" else s.responses
        shares, shown = counts.mean(axis=0) / s.rounds[:, None], s.rounds >= 10
        for a in range(shares.shape[1]):
            axes.plot(s.rounds[shown], shares[shown, a], color=_colour(a), linestyle=_line(a), label=f"{what} {a + 1}")
        axes.set(xscale="log", ylim=(-0.02, 1.02), xlabel="round" if i >= len(found) - columns else "",
                 ylabel="" if i % columns else "share so far")
        axes.set_title(s.title, fontsize=9)
        axes.xaxis.set_minor_locator(NullLocator())
        rows += [{**_whose(s), "round": int(t), what: a + 1, "share": float(x)}
                 for t, row in zip(s.rounds, shares, strict=True) for a, x in enumerate(row)]
    figure.legend(*panels[0].get_legend_handles_labels(), fontsize=8, frameon=False, loc="outside right upper")
    return Picture(f"{what}s", figure, rows)


def _whose(s: Paths) -> dict[str, Any]:
    return {"name": s.name, "leader": label(s.leader), "follower": label(s.follower)}


def _positive(values: Any) -> Any:
    """What a logarithmic axis can show; the rest is left out."""
    import numpy as np
    return np.where(values > 0, values, np.nan)


def _colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]


def _line(i: int) -> str:
    """Solid as long as colours do, so that any two of many lines differ."""
    return LINES[i // len(COLOURS) % len(LINES)]


def _written(picture: Picture, stem: Path) -> list[Path]:
    paths = [stem.with_suffix(f".{kind}") for kind in ("png", "svg", "csv")]
    picture.plot.savefig(paths[0], dpi=150)
    paths[1].write_text(svg(picture.plot))
    with paths[2].open("w", newline="") as file:
        out = csv.DictWriter(file, list(picture.rows[0]))
        out.writeheader()
        out.writerows(picture.rows)
    return paths

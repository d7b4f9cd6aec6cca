"""Figures as SVG: one look for all. Needs matplotlib (pip install "parlour[plots]")."""
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Plot

Row = Mapping[str, Any]
INK, SOFT, ACCENT, WARM = "#1c1c1a", "#8a8982", "#20639b", "#c1502e"


def canvas(width: float = 7.2, height: float = 3.0) -> "tuple[Plot, Axes]":
    """An empty plot with the house's look. Raises InputError without matplotlib."""
    try:
        from matplotlib.figure import Figure as Plot
    except ImportError:
        raise InputError("figures need matplotlib: pip install \"parlour[plots]\". `report` and `bundle` do without, with "
                         "--no-figures.") from None
    plot = Plot(figsize=(width, height), layout="constrained")
    axes = plot.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8, colors=INK)
    axes.grid(axis="x", color="#e4e3dd", linewidth=0.6)
    axes.set_axisbelow(True)
    return plot, axes


def svg(plot: "Plot") -> str:
    """The plot as SVG, the same bytes every time."""
    from matplotlib import rc_context
    out = io.StringIO()
    with rc_context({"svg.hashsalt": "parlour", "svg.fonttype": "none"}):
        plot.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def intervals(rows: Sequence[Row], label: str, unit: str, marks: str = "") -> str:
    """Estimates with their intervals as SVG; see `interval_plot`."""
    return svg(interval_plot(rows, label, unit, marks))


def interval_plot(rows: Sequence[Row], label: str, unit: str, marks: str = "") -> "Plot":
    """Estimates with their intervals, one under the other. rows: {label, value, low, high}; marks: a column with a reference."""
    plot, axes = canvas(height=1.0 + 0.32 * len(rows))
    for y, row in enumerate(rows):
        if row["low"] is not None and row["high"] is not None:
            axes.plot([row["low"], row["high"]], [y, y], color=ACCENT, linewidth=1.6, solid_capstyle="butt")
        axes.plot(row["value"], y, "o", color=ACCENT, markersize=5)
        if marks and row.get(marks) is not None:
            axes.plot(row[marks], y, "|", color=WARM, markersize=14, markeredgewidth=2)
    axes.set_yticks(range(len(rows)), [str(r[label]) for r in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(unit, fontsize=9)
    return plot


def specification_curve(rows: Sequence[Row], null: float, unit: str) -> str:
    """Every specification from the least estimate to the greatest, the declared one marked. rows: {value, low, high, declared}."""
    plot, axes = canvas(height=2.8)
    axes.grid(axis="x", visible=False)
    axes.axhline(null, color=SOFT, linewidth=0.8, linestyle="--")
    for x, row in enumerate(rows):
        colour = WARM if row["declared"] else ACCENT
        if row["low"] is not None and row["high"] is not None:
            axes.plot([x, x], [row["low"], row["high"]], color=colour, linewidth=1.2, alpha=0.7)
        axes.plot(x, row["value"], "o", color=colour, markersize=5 if row["declared"] else 3.5)
    axes.set_xticks([])
    axes.set_xlabel("specifications, by estimate (the declared one in red)", fontsize=9)
    axes.set_ylabel(unit, fontsize=9)
    return svg(plot)


def curves(rows: Sequence[Row], by: str, across: str, up: str, x: str, y: str, marks: Sequence[tuple[float, float]] = ()) -> str:
    """A line for each value of `by`, named in a legend; marks: points to be seen."""
    plot, axes = canvas(height=3.2)
    for name, colour in zip(dict.fromkeys(r[by] for r in rows), (ACCENT, WARM, SOFT, INK) * len(rows), strict=False):
        own = [r for r in rows if r[by] == name]
        axes.plot([r[across] for r in own], [r[up] for r in own], color=colour, linewidth=1.6, label=str(name))
    for point in marks:
        axes.plot(*point, "o", color=INK, markersize=5)
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.legend(title=by, fontsize=8, title_fontsize=8, frameon=False)
    return svg(plot)

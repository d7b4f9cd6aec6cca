"""The plots of a run: rows by SQL or by the scorers, drawn in the house's look, saved as SVG, PNG or CSV. Needs matplotlib."""
import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..experiments.plots import pictures, usual
from ..games.repeated import Repeated
from ..registry import load
from ..reports.document import Table, as_csv
from ..reports.figures import ACCENT, INK, WARM, canvas, interval_plot, svg
from ..transcripts.arms import EPISODES, VERDICTS
from ..transcripts.courses import courses_of
from ..transcripts.paths import ROLES
from ..transcripts.plays import PLAYS
from ..transcripts.store import Store
from .analysis import MOST, analysis
from .reader import Kept

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = list[dict[str, Any]]
DRAWING = Lock()
"""matplotlib's settings are of the whole process: one plot at a time."""
BINS = 24
GRID = "#e4e3dd"
DARK = {"#ffffff": "#20201e", INK: "#e9e8e3", "#000000": "#e9e8e3", GRID: "#393936", ACCENT: "#6ea8d8", WARM: "#e0805f",
        "#8a8982": "#a5a49d"}
"""Colours on paper -> on a dark screen."""

DISTRIBUTIONS = f"""
WITH paid AS (SELECT e.arm, p.role, p.net FROM payoff p JOIN episode e USING (run, episode) WHERE p.run = $run AND p.net IS NOT NULL),
     span AS (SELECT role, min(net) AS low, (CASE WHEN max(net) > min(net) THEN max(net) - min(net) ELSE 1 END) / {BINS} AS width
              FROM paid GROUP BY role)
SELECT arm, role, low + width * least(floor((net - low) / width), {BINS - 1}) AS start, width, count(*) AS episodes
FROM paid JOIN span USING (role) GROUP BY ALL ORDER BY arm, role, start
"""
LATENCY = """
SELECT e.arm, k.role, count(*) AS replies, median(a.latency) AS value, quantile_cont(a.latency, 0.1) AS low,
       quantile_cont(a.latency, 0.9) AS high
FROM attempt a JOIN ask k USING (run, episode, turn) JOIN episode e USING (run, episode)
WHERE a.run = $run AND a.latency > 0 GROUP BY ALL ORDER BY ALL
"""
COST = """
SELECT e.arm, k.role, coalesce(a.model, '') AS model, sum(a.cost) AS value, count(*) AS replies
FROM attempt a JOIN ask k USING (run, episode, turn) JOIN episode e USING (run, episode)
WHERE a.run = $run AND a.cost > 0 GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True)
class Plot:
    """One plot. about: what it shows, for who cannot see it; sql: where its rows come from; then: what is done with them."""
    name: str
    title: str
    about: str
    sql: str
    rows: Rows
    draw: Callable[[Rows], "Figure"]
    then: str = ""

    def save(self, kind: str, dark: bool = False) -> bytes:
        """The plot as `svg` or `png`, or its rows as `csv`."""
        if kind == "csv":
            return as_csv(Table(self.name, self.rows)).encode()
        with DRAWING:
            figure = self.draw(self.rows)
            if kind == "svg":
                return _themed(svg(figure), dark).encode()
            out = io.BytesIO()
            figure.savefig(out, format="png", dpi=160)
            return out.getvalue()


def _themed(text: str, dark: bool) -> str:
    """An SVG in the colours of a dark screen, if that is wanted."""
    if not dark:
        return text
    text = text.replace("<svg ", f'<svg fill="{DARK[INK]}" ', 1)
    for light, night in DARK.items():
        text = text.replace(light, night)
    return text


_made = Kept(64)


def plot(store: Store, run: str, name: str) -> Plot:
    """One plot of a run, made once for as long as the file stays the same. Raises InputError if there is none of that name, or nothing
    to draw."""
    if name not in PLOTS:
        raise InputError(f"no plot '{name[:40]}'; there are: {', '.join(PLOTS)}.")
    found = _made.get(store, (run, name), lambda: PLOTS[name](store, run))
    if not found.rows:
        raise InputError(f"run {run} has nothing to draw as '{name}'.")
    return found


def available(store: Store, run: str) -> list[str]:
    """The plots that would show something, found without making them; none without matplotlib."""
    if find_spec("matplotlib") is None:
        return []
    has = store.rows("SELECT EXISTS (SELECT 1 FROM payoff WHERE run = $1 AND net IS NOT NULL) AS paid, (SELECT count(*) FROM ending "
                     "WHERE run = $1) AS ended, EXISTS (SELECT 1 FROM attempt WHERE run = $1 AND latency > 0) AS timed, "
                     "EXISTS (SELECT 1 FROM attempt WHERE run = $1 AND cost > 0) AS dear", [run])[0]
    games = {r["game"] for r in store.rows("SELECT DISTINCT game FROM arm WHERE run = ?", [run])}
    rounds = has["ended"] <= MOST and any(issubclass(load("games", g), Repeated) for g in games)
    shown = {"payoffs": bool(analysis(store, run).means), "distributions": has["paid"], "rates": bool(_rates(store, run).rows),
             "regret": rounds and has["paid"], "latency": has["timed"], "cost": has["dear"]}
    return [name for name in PLOTS if shown[name]]


def _stated(sql: str, run: str) -> str:
    """A query as it can be given to `parlour sql`."""
    return sql.replace("$run", "'" + run.replace("'", "''") + "'").strip()


# --- what there is to see -----------------------------------------------------------------------------------------------
def _payoffs(store: Store, run: str) -> Plot:
    rows = [{"what": f"{m['arm']}, {m['role']}", "value": m["value"], "low": m["low"], "high": m["high"], "benchmark": g["benchmark"],
             "at": g["benchmark_value"]} for m in analysis(store, run).means if m["value"] is not None
            for g in m["gaps"] or [{"benchmark": None, "benchmark_value": None}]]
    return Plot("payoffs", "Mean payoffs", "Mean net payoff per arm and role with its interval; each red mark is a benchmark.",
                _stated(EPISODES, run), rows, _draw_payoffs, "The means, intervals and gaps are those of transcripts/statistics.py.")


def _draw_payoffs(rows: Rows) -> "Figure":
    plot = interval_plot(list({r["what"]: r for r in reversed(rows)}.values())[::-1], "what", "mean net payoff")
    names = list(dict.fromkeys(r["what"] for r in rows))
    for row in rows:
        if row["at"] is not None:
            plot.axes[0].plot(row["at"], names.index(row["what"]), "|", color=WARM, markersize=12, markeredgewidth=2)
    return plot


def _rates(store: Store, run: str) -> Plot:
    rows = [{"what": ", ".join(filter(None, (s["arm"], s["role"], s["benchmark"]))), "value": s["value"], "low": s["low"],
             "high": s["high"], "n": s["n"]} for s in analysis(store, run).of("rate") if s["value"]]
    return Plot("rates", "Forfeits and repairs", "Shares of episodes without an end and of replies that went back, with intervals.",
                "-- once per arm, with its run and name\n" + VERDICTS.strip(), rows, lambda r: interval_plot(r, "what", "share"))


def _distributions(store: Store, run: str) -> Plot:
    return Plot("distributions", "Distribution of payoffs", "How often each net payoff was had, per arm and role.",
                _stated(DISTRIBUTIONS, run), _rows(store, DISTRIBUTIONS, run), _draw_distributions)


def _draw_distributions(rows: Rows) -> "Figure":
    """A panel per role; in it a line of bars per arm, each as high as its own most frequent payoff."""
    from matplotlib.figure import Figure
    lines = {role: list(dict.fromkeys(r["arm"] for r in rows if r["role"] == role)) for role in dict.fromkeys(r["role"] for r in rows)}
    heights = [len(arms) + 1.4 for arms in lines.values()]
    figure = Figure(figsize=(7.2, 0.32 * sum(heights)), layout="constrained")
    panels = figure.subplots(len(lines), squeeze=False, height_ratios=heights).ravel()
    for (role, arms), axes in zip(lines.items(), panels, strict=True):
        for y, arm in enumerate(arms):
            bars = [r for r in rows if (r["arm"], r["role"]) == (arm, role)]
            top = max(r["episodes"] for r in bars)
            axes.bar([r["start"] for r in bars], [-0.85 * r["episodes"] / top for r in bars], [r["width"] for r in bars],
                     bottom=y + 0.42, align="edge", color=ACCENT)
            axes.axhline(y + 0.42, color=GRID, linewidth=0.6, zorder=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(labelsize=8, colors=INK, left=False)
        axes.set_yticks(range(len(arms)), arms)
        axes.set_ylim(len(arms) - 0.5, -0.6)
        axes.set_title(role, fontsize=9, color=INK, loc="left")
    return figure


def _latency(store: Store, run: str) -> Plot:
    rows = [{"what": f"{r['arm']}, {r['role']}", **r} for r in _rows(store, LATENCY, run)]
    return Plot("latency", "Time per reply", "Median seconds a reply took, with the span from the 10th to the 90th percentile.",
                _stated(LATENCY, run), rows, lambda r: interval_plot(r, "what", "seconds"))


def _cost(store: Store, run: str) -> Plot:
    rows = [{"what": ", ".join(filter(None, (r["arm"], r["role"], r["model"]))), **r} for r in _rows(store, COST, run)]
    return Plot("cost", "Cost", "US dollars paid for the replies of each seat.", _stated(COST, run), rows, _draw_cost)


def _draw_cost(rows: Rows) -> "Figure":
    figure, axes = canvas(height=1.0 + 0.32 * len(rows))
    axes.barh(range(len(rows)), [r["value"] for r in rows], height=0.55, color=ACCENT)
    axes.set_yticks(range(len(rows)), [r["what"] for r in rows])
    axes.invert_yaxis()
    axes.set_xlabel("US$", fontsize=9)
    return figure


def _regret(store: Store, run: str) -> Plot:
    """As `parlour learners --plot` draws it."""
    found = [c.paths for c in courses_of(store, run) if c.game.measured]
    if not found:
        return Plot("regret", "", "", "", [], lambda rows: canvas()[0])
    role, benchmark = ROLES[0], usual(found, ROLES[0])
    with DRAWING:
        picture = pictures(found, role, benchmark)[0]
    sql = _stated(PLAYS.replace("?", "$run", 1).replace("?", "'ARM'"), run)
    return Plot("regret", "Regret over the rounds", f"Regret of {role} against {benchmark}, mean over episodes with the span from the 10th "
                "to the 90th percentile.", sql, [dict(r) for r in picture.rows],
                lambda rows: picture.plot, "Once per arm. Every round counts with the mean of the cell that was played.")


def _rows(store: Store, sql: str, run: str) -> Rows:
    with store.open() as db:
        answer = db.execute(sql, {"run": run})
        names = [d[0] for d in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


PLOTS: dict[str, Callable[[Store, str], Plot]] = {"payoffs": _payoffs, "distributions": _distributions, "rates": _rates,
                                                  "regret": _regret, "latency": _latency, "cost": _cost}

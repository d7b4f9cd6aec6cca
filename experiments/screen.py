"""What a person sees at the terminal: a progress bar, tables, a game as it is played."""
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..protocols.session import Event
from ..reports.document import Table as Rows
from ..reports.document import numeric
from ..reports.document import shown as as_shown
from ..transcripts.hypotheses import Finding
from ..transcripts.talk import Talk
from .design import Design
from .runner import Progress


@contextmanager
def progress(design: Design, quiet: bool = False) -> Iterator[Callable[[Progress], None]]:
    """A progress bar on stderr; nothing if `quiet`. Yields what is to be called after each episode."""
    if quiet:
        yield lambda state: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    total = None if design.episodes == "exact" else design.episodes * len(design.arms)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TextColumn("{task.fields[not_done]}"))
    bar = Bar(*columns, console=Console(stderr=True))
    task = bar.add_task(design.name, total=total, not_done="")

    def update(state: Progress) -> None:
        bar.start()  # once; not before the run has begun, so that a complaint about the design stands alone
        others = ", ".join(f"{n} {s}" for s, n in state.by_status.items() if s != "done")
        bar.update(task, completed=state.done, not_done=others)

    try:
        yield update
    finally:
        if bar.live.is_started:
            bar.stop()


def watcher() -> Callable[[Event], None]:
    """Prints a game as it is played: every ask, every attempt, every draw."""
    def show(event: Event) -> None:
        if event["k"] == "ask":
            print(f"[{event['t']}] {event['role']} is asked for {event['want']}" + (" or a pass" if event["optional"] else ""))
        elif event["k"] == "reply":
            mark = "" if event["verdict"] == "ok" else f"   <- {event['verdict']}: {event['complaint']}"
            print(f"    {event['words'] if event['words'] is not None else '(no reply)'}{mark}")
        elif event["k"] == "draw":
            print(f"[{event['t']}] nature draws {event['what']}: {event['draw']}")
    return show


def payoffs(talk: Talk) -> str:
    """The end of an episode: payoffs beside the benchmarks."""
    from ..transcripts.talk import as_text
    text = as_text(talk).split("\n")
    return "\n".join(text[max(i for i, line in enumerate(text) if line == ""):]).strip()


def table(scores: list[dict[str, Any]]) -> None:
    """The results: a line per arm and role, and beside it a line per benchmark with the gap to it; notes below."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    out = Console() if Console().is_terminal else Console(width=136)
    lost = any(s["missing"] for s in scores)
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    left = ("arm, role: seat", "95% interval", "worst .. best", "benchmark")
    for name in ("arm, role: seat", "episodes", "mean", "95% interval", *(["worst .. best"] if lost else []), "benchmark",
                 "value", "gap"):
        shown.add_column(name, justify="left" if name in left else "right", overflow="fold")
    for row in _rows(scores, lost):
        shown.add_row(*row)
    out.print(shown)
    for line in _notes(scores):
        out.print(line, highlight=False, markup=False)


def differences(scores: list[dict[str, Any]], what: str) -> None:
    """Differences with their intervals, a line each under their arm; how each interval was made below."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    out = Console() if Console().is_terminal else Console(width=136)
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("arm, role: seat", "pairs", what, "interval", "how"):
        shown.add_column(escape(name), justify="right" if name in ("pairs", what) else "left", overflow="fold")
    last = ""
    for s in scores:
        if s["arm"] != last:
            last = s["arm"]
            shown.add_row(f"[bold]{escape(last)}[/bold]")
        size = f"{s['n'] - s['missing']}" + (f"/{s['n']}" if s["missing"] else "")
        how = s["method"] + (f" ({s['note']})" if s["note"] else "")
        shown.add_row("  " + (f"{s['role']}: {s['seat']}" if s["seat"] else s["role"]), size, _n(s["value"]), _interval(s), how)
    out.print(shown)


def expectations(found: Rows) -> None:
    """What was expected beside what was found, a line each."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    out = Console() if Console().is_terminal else Console(width=136)
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in found.columns:
        shown.add_column(name, justify="right" if numeric(found, name) else "left", overflow="fold")
    for row in found.rows:
        shown.add_row(*(escape(as_shown(row[c])) for c in found.columns))
    out.print(shown)


def measures(scores: list[dict[str, Any]]) -> None:
    """Measures a line each, under their arm and by what they are about; beside them what they are compared with."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    out = Console() if Console().is_terminal else Console(width=136)
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("arm, measure", "value", "interval", "beside", "n", "how"):
        shown.add_column(name, justify="right" if name in ("value", "beside", "n") else "left", overflow="fold")
    last = ""
    for s in scores:
        if s["arm"] != last:
            last = s["arm"]
            shown.add_row(f"[bold]{escape(last)}[/bold]")
        name = f"compliance, {s['benchmark']}" if s["quantity"] == "curve" else s["benchmark"]
        how = s["method"] + (f" ({s['note']})" if s["note"] else "")
        beside = "" if s["benchmark_value"] is None else _n(s["benchmark_value"])
        shown.add_row(f"  {escape(name)}", _n(s["value"]), escape(_interval(s)), beside, str(s["n"] or ""), escape(how))
    out.print(shown)


def verdicts(found: list[Finding]) -> None:
    """What became of each hypothesis: a line of numbers, and under it how it was asked."""
    if not found:
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    out = Console() if Console().is_terminal else Console(width=136)
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("hypothesis", "family", "claim", "estimate", "95% interval", "p", "adjusted", "holds", "how"):
        shown.add_column(name.replace("95%", f"{found[0].estimate.level:.0%}"), overflow="fold",
                         justify="right" if name in ("estimate", "p", "adjusted") else "left")
    for f in found:
        e = f.estimate
        missing = f"; {e.missing} of {e.n} missing" + (", and it hangs on them" if f.hangs_on_missing else "") if e.missing else ""
        shown.add_row(escape(f.hypothesis.name), f.hypothesis.family, f.hypothesis.claim, _n(e.mean),
                      _interval({"low": e.low, "high": e.high}), _p(f.p), _p(f.adjusted), "yes" if f.holds else "no",
                      e.method + missing)
    out.print(shown)
    for f in found:
        out.print(f"{f.hypothesis.name}: {f.hypothesis.estimand}", highlight=False, markup=False)


def _p(p: float | None) -> str:
    return "-" if p is None else f"{p:.3f}" if p >= 0.001 else "<.001"


def frame(title: str, rows: list[dict[str, Any]]) -> None:
    """Any rows as a table under a title; nothing where there are none."""
    if not rows:
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    out = Console() if Console().is_terminal else Console(width=136)
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, title=escape(title), title_justify="left")
    for name in rows[0]:
        shown.add_column(escape(name), overflow="fold")
    for row in rows:
        shown.add_row(*(_n(x) if isinstance(x, float) else "-" if x is None else escape(str(x)) for x in row.values()))
    out.print(shown)


def _rows(scores: list[dict[str, Any]], lost: bool) -> Iterator[tuple[str, ...]]:
    from rich.markup import escape
    last = ""
    for s in (s for s in scores if s["quantity"] == "payoff"):
        if s["arm"] != last:
            last = s["arm"]
            yield (f"[bold]{escape(last)}[/bold]",)
        gaps = [g for g in scores if g["quantity"] == "gap" and (g["arm"], g["role"]) == (s["arm"], s["role"])]
        bounds = [f"{_n(s['worst'])} .. {_n(s['best'])}" if s["missing"] else ""] if lost else []
        size = f"{s['n'] - s['missing']}" + (f"/{s['n']}" if s["missing"] else "")
        first = ["  " + (f"{s['role']}: {s['seat']}" if s["seat"] else s["role"]), size, _n(s["value"]), _interval(s), *bounds]
        against = [(_named(g), _n(g["benchmark_value"]), _n(g["value"])) for g in gaps] or [("", "", "")]
        for i, gap in enumerate(against):
            yield (*(first if i == 0 else [""] * len(first)), *gap)


def _named(gap: dict[str, Any]) -> str:
    """A benchmark's name, and its kind where nobody is known to attain it."""
    return gap["benchmark"] + (f" ({gap['kind']})" if gap["kind"] in ("bound", "baseline", "people") else "")


BESIDE = ("comprehension", "by comprehension", "belief", "recitation", "contamination", "policy", "independence", "simulator")


def _notes(scores: list[dict[str, Any]]) -> Iterator[str]:
    """How each arm's intervals were made, what went wrong in it, and what its advisers really were."""
    for s in (s for s in scores if s["quantity"] == "payoff" and s["first"]):
        sampled = f"episodes, {s['effective_n']:.3g} effective; distinct replies {s['distinct']:.0%}"
        size = "branches" if s["method"] == "exact" else sampled
        yield f"{s['arm']}: {s['n']} {size}; interval: {s['method']}" + (f" ({s['note']})" if s["note"] else "")
        own = [x for x in scores if x["arm"] == s["arm"]]
        for x in (x for x in own if x["quantity"] == "rate" and x["value"]):
            yield f"    {x['role'] + ': ' if x['role'] else ''}{x['benchmark']} {x['value']:.1%} {_interval(x)} of {x['n']}"
        for x in (x for x in own if x["quantity"] in BESIDE):
            yield f"    {x['role']}, {x['quantity']}: {x['benchmark']} {_n(x['value'])} {_interval(x)}"
        for adviser in dict.fromkeys(x["role"] for x in own if x["quantity"] == "channel"):
            rates = (f"{x['benchmark']} {x['value']:.3g}" + (f" {_interval(x)}" if x["low"] is not None else "")
                     for x in own if x["quantity"] == "channel" and x["role"] == adviser)
            yield f"    {adviser}, as it was: " + ", ".join(rates)
            again = [x for x in own if x["quantity"] == "recalibrated" and x["role"] == adviser and x["first"]]
            if again:
                yield f"    benchmarks at the {again[0]['benchmark'].partition(' at ')[2]} that {adviser} had: " + ", ".join(
                    f"{x['benchmark'].partition(' at ')[0]} {_n(x['value'])}" for x in again)


def _interval(s: dict[str, Any]) -> str:
    return f"[{_n(s['low'])}, {_n(s['high'])}]" if s["low"] is not None else "-"


def _n(x: float | None) -> str:
    return "-" if x is None else f"{x:.4g}" if abs(x) > 1e-12 else "0"

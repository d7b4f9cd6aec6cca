"""The one-page report of simulators beside people on record: every score, and the shares question by question."""
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from .arms import Score
from .pages import Palette, both, png
from .pages import page as filled
from .people import Choices


def page(run: str, about: Mapping[str, str], keys: Sequence[str], said: Mapping[str, Choices], scores: Sequence[Score],
         verdicts: Sequence[str] = ()) -> str:
    """The report as HTML. about: title, source, licence, asking; keys: of the questions; said: simulator -> its choices; verdicts: what
    the scores come to, in sentences."""
    arms = [(arm, [_row(s) for s in some]) for arm, some in groupby(scores, key=lambda s: s["arm"])]
    drawn = both(partial(picture, keys, said)) if said else None
    return filled("people.html", run=run, about=about, arms=arms, verdicts=verdicts, picture=drawn)


def write(to: Path, run: str, about: Mapping[str, str], keys: Sequence[str], said: Mapping[str, Choices], scores: Sequence[Score],
          verdicts: Sequence[str] = ()) -> None:
    """The report as a .png (the picture alone, of choices) or as a page of HTML."""
    if to.suffix == ".png":
        to.write_bytes(png(partial(picture, keys, said)))
    else:
        to.write_text(page(run, about, keys, said, scores, verdicts))


def _row(s: Score) -> dict[str, str]:
    span = f"{s['low']:.3f} .. {s['high']:.3f}" if s["low"] is not None else ""
    return {"name": s["benchmark"], "value": f"{s['value']:.4f}", "span": span}


def picture(keys: Sequence[str], said: Mapping[str, Choices], palette: Palette) -> Any:
    """Shares of the first option: people as bars with two standard errors, simulators as points."""
    from matplotlib.figure import Figure
    figure = Figure(figsize=(10.5, max(3.0, 0.32 * len(keys) + 1.6)), layout="constrained")
    axes, y = figure.subplots(), np.arange(len(keys))
    first = next(iter(said.values()))
    h = first.people[:, 0]
    with np.errstate(invalid="ignore"):
        error = 2 * np.sqrt(h * (1 - h) / first.n)
    if not np.isnan(h).all():
        axes.barh(y, np.nan_to_num(h), color=palette.line, xerr=np.nan_to_num(error), ecolor=palette.soft, label="people")
    for at, (name, c) in enumerate(said.items()):
        axes.plot(c.shares()[:, 0], y + 0.16 * (at - (len(said) - 1) / 2), "o", ms=5, label=name,
                  color=palette.series[at % len(palette.series)])
    axes.set(yticks=y, yticklabels=keys, xlim=(-0.02, 1.02), xlabel="share that takes the first option")
    axes.invert_yaxis()
    axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
    return figure

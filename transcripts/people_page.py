"""The one-page report of simulators beside people on record: every score, and the shares question by question."""
from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib import resources
from io import BytesIO
from itertools import groupby
from pathlib import Path

import numpy as np

from .arms import Score
from .people import Choices


def page(run: str, about: Mapping[str, str], keys: Sequence[str], said: Mapping[str, Choices], scores: Sequence[Score]) -> str:
    """The report as HTML. about: title, source, licence, asking; keys: of the questions; said: simulator -> its choices."""
    from jinja2 import Environment
    template = Environment(autoescape=True).from_string((resources.files(__package__) / "people.html").read_text())
    arms = [(arm, [_row(s) for s in some]) for arm, some in groupby(scores, key=lambda s: s["arm"])]
    return template.render(run=run, about=about, arms=arms, picture=b64encode(picture(keys, said)).decode() if said else "")


def write(to: Path, run: str, about: Mapping[str, str], keys: Sequence[str], said: Mapping[str, Choices], scores: Sequence[Score]) -> None:
    """The report as a .png (the picture alone, of choices) or as a page of HTML."""
    if to.suffix == ".png":
        to.write_bytes(picture(keys, said))
    else:
        to.write_text(page(run, about, keys, said, scores))


def _row(s: Score) -> dict[str, str]:
    span = f"{s['low']:.3f} .. {s['high']:.3f}" if s["low"] is not None else ""
    return {"name": s["benchmark"], "value": f"{s['value']:.4f}", "span": span}


def picture(keys: Sequence[str], said: Mapping[str, Choices]) -> bytes:
    """Shares of the first option as a PNG: people as bars with two standard errors, simulators as points."""
    from matplotlib.figure import Figure
    figure = Figure(figsize=(10.5, max(3.0, 0.32 * len(keys) + 1.6)), layout="constrained")
    axes, y = figure.subplots(), np.arange(len(keys))
    first = next(iter(said.values()))
    h = first.people[:, 0]
    with np.errstate(invalid="ignore"):
        error = 2 * np.sqrt(h * (1 - h) / first.n)
    if not np.isnan(h).all():
        axes.barh(y, np.nan_to_num(h), color="0.85", xerr=np.nan_to_num(error), ecolor="0.5", label="people")
    for at, (name, c) in enumerate(said.items()):
        axes.plot(c.shares()[:, 0], y + 0.16 * (at - (len(said) - 1) / 2), "o", ms=5, label=name)
    axes.set(yticks=y, yticklabels=keys, xlim=(-0.02, 1.02), xlabel="share that takes the first option")
    axes.invert_yaxis()
    axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()

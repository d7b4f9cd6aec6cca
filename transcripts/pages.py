"""One-page reports: a template filled in, its pictures drawn once for paper and once for a dark screen."""
from base64 import b64encode
from collections.abc import Callable
from importlib import resources
from io import BytesIO
from typing import Any, NamedTuple


class Palette(NamedTuple):
    """Colours of a picture. truths, series: of people, and of simulators, in turn."""
    card: str
    ink: str
    soft: str
    line: str
    truths: tuple[str, ...]
    series: tuple[str, ...]


PAPER = Palette("#ffffff", "#1c1c1a", "#62615b", "#c9c7bf", ("#1c1c1a", "#7d7c76", "#a8a7a0"),
                ("#20639b", "#c4601a", "#4b7a3a", "#7a4b8f", "#a63a1e", "#8a6100"))
DARK = Palette("#20201e", "#e9e8e3", "#a5a49d", "#4a4a46", ("#e9e8e3", "#a5a49d", "#7d7c76"),
               ("#6ea8d8", "#e0925f", "#93c47d", "#c39bd3", "#f09273", "#e0b95a"))


def page(name: str, **fields: Any) -> str:
    """The template of this name as HTML. All that is filled in is text."""
    from jinja2 import Environment, FunctionLoader
    loader = FunctionLoader(lambda of: (resources.files(__package__) / of).read_text())
    return Environment(autoescape=True, loader=loader).get_template(name).render(**fields)


def shown(x: float) -> str:
    """Three decimals, or none of a large number; no zero has a sign."""
    text = f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def both(draw: Callable[[Palette], Any]) -> dict[str, str]:
    """A picture for either screen, as base64."""
    return {name: b64encode(png(draw, palette)).decode() for name, palette in (("light", PAPER), ("dark", DARK))}


def png(draw: Callable[[Palette], Any], palette: Palette = PAPER) -> bytes:
    """What `draw` draws, dressed in the palette."""
    figure, buffer = draw(palette), BytesIO()
    figure.set_facecolor(palette.card)
    for axes in figure.axes:
        axes.set_facecolor(palette.card)
        axes.tick_params(colors=palette.soft, labelcolor=palette.soft)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["bottom", "left"]].set_color(palette.line)
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
            text.set_color(palette.ink)
    for text in (t for holder in (figure, *figure.axes) for legend in _legends(holder) for t in legend.get_texts()):
        text.set_color(palette.ink)
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _legends(holder: Any) -> list[Any]:
    return holder.legends if hasattr(holder, "legends") else [x for x in (holder.get_legend(),) if x is not None]

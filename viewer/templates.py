"""The templates of the pages: everything that is put into them is escaped."""
from functools import cache
from importlib import resources
from time import localtime, strftime
from typing import Any
from urllib.parse import quote

from ..reports.document import shown


@cache
def environment() -> Any:
    """The one environment of all templates."""
    from jinja2 import Environment, FunctionLoader
    env = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True,
                      loader=FunctionLoader(lambda name: (resources.files(__package__) / "pages" / name).read_text()))
    env.filters.update(shown=shown, money=_money, path=lambda text: quote(str(text), safe=""), when=_when)
    return env


def _money(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}" if value >= 10 or value == 0 else f"{value:.4g}"


def _when(seconds: float | None) -> str:
    return "-" if seconds is None else strftime("%Y-%m-%d %H:%M", localtime(seconds))

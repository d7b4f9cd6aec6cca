"""`parlour export --html`: a run in one file to be read anywhere: tables, plots, every transcript, the result of verifying it.

Nothing in it comes from elsewhere, and nothing in it runs. Left out: keys, the addresses of services, people's anonymous names
(they become numbers), private reasoning, and fields marked private.
"""
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from ..errors import StoreError
from ..experiments.report import report
from ..experiments.verify import verify
from ..reports.document import Code, Document, Figure, Section, Table, heading, numeric, picture
from ..transcripts.store import Store
from ..transcripts.talk import talk
from . import conversation
from .plots import Plot, available, plot
from .privacy import LEFT_OUT, People
from .templates import environment

HIDDEN = ("key_env", "endpoint", "address", "host", "api_key", "token", "secret", "password")
"""Fields of a seat that say where a service is, or what opens it."""
ALL = 2**31


def write(store: Store, run: str, to: Path) -> Path:
    """Writes the file. Raises StoreError if it cannot be written; nothing half-written is left."""
    part = to.with_name(f"{to.name}.part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as file:
            file.writelines(pieces(store, run))
        part.rename(to)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise StoreError(f"cannot write {to}: {error.strerror}.") from None
    return to


def pieces(store: Store, run: str) -> Iterator[str]:
    """The file piece by piece: a long run is never held whole."""
    with store.reading():
        checked = verify(store, run)
        hidden = _secrets(from_json(store.rows("SELECT design FROM run WHERE run = ?", [run])[0]["design"]))
        document = _without(report(store, run, figures=False), hidden)
        figures = [_figure(plot(store, run, name)) for name in available(store, run)]
        template = environment().get_template("bundle.html")
        yield from template.generate(document=document, figures=figures, checked=checked, style=_style(), talks=_talks(store, run),
                                     picture=picture, heading=heading, numeric=numeric, is_table=lambda p: isinstance(p, Table),
                                     is_code=lambda p: isinstance(p, Code))


def _talks(store: Store, run: str) -> Iterator[dict[str, Any]]:
    """Every episode as the template wants it."""
    people = People()
    for row in store.rows("SELECT episode FROM episode WHERE run = ? ORDER BY episode", [run]):
        found = talk(store, run, row["episode"])
        yield {"talk": found, "said": conversation.conversation(store, found, span=ALL, people=people), "worth": conversation.worth(found)}


def _figure(p: Plot) -> Figure:
    return Figure(p.name, p.save("svg").decode(), f"{p.title}. {p.about}", p.rows)


def _style() -> str:
    return (resources.files(__package__) / "pages" / "style.css").read_text()


def _secrets(design: Mapping[str, Any]) -> list[str]:
    """The values in a design that are not to leave the house, the longest first."""
    found = {str(v) for arm in design["arms"] for spec in arm["seats"].values() for k, v in spec.items() if k in HIDDEN and v}
    return sorted(found, key=len, reverse=True)


def _without(document: Document, hidden: list[str]) -> Document:
    """The document without these values, and without what it says of files on this machine."""
    def clean(text: str) -> str:
        for value in hidden:
            text = text.replace(value, LEFT_OUT)
        return text

    def part(p: Any) -> Any:
        if isinstance(p, Code):
            return Code([clean(line) for line in p.lines])
        if isinstance(p, Table):
            return replace(p, rows=[{k: clean(v) if isinstance(v, str) else v for k, v in r.items()} for r in p.rows])
        return clean(p) if isinstance(p, str) else p
    return replace(document, sections=[Section(s.title, [part(p) for p in s.parts]) for s in document.sections])

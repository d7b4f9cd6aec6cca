"""A document: sections of paragraphs, tables and figures, written as one HTML page, as Markdown, and its tables as CSV and LaTeX.

Everything in it is text to be shown: HTML is escaped, Markdown's own signs are escaped in cells, so that what a model wrote
cannot become markup.
"""
import csv
import io
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """Rows under one name. rows: all with the same columns; caption: what a reader has to know to read it."""
    name: str
    rows: Sequence[Row]
    caption: str = ""

    @property
    def columns(self) -> list[str]:
        """The columns' names."""
        return list(self.rows[0]) if self.rows else []


@dataclass(frozen=True)
class Figure:
    """A picture as SVG, with what it shows in words and the rows it was drawn from."""
    name: str
    svg: str
    caption: str
    rows: Sequence[Row] = ()


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it: paragraphs, code (lines of one block), tables, figures."""
    title: str
    parts: Sequence["str | Table | Figure | Code"]


@dataclass(frozen=True)
class Code:
    """Lines to be copied."""
    lines: Sequence[str]


@dataclass(frozen=True)
class Document:
    """A title, a line under it, and sections."""
    title: str
    subtitle: str
    sections: Sequence[Section]

    @property
    def tables(self) -> list[Table]:
        """All tables, in order."""
        return [p for s in self.sections for p in s.parts if isinstance(p, Table)]

    @property
    def figures(self) -> list[Figure]:
        """All figures, in order."""
        return [p for s in self.sections for p in s.parts if isinstance(p, Figure)]


def shown(value: Any) -> str:
    """A cell for people: four significant digits, a dash for nothing."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "0" if abs(value) < 1e-12 else f"{value:.4g}"
    return str(value)


def heading(column: str) -> str:
    """A column's name for people."""
    return column.replace("_", " ")


def numeric(table: Table, column: str) -> bool:
    """Whether a column holds numbers, and is set to the right."""
    values = [r[column] for r in table.rows if r[column] is not None and r[column] != ""]
    return bool(values) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def grouped(table: Table) -> list[Row]:
    """The rows for people: names in the first column only where they change."""
    if not table.rows or numeric(table, first := table.columns[0]):
        return list(table.rows)
    above = [None, *(r[first] for r in table.rows)]
    return [{**r, first: " "} if r[first] == name and len(table.columns) > 1 else r for r, name in zip(table.rows, above, strict=False)]


# --- the three forms --------------------------------------------------------------------------------------------------------
def as_html(document: Document) -> str:
    """One self-contained page: no script, nothing from another host, light and dark, fit to be printed."""
    from jinja2 import Environment
    env = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    env.globals.update(shown=shown, heading=heading, numeric=numeric, grouped=grouped, picture=picture)
    env.tests.update(table=lambda p: isinstance(p, Table), figure=lambda p: isinstance(p, Figure), code=lambda p: isinstance(p, Code))
    template = (resources.files(__package__) / "page.html").read_text()
    return env.from_string(template).render(document=document)


def picture(figure: Figure) -> str:
    """An SVG as an image: whatever stands in it cannot run."""
    return "data:image/svg+xml;base64," + b64encode(figure.svg.encode()).decode()


def as_markdown(document: Document) -> str:
    """Markdown with pipe tables; figures stand beside it as files, by their names."""
    lines = [f"# {_escaped(document.title)}", "", _escaped(document.subtitle)]
    for section in document.sections:
        lines += ["", f"## {_escaped(section.title)}"]
        for part in section.parts:
            lines += ["", *_marked(part)]
    return "\n".join(lines) + "\n"


def _marked(part: "str | Table | Figure | Code") -> Iterator[str]:
    if isinstance(part, str):
        yield _escaped(part)
    elif isinstance(part, Code):
        yield from ("```sh", *part.lines, "```")
    elif isinstance(part, Figure):
        yield f"![{_escaped(part.caption)}]({part.name}.svg)"
    elif part.rows:
        yield "| " + " | ".join(_escaped(heading(c)) for c in part.columns) + " |"
        yield "|" + "|".join("---:" if numeric(part, c) else "---" for c in part.columns) + "|"
        yield from ("| " + " | ".join(_escaped(shown(r[c])) for c in part.columns) + " |" for r in part.rows)
        if part.caption:
            yield from ("", _escaped(part.caption))


def _escaped(text: str) -> str:
    for sign in "\\`*_{}[]<>|#":
        text = text.replace(sign, "\\" + sign)
    return " ".join(text.split())


def as_csv(table: Table) -> str:
    """A table with full precision, a header first; empty for nothing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([["" if r[c] is None else repr(r[c]) if isinstance(r[c], float) else r[c] for c in table.columns] for r in table.rows])
    return out.getvalue()


MINUS = "\N{MINUS SIGN}"


def as_latex(table: Table) -> str:
    """A table for a paper (booktabs), numbers as shown on the page, a minus as one."""
    import pandas
    frame = pandas.DataFrame([{heading(c): _signed(r[c]) for c in table.columns} for r in grouped(table)],
                             columns=[heading(c) for c in table.columns])
    form = "".join("r" if numeric(table, c) else "l" for c in table.columns)
    text: str = frame.style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis=1).to_latex(
        column_format=form, hrules=True)
    return "% needs \\usepackage{booktabs}\n" + text.replace(MINUS, "$-$")


def _signed(value: Any) -> str:
    text = shown(value)
    return MINUS + text[1:] if isinstance(value, int | float) and text.startswith("-") else text


def write(document: Document, to: Path) -> list[Path]:
    """Writes all forms into a folder: report.html, report.md, a file per figure, and per table one .csv and one .tex."""
    to.mkdir(parents=True, exist_ok=True)
    files = {"report.html": as_html(document), "report.md": as_markdown(document)}
    files |= {f"{f.name}.svg": f.svg for f in document.figures}
    for table in [*document.tables, *(Table(f"{f.name}-data", f.rows) for f in document.figures if f.rows)]:
        if table.rows:
            files |= {f"{table.name}.csv": as_csv(table), f"{table.name}.tex": as_latex(table)}
    for name, text in files.items():
        part = to / f"{name}.part"
        part.write_text(text)
        part.rename(to / name)
    return [to / name for name in files]

"""What demonstrations share: the designs as they ship, where they are played, and how what was expected stands beside what was found."""
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

from ...errors import UnknownName
from ...reports.document import Code, Figure, Section, Table
from ...transcripts.arms import Arm, arms_of
from ...transcripts.statistics import Estimate
from ...transcripts.store import Store
from ..api import synchronous
from ..design import Design, Fields, agent_of, json_or_text, make_design, seat
from ..runner import start
from ..screen import progress

MODEL = "model"
"""The name under `[agents]` of the seat in which a design expects a model."""


@dataclass(frozen=True)
class Line:
    """One quantity: what a formula says of it, and what play found.

    how       exact: every branch of chance was played; else of how many episodes the found value is
    by        where the expected value comes from
    error     standard error of the found value, where it has one
    interval  how low and high were made
    """
    what: str
    expected: float | None
    found: float | None
    low: float | None = None
    high: float | None = None
    how: str = "exact"
    by: str = ""
    error: float | None = None
    interval: str = ""

    @property
    def off(self) -> float:
        """By how many standard errors the found value misses the expected one; 0 or infinite where nothing was sampled."""
        if self.expected is None or self.found is None:
            return 0.0
        gap = abs(self.found - self.expected)
        return gap / self.error if self.error else 0.0 if gap <= 1e-9 * max(1.0, abs(self.expected)) else float("inf")


@dataclass(frozen=True)
class Shown:
    """What a demonstration came to. more: sections after the table of expected and found; runs: what was played for it."""
    lines: Sequence[Line]
    finding: str
    figures: Sequence[Figure] = ()
    more: Sequence[Section] = ()
    runs: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True)
class Stage:
    """Where a demonstration is played.

    model     who sits where the designs say `model`; None: as they say, which is the mock
    episodes  instead of the designs' own number per arm, where they are sampled
    """
    store: Store
    model: Fields | None = None
    episodes: int | None = None
    quiet: bool = False

    @property
    def mocked(self) -> bool:
        """Whether formulas speak of who sits there: they know what a mock does, and not what a model does."""
        return self.model is None

    def design(self, name: str) -> Design:
        """The design `examples/NAME.toml`, with the model in its place."""
        table = tomllib.loads(text_of(f"{name}.toml"))
        if self.model is not None and MODEL in table.get("agents", {}):
            table["agents"][MODEL] = self.model
        if self.episodes and table.get("episodes") != "exact":
            table["episodes"] = self.episodes
        return make_design(table, f"{name}.toml")

    def run(self, design: Design) -> str:
        """Plays a design to its end; the run's name."""
        with progress(design, quiet=self.quiet) as bar:
            name, _ = synchronous(start(design, self.store, on_episode=bar))
        return name

    def arms(self, run: str) -> dict[str, Arm]:
        """Arm -> its episodes as scores see them."""
        with self.store.reading():
            return {arm.name: arm for arm in arms_of(self.store, run)}


def examples() -> dict[str, str]:
    """File below `examples` -> the first sentence of its comment, for all that ship."""
    folder = resources.files("parlour") / "examples"
    names = sorted([f.name for f in folder.iterdir() if f.name.endswith(".toml")])
    return {n: text_of(n).partition("\n")[0].lstrip("# ") for n in names}


def text_of(name: str) -> str:
    """A file below `examples`. Raises UnknownName."""
    file = resources.files("parlour").joinpath("examples", *Path(name).parts)
    if not file.is_file():
        known = ", ".join(n.removesuffix(".toml") for n in examples())
        raise UnknownName(f"no example '{name.removesuffix('.toml')}'; there are: {known}.")
    return file.read_text()


def seat_of(text: str) -> Fields:
    """A seat as the command line gives it. Raises UnknownName or FieldError."""
    spec = seat(json_or_text(text))
    agent_of(spec)
    return spec


def total(arm: Arm, roles: Sequence[str]) -> Estimate:
    """The mean of the sum of several roles' net payoffs."""
    columns = [arm.rows(role) for role in roles]
    rows = [replace(some[0], value=None if any(r.value is None for r in some) else sum(r.value for r in some if r.value is not None),
                    low=sum(r.low for r in some), high=sum(r.high for r in some)) for some in zip(*columns, strict=True)]
    return arm.mean(rows)


def line(what: str, expected: float | None, e: Estimate, by: str = "") -> Line:
    """A line whose found value is an estimate."""
    if e.method == "exact":
        return Line(what, expected, e.mean, by=by)
    how, interval = f"{e.n - e.missing} episodes", e.method + (f" ({e.note})" if e.note else "")
    return Line(what, expected, e.mean, e.low, e.high, how, by, e.error or None, interval)


def table(lines: Sequence[Line]) -> Table:
    """Expected beside found."""
    return Table("expected-and-found", [
        {"quantity": x.what, "expected": x.expected, "found": x.found, "low": x.low, "high": x.high, "played": x.how,
         "interval": x.interval, "expected by": x.by} for x in lines],
        "expected: by formula, before anything was played. found: by play; low, high: its 95% interval where chance or a model was "
        "sampled. exact: every branch of chance was played, so that found must equal expected.")


def commands(name: str, designs: Sequence[str]) -> Section:
    """How to run it, and with a real model."""
    return Section("How to run it", [Code([
        f"parlour demo {name}                            # offline, this page",
        f"parlour demo {name} --model llm:gpt-4o-mini    # a real model in the mock's place",
        f"parlour examples {' '.join(designs)} --to .    # the designs, to change; then `parlour run`"])])

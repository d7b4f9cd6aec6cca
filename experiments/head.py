"""The head of a run's journal: its design, what plays it, every arm and its benchmarks."""
import subprocess
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from secrets import token_hex

from ..protocols.session import Event
from .design import Design
from .money import table as prices
from .plan import Table
from .sources import sources

PACKAGES = ("parlour", "pydantic", "duckdb", "openai", "litellm", "langgraph", "tenacity", "numpy", "scipy")


def versions() -> dict[str, str]:
    """The versions of the packages that can change what a run does, and of the price table it is billed by."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found | {"prices": prices()["version"]}


def commit() -> str | None:
    """The commit of the checkout Parlour runs from, if it runs from one."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        found = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None


def head(run: str, design: Design, found: list[Table]) -> Iterator[Event]:
    """The events that open a journal: the design, what played it, every arm and its benchmarks."""
    yield {"k": "run", "run": run, "name": design.name, "seed": design.seed, "design": design.model_dump(mode="json"),
           "versions": versions() | made_from(design, found), "commit": commit()}
    for table in found:
        arm = table.arm
        yield {"k": "arm", "run": run, "arm": arm.name, "game": arm.game["name"],
               "game_fields": table.game.model_dump(mode="json"), "protocol": module(table.protocol),
               "protocol_fields": table.protocol.model_dump(mode="json"), "rules": dict(table.rules.numbers), "seats": arm.seats,
               "exact": design.episodes == "exact"}
        for b in table.benchmarks:
            yield {"k": "benchmark", "run": run, "arm": arm.name, **b.model_dump(mode="json")}


def made_from(design: Design, found: list[Table]) -> dict[str, str]:
    """The hashes of the sources that a design's arms are made from."""
    return sources(design.arms, {module(t.protocol) for t in found})


def module(thing: object) -> str:
    """The registered name of a game, protocol or agent."""
    return type(thing).__module__.rpartition(".")[2]


def new_name(design: Design) -> str:
    """A readable name for a run that no other run has."""
    return f"{design.name}-{time.strftime('%Y%m%d-%H%M%S')}-{token_hex(2)}"

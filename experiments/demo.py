"""The main job in seconds, offline: games with and without AI advice, a table beside the benchmarks, one transcript.

And five demonstrations, each a question with an analytic answer, its designs, its table and its report; and the designs that ship.
"""
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import import_module, resources
from pathlib import Path
from types import ModuleType

from ..errors import FieldError, StoreError, UnknownName
from ..reports.document import Document, Section, write
from ..transcripts.scores import score
from ..transcripts.store import Store
from ..transcripts.talk import as_text, talk
from .api import synchronous
from .commands import emit
from .demonstrations import stage
from .demonstrations.stage import Shown, Stage
from .design import Design, make_design
from .report import report
from .runner import start
from .screen import expectations, progress, table

DEMONSTRATIONS = ("one_ai_or_two", "fidelity_cliff", "who_is_to_blame", "contract_clinic", "placebo")


def design() -> Design:
    """The demonstration's design, as it ships with the package."""
    import tomllib
    return make_design(tomllib.loads((resources.files(__package__) / "demo.toml").read_text()), "demo.toml")


def demo(store: Store) -> int:
    """Plays it, prints the table, one transcript and where everything is."""
    made = design()
    with progress(made) as bar:
        run, _ = synchronous(start(made, store, on_episode=bar))
    table(score(store, run))
    print("\nOne transcript of these, word for word:\n")
    print(as_text(talk(store, run, 1)))
    print(f"\nEverything that was said is in {store.path}. Look on with\n"
          f"  parlour transcript {run}/2 --store {store.path}\n"
          f"  parlour sql \"SELECT arm, role, avg(net) FROM tidy GROUP BY ALL\" --store {store.path}\n"
          f"  parlour games\nor with a demonstration that has an answer, `parlour demo NAME`: {', '.join(DEMONSTRATIONS)}")
    return 0


# --- the five -----------------------------------------------------------------------------------------------------------
def demonstration(name: str) -> ModuleType:
    """The module of a demonstration. Raises UnknownName."""
    if name not in DEMONSTRATIONS:
        raise UnknownName(f"no demonstration '{name}'; there are: {', '.join(DEMONSTRATIONS)}.")
    return import_module(f".demonstrations.{name}", __package__)


def document(name: str, shown: Shown) -> Document:
    """The page of a demonstration: it names no run and no time, so that the same seed gives the same page."""
    module = demonstration(name)
    return Document(module.TITLE, module.QUESTION, [
        Section("Expected and found", [stage.table(shown.lines), shown.finding, *shown.figures]), *shown.more])


def demonstrate(name: str, on: Stage, to: Path) -> Shown:
    """Plays a demonstration and writes its page into a folder, the report of each of its runs into one below it."""
    shown: Shown = demonstration(name).play(on)
    write(document(name, shown), to)
    for run in shown.runs:
        found = report(on.store, run)
        write(found, to / found.title)
    return shown


def command(args: Namespace) -> int:
    """demo: the tour, or one of the five."""
    if args.list:
        return emit({n: demonstration(n).QUESTION for n in DEMONSTRATIONS}) if args.json else _listed()
    store = Store(args.store)
    if args.name is None:
        return demo(store)
    demonstration(args.name)
    if args.episodes is not None and args.episodes < 2:
        raise FieldError(f"--episodes {args.episodes}: 2 or more.")
    to = Path(args.to or f"parlour-demo-{args.name}")
    shown = demonstrate(args.name, Stage(store, stage.seat_of(args.model) if args.model else None, args.episodes, args.json), to)
    if args.json:
        return emit({"demonstration": args.name, "lines": [asdict(x) for x in shown.lines], "runs": shown.runs, "report": str(to)})
    print(f"{demonstration(args.name).TITLE}\n\n{demonstration(args.name).QUESTION}")
    expectations(stage.table(shown.lines))
    print(f"{shown.finding}\n\n{to / 'report.html'} is the page, report.md beside it the same in Markdown; tables are CSV and LaTeX.\n"
          f"The full reports of what was played: {', '.join(str(p) for p in sorted(to.glob('*/report.html')))}.\n"
          f"Transcripts are in {store.path}.")
    return 0


def _listed() -> int:
    width = max(map(len, DEMONSTRATIONS))
    for name in DEMONSTRATIONS:
        print(f"{name:<{width}}  {demonstration(name).TITLE}")
    return 0


# --- what ships ---------------------------------------------------------------------------------------------------------
def shipped(args: Namespace) -> int:
    """examples: the designs there are; or some of them, as files."""
    if not args.to:
        known = stage.examples()
        some = {f"{n}.toml": known[f"{n}.toml"] for n in _stems(args.names)} if args.names else known
        return emit(some) if args.json else _print([f"{n.removesuffix('.toml'):<22}  {says}" for n, says in some.items()])
    folder, made = Path(args.to), []
    texts = {f"{n}.toml": stage.text_of(f"{n}.toml") for n in _stems(args.names) or [e.removesuffix(".toml") for e in stage.examples()]}
    for name in texts:
        if (folder / name).exists():
            raise StoreError(f"{folder / name} is there already: nothing was written.")
    for name, text in texts.items():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        made.append(str(folder / name))
    return emit(made) if args.json else _print(made)


def _stems(names: Sequence[str]) -> list[str]:
    """Names of examples with or without their ending. Raises UnknownName."""
    stems = [n.removesuffix(".toml") for n in names]
    for stem in stems:
        stage.text_of(f"{stem}.toml")
    return stems


def _print(lines: Sequence[str]) -> int:
    print("\n".join(lines))
    return 0


COMMANDS: dict[str, Callable[[Namespace], int]] = {"demo": command, "examples": shipped}

"""Takes an interrupted run up again: ended episodes stay, half-played ones go on at the ask where they stood."""
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from ..errors import StoreError
from ..protocols.codec import decode
from ..protocols.session import Event
from ..transcripts.journal import Journal, read
from ..transcripts.parts import Folder, Gathering, shared
from ..transcripts.store import Store
from .design import Design, wordings_of
from .money import check, serving, spent
from .plan import Slot, Table, persona_name, tables
from .runner import Progress, Run, Watch, finish, head, made_from, preflight, versions
from .said import recorded
from .sources import changes

HEAD = ("run", "arm", "benchmark")


async def resume(run: str, store: Store, watch: Watch | None = None,
                 on_episode: Callable[[Progress], None] | None = None, budget: float | None = None) -> tuple[str, str]:
    """Plays what a run still owes; (run, status). Words on record are not asked for again. Raises StoreError.

    budget  US$ for the whole run, what it has cost so far included; None: the one it was begun with
    """
    path = find(run, store)
    with Journal(path) as journal:
        if url := shared(read(path)):
            Gathering(Folder(url), journal).finish()
        begun = _begun(path)
        design = _design(path, begun.first, budget)
        if design.episodes == "exact":
            raise StoreError(f"run {path.stem} is an exact evaluation, which costs nothing: run its design again.")
        with serving(design, store, spent(read(path))):
            found = tables(design)
            todo = copies([e for e in read(path) if e["k"] in ("fork", "episode")], found, path.stem)
            _same(path, begun.first or {}, versions() | made_from(design, found))
            check(design, found)
            await preflight(found)
            for event in islice(head(path.stem, design, found), begun.head, None):  # killed before it had all been written
                journal.write(event)
            said = recorded(e for e in read(path) if e.get("e") not in begun.ended)
            left = Run(design, store, path.stem, found, journal, said=said, begun=frozenset(begun.episodes),
                       ended=frozenset(begun.ended), todo=todo)
            return path.stem, await finish(left, watch, on_episode)


def find(run: str, store: Store) -> Path:
    """The journal of a run, named in full or by the start of its name. Raises StoreError."""
    found = sorted(store.journals.glob("*.jsonl"), key=lambda p: p.stat().st_mtime)
    if run == "latest" and found:
        return found[-1]
    some = [p for p in found if p.stem == run] or [p for p in found if p.stem.startswith(run)]
    if len(some) != 1:
        what = "no run" if not some else "more than one run"
        known = ", ".join(p.stem for p in found[-5:]) or "none"
        raise StoreError(f"{what} '{run}' in {store.journals}; the latest are: {known}.")
    return some[0]


@dataclass
class Begun:
    """What a journal tells of its run, read line by line: it may be longer than memory.

    first   its first event;     head   how many lines of its head there are
    """
    first: Event | None = None
    head: int = 0
    episodes: set[int] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)


def _begun(path: Path) -> Begun:
    found = Begun()
    for event in read(path):
        found.first = found.first or event
        found.head += event["k"] in HEAD
        if event["k"] == "episode":
            found.episodes.add(event["e"])
        elif event["k"] == "end":
            found.ended.add(event["e"])
    return found


def _design(path: Path, first: Event | None, budget: float | None) -> Design:
    if first is None or first["k"] != "run":
        raise StoreError(f"{path} does not begin with a run: it cannot be taken up.")
    was, now = first["versions"].get("parlour"), versions().get("parlour")
    if was != now:
        raise StoreError(f"run {path.stem} was begun by parlour {was}, this is {now}: install parlour=={was} to go on with it.")
    return Design.model_validate(first["design"] | ({} if budget is None else {"budget": budget}))


def _same(path: Path, first: Event, now: dict[str, str]) -> None:
    """Raises StoreError, saying which, if what the run was made from is not what is here."""
    if other := changes(first["versions"], now):
        raise StoreError(f"run {path.stem} cannot be taken up as it was begun: {'; '.join(other)}. Put back what differs, or run "
                         "the design anew.")


def copies(events: list[Event], found: list[Table], run: str) -> list[Slot] | None:
    """The slots of a run that consists of copies of recorded episodes; None for any other. Raises StoreError."""
    links = {e["e"]: e for e in events if e["k"] == "fork"}
    if not links:
        return None
    if len(links) < next(iter(links.values()))["copies"]:
        raise StoreError(f"run {run} was killed before its episodes had begun, and nobody had been asked: fork again.")
    by_name = {t.arm.name: t for t in found}
    return [_slot(by_name[e["arm"]], e, links[e["e"]]) for e in events if e["k"] == "episode"]


def _slot(table: Table, begun: Event, link: Event) -> Slot:
    persona = [persona_name(p) for p in table.arm.personas].index(begun["persona"])
    wording, = wordings_of(table.game, (begun["wording"],), table.arm.objective)
    return Slot(begun["e"], table, decode(begun["state"]), begun["stratum"], begun["weight"], wording, persona,
                begun["replicate"], link["tape"], link["luck"])

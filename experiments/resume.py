"""Takes an interrupted run up again: ended episodes stay, half-played ones go on at the ask where they stood."""
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from ..errors import StoreError
from ..protocols.codec import decode
from ..protocols.session import Event
from ..registry import explain
from ..transcripts.journal import Journal, read
from ..transcripts.parts import Folder, Gathering, shared
from ..transcripts.store import Store
from .design import Design, wordings_of
from .design_file import unchanged
from .head import commit, head, made_from, versions
from .money import check, serving, spent
from .plan import Slot, Table, persona_name, tables
from .reception import returning
from .runner import HERE, Engine, OnEpisode, Run, Watch, preflight
from .said import recorded
from .sources import allowed, changes

HEAD = ("run", "arm", "benchmark")


async def resume(run: str, store: Store, watch: Watch | None = None,
                 on_episode: OnEpisode | None = None, budget: float | None = None, as_begun: bool = False,
                 tell: Callable[[str], None] = lambda warning: None, engine: Engine = HERE) -> tuple[str, str]:
    """Plays what a run still owes; (run, status). Words on record are not asked for again. Raises InputError, before anything is
    written, for a run that cannot be taken up as it was begun.

    budget    US$ for the whole run, what it has cost so far included; None: the one it was begun with
    as_begun  go on with the design as it was begun, though its file has been changed since
    tell      takes what differs from the beginning and is allowed to, a sentence each
    engine    what plays the rest
    """
    path = find(run, store)
    design = _design(path, next(read(path), None), budget)
    engine.fit(design)
    store.fits(path)
    with Journal(path) as journal:
        for url in shared(read(path)):
            Gathering(Folder(url), journal).finish()
        begun = _begun(path)
        unchanged(begun.file, path.stem, store, as_begun, tell)
        with serving(design, store, spent(read(path)), returning(design, path)):
            found = tables(design)
            todo = copies([e for e in read(path) if e["k"] in ("fork", "episode")], found, path.stem) if begun.forks else None
            now = versions() | made_from(design, found)
            _same(path, begun.versions, now)
            check(design, found)
            await preflight(found)
            store.take(path)
            for event in islice(head(path.stem, design, found), begun.head, None):  # killed before it had all been written
                journal.write(event)
            if not begun.done:
                journal.write(_resumed(path.stem, begun.versions, now, tell))
            said = recorded(e for e in read(path) if e["k"] != "sentinel" and e.get("e") not in begun.ended)
            left = Run(design, store, path.stem, found, journal, said=said, begun=begun.episodes, ended=begun.ended,
                       todo=todo)
            return path.stem, await engine.play(left, watch, on_episode)


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

    versions  what it was begun with;  file  what is told of its design's file;  head  how many lines of its head there are;  done
    whether it was played to its end;  forks  whether it consists of copies;  episodes  those that have begun and not ended;  ended
    those that have
    """
    versions: dict[str, str] = field(default_factory=dict)
    file: Event | None = None
    head: int = 0
    done: bool = False
    forks: bool = False
    episodes: set[int] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)


def _begun(path: Path) -> Begun:
    found = Begun()
    for event in read(path):
        if event["k"] == "run":
            found.versions = event["versions"]
        elif event["k"] == "file":
            found.file = event
        elif event["k"] == "stop":
            found.done = event["status"] == "done"
        found.head += event["k"] in HEAD
        found.forks |= event["k"] == "fork"
        if event["k"] == "episode":
            found.episodes.add(event["e"])
        elif event["k"] == "end":
            found.ended.add(event["e"])
            found.episodes.discard(event["e"])
    return found


def _design(path: Path, first: Event | None, budget: float | None) -> Design:
    """The design that a journal begins with. Raises StoreError for one that cannot be taken up here."""
    if first is None or first["k"] != "run":
        raise StoreError(f"{path} does not begin with a run: it cannot be taken up.")
    run = first["run"]
    if run != path.stem:
        raise StoreError(f"{path} holds run {run}: it is a copy, or has been renamed. Move it away, or give it back its name.")
    was, now = first["versions"].get("parlour"), versions().get("parlour")
    if was != now:
        raise StoreError(f"run {run} was begun by parlour {was}, this is {now}: install parlour=={was} to go on with it.")
    try:
        design = Design.model_validate(first["design"] | ({} if budget is None else {"budget": budget}))
    except ValidationError as error:
        raise StoreError(f"{path} holds a design that cannot be read: {explain(error)}. Restore it from a copy.") from None
    if design.episodes == "exact":
        raise StoreError(f"run {run} is an exact evaluation, which costs nothing: run its design again.")
    return design


def _same(path: Path, was: dict[str, str], now: dict[str, str]) -> None:
    """Raises StoreError, saying which, if what the run was made from is not what is here."""
    if other := changes(was, now):
        raise StoreError(f"run {path.stem} cannot be taken up as it was begun: {'; '.join(other)}. Put back what differs, or run "
                         "the design anew.")


def _resumed(run: str, was: dict[str, str], now: dict[str, str], tell: Callable[[str], None]) -> Event:
    """The line that tells what takes the run up; where that differs and may, it is told."""
    differs = allowed(was, now)
    if differs:
        tell(f"run {run} goes on with other packages than it was begun with: {'; '.join(differs)}.")
    return {"k": "resume", "run": run, "versions": now, "commit": commit(), "differs": differs}


def copies(events: list[Event], found: list[Table], run: str) -> list[Slot]:
    """The slots of a run that consists of copies of recorded episodes. Raises StoreError."""
    links = {e["e"]: e for e in events if e["k"] == "fork"}
    if len(links) < next(iter(links.values()))["copies"]:
        raise StoreError(f"run {run} was killed before its episodes had begun, and nobody had been asked: fork again.")
    by_name = {t.arm.name: t for t in found}
    return [_slot(by_name[e["arm"]], e, links[e["e"]]) for e in events if e["k"] == "episode"]


def _slot(table: Table, begun: Event, link: Event) -> Slot:
    persona = [persona_name(p) for p in table.arm.personas].index(begun["persona"])
    wording, = wordings_of(table.game, (begun["wording"],), table.arm.objective)
    return Slot(begun["e"], table, decode(begun["state"]), begun["stratum"], begun["weight"], wording, persona,
                begun["replicate"], link["tape"], link["luck"])

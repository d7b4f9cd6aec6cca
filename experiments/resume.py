"""Takes an interrupted run up again: ended episodes stay, half-played ones go on at the ask where they stood."""
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..protocols.codec import decode
from ..protocols.seat import Attempt
from ..protocols.session import Event, Said
from ..transcripts.journal import Journal, read
from ..transcripts.store import Store
from .design import Design, wordings_of
from .plan import Slot, Table, persona_name, tables
from .runner import Progress, Run, Watch, finish, preflight, versions


async def resume(run: str, store: Store, watch: Watch | None = None,
                 on_episode: Callable[[Progress], None] | None = None) -> tuple[str, str]:
    """Plays what a run still owes; (run, status). Words on record are not asked for again. Raises StoreError."""
    path = find(run, store)
    with Journal(path) as journal:
        events = list(read(path))
        design = _design(path, events)
        said = recorded(events)
        ended = frozenset(e["e"] for e in events if e["k"] == "end")
        begun = frozenset(e["e"] for e in events if e["k"] == "episode")
        if design.episodes == "exact":
            raise StoreError(f"run {path.stem} is an exact evaluation, which costs nothing: run its design again.")
        found = tables(design)
        todo = copies(events, found, path.stem)
        await preflight(found)
        left = Run(design, store, path.stem, found, journal, said={e: s for e, s in said.items() if e not in ended},
                   begun=begun, ended=ended, todo=todo)
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


def _design(path: Path, events: list[Event]) -> Design:
    if not events or events[0]["k"] != "run":
        raise StoreError(f"{path} does not begin with a run: it cannot be taken up.")
    was, now = events[0]["versions"].get("parlour"), versions().get("parlour")
    if was != now:
        raise StoreError(f"run {path.stem} was begun by parlour {was}, this is {now}: install parlour=={was} to go on with it.")
    return Design.model_validate(events[0]["design"])


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
    wording, = wordings_of(table.game, (begun["wording"],))
    return Slot(begun["e"], table, decode(begun["state"]), begun["stratum"], begun["weight"], wording, persona,
                begun["replicate"], link["tape"], link["luck"])


def recorded(events: list[Event]) -> dict[int, dict[int, Said]]:
    """episode -> turn -> what is on record of it."""
    found: dict[int, dict[int, dict[str, Any]]] = {}
    for event in events:
        if event["k"] in ("ask", "draw", "reply"):
            turn = found.setdefault(event["e"], {}).setdefault(event["t"], {"attempts": (), "tries": 0})
            if event["k"] == "draw":
                turn["index"] = event["draw"]
            elif event["k"] == "reply":
                turn["tries"] = event["n"] + 1
                if event["verdict"] == "ok":
                    turn["words"] = event["words"]
                elif event["verdict"] != "error":
                    turn["attempts"] += (Attempt(event["words"], event["complaint"]),)
    return {e: {t: Said(**s) for t, s in turns.items()} for e, turns in found.items()}

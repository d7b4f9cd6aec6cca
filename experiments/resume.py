"""Takes an interrupted run up again: ended episodes stay, half-played ones go on at the ask where they stood."""
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..protocols.seat import Attempt
from ..protocols.session import Event, Said
from ..transcripts.journal import Journal, read
from ..transcripts.store import Store
from .design import Design
from .money import check, serving, spent
from .plan import tables
from .runner import Progress, Run, Watch, finish, preflight, versions


async def resume(run: str, store: Store, watch: Watch | None = None,
                 on_episode: Callable[[Progress], None] | None = None, budget: float | None = None) -> tuple[str, str]:
    """Plays what a run still owes; (run, status). Words on record are not asked for again. Raises StoreError.

    budget  US$ for the whole run, what it has cost so far included; None: the one it was begun with
    """
    path = find(run, store)
    with Journal(path) as journal:
        events = list(read(path))
        design = _design(path, events, budget)
        said = recorded(events)
        ended = frozenset(e["e"] for e in events if e["k"] == "end")
        begun = frozenset(e["e"] for e in events if e["k"] == "episode")
        if design.episodes == "exact":
            raise StoreError(f"run {path.stem} is an exact evaluation, which costs nothing: run its design again.")
        with serving(design, store, spent(events)):
            found = tables(design)
            check(design, found)
            await preflight(found)
            left = Run(design, store, path.stem, found, journal, said={e: s for e, s in said.items() if e not in ended},
                       begun=begun, ended=ended)
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


def _design(path: Path, events: list[Event], budget: float | None) -> Design:
    if not events or events[0]["k"] != "run":
        raise StoreError(f"{path} does not begin with a run: it cannot be taken up.")
    was, now = events[0]["versions"].get("parlour"), versions().get("parlour")
    if was != now:
        raise StoreError(f"run {path.stem} was begun by parlour {was}, this is {now}: install parlour=={was} to go on with it.")
    return Design.model_validate(events[0]["design"] | ({} if budget is None else {"budget": budget}))


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

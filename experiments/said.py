"""What is on record of the asks of a run: the words said, the tries used up. A run that is taken up begins with it."""
from collections.abc import Iterable
from typing import Any

from ..protocols.seat import Attempt
from ..protocols.session import Event, Said


def recorded(events: Iterable[Event]) -> dict[Any, dict[int, Said]]:
    """episode -> turn -> what is on record of it."""
    found: dict[Any, dict[int, dict[str, Any]]] = {}
    for event in events:
        if event["k"] in ("ask", "draw", "reply"):
            turn = found.setdefault(event["e"], {}).setdefault(event["t"], {"attempts": (), "tries": 0, "failures": ()})
            if event["k"] == "draw":
                turn["index"] = event["draw"]
            elif event["k"] == "reply":
                _hear(turn, event)
    return {e: {t: Said(**s) for t, s in turns.items()} for e, turns in found.items()}


def _hear(turn: dict[str, Any], reply: Event) -> None:
    """One reply more. A service that was not there, or that refused, has not used up a try: the run was stopped for it."""
    turn["tries"] = reply["n"] + 1
    if reply["verdict"] == "error":
        turn["failures"] += (reply["complaint"],) if reply.get("finish") == "transient" else ()
        return
    turn["failures"] = ()
    if reply["verdict"] == "ok":
        turn["words"] = reply["words"]
    else:
        turn["attempts"] += (Attempt(reply["words"], reply["complaint"]),)

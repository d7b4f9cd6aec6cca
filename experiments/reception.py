"""People who come to the pages of a run: their links outlive the process, and what they agreed to is on record.

The secret of a run's links lies beside its journal, in a file that nobody else can read, until the run is done. It goes into no
store, export or bundle.
"""
import os
from collections.abc import Iterable
from pathlib import Path

from ..agents.service import current
from ..agents.visitors import Known, Visitors
from ..protocols.session import Event
from ..transcripts.journal import Journal, read
from .design import Design


def seated(design: Design) -> bool:
    """Whether a person in a browser has a seat."""
    return bool(_pages(design))


def _pages(design: Design) -> set[str]:
    return {role for arm in design.arms for role, spec in arm.seats.items() if spec["agent"] == "web"}


def secret_file(journal: Path) -> Path:
    """Where the secret of a run's links lies."""
    return journal.with_suffix(".secret")


def returning(design: Design, journal: Path) -> Visitors:
    """The people of a run that is taken up again. Without its secret, they get new links and new names."""
    secret = secret_file(journal)
    if not seated(design) or not secret.exists():
        return Visitors()
    return _known(_pages(design), read(journal), secret.read_bytes())


def _known(pages: set[str], events: Iterable[Event], secret: bytes) -> Visitors:
    known: dict[str, Known] = {}
    asked: dict[tuple[int, int], str] = {}
    sat: dict[int, dict[str, str]] = {}
    for event in events:
        if event["k"] == "consent":
            known.setdefault(event["name"], Known()).agreed = event["agreed"]
        elif event["k"] == "ask":
            asked[event["e"], event["t"]] = event["role"]
        elif event["k"] == "reply" and event.get("fingerprint") and asked[event["e"], event["t"]] in pages:
            known.setdefault(event["fingerprint"], Known())
            sat.setdefault(event["e"], {})[asked[event["e"], event["t"]]] = event["fingerprint"]
        elif event["k"] == "end":
            for name in sat.pop(event["e"], {}).values():
                known[name].played += 1
    return Visitors(secret, known, sat)


def receive(design: Design, run: str, journal: Journal) -> None:
    """From now on consents go into the journal, and the links of the run can be made again."""
    visitors = current().visitors
    if visitors is None or not seated(design):
        return
    file = os.open(secret_file(journal.path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(visitors.secret)

    def keep(event: Event) -> None:
        text = journal.text(event.pop("text"))
        journal.write({**event, "run": run, "prompt": text})
    visitors.attach(keep)


def dismiss(journal: Path) -> None:
    """The run is done: its links lead nowhere."""
    secret_file(journal).unlink(missing_ok=True)

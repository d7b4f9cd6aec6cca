"""Verification on a page: a run, or one episode of it, driven again by its recorded words."""
from dataclasses import dataclass

from ..errors import InputError
from ..experiments.plan import tables
from ..experiments.redrive import Arm, Diverged, driven, records
from ..experiments.report import designed
from ..experiments.verify import verify
from ..transcripts.store import Store

MOST = 100_000
"""Replies up to which a page verifies a whole run: more take minutes, and are for the command."""


@dataclass(frozen=True)
class Checked:
    """What verifying found. differs: empty if everything came out as recorded."""
    what: str
    differs: str


def episode(store: Store, run: str, number: int) -> Checked:
    """Drives one episode again. Raises InputError if it cannot be rebuilt here."""
    with store.reading(), store.open() as db:
        row = store.rows("SELECT design FROM run WHERE run = ?", [run])[0]
        design = designed(row["design"], run)
        arms = {t.arm.name: Arm(t) for t in tables(design, seated=False)}
        for record in records(db, run, number, number + 1):
            try:
                driven(design, arms, record)
            except Diverged as found:
                return Checked(f"episode {number}", str(found.divergence))
            except (ValueError, KeyError, TypeError) as error:  # rows that were tampered with may fail anywhere
                return Checked(f"episode {number}", f"its rows cannot be read: {error!r}")
    return Checked(f"episode {number}", "")


def whole(store: Store, run: str) -> Checked:
    """Verifies a run as `parlour verify` does. Raises InputError if it is too long for a page."""
    replies = store.rows("SELECT count(*) AS n FROM attempt WHERE run = ?", [run])[0]["n"]
    if replies > MOST:
        raise InputError(f"{replies} replies are more than a page verifies: parlour verify {run} --store {store.path.name}")
    with store.reading():
        found = verify(store, run)
    return Checked(f"{found.episodes} episodes, root {found.root}", "" if found.divergence is None else str(found.divergence))

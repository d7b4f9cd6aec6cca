"""Reports as pages: the run's own, fidelity, contracts; as transcripts and experiments make them."""
from typing import Any

from ..errors import InputError
from ..experiments.fidelity import IDEAL
from ..experiments.report import report
from ..games.contracting import Contracting
from ..registry import load
from ..reports.document import as_html
from ..transcripts import fidelity_page
from ..transcripts.arms import BLANK, Score
from ..transcripts.compliance import compliance
from ..transcripts.fidelity import answers
from ..transcripts.store import Store
from ..transcripts.texts import evaluators
from .analysis import MOST

LATEST = """
SELECT arm, role, quantity, benchmark, value, low, high, n, clusters, method, note FROM score WHERE run = $1 AND scorer = $2
AND written = (SELECT max(written) FROM score WHERE run = $1 AND scorer = $2) ORDER BY rowid
"""
TRUTH = "truth "


def there_are(store: Store, run: str) -> list[tuple[str, str]]:
    """(address, name) of the reports that a run has beside its own."""
    found = []
    if store.rows("SELECT 1 FROM score WHERE run = ? AND scorer IN ('fidelity', 'humans') LIMIT 1", [run]):
        found.append(("fidelity", "Fidelity"))
    games = [r["game"] for r in store.rows("SELECT DISTINCT game FROM arm WHERE run = ?", [run])]
    if any(issubclass(load("games", g), Contracting) for g in games):
        found.append(("contracts", "Contracts"))
    return found


def run_report(store: Store, run: str) -> str:
    """The run's report as `parlour report` makes it. Raises InputError if the run is too long for a page."""
    ended = store.rows("SELECT count(*) AS n FROM ending WHERE run = ?", [run])[0]["n"]
    if ended > MOST:
        raise InputError(f"{ended} episodes are more than a page reports on: parlour report {run} --store {store.path.name}")
    return as_html(report(store, run))


def fidelity(store: Store, run: str) -> str | list[Score]:
    """The page of a fidelity run; of a run against people on record, its scores. Raises InputError if none were kept."""
    scores = [{**BLANK, **row} for row in store.rows(LATEST, [run, "fidelity"])]
    if not scores:
        kept: list[dict[str, Any]] = store.rows(LATEST, [run, "humans"])
        if not kept:
            raise InputError(f"no fidelity scores are kept for {run}: it is no run of `parlour fidelity`, or was cut off.")
        return [{**BLANK, **row} for row in kept]
    said = answers(store, run)
    people = [who for who in said if who.startswith(TRUTH)]
    return fidelity_page.page(run, said, people, [who for who in people if who == TRUTH + IDEAL], scores)


def contracts(store: Store, run: str) -> list[Score]:
    """Obedience, incentive and the worth of contracts, as `parlour compliance` says them. Raises InputError if none was posted."""
    found = compliance(store, run) + evaluators(store, run)
    if not found:
        raise InputError(f"no contract was posted in {run}.")
    return found

"""What a run was charged, and whether the models it called stayed the same: from rows alone."""
from typing import Any

from .store import Store

BILL = """
    SELECT count(*) FILTER (cached IS NOT TRUE) AS paid, count(*) FILTER (cached) AS cached,
           sum(tokens_in) FILTER (cached IS NOT TRUE) AS tokens_in, sum(tokens_out) FILTER (cached IS NOT TRUE) AS tokens_out,
           sum(cost) AS cost, count(*) FILTER (cost IS NULL) AS unknown
    FROM attempt WHERE run = ? AND verdict <> 'error' AND (cost IS NULL OR cost > 0 OR cached) AND tokens_in IS NOT NULL"""

MODELS = """
    SELECT e.arm, k.role, a.model, a.fingerprint, count(*) AS replies, min(a.written) AS first
    FROM attempt a JOIN ask k USING (run, episode, turn) JOIN episode e USING (run, episode)
    WHERE a.run = ? AND a.verdict <> 'error' AND a.model IS NOT NULL GROUP BY ALL ORDER BY e.arm, k.role, first"""


def bill(store: Store, run: str) -> str:
    """One line on what a run's replies cost; empty if none cost anything or could have."""
    found = store.rows(BILL, [run])[0]
    if not found["paid"] and not found["cached"]:
        return ""
    parts = [f"{found['paid']} paid replies, {found['tokens_in'] or 0} tokens in, {found['tokens_out'] or 0} out"]
    if found["cost"] is not None:
        parts.append(f"US$ {found['cost']:.4g}")
    if found["unknown"]:
        parts.append(f"the price of {found['unknown']} replies is not known")
    if found["cached"]:
        parts.append(f"{found['cached']} from the cache")
    return "; ".join(parts)


def why(store: Store, run: str) -> str:
    """Why a run stopped the last time."""
    return str(store.rows("SELECT arg_max(why, written) AS why FROM stop WHERE run = ?", [run])[0]["why"] or "")


def drift(store: Store, run: str) -> list[str]:
    """A warning for every seat whose model, or the model's fingerprint, was not the same throughout."""
    seats: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in store.rows(MODELS, [run]):
        seats.setdefault((row["arm"], row["role"]), []).append(row)
    return [f"{arm}, {role}: the model changed under the run: " + ", then ".join(map(_named, rows))
            for (arm, role), rows in seats.items() if len(rows) > 1]


def _named(row: dict[str, Any]) -> str:
    return f"{row['model']}{' ' + row['fingerprint'] if row['fingerprint'] else ''} ({row['replies']} replies)"

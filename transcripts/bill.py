"""What a run was charged, from rows alone."""
from .store import Store

BILL = """
    SELECT count(*) FILTER (cached IS NOT TRUE) AS paid, count(*) FILTER (cached) AS cached,
           sum(tokens_in) FILTER (cached IS NOT TRUE) AS tokens_in, sum(tokens_out) FILTER (cached IS NOT TRUE) AS tokens_out,
           sum(cost) AS cost, count(*) FILTER (cost IS NULL) AS unknown
    FROM (SELECT run, verdict, tokens_in, tokens_out, cost, cached FROM attempt
          UNION ALL SELECT run, verdict, tokens_in, tokens_out, cost, cached FROM sentinel)
    WHERE run = ? AND (cost IS NULL OR cost > 0 OR cached) AND tokens_in IS NOT NULL"""


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

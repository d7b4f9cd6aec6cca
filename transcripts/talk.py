"""One episode as a talk to read: who was told what, what was said, how it was understood, what it was worth."""
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from ..errors import StoreError
from .store import Store


@dataclass(frozen=True)
class Talk:
    """The rows of one episode, in order of turns. entries: asks with their attempts, and draws."""
    run: str
    episode: int
    about: dict[str, Any]
    entries: list[dict[str, Any]]
    payoffs: list[dict[str, Any]]
    benchmarks: list[dict[str, Any]]


def find(store: Store, name: str) -> tuple[str, int]:
    """(run, episode) of "RUN/EPISODE"; a run may be named by its start, and left out for the latest. Raises StoreError."""
    run, _, number = name.rpartition("/")
    if not number.isdigit():
        raise StoreError(f"'{name}' names no episode: write RUN/NUMBER, or NUMBER for the latest run.")
    return find_run(store, run or "latest"), int(number)


def find_run(store: Store, name: str) -> str:
    """The full name of a run in the store. Raises StoreError."""
    known = [r["run"] for r in store.rows("SELECT run FROM run ORDER BY written")]
    if name == "latest" and known:
        return str(known[-1])
    some = [r for r in known if r == name] or [r for r in known if r.startswith(name)]
    if len(some) != 1:
        what = "no run" if not some else "more than one run"
        raise StoreError(f"{what} '{name}' in {store.path}; the latest are: {', '.join(known[-5:]) or 'none'}.")
    return str(some[0])


def talk(store: Store, run: str, episode: int) -> Talk:
    """Everything on record of one episode. Raises StoreError if there is no such episode."""
    with store.reading():
        return _talk(store, run, episode)


def _talk(store: Store, run: str, episode: int) -> Talk:
    key = [run, episode]
    about = store.rows("SELECT e.*, m.game, m.protocol, m.seats, coalesce(n.status, 'unfinished') AS status, n.why FROM episode e "
                       "JOIN arm m USING (run, arm) LEFT JOIN ending n USING (run, episode) WHERE e.run = ? AND e.episode = ?", key)
    if not about:
        raise StoreError(f"no episode {episode} in run {run}.")
    asks = store.rows("SELECT turn, role, want, optional, news FROM ask WHERE run = ? AND episode = ?", key)
    tries = store.rows("SELECT a.* EXCLUDE (run, episode), t.text AS prompt_text FROM attempt a LEFT JOIN text t "
                       "ON t.hash = a.prompt WHERE run = ? AND episode = ? ORDER BY turn, try", key)
    draws = store.rows("SELECT turn, what, chances, draw FROM draw WHERE run = ? AND episode = ?", key)
    entries = [{**a, "attempts": [t for t in tries if t["turn"] == a["turn"]]} for a in asks] + draws
    entries.sort(key=lambda x: x["turn"])
    return Talk(run, episode, about[0], entries,
                store.rows("SELECT role, gross, fee, net FROM payoff WHERE run = ? AND episode = ?", key),
                store.rows("SELECT name, kind, value FROM benchmark WHERE run = ? AND arm = ?", [run, about[0]["arm"]]))


def as_text(t: Talk) -> str:
    """A talk as plain text."""
    a = t.about
    lines = [f"{t.run}/{t.episode}: {a['game']}, protocol {a['protocol']}, arm '{a['arm']}', wording '{a['wording']}'"
             + (f", persona {a['persona']}" if a["persona"] else ""), f"state: {_fields(a['state'])}", ""]
    for entry in t.entries:
        lines += _draw(entry) if "draw" in entry else _ask(entry)
    lines += ["", f"{a['status']}" + (f": {a['why']}" if a["why"] else "")]
    for p in t.payoffs:
        fee = f" - {p['fee']:g} for talk" if p["fee"] else ""
        lines.append(f"  {p['role']}: " + ("no payoff" if p["net"] is None else f"{p['gross'] + 0:g}{fee} = {p['net'] + 0:g}"
                                           if fee else f"{p['net'] + 0:g}"))  # -0 + 0 is 0
    for b in t.benchmarks:
        values = ", ".join(f"{r} {v:.4g}" for r, v in from_json(b["value"]).items() if v is not None)
        lines.append(f"  {b['kind']} {b['name']}: {values or 'does not exist'}")
    return "\n".join(lines)


def _draw(entry: dict[str, Any]) -> list[str]:
    return [f"[{entry['turn']}] nature draws {entry['what']}: {entry['draw']} (chance {entry['chances'][entry['draw']]:g})"]


def _ask(entry: dict[str, Any]) -> list[str]:
    lines, prompt = [], None
    for t in entry["attempts"]:
        if t["prompt_text"] and t["prompt_text"] != prompt:
            prompt = t["prompt_text"]
            lines += [f"    | {line}" for line in prompt.splitlines()]
        words = "(no reply)" if t["words"] is None else t["words"]
        mark = "" if t["verdict"] == "ok" else f"   <- {t['verdict']}: {t['complaint']}"
        lines.append(f"    {entry['role']}: {words}{mark}")
    told = "" if prompt else "; ".join(_news(n) for n in from_json(entry["news"]))
    head = f"[{entry['turn']}] {entry['role']} is asked for {entry['want']}" + (" or a pass" if entry["optional"] else "")
    return [head + (f", told {told}" if told else ""), *lines, *([] if lines else ["    (no reply yet)"])]


def _news(row: dict[str, Any]) -> str:
    return row["type"].rpartition(".")[2] + " " + _flat(row["fields"])


def _flat(fields: dict[str, Any]) -> str:
    inner = (f"{k}={v if not isinstance(v, dict) else _news(v)}" for k, v in fields.items())
    return "(" + ", ".join(inner) + ")"


def _fields(encoded: str) -> str:
    return _flat(from_json(encoded)["fields"])

"""`parlour fidelity --truth humans:NAME`: a simulator answers what people answered; scores on and off the questions fitted."""
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic_core import from_json

from ..errors import DesignError
from ..transcripts import agreement as closeness
from ..transcripts.arms import BLANK, Score
from ..transcripts.mixtures import dispersion
from ..transcripts.scores import lines, put
from ..transcripts.store import Store
from .commands import closing, emit, warn
from .design import Design, make_design
from .fidelity import HUMANS, Respondent, respondent, tell
from .humans import DataSet, data_set

SAID = """
SELECT e.arm, e.wording, e.state, n.status, a.move FROM episode e JOIN ending n USING (run, episode)
LEFT JOIN attempt a ON a.run = e.run AND a.episode = e.episode AND a.verdict = 'ok' WHERE e.run = ? ORDER BY e.episode
"""


def design(people: DataSet, simulators: Sequence[Respondent], repeats: int, wordings: Sequence[str], seed: int, **more: Any) -> Design:
    """Every simulator answers every question in every wording, `repeats` times."""
    words = 3 if tuple(wordings) == ("all",) else len(wordings)
    return make_design({"name": "humans", "seed": seed, "episodes": len(people.questions) * words * repeats, "wordings": list(wordings),
                        "game": people.game, "protocol": "silent",
                        "arms": [{"name": s.name, "seats": {"respondent": s.spec}} for s in simulators], **more})


def against_humans(args: Namespace) -> int:
    """Asks the simulators what people were asked, and reports."""
    from .api import synchronous
    from .runner import start
    if len(args.truth) > 1:
        raise DesignError("one data set of people at a time: give a single --truth humans:NAME.")
    if args.priors or args.thresholds or args.page:
        raise DesignError("--priors, --thresholds and --page belong to items of persuasion: leave them out with --truth humans:...")
    name = args.truth[0].removeprefix(HUMANS)
    people, simulators = data_set(name), [respondent(s, "simulator") for s in args.simulator]
    more = {"budget": args.budget} if args.budget is not None else {}
    made = design(people, simulators, args.repeats, args.wording or ("all",), args.seed, cache=args.cache, attempts=args.attempts, **more)
    if args.estimate or not args.json:
        tell(made, [f"    se of a share near one half: {(0.25 / args.repeats) ** 0.5:.3f} a question and wording"])
    if args.estimate:
        return 0
    store = Store(args.store)
    run, status = synchronous(start(made, store))
    if status != "done":
        print(f"{status}: go on with `parlour resume {run} --store {args.store}`", file=sys.stderr)
        return 0
    found = scores(store, run, people, simulators)
    put(store, run, found, 0.95, "humans")
    if args.json:
        return emit({"run": run, "status": status, "store": args.store, "people": name, "scores": lines(found)})
    warn(store, run)
    print(f"{people.title}\n  {people.source}\n  licence: {people.licence}\n  {people.asking}")
    for s in found:
        print(f"{s['arm']}: {s['benchmark']:<52} {s['value']:.4f}")
    closing(store, run, status)
    return 0


def scores(store: Store, run: str, people: DataSet, simulators: Sequence[Respondent]) -> list[Score]:
    """Distance to people, per simulator; None of it where people's answers are not on record."""
    said: dict[str, list[Mapping[str, Any]]] = {s.name: [] for s in simulators}
    for row in store.rows(SAID, [run]):
        said[row["arm"]].append(row)
    found = []
    for s in simulators:
        measures = {"answered": float(np.mean([r["status"] == "done" for r in said[s.name]]))} | (
            _numbers(people, said[s.name]) if people.kind == "number" else _choices(people, said[s.name]))
        found += [{**BLANK, "arm": s.name, "role": "respondent", "seat": s.spec["agent"], "quantity": "fidelity", "benchmark": name,
                   "value": value, "n": len(said[s.name]), "clusters": len(people.questions)} for name, value in measures.items()]
    return found


def _given(rows: Sequence[Mapping[str, Any]], at: int, wording: str | None = None) -> list[Any]:
    return [next(iter(from_json(r["move"])["fields"].values())) for r in rows if r["status"] == "done"
            and from_json(r["state"])["fields"]["at"] == at and wording in (None, r["wording"])]


def _pairs(people: DataSet, rows: Sequence[Mapping[str, Any]], wording: str | None = None) -> list[tuple[Any, Any]]:
    """(people's shares, the simulator's) of every question of which both are on record."""
    counts = [(q.shares, [_given(rows, i, wording).count(o) for o in people.labels]) for i, q in enumerate(people.questions) if q.shares]
    return [(np.array(h), np.array(c) / sum(c)) for h, c in counts if sum(c)]


def _choices(people: DataSet, rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    pairs = _pairs(people, rows)
    if not pairs:
        return {}
    p, q = np.array([h[0] for h, _ in pairs]), np.array([c[0] for _, c in pairs])
    found: dict[str, float] = {}
    if people.compare == "levels":
        found = {"root mean squared error": closeness.rmse(p, q), "that of always one half": closeness.rmse(p, np.full(len(p), 0.5)),
                 "total variation": float(np.mean([closeness.distance(h, c) for h, c in pairs])),
                 "Jensen-Shannon divergence (bits)": float(np.mean([closeness.jensen_shannon(h, c) for h, c in pairs]))}
    for name, number in (("rank correlation of conditions", closeness.correlation(p, q, True)), ("dispersion ratio", dispersion(q, p))):
        found |= {name: number} if number is not None else {}
    return found | _contamination(people, rows)


def _contamination(people: DataSet, rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Distance to people in the isomorph less that in the canonical words: above 0, it is closer where it may have read the result."""
    far = {}
    for wording in ("plain", "isomorph"):
        pairs = _pairs(people, rows, wording)
        if pairs:
            far[wording] = float(np.mean([closeness.distance(h, c) for h, c in pairs]))
    return {"contamination: isomorph less canonical distance": far["isomorph"] - far["plain"]} if len(far) == 2 else {}


def _numbers(people: DataSet, rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """|log10(median / people's)| and ratio of interquartile ranges, over questions; a spread of 0 is a failure, and is counted."""
    off, ratios = [], []
    for i, q in enumerate(people.questions):
        given = _given(rows, i)
        if q.median is None or q.iqr is None or not given:
            continue
        low, middle, high = np.quantile(given, (0.25, 0.5, 0.75))
        ratios.append(float(high - low) / q.iqr)
        if middle > 0:
            off.append(abs(float(np.log10(middle / q.median))))
    if not ratios:
        return {}
    return ({"|log10 of median over people's|": float(np.mean(off))} if off else {}) | {
        "ratio of interquartile ranges": float(np.mean(ratios)),
        "questions without any spread (failures)": float(sum(r == 0 for r in ratios))}

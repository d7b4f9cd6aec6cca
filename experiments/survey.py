"""`parlour fidelity --truth humans:NAME`: a simulator answers what people answered; scores on and off the questions fitted."""
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic_core import from_json

from ..errors import DesignError, FieldError
from ..transcripts import agreement as closeness
from ..transcripts import designs, people
from ..transcripts.arms import BLANK, Score
from ..transcripts.mixtures import left_out, mixture, sampling_noise
from ..transcripts.scores import lines, put
from ..transcripts.store import Store
from .commands import closing, emit, warn
from .design import Design, make_design
from .fidelity import HUMANS, Respondent, page_of, respondent, tell
from .humans import DataSet, data_set

SAID = """
SELECT e.arm, e.wording, e.state, n.status, a.move FROM episode e JOIN ending n USING (run, episode)
LEFT JOIN attempt a ON a.run = e.run AND a.episode = e.episode AND a.verdict = 'ok' WHERE e.run = ? ORDER BY e.episode
"""
RECITES = ": recites"
"""Ends the name of an arm in which a simulator is asked for the result."""
PEOPLE, REPEATS = "people", 10
Rows = Sequence[Mapping[str, Any]]


def design(of: DataSet, simulators: Sequence[Respondent], repeats: int, wordings: Sequence[str], seed: int, **more: Any) -> Design:
    """Every simulator answers every question in every wording, `repeats` times, and is asked to recite people's answers as often."""
    words = 3 if tuple(wordings) == ("all",) else len(wordings)
    arms = [{"name": s.name, "game": of.game, "seats": {"respondent": s.spec}} for s in simulators]
    if of.recital:
        arms += [{"name": s.name + RECITES, "game": of.recital, "seats": {"respondent": s.spec}} for s in simulators]
    return make_design({"name": "humans", "seed": seed, "episodes": len(of.questions) * words * repeats, "wordings": list(wordings),
                        "protocol": "silent", "arms": arms, **more})


def against_humans(args: Namespace) -> int:
    """Asks the simulators what people were asked, and reports."""
    from .api import synchronous
    from .runner import start
    if len(args.truth) > 1:
        raise DesignError("one data set of people at a time: give a single --truth humans:NAME.")
    if args.priors or args.thresholds:
        raise DesignError("--priors and --thresholds belong to items of persuasion: leave them out with --truth humans:...")
    page = page_of(args)
    name = args.truth[0].removeprefix(HUMANS)
    of, simulators = data_set(name), [respondent(s, "simulator") for s in args.simulator]
    if page and page.suffix == ".png" and of.kind == "number":
        raise FieldError(f"--page {page}: numbers are not drawn; name an .html file.")
    more = {"budget": args.budget} if args.budget is not None else {}
    repeats = REPEATS if args.repeats is None else args.repeats
    made = design(of, simulators, repeats, args.wording or ("all",), args.seed, cache=args.cache, attempts=args.attempts, **more)
    if args.estimate or not args.json:
        tell(made, [f"    se of a share near one half: {(0.25 / repeats) ** 0.5:.3f} a question and wording"])
    if args.estimate:
        return 0
    store = Store(args.store)
    run, status = synchronous(start(made, store))
    if status != "done":
        print(f"{status}: go on with `parlour resume {run} --store {args.store}`", file=sys.stderr)
        return 0
    found = scores(store, run, of, simulators)
    put(store, run, found, 0.95, "humans")
    if page:
        write_page(page, store, run, of, simulators, found)
    if args.json:
        return emit({"run": run, "status": status, "store": args.store, "people": name, "scores": lines(found)})
    warn(store, run)
    table(of, found, page)
    closing(store, run, status)
    return 0


def table(of: DataSet, found: Sequence[Score], page: Path | None) -> None:
    """What is known of the people, then a line per score."""
    print(f"{of.title}\n  {of.source}\n  licence: {of.licence}\n  {of.asking}")
    for s in found:
        span = f"   [{s['low']:.4f}, {s['high']:.4f}]" if s["low"] is not None else ""
        print(f"{s['arm']}: {s['benchmark']:<52} {s['value']:.4f}{span}")
    if page:
        print(f"The report is in {page}.")


def write_page(to: Path, store: Store, run: str, of: DataSet, simulators: Sequence[Respondent], found: Sequence[Score]) -> None:
    """The one-page report."""
    from ..transcripts.people_page import write
    said = told(store, run, simulators)
    shares = {s.name: choices(of, said[s.name]) for s in simulators} if of.kind == "choice" else {}
    write(to, run, of.model_dump(include={"title", "source", "licence", "asking"}), [q.key for q in of.questions], shares, found)


# --- from rows to scores ------------------------------------------------------------------------------------------------
def told(store: Store, run: str, simulators: Sequence[Respondent]) -> dict[str, list[Mapping[str, Any]]]:
    """Arm -> its rows."""
    found: dict[str, list[Mapping[str, Any]]] = {s.name + tail: [] for s in simulators for tail in ("", RECITES)}
    for row in store.rows(SAID, [run]):
        found[row["arm"]].append(row)
    return found


def scores(store: Store, run: str, of: DataSet, simulators: Sequence[Respondent], draws: int = 200) -> list[Score]:
    """What people are like, then each simulator's distance to them; none of it where people's answers are not on record."""
    said = told(store, run, simulators)
    found = [_line(PEOPLE, "", name, value, len(of.questions)) for name, value in baselines(of).items()]
    for s in simulators:
        rows = said[s.name]
        found.append(_line(s.name, s.spec["agent"], "answered", float(np.mean([r["status"] == "done" for r in rows])), len(rows)))
        if of.kind == "number":
            numbers, spans = _numbers(of, rows), {}
        else:
            c = choices(of, rows)
            numbers, spans = people.measures(c) | designed(of, rows), people.intervals(c, draws=draws) if of.known and draws else {}
        numbers |= recited(of, said[s.name + RECITES])
        found += [_line(s.name, s.spec["agent"], name, value, len(rows), spans.get(name)) for name, value in numbers.items()]
    return found


def _line(arm: str, seat: str, name: str, value: float, n: int, span: tuple[float, float] | None = None) -> Score:
    return {**BLANK, "arm": arm, "role": "respondent", "seat": seat, "quantity": "fidelity" if arm != PEOPLE else "people",
            "benchmark": name, "value": value, "n": n, "low": span[0] if span else None, "high": span[1] if span else None,
            "method": "two-stage bootstrap" if span else ""}


def baselines(of: DataSet) -> dict[str, float]:
    """What is said of people without any simulator: how far off one half is, how noisy they are, how well a mixture of types fits."""
    known = [i for i, q in enumerate(of.questions) if of.people(q)]
    if not known or of.compare != "levels":
        return {}
    h, n = [of.people(of.questions[i])[0] for i in known], [of.questions[i].n for i in known]
    found = {"root mean squared error of always one half": closeness.rmse(h, [0.5] * len(h))}
    if all(n):
        found["sampling noise of as many people"] = sampling_noise(h, [float(x) for x in n if x])
    if of.types:
        types = [[chances[i] for i in known] for chances in of.types.values()]
        weights, squares = mixture(types, h)
        found |= {f"mixture: weight of the {name}": float(w) for name, w in zip(of.types, weights, strict=True)}
        found["mixture of types, in sample"] = float(np.sqrt(squares / len(h)))
        if len(h) > 2:
            found["mixture of types, leave one question out"] = left_out(types, h)
    return found


def choices(of: DataSet, rows: Rows) -> people.Choices:
    """Everybody's answers as counts, options merged as people's are."""
    names, width = sorted({r["wording"] for r in rows}), len(of.merge) or len(of.labels)
    counts = np.zeros((len(names), len(of.questions), width))
    for w, name in enumerate(names):
        for i in range(len(of.questions)):
            given = _given(rows, i, name)
            counts[w, i] = of.grouped([given.count(label) for label in of.labels])
    shares = np.array([of.people(q) or (np.nan,) * width for q in of.questions], float)
    n = np.array([q.n or np.nan for q in of.questions], float)
    return people.Choices(shares, n, counts, tuple(names), of.compare == "levels")


def _given(rows: Rows, at: int, wording: str | None = None) -> list[Any]:
    return [next(iter(from_json(r["move"])["fields"].values())) for r in rows if r["status"] == "done"
            and from_json(r["state"])["fields"]["at"] == at and wording in (None, r["wording"])]


def designed(of: DataSet, rows: Rows) -> dict[str, float]:
    """What the design of the data set measures beyond shares; nothing where a question has no answer."""
    counts = np.array([[_given(rows, i).count(label) for label in of.labels] for i in range(len(of.questions))], float)
    if not of.design or not counts.sum(axis=1).all():
        return {}
    return dict(DESIGNS[of.design](of, counts, counts / counts.sum(axis=1, keepdims=True)))


def _demand(of: DataSet, counts: Any, shares: Any) -> Iterator[tuple[str, float]]:
    items = of.questions
    found = designs.demand([q.price or 0.0 for q in items], [float(q.attribute or 0) for q in items], counts[:, 0], counts.sum(axis=1))
    yield "demand never rises with the price", float(found.falls)
    if found.slope is not None and found.worth is not None and found.slope_se is not None and found.worth_se is not None:
        yield from (("slope of demand (logit per unit of price)", found.slope), ("its standard error", found.slope_se),
                    ("willingness to pay for the attribute", found.worth), ("its standard error (willingness to pay)", found.worth_se))


def _hiring(of: DataSet, counts: Any, shares: Any) -> Iterator[tuple[str, float]]:
    yield from designs.hiring([q.asks for q in of.questions], [q.experience for q in of.questions],
                              [q.minimum or 0.0 for q in of.questions], shares[:, 0]).items()


def _status_quo(of: DataSet, counts: Any, shares: Any) -> Iterator[tuple[str, float]]:
    neutral = next(i for i, q in enumerate(of.questions) if q.status_quo is None)
    framed = {q.status_quo: shares[i] for i, q in enumerate(of.questions) if q.status_quo}
    effects = designs.status_quo(shares[neutral], [framed[label] for label in of.labels])
    yield from ((f"status quo effect on {label}", effect) for label, effect in zip(of.labels, effects, strict=True))
    yield "status quo effect, mean over options", float(np.mean(effects))


def _obedience(of: DataSet, counts: Any, shares: Any) -> Iterator[tuple[str, float]]:
    mine, theirs = designs.obedience(shares[:, 0]), designs.obedience([q.shares[0] for q in of.questions])
    yield from (("share that obeys to the end", mine[-1]), ("share of people that obeys to the end", theirs[-1]),
                ("root mean squared error of the survival curve", closeness.rmse(theirs, mine)))


def _price_gouging(of: DataSet, counts: Any, shares: Any) -> Iterator[tuple[str, float]]:
    for q, row in zip(of.questions, shares, strict=True):
        yield f"fair or acceptable: {q.key}", float(of.grouped(row)[0])


DESIGNS = {"demand": _demand, "hiring": _hiring, "status_quo": _status_quo, "obedience": _obedience, "price_gouging": _price_gouging}


def recited(of: DataSet, rows: Rows) -> dict[str, float]:
    """How near a simulator comes that is asked for the result. Near, it may have read it, and its answers tell little."""
    known = [of.people(q)[0] for q in of.questions if of.people(q)]
    pairs = [(h, float(np.median(given)) / 100) for i, h in enumerate(known) if (given := _given(rows, i))]
    if not pairs:
        return {}
    h, said = (list(column) for column in zip(*pairs, strict=True))
    found = {"recitation: mean error": float(np.mean(np.abs(np.subtract(h, said)))),
             "recitation: mean error of always one half": float(np.mean(np.abs(np.subtract(h, 0.5))))}
    r = closeness.correlation(h, said, True)
    return found | ({"recitation: rank correlation": r} if r is not None else {})


def _numbers(of: DataSet, rows: Rows) -> dict[str, float]:
    """|log10(median / people's)| and ratio of interquartile ranges, over questions; a spread of 0 is a failure, and is counted."""
    off, ratios = [], []
    for i, q in enumerate(of.questions):
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

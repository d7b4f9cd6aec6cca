"""`parlour fidelity --truth humans:NAME`: a simulator answers what people answered; scores on and off the questions fitted."""
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from .fidelity import HUMANS, Respondent, page_of, people_worth, respondent, tell
from .humans import DataSet, data_set

SAID = """
SELECT e.arm, e.wording, e.state, n.status, a.move FROM episode e JOIN ending n USING (run, episode)
LEFT JOIN attempt a ON a.run = e.run AND a.episode = e.episode AND a.verdict = 'ok' WHERE e.run = ? ORDER BY e.episode
"""
RECITES = ": recites"
"""Ends the name of an arm in which a simulator is asked for the result."""
PEOPLE, REPEATS = "people", 10
HALF, NOISE, ERROR = "root mean squared error of always one half", "sampling noise of as many people", "root mean squared error"
IN, OUT = ", in sample", ", leave one question out"
RECITED, RECITED_HALF = "recitation: mean error", "recitation: mean error of always one half"
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Said:
    """One valid answer: the number of the question, the way in which it was put, the wording."""
    at: int
    way: int
    wording: str
    answer: Any


def design(of: DataSet, simulators: Sequence[Respondent], repeats: int, wordings: Sequence[str], seed: int, **more: Any) -> Design:
    """Every simulator answers every question in every way and wording, `repeats` times, and recites people's answers as often."""
    words, asked = 3 if tuple(wordings) == ("all",) else len(wordings), len(of.questions) * len(of.ways)
    arms = [{"name": s.name, "game": of.game, "seats": {"respondent": s.spec}} for s in simulators]
    if of.recital:
        arms += [{"name": s.name + RECITES, "game": of.recital, "seats": {"respondent": s.spec}} for s in simulators]
    return make_design({"name": "humans", "seed": seed, "episodes": asked * words * repeats, "wordings": list(wordings),
                        "protocol": "silent", "arms": arms, **more})


def against_humans(args: Namespace) -> int:
    """Asks the simulators what people were asked, and reports."""
    from .api import synchronous
    from .runner import start
    if len(args.truth) > 1:
        raise DesignError("one data set of people at a time: give a single --truth humans:NAME.")
    if args.priors or args.thresholds or args.message:
        raise DesignError("--priors, --thresholds and --message belong to items of persuasion: leave them out with --truth humans:...")
    page = page_of(args)
    name = args.truth[0].removeprefix(HUMANS)
    of, simulators = data_set(name), [respondent(s, "simulator") for s in args.simulator]
    if page and page.suffix == ".png" and of.kind == "number":
        raise FieldError(f"--page {page}: numbers are not drawn; name an .html file.")
    more = {"budget": args.budget} if args.budget is not None else {}
    repeats = max(2, REPEATS // len(of.ways)) if args.repeats is None else args.repeats
    made = design(of, simulators, repeats, args.wording or ("all",), args.seed, cache=args.cache, attempts=args.attempts, **more)
    if args.estimate or not args.json:
        n = sum(q.n or 0 for q in of.questions if of.people(q)) if of.kind == "choice" and of.compare == "levels" else 0
        tell(made, [f"    se of a share near one half: {(0.25 / repeats / len(of.ways)) ** 0.5:.3f} a question and wording",
                    *people_worth(n, int(made.episodes))])
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
        print(f"{s['arm']}: {s['benchmark']:<56} {s['value']:.4f}{span}")
    for line in verdicts(found):
        print(line)
    if page:
        print(f"The report is in {page}.")


def verdicts(found: Sequence[Score]) -> list[str]:
    """What the numbers come to, in sentences."""
    by = {(s["arm"], s["benchmark"]): s["value"] for s in found}
    half, noise = by.get((PEOPLE, HALF)), by.get((PEOPLE, NOISE))
    lines = [f"{arm}, {name.partition(',')[0]}: fits by {by[arm, name.replace(OUT, IN)]:.3f} and predicts by {value:.3f}, "
             f"{'worse' if value > half else 'better'} than always one half ({half:.3f})."
             for (arm, name), value in by.items() if name.endswith(OUT) and half is not None]
    for (arm, name), value in by.items():
        if name == ERROR and half is not None:
            lines.append(f"{arm}: off by {value:.3f}, {'no better' if value >= half else 'better'} than always one half ({half:.3f})"
                         + (f"; as many people would be off by {noise:.3f} from chance alone." if noise is not None else "."))
        if name == RECITED:
            blind = by[arm, RECITED_HALF]
            lines.append(f"{arm}: asked for the result, off by {value:.3f} where one half would be by {blind:.3f}: "
                         + ("it may have read it, and its answers tell little." if value < blind / 2 else "no sign that it has read it."))
    return lines


def write_page(to: Path, store: Store, run: str, of: DataSet, simulators: Sequence[Respondent], found: Sequence[Score]) -> None:
    """The one-page report."""
    from ..transcripts.people_page import write
    said = told(store, run, simulators)
    shares = {s.name: choices(of, heard(said[s.name], len(of.questions))) for s in simulators} if of.kind == "choice" else {}
    write(to, run, of.model_dump(include={"title", "source", "licence", "asking"}), [q.key for q in of.questions], shares, found,
          verdicts(found))


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
        own = heard(rows, len(of.questions))
        found.append(_line(s.name, s.spec["agent"], "answered", float(np.mean([r["status"] == "done" for r in rows])), len(rows)))
        if of.kind == "number":
            numbers, spans = _numbers(of, own), {}
        else:
            c = choices(of, own)
            numbers, spans = people.measures(c) | designed(of, own), people.intervals(c, draws=draws) if of.known and draws else {}
        numbers |= recited(of, said[s.name + RECITES])
        found += [_line(s.name, s.spec["agent"], name, value, len(rows), spans.get(name)) for name, value in numbers.items()]
    return found


def _line(arm: str, seat: str, name: str, value: float, n: int, span: tuple[float, float] | None = None) -> Score:
    return {**BLANK, "arm": arm, "role": "respondent", "seat": seat, "quantity": "fidelity" if arm != PEOPLE else "people",
            "benchmark": name, "value": value, "n": n, "low": span[0] if span else None, "high": span[1] if span else None,
            "method": "two-stage bootstrap" if span else ""}


def baselines(of: DataSet) -> dict[str, float]:
    """What is said of people without any simulator: how far off one half is, how noisy they are, how well a mixture of types fits."""
    known, found = [i for i, q in enumerate(of.questions) if of.people(q)], {}
    twice = [(of.people(q)[0], q.again[0]) for q in of.questions if q.again]
    if len(twice) > 1:
        r = closeness.correlation([one for one, _ in twice], [other for _, other in twice], True)
        found = {} if r is None else {"rank correlation of conditions, one study with another": r}
    if not known or of.compare != "levels":
        return found
    h, n = [of.people(of.questions[i])[0] for i in known], [of.questions[i].n for i in known]
    found |= {HALF: closeness.rmse(h, [0.5] * len(h))}
    if all(n):
        found[NOISE] = sampling_noise(h, [float(x) for x in n if x])
    if of.types:
        found |= dict(_mixed({name: [chances[i] for i in known] for name, chances in of.types.items()}, h, "types"))
    return found


def heard(rows: Rows, questions: int) -> list[Said]:
    """The valid answers of an arm that was asked so many questions, each in one way or several."""
    found = []
    for r in (r for r in rows if r["status"] == "done"):
        way, at = divmod(from_json(r["state"])["fields"]["at"], questions)
        found.append(Said(at, way, r["wording"], next(iter(from_json(r["move"])["fields"].values()))))
    return found


def choices(of: DataSet, said: Sequence[Said]) -> people.Choices:
    """Everybody's answers as counts, pooled over ways, options merged as people's are."""
    names, width = sorted({s.wording for s in said}), len(of.merge) or len(of.labels)
    counts = np.zeros((len(names), len(of.questions), width))
    for w, name in enumerate(names):
        for i in range(len(of.questions)):
            given = [s.answer for s in said if (s.at, s.wording) == (i, name)]
            counts[w, i] = of.grouped([given.count(label) for label in of.labels])
    shares = np.array([of.people(q) or (np.nan,) * width for q in of.questions], float)
    n = np.array([q.n or np.nan for q in of.questions], float)
    return people.Choices(shares, n, counts, tuple(names), of.compare == "levels")


def designed(of: DataSet, said: Sequence[Said]) -> dict[str, float]:
    """What the design of the data set measures beyond shares; nothing where a question has no answer in some way."""
    counts = np.zeros((len(of.ways), len(of.questions), len(of.labels)))
    for s in said:
        counts[s.way, s.at, of.labels.index(s.answer)] += 1
    if not counts.sum(axis=2).all():
        return {}
    by_way, pooled = counts / counts.sum(axis=2, keepdims=True), counts.sum(axis=0)
    found = dict(DESIGNS[of.design](of, pooled, pooled / pooled.sum(axis=1, keepdims=True))) if of.design else {}
    if of.design == "price_gouging" and of.views:
        found |= dict(_by_politics(of, by_way))
    return found | dict(_views(of, by_way))


def _views(of: DataSet, shares: Any) -> Iterator[tuple[str, float]]:
    """Contrasts of views, and people as a mixture of them. shares (views, questions, options)."""
    for name, (former, latter) in of.contrasts.items():
        one, two = (np.mean([shares[of.ways.index(v), :, 0].mean() for v in side]) for side in (former, latter))
        yield name, float(one - two)
    if of.views and of.compare == "levels" and all(of.people(q) for q in of.questions):
        yield from _mixed(dict(zip(of.ways, shares[:, :, 0], strict=True)), [of.people(q)[0] for q in of.questions], "views")


def _mixed(types: Mapping[str, Any], h: Sequence[float], what: str) -> Iterator[tuple[str, float]]:
    """How well a mixture of types fits people's shares, in sample and on questions that it was not fitted to."""
    weights, squares = mixture(list(types.values()), h)
    yield from ((f"mixture: weight of the {name}", float(w)) for name, w in zip(types, weights, strict=True))
    yield f"mixture of {what}{IN}", float(np.sqrt(squares / len(h)))
    if len(h) > 2:
        yield f"mixture of {what}{OUT}", left_out(list(types.values()), h)


def _demand(of: DataSet, counts: Any, shares: Any) -> Iterator[tuple[str, float]]:
    items = of.questions
    found = designs.demand([q.price or 0.0 for q in items], [float(q.attribute or 0) for q in items], counts[:, 0], counts.sum(axis=1))
    yield "demand never rises with the price", float(found.falls)
    if found.slope is not None and found.slope_se is not None:
        yield from (("slope of demand (logit per unit of price)", found.slope), ("its standard error", found.slope_se))
    if found.worth is not None and found.worth_se is not None:
        yield from (("willingness to pay for the attribute", found.worth), ("its standard error (willingness to pay)", found.worth_se))


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


def _by_politics(of: DataSet, shares: Any) -> Iterator[tuple[str, float]]:
    """For every view: who accepts which price, over verbs, and by how much more where the price is said to change than to rise."""
    for v, name in enumerate(of.ways):
        fair = {q.key: of.grouped(row)[0] for q, row in zip(of.questions, shares[v], strict=True)}
        for price in dict.fromkeys(key.rpartition(" ")[2] for key in fair):
            both = {key.partition(" ")[0]: x for key, x in fair.items() if key.endswith(f" {price}")}
            yield f"fair or acceptable at {price}: {name}", float(np.mean(list(both.values())))
            yield f"effect of \"changes\" for \"raises\" at {price}: {name}", both["changes"] - both["raises"]


def _price_gouging(of: DataSet, counts: Any, shares: Any) -> Iterator[tuple[str, float]]:
    for q, row in zip(of.questions, shares, strict=True):
        yield f"fair or acceptable: {q.key}", float(of.grouped(row)[0])


DESIGNS = {"demand": _demand, "hiring": _hiring, "status_quo": _status_quo, "obedience": _obedience, "price_gouging": _price_gouging}


def recited(of: DataSet, rows: Rows) -> dict[str, float]:
    """How near a simulator comes that is asked for the result. Near, it may have read it, and its answers tell little."""
    known = [of.people(q)[0] for q in of.questions if of.people(q)]
    said_of = [[s.answer for s in heard(rows, len(known)) if s.at == i] for i in range(len(known))] if known else []
    pairs = [(h, float(np.median(given)) / 100) for h, given in zip(known, said_of, strict=True) if given]
    if not pairs:
        return {}
    h, said = (list(column) for column in zip(*pairs, strict=True))
    found = {RECITED: float(np.mean(np.abs(np.subtract(h, said)))),
             RECITED_HALF: float(np.mean(np.abs(np.subtract(h, 0.5))))}
    r = closeness.correlation(h, said, True)
    return found | ({"recitation: rank correlation": r} if r is not None else {})


def _numbers(of: DataSet, said: Sequence[Said]) -> dict[str, float]:
    """|log10(median / people's)|, the same to the truth, and ratio of interquartile ranges, over questions.

    A spread of 0 is a failure, and is counted. One nearer the truth than people are is too accurate to stand in for them.
    """
    off, ratios, errors = [], [], []
    for i, q in enumerate(of.questions):
        given = [s.answer for s in said if s.at == i]
        if q.median is None or q.iqr is None or not given:
            continue
        low, middle, high = np.quantile(given, (0.25, 0.5, 0.75))
        ratios.append(float(high - low) / q.iqr)
        if middle > 0:
            off.append(abs(float(np.log10(middle / q.median))))
            errors += [[abs(float(np.log10(x / q.truth))) for x in (middle, q.median)]] if q.truth else []
    if not ratios:
        return {}
    found = {"|log10 of median over people's|": float(np.mean(off))} if off else {}
    if errors:
        own, theirs = (float(x) for x in np.mean(errors, axis=0))
        found |= {"|log10 of median over the truth|": own, "|log10 of people's median over the truth|": theirs}
    return found | {
        "ratio of interquartile ranges": float(np.mean(ratios)),
        "questions without any spread (failures)": float(sum(r == 0 for r in ratios))}

"""`parlour report`: a run as a document. Everything in it comes from rows; the design is explained by the design itself."""
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from ..errors import InputError, StoreError
from ..registry import explain
from ..reports.document import Code, Document, Figure, Section, Table
from ..reports.figures import svg
from ..transcripts.arms import Score
from ..transcripts.courses import courses_of
from ..transcripts.drift import drift, watched
from ..transcripts.hypotheses import Finding, as_rows, findings
from ..transcripts.learning import learned
from ..transcripts.paths import ROLES
from ..transcripts.robustness import as_table, influences, specifications
from ..transcripts.scores import score
from ..transcripts.seal import noted
from ..transcripts.store import Store
from .check import explain_design
from .copies import copied, descent
from .design import Design
from .matched import NO_SLOPE, matched
from .screen import BESIDE

UNFINISHED = ("SELECT e.arm, n.status, n.why, count(*) AS episodes FROM episode e JOIN ending n USING (run, episode) WHERE run = ? AND "
              "n.status <> 'done' GROUP BY ALL ORDER BY ALL")
COSTS = """
    SELECT e.arm, k.role, a.model, count(*) AS replies, count(*) FILTER (a.verdict IN ('invalid', 'truncated')) AS invalid,
           count(*) FILTER (a.verdict = 'refusal') AS refusals, count(*) FILTER (a.verdict = 'error') AS failures,
           count(*) FILTER (a.cached) AS cached, sum(a.tokens_in)::BIGINT AS "tokens in", sum(a.tokens_out)::BIGINT AS "tokens out",
           sum(a.cost) AS "US$", median(a.latency) AS "median seconds"
    FROM attempt a JOIN ask k USING (run, episode, turn) JOIN episode e USING (run, episode)
    WHERE run = ? GROUP BY ALL ORDER BY ALL"""


def report(store: Store, run: str, level: float = 0.95, figures: bool = True) -> Document:
    """The document of a run. figures: False to do without matplotlib. Raises InputError."""
    row = store.rows("SELECT * FROM run WHERE run = ?", [run])[0]
    design = designed(row["design"], run)
    scores, claims = score(store, run, keep=False, level=level), findings(store, run, level=level)
    ended = store.rows("SELECT count(*) AS n, count(*) FILTER (status = 'done') AS done FROM ending WHERE run = ?", [run])[0]
    copies = copied(store, run)
    return Document(f"{design.name}", f"Run {run}: {ended['done']} of {ended['n']} ended episodes were played to their end. "
                    f"Root {noted(store, run) or 'none: the run has not ended'}.", [
        Section("Design", _design(design, copies)),
        *descent(store, run, level),
        Section("Results", list(_results(scores, level, figures))),
        *_hypotheses(store, run, claims, level, figures),
        *_learning(store, run, level, figures),
        Section("What was excluded, and why", list(_excluded(store, run, scores))),
        Section("Costs", list(_costs(store, run))),
        Section("How to reproduce it", _reproduce(row, run, store)),
    ])


def designed(text: str, run: str) -> Design:
    """The design a run was played by. Raises StoreError if this version cannot read it."""
    try:
        return Design.model_validate(from_json(text))
    except ValidationError as error:
        raise StoreError(f"run {run} was played by another version of Parlour: {explain(error)}.") from None


def _design(design: Design, copies: int) -> list[str | Table | Figure | Code]:
    try:
        lines = explain_design(design, copies)
    except InputError as error:  # a package that the design needs is not here: the rows are still good
        lines = [f"The design cannot be built here: {error}"]
    held = design.lock
    if copies:
        return [Code(lines)]
    if held is None:
        locked: list[str | Table | Figure | Code] = ["The design was not locked before it was run."]
    else:
        locked = [f"Locked before it was run, as {held.hash}, with {len(held.deviations)} deviation(s)."]
        locked.append(Table("deviations", [d.model_dump() for d in held.deviations],
                            "Each place at which what was played departs from what was locked."))
    return [Code(lines), *locked]


# --- results ----------------------------------------------------------------------------------------------------------------
WORST = "worst, best: the mean if every unfinished episode had paid the least, or the greatest, that the game allows. "


def _results(scores: Sequence[Score], level: float, figures: bool) -> Iterator[str | Table | Figure]:
    means = [s for s in scores if s["quantity"] == "payoff"]
    gaps = [s for s in scores if s["quantity"] == "gap"]
    lost = any(s["missing"] for s in means)
    yield Table("payoffs", [_mean(s, lost) for s in means],
                f"Mean net payoff per arm and role with its {level:.0%} interval. {WORST if lost else ''}icc: intraclass "
                "correlation of the clusters; distinct: share of distinct replies; effective: independent episodes that the sample is "
                "worth.")
    yield Table("gaps", [{"arm": s["arm"], "role": s["role"], "benchmark": s["benchmark"], "kind": s["kind"], "value": s["benchmark_value"],
                          "gap": s["value"], "low": s["low"], "high": s["high"]} for s in gaps],
                "Mean payoff less the value of each benchmark.")
    if figures and means:
        from ..reports.figures import intervals
        rows = [{"what": f"{s['arm']}, {s['role']}", "value": s["value"], "low": s["low"], "high": s["high"],
                 "benchmark": next((g["benchmark_value"] for g in gaps if (g["arm"], g["role"]) == (s["arm"], s["role"])), None)}
                for s in means if s["value"] is not None]
        yield Figure("payoffs-figure", intervals(rows, "what", "mean net payoff", "benchmark"),
                     f"Mean net payoffs with {level:.0%} intervals; the red mark is the first benchmark of the role.", rows)
    beside = [s for s in scores if s["quantity"] in BESIDE]
    yield Table("beside", [{"arm": s["arm"], "role": s["role"], "quantity": s["quantity"], "what": s["benchmark"], "value": s["value"],
                            "low": s["low"], "high": s["high"], "n": s["n"], "interval": s["method"]} for s in beside],
                "Comprehension and recitation: shares of right answers. Belief: stated chance, whether it happened, proper scores (less is "
                "better). Contamination: the canonical wording less its isomorphs, 0 for a seat that reasons from what it is told. "
                "Policy: what stated policies are worth against receivers at their best, and whether receivers were. Independence: whether "
                "words tell the state. Simulator: queries put, at which thresholds, answers that are the ideal follower's.")
    channels = [s for s in scores if s["quantity"] in ("channel", "recalibrated")]
    yield Table("channels", [{"arm": s["arm"], "adviser": s["role"], "what": s["benchmark"], "value": s["value"], "low": s["low"],
                              "high": s["high"], "n": s["n"] or None} for s in channels],
                "What advisers really were, and the benchmarks at the accuracy they had.")


def _mean(s: Score, lost: bool) -> dict[str, Any]:
    """lost: whether any mean leaves episodes out; where none does, worst and best are the mean."""
    bounds = {"worst": s["worst"], "best": s["best"]} if lost else {}
    return {"arm": s["arm"], "role": s["role"], "seat": s["seat"], "n": s["n"], "missing": s["missing"], "mean": s["value"],
            "low": s["low"], "high": s["high"], **bounds, "icc": s["icc"], "distinct": s["distinct"],
            "effective": s["effective_n"], "interval": s["method"] + (f" ({s['note']})" if s["note"] else "")}


def _hypotheses(store: Store, run: str, claims: Sequence[Finding], level: float, figures: bool) -> Iterator[Section]:
    if not claims:
        return
    rows = as_rows(claims)
    yield Section("Hypotheses", [
        Table("hypotheses", [{k: r[k] for k in ("hypothesis", "family", "claim", "estimate", "low", "high", "p", "adjusted", "holds",
                                                "holds_at_worst", "holds_at_best", "method")} for r in rows],
              "adjusted: within the family, by Holm (primary) or Benjamini-Hochberg (exploratory). holds_at_worst, holds_at_best: the same "
              "conclusion, were every missing value the least or the greatest possible."),
        Table("estimands", [{k: r[k] for k in ("hypothesis", "estimand", "n", "missing", "clusters", "effective_n", "icc", "distinct")}
                            for r in rows]),
        *(part for f in claims for part in _robust(store, run, f, level, figures))])


def _robust(store: Store, run: str, f: Finding, level: float, figures: bool) -> Iterator[str | Table | Figure]:
    h = f.hypothesis
    name = "".join(c if c.isalnum() else "-" for c in h.name)
    curve = as_table(specifications(store, run, h, level))
    if len(curve) > 1:
        alike = sum((r["low"] or 0) > h.null or (r["high"] or 0) < h.null for r in curve if r["low"] is not None)
        caption = f"{h.name}: {h.estimand} under {len(curve)} specifications; in {alike} of them the interval leaves out {h.null:g}."
        if figures:
            from ..reports.figures import specification_curve
            yield Figure(f"specifications-{name}", specification_curve(curve, h.null, "estimate"), caption, curve)
        else:
            yield Table(f"specifications-{name}", curve, caption)
    moved = as_table(influences(store, run, h, level))
    if moved:
        yield Table(f"influence-{name}", moved[:5], f"{h.name}: the estimate without one cluster, those that move it most first.")


# --- games in rounds ------------------------------------------------------------------------------------------------------------
def _learning(store: Store, run: str, level: float, figures: bool) -> Iterator[Section]:
    found = learned(store, run, level)
    if not found:
        return
    regret = [s for s in found if s["quantity"] == "expected regret"]
    parts: list[str | Table | Figure | Code] = [
        Table("regret", [{**_whose(s), "benchmark": s["benchmark"], "per round": s["benchmark_value"], "regret": s["value"],
                          **_estimated(s)} for s in regret],
              "Expected regret over all rounds: rounds times the benchmark, less the mean rewards of the cells that were played (of texts, "
              "less what their scores paid)."),
        Table("paired-regret", matched(store, run, level),
              "Leaders who are no learners against learners in their place: expected regret over all rounds, first less second, paired "
              "on the same tape. It is the same against every benchmark."),
        NO_SLOPE,
        Table("exploration", [{**_whose(s), "measure": s["quantity"], "value": s["value"], **_estimated(s)} for s in found
                              if s not in regret],
              "min fraction: arms times the share of the rarest. greedy fraction: rounds that took an arm of the highest mean so far. "
              "suffix failure: episodes in which the leader never plays the best prompt in the second half. instantaneous regret: what "
              "the follower's answer lost against its best, per round.")]
    if figures:
        parts += _curves(store, run)
    yield Section("Learning", parts)


def _whose(s: Score) -> dict[str, Any]:
    return {"arm": s["arm"], "role": s["role"], "seat": s["seat"]}


def _estimated(s: Score) -> dict[str, Any]:
    return {"low": s["low"], "high": s["high"], "n": s["n"], "interval": s["method"]}


def _curves(store: Store, run: str) -> Iterator[Figure]:
    from .plots import guarantees, pictures, usual
    arms = [c for c in courses_of(store, run) if c.game.measured]
    if not arms:
        return
    paths = [c.paths for c in arms]
    bounds = guarantees(arms[-1].game, arms[-1].arm.rules, paths[-1].rounds.tolist())
    leader, benchmark = ROLES[0], usual(paths, ROLES[0])
    captions = {"regret": f"Expected regret of {leader} against {benchmark} up to each round: mean over episodes, and the band from their "
                          "tenth to their ninetieth percentile.",
                "prompts": "How often each prompt was sent, of all rounds so far.",
                "responses": "How often each response was given, of all rounds so far."}
    for made in pictures(paths, leader, benchmark, bounds):
        yield Figure(f"{made.name}-figure", svg(made.plot), captions[made.name], made.rows)


# --- what went wrong, and what it cost ----------------------------------------------------------------------------------------
def _excluded(store: Store, run: str, scores: Sequence[Score]) -> Iterator[str | Table]:
    lost = store.rows(UNFINISHED, [run])
    if lost:
        yield ("No value was made up for an unfinished episode: means are over the others, and worst and best in the tables hold whatever "
               "it would have paid.")
        yield Table("unfinished", lost)
    else:
        yield "Nothing was excluded: every episode was played to its end."
    rates = [s for s in scores if s["quantity"] == "rate" and s["value"]]
    yield Table("rates", [{"arm": s["arm"], "role": s["role"], "what": s["benchmark"], "rate": s["value"], "low": s["low"],
                           "high": s["high"], "of": s["n"]} for s in rates],
                "Invalid replies went back with a complaint; the same ask was put again.")


def _costs(store: Store, run: str) -> Iterator[str | Table]:
    yield Table("costs", store.rows(COSTS, [run]), "Replies per seat and model. failures: calls that the service did not answer.")
    models = watched(store, run)
    yield from (f"Warning: {w}" for w in drift(store, run, models))
    yield Table("sentinels", [{"model": w.whose, "question": item, "answers in order": " | ".join(said for _, said in line),
                               "p of model": w.p} for w in models for item, line in w.answers.items()],
                "Fixed questions put again and again under the run. p of model: that answers of a steady model differ so much before and "
                "after some round, over all of its questions.")


def _reproduce(row: dict[str, Any], run: str, store: Store) -> list[str | Table | Code]:
    versions = from_json(row["versions"])
    return [f"Seed {row['seed']}, played by Parlour {versions.get('parlour', '?')}"
            + (f" at commit {row['commit']}" if row["commit"] else "") + ".",
            Code([f"parlour verify {run} --store {store.path.name}    # every script driven again by the recorded words, offline",
                  f"parlour report {run} --store {store.path.name}    # this document, from the rows",
                  f"parlour bundle {run} --store {store.path.name}    # all of it in one archive, for another machine"]),
            Table("versions", [{"package": k, "version": v} for k, v in versions.items() if isinstance(v, str)])]

"""Whether the models of a run stayed the same under it, from rows alone: what they are called, and what they answer.

Sentinels are fixed questions that were put to a model in every round from the start of a run to its end. Answers of a sampled
model vary by themselves, and at temperature 0 those of some services do too. So the answers are cut in two at each place in
time; how far each question's shares of answers before and after lie apart is summed over questions (the energy distance of
things that are equal or not); the greatest sum over all cuts is compared with those of each question's answers in random
orders. If the model is steady and answers each call by itself, all orders are equally likely: p is exact however few the
rounds and however rare an answer, and the search over cuts is paid for. A run is warned of where p is at most LEVEL by the
number of its models, so that a run whose models are all steady is accused in at most one case in a hundred.
Source: D. S. Matteson, N. A. James (2014), A nonparametric approach for multiple change point analysis of multivariate data,
Journal of the American Statistical Association 109, sections 2 and 3, for one change.
"""
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from .store import Store

SEATS = """
    SELECT e.arm || ', ' || k.role AS whose, a.model, a.fingerprint, count(*) AS replies, min(a.written) AS first
    FROM attempt a JOIN ask k USING (run, episode, turn) JOIN episode e USING (run, episode)
    WHERE a.run = ? AND a.verdict <> 'error' AND a.model IS NOT NULL GROUP BY ALL ORDER BY whose, first"""
SENTINELS = """
    SELECT spec::VARCHAR AS whose, round, item, words, model, fingerprint FROM sentinel
    WHERE run = ? AND verdict NOT IN ('asked', 'error', 'unmade') ORDER BY whose, written"""
RESUMED = "SELECT DISTINCT differs::VARCHAR AS differs FROM resumed WHERE run = ? AND json_array_length(differs) > 0 ORDER BY ALL"
LEVEL, ORDERS, CUTS = 0.01, 1999, 19

Answers = Mapping[int, Sequence[tuple[int, str]]]
"""Question -> (place, answer), in order of time. A place is a number over all questions: they come in rounds, but not evenly."""


@dataclass(frozen=True)
class Watched:
    """The sentinels of one model. names: what it was called, if that changed; cut: the round from which on answers differ most;
    p: that a steady model's differ so much."""
    whose: str
    answers: Answers
    names: str
    cut: int
    p: float


def drift(store: Store, run: str, sentinels: Sequence[Watched] | None = None) -> list[str]:
    """A warning for every seat whose model, or the model's fingerprint, was not the same throughout; for every model whose answers
    to the sentinels changed; and for packages that changed when the run was taken up again.

    sentinels  what `watched` found, if it has been asked already
    """
    seats: dict[str, list[dict[str, Any]]] = {}
    for row in store.rows(SEATS, [run]):
        seats.setdefault(row["whose"], []).append(row)
    found = [f"the run went on with other packages than it was begun with: {'; '.join(from_json(row['differs']))}"
             for row in store.rows(RESUMED, [run])]
    found += [f"{whose}: the model changed under the run: " + ", then ".join(map(_named, rows))
              for whose, rows in seats.items() if len(rows) > 1]
    return found + list(_warnings(watched(store, run) if sentinels is None else sentinels))


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['model']}{' ' + row['fingerprint'] if row['fingerprint'] else ''} ({row['replies']} replies)"


def _warnings(found: Sequence[Watched]) -> Iterator[str]:
    for w in found:
        if w.names:
            yield f"sentinels, {w.whose}: the model changed under the run: {w.names}"
        if w.p <= LEVEL / len(found):
            yield (f"sentinels, {w.whose}: answers changed about round {w.cut} (p = {w.p:.2g}): a sign that the model changed under "
                   f"the run. Steady models are so accused in at most {LEVEL:.0%} of runs")


def watched(store: Store, run: str) -> list[Watched]:
    """Every model that sentinels were put to, in the order of their names and settings."""
    models: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in store.rows(SENTINELS, [run]):
        models[row["whose"]].append(row)
    return [_watched(from_json(spec), rows) for spec, rows in models.items()]


def _watched(spec: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Watched:
    answers = defaultdict[int, list[tuple[int, str]]](list)
    for place, r in enumerate(rows):
        answers[r["item"]].append((place, _plain(r["words"])))
    whose = f"{spec['model']}{' at ' + spec['endpoint'] if spec.get('endpoint') else ''}"
    cut, p = change(answers)
    return Watched(whose, dict(sorted(answers.items())), _names(rows), rows[cut]["round"], p)


def _plain(words: str | None) -> str:
    """An answer without what does not matter: case, spaces, a full stop."""
    return " ".join((words or "").split()).strip(" .\"'*").lower()


def _names(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the model was called, round by round, if that changed."""
    first: dict[tuple[str | None, str | None], int] = {}
    for r in rows:
        first.setdefault((r["model"], r["fingerprint"]), r["round"])
    if len(first) < 2:
        return ""
    return ", then ".join(f"{' '.join(filter(None, name))} (from round {at})" for name, at in first.items())


def change(answers: Answers, orders: int = ORDERS, seed: int = 0) -> tuple[int, float]:
    """(place from which on answers differ most from those before, p of a permutation test that they do). CUTS places are tried."""
    import numpy as np

    rng, places = np.random.default_rng(seed), sorted(at for line in answers.values() for at, _ in line)
    cuts = sorted({places[len(places) * i // (CUTS + 1)] for i in range(1, CUTS + 1)} - {places[0]}) if places else []
    if not cuts:
        return 0, 1.0
    total = np.zeros((orders + 1, len(cuts)))
    for line in answers.values():
        kinds = sorted({said for _, said in line})
        if len(kinds) == 1:
            continue
        codes = np.array([kinds.index(said) for _, said in line])
        shuffled = np.vstack([codes, rng.permuted(np.tile(codes, (orders, 1)), axis=1)])
        early = np.array([[at < cut for at, _ in line] for cut in cuts], dtype=float)
        total += _distance(np.eye(len(kinds))[shuffled], early)
    best = total.max(axis=1)
    return cuts[int(total[0].argmax())], float((best >= best[0] - 1e-9).mean())


def _distance(said: Any, early: Any) -> Any:
    """How far answers before and after lie apart, per order and cut. said: (orders, times, answers) of 0 and 1; early: (cuts, times).

    n m / (n + m) times the sum over answers k of (p_k - q_k)^2, with p the shares before, of n answers, and q those after, of m; 0
    where a side is empty.
    """
    import numpy as np

    before = early @ said
    every, n = said.sum(axis=1)[:, None, :], early.sum(axis=1)[None, :, None]
    m = early.shape[1] - n
    gap = (m * before - n * (every - before)) ** 2
    return np.divide(gap, n * m * (n + m), out=np.zeros_like(gap), where=n * m > 0).sum(axis=2)

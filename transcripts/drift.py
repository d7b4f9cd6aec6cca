"""Whether the models of a run stayed the same under it, from rows alone: what they are called, and what they answer.

Sentinels are fixed questions that were put to a model in every round from the start of a run to its end. At temperature 0 an
answer that changes is a sign of another model, though no proof: some services answer unevenly all the same. At any other
temperature answers vary by themselves. Then the rounds are cut in two at each place; each question's answers before and after
are compared by the chi-square statistic of their table, summed over questions; the greatest sum over all cuts is compared
with those of the same answers in random orders of the rounds. If the model is steady, all orders are equally likely, so that
it is warned of in at most one run in a hundred, however few the rounds and however rare an answer.
Source: P. Good (2005), Permutation, parametric and bootstrap tests of hypotheses, 3rd ed.
"""
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from .store import Store

SEATS = """
    SELECT e.arm || ', ' || k.role AS whose, a.model, a.fingerprint, count(*) AS replies, min(a.written) AS first
    FROM attempt a JOIN ask k USING (run, episode, turn) JOIN episode e USING (run, episode)
    WHERE a.run = ? AND a.verdict <> 'error' AND a.model IS NOT NULL GROUP BY ALL ORDER BY whose, first"""
SENTINELS = """
    SELECT spec::VARCHAR AS whose, round, item, words, model, fingerprint FROM sentinel
    WHERE run = ? AND verdict NOT IN ('asked', 'error', 'unmade') ORDER BY whose, item, round, written"""
LEVEL, ORDERS = 0.01, 4999

Answers = Mapping[int, Sequence[tuple[int, str]]]
"""Question -> (round, answer), rounds ascending."""


def drift(store: Store, run: str) -> list[str]:
    """A warning for every seat whose model, or the model's fingerprint, was not the same throughout; and for every model whose
    answers to the sentinels changed."""
    seats: dict[str, list[dict[str, Any]]] = {}
    for row in store.rows(SEATS, [run]):
        seats.setdefault(row["whose"], []).append(row)
    found = [f"{whose}: the model changed under the run: " + ", then ".join(map(_named, rows))
             for whose, rows in seats.items() if len(rows) > 1]
    return found + list(_sentinels(store, run))


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['model']}{' ' + row['fingerprint'] if row['fingerprint'] else ''} ({row['replies']} replies)"


def _sentinels(store: Store, run: str) -> Iterator[str]:
    """The warnings that sentinels give rise to."""
    models: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in store.rows(SENTINELS, [run]):
        models[row["whose"]].append(row)
    for text, rows in models.items():
        spec, answers = from_json(text), defaultdict[int, list[tuple[int, str]]](list)
        for r in rows:
            answers[r["item"]].append((r["round"], _plain(r["words"])))
        whose = f"sentinels, {spec['model']}{' at ' + spec['endpoint'] if spec.get('endpoint') else ''}"
        if names := _names(rows):
            yield f"{whose}: the model changed under the run: {names}"
        if what := _changed(answers) if spec.get("temperature") == 0 else _shifted(answers):
            yield f"{whose}: {what}"


def _plain(words: str | None) -> str:
    """An answer without what does not matter: case, spaces, a full stop."""
    return " ".join((words or "").split()).strip(" .\"'*").lower()


def _names(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the model was called, round by round, if that changed."""
    first: dict[tuple[str | None, str | None], int] = {}
    for r in sorted(rows, key=lambda r: int(r["round"])):
        first.setdefault((r["model"], r["fingerprint"]), r["round"])
    if len(first) < 2:
        return ""
    return ", then ".join(f"{' '.join(filter(None, name))} (from round {at})" for name, at in first.items())


def _changed(answers: Answers) -> str:
    """At temperature 0: the first answer that is not as before; empty if there is none."""
    found = [(at, item, line[0][1], said) for item, line in answers.items() for at, said in line if said != line[0][1]]
    if not found:
        return ""
    at, item, before, after = min(found)
    return (f"at temperature 0, {len({f[1] for f in found})} of {len(answers)} answers changed, first that to question {item} in "
            f"round {at}, from \"{before}\" to \"{after}\": a sign that the model changed under the run")


def _shifted(answers: Answers) -> str:
    """At any other temperature: whether answers before some round and after it differ more than chance would have it."""
    cut, p = change(answers)
    if p > LEVEL:
        return ""
    return (f"answers changed about round {cut} (p = {p:.2g}: a steady model is so accused in at most {LEVEL:.0%} of runs): a sign "
            "that the model changed under the run")


def change(answers: Answers, seed: int = 0) -> tuple[int, float]:
    """(round before which answers differ most from those after, p of a permutation test that they do)."""
    import numpy as np

    rng, rounds = np.random.default_rng(seed), sorted({at for line in answers.values() for at, _ in line})
    cuts = rounds[1:]
    total = np.zeros((ORDERS + 1, len(cuts)))
    for line in answers.values():
        kinds = sorted({said for _, said in line})
        codes = np.array([kinds.index(said) for _, said in line])
        orders = np.vstack([codes, rng.permuted(np.tile(codes, (ORDERS, 1)), axis=1)])
        early = np.array([[at < cut for at, _ in line] for cut in cuts], dtype=float).reshape(len(cuts), len(line))
        total += _chi_square(np.eye(len(kinds))[orders], early)
    if not cuts:
        return 0, 1.0
    best = total.max(axis=1)
    return int(cuts[int(total[0].argmax())]), float((best >= best[0] - 1e-9).mean())


def _chi_square(said: Any, early: Any) -> Any:
    """Chi-square of before against after, per order and cut. said: (orders, rounds, answers) of 0 and 1; early: (cuts, rounds).

    With E_k of answer k before and L_k after, n and m in all: sum over k of (m E_k - n L_k)^2 / (n m (E_k + L_k)); 0 where a side
    is empty.
    """
    import numpy as np

    before = np.einsum("ct,otk->ock", early, said)
    every, n = said.sum(axis=1)[:, None, :], early.sum(axis=1)[None, :, None]
    m = early.shape[1] - n
    gap = (m * before - n * (every - before)) ** 2
    return np.divide(gap, n * m * every, out=np.zeros_like(gap), where=n * m * every > 0).sum(axis=2)

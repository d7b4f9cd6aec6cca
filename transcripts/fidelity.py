"""How well a simulator stands in for people, from the rows of a run of `announced_policy` alone.

*Rationality* is the distance to the ideal type, *fidelity* the distance to the people a simulator stands for: a simulator more
Bayesian than its people is unfaithful. Lead score: the economic loss of a sender who optimises against the simulator and meets
the people, cross-fitted: she reads one half of the answers, and is judged by the other; so is the best policy she is set
against. Beside it overpromise, the margin that would repair it, and the metrics others lead with.

Answers are counted per type, wording, threshold and half. Intervals are a bootstrap in two stages: cells of type and wording
(the clusters), then answers within them. An invalid answer is none: it is counted, and fits are of what is left.
"""
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp, inf, log
from typing import Any

import numpy as np
from pydantic_core import from_json

from ..games.announced_policy_words import WORDINGS
from ..games.solvers.noisy_receiver import Receiver, cost_of, logistic, logit, repairing_margin
from ..games.solvers.queries import best_cuts
from ..games.solvers.thresholds import crowd
from . import agreement as closeness
from .psychometric import Fit, Lapses, Weights, fit, grether, inversions, lapses
from .sensitivity import SAMPLED, Effect, sensitivity
from .store import Store

SURE, NEVER = 1e-3, -12.0
RETESTED = ("people's agreement with themselves", "normalised accuracy")
"""Of answers drawn anew from shares these are off by the noise of the shares: their intervals are moved to the estimate."""
FACTORS = (SAMPLED, "order", "labels", "message")
LEAVE = ", told to leave"
"""Ends the name under which answers in a wording are counted where the message was to leave."""
CROSSES = {w.name: w.factors for w in WORDINGS}
"""Wording -> its level of each factor."""
SEP = ": "
LOSS = "economic loss"
Judgement = tuple[float, float, float, str]
"""Stated log odds, log odds of the prior, log likelihood ratio, cluster."""

ANSWERS = """
SELECT e.arm, e.wording, e.replicate, e.state, n.status, a.move,
       (SELECT count(*) FROM attempt b WHERE b.run = e.run AND b.episode = e.episode AND b.verdict <> 'error') AS calls,
       (SELECT count(*) FROM attempt b WHERE b.run = e.run AND b.episode = e.episode
        AND b.verdict IN ('invalid', 'truncated', 'refusal')) AS bad
FROM episode e JOIN ending n USING (run, episode)
LEFT JOIN attempt a ON a.run = e.run AND a.episode = e.episode AND a.verdict = 'ok'
WHERE e.run = ? ORDER BY e.episode
"""


@dataclass
class Answers:
    """All that one respondent said.

    counts  (acted, valid answers) by type, wording, threshold, half    (T, W, D, 2, 2)
    beliefs every judgement
    given   (log odds of the posterior told, acted) of every choice at a given posterior
    gone    items to act upon that got no valid answer, as counts                      (T, W, D, 2)
    calls, bad, lost   replies, invalid ones among them, items without any valid answer
    """
    priors: tuple[float, ...]
    thresholds: tuple[float, ...]
    wordings: tuple[str, ...]
    counts: Any
    beliefs: list[Judgement] = field(default_factory=list)
    given: list[tuple[float, float]] = field(default_factory=list)
    calls: int = 0
    bad: int = 0
    lost: int = 0
    gone: Any = 0

    def imputed(self, acted: bool) -> "Answers":
        """As if all who gave no valid answer had acted, or none of them."""
        return replace(self, counts=self.counts + np.stack([self.gone * float(acted), self.gone + 0.0], axis=-1))

    @property
    def x(self) -> list[float]:
        """The design in log odds."""
        return [logit(t) for t in self.thresholds]

    def threshold(self, kind: int, halves: slice | int = slice(None)) -> Fit | None:
        """The fit of one type, over its wordings; None without an answer."""
        acted, n = self._pooled(kind, halves)
        return fit(self.x, acted, n) if n.sum() else None

    def lapses(self, kind: int) -> Lapses | None:
        """How often one type acts, or does not, whatever is said; None where that cannot be told."""
        acted, n = self._pooled(kind)
        return lapses(self.x, acted, n) if n.sum() else None

    def _pooled(self, kind: int, halves: slice | int = slice(None)) -> tuple[Any, Any]:
        """(acted, answers) of one type at every threshold, over wordings and halves."""
        cells = self.counts[kind][:, :, halves].reshape(self.counts.shape[1], len(self.thresholds), -1, 2)
        return cells[..., 0].sum(axis=(0, 2)), cells[..., 1].sum(axis=(0, 2))

    def shares(self) -> Any:
        """Shares that acted, by type and threshold; nan where nobody answered."""
        whole = self.counts.sum(axis=(1, 3))
        with np.errstate(invalid="ignore"):
            return whole[..., 0] / whole[..., 1]


def variants(wordings: Sequence[str], messages: Sequence[str]) -> list[str]:
    """The names under which answers are counted apart: of a wording, and of it with the message to leave."""
    return [w + LEAVE * (m == "leave") for w in wordings for m in messages]


def factors(wordings: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Factor -> level of every wording. One that the game does not know is a wording of its own, and no more."""
    levels = [{SAMPLED: told, **CROSSES.get(told, {}), "message": "leave" if told != w else "buy"}
              for w in wordings for told in (w.removesuffix(LEAVE),)]
    return {f: tuple(of.get(f, "") for of in levels) for f in FACTORS}


def answers(store: Store, run: str) -> dict[str, Answers]:
    """Respondent -> what it said, in the order of the arms, which are named "respondent: task"."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in store.rows(ANSWERS, [run]):
        state = from_json(row["state"])["fields"]
        wording, = variants([row["wording"]], [state.get("message", "buy")])
        found[row["arm"].rpartition(SEP)[0]].append(row | {"state": state, "wording": wording})
    return {who: _collected(rows) for who, rows in found.items()}


def _collected(rows: list[dict[str, Any]]) -> Answers:
    priors, thresholds = (tuple(sorted({r["state"][k] for r in rows})) for k in ("prior", "threshold"))
    wordings = tuple(sorted({r["wording"] for r in rows}))
    shape = (len(priors), len(wordings), len(thresholds), 2)
    made = Answers(priors, thresholds, wordings, np.zeros((*shape, 2)), gone=np.zeros(shape))
    for r in rows:
        made.calls, made.bad, made.lost = made.calls + r["calls"], made.bad + r["bad"], made.lost + (r["status"] != "done")
        if r["status"] == "done":
            _add(made, r, from_json(r["move"])["fields"])
        elif r["arm"].rpartition(SEP)[2] == "act":
            made.gone[_cell(made, r)] += 1
    return made


def _cell(made: Answers, r: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """Type, wording, threshold, half of one answer."""
    state = r["state"]
    return (made.priors.index(state["prior"]), made.wordings.index(r["wording"]), made.thresholds.index(state["threshold"]),
            r["replicate"] % 2)


def _add(made: Answers, r: Mapping[str, Any], move: Mapping[str, Any]) -> None:
    prior, threshold, task = r["state"]["prior"], r["state"]["threshold"], r["arm"].rpartition(SEP)[2]
    if task == "judge":
        made.beliefs.append(judgement(move["chance"], prior, threshold, r["wording"]))
        return
    acted = float(move["action"] == "buy")
    if task == "act_on":
        made.given.append((logit(prior) - logit(threshold), acted))
        return
    made.counts[_cell(made, r)] += (acted, 1.0)


def judgement(stated: float, prior: float, threshold: float, wording: str) -> Judgement:
    """A stated chance beside what it is to be made of, in log odds; 0 and 1 are taken for almost that."""
    story, = factors([wording])[SAMPLED]
    return logit(min(1 - SURE, max(SURE, stated))), logit(prior), -logit(threshold), f"{prior}/{story}"


def receiver(found: Fit | None, share: float = 0.0) -> Receiver:
    """The person a sender takes somebody to be after a fit. Of a bracket she takes the safe end, at which all acted."""
    if found is None or (found.threshold is None and found.bracket is None):
        return Receiver(NEVER, inf, low=share)
    if found.bracket is not None:
        return Receiver(NEVER if found.bracket[0] is None else found.bracket[0])
    assert found.threshold is not None and found.slope is not None
    return Receiver(found.threshold, found.slope)


@dataclass(frozen=True)
class Type:
    """One type's economics: value of the best policy, what the simulator's earned and promised, the margin that repairs it."""
    best: float
    got: float
    promised: float
    margin: float


def economics(people: Answers, simulator: Answers, kind: int, ideal: bool) -> Type | None:
    """Cross-fitted over the two halves; None where a half holds no answer. ideal: the people are the ideal type itself."""
    prior, found = people.priors[kind], []
    for half in (0, 1):
        fits = people.threshold(kind, half), people.threshold(kind, 1 - half), simulator.threshold(kind, half)
        if None in fits:
            continue
        share = float(np.nanmean(people.shares()[kind]))
        true = Receiver(logit(prior)) if ideal else receiver(fits[1], share)
        own = true if ideal else receiver(fits[0], share)
        picture = receiver(fits[2], float(np.nanmean(simulator.shares()[kind])))
        best, hers = cost_of(true, own, prior), cost_of(true, picture, prior)
        found.append((max(best.got, hers.got) if ideal else best.got, hers.got, hers.promised, repairing_margin(true, picture, prior)))
    return Type(*(float(v) for v in np.mean(found, axis=0))) if found else None


def measures(people: Answers, simulator: Answers, ideal: bool) -> dict[str, float]:
    """Every number that compares the two, averaged over types, and of several types loss and error of each; what is not defined is
    left out."""
    found: dict[str, list[float]] = defaultdict(list)
    for kind, prior in enumerate(people.priors):
        made = economics(people, simulator, kind, ideal)
        if made is not None:
            for name, number in ((LOSS, made.best - made.got), ("overpromise", made.promised - made.got),
                                 ("value of the best policy", made.best), ("margin that repairs it", made.margin)):
                found[name].append(number)
            found[f"{LOSS}, prior {prior:g}"].append(made.best - made.got)
        _thresholds(found, people, simulator, kind, prior, ideal)
    p, q = _shares(people, simulator, ideal)
    numbers = {name: float(np.mean(v)) for name, v in found.items() if len(people.priors) > 1 or ", prior " not in name}
    shared = _shared(p, q, simulator, None if ideal else retest(people)) if len(p) else {}
    if ideal:
        shared.pop("people one answer is worth", None)  # who never errs is worth any number
    return numbers | shared | ({} if ideal else _corrected(people, simulator))


def extremes(people: Answers, simulator: Answers, ideal: bool) -> tuple[float, float] | None:
    """The least and the greatest economic loss if answers that were lost had all been to act, or none; None if none was lost."""
    lost = [float(np.sum(of.gone)) for of in (people, simulator)]
    if not any(lost):
        return None
    found = [found[LOSS] for one in (True, False) for two in (True, False)
             if LOSS in (found := measures(people.imputed(one), simulator.imputed(two), ideal))]
    return (min(found), max(found)) if found else None


def _corrected(people: Answers, simulator: Answers) -> dict[str, float]:
    """PPI++ of the people's mean share: each answer of theirs beside the simulator's share at the item, and all its answers."""
    acted, n = (people.counts.sum(axis=(1, 3))[..., i].ravel().astype(int) for i in (0, 1))
    share, more = np.nan_to_num(simulator.shares().ravel()), simulator.counts.sum(axis=(1, 3))[..., 1].ravel().astype(int)
    if n.sum() < 2 or more.sum() < 1:
        return {}
    return closeness.corrected(acted, n, share, more)


def _thresholds(found: dict[str, list[float]], people: Answers, simulator: Answers, kind: int, prior: float, ideal: bool) -> None:
    theirs, own = people.threshold(kind), simulator.threshold(kind)
    true = logit(prior) if ideal else theirs.threshold if theirs else None
    if own is None or own.threshold is None or true is None:
        return
    found["threshold error (logits)"].append(own.threshold - true)
    found[f"threshold error (logits), prior {prior:g}"].append(own.threshold - true)
    found["threshold error (probability)"].append(1 / (1 + exp(-own.threshold)) - 1 / (1 + exp(-true)))
    if theirs and theirs.slope and own.slope and not ideal:
        found["log slope ratio"].append(log(own.slope / theirs.slope))
        found["distance of threshold distributions"].append(closeness.wasserstein(true, theirs.slope, own.threshold, own.slope))


def _shares(people: Answers, simulator: Answers, ideal: bool) -> tuple[Any, Any]:
    p, q = people.shares().ravel(), simulator.shares().ravel()
    if ideal:
        p = np.array([float(t <= prior + 1e-12) for prior in people.priors for t in people.thresholds])
    both = ~(np.isnan(p) | np.isnan(q))
    return p[both], q[both]


def retest(people: Answers) -> float | None:
    """The chance that two different answers to one item are the same, without bias; None without an item answered twice."""
    whole = people.counts.sum(axis=(1, 3))
    acted, n = whole[..., 0].ravel(), whole[..., 1].ravel()
    twice = n >= 2
    k, m = acted[twice], n[twice]
    return float(np.mean((k * (k - 1) + (m - k) * (m - k - 1)) / (m * (m - 1)))) if twice.any() else None


def _shared(p: Any, q: Any, simulator: Answers, themselves: float | None) -> dict[str, float]:
    n = max(1.0, float(simulator.counts[..., 1].sum()) / max(1, len(q)))
    careful = (q * n + 0.5) / (n + 1)  # so that a simulator that never did what people do is not infinitely wrong
    bins = np.minimum((q * 10).astype(int), 9)
    error = sum((bins == b).mean() * abs(p[bins == b].mean() - q[bins == b].mean()) for b in set(bins.tolist()))
    own = closeness.agreement(p, p) if themselves is None else themselves
    made = {"agreement": closeness.agreement(p, q), "people's agreement with themselves": own,
            "normalised accuracy": closeness.agreement(p, q) / own if own else 0.0, "total variation": closeness.total_variation(p, q),
            "root mean squared error": closeness.rmse(p, q), "Brier score": float(np.mean((q - p) ** 2 + p * (1 - p))),
            "log-loss": closeness.cross_entropy(p, careful), "least log-loss": closeness.entropy(p),
            "pseudo-R2: 1 - log-loss over that of chance": 1 - closeness.cross_entropy(p, careful) / log(2),
            "expected calibration error": float(error),
            "people one answer is worth": float(np.median([min(1e6, closeness.worth_in_people(a, b, n)) for a, b in
                                                           zip(p, q, strict=True)]))}
    for name, ranks in (("Pearson correlation", False), ("Spearman correlation", True)):
        r = closeness.correlation(p, q, ranks)
        made |= {name: r} if r is not None else {}
    return made


def updating(of: Answers) -> Weights | None:
    """Grether's weights from the stated posteriors, clustered by type and wording."""
    return grether(*(list(column) for column in zip(*of.beliefs, strict=True))) if of.beliefs else None


def calibration(of: Answers) -> tuple[float, float] | None:
    """(mean, root mean square) of stated chances less those of Bayes's rule; None where none was stated."""
    off = [logistic(stated) - logistic(prior + heard) for stated, prior, heard, _ in of.beliefs]
    return (float(np.mean(off)), float(np.sqrt(np.mean(np.square(off))))) if off else None


def attitude(of: Answers) -> Fit | None:
    """The fit of choices at a given posterior: threshold above 0 acts below even odds; its slope is the noise of choice alone."""
    return fit([-z for z, _ in of.given], [a for _, a in of.given], [1.0] * len(of.given)) if of.given else None


def sensitivities(of: Answers) -> dict[str, Effect]:
    """Factor -> how far the threshold moves with it: wording, order of options, labels. None of those that did not vary."""
    return sensitivity(of.x, of.counts.sum(axis=3), factors(of.wordings))


def violations(of: Answers) -> int:
    """How often the share that acts rises with the threshold, over all types."""
    whole = of.counts.sum(axis=(1, 3))
    return sum(inversions(of.x, c[:, 0], c[:, 1]) for c in whole if c[:, 1].sum())


def queries(of: Answers, most: int = 4, ideal: bool = False) -> list[float]:
    """What 0, 1, ... `most` queries are worth to a sender if the types, all as likely, are as they answered."""
    types = [logit(p) if ideal else receiver(of.threshold(k)).threshold for k, p in enumerate(of.priors)]
    order = sorted(range(len(types)), key=lambda k: types[k])
    who = crowd([of.priors[k] for k in order], [1 / len(types)] * len(types), [exp(types[k]) for k in order])
    return list(best_cuts(who, min(most, len(types) - 1)).values)


def resampled(of: Answers, picked: Any, rng: Any) -> Answers:
    """A second stage of a bootstrap: cells of type and wording as often as `picked` (T, V), answers drawn anew in each."""
    acted, n = of.counts[..., 0], of.counts[..., 1]
    with np.errstate(invalid="ignore"):
        drawn = rng.binomial(n.astype(int), np.nan_to_num(acted / n))
    times = picked[:, :, None, None]
    return Answers(of.priors, of.thresholds, of.wordings, np.stack([drawn * times, n * times], axis=-1))


def _picked(of: Answers, rng: Any) -> Any:
    """How often each wording is drawn within each type, in all its orders and labels at once                  (T, V)"""
    told = factors(of.wordings)[SAMPLED]
    names = sorted(set(told))
    times = rng.multinomial(len(names), [1 / len(names)] * len(names), size=len(of.priors)).astype(float)
    return times[:, [names.index(w) for w in told]]


def intervals(people: Answers, simulator: Answers, ideal: bool, level: float = 0.95, draws: int = 200,
              seed: int = 0) -> dict[str, tuple[float, float]]:
    """Measure -> (low, high), by the bootstrap in two stages. Wordings are drawn anew within each type, so that each keeps its
    weight; with few wordings an interval is too narrow for wordings that were not tried. Empty where nothing was asked twice, in one
    wording: draws of single answers come out as they are, and an interval of no width would claim to know all."""
    if max(of.counts[..., 1].max() for of in (people, simulator)) <= 1 and max(of.counts.shape[1] for of in (people, simulator)) == 1:
        return {}
    rng, found = np.random.default_rng(seed), defaultdict(list)
    alike = people.wordings == simulator.wordings
    for _ in range(draws):
        theirs = _picked(people, rng)
        hers = theirs if alike else _picked(simulator, rng)
        for name, number in measures(resampled(people, theirs, rng), resampled(simulator, hers, rng), ideal).items():
            found[name].append(number)
    cut, point = 100 * (1 - level) / 2, measures(people, simulator, ideal)
    off = {name: point[name] - float(np.mean(found[name])) for name in RETESTED if name in point and name in found}
    return {name: (float(np.percentile(v, cut)) + off.get(name, 0.0), float(np.percentile(v, 100 - cut)) + off.get(name, 0.0))
            for name, v in found.items()}

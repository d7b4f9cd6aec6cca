"""The fidelity cliff: simulators that score well and ruin a sender who trusts them; then what a safety margin saves.

Expected: chances to act Lambda(beta (logit p - x)) give agreement and correlation on the 15 items; `cost_of` what a sender loses who
optimises against one receiver and meets another. If the errors of a simulator's threshold are normal with sd s and she shades by m,
she keeps (Phi(m/s) + exp(s^2/2 - m) Phi(m/s - s)) / 2 of the optimum (`kept`). The margin is cross-fitted: s is estimated from the
errors of one half of the simulators, and the other half is shaded and judged.
"""
from collections.abc import Sequence
from dataclasses import replace
from math import exp, sqrt
from typing import Any

from ...games.solvers.noisy_receiver import Receiver, best_margin, cost_of, kept, logit, value
from ...reports.document import Figure, Section
from ...transcripts import agreement as closeness
from ...transcripts import fidelity as rows
from ...transcripts.fidelity import Answers
from .stage import Line, Shown, Stage, commands

TITLE = "The fidelity cliff"
QUESTION = ("A seller cannot ask her customers, so she asks a model of them, makes the offer that is best against the model, and meets the "
            "customers. One simulator agrees with people better than people agree with themselves; another's answers correlate .94 with "
            "theirs. What do they cost her? And what would a little caution have saved?")
DESIGNS = ("fidelity_cliff", "fidelity_margin")
PEOPLE, CUSTOMERS = (0.4, 2.0), (0.2, 3.0)
SHARP, HOPEFUL = (0.4, 50.0), (0.3, 3.0)
HELD, SPREAD = 0.4, 0.3
DRAWS = 60
BOOTSTRAP = "bootstrap"


def receiver(p: float, beta: float) -> Receiver:
    """A person who holds the product good with chance p, and acts with slope beta."""
    return Receiver(logit(p), beta)


def shares(p: float, beta: float, thresholds: Sequence[float]) -> list[float]:
    """His chances to act on every item."""
    return [receiver(p, beta).acts(logit(t)) for t in thresholds]


def lost(true: Receiver, picture: Receiver, prior: float) -> float:
    """The share of the best value that a sender loses."""
    cost = cost_of(true, picture, prior)
    return cost.loss / cost.best


def shaded(thresholds: Sequence[float], margin: float) -> list[float]:
    """Share of the optimum that a sender keeps with each of these simulators' thresholds, from an ideal customer."""
    best = value(exp(logit(HELD)), HELD, Receiver(logit(HELD)))
    return [value(min(1.0, exp(t - margin)), HELD, Receiver(logit(HELD))) / best for t in thresholds]


def cross_fitted(thresholds: Sequence[float]) -> tuple[float, float, list[float]]:
    """(mean margin, share kept without one, shares kept with one); errors of one half set the margin of the other."""
    halves = [list(thresholds[::2]), list(thresholds[1::2])]
    spreads = [sqrt(sum((t - logit(HELD)) ** 2 for t in half) / len(half)) for half in halves]
    margins = [best_margin(s) for s in reversed(spreads)]
    good = [x for half, m in zip(halves, margins, strict=True) for x in shaded(half, m)]
    bare = shaded(thresholds, 0.0)
    return sum(margins) / 2, sum(bare) / len(bare), good


def play(stage: Stage) -> Shown:
    """Everybody answers the items; the sender reads one half of the answers and is judged by the other."""
    designs = [stage.design(name) for name in DESIGNS]
    runs = [stage.run(design) for design in designs]
    said = rows.answers(stage.store, runs[0]) | rows.answers(stage.store, runs[1])
    items = said["people"].thresholds
    lines = [*_pair(said, "sharp", "people", PEOPLE, SHARP, items, ("normalised accuracy", "economic loss")),
             *_pair(said, "hopeful", "customers", CUSTOMERS, HOPEFUL, items, ("Pearson correlation", "economic loss"))]
    lines.append(_steps(said["customers"], said["hopeful"]))
    biases = [float(arm.seats["buyer"]["bias"]) for arm in designs[1].arms]
    caution = _caution([said[f"simulator {i + 1}"] for i in range(len(biases))], [logit(HELD) + b for b in biases])
    lines += caution
    lines += _model(said["customers"], said["model"])
    found = {x.what: x.found or 0.0 for x in lines}
    return Shown(lines, f"The surer simulator has a normalised accuracy of {found['sharp: normalised accuracy']:.2f}, and who trusts it "
                 f"loses {found['sharp: share of the best value lost']:.0%}. The other's correlation is "
                 f"{found['hopeful: Pearson correlation']:.2f}, and from customers who act by their thresholds its user gets nothing. "
                 f"Errors without a bias cost half of everything: an offer a little too bold sells nothing, one a little too timid loses "
                 f"little. Shading by the margin that the other half's errors call for keeps "
                 f"{found['six simulators: share kept with the margin']:.0%} instead of "
                 f"{found['six simulators: share kept without a margin']:.0%}.",
                 [_figure()], [_why(), commands("fidelity_cliff", DESIGNS)], runs)


def _pair(said: dict[str, Answers], who: str, of: str, true: tuple[float, float], picture: tuple[float, float], items: Sequence[float],
          names: tuple[str, str]) -> list[Line]:
    p, q = shares(*true, items), shares(*picture, items)
    numbers, spans = rows.measures(said[of], said[who], False), rows.intervals(said[of], said[who], False, draws=DRAWS)
    close = closeness.normalised_accuracy(p, q) if names[0] == "normalised accuracy" else closeness.correlation(p, q)
    cost, best, how = cost_of(receiver(*true), receiver(*picture), true[0]), numbers["value of the best policy"], _asked(said[who])
    return [_spanned(Line(f"{who}: {names[0]}", close, numbers[names[0]], how=how, by="closed form"), spans.get(names[0])),
            _spanned(Line(f"{who}: share of the best value lost", cost.loss / cost.best, numbers[names[1]] / best, how=how, by="cost_of"),
                     spans.get(names[1]), best)]


def _spanned(line: Line, span: tuple[float, float] | None, unit: float = 1.0) -> Line:
    """The line with its interval, in units; without one where too little was asked for any."""
    if span is None:
        return line
    low, high = span[0] / unit, span[1] / unit
    return replace(line, low=low, high=high, error=None if line.expected is None else (high - low) / (2 * 1.96), interval=BOOTSTRAP)


def _steps(people: Answers, simulator: Answers) -> Line:
    """What is lost if both act by their thresholds, without noise."""
    theirs, hers = (found.threshold if (found := of.threshold(0)) else None for of in (people, simulator))
    prior = people.priors[0]
    true = lost(Receiver(logit(CUSTOMERS[0])), Receiver(logit(HOPEFUL[0])), prior)
    share = None if theirs is None or hers is None else lost(Receiver(theirs), Receiver(hers), prior)
    return Line("hopeful: share lost if customers act by their thresholds", true, share, None, None, _asked(simulator), "cost_of")


def _caution(simulators: Sequence[Answers], true: Sequence[float]) -> list[Line]:
    fitted = [found.threshold for s in simulators if (found := s.threshold(0)) is not None and found.threshold is not None]
    how = f"{len(simulators)} x {_asked(simulators[0])}"
    (want_margin, want_bare, want), (margin, bare, good) = cross_fitted(true), cross_fitted(fitted)
    return [Line("six simulators: margin, logits", want_margin, margin, None, None, how, "best_margin at their true errors"),
            Line("six simulators: share kept without a margin", want_bare, bare, None, None, how,
                 f"true errors; {kept(0.0, SPREAD):.4g} if normal"),
            Line("six simulators: share kept with the margin", sum(want) / len(want), sum(good) / len(good), None, None, how,
                 f"true errors; {kept(best_margin(SPREAD), SPREAD):.4g} if normal")]


def _model(people: Answers, model: Answers) -> list[Line]:
    numbers, spans = rows.measures(people, model, False), rows.intervals(people, model, False, draws=DRAWS)
    best, how = numbers["value of the best policy"], _asked(model)
    name = "normalised accuracy"
    return [_spanned(Line(f"the model: {name}", None, numbers[name], how=how), spans.get(name)),
            _spanned(Line("the model: share of the best value lost", None, numbers["economic loss"] / best, how=how),
                     spans.get("economic loss"), best)]


def _asked(of: Answers) -> str:
    return f"{of.counts[..., 1].sum():.0f} answers"


def _why() -> Section:
    return Section("Why it is a cliff", [
        "An ideal customer who holds the product good with chance p takes an offer up to odds p/(1 - p) and none beyond. A simulator that "
        "holds less than he does costs the seller the difference; one that holds more costs her everything. Measures that average over "
        "items, such as agreement or correlation, do not see on which side of the edge it stands.",
        "The margin is a choice under this loss: with errors of .3 logits it is .53, and keeps .77 of what a seller who knew would have, "
        "against .45 without."])


def _figure() -> Figure:
    """What shading keeps, by the margin, at several sizes of the error."""
    from ...reports.figures import curves
    spreads, margins = (0.1, 0.3, 0.5), [i / 50 for i in range(61)]
    made: list[dict[str, Any]] = [{"error of the simulator": f"{s:g} logits", "margin": m, "kept": kept(m, s)}
                                  for s in spreads for m in margins]
    drawn = curves(made, "error of the simulator", "margin", "kept", "margin, logits", "share of the optimum kept",
                   [(best_margin(s), kept(best_margin(s), s)) for s in spreads])
    return Figure("caution", drawn, "Share of the optimum that a seller keeps who shades by a margin, by formula, for three sizes of a "
                  "simulator's error; dots: the best margins.", made)

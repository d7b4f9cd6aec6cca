"""Fidelity of simulators: a design of priors x thresholds x wordings x repeats for each respondent, run like any other.

A respondent is any seat's spec, or `ideal`, the ideal type. Truths are the people, simulators stand in for them; the report
is computed from the rows of the run.
"""
import re
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

from ..errors import DesignError, FieldError
from ..games.announced_policy_words import CROSSED, WORDINGS
from ..games.solvers.noisy_receiver import logit
from ..registry import load
from ..transcripts import fidelity as rows
from ..transcripts.agreement import ppi_gain
from ..transcripts.arms import BLANK, Score
from ..transcripts.fidelity import SEP, Answers
from ..transcripts.psychometric import expected_se
from ..transcripts.scores import put
from ..transcripts.sensitivity import told_apart
from ..transcripts.store import Store
from .design import Design, Fields, make_design, seat

IDEAL = "ideal"
HUMANS = "humans:"
MESSAGES = ("buy",)
TASKS = ("act", "judge", "act_on")
PRIORS = (0.2, 0.4)
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7)
REPEATS = 2
LEAD = rows.LOSS
SLOPES, CORRELATIONS = (1.0, 4.0), (0.3, 0.7, 0.9)
MAKERS = {"openai": ("gpt", "o", "chatgpt", "text", "davinci", "codex"), "anthropic": ("claude",), "google": ("gemini", "gemma", "palm"),
          "meta": ("llama", "meta", "codellama"), "mistral": ("mistral", "mixtral", "ministral", "codestral", "magistral"),
          "alibaba": ("qwen", "qwq"), "deepseek": ("deepseek",), "xai": ("grok",), "microsoft": ("phi",)}
"""Maker -> first words of its models' names, without a number at their end."""
SENSITIVITY = {"wording": "sensitivity: sd of the threshold over wordings", "order": "sensitivity: sd of the threshold over orders",
               "labels": "sensitivity: sd of the threshold over labels", "message": "sensitivity: sd of the threshold over messages"}
SHIFTS = {"order": "shift of the threshold, options reversed", "labels": "shift of the threshold, labels neutral",
          "message": "shift of the threshold, told to leave"}
KIN = "same family: not for headlines"


@dataclass(frozen=True)
class Respondent:
    """Whoever answers the items. name: as tables show it; ideal: whether it is the ideal type itself."""
    name: str
    spec: Fields
    ideal: bool = False

    @property
    def family(self) -> str:
        """Who made it: the agent, or of a model its maker as far as its name tells, so that kin are not set against each other."""
        model = self.spec.get("model")
        if not model:
            return f"{self.spec['agent']}"
        name = str(model).rpartition("/")[2].lower()
        word = re.split(r"[-_:.]", name)[0].rstrip("0123456789")
        return next((maker for maker, words in MAKERS.items() if word in words), word)


def respondent(text: str, role: str) -> Respondent:
    """A spec as the command line gives it: `ideal`, "name", "name:first-field" or JSON, with an own name before "=" if wanted."""
    from .design import json_or_text
    if text == IDEAL:
        return Respondent(f"{role} {IDEAL}", {"agent": "strategy"}, True)
    name, equals, rest = text.partition("=")
    named = equals and name.replace("-", "").replace("_", "").replace(" ", "").isalnum()
    spec = seat(json_or_text(rest if named else text))
    load("agents", spec["agent"])
    if SEP in name and named:
        raise DesignError(f"a respondent's name holds no '{SEP}': {name}.")
    return Respondent(f"{role} {name if named else text if len(text) < 30 else spec.get('model', spec['agent'])}", spec)


def design(people: Sequence[Respondent], simulators: Sequence[Respondent], priors: Sequence[float] = PRIORS,
           thresholds: Sequence[float] = THRESHOLDS, repeats: int = REPEATS, wordings: Sequence[str] = (), seed: int = 0,
           tasks: Sequence[str] = TASKS, messages: Sequence[str] = MESSAGES, **more: Any) -> Design:
    """Every respondent answers every item in every wording, `repeats` times, in each of the tasks. No wordings: the crossed ones.

    Raises DesignError for less than two repeats (answers are halved) or an even chance of 0 or 1.
    """
    words = told_in(wordings)
    if repeats < 2:
        raise DesignError("fidelity needs at least 2 repeats: one half is fitted, the other judges.")
    both = [*people, *simulators]
    if len({r.name for r in both}) < len(both):
        raise DesignError("two respondents of one name: give them names, --simulator NAME=SPEC.")
    game = {"name": "announced_policy", "priors": list(priors), "thresholds": list(thresholds), "messages": list(messages)}
    arms = [{"name": f"{r.name}{SEP}{task}", "game": {**game, "task": task}, "protocol": "silent", "seats": {"buyer": r.spec}}
            for r in both for task in tasks]
    episodes = len(priors) * len(thresholds) * len(messages) * len(words) * repeats
    return make_design({"name": "fidelity", "seed": seed, "episodes": episodes, "wordings": list(words), "arms": arms, **more})


def told_in(wordings: Sequence[str]) -> tuple[str, ...]:
    """The names of the wordings: those given, `all`, or if none are given half of all, crossed so that factors are told apart."""
    if tuple(wordings) == ("all",):
        return tuple(w.name for w in WORDINGS)
    return tuple(wordings) or CROSSED


def page_of(args: Namespace) -> Path | None:
    """Where the report is to go. Raises FieldError if that is not a page."""
    if args.page and Path(args.page).suffix not in (".html", ".png"):
        raise FieldError(f"--page {args.page}: the name of an .html or .png file.")
    return Path(args.page) if args.page else None


def precision(priors: Sequence[float], thresholds: Sequence[float], wordings: Sequence[str], repeats: int,
              messages: Sequence[str] = MESSAGES) -> Iterator[str]:
    """What so many answers to every item in each of the wordings and messages will buy, before anything is asked."""
    told = rows.variants(wordings, messages)
    x, asked = [logit(t) for t in thresholds], repeats * len(told)
    worst = {slope: max(expected_se(x, logit(p), slope, asked)[0] for p in priors) for slope in SLOPES}
    for slope, se in worst.items():
        yield f"    se of a threshold if the slope is {slope:g}: at most {se:.3f} logits ({asked} answers an item)"
    yield f"    se of a share near one half: {sqrt(0.25 / asked):.3f} an item"
    yield from _of_factors(rows.factors(told), {slope: 2 * se / sqrt(len(priors)) for slope, se in worst.items()})


def people_worth(n: int, asked: int) -> Iterator[str]:
    """What PPI++ makes of the answers of n people beside so many simulated ones, before anything is asked."""
    if n:
        worth = ", ".join(f"{ppi_gain(rho, n, asked)[1]:.0f} if they correlate by {rho:g}" for rho in CORRELATIONS)
        yield f"    people on record: {n} answers; corrected by a simulator (PPI++) worth {worth}"


def _of_factors(factors: Mapping[str, Sequence[str]], shifts: Mapping[float, float]) -> Iterator[str]:
    """How well wording, order, labels and message are told apart. shifts: slope -> se of a shift between two halves of the answers."""
    from scipy.stats import chi2
    told, wordings = told_apart(factors), len(set(factors["wording"]))
    if "wording" in told:
        low, high = (sqrt((wordings - 1) / float(chi2.ppf(q, wordings - 1))) for q in (0.975, 0.025))
        yield f"    sd of the threshold over {wordings} wordings: known to a factor {low:.2f} .. {high:.3g} at best"
    two = [f for f in told if f in SHIFTS]
    if two:
        single = sqrt((wordings + len(two)) / 2)  # as many levels to be asked as there are, each of the same calls
        yield (f"    se of its shift by {' or '.join(two)}: " + ", ".join(f"{se:.3f} logits (slope {b:g})" for b, se in shifts.items())
               + (f"; crossed, each answer serves every factor: one at a time the same calls would give {single:.2f} times that"
                  if single > 1 else ""))
    for f in (f for f in SENSITIVITY if f not in told):
        yield f"    sensitivity to {f}: not measured" + ("; it is with --message buy --message leave, and twice the calls"
                                                         if f == "message" else ", as these wordings do not vary it apart from the others")


def tell(made: Design, precise: Iterable[str]) -> None:
    """What it will take and how precise it will be, on stderr, before anybody is asked."""
    from .api import synchronous
    from .estimate import estimate, lines
    for line in (*lines(synchronous(estimate(made)), made.budget), *precise):
        print(line, file=sys.stderr)


# --- from rows to scores ------------------------------------------------------------------------------------------------
def compared(store: Store, run: str, people: Sequence[Respondent], simulators: Sequence[Respondent], draws: int = 200,
             known: Mapping[str, Answers] | None = None) -> list[Score]:
    """Every score of a run: simulators against people (fidelity), every respondent against the ideal type (rationality).

    known  what people said who were not asked in this run
    """
    said = rows.answers(store, run) | dict(known or {})
    found: list[Score] = []
    for s in simulators:
        for t in people:
            found += pair(said[t.name], said[s.name], t, s, draws)
    for r in (*people, *simulators):
        found += alone(r, said[r.name], draws if not any(t.ideal for t in people) else 0)
    put(store, run, found, 0.95, "fidelity")
    return found


def pair(people: Answers, simulator: Answers, truth: Respondent, of: Respondent, draws: int) -> list[Score]:
    """One cell of the matrix. Against the ideal type it is rationality."""
    quantity = "rationality" if truth.ideal else "fidelity"
    kin = KIN if truth.family == of.family and not truth.ideal and "model" in of.spec else ""
    spans = rows.intervals(people, simulator, truth.ideal, draws=draws) if draws else {}
    numbers = rows.measures(people, simulator, truth.ideal)
    cells = len(people.priors) * len(set(rows.factors(people.wordings)["wording"]))
    lost = rows.extremes(people, simulator, truth.ideal)
    lines = [_line(f"{of.name} for {truth.name}", of, quantity, name, number, spans.get(name), simulator, cells, kin)
             for name, number in numbers.items()]
    return [s | {"best": lost[0], "worst": lost[1]} if lost and s["benchmark"] == LEAD else s for s in lines]


def alone(of: Respondent, said: Answers, draws: int) -> list[Score]:
    """What one respondent is: its validity, updating, attitude, noise, sensitivity to wording, order and labels."""
    numbers: dict[str, tuple[float, tuple[float, float] | None]] = {"valid replies": (1 - said.bad / max(1, said.calls), None),
                                                                    "items without an answer": (float(said.lost), None)}
    weights = rows.updating(said)
    if weights is not None:
        for name, value, se in zip(("updating: constant", "updating: weight of the prior", "updating: weight of the evidence"),
                                   (weights.constant, weights.prior, weights.evidence), weights.se, strict=True):
            numbers[name] = (value, (value - 1.96 * se, value + 1.96 * se))
    stated = rows.calibration(said)
    if stated is not None:
        numbers |= {"stated chances less Bayes's rule: mean": (stated[0], None), "stated chances less Bayes's rule: rms": (stated[1], None)}
    told = rows.attitude(said)
    if told is not None and told.threshold is not None:
        numbers["attitude: threshold at a given chance (logits)"] = (told.threshold, None)
    if told is not None and told.slope is not None:
        numbers["noise: slope at a given chance"] = (told.slope, None)
    for kind, prior in enumerate(said.priors):
        numbers |= _of_type(said, kind, prior)
    numbers |= {f"value of {k} queries": (worth, None) for k, worth in enumerate(rows.queries(said, ideal=of.ideal))}
    numbers["inversions"] = (float(rows.violations(said)), None)
    lines = [_line(of.name, of, "respondent", name, value, span, said, 0, "") for name, (value, span) in numbers.items()]
    lines += _sensitivities(of, said)
    return lines + (pair(said, said, Respondent(IDEAL, of.spec, True), of, draws) if draws else [])


def _sensitivities(of: Respondent, said: Answers) -> list[Score]:
    """One random effect per factor, and where it has two levels the shift from one to the other."""
    lines: list[Score] = []
    for factor, effect in rows.sensitivities(said).items():
        numbers: list[tuple[str, float, tuple[float, float] | None]] = [(SENSITIVITY[factor], effect.sd, (effect.low, effect.high))]
        if effect.shift is not None and factor in SHIFTS:
            numbers.append((SHIFTS[factor], effect.shift, effect.span))
        method = {"method": "bracket"} if effect.bracket else {}
        lines += [_line(of.name, of, "respondent", name, value, span, said, 0, "") | method for name, value, span in numbers]
    return lines


def _of_type(said: Answers, kind: int, prior: float) -> dict[str, tuple[float, tuple[float, float] | None]]:
    found = said.threshold(kind)
    if found is not None and found.bracket is not None:
        low, high = found.bracket
        if low is not None and high is not None:
            return {f"threshold, prior {prior:g} (bracket)": ((low + high) / 2, (low, high))}
        ends = (("at least", low), ("at most", high))  # acted on all rules, or on none
        return {f"threshold, prior {prior:g} ({word})": (end, None) for word, end in ends if end is not None}
    if found is None or found.threshold is None:
        return {}
    assert found.se is not None and found.slope is not None and found.slope_se is not None
    t, b, lapsed = found.threshold, found.slope, said.lapses(kind)
    more: dict[str, tuple[float, tuple[float, float] | None]] = {} if lapsed is None else {
        f"lapses: acts whatever is said, prior {prior:g}": (lapsed.low, None),
        f"lapses: never acts, prior {prior:g}": (lapsed.high, None)}
    return more | {f"threshold, prior {prior:g}": (t, (t - 1.96 * found.se, t + 1.96 * found.se)),
            f"slope, prior {prior:g}": (b, (b - 1.96 * found.slope_se, b + 1.96 * found.slope_se))}


def _line(arm: str, of: Respondent, quantity: str, name: str, value: float, span: tuple[float, float] | None, said: Answers,
          clusters: int, note: str) -> Score:
    return {**BLANK, "arm": arm, "role": "buyer", "seat": of.spec["agent"], "quantity": quantity, "benchmark": name, "value": value,
            "low": span[0] if span else None, "high": span[1] if span else None, "n": int(said.counts[..., 1].sum()),
            "missing": said.lost, "clusters": clusters, "method": "two-stage bootstrap" if clusters else "", "note": note}


def matrix(scores: Sequence[Score], measure: str = LEAD, kin: bool = False) -> list[tuple[str, str, Mapping[str, Any]]]:
    """(simulator, people, score) of one measure, for every pair that is not of one family; kin: for those that are."""
    return [(*s["arm"].split(" for ", 1), s) for s in scores if s["benchmark"] == measure and " for " in s["arm"]
            and not s["arm"].endswith(f" for {IDEAL}") and (s["note"] == KIN) == kin]


def chances(text: str, option: str) -> tuple[float, ...]:
    """Numbers strictly between 0 and 1, with commas between. Raises FieldError."""
    try:
        found = tuple(float(x) for x in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 < x < 1 for x in found):
        raise FieldError(f"{option} {text}: chances strictly between 0 and 1 with commas between, e.g. 0.2,0.4.")
    return found

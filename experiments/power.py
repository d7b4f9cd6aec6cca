"""`parlour plan`: how many episodes a design needs for a power or a precision, and what they will cost."""
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import sqrt
from tempfile import TemporaryDirectory
from typing import Any

from ..errors import DesignError
from ..transcripts.arms import arms_of
from ..transcripts.hypotheses import Hypothesis, pairs_of
from ..transcripts.power import Plan, Spread, smallest
from ..transcripts.sampling import DRAWS, Row, clusters_of, collapse, intraclass, stratified_mean
from ..transcripts.store import Store
from .design import Design
from .estimate import Estimate, estimate
from .plan import tables

PILOT = 60
"""Episodes per arm that the mock plays where there is no pilot."""
ASSUMED = 0.1
"""The intraclass correlation of wordings taken where there is no pilot and none is stated: a guess, and said to be one."""


@dataclass(frozen=True)
class Planned:
    """The plan of one hypothesis: what was assumed, what it needs (None: nothing up to the limit would do), and alpha."""
    hypothesis: str
    spread: Spread
    effect: float | None
    alpha: float
    wordings: int
    plan: Plan | None


@dataclass(frozen=True)
class Needed:
    """The plans of all primary hypotheses; the episodes per arm that satisfy each; the estimate of what they cost."""
    plans: tuple[Planned, ...]
    episodes: int | None
    cost: Estimate | None
    source: str


def needed(design: Design, effect: float | None, precision: float | None, power: float = 0.8, level: float = 0.95,
           wording: float | None = None, sd: float | None = None, pilot: tuple[Store, str] | None = None) -> Needed:
    """The plan of a design. Raises DesignError if it declares no primary hypothesis.

    effect, precision  to be found with `power`, or to be known to +- this at `level`; in units of the hypotheses' estimands
    wording, sd        intraclass correlation of wordings and standard deviation, instead of those of the pilot
    pilot              a run of this design (its arms and hypotheses), at any number of episodes
    """
    claims = [h for h in design.hypotheses if h.family == "primary"]
    if not claims:
        raise DesignError("a plan is for primary hypotheses, and the design declares none: add [[hypotheses]].")
    if (effect is None) == (precision is None):
        raise DesignError("give either an effect to be found (--effect) or a precision (--precision), in units of the estimand.")
    words = min(len(t.wordings) for t in tables(design) if t.arm.name in {a for h in claims for a in h.arms})
    with TemporaryDirectory() as folder:
        store, run, source = (*pilot, f"the pilot {pilot[1]}") if pilot else (*_rehearsed(design, folder), "the mock")
        found = [_planned(store, run, h, effect, precision, power, (1 - level) / len(claims), words, wording, sd, pilot is None)
                 for h in claims]
    most = max((p.plan.episodes for p in found if p.plan), default=None) if all(p.plan for p in found) else None
    return Needed(tuple(found), most, _cost(design, most) if most else None, source)


def _rehearsed(design: Design, folder: str) -> tuple[Store, str]:
    """A run in which the mock takes every seat that would call somebody."""
    from .api import synchronous
    from .estimate import MODELS
    from .runner import start
    arms = tuple(arm.model_copy(update={"seats": {r: {"agent": "mock"} if s["agent"] in (*MODELS, "human", "web", "graph") else s
                                                  for r, s in arm.seats.items()}}) for arm in design.arms)
    store = Store(f"{folder}/pilot.duckdb")
    name, _ = synchronous(start(design.model_copy(update={"arms": arms, "episodes": PILOT, "cache": "off", "budget": None}), store))
    return store, name


def _planned(store: Store, run: str, h: Hypothesis, effect: float | None, precision: float | None, power: float, alpha: float, words: int,
             wording: float | None, sd: float | None, mock: bool) -> Planned:
    arms = {a.name: a for a in arms_of(store, run)}
    rows = pairs_of(arms, h)
    seen, told = spread_of(rows, words), any(r.clusters.get("wording") for r in rows)
    spread = Spread(sd or seen.sd, *(_correlations(wording, seen, words, mock and told)))
    plan = smallest(spread, effect or 0.0, 1 if h.wordings else words, power if effect is not None else None, precision, alpha,
                    h.alternative == "two-sided")
    return Planned(h.name, spread, effect, alpha, 1 if h.wordings else words, plan)


def _correlations(stated: float | None, seen: Spread, words: int, guess: bool) -> tuple[float, float]:
    if words < 2:
        return 0.0, 0.0
    wording = stated if stated is not None else ASSUMED if guess else seen.wording
    return wording, min(seen.tape, 1 - wording)


def spread_of(rows: list[Row], words: int) -> Spread:
    """The spread of the values of a pilot about their means by state. Raises DesignError if nothing varied."""
    units = collapse([r for r in rows if r.value is not None])
    if len(units) < 3:
        raise DesignError("the pilot has too few episodes with a value: nothing can be planned from it.")
    means = {s: stratified_mean([u for u in units if u.stratum == s]) for s in {u.stratum for u in units}}
    residuals = [(u.value or 0.0) - means[u.stratum] for u in units]
    sd = sqrt(sum(e * e for e in residuals) / max(1, len(units) - len(means)))
    if sd == 0:
        raise DesignError("in the pilot all episodes came out alike: give a standard deviation with --sd.")
    of = {d: intraclass(clusters_of(units, d), residuals) if any(u.clusters.get(d) for u in units) else 0.0 for d in ("wording", DRAWS)}
    wording = of["wording"] if words > 1 else 0.0
    return Spread(sd, wording, min(of[DRAWS], 1 - wording) if words > 1 else 0.0)


def _cost(design: Design, episodes: int) -> Estimate:
    from .api import synchronous
    return synchronous(estimate(design.model_copy(update={"episodes": episodes})))


def as_dict(found: Needed) -> dict[str, Any]:
    """As JSON takes it."""
    return {"source": found.source, "plans": [asdict(p) for p in found.plans], "episodes_per_arm": found.episodes,
            "estimate": found.cost.as_dict() if found.cost else None}


def says(found: Needed, design: Design) -> Iterator[str]:
    """The plan, for people."""
    from .estimate import lines
    for p in found.plans:
        s = p.spread
        yield (f"{p.hypothesis}: standard deviation {s.sd:.4g}, intraclass correlation {s.wording:.2g} of wordings, {s.tape:.2g} of draws "
               f"(from {found.source}), {p.wordings} wording(s), alpha {p.alpha:.3g}")
        if p.plan is None:
            yield ("    no number of episodes will do: with so few wordings their differences alone are too wide. Add wordings to the "
                   "game, or play one, wordings = [\"plain\"], and claim it for that one.")
        else:
            aim = f"finds an effect of {p.effect:g} with power {p.plan.power:.2f}" if p.effect is not None else "has"
            yield f"    {p.plan.episodes} episodes per arm: {aim}, half-width {p.plan.half:.4g} at {p.plan.dof} degrees of freedom"
    if found.episodes and found.cost:
        yield f"episodes = {found.episodes}, {found.episodes * len(design.arms)} in all"
        yield from lines(found.cost, design.budget)

"""A design explained back in words and counts, and what it cannot tell apart."""
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from pydantic_core import to_json

from ..errors import DesignError
from ..registry import name_of
from ..transcripts.hypotheses import Hypothesis
from ..transcripts.wild import least_p
from .design import Design
from .lock import hash_of
from .plan import Table, tables

FEW = 6
"""Wordings below which an interval over wordings is very wide: t at so few degrees of freedom."""


def explain_design(design: Design, copies: int = 0) -> list[str]:
    """The design in words, a line each. Raises InputError for a design that cannot be run.

    copies  of recorded episodes that are played under it, if that is what it is for
    """
    found = tables(design)
    check_hypotheses(design, found)
    if copies:
        return [f"{design.name}: {_many(copies, 'copy', 'copies')} of recorded episodes in {_many(len(found), 'arm')}.", *_arms(found)]
    return [*_counts(design, found), *_arms(found), *_claims(design), *_confounded(design, found), *_cautions(design, found)]


def check_hypotheses(design: Design, found: Sequence[Table]) -> None:
    """Raises DesignError for a hypothesis about arms, roles, benchmarks, wordings or doses that the design does not have."""
    by_name = {t.arm.name: t for t in found}
    for h in design.hypotheses:
        for name in h.arms:
            if name not in by_name:
                raise DesignError(f"hypothesis '{h.name}': no arm '{name}'; there are: {', '.join(by_name)}.")
            _check_arm(h, by_name[name])


def _check_arm(h: Hypothesis, table: Table) -> None:
    game = table.game
    if not set(game.members(h.role)) <= set(game.roles()):
        raise DesignError(f"hypothesis '{h.name}': no role '{h.role}' in arm '{table.arm.name}'; there are: "
                          f"{', '.join((*game.roles(), *game.groups()))}.")
    if h.benchmark and h.benchmark not in [b.name for b in table.benchmarks]:
        raise DesignError(f"hypothesis '{h.name}': no benchmark '{h.benchmark}' in arm '{table.arm.name}'; there are: "
                          f"{', '.join(b.name for b in table.benchmarks)}.")
    for wording in h.wordings:
        if wording not in [w.name for w in table.wordings]:
            raise DesignError(f"hypothesis '{h.name}': arm '{table.arm.name}' is not told in wording '{wording}'.")
    if h.dose and not isinstance(_places(table).get(f"game.{h.dose}", _places(table).get(f"protocol.{h.dose}",
                                 _places(table).get(f"seats.{h.role}.{h.dose}"))), int | float):
        raise DesignError(f"hypothesis '{h.name}': arm '{table.arm.name}' has no number '{h.dose}' in its game, protocol or seat.")


# --- counts -----------------------------------------------------------------------------------------------------------------
def _counts(design: Design, found: Sequence[Table]) -> Iterator[str]:
    if design.episodes == "exact":
        yield f"{design.name}: {_many(len(found), 'arm')}, every state, draw and mixture played once: nothing is sampled."
    else:
        yield (f"{design.name}: {_many(len(found), 'arm')} of {design.episodes} episodes, {design.episodes * len(found)} in all; seed "
               f"{design.seed}. Episodes of the same number meet the same draws of nature in every arm.")


def _arms(found: Sequence[Table]) -> Iterator[str]:
    for t in found:
        seats = ", ".join(f"{role} {who(spec)}" for role, spec in t.arm.seats.items())
        yield f"  {t.arm.name}: {t.arm.game['name']} under {name_of(t.protocol)}; seats: {seats}"
        aim = "" if t.arm.objective == "none" else f"; objective: {t.arm.objective}"
        states = "sampled states" if t.states is None else _many(len(t.states), "state")
        yield f"      {_many(len(t.wordings), 'wording')}, {_many(len(t.seats), 'persona')}, {states}{aim}"


def _many(n: int, what: str, more: str = "") -> str:
    return f"{n} {what if n == 1 else more or what + 's'}"


def who(spec: dict[str, Any]) -> str:
    """A seat's spec in words."""
    rest = ", ".join(f"{k} {to_json(v).decode()}" for k, v in spec.items() if k != "agent")
    return spec["agent"] + (f" ({rest})" if rest else "")


def _claims(design: Design) -> Iterator[str]:
    corrections = {"primary": "Holm, family-wise error", "exploratory": "Benjamini-Hochberg, false discovery rate"}
    for family, how in corrections.items():
        own = [h for h in design.hypotheses if h.family == family]
        if own:
            yield f"{family} hypotheses ({how}, over {len(own)}):"
            yield from (f"  {h.name}: {h.estimand} is {h.claim}" for h in own)
    if not design.hypotheses:
        yield "no hypothesis is declared: every comparison made afterwards is exploratory"
    if design.inference != "t":
        yield f"clusters are reckoned with by the wild cluster bootstrap, {design.inference} weights"
    held = design.lock
    yield (f"locked as {held.hash[:12]}, {_many(len(held.deviations), 'deviation')} from it" if held else
           f"not locked; its hash is {hash_of(design)[:12]}")


# --- what cannot be told apart ------------------------------------------------------------------------------------------------
def _places(table: Table) -> dict[str, Any]:
    """Everything that may differ between arms, by its place."""
    places: dict[str, Any] = {"game": table.arm.game["name"], "protocol": name_of(table.protocol), "objective": table.arm.objective,
                              "wordings": [w.name for w in table.wordings], "personas": list(table.arm.personas)}
    places |= {f"game.{k}": v for k, v in table.game.model_dump(mode="json").items()}
    places |= {f"protocol.{k}": v for k, v in table.protocol.model_dump(mode="json").items()}
    for role, spec in table.arm.seats.items():
        places |= {f"seats.{role}" if k == "agent" else f"seats.{role}.{k}": v for k, v in spec.items()}
    return places


def differences(one: Table, two: Table) -> list[str]:
    """The places at which two arms differ; a seat that another agent takes is one place, whatever its fields."""
    a, b = _places(one), _places(two)
    found = [p for p in dict.fromkeys((*a, *b)) if a.get(p) != b.get(p)]
    return [p for p in found if not any(p.startswith(f"{q}.") for q in found)]


def _confounded(design: Design, found: Sequence[Table]) -> Iterator[str]:
    by_name = {t.arm.name: t for t in found}
    for h in design.hypotheses:
        for one, two in combinations(h.arms, 2):
            places = differences(by_name[one], by_name[two])
            if len(places) > 1:
                yield (f"confounded in '{h.name}': {one} and {two} differ in {', '.join(places)}; the difference cannot be put down to "
                       "any of them alone")
            elif not places:
                yield f"nothing to find in '{h.name}': {one} and {two} are the same arm"


def _cautions(design: Design, found: Sequence[Table]) -> Iterator[str]:
    for t in found:
        reads = any(agent.reads for seats in t.seats for agent in seats.values())
        if reads and len(t.wordings) == 1:
            yield f"note: {t.arm.name} is told in one wording: nothing is said of others"
        elif reads and len(t.wordings) < FEW:
            yield (f"note: {t.arm.name} is told in {len(t.wordings)} wordings, each a cluster: intervals over wordings have "
                   f"{len(t.wordings) - 1} degree(s) of freedom")
            if design.inference != "t":
                yield (f"note: {t.arm.name}: no p over {len(t.wordings)} wordings is below "
                       f"{least_p(design.inference, len(t.wordings)):.2g} with {design.inference} weights")
        if design.episodes != "exact" and t.states is not None and design.episodes < len(t.states):
            yield f"note: {t.arm.name} has fewer episodes than states: states are drawn, not visited in turn"

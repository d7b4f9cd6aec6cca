"""Persuading a receiver whose belief is hidden, after asking a simulator of him.

A thing is good (state 1) or bad (state 0). The sender wants the receiver to act; he gains by acting on a good thing and
loses by acting on a bad one. He is one of n types, known to him alone. The sender may put queries to a simulator ("under
this policy, after this message, would he act?"), commits to a policy, a message is drawn from it, and he acts or not.

    p_k   beliefs   chance of state 1 given type k                                  in (0, 1)
    w_k   weights   chance of type k; they sum to 1                                 > 0
    r_k   odds      p d1 / ((1 - p) d0), d1 his gain and d0 his loss, d1 + d0 = 2   > 0; default p / (1 - p): d1 = d0 = 1
    K     queries   c price of each, both of the protocol                           (`rules`)
    personas        what a simulator that knows a persona is told of each type; default: one of five tempers
    partitions      the only questions the simulator answers: for each, the cell of every type, counted from 0      default: all queries

He acts after a message sent with chances x1, x0 in states 1, 0 iff r_k x1 >= x0. The sender's payoff is 1 if he acts. What a
policy is worth against a set of types is in `solvers.thresholds`, which cuts to ask for in `solvers.queries`. Benchmarks, net of
the price of queries; each is a planner that can be seated (`strategy:greedy`):

    optimum      best queries under the rules, then the best policy: fixed beforehand, or one after another if `adaptive`
    non_adaptive, greedy, equal_mass, random_cuts    cuts fixed beforehand: the best, one by one, at quantiles, at random
    no_queries   the best policy for all types at once
    noise_aware  under flips: answers weighed by Bayes' rule; the others above believe majorities
    safety_margin   where the rules have a `spread`: odds shaded by e^-m, m best for it (`solvers.noisy_receiver`)
    type_known   a bound: the sender is told the type
    cheap_talk   where her policy does not bind her: nothing is learned, since the sender would always send the message that more
                 types obey. The others are then bounds

A simulator that knows less than the type makes classes or mixtures of types (`solvers.screens`); solutions stay exact. Where one
is not, its note says so (`solvers.planners`). Measures: `value_k` net value with at most k queries, `cut_i` boundaries (c lies after
the c-th stand-in, counted from 0; where the simulator knows the type, after the c-th type in order of odds), `cell_i_state_s_message_m`
how often message m is sent in state s in the i-th cell, in order; of `no_queries` `target` and `target_value_k`, sent to all
types from k up; of `safety_margin` the `margin`, and the share of the value that it keeps and none would (`kept`, `kept_without`).
Ties: he acts; she does not ask, then the lowest cut. Checked example (the defaults): .475 without a query, .6 with one.

With `partitions`, or with more states or actions, sets of types are solved instead of cuts (`private_family`): beliefs are then rows
of chances of the states, `sender_utility` is a table of states x actions, `receiver_utility` one such table for all types or one for
each. Exact where small (measure `exact`), greedy where large; the note says which.

Source: Harris, Immorlica, Lucier, Slivkins, "Algorithmic persuasion through simulation", arXiv:2311.18138.
"""
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from ..errors import RulesError
from . import private_family
from .base import (
    SLACK,
    Benchmark,
    Chance,
    Information,
    Kind,
    Mixed,
    Move,
    Observation,
    Role,
    Rules,
    Say,
    Strategy,
    heard,
    learned,
    surely,
)
from .leading import SIMULATOR, Sketches, StandIn
from .persuading import PITCH, Case, Offer, Policy, Receiver, Row, Rows, Sent, Word, index
from .persuasive import Persuasive, average
from .private_cuts import measures, policy_rows, recalled, setting_of
from .private_family import Answer, Family, Kin, Question, Questions, family, inquiries, question_moves
from .private_sketches import PAST, Past, Persona, query_rows, temper
from .solvers.planners import plans
from .solvers.query_plans import Plan, Setting
from .solvers.screens import Screen, Taken, screen
from .solvers.thresholds import crowd, loss_of

SOURCE = "Harris, Immorlica, Lucier, Slivkins, Algorithmic persuasion through simulation, arXiv:2311.18138"
Belief = Annotated[float, Field(gt=0, lt=1)]


def _open(beliefs: Any) -> Any:
    """Beliefs that are numbers lie inside (0, 1); told before the union of types tells it less plainly."""
    for p in beliefs if isinstance(beliefs, list | tuple) else ():
        if isinstance(p, int | float) and not 0 < p < 1:
            raise ValueError(f"beliefs must lie between 0 and 1, both left out, got {p:g}: who is certain is not to be persuaded")
    return beliefs


Chances = Annotated[tuple[Chance, ...], Field(min_length=2)]
Positive = Annotated[float, Field(gt=0)]


class PrivatePersuasion(Persuasive):
    beliefs: Annotated[tuple[Belief, ...] | tuple[Chances, ...], Field(min_length=1), BeforeValidator(_open)] = (0.2, 0.4)
    weights: tuple[Positive, ...] = (0.5, 0.5)
    odds: tuple[Positive, ...] | None = None
    personas: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    partitions: tuple[tuple[Annotated[int, Field(ge=0, lt=99)], ...], ...] = ()
    sender_utility: Rows | None = None
    receiver_utility: tuple[Rows, ...] | None = None

    @model_validator(mode="after")
    def _fits(self) -> "PrivatePersuasion":
        n = len(self.beliefs)
        given = (("weights", self.weights), ("odds", self.odds), ("personas", self.personas or None))
        for name, one in (*given, *(("a partition", p) for p in self.partitions)):
            if one is not None and len(one) != n:
                raise ValueError(f"beliefs and {name} must be of one length, got {n} and {len(one)}")
        if abs(sum(self.weights) - 1) > 1e-6:
            raise ValueError(f"weights must sum to 1, got {sum(self.weights):g}")
        if self.plain:
            if not all(isinstance(p, float) for p in self.beliefs):
                raise ValueError("beliefs given as rows need sender_utility and receiver_utility, tables of states x actions")
            return self
        return self._tables_fit()

    def _tables_fit(self) -> "PrivatePersuasion":
        if self.sender_utility is None or self.receiver_utility is None:
            raise ValueError("give both sender_utility and receiver_utility, or neither")
        if self.odds is not None or self.personas:
            raise ValueError("odds and personas are for two states and two actions: leave them out where utilities are given")
        shape = {(len(t), len(row)) for t in (self.sender_utility, *self.receiver_utility) for row in t}
        states = {len(row) for row in self.rows}
        if len(shape) != 1 or states != {s for s, _ in shape} or min(a for _, a in shape) < 2:
            raise ValueError("utilities must be tables of one shape: a row per state, as many as chances in a belief, a column per action")
        if len(self.receiver_utility) not in (1, len(self.beliefs)):
            raise ValueError(f"receiver_utility holds one table for all types or {len(self.beliefs)}, got {len(self.receiver_utility)}")
        if any(abs(sum(row) - 1) > 1e-6 for row in self.rows):
            raise ValueError("the chances of a belief must sum to 1")
        return self

    # --- who may be met -------------------------------------------------------------------------------------------------
    @property
    def plain(self) -> bool:
        """Whether there are two states and two actions, and the sender is paid 1 for the first."""
        return self.sender_utility is None and self.receiver_utility is None

    @cached_property
    def rows(self) -> Rows:
        """The chances of the states, for every type."""
        return tuple(p if isinstance(p, tuple) else (p, 1 - p) for p in self.beliefs)

    @cached_property
    def priors(self) -> Row:
        """The chance of state 1, for every type."""
        return tuple(row[0] for row in self.rows)

    @cached_property
    def ratios(self) -> Row:
        """The odds of every type, in the order given."""
        return self.odds if self.odds is not None else tuple(p / (1 - p) for p in self.priors)

    @cached_property
    def _offer(self) -> Offer:
        if self.sender_utility is not None and self.receiver_utility is not None:
            each = self.receiver_utility if len(self.receiver_utility) > 1 else self.receiver_utility * len(self.weights)
            return Offer(beliefs=self.rows, weights=self.weights, sender=self.sender_utility, receiver=each, messages=len(self.rows[0]))
        losses = [1.0 if self.odds is None else loss_of(p, r) for p, r in zip(self.priors, self.ratios, strict=True)]
        return Offer(beliefs=self.rows, weights=self.weights, sender=((1.0, 0.0), (1.0, 0.0)),
                     receiver=tuple(((2 - d, 0.0), (-d, 0.0)) for d in losses), messages=2)

    @cached_property
    def family(self) -> Family | None:
        """The questions that tell types apart; None where these are the cuts of a list."""
        if self.plain and not self.partitions:
            return None
        return family(self.offer(), self.ratios if self.plain else None, self.partitions)

    def offer(self) -> Offer:
        return self._offer

    def brief(self, role: Role, state: Case) -> tuple[Observation, ...]:
        told = super().brief(role, state)
        return (*told, Questions(cells=self.partitions)) if self.partitions and role == "sender" else told

    def trial(self) -> type[Move]:
        return question_moves(self.partitions)[0] if self.partitions else super().trial()

    def reply(self) -> type[Move]:
        return question_moves(self.partitions)[1] if self.partitions else super().reply()

    # --- what the simulator knows ---------------------------------------------------------------------------------------
    def sketches(self, state: Case, knows: str, accuracy: float) -> Sketches:
        if self.partitions:
            if knows != "type":
                raise RulesError("questions are answered by one who knows the type: set simulator_knows = \"type\".")
            return ((1.0, (StandIn(), self.observe("receiver", state), Questions(cells=self.partitions), Kin(type=state.type))),)
        if not self.plain or knows not in self._alike:
            return super().sketches(state, knows, accuracy)
        known = (self._persona if knows == "persona" else self._past)(state.type)
        return ((1.0, (StandIn(), self.scene(self._alike[knows][known]), known)),)

    @cached_property
    def _alike(self) -> dict[str, dict[Observation, list[int]]]:
        """Level -> what a simulator is told -> the types of which it is told that."""
        found: dict[str, dict[Observation, list[int]]] = {"persona": {}, "past": {}}
        for k in range(len(self.weights)):
            found["persona"].setdefault(self._persona(k), []).append(k)
            found["past"].setdefault(self._past(k), []).append(k)
        return found

    def _persona(self, kind: int) -> Persona:
        return Persona(text=self.personas[kind]) if self.personas else Persona(degree=temper(self.priors[kind]))

    def _past(self, kind: int) -> Past:
        """What he did under policies of several ratios."""
        return Past(ratios=PAST, actions=tuple("a1" if self.ratios[kind] >= r - SLACK else "a2" for r in PAST))

    def imagined(self, information: Information) -> Receiver:
        for told in (*learned(information, Persona), *learned(information, Past)):
            return average(self.offer(), self._alike["persona" if isinstance(told, Persona) else "past"][told])
        return super().imagined(information)

    def taken(self, knows: str, accuracy: float) -> list[Taken] | None:
        """Whom the simulator may take each type for, as (chance, odds); None if it knows the type."""
        kinds = range(len(self.beliefs))
        if knows == "type" or (knows == "signal" and accuracy == 1):
            return None
        if knows == "signal":
            seen = [self.observe("receiver", Case(type=k, state=0)) for k in kinds]
            return [self._signals(k, seen, accuracy) for k in kinds]
        classes = list(self._alike[knows].values()) if knows in self._alike else [list(kinds)]
        odds = {k: self._odds_of(some) for some in classes for k in some}
        return [((1.0, odds[k]),) for k in kinds]

    def _signals(self, kind: int, seen: Sequence[object], accuracy: float) -> Taken:
        others = [(self.weights[j], self.ratios[j]) for j in range(len(seen)) if seen[j] != seen[kind]]
        total = sum(w for w, _ in others)
        return ((accuracy if others else 1.0, self.ratios[kind]), *((w / total * (1 - accuracy), r) for w, r in others))

    def _odds_of(self, kinds: Sequence[int]) -> float:
        """The odds of the average receiver among some types."""
        stakes = [self.weights[k] * (1 - self.priors[k]) * loss_of(self.priors[k], self.ratios[k]) for k in kinds]
        return sum(s * self.ratios[k] for s, k in zip(stakes, kinds, strict=True)) / sum(stakes)

    # --- solutions ------------------------------------------------------------------------------------------------------
    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        binding = rules.get("binding", True)
        if self.family is not None:
            found = private_family.benchmarks(self.family, rules, SOURCE)
        else:
            found = [self._benchmark(plan, binding) for plan in self._plans(rules)] + [self._type_known()]
        return found if binding or not self.plain else [self._cheap_talk(), *found]

    def _plans(self, rules: Rules) -> tuple[Plan, ...]:
        return solved(self.model_copy(update={"pitches": False}), rules.get("knows", "type"), rules.get("accuracy", 1.0),
                      setting_of(rules))

    def _benchmark(self, plan: Plan, binding: bool) -> Benchmark:
        worth = plan.worth()
        kind: Kind = "bound" if plan.bound or not binding else "optimum" if plan.name == "optimum" else "baseline"
        note = plan.note if worth is not None else plan.note or "too many answers to go through"
        sender, receiver = worth if worth is not None else (None, None)
        value = {"sender": sender} if receiver is None else {"sender": sender, "receiver": receiver}
        return Benchmark(name=plan.name, kind=kind, source=SOURCE, value=value, measures=measures(plan),
                         note=note if binding else f"{note}; the sender is taken to be bound by her policy".lstrip("; "))

    def _type_known(self) -> Benchmark:
        who = crowd(self.priors, self.weights, self.ratios)
        sender = sum(min(g + b, g + r * b) for r, g, b in zip(who.odds, who.good, who.bad, strict=True))
        return Benchmark(name="type_known", kind="bound", source=SOURCE, note="the sender is told the type",
                         value={"sender": sender, "receiver": self._uninformed()})

    def _uninformed(self) -> float:
        """What the receiver earns by his prior alone."""
        who = crowd(self.priors, self.weights, self.ratios)
        return sum(max(0.0, (r - 1) * s) for r, s in zip(who.odds, who.stake, strict=True))

    def _cheap_talk(self) -> Benchmark:
        acting = sum(w for w, r in zip(self.weights, self.ratios, strict=True) if r >= 1 - SLACK)
        return Benchmark(name="cheap_talk", kind="equilibrium", source=SOURCE, value={"sender": acting, "receiver": self._uninformed()},
                         note="every message is sent alike in both states, and he acts by his prior")

    @property
    def usual(self) -> str:
        return "optimum"

    # --- strategies -----------------------------------------------------------------------------------------------------
    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        if benchmark == "cheap_talk":
            return self._babble
        if role in ("receiver", SIMULATOR):
            return self._answer
        if self.family is not None:
            return self._inquirer(self.family, benchmark, rules)
        known = {plan.name: plan for plan in self._plans(rules)}
        plan = known.get(benchmark, known["optimum"])

        def sender(information: Information, want: type[Move]) -> Mixed:
            if issubclass(want, Sent):
                asked, heard = recalled(information, plan)
                return tuple((p, None if c is None else self.query(query_rows(plan.screen.ratio(c)), 0))
                             for p, c in plan.next(asked, heard))
            if issubclass(want, Policy):
                return surely(want.model_validate({"rows": policy_rows(plan.messages(recalled(information, plan)[1]))}))
            return surely(PITCH if want is Say else want.model_validate({"message": "m1"}))

        return sender

    def _answer(self, information: Information, want: type[Move]) -> Mixed:
        """The receiver, and the simulator in his place."""
        if issubclass(want, Answer):
            kind, asked = learned(information, Kin)[-1].type, heard(information, Question)[-1]
            return surely(want.model_validate({"cell": f"c{self.partitions[index(asked.question)][kind] + 1}"}))
        return self.follow(information, want)

    def _inquirer(self, of: Family, benchmark: str, rules: Rules) -> Strategy:
        """The sender of a planner over sets of types."""
        most = rules.get("queries", 0)
        known = {i.name: i for i in inquiries(of, most, rules.get("price", 0.0), rules.get("adaptive", True))}
        planner = known.get(benchmark, known["optimum"])

        def sender(information: Information, want: type[Move]) -> Mixed:
            if issubclass(want, Sent | Question):
                pick = planner.next(of, information, most)
                if pick is None:
                    return surely(None)
                return surely(self.query(of.rows[pick], 0) if of.rows else want.model_validate({"question": f"q{pick + 1}"}))
            if issubclass(want, Policy):
                return surely(want.model_validate({"rows": of.serve(of.left(information)).rows}))
            return surely(PITCH if want is Say else want.model_validate({"message": "m1"}))

        return sender

    def _babble(self, information: Information, want: type[Move]) -> Mixed:
        """Nothing is asked or told; the receiver acts by his prior."""
        if issubclass(want, Sent | Question):
            return surely(None)
        if issubclass(want, Answer):
            return self._answer(information, want)
        if issubclass(want, Policy):
            return surely(want.model_validate({"rows": ((1.0, 0.0), (1.0, 0.0))}))
        if issubclass(want, Word):
            return surely(want.model_validate({"message": "m1"}))
        if want is Say:
            return surely(PITCH)
        me = self.imagined(information)
        acts = sum(p * row[0] for p, row in zip(me.belief, me.utility, strict=True)) >= -SLACK
        return surely(self.forms.acts[0 if acts else 1])


@lru_cache(maxsize=64)
def solved(game: PrivatePersuasion, knows: str, accuracy: float, setting: Setting) -> tuple[Plan, ...]:
    """Every plan of an instance under a setting, made once."""
    who: Screen = screen(game.priors, game.weights, game.ratios, game.taken(knows, accuracy))
    return tuple(plans(who, setting))

"""Persuading one receiver whose belief is known.

Nature draws a state. The sender, who has bound herself to a policy beforehand, has a message drawn from it; the receiver, who
knows the policy and sees the message, not the state, acts.

    mu    prior               chances of the states, shared by both                       (W,), >= 0, sum 1
    u, v  sender_utility, receiver_utility    by state and action                         (W, A), money
    pi    the sender's policy: how often each message is sent in each state               (W, M); message a recommends action a
    radius  of the ball of priors, sum of absolute differences, that `robust` guards against       in [0, 2]
    pitches   the sender puts the drawn message into words; informed: she knows the state when she does, so that her words may
            tell more than the message; whether they do is tested (transcripts/persuasion.py), and payoffs are of what was told

Benchmarks, solved in solvers/persuasion.py and solvers/cheap_talk.py:

    optimum           max over policies of E u, the receiver obeying: a linear program, closed form for two actions
    no_information, full_information    the message is always the same; the message is the state
    robust            the best policy that is obeyed under every prior m >= 0 with |m - mu|_1 <= radius, paid at mu
    cheap_talk        her best equilibrium when nothing binds her: where u is the same in every state, the quasi-concave
                      envelope of her value at mu; else by enumeration, if small

Under a protocol that does not bind her, `optimum` is a bound and `cheap_talk` the equilibrium; under one that does, `cheap_talk`
is what she could do as well unbound, the receiver answering as he would then. Measures of all but cheap_talk: `state_w_message_m`,
the policy (where it is small), `gain` = (U - U_no_information) / (V - U_no_information), undefined where persuasion gains nothing;
of robust also `worst_obedience` >= 0 and `worst_value`: the least, over the ball, that obeying earns over disobeying, and that she
earns. Queries to a simulator are worth nothing here, since the receiver is known.
Ties: a receiver who is indifferent does what the sender prefers, then the first action; of equally good policies the receiver's
best. Checked example (the defaults): optimum (.6, 0) with pi(act | bad) = 3/7, no information 0, full information (.3, .3), cheap
talk 0, robust .5333 with pi(act | bad) = .25/.75.

Source: E. Kamenica, M. Gentzkow, "Bayesian persuasion", AER 101 (2011); talk: E. Lipnowski, D. Ravid, "Cheap talk with transparent
motives", Econometrica 88 (2020); robust: Y. Zu, K. Iyer, H. Xu, "Learning to persuade on the fly", Operations Research 73 (2025).
"""
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

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
    Strategy,
    Wording,
    heard,
    learned,
    surely,
)
from .persuading import PITCH, Case, Nature, Offer, Policy, Sent, Word, index, normalised
from .persuading_words import MARKET, PLAIN
from .persuasive import Persuasive
from .solvers.cheap_talk import Talk, cheap_talk, sorted_states
from .solvers.persuasion import Persuaded, Rows, full_information, no_information, optimal, robust, worst_gain, worst_value

BOUND = "Kamenica and Gentzkow, Bayesian persuasion (2011)"
FREE = "Lipnowski and Ravid, Cheap talk with transparent motives (2020); Crawford and Sobel (1982)"
SAFE = "Zu, Iyer and Xu, Learning to persuade on the fly (2025)"
SHOWN = 64
"""The most cells of a policy that are listed as measures."""
Table = Annotated[tuple[tuple[float, ...], ...], Field(min_length=1)]


class Insight(Observation):
    """The state, told to a sender who is bound by her policy but words the message herself."""
    state: int

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("insight", state=w.label(f"s{self.state + 1}"))


def _recommending(w: Wording, message: str, insight: str) -> Wording:
    """The wording with messages that recommend an action, and a sender who may know the state as she speaks."""
    labels = {f"m{i}": message.format(w.label(f"a{i}")) for i in range(1, 27)}
    return w.model_copy(update={"labels": {**w.labels, **labels}, "texts": {**w.texts, "insight": insight}})


class Persuasion(Persuasive):
    wordings: ClassVar[tuple[Wording, ...]] = (
        _recommending(PLAIN, '"pick {}"', "You know that the kind is {state}; the decider does not."),
        _recommending(MARKET, 'the tag "{}"', "You know that the quality is {state}; the buyer does not."))

    prior: Annotated[tuple[Chance, ...], Field(min_length=1)] = (0.3, 0.7)
    sender_utility: Table = ((1.0, 0.0), (1.0, 0.0))
    receiver_utility: Table = ((1.0, 0.0), (-1.0, 0.0))
    radius: Annotated[float, Field(ge=0, le=2)] = 0.1
    informed: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if abs(sum(self.prior) - 1) > 1e-6:
            raise ValueError(f"prior must sum to 1, got {sum(self.prior):g}")
        actions = len(self.sender_utility[0])
        for name, table in (("sender_utility", self.sender_utility), ("receiver_utility", self.receiver_utility)):
            if len(table) != len(self.prior) or any(len(row) != actions for row in table) or not actions:
                raise ValueError(f"{name} needs a row of {actions} utilities, one per action, for each of the {len(self.prior)} states")
        if self.informed and not self.pitches:
            raise ValueError("informed is for a sender who words her message: set pitches = true too")
        return self

    # --- who knows what -------------------------------------------------------------------------------------------------
    @cached_property
    def _offer(self) -> Offer:
        return Offer(beliefs=(normalised(self.prior),), weights=(1.0,), sender=self.sender_utility, receiver=(self.receiver_utility,),
                     messages=self._messages)

    def offer(self) -> Offer:
        return self._offer

    @property
    def _messages(self) -> int:
        """One per action; unbound, where states differ in what they like, as many as states may be needed."""
        actions = len(self.sender_utility[0])
        return max(actions, len(self.prior)) if sorted_states(self.prior, self.sender_utility) else actions

    def speech(self, move: Policy, drawn: Sent | None, state: Case) -> tuple[tuple[Observation, ...], type[Move]] | None:
        owed = super().speech(move, drawn, state)
        if owed is None or drawn is None or not self.informed:
            return owed
        return (Insight(state=state.state), *owed[0]), owed[1]

    # --- solutions ------------------------------------------------------------------------------------------------------
    @property
    def _solved(self) -> dict[str, Persuaded]:
        return _solutions(normalised(self.prior), self.sender_utility, self.receiver_utility, self.radius)

    @property
    def _talk(self) -> Talk | None:
        return _free(normalised(self.prior), self.sender_utility, self.receiver_utility)

    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        binds = rules.get("binding", True)
        found = [self._benchmark(name, made, binds) for name, made in self._solved.items()]
        return [found[0], *found[1:3], self._of_talk(binds), found[3]]

    def _benchmark(self, name: str, made: Persuaded, binds: bool) -> Benchmark:
        kind: Kind = "baseline" if name != "optimum" else "optimum" if binds else "bound"
        measures = self._measures(name, made)
        notes = ["" if binds else "the sender is taken to keep to her policy",
                 "no gain: persuasion earns no more than saying nothing" if measures["gain"] is None else ""]
        if name == "robust":
            notes.insert(0, f"obeyed under every prior within {self.radius:g}, paid at the prior")
        return Benchmark(name=name, kind=kind, source=SAFE if name == "robust" else BOUND, note="; ".join(filter(None, notes)),
                         value={"sender": made.sender, "receiver": made.receiver}, measures=measures)

    def _measures(self, name: str, made: Persuaded) -> dict[str, float | None]:
        none, best = self._solved["no_information"].sender, self._solved["optimum"].sender
        found: dict[str, float | None] = {"gain": (made.sender - none) / (best - none) if best > none + SLACK else None}
        if name == "robust":
            found["worst_obedience"] = worst_gain(normalised(self.prior), made.policy, self.receiver_utility, self.radius)
            found["worst_value"] = worst_value(normalised(self.prior), made.policy, self.sender_utility, self.radius)
        if len(made.policy) * len(made.policy[0]) <= SHOWN:
            found |= {f"state_{w + 1}_message_{m + 1}": x for w, row in enumerate(made.policy) for m, x in enumerate(row)}
        return found

    def _of_talk(self, binds: bool) -> Benchmark:
        talk, kind = self._talk, "baseline" if binds else "equilibrium"
        note = "too many states and actions: her best equilibrium is not enumerated" if talk is None else ""
        if talk is not None and binds:
            note = "her best equilibrium if nothing bound her, answered as there: an indifferent receiver may then mix"
        value = {"sender": talk.sender if talk else None, "receiver": talk.receiver if talk else None}
        return Benchmark.model_validate({"name": "cheap_talk", "kind": kind, "source": FREE, "value": value, "note": note})

    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        talk = self._talk if benchmark == "cheap_talk" else None
        if role != "sender":
            return self.follow if talk is None else self._answering(talk)
        policy = self._padded(talk.policy if talk else self._solved[benchmark].policy)

        def sender(information: Information, want: type[Move]) -> Mixed:
            if issubclass(want, Sent):
                return surely(None)
            if issubclass(want, Policy):
                return surely(want.model_validate({"rows": policy}))
            if issubclass(want, Word):
                row = policy[learned(information, Nature)[-1].state]
                return tuple((x, want.model_validate({"message": f"m{m + 1}"})) for m, x in enumerate(row) if x > 0)
            return surely(PITCH)

        return sender

    def _padded(self, policy: Rows) -> Rows:
        """The policy with columns for messages that it never sends."""
        return tuple((*row, *(0.0,) * (self._messages - len(row))) for row in policy)

    def _answering(self, talk: Talk) -> Strategy:
        """The receiver of an equilibrium of talk, who may mix. What is never said there is answered as the first message."""
        def receiver(information: Information, want: type[Move]) -> Mixed:
            said = index(heard(information, Sent)[-1].message)
            mixed: Sequence[float] = talk.answers[said if said < len(talk.answers) else 0]
            return tuple((x, self.forms.acts[a]) for a, x in enumerate(mixed) if x > 0)

        return receiver

    @property
    def usual(self) -> str:
        return "optimum"

    @property
    def usual_rules(self) -> Rules:
        return super().usual_rules.but(queries=0)


@lru_cache(maxsize=256)
def _solutions(prior: tuple[float, ...], sender: Rows, receiver: Rows, radius: float) -> dict[str, Persuaded]:
    parts = prior, sender, receiver
    return {"optimum": optimal(*parts), "no_information": no_information(*parts), "full_information": full_information(*parts),
            "robust": robust(*parts, radius)}


@lru_cache(maxsize=256)
def _free(prior: tuple[float, ...], sender: Rows, receiver: Rows) -> Talk | None:
    return cheap_talk(prior, sender, receiver)

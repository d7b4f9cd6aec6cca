"""The games of persuasion: a sender with a policy, a receiver with a belief; what they share beside their solutions."""
from collections.abc import Iterable
from math import log
from typing import Any, ClassVar

from ..errors import RulesError
from .base import Game, Information, Mixed, Move, Observation, Play, Role, Rules, Say, Wording, heard, learned, surely
from .leading import Leading, Sketches, StandIn
from .persuading import (
    PITCH,
    Act,
    Case,
    Due,
    Moves,
    Nature,
    Offer,
    Policy,
    Receiver,
    Rows,
    Scene,
    Sent,
    index,
    moves,
    normalised,
    posterior,
)
from .persuading_words import MARKET, PLAIN
from .solvers.persuasion import best_action, expected

NEVER = 1e-300
"""In place of a chance of 0 under a logarithm."""


class Persuasive(Leading):
    """A sender commits to a policy, a message is drawn, the receiver acts. A subclass says who may be met and what the solutions
    are.

    pitches  whether messages are put into the sender's own words, in queries too. She knows the message then, not the state, so
             that her words tell no more than it does
    """
    wordings: ClassVar[tuple[Wording, ...]] = (PLAIN, MARKET)
    textbook: ClassVar[tuple[str, ...]] = ("persuasion", "bayesian persuasion", "information design", "prosecutor")
    ties: ClassVar[str] = "a receiver who is indifferent does what the sender prefers, then the first action"

    pitches: bool = False

    # --- said by each game ----------------------------------------------------------------------------------------------
    def offer(self) -> Offer:
        """Types, weights, beliefs, utilities and messages."""
        raise NotImplementedError

    # --- who knows what -------------------------------------------------------------------------------------------------
    def players(self) -> tuple[Role, ...]:
        return ("sender", "receiver")

    def states(self) -> tuple[tuple[float, Case], ...]:
        offer = self.offer()
        return tuple((w * p, Case(type=k, state=s)) for k, (w, belief) in enumerate(zip(offer.weights, offer.beliefs, strict=True))
                     for s, p in enumerate(belief) if w * p > 0)

    def observe(self, role: Role, state: Case) -> Observation:
        offer = self.offer()
        return offer if role == "sender" else Receiver(belief=offer.beliefs[state.type], utility=offer.receiver[state.type])

    def sketches(self, state: Case, knows: str, accuracy: float) -> Sketches:
        if knows == "nothing":
            return ((1.0, (StandIn(), self.scene(range(len(self.offer().weights))))),)
        return super().sketches(state, knows, accuracy)

    def scene(self, types: Iterable[int]) -> Scene:
        """What a simulator is told of the decision that knows only that it is one of these types."""
        return Scene(utility=average(self.offer(), types).utility)

    # --- what may be done -----------------------------------------------------------------------------------------------
    @property
    def forms(self) -> Moves:
        """The Move types of this instance."""
        offer = self.offer()
        return moves(len(offer.sender), offer.messages, len(offer.sender[0]))

    def want(self, role: Role) -> type[Move]:
        return self.forms.policy if role == "sender" else self.forms.act

    def trial(self) -> type[Move]:
        return self.forms.pitched if self.pitches else self.forms.sent

    def sent(self, rows: Rows, message: int, text: str | None = None) -> Sent:
        """A policy with one of its messages, counted from 0, and its words where it has some."""
        fields = {"rows": rows, "message": f"m{message + 1}"}
        made: Sent = (self.forms.sent if text is None else self.forms.pitched).model_validate(
            fields if text is None else {**fields, "text": text})
        return made

    def query(self, rows: Rows, message: int) -> Sent:
        """A trial of that policy and message."""
        return self.sent(rows, message, PITCH.text if self.pitches else None)

    def outcomes(self, move: Policy, state: Case) -> tuple[tuple[float, Move], ...]:
        return tuple((x, self.sent(move.rows, m)) for m, x in enumerate(normalised(move.rows[state.state])) if x > 0)

    def speech(self, move: Policy, drawn: Sent | None, state: Case) -> tuple[tuple[Observation, ...], type[Move]] | None:
        if drawn is None:
            return (Nature(state=state.state),), self.forms.word
        return ((Due(message=drawn.message),), Say) if self.pitches else None

    def shown(self, move: Policy, drawn: Sent | None, word: Any) -> Move:
        if drawn is None:
            return self.sent(move.rows, index(word.message))
        return drawn if word is None else self.sent(drawn.rows, index(drawn.message), word.text)

    def admit(self, rules: Rules) -> None:
        if rules.get("leader") is None:
            raise RulesError("the receiver must hear the sender before he acts: play this game with protocol simulation_queries.")

    @property
    def usual_protocol(self) -> str:
        return "simulation_queries"

    @property
    def usual_rules(self) -> Rules:
        return Rules.of(queries=1, adaptive=True, binding=True, leader="sender")

    # --- what it is worth -----------------------------------------------------------------------------------------------
    def payoffs(self, play: Play) -> dict[Role, float]:
        assert isinstance(play.state, Case)
        at, action, offer = play.state, index(play.last("receiver", Act).action), self.offer()
        return {"sender": offer.sender[at.state][action], "receiver": offer.receiver[at.type][at.state][action]}

    def bounds(self, role: Role) -> tuple[float, float]:
        offer = self.offer()
        tables = (offer.sender,) if role == "sender" else offer.receiver
        flat = [u for utility in tables for row in utility for u in row]
        return min(flat), max(flat)

    # --- receivers, and simulators in their place -----------------------------------------------------------------------
    def imagined(self, information: Information) -> Receiver:
        """The receiver that one is, or takes the place of; a simulator that knows nothing thinks of the average one."""
        told = learned(information, Receiver)
        return told[-1] if told else average(self.offer(), range(len(self.offer().weights)))

    def held(self, information: Information) -> tuple[Receiver, tuple[float, ...]]:
        """Whose choice it is, and what he believes after the last policy and message he saw; unsent messages tell him nothing."""
        me, seen = self.imagined(information), heard(information, Sent)[-1]
        return me, posterior(me.belief, seen.rows, index(seen.message)) or me.belief

    def follow(self, information: Information, want: type[Move]) -> Mixed:
        """The strategy of a Bayesian receiver, and of a simulator in his place."""
        me, belief = self.held(information)
        return surely(self.forms.acts[best_action(belief, me.utility, self.offer().sender)])

    def options(self, role: Role, information: Information, want: type[Move], rules: Rules,
                level: int | None = None) -> tuple[tuple[Move | None, float], ...]:
        if role == "sender":
            raise NotImplementedError
        me, belief = self.held(information)
        hers = expected(belief, self.offer().sender)
        found = sorted(enumerate(expected(belief, me.utility)), key=lambda pair: hers[pair[0]])
        return tuple((self.forms.acts[a], u) for a, u in found)

    def evidence(self, role: Role, information: Information) -> tuple[float, float, float]:
        """Of two states and two actions alone: log odds of state 1, of the message, of the stakes of the first action."""
        me, seen = self.imagined(information), heard(information, Sent)[-1]
        if role == "sender" or len(me.belief) != 2 or len(me.utility[0]) != 2:
            return Game.evidence(self, role, information)
        good, bad = (max(NEVER, normalised(row)[index(seen.message)]) for row in seen.rows)
        gain, loss = me.utility[0][0] - me.utility[0][1], me.utility[1][1] - me.utility[1][0]
        return log(max(NEVER, me.belief[0]) / max(NEVER, me.belief[1])), log(good / bad), log(gain / loss)

    def voice(self, role: Role, want: type[Move], belief: float, acts: float) -> Mixed:
        first, second = self.forms.acts
        return tuple(pair for pair in ((acts, first), (1 - acts, second)) if pair[0] > 0)


def average(offer: Offer, types: Iterable[int]) -> Receiver:
    """The average receiver among some types: mean chances of the states, and mean utilities given each state."""
    some = list(types)
    mean = [sum(offer.weights[k] * offer.beliefs[k][s] for k in some) for s in range(len(offer.sender))]
    utility = tuple(tuple(sum(offer.weights[k] * offer.beliefs[k][s] * offer.receiver[k][s][a] for k in some) / mean[s] if mean[s] else 0.0
                          for a in range(len(offer.sender[0]))) for s in range(len(offer.sender)))
    return Receiver(belief=normalised(mean), utility=utility)

"""Games in which one leads and another follows: what the protocol `simulation_queries` has to know of them.

The leader moves, chance may make something of her move (a message drawn from a policy), the follower sees that and moves. Before
she moves, she may put trial moves to a simulator, who says what the follower would do. A game says, by overriding:

    brief      what a role is told at the start                       default: what it observes
    trial      the Move type of a query                               default: the leader's move
    reply      the Move type of the simulator's answer                default: the follower's move
    answers    all that may be answered, so that some can be flipped  default: every move, where moves are labels
    sketches   what the simulator may know of the follower            default: type, signal, nothing
    outcomes   what the leader's move comes to                        default: the move itself
    speech     a further move of hers before the follower hears       default: none
    shown      what the follower then sees                            default: what the move came to
"""
from typing import Any, Literal, get_origin

from pydantic import SerializeAsAny

from ..errors import RulesError
from .base import SLACK, Chance, Game, Information, Left, Move, Observation, Role, Wording, every, learned

SIMULATOR: Role = "simulator"
Sketches = tuple[tuple[float, tuple[Observation, ...]], ...]
"""What the simulator may know of the follower, with chances given the state."""


class Tried(Observation):
    """A move the leader tried, and what she was told the simulator answered: one for each time it was asked."""
    move: SerializeAsAny[Move]
    answer: SerializeAsAny[Move]

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("tried", move=self.move.say(w), answer=self.answer.say(w))


class Asked(Observation):
    """A move the leader has put to the simulator, whose answer comes when all are put."""
    move: SerializeAsAny[Move]

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("asked", move=self.move.say(w))


class Unsure(Observation):
    """The leader is told how often an answer that she hears is wrong."""
    wrong: Chance

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("unsure", wrong=w.percent(self.wrong))


class StandIn(Observation):
    """A simulator is told whose place it takes. accuracy: of what it is told of the follower; None if that is certain."""
    accuracy: Chance | None = None

    def say(self, w: Wording, me: Role) -> str:
        told = w.tell("stand_in")
        return told if self.accuracy is None else f"{told} {w.tell('hint', accuracy=w.percent(self.accuracy))}"


class Counts(Observation):
    """The leader is told that queries are over: her next move is the one that counts."""

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("counts")


def trying(information: Information) -> bool:
    """Whether a leader who is asked for a move is asked for a query: she may still try, and nothing counts yet."""
    return bool(learned(information, Left)) and not learned(information, Counts)


class Leading(Game):
    """A game with a leader and a follower. Its wordings have texts `left`, `unsure`, `tried`, `asked`, `counts`, `stand_in`, `hint`."""

    @property
    def leader(self) -> Role:
        """Who moves first."""
        return self.players()[0]

    @property
    def follower(self) -> Role:
        """Who sees what came of it, and moves."""
        return self.players()[1]

    def brief(self, role: Role, state: Any) -> tuple[Observation, ...]:
        """What a player is told at the start."""
        return (self.observe(role, state),)

    # --- queries --------------------------------------------------------------------------------------------------------
    def trial(self) -> type[Move]:
        """The Move type of a query to the simulator."""
        return self.want(self.leader)

    def reply(self) -> type[Move]:
        """The Move type of the simulator's answer."""
        return self.want(self.follower)

    def answers(self) -> tuple[Move, ...]:
        """All that a simulator may answer, of which a faulty one is heard to say another. Raises RulesError."""
        labels = all(get_origin(f.annotation) is Literal for f in self.reply().model_fields.values())
        found = every(self.reply()) if labels else ()
        if len(found) < 2:
            raise RulesError("the answers of this game's simulator are not a few labels, so none can be flipped: set flip = 0.")
        return found

    def sketches(self, state: Any, knows: str, accuracy: float) -> Sketches:
        """What a simulator learns of the follower. Raises RulesError for what this game has not.

        `type`: all that the follower is told; `nothing`: what the leader is told; `signal`: with chance 1 - accuracy what another
        follower would be told in his place, drawn from the prior over those who are told something else.
        """
        mine = self.brief(self.follower, state)
        if knows == "type":
            return ((1.0, (StandIn(), *mine)),)
        if knows == "nothing":
            return ((1.0, (StandIn(), *self.brief(self.leader, state))),)
        if knows != "signal":
            raise RulesError(f"this game has no {knows} of its {self.follower}: a simulator may know the type, a signal or nothing.")
        hint, others = StandIn(accuracy=accuracy), self._others(mine)
        total = sum(others.values())
        found = [(accuracy if others else 1.0, (hint, *mine)),
                 *((p / total * (1 - accuracy), (hint, *other)) for other, p in others.items())]
        return tuple((p, seen) for p, seen in found if p > SLACK)

    def _others(self, mine: tuple[Observation, ...]) -> dict[tuple[Observation, ...], float]:
        """What other followers are told, with the chance of each."""
        found: dict[tuple[Observation, ...], float] = {}
        for p, state in self.states() or ():
            if (other := self.brief(self.follower, state)) != mine:
                found[other] = found.get(other, 0.0) + p
        return found

    # --- between the leader's move and the follower's -------------------------------------------------------------------
    def outcomes(self, move: Any, state: Any) -> tuple[tuple[float, Move], ...]:
        """What the leader's move comes to, with chances given the state: a message drawn from her policy."""
        return ((1.0, move),)

    def speech(self, move: Any, drawn: Any, state: Any) -> tuple[tuple[Observation, ...], type[Move]] | None:
        """What the leader is told before the follower hears of her move, and the further Move she then owes; None: nothing more.

        drawn  what her move came to; None if it does not bind her, so that nothing was drawn
        """
        return None

    def shown(self, move: Any, drawn: Any, word: Any) -> Move:
        """What the follower is to see. word: the leader's further move, None if she owed none."""
        shown: Move = move if drawn is None else drawn
        return shown


"""Seats that know the chances of what they say: drawn by the ask's seed, or branched over in exact evaluation."""
from abc import abstractmethod
from typing import ClassVar

from ..errors import InputError
from ..games.base import Mixed, Say, surely
from ..protocols.codec import write
from ..protocols.seat import Agent, Reply, Turn
from ..protocols.session import pick
from ..registry import name_of

BABBLE = "Hello."
"""Free speech of a seat that has nothing to say."""


class Mixing(Agent):
    """An agent that is a function from a turn to chances over moves. Free speech it fills with one constant."""
    reads: ClassVar[bool] = False
    costless: ClassVar[bool] = True

    @abstractmethod
    def chances(self, turn: Turn) -> Mixed:
        """Chances over moves at an ask that is not free speech; None is to pass."""

    async def reply(self, turn: Turn) -> Reply:
        mixed = self.mixed(turn)
        _, move = mixed[pick([p for p, _ in mixed], turn.seed)]
        return Reply(write(move, turn.wording), model=name_of(self))

    def mixture(self, turn: Turn) -> tuple[tuple[float, str], ...] | None:
        return tuple((p, write(move, turn.wording)) for p, move in self.mixed(turn) if p > 0)

    def mixed(self, turn: Turn) -> Mixed:
        """The chances, free speech included. Raises InputError where the game has no answer for this seat."""
        if turn.ask.want is Say:
            return surely(Say(text=BABBLE))
        try:
            return self.chances(turn)
        except NotImplementedError:
            raise InputError(f"agent '{name_of(self)}' cannot sit as '{turn.role}': the game does not say what such a seat "
                             f"does when asked for a {turn.ask.want.__name__}. Seat another agent there.") from None


def unseated(agent: Agent, role: str) -> InputError:
    """The error of an agent that was not handed what it needs."""
    return InputError(f"agent '{name_of(agent)}' cannot sit as '{role}': the experiment handed it nothing to play by. "
                      "Seat another agent there.")

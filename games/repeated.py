"""Games that are played in rounds by a leader and a follower who each earn something after every one of them."""
from abc import abstractmethod
from typing import Any, NamedTuple

from .base import Move, Observation, Play, Role, Rounds, State
from .leading import Leading


class Round(NamedTuple):
    """One round: the leader's move, the answer to it, and whether she declined that."""
    lead: Move
    answer: Move
    declined: bool


class Repeated(Leading):
    """Two players, leader first; every round has one move of each, and is worth something by itself."""

    def brief(self, role: Role, state: Any) -> tuple[Observation, ...]:
        return self.observe(role, state), self.rounds(role)

    @property
    @abstractmethod
    def length(self) -> int:
        """How many rounds are played."""

    @abstractmethod
    def rounds(self, role: Role) -> Rounds:
        """What a role chooses among in every round."""

    @abstractmethod
    def reward(self, state: State, lead: Move, answer: Move, visit: int) -> dict[Role, float]:
        """What each earns when this pair of moves is met, having been met `visit` times before."""

    @property
    @abstractmethod
    def joint(self) -> type[Move]:
        """The Move of one who moves for both."""

    @abstractmethod
    def split(self, both: Move) -> tuple[Move, Move]:
        """The leader's and the follower's move in a joint one."""

    @property
    @abstractmethod
    def verdict(self) -> type[Move]:
        """The Move by which the leader takes a response or declines it."""

    @abstractmethod
    def declines(self, verdict: Move) -> bool:
        """Whether a verdict declines."""

    @property
    @abstractmethod
    def worth_declined(self) -> float:
        """What a declined round is worth to either player."""

    def history(self, play: Play) -> list[Round]:
        """The rounds of a play."""
        leader, follower = self.players()
        found: list[Round] = []
        lead: Move | None = None
        for role, move in play.moves:
            if isinstance(move, self.verdict):
                found[-1] = found[-1]._replace(declined=self.declines(move))
            elif role == leader:
                lead = move
            elif role == follower and lead is not None:
                found.append(Round(lead, move, False))
        return found

    def rewards(self, play: Play) -> list[dict[Role, float]]:
        """What every round of a play paid, before fees."""
        visits: dict[tuple[Move, Move], int] = {}
        found = []
        for lead, answer, declined in self.history(play):
            visit = visits.get((lead, answer), 0)
            visits[lead, answer] = visit + 1
            found.append(dict.fromkeys(self.players(), self.worth_declined) if declined else self.reward(play.state, lead, answer, visit))
        return found

    @property
    def measured(self) -> bool:
        """Whether what every pair of moves is worth on average is known."""
        return True

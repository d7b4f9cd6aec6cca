"""Games that are played in rounds by a leader and a follower who each earn something after every one of them."""
from abc import abstractmethod
from typing import Any

from .base import Move, Observation, Role, Rounds, State
from .leading import Leading


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

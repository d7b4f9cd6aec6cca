"""A mock that knows the game by heart where it is told as usual, and nothing where it is not: what contamination would look like."""
from ..protocols.codec import write
from ..protocols.seat import Reply, Turn
from .handed import Planned
from .mock import Mock


class Memoriser(Planned):
    """Plays a benchmark's strategy in one wording, and as the mock in every other. A control for tests of contamination.

    knows      the wording it remembers
    benchmark  whose strategy; None: the game's usual one
    """
    knows: str = "plain"

    async def reply(self, turn: Turn) -> Reply:
        if turn.wording.name != self.knows:
            return await Mock().reply(turn)
        (_, move), *_ = self.planned(turn)
        return Reply(write(move, turn.wording))

"""Nobody has an adviser.

    every player   moves   all at once
"""
from ..games.base import Game, Play, Rules, State
from .base import Notes, Protocol, Script


class Silent(Protocol):
    """The game as it is without AI."""

    def rules(self, game: Game) -> Rules:
        return Rules.of(queries=0)

    def script(self, game: Game, state: State) -> Script:
        notes = Notes()
        for role in game.players():
            notes.tell(role, game.observe(role, state))
        moves = yield tuple(notes.ask(role, game.want(role)) for role in game.players())
        return Play(state=state, moves=tuple(zip(game.players(), moves, strict=True)))

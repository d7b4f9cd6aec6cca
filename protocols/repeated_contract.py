"""The same two meet again and again.

    principal   posts the payments            each round, or in the first alone (`fixed`)
    ...         the task, the choice and the outcome, as where a contract is posted once
    both        are told the outcome; the principal also the choice, if `revealed`

Payoffs are the mean over the rounds. No solution of the repeated game is claimed: reputation and learning may do better or worse
than the same contract every time, so under these rules (`repeats`) the solutions of one round are bounds and baselines.

Source: R. Radner, "Repeated principal-agent games with discounting", Econometrica 53 (1985).
"""
from typing import Annotated, cast

from pydantic import Field

from ..games.base import Game, Play, Rules, Saw, State
from ..games.contracting import Choice, Contracting
from .base import Script
from .contracting import Moves, PaidText, begin


class RepeatedContract(PaidText):
    """The game of one contract, `rounds` times.

    revealed   whether the principal learns, after each round, which generator was used
    fixed      whether the first contract is in force in all rounds
    """
    rounds: Annotated[int, Field(ge=2)] = 3
    revealed: bool = False
    fixed: bool = False

    def rules(self, game: Game) -> Rules:
        return super().rules(game).but(repeats=self.rounds, revealed=self.revealed)

    def script(self, game: Game, state: State) -> Script:
        made, moves = cast(Contracting, game), Moves()
        notes = begin(made, state)
        for at in range(self.rounds):
            if at == 0 or not self.fixed:
                yield from self.post(made, notes, moves)
            yield from self.one(made, notes, moves)
            if self.revealed:
                choice = next(m for _, m in reversed(moves) if isinstance(m, Choice))
                notes.tell("principal", Saw(role="agent", move=choice))
        return Play(state=state, moves=tuple(moves))

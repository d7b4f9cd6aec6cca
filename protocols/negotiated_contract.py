"""A contract is bargained over in words, then it binds.

    principal   posts the payments
    agent       answers in words, or passes: the contract stands     \\
    principal   posts anew, or the same                              /  at most `rounds` times
    ...         the task, the choice and the outcome, as where a contract is posted once

The last contract posted binds; what was said does not. No solution of this bargaining is claimed: under these rules (`bargains`)
the solutions of the posted contract are bounds and baselines.

Source: the treatments of contracts in words that E. Fehr, A. Klein, K. Schmidt, "Fairness and contract design", Econometrica 75
(2007), play with people; here with a hidden choice.
"""
from typing import Annotated, cast

from pydantic import Field

from ..games.base import Game, Play, Rules, Saw, Say, State
from ..games.contracting import Contracting
from .base import Script
from .contracting import Moves, PaidText, begin


class NegotiatedContract(PaidText):
    """Up to `rounds` answers of the agent, each followed by another contract."""
    rounds: Annotated[int, Field(ge=1)] = 2

    def rules(self, game: Game) -> Rules:
        return super().rules(game).but(bargains=self.rounds)

    def script(self, game: Game, state: State) -> Script:
        made, moves = cast(Contracting, game), Moves()
        notes = begin(made, state)
        yield from self.post(made, notes, moves)
        for _ in range(self.rounds):
            words, = yield (notes.ask("agent", Say, optional=True),)
            if words is None:
                break
            moves.append(("agent", words))
            notes.tell("principal", Saw(role="agent", move=words))
            yield from self.post(made, notes, moves)
        yield from self.one(made, notes, moves)
        return Play(state=state, moves=tuple(moves))

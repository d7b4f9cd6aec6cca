"""A contract is posted, a generator is chosen in private, a text comes out, payment follows.

    principal   posts the payments, as numbers or in words        (`prose`: with a `reader`, and shown back)
    nature      sets a task                                       (where there are any)
    agent       chooses its generator                             told the contract; `chooses` = "after": told the task too
    nature      draws the outcome                                 choice only
    writer_X    writes                                            real generation: told the task and nothing of pay
    evaluator   scores                                            told the task and the text, not who wrote it

If the agent chooses after it is told the task, incentives must hold task by task: a contract made for average chances may fail on
some of them. Rules: `posts`, `chooses`, `real`. With real writers the game's chances are an estimate, from a calibration.

Source: Saig, Einav, Talgam-Cohen, "Incentivizing quality text generation via statistical contracts", NeurIPS (2024).
"""
from typing import cast

from ..games.base import Game, Play, State
from ..games.contracting import Contracting
from .base import Script
from .contracting import Moves, PaidText, begin


class TextContract(PaidText):
    """One contract, one text."""

    def script(self, game: Game, state: State) -> Script:
        made, moves = cast(Contracting, game), Moves()
        notes = begin(made, state)
        yield from self.post(made, notes, moves)
        yield from self.one(made, notes, moves)
        return Play(state=state, moves=tuple(moves))

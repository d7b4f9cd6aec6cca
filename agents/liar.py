"""Plays a benchmark's strategy, but with a known chance says something else: a fault of known size to look for."""
from ..errors import InputError
from ..games.base import Chance, Mixed, Move
from ..protocols.seat import Turn
from .chances import Mixing
from .handed import Planned
from .random import finite


class Liar(Planned, Mixing):
    """With chance 1 - lies the move of the strategy, else one of the other moves, each as likely.

    It can sit only where it is asked for one label or truth value, and passes where the strategy passes.

    lies       chance of another move
    benchmark  name of the benchmark; None: the game's usual one
    """
    lies: Chance = 0.3

    def chances(self, turn: Turn) -> Mixed:
        found: list[tuple[float, Move | None]] = []
        for p, move in self.planned(turn):
            found += [(p, None)] if move is None else [(p * q, m) for q, m in self._bent(move, turn)]
        return tuple((p, move) for p, move in found if p > 0)

    def _bent(self, honest: Move, turn: Turn) -> Mixed:
        moves = finite(turn.ask.want)
        if moves is None:
            raise InputError(f"agent 'liar' cannot sit as '{turn.role}': a {turn.ask.want.__name__} is not one of a few labels. "
                             "Seat another agent there.")
        others = [m for m in moves if m.model_dump() != honest.model_dump()]  # a narrowed Move is another class
        if not others:
            return ((1.0, honest),)
        return ((1 - self.lies, honest), *((self.lies / len(others), other) for other in others))

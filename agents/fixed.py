"""Says one given move, or given words, whatever it is told: a control, and a writer of known texts."""
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from ..errors import InputError
from ..games.base import Mixed, Say, surely
from ..protocols.seat import Turn
from ..registry import explain
from .chances import Mixing


class Fixed(Mixing):
    """The same answer at every ask. It passes where it may and its move does not fit.

    text  its free speech
    move  the fields of the move it makes where something else is owed, in canonical labels and units
    """
    text: Annotated[str, Field(min_length=1)] = "Hello."
    move: Mapping[str, Any] = {}

    def mixed(self, turn: Turn) -> Mixed:
        if issubclass(turn.ask.want, Say):
            return surely(turn.ask.want.model_validate({"text": self.text}))
        return self.chances(turn)

    def chances(self, turn: Turn) -> Mixed:
        try:
            return surely(turn.ask.want.model_validate(dict(self.move)))
        except ValidationError as problem:
            if turn.ask.optional:
                return surely(None)
            raise InputError(f"agent 'fixed' cannot make its move as '{turn.role}', asked for a {turn.ask.want.__name__}: "
                             f"{explain(problem)}. Give it a `move` with these fields.") from None

"""A synthetic evaluator: draws the score of a text from chances that are given for it."""
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator

from ..errors import InputError
from ..games.base import Chance, Mixed
from ..protocols.seat import Turn
from .chances import Mixing
from .scoring import scored, top


class Sampler(Mixing):
    """Scores 1..m with the chances of the text's row. With writers who always say the same words, a table F becomes an evaluator.

    rows  text -> chances of the scores 1..m, summing to 1
    """
    rows: Annotated[Mapping[str, tuple[Chance, ...]], Field(min_length=1)]

    @model_validator(mode="after")
    def _lotteries(self) -> "Sampler":
        for text, row in self.rows.items():
            if abs(sum(row) - 1) > 1e-9:
                raise ValueError(f"the chances of '{text}' must sum to 1, not {sum(row):g}")
        return self

    def chances(self, turn: Turn) -> Mixed:
        text, highest = scored(turn)[0], top(turn)
        row = self.rows.get(text)
        if row is None or len(row) != highest:
            raise InputError(f"agent 'sampler' has no row of {highest} chances for the text '{text[:40]}'; it has rows for: "
                             f"{', '.join(t[:40] for t in self.rows)}.")
        return tuple((p, turn.ask.want.model_validate({"score": j + 1})) for j, p in enumerate(row) if p > 0)

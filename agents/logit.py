"""A statistical human proxy that errs less the more an error costs: quantal response."""
from math import exp
from typing import Annotated

from pydantic import Field

from ..games.base import Mixed
from ..protocols.seat import Turn
from .handed import Weighing


class Logit(Weighing):
    """Chooses move m with chance proportional to exp(precision * u(m)), u its expected payoff net of fees to come.

    precision  lambda >= 0, per unit of payoff: 0 is uniform chance, large is a best reply
    level      what it takes the others to be: None, players of the usual benchmark; k >= 0, level-k people

    Source: R. McKelvey, T. Palfrey, "Quantal response equilibria for normal form games", Games and Economic Behavior 10
    (1995). Here the reply alone is quantal: beliefs about the others are given by `level`, not by a fixed point.
    """
    precision: Annotated[float, Field(ge=0)] = 1.0
    level: Annotated[int, Field(ge=0)] | None = None

    def chances(self, turn: Turn) -> Mixed:
        options = self.weighed(turn, self.level)
        best = max(worth for _, worth in options)
        weights = [exp(self.precision * (worth - best)) for _, worth in options]
        return tuple((weight / sum(weights), move) for weight, (move, _) in zip(weights, options, strict=True))

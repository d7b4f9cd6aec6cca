"""A statistical human proxy who weighs prior and evidence in his own way, and acts by a noisy threshold."""
from collections.abc import Mapping
from math import exp
from typing import Annotated, Self

from pydantic import Field, PrivateAttr

from ..games.base import Chance, Mixed
from ..protocols.seat import Evidence, Seating, Turn, Voice
from .chances import Mixing, unseated


class Updater(Mixing):
    """He holds z = bias + prior_weight * logit(prior) + evidence_weight * ln(likelihood ratio) and states Lambda(z).
    He acts with chance eager + (1 - eager - stubborn) Lambda(slope (z + ln(gain/loss))), then does the other with chance flip.

    slope     beta > 0; None: a step at 0, at which he acts
    bias      in logits; above 0 he is too easily moved
    prior_weight, evidence_weight    1 and 1 for Bayes
    eager, stubborn   lapses: chances to act, or not to, whatever he holds; they sum to at most 1
    flip      chance that the answer comes out the other way
    framing   wording, or level of a factor by which wordings are crossed -> what it adds to the bias

    Source: D. Grether, "Bayes rule as a descriptive model", Quarterly Journal of Economics 95 (1980).
    """
    slope: Annotated[float, Field(gt=0)] | None = None
    bias: float = 0.0
    prior_weight: float = 1.0
    evidence_weight: float = 1.0
    eager: Chance = 0.0
    stubborn: Chance = 0.0
    flip: Chance = 0.0
    framing: Mapping[str, float] = {}
    _evidence: Evidence | None = PrivateAttr(None)
    _voice: Voice | None = PrivateAttr(None)

    def bind(self, seating: Seating) -> Self:
        if seating.evidence is None or seating.voice is None:
            raise unseated(self, seating.role)
        seated = self.model_copy()
        seated._evidence, seated._voice = seating.evidence, seating.voice
        return seated

    def chances(self, turn: Turn) -> Mixed:
        if self._evidence is None or self._voice is None:
            raise unseated(self, turn.role)
        prior, heard, stakes = self._evidence(turn.information)
        framed = sum(self.framing.get(level, 0.0) for level in {turn.wording.name, *turn.wording.factors.values()})
        held = self.bias + framed + self.prior_weight * prior + self.evidence_weight * heard
        acts = max(0.0, self.eager + (1 - self.eager - self.stubborn) * self._sure(held + stakes))
        return self._voice(turn.ask.want, _logistic(held), acts + self.flip * (1 - 2 * acts))

    def _sure(self, z: float) -> float:
        return float(z >= -1e-9) if self.slope is None else _logistic(self.slope * z)


def _logistic(z: float) -> float:
    return 1 / (1 + exp(-z)) if z > -700 else 0.0

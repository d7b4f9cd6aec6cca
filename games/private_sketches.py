"""What a simulator may be told of a receiver whose belief is hidden, short of the belief itself: a persona, past choices."""
from .base import Observation, Role, Wording
from .persuading import Row, Rows, Sent

PAST = tuple(2.0**i for i in range(-3, 4))
"""The ratios x0 / x1 of the policies under which a receiver's past choices were made."""
TEMPERS = (0.1, 0.3, 0.7, 0.9)
"""Where one temper ends and the next begins, as chances of state 1."""


class Persona(Observation):
    """A description of a receiver in words. degree: one of the five tempers of the wording, from 1; None: `text`."""
    text: str = ""
    degree: int | None = None

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("persona", text=self.text if self.degree is None else w.tell(f"temper_{self.degree}"))


class Past(Observation):
    """What the receiver did before, after the first message of policies of these ratios."""
    ratios: Row
    actions: tuple[str, ...]

    def say(self, w: Wording, me: Role) -> str:
        told = [w.tell("choice", move=Sent(rows=query_rows(r), message="m1").say(w), action=w.label(a))
                for r, a in zip(self.ratios, self.actions, strict=True)]
        return "\n".join([w.tell("past"), *told])


def temper(belief: float) -> int:
    """A belief as one of five tempers, from 1."""
    return 1 + sum(belief >= end for end in TEMPERS)


def query_rows(ratio: float) -> Rows:
    """A policy whose first message is sent with x0 / x1 = ratio, as often as can be; the second takes what is left."""
    good, bad = min(1.0, 1 / ratio), min(1.0, ratio)
    return ((good, 1 - good), (bad, 1 - bad))

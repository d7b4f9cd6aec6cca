"""What the telling alone does to thresholds, of respondents of `parlour fidelity`."""
from math import sqrt

import numpy as np

from ..games.announced_policy import CONTRASTS, PLAIN
from .fidelity import Answers
from .psychometric import spread


def framing(of: Answers) -> float | None:
    """Standard deviation of the threshold over wordings (their order and labels differ too), in logits; None if not known."""
    at, errors = [], []
    for w in range(len(of.wordings)):
        for kind in range(len(of.priors)):
            found = of.wording(kind, of.wordings[w])
            whole = of.threshold(kind)
            if found and whole and found.threshold is not None and whole.threshold is not None:
                at.append(found.threshold - whole.threshold)
                errors.append(found.se or 0.0)
    return spread(at, errors) if len(at) > 1 else None


def shifts(of: Answers) -> dict[str, tuple[float, float | None]]:
    """What alone changes -> (shift of the threshold, mean over types, its standard error, if known), where both ways were asked."""
    found: dict[str, tuple[float, float | None]] = {}
    for what, name in CONTRASTS.items():
        pairs = [(of.wording(k, name), of.wording(k, PLAIN.name)) for k in range(len(of.priors))]
        known = [(a, b) for a, b in pairs if a and b and a.threshold is not None and b.threshold is not None]
        if known:
            errors = [x.se for pair in known for x in pair]
            se = sqrt(sum((e or 0.0) ** 2 for e in errors)) / len(known) if all(errors) else None
            found[what] = float(np.mean([(a.threshold or 0.0) - (b.threshold or 0.0) for a, b in known])), se
    return found

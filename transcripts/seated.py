"""Which learner each seat of a run is like: fitted by likelihood to what it chose and earned."""
from typing import Any

from .courses import courses_of
from .fitted import fit
from .store import Store


def described(store: Store, run: str) -> list[dict[str, Any]]:
    """One line per seat and episode: the learner that explains it best, and by how much BIC it beats the next."""
    lines = []
    for found in courses_of(store, run):
        for episode, course in found.all.items():
            for role in found.seated:
                choices = found.choices(course, role)
                first, second, *_ = fit(choices)
                lines.append({"arm": found.arm.name, "episode": episode, "role": role, "choices": len(choices),
                              "learner": first.algorithm, "setting": str(first.settings[0].model_dump()), "ties": len(first.settings),
                              "tremble": first.tremble, "agreement": first.agreement, "next": second.algorithm,
                              "margin": second.bic - first.bic})
    return lines

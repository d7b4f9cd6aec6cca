"""Shared against independent AI advice: what the same model at both ears does to an economy.

Expected: the sum of row's and column's payoffs in the equilibria of `battle_of_the_sexes`; for a mock, whose report is random, what
followers get at an accuracy of one half.
"""
from typing import Any

from ...reports.document import Figure
from ..design import game_of
from .stage import Line, Shown, Stage, commands, line, total

TITLE = "One AI or two?"
QUESTION = ("Two people want to meet, and the worth of one place depends on a weather that neither knows. An AI that is right seven times "
            "in ten may tell both of them, or each may have an AI of his own, as good as the other's. Is advice that is right more often "
            "than not good for both?")
DESIGNS = ("one_ai_or_two", "one_ai_or_two_model")
PLAYERS = ("row", "column")
INFORMED = {"no AI": "none", "one common AI": "both_common", "an AI each": "both_private"}


def equilibrium(arm: str) -> float:
    """The sum of payoffs if both go where honest reports point; without reports, in the best equilibrium."""
    game = game_of({"name": "battle_of_the_sexes", "accuracy": 0.7, "informed": INFORMED[arm]})
    name = "best_equilibrium" if arm == "no AI" else "equilibrium OF/OF"
    found = next(b for b in game.benchmarks(game.usual_rules) if b.name == name)
    return sum(found.value[role] or 0.0 for role in PLAYERS)


def followed(arm: str, q: float) -> float:
    """The sum of payoffs if both follow reports that are right with chance q, whether that is an equilibrium or not.

    In each weather w, of chance 1/2, both are at O if both reports say low, and both at F if both say high.
    """
    game: Any = game_of({"name": "battle_of_the_sexes"})
    opera, football, (low, high) = sum(game.opera), sum(game.football), game.weather
    right, wrong = (q, 1 - q) if arm == "one common AI" else (q * q, (1 - q) ** 2)
    return 0.5 * (right * opera + wrong * football * low) + 0.5 * (wrong * opera + right * football * high)


def play(stage: Stage) -> Shown:
    """The economies with honest advisers, exactly; then with a model as the adviser."""
    runs = [stage.run(stage.design(name)) for name in DESIGNS]
    honest, modelled = (stage.arms(run) for run in runs)
    lines = [line(f"sum of payoffs, {name}", equilibrium(name), total(arm, PLAYERS), "best equilibrium" if name == "no AI" else
                  "equilibrium OF/OF") for name, arm in honest.items()]
    random = "a mock reports at random" if stage.mocked else ""
    lines += [line(f"sum of payoffs, {name}: the model", followed(name, 0.5) if stage.mocked else None, total(arm, PLAYERS), random)
              for name, arm in modelled.items()]
    alone, common, each = (x.found or 0.0 for x in lines[:3])
    return Shown(lines, f"No. One common adviser raises the sum from {alone:.4g} to {common:.4g}. Two independent ones, as accurate and as "
                 f"honest, lower it to {each:.4g}: they disagree on 42 of 100 evenings, and then nobody meets. Even a common adviser "
                 "who reports at random keeps the two together. That many people ask the same model is here worth more than that it is "
                 "right.", [_figure(lines)], [commands("one_ai_or_two", DESIGNS)], runs)


def _figure(lines: list[Line]) -> Figure:
    from ...reports.figures import intervals
    rows = [{"what": x.what.removeprefix("sum of payoffs, "), "value": x.found, "low": x.low, "high": x.high, "expected": x.expected}
            for x in lines]
    return Figure("sums", intervals(rows, "what", "sum of payoffs of the two", "expected"),
                  "Sums of payoffs as played, with 95% intervals where sampled; the red mark is what was expected.", rows)

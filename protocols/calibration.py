"""Every generator writes, nobody is paid: how good is which?

    nature      sets a task
    writer_X    writes, each of them                              told the task
    evaluator   scores every text; `gold` too, if it is there      told the task and the text, not who wrote it

Scores by writer make the table of outcome chances F on which contracts rest (`parlour calibration`). Payoffs are nil; under these
rules (`calibrates`) the game's solutions are bounds. Tasks are set in turn by chance; the same writer and task may be met again.

Source: the benchmark runs from which Saig, Einav and Talgam-Cohen (2024) take F.
"""
from typing import Annotated, cast

from pydantic import Field

from ..games.base import NATURE, Game, Move, Play, Role, Rules, Say, State
from ..games.contracting import Contracting, Drawn
from .base import Draw, Notes, Protocol, Script
from .contracting import paid_game, score, writer
from .writing import Prompt, Task


class Calibration(Protocol):
    """One task, answered with every generator.

    tasks  that are to be answered
    gold   whether a second evaluator scores the answers, for comparison
    """
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)]
    gold: bool = False

    def rules(self, game: Game) -> Rules:
        return Rules.of(posts=True, calibrates=True)

    @property
    def evaluators(self) -> tuple[Role, ...]:
        """Who scores."""
        return ("evaluator", "gold") if self.gold else ("evaluator",)

    def seats(self, game: Game) -> tuple[Role, ...]:
        return (*(writer(label) for label in paid_game(game).labels), *self.evaluators)

    def script(self, game: Game, state: State) -> Script:
        made, notes = cast(Contracting, game), Notes()
        at, = yield (Draw(tuple(1 / len(self.tasks) for _ in self.tasks), "task"),)
        task, writers = self.tasks[at], [writer(label) for label in made.labels]
        moves: list[tuple[Role, Move]] = [(NATURE, Drawn(task=at))]
        for who in writers:
            notes.tell(who, Prompt(text=task.prompt))
        texts = yield tuple(notes.ask(who, Say) for who in writers)
        for who, text in zip(writers, texts, strict=True):
            marks = yield from score(self.evaluators, text, task, made.outcomes, notes)
            moves += [(who, text), *zip(self.evaluators, marks, strict=True)]
        return Play(state=state, moves=tuple(moves))

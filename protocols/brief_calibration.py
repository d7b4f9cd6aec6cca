"""Every brief is written for in every style and scored, and nobody plays: what do the cells earn?

    writer         writes, for each wording of each brief in each style     told the brief and the style alone
    scorer_human   score the text, at the same time                         told the brief, the text and their criteria
    scorer_ai

One episode is one draw of every cell in every wording, so n episodes are n draws. Payoffs are the means over its cells, what briefs
and styles taken at random would earn; under these rules (`calibrates`) the game's solutions are bounds. A text that is not written
or not scored, since its seat gave nothing valid, is missing and said to be; the others go on. `parlour calibration RUN` makes the
table of cells from such a run.

Source: repeated sampling of cells, as the reference experiments with real text do it; see games/solvers/cells.py.
"""
from ..errors import Forfeit
from ..games.base import NATURE, Game, Play, Role, Rules, State
from ..games.written_prompting import WRITER, WrittenPrompting
from ..games.written_prompting_words import Cell, Missing
from .base import Protocol, Script
from .scored_text import SCORERS, Moves, Scoring, Step, write


class BriefCalibration(Protocol, Scoring):
    """One draw of every cell."""

    def rules(self, game: Game) -> Rules:
        self.fit(game)
        return Rules.of(texts=True, calibrates=True)

    def seats(self, game: Game) -> tuple[Role, ...]:
        self.fit(game)
        return (WRITER, *SCORERS)

    def script(self, game: Game, state: State) -> Script:
        made, moves = self.fit(game), Moves()
        for a, wordings in enumerate(made.briefs):
            for w, brief in enumerate(wordings):
                for b in range(len(made.responses)):
                    moves.append((NATURE, Cell(brief=a, wording=w, style=b)))
                    yield from self.draw(made, a, brief, b, moves)
        return Play(state=state, moves=tuple(moves))

    def draw(self, game: WrittenPrompting, number: int, brief: str, style: int, moves: Moves) -> Step:
        """One text and its scores, or who is to blame that there are none."""
        try:
            text, = yield (write(game, brief, style if game.styles else None),)
            moves.append((WRITER, text))
            marks, scored = yield from self.score(game, brief, number, text)
            moves += (*marks, (NATURE, scored))
        except Forfeit as forfeit:
            moves.append((NATURE, Missing(role=forfeit.role)))

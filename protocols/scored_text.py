"""A text for a brief, and its two scores: what the protocols that write and score texts for a human and an AI share.

    writer         sees the brief, and the style if there are styles; nothing of the game, nothing of other texts
    scorer_human   sees the brief, the text and the human's criteria; not the style, not who wrote, not the other score
    scorer_ai      the same with the AI's criteria

Every ask begins anew, so that texts and scores of one cell are independent draws and no talk grows.
"""
from collections.abc import Generator
from typing import Any

from pydantic import Field

from ..errors import FieldError, RulesError
from ..games.base import Frozen, Game, Move, Observation, Role, Say, Wording
from ..games.written_prompting import SCORER_AI, SCORER_HUMAN, WRITER, WrittenPrompting
from ..games.written_prompting_words import Scored
from .base import Ask, Due
from .writing import Criteria, Prompt, Written, key_of, mark_of

SCORERS = (SCORER_HUMAN, SCORER_AI)
Moves = list[tuple[Role, Move]]
Step = Generator[Due, tuple[Any, ...], Any]


class Style(Observation):
    """How a text is to be written, and the most characters it may have; None: as one likes, and of any length."""
    text: str | None
    longest: int | None

    def say(self, w: Wording, me: Role) -> str:
        how = f"Write it in this way: {self.text}" if self.text else ""
        return "\n".join(filter(None, (how, f"At most {self.longest} characters." if self.longest else "")))


class Scoring(Frozen):
    """By what the two scorers score.

    human_criteria, ai_criteria   one for all briefs, or one for each; a brief that the human writes herself goes by the first
    """
    human_criteria: tuple[Criteria, ...] = Field((Criteria(),), min_length=1)
    ai_criteria: tuple[Criteria, ...] = Field((Criteria(),), min_length=1)

    def fit(self, game: Game) -> WrittenPrompting:
        """The game, if texts are written and scored in it. Raises RulesError, or FieldError for criteria that do not fit."""
        if not isinstance(game, WrittenPrompting):
            raise RulesError("this protocol needs a game whose briefs are texts, such as \"written_prompting\".")
        for name, given in (("human_criteria", self.human_criteria), ("ai_criteria", self.ai_criteria)):
            if len(given) not in (1, len(game.briefs)):
                raise FieldError(f"{name}: give one for all briefs or one for each of the {len(game.briefs)}, not {len(given)}.")
        return game

    def score(self, game: WrittenPrompting, brief: str, number: int, text: Say) -> Step:
        """(the two marks as moves of their seats, what nature makes of them); number: of the brief, from 0."""
        asks = []
        for role, criteria in zip(SCORERS, (self.human_criteria, self.ai_criteria), strict=True):
            key = key_of(criteria[number if len(criteria) > 1 else 0])
            asks.append(Ask(role, (Prompt(text=brief), Written(text=text.text), key), mark_of(game.levels), anew=True))
        marks = yield tuple(asks)
        return tuple(zip(SCORERS, marks, strict=True)), Scored(human=marks[0].score, ai=marks[1].score)


def write(game: WrittenPrompting, brief: str, style: int | None) -> Ask:
    """The writer's ask for a text."""
    told: tuple[Observation, ...] = (Prompt(text=brief),)
    if style is not None or game.longest:
        told = (*told, Style(text=None if style is None else game.styles[style], longest=game.longest))
    return Ask(WRITER, told, game.want_text, anew=True)

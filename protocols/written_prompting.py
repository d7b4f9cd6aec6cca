"""Round after round: a brief is sent, a text is written for it and scored twice, each is told what it earned.

    leader         sends a brief                     by its label; `own`: and then writes it
    nature         sends one of its wordings         where it has several
    follower       says in which style to write      where there are styles
    follower       writes the text                   or the seat `writer`, told brief and style alone, if `writer`
    leader         accepts or declines               if `decline`; she then sees the text before
    scorer_human   score the text, at the same       unless it is declined, which costs no scores
    scorer_ai      time, blind to one another
    each           is told what it earned            `own`: its reward; `response`: the leader also sees the text; `both`: and both rewards

Scores are moves, and payoffs follow from them. A seat that gives no valid text or score forfeits the episode, scorers too.
The leader is never told the style. History, price and their words as in `prompting`; a summary counts by brief, and by style under
the brief at hand for the follower. A follower that learns by rewards cannot write: give it a `writer`.

Source: as the game.
"""
from typing import Literal

from ..games.base import NATURE, Game, Move, Observation, Play, Role, Rules, Saw, Say, State
from ..games.prompting_words import Prompt, Response
from ..games.written_prompting import WRITER
from ..games.written_prompting import WrittenPrompting as Written
from ..games.written_prompting_words import OWN, Sent
from .base import Draw, Script
from .prompting import Arms, Prompting, Table, label
from .scored_text import SCORERS, Scoring, Step, write


class WrittenPrompting(Prompting, Scoring):
    """Briefs and texts in rounds.

    writer  whether a seat of that name writes, rather than the follower itself
    """
    information: Literal["own", "response", "both"] = "response"
    writer: bool = False

    def rules(self, game: Game) -> Rules:
        return super().rules(self.fit(game)).but(texts=True)

    def seats(self, game: Game) -> tuple[Role, ...]:
        return (*super().seats(self.fit(game)), *((WRITER,) if self.writer else ()), *SCORERS)

    def chat(self, game: Game, role: Role) -> int:
        made = self.fit(game)
        if role not in made.players():
            return 1
        leads = role == made.players()[0]
        per = 1 + self.decline + bool(made.own) if leads else bool(made.styles) + (not self.writer)
        raw = (self.leader_history if leads else self.follower_history) == "raw"
        return per * made.length if raw else per

    def script(self, game: Game, state: State) -> Script:
        made = self.fit(game)
        desk = Desk(self, made, state)
        for _ in range(made.length):
            yield from self.round(made, desk)
        return Play(state=state, moves=tuple(desk.moves), fees={desk.leader: self.price})

    def round(self, game: Written, desk: "Desk") -> Step:
        """One brief, one text."""
        lead, = yield (desk.ask(desk.leader, game.want(desk.leader)),)
        desk.moves.append((desk.leader, lead))
        brief, number, also = yield from self.brief(game, desk, lead)
        answer, text = yield from self.text(game, desk, lead, brief, also)
        if self.decline:
            verdict, = yield (desk.judge(text),)
            desk.moves.append((desk.leader, verdict))
            if game.declines(verdict):
                desk.book((label(lead), label(answer)), desk.declined, text)
                return
        marks, scored = yield from self.score(game, brief, number, text)
        desk.moves += (*marks, (NATURE, scored))
        desk.book((label(lead), label(answer)), game.paid(scored), text)

    def brief(self, game: Written, desk: "Desk", lead: Prompt) -> Step:
        """(the brief's text, its number from 0, what the follower sees of it beside the label)."""
        if lead.prompt_id == OWN:
            said, = yield (desk.go_on(desk.leader, game.want_brief),)
            desk.moves.append((desk.leader, said))
            return said.text, 0, (Saw(role=desk.leader, move=said),)
        number = int(lead.prompt_id[1:]) - 1
        wordings = game.briefs[number]
        if len(wordings) == 1:
            return wordings[0], number, ()
        at, = yield (Draw(tuple(1 / len(wordings) for _ in wordings), "wording"),)
        desk.moves.append((NATURE, Sent(wording=at)))
        return wordings[at], number, (Saw(role=desk.leader, move=Say(text=wordings[at])),)

    def text(self, game: Written, desk: "Desk", lead: Prompt, brief: str, also: tuple[Observation, ...]) -> Step:
        """(the follower's response, the text)."""
        answer, style, first = Response(response_id=game.responses[0]), None, True
        if game.styles:
            answer, = yield (desk.ask(desk.follower, game.want(desk.follower), lead, *also),)
            desk.moves.append((desk.follower, answer))
            style, first = int(answer.response_id[1:]) - 1, False
        if self.writer:
            ask = write(game, brief, style)
        else:
            ask = desk.ask(desk.follower, game.want_text, lead, *also) if first else desk.go_on(desk.follower, game.want_text)
        text, = yield (ask,)
        desk.moves.append((ask.role, text))
        return answer, text


class Desk(Table):
    """What has been played so far. The leader sees texts, never styles."""

    def arms(self, lead: Move | None) -> Arms:
        briefs, styles = self.game.rounds(self.leader).options, self.game.rounds(self.leader).others
        if lead is not None:
            return super().arms(lead)
        return [((a,), tuple((a, b) for b in styles)) for a in briefs]

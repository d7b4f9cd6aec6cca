"""Ask your AI, then act.

    nature     draws                                what the adviser learns, at each question (or once)
    player     asks her adviser, or passes          at most `max_queries` times, private; each question costs `price`
    adviser    reports                              heard by all it advises
    players    move                                 all at once, after every talk has ended

The adviser learns only when asked. With `reports = "same"` one report is drawn and repeated; with "independent" each
question draws anew given the state. An adviser shared by several players answers if any of them asks; all hear it, those
who asked pay. Source: the AI-augmented games of N. Immorlica, "Theoretical models of generative AI in economic
environments": humans talk with their AI, then act; payoff u_i(a, w) - c(tau_i).
"""
from collections.abc import Generator
from typing import Annotated, Any, Literal

from pydantic import Field

from ..games.base import Game, Left, Move, Play, Query, Role, Rules, Saw, State
from .base import Draw, Due, Notes, Protocol, Script, together


class Advice(Protocol):
    """Ask your AI up to `max_queries` times, then act.

    charge   what a question costs: `game` the game's own price; `message` the price for each message of the talk (the
             question and the report); `character` the price for each character the player writes
    price    per message or character; unused with `game`
    reports  `independent` given the state, or the `same` report repeated
    """
    max_queries: Annotated[int, Field(ge=0)] = 1
    charge: Literal["game", "message", "character"] = "game"
    price: Annotated[float, Field(ge=0)] = 0.0
    reports: Literal["independent", "same"] = "independent"

    def rules(self, game: Game) -> Rules:
        return Rules.of(queries=self.max_queries if game.advisers() else 0, price=self.least_price(game),
                        independent=self.reports == "independent")

    def least_price(self, game: Game) -> float:
        """What a question costs at least: the shortest has one character."""
        return {"game": game.question_price, "message": 2 * self.price, "character": self.price}[self.charge]

    def fee(self, game: Game, question: Query) -> float:
        return self.price * len(question.question) if self.charge == "character" else self.least_price(game)

    def seats(self, game: Game) -> tuple[Role, ...]:
        return (*game.players(), *dict.fromkeys(game.advisers().values()))

    def script(self, game: Game, state: State) -> Script:
        notes, said, advisers = Notes(), Said(game), game.advisers()
        for role in game.players():
            notes.tell(role, game.observe(role, state), game.adviser_facts(role) if role in advisers else None)
        for adviser in said.listeners:
            notes.tell(adviser, game.observe(adviser, state))
        yield from together(**{a: self.talk(a, game, state, notes, said) for a in said.listeners})
        acts = yield tuple(notes.ask(role, game.want(role)) for role in game.players())
        said.moves += zip(game.players(), acts, strict=True)
        return Play(state=state, moves=tuple(said.moves), fees=said.fees)

    def talk(self, adviser: Role, game: Game, state: State, notes: Notes,
             said: "Said") -> Generator[Due, tuple[Any, ...], None]:
        """The talk of one adviser with all who may ask it."""
        asking, note = said.listeners[adviser], None
        for asked in range(self.max_queries):
            for role in asking:
                notes.tell(role, Left(queries=self.max_queries - asked, price=self.least_price(game)))
            questions = yield tuple(notes.ask(role, Query, optional=True) for role in asking)
            asking_now = [(r, q) for r, q in zip(asking, questions, strict=True) if q is not None]
            if not asking_now:
                return
            for role, question in asking_now:
                said.moves.append((role, question))
                said.fees[role] += self.fee(game, question)
                notes.tell(adviser, Saw(role=role, move=question))
            if note is None or self.reports == "independent":
                note = yield from consult(adviser, game, state)
                notes.tell(adviser, note)
            report, = yield (notes.ask(adviser, game.want(adviser)),)
            said.moves.append((adviser, report))
            for role in asking:
                notes.tell(role, game.reveal(role, adviser, report))


def consult(adviser: Role, game: Game, state: State) -> Generator[Due, tuple[Any, ...], Any]:
    """Nature draws what the adviser learns."""
    some = game.notes(adviser, state)
    index, = yield (Draw(tuple(p for p, _ in some), f"note to {adviser}"),)
    return some[index][1]


class Said:
    """What has been said so far in all talks of an episode, and who owes what for it."""

    def __init__(self, game: Game):
        self.moves: list[tuple[Role, Move]] = []
        self.fees: dict[Role, float] = {role: 0.0 for role in game.players()}
        self.listeners: dict[Role, list[Role]] = {}
        for role, adviser in game.advisers().items():
            self.listeners.setdefault(adviser, []).append(role)

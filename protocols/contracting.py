"""What protocols of payment for text share: the tasks, how a contract is posted, how a choice becomes an outcome.

    choice only       nature draws the outcome with the game's chances
    real generation   `tasks` are given: nature draws one, the chosen generator's writer answers it without being told of pay, the
                      evaluator scores the answer, and the score is the outcome. A second evaluator, `gold`, may score it too; its
                      score pays nothing and is there to find out what the first is worth
    prose             the principal writes the contract in words; the seat `reader` says which payments these are; the principal is
                      shown them and confirms, or writes again. What was confirmed, or else read last, binds
"""
from collections.abc import Generator
from typing import Any, Literal

from pydantic import model_validator

from ..errors import RulesError
from ..games.base import NATURE, Game, Move, Observation, Play, Role, Rules, Saw, Say, State, Wording
from ..games.contracting import NONE, Choice, Contracting, Drawn, Outcome, TaskKind
from .base import Draw, Due, Notes, Protocol
from .writing import Key, Prompt, Task, Written, key_of, mark_of

Moves = list[tuple[Role, Move]]
Step = Generator[Due, tuple[Any, ...], Any]


class ReadBack(Observation):
    """Payments as they were read from the principal's words."""
    payments: Saw

    def say(self, w: Wording, me: Role) -> str:
        return f"Your words are read as: {self.payments.move.say(w)}. Is that what you mean?"


class InWords(Observation):
    """That the contract is to be written in words."""

    def say(self, w: Wording, me: Role) -> str:
        return "Write in your own words what you pay. They will be read as numbers and shown to you before they bind."


class Confirm(Move):
    """Whether the payments were read as they were meant."""
    meant: bool


class PaidText(Protocol):
    """A protocol in which one posts payments and another chooses a generator.

    chooses   whether the agent chooses `before` or `after` it is told the task
    tasks     prompts to be answered in earnest; none: nature draws the outcome
    gold      whether a second evaluator scores the answers, for comparison only
    prose     whether the contract is written in words, and how often it may be written again if it was misread; None: as numbers
    """
    chooses: Literal["before", "after"] = "before"
    tasks: tuple[Task, ...] = ()
    gold: bool = False
    prose: int | None = None

    @model_validator(mode="after")
    def _sensible(self) -> "PaidText":
        if self.gold and not self.tasks:
            raise ValueError("gold: a second evaluator needs texts to score: give tasks")
        if self.prose is not None and self.prose < 0:
            raise ValueError("prose: how often the contract may be written again, 0 or more")
        return self

    def rules(self, game: Game) -> Rules:
        return Rules.of(posts=True, chooses=self.chooses, real=bool(self.tasks))

    def seats(self, game: Game) -> tuple[Role, ...]:
        made = paid_game(game)
        if self.tasks and made.outcomes and made.tasks and len(self.tasks) != len(made.tasks):
            raise RulesError(f"the game tells {len(made.tasks)} tasks apart: give as many, or none, not {len(self.tasks)}.")
        reader = ("reader",) if self.prose is not None else ()
        if not self.tasks:
            return (*game.players(), *reader)
        return (*game.players(), *reader, *(writer(label) for label in made.labels), *self.evaluators)

    @property
    def evaluators(self) -> tuple[Role, ...]:
        """Who scores; the first one's score is paid for."""
        return ("evaluator", "gold") if self.gold else ("evaluator",)

    # --- the steps ------------------------------------------------------------------------------------------------------
    def post(self, game: Contracting, notes: Notes, moves: Moves) -> Step:
        """The principal's contract; told to the agent."""
        if self.prose is None:
            contract, = yield (notes.ask("principal", game.want("principal")),)
            moves.append(("principal", contract))
            notes.tell("agent", game.reveal("agent", "principal", contract))
            return
        for left in range(self.prose, -1, -1):
            notes.tell("principal", InWords())
            said, = yield (notes.ask("principal", Say),)
            notes.tell("reader", Saw(role="principal", move=said))
            read, = yield (notes.ask("reader", game.want("principal")),)
            notes.tell("principal", ReadBack(payments=Saw(role="principal", move=read)))
            confirmed, = yield (notes.ask("principal", Confirm),)
            moves += [("principal", said), ("principal", confirmed)]
            if confirmed.meant or not left:
                break
        moves.append(("principal", read))
        notes.tell("agent", Saw(role="principal", move=said), game.reveal("agent", "principal", read))

    def set_task(self, game: Contracting, notes: Notes, moves: Moves) -> Step:
        """Nature sets a task, if there is more than the game as it is; its number."""
        chances = game.tasks or tuple(1 / len(self.tasks) for _ in self.tasks)
        if not chances:
            return None
        task, = yield (Draw(chances, "task"),)
        moves.append((NATURE, Drawn(task=task)))
        if self.chooses == "after":
            notes.tell("agent", self.prompt(task), kind(game, posted(game, moves), task))
        return task

    def prompt(self, task: int) -> Prompt | None:
        """What a writer is shown of a task."""
        return Prompt(text=self.tasks[task].prompt) if self.tasks else None

    def come_out(self, game: Contracting, contract: Move, choice: Choice, task: int | None, notes: Notes, moves: Moves) -> Step:
        """The outcome of a choice, drawn or written and scored; None if the agent declined."""
        if choice.generator == NONE:
            return None
        if not self.tasks:
            j, = yield (Draw(game.chances(contract, choice, task), "outcome"),)
        else:
            assert task is not None
            j = yield from self.write_and_score(game, choice, self.tasks[task], moves)
        outcome = Outcome(outcome=j)
        moves.append((NATURE, outcome))
        for role in game.players():
            notes.tell(role, game.reveal(role, NATURE, outcome))
        return outcome

    def write_and_score(self, game: Contracting, choice: Choice, task: Task, moves: Moves) -> Step:
        """The chosen writer's text, and its score less 1."""
        notes, who = Notes(), writer(choice.generator)
        notes.tell(who, Prompt(text=task.prompt))
        text, = yield (notes.ask(who, Say),)
        moves.append((who, text))
        marks = yield from score(self.evaluators, text, task, game.outcomes, notes)
        moves += zip(self.evaluators, marks, strict=True)
        return marks[0].score - 1

    def one(self, game: Contracting, notes: Notes, moves: Moves) -> Step:
        """A round after the contract is known: the task, the choice, the outcome."""
        contract = posted(game, moves)
        task = yield from self.set_task(game, notes, moves)
        choice, = yield (notes.ask("agent", game.want("agent")),)
        moves.append(("agent", choice))
        yield from self.come_out(game, contract, choice, task, notes, moves)


def score(evaluators: tuple[Role, ...], text: Say, task: Task, outcomes: int, notes: Notes) -> Step:
    """The marks of every evaluator, at the same time; none is told who wrote, nor what the others say."""
    key: Key = key_of(task)
    for role in evaluators:
        notes.tell(role, Prompt(text=task.prompt), Written(text=text.text), key)
    marks = yield tuple(notes.ask(role, mark_of(outcomes)) for role in evaluators)
    return marks


def begin(game: Contracting, state: State) -> Notes:
    """What the two know from the start."""
    notes = Notes()
    for role in game.players():
        notes.tell(role, game.observe(role, state))
    return notes


def posted(game: Contracting, moves: Moves) -> Move:
    """The contract in force."""
    return Play(state=State(), moves=tuple(moves)).last("principal", game.contract.__base__ or Move)


def kind(game: Contracting, contract: Move, task: int) -> TaskKind | None:
    """What is known of a task where tasks are told apart."""
    if not game.tasks:
        return None
    return TaskKind(number=task, labels=game.labels, chances=game.faced(contract, task))


def writer(label: str) -> Role:
    """The seat of a generator's writer."""
    return f"writer_{label}"


def paid_game(game: Game) -> Contracting:
    """The game, if payments are posted in it. Raises RulesError."""
    if not isinstance(game, Contracting):
        raise RulesError("this protocol needs a game in which one posts payments and another chooses in private, such as "
                         "'text_contract'.")
    return game

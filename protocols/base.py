"""The vocabulary of every protocol: asks, draws, scripts."""
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..games.base import Frozen, Game, Move, Observation, Play, Role, Rules, State


@dataclass(frozen=True, slots=True)
class Ask:
    """A role is asked for one move.

    news      what is new to the role since its last ask; all it knows is the join over its asks (since the last that began anew)
    want      the Move type owed
    optional  the role may pass; the script is then sent None
    anew      the role's talk begins anew: `news` is all it has, what it was told and said before is no longer put to it
    """
    role: Role
    news: tuple[Observation, ...]
    want: type[Move]
    optional: bool = False
    anew: bool = False
    memo: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What the codec has made of this ask already: its row, its words. Equal asks of many episodes share one (`codec.same`)."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Nature is asked for an index: `chances` sum to 1. Sampled by seed, or branched over in exact evaluation."""
    chances: tuple[float, ...]
    what: str = ""


Due = tuple[Ask | Draw, ...]
"""What a script waits for; more than one is simultaneous."""
Script = Generator[Due, tuple[Any, ...], Play]
"""Yields what is due, is sent a Move (None for a pass) per Ask and an index per Draw, returns the Play."""


class Protocol(Frozen, ABC):
    """Who is asked what, in which order. Parameters as fields."""

    @abstractmethod
    def rules(self, game: Game) -> Rules:
        """The numbers on which a solution of the game may depend."""

    @abstractmethod
    def script(self, game: Game, state: State) -> Script:
        """One episode as a generator. Knows no asyncio, no logging, no retrying."""

    def seats(self, game: Game) -> tuple[Role, ...]:
        """Every role that may be asked: the players and the advisers the protocol lets speak."""
        return game.players()

    def chat(self, game: Game, role: Role) -> int:
        """How many asks one talk of a role may grow to, where a protocol can make it long; 0: never long."""
        return 0


class Notes:
    """What each role has still to be told, so that scripts keep no lists by hand."""

    def __init__(self) -> None:
        self._news: dict[Role, list[Observation]] = {}

    def tell(self, role: Role, *seen: Observation | None) -> None:
        news = self._news.setdefault(role, [])
        for observation in seen:
            if observation is not None:
                news.append(observation)

    def ask(self, role: Role, want: type[Move], optional: bool = False, anew: bool = False) -> Ask:
        """An ask that carries all the role has not been told yet."""
        return Ask(role, tuple(self._news.pop(role, ())), want, optional, anew)


def together(**scripts: Generator[Due, tuple[Any, ...], Any]) -> Generator[Due, tuple[Any, ...], dict[str, Any]]:
    """Runs dialogues of unequal length side by side; returns what each returned. One alone may catch its forfeits."""
    if len(scripts) == 1:
        (key, only), = scripts.items()
        return {key: (yield from only)}
    due: dict[str, Due] = {}
    done: dict[str, Any] = {}

    def step(key: str, answers: tuple[Any, ...] | None) -> None:
        try:
            due[key] = next(scripts[key]) if answers is None else scripts[key].send(answers)
        except StopIteration as end:
            due.pop(key, None)
            done[key] = end.value

    for key in scripts:
        step(key, None)
    while due:
        shares = list(due.items())
        answers = yield tuple(a for _, asks in shares for a in asks)
        at = 0
        for key, asks in shares:
            step(key, answers[at:at + len(asks)])
            at += len(asks)
    return {key: done[key] for key in scripts}


Hand = Callable[[Ask], Move | None]


def drive(script: Script, seats: Mapping[Role, Hand], draw: Callable[[Draw], int] = lambda d: d.chances.index(max(d.chances)),
          watch: Callable[[Ask | Draw, Any], None] = lambda due, answer: None) -> Play:
    """Feeds a script by hand: each seat is a function of the Ask. For tests and docs; no words are involved."""
    try:
        due = next(script)
        while True:
            answers = tuple(draw(d) if isinstance(d, Draw) else seats[d.role](d) for d in due)
            for d, answer in zip(due, answers, strict=True):
                watch(d, answer)
            due = script.send(answers)
    except StopIteration as end:
        play: Play = end.value
        return play


REGISTERED = Protocol

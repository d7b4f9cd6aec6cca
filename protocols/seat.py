"""A seat: whoever answers a role's asks. The session speaks to agents through these types alone."""
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar, Literal

from ..games.base import Frozen, Information, Mixed, Move, Role, Strategy, Wording
from .base import Ask
from .codec import render, schema

Finish = Literal["stop", "length", "refusal", "absent"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A bad reply to the present ask, and the complaint about it."""
    words: str
    complaint: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a seat said.

    words    as they came, before any reading
    finish   `stop`; `length` if cut off by a token limit; `refusal` if the model declined; `absent` if a person was not there to
             answer
    cost     in US dollars, None if the price is not known
    latency  seconds
    fingerprint  what the service calls the state of its model, if it says so; of a person, an anonymous name
    cached   said before: it is from a cache
    """
    words: str
    finish: Finish = "stop"
    model: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    latency: float = 0.0
    fingerprint: str | None = None
    cached: bool = False


def summed(replies: Sequence[Reply]) -> Reply:
    """The last reply, with what all of them took; a sum of which a part is not known is not known."""
    return replace(replies[-1], tokens_in=_sum([r.tokens_in for r in replies]),
                   tokens_out=_sum([r.tokens_out for r in replies]), cost=_sum([r.cost for r in replies]),
                   latency=sum(r.latency for r in replies), cached=all(r.cached for r in replies))


def _sum(parts: Sequence[float | None]) -> Any:
    known = [p for p in parts if p is not None]
    return sum(known) if len(known) == len(parts) else None


class Head(Sequence[Any]):
    """The first items of a list that may grow behind them: what a seat's past was at one ask, without a copy of it."""
    __slots__ = ("_list", "_size")

    def __init__(self, items: list[Any]):
        self._list, self._size = items, len(items)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return islice(self._list, self._size)

    def __getitem__(self, at: Any) -> Any:
        return self._list[at] if isinstance(at, int) and 0 <= at < self._size else self._list[:self._size][at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(x == y for x, y in zip(self, other, strict=True))


@dataclass(frozen=True)
class Turn:
    """One ask as its seat meets it.

    seed      the seat's only source of chance, from (run, episode, role, ordinal)
    tries     calls made for this ask so far, bad replies and provider errors alike
    past      this seat's earlier asks and accepted replies, oldest first
    attempts  bad replies to this ask, oldest first
    before    how many asks the seat answered before its talk last began anew; these are not in `past`
    kept      what the seat has worked out from its past so far, so that a long game is not gone through anew at every ask. A
              seat that is taken up again begins with none, so it may hold only what `past` gives again
    sitting   the same for all asks of this role in this episode and for no others, so that who serves several tables can tell them
              apart; no words depend on it
    heard     a seat that makes several calls for one reply puts in here what was answered so far: should a later call fail, it is on
              record with the failure
    """
    ask: Ask
    wording: Wording
    seed: int
    past: Sequence[tuple[Ask, str]] = ()
    attempts: Sequence[Attempt] = ()
    tries: int = 0
    before: int = 0
    kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    sitting: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    heard: list[Reply] = field(default_factory=list, compare=False, repr=False)

    @property
    def role(self) -> Role:
        return self.ask.role

    @property
    def ordinal(self) -> int:
        """How many asks of the episode the seat has answered before this one."""
        return self.before + len(self.past)

    @cached_property
    def information(self) -> Information:
        """All this role has learned up to now. Grown by what is new at every ask: gathered anew, a long game would cost its square."""
        asks = len(self.past) + 1
        seen, taken, last = self.kept.get("information", ([], 0, None))
        if taken > asks or (taken and self._ask(taken - 1) is not last):
            seen, taken = [], 0  # of another talk
        for i in range(taken, asks):
            seen.extend(self._ask(i).news)
        self.kept["information"] = seen, asks, self.ask
        return Head(seen)

    def _ask(self, i: int) -> Ask:
        return self.past[i][0] if i < len(self.past) else self.ask

    @property
    def text(self) -> str:
        """The present ask in words."""
        return render(self.ask, self.wording)

    @cached_property
    def schema(self) -> dict[str, Any] | None:
        """JSON schema of the reply owed, within what strict structured output takes; None for free speech."""
        return schema(self.ask.want, self.wording, self.ask.optional)

    def messages(self, system: str = "") -> list[dict[str, str]]:
        """The talk so far as chat messages, bad attempts and their complaints included."""
        chat = [{"role": "system", "content": system}] if system else []
        for ask, words in self.past:
            chat += [{"role": "user", "content": render(ask, self.wording)}, {"role": "assistant", "content": words}]
        chat.append({"role": "user", "content": self.text})
        for a in self.attempts:
            chat += [{"role": "assistant", "content": a.words or "(nothing)"}, {"role": "user", "content": a.complaint}]
        return chat


Act = Callable[[Information], Move]
Options = Callable[[Information, type[Move], int | None], Sequence[tuple[Move | None, float]]]

Evidence = Callable[[Information], tuple[float, float, float]]
Voice = Callable[[type[Move], float, float], Mixed]


@dataclass(frozen=True)
class Seating:
    """What an experiment hands to an agent that needs more than its asks: plain functions of the information.

    strategy  benchmark name (None: the usual one) -> the role's strategy
    heed, ignore   information -> the action that follows, or does not listen to, the adviser
    options   (information, want, level) -> every open move with its expected payoff
    evidence  information -> log odds of prior, news and stakes; voice: (want, belief, chance to act) -> chances over moves
    extra     whatever else; a recording takes its words from extra["words"]
    """
    role: Role
    strategy: Callable[[str | None], Strategy] | None = None
    heed: Act | None = None
    ignore: Act | None = None
    options: Options | None = None
    evidence: Evidence | None = None
    voice: Voice | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class Agent(Frozen, ABC):
    """Whoever answers. Its fields are its spec; what it remembers is in the Turn, so any seat can be rebuilt.

    `reply` makes one call and gives one Reply; it raises ProviderError if the service fails, Paused to answer later.
    Retrying, reading, complaining and logging are the session's business.

    remote  whether a call leaves the process, so that it may fail in passing and is worth trying again
    reads   whether it is shown the ask in words, which then are on record; statistical people and strategies read data
    costless  whether its words take neither money nor time and follow from the Turn alone: should they be lost when a run
            is killed, it says the same again
    longest  how many asks one growing talk of it may hold; None: any number. A model is sent all of it at every ask
    """
    longest: ClassVar[int | None] = None
    remote: ClassVar[bool] = False
    costless: ClassVar[bool] = False
    reads: ClassVar[bool] = True

    def bind(self, seating: Seating) -> "Agent":
        """The agent as seated; the default needs nothing."""
        return self

    @abstractmethod
    async def reply(self, turn: Turn) -> Reply: ...

    def mixture(self, turn: Turn) -> tuple[tuple[float, str], ...] | None:
        """Chances over the words it would say, if it can tell: this is what exact evaluation branches over."""
        return None

    async def check(self) -> None:
        """Called once before a run begins. Raises ProviderError if it is plain already that nobody would answer."""

    def rise(self, sitting: dict[str, Any]) -> None:
        """Called when an episode is over in which it was asked, with the `sitting` of its turns."""

    async def close(self) -> None:
        """Lets go of connections."""


"""One session: drives a script, asks the seats, reads their words, complains, retries, records. The only async loop.

Every event goes to `record` before what it tells is used, so a killed session can be taken up where it stood: given
the words already said (`said`), those asks are not put to anybody again.
"""
import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Literal

from ..errors import (
    UNMADE,
    BudgetSpent,
    Fatal,
    Forfeit,
    InputError,
    Invalid,
    NotKept,
    ParlourError,
    Paused,
    ProviderError,
    Transient,
    Unreachable,
)
from ..games.base import NATURE, Move, Play, Role, Wording
from .base import Ask, Draw, Due, Script
from .codec import encode, encode_news, read, same
from .patience import patience
from .seat import Agent, Attempt, Head, Reply, Turn, summed

Status = Literal["done", "forfeit", "error", "paused"]
Event = dict[str, Any]
TRUNCATED = "Your answer was cut off. Answer again, more briefly."
REFUSED = "You declined to answer. Please answer the question in the form asked for."
ABSENT = "Nobody answered in time."


def seed_of(*parts: object) -> int:
    """A 63-bit seed from any parts: the same parts give the same seed on every machine."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def pick(chances: Sequence[float], seed: int) -> int:
    """The index drawn from `chances` by a seed."""
    u = seed / 2**63 * sum(chances)
    for i, p in enumerate(chances):
        u -= p
        if u < 0:
            return i
    return max(i for i, p in enumerate(chances) if p > 0)


@dataclass(frozen=True)
class Limits:
    """attempts: replies a seat may give to one ask before it forfeits; calls: tries of a failing service per reply;
    wait: seconds before the second try, doubled at each further one, with jitter; patience: seconds a call may take."""
    attempts: int = 3
    calls: int = 6
    wait: float = 0.5
    patience: float = 300.0


@dataclass(frozen=True)
class Said:
    """What is on record of one ask or draw: bad attempts, tries made, and the accepted words (or nature's index).

    failures  what the service failed with since the last reply: those tries of `Limits.calls` are used up
    """
    attempts: tuple[Attempt, ...] = ()
    tries: int = 0
    failures: tuple[str, ...] = ()
    words: str | None = None
    index: int | None = None


@dataclass(frozen=True)
class Outcome:
    """How a session ended. `why` is empty for `done`."""
    status: Status
    play: Play | None = None
    why: str = ""


@dataclass
class Session:
    """One episode at the table.

    record   takes events in order: ask, call, reply, draw
    choose   (chances) -> index, for exact evaluation: seats must then offer their mixtures; None: sample by seed
    """
    script: Script
    seats: Mapping[Role, Agent]
    wording: Mapping[Role, Wording]
    seed: Callable[..., int]
    record: Callable[[Event], None]
    limits: Limits = Limits()
    said: Mapping[int, Said] = field(default_factory=dict)
    choose: Callable[[Sequence[float]], int] | None = None
    turns: int = 0
    past: dict[Role, list[tuple[Ask, str]]] = field(default_factory=dict)
    before: dict[Role, int] = field(default_factory=dict)
    kept: dict[Role, dict[str, Any]] = field(default_factory=dict)
    sitting: dict[Role, dict[str, Any]] = field(default_factory=dict)

    async def play(self) -> Outcome:
        """Runs the script to its end. Raises Fatal, Unreachable (after all tries) and InputError; the rest is an Outcome."""
        try:
            return await self._outcome()
        finally:
            for role, sitting in self.sitting.items():
                self.seats[role].rise(sitting)

    async def _outcome(self) -> Outcome:
        try:
            return Outcome("done", await self._drive())
        except Forfeit as forfeit:
            return Outcome("forfeit", None, str(forfeit))
        except Paused as pause:
            return Outcome("paused", None, str(pause))
        except (Fatal, Unreachable):
            raise
        except ProviderError as error:
            return Outcome("error", None, str(error))

    async def _drive(self) -> Play:
        try:
            due = next(self.script)
            while True:
                try:
                    answers = await self._answers(due)
                except Forfeit as forfeit:
                    due = self.script.throw(forfeit)
                else:
                    due = self.script.send(answers)
        except StopIteration as end:
            play: Play = end.value
            return play

    async def _answers(self, due: Due) -> tuple[Any, ...]:
        first = self.turns
        self.turns += len(due)
        if len(due) == 1:
            only = due[0]
            return (self._draw(first, only) if isinstance(only, Draw) else await self._ask(first, only, first),)
        found = await asyncio.gather(*(self._answer(first + i, d, first) for i, d in enumerate(due)),
                                     return_exceptions=True)
        for kind in (InputError, Fatal, Paused, ProviderError, Forfeit, BaseException):
            for answer in found:
                if isinstance(answer, kind):
                    raise answer
        return tuple(found)

    async def _answer(self, turn: int, due: Ask | Draw, batch: int) -> Any:
        if isinstance(due, Draw):
            return self._draw(turn, due)
        return await self._ask(turn, due, batch)

    def _draw(self, turn: int, draw: Draw) -> int:
        said = self.said.get(turn)
        if said is not None and said.index is not None:
            return said.index
        index = self.choose(draw.chances) if self.choose else pick(draw.chances, self.seed(NATURE, turn))
        self.record({"k": "draw", "t": turn, "what": draw.what, "chances": draw.chances, "draw": index})
        return index

    async def _ask(self, turn: int, ask: Ask, batch: int) -> Move | None:
        ask, agent = same(ask), self.seats[ask.role]
        if ask.anew:
            self.before[ask.role] = self.before.get(ask.role, 0) + len(self.past.get(ask.role, ()))
            self.past[ask.role], self.kept[ask.role] = [], {}
        past = self.past.setdefault(ask.role, [])
        said, seed = self.said.get(turn), self.seed(ask.role, turn)
        if said is None:
            self.record({"k": "ask", "t": turn, "b": batch, "role": ask.role, "want": ask.want.__name__,
                         "optional": ask.optional, "news": encode_news(ask), "seed": seed})
            said = Said()
        if said.words is not None:
            move = read(said.words, ask.want, self.wording[ask.role], ask.optional)
            words = said.words
        else:
            kept = self.kept.setdefault(ask.role, {})
            now = Turn(ask, self.wording[ask.role], seed, Head(past), said.attempts, said.tries,
                       self.before.get(ask.role, 0), kept, self.sitting.setdefault(ask.role, {}))
            move, words = await self._talk(turn, now, agent)
        past.append((ask, words))
        return move

    async def _talk(self, turn: int, now: Turn, agent: Agent) -> tuple[Move | None, str]:
        """Asks until the words make a move, within the limits."""
        while len(now.attempts) < self.limits.attempts:
            reply, tries = await self._call(turn, now, agent)
            move, complaint, verdict = judge(reply, now.ask, now.wording)
            self.record({"k": "reply", "t": turn, "n": tries, "words": reply.words, "finish": reply.finish, **_origin(reply),
                         "verdict": verdict, "complaint": complaint or None, "move": encode(move) if move else None,
                         "prompt": now.text if agent.reads else None, "model": reply.model, "tokens_in": reply.tokens_in,
                         "tokens_out": reply.tokens_out, "cost": reply.cost, "latency": reply.latency})
            if not complaint:
                return move, reply.words
            now = replace(now, attempts=(*now.attempts, Attempt(reply.words, complaint)), tries=tries + 1)
        raise Forfeit(now.role, f"no valid answer in {len(now.attempts)} attempts ({now.attempts[-1].complaint})")

    async def _call(self, turn: int, now: Turn, agent: Agent) -> tuple[Reply, int]:
        """One reply of the service: the single retry layer. Returns the reply and its try number."""
        if self.choose:
            return self._branch(now, agent), now.tries
        if agent.remote:
            return await self._persist(turn, now, agent)
        self._intend(turn, now.tries)
        return await agent.reply(now), now.tries

    def _intend(self, turn: int, tries: int) -> None:
        """Every call is on record before it is made; the ask itself is the intent of the first."""
        if tries or turn in self.said:
            self.record({"k": "call", "t": turn, "n": tries})

    async def _persist(self, turn: int, now: Turn, agent: Agent) -> tuple[Reply, int]:
        """Calls until the service answers, as long as it fails in passing; every failure is on record."""
        from tenacity import (
            AsyncRetrying,
            RetryCallState,
            retry_if_exception_type,
            stop_after_attempt,
            wait_exponential,
            wait_random,
        )

        backoff = wait_exponential(multiplier=self.limits.wait, max=60) + wait_random(0, self.limits.wait)

        def wait(state: RetryCallState) -> float:
            failed = state.outcome.exception() if state.outcome else None
            asked = failed.retry_after if isinstance(failed, Transient) else None
            return backoff(state) if asked is None else asked

        tries = now.tries
        async for attempt in AsyncRetrying(stop=stop_after_attempt(self._left(turn, now)), wait=wait,
                                           retry=retry_if_exception_type(Transient), reraise=True):
            with attempt:
                self._intend(turn, tries)
                heard: list[Reply] = []
                try:
                    return await self._once(replace(now, tries=tries, heard=heard), agent), tries
                except (BudgetSpent, NotKept, asyncio.CancelledError) as refused:
                    if heard and not isinstance(refused, asyncio.CancelledError):
                        self._failed(turn, tries, refused, heard)
                    elif _unmade(refused) and not heard:
                        self.record({"k": "unmade", "t": turn, "n": tries})
                    raise
                except ProviderError as problem:
                    self._failed(turn, tries, problem, heard)
                    tries += 1
                    raise
        raise AssertionError("tenacity either returns or raises")

    def _failed(self, turn: int, tries: int, problem: ParlourError, heard: Sequence[Reply]) -> None:
        """Puts a failure on record, with what the calls took that had been answered before it."""
        took = summed(heard) if heard else Reply("")
        self.record({"k": "reply", "t": turn, "n": tries, "words": None, "verdict": "error", "finish": type(problem).__name__.lower(),
                     "complaint": str(problem), **({"model": took.model, "tokens_in": took.tokens_in, "tokens_out": took.tokens_out,
                                                    "cost": took.cost, "latency": took.latency, **_origin(took)} if heard else {})})

    def _left(self, turn: int, now: Turn) -> int:
        """How often the service may still be tried for this reply. Raises Transient if it had all its tries before a kill."""
        said = self.said.get(turn)
        failures = said.failures if said and said.tries == now.tries else ()
        if len(failures) >= self.limits.calls:
            raise Transient(failures[-1])
        return self.limits.calls - len(failures)

    async def _once(self, now: Turn, agent: Agent) -> Reply:
        try:
            async with patience(self.limits.patience):
                return await agent.reply(now)
        except TimeoutError:
            raise Transient(f"no reply within {self.limits.patience:g} s") from None

    def _branch(self, now: Turn, agent: Agent) -> Reply:
        mixture = agent.mixture(now)
        if mixture is None:
            raise InputError(f"seat '{now.role}' cannot be evaluated exactly: its agent does not say with which chances it "
                             "speaks. Give a number of episodes instead of \"exact\".")
        assert self.choose is not None
        words = mixture[self.choose([p for p, _ in mixture])][1] if len(mixture) > 1 else mixture[0][1]
        return Reply(words)


def _unmade(refused: BaseException) -> bool:
    """Whether a call that has been announced was not made: the budget had no room for it, or the cache alone may answer."""
    return isinstance(refused, BudgetSpent | NotKept) or UNMADE in getattr(refused, "__notes__", ())


def _origin(reply: Reply) -> Event:
    """Where a reply came from, as far as there is something to say."""
    if reply.cached or reply.fingerprint:
        return {"cached": reply.cached, "fingerprint": reply.fingerprint}
    return {}


def judge(reply: Reply, ask: Ask, wording: Wording) -> tuple[Move | None, str, str]:
    """(move, complaint, verdict) of a reply; the complaint is empty iff the verdict is `ok`."""
    if reply.finish == "length":
        return None, TRUNCATED, "truncated"
    if reply.finish == "refusal":
        return None, REFUSED, "refusal"
    if reply.finish == "absent":
        return None, ABSENT, "refusal"
    try:
        return read(reply.words, ask.want, wording, ask.optional), "", "ok"
    except Invalid as wrong:
        return None, str(wrong), "invalid"


"""One session with scripted seats: complaints, forfeits, failures, pauses, taking up again, exact branching."""
import asyncio
from collections.abc import Sequence
from itertools import product
from typing import Any, ClassVar, Literal

import pytest
from pydantic import PrivateAttr

from parlour.errors import Fatal, Forfeit, InputError, Paused, Transient, Unreachable
from parlour.games.base import Move, Observation, Play, Role, Say, State, Wording
from parlour.protocols.base import Ask, Draw, Script
from parlour.protocols.seat import Agent, Attempt, Head, Reply, Turn
from parlour.protocols.session import REFUSED, TRUNCATED, Limits, Outcome, Said, Session, pick, seed_of


class Nothing(State):
    pass


class Choice(Move):
    action: Literal["A", "B"]


class News(Observation):
    text: str

    def say(self, w: Wording, me: Role) -> str:
        return self.text


A, B = '{"action": "A"}', '{"action": "B"}'


class Scripted(Agent):
    """Says or raises, in order, what it was given; keeps the turns it met."""
    _lines: list[Any] = PrivateAttr(default_factory=list)
    _turns: list[Turn] = PrivateAttr(default_factory=list)

    @classmethod
    def of(cls, *lines: Any) -> "Scripted":
        agent = cls()
        agent._lines = list(lines)
        return agent

    async def reply(self, turn: Turn) -> Reply:
        self._turns.append(turn)
        line = self._lines.pop(0)
        if isinstance(line, BaseException):
            raise line
        return line if isinstance(line, Reply) else Reply(line)


class Remote(Scripted):
    remote: ClassVar[bool] = True


class Coin(Agent):
    """Says A with chance p, if asked for its chances."""
    p: float

    async def reply(self, turn: Turn) -> Reply:
        raise AssertionError("exact evaluation calls nobody")

    def mixture(self, turn: Turn) -> tuple[tuple[float, str], ...]:
        return ((self.p, A), (1 - self.p, B))


def ended(*moves: tuple[Role, Any]) -> Play:
    return Play(state=Nothing(), moves=moves)


def one(optional: bool = False) -> Script:
    move, = yield (Ask("x", (News(text="first"),), Choice, optional),)
    return ended(*([("x", move)] if move else []))


def two() -> Script:
    """x, then x and y at once."""
    first, = yield (Ask("x", (News(text="first"),), Choice),)
    later = yield (Ask("x", (News(text="second"),), Choice), Ask("y", (), Choice))
    return ended(("x", first), *zip("xy", later, strict=True))


def caught() -> Script:
    """y answers in x's place if x forfeits."""
    try:
        move, = yield (Ask("x", (), Choice),)
    except Forfeit as forfeit:
        assert forfeit.role == "x"
        move, = yield (Ask("y", (), Choice),)
        return ended(("y", move))
    return ended(("x", move))


def seed(*parts: object) -> int:
    return seed_of("run", 0, *parts)


def play(script: Script, seats: dict[Role, Agent], **options: Any) -> tuple[Outcome, list[dict[str, Any]]]:
    events: list[dict[str, Any]] = []
    session = Session(script, seats, {role: Wording() for role in seats}, seed, events.append, **options)
    return asyncio.run(session.play()), events


def kinds(events: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(e["k"], e["t"], e.get("verdict")) for e in events]


# --- words to moves -----------------------------------------------------------------------------------------------------
def test_words_become_the_play() -> None:
    x, y = Scripted.of(A, B), Scripted.of(A)
    outcome, events = play(two(), {"x": x, "y": y})
    assert outcome == Outcome("done", ended(("x", Choice(action="A")), ("x", Choice(action="B")), ("y", Choice(action="A"))))
    assert kinds(events)[:2] == [("ask", 0, None), ("reply", 0, "ok")]
    assert sorted(kinds(events)[2:]) == sorted([("ask", 1, None), ("ask", 2, None), ("reply", 1, "ok"), ("reply", 2, "ok")])
    assert {e["t"]: e["b"] for e in events if e["k"] == "ask"} == {0: 0, 1: 1, 2: 1}
    assert [w for _, w in x._turns[1].past] == [A]
    assert [o.text for o in x._turns[1].information if isinstance(o, News)] == ["first", "second"]
    assert [t.seed for t in (*x._turns, *y._turns)] == [seed("x", 0), seed("x", 1), seed("y", 2)]


def test_the_ask_is_on_record_before_anybody_answers() -> None:
    events: list[dict[str, Any]] = []

    class Watching(Agent):
        async def reply(self, turn: Turn) -> Reply:
            assert [e["k"] for e in events] == ["ask"]
            return Reply(A)

    session = Session(one(), {"x": Watching()}, {"x": Wording()}, seed, events.append)
    assert asyncio.run(session.play()).status == "done"


def test_a_bad_reply_comes_back_with_its_complaint() -> None:
    x = Scripted.of("A, I think", '{"action": "C"}', B)
    outcome, events = play(one(), {"x": x})
    assert outcome.play == ended(("x", Choice(action="B")))
    assert [e["verdict"] for e in events if e["k"] == "reply"] == ["invalid", "invalid", "ok"]
    assert [e["n"] for e in events if e["k"] == "reply"] == [0, 1, 2]
    assert [e["n"] for e in events if e["k"] == "call"] == [1, 2]
    complaints = [e["complaint"] for e in events if e["k"] == "reply"]
    assert "not one JSON object" in complaints[0] and "action" in complaints[1] and complaints[2] is None
    assert x._turns[2].attempts == (Attempt("A, I think", complaints[0]), Attempt('{"action": "C"}', complaints[1]))
    assert [t.tries for t in x._turns] == [0, 1, 2]
    assert len({t.seed for t in x._turns}) == 1


class Counted(list[tuple[Ask, str]]):
    """A past that counts how often one of its asks is looked up."""
    looks = 0

    def __getitem__(self, at: Any) -> Any:
        self.looks += 1
        return super().__getitem__(at)


def test_what_a_seat_has_learned_is_gathered_once_however_long_the_game() -> None:
    """The work grows with the asks, not with their square; and each turn goes on seeing what it saw."""
    def looks(rounds: int) -> int:
        past, kept, turns = Counted(), {}, []  # type: tuple[Counted, dict[str, Any], list[Turn]]
        for i in range(rounds):
            turns.append(Turn(Ask("x", (News(text=str(i)), News(text="again")), Choice), Wording(), i, Head(past), kept=kept))
            assert turns[-1].information[-2] == News(text=str(i))
            past.append((turns[-1].ask, "words"))
        assert [len(t.information) for t in turns] == [2 * (i + 1) for i in range(rounds)]
        assert list(turns[-1].information) == [o for ask, _ in past for o in ask.news] == list(Turn(turns[-1].ask, Wording(), 0,
                                                                                                   past[:-1]).information)
        return past.looks
    assert looks(400) == pytest.approx(4 * looks(100), rel=0.05)


def test_another_talk_with_the_same_notes_is_gathered_anew() -> None:
    kept: dict[str, Any] = {}
    first, other, now, later = (Ask("x", (News(text=t),), Choice) for t in ("first", "other", "now", "later"))
    assert Turn(now, Wording(), 1, [(first, "")], kept=kept).information == (News(text="first"), News(text="now"))
    assert Turn(later, Wording(), 1, [(other, "")], kept=kept).information == (News(text="other"), News(text="later"))
    assert Turn(first, Wording(), 1, kept=kept).information == (News(text="first"),)


def test_bad_replies_are_no_past() -> None:
    x = Scripted.of("no", A, "no", B)
    play(two(), {"x": x, "y": Scripted.of(A)})
    assert [w for _, w in x._turns[-1].past] == [A]


@pytest.mark.parametrize(("reply", "verdict", "complaint"), [
    (Reply(A, finish="length"), "truncated", TRUNCATED), (Reply("I cannot.", finish="refusal"), "refusal", REFUSED)])
def test_cut_off_and_refused_words_are_no_move(reply: Reply, verdict: str, complaint: str) -> None:
    outcome, events = play(one(), {"x": Scripted.of(reply, B)})
    assert [(e["verdict"], e["complaint"], e["move"] is None) for e in events if e["k"] == "reply"] == [
        (verdict, complaint, True), ("ok", None, False)]
    assert outcome.play == ended(("x", Choice(action="B")))


def test_a_pass_is_sent_as_none() -> None:
    outcome, _ = play(one(optional=True), {"x": Scripted.of('{"pass": true}')})
    assert outcome.play == ended()


# --- forfeits -----------------------------------------------------------------------------------------------------------
def test_a_forfeit_nobody_catches_ends_the_episode() -> None:
    outcome, events = play(one(), {"x": Scripted.of("a", "b", "c")}, limits=Limits(attempts=3))
    assert outcome.status == "forfeit" and outcome.play is None
    assert "x forfeits: no valid answer in 3 attempts" in outcome.why
    assert [e["words"] for e in events if e["k"] == "reply"] == ["a", "b", "c"]


def test_a_protocol_may_catch_a_forfeit() -> None:
    outcome, _ = play(caught(), {"x": Scripted.of("a"), "y": Scripted.of(B)}, limits=Limits(attempts=1))
    assert outcome == Outcome("done", ended(("y", Choice(action="B"))))


# --- the service fails --------------------------------------------------------------------------------------------------
def test_a_passing_failure_is_tried_again_and_recorded() -> None:
    x = Remote.of(Transient("429", retry_after=0.0), Unreachable("nobody", retry_after=0.0), A)
    outcome, events = play(one(), {"x": x})
    assert outcome.status == "done"
    assert kinds(events) == [("ask", 0, None), ("reply", 0, "error"), ("call", 0, None), ("reply", 0, "error"),
                             ("call", 0, None), ("reply", 0, "ok")]
    assert [t.tries for t in x._turns] == [0, 1, 2]
    assert all(t.attempts == () for t in x._turns)


def test_failures_are_no_attempts() -> None:
    x = Remote.of("bad", Transient("500", retry_after=0.0), A)
    outcome, events = play(one(), {"x": x}, limits=Limits(attempts=2))
    assert outcome.status == "done"
    assert [e["n"] for e in events if e["k"] == "reply"] == [0, 1, 2]
    assert len(x._turns[2].attempts) == 1


def test_a_service_that_keeps_failing_is_an_error_and_no_forfeit() -> None:
    x = Remote.of(*(Transient("503", retry_after=0.0) for _ in range(3)))
    outcome, events = play(one(), {"x": x}, limits=Limits(calls=3))
    assert (outcome.status, outcome.why) == ("error", "503")
    assert [e["verdict"] for e in events if e["k"] == "reply"] == ["error"] * 3


def test_a_call_that_takes_too_long_is_a_passing_failure() -> None:
    class Slow(Agent):
        remote: ClassVar[bool] = True

        async def reply(self, turn: Turn) -> Reply:
            if turn.tries == 0:
                await asyncio.sleep(30)
            return Reply(A)

    outcome, events = play(one(), {"x": Slow()}, limits=Limits(patience=0.02, wait=0.0))
    assert outcome.status == "done"
    assert [e.get("complaint") for e in events if e["k"] == "reply"] == ["no reply within 0.02 s", None]


@pytest.mark.parametrize("kind", [Scripted, Remote])
def test_what_cannot_be_helped_is_raised_at_once(kind: type[Scripted]) -> None:
    for error in (Fatal("wrong key"), InputError("no such thing")):
        x = kind.of(error, A)
        with pytest.raises(type(error), match=str(error)):
            play(one(), {"x": x})
        assert len(x._turns) == 1


def test_fatal_comes_before_a_pause_at_the_same_time() -> None:
    with pytest.raises(Fatal):
        play(two(), {"x": Scripted.of(A, Paused("later")), "y": Remote.of(Fatal("wrong key"))})


# --- pauses, and taking up again ----------------------------------------------------------------------------------------
def test_a_pause_keeps_what_was_said_and_the_session_goes_on_from_there() -> None:
    outcome, events = play(two(), {"x": Scripted.of(A, "no", Paused("tomorrow")), "y": Scripted.of(B)})
    assert (outcome.status, outcome.why) == ("paused", "tomorrow")
    assert ("reply", 2, "ok") in kinds(events)

    bad, = (e for e in events if e.get("verdict") == "invalid")
    said = {0: Said(words=A, tries=1), 1: Said(attempts=(Attempt("no", bad["complaint"]),), tries=2), 2: Said(words=B, tries=1)}
    x, y = Scripted.of(B), Scripted.of()
    outcome, events = play(two(), {"x": x, "y": y}, said=said)
    assert outcome.play == ended(("x", Choice(action="A")), ("x", Choice(action="B")), ("y", Choice(action="B")))
    turn, = x._turns
    assert turn.attempts == (Attempt("no", bad["complaint"]),) and turn.tries == 2
    assert [w for _, w in turn.past] == [A] and y._turns == []
    assert kinds(events) == [("call", 1, None), ("reply", 1, "ok")]
    assert turn.seed == seed("x", 1)


def test_everything_said_is_replayed_without_asking_or_recording() -> None:
    said = {0: Said(words=A), 1: Said(words=B), 2: Said(words=A)}
    outcome, events = play(two(), {"x": Scripted.of(), "y": Scripted.of()}, said=said)
    assert outcome.status == "done" and events == []


def test_attempts_on_record_count_towards_the_limit() -> None:
    said = {0: Said(attempts=(Attempt("a", "bad"), Attempt("b", "bad")), tries=2)}
    outcome, _ = play(one(), {"x": Scripted.of("c", A)}, said=said, limits=Limits(attempts=3))
    assert outcome.status == "forfeit"


# --- at once ------------------------------------------------------------------------------------------------------------
def test_simultaneous_asks_are_really_concurrent() -> None:
    class Waiting(Agent):
        """Answers only once the other has been asked too."""
        _mine: asyncio.Event = PrivateAttr()
        _other: asyncio.Event = PrivateAttr()

        async def reply(self, turn: Turn) -> Reply:
            self._mine.set()
            await asyncio.wait_for(self._other.wait(), 5)
            return Reply(A)

    def both() -> Script:
        moves = yield (Ask("x", (), Choice), Ask("y", (), Choice))
        return ended(*zip("xy", moves, strict=True))

    async def go() -> Outcome:
        x, y = Waiting(), Waiting()
        x._mine = y._other = asyncio.Event()
        y._mine = x._other = asyncio.Event()
        return await Session(both(), {"x": x, "y": y}, {"x": Wording(), "y": Wording()}, seed, lambda e: None).play()

    assert asyncio.run(go()).status == "done"


def test_the_others_answers_are_on_record_though_one_forfeits() -> None:
    outcome, events = play(two(), {"x": Scripted.of(A, "no", "no"), "y": Scripted.of("no", B)}, limits=Limits(attempts=2))
    assert outcome.status == "forfeit" and outcome.why.startswith("x forfeits")
    assert ("reply", 2, "ok") in kinds(events)


# --- nature, and exact evaluation ---------------------------------------------------------------------------------------
CHANCES = (0.25, 0.0, 0.75)


def drawn() -> Script:
    index, = yield (Draw(CHANCES, "weather"),)
    move, = yield (Ask("x", (News(text=str(index)),), Choice),)
    return ended(("x", move), ("nature", Say(text=str(index))))


def test_nature_draws_by_seed_and_is_taken_at_its_word() -> None:
    outcome, events = play(drawn(), {"x": Scripted.of(A)})
    index = pick(CHANCES, seed("nature", 0))
    assert events[0] == {"k": "draw", "t": 0, "what": "weather", "chances": CHANCES, "draw": index}
    assert outcome.play is not None and outcome.play.last("nature").text == str(index)
    outcome, events = play(drawn(), {"x": Scripted.of(A)}, said={0: Said(index=0)})
    assert outcome.play is not None and outcome.play.last("nature").text == "0"
    assert [e["k"] for e in events] == ["ask", "reply"]


def test_exact_evaluation_reaches_every_branch_with_its_chance() -> None:
    found: dict[tuple[str, str], float] = {}
    for path in product((0, 2), (0, 1)):
        steps, weight = iter(path), 1.0

        def choose(chances: Sequence[float]) -> int:
            nonlocal weight
            index = next(steps)  # noqa: B023  # used within this round of the loop only
            weight *= chances[index]
            return index

        outcome, _ = play(drawn(), {"x": Coin(p=0.1)}, choose=choose)
        assert outcome.play is not None
        found[outcome.play.last("nature").text, outcome.play.last("x").action] = weight
    assert found == pytest.approx({("0", "A"): 0.025, ("0", "B"): 0.225, ("2", "A"): 0.075, ("2", "B"): 0.675})
    assert sum(found.values()) == pytest.approx(1)


def test_a_seat_without_chances_cannot_be_evaluated_exactly() -> None:
    with pytest.raises(InputError, match="seat 'x' cannot be evaluated exactly"):
        play(one(), {"x": Scripted.of(A)}, choose=lambda chances: 0)


def test_pick_is_the_inverse_of_the_distribution() -> None:
    n = 4000
    counts = [0, 0, 0]
    for i in range(n):
        counts[pick(CHANCES, int((i + 0.5) / n * 2**63))] += 1
    assert counts == [n // 4, 0, 3 * n // 4]
    assert pick((0.5, 0.5, 0.0), 2**63 - 1) == 1


def test_seeds_depend_on_every_part() -> None:
    seeds = {seed_of(*parts) for parts in product((1, 2), ("x", "y"), (0, 1))}
    assert len(seeds) == 8 and all(0 <= s < 2**63 for s in seeds)
    assert seed_of("a", 1) == 4665976284724862560

"""The mock LLM in process: valid, deterministic, and faulty only as its seed says."""
import asyncio
from collections import Counter
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, create_model

from parlour.agents.faults import KINDS, SERVICE, WORDS, Faults, Kind, menu, spoil
from parlour.agents.mock import Mock, Source, drawer_of
from parlour.errors import FieldError, Invalid, Transient
from parlour.games.base import Chance, Money, Move, Query, Say, Wording
from parlour.games.email import Choice, Email, Report, Superior
from parlour.protocols.advice import Advice
from parlour.protocols.base import Ask
from parlour.protocols.codec import read
from parlour.protocols.seat import Agent, Attempt, Reply, Turn
from parlour.protocols.session import Event, Limits, Session, seed_of

SEEDS = st.integers(0, 2**63 - 1)
LABELLED = Wording(name="labelled", labels={"A": "north", "B": "south", "C": "survey"}, scale=10, shift=120, unit="{} crowns")
WANTS: list[type[Move]] = [Choice, Report, Query, Say]
QUICK = Limits(calls=60, wait=0.0005)


class Part(Move):
    share: Chance


class Everything(Move):
    """A field of every kind a move may hold."""
    price: Annotated[Money, Field(ge=-0.3, le=0.7)]
    share: Annotated[float, Field(gt=0, lt=1e-5)]
    free: float
    whole: Annotated[int, Field(gt=2, le=4)]
    label: Literal["A", "B", "C"]
    flag: bool
    note: Annotated[str, Field(min_length=30, max_length=31)]
    maybe: Annotated[float, Field(le=5)] | None
    row: Annotated[tuple[Chance, ...], Field(min_length=2, max_length=3)]
    pair: tuple[Annotated[Money, Field(ge=0, le=1)], Annotated[Money, Field(ge=0, le=1)]]
    part: Part


def turn(want: type[Move], seed: int = 1, wording: Wording = Email.wordings[0], optional: bool = False, bad: int = 0,
         tries: int = 0) -> Turn:
    news = (Email().observe("human", Superior(draft="A")),)
    attempts = tuple(Attempt("?", "That is not one JSON object.") for _ in range(bad))
    return Turn(Ask("human", news, want, optional), wording, seed, (), attempts, tries)


def say(mock: Mock, at: Turn) -> Reply:
    return asyncio.run(mock.reply(at))


@given(SEEDS, st.sampled_from([Wording(), LABELLED]))
def test_every_draw_is_a_valid_move(seed: int, wording: Wording) -> None:
    words = Mock().answer(drawer_of(Everything, wording), seed, 0, False)
    move = read(words, Everything, wording)
    assert isinstance(move, Everything)
    assert -0.3 < move.price < 0.7 and move.whole in (3, 4)


@given(SEEDS, st.sampled_from(WANTS), st.sampled_from(Email.wordings))
def test_words_of_the_email_game_are_valid(seed: int, want: type[Move], wording: Wording) -> None:
    assert isinstance(read(Mock().answer(drawer_of(want, wording), seed, 0, False), want, wording), want)


def test_labels_are_uniform_and_all_appear() -> None:
    draw = drawer_of(Choice, LABELLED)
    seen = Counter(Mock().answer(draw, seed_of("labels", i), 0, False) for i in range(3000))
    assert seen.keys() == {f'{{"action":"{x}"}}' for x in ("north", "south", "survey")}
    assert all(900 < n < 1100 for n in seen.values())


def test_passes_as_often_as_it_says() -> None:
    passed = sum(Mock(passes=0.3).answer(None, seed_of("pass", i), 0, True) == '{"pass": true}' for i in range(2000))
    assert 540 < passed < 660
    assert all(Mock(passes=0.3).answer(None, seed_of("pass", i), 0, False) != '{"pass": true}' for i in range(200))


def test_words_follow_the_seed_and_the_bad_replies_but_not_the_tries() -> None:
    wants = [say(Mock(), turn(Everything, seed=9, tries=t, bad=b)).words for t, b in ((0, 0), (5, 0), (5, 1), (6, 1))]
    assert wants[0] == wants[1] and wants[2] == wants[3] and wants[0] != wants[2]
    assert say(Mock(), turn(Everything, seed=10)).words != wants[0]


def test_reply_is_booked_as_the_mock() -> None:
    at = turn(Choice)
    reply = say(Mock(), at)
    assert (reply.model, reply.cost, reply.finish) == ("mock:random:1", 0.0, "stop")
    assert reply.tokens_in == -(-len(at.text) // 4) and reply.tokens_out == -(-len(reply.words) // 4)


def test_latency_is_kept() -> None:
    assert say(Mock(latency=0.02), turn(Choice)).latency >= 0.02


@pytest.mark.parametrize("kind", SERVICE)
def test_a_failing_service_raises(kind: Kind) -> None:
    with pytest.raises(Transient) as raised:
        say(Mock(faults=Faults(rate=1, kinds=(kind,), pause=0.25)), turn(Choice))
    assert raised.value.retry_after == (0.25 if kind == "429_wait" else None)


@pytest.mark.parametrize("want", [Choice, Everything, Query, Say])
@pytest.mark.parametrize("kind", WORDS)
def test_bad_words_are_never_a_move(kind: Kind, want: type[Move]) -> None:
    for seed in range(20):
        reply = say(Mock(faults=Faults(rate=1, kinds=(kind,))), turn(want, seed=seed_of(seed)))
        if reply.finish == "stop":
            with pytest.raises(Invalid):
                read(reply.words, want, Email.wordings[0])
        else:
            assert reply.finish == kind


def test_a_spoilt_pass_is_no_pass() -> None:
    at = turn(Query, optional=True)
    for kind in ("malformed", "schema", "empty"):
        words, _ = spoil(kind, '{"pass": true}', at.schema)
        with pytest.raises(Invalid):
            read(words, Query, at.wording, optional=True)


def test_faults_are_a_function_of_seed_and_try_at_their_rate() -> None:
    faults = Faults(rate=0.4)
    met = [faults.of(seed_of("faults", i), t) for i in range(2000) for t in (0, 1)]
    assert met == [faults.of(seed_of("faults", i), t) for i in range(2000) for t in (0, 1)]
    assert 0.37 < sum(k is not None for k in met) / len(met) < 0.43
    assert set(met) == {None, *KINDS}
    assert met[::2] != met[1::2]


def test_only_the_first_tries_go_wrong() -> None:
    faults = Faults(rate=1, first_tries=2)
    assert [faults.of(3, t) is not None for t in range(4)] == [True, True, False, False]


def test_menus() -> None:
    assert menu("all") == KINDS and menu("service, empty") == (*SERVICE, "empty")
    for text in ("", "teapot"):
        with pytest.raises(FieldError, match="There are: all"):
            menu(text)


def test_remote_only_where_it_may_fail() -> None:
    assert [Mock().remote, Mock(faults=Faults(rate=0.1)).remote] == [False, True]


def test_a_narrowed_move_is_drawn_within_its_limits() -> None:
    only: Any = Literal["B"]
    narrow = create_model("Choice", __base__=Choice, action=(only, ...))
    assert {Mock().answer(drawer_of(narrow, Wording()), s, 0, False) for s in range(30)} == {'{"action":"B"}'}


# --- at the table -------------------------------------------------------------------------------------------------------
def sit(agent: Agent, limits: Limits = QUICK, run: int = 0) -> tuple[list[str], Counter[str]]:
    """The moves and the verdicts of six episodes of the email game with three questions."""
    game, words, verdicts = Email(), [], Counter[str]()

    def record(event: Event) -> None:
        if event["k"] == "reply":
            verdicts[event["verdict"]] += 1
            if event["verdict"] == "ok":
                words.append(event["words"])

    async def play() -> None:
        for episode, (_, state) in enumerate((game.states() or ()) * 3):
            session = Session(Advice(max_queries=3).script(game, state), {"human": agent, "ai": agent},
                              {r: game.wordings[0] for r in ("human", "ai")},
                              lambda *parts, e=episode: seed_of(run, e, *parts), record, limits)
            outcome = await session.play()
            assert outcome.status == "done", outcome.why
        await agent.close()

    asyncio.run(play())
    return words, verdicts


def test_a_failing_service_changes_no_move() -> None:
    clean, calm = sit(Mock())
    faulty, rough = sit(Mock(faults=Faults(rate=0.4, kinds=SERVICE, pause=0.001)))
    assert faulty == clean and len(clean) >= 12
    assert calm.keys() == {"ok"} and rough["error"] > 0 and rough["ok"] == calm["ok"]


def test_bad_words_cost_attempts_and_are_complained_about() -> None:
    limits = Limits(attempts=30, calls=30, wait=0.0005)
    _, verdicts = sit(Mock(faults=Faults(rate=0.4, kinds=WORDS)), limits)
    assert min(verdicts[v] for v in ("invalid", "truncated", "refusal")) > 0
    assert verdicts["error"] == 0


def test_chance_is_uniform_and_new_for_every_bad_reply() -> None:
    draws = [Source(seed_of("chance", i)).random() for i in range(4000)]
    assert all(0 <= u < 1 for u in draws)
    assert all(320 < n < 480 for n in Counter(int(10 * u) for u in draws).values())
    assert len({Source(5, bad).random() for bad in range(50)}) == 50
    whole = Source(1)
    assert {whole.randint(-1, 2) for _ in range(200)} == {-1, 0, 1, 2}
    assert Source(0).random() == (0xE220A8397B1DCDAF >> 11) / 2**53  # the first word of splitmix64 from 0


def test_only_a_quick_and_faultless_mock_costs_nothing() -> None:
    assert Mock().costless
    assert not Mock(latency=0.01).costless and not Mock(faults=Faults(rate=0.1)).costless

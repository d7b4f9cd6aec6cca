"""The seat in the browser without one: forms for every move, and the desk with a clock of its own."""
import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic_core import from_json, to_json

from parlour.agents.desk import Chair, Desk, Terms
from parlour.agents.forms import Field, fields, words
from parlour.agents.mock import Mock
from parlour.agents.visitors import Known, Visitors
from parlour.errors import Invalid
from parlour.games.base import Say, Wording
from parlour.games.email import Choice, Query
from parlour.protocols.base import Ask
from parlour.protocols.codec import read
from parlour.protocols.seat import Turn
from parlour.registry import load, modules


# --- forms ----------------------------------------------------------------------------------------------------------------
def moves() -> Iterator[tuple[str, Any, Wording]]:
    for name in modules("games"):
        game = load("games", name)()
        for role in (*game.players(), *dict.fromkeys(game.advisers().values())):
            for wording in game.wordings:
                yield f"{name} {role} {wording.name}", game.want(role), wording


@pytest.mark.parametrize("want, wording", [pytest.param(w, x, id=i) for i, w, x in moves()])
def test_every_move_has_a_form_that_makes_it(want: Any, wording: Wording) -> None:
    """What a mock says, put into the form field by field, makes the same move."""
    for seed in range(5):
        turn = Turn(Ask("x", (), want), wording, seed=seed * 10**17)
        said = asyncio.run(Mock(passes=0.0).reply(turn)).words
        filled: dict[str, str] = {}
        data = from_json(said) if turn.schema else {"text": said}
        for f in fields(turn):
            value = data[f.name]
            if f.kind == "entries":
                filled |= {f"{f.name}.{i}": str(x) for i, x in enumerate(value)}
                within(f, *value)
            elif f.kind in ("number", "integer"):
                within(f, value)
            if value is not None and f.kind != "entries":
                filled[f.name] = typed(value)
        try:
            wanted = read(said, want, wording)
        except Invalid:  # rules across fields are not known to a mock
            with pytest.raises(Invalid):
                words(turn, filled)
            continue
        assert read(words(turn, filled), want, wording) == wanted


def typed(value: Any) -> str:
    """What a person types for a value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else to_json(value).decode()


def within(field: Field, *values: float) -> None:
    for x in values:
        assert (field.low is None or x >= field.low - 1e-9) and (field.high is None or x <= field.high + 1e-9)


def test_nothing_given_is_a_complaint_with_the_fields_name() -> None:
    with pytest.raises(Invalid, match="Action: please give an answer"):
        words(Turn(Ask("x", (), Choice), Wording(), seed=0), {})
    with pytest.raises(Invalid, match="Question: please give an answer"):
        words(Turn(Ask("x", (), Query, optional=True), Wording(), seed=0), {"question": ""})
    with pytest.raises(Invalid, match="button that passes"):
        words(Turn(Ask("x", (), Say, optional=True), Wording(), seed=0), {"text": '{"pass": true}'})
    assert words(Turn(Ask("x", (), Query, optional=True), Wording(), seed=0), {"pass": "yes"}) == '{"pass": true}'


# --- the desk, with a clock of its own --------------------------------------------------------------------------------------
def desk(now: list[float]) -> Desk:
    return Desk(lambda: now[0])


def turn() -> Turn:
    return Turn(Ask("human", (), Choice), Wording(), seed=0)


def test_people_take_the_chair_that_waited_longest_and_keep_it() -> None:
    async def play() -> None:
        at = desk([0.0])
        terms = Terms(wait=10.0)
        token = at.link("human", terms)
        first, second = Chair("human"), Chair("human")
        asks = [asyncio.create_task(at.ask(c, turn(), terms)) for c in (first, second)]
        await asyncio.sleep(0)
        (_, a), (_, b) = at.enter(token, ""), at.enter(token, "")
        assert a.chair is first and b.chair is second and a.name != b.name
        assert a.chair.asked and not at.answer(b, a.chair.asked.number, "stolen")
        assert at.answer(a, a.chair.asked.number, "mine") and not at.answer(a, "", "again")
        assert await asks[0] == ("mine", a.name)
        assert at.stage(a) == "waiting" and a.chair is first  # until the episode is over, the chair is kept
        third = asyncio.create_task(at.ask(Chair("human"), turn(), terms))
        await asyncio.sleep(0)
        at.rise(first)
        assert a.chair is not first and at.stage(a) == "asked"
        for task in (asks[1], third):
            task.cancel()
    asyncio.run(play())


def test_whoever_is_unseen_for_the_waiting_time_has_left_and_may_come_back() -> None:
    async def play() -> None:
        now = [0.0]
        at, terms, chair = desk(now), Terms(wait=10.0), Chair("human")
        secret, person = at.enter(at.link("human", terms), "")
        ask = asyncio.create_task(at.ask(chair, turn(), terms))
        await asyncio.sleep(0)
        now[0] = 9.0
        at.enter(at.link("human", terms), secret)  # reloads
        now[0] = 18.0
        await asyncio.sleep(0.3)
        assert not ask.done()
        now[0] = 19.5
        assert (await ask)[0] is None and chair.gone
        assert (await at.ask(chair, turn(), terms))[0] is None  # at once
        assert at.enter(at.link("human", terms), secret)[1] is person and not chair.gone
    asyncio.run(play())


def test_each_plays_as_many_episodes_as_the_terms_say() -> None:
    async def play() -> None:
        at, terms = desk([0.0]), Terms(each=1)
        _, person = at.enter(at.link("human", terms), "")
        first, second = Chair("human"), Chair("human")
        asks = [asyncio.create_task(at.ask(c, turn(), terms)) for c in (first, second)]
        await asyncio.sleep(0)
        assert person.chair is first
        at.rise(first)
        assert person.chair is None and at.stage(person) == "over"
        for task in asks:
            task.cancel()
    asyncio.run(play())


# --- who has come before ------------------------------------------------------------------------------------------------------
def test_links_and_cookies_are_made_from_the_secret_alone() -> None:
    def came(secret: bytes) -> tuple[str, str]:
        at = Desk(visitors=Visitors(secret))
        link = at.link("human", Terms())
        assert at.link("human", Terms()) == link != at.link("ai", Terms())
        return link, at.visitors.cookie("human", "p-1")
    assert came(b"one") == came(b"one")
    assert not {*came(b"one")} & {*came(b"two")}


def test_a_cookie_that_was_not_given_out_is_nobodys() -> None:
    visitors = Visitors(b"one", {"p-1": Known(True, 2)})
    at, terms = Desk(visitors=visitors), Terms(consent="We record you.", each=3)
    link = at.link("human", terms)
    cookie, person = at.enter(link, visitors.cookie("human", "p-1"))
    assert (person.name, person.agreed, person.played) == ("p-1", True, 2) and at.enter(link, cookie) == (cookie, person)
    for forged in ("p-1", "p-1.", "p-1." + "x" * 20, visitors.cookie("ai", "p-1"), Visitors(b"two").cookie("human", "p-1"), "é.ß"):
        assert at.enter(link, forged)[1].name != "p-1"


def test_what_was_agreed_before_there_is_a_record_waits_for_it() -> None:
    visitors, kept = Visitors(), list[dict[str, Any]]()
    at, terms = Desk(visitors=visitors), Terms(consent="We record you.")
    people = [at.enter(at.link("human", terms), "")[1] for _ in range(2)]
    at.agree(people[0], True)
    visitors.attach(kept.append)
    at.agree(people[1], False)
    said = [(people[0].name, True, terms.consent), (people[1].name, False, terms.consent)]
    assert [(e["name"], e["agreed"], e["text"]) for e in kept] == said


def test_who_comes_back_sits_where_they_sat() -> None:
    async def play() -> None:
        visitors = Visitors(b"one", {"p-1": Known(), "p-2": Known()})
        at, terms = Desk(visitors=visitors), Terms()
        link = at.link("human", terms)
        chairs = [Chair("human", "p-2"), Chair("human"), Chair("human", "p-1")]
        asks = [asyncio.create_task(at.ask(chair, turn(), terms)) for chair in chairs]
        await asyncio.sleep(0)
        first = at.enter(link, visitors.cookie("human", "p-1"))[1]
        stranger = at.enter(link, "")[1]
        assert first.chair is chairs[2] and stranger.chair is chairs[1], "nobody sees what another has said while a chair is free"
        for ask in asks:
            ask.cancel()
    asyncio.run(play())

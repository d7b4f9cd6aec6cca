"""Cheap talk, by hand: who hears what, before which protocol."""
from typing import Any, Literal

import pytest

from parlour.errors import FieldError, Forfeit, RulesError, UnknownName
from parlour.games.base import Benchmark, Game, Move, Observation, Play, Query, Role, Rules, Saw, Say, State, Strategy, Wording
from parlour.games.email import Email, Superior
from parlour.protocols.base import Ask, drive
from parlour.protocols.cheap_talk import CheapTalk, Floor, changed
from parlour.protocols.codec import decode, encode, render


class Coin(State):
    side: Literal["heads", "tails"] = "heads"


class Brief(Observation):
    role: Role

    def say(self, w: Wording, me: Role) -> str:
        return f"You are {self.role}."


class Act(Move):
    act: Literal["left", "right"]


class Meeting(Game):
    """Three players, no adviser."""
    wordings = (Wording(labels={"anna": "the first", "bert": "the second"}),)

    def players(self) -> tuple[Role, ...]:
        return ("anna", "bert", "carl")

    def observe(self, role: Role, state: Any) -> Observation:
        return Brief(role=role)

    def want(self, role: Role) -> type[Move]:
        return Act

    def payoffs(self, play: Play) -> dict[Role, float]:
        return {role: 0.0 for role in self.players()}

    def bounds(self, role: Role) -> tuple[float, float]:
        return 0.0, 0.0

    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        return []

    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        raise NotImplementedError


def played(protocol: CheapTalk, game: Game, state: State, seat: Any) -> tuple[Play, list[Ask]]:
    asks: list[Ask] = []
    play = drive(protocol.script(game, state), {role: seat for role in game.roles()},
                 watch=lambda due, answer: asks.append(due) if isinstance(due, Ask) else None)
    return play, asks


def chatty(ask: Ask) -> Move | None:
    """Says its name; carl keeps silent; all go left."""
    if ask.want is Say:
        return None if ask.role == "carl" else Say(text=f"I am {ask.role}")
    return Act(act="left")


def saw(ask: Ask) -> list[tuple[Role, str]]:
    return [(o.role, o.move.text) for o in ask.news if isinstance(o, Saw) and isinstance(o.move, Say)]


def test_everybody_hears_the_others_before_the_next_round_and_before_acting() -> None:
    play, asks = played(CheapTalk(rounds=2), Meeting(), Coin(), chatty)
    assert [(a.role, a.want.__name__) for a in asks] == [
        (role, want) for want in ("Say", "Say", "Act") for role in ("anna", "bert", "carl")]
    assert all(a.optional == (a.want is Say) for a in asks)
    for first, second, act in zip(asks[:3], asks[3:6], asks[6:], strict=True):
        heard = [(r, f"I am {r}") for r in ("anna", "bert") if r != first.role]
        assert saw(first) == [] and saw(second) == heard and saw(act) == heard
    assert [(r, type(m).__name__) for r, m in play.moves] == [
        ("anna", "Say"), ("bert", "Say")] * 2 + [("anna", "Act"), ("bert", "Act"), ("carl", "Act")]


def test_each_is_briefed_once_and_before_the_talk() -> None:
    _, asks = played(CheapTalk(rounds=3), Meeting(), Coin(), chatty)
    for role in ("anna", "bert", "carl"):
        news = [o for a in asks if a.role == role for o in a.news]
        assert news[0] == Brief(role=role)
        assert news.count(Brief(role=role)) == 1
        assert [o.round for o in news if isinstance(o, Floor)] == [1, 2, 3]


def test_who_does_not_speak_hears_nothing_and_is_briefed_as_ever() -> None:
    play, asks = played(CheapTalk(speakers=("anna", "bert")), Meeting(), Coin(), chatty)
    carl, = (a for a in asks if a.role == "carl")
    assert carl.news == (Brief(role="carl"),)
    assert len(play.all("anna", Say)) == 1


def test_player_and_adviser_talk_before_the_advice() -> None:
    def seat(ask: Ask) -> Move | None:
        if ask.want is Say:
            return Say(text=f"{ask.role} speaks")
        if ask.want is Query:
            return Query(question="which?")
        return ask.want.model_validate({"report": "A"} if ask.role == "ai" else {"action": "A"})

    protocol = CheapTalk(speakers=("human", "ai"), then="advice", then_with={"max_queries": 1})
    play, asks = played(protocol, Email(), Superior(draft="A"), seat)
    assert [(a.role, a.want.__name__) for a in asks] == [
        ("human", "Say"), ("ai", "Say"), ("human", "Query"), ("ai", "Report"), ("human", "Choice")]
    assert [type(o).__name__ for o in asks[2].news] == ["Saw", "Adviser", "Left"]
    assert [type(o).__name__ for o in asks[3].news] == ["Saw", "Saw", "Note"]
    assert [o.move for o in asks[3].news if isinstance(o, Saw)] == [Say(text="human speaks"), Query(question="which?")]
    assert play.fees == {"human": 1.0}
    assert Email().payoffs(play)["human"] == 5.0


def test_rules_and_seats_are_those_of_what_follows_and_the_talk() -> None:
    game = Email()
    protocol = CheapTalk(rounds=2, speakers=("ai", "human"))
    assert protocol.rules(game) == Rules.of(queries=0, talk=2)
    assert protocol.seats(game) == ("human", "ai")
    twice = CheapTalk(rounds=1, then="cheap_talk", then_with={"rounds": 2})
    assert twice.rules(Meeting()).get("talk") == 3
    _, asks = played(twice, Meeting(), Coin(), chatty)
    assert len(asks) == 12
    assert sum(isinstance(o, Brief) for a in asks for o in a.news) == 3


@pytest.mark.parametrize(("speakers", "game", "says"), [
    ((), Email(), "two different speakers"),
    (("human", "nobody"), Email(), "'nobody' cannot talk"),
    (("human", "society"), Email(), "'society' cannot talk"),
    (("anna", "anna"), Meeting(), "two different speakers"),
    (("anna",), Meeting(), "two different speakers"),
])
def test_talk_that_cannot_be(speakers: tuple[Role, ...], game: Game, says: str) -> None:
    protocol = CheapTalk(speakers=speakers)
    for attempt in (lambda: protocol.rules(game), lambda: protocol.seats(game),
                    lambda: next(protocol.script(game, Coin()))):
        with pytest.raises(RulesError, match=says):
            attempt()


def test_what_follows_must_exist() -> None:
    with pytest.raises(UnknownName, match=r"no protocol 'silnt'\. Did you mean 'silent'"):
        CheapTalk(then="silnt")
    with pytest.raises(FieldError, match="no field 'querys'"):
        CheapTalk(then="advice", then_with={"querys": 1})


def test_the_protocol_is_its_own_json() -> None:
    protocol = CheapTalk(rounds=2, speakers=("human", "ai"), then="advice", then_with={"max_queries": 3})
    assert CheapTalk.model_validate_json(protocol.model_dump_json()) == protocol


def test_a_forfeit_reaches_the_protocol_that_follows() -> None:
    def inner() -> Any:
        try:
            yield (Ask("anna", (), Act),)
        except Forfeit:
            move, = yield (Ask("bert", (), Act),)
            return Play(state=Coin(), moves=(("bert", move),))

    script: Any = changed(inner(), lambda due: due)
    next(script)
    due = script.throw(Forfeit("anna", "no valid answer"))
    assert [d.role for d in due] == ["bert"]
    with pytest.raises(StopIteration) as end:
        script.send((Act(act="left"),))
    assert end.value.value.moves == (("bert", Act(act="left")),)


def test_a_forfeit_nobody_catches_ends_it() -> None:
    script = CheapTalk().script(Meeting(), Coin())
    next(script)
    with pytest.raises(Forfeit):
        script.throw(Forfeit("anna", "no valid answer"))


def test_the_invitation_in_words() -> None:
    floor = Floor(speakers=("anna", "bert", "carl"), round=1, rounds=2)
    text = render(Ask("anna", (floor,), Say, True), Meeting.wordings[0])
    assert text.startswith("Round 1 of 2 of free talk: what you say now is heard by the second, carl.")
    assert text.endswith('Answer in plain words, or with {"pass": true} to say nothing.')
    assert decode(encode(floor)) == floor

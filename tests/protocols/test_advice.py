"""The advice protocol, by hand: who is asked what, what each is told, and what it costs."""
from typing import Any, Literal

import pytest

from parlour.games.base import (
    Benchmark,
    Frozen,
    Game,
    Left,
    Move,
    Observation,
    Play,
    Query,
    Role,
    Rules,
    Saw,
    State,
    Strategy,
    Wording,
    learned,
)
from parlour.protocols.advice import Advice
from parlour.protocols.base import Ask, Draw, drive


class Side(State):
    side: Literal["A", "B"]


class Told(Observation):
    what: str

    def say(self, w: Wording, me: Role) -> str:
        return self.what


class Answer(Move):
    answer: Literal["A", "B"]


class Act(Move):
    act: Literal["A", "B"]


class Table(Game):
    """Players and their advisers as given; an adviser's note is the state with chance .75."""
    wordings = (Wording(name="plain", texts={"left": "{queries} left at {price}"}),)
    advised: tuple[tuple[Role, Role], ...]
    silent: tuple[Role, ...] = ()

    def players(self) -> tuple[Role, ...]:
        return (*(role for role, _ in self.advised), *self.silent)

    def advisers(self) -> dict[Role, Role]:
        return dict(self.advised)

    def observe(self, role: Role, state: Any) -> Observation:
        return Told(what=f"brief {role}")

    def adviser_facts(self, role: Role) -> Observation:
        return Told(what=f"facts {role}")

    def notes(self, adviser: Role, state: Any) -> tuple[tuple[float, Observation], ...]:
        other = "B" if state.side == "A" else "A"
        return ((0.75, Told(what=f"note {state.side}")), (0.25, Told(what=f"note {other}")))

    def want(self, role: Role) -> type[Move]:
        return Answer if role in self.advisers().values() else Act

    @property
    def question_price(self) -> float:
        return 3.0

    def payoffs(self, play: Play) -> dict[Role, float]:
        return {role: 0.0 for role in self.players()}

    def bounds(self, role: Role) -> tuple[float, float]:
        return 0.0, 0.0

    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        return []

    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        raise NotImplementedError


ONE = Table(advised=(("anna", "ai"),))
SHARED = Table(advised=(("anna", "ai"), ("bert", "ai")))
APART = Table(advised=(("anna", "x"), ("bert", "y")), silent=("carl",))
STATE = Side(side="A")


class Run(Frozen):
    """A play by hand: everything each role was told, the asks in order, the number of draws."""
    play: Play
    told: dict[Role, list[Any]]
    asks: tuple[tuple[Role, str], ...]
    draws: int


def ask_times(counts: dict[Role, int], text: str = "?") -> Any:
    """Seats that ask as often as said, report their last note and act on A."""
    left = dict(counts)

    def seat(ask: Ask) -> Move | None:
        if ask.want is Query:
            left[ask.role] = left.get(ask.role, 0) - 1
            return Query(question=text) if left[ask.role] >= 0 else None
        return Answer(answer="A") if ask.want is Answer else Act(act="A")

    return seat


def run(game: Table, protocol: Advice, seat: Any, draws: tuple[int, ...] = ()) -> Run:
    told: dict[Role, list[Any]] = {}
    asks: list[tuple[Role, str]] = []
    drawn = iter(draws)
    count = 0

    def watch(due: Ask | Draw, answer: Any) -> None:
        nonlocal count
        if isinstance(due, Draw):
            count += 1
            assert due.chances == (0.75, 0.25)
        else:
            told.setdefault(due.role, []).extend(due.news)
            asks.append((due.role, due.want.__name__))

    seats = {role: seat for role in game.roles()}
    play = drive(protocol.script(game, STATE), seats, draw=lambda d: next(drawn, 0), watch=watch)
    return Run(play=play, told=told, asks=tuple(asks), draws=count)


def whats(seen: list[Any]) -> list[str]:
    return [o.what for o in seen if isinstance(o, Told)]


def test_two_questions_one_after_the_other() -> None:
    r = run(ONE, Advice(max_queries=2), ask_times({"anna": 2}), draws=(0, 1))
    assert r.asks == (("anna", "Query"), ("ai", "Answer"), ("anna", "Query"), ("ai", "Answer"), ("anna", "Act"))
    assert [(role, type(m).__name__) for role, m in r.play.moves] == list(r.asks)
    assert whats(r.told["ai"]) == ["brief ai", "note A", "note B"]
    assert whats(r.told["anna"]) == ["brief anna", "facts anna"]
    assert [o.queries for o in r.told["anna"] if isinstance(o, Left)] == [2, 1]
    assert [o.move for o in r.told["anna"] if isinstance(o, Saw)] == [Answer(answer="A")] * 2
    assert r.play.fees == {"anna": 6.0}


def test_the_adviser_hears_the_question_before_its_note() -> None:
    r = run(ONE, Advice(), ask_times({"anna": 1}, "which?"))
    assert r.told["ai"] == [Told(what="brief ai"), Saw(role="anna", move=Query(question="which?")), Told(what="note A")]


def test_a_pass_ends_the_talk_and_costs_nothing() -> None:
    r = run(ONE, Advice(max_queries=3), ask_times({"anna": 0}))
    assert r.asks == (("anna", "Query"), ("anna", "Act"))
    assert r.draws == 0 and r.play.fees == {"anna": 0.0}
    assert r.play.moves == (("anna", Act(act="A")),)


def test_no_question_allowed() -> None:
    r = run(ONE, Advice(max_queries=0), ask_times({"anna": 9}))
    assert r.asks == (("anna", "Act"),)
    assert not [o for o in r.told["anna"] if isinstance(o, Left)]


def test_same_reports_are_drawn_once_and_independent_ones_each_time() -> None:
    same = run(ONE, Advice(max_queries=2, reports="same"), ask_times({"anna": 2}), draws=(1, 0))
    assert same.draws == 1 and whats(same.told["ai"]) == ["brief ai", "note B"]
    anew = run(ONE, Advice(max_queries=2, reports="independent"), ask_times({"anna": 2}), draws=(1, 0))
    assert anew.draws == 2 and whats(anew.told["ai"]) == ["brief ai", "note B", "note A"]


def test_a_shared_adviser_is_heard_by_both_and_paid_by_who_asked() -> None:
    r = run(SHARED, Advice(max_queries=1), ask_times({"anna": 1}))
    assert r.asks == (("anna", "Query"), ("bert", "Query"), ("ai", "Answer"), ("anna", "Act"), ("bert", "Act"))
    for role in ("anna", "bert"):
        assert [o.move for o in r.told[role] if isinstance(o, Saw)] == [Answer(answer="A")]
    assert r.play.fees == {"anna": 3.0, "bert": 0.0}


def test_a_shared_adviser_answers_two_questions_with_one_report() -> None:
    r = run(SHARED, Advice(max_queries=1), ask_times({"anna": 1, "bert": 1}))
    assert r.draws == 1
    assert [o.role for o in learned(tuple(r.told["ai"]), Saw)] == ["anna", "bert"]
    assert len(r.play.all("ai")) == 1 and r.play.fees == {"anna": 3.0, "bert": 3.0}


def test_the_other_may_ask_on_after_one_passed() -> None:
    r = run(SHARED, Advice(max_queries=2), ask_times({"bert": 2}))
    assert [a for a in r.asks if a[1] == "Query"] == [("anna", "Query"), ("bert", "Query")] * 2
    assert r.play.fees == {"anna": 0.0, "bert": 6.0}


@pytest.mark.parametrize(("charge", "fee", "least"), [("game", 3.0, 3.0), ("message", 1.0, 1.0), ("character", 3.0, 0.5)])
def test_what_a_question_costs(charge: Any, fee: float, least: float) -> None:
    protocol = Advice(charge=charge, price=0.5)
    r = run(ONE, protocol, ask_times({"anna": 1}, "which?"))
    assert r.play.fees == {"anna": fee}
    left, = (o for o in r.told["anna"] if isinstance(o, Left))
    assert left.price == least == protocol.rules(ONE).get("price")


def test_talks_of_unequal_length_run_side_by_side() -> None:
    script: Any = Advice(max_queries=3).script(APART, STATE)
    due = next(script)
    assert [(d.role, d.want) for d in due] == [("anna", Query), ("bert", Query)]
    due = script.send((Query(question="?"), None))
    assert [type(d) for d in due] == [Draw]
    due = script.send((0,))
    assert [d.role for d in due] == ["x"]
    due = script.send((Answer(answer="B"),))
    assert [(d.role, d.want) for d in due] == [("anna", Query)]
    due = script.send((None,))
    assert [(d.role, d.want) for d in due] == [("anna", Act), ("bert", Act), ("carl", Act)]
    assert [o.what for o in due[2].news] == ["brief carl"]
    with pytest.raises(StopIteration) as end:
        script.send((Act(act="A"), Act(act="B"), Act(act="A")))
    play: Play = end.value.value
    assert play.fees == {"anna": 3.0, "bert": 0.0, "carl": 0.0}
    assert [role for role, _ in play.moves] == ["anna", "x", "anna", "bert", "carl"]


def test_both_talks_are_asked_at_once() -> None:
    script: Any = Advice(max_queries=1).script(APART, STATE)
    next(script)
    draws = script.send((Query(question="?"), Query(question="?")))
    assert [d.what for d in draws] == ["note to x", "note to y"]
    reports = script.send((0, 1))
    assert [(d.role, d.news[-1].what) for d in reports] == [("x", "note A"), ("y", "note B")]


def test_rules_say_what_a_solution_may_depend_on() -> None:
    assert Advice(max_queries=2, reports="same").rules(ONE) == Rules.of(queries=2, price=3.0, independent=False)
    assert Advice(max_queries=2).rules(Table(advised=(), silent=("carl",))).get("queries") == 0
    assert Advice().seats(SHARED) == ("anna", "bert", "ai")

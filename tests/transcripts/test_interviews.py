"""Questions beside a game, and contamination: what is asked when, and what is made of the answers."""
import asyncio
from math import log
from typing import Any

import pytest

import parlour
from parlour.errors import FieldError, RulesError
from parlour.experiments.design import game_of, protocol_of
from parlour.games.base import Say
from parlour.games.email import Choice
from parlour.protocols.base import Ask, drive
from parlour.protocols.interview import Belief, Interview, Number, Question, Words, among
from parlour.protocols.seat import Agent, Reply, Turn
from parlour.protocols.session import Session, seed_of
from parlour.transcripts.interviews import is_right

QUESTIONS: list[dict[str, Any]] = [
    {"name": "gain", "role": "human", "text": "What do you get if {A} is sent and was the better one?", "kind": "amount", "answer": 5.0},
    {"name": "study", "role": "human", "text": "Which one never errs?", "kind": "option", "options": ["A", "B", "C"], "answer": "C"},
    {"name": "think", "role": "human", "text": "How likely are you to study, in per cent?", "kind": "belief", "at": "Choice",
     "about": "human Choice.action=C"},
    {"name": "origin", "role": "human", "text": "Where is this from?", "kind": "words", "at": "end", "answer": "Immorlica"},
]
PROTOCOL = {"name": "interview", "then": "advice", "questions": QUESTIONS}


class Scripted(Agent):
    """Answers by the Move type it is asked for."""
    says: dict[str, Any]

    async def reply(self, turn: Turn) -> Reply:
        from pydantic_core import to_json
        found = self.says.get(turn.ask.want.__name__)
        return Reply('{"pass": true}' if found is None else to_json(found).decode())


def sat(says: dict[str, Any], wording: int = 0) -> tuple[list[dict[str, Any]], Any]:
    game = game_of({"name": "email"})
    protocol = protocol_of(PROTOCOL, game)
    events: list[dict[str, Any]] = []
    seats = {"human": Scripted(says=says), "ai": Scripted(says={"Report": {"report": game.wordings[wording].label("A")}})}
    session = Session(protocol.script(game, game.states()[0][1]), seats, dict.fromkeys(seats, game.wordings[wording]),
                      lambda *parts: seed_of(1, *parts), events.append)
    return events, asyncio.run(session.play())


def test_questions_come_when_they_are_due_and_are_no_moves() -> None:
    events, outcome = sat({"Amount": {"answer": 5}, "Chosen": {"answer": "C"}, "Belief": {"percent": 80}, "Choice": {"action": "C"},
                           "Words": {"answer": "From Immorlica's talk"}})
    assert [e["want"] for e in events if e["k"] == "ask"] == ["Amount", "Chosen", "Query", "Belief", "Choice", "Words"]
    assert outcome.status == "done" and [type(m).__name__ for _, m in outcome.play.moves] == ["Choice"]


def test_every_observation_is_told_once_and_before_the_question() -> None:
    events, _ = sat({"Amount": {"answer": 5}, "Choice": {"action": "A"}})
    news = [[o["type"].rpartition(".")[2] for o in e["news"]] for e in events if e["k"] == "ask" and e["role"] == "human"]
    assert news == [["Brief", "Adviser", "Left", "Asked"], ["Asked"], [], ["Asked"], [], ["Asked"]]


def test_a_wording_turns_labels_and_amounts_of_questions_too() -> None:
    events, _ = sat({"Amount": {"answer": 170}, "Chosen": {"answer": "survey"}, "Choice": {"action": "survey"}}, wording=1)
    moves = [e["move"]["fields"] for e in events if e["k"] == "reply" and e["move"]]
    assert moves[0] == {"answer": 5.0} and moves[1] == {"answer": "C"}
    assert "if north is sent" in next(e["prompt"] for e in events if e["k"] == "reply")


def test_a_forfeited_question_does_not_end_the_game() -> None:
    _, outcome = sat({"Amount": {"answer": "many"}, "Choice": {"action": "A"}})
    assert outcome.status == "done"


def test_an_interview_by_hand() -> None:
    game = game_of({"name": "email"})
    protocol = Interview.model_validate({k: v for k, v in PROTOCOL.items() if k != "name"} | {"then": "silent"})
    asked: list[Any] = []
    hands = {"human": lambda ask: Choice(action="B") if ask.want is Choice else None}
    play = drive(protocol.script(game, game.states()[0][1]), hands, watch=lambda due, answer: asked.append(due))
    assert [a.want.__name__ for a in asked if isinstance(a, Ask)] == ["Amount", "Chosen", "Belief", "Choice", "Words"]
    assert play.last("human", Choice).action == "B"


@pytest.mark.parametrize("wrong, says", [
    ({"kind": "option"}, "options are given"), ({"kind": "belief"}, "has about"), ({"about": "x y"}, "about"),
    ({"options": ["a"]}, "only for it"),
])
def test_a_question_must_be_whole(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Question.model_validate({"name": "q", "role": "human", "text": "?", **wrong})


def test_questions_need_names_of_their_own_and_somebody_to_answer() -> None:
    twice = [QUESTIONS[0], QUESTIONS[0]]
    with pytest.raises(FieldError, match="same name"):
        protocol_of({"name": "interview", "questions": twice}, game_of({"name": "email"}))
    stranger = protocol_of({"name": "interview", "questions": [{**QUESTIONS[0], "role": "judge"}]}, game_of({"name": "email"}))
    with pytest.raises(RulesError, match="nobody sits at 'judge'"):
        stranger.seats(game_of({"name": "email"}))


@pytest.mark.parametrize("q, given, right", [
    ({"answer": 5.0}, 5.0, True), ({"answer": 5.0}, 5.1, False), ({"answer": 5.0}, None, False),
    ({"kind": "words", "answer": "immorlica"}, "by N. Immorlica", True),
    ({"kind": "option", "options": ["a", "b"], "answer": "a"}, "b", False),
])
def test_what_is_right(q: dict[str, Any], given: Any, right: bool) -> None:
    assert is_right(Question.model_validate({"name": "q", "role": "human", "text": "?", **q}), given) is right


def test_types_of_answers() -> None:
    assert among(("a", "b")) is among(("a", "b")) and issubclass(Number, Belief.__mro__[1]) and not issubclass(Words, Say)


def test_answers_become_scores(store: str) -> None:
    """The mock answers at random: shares near chance, beliefs scored against what it then did."""
    results = parlour.run({"episodes": 200, "seed": 2, "game": "email", "protocol": PROTOCOL, "seats": {"human": "mock", "ai": "strategy"}},
                          store)
    table = results.table()
    found = {(r.quantity, r.benchmark): r for r in table.itertuples()}
    studied = results.sql("SELECT json_extract_string(move, '$.fields.answer') AS a FROM attempt JOIN ask USING (run, episode, turn) "
                          "WHERE want = 'Chosen' AND verdict = 'ok'").a
    assert found["comprehension", "study"].value == pytest.approx((studied == "C").sum() / 200)
    assert found["comprehension", "study"].value > 0.1
    assert found["recitation", "origin"].value == 0.0
    p, y = found["belief", "think: belief"].value, found["belief", "think: happened"].value
    assert 0.3 < p < 0.7 and 0.15 < y < 0.5
    assert found["belief", "think: Brier"].value > y * (1 - y) and found["belief", "think: log score"].value > -log(0.999)
    by = [found["by comprehension", w].n for w in ("understood", "did not understand") if ("by comprehension", w) in found]
    assert sum(by) == 200


# --- contamination ----------------------------------------------------------------------------------------------------------
def contamination(human: str, seed: int, store: str) -> Any:
    results = parlour.run({"episodes": 80, "seed": seed, "wordings": "all", "game": "email", "protocol": "advice",
                           "seats": {"human": human, "ai": "strategy"}}, store)
    row, = results.table().query("quantity == 'contamination' and role == 'human'").itertuples()
    return row


def test_a_seat_that_remembers_is_caught(store: str) -> None:
    found = contamination("memoriser", 1, store)
    assert found.low > 0 and found.benchmark == "plain less workshop"


def test_a_seat_that_plays_alike_in_every_wording_is_not(store: str) -> None:
    found = contamination("mock", 1, store)
    assert found.low < 0 < found.high


def test_seats_that_read_nothing_are_not_compared(store: str) -> None:
    results = parlour.run({"episodes": 8, "wordings": "all", "game": "email", "protocol": "advice",
                           "seats": {"human": "always_follow", "ai": "strategy"}}, store)
    assert results.table().query("quantity == 'contamination'").empty

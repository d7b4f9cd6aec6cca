"""Contracts in play: who is told what, in which order, and what is paid."""
from collections.abc import Callable
from typing import Any

import pytest

import parlour
from parlour.agents.amounts import pattern
from parlour.errors import FieldError, RulesError
from parlour.experiments.design import game_of, protocol_of
from parlour.games.base import NATURE, Move, Saw, Say, learned
from parlour.games.contracting import Choice, Contracting, Outcome
from parlour.games.text_contract import TextContract
from parlour.games.text_contract_words import NURSERY, PLAIN, Contract, prices
from parlour.protocols.base import Ask, Draw, drive
from parlour.protocols.contracting import Confirm, ReadBack
from parlour.protocols.writing import Key, Prompt, Written
from parlour.registry import build

GAME = TextContract()
TASKS = [{"prompt": "What is six times seven?", "gold": "42", "rubric": "2 if right."}, {"prompt": "Capital of France?", "gold": "Paris"}]


def walked(protocol: dict[str, Any], seats: dict[str, Callable[[Ask], Move | None]], game: Contracting = GAME) -> tuple[Any, list[Any]]:
    """(play, everything that was due)."""
    seen: list[Any] = []
    play = drive(protocol_of(protocol, game).script(game, game.states()[0][1]), seats, watch=lambda due, answer: seen.append(due))
    return play, seen


def post(*payments: float) -> Callable[[Ask], Move]:
    return lambda ask: ask.want.model_validate({"payments": payments}) if ask.want.__name__ == "Contract" else Confirm(meant=True)


def choose(label: str) -> Callable[[Ask], Move | None]:
    return lambda ask: None if ask.optional else ask.want.model_validate({"generator": label})


def test_choice_only() -> None:
    play, seen = walked({"name": "text_contract"}, {"principal": post(0, 2.5), "agent": choose("C")})
    _, agent, draw = seen
    assert [m.model_dump() for _, m in play.moves] == [{"payments": (0, 2.5)}, {"generator": "C"}, {"outcome": 1}]
    assert learned(agent.news, Saw)[0].move.payments == (0, 2.5), "the agent is told the contract"
    assert isinstance(draw, Draw) and draw.chances == (0.47, 0.53)
    assert GAME.payoffs(play) == {"principal": -2.5, "agent": 2.5 - 0.6405}


def test_real_generation_tells_the_writer_nothing_of_pay_and_the_evaluator_nothing_of_the_writer() -> None:
    protocol = {"name": "text_contract", "tasks": TASKS, "gold": True}
    marks = {"evaluator": 2, "gold": 1}
    seats: dict[str, Callable[[Ask], Move | None]] = {
        "principal": post(0, 2.5), "agent": choose("B"), "writer_B": lambda ask: Say(text="42"),
        **{role: (lambda ask, s=s: ask.want.model_validate({"score": s})) for role, s in marks.items()}}  # type: ignore[misc]
    play, seen = walked(protocol, seats)
    asks = {d.role: d for d in seen if isinstance(d, Ask)}
    assert "writer_A" not in asks and asks["writer_B"].news == (Prompt(text=TASKS[0]["prompt"]),)
    assert [type(o) for o in asks["evaluator"].news] == [Prompt, Written, Key] and asks["gold"].news == asks["evaluator"].news
    assert not learned(asks["agent"].news, Prompt), "before: the agent does not see the task"
    assert play.last(NATURE, Outcome).outcome == 1, "the evaluator's score is the outcome, not gold's"
    assert GAME.payoffs(play)["principal"] == -2.5
    _, seen = walked({**protocol, "chooses": "after"}, seats)
    assert learned(next(d for d in seen if isinstance(d, Ask) and d.role == "agent").news, Prompt)


def test_an_evaluator_is_told_all_there_is_to_score_by_and_no_more() -> None:
    whole = Key(gold="42", tests=("assert f(6) == 42",), rubric="2 if right.").say(PLAIN, "evaluator")
    assert whole == "How to score: 2 if right.\nThe right answer: 42\nIt must pass these tests:\nassert f(6) == 42"
    assert Key(gold=None, tests=(), rubric=None).say(PLAIN, "evaluator") == "Score the answer by how good it is."


def test_a_contract_in_words_is_shown_back_until_it_is_meant() -> None:
    drafts = iter(["half as much", "grade 2 pays 250 cents", "never asked for"])
    read = iter([(0.0, 1.0), (0.0, 2.5)])
    meant = iter([False, True])

    def principal(ask: Ask) -> Move:
        return Say(text=next(drafts)) if ask.want is Say else Confirm(meant=next(meant))

    play, seen = walked({"name": "text_contract", "prose": 3}, {
        "principal": principal, "agent": choose("C"), "reader": lambda ask: ask.want.model_validate({"payments": next(read)})})
    confirm = [d for d in seen if isinstance(d, Ask) and d.want is Confirm]
    assert len(confirm) == 2 and "grade 2 pays 100 cents" in learned(confirm[0].news, ReadBack)[0].say(PLAIN, "principal")
    told = learned(next(d for d in seen if isinstance(d, Ask) and d.role == "agent").news, Saw)
    assert [t.move.say(PLAIN) for t in told] == ["grade 2 pays 250 cents", "grade 1 pays 0 cents; grade 2 pays 250 cents"], \
        "the words and what they bind to; what did not bind is not told"
    assert play.last("principal", Contract).payments == (0, 2.5) and [m.text for m in play.all("principal", Say)] == [
        "half as much", "grade 2 pays 250 cents"], "words and numbers are both kept"


@pytest.mark.parametrize("wording", [PLAIN, NURSERY], ids=lambda w: w.name)
def test_prices_in_words_are_read_back_as_they_were(wording: Any, store: str) -> None:
    """Contract to prose to contract, in every wording and unit."""
    text = "Listen: " + prices(wording, (0.125, 2.5)) + ". That is all."
    seats = {"principal": {"agent": "fixed", "text": text, "move": {"meant": True}}, "agent": "best_reply", "reader": "amounts"}
    results = parlour.run({"game": "text_contract", "episodes": 3, "protocol": {"name": "text_contract", "prose": 0}, "seats": seats,
                           "wordings": wording.name}, store)
    assert set(results.frame()["status"]) == {"done"}
    found = results.sql("SELECT DISTINCT a.move -> 'fields' ->> 'payments' AS t FROM attempt a JOIN ask USING (run, episode, turn) "
                        "WHERE role = 'reader'")["t"]
    assert list(found) == ["[0.125,2.5]"]


def test_a_price_pattern_minds_neither_case_nor_space() -> None:
    import re
    found = re.findall(pattern(PLAIN.texts["price"]), "GRADE 10  pays -3.5 cents, grade 2 pays 4", re.IGNORECASE)
    assert found == [("10", "-3.5"), ("2", "4")]


def test_negotiation_ends_when_the_agent_passes_or_the_rounds_are_over() -> None:
    offers = iter([(0.0, 1.0), (0.0, 2.0), (0.0, 3.0)])
    seats: dict[str, Callable[[Ask], Move | None]] = {
        "principal": lambda ask: ask.want.model_validate({"payments": next(offers)}),
        "agent": lambda ask: Say(text="More!") if ask.optional else ask.want.model_validate({"generator": "A"})}
    play, seen = walked({"name": "negotiated_contract", "rounds": 2}, seats)
    assert [c.payments[1] for c in play.all("principal", Contract)] == [1, 2, 3]
    assert learned(seen[2].news, Saw)[0].move == Say(text="More!")
    assert GAME.rounds(play)[0][0].payments == (0, 3), "the last contract binds"
    play, _ = walked({"name": "negotiated_contract", "rounds": 2}, {"principal": post(0, 1), "agent": choose("A")})
    assert len(play.all("principal", Contract)) == 1


@pytest.mark.parametrize("revealed", [False, True])
@pytest.mark.parametrize("fixed", [False, True])
def test_repeated_play_hides_or_reveals_what_was_done(revealed: bool, fixed: bool) -> None:
    labels = iter("ABC")
    seats: dict[str, Callable[[Ask], Move | None]] = {
        "principal": post(0, 2), "agent": lambda ask: ask.want.model_validate({"generator": next(labels)})}
    play, seen = walked({"name": "repeated_contract", "rounds": 3, "revealed": revealed, "fixed": fixed}, seats)
    mine = [d for d in seen if isinstance(d, Ask) and d.role == "principal"]
    assert len(mine) == (1 if fixed else 3)
    if not fixed:
        saw = [o.move for o in learned(mine[1].news, Saw)]
        assert (Choice(generator="A") in [Choice(**m.model_dump()) for m in saw if isinstance(m, Choice)]) == revealed
        assert any(isinstance(m, Outcome) for m in saw)
    paid = [2 * m.outcome for m in play.all(NATURE, Outcome)]
    assert GAME.payoffs(play)["principal"] == pytest.approx(-sum(paid) / 3), "payoffs are the mean over the rounds"
    assert GAME.means(play)["agent"] == pytest.approx(sum(2 * p - c for p, c in zip((.335, .36, .53), GAME.costs, strict=True)) / 3)


@pytest.mark.parametrize("protocol", [{"name": "negotiated_contract"}, {"name": "repeated_contract"}])
def test_bargained_and_repeated_play_claim_no_solution(protocol: dict[str, Any]) -> None:
    found = GAME.benchmarks(protocol_of(protocol, GAME).rules(GAME))
    assert {b.kind for b in found if b.exists} == {"bound", "baseline"}
    assert all("here the contract is" in b.note for b in found if b.exists)


def test_what_does_not_fit_is_said_in_one_line() -> None:
    email = game_of({"name": "email"})
    with pytest.raises(RulesError, match="needs a game in which one posts payments"):
        build("protocols", "text_contract", {}).seats(email)
    with pytest.raises(RulesError, match="must be posted"):
        GAME.admit(build("protocols", "silent", {}).rules(GAME))
    for fields, complaint in (({"gold": True}, "give tasks"), ({"prose": -1}, "0 or more"), ({"tasks": [{"prompt": ""}]}, "prompt")):
        with pytest.raises(FieldError, match=complaint):
            build("protocols", "text_contract", fields)

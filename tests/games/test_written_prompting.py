"""The game of briefs and texts: its fields, what is told and in which order, what is paid, what its solutions are."""
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from parlour.errors import FieldError, Forfeit, RulesError
from parlour.experiments.design import game_of, protocol_of
from parlour.games.base import NATURE, Earned, Move, Rules, Saw, Say, Summary, learned
from parlour.games.prompting import Prompting, Tape
from parlour.games.prompting_words import Prompt, Verdict
from parlour.games.written_prompting import WrittenPrompting
from parlour.games.written_prompting_words import Cell, Missing, OwnBrief, Scored, Sent, Text
from parlour.protocols.base import Ask, Draw, drive
from parlour.protocols.scored_text import Style
from parlour.protocols.writing import Key, Written
from parlour.protocols.writing import Prompt as Task

BRIEFS = [["Praise a pencil.", "Say why a pencil is good."], "Sell a pencil."]


def game(**fields: Any) -> WrittenPrompting:
    made = game_of({"name": "written_prompting", **fields})
    assert isinstance(made, WrittenPrompting)
    return made


# --- fields and solutions -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("fields", "complaint"), [
    ({"human_means": [[0.5]], "ai_means": [[0.5]]}, "a row for each of the 2 briefs, of 2 numbers each"),
    ({"briefs": ["x"], "human_means": [[0.5, 0.5]]}, "human_means and ai_means, or the scores"),
    ({"scores": [[[[[1, 2]]], [[[1, 6]]]], [[[[1, 2]]], [[[1, 2]]]]]}, "at most levels = 5"),
    ({"briefs": BRIEFS, "scores": [[[[[1, 2]]], [[[1, 2]]]], [[[[1, 2]]], [[[1, 2]]]]]}, "for each wording of its brief"),
    ({"briefs": BRIEFS, "known": True}, "cannot be told before they are known"),
    ({"human_means": [[2, 0], [0, 0]]}, "less than or equal to 1"), ({"briefs": [[]]}, "at least 1 item"),
    ({"briefs": [""]}, "at least 1 character")])
def test_fields_that_do_not_fit_are_refused(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FieldError, match=complaint):
        game(**fields)


def test_solutions_are_those_of_the_game_of_the_means() -> None:
    """Also where the means are made of scores; of other briefs than the default ones nothing is known."""
    plain = game()
    of_means = Prompting(human_means=plain.human_means, ai_means=plain.ai_means, horizon=2, tolerance=0.05)
    assert {b.name: b.value for b in plain.benchmarks(Rules.of(price=0.1))} == {b.name: b.value
                                                                               for b in of_means.benchmarks(Rules.of(price=0.1))}
    scores = [[[[(3, 5), (3, 4)]], [[(5, 2), (4, 2)]]], [[[(2, 3), (3, 2)]], [[(3, 4), (4, 4)]]]]
    found = {b.name: b for b in game(scores=scores).benchmarks(Rules())}
    assert game(scores=scores).matrix.human_means == ((0.5, 0.875), (0.375, 0.625))
    assert found["stackelberg"].value == pytest.approx({"human": 0.625, "ai": 0.75})
    assert found["stackelberg"].measures["human_low"] is not None and "human_low" not in found["lipschitz_bound"].measures
    unknown = game(briefs=["Sell a pencil."]).benchmarks(Rules())
    assert not any(b.exists for b in unknown) and "parlour calibration" in unknown[0].note


def test_what_a_solution_is_depends_on_who_may_write_what() -> None:
    def kind(rules: Rules, **fields: Any) -> str:
        found = game(**fields).benchmarks(rules)[0]
        assert found.name == "stackelberg"
        return found.kind
    texts, free = Rules.of(texts=True), {"styles": [], "human_means": [[0.2], [0.6]], "ai_means": [[0.1], [0.9]]}
    assert kind(texts) == "equilibrium" and kind(texts, **free) == "best_response" and kind(texts, own=100) == "baseline"
    assert kind(texts.but(calibrates=True)) == "bound"


def test_without_texts_a_pair_earns_its_mean_or_one_of_its_scores() -> None:
    """Drawn from the tape, wordings alike: the mean over visits is the cell's."""
    lead, answer = game().want("human")(prompt_id="a1"), game().want("ai")(response_id="b2")
    assert game().reward(Tape(seed=0), lead, answer, 7) == {"human": 0.8, "ai": 0.3}
    scores = [[[[(1, 1)], [(1, 1)]], [[(5, 1)], [(1, 3), (1, 5)]]], [[[(1, 1)]], [[(1, 1)]]]]
    made = game(briefs=BRIEFS, scores=scores)
    state = made.sample(Random(1))
    met = [made.reward(state, lead, answer, visit) for visit in range(2000)]
    assert {(r["human"], r["ai"]) for r in met} == {(1.0, 0.0), (0.0, 0.5), (0.0, 1.0)}
    assert sum(r["human"] for r in met) / 2000 == pytest.approx(made.matrix.human_means[0][1], abs=0.05)
    assert made.matrix.human_means[0][1] == 0.5 and made.matrix.ai_means[0][1] == 0.375


def test_what_cannot_be_played_is_refused() -> None:
    with pytest.raises(RulesError, match="only the listed briefs"):
        game(own=10).admit(Rules.of(rounds=2))
    with pytest.raises(RulesError, match="use protocol \"written_prompting\""):
        game().admit(Rules.of(queries=0))
    for name in ("written_prompting", "brief_calibration"):
        other = game_of({"name": "prompting"})
        with pytest.raises(RulesError, match="briefs are texts"):
            protocol_of({"name": name}, other).seats(other)
    with pytest.raises(FieldError, match="one for each of the 2, not 3"):
        protocol_of({"name": "written_prompting", "ai_criteria": [{}, {}, {}]}, game()).seats(game())
    with pytest.raises(RulesError, match="nobody can decline"):
        protocol_of({"name": "written_prompting", "decline": True, "information": "own"}, game()).seats(game())


# --- the protocols by hand ------------------------------------------------------------------------------------------------
def watched(made: WrittenPrompting, name: str = "written_prompting", verdict: str = "accept", prompts: str = "a1",
            **fields: Any) -> tuple[list[Any], Any]:
    """Everything due in a play in which b2 answers, texts are numbered, and scores are 2 for the human and 4 for the AI."""
    due: list[Any] = []
    texts = iter(range(100))

    def player(ask: Ask) -> Move:
        values: dict[str, Any] = {"Prompt": {"prompt_id": prompts}, "Response": {"response_id": "b2"}, "Verdict": {"verdict": verdict},
                                  "OwnBrief": {"text": "Eat a pencil."}, "Mark": {"score": 2 if ask.role == "scorer_human" else 4}}
        return ask.want.model_validate(values.get(ask.want.__name__) or {"text": f"Text {next(texts)}."})
    protocol = protocol_of({"name": name, **fields}, made)
    seats: dict[str, Callable[[Ask], Move | None]] = dict.fromkeys(protocol.seats(made), player)
    play = drive(protocol.script(made, Tape(seed=0)), seats, lambda draw: len(draw.chances) - 1, lambda d, answer: due.append(d))
    return due, play


def test_a_round_in_its_order_and_what_each_is_told() -> None:
    due, play = watched(game(horizon=2), human_criteria=[{"rubric": "short"}], ai_criteria=[{"rubric": "long"}, {"gold": "x"}])
    assert [(d.role, d.want.__name__) for d in due[:5]] == [("human", "Prompt"), ("ai", "Response"), ("ai", "Text"),
                                                             ("scorer_human", "Mark"), ("scorer_ai", "Mark")]
    for scorer, rubric in ((due[3], "short"), (due[4], "long")):
        assert [type(o) for o in scorer.news] == [Task, Written, Key] and scorer.news[2].rubric == rubric and scorer.anew
        assert scorer.news[0].text == "Praise a pencil in one line." and scorer.news[1].text == "Text 0."
    told = due[5].news
    assert (told[0].move.text, told[1]) == ("Text 0.", Earned(role="human", reward=0.25)), "she sees the text and her reward"
    assert not any("b2" in o.model_dump_json() for o in told), "and never the style"
    assert due[6].news[0] == Earned(role="ai", reward=0.75)
    assert [type(m) for _, m in play.moves[:6]][4] is not Scored and play.moves[5] == (NATURE, Scored(human=2, ai=4))
    assert game().payoffs(play) == game().means(play) == {"human": 0.25, "ai": 0.75}


@pytest.mark.parametrize(("own", "decline", "prompts"), [(None, False, "a1"), (100, True, "own")])
def test_a_talk_that_holds_the_whole_history_is_as_long_as_its_protocol_says(own: int | None, decline: bool, prompts: str) -> None:
    """Three rounds, at their longest: a brief of her own, and a verdict; with summaries a talk is one round."""
    made = game(horizon=3, **({"own": own} if own else {}))
    due, _ = watched(made, prompts=prompts, decline=decline)
    fields = {"name": "written_prompting", "decline": decline}
    raw, short = (protocol_of({**fields, "leader_history": h, "follower_history": h}, made) for h in ("raw", "summary"))
    for role in ("human", "ai"):
        asks = sum(d.role == role for d in due if not isinstance(d, Draw))
        assert raw.chat(made, role) == 3 * short.chat(made, role) == asks


def test_a_declined_text_is_worth_minus_one_and_is_not_scored() -> None:
    due, play = watched(game(horizon=1), verdict="decline", decline=True)
    assert [d.want.__name__ for d in due] == ["Prompt", "Response", "Text", "Verdict"]
    assert due[-1].news[0].move.text == "Text 0." and due[-1].want is Verdict
    assert game().payoffs(play) == {"human": -1.0, "ai": -1.0}


def test_a_brief_of_her_own_is_asked_for_shown_and_scored() -> None:
    due, play = watched(game(own=20, horizon=1), prompts="own")
    assert issubclass(due[1].want, OwnBrief) and due[1].role == "human" and not due[1].news
    assert [o.move.say(game().wordings[0]) for o in learned(due[2].news, Saw)] == ["own", "Eat a pencil."]
    assert due[4].news[0].text == "Eat a pencil." and game(own=20).payoffs(play)["human"] == 0.25
    with pytest.raises(ValueError, match="at most 20 characters"):
        due[1].want(text="x" * 21)


def test_nature_sends_any_wording_of_a_brief() -> None:
    due, play = watched(game(briefs=BRIEFS, horizon=1))
    assert isinstance(due[1], Draw) and due[1].chances == (0.5, 0.5) and play.moves[1] == (NATURE, Sent(wording=1))
    sent = Say(text="Say why a pencil is good.")
    assert learned(due[2].news, Saw)[-1].move == sent and due[4].news[0].text == sent.text


def test_a_writer_is_told_brief_and_style_alone_and_anew() -> None:
    due, _ = watched(game(horizon=2), writer=True)
    assert [type(o) for o in due[2].news] == [Task, Style] and due[2].role == "writer" and due[2].anew
    assert due[2].news == due[7].news, "nothing of the round before"
    free, _ = watched(game(styles=[], horizon=1), writer=True)
    assert [d.role for d in free] == ["human", "writer", "scorer_human", "scorer_ai"] and len(free[1].news) == 1
    short, _ = watched(game(longest=40, horizon=1), writer=True)
    assert short[2].news[1].say(game().wordings[0], "writer") == "Write it in this way: plainly\nAt most 40 characters."
    with pytest.raises(ValueError, match="at most 40 characters"):
        short[2].want(text="x" * 41)
    assert "A text has at most 40 characters." in short[0].news[0].say(game().wordings[0], "human")
    alone, play = watched(game(styles=[], horizon=1))
    assert [d.want.__name__ for d in alone[:2]] == ["Prompt", "Text"] and isinstance(learned(alone[1].news, Saw)[0].move, Prompt)
    assert issubclass(type(play.moves[1][1]), Text)


def test_a_summary_counts_by_brief_for_her_and_by_style_for_the_ai() -> None:
    due, _ = watched(game(horizon=3), leader_history="summary", follower_history="summary", information="both")
    hers, his = (learned(d.news, Summary) for d in (due[10], due[11]))
    assert due[10].anew and (hers[0].arms, hers[0].counts) == ((("a1",), ("a2",)), (2, 0))
    assert [s.role for s in hers] == ["human", "ai"] and hers[1].means[0] == 0.75
    assert (his[0].arms, his[0].counts) == ((("b1",), ("b2",)), (0, 2)) and not due[12].anew, "the second ask of a round goes on"


def test_sampling_writes_for_every_cell_and_goes_on_without_one() -> None:
    made = game(briefs=BRIEFS, levels=4)
    due, play = watched(made, "brief_calibration", ai_criteria=[{"rubric": "one"}, {"rubric": "two"}])
    assert [m.model_dump() for m in play.all(NATURE, Cell)] == [
        {"brief": a, "wording": w, "style": b} for a, w in ((0, 0), (0, 1), (1, 0)) for b in (0, 1)]
    assert len(due) == 6 * 3 and due[-1].news[2].rubric == "two" and due[0].news[1].text == "in rhyme"
    assert made.payoffs(play) == pytest.approx({"human": 1 / 3, "ai": 1.0})
    script = protocol_of({"name": "brief_calibration"}, made).script(made, Tape(seed=0))
    ask, = next(script)
    after, = script.throw(Forfeit("writer", "nothing"))
    assert ask.news != after.news
    one, two = script.send((Text(text="x"),))
    after, = script.throw(Forfeit("scorer_ai", "nothing"))
    script.close()
    assert (one.role, two.role, after.role) == ("scorer_human", "scorer_ai", "writer")
    play = _nothing_written(made)
    assert {m.role for m in play.all(NATURE, Missing)} == {"writer"} and made.payoffs(play) == {"human": 0.0, "ai": 0.0}


def _nothing_written(made: WrittenPrompting) -> Any:
    """The play of a calibration in which nobody ever writes."""
    script = protocol_of({"name": "brief_calibration"}, made).script(made, Tape(seed=0))
    next(script)
    while True:
        try:
            script.throw(Forfeit("writer", "nothing"))
        except StopIteration as end:
            return end.value

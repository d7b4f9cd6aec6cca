"""The prompting game against the published vectors, and its protocol: what is told, declined, summarised, refused, recorded."""
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import parlour
from parlour.agents.mock_server import MockServer
from parlour.errors import DesignError, FieldError, RulesError
from parlour.experiments.design import game_of, make_design, protocol_of
from parlour.experiments.plan import tables
from parlour.experiments.verify import verify
from parlour.games.base import Earned, Game, Move, Rules, Saw, Summary
from parlour.games.prompting import Prompting, Tape
from parlour.games.prompting_words import Brief, Prompt, Verdict
from parlour.games.solvers.stackelberg import exact, guaranteed, near_best, near_leads
from parlour.protocols.base import Ask, drive
from parlour.transcripts.store import Store

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "prompting.json").read_text())


def game(**fields: Any) -> Prompting:
    made = game_of({"name": "prompting", **fields})
    assert isinstance(made, Prompting)
    return made


@pytest.mark.parametrize("case", VECTORS["stackelberg"], ids=lambda c: c["input"]["name"])
def test_published_benchmarks(case: dict[str, Any]) -> None:
    given, expected = case["input"], case["expected"]
    played = game(human_means=given["u1"], ai_means=given["u2"], tolerance=given["gamma"])
    found = {b.name: b for b in played.benchmarks(Rules())}
    for name, key in (("stackelberg", "alpha_orig"), ("stackelberg_weak", "alpha_weak"), ("tolerant", "alpha_tol"),
                      ("self_tolerant", "alpha_selftol_reconstructed")):
        assert [found[name].value["human"], found[name].value["ai"]] == pytest.approx(expected[key], abs=1e-9), name
    assert [found["tolerant"].measures[f"epsilon_{r}"] for r in ("human", "ai")] == pytest.approx(expected["eps_argmin"], abs=1e-9)
    for name, key in (("stackelberg", "SE_strong"), ("stackelberg_weak", "SE_weak")):
        assert [found[name].measures[m] for m in ("prompt", "response")] == [i + 1 for i in expected[key]]


@pytest.mark.parametrize("case", VECTORS["stackelberg"], ids=lambda c: c["input"]["name"])
def test_published_sets(case: dict[str, Any]) -> None:
    """B_e, A_e and both bracketed terms at every published e, and that the right-hand side of A_e as misprinted is not used."""
    given, expected = case["input"], case["expected"]
    u1, u2 = exact(given["u1"]), exact(given["u2"])
    for row in expected["table"]:
        e = Fraction(repr(float(row["eps"])))
        leads = near_leads(u1, u2, e)
        assert leads == row["A"] and [near_best(u2, a, e) for a in range(len(u1))] == row["B"]
        assert float(guaranteed(u1, u2, e) + e) == pytest.approx(row["leader_term"], abs=1e-9)
        assert float(min(max(u2[a]) for a in leads) + e) == pytest.approx(row["follower_term"], abs=1e-9)
    least = guaranteed(u2, u2, Fraction(0))
    misprinted = [a for a in range(len(u1)) if max(u1[a][b] for b in near_best(u2, a, Fraction(0))) >= least]
    assert misprinted == expected["A0_slide_typo"] and near_leads(u1, u2, Fraction(0))


@pytest.mark.parametrize("case", VECTORS["theorem_bounds"], ids=lambda c: str(c["input"]["T"]))
def test_published_bounds(case: dict[str, Any]) -> None:
    given, expected = case["input"], case["expected"]
    means = [[0.9 if a == b == 0 else 0.4 for b in range(given["nB"])] for a in range(given["K"])]
    played = game(human_means=means, ai_means=means, horizon=given["T"])
    found = {b.name: b for b in played.benchmarks(Rules.of(delta=given["delta"], pulls=given["N"]))}
    assert found["etc_bound"].measures["regret"] == pytest.approx(expected["etc_bound"], abs=1e-9)
    adjusted = found["regret_adjusted_ucb_bound"]
    assert adjusted.measures["regret_as_printed"] == pytest.approx(expected["raucb_bound_slide"], abs=1e-9)
    assert adjusted.measures["regret"] == pytest.approx(expected["raucb_bound_with_sqrtK"], abs=1e-9)
    assert adjusted.value["human"] == pytest.approx(0.9 - expected["raucb_bound_with_sqrtK"] / given["T"])


def test_bounds_do_not_exist_without_their_conditions() -> None:
    found = {b.name: b for b in game().benchmarks(Rules())}
    assert found["etc_bound"].value == {"human": None} and "not aligned" in found["etc_bound"].note
    assert found["lipschitz_bound"].exists  # u1 - u2 is constant there: L = 1
    assert not {b.name: b for b in game(noise="gaussian").benchmarks(Rules())}["lipschitz_bound"].exists


def test_fields_that_do_not_fit_are_refused() -> None:
    with pytest.raises(FieldError, match="one shape"):
        game(human_means=[[1, 2]], ai_means=[[1]])
    with pytest.raises(FieldError, match=r"bernoulli noise every mean must be a chance"):
        game(human_means=[[2]], ai_means=[[1]], noise="bernoulli")


# --- the protocol by hand -------------------------------------------------------------------------------------------------
def watched(played: Game, choices: list[str], **fields: Any) -> tuple[list[Ask], Any]:
    """Every ask of a game in which the leader sends prompts in turn and the follower always gives b2."""
    asks: list[Ask] = []
    turn = iter(choices)

    def human(ask: Ask) -> Move:
        asks.append(ask)
        if ask.want is Verdict:
            return Verdict(verdict="decline")
        both = {"response_id": "b2"} if "response_id" in ask.want.model_fields else {}
        return ask.want.model_validate({"prompt_id": next(turn), **both})

    def ai(ask: Ask) -> Move:
        asks.append(ask)
        return ask.want.model_validate({"response_id": "b2"})

    protocol = protocol_of({"name": "prompting", **fields}, played)
    play = drive(protocol.script(played, Tape(seed=3)), {"human": human, "ai": ai})
    return asks, play


def test_each_is_told_its_own_reward_alone() -> None:
    asks, play = watched(game(horizon=2), ["a1", "a2"])
    assert asks[2].news == (Earned(role="human", reward=0.2),)
    assert asks[3].news == (Earned(role="ai", reward=0.0), Saw(role="human", move=play.moves[2][1]))
    assert game().payoffs(play) == pytest.approx({"human": 0.3, "ai": 0.1})


def test_the_means_are_told_where_they_are_known_and_nowhere_else() -> None:
    """To both, of both; in rows and in words."""
    for known in (True, False):
        played = game(horizon=1, known=known)
        briefs = [next(o for o in a.news if isinstance(o, Brief)) for a in watched(played, ["a1"])[0][:2]]
        assert [(b.human, b.ai) for b in briefs] == [(played.human_means, played.ai_means) if known else (None, None)] * 2
        assert all(("0.6" in b.say(played.wordings[0], "human")) == known for b in briefs)


def test_more_is_told_where_the_protocol_says_so() -> None:
    seen = [watched(game(horizon=2), ["a1", "a2"], information=i)[0] for i in ("response", "both")]
    assert [type(o) for o in seen[0][2].news] == [Saw, Earned] and [type(o) for o in seen[1][2].news] == [Saw, Earned, Earned]
    central, play = watched(game(horizon=2), ["a1", "a2"], information="central")
    assert {a.role for a in central} == {"human"} and len(central[1].news) == 2
    assert [r for r, _ in play.moves] == ["human", "ai"] * 2


def test_a_declined_response_is_worth_minus_one() -> None:
    asks, play = watched(game(horizon=1), ["a1"], information="response", decline=True)
    assert asks[-1].want is Verdict
    assert game().payoffs(play) == game().means(play) == {"human": -1.0, "ai": -1.0}


def test_a_summary_begins_anew_and_does_not_grow() -> None:
    asks, _ = watched(game(horizon=40), ["a1", "a2"] * 20, leader_history="summary", follower_history="summary")
    assert all(a.anew and len(a.news) == len(asks[i % 2].news) for i, a in enumerate(asks))
    hers, his = asks[-2].news[-1], asks[-1].news[-2]
    assert isinstance(hers, Summary) and (hers.counts, hers.means) == ((20, 19), pytest.approx((0.2, 0.4)))
    assert isinstance(his, Summary) and (his.arms, his.counts) == ((("b1",), ("b2",)), (0, 19)) and his.means[0] is None


@pytest.mark.parametrize("information", ["response", "both", "central"])
def test_a_summary_holds_what_its_reader_may_see(information: str) -> None:
    """The leader who sees answers has counts per pair; another's rewards are summed up for those alone who see them."""
    asks, _ = watched(game(horizon=3), ["a1", "a2", "a1"], information=information, leader_history="summary", follower_history="summary")
    hers = [o for o in [a for a in asks if a.role == "human"][-1].news if isinstance(o, Summary)]
    assert [s.role for s in hers] == (["human"] if information == "response" else ["human", "ai"])
    assert hers[0].arms == (("a1", "b1"), ("a1", "b2"), ("a2", "b1"), ("a2", "b2")) and hers[0].counts == (0, 1, 0, 1)
    assert hers[0].means == (None, pytest.approx(0.2), None, pytest.approx(0.4))
    his = [o for o in asks[-1].news if isinstance(o, Summary)] if information != "central" else []
    assert [s.role for s in his] == {"response": ["ai"], "both": ["ai", "human"], "central": []}[information]
    assert all(s.arms == (("b1",), ("b2",)) and s.counts == (0, 1) for s in his)


def test_rewards_are_those_of_the_tape() -> None:
    noisy = game(noise="bernoulli", horizon=50)
    _, play = watched(noisy, ["a1"] * 50)
    lead, answer = play.moves[0][1], play.moves[1][1]
    rewards = [noisy.reward(Tape(seed=3), lead, answer, v) for v in range(50)]
    assert noisy.payoffs(play)["human"] == pytest.approx(sum(r["human"] for r in rewards) / 50)
    assert noisy.means(play) == pytest.approx({"human": 0.2, "ai": 0.0}) and {r["human"] for r in rewards} == {0.0, 1.0}


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(RulesError, match="played in rounds"):
        game().admit(Rules.of(queries=0))
    email = game_of({"name": "email"})
    with pytest.raises(RulesError, match="in rounds"):
        protocol_of({"name": "prompting"}, email).rules(email)
    with pytest.raises(RulesError, match="decline"):
        protocol_of({"name": "prompting", "decline": True}, game()).seats(game())


# --- models in the seats --------------------------------------------------------------------------------------------------
def test_models_play_both_seats_in_both_histories_over_http(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chat of a raw seat grows by two messages a round; that of a summarised one stays at two. Rows verify."""
    monkeypatch.setenv("OPENAI_API_KEY", "for-the-mock")
    with MockServer() as server:
        model = {"agent": "llm", "model": "mock:random:1", "endpoint": server.endpoint, "is_mock": True}
        for history, messages in (("raw", 2 * 8), ("summary", 2)):
            results = parlour.run({"game": {"name": "prompting", "horizon": 8, "noise": "bernoulli"}, "episodes": 1, "concurrency": 1,
                                   "protocol": {"name": "prompting", "leader_history": history, "follower_history": history},
                                   "seats": {"human": model, "ai": model}}, store)
            assert set(results.frame()["status"]) == {"done"}
            assert len((server.last or {})["messages"]) == messages
            assert verify(Store(store), results.run).divergence is None


def test_raw_history_is_capped_for_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "for-building-only")
    spec = {"game": {"name": "prompting", "horizon": 1000}, "seats": {"human": "llm:some-model", "ai": "ucb1"}}
    with pytest.raises(DesignError, match=r"seat 'human': 1000 asks would be one growing talk.*summary"):
        tables(make_design(spec))
    assert tables(make_design({**spec, "protocol": {"name": "prompting", "leader_history": "summary"}}))


def test_optimal_play_under_noise_has_no_regret(store: str) -> None:
    results = parlour.run({"game": {"name": "prompting", "noise": "gaussian", "horizon": 20}, "episodes": 60, "seed": 2,
                           "seats": {"human": "strategy", "ai": "strategy"}}, store)
    assert results.frame().query("role == 'human'")["net"].mean() == pytest.approx(0.6, abs=4 / (60 * 20) ** 0.5)


def test_a_prompt_is_named_by_its_label() -> None:
    assert Prompt.model_validate({"prompt_id": "a1"}).prompt_id == "a1"

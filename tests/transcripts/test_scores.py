"""Scores from rows alone: means and gaps against arithmetic, forfeits bounded, channels found, keys nowhere."""
import pytest

import parlour
from parlour.games.base import Rules
from parlour.games.email import Email
from parlour.transcripts.scores import score


def pick(scores: list[dict], quantity: str, role: str, benchmark: str = "") -> dict:
    found, = (s for s in scores if (s["quantity"], s["role"], s["benchmark"]) == (quantity, role, benchmark))
    return found


def test_exact_scores_are_the_benchmark(store: str) -> None:
    results = parlour.run({"episodes": "exact", "game": {"name": "email", "harm": 2.0}, "protocol": "advice",
                           "seats": {"human": "strategy", "ai": "strategy"}}, store)
    scores = score(results.store, results.run)
    human, gap = pick(scores, "payoff", "human"), pick(scores, "gap", "human", "with_ai")
    assert human["value"] == human["low"] == human["high"] == pytest.approx(2.5, abs=1e-12) and human["method"] == "exact"
    assert gap["value"] == pytest.approx(0, abs=1e-12) and gap["benchmark_value"] == pytest.approx(2.5)
    assert pick(scores, "payoff", "society")["value"] == pytest.approx(-0.2, abs=1e-12)


def test_sampled_means_are_stratified_by_the_states_chance(store: str) -> None:
    results = parlour.run({"episodes": 20, "game": {"name": "email", "prior": 0.9}, "protocol": "silent",
                           "seats": {"human": {"agent": "recording", "words": ['{"action": "A"}']}}}, store)
    human = pick(score(results.store, results.run), "payoff", "human")
    assert human["value"] == pytest.approx(0.9 * 5 - 0.1 * 10)
    assert results.frame().query("role == 'human'")["weight"].sum() == pytest.approx(1)


def test_forfeits_stand_beside_the_mean_with_worst_and_best_case(store: str) -> None:
    bad = {"agent": "recording", "words": ["no json", "no json", "no json"]}
    results = parlour.run({"episodes": 4, "game": "email", "protocol": "silent", "seats": {"human": "mock"}, "attempts": 2,
                           "arms": [{"name": "bad", "seats": {"human": bad}}, {"name": "good"}]}, store)
    frame = results.frame()
    assert set(frame.query("arm == 'bad'")["status"]) == {"forfeit"} and frame.query("arm == 'bad'")["net"].isna().all()
    scores = [s for s in score(results.store, results.run) if s["arm"] == "bad"]
    human = pick(scores, "payoff", "human")
    assert (human["value"], human["missing"], human["worst"], human["best"]) == (None, 4, -10, 5)
    assert pick(scores, "rate", "", "unfinished (forfeit or error)")["value"] == 1
    invalid = pick(scores, "rate", "human", "invalid replies")
    assert (invalid["value"], invalid["n"]) == (1, 8)


def test_the_realised_channel_is_reported_and_the_benchmark_recomputed(store: str) -> None:
    liar = {"agent": "random"}
    results = parlour.run({"episodes": 400, "seed": 9, "game": {"name": "email", "accuracy": 0.9}, "seats": {
        "human": "always_follow", "ai": "strategy"}, "protocol": {"name": "advice"},
        "arms": [{"name": "honest"}, {"name": "random", "seats": {"ai": liar}}]}, store)
    scores = score(results.store, results.run)
    honest, random = ([s for s in scores if s["arm"] == a] for a in ("honest", "random"))
    right = pick(honest, "channel", "ai", "report right")
    assert right["low"] <= 0.9 <= right["high"] and right["n"] == 400
    assert pick(honest, "channel", "ai", "report repeats note")["value"] == 1
    noise = pick(random, "channel", "ai", "report right")
    assert noise["low"] <= 0.5 <= noise["high"]
    again, = (s for s in honest if s["quantity"] == "recalibrated" and s["benchmark"].startswith("with_ai for human"))
    expected = Email(accuracy=right["value"]).benchmarks(Rules.of(queries=1))[1].value["human"]
    assert again["value"] == pytest.approx(expected)


def test_an_exact_channel_weighs_branches_by_their_chance(store: str) -> None:
    results = parlour.run({"episodes": "exact", "game": {"name": "email", "accuracy": 0.8, "prior": 0.7}, "protocol": "advice",
                           "seats": {"human": "always_follow", "ai": "strategy"}}, store)
    right = pick(score(results.store, results.run), "channel", "ai", "report right")
    assert right["value"] == right["low"] == right["high"] == pytest.approx(0.8) and right["method"] == "exact"


def test_a_wording_nobody_reads_is_no_cluster(store: str) -> None:
    base = {"episodes": 80, "game": "email", "wordings": "all", "protocol": "silent"}
    reader = {"agent": "deliberate", "inner": {"agent": "mock"}}
    results = parlour.run({**base, "arms": [{"name": "data", "seats": {"human": "logit:0.3"}},
                                            {"name": "words", "seats": {"human": reader}}]}, store)
    method = {s["arm"]: s["method"] for s in score(results.store, results.run) if s["quantity"] == "payoff"}
    assert "wording" not in method["data"]
    worded = results.sql("SELECT e.arm, count(a.prompt) AS n FROM attempt a JOIN episode e USING (run, episode) GROUP BY 1")
    assert dict(zip(worded["arm"], worded["n"] > 0, strict=True)) == {"data": False, "words": True}


def test_scoring_again_says_the_same_and_keeps_the_old_scores(store: str) -> None:
    results = parlour.run({"episodes": 10, "game": "email", "seats": {"human": "mock", "ai": "mock"}}, store)
    assert score(results.store, results.run) == score(results.store, results.run)
    sets = results.sql("SELECT written, count(*) AS n FROM score GROUP BY written")
    assert len(sets) == 2 and sets["n"].nunique() == 1


def test_episodes_that_share_their_draws_are_not_counted_twice(store: str) -> None:
    """Two wordings meet the same draws; seats that do not read wordings make them one observation, not two."""
    seats = {"human": "always_follow", "ai": "strategy"}
    results = parlour.run({"episodes": 80, "game": "email", "wordings": "all", "seats": seats}, store)
    human = pick(score(results.store, results.run), "payoff", "human")
    assert human["n"] == 80 and human["effective_n"] <= 40 and "draws" in human["method"]

"""How seats learned, from rows alone: regret, exploration and curves against the moves on record, counted here by hand."""
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic_core import from_json

import parlour
from parlour.experiments.cli import main
from parlour.experiments.matched import matched
from parlour.experiments.report import report
from parlour.games.solvers import tape
from parlour.transcripts.courses import Courses, courses_of
from parlour.transcripts.hypotheses import findings
from parlour.transcripts.learning import learned
from parlour.transcripts.seated import described

HUMAN, AI, ROUNDS, PRICE = ((0.8, 0.2), (0.3, 0.4)), ((0.6, 0.2), (0.3, 0.9)), 18, 0.125
DESIGN: dict[str, Any] = {
    "name": "leaders", "seed": 3, "episodes": 4, "game": {"name": "prompting", "human_means": HUMAN, "ai_means": AI,
                                                          "noise": "bernoulli", "horizon": ROUNDS},
    "protocol": {"name": "prompting", "price": PRICE},
    "arms": [{"name": "raw", "seats": {"human": "mock", "ai": "ucb1"}},
             {"name": "summary", "seats": {"human": "mock", "ai": "ucb1"}, "protocol": {"leader_history": "summary"}},
             {"name": "both short", "seats": {"human": "mock", "ai": "mock"},
              "protocol": {"leader_history": "summary", "follower_history": "summary"}},
             {"name": "UCB1", "seats": {"human": "ucb1", "ai": "ucb1"}},
             {"name": "declines", "seats": {"human": "mock", "ai": "ucb1"}, "protocol": {"information": "response", "decline": True}},
             {"name": "alone", "seats": {"human": "epsilon_greedy"}, "protocol": {"information": "central"}}],
    "hypotheses": [{"name": "less", "role": "human", "outcome": "expected_regret", "benchmark": "tolerant", "arms": ["summary", "UCB1"]}]}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return parlour.run(DESIGN, str(tmp_path_factory.mktemp("learning") / "s.duckdb"))


@pytest.fixture(scope="module")
def read(played: Any) -> dict[str, Courses]:
    return {c.arm.name: c for c in courses_of(played.store, played.run)}


def by_hand(played: Any, arm: str) -> dict[int, list[tuple[int, int, bool]]]:
    """Episode -> (prompt, response, declined) of every round, from the accepted moves."""
    rows = played.store.rows("SELECT episode, a.move FROM attempt a JOIN episode e USING (run, episode) WHERE run = ? AND arm = ? AND "
                             "verdict = 'ok' ORDER BY episode, turn", [played.run, arm])
    found: dict[int, list[tuple[int, int, bool]]] = {}
    prompt = 0
    for row in rows:
        fields, rounds = from_json(row["move"])["fields"], found.setdefault(row["episode"], [])
        prompt = int(fields["prompt_id"][1]) - 1 if "prompt_id" in fields else prompt
        if "response_id" in fields:
            rounds.append((prompt, int(fields["response_id"][1]) - 1, False))
        elif "verdict" in fields:
            rounds[-1] = (*rounds[-1][:2], fields["verdict"] == "decline")
    return found


ARMS = [a["name"] for a in DESIGN["arms"]]


@pytest.mark.parametrize("arm", ARMS)
def test_every_round_is_read_whatever_the_seats_were_told(played: Any, read: dict[str, Courses], arm: str) -> None:
    states = played.sql("SELECT episode, state FROM episode").to_dict("records")
    seeds = {r["episode"]: from_json(r["state"])["fields"]["seed"] for r in states}
    expected = by_hand(played, arm)
    assert list(read[arm].all) == sorted(expected) and all(len(rounds) == ROUNDS for rounds in expected.values())
    for episode, course in read[arm].all.items():
        assert list(zip(course.leads, course.answers, course.declined, strict=True)) == expected[episode]
        visits: Counter[tuple[int, int]] = Counter()
        for t, (a, b, declined) in enumerate(expected[episode]):
            for player, (role, means) in enumerate((("human", HUMAN), ("ai", AI))):
                paid = -1.0 if declined else tape.bernoulli(means[a][b], seeds[episode], 2 * a + b, visits[a, b], player)
                assert course.earned[role][t] == paid
            visits[a, b] += 1


@pytest.mark.parametrize("arm", ARMS)
def test_regret_is_that_of_the_means_of_the_cells_played(played: Any, arm: str) -> None:
    rounds = by_hand(played, arm)
    lines = [s for s in learned(played.store, played.run) if s["arm"] == arm and s["quantity"] == "expected regret"]
    assert {s["benchmark"] for s in lines} == {"stackelberg", "stackelberg_weak", "tolerant", "self_tolerant"} | (
        {"central"} if arm == "alone" else set())
    for s in lines:
        means = {"human": np.array(HUMAN) - PRICE, "ai": np.array(AI)}[s["role"]]
        earned = [sum(-1 - PRICE * (s["role"] == "human") if no else means[a][b] for a, b, no in one) for one in rounds.values()]
        assert s["value"] == pytest.approx(ROUNDS * s["benchmark_value"] - sum(earned) / len(earned), abs=1e-9)
        assert s["low"] < s["value"] < s["high"]


def test_a_declined_round_is_worth_minus_one_and_costs_no_less(read: dict[str, Courses]) -> None:
    assert any(any(c.declined) for c in read["declines"].all.values())
    assert read["declines"].means[:, :, 2].tolist() == [[-1 - PRICE] * 2, [-1.0] * 2]


def test_exploration_by_hand(played: Any, read: dict[str, Courses]) -> None:
    rounds = by_hand(played, "summary")
    found = {(s["role"], s["quantity"]): s["value"] for s in learned(played.store, played.run) if s["arm"] == "summary"}
    halves = [[a for a, _, _ in one][ROUNDS // 2:] for one in rounds.values()]
    assert found["human", "suffix failure"] == sum(0 not in half for half in halves) / len(halves)
    lost = [max(AI[a]) - AI[a][b] for one in rounds.values() for a, b, _ in one]
    assert found["ai", "instantaneous regret"] == pytest.approx(sum(lost) / len(lost))
    rare = [2 * min(sum(a == k for a, _, _ in one) for k in (0, 1)) / ROUNDS for one in rounds.values()]
    assert found["human", "min fraction"] == pytest.approx(sum(rare) / len(rare))
    assert {q for r, q in found if r == "human"} == {"expected regret", "min fraction", "greedy fraction", "last switch", "suffix failure"}


def test_who_moves_for_both_chooses_among_cells(read: dict[str, Courses]) -> None:
    alone = read["alone"]
    course = next(iter(alone.all.values()))
    choices = alone.choices(course, "human")
    assert choices.arms == 4 and choices.chosen == tuple(2 * a + b for a, b in zip(course.leads, course.answers, strict=True))
    assert choices.rewards == tuple((x + y) / 2 for x, y in zip(course.earned["human"], course.earned["ai"], strict=True))


def test_a_learner_who_moves_for_both_counts_both_alike(store: str) -> None:
    """It settles on the pair of the largest sum, which is nobody's favourite."""
    game = {"name": "prompting", "noise": "none", "horizon": 40, "human_means": [[0.9, 0.1], [0.6, 0.2]],
            "ai_means": [[0.1, 0.9], [0.6, 0.2]]}
    done = parlour.run({"game": game, "protocol": {"name": "prompting", "information": "central"}, "episodes": 1,
                        "seats": {"human": "myopic"}}, store)
    found, = courses_of(done.store, done.run)
    course, = found.all.values()
    assert list(zip(course.leads, course.answers, strict=True)) == [(0, 0), (0, 1), (1, 0), (1, 1)] + [(1, 0)] * 36
    assert described(done.store, done.run)[0]["learner"] == "myopic" and described(done.store, done.run)[0]["agreement"] == 1.0


def test_curves_end_where_the_tables_do(played: Any, read: dict[str, Courses]) -> None:
    regret = {(s["arm"], s["role"]): s["value"] for s in learned(played.store, played.run) if s["benchmark"] == "tolerant"}
    for arm, found in read.items():
        paths = found.paths
        value = {b.name: b for b in found.arm.benchmarks}["tolerant"].value
        for role in ("human", "ai"):
            assert paths.regret(role, value[role] or 0.0)[:, -1].mean() == pytest.approx(regret[arm, role], abs=1e-9)
        assert paths.prompts[:, -1].sum(axis=1).tolist() == [ROUNDS] * 4
        assert paths.responses[:, -1].sum() == sum(not d for c in found.all.values() for d in c.declined)


def test_arms_are_compared_in_pairs_on_the_same_tape(played: Any, read: dict[str, Courses]) -> None:
    """Every leader but the learner against the learner; not one who is told more, nor one with another follower."""
    lines = matched(played.store, played.run)
    assert [(r["first"], r["second"], r["role"]) for r in lines] == [(a, "UCB1", r) for a in ("raw", "summary", "declines")
                                                                    for r in ("human", "ai")]
    totals = {arm: read[arm].paths.totals[0, :, -1] for arm in ("summary", "UCB1")}
    apart = totals["UCB1"] - totals["summary"]
    line = next(r for r in lines if (r["first"], r["role"]) == ("summary", "human"))
    half = 3.182446305284263 * apart.std(ddof=1) / 2
    assert [line[k] for k in ("difference", "low", "high")] == pytest.approx([apart.mean(), apart.mean() - half, apart.mean() + half])
    claim, = findings(played.store, played.run)
    assert claim.estimate.mean == pytest.approx(line["difference"] / ROUNDS)
    assert claim.hypothesis.estimand.startswith("difference in expected regret to tolerant")


def test_a_learner_is_known_again_from_rows_and_a_summary_is_no_obstacle(played: Any) -> None:
    found = {(s["arm"], s["role"], s["learner"]) for s in described(played.store, played.run)}
    assert {who for arm, role, who in found if (arm, role) in (("UCB1", "human"), ("raw", "ai"), ("summary", "ai"))} == {"ucb1"}
    assert {(arm, role) for arm, role, _ in found} == {(a, r) for a in ARMS for r in ("human", "ai")} - {("alone", "ai")}


def test_a_report_shows_regret_in_tables_and_figures(played: Any) -> None:
    made = report(played.store, played.run)
    tables = {t.name: t.rows for t in made.tables}
    assert len(tables["regret"]) == 5 * 2 * 4 + 2 * 5 and tables["paired-regret"] == matched(played.store, played.run)
    assert {r["measure"] for r in tables["exploration"]} == {"min fraction", "greedy fraction", "last switch", "suffix failure",
                                                             "instantaneous regret"}
    assert [f.name for f in made.figures][-3:] == ["regret-figure", "prompts-figure", "responses-figure"]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--store", str(tmp_path / "s.duckdb")]
    parlour.run({**DESIGN, "episodes": 2, "arms": DESIGN["arms"][1:4:2], "hypotheses": []}, where[1])
    assert main(["learners", "--plot", str(tmp_path / "pictures"), "--episodes", *where]) == 0
    out = capsys.readouterr().out
    assert "slope: none is given" in out and "paired" in out and "self_tolerant" in out and "distance to" in out
    assert {p.name for p in (tmp_path / "pictures").iterdir()} == {f"{n}.{k}" for n in ("regret", "prompts", "responses")
                                                                   for k in ("png", "svg", "csv")}
    assert main(["learners", "--json", *where]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {"measures", "paired", "seats", "distances"} and len(found["seats"]) == 2 * 2 * 2
    assert all(f"{s['episode']} {s['role']}: {s['learner']}" in out for s in found["seats"])


def test_other_games_have_nothing_to_learn(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    done = parlour.run({"game": "email", "episodes": 2, "seats": {"human": "always_follow", "ai": "strategy"}}, store)
    assert learned(done.store, done.run) == [] and main(["learners", "--store", store]) == 2
    assert "chose among a few actions over many rounds" in capsys.readouterr().err


def test_texts_that_were_scored_are_read_by_their_scores(store: str) -> None:
    """Games of briefs and texts: rewards are the scores on record; without known cells there is exploration, and no regret."""
    known = {"name": "written_prompting", "horizon": 6}
    blank = {**known, "briefs": ["Praise a pencil.", "Describe a pencil."], "styles": ["in rhyme", "plainly"]}
    seats = {"human": "mock", "ai": "mock", "scorer_human": "mock", "scorer_ai": "mock"}
    arms = [{"name": "known", "game": known}, {"name": "blank", "game": blank}]
    done = parlour.run({"episodes": 3, "seed": 2, "seats": seats, "arms": arms}, store)
    paid = {(r["arm"], r["role"]): r["net"] for r in done.store.rows(
        "SELECT arm, role, avg(net) AS net FROM payoff JOIN episode USING (run, episode) GROUP BY ALL")}
    found = {c.arm.name: c for c in courses_of(done.store, done.run)}
    for (arm, role), net in paid.items():
        if role in ("human", "ai"):
            rewards = [sum(c.earned[role]) / 6 for c in found[arm].all.values()]
            assert sum(rewards) / 3 == pytest.approx(net)
    lines = learned(done.store, done.run)
    assert {s["quantity"] for s in lines if s["arm"] == "blank"} == {"min fraction", "greedy fraction", "last switch"}
    regret = next(s for s in lines if (s["arm"], s["role"], s["benchmark"]) == ("known", "human", "stackelberg"))
    assert regret["value"] == pytest.approx(6 * (0.6 - paid["known", "human"]))
    assert [f.name for f in report(done.store, done.run).figures][-3:] == ["regret-figure", "prompts-figure", "responses-figure"]

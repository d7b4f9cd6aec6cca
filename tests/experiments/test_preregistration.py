"""Factors, objectives, a design explained back, and a design locked."""
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import from_json

import parlour
from parlour.errors import DesignError
from parlour.experiments.check import explain_design
from parlour.experiments.cli import main
from parlour.experiments.design import Design, game_of, make_design, read_design
from parlour.experiments.lock import deviations, hash_of, lock, lock_file, locked

DESIGN = """
seed = 3
episodes = 8
wordings = "all"
game = "email"
protocol = "advice"
seats = {ai = "strategy"}
[factors]
"seats.human" = ["always_follow", "mock"]
"game.accuracy" = {low = 0.6, high = 0.9}
[[hypotheses]]
name = "accuracy pays"
role = "human"
arms = ["human always_follow, accuracy high", "human always_follow, accuracy low"]
alternative = "greater"
"""


def made(**more: Any) -> Design:
    return make_design({"game": "email", "protocol": "advice", "seats": {"human": "mock", "ai": "strategy"}, **more})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "advice.toml"
    path.write_text(DESIGN)
    return path


# --- inference --------------------------------------------------------------------------------------------------------------
def wild(store: str, **more: Any) -> Any:
    """Two arms in every wording, whose human is shown words."""
    return parlour.run({"name": "wild", "seed": 3, "episodes": 48, "game": "email", "protocol": "advice", "wordings": "all",
                        "seats": {"ai": "strategy"}, "arms": [{"name": "a", "seats": {"human": "mock"}},
                                                              {"name": "b", "seats": {"human": "mock"}, "game": {"accuracy": 0.95}}],
                        "hypotheses": [{"name": "worth it", "role": "ai", "arms": ["a"]}], **more}, store)


def test_a_design_chooses_the_wild_cluster_bootstrap_and_a_command_another(store: str, capsys: Any) -> None:
    run = wild(store, inference="webb")
    means = run.table().query("quantity == 'payoff'")
    assert means.method.str.contains("Webb weights").any() and not means.method.str.contains("cluster t").any()
    found, = run.hypotheses().itertuples()
    assert main(["hypotheses", "--store", store, "--json", "--inference", "t"]) == 0
    other, = from_json(capsys.readouterr().out)["hypotheses"]
    assert other["estimate"] == found.estimate and (other["low"], other["p"]) != (found.low, found.p)
    assert "Webb" in found.method and other["method"].startswith("cluster t")


def test_the_choice_is_explained_locked_and_checked() -> None:
    claim = {"name": "x", "role": "human", "arms": ["main"]}
    says = explain_design(made(wordings="all", inference="rademacher", hypotheses=[claim]))
    assert "clusters are reckoned with by the wild cluster bootstrap, rademacher weights" in says
    words = len(game_of({"name": "email"}).wordings)
    assert any(f"no p over {words} wordings is below {2.0 ** (1 - words):.2g}" in line for line in says)
    assert hash_of(made()) != hash_of(made(inference="webb"))
    with pytest.raises(DesignError, match="inference"):
        made(inference="bayes")


# --- factors ----------------------------------------------------------------------------------------------------------------
def test_factors_make_an_arm_of_every_combination(file: Path) -> None:
    found = {a.name: (a.seats["human"]["agent"], a.game["accuracy"]) for a in read_design(file).arms}
    assert found == {"human always_follow, accuracy low": ("always_follow", 0.6),
                     "human always_follow, accuracy high": ("always_follow", 0.9),
                     "human mock, accuracy low": ("mock", 0.6), "human mock, accuracy high": ("mock", 0.9)}


def test_factors_cross_listed_arms_too() -> None:
    found = made(arms=[{"name": "a"}, {"name": "b", "game": {"harm": 1.0}}], factors={"objective": ["none", "paid"]})
    assert [(a.name, a.game.get("harm"), a.objective) for a in found.arms] == [
        ("a, objective none", None, "none"), ("a, objective paid", None, "paid"), ("b, objective none", 1.0, "none"),
        ("b, objective paid", 1.0, "paid")]


@pytest.mark.parametrize("factors, says", [
    ([1], "must be a table"), ({"colour": ["red"]}, "no factor 'colour'"), ({"game.a.b": [1]}, "no factor"),
    ({"game.accuracy": 0.5}, "needs a list"), ({"game.accuracy": []}, "needs a list"),
])
def test_bad_factors_are_refused(factors: Any, says: str) -> None:
    with pytest.raises(DesignError, match=says):
        made(factors=factors)


# --- objectives -------------------------------------------------------------------------------------------------------------
def test_an_objective_is_told_with_every_question_and_nothing_else_changes(store: str) -> None:
    results = parlour.run(made(episodes=4, factors={"objective": ["none", "Be kind to society."]}, wordings=["workshop"]), store)
    texts = results.sql("SELECT e.arm, t.text FROM attempt a JOIN episode e USING (run, episode) JOIN text t ON t.hash = a.prompt")
    told = set(texts[texts.arm.str.contains("kind")].text)
    plain = set(texts[~texts.arm.str.contains("kind")].text)
    assert told and all("Be kind to society." in t.split("\n") for t in told)
    assert {t.replace("Be kind to society.\n", "") for t in told} & plain


def test_an_unknown_objective_is_refused(store: str) -> None:
    with pytest.raises(DesignError, match="no objective 'glory'"):
        parlour.run(made(episodes=2, objective="glory"), store)


# --- the design in words ----------------------------------------------------------------------------------------------------
def test_a_design_is_explained_back(file: Path) -> None:
    says = "\n".join(explain_design(read_design(file)))
    assert "4 arms of 8 episodes, 32 in all" in says and "2 wordings, 1 persona, 2 states" in says
    assert "accuracy pays: difference in mean payoff of human, human always_follow, accuracy high less" in says
    assert "is above 0" in says and "not locked" in says and "confounded" not in says
    assert "told in 2 wordings" in says


def test_what_cannot_be_told_apart_is_said() -> None:
    arms = [{"name": "a"}, {"name": "b", "game": {"accuracy": 0.7}, "seats": {"human": "always_follow"}}, {"name": "c"}]
    both = [{"name": "x", "role": "human", "arms": ["a", "b"]}, {"name": "y", "role": "human", "arms": ["a", "c"]}]
    says = explain_design(made(episodes=4, arms=arms, hypotheses=both))
    assert any("confounded in 'x': a and b differ in game.accuracy, seats.human" in s for s in says)
    assert any("nothing to find in 'y'" in s for s in says)


@pytest.mark.parametrize("wrong, says", [
    ({"arms": ["nobody"]}, "no arm 'nobody'"), ({"role": "nobody"}, "no role"), ({"wordings": ["plain", "poem"]}, "not told in"),
    ({"outcome": "regret", "benchmark": "heaven"}, "no benchmark"), ({"arms": ["a", "b"], "dose": "weight"}, "no number 'weight'"),
])
def test_a_claim_about_what_the_design_lacks_is_refused_before_a_run(wrong: dict[str, Any], says: str) -> None:
    claim = {"name": "x", "role": "human", "arms": ["a"], **wrong}
    with pytest.raises(DesignError, match=says):
        explain_design(made(episodes=4, arms=[{"name": "a"}, {"name": "b"}], hypotheses=[claim]))


# --- locks ------------------------------------------------------------------------------------------------------------------
def test_a_run_under_a_lock_carries_its_hash_and_no_deviation(file: Path, store: str) -> None:
    held = lock(file, read_design(file))
    results = parlour.run(file, store)
    design = from_json(results.sql("SELECT design FROM run").design[0])
    assert design["lock"] == {"hash": held.hash, "deviations": []} and held.hash == hash_of(read_design(file))


def test_every_deviation_from_a_lock_is_on_record(file: Path) -> None:
    lock(file, read_design(file))
    file.write_text(DESIGN.replace("episodes = 8", "episodes = 6").replace("high = 0.9", "high = 0.95"))
    found = locked(file, read_design(file)).lock
    assert found is not None
    assert [(d.place, d.locked, d.played) for d in found.deviations] == [
        ("arms[human always_follow, accuracy high].game.accuracy", "0.9", "0.95"),
        ("arms[human mock, accuracy high].game.accuracy", "0.9", "0.95"),
        ("episodes", "8", "6")]


def test_options_of_the_command_line_are_deviations(file: Path, store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["design", "lock", str(file)]) == 0
    assert main(["run", str(file), "--episodes", "4", "--store", store, "--json"]) == 0
    capsys.readouterr()
    design = from_json(parlour.open(store).query("SELECT design FROM run").design[0])
    assert design["lock"]["deviations"] == [{"place": "episodes", "locked": "8", "played": "4"}]


def test_a_lock_is_not_moved(file: Path) -> None:
    first = lock(file, read_design(file))
    assert lock(file, read_design(file)) == first
    file.write_text(DESIGN.replace("seed = 3", "seed = 4"))
    with pytest.raises(DesignError, match="was locked as"):
        lock(file, read_design(file))


def test_a_lock_that_was_edited_is_found_out(file: Path) -> None:
    lock(file, read_design(file))
    lock_file(file).write_text(lock_file(file).read_text().replace('"seed": 3', '"seed": 4'))
    with pytest.raises(DesignError, match="not a lock as it was written"):
        locked(file, read_design(file))


def test_a_design_cannot_claim_a_lock_for_itself() -> None:
    with pytest.raises(DesignError, match="no key 'lock'"):
        made(lock={"hash": "x"})


def test_lists_of_other_lengths_are_one_deviation() -> None:
    assert [d.place for d in deviations({"a": [1, 2], "b": {"c": 1}}, {"a": [1], "b": {"c": 1}})] == ["a"]


def test_the_commands_print_what_became_of_the_claims(file: Path, store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["design", "check", str(file), "--json"]) == 0
    assert main(["run", str(file), "--episodes", "40", "--store", store]) == 0
    assert "accuracy pays" in capsys.readouterr().out
    assert main(["hypotheses", "--store", store, "--json", "--robust"]) == 0
    found = from_json(capsys.readouterr().out)
    assert found["hypotheses"][0]["holds"] and found["robust"]["accuracy pays"]["specifications"]
    assert main(["hypotheses", "--store", store, "--robust"]) == 0
    assert "every specification" in capsys.readouterr().out

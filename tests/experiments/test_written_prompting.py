"""Briefs, texts and scores through the whole pipeline: known scores found again, faults, forfeits, resume, the command."""
import csv
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

import parlour
from parlour.agents.faults import Faults
from parlour.agents.mock_server import MockServer
from parlour.errors import InputError, StoreError
from parlour.experiments import api
from parlour.experiments.cli import main
from parlour.experiments.design import game_of, make_design, protocol_of
from parlour.experiments.estimate import estimate
from parlour.experiments.verify import verify
from parlour.games.base import Rules
from parlour.transcripts.cells import sampled, solved
from parlour.transcripts.store import Store

BRIEFS, STYLES = ["Praise a pencil.", "Sell a pencil."], ["in rhyme", "plainly"]
HUMAN, AI = [[0.3, 0.9], [0.7, 0.2]], [[0.9, 0.2], [0.8, 0.3]]
"""Chances of the higher of two scores. The AI rhymes whatever the brief, so the second is the better one: (.7, .8)."""
GAME = {"name": "written_prompting", "briefs": BRIEFS, "styles": STYLES, "levels": 2}
PLAYED = "SELECT episode, role, net FROM payoff ORDER BY ALL"


def rows(chances: list[list[float]]) -> dict[str, list[float]]:
    """What `sampler` scores the texts of `echo` by."""
    return {f"The task: {brief} Write it in this way: {style}": [1 - p, p]
            for brief, row in zip(BRIEFS, chances, strict=True) for style, p in zip(STYLES, row, strict=True)}


KNOWN = {"writer": "echo", "scorer_human": {"agent": "sampler", "rows": rows(HUMAN)}, "scorer_ai": {"agent": "sampler", "rows": rows(AI)}}


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> api.Results:
    return parlour.run({"name": "cells", "seed": 3, "episodes": 100, "game": GAME, "protocol": "brief_calibration", "seats": KNOWN},
                       tmp_path_factory.mktemp("cells") / "x.duckdb")


def test_known_scores_are_found_again(calibrated: api.Results) -> None:
    """Every mean within four of its standard errors, the solution's intervals around the truth, the cell the right one."""
    found, = sampled(calibrated.store, calibrated.run)
    for line in found.table():
        a, b = int(line["prompt"][1]) - 1, int(line["response"][1]) - 1
        assert line["draws"] == 100 and line["missing"] == 0 and line["distinct"] == 1
        for role, truth in (("human", HUMAN), ("ai", AI)):
            assert abs(line[f"{role}_mean"] - truth[a][b]) < 4 * (truth[a][b] * (1 - truth[a][b]) / 100)**0.5
            assert line[f"{role}_error"] == pytest.approx((line[f"{role}_mean"] * (1 - line[f"{role}_mean"]) / 99)**0.5)
            assert line[f"{role}_worst"] == line[f"{role}_best"] == pytest.approx(line[f"{role}_mean"])
    for line in solved(found, 0.99, 200):
        truth = {"human": 0.7, "ai": 0.8}[line["role"]] if line["benchmark"].startswith("stackelberg") else None
        if truth is not None:
            assert line["low"] <= truth <= line["high"] and line["crossed_low"] <= truth <= line["crossed_high"]
            assert (line["prompt"], line["response"], line["chosen_again"]) == (2, 1, 1.0)
            assert line["crossed"] == pytest.approx(line["value"]), "the same cell in every half: nothing is lost by crossing"


def cut_and_resumed(whole: api.Results, share: float, path: Path) -> Store:
    """The store of a run whose journal was torn there, taken up again."""
    journal, store = whole.store.journals / f"{whole.run}.jsonl", Store(path)
    store.journals.mkdir(parents=True)
    kept = journal.read_bytes().splitlines(keepends=True)
    at = int(share * len(kept))
    (store.journals / journal.name).write_bytes(b"".join(kept[:at]) + kept[at][:9])
    assert api.resume(whole.run, path).status == "done"
    return store


def test_a_calibration_is_verified_and_resumed_like_any_run(calibrated: api.Results, tmp_path: Path) -> None:
    assert verify(calibrated.store, calibrated.run).divergence is None
    store = cut_and_resumed(calibrated, 0.5, tmp_path / "cut.duckdb")
    assert sampled(store, calibrated.run) == sampled(calibrated.store, calibrated.run)


def test_play_that_is_cut_goes_on_with_the_texts_it_has(tmp_path: Path) -> None:
    spec = {"game": {"name": "written_prompting", "own": 60, "horizon": 3}, "episodes": 4, "seed": 1, "concurrency": 2,
            "protocol": {"name": "written_prompting", "decline": True, "leader_history": "summary"},
            "seats": dict.fromkeys(("human", "ai", "scorer_human", "scorer_ai"), "mock")}
    whole = parlour.run(spec, tmp_path / "whole.duckdb")
    assert {"OwnBrief", "Verdict", "Mark"} < set(whole.sql("SELECT DISTINCT want FROM ask")["want"])
    store = cut_and_resumed(whole, 0.6, tmp_path / "cut.duckdb")
    assert store.rows(PLAYED) == whole.store.rows(PLAYED)


def test_without_noise_the_calibration_is_the_game_itself(tmp_path: Path) -> None:
    """The human wants plain words about selling, the AI wants rhymes: three texts a cell say all there is."""
    spec = {"game": {**GAME, "levels": 3}, "episodes": 3, "protocol": "brief_calibration", "seats": {
        "writer": "echo", "scorer_human": {"agent": "patterns", "wanted": ["plainly", "Sell"]},
        "scorer_ai": {"agent": "patterns", "wanted": ["rhyme"]}}}
    made = sampled(*_of(parlour.run(spec, tmp_path / "x.duckdb")))[0].calibrated
    game = game_of({"name": "prompting", "human_means": [[0, 0.5], [0.5, 1]], "ai_means": [[1, 0], [1, 0]], "horizon": 2})
    mine, theirs = ({b.name: b.value for b in g.benchmarks(Rules())} for g in (made, game))
    assert mine == theirs and mine["stackelberg"] == {"human": 0.5, "ai": 1.0}


def test_the_command_and_the_game_it_writes(calibrated: api.Results, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table, rows of scores, a line per text; the game as TOML is played without texts, its intervals with its benchmarks."""
    store, to = ["--store", str(calibrated.store.path)], tmp_path / "cells.toml"
    assert main(["calibration", "cells", *store, "--to", str(to), "--level", "0.9", "--resamples", "200"]) == 0
    out = capsys.readouterr().out
    assert "400 texts of 4 cells" in out and "a2 b1 in 100 % of resamples" in out and "cross-fitted" in out and "--set human_means=" in out
    assert "always writes the same" in out, "an echo is one text, however often it is scored"
    kept = calibrated.sql("SELECT DISTINCT quantity, level FROM score WHERE scorer = 'calibration'").to_dict("records")
    assert {(r["quantity"], r["level"]) for r in kept} == {(q, 0.9) for q in ("cell mean", "solution", "solution, cross-fitted")}
    assert main(["calibration", "cells", *store, "--json", "--resamples", "200"]) == 0
    told, = json.loads(capsys.readouterr().out)["arms"]
    design = {**tomllib.loads(to.read_text()), "protocol": "prompting", "episodes": 4, "seats": {"human": "strategy", "ai": "ucb1"}}
    design["game"] |= {"horizon": 8}
    played = parlour.run(design, tmp_path / "y.duckdb")
    benchmark, = played.store.rows("SELECT value, measures FROM benchmark WHERE name = 'stackelberg'")
    assert json.loads(benchmark["value"])["human"] == pytest.approx(told["human_means"][1][0])
    measures = json.loads(benchmark["measures"])
    assert measures["human_low"] < told["human_means"][1][0] < measures["human_high"] and measures["human_crossed"] is not None
    assert main(["calibration", "cells", *store, "--to", str(tmp_path / "texts.csv"), "--resamples", "200"]) == 0
    lines = list(csv.DictReader((tmp_path / "texts.csv").open()))
    assert len(lines) == 400 and sum(int(x["human"]) - 1 for x in lines[:100]) / 100 == pytest.approx(told["human_means"][0][0])
    assert main(["calibration", "cells", *store, "--resamples", "7"]) == 2


def test_what_is_no_calibration_of_briefs_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = {"game": {**GAME, "horizon": 1}, "episodes": 2, "seats": {**KNOWN, "human": "mock", "ai": "mock"},
            "protocol": {"name": "written_prompting", "writer": True}}
    played = parlour.run(spec, tmp_path / "x.duckdb")
    with pytest.raises(StoreError, match="brief_calibration"):
        sampled(played.store, played.run)
    exact = parlour.run({"game": {**GAME, "briefs": BRIEFS[:1], "styles": STYLES[:1]}, "episodes": "exact", "seats": KNOWN,
                         "protocol": "brief_calibration"}, tmp_path / "y.duckdb")
    with pytest.raises(StoreError, match="no sample"):
        sampled(exact.store, exact.run)


def test_arms_are_samples_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two writers are two tables; a file holds one."""
    arms = [{"name": "echo"}, {"name": "mute", "seats": {"writer": "fixed:No."}}]
    seats = {"writer": "echo", "scorer_human": {"agent": "patterns", "wanted": ["plainly"]}, "scorer_ai": "word_count:2"}
    two = parlour.run({"game": GAME, "episodes": 2, "protocol": "brief_calibration", "seats": seats, "arms": arms}, tmp_path / "x.duckdb")
    echo, mute = sampled(two.store, two.run)
    assert echo.calibrated.matrix.human_means == ((0.0, 1.0), (0.0, 1.0)) and mute.calibrated.matrix.human_means == ((0.0, 0.0),) * 2
    command = ["calibration", two.run, "--store", str(two.store.path), "--resamples", "100"]
    assert main(command) == 0 and "\necho: 8 texts" in (out := capsys.readouterr().out) and "\nmute: 8 texts" in out
    assert main([*command, "--to", str(tmp_path / "x.toml")]) == 2 and "name one with --arm" in capsys.readouterr().err
    assert main([*command, "--arm", "nobody"]) == 2 and "'echo', 'mute'" in capsys.readouterr().err
    assert main([*command, "--arm", "mute", "--to", str(tmp_path / "x.toml")]) == 0
    assert tomllib.loads((tmp_path / "x.toml").read_text())["game"]["scores"][0] == [[[[1, 1]] * 2], [[[1, 1]] * 2]]


# --- play -----------------------------------------------------------------------------------------------------------------
def test_optimal_play_of_written_texts_earns_the_known_solution(tmp_path: Path) -> None:
    """Strategies for the players, texts by the writer, scores drawn from their known chances: exactly the value, by branching."""
    spec = {"game": {**GAME, "human_means": HUMAN, "ai_means": AI, "horizon": 2}, "protocol": {"name": "written_prompting", "writer": True},
            "episodes": "exact", "seats": {**KNOWN, "human": "strategy", "ai": "strategy"}}
    frame = parlour.run(spec, tmp_path / "x.duckdb").frame()
    means = frame.assign(part=frame["weight"] * frame["net"]).groupby("role")["part"].sum()
    assert means.to_dict() == pytest.approx({"human": 0.7, "ai": 0.8}, abs=1e-9)


def models(endpoint: str, game: dict[str, Any], protocol: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A design with a model behind HTTP in every seat."""
    seat = {"agent": "llm", "model": "mock", "endpoint": endpoint, "is_mock": True, "price_in": 1.0, "price_out": 2.0}
    roles = protocol_of(protocol, made := game_of(game)).seats(made)
    return {"name": "texts", "seed": 3, "episodes": 3, "wait": 0.01, "calls": 40, "attempts": 20, "game": game, "protocol": protocol,
            "seats": dict.fromkeys(roles, seat), "wordings": "all", **fields}


@pytest.mark.parametrize(("game", "protocol"), [
    ({"own": 60, "horizon": 3}, {"decline": True, "leader_history": "summary"}),
    ({"briefs": [["One.", "Two."], "Three."], "styles": []}, {"information": "both", "follower_history": "summary", "price": 0.1}),
    ({"levels": 11}, {"name": "brief_calibration"})])
def test_models_in_every_seat_over_http_with_faults(game: dict[str, Any], protocol: dict[str, Any], tmp_path: Path) -> None:
    """Human, AI, writer and both judges, four calls in ten faulty: all is played to its end, and verifies."""
    game, protocol = {"name": "written_prompting", **game}, {"name": "written_prompting", **protocol}
    with MockServer(faults=Faults(rate=0.4, pause=0.01)) as bad:
        results = parlour.run(models(bad.endpoint, game, protocol), tmp_path / "bad.duckdb")
        assert sum(bad.met.values()) > 3, "there were faults"
    assert results.status == "done" and set(results.frame()["status"]) == {"done"}
    assert {"ok", "error"} < set(results.sql("SELECT DISTINCT verdict FROM attempt")["verdict"])
    assert verify(results.store, results.run).divergence is None


def test_faults_of_the_service_change_no_text_and_no_score(tmp_path: Path) -> None:
    game, protocol = {"name": "written_prompting", "own": 60}, {"name": "written_prompting", "decline": True}
    with MockServer() as good, MockServer(faults=Faults(rate=0.3, kinds=("429", "500", "drop", "cut"), pause=0.01)) as bad:
        whole = parlour.run(models(good.endpoint, game, protocol), tmp_path / "good.duckdb")
        faulty = parlour.run(models(bad.endpoint, game, protocol), tmp_path / "bad.duckdb")
    assert whole.store.rows(PLAYED) == faulty.store.rows(PLAYED)


def test_a_judge_that_never_gives_a_score_forfeits_and_is_named(tmp_path: Path) -> None:
    """In play the episode is a forfeit of the scorer's; in a calibration its text is missing, counted and bounded."""
    broken = {"agent": "mock", "faults": {"rate": 1.0, "kinds": ["malformed", "refusal", "length"]}}
    seats = {**KNOWN, "human": "mock", "ai": "mock", "scorer_ai": broken}
    spec = {"game": {**GAME, "horizon": 1}, "episodes": 4, "protocol": {"name": "written_prompting", "writer": True}, "seats": seats}
    played = parlour.run(spec, tmp_path / "x.duckdb")
    ends = played.sql("SELECT DISTINCT status, split_part(why, ':', 1) AS who FROM ending").to_dict("records")
    assert ends == [{"status": "forfeit", "who": "scorer_ai forfeits"}]
    half = {"agent": "mock", "faults": {"rate": 0.6, "kinds": ["malformed", "refusal", "length"]}}
    spec = {"game": GAME, "episodes": 40, "protocol": "brief_calibration", "attempts": 2, "seats": {**KNOWN, "scorer_ai": half}}
    sample, = sampled(*_of(parlour.run(spec, tmp_path / "y.duckdb")))
    assert sample.lost == 0
    for line in sample.table():
        assert line["draws"] + line["missing"] == 40 and 0 < line["missing"] < 40
        share = line["missing"] / 40
        assert line["ai_best"] - line["ai_worst"] == pytest.approx(share)
        assert line["ai_worst"] == pytest.approx((1 - share) * line["ai_mean"])
    never, = sampled(*_of(parlour.run({**spec, "seats": {**KNOWN, "writer": broken}}, tmp_path / "z.duckdb")))
    with pytest.raises(StoreError, match="a1 in style b1, wording 1, has no scored text"):
        never.table()


def _of(results: api.Results) -> tuple[Store, str]:
    return results.store, results.run


def test_a_service_that_fails_is_an_error_and_nobodys_forfeit(tmp_path: Path) -> None:
    down = {"agent": "mock", "faults": {"rate": 0.5, "kinds": ["500"]}}
    spec = {"game": GAME, "episodes": 20, "protocol": "brief_calibration", "calls": 1, "seats": {**KNOWN, "scorer_human": down}}
    found, = sampled(*_of(results := parlour.run(spec, tmp_path / "x.duckdb")))
    statuses = results.frame().query("role == 'human'")["status"].value_counts().to_dict()
    assert found.lost == statuses["error"] > 0 and all(len(pairs) == statuses.get("done", 0) for pairs in found.scores.values())


def test_an_estimate_holds_the_calls_of_a_calibration(tmp_path: Path) -> None:
    """Nobody is asked before it is said what it will take: three calls a text."""
    with MockServer() as server:
        design = models(server.endpoint, GAME, {"name": "brief_calibration"}, wordings="plain")
        took = api.synchronous(estimate(make_design(design)))
        assert server.last is None and took.cost[0] > 0
        results = parlour.run(design, tmp_path / "x.duckdb")
    made = results.sql("SELECT count(*) AS n FROM attempt")["n"][0]
    assert made == 3 * 4 * 3 and made <= took.calls[0] < 1.02 * made < took.calls[1], "from no bad replies on"


def test_learners_choose_and_let_another_write(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Both seats learn by rewards; `parlour learners` sees it. Asked to write itself, a learner says that it cannot."""
    spec = {"game": {**GAME, "horizon": 40}, "episodes": 1, "protocol": {"name": "written_prompting", "writer": True},
            "seats": {**KNOWN, "human": "ucb1", "ai": "etc:2"}}
    parlour.run(spec, store)
    assert main(["learners", "--store", store, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(s["role"], s["learner"], s["agreement"]) for s in told["seats"]] == [("human", "ucb1", 1.0), ("ai", "etc", 1.0)]
    with pytest.raises(InputError, match=r"seat 'ai' is asked for words.*`writer`"):
        parlour.run({**spec, "protocol": "written_prompting", "seats": {k: v for k, v in spec["seats"].items() if k != "writer"}}, store)

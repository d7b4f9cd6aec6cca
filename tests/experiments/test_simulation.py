"""Simulations: into the store once, gone on with, read back as regret; the table's claims in short; pictures."""
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic_core import from_json

import parlour
from parlour.agents.etc import Etc
from parlour.agents.ucb1 import Ucb1
from parlour.errors import FieldError, InputError
from parlour.experiments.cli import main
from parlour.experiments.design import game_of
from parlour.experiments.engine import Match, simulate
from parlour.experiments.likeness import CLASSICAL
from parlour.experiments.plots import draw, guarantees
from parlour.experiments.simulation import Plan, rows, run, traced
from parlour.games.base import Benchmark, Game, Role, Rules
from parlour.transcripts.courses import courses_of
from parlour.transcripts.curves import interval, read, slope
from parlour.transcripts.fitted import chances
from parlour.transcripts.paths import thinned
from parlour.transcripts.seated import described
from parlour.transcripts.store import Store

ROOT = Path(__file__).parent.parent.parent
A1 = ((0.9, 0.5), (0.6, 0.4))


@pytest.fixture(scope="module")
def table() -> Iterator[Any]:
    """The command that computes the whole table, as a module."""
    sys.path.insert(0, str(ROOT / "perf"))
    yield importlib.import_module("prompting_table")
    sys.path.remove(str(ROOT / "perf"))


# --- the table in short -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["A1", "A3", "M2", "M5"])
def test_the_table_is_reproduced_at_a_thousand_rounds(table: Any, name: str) -> None:
    for _, lines in table.table([name], list(table.PAIRS), [1000], 64):
        assert all(line.z <= 4 for line in lines), lines


def test_the_benchmarks_of_the_table_are_those_of_the_game(table: Any) -> None:
    for name, at in table.instances(1000).items():
        gamma = 0.2 if name in ("M4", "M5") else 0.05 if name[0] == "M" else 0.01
        game = game_of({"name": "prompting", "human_means": at.human, "ai_means": at.ai, "tolerance": gamma})
        known = {b.name: b.value for b in game.benchmarks(game.usual_rules)}
        for benchmark in ("stackelberg", "tolerant"):
            assert tuple(known[benchmark].values()) == pytest.approx(getattr(at, benchmark), abs=1e-9), (name, benchmark)


def test_the_table_notices_a_wrong_cell(table: Any) -> None:
    reference = json.loads(table.REFERENCE.read_text())
    cell = table.played("A1", "UCB1 x UCB1", 1000, range(256))
    reference["rounded"]["A1"]["UCB1 x UCB1"][0] += 5
    assert max(line.z for line in table.compared(cell, "A1", "UCB1 x UCB1", reference)) > 4


def test_who_commits_while_the_other_explores_loses_in_proportion_to_time(table: Any) -> None:
    """On M1: plain ETC against ETC is linear, throwing the first passes out gives T^(2/3) up to logarithms."""
    plain, twice = ([table.played("M1", pair, t, range(24)).regret()[0] for t in table.HORIZONS]
                    for pair in ("ETC(N|B|) x ETC(N)", "EETC(N|B|,N) x ETC(N)"))
    assert table.slope(plain) >= 0.95 and 0.6 <= table.slope(twice) <= 0.75


def test_against_stackelberg_someone_always_loses_linearly(table: Any) -> None:
    """On the pair M2, M3, which no learner tells apart: max regret / T stays up against stackelberg, and falls against tolerant."""
    for pair in table.PAIRS:
        worst = {}
        for horizon in (1_000, 10_000):
            cells = [table.played(name, pair, horizon, range(32)) for name in ("M2", "M3")]
            worst[horizon] = [max(float(c.regret(b).max()) for c in cells) / horizon for b in ("stackelberg", "tolerant")]
        assert min(w[0] for w in worst.values()) > 0.095, pair
        assert worst[10_000][1] < worst[1_000][1] and worst[10_000][1] < 0.05, pair


def test_against_tolerant_it_is_at_most_about_two_thirds(table: Any) -> None:
    for pair in table.PAIRS:
        for horizon in (1_000, 10_000):
            worst = max(float(table.played(name, pair, horizon, range(32)).regret().max()) for name in ("M4", "M5"))
            assert worst / horizon ** (2 / 3) < 2.1, pair


@pytest.mark.parametrize("case", json.loads((ROOT / "tests/vectors/prompting_learning.json").read_text())["baselines"],
                         ids=lambda c: f"{c['instance']}-{c['T']}")
def test_plain_bandits(case: dict[str, Any]) -> None:
    """One follower with one response is a plain bandit. The best arm takes every position in turn, as ties are not drawn here."""
    arms, horizon, each = case["K"], case["T"], 1000 // case["K"]
    found = []
    for best in range(arms):
        means = tuple((case["mu_best"] if a == best else case["mu_other"],) for a in range(arms))
        plays = simulate(Match(means, means, Ucb1(), Ucb1()), horizon, range(best * each, (best + 1) * each), [horizon // 2, horizon]).plays
        last = plays[:, -1]
        found.append(np.stack([last[:, best] == plays[:, 0, best], arms * last.min(axis=1) / horizon, last[:, best] / horizon,
                               last @ np.array(means).ravel() / horizon,
                               case["mu_best"] * horizon - last @ np.array(means).ravel()], axis=1))
    ours = np.concatenate(found)
    names = ("suffix_failure_T_over_2", "K_minfrac", "best_arm_fraction", "mean_reward", "pseudo_regret")
    for i, name in enumerate(names):
        theirs, error = case["expected"][name]
        combined = np.hypot(error, ours[:, i].std(ddof=1) / len(ours) ** 0.5)
        assert abs(ours[:, i].mean() - theirs) <= 4 * combined + 1e-12, name


# --- the whole machine --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("decline", [False, True])
def test_a_run_plays_what_the_simulation_plays(store: str, decline: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Through words, session, journal and store: the same seeds give the same choices, and the learner is recognised from its rows."""
    done = parlour.run({"game": {"name": "prompting", "noise": "bernoulli", "horizon": 120, "human_means": A1, "ai_means": A1},
                        "protocol": {"name": "prompting", "decline": decline, "information": "response"}, "episodes": 2,
                        "seats": {"human": "etc:10", "ai": "ucb1"}}, store=store)
    states = [from_json(s["state"])["fields"]["seed"] for s in done.store.rows("SELECT state FROM episode ORDER BY episode")]
    found, = courses_of(done.store, done.run)
    trace = simulate(Match(A1, A1, Etc(pulls=10), Ucb1()), 120, states, record=120).trace
    for episode, course in found.all.items():
        assert [2 * a + b for a, b in zip(course.leads, course.answers, strict=True)] == trace[episode].tolist()
    lines = described(done.store, done.run)
    assert [line["learner"] for line in lines if line["role"] == "human"] == ["etc", "etc"]
    assert main(["learners", "--json", "--store", store]) == 0
    human, ai = json.loads(capsys.readouterr().out)["distances"]
    assert min((ai[n], n) for n in CLASSICAL)[0] < 0.1 and ai["ucb1"] < ai["etc"] and 0 < human["etc"] < 1


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--store", str(tmp_path / "s.duckdb")]
    asked = ["simulate", "prompting", "--set", "noise=bernoulli", "--leader", "ucb1", "etc:20", "--rounds", "100", "400", "--seeds", "20"]
    assert main([*asked, "--plot", str(tmp_path / "pictures"), *where]) == 0
    out = capsys.readouterr().out
    assert "etc (pulls 20) x ucb1   20 seeds" in out and "against tolerant" in out and "slope" in out and "etc_bound" not in out
    assert main([*asked, "--json", *where]) == 0
    table = json.loads(capsys.readouterr().out)
    assert len(table) == 2 * 2 * 2 * 4 and {r["rounds"] for r in table} == {100, 400}
    greedy = {r["leader"]["agent"]: r["at_last_horizon"]["greedy fraction"] for r in table}
    assert 0.5 < greedy["ucb1"] < greedy["etc"] < 1 and table[0]["at_last_horizon"]["instantaneous regret"] > 0
    for wrong, why in ((["simulate", "email"], "only `prompting`"), (["simulate", "prompting", "--leader", "mock"], "does not learn"),
                       (["simulate", "prompting", "--rounds", "1"], "at least 2")):
        assert main([*wrong, *where]) == 2
        assert why in capsys.readouterr().err


# --- into the store and back --------------------------------------------------------------------------------------------
class Means(Game):
    """No more of a game than a simulation needs."""
    human_means: tuple[tuple[float, ...], ...] = A1
    ai_means: tuple[tuple[float, ...], ...] = A1
    noise: str = "bernoulli"

    def players(self) -> tuple[Role, ...]:
        return ("human", "ai")

    def benchmarks(self, rules: Rules) -> tuple[Benchmark, ...]:
        return (Benchmark(name="stackelberg", kind="equilibrium", source="by hand", value={"human": 0.9, "ai": 0.9}),
                Benchmark(name="etc_bound", kind="bound", source="by hand", value={"human": 0.0}, measures={"regret": 450.0}))


def plan(leader: str = "ucb1", horizon: int = 500, **fields: Any) -> Plan:
    Means.__abstractmethods__ = frozenset()
    return Plan(Means(**fields), {"name": "means"}, {"agent": leader}, {"agent": "ucb1"}, horizon)


def test_a_simulation_is_gone_on_with_and_done_once(tmp_path: Path) -> None:
    store, seen = Store(tmp_path / "s.duckdb"), []
    name = run(plan(), store, range(60), lambda done, of: seen.append((done, of)))
    assert run(plan(), store, range(80), lambda done, of: seen.append((done, of))) == name
    assert seen == [(50, 60), (60, 60), (20, 20)]
    assert store.rows("SELECT count(*) AS n, count(DISTINCT seed) AS seeds FROM simulated") == [{"n": 80, "seeds": 80}]
    straight = simulate(plan().match(), 500, range(80))
    back = read(store, name)
    assert (back.plays == straight.plays).all() and (back.switched == straight.switched).all()
    assert back.rounds.tolist() == thinned(500) and (back.plays.sum(axis=2) == back.rounds).all()


def test_regret_and_exploration_are_those_of_the_plays(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    found = [read(store, run(plan(horizon=t), store, range(40))) for t in (100, 500)]
    lines = list(rows(found))
    assert {(r["rounds"], r["role"], r["benchmark"]) for r in lines} == {(t, r, "stackelberg") for t in (100, 500) for r in ("human", "ai")}
    last = found[1].plays[:, -1]
    assert lines[-1]["regret"] == pytest.approx((0.4 * last[:, 1] + 0.3 * last[:, 2] + 0.5 * last[:, 3]).mean())
    assert lines[-1]["slope_low"] < lines[-1]["slope"] < lines[-1]["slope_high"] and lines[0]["slope"] is None
    assert found[1].instantaneous[:, -1] == pytest.approx((0.4 * last[:, 1] + 0.2 * last[:, 3]) / 500)
    assert found[1].exploration()["min fraction"] == pytest.approx((2 * np.minimum(last[:, 0] + last[:, 1], last[:, 2] + last[:, 3])
                                                                    / 500).mean())


def test_the_slope_of_a_power_is_its_exponent() -> None:
    source = np.random.default_rng(1)
    horizons = [100, 1000, 10_000]
    found = slope([t ** 0.6 * (1 + 0.1 * source.standard_normal(200)) for t in horizons], horizons)
    assert found is not None and found[1] < 0.6 < found[2] and found[2] - found[1] < 0.02
    assert slope([np.array([-1.0, 2.0]), np.array([1.0, 1.0])], [10, 100]) is None
    assert interval(np.array([1.0, 3.0]))[0] == 2.0


def test_memory_does_not_grow_with_the_horizon() -> None:
    assert len(thinned(10**6)) < 1.3 * len(thinned(10**5)) < 100 and thinned(10**6)[-1] == 10**6 and 500_000 in thinned(10**6)


@pytest.mark.parametrize("noise", ["bernoulli", "gaussian", "none"])
def test_a_trace_is_what_the_learners_met(noise: str) -> None:
    """Choices rebuilt from a trace give back the learner's own choices, whichever seat it has."""
    for leads in (True, False):
        found, = traced(Match(A1, A1, Ucb1(), Ucb1(), noise), 200, [5], leads, rounds=150)
        assert len(found) == 150 and found.horizon == 200 and chances(Ucb1(), found).min() == 1.0


def test_what_cannot_be_simulated_is_said() -> None:
    with pytest.raises(FieldError, match="'mock' does not learn by a formula"):
        plan("mock").match()
    with pytest.raises(FieldError, match="noise 'cauchy' cannot be simulated"):
        plan(noise="cauchy").match()


def test_bounds_are_those_of_a_game_of_so_many_rounds() -> None:
    game = game_of({"name": "prompting", "human_means": A1, "ai_means": A1, "horizon": 400})
    found = guarantees(game, game.usual_rules, [100, 400])
    own = {b.name: b.measures["regret"] for b in game.benchmarks(game.usual_rules) if "regret" in b.measures}
    assert {name: bound[1] for name, bound in found.items()} == own and all(b[0] < b[1] for b in found.values())
    other = game_of({"name": "prompting", "human_means": A1, "ai_means": [[0.1, 0.1], [0.1, 0.2]]})
    assert guarantees(other, other.usual_rules, [100]) == {} == guarantees(game_of({"name": "email"}), Rules(), [100])


def test_pictures_and_their_data(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    found = [read(store, run(plan(leader), store, range(20))) for leader in ("ucb1", "etc")]
    paths = draw(found, tmp_path / "pictures", "human", "stackelberg")
    assert sorted(p.name for p in paths) == sorted(f"{n}.{k}" for n in ("regret", "prompts", "responses") for k in ("png", "svg", "csv"))
    assert all(p.stat().st_size > 500 for p in paths)
    data = np.genfromtxt(tmp_path / "pictures" / "regret.csv", delimiter=",", skip_header=1, usecols=(3, 4))
    assert len(data) == 2 * len(thinned(500)) and data[-1, 0] == 500
    with pytest.raises(InputError, match="no benchmark 'tolerant' for 'human'"):
        draw(found, tmp_path, "human", "tolerant")

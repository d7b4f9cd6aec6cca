"""The example designs and the demonstration: all can be built, those that need no service are played, and say what they say."""
import tomllib
from pathlib import Path

import pytest

import parlour
from parlour.agents.mock_server import MockServer
from parlour.experiments import demo
from parlour.experiments.design import make_design, read_design
from parlour.experiments.plan import tables
from parlour.experiments.report import report
from parlour.reports.document import Table
from parlour.transcripts.compliance import compliance
from parlour.transcripts.scores import score
from parlour.transcripts.store import Store

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))
DEMONSTRATED = {name for d in demo.DEMONSTRATIONS for name in demo.demonstration(d).DESIGNS}
"""Played, and looked at, in the tests of the demonstrations."""
OFFLINE = [p for p in EXAMPLES if p.stem not in {"real_models", "mock_server", *DEMONSTRATED}]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_every_example_can_be_built(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "for-building-only")
    assert tables(read_design(path))


@pytest.mark.parametrize("path", OFFLINE, ids=lambda p: p.stem)
def test_offline_examples_are_played_to_their_end(path: Path, store: str) -> None:
    results = parlour.run(path, store)
    assert set(results.frame()["status"]) == {"done"}


def test_one_ai_or_two_says_what_its_comment_says(store: str) -> None:
    path = next(p for p in EXAMPLES if p.stem == "one_ai_or_two")
    table = parlour.run(path, store).table().query("quantity == 'payoff' and role in ('row', 'column')")
    sums = table.groupby("arm")["value"].sum()
    assert sums["no AI"] == pytest.approx(19) and sums["one common AI"] == pytest.approx(22.8)
    assert sums["an AI each"] == pytest.approx(14.82)


def test_the_placebo_is_worth_nothing(store: str) -> None:
    path = next(p for p in EXAMPLES if p.stem == "placebo")
    design = read_design(path).model_copy(update={"episodes": 100})
    frame = parlour.run(design, store).frame().query("role == 'bidder_1'").pivot(index="replicate", columns="arm", values="net")
    assert len(frame) == 100 and (frame["exact signal"] == frame["no signal"]).all()


def test_the_mock_server_example_over_http(store: str) -> None:
    """Both seats behind real HTTP, a fifth of the calls faulty: as played in process, but for forfeits of the words."""
    path = next(p for p in EXAMPLES if p.stem == "mock_server")
    with MockServer() as server:
        text = path.read_text().replace("http://127.0.0.1:8100/v1", server.endpoint)
        results = parlour.run(make_design(tomllib.loads(text)), store)
    assert set(results.frame()["status"]) == {"done"}
    inside = parlour.run({**tomllib.loads(text), "seats": {"human": "mock", "ai": "mock"}}, store)
    for query in ("SELECT episode, role, net FROM payoff WHERE run = ? ORDER BY ALL",
                  "SELECT episode, turn, words FROM attempt WHERE run = ? ORDER BY ALL"):
        assert results.store.rows(query, [results.run]) == inside.store.rows(query, [inside.run])


def test_the_demonstration(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.demo(Store(store)) == 0
    out = capsys.readouterr().out
    readme = (Path(__file__).parents[2] / "README.md").read_text().partition("```text\n")[2].partition("```")[0]
    printed = {" ".join(line.split()) for line in out.splitlines()}
    shown = [" ".join(line.split()) for line in readme.splitlines() if line.strip()]
    assert len(shown) > 15 and not [line for line in shown if line not in printed], "the README shows what is not printed"
    assert "with_ai" in out and "human is asked for" in out and "worst .. best" in out
    run = parlour.load("demo", store)
    scores = [s for s in score(run.store, run.run, keep=False) if s["quantity"] == "payoff"]
    assert len({s["arm"] for s in scores}) == 7 and all(s["n"] == 120 for s in scores)


def test_asking_a_simulated_receiver_is_worth_what_the_slide_says(store: str) -> None:
    """The report shows both lines, .475 without a query and .6 with one, beside the mock's result."""
    path = next(p for p in EXAMPLES if p.stem == "ask_a_simulated_receiver")
    results = parlour.run(path, store)
    shown = {part.name: part.rows for section in report(results.store, results.run, figures=False).sections for part in section.parts
              if isinstance(part, Table)}
    lines = {(r["arm"], r["benchmark"]): r["value"] for r in shown["gaps"] if r["role"] == "sender"}
    assert lines["one query", "no_queries"] == pytest.approx(0.475) and lines["one query", "optimum"] == pytest.approx(0.6)
    stated = {r["arm"]: r["value"] for r in shown["beside"] if r["what"].startswith("stated policy")}
    assert stated["no query"] == pytest.approx(0.475, abs=1e-9) and stated["one query"] == pytest.approx(0.6, abs=1e-9)
    paid = {(r["arm"], r["role"]): r for r in shown["payoffs"]}
    assert paid["a model asks and chooses", "sender"]["seat"] == "mock" and paid["a model asks and chooses", "sender"]["mean"] < 0.475
    for arm, value in (("no query", 0.475), ("one query", 0.6), ("one query, wrong in a fifth of cases", 0.535)):
        assert paid[arm, "sender"]["low"] <= value <= paid[arm, "sender"]["high"]


def test_the_price_of_robustness_is_six_to_fifteen_percent_in_the_transcripts(store: str) -> None:
    """Robust over aware, from rows alone: in what is paid in expectation, or in the greatest payment where that is the objective.
    The published figures: HumanEval 2.699118 / 2.353077, MBPP 1.15, MT-bench .9177 / .85785, 3.905106 / 3.599489 and, monotone,
    12.236 / 10.64 and 6.627833 / 6.162333."""
    path = next(p for p in EXAMPLES if p.stem == "price_of_robustness")
    results = parlour.run(path, store)
    found = {(s["arm"], s["benchmark"]): s["value"] for s in compliance(results.store, results.run)}
    arms = sorted({arm.rpartition(",")[0] for arm, _ in found if "," in arm})
    assert len(arms) == 6 and all(found[f"{arm}, robust", "compliance"] == 1 for arm in arms)
    prices = {arm: found[f"{arm}, robust", what] / found[f"{arm}, aware", what] for arm in arms
              for what in ("budget over the least" if "budget" in arm else "expected pay",)}
    assert prices == pytest.approx({
        "HumanEval": 2.699118 / 2.353077, "MBPP": 1.15, "MT-bench free pay": 0.9177 / 0.85785, "MT-bench free budget": 3.905106 / 3.599489,
        "MT-bench monotone pay": 1.15, "MT-bench monotone budget": 6.627833 / 6.162333}, rel=1e-5)
    assert min(prices.values()) > 1.06 and max(prices.values()) <= 1.15 + 1e-9
    assert all(found[f"{arm}, robust", "price bound"] == pytest.approx(1.15) for arm in arms)
    assert all(found[f"{arm}, robust", "valid at worst admissible costs"] == 1 for arm in arms)

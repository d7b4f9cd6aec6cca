"""The five demonstrations: what is found is what was expected, and the pages in the docs are those that the command writes."""
import json
from pathlib import Path
from typing import Any

import pytest

from parlour.experiments import demo
from parlour.experiments.cli import main
from parlour.experiments.contract_design import in_words
from parlour.experiments.demonstrations import contract_clinic, stage
from parlour.experiments.demonstrations.stage import Line, Shown, Stage
from parlour.reports.document import write
from parlour.transcripts.store import Store

PAGES = Path(__file__).parents[2] / "docs" / "demonstrations"
CAUTION = "six simulators: "


@pytest.fixture(scope="module", params=list(demo.DEMONSTRATIONS))
def shown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Shown]:
    """Each, played as it ships."""
    store = Store(tmp_path_factory.mktemp(request.param) / "d.duckdb")
    found: Shown = demo.demonstration(request.param).play(Stage(store, quiet=True))
    return request.param, found


def test_what_is_found_is_what_was_expected(shown: tuple[str, Shown]) -> None:
    """Exactly, where every branch of chance was played; else within four standard errors; the margins, which have none, nearly."""
    for line in shown[1].lines:
        if line.what.startswith(CAUTION):
            assert line.found == pytest.approx(line.expected, abs=0.05)
        else:
            assert line.off <= 4, line
            assert line.error or line.expected is None or line.found == pytest.approx(line.expected, abs=1e-9), line


EXPECTED: dict[str, dict[str, float]] = {
    "one_ai_or_two": {"sum of payoffs, no AI": 19, "sum of payoffs, one common AI": 22.8, "sum of payoffs, an AI each": 14.82,
                      "sum of payoffs, one common AI: the model": 19, "sum of payoffs, an AI each: the model": 9.5},
    "fidelity_cliff": {"sharp: normalised accuracy": 1.093, "sharp: share of the best value lost": 0.0652 / 0.4828,
                       "hopeful: Pearson correlation": 0.9401, "hopeful: share lost if customers act by their thresholds": 1},
    "who_is_to_blame": {"payoff, all put right": 2.5, "payoff, as recorded": -4 / 3 - 0.7,
                        "share of the gap, adviser": 2.4, "share of the gap, human": 16 / 15, "share of the gap, wording": 16 / 15},
    "contract_clinic": {"plug-in: share that hold": 3 / 8, "confident: share that hold": 7 / 8},
    "placebo": {"worth of the signal, second price, strategies": 0, "worth of the signal, second price, the model": 0,
                "worth of the signal, first price, strategies": 1 / 8},
}
"""Known beforehand."""


def test_what_is_expected_is_what_is_known(shown: tuple[str, Shown]) -> None:
    name, found = shown
    lines = {x.what: x.expected for x in found.lines}
    assert {what: lines[what] for what in EXPECTED[name]} == pytest.approx(EXPECTED[name], rel=2e-3, abs=1e-9)


def test_the_page_in_the_docs_is_the_one_it_writes(shown: tuple[str, Shown], tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """`--write-goldens` writes the pages anew, to be read by a person."""
    name, found = shown
    write(demo.document(name, found), tmp_path)
    page = PAGES / f"{name}.md"
    if pytestconfig.getoption("--write-goldens"):
        PAGES.mkdir(exist_ok=True)
        page.write_text((tmp_path / "report.md").read_text())
        for figure in tmp_path.glob("*.svg"):
            (PAGES / figure.name).write_bytes(figure.read_bytes())
    assert page.read_text() == (tmp_path / "report.md").read_text()
    assert all((PAGES / figure.name).exists() for figure in tmp_path.glob("*.svg"))


# --- what they are made of ------------------------------------------------------------------------------------------------
def test_the_contracts_of_the_clinic_are_made_from_the_table_that_ships() -> None:
    text = stage.text_of("contract_clinic.toml")
    assert text.partition("\nname = ")[2] == contract_clinic.design_text().partition("name = ")[2]
    model = stage.text_of("contract_clinic_model.toml")
    assert all(in_words(pay) in model for name, pay in contract_clinic.contracts().items() if name in ("plug-in 1", "confident 3"))


def test_a_sampled_value_far_off_and_an_exact_one_not_met_are_told() -> None:
    assert Line("x", 1.0, 1.0 + 1e-12).off == 0 and Line("x", 1.0, 1.1).off == float("inf")
    assert Line("x", 1.0, 1.5, error=0.1).off == pytest.approx(5) and Line("x", None, 1.5).off == 0


# --- the commands ---------------------------------------------------------------------------------------------------------
def test_the_command_writes_the_page_and_the_reports_of_its_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With another model in the mock's place nothing is expected of it, and the rest stands."""
    given = ["demo", "one_ai_or_two", "--store", str(tmp_path / "d.duckdb"), "--to", str(tmp_path / "page"), "--episodes", "20"]
    assert main([*given, "--model", "strategy"]) == 0
    out = capsys.readouterr().out
    assert "One AI or two?" in out and "22.8" in out and "14.82" in out
    assert {p.name for p in (tmp_path / "page").iterdir()} == {
        "report.html", "report.md", "expected-and-found.csv", "expected-and-found.tex", "sums.svg", "sums-data.csv", "sums-data.tex",
        "one-ai-or-two", "one-ai-or-two-model"}
    assert "no AI" in (tmp_path / "page" / "one-ai-or-two" / "report.html").read_text()
    found = (tmp_path / "page" / "expected-and-found.csv").read_text().splitlines()
    assert next(x for x in found if "common AI: the model" in x).split(",")[2] == "", "of a model nothing is expected"


def test_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--list"]) == 0 and "The placebo" in capsys.readouterr().out
    assert main(["demo", "--list", "--json"]) == 0 and set(json.loads(capsys.readouterr().out)) == set(demo.DEMONSTRATIONS)
    assert main(["examples"]) == 0 and "one_ai_or_two_model" in capsys.readouterr().out


def test_examples_are_written_and_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["examples", "placebo", "email_advice.toml", "--to", str(tmp_path / "x")]) == 0
    assert {p.name for p in (tmp_path / "x").iterdir()} == {"placebo.toml", "email_advice.toml"}
    assert main(["examples", "--to", str(tmp_path / "x")]) == 2 and "nothing was written" in capsys.readouterr().err
    assert len(list((tmp_path / "x").iterdir())) == 2


@pytest.mark.parametrize(("argv", "complaint"), [
    (["demo", "nope"], "no demonstration 'nope'"), (["demo", "placebo", "--model", "nobody"], "nobody"),
    (["demo", "placebo", "--episodes", "1"], "2 or more"), (["examples", "nope"], "no example 'nope'")])
def test_mistakes_get_one_line(argv: list[str], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                               capsys: pytest.CaptureFixture[Any]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and complaint in err and not list(tmp_path.iterdir())

"""`parlour contract`: tables in, contract out; bad tables get one clear line; the published numbers and the race have short forms."""
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from parlour.experiments.bootstrap import Case, bootstrap
from parlour.experiments.cli import main
from parlour.experiments.contract_table import read_tables

ROOT = Path(__file__).parents[2]
SCORES, COSTS = (str(ROOT / "examples" / "contracts" / f"{name}.csv") for name in ("scores", "costs"))


def run(capsys: pytest.CaptureFixture[str], *more: str, scores: str = SCORES, costs: str = COSTS) -> tuple[int, str, str]:
    code = main(["contract", "--scores", scores, "--costs", costs, *more])
    out = capsys.readouterr()
    return code, out.out, out.err


def test_json_holds_the_published_contract(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--objective", "pay", "--robust", "--resamples", "0", "--json")
    found = json.loads(out)
    assert code == 0 and found["payments"] == pytest.approx([0] * 9 + [12.236])
    assert found["expected_pay"] == pytest.approx(4.817925) and found["price_of_robustness"] == pytest.approx(1.15)
    assert found["unique"] and not found["mlrp"] and found["participates"] and found["mixture"] is None
    assert dict(map(tuple, found["sensitivity"]))[found["bound"]] == pytest.approx(found["value"])


def test_words_and_a_picture(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    picture = tmp_path / "pay.png"
    code, out, _ = run(capsys, "--objective", "budget", "--resamples", "40", "--plot", str(picture))
    assert code == 0 and picture.read_bytes().startswith(b"\x89PNG")
    assert "US$ 4.4777 for outcomes 2 to 9; US$ 6.1623 for outcome 10" in out and "of 40 resamples" in out


def test_what_is_not_implementable_names_the_mixture(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("model,bad,fair,good\nsmall,1,0,0\nmiddle,0,0,1\nlarge,0.5,0,0.5\n")
    (tmp_path / "c.csv").write_text("model,cost\nsmall,0\nmiddle,0.2\nlarge,1\n")
    code, out, _ = run(capsys, "--shape", "free", scores=str(tmp_path / "s.csv"), costs=str(tmp_path / "c.csv"))
    assert code == 0 and "the mixture 0.5 small + 0.5 middle has the same outcomes as large" in out


def test_single_scores_are_counted(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("model,score\nb,3\nb,1\na,1\na,1\na,2\n")
    (tmp_path / "c.csv").write_text("model,cost\nb,2\na,1\n")
    found = read_tables(str(tmp_path / "s.csv"), str(tmp_path / "c.csv"))
    assert (found.models, found.outcomes, found.samples) == (("a", "b"), ("1", "2", "3"), (3, 2))
    assert found.chances[1] == (0.5, 0.0, 0.5)


@pytest.mark.parametrize("scores, costs, complaint", [
    ("model,1,2\na,0.5,0.4\nb,0.5,0.5\n", "model,cost\na,1\nb,2\n", "sums to 0.9"),
    ("model,1,2\na,0.5,0.5\nb,0.2,0.8\n", "model,cost\na,-1\nb,2\n", "costs are at least 0"),
    ("model,1,2\na,0.5,0.5\n", "model,cost\na,1\n", "at least two models"),
    ("model,1,2\na,nan,0.5\nb,0.2,0.8\n", "model,cost\na,1\nb,2\n", "no number"),
    ("model,1,2\na,-1,2\nb,1,1\n", "model,cost\na,1\nb,2\n", "negative"),
    ("model,1,2\na,1,2\nb,1,1\n", "model,cost\na,1\n", "no line for model 'b'"),
    ("model,1,2\na,1,2\na,1,1\n", "model,cost\na,1\n", "second line"),
    ("model,1,2\na,1\nb,1,1\n", "model,cost\na,1\nb,2\n", "needs 3 entries"),
    ("name,1,2\na,1,1\n", "model,cost\na,1\n", "first line"),
    ("model,score\na,1.5\nb,1\n", "model,cost\na,1\nb,2\n", "whole numbers"),
    ("model,1,2\na,1,2\nb,1,1\n", "model,cost\na,1\nb,nan\n", "no number"),
])
def test_bad_tables_get_one_clear_line(scores: str, costs: str, complaint: str, capsys: pytest.CaptureFixture[str],
                                       tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(scores)
    (tmp_path / "c.csv").write_text(costs)
    code, out, err = run(capsys, scores=str(tmp_path / "s.csv"), costs=str(tmp_path / "c.csv"))
    assert (code, out) == (2, "") and err.count("\n") == 1 and complaint in err


@pytest.mark.parametrize("more", [("--target", "none"), ("--confidence", "1"), ("--margin", "-1"), ("--plot", "no/such/folder/x.png")])
def test_bad_options_get_one_clear_line(more: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "--resamples", "0", *more)
    assert code == 2 and err.count("\n") == 1


def test_resamples_do_not_depend_on_the_workers() -> None:
    import numpy as np
    counts = np.array([[25, 27, 6, 1, 0, 7, 8, 18, 22, 46], [27, 22, 2, 0, 1, 7, 9, 8, 27, 57], [15, 30, 3, 1, 1, 6, 10, 12, 19, 63]])
    gaps = np.array([0.45885, 0.399])
    case = Case(counts[:2] / 160, counts[2] / 160, gaps, gaps, (160,) * 3, "pay", "monotone")
    seen: list[int] = []
    alone, many = bootstrap(case, 300, workers=1, done=seen.append), bootstrap(case, 300, workers=2)
    assert alone == many and sum(seen) == 300
    assert 0.15 < alone.holds[0] < 0.4 and list(alone.holds) == sorted(alone.holds)


def script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "perf" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_published_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert script("published_contracts").main() == 0
    assert "46 of 46 agree" in capsys.readouterr().out

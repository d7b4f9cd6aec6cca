"""The command line as a person meets it: what it prints, what it says of mistakes, what scripts get."""
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from parlour.experiments.cli import main
from parlour.registry import modules
from parlour.transcripts.store import Store

DESIGN = """
name = "small"
episodes = 6
[game]
name = "email"
[protocol]
name = "advice"
[seats]
human = "mock"
ai = "strategy"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    out, err = capsys.readouterr()
    return code, out, err


def ok(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code, out, err = run(capsys, *words)
    assert code == 0, err
    return out


def as_json(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return json.loads(ok(capsys, *words, "--json"))


@pytest.mark.parametrize("folder_name", ["games", "protocols", "agents"])
def test_listings_have_a_line_each(capsys: pytest.CaptureFixture[str], folder_name: str) -> None:
    names = list(modules(folder_name))
    lines = ok(capsys, folder_name).splitlines()
    assert [line.split()[0] for line in lines] == names and all(len(line.split()) > 3 for line in lines)
    assert [x["name"] for x in as_json(capsys, folder_name)] == names


@pytest.mark.parametrize("game", list(modules("games")))
def test_show_tells_the_model_fields_roles_seats_and_benchmarks(capsys: pytest.CaptureFixture[str], game: str) -> None:
    out = ok(capsys, "show", game)
    for heading in ("Fields", "Roles", "Seats", "Wordings", "Benchmarks", "Source"):
        assert heading in out


@pytest.mark.parametrize("game", list(modules("games")))
def test_benchmark_json_is_an_interface(capsys: pytest.CaptureFixture[str], game: str) -> None:
    found = as_json(capsys, "benchmark", game)
    assert found
    for b in found:
        assert set(b) == {"name", "kind", "source", "value", "measures", "note"}
        assert all(v is None or isinstance(v, float | int) for v in [*b["value"].values(), *b["measures"].values()])


def test_benchmark_takes_fields_of_the_game_and_of_the_protocol(capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, "benchmark", "email", "--set", "prior=0.3", "--protocol", "advice", "--with", "max_queries=5")
    assert found[1]["name"] == "with_ai" and found[1]["value"]["human"] == pytest.approx(2.9142)
    assert as_json(capsys, "benchmark", "email", "--protocol", "silent")[1]["value"]["human"] == pytest.approx(1)
    assert "with_ai (optimum): human 2.5" in ok(capsys, "benchmark", "email")


def test_play_shows_the_game_as_it_is_played(capsys: pytest.CaptureFixture[str]) -> None:
    out = ok(capsys, "play", "email", "--seat", "human=always_follow", "--seat", "ai=strategy", "--seed", "2")
    assert "human is asked for Query or a pass" in out and '{"report":' in out and "with_ai: human 2.5" in out
    assert as_json(capsys, "play", "email", "--protocol", "silent")["payoffs"]


def test_a_run_and_all_that_reads_it(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "d.toml").write_text(DESIGN)
    out = ok(capsys, "run", "d.toml")
    assert "with_ai" in out and "parlour transcript small-" in out
    name = as_json(capsys, "runs")[0]["run"]
    scored = as_json(capsys, "score")
    assert scored["run"] == name and any(s["quantity"] == "gap" for s in scored["scores"])
    assert f"{name}/3" in ok(capsys, "transcript", "3") and f"{name}/3" in ok(capsys, "transcript", "small/3")
    assert as_json(capsys, "transcript", "0")["about"]["game"] == "email"
    assert as_json(capsys, "sql", "SELECT count(*) AS n FROM episode") == [{"n": 6}]
    assert "6" in ok(capsys, "sql", "SELECT count(*) AS n FROM episode")
    assert ok(capsys, "export").strip() == f"{name}.csv" and (folder / f"{name}.csv").stat().st_size > 100
    ok(capsys, "export", "--format", "parquet", "--to", "out")
    assert (folder / "out" / "attempt.parquet").exists()
    assert "6/6 episodes ended  done" in ok(capsys, "runs")
    assert as_json(capsys, "resume")["status"] == "done"
    assert len(as_json(capsys, "run", "d.toml", "--episodes", "4", "--seed", "7", "--concurrency", "2")["scores"]) > 3
    assert as_json(capsys, "runs")[1]["episodes"] == 4


def test_runs_that_were_cut_off_are_listed_against_their_plan(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "d.toml").write_text(DESIGN)
    ok(capsys, "run", "d.toml")
    name = as_json(capsys, "runs")[0]["run"]
    with Store("parlour.duckdb").open(write=True) as db:
        for table in ("episode", "ending"):
            db.execute(f"DELETE FROM {table} WHERE episode > 1")
    journals = Store("parlour.duckdb").journals
    (journals / "young-20260101-000000-abcd.jsonl").write_text("")
    first, second = ok(capsys, "runs").splitlines()
    assert first.startswith(f"{name}  2/6 episodes ended")
    assert f"2 of 6 episodes have ended, and the table is of these: go on with `parlour resume {name}" in ok(capsys, "score")
    assert second.startswith("young-20260101-000000-abcd  in its journal alone") and "parlour resume young-" in second


def test_nothing_is_minus_nothing(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    ok(capsys, "play", "email", "--seat", "human=always_follow", "--seat", "ai=strategy")
    with Store("parlour.duckdb").open(write=True) as db:
        db.execute("UPDATE payoff SET net = -0.0::DOUBLE WHERE role = 'society'")
    assert "  society: 0\n" in ok(capsys, "transcript", "0")


@pytest.mark.parametrize(("words", "complaint"), [
    (("benchmark", "emial"), "Did you mean 'email'"), (("show", "nothing"), "no game 'nothing'"),
    (("benchmark", "email", "--set", "acuracy=.8"), "did you mean 'accuracy'"),
    (("benchmark", "email", "--set", "accuracy=1.8"), "accuracy"), (("benchmark", "email", "--set", "accuracy"), "FIELD=VALUE"),
    (("benchmark", "email", "--protocol", "advise"), "no protocol 'advise'"),
    (("benchmark", "email", "--with", "max_queries=2"), "--protocol"),
    (("benchmark", "email", "--protocol", "advice", "--with", "queries=3"), "max_queries"),
    (("benchmark", "battle_of_the_sexes", "--set", "informed=row", "--protocol", "silent"), "informed"),
    (("benchmark", "first_price_auction", "--set", "signal=exact", "--protocol", "silent"), "signal"),
    (("benchmark", "first_price_auction", "--set", "signal=binary", "--set", "bidders=3"), "bidders"),
    (("play", "email", "--seat", "human=mok"), "no agent 'mok'"), (("play", "email", "--seat", "humn=mock"), "no seat 'humn'"),
    (("play", "email", "--seat", "human"), "ROLE=AGENT"), (("play", "email", "--wording", "funny"), "no wording 'funny'"),
    (("play", "email", "--seat", "human=llm:some-model"), "OPENAI_API_KEY"),
    (("run", "none.toml"), "cannot read design"), (("run", "bad.toml"), "not TOML"), (("run", "neg.toml"), "episodes"),
    (("run", "ok.toml", "--episodes", "0"), "episodes"), (("run", "ok.toml", "--store", "/proc/none/x.duckdb"), "cannot write"),
    (("run", "ok.toml", "--store", "foreign.duckdb"), "another program"), (("score",), "no store"),
    (("transcript", "x"), "names no episode"),
    (("sql", "SELECT 1"), "no store"), (("export", "--format", "xlsx"), "no"), (("resume", "nope"), "no run"),
    (("mock-server", "--faults", "nonsense"), "nonsense"),
])
def test_mistakes_get_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str], folder: Path, words: tuple[str, ...],
                                               complaint: str) -> None:
    (folder / "bad.toml").write_text("x = [")
    (folder / "neg.toml").write_text(DESIGN.replace("episodes = 6", "episodes = -6"))
    (folder / "ok.toml").write_text(DESIGN)
    (folder / "foreign.duckdb").write_text("hello")
    before = {p: p.read_bytes() for p in folder.iterdir()}
    code, out, err = run(capsys, *words)
    assert code == 2 and out == ""
    assert err.startswith("parlour: ") and err.count("\n") == 1 and complaint in err
    assert {p: p.read_bytes() for p in folder.iterdir()} == before, "something was half-written"


def test_unknown_commands_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["nonsense"])
    assert left.value.code == 2
    capsys.readouterr()
    assert "demo" in ok(capsys)
    assert ok(capsys, "--version").count(".") == 2


def test_a_human_at_the_terminal_pauses_and_goes_on_in_another_process(folder: Path) -> None:
    """The session is left at the second question, and taken up there by another process; nothing is asked twice."""
    parlour = [sys.executable, "-c", "from parlour.experiments.cli import main; raise SystemExit(main())"]
    first = subprocess.run([*parlour, "play", "email", "--seat", "human=human", "--seat", "ai=strategy"], cwd=folder,
                           input="Which one is better?\n", capture_output=True, text=True, check=True)
    assert "paused" in first.stderr and "one of" in first.stdout
    second = subprocess.run([*parlour, "resume"], cwd=folder, input="C\n", capture_output=True, text=True, check=True)
    assert second.stdout.count("Do you want to ask") == 1, "told again as what went before, but not asked again"
    assert "What do you do?" in second.stdout
    talk = subprocess.run([*parlour, "transcript", "0"], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert "Which one is better?" in talk and "human: 1 - 1 for talk = 0" in talk


def test_score_brings_an_older_store_up_to_date(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from parlour.transcripts import store
    every = store._migrations()
    with monkeypatch.context() as before:
        before.setattr(store, "_migrations", lambda: every[:-1])
        with store.Store("old.duckdb").open(write=True):
            pass
    code, _, err = run(capsys, "runs", "--store", "old.duckdb")
    assert code == 2 and "run `parlour score` on it once" in err
    assert run(capsys, "score", "--store", "old.duckdb")[0] == 2  # there is no run in it to score
    assert ok(capsys, "runs", "--store", "old.duckdb") == ""


def test_run_takes_other_seats(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "d.toml").write_text(DESIGN)
    found = as_json(capsys, "run", "d.toml", "--seat", "human=always_follow", "--store", "s.duckdb")
    assert {s["seat"] for s in found["scores"] if s["role"] == "human" and s["quantity"] == "payoff"} == {"always_follow"}
    code, _, err = run(capsys, "run", "d.toml", "--seat", "nobody=mock", "--store", "s.duckdb")
    assert code == 2 and err.count("\n") == 1 and "no arm has a seat 'nobody'; there are: ai, human" in err

"""Reports and bundles: what is in them, what cannot become markup, and that another machine computes the same cells."""
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

import parlour
from parlour.errors import StoreError
from parlour.experiments.api import blamed
from parlour.experiments.bundle import bundle, open_bundle, verify_bundle
from parlour.experiments.cli import main
from parlour.experiments.report import report
from parlour.reports.document import Code, Document, Section, Table, as_csv, as_html, as_latex, as_markdown, write
from parlour.transcripts.store import Store

DESIGN: dict[str, Any] = {
    "name": "told", "seed": 5, "episodes": 24, "wordings": "all", "game": "email", "protocol": "advice", "attempts": 1,
    "seats": {"ai": "strategy"},
    "arms": [{"name": "follow", "seats": {"human": "always_follow"}},
             {"name": "<b>mock</b>", "seats": {"human": {"agent": "mock", "faults": {"kinds": ["malformed"], "rate": 0.2}}}}],
    "hypotheses": [{"name": "following | pays", "role": "human", "arms": ["follow", "<b>mock</b>"], "alternative": "greater"}],
}
TIDY = "SELECT * FROM tidy ORDER BY episode, role"
EVIL = "<script>alert(1)</script> | [x](javascript:y) & $5_0%"


@pytest.fixture
def played(store: str) -> Any:
    return parlour.run(DESIGN, store)


# --- documents --------------------------------------------------------------------------------------------------------------
def evil() -> Document:
    return Document(EVIL, EVIL, [Section(EVIL, [EVIL, Code([EVIL]), Table("t", [{"a": EVIL, "x": 1.25, "y": None, "z": True}], EVIL)])])


def test_nothing_written_becomes_markup() -> None:
    page = as_html(evil())
    assert "<script" not in page and "&lt;script&gt;" in page and "javascript:y" in page
    assert "default-src 'none'" in page
    marked = as_markdown(evil()).replace("```sh\n" + EVIL, "")
    assert not re.search(r"(?<!\\)<script", marked) and not re.search(r"(?<!\\)\]\(", marked)
    assert all(line.count("|") - line.count("\\|") == 5 for line in marked.splitlines() if line.startswith("| "))


def test_tables_have_full_precision_as_csv_and_are_escaped_in_latex() -> None:
    table = Table("t", [{"name": "a_b & 5%", "x_low": -1 / 3, "n": 2, "none": None}])
    assert as_csv(table) == f"name,x_low,n,none\na_b & 5%,{-1 / 3!r},2,\n"
    latex = as_latex(table)
    assert r"a\_b \& 5\%" in latex and r"\toprule" in latex and "{lrrl}" in latex
    assert "x low" in latex and "$-$0.3333" in latex and latex.startswith("% needs \\usepackage{booktabs}")


def test_a_document_is_written_whole(tmp_path: Path) -> None:
    names = {p.name for p in write(evil(), tmp_path / "out")}
    assert names == {"report.html", "report.md", "t.csv", "t.tex"} == {p.name for p in (tmp_path / "out").iterdir()}


# --- reports ----------------------------------------------------------------------------------------------------------------
def test_a_report_says_design_results_claims_exclusions_costs_and_how_to_do_it_again(played: Any) -> None:
    found = report(played.store, played.run)
    assert [s.title for s in found.sections] == ["Design", "Results", "Hypotheses", "What was excluded, and why", "Costs",
                                                 "How to reproduce it"]
    tables = {t.name: t for t in found.tables}
    frame = played.table().query("quantity == 'payoff'")
    assert [r["mean"] for r in tables["payoffs"].rows] == list(frame.value)
    lost = sum(r["missing"] for r in tables["payoffs"].rows if r["role"] == "human")
    assert lost == sum(r["episodes"] for r in tables["unfinished"].rows) > 0
    assert tables["hypotheses"].rows[0]["holds"] in (True, False)
    page = as_html(found)
    assert "&lt;b&gt;mock&lt;/b&gt;" in page and "<b>mock" not in page and "data:image/svg+xml;base64," in page


def test_a_report_of_a_locked_design_carries_hash_and_deviations(tmp_path: Path, store: str) -> None:
    file = tmp_path / "d.toml"
    file.write_text('episodes = 6\ngame = "email"\nprotocol = "advice"\nseats = {human = "always_follow", ai = "strategy"}\n')
    assert main(["design", "lock", str(file)]) == 0
    assert main(["run", str(file), "--episodes", "8", "--store", store]) == 0
    assert main(["report", "--store", store, "--to", str(tmp_path / "r")]) == 0
    text = (tmp_path / "r" / "report.md").read_text()
    assert "Locked before it was run" in text and "1 deviation" in text and (tmp_path / "r" / "deviations.csv").exists()


# --- copies -----------------------------------------------------------------------------------------------------------------
def followed(played: Any, count: int) -> str:
    """Some episodes of the arm that always gets as far as the report."""
    return f"{played.run}/" + ",".join(str(r["episode"]) for r in played.store.rows(
        "SELECT episode FROM episode WHERE arm = 'follow' ORDER BY episode LIMIT ?", [count]))


def test_a_report_of_a_fork_names_its_origin_the_change_and_the_paired_effect(played: Any, tmp_path: Path) -> None:
    forked = parlour.fork(followed(played, 6), 2, "seat:ai=liar:0.3", times=3, store=str(played.store.path))
    found = report(forked.store, forked.run, figures=False)
    assert [s.title for s in found.sections] == ["Design", "Fork", "Results", "What was excluded, and why", "Costs", "How to reproduce it"]
    text, tables = as_markdown(found), {t.name: t for t in found.tables}
    assert f"fork of run {played.run}: 6 of its 48 episodes were played again, 3 time(s) each. Up to turn 2" in text
    assert "seat ai is taken by liar (" in text and "18 of 18 copies have ended" in text
    assert "18 copies of recorded episodes in" in text and "24 episodes" not in text and "locked" not in text
    frame = forked.effects()
    assert [(r["role"], r["effect"], r["low"], r["high"]) for r in tables["effects"].rows] == [
        (s.role, s.value, s.low, s.high) for s in frame.itertuples()]
    assert any(r["low"] is not None for r in tables["effects"].rows)
    file = bundle(forked.store, forked.run, tmp_path / "b.tar.gz", figures=False)
    with tarfile.open(file) as archive:
        assert f"{forked.run}/origins/{played.run}.jsonl" in archive.getnames()
    checked = verify_bundle(file)
    assert checked.differing == () and checked.cells > 50


def test_a_report_of_swaps_shares_the_gap(played: Any) -> None:
    run, status, _ = blamed(played.run, "human", None, False, played.store)
    found = report(played.store, run, figures=False)
    assert status == "done"
    text, tables = as_markdown(found), {t.name: t for t in found.tables}
    assert "Swaps" in [s.title for s in found.sections] and "swapped for the strategies of benchmark" in text
    rows = [r for r in tables["blame"].rows if r["arm"] == "follow"]
    gap, = (r["share"] for r in rows if r["of the gap"] == "gap")
    assert sum(r["share"] for r in rows if r["of the gap"] in ("human", "ai")) == pytest.approx(gap)


def test_a_fork_whose_origin_is_elsewhere_says_so(played: Any, tmp_path: Path) -> None:
    forked = parlour.fork(followed(played, 3), 2, times=2, store=str(played.store.path))
    alone = Store(tmp_path / "alone.duckdb")
    alone.take(forked.store.journals / f"{forked.run}.jsonl")
    found = report(alone, forked.run, figures=False)
    assert f"run {played.run} is not in this store" in as_markdown(found) and "effects" not in {t.name for t in found.tables}


# --- bundles ----------------------------------------------------------------------------------------------------------------
def test_a_bundle_computes_the_same_cells(played: Any, tmp_path: Path) -> None:
    found = verify_bundle(bundle(played.store, played.run, tmp_path / "b.tar.gz"))
    assert found.differing == () and found.cells > 100 and found.tables > 5 and found.root == root(played)


def root(played: Any) -> str:
    return str(played.sql("SELECT root FROM root").root[0])


@pytest.mark.parametrize("name, old, new, says", [
    ("report/payoffs.csv", b"follow", b"swallow", "report/payoffs.csv"),
    ("transcripts.jsonl", b'\\"report\\":\\"A\\"', b'\\"report\\":\\"B\\"', "transcripts"),
    ("design.json", b'"seed": 5', b'"seed": 6', "design.json: its contents have changed"),
])
def test_a_bundle_that_was_changed_is_found_out(played: Any, tmp_path: Path, name: str, old: bytes, new: bytes, says: str) -> None:
    changed = rewritten(bundle(played.store, played.run, tmp_path / "b.tar.gz", figures=False), name, old, new)
    assert any(says in d for d in verify_bundle(changed).differing)
    assert main(["bundle", "verify", str(changed)]) == 1


def rewritten(path: Path, name: str, old: bytes, new: bytes) -> Path:
    import io
    to = path.with_name("changed.tar.gz")
    with tarfile.open(path) as before, tarfile.open(to, "w:gz") as after:
        for info in before:
            data = before.extractfile(info).read()  # type: ignore[union-attr]
            if info.name.endswith(f"/{name}"):
                assert old in data
                data = data.replace(old, new)
            info.size = len(data)
            after.addfile(info, io.BytesIO(data))
    return to


def test_no_bundle_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.tar.gz").write_text("garbage")
    assert main(["bundle", "verify", str(tmp_path / "x.tar.gz")]) == 2
    assert main(["bundle", "verify"]) == 2
    assert [line.count("\n") for line in capsys.readouterr().err.splitlines()] == [0, 0]


def test_a_referee_reads_a_bundle_in_a_store_of_his_own(played: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made, his = bundle(played.store, played.run, tmp_path / "b.tar.gz", figures=False), tmp_path / "his" / "referee.duckdb"
    assert main(["bundle", "open", str(made), "--store", str(his)]) == 0
    assert main(["verify", "--store", str(his)]) == 0
    assert Store(his).rows(TIDY) == played.store.rows(TIDY) and parlour.load(store=his).transcript(3) == played.transcript(3)
    before = his.read_bytes()
    assert main(["bundle", "open", str(made), "--store", str(his)]) == 2 and his.read_bytes() == before
    assert "is in" in capsys.readouterr().err
    with pytest.raises(StoreError, match=r"has been changed: report/payoffs\.csv"):
        open_bundle(rewritten(made, "report/payoffs.csv", b"follow", b"swallow"), Store(tmp_path / "other.duckdb"))
    assert not (tmp_path / "other.duckdb").exists()


@pytest.mark.parametrize("what", ["verify", "open"])
def test_a_bundle_writes_no_file_elsewhere(played: Any, tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its run becomes the name of a file: one that leads out of the folder is refused before anything is written."""
    made = bundle(played.store, played.run, tmp_path / "b.tar.gz", figures=False)
    out = tmp_path / "elsewhere"
    changed = rewritten(made, "MANIFEST.json", f'"run": "{played.run}"'.encode(), f'"run": "{out}"'.encode())
    assert main(["bundle", what, str(changed), "--store", str(tmp_path / "his.duckdb")]) == 2
    assert "names no run" in capsys.readouterr().err and not out.with_suffix(".jsonl").exists()


def test_a_run_that_has_not_ended_is_not_bundled(played: Any, tmp_path: Path) -> None:
    with played.store.open(write=True) as db:
        db.execute("DELETE FROM root")
    with pytest.raises(StoreError, match="has not ended"):
        bundle(played.store, played.run, tmp_path / "b.tar.gz")

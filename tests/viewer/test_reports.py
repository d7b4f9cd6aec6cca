"""What stands side by side, reports as pages, and the one file that leaves the house."""
import csv
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from parlour.experiments.cli import main
from parlour.experiments.fidelity import compared, design, respondent
from parlour.games.email import Choice
from parlour.transcripts.arms import arms_of
from parlour.transcripts.curves import begin, put
from parlour.transcripts.statistics import paired
from parlour.transcripts.store import Store
from parlour.viewer.compare import marked
from parlour.viewer.privacy import LEFT_OUT, People, holds_private, public, public_words
from parlour.viewer.privacy import marked as private_fields

from .conftest import EVIL, TALK, Site

# --- side by side -----------------------------------------------------------------------------------------------------------


def test_two_episodes_are_compared_turn_by_turn(page: Page, site: Site) -> None:
    page.goto(f"{site.home}/compare")
    page.get_by_label("One").fill(f"{site.talk}/0")
    page.get_by_label("Other").fill(f"{site.talk}/1")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("tr.differs", has_text="arm")).to_contain_text("mock")
    shaded = page.locator(".pair.differs")
    assert 0 < shaded.count() <= page.locator(".pair").count()
    page.goto(f"{site.home}/compare?a={site.talk}/0&b={site.talk}/0")
    assert page.locator(".differs").count() == 0 and page.locator("mark").count() == 0
    expect(page.locator("main")).to_contain_text("0 of")


def test_two_runs_are_compared_on_the_same_tapes(page: Page, site: Site) -> None:
    page.goto(f"{site.home}/compare?a={site.talk}&b={site.other}")
    a, b = (next(x for x in arms_of(site.store, run) if x.name == "follow") for run in (site.talk, site.other))
    difference = paired(a.rows("human"), b.rows("human"))
    line = page.locator("tr", has=page.locator("th", has_text="follow"), has_text="human").first
    expect(line).to_contain_text(f"{difference.mean:.4g}")
    expect(line).to_contain_text(f"[{difference.low:.4g}, {difference.high:.4g}]")
    expect(page.locator("main")).to_contain_text("arms.follow.seats.human.agent")
    expect(page.locator("tr", has_text="arms.mock")).to_contain_text("there")


def test_words_that_only_one_text_has_are_marked() -> None:
    left, right = marked("I send A, and wait.", "I send B, and wait.")
    assert [t for t, own in left if own] == ["A"] and [t for t, own in right if own] == ["B"]
    assert "".join(t for t, _ in left) == "I send A, and wait."


# --- reports ----------------------------------------------------------------------------------------------------------------
def test_a_report_and_the_contracts_of_a_run_are_pages(page: Page, site: Site) -> None:
    page.goto(f"{site.home}/run/{site.contracts}")
    page.get_by_role("link", name="Contracts").click()
    expect(page.locator("h1")).to_have_text("Contracts")
    expect(page.locator("main")).to_contain_text("compliance")
    answer = page.goto(f"{site.home}/run/{site.talk}/report")
    assert answer and answer.headers["content-security-policy"].startswith("default-src 'none'")
    expect(page.locator("h2").first).to_have_text("Design")
    refused = page.goto(f"{site.home}/run/{site.talk}/contracts")
    assert refused and refused.status == 404 and "no contract was posted" in page.locator("main").inner_text()


def test_a_whole_run_is_verified_on_a_page(page: Page, site: Site) -> None:
    page.goto(f"{site.home}/run/{site.contracts}")
    page.get_by_role("link", name="Verify").click()
    expect(page.locator(".seal.good")).to_contain_text("everything came out as recorded")


def test_a_fidelity_run_has_its_report(page: Page, site: Site) -> None:
    from parlour.experiments import runner
    from parlour.experiments.api import synchronous
    people, simulators = [respondent("ideal", "truth")], [respondent("m=mock", "simulator")]
    made = design(people, simulators, priors=(0.4,), thresholds=(0.1, 0.2, 0.4, 0.6), repeats=4, wordings=("plain",))
    run, _ = synchronous(runner.start(made, site.store))
    compared(site.store, run, people, simulators, draws=0)
    page.goto(f"{site.home}/run/{run}")
    page.get_by_role("link", name="Fidelity").click()
    expect(page.locator("h1")).to_have_text("Fidelity of simulated receivers")
    expect(page.locator("table").first).to_contain_text("simulator m")
    page.wait_for_function("() => document.querySelector('img').naturalWidth > 100")


def test_simulations_have_their_curves(page: Page, site: Site, tmp_path: Path) -> None:
    begin(site.store, "s-1", {"game": "prompting", "game_fields": {}, "rounds": 30, "leader": {"agent": "ucb1"},
                              "follower": {"agent": "etc"},
                              "human_means": [[0.6, 0.1], [0.2, 0.3]], "ai_means": [[0.4, 0.1], [0.1, 0.5]], "version": "0",
                              "benchmarks": [{"name": "stackelberg", "value": {"human": 0.6}, "measures": {}}]})
    put(site.store, "s-1", [0, 1], [10, 20, 30], np.cumsum(np.full((2, 3, 4), 2), axis=1), [3, 4])
    page.goto(f"{site.home}/simulations")
    expect(page.locator("tbody")).to_contain_text("ucb1")
    page.locator("figure img").first.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('figure img').naturalWidth > 100")
    with page.expect_download() as saving:
        page.get_by_role("link", name="CSV").first.click()
    saving.value.save_as(tmp_path / "r.csv")
    last = list(csv.DictReader((tmp_path / "r.csv").open()))[-1]
    assert last["round"] == "30" and float(last["mean"]) == pytest.approx(0.6 * 30 - 6 * (0.6 + 0.1 + 0.2 + 0.3))


# --- the file ----------------------------------------------------------------------------------------------------------------
def test_a_run_is_one_file_that_needs_nothing(browser: Browser, site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = tmp_path / "out" / "run.html"
    assert main(["export", site.talk, "--html", "--to", str(to), "--store", str(site.store.path)]) == 0
    assert capsys.readouterr().out.strip() == str(to) and [p.name for p in to.parent.iterdir()] == ["run.html"]
    asked: list[str] = []
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(to.as_uri())
    assert [a for a in asked if not a.startswith(("file:", "data:"))] == []
    expect(page.locator("#verification")).to_contain_text("everything came out as recorded")
    episodes = site.store.rows("SELECT count(*) AS n FROM episode WHERE run = ?", [site.talk])[0]["n"]
    assert page.locator(".episode").count() == episodes == len(TALK["arms"]) * TALK["episodes"]
    page.locator("#e0 > summary").click()
    expect(page.locator("#e0 .turnline").first).to_be_visible()
    assert page.locator("figure img").count() >= 3
    assert all(page.evaluate("[...document.querySelectorAll('figure img')].map(i => i.naturalWidth > 50)"))
    context.close()


def test_what_a_model_wrote_cannot_run_in_the_file_either(browser: Browser, site: Site, tmp_path: Path) -> None:
    to = tmp_path / "run.html"
    assert main(["export", site.hostile, "--html", "--to", str(to), "--store", str(site.store.path)]) == 0
    page = browser.new_page()
    page.goto(to.as_uri())
    assert "owned" not in page.title() and page.locator("main script, main b[onclick], .talk img").count() == 0
    assert EVIL not in to.read_text()
    page.close()


def test_thoughts_and_people_are_left_out_of_the_file(site: Site, tmp_path: Path) -> None:
    copy = Store(tmp_path / "copy.duckdb")
    copy.path.write_bytes(site.store.path.read_bytes())
    with copy.open(write=True) as db:
        db.execute("UPDATE attempt SET fingerprint = 'p-0badcafe', model = NULL WHERE run = ?", [site.hostile])
        db.execute("UPDATE run SET design = replace(design, '\"recording\"', '\"recording\",\"endpoint\":\"http://lab.internal/v1\"') "
                   "WHERE run = ?", [site.hostile])
    to = tmp_path / "run.html"
    assert main(["export", site.hostile, "--html", "--to", str(to), "--store", str(copy.path)]) == 0
    text = to.read_text()
    assert "p-0badcafe" not in text and "participant 1" in text
    assert "Private reasoning" not in text and "reasoning&#34;" not in text.partition('id="transcripts"')[2]
    assert "lab.internal" not in text and "DIFFERS" in text  # the rows were edited, and it says so
    assert str(tmp_path) not in text


def test_fields_marked_private_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"type": "games.email.Choice", "fields": {"action": "C"}}
    seen = {"type": "games.base.Saw", "fields": {"role": "human", "move": row}}
    assert not holds_private(seen) and public(seen) == seen
    monkeypatch.setattr(Choice.model_fields["action"], "json_schema_extra", {"private": True})
    private_fields.cache_clear()
    assert holds_private(seen) and public(seen)["fields"]["move"]["fields"] == {"action": LEFT_OUT}
    words = public_words('{"reasoning": "C is sure.", "action": "C"}', '{"type": "games.email.Choice", "fields": {"action": "C"}}')
    assert words == f'{{"action": "{LEFT_OUT}"}}'
    assert public_words("plain speech", None) == "plain speech" and public_words(None, None) is None
    private_fields.cache_clear()


def test_people_are_numbered_as_they_are_met() -> None:
    people = People()
    assert [people.name(x) for x in ("p-b", "p-a", "p-b")] == ["participant 1", "participant 2", "participant 1"]


def test_a_file_that_cannot_be_written_is_one_line(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["export", site.contracts, "--html", "--to", str(tmp_path / "file" / "x.html"), "--store", str(site.store.path)]) == 2
    assert re.fullmatch(r"parlour: cannot write .*\n", capsys.readouterr().err)

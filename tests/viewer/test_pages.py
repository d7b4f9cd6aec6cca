"""The pages as a person meets them: in Chromium, from the real server."""
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from parlour.errors import InputError, StoreError
from parlour.experiments.cli import main
from parlour.transcripts.journal import Journal
from parlour.transcripts.store import Store
from parlour.viewer.reader import Reader
from parlour.viewer.server import bound, serving

from .conftest import Site


def rows(page: Page, body: str) -> int:
    return page.locator(f"#{body} > tr").count()


# --- looking around -----------------------------------------------------------------------------------------------------
def test_runs_are_listed_filtered_and_sorted(page: Page, site: Site) -> None:
    page.goto(site.served.address)
    expect(page.locator("h1")).to_have_text("Runs")
    assert page.url == f"{site.home}/"  # the token is not left in the address
    expect(page.locator("#runs tr").first).to_contain_text(site.talk)
    page.get_by_label("Game").select_option("prompting")
    expect(page.locator("#runs tr")).to_have_count(1)
    expect(page.locator("#runs tr")).to_contain_text("human: ucb1; ai: ucb1")
    page.goto(f"{site.home}/?sort=forfeits")
    page.get_by_role("link", name="Forfeits").click()
    expect(page.locator("#runs tr").first).to_contain_text(site.talk)
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Forfeits")


def test_the_next_page_of_runs_comes_while_one_scrolls(page: Page, site: Site) -> None:
    page.goto(site.home)
    expect(page.locator("#runs > tr")).to_have_count(40)
    page.locator(".pager").scroll_into_view_if_needed()
    expect(page.locator("#runs > tr")).to_have_count(65)
    names = page.locator("#runs > tr td:first-child").all_inner_texts()
    assert len(set(names)) == 65


def test_pages_can_be_turned_without_a_script(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.served.address)
    page.get_by_role("link", name="Next").click()
    assert rows(page, "runs") == 25
    page.get_by_role("link", name="Previous").click()
    assert rows(page, "runs") == 40
    context.close()


def test_a_run_shows_means_beside_benchmarks_differences_and_plots(page: Page, site: Site) -> None:
    page.goto(site.home)
    page.get_by_role("link", name=site.talk).click()
    expect(page.locator("h1")).to_have_text(site.talk)
    expect(page.locator("#plots")).to_be_visible(timeout=60_000)
    text = page.locator("main").inner_text()
    frame = site.store.rows("SELECT sum(weight * net) / sum(weight) AS mean FROM tidy WHERE run = ? AND arm = 'follow' AND role = 'human' "
                            "AND status = 'done'", [site.talk])[0]
    assert f"{frame['mean']:.4g}" in page.locator("tr", has_text="always_follow").first.inner_text()
    for said in ("with_ai", "without_ai", "following pays", "Arms side by side", "forfeits", "sealed, root"):
        assert said in text
    for name in ("payoffs", "distributions", "rates"):
        picture = page.locator(f"#{name} img")
        picture.scroll_into_view_if_needed()
        page.wait_for_function("(at) => document.querySelector(at).naturalWidth > 100", arg=f"#{name} img")
    assert "SELECT" in page.locator("#distributions details pre").text_content()  # type: ignore[operator]


@pytest.mark.parametrize("kind, begins", [("SVG", b"<?xml"), ("PNG", b"\x89PNG"), ("CSV", b"arm,role,start,width,episodes")])
def test_a_plot_is_saved(page: Page, site: Site, tmp_path: Path, kind: str, begins: bytes) -> None:
    page.goto(f"{site.home}/run/{site.talk}")
    with page.expect_download() as saving:
        page.locator("#distributions").get_by_role("link", name=kind).click()
    assert saving.value.suggested_filename == f"{site.talk}-distributions.{kind.lower()}"
    saving.value.save_as(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes().startswith(begins)


def test_the_sql_of_a_plot_gives_its_rows(site: Site) -> None:
    from parlour.viewer.plots import plot
    found = plot(Reader(site.store.path), site.talk, "distributions")
    assert site.store.rows(found.sql) == found.rows
    counted = site.store.rows("SELECT count(*) AS n FROM payoff WHERE run = ? AND net IS NOT NULL", [site.talk])[0]["n"]
    assert sum(r["episodes"] for r in found.rows) == counted > 0


def test_regret_is_drawn_where_there_are_rounds(page: Page, site: Site) -> None:
    page.goto(f"{site.home}/run/{site.rounds}")
    expect(page.locator("#regret figcaption")).to_contain_text("Regret over the rounds")
    from parlour.viewer.plots import plot
    found = plot(Reader(site.store.path), site.rounds, "regret")
    last = max(found.rows, key=lambda r: r["round"])
    expected = site.store.rows("SELECT avg(mean) AS mean FROM payoff WHERE run = ? AND role = 'human'", [site.rounds])[0]["mean"]
    value = site.store.rows("SELECT value ->> 'human' AS v FROM benchmark WHERE run = ? AND name = 'stackelberg'", [site.rounds])[0]["v"]
    assert last["round"] == 12 and last["mean"] == pytest.approx(12 * (float(value) - expected))
    assert len(site.store.rows(found.sql.replace("'ARM'", "'main'"))) == 3


def test_episodes_are_filtered_and_lead_to_transcripts(page: Page, site: Site) -> None:
    page.goto(f"{site.home}/run/{site.talk}")
    page.get_by_label("Status").select_option("forfeit")
    expect(page.locator("h1")).to_have_text("Episodes")
    lost = site.store.rows("SELECT count(*) AS n FROM ending WHERE run = ? AND status = 'forfeit'", [site.talk])[0]["n"]
    assert rows(page, "episodes") == lost > 0
    page.locator("#episodes a").first.click()
    expect(page.locator("#end ~ .facts .status")).to_have_text("forfeit")


# --- a transcript ---------------------------------------------------------------------------------------------------------
def test_a_transcript_reads_as_a_conversation(page: Page, site: Site) -> None:
    page.goto(f"{site.home}/run/{site.talk}/0")
    first = page.locator("#t0")
    expect(first.locator("h3")).to_contain_text("human")
    expect(first.locator(".knows .new li").first).to_contain_text("two drafts")
    report = page.locator(".turnline", has_text="Report").first
    expect(report.locator(".move")).to_contain_text("Report: report =")
    assert "earns you" not in report.locator(".knows").inner_text()  # what the human was told is not what the AI knew
    expect(page.locator("section", has_text="What it came to")).to_contain_text("with_ai")
    expect(page.locator("#verification")).to_contain_text("rows as sealed")
    page.get_by_role("link", name="Drive the script again").click()
    expect(page.locator("#verification")).to_contain_text("came to the same")
    first.get_by_text("Fork from here").click()
    expect(first.locator(".copy")).to_contain_text(f"parlour fork {site.talk}/0 --at 0 --change seat:human=")
    page.keyboard.press("ArrowRight")
    expect(page.locator("h1")).to_have_text("Episode 1")
    page.get_by_role("link", name="Previous").click()
    expect(page.locator("h1")).to_have_text("Episode 0")


def test_invalid_attempts_are_folded_in_place(page: Page, site: Site) -> None:
    bad = site.store.rows("SELECT episode, turn FROM attempt WHERE run = ? AND verdict = 'invalid' ORDER BY ALL LIMIT 1", [site.talk])[0]
    page.goto(f"{site.home}/run/{site.talk}/{bad['episode']}")
    turn = page.locator(f"#t{bad['turn']}")
    expect(turn.locator(".attempt").first).not_to_be_visible()
    turn.locator(".bad summary").click()
    expect(turn.locator(".verdict").first).to_be_visible()


def test_what_a_model_writes_cannot_run(page: Page, site: Site) -> None:
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    for episode in (0, 1):
        page.goto(f"{site.home}/run/{site.hostile}/{episode}")
        page.wait_for_load_state("networkidle")
        assert "owned" not in page.title() and page.locator("main img, main script, main b[onclick]").count() == 0
        assert page.locator("main").inner_html().count("document.title = 'owned'") >= 3
    page.goto(f"{site.home}/run/{site.hostile}")
    assert "<b>bold</b>" in page.locator("main").inner_text() and complaints == []


def test_a_script_that_were_there_would_be_refused(page: Page, site: Site) -> None:
    """The second wall: put into the page by hand, it does not run either."""
    page.goto(f"{site.home}/run/{site.hostile}/0")
    with page.expect_console_message(lambda said: "Content Security Policy" in said.text):
        page.evaluate("() => { const s = document.createElement('div'); s.innerHTML = '<img src=x onerror=\"document.title=1\">';"
                      "document.body.append(s); }")
    assert page.title() != "1"


def test_rows_that_were_edited_are_seen(page: Page, tmp_path: Path, site: Site) -> None:
    copy = Store(tmp_path / "copy.duckdb")
    copy.path.write_bytes(site.store.path.read_bytes())
    with copy.open(write=True) as db:
        db.execute("UPDATE attempt SET words = replace(words, '\"A\"', '\"B\"') WHERE run = ?", [site.talk])
    with serving(copy.path) as served:
        page.goto(served.address)
        page.goto(f"{served.address.partition('/?')[0]}/run/{site.talk}/0?verify")
        expect(page.locator(".seal.bad").first).to_contain_text("not those that were sealed")
        expect(page.locator(".seal.bad").last).to_contain_text("recorded")


def test_a_shared_link_opens_its_page_and_nothing_else(browser: Browser, page: Page, site: Site) -> None:
    page.goto(f"{site.home}/run/{site.talk}/3")
    link = page.get_by_label("Link that opens this page").input_value()
    stranger = browser.new_context().new_page()
    stranger.goto(link)
    expect(stranger.locator("h1")).to_have_text("Episode 3")
    stranger.get_by_role("link", name="Next").click()
    expect(stranger.locator("body")).to_contain_text("403")
    stranger.context.close()


# --- live -----------------------------------------------------------------------------------------------------------------
def test_a_run_under_way_is_followed_in_its_journal(page: Page, site: Site) -> None:
    run = "live-1"
    with Journal(site.store.journals / f"{run}.jsonl") as journal:
        journal.write({"k": "run", "run": run, "name": "live", "seed": 0, "versions": {},
                       "design": {"episodes": 10, "arms": [{}], "budget": 2.0}})
        journal.write({"k": "arm", "run": run, "arm": "main", "game": "email", "game_fields": {}, "protocol": "advice",
                       "protocol_fields": {}, "rules": {}, "seats": {"human": {"agent": "mock"}}, "exact": False})
        journal.flush()
        page.goto(f"{site.home}/run/{run}")
        expect(page.locator("#live")).to_contain_text("0 of 10 episodes ended")
        for e in range(3):
            journal.write({"k": "episode", "run": run, "e": e, "arm": "main"})
            journal.write({"k": "reply", "run": run, "e": e, "t": 0, "n": 0, "verdict": "ok", "cost": 0.25})
            journal.write({"k": "end", "run": run, "e": e, "status": "done" if e else "forfeit", "payoffs": []})
        journal.flush()
        expect(page.locator("#live")).to_contain_text("3 of 10 episodes ended", timeout=10_000)  # of itself, without a reload
        assert all(x in page.locator("#live").inner_text() for x in ("US$ 0.75 of 2", "1 forfeits", "running", "a minute"))
        page.goto(site.home)
        expect(page.locator("#runs tr").first).to_contain_text("3/10")
    (site.store.journals / f"{run}.jsonl").unlink()


# --- doors ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("query", ["", "?token=wrong", "?key=0", "?token="])
def test_without_the_token_there_is_nothing(site: Site, query: str) -> None:
    for path in ("/", f"/run/{site.talk}", f"/run/{site.talk}/0", "/compare"):
        found = httpx.get(f"{site.home}{path}{query}")
        assert found.status_code == 403 and "token that `parlour view` printed" in found.text and site.talk not in found.text


def test_every_answer_has_a_strict_policy(site: Site) -> None:
    with httpx.Client(cookies={site.served.guard.cookie: site.served.token}) as client:
        for path in ("/", f"/run/{site.talk}/0", "/static/page.js", "/nowhere"):
            headers = client.get(f"{site.home}{path}").headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
            assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
        cookie = httpx.get(site.served.address).headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie


@pytest.mark.parametrize("path, status, says", [
    ("/nowhere", 404, "no page at /nowhere"), ("/run/nothing", 404, "no run"), ("/run/{talk}/999", 404, "no episode 999"),
    ("/?sort=nothing", 404, "no column"), ("/?page=0", 404, "no page"), ("/run/{talk}/plot/nothing.svg", 404, "no plot"),
    ("/run/{talk}/plot/rates.gif", 404, "no kind"), ("/static/app.py", 404, "no page"),
])
def test_what_is_not_there_is_said_in_one_line(site: Site, path: str, status: int, says: str) -> None:
    found = httpx.get(site.home + path.format(talk=site.talk), cookies={site.served.guard.cookie: site.served.token})
    assert found.status_code == status and says in re.sub(r"&#39;", "'", found.text)


def test_a_busy_file_is_said_and_comes_back(page: Page, site: Site) -> None:
    code = f"import duckdb, sys; db = duckdb.connect({str(site.store.path)!r}); print('open', flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout and other.stdin and other.stdout.readline() == "open\n"
    page.goto(site.home)
    expect(page.locator("[role=alert]")).to_contain_text("held open by another process")
    other.stdin.close()
    other.wait()
    expect(page.locator("h1")).to_have_text("Runs", timeout=10_000)


def test_nothing_is_ever_written(site: Site) -> None:
    with pytest.raises(StoreError, match="only reads"), Reader(site.store.path).open(write=True):
        pass
    with Reader(site.store.path).open() as db, pytest.raises(duckdb.Error):
        db.execute("DELETE FROM run")


# --- the command ------------------------------------------------------------------------------------------------------------
def test_an_unknown_file_and_a_taken_port_are_one_line(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.duckdb").write_text("garbage")
    with bound("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        for words, says in (([str(tmp_path / "no.duckdb")], "no store at"), ([str(tmp_path / "x.duckdb")], "a file of another program"),
                            ([str(site.store.path), "--port", port], "choose another with --port"),
                            ([str(site.store.path), "--port", "99999"], "cannot listen"),
                            ([str(site.store.path), "--host", "0.0.0.0"], "--open-to-others")):
            assert main(["view", *words]) == 2
            line = capsys.readouterr().err
            assert says in line and line.count("\n") == 1


def test_the_command_serves_until_it_is_interrupted(site: Site) -> None:
    code = "import sys; from parlour.experiments.cli import main; sys.exit(main())"
    with subprocess.Popen([sys.executable, "-c", code, "view", str(site.store.path), "--port", "0"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as serving_it:
        try:
            assert serving_it.stdout
            address = re.search(r"http://\S+", serving_it.stdout.readline())
            assert address and "127.0.0.1" in address[0]
            assert site.talk in httpx.get(address[0], follow_redirects=True).text
            serving_it.send_signal(2)
            assert serving_it.wait(10) == 0
        finally:
            serving_it.kill()


def test_missing_packages_are_named(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(InputError, match="parlour\\[view\\]"), serving(site.store.path):
        pass


# --- many at once -----------------------------------------------------------------------------------------------------------
def test_many_readers_at_once_all_get_their_page(site: Site) -> None:
    found: list[Any] = []

    def get(path: str) -> None:
        found.append(httpx.get(site.home + path, cookies={site.served.guard.cookie: site.served.token}, timeout=30).status_code)
    threads = [threading.Thread(target=get, args=(p,)) for p in ("/", f"/run/{site.talk}", f"/run/{site.talk}/1",
                                                                  f"/run/{site.talk}/plot/payoffs.svg") * 4]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [200] * 16

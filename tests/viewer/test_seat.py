"""People in browsers: two at a table, reloads, answers sent twice, those who leave, and that nobody sees what is not theirs."""
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

import parlour
from parlour.errors import InputError
from parlour.experiments.verify import verify
from parlour.transcripts.export import export
from parlour.transcripts.store import Store

WEB: dict[str, Any] = {"agent": "web", "port": 0, "wait": 20.0}
EMAIL: dict[str, Any] = {"name": "seat", "seed": 4, "episodes": 1, "game": "email", "protocol": "advice"}


@dataclass
class Table:
    """A run under way in a thread, and the links it printed."""
    links: dict[str, str]
    store: Store
    done: list[Any]
    thread: threading.Thread

    def results(self) -> Any:
        """What came of it."""
        self.thread.join(30)
        assert self.done and not self.thread.is_alive()
        if isinstance(self.done[0], BaseException):
            raise self.done[0]
        return self.done[0]


@contextmanager
def table(tmp_path: Path, capfd: pytest.CaptureFixture[str], design: dict[str, Any]) -> Iterator[Table]:
    """Plays a design in a thread."""
    store, done = Store(tmp_path / "seat.duckdb"), list[Any]()

    def play() -> None:
        try:
            done.append(parlour.run(design, store.path))
        except BaseException as error:
            done.append(error)
    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    wanted, text = sum(s["agent"] == "web" for s in design["seats"].values() if isinstance(s, dict)), ""
    while len(links := dict(re.findall(r"(\w+): (http://\S+)\n", text))) < wanted and thread.is_alive():
        time.sleep(0.01)
        text += capfd.readouterr().err
    assert len(links) == wanted, f"{links} of {wanted} links; {done}; {text}"
    yield Table(links, store, done, thread)
    thread.join(30)


@pytest.fixture
def two(browser: Browser) -> Iterator[tuple[Page, Page]]:
    """Two people, each with a browser of their own."""
    contexts = [browser.new_context(viewport={"width": 390, "height": 780}) for _ in range(2)]
    yield contexts[0].new_page(), contexts[1].new_page()
    for context in contexts:
        context.close()


# --- in browsers ----------------------------------------------------------------------------------------------------------
def test_two_people_play_a_game_with_a_reload_in_the_middle(two: tuple[Page, Page], tmp_path: Path, capfd: pytest.CaptureFixture[str],
                                                            look: Callable[[Page, str], None]) -> None:
    human, ai = two
    terms = {**WEB, "consent": "We record <b>what you say</b>."}
    with table(tmp_path, capfd, {**EMAIL, "seats": {"human": terms, "ai": WEB}}) as at:
        human.goto(at.links["human"])
        expect(human.locator("main")).to_contain_text("We record <b>what you say</b>.")
        human.get_by_role("button", name="I agree").click()
        ai.goto(at.links["ai"])
        expect(ai.locator("h1")).to_have_text("Please wait")
        name = human.locator("footer b").inner_text()
        human.get_by_label("Question").fill("Which one, <i>please</i>?")
        human.reload()
        assert human.locator("footer b").inner_text() == name
        human.get_by_label("Question").fill("Which one, <i>please</i>?")
        human.get_by_role("button", name="Answer").click()
        expect(human.locator("h1")).to_have_text("Please wait")
        expect(ai.locator("h1")).to_have_text("Your turn", timeout=10_000)
        assert "Which one, <i>please</i>?" in ai.locator("main").inner_text() and "earns you" not in ai.locator("main").inner_text()
        human.reload()
        ai.get_by_label("B", exact=True).check()
        ai.get_by_role("button", name="Answer").click()
        expect(human.locator("h1")).to_have_text("Your turn", timeout=10_000)
        said = human.locator("main").inner_text()
        assert "Which one, <i>please</i>?" in said and "finding" not in said.replace("Its finding is right", "")
        look(human, "seat")
        human.get_by_label("B", exact=True).check()
        human.get_by_role("button", name="Answer").click()
        expect(human.locator("h1")).to_have_text("Thank you", timeout=10_000)
        expect(ai.locator("h1")).to_have_text("Thank you", timeout=10_000)
        results = at.results()
    rows = results.sql("SELECT role, words, verdict, fingerprint FROM attempt JOIN ask USING (run, episode, turn) ORDER BY turn")
    assert list(rows.role) == ["human", "ai", "human"] and set(rows.verdict) == {"ok"}
    assert rows.fingerprint[0] == rows.fingerprint[2] == name != rows.fingerprint[1]
    assert verify(results.store, results.run).divergence is None
    assert results.sql("SELECT * FROM possibly_paid").empty


def test_who_leaves_forfeits_after_the_waiting_time_and_the_others_go_on(two: tuple[Page, Page], tmp_path: Path,
                                                                         capfd: pytest.CaptureFixture[str]) -> None:
    """In the second episode the human who stayed plays; the first ended by the other's leaving."""
    stays, leaves = two
    with table(tmp_path, capfd, {**EMAIL, "protocol": "silent", "episodes": 2, "seats": {"human": {**WEB, "wait": 2.0}}}) as at:
        leaves.goto(at.links["human"])
        expect(leaves.locator("h1")).to_have_text("Your turn")
        leaves.context.close()
        stays.goto(at.links["human"])
        stays.get_by_label("C", exact=True).check()
        stays.get_by_role("button", name="Answer").click()
        expect(stays.locator("h1")).to_have_text("Thank you", timeout=15_000)
        results = at.results()
    ends = results.sql("SELECT status, why FROM ending ORDER BY status")
    assert list(ends.status) == ["done", "forfeit"] and "Nobody answered in time" in ends.why[1]
    assert verify(results.store, results.run).divergence is None
    assert {s["value"] for s in results.table().to_dict("records") if s["benchmark"] == "unfinished (forfeit or error)"} == {0.5}


def test_a_clock_is_shown_and_kept(two: tuple[Page, Page], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    page = two[0]
    with table(tmp_path, capfd, {**EMAIL, "protocol": "silent", "seats": {"human": {**WEB, "clock": 3.0}}}) as at:
        page.goto(at.links["human"])
        expect(page.locator("[role=timer]")).to_contain_text("Time left: ")
        expect(page.locator("h1")).to_have_text("Thank you", timeout=15_000)
        assert list(at.results().sql("SELECT status FROM ending").status) == ["forfeit"]


# --- over HTTP, without a browser -----------------------------------------------------------------------------------------
def form(text: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', text))


def until(client: httpx.Client, link: str, title: str) -> str:
    for _ in range(400):
        text = client.get(link).text
        if f"<h1>{title}</h1>" in text:
            return text
    raise AssertionError(f"never '{title}': {text}")


def test_sent_twice_counts_once_and_bad_answers_are_no_attempts(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with table(tmp_path, capfd, {**EMAIL, "protocol": "silent", "seats": {"human": WEB}}) as at, httpx.Client() as client:
        link = at.links["human"]
        hidden = form(until(client, link, "Your turn"))
        wrong = client.post(link, data={**hidden, "action": "Z"})
        assert wrong.status_code == 422 and "Action: please give one of A, B, C" in wrong.text
        assert client.post(link, data={**hidden, "pass": "yes"}).status_code == 422  # nobody may pass here
        stranger = httpx.Client()
        assert stranger.post(link, data={**hidden, "action": "A"}).status_code == 303  # it is not a stranger's to answer
        sent = [client.post(link, data={**hidden, "action": a}) for a in ("C", "A")]
        assert [s.status_code for s in sent] == [303, 303] and sent[1].headers["location"].endswith("?again")
        assert "It counts once" in client.get(sent[1].headers["location"] if sent[1].headers["location"].startswith("http")
                                              else link + "?again").text
        until(client, link, "Thank you")
        results = at.results()
    assert list(results.sql("SELECT words FROM attempt").words) == ['{"action": "C"}']


def test_a_wrong_link_leads_to_no_seat(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with table(tmp_path, capfd, {**EMAIL, "protocol": "silent", "seats": {"human": WEB}}) as at, httpx.Client() as client:
        link = at.links["human"]
        refused = httpx.get(link + "x")
        assert refused.status_code == 403 and "leads to no seat" in refused.text
        page = client.get(link)
        assert "default-src 'none'" in page.headers["content-security-policy"] and "unsafe" not in page.headers["content-security-policy"]
        assert "httponly" in page.headers["set-cookie"].lower()
        assert httpx.get(link.partition("/seat/")[0] + "/static/web.py").status_code == 404
        client.post(link, data={**form(until(client, link, "Your turn")), "action": "C"})
        until(client, link, "Thank you")
        at.results()


def test_questions_before_the_game_come_as_forms(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    questions = [{"name": "sum", "role": "human", "text": "What is 2 + 3?", "answer": 5}]
    protocol = {"name": "interview", "questions": questions, "then": "silent"}
    with table(tmp_path, capfd, {**EMAIL, "protocol": protocol, "seats": {"human": WEB}}) as at, httpx.Client() as client:
        link = at.links["human"]
        text = until(client, link, "Your turn")
        assert "What is 2 + 3?" in text and 'type="number" name="answer"' in text
        client.post(link, data={**form(text), "answer": "5"})
        text = until(client, link, "Your turn")
        assert "answer: 5" in text  # what was said before stands above
        client.post(link, data={**form(text), "action": "C"})
        until(client, link, "Thank you")
        table_ = at.results().table()
    assert list(table_[table_.quantity == "comprehension"].value) == [1.0]


def test_a_session_that_was_interrupted_goes_on_with_what_was_said(tmp_path: Path) -> None:
    """By the command, in another process: the link that was given out still leads there, and who comes back by it is known again."""
    code = "import sys; from parlour.experiments.cli import main; sys.exit(main())"

    @contextmanager
    def parlour_(*words: str) -> Iterator[tuple[subprocess.Popen[str], str, httpx.Client]]:
        with subprocess.Popen([sys.executable, "-c", code, *words, "--store", "x.duckdb"], cwd=tmp_path, text=True, stderr=subprocess.PIPE,
                              stdout=subprocess.DEVNULL) as process, httpx.Client() as client:
            try:
                assert process.stderr
                link = re.match(r"human: (http\S+)", process.stderr.readline())
                assert link
                yield process, link[1], client
            finally:
                process.kill()

    human = f'human={{"agent": "web", "port": {free_port()}, "consent": "We record you."}}'
    with parlour_("play", "email", "--seat", human, "--seat", "ai=strategy") as (process, link, client):
        declined = httpx.post(link, data={"consent": "no"}, follow_redirects=True)
        assert "We record you." in client.get(link).text and declined.status_code == 200
        client.post(link, data={"consent": "yes"})
        client.post(link, data={**form(until(client, link, "Your turn")), "question": "Which one?"})
        until(client, link, "Your turn")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        known, cookies = link, dict(client.cookies)
    secret, = tmp_path.rglob("*.secret")
    assert secret.stat().st_mode & 0o777 == 0o600
    with parlour_("resume") as (process, link, client):
        assert link == known
        assert "We record you." in httpx.get(link).text, "a stranger is asked first"
        client.cookies.update(cookies)
        text = until(client, link, "Your turn")
        assert "question: Which one?" in text
        client.post(link, data={**form(text), "action": "C"})
        until(client, link, "Thank you")
        assert process.wait(20) == 0
    assert not secret.exists(), "the run is done"
    store = Store(tmp_path / "x.duckdb")
    run = str(store.rows("SELECT run FROM run")[0]["run"])
    assert verify(store, run).divergence is None
    said = store.rows("SELECT c.*, t.text FROM consent c JOIN text t ON t.hash = c.prompt ORDER BY c.written")
    assert [(c["role"], c["agreed"], c["text"]) for c in said] == [("human", False, "We record you."), ("human", True, "We record you.")]
    assert {r["fingerprint"] for r in store.rows("SELECT a.fingerprint FROM attempt a JOIN ask k USING (run, episode, turn) "
                                                 "WHERE k.role = 'human'")} == {said[1]["person"]}
    exported = {p.stem: p.read_text() for p in export(store, run, tmp_path / "out", "jsonl")}
    assert said[1]["person"] in exported["consent"] and "We record you." in exported["text"]
    with store.open(write=True) as db:
        db.execute("UPDATE consent SET agreed = true")
    assert verify(store, run).divergence is not None


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    from parlour.viewer.server import bound
    with bound("127.0.0.1", 0) as taken, pytest.raises(InputError, match="the page for people cannot listen on"):
        parlour.run({**EMAIL, "protocol": "silent", "seats": {"human": {**WEB, "port": taken.getsockname()[1]}}}, tmp_path / "x.duckdb")
    assert not (tmp_path / "x.duckdb").exists()

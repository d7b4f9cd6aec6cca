"""Forks: what is repeated, what is changed, what comes of it; replay; scoring once more."""
import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

import parlour
from parlour.errors import InputError, StoreError
from parlour.experiments import api
from parlour.experiments.api import Results
from parlour.experiments.cli import main
from parlour.experiments.verify import verify
from parlour.transcripts.journal import read
from parlour.transcripts.store import Store

EMAIL: dict[str, Any] = {"name": "base", "seed": 3, "episodes": 12, "game": "email", "concurrency": 4,
                         "protocol": {"name": "advice", "max_queries": 2}, "seats": {"human": "mock", "ai": "mock"}}
WORDS = "SELECT e.episode, turn, role, words, verdict FROM attempt a JOIN ask USING (run, episode, turn) JOIN episode e " \
        "USING (run, episode) WHERE run = ? ORDER BY ALL"
LINKS = "SELECT episode, origin_run, origin_episode, copy, turn, change FROM fork ORDER BY episode"


def follow(store: str, episodes: int = 40, **more: Any) -> Results:
    """People who ask once and follow an honest AI: four turns, of which turn 2 is the report."""
    return parlour.run({**EMAIL, "episodes": episodes, "protocol": {"name": "advice"},
                        "seats": {"human": "always_follow", "ai": "strategy"}, **more}, store)


def words(results: Results, run: str = "") -> list[dict[str, Any]]:
    return results.store.rows(WORDS, [run or results.run])


@pytest.mark.parametrize("at", [0, 2])
def test_copy_0_of_an_unchanged_fork_goes_on_as_its_origin_did(store: str, at: int) -> None:
    origin = parlour.run(EMAIL, store)
    forked = parlour.fork(f"{origin.run}/all", at, store=store)
    assert forked.status == "done" and len(words(origin)) > 20
    paid = "SELECT episode, role, net, state FROM payoff JOIN episode e USING (run, episode) WHERE run = ? ORDER BY ALL"
    link = {r["episode"]: r["origin_episode"] for r in origin.store.rows(LINKS)}
    kept = [w for w in words(origin) if w["episode"] in link.values()]
    assert [{**w, "episode": link[w["episode"]]} for w in words(forked)] == kept
    gained = [{**p, "episode": link[p["episode"]]} for p in origin.store.rows(paid, [forked.run])]
    assert gained == [p for p in origin.store.rows(paid, [origin.run]) if p["episode"] in link.values()]
    assert forked.effects()["value"].tolist() == [0, 0, 0]
    assert origin.store.rows("SELECT * FROM possibly_paid") == [], "an ask put at the fork is put, and on record, once"


def test_copies_differ_from_the_turn_on_and_only_there(store: str) -> None:
    origin = parlour.run({**EMAIL, "episodes": 2}, store)
    forked = parlour.fork(f"{origin.run}/0", 1, times=30, store=store)
    links = origin.store.rows(LINKS)
    assert [(r["origin_run"], r["origin_episode"], r["copy"], r["turn"]) for r in links] == [
        (origin.run, 0, k, 1) for k in range(30)]
    said = words(forked)
    first = {w["words"] for w in said if w["turn"] == 0 and w["verdict"] == "ok"}
    assert len(first) == 1 and len({w["words"] for w in said if w["turn"] > 1}) > 1
    free = forked.sql(f"SELECT sum(cost) AS cost FROM attempt WHERE run = '{forked.run}' AND turn = 0")
    assert not free["cost"].fillna(0).any(), "what is repeated is not paid again"
    assert forked.sql(f"SELECT sum(weight) AS w FROM episode WHERE run = '{forked.run}'")["w"][0] == pytest.approx(
        origin.sql(f"SELECT weight AS w FROM episode WHERE run = '{origin.run}' AND episode = 0")["w"][0])
    assert all("one origin" in note for note in forked.effects()["note"])


@pytest.mark.parametrize(("lies", "accuracy"), [(0.3, 0.9), (1.0, 0.8)])
def test_an_adviser_that_lies_is_found_inside_the_interval(store: str, lies: float, accuracy: float) -> None:
    """Following reports that are right with chance q' earns q'G + (1-q')L - c, and q' = q - lies (2q - 1)."""
    origin = follow(store, 100, game={"name": "email", "accuracy": accuracy})
    found = parlour.fork(f"{origin.run}/all", 2, f"seat:ai=liar:{lies}", times=4, store=store).effects().set_index("role")
    truth = -lies * (2 * accuracy - 1) * (5 - -10)
    human = found.loc["human"]
    assert human["low"] <= truth <= human["high"] < 0 and human["n"] == 400
    assert found.loc["ai", "low"] <= -lies * (2 * accuracy - 1) <= found.loc["ai", "high"]


def test_an_honest_adviser_has_no_effect_inside_the_interval(store: str) -> None:
    origin = follow(store, 100, seats={"human": "always_follow", "ai": "liar:0"})
    human = parlour.fork(f"{origin.run}/all", 1, "seat:ai=strategy", times=3, store=store).effects().iloc[0]
    assert human["role"] == "human" and human["low"] <= 0 <= human["high"] and human["high"] > human["low"]


def test_other_words_at_the_turn_are_heard(store: str) -> None:
    origin = follow(store, 8)
    forked = parlour.fork(f"{origin.run}/0-7", 2, 'say:{"report": "B"}', store=store)
    last = [json.loads(w["words"])["action"] for w in words(forked) if w["turn"] == 3]
    assert last == ["B"] * 8
    assert {w["words"] for w in words(forked) if w["turn"] == 2} == {'{"report": "B"}'}
    assert {json.loads(r["change"])["say"] for r in origin.store.rows(LINKS)} == {'{"report": "B"}'}


def test_another_wording_tells_all_of_it_anew(store: str) -> None:
    origin = follow(store, 6, seats={"human": "always_follow", "ai": "mock"})
    forked = parlour.fork(f"{origin.run}/all", 3, "wording=workshop", store=store)
    shown = {"A": "north", "B": "south"}
    reports = [[json.loads(w["words"])["report"] for w in words(r) if w["turn"] == 2 and w["verdict"] == "ok"]
               for r in (origin, forked)]
    assert [shown[x] for x in reports[0]] == reports[1]
    assert forked.effects()["value"].abs().max() == 0, "nobody here reads the wording"
    assert forked.frame()["wording"].unique() == ["workshop"]


def test_a_fork_of_a_fork(store: str) -> None:
    origin = parlour.run(EMAIL, store)
    first = parlour.fork(f"{origin.run}/0,2-4", 1, times=2, store=store)
    second = parlour.fork(f"{first.run}/all", 1, store=store)
    link = {r["episode"]: r["origin_episode"] for r in origin.store.rows(LINKS) if r["origin_run"] == first.run}
    assert [{**w, "episode": link[w["episode"]]} for w in words(second)] == words(first)


@pytest.mark.parametrize("share", [0.7, 0.95])
def test_a_fork_that_was_cut_is_resumed(tmp_path: Path, store: str, share: float) -> None:
    origin = parlour.run(EMAIL, store)
    slow = "seat:ai={\"agent\": \"mock\", \"latency\": 0.001}"
    whole = parlour.fork(f"{origin.run}/all", 1, slow, times=3, store=store)
    journal = whole.store.journals / f"{whole.run}.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    begun = max(i for i, e in enumerate(read(journal)) if e["k"] == "fork")
    at = max(begun + 1, int(share * len(lines)))
    other = Store(tmp_path / "cut.duckdb")
    other.journals.mkdir()
    (other.journals / journal.name).write_bytes(b"".join(lines[:at]) + lines[at][:7])
    assert api.resume(whole.run, other.path).status == "done"
    assert other.rows(WORDS, [whole.run]) == words(whole)
    early = Store(tmp_path / "early.duckdb")
    early.journals.mkdir()
    (early.journals / journal.name).write_bytes(b"".join(lines[:begun]))
    with pytest.raises(StoreError, match="fork again"):
        api.resume(whole.run, early.path)


@pytest.mark.parametrize(("at", "change", "times"), [
    (2, "seat:ai=liar", 3), (2, 'say:{"report": "B"}', 2), (3, "wording=workshop", 2), (1, "seat:human=mock", 3)])
def test_forks_verify(store: str, at: int, change: str, times: int) -> None:
    origin = follow(store, 6, seats={"human": "always_follow", "ai": "mock"})
    first = parlour.fork(f"{origin.run}/all", at, change, times, store=store)
    second = parlour.fork(f"{first.run}/all", 1, times=2, store=store)
    for forked in (first, second):
        forked.table()
        assert verify(forked.store, forked.run).divergence is None


def test_what_cannot_be_forked(store: str) -> None:
    exact = parlour.run({**EMAIL, "episodes": "exact", "seats": {"human": "always_follow", "ai": "strategy"}}, store)
    with pytest.raises(InputError, match="exact evaluation"):
        parlour.fork(f"{exact.run}/all", 0, store=store)
    paused = parlour.play("email", seats={"human": "mock", "ai": "strategy"}, store=store)
    with paused.store.open(write=True) as db:
        db.execute("DELETE FROM ending WHERE run = ?", [paused.run])
    with pytest.raises(StoreError, match="has not ended"):
        parlour.fork(f"{paused.run}/0", 0, store=store)


def test_a_record_that_the_game_no_longer_gives_is_refused(store: str) -> None:
    origin = follow(store, 3)
    with origin.store.open(write=True) as db:
        db.execute("UPDATE ask SET news = '[]' WHERE turn = 2 AND episode = 1")
    with pytest.raises(InputError, match="episode 1 cannot be replayed: turn 2"):
        parlour.fork(f"{origin.run}/all", 3, store=store)
    assert len(list(origin.store.journals.glob("*.jsonl"))) == 1, "nothing was begun"


# --- the command line -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of four episodes."""
    at = tmp_path_factory.mktemp("made")
    follow(str(at / "parlour.duckdb"), 4)
    return at


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, to work in."""
    copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ok(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    code = main(argv)
    out, err = capsys.readouterr()
    assert code == 0, err
    return out


def test_fork_prints_the_effect(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    out = ok(capsys, "fork", "base/0-3", "--at", "2", "--change", "seat:ai=liar:1", "--times", "2")
    assert "fork - origin" in out and "human: always_follow" in out and "parlour transcript fork-base-" in out
    found = json.loads(ok(capsys, "fork", "0,1", "--at", "2", "--json"))
    assert [e["role"] for e in found["effects"]] == ["human", "ai", "society"]
    assert "fork - origin" in ok(capsys, "score", found["run"])
    kept = json.loads(ok(capsys, "score", found["run"], "--list", "--json"))
    assert [k["scorer"] for k in kept] == ["forks", "scores"]


def test_replay_shows_what_play_showed(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    live = ok(capsys, "play", "email", "--seat", "human=always_follow", "--seat", "ai=mock")
    assert live.startswith(ok(capsys, "replay", "0", "--delay", "0.001").rstrip()) and live.count("is asked for") >= 2


def test_scoring_once_more(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    wide, narrow = (next(s for s in json.loads(ok(capsys, "score", "--level", level, "--json"))["scores"]
                         if s["benchmark"] == "note right") for level in ("0.99", "0.5"))
    assert wide["value"] == narrow["value"] and wide["low"] < narrow["low"]
    with parlour.open("parlour.duckdb").open(write=True) as db:
        db.execute("""UPDATE benchmark SET value = '{"human": 2.0, "society": 0.0}' WHERE name = 'with_ai'""")
    out = ok(capsys, "score", "--recompute")
    assert "main: with_ai, value for human: 2.0 on record, 2.5 now" in out and "Benchmarks: as on record" not in out
    lines = ok(capsys, "score", "--list").splitlines()
    assert len(lines) == 3 and "level 0.99" in lines[0] and "benchmarks recomputed" in lines[2]
    gaps = {s["benchmark_value"] for s in json.loads(ok(capsys, "score", "--recompute", "--json"))["scores"]
            if (s["quantity"], s["benchmark"], s["role"]) == ("gap", "with_ai", "human")}
    assert gaps == {2.5}


@pytest.mark.parametrize(("argv", "complaint"), [
    (("fork", "base/0", "--at", "9"), "its turns are 0 to 3"), (("fork", "base/all", "--at", "9"), "no episode of run"),
    (("fork", "base/7", "--at", "1"), "no episode 7"), (("fork", "base/x", "--at", "1"), "names no episodes"),
    (("fork", "nope/0", "--at", "1"), "no run 'nope'"), (("fork", "base/0", "--at", "-1"), "0 or more"),
    (("fork", "base/0", "--at", "1", "--times", "0"), "at least one copy"),
    (("fork", "base/0", "--at", "1", "--change", "ai=mock"), "seat:ROLE=AGENT"),
    (("fork", "base/0", "--at", "1", "--change", "wording=all"), "seat:ROLE=AGENT"),
    (("fork", "base/0", "--at", "1", "--change", "wording=funny"), "no wording 'funny'"),
    (("fork", "base/0", "--at", "1", "--change", "seat:foe=mock"), "no seat 'foe'"),
    (("fork", "base/0", "--at", "1", "--change", "seat:ai=mok"), "no agent 'mok'"),
    (("fork", "base/0", "--at", "1", "--change", "say:hello"), "draw of nature"),
    (("fork", "base/0", "--at", "2", "--change", "say:hello"), "cannot be said there"),
    (("replay", "base/0", "--delay", "-1"), "0 or more"), (("replay", "base/44"), "no episode 44"),
    (("score", "--level", "95"), "strictly between 0 and 1"), (("score", "nope", "--list"), "no run 'nope'"),
])
def test_mistakes_get_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str], folder: Path, argv: tuple[str, ...],
                                               complaint: str) -> None:
    before = sorted(folder.rglob("*.jsonl"))
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and complaint in err
    assert sorted(folder.rglob("*.jsonl")) == before, "a run was begun"

"""Games in rounds through the whole machine, each history: cut and resumed, forked, replayed, verified, over faulty HTTP, by hand."""
import io
import json
import math
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic_core import from_json

import parlour
from parlour.agents.faults import Faults
from parlour.agents.mock_server import MockServer
from parlour.experiments import api
from parlour.experiments.cli import main
from parlour.experiments.verify import verify
from parlour.transcripts.store import Store

HISTORIES = ("raw", "summary")
ROUNDS = 5
PLAYED = "SELECT episode, role, gross, net, mean FROM payoff ORDER BY ALL"
WORDS = "SELECT episode, turn, role, words, verdict, prompt FROM attempt JOIN ask USING (run, episode, turn) WHERE run = ? ORDER BY ALL"


def design(history: str, **more: Any) -> dict[str, Any]:
    """Both seats told in one way; some replies are malformed at first."""
    stumbling = {"agent": "mock", "faults": {"rate": 0.2, "kinds": ["malformed"], "first_tries": 1}}
    return {"name": "rounds", "seed": 9, "episodes": 2, "game": {"name": "prompting", "horizon": ROUNDS, "noise": "bernoulli"},
            "protocol": {"name": "prompting", "leader_history": history, "follower_history": history, "price": 0.25},
            "seats": {"human": stumbling, "ai": stumbling}, **more}


def words(store: Store, run: str) -> list[dict[str, Any]]:
    return store.rows(WORDS, [run])


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("share", [0.35, 0.85])
def test_a_run_cut_in_the_middle_of_a_talk_goes_on_as_if_it_had_not_been(tmp_path: Path, history: str, share: float) -> None:
    whole = parlour.run(design(history), tmp_path / "whole.duckdb")
    journal = whole.store.journals / f"{whole.run}.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    store = Store(tmp_path / "cut.duckdb")
    store.journals.mkdir()
    at = int(share * len(lines))
    (store.journals / journal.name).write_bytes(b"".join(lines[:at]) + lines[at][:9])
    assert api.resume(whole.run, store.path).status == "done"
    assert store.rows(PLAYED) == whole.store.rows(PLAYED) and words(store, whole.run) == words(whole.store, whole.run)
    assert verify(store, whole.run).divergence is None


@pytest.mark.parametrize("history", HISTORIES)
def test_a_fork_repeats_what_went_before_and_goes_on_alike(store: str, history: str) -> None:
    origin = parlour.run(design(history), store)
    same = parlour.fork(f"{origin.run}/all", 2 * ROUNDS - 5, store=store)
    assert [{**w, "prompt": ""} for w in words(same.store, same.run)] == [{**w, "prompt": ""} for w in words(origin.store, origin.run)]
    other = parlour.fork(f"{origin.run}/0", 4, 'say:{"prompt_id":"a2"}', times=2, store=store)
    said = [w for w in words(other.store, other.run) if w["verdict"] == "ok"]
    before = [w["words"] for w in words(origin.store, origin.run) if w["episode"] == 0 and w["turn"] < 4 and w["verdict"] == "ok"]
    for copy in (0, 1):
        assert [w["words"] for w in said if w["episode"] == copy and w["turn"] < 4] == before
        assert [w["words"] for w in said if w["episode"] == copy and w["turn"] == 4] == ['{"prompt_id":"a2"}']
    assert all(verify(Store(store), run).divergence is None for run in (same.run, other.run))


def test_a_learner_takes_over_knowing_what_its_predecessor_earned(store: str) -> None:
    """From the seventh round on it plays what UCB1 would have, had it made the first six choices itself."""
    long = {"name": "prompting", "horizon": 12, "noise": "none", "human_means": [[0.9, 0.9], [0.1, 0.1]]}
    origin = parlour.run(design("raw", episodes=1, game=long, seats={"human": "mock", "ai": "strategy"}), store)
    first = [from_json(w["words"])["prompt_id"] for w in words(origin.store, origin.run) if w["role"] == "human" and w["turn"] < 12]
    forked = parlour.fork(f"{origin.run}/0", 12, "seat:human=ucb1", store=store)
    then = [from_json(w["words"])["prompt_id"] for w in words(forked.store, forked.run) if w["role"] == "human" and w["turn"] >= 12]
    n, expected = [first.count("a1"), first.count("a2")], []
    for _ in range(6):
        index = [mean + math.sqrt(2 * math.log(sum(n)) / k) for mean, k in zip((0.9, 0.1), n, strict=True)]
        arm = index.index(max(index))
        n[arm] += 1
        expected.append(f"a{arm + 1}")
    assert then == expected and set(first) == {"a1", "a2"}


@pytest.mark.parametrize("history", HISTORIES)
def test_what_was_told_cannot_be_changed_unnoticed(store: str, history: str) -> None:
    run = parlour.run(design(history, episodes=2), store).run
    assert verify(Store(store), run).divergence is None
    old, new = ('"reward":1.0', '"reward":0.0') if history == "raw" else ('"played":2', '"played":3')
    with duckdb.connect(store) as db:
        changed = db.execute(f"UPDATE ask SET news = replace(news, '{old}', '{new}') WHERE news LIKE '%{old}%'").fetchall()
    found = verify(Store(store), run).divergence
    assert changed[0][0] > 0 and found is not None and found.field == "news", found


@pytest.mark.parametrize("history", HISTORIES)
def test_replay_shows_what_play_showed(store: str, history: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["play", "prompting", "--set", "horizon=3", "--protocol", "prompting", "--with", f"leader_history={history}"]
    assert main([*asked, "--seat", "human=mock", "--seat", "ai=mock", "--store", store]) == 0
    live = capsys.readouterr().out
    assert main(["replay", "0", "--store", store]) == 0
    assert live.startswith(capsys.readouterr().out.rstrip()) and live.count("is asked for") == 6


# --- a person -------------------------------------------------------------------------------------------------------------
def play(lines: list[str], store: str, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    """`parlour play` with a person in the leader's seat, who types some lines."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    return main(["play", "prompting", "--seat", "human=human", "--seat", "ai=strategy", "--store", store, *more])


def test_a_person_prompts_at_the_terminal(store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(["a2", "a3", "a1", "a1"], store, monkeypatch, "--set", "horizon=3") == 0
    out = capsys.readouterr().out
    assert "In the last round you earned 0.5 points." in out and "Please answer with one of a1, a2." in out
    said = [w["words"] for w in words(Store(store), run_of(store)) if w["role"] == "human"]
    assert said == [f'{{"prompt_id": "a{i}"}}' for i in (2, 1, 1)]


def test_a_person_declines_and_reads_a_summary(store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    rules = ("leader_history=summary", "information=response", "decline=true")
    assert play(["a1", "decline", "a2", "accept"], store, monkeypatch, "--set", "horizon=2", "--protocol", "prompting",
                *(x for rule in rules for x in ("--with", rule))) == 0
    out = capsys.readouterr().out
    assert "a1, b1: 1 time(s), -1 points" in out and "Do you accept this response?" in out
    gross = {r["role"]: r["gross"] for r in Store(store).rows("SELECT role, gross FROM payoff")}
    assert gross == pytest.approx({"human": (-1 + 0.5) / 2, "ai": (-1 + 0.3) / 2})


@pytest.mark.parametrize("history", HISTORIES)
def test_a_person_goes_on_another_time(store: str, monkeypatch: pytest.MonkeyPatch, history: str) -> None:
    how = ("--set", "horizon=3", "--protocol", "prompting", "--with", f"leader_history={history}")
    assert play(["a1", "a2", ":later"], store, monkeypatch, *how) != 2
    monkeypatch.setattr("sys.stdin", io.StringIO("a1\n"))
    assert main(["resume", "--store", store]) == 0
    said = [json.loads(w["words"])["prompt_id"] for w in words(Store(store), run_of(store)) if w["role"] == "human"]
    assert said == ["a1", "a2", "a1"] and verify(Store(store), run_of(store)).divergence is None


def run_of(store: str) -> str:
    return str(Store(store).rows("SELECT run FROM run")[0]["run"])


# --- models behind a service that fails -----------------------------------------------------------------------------------
@pytest.mark.parametrize("history", HISTORIES)
def test_both_seats_over_http_with_faults(store: str, monkeypatch: pytest.MonkeyPatch, history: str) -> None:
    """Errors of the service change no move; malformed words come back with a complaint; everything is on record and verifies."""
    monkeypatch.setenv("OPENAI_API_KEY", "for-the-mock")
    moves = []
    for kinds in ((), ("500", "429"), ("500", "malformed")):
        with MockServer(faults=Faults(rate=0.4 if kinds else 0.0, kinds=kinds or ("500",))) as server:
            model = {"agent": "llm", "model": "mock:random:1", "endpoint": server.endpoint, "is_mock": True}
            done = parlour.run(design(history, seats={"human": model, "ai": model}, attempts=20, calls=40, wait=0.0005), store)
            assert done.status == "done" and set(server.met) == set(kinds)
        rows = words(done.store, done.run)
        moves.append([(w["episode"], w["turn"], w["words"]) for w in rows if w["verdict"] == "ok"])
        met = {r["verdict"] for r in rows} | {r["role"] for r in rows if r["verdict"] != "ok"}
        assert met == {"ok"} | ({"error", "human", "ai"} if kinds else set()) | ({"invalid"} if "malformed" in kinds else set())
        assert verify(done.store, done.run).divergence is None
    assert moves[0] == moves[1] and len(moves[0]) == len(moves[2]) == 2 * 2 * ROUNDS

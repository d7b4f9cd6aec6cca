"""Simulation queries: by hand, then over HTTP with fakes whose answers are known, faults, malformed words, a cut run."""
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import parlour
from parlour.agents.faults import WORDS, Faults
from parlour.agents.mock_server import MockServer
from parlour.errors import RulesError
from parlour.experiments import api
from parlour.experiments.design import game_of, protocol_of
from parlour.experiments.plan import spans
from parlour.experiments.seating import seat_one
from parlour.experiments.verify import verify
from parlour.games.base import Left, learned
from parlour.games.leading import Asked, Counts, Tried, Unsure
from parlour.games.persuading import Nature, Policy
from parlour.protocols.base import Ask, Draw, drive
from parlour.protocols.simulation_queries import SimulationQueries
from parlour.transcripts.store import Store

GAME = game_of({"name": "private_persuasion"})
TRIAL = GAME.query(((1.0, 0.0), (0.4, 0.6)), 0)  # type: ignore[attr-defined]
POLICY = GAME.want("sender")(rows=((1.0, 0.0), (0.25, 0.75)))  # type: ignore[call-arg]
STATE = GAME.states()[0][1]  # type: ignore[index]


# --- by hand ------------------------------------------------------------------------------------------------------------
def by_hand(draw: Any = None, **fields: Any) -> tuple[list[Ask | Draw], Any]:
    """Everything that is due where a sender asks as often as she may and the receiver always acts, and the play."""
    due: list[Ask | Draw] = []
    act = GAME.want("receiver")(action="a1")  # type: ignore[call-arg]

    def sender(ask: Ask) -> Any:
        if ask.want.__name__ == "Word":
            return ask.want(message="m2")  # type: ignore[call-arg]
        return TRIAL if ask.optional else POLICY

    protocol = SimulationQueries(**fields)
    chosen = {"draw": draw} if draw else {}
    play = drive(protocol.script(GAME, STATE), {"sender": sender, "simulator": lambda ask: act, "receiver": lambda ask: act},
                 watch=lambda d, answer: due.append(d), **chosen)
    return due, play


def roles(due: list[Ask | Draw]) -> list[str]:
    return [d.role if isinstance(d, Ask) else d.what for d in due]


def news(due: list[Ask | Draw], role: str) -> list[list[str]]:
    return [[type(o).__name__ for o in d.news] for d in due if isinstance(d, Ask) and d.role == role]


def test_adaptive_queries_are_answered_one_by_one() -> None:
    due, play = by_hand(budget=2, price=0.1)
    assert roles(due) == ["sender", "simulator", "sender", "simulator", "sender", "receiver"]
    assert news(due, "sender") == [["Offer", "Left"], ["Tried", "Left"], ["Tried", "Counts"]]
    assert news(due, "simulator") == [["StandIn", "Receiver", "Saw"]] * 2 and all(d.anew for d in due if roles([d]) == ["simulator"])  # type: ignore[union-attr]
    assert play.fees == {"sender": pytest.approx(0.2)} and GAME.payoffs(play) == {"sender": 1.0, "receiver": 1.0}


def test_fixed_queries_are_answered_when_all_are_put() -> None:
    due, play = by_hand(budget=2, adaptive=False, repeats=2, price=0.1)
    assert roles(due) == ["sender", "sender", *["simulator"] * 4, "sender", "receiver"]
    assert news(due, "sender") == [["Offer", "Left"], ["Asked", "Left"], ["Asked", *["Tried"] * 4, "Counts"]]
    assert [o.price for d in due if isinstance(d, Ask) for o in learned(d.news, Left)] == [0.2, 0.2]
    assert play.fees == {"sender": pytest.approx(0.4)}


def test_the_worst_case_of_a_forfeit_counts_all_queries() -> None:
    rules = SimulationQueries(budget=2, repeats=2, price=0.1).rules(GAME)
    assert spans(GAME, rules) == {"sender": (pytest.approx(-0.4), 1.0), "receiver": (-1.0, 1.0)}


def test_a_flip_is_heard_by_the_sender_alone() -> None:
    due, play = by_hand(draw=lambda d: 1 if d.what == "flip" else 0, flip=0.3)
    flips = [d for d in due if isinstance(d, Draw) and d.what == "flip"]
    assert [d.chances for d in flips] == [(0.7, 0.3)]
    heard = [o for d in due if isinstance(d, Ask) for o in learned(d.news, Tried)]
    assert [o.answer.action for o in heard] == ["a2"] and play.all("simulator")[0].action == "a1"


@pytest.mark.parametrize(("fields", "wrong"), [({"flip": 0.3}, 0.3), ({"seat_flip": 0.2}, 0.2), ({"flip": 0.1, "seat_flip": 0.125}, 0.2)])
def test_a_sender_is_told_how_often_answers_are_wrong(fields: dict[str, float], wrong: float) -> None:
    due, _ = by_hand(**fields)
    assert news(due, "sender")[0] == ["Offer", "Unsure", "Left"] and all("Unsure" not in seen for seen in news(due, "simulator"))
    told, = [o for d in due if isinstance(d, Ask) for o in learned(d.news, Unsure)]
    assert told.wrong == pytest.approx(wrong)
    assert all(f"is wrong with chance {w.percent(wrong)}" in told.say(w, "sender") for w in GAME.wordings)


def test_a_sender_who_is_not_bound_learns_the_state_and_says_what_she_likes() -> None:
    due, play = by_hand(budget=0, binding=False)
    assert roles(due) == ["sender", "sender", "receiver"] and play.fees == {"sender": 0.0}
    assert [o.state for d in due if isinstance(d, Ask) for o in learned(d.news, Nature)] == [0]
    assert due[-1].news[-1].move.message == "m2"  # type: ignore[union-attr]


def test_no_query_is_put_or_paid_where_she_passes() -> None:
    seats = {"sender": lambda ask: None if ask.optional else POLICY, "receiver": lambda ask: GAME.want("receiver")(action="a2")}  # type: ignore[call-arg]
    play = drive(SimulationQueries(budget=3, price=1.0).script(GAME, STATE), seats)
    assert play.fees == {"sender": 0.0} and [role for role, _ in play.moves] == ["sender", "nature", "receiver"][:len(play.moves)]


def test_a_query_is_told_apart_from_the_move_that_counts_where_they_are_alike(store: str) -> None:
    """A one-shot prompting game: the human tries a prompt on a copy, then sends one; only that is paid for."""
    game = game_of({"name": "prompting", "horizon": 1, "known": True})
    lead = game.want("human")
    seats = {"human": lambda ask: lead(prompt_id="a1" if ask.optional else "a2"), "ai": lambda ask: ask.want(response_id="b1"),
             "simulator": lambda ask: ask.want(response_id="b2")}
    due: list[Any] = []
    play = drive(SimulationQueries(budget=1).script(game, game.states()[0][1]), seats, watch=lambda d, a: due.append(d))  # type: ignore[index]
    assert game.payoffs(play) == pytest.approx({"human": 0.5, "ai": 0.3}) and learned(due[2].news, Counts)
    assert not learned(due[0].news, Asked)
    design = {"game": {"name": "prompting", "horizon": 1}, "protocol": "simulation_queries", "episodes": 4,
              "seats": {"human": "mock", "ai": "strategy", "simulator": "mock"}}
    assert set(parlour.run(design, store).frame()["status"]) == {"done"}


def test_what_cannot_be_flipped_is_refused() -> None:
    class Wide(type(GAME)):  # type: ignore[misc]  # a game whose receiver answers in words
        def reply(self) -> Any:
            return Policy
    with pytest.raises(RulesError, match="set flip = 0"):
        SimulationQueries(flip=0.1).seats(Wide())


# --- over HTTP ----------------------------------------------------------------------------------------------------------
RULES = protocol_of({"name": "simulation_queries"}, GAME).rules(GAME)
FAKES: dict[str, tuple[str, dict[str, Any]]] = {
    "asker": ("sender", {"agent": "strategy"}), "step": ("simulator", {"agent": "updater"}), "buyer": ("receiver", {"agent": "strategy"}),
    "flips": ("simulator", {"agent": "updater", "flip": 0.2}), "biased": ("simulator", {"agent": "updater", "bias": 2.0}),
    "logit": ("simulator", {"agent": "updater", "slope": 2.0})}


def served(faults: Faults = Faults()) -> MockServer:  # noqa: B008  frozen
    known = {b.name: b for b in GAME.benchmarks(RULES)}
    return MockServer(faults=faults, agents={name: seat_one(GAME, RULES, role, spec, {}, known) for name, (role, spec) in FAKES.items()})


def over_http(server: MockServer, name: str) -> dict[str, Any]:
    return {"agent": "llm", "model": name, "endpoint": server.endpoint, "is_mock": True}


def design(server: MockServer, simulator: str, **more: Any) -> dict[str, Any]:
    return {"name": "asked", "seed": 6, "wait": 0.0, "concurrency": 64, "game": "private_persuasion", "protocol": "simulation_queries",
            "seats": {"sender": over_http(server, "asker"), "simulator": over_http(server, simulator),
                      "receiver": over_http(server, "buyer")}, **more}


def expected(results: Any) -> dict[int, list[float]]:
    """Type -> what the policies chosen in its episodes are worth against it, from rows: chance of a sale given the type."""
    found: dict[int, list[float]] = {0: [], 1: []}
    rows = results.sql("""SELECT e.state -> 'fields' ->> 'type' AS type, a.move -> 'fields' -> 'rows' AS rows
        FROM attempt a JOIN ask USING (run, episode, turn) JOIN episode e USING (run, episode)
        WHERE want = 'Policy' AND a.verdict = 'ok'""")
    for kind, text in zip(rows["type"], rows["rows"], strict=True):
        (good, good_2), (bad, bad_2) = json.loads(text)
        prior, share = (0.2, 0.4)[int(kind)], bad / (bad + bad_2)
        obeys = prior * good / (good + good_2) >= (1 - prior) * share - 1e-9
        found[int(kind)].append((prior + (1 - prior) * share) * obeys)
    return found


def mean(found: dict[int, list[float]]) -> float:
    return sum(0.5 * sum(x) / len(x) for x in found.values())


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("asked")


def test_a_step_over_http_gives_the_value_curve(stores: Path) -> None:
    with served() as server:
        for budget, value in ((0, 0.475), (1, 0.6)):
            made = design(server, "step", protocol={"name": "simulation_queries", "budget": budget}, episodes=12)
            if not budget:
                made["seats"] = {k: {"agent": "strategy"} for k in ("sender", "receiver")}
            assert mean(expected(parlour.run(made, stores / f"curve{budget}.duckdb"))) == pytest.approx(value, abs=1e-9)


def test_faults_over_http_change_no_move(stores: Path) -> None:
    """Services that fail and words that are wrong at first: the moves of seats in process, and repairs that are counted."""
    with served(Faults(rate=0.4, first_tries=2)) as server:
        made = design(server, "step", episodes=20)
        faulty = parlour.run(made, stores / "faults.duckdb")
    seats = {"sender": "strategy", "simulator": "updater", "receiver": "strategy"}
    inside = parlour.run({**made, "seats": seats}, stores / "faults.duckdb")
    moves = "SELECT episode, turn, move FROM attempt WHERE verdict = 'ok' AND run = ? ORDER BY ALL"
    assert faulty.store.rows(moves, [faulty.run]) == faulty.store.rows(moves, [inside.run])
    assert set(faulty.frame()["status"]) == {"done"} and faulty.frame()["repairs"].sum() > 5
    found = verify(faulty.store, faulty.run)
    assert found.divergence is None and found.episodes == 20


def test_malformed_words_in_a_third_of_calls_are_forfeits_and_never_moves(stores: Path) -> None:
    with served(Faults(rate=1 / 3, kinds=WORDS)) as server:
        results = parlour.run(design(server, "step", episodes=32, attempts=2), stores / "malformed.duckdb")
    frame = results.frame()
    assert {"done", "forfeit"} == set(frame["status"])
    assert mean(expected(results)) == pytest.approx(0.6, abs=1e-9), "the policies that were chosen are those of a sound service"


def test_a_simulator_that_flips_costs_what_the_formula_says(stores: Path) -> None:
    """.6 - .325 d for a sender who believes: .535 at d = .2."""
    with served() as server:
        results = parlour.run(design(server, "flips", episodes=80), stores / "flips.duckdb")
    found = expected(results)
    noise = (0.2 * 0.8 / 40) ** 0.5 * ((0.4 - 0.0) ** 2 + (0.8 - 0.55) ** 2) ** 0.5 / 2
    assert mean(found) == pytest.approx(0.535, abs=4 * noise)
    lines = results.table().query("quantity == 'simulator'").set_index("benchmark")
    assert lines["value"]["queries put"] == 1
    assert lines["value"]["threshold of a query, x0 / (x0 + x1)"] == pytest.approx((1 / 6) ** 0.5 / (1 + (1 / 6) ** 0.5))
    line = lines.loc["answers as the ideal follower's"]
    assert line["value"] == pytest.approx(0.8, abs=4 * (0.2 * 0.8 / 80) ** 0.5) and "told the type" in line["note"]
    policy = results.table().query("benchmark == 'stated policy, receivers at their best'").iloc[0]
    assert policy["value"] == pytest.approx(mean(found), abs=0.02), "weights of the states, not of the types alone"


def test_a_bias_falls_off_the_cliff_of_the_low_type(stores: Path) -> None:
    """A simulator who says yes too easily: the low type is offered what he refuses."""
    with served() as server:
        found = expected(parlour.run(design(server, "biased", episodes=8), stores / "bias.duckdb"))
    assert set(found[0]) == {0.0} and found[1] == pytest.approx([0.8] * len(found[1]))


def test_a_noisy_person_is_between(stores: Path) -> None:
    with served() as server:
        found = expected(parlour.run(design(server, "logit", episodes=24), stores / "logit.duckdb"))
    assert {round(x, 9) for x in found[0]} == {0.0, 0.4} and {round(x, 9) for x in found[1]} == {0.55, 0.8}


def test_a_model_that_words_its_own_queries_and_pitches(stores: Path) -> None:
    """The mock knows the form alone: policies, messages and words of its own, over HTTP."""
    with served() as server:
        mock = over_http(server, "mock")
        made = design(server, "step", episodes=16, game={"name": "private_persuasion", "pitches": True}, seats={
            "sender": mock, "simulator": over_http(server, "step"), "receiver": over_http(server, "buyer")})
        results = parlour.run(made, stores / "mock.duckdb")
    assert set(results.frame()["status"]) == {"done"}
    wants = set(results.sql("SELECT want FROM ask WHERE role = 'sender'")["want"])
    assert wants == {"Pitched", "Policy", "Say"}
    texts = results.sql("SELECT move -> 'fields' ->> 'text' AS text FROM attempt JOIN ask USING (run, episode, turn) "
                        "WHERE want = 'Pitched'")
    assert texts["text"].dropna().nunique() > 2


def test_a_run_that_was_cut_goes_on_where_it_stood(stores: Path, tmp_path: Path) -> None:
    with served() as server:
        whole = parlour.run(design(server, "logit", episodes=12, protocol={"name": "simulation_queries", "budget": 2, "flip": 0.1}),
                            stores / "whole.duckdb")
        part = Store(tmp_path / "part.duckdb")
        part.journals.mkdir()
        journal = whole.store.journals / f"{whole.run}.jsonl"
        lines = journal.read_bytes().splitlines(keepends=True)
        (part.journals / journal.name).write_bytes(b"".join(lines[:len(lines) // 2]) + lines[len(lines) // 2][:20])
        assert api.resume(whole.run, part.path).status == "done"
    query = "SELECT episode, turn, words FROM attempt ORDER BY ALL"
    assert part.rows(query) == whole.store.rows(query)
    assert verify(part, whole.run).divergence is None
    shutil.rmtree(part.journals)

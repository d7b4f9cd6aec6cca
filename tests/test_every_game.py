"""What must hold of every registered game: optimal play has no regret, nobody sees what he may not know, no name leaks."""
import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

import parlour
from parlour.agents.strategy import Strategy
from parlour.errors import RulesError
from parlour.experiments.design import game_of, make_design, protocol_of
from parlour.experiments.seating import seat_all
from parlour.games.base import NATURE, Game, Role, State
from parlour.protocols.base import Protocol
from parlour.protocols.codec import schema
from parlour.protocols.seat import Agent, Reply, Seating, Turn
from parlour.protocols.session import Event, Session, seed_of
from parlour.registry import modules

GAMES = list(modules("games"))
GOLDEN = Path(__file__).parent / "golden"

PROTOCOLS: list[dict[str, Any]] = [
    {"name": "silent"}, {"name": "advice"}, {"name": "advice", "max_queries": 3},
    {"name": "advice", "max_queries": 2, "reports": "same"}, {"name": "advice", "charge": "character", "price": 0.01},
    {"name": "cheap_talk", "rounds": 2, "then": "silent"}, {"name": "cheap_talk", "then": "advice"},
    {"name": "prompting"}, {"name": "prompting", "leader_history": "summary", "follower_history": "summary", "price": 0.1},
    {"name": "prompting", "information": "response", "decline": True, "leader_history": "summary"},
    {"name": "prompting", "information": "both"}, {"name": "prompting", "information": "central"},
    {"name": "text_contract"}, {"name": "text_contract", "chooses": "after"}, {"name": "negotiated_contract", "rounds": 1},
    {"name": "repeated_contract", "rounds": 2, "revealed": True},
    {"name": "menu_contract"},
    {"name": "written_prompting"}, {"name": "written_prompting", "writer": True, "information": "own", "leader_history": "summary"},
    {"name": "written_prompting", "information": "both", "decline": True, "price": 0.1, "follower_history": "summary"},
    {"name": "simulation_queries"},
    {"name": "simulation_queries", "budget": 2, "adaptive": False, "price": 0.02},
]
COUNTS = ([25, 27, 6, 1, 0, 7, 8, 18, 22, 46], [27, 22, 2, 0, 1, 7, 9, 8, 27, 57], [15, 30, 3, 1, 1, 6, 10, 12, 19, 63])
MTBENCH = [[n / 160 for n in row] for row in COUNTS]
"""Chances of the scores 1 to 10 under three models."""
INSTANCES: dict[str, list[dict[str, Any]]] = {
    "survey": [{}, {"kind": "number", "questions": [{"key": "a", "text": "How many?", "isomorph": "What number?", "median": 9.0,
                                                     "iqr": 2.0}]}],
    "announced_policy": [{}, {"task": "judge"}, {"task": "act_on", "gain": 2.0}],
    "persuasion": [{}, {"prior": [0.2, 0.3, 0.5], "sender_utility": [[1, 0]] * 3, "receiver_utility": [[1, 0], [-0.25, 0], [-1, 0]],
                        "pitches": True},
                   {"prior": [0.4, 0.35, 0.25], "sender_utility": [[0.9, 0.1, 0.5], [0.6, 0.5, 0.8], [0.2, 0.4, 0.9]],
                    "receiver_utility": [[0.5, 0.9, 0.2], [0.6, -0.9, 0.7], [0.8, 0.1, 0.4]], "radius": 0.3},
                   {"prior": [0.5, 0.5], "sender_utility": [[0, 1, 2]] * 2, "receiver_utility": [[0, -0.75, 0.25], [0, 0.25, -0.75]]}],
    "email": [{}, {"prior": 0.8, "harm": 3.0}, {"accuracy": 0.6, "thinking_cost": 8.0, "ask_cost": 0.25}, {"accuracy": 0.2},
              {"prior": 1.0}, {"ai_interest": "agree"}],
    "battle_of_the_sexes": [{}, {"informed": "both_common"}, {"informed": "row"}, {"informed": "both_private"},
                            {"informed": "both_private", "accuracy": 1.0}, {"weather": [0.5, 1.5], "chance_high": 0.7}],
    "first_price_auction": [{}, {"bidders": 3, "reserve": 0.2, "risk": 0.5}, {"signal": "exact"}, {"signal": "binary"},
                            {"signal": "mixture"}, {"signal": "exact", "informed": "all", "bidders": 3}],
    "prompting": [{"horizon": 3}, {"known": True, "horizon": 1}, {"human_means": [[0.9, 0.1], [0.5, 0.4]], "horizon": 2,
                   "ai_means": [[0.5, 0.5], [0.3, 0.2]], "known": True},
                  {"human_means": [[10, 5, -1], [-1, -1, 8]], "ai_means": [[9.1, 8.9, -1], [-1, -1, 10]], "tolerance": 1, "horizon": 2}],
    "text_contract": [{}, {"objective": "budget", "rewards": [0, 3.2025], "participation": True},
                      {"outcome_probabilities": [[0.5, 0.3, 0.2], [0.3, 0.4, 0.3], [0.1, 0.35, 0.55]], "costs": [0, 0.45, 1],
                       "shape": "monotone", "objective": "deviation", "margin": 0.05, "costs_known": False},
                      {"outcome_probabilities": [[1, 0, 0], [0, 0, 1], [0.5, 0, 0.5]], "costs": [0, 0.2, 1], "shape": "threshold",
                       "rewards": [0, 2.5, 5]}, {"outcome_probabilities": MTBENCH, "shape": "monotone"},
                      {"outcome_probabilities": MTBENCH, "objective": "deviation"}],
    "delegated_classification": [{}, {"accuracies": [0.5, 0.8], "costs": [0, 1], "test_size": 3},
                                 {"curve": [1, 1.9, 0.33], "costs": [0, 64, 256], "test_size": 4, "participation": True, "budget": 900,
                                  "pilot": [[16, 0.24], [32, 0.4], [64, 0.52]]}],
    "adaptive_contract": [{}, {"rewards": [0, 2], "participation": True},
                          {"coarse": [[0.6, 0.4], [0.3, 0.7]], "fine": [[0.7, 0.3], [0.2, 0.8]], "costs": [0, 1],
                           "inspection_cost": [0.1, 2]}],
    "engagement_breaks": [{}, {"beta": [0.04, 0.09, 0.16, 0.25], "told": "logs", "break_probability": 0.1},
                          {"logs": [[11, 13, 12, 12.5]]}],
    "screened_contract": [{}, {"kind_chances": [0.2, 0.8]}, {"outcome_probabilities": [[0.8, 0.1, 0.1], [0, 0.8, 0.2], [0.4, 0.2, 0.4]],
                                                            "kind_costs": [[0, 1.0, 0.2], [0, 0.5, 0.5]]}],
    "prompted_contract": [{}, {"objective": "budget", "rewards": [0.0, 6.0]}, {"task_chances": [0.8, 0.2], "target": 1}],
    "written_prompting": [{"horizon": 1}, {"briefs": ["One.", ["Two.", "Two, in other words."]], "styles": [], "levels": 2,
                                           "human_means": [[0.25], [0.6]], "ai_means": [[1], [0]]},
                          {"own": 80, "longest": 200, "known": True, "horizon": 1}],
    "private_persuasion": [{}, {"beliefs": [0.1, 0.2, 0.3, 0.4], "weights": [0.3, 0.2, 0.3, 0.2], "odds": [0.5, 0.2, 1.7, 0.5]},
                           {"beliefs": [0.1, 0.3, 0.4], "weights": [0.6, 0.2, 0.2], "partitions": [[0, 1, 0], [0, 0, 1]]},
                           {"beliefs": [[0.2, 0.3, 0.5], [0.5, 0.3, 0.2]], "sender_utility": [[0, 1, 3], [0, 1, 2], [0, 1, 2]],
                            "receiver_utility": [[[0, 2, 3], [0, 1, -1], [0, -2, -3]]]}],
    "second_price_auction": [{}, {"bidders": 4, "reserve": 0.3}, {"signal": "exact"}, {"signal": "binary"}],
}
"""Instances beyond the defaults, on which the tests of this file are repeated. A new game is tested on its defaults at once."""


def tables(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any], Game, Protocol]]:
    """Every instance of a game with every protocol that admits it."""
    for fields in INSTANCES.get(name, [{}]):
        game = game_of({"name": name, **fields})
        for spec in PROTOCOLS:
            try:
                protocol = protocol_of(spec, game)
                protocol.seats(game)
                rules = protocol.rules(game)
                game.admit(rules)
            except RulesError:
                continue
            yield fields, spec, game, protocol


@pytest.mark.parametrize("name", GAMES)
def test_optimal_play_has_no_regret(name: str, store: str) -> None:
    """Words, session, DuckDB, scorer: the mean net payoff is the benchmark's value; exactly where states are finite."""
    arms, expected = [], {}
    for i, (fields, spec, game, protocol) in enumerate(tables(name)):
        for b in game.benchmarks(protocol.rules(game)):
            if b.exists and b.kind != "bound":
                arm = f"{i} {b.name}"
                arms.append({"name": arm, "game": {"name": name, **fields}, "protocol": spec,
                             "seats": {r: {"agent": "strategy", "benchmark": b.name} for r in protocol.seats(game)}})
                expected[arm] = (game, b)
    assert arms, "no benchmark with a strategy"
    exact = game_of({"name": name}).states() is not None
    results = parlour.run({"name": "optimal", "seed": 5, "episodes": "exact" if exact else 150, "arms": arms}, store)
    found = {(s["arm"], s["role"]): s for s in results.table().to_dict("records") if s["quantity"] == "payoff"}
    for arm, (game, b) in expected.items():
        for key, value in b.value.items():
            members = [found[arm, role] for role in game.members(key) if (arm, role) in found]
            mean = sum(m["value"] for m in members) / len(members)
            if exact:
                assert mean == pytest.approx(value, abs=1e-9), (arm, key)
            else:
                half = max(m["high"] - m["low"] for m in members) / 2
                assert abs(mean - value) <= 2.3 * half + 1e-9, (arm, key, mean, value, half)
    frame = results.frame()
    assert (frame["status"] == "done").all()
    if exact:  # over all that may come last, what is expected of the moves is what they were paid
        sums = frame[["net", "mean"]].mul(frame["weight"], axis=0).groupby([frame["arm"], frame["role"]]).sum()
        assert sums["mean"].to_numpy() == pytest.approx(sums["net"].to_numpy(), abs=1e-9)


class Reader(Agent):
    """Reads every ask in words before another agent answers it."""
    inner: Any
    seen: Any

    async def reply(self, turn: Turn) -> Reply:
        self.seen.append((turn.role, turn.text))
        return await self.inner.reply(turn)


def played(game: Game, protocol: Protocol, seats: dict[Role, Agent], state: State, wording: int = 0,
           seed: int = 1) -> tuple[list[tuple[Role, str]], list[Event]]:
    """Every ask in words, and the events, of one session."""
    seen: list[tuple[Role, str]] = []
    events: list[Event] = []
    session = Session(protocol.script(game, state), {r: Reader(inner=a, seen=seen) for r, a in seats.items()},
                      dict.fromkeys(seats, game.wordings[wording]), lambda role, turn: seed_of(seed, role, turn), events.append)
    assert asyncio.run(session.play()).status == "done"
    return seen, events


def optimal(game: Game, protocol: Protocol) -> dict[Role, Agent]:
    return seat_all(game, protocol, {r: {"agent": "strategy"} for r in protocol.seats(game)}, {})


def some_states(game: Game) -> list[State]:
    states = game.states()
    return [s for _, s in states] if states is not None else [game.sample(Random(i)) for i in range(8)]


@pytest.mark.parametrize("name", GAMES)
def test_nobody_sees_what_he_may_not_know(name: str) -> None:
    """States that a role observes alike give it the same asks, in every wording, until something else is revealed to it."""
    compared = 0
    for _, _, game, protocol in tables(name):
        for wording in range(len(game.wordings)):
            talks = [(state, talked(game, protocol, state, wording)) for state in some_states(game)]
            compared += sum(compare(game, one, two) for one in talks for two in talks)
    assert compared > 0


Talk = list[tuple[Role, str]]


def talked(game: Game, protocol: Protocol, state: State, wording: int) -> Talk:
    """What is said to whom where seats' words depend on nothing; draws are the same in every state."""
    seats: dict[Role, Agent] = {r: Blind() for r in protocol.seats(game)}
    return played(game, protocol, seats, state, wording)[0]


def compare(game: Game, one: tuple[State, Talk], two: tuple[State, Talk]) -> int:
    """The number of asks compared of roles that observe two states alike."""
    compared = 0
    for role in game.players():
        if game.observe(role, one[0]) == game.observe(role, two[0]):
            mine, yours = ([text for r, text in talk if r == role] for _, talk in (one, two))
            assert mine == yours, f"{role} can tell {one[0]} from {two[0]}"
            compared += len(mine)
    return compared


class Blind(Agent):
    """Always asks, and always answers the first option (or the number 0.25), whatever it was told."""

    async def reply(self, turn: Turn) -> Reply:
        from pydantic_core import to_json
        wanted = schema(turn.ask.want, turn.wording, turn.ask.optional)
        if wanted is None:
            return Reply("Good day.")
        data = {k: answer(v) for k, v in wanted["properties"].items() if k not in ("reasoning", "pass")}
        return Reply(to_json(data).decode())


def answer(node: dict[str, Any]) -> Any:
    if "enum" in node:
        return node["enum"][0]
    kind = node["type"] if isinstance(node["type"], str) else node["type"][0]
    if kind == "array":
        return [answer(node["items"])] * int(re.search(r"\d+", node["description"])[0])  # type: ignore[index]
    return {"number": 0.25, "integer": 1, "string": "?", "boolean": True}[kind]


@pytest.mark.parametrize("name", GAMES)
def test_no_name_of_the_game_reaches_a_prompt(name: str) -> None:
    """Neither the registered name nor a textbook name: a model shall read the game, not remember it."""
    names = [name, name.replace("_", " "), *game_of({"name": name}).textbook]
    for _, _, game, protocol in tables(name):
        for wording in range(len(game.wordings)):
            for _, text in played(game, protocol, optimal(game, protocol), some_states(game)[0], wording)[0]:
                for word in names:
                    assert not re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE), f"'{word}' in: {text}"


@pytest.mark.parametrize("name", GAMES)
def test_wordings_are_complete_isomorphs(name: str) -> None:
    game = game_of({"name": name})
    assert len(game.wordings) >= 2 and len({w.name for w in game.wordings}) == len(game.wordings)
    for w in game.wordings:
        assert w.texts.keys() == game.wordings[0].texts.keys()
        assert len(set(w.labels.values())) == len(w.labels), f"labels of {w.name} are not one to one"


@pytest.mark.parametrize("name", GAMES)
def test_play_is_the_same_in_every_wording(name: str) -> None:
    """Optimal seats understand every wording: same moves, whatever the words."""
    for _, _, game, protocol in tables(name):
        for state in some_states(game)[:3]:
            moves = [[e["move"] for e in played(game, protocol, optimal(game, protocol), state, w)[1] if e["k"] == "reply"]
                     for w in range(len(game.wordings))]
            assert all(m == moves[0] for m in moves[1:])


@pytest.mark.parametrize("name", GAMES)
def test_payoffs_lie_within_their_bounds_and_cover_every_role(name: str) -> None:
    for fields, spec, game, protocol in tables(name):
        design = make_design({"episodes": 12, "seed": 3, "game": {"name": name, **fields}, "protocol": spec,
                              "seats": dict.fromkeys(protocol.seats(game), "random")})
        seats = seat_all(game, protocol, design.arms[0].seats, {})
        for i, state in enumerate(some_states(game)):
            session = Session(protocol.script(game, state), seats, dict.fromkeys(seats, game.wordings[0]),
                              lambda role, turn, i=i: seed_of(i, role, turn), lambda e: None)
            play = asyncio.run(session.play()).play
            assert play is not None
            paid = game.payoffs(play)
            assert paid.keys() == set(game.roles()) and game.means(play).keys() == paid.keys()
            for role, amount in paid.items():
                low, high = game.bounds(role)
                assert low - 1e-9 <= amount <= high + 1e-9, (role, amount, low, high)


@pytest.mark.parametrize("name", GAMES)
def test_benchmarks_are_an_interface(name: str) -> None:
    """Names are unique, values speak of roles or groups, what does not exist has a reason, sources are given."""
    for _, _, game, protocol in tables(name):
        found = game.benchmarks(protocol.rules(game))
        assert len({b.name for b in found}) == len(found) > 0
        for b in found:
            assert all(set(game.members(k)) <= set(game.roles()) for k in b.value)
            assert b.source and (b.exists or b.note)
            if b.exists and b.kind != "bound":
                assert all(callable(game.strategy(b.name, r, protocol.rules(game))) for r in protocol.seats(game))


@pytest.mark.parametrize("name", GAMES)
def test_golden_play(name: str, request: pytest.FixtureRequest) -> None:
    """One play of every wording, for a person to read: all words, draws and payoffs."""
    text = golden(name)
    path = GOLDEN / f"{name}.txt"
    if request.config.getoption("--write-goldens"):
        path.write_text(text)
    assert path.exists(), "no golden play: run pytest --write-goldens, then read it"
    assert path.read_text() == text


def golden(name: str) -> str:
    lines = []
    fields = next((f for f in INSTANCES.get(name, [{}]) if game_of({"name": name, **f}).advisers()), {})
    game = game_of({"name": name, **fields})
    protocol = protocol_of({"name": ""}, game)
    state = game.sample(Random(1))
    for w, wording in enumerate(game.wordings):
        lines += [f"=== {name} {fields}, wording {wording.name}, state {state}"]
        asked, events = played(game, protocol, optimal(game, protocol), state, w)
        prompts = iter(asked)
        for e in events:
            if e["k"] == "draw":
                lines.append(f"[{e['t']}] {NATURE} draws {e['what']}: {e['draw']}")
            elif e["k"] == "reply":
                role, text = next(prompts)
                lines += [f"[{e['t']}] to {role}:", *(f"    {x}" for x in text.splitlines()), f"  {role}: {e['words']}"]
    for b in game.benchmarks(protocol.rules(game)):
        values = {k: None if v is None else round(v, 9) for k, v in b.value.items()}
        measures = {k: None if v is None else round(v, 9) for k, v in b.measures.items()}
        lines.append(f"{b.kind} {b.name}: {values} {measures} {b.note}".rstrip())
    return "\n".join(lines) + "\n"


def test_no_golden_is_left_over() -> None:
    assert {p.stem for p in GOLDEN.glob("*.txt")} == set(GAMES)


def test_a_strategy_seat_needs_a_seating() -> None:
    with pytest.raises(Exception, match=r"\S"):
        Strategy().bind(Seating(role="human"))

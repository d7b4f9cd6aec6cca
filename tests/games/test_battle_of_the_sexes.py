"""Two who want to meet: reference numbers, brute force, play that attains the values, prompts that do not leak."""
import json
import re
from itertools import product
from math import prod
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from parlour.errors import FieldError, RulesError, UnknownName
from parlour.games.base import SLACK, Left, Play, Query, Rules, Saw, Say
from parlour.games.battle_of_the_sexes import BattleOfTheSexes, Choice, Note, Report, Weather
from parlour.protocols.advice import Advice
from parlour.protocols.base import Ask, drive
from parlour.protocols.codec import read, render, write
from parlour.protocols.silent import Silent
from parlour.registry import build

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "weather.json").read_text())["weather"]
GAMES = [v for v in VECTORS if v["kind"] == "weather"]
INFORMED = ("none", "row", "both_common", "both_private")
ONCE = Rules.of(queries=1)


def game_of(given, **changes):
    fields = {"opera": (given["a_row"], given["a_col"]), "football": (given["b_row"], given["b_col"]),
              "weather": (given["w_lo"], given["w_hi"]), "chance_high": given["rho"], "accuracy": given.get("q", 0.9)}
    return BattleOfTheSexes(**(fields | changes))


def solved(game, rules=None):
    return {b.name: b for b in game.benchmarks(rules or game.usual_rules)}


def listed(game):
    """Plans -> values of the pure equilibria."""
    return {name.removeprefix("equilibrium "): pytest.approx((b.value["row"], b.value["column"]), abs=1e-9)
            for name, b in solved(game).items() if name.startswith("equilibrium ")}


# --- reference numbers ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("vector", GAMES)
@pytest.mark.parametrize("key, changes", [("no_AI(expected_w)", {}), ("w_lo", {"chance_high": 0}),
                                          ("w_hi", {"chance_high": 1})])
def test_without_ai(vector, key, changes):
    found, expected = solved(game_of(vector["input"], **changes)), vector["expected"][key]
    assert [n for n in found if n.startswith("equilibrium ")] == [f"equilibrium {p[0]}/{p[1]}" for p in expected["pure"]]
    mixed, e = found["mixed_equilibrium"], expected["mixed"]
    if e is None:
        assert not mixed.exists and mixed.value == {"row": None, "column": None} and "sign" in mixed.note
        assert set(mixed.measures.values()) == {None}
    else:
        assert (mixed.value["row"], mixed.value["column"]) == pytest.approx((e["u_row"], e["u_col"]), abs=1e-9)
        assert mixed.measures["row_opera"] == pytest.approx(e["x_row_opera"], abs=1e-9)
        assert mixed.measures["column_opera"] == pytest.approx(e["y_col_opera"], abs=1e-9)


@pytest.mark.parametrize("vector", GAMES)
def test_best(vector):
    e, given = vector["expected"], vector["input"]
    alone = solved(game_of(given))["best_equilibrium"]
    assert alone.measures["sum"] == pytest.approx(e["best_NE_welfare_noAI"], abs=1e-9)
    perfect = solved(game_of(given, informed="both_common", accuracy=1))["best_equilibrium"]
    assert perfect.measures["sum"] == pytest.approx(e["best_NE_welfare_perfect_AI_both"], abs=1e-9)
    assert list(perfect.value.values()) == pytest.approx(e["payoffs_best_NE_perfect_AI_both"], abs=1e-9)
    common = solved(game_of(given, informed="both_common"))["best_equilibrium"]
    assert common.measures["sum"] == pytest.approx(e["common_signal_best_welfare"], abs=1e-9)
    assert list(common.value.values()) == pytest.approx(e["common_signal_payoffs"], abs=1e-9)


@pytest.mark.parametrize("vector", GAMES)
@pytest.mark.parametrize("key, changes", [("private_iid_signals_pure_BNE", {"informed": "both_private"}),
                                          ("only_row_informed_pure_BNE", {"informed": "row", "accuracy": 1})])
def test_pure_with_reports(vector, key, changes):
    found = listed(game_of(vector["input"], **changes))
    expected = {f"{e['row']}/{e['col']}": (e["u_row"], e["u_col"]) for e in vector["expected"][key]}
    assert list(found) == list(expected)
    assert expected == found


def test_thresholds():
    vector, = (v for v in VECTORS if v["kind"] == "weather_thresholds")
    least, even = (vector["expected"][k] for k in ("q_min_follow_own_signal_is_BNE",
                                                   "q_where_private_signal_welfare_equals_noAI"))
    assert "OF/OF" in listed(game_of(vector["input"], informed="both_private", accuracy=least + 1e-7))
    assert "OF/OF" not in listed(game_of(vector["input"], informed="both_private", accuracy=least - 1e-7))
    private = solved(game_of(vector["input"], informed="both_private", accuracy=even))["equilibrium OF/OF"]
    alone = solved(game_of(vector["input"]))["best_equilibrium"]
    assert private.measures["sum"] == pytest.approx(alone.measures["sum"], abs=1e-9)


# --- brute force ----------------------------------------------------------------------------------------------------------
NUMBER = st.one_of(st.integers(-2, 10).map(float), st.floats(-2, 10).map(lambda x: round(x, 3)))
POSITIVE = st.floats(0.5, 10).map(lambda x: round(x, 3))
CHANCE = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0.01, 0.99).map(lambda x: round(x, 3)))


@st.composite
def any_game(draw, amounts=NUMBER):
    pairs = st.tuples(amounts, amounts)
    return BattleOfTheSexes(opera=draw(pairs), football=draw(pairs), weather=tuple(sorted(draw(pairs))),
                            chance_high=draw(CHANCE), accuracy=draw(CHANCE), informed=draw(st.sampled_from(INFORMED)))


def plans_of(game, role):
    return ["".join(p) for p in product("OF", repeat=2 if role in game.advisers() else 1)]


def worth(game, row, column):
    """Expected payoffs of two plans, from the game's own states, notes and payoffs."""
    total = {"row": 0.0, "column": 0.0}
    ais = list(dict.fromkeys(game.advisers().values()))
    for p, state in game.states():
        for notes in product(*(game.notes(ai, state) for ai in ais)):
            said = {ai: note.weather for ai, (_, note) in zip(ais, notes, strict=True)}
            moves = [(role, Choice(action=plan[("low", "high").index(said[game.advisers()[role]]) if len(plan) == 2 else 0]))
                     for role, plan in (("row", row), ("column", column))]
            paid = game.payoffs(Play(state=state, moves=tuple(moves)))
            chance = p * prod(q for q, _ in notes)
            total = {r: v + chance * paid[r] for r, v in total.items()}
    return total["row"], total["column"]


@given(any_game())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_pure_equilibria_are_those_without_gain(game):
    rows, columns = plans_of(game, "row"), plans_of(game, "column")
    table = {(x, y): worth(game, x, y) for x, y in product(rows, columns)}
    gain = {(x, y): max(max(table[z, y][0] for z in rows) - u, max(table[x, z][1] for z in columns) - v)
            for (x, y), (u, v) in table.items()}
    assume(all(g < SLACK / 10 or g > 10 * SLACK for g in gain.values()))
    expected = {f"{x}/{y}": table[x, y] for (x, y), g in gain.items() if g <= SLACK}
    assert list(listed(game)) == list(expected)
    assert expected == listed(game)
    best = solved(game)["best_equilibrium"]
    assert best.exists == bool(expected)
    if expected:
        assert sum(best.value.values()) == pytest.approx(max(map(sum, expected.values())), abs=1e-8)


@given(any_game())
@settings(derandomize=True, max_examples=40, deadline=None)
def test_mediation_is_at_least_as_good_as_every_equilibrium(game):
    found = solved(game)
    for b in found.values():
        if b.exists:
            assert b.measures["sum"] == pytest.approx(sum(b.value.values()), abs=1e-9)
            assert b.measures["sum"] <= found["correlated"].measures["sum"] + 1e-7
            assert all(-1e-9 <= b.measures[k] <= 1 + 1e-9 for k in ("coordination", "row_opera", "column_opera"))
    assert found["correlated"].kind == "bound"


def test_mediation_pools_what_the_two_know():
    """Private reports: where the two disagree nothing is known; following both when they agree is worth .82 and .18."""
    game = BattleOfTheSexes(informed="both_private")
    pooled = 0.41 * 19 + 0.18 * 19 + 0.41 * 19 * 2 * 0.81 / 0.82
    assert solved(game)["correlated"].measures["sum"] == pytest.approx(pooled, abs=1e-9)
    assert solved(game)["correlated"].measures["coordination"] == pytest.approx(1, abs=1e-9)


@given(any_game(POSITIVE))
@settings(derandomize=True, max_examples=40, deadline=None)
def test_nobody_gains_from_leaving_the_mixed_one(game):
    mixed = solved(game)["mixed_equilibrium"]
    assume(mixed.exists)
    for role, other in (("row", "column"), ("column", "row")):
        plan = tuple(chances(game, "mixed_equilibrium", other, s) for s in range(len(plans_of(game, other)[0])))
        best = max(blended(game, role, mine, plan) for mine in plans_of(game, role))
        assert mixed.value[role] == pytest.approx(best, abs=1e-7)


def chances(game, benchmark, role, signal):
    """Chance of O after a report, read off the strategy."""
    ai = game.advisers().get(role)
    report = (Saw(role=ai, move=Report(report=("low", "high")[signal])),) if ai else ()
    return sum(p for p, move in game.strategy(benchmark, role, ONCE)(report, Choice) if move.action == "O")


def blended(game, role, mine, plan):
    """Expected payoff of a pure plan against chances of O after each report."""
    total = 0.0
    for letters in product("OF", repeat=len(plan)):
        p = 1.0
        for letter, chance in zip(letters, plan, strict=True):
            p *= chance if letter == "O" else 1 - chance
        pair = (mine, "".join(letters)) if role == "row" else ("".join(letters), mine)
        total += p * worth(game, *pair)[0 if role == "row" else 1]
    return total


# --- play attains the values ----------------------------------------------------------------------------------------------
class Branch:
    """One path through all choices; `rest` holds the paths still to be tried."""

    def __init__(self, path):
        self.path, self.made, self.weight, self.rest = path, [], 1.0, []

    def choose(self, chances):
        k = self.path[len(self.made)] if len(self.made) < len(self.path) else 0
        if len(self.made) >= len(self.path):
            self.rest += [[*self.made, i] for i in range(1, len(chances))]
        self.made.append(k)
        self.weight *= chances[k]
        return k


def expected(game, protocol, strategies):
    """Mean payoffs net of fees over all states, draws and mixed moves."""
    total = dict.fromkeys(game.players(), 0.0)
    for p, state in game.states():
        paths = [[]]
        while paths:
            branch, known = Branch(paths.pop()), {}

            def act(ask, branch=branch, known=known):
                known[ask.role] = known.get(ask.role, ()) + ask.news
                mixed = strategies[ask.role](known[ask.role], ask.want)
                return mixed[branch.choose([q for q, _ in mixed])][1]

            play = drive(protocol.script(game, state), dict.fromkeys(strategies, act),
                         draw=lambda d, branch=branch: branch.choose(d.chances))
            paths += branch.rest
            for r in total:
                total[r] += p * branch.weight * (game.payoffs(play)[r] - play.fees.get(r, 0.0))
    return total


INSTANCES = [{}, {"accuracy": 1.0}, {"accuracy": 0.62, "chance_high": 0.7}, {"accuracy": 0.2},
             {"opera": (1, 4), "football": (4, 1)}, {"chance_high": 1.0}, {"weather": (0.5, 1.5), "opera": (2, 1)}]


@pytest.mark.parametrize("informed", INFORMED)
@pytest.mark.parametrize("fields", INSTANCES)
def test_play_attains_every_value(informed, fields):
    game = BattleOfTheSexes(informed=informed, **fields)
    for protocol in [Advice()] + ([Silent()] if informed == "none" else [Advice(max_queries=3, reports="same")]):
        rules, attained = protocol.rules(game), 0
        for b in game.benchmarks(rules):
            if b.kind == "bound" or not b.exists:
                continue
            strategies = {r: game.strategy(b.name, r, rules) for r in protocol.seats(game)}
            assert expected(game, protocol, strategies) == pytest.approx(b.value, abs=1e-9)
            attained += 1
        assert attained >= 2


def test_questions_are_asked_only_if_the_plan_uses_the_report():
    game = BattleOfTheSexes(informed="both_common")
    for name, asks in (("equilibrium OO/OO", False), ("equilibrium OF/OF", True), ("mixed_equilibrium", True)):
        (p, move), = game.strategy(name, "row", ONCE)((), Query)
        assert p == 1 and isinstance(move, Query) == asks
    told = (Saw(role="ai", move=Report(report="low")),)
    assert game.strategy("equilibrium OF/OF", "row", ONCE)(told, Query) == ((1.0, None),)
    assert game.strategy("equilibrium OF/OF", "row", ONCE)((), Say) == ((1.0, None),)
    assert game.strategy("equilibrium OF/OF", "ai", ONCE)((Note(weather="high", accuracy=0.9),), Report) == (
        (1.0, Report(report="high")),)


# --- rules ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("informed", INFORMED[1:])
def test_without_questions_an_informed_game_is_refused(informed):
    game = BattleOfTheSexes(informed=informed)
    with pytest.raises(RulesError, match=r"^[^\n]*advice[^\n]*max_queries[^\n]*$"):
        game.benchmarks(Silent().rules(game))


@pytest.mark.parametrize("rules, equilibrium, asking, best", [
    (Rules.of(queries=1), "equilibrium", "equilibrium", "equilibrium"),
    (Rules.of(queries=2, independent=False), "equilibrium", "equilibrium", "equilibrium"),
    (Rules.of(queries=1, talk=2), "equilibrium", "equilibrium", "equilibrium"),
    (Rules.of(queries=1, price=0.5), "equilibrium", "bound", "bound"),
    (Rules.of(queries=2, independent=True), "bound", "bound", "bound"),
])
def test_under_other_rules_a_solution_is_a_bound(rules, equilibrium, asking, best):
    game = BattleOfTheSexes(informed="both_private")
    found, plain = solved(game, rules), solved(game, ONCE)
    assert {n: b.value for n, b in found.items()} == {n: b.value for n, b in plain.items()}
    assert (found["equilibrium OO/OO"].kind, found["equilibrium OF/OF"].kind, found["best_equilibrium"].kind) == (
        equilibrium, asking, best)
    assert ("one free report" in found["equilibrium OF/OF"].note) == (asking == "bound")
    assert ("talk" in found["best_equilibrium"].note) == bool(rules.get("talk"))


def test_a_price_does_not_pay_for_deviations_from_plans_that_ask_nothing():
    """Under a price OO/OO is still played and still worth its value."""
    game, protocol = BattleOfTheSexes(informed="both_private"), Advice(charge="message", price=0.25)
    rules = protocol.rules(game)
    b = solved(game, rules)["equilibrium OO/OO"]
    strategies = {r: game.strategy(b.name, r, rules) for r in protocol.seats(game)}
    assert b.kind == "equilibrium" and expected(game, protocol, strategies) == pytest.approx(b.value, abs=1e-9)


def test_names_without_a_strategy():
    game = BattleOfTheSexes(weather=(0, 0))
    for name, why in (("correlated", "mediator"), ("mixed_equilibrium", "mean weather"),
                      ("equilibrium O/F", "not an equilibrium")):
        with pytest.raises(UnknownName, match=why):
            game.strategy(name, "row", Rules.of(queries=0))


def test_no_pure_equilibrium_is_said():
    best = solved(BattleOfTheSexes(opera=(10, -9), football=(9, -10)))["best_equilibrium"]
    assert not best.exists and "no pure equilibrium" in best.note


def test_fields_are_checked():
    with pytest.raises(FieldError, match=r"weather: low \(2\) must not exceed high \(0\)"):
        build("games", "battle_of_the_sexes", {"weather": [2, 0]})
    with pytest.raises(FieldError, match="chance_high"):
        build("games", "battle_of_the_sexes", {"chance_high": 1.5})
    with pytest.raises(FieldError, match="informed"):
        build("games", "battle_of_the_sexes", {"informed": "both"})


# --- payoffs --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("row, column, weather, paid", [
    ("O", "O", "low", (10, 9)), ("O", "O", "high", (10, 9)), ("F", "F", "low", (0, 0)), ("F", "F", "high", (18, 20)),
    ("O", "F", "high", (0, 0)), ("F", "O", "low", (0, 0))])
def test_payoffs(row, column, weather, paid):
    game = BattleOfTheSexes(informed="both_private")
    moves = (("ai_row", Report(report="low")), ("ai_row", Report(report="high")), ("row", Choice(action=row)),
             ("column", Choice(action=column)))
    play = Play(state=Weather(weather=weather), moves=moves)
    assert game.payoffs(play) == {"row": paid[0], "column": paid[1], "ai_row": float(weather == "high"), "ai_column": 0.0}


@given(any_game(), st.sampled_from("OF"), st.sampled_from("OF"))
@settings(derandomize=True, max_examples=40, deadline=None)
def test_payoffs_are_within_bounds(game, row, column):
    for _, state in game.states():
        paid = game.payoffs(Play(state=state, moves=(("row", Choice(action=row)), ("column", Choice(action=column)))))
        assert set(paid) == set(game.roles())
        for role, amount in paid.items():
            low, high = game.bounds(role)
            assert low <= amount <= high


# --- people ---------------------------------------------------------------------------------------------------------------
def test_heeding_and_not_heeding():
    game = BattleOfTheSexes(informed="both_common", chance_high=0.6)
    low, high = ((Saw(role="ai", move=Report(report=x)),) for x in ("low", "high"))
    assert [game.heed("row", i).action for i in (low, high, ())] == ["O", "F", "F"]
    assert [game.ignore("column", i).action for i in (low, high)] == ["F", "F"]


def test_levels():
    game = BattleOfTheSexes()
    assert game.level_plan("row", 0) == (0.5,)
    assert [game.level_plan(r, k) for r in game.players() for k in (1, 2)] == [(1.0,), (0.0,), (0.0,), (1.0,)]
    assert game.options("row", (), Choice, Rules.of(queries=0), level=0) == (
        (Choice(action="O"), 5.0), (Choice(action="F"), 4.5))


def test_options_after_and_before_a_report():
    game = BattleOfTheSexes(informed="row")
    rules = Rules.of(queries=1, price=0.25)
    (_, at_o), (_, at_f) = game.options("row", (Saw(role="ai_row", move=Report(report="high")),), Choice, rules, level=0)
    assert (at_o, at_f) == pytest.approx((5.0, 4.5 * 1.8))
    (silence, alone), (question, asked) = game.options("row", (), Query, rules, level=0)
    assert silence is None and isinstance(question, Query)
    assert (alone, asked) == pytest.approx((5.0, 0.5 * 5 + 0.5 * 8.1 - 0.25))


def test_a_shared_report_is_heard_without_asking_if_the_other_asks():
    game = BattleOfTheSexes(informed="both_common")
    (_, silent), (_, asked) = game.options("row", (), Query, Rules.of(queries=1, price=1.0))
    assert silent == pytest.approx(13.1) and asked == pytest.approx(12.1)


@given(any_game())
@settings(derandomize=True, max_examples=40, deadline=None)
def test_the_usual_plan_is_a_best_option(game):
    """Against the usual others, nothing open to a player is worth more than its equilibrium value."""
    b = solved(game)["best_equilibrium"]
    assume(b.exists)
    want = {r: Query if r in game.advisers() else Choice for r in game.players()}
    for role in game.players():
        assert max(v for _, v in game.options(role, (), want[role], ONCE)) == pytest.approx(b.value[role], abs=1e-7)


def test_an_impossible_report_is_not_believed():
    game = BattleOfTheSexes(informed="row", accuracy=1, chance_high=0)
    lie = (Saw(role="ai_row", move=Report(report="high")),)
    assert game.options("row", lie, Choice, ONCE, level=0) == ((Choice(action="O"), 5.0), (Choice(action="F"), 0.0))


def test_channel():
    game = BattleOfTheSexes(informed="both_private")
    read_off = game.channel(Weather(weather="low"), Note(weather="high", accuracy=0.9), Report(report="low"))
    assert read_off == (False, False, True)
    assert game.recalibrated(0.7).accuracy == 0.7 and BattleOfTheSexes().recalibrated(0.7) is None


# --- prompts --------------------------------------------------------------------------------------------------------------
def asks(game, state, draw, wording):
    """Role -> everything it is asked, in words, when all ask once, AIs report notes and all choose O."""
    seen = {}

    def act(ask):
        seen.setdefault(ask.role, []).append(render(ask, wording))
        moves = {Query: lambda: Query(question="Well?"), Choice: lambda: Choice(action="O"),
                 Report: lambda: Report(report=next(o for o in ask.news if isinstance(o, Note)).weather)}
        return moves[ask.want]()

    protocol = Advice()
    drive(protocol.script(game, state), dict.fromkeys(protocol.seats(game), act), draw=lambda d: draw)
    return seen


@pytest.mark.parametrize("informed", INFORMED)
@pytest.mark.parametrize("wording", BattleOfTheSexes.wordings, ids=lambda w: w.name)
def test_nobody_sees_what_he_may_not_know(informed, wording):
    game = BattleOfTheSexes(informed=informed)
    low, high = (asks(game, Weather(weather=x), 0, wording) for x in ("low", "high"))
    assert low == high and set(low) == set(Advice().seats(game))
    if informed != "none":
        other = asks(game, Weather(weather="low"), 1, wording)
        assert other["row"] != low["row"]
        assert (other["column"] != low["column"]) == (informed != "row")


@pytest.mark.parametrize("informed", INFORMED)
@pytest.mark.parametrize("wording", BattleOfTheSexes.wordings, ids=lambda w: w.name)
def test_textbook_names_do_not_reach_a_prompt(informed, wording):
    game = BattleOfTheSexes(informed=informed)
    words = "\n".join(t for texts in asks(game, Weather(weather="low"), 0, wording).values() for t in texts).lower()
    assert len(words) > 500
    for name in (*game.textbook, "battle_of_the_sexes", "row", "column", "nash", "equilibrium", "low", "high", "ai_row"):
        assert not re.search(rf"\b{name}\b", words), name
    assert '"o"' not in words and '"f"' not in words and "{" not in words.replace('{"pass": true}', "")


def test_the_isomorph_permutes_labels_order_and_payoffs():
    plain, other = BattleOfTheSexes.wordings
    assert set(plain.texts) == set(other.texts) and set(plain.labels) == set(other.labels)
    assert not set(plain.labels.values()) & set(other.labels.values())
    assert other.order == "reversed" and (other.scale, other.shift) != (1, 0)
    game = BattleOfTheSexes()
    told = render(Ask("row", (game.observe("row", None),), Choice), other)
    for amount in (10, 9, 0, 18, 20):
        assert other.money(amount) in told


@pytest.mark.parametrize("wording", BattleOfTheSexes.wordings, ids=lambda w: w.name)
def test_moves_survive_their_words(wording):
    for move in (Choice(action="O"), Choice(action="F"), Report(report="low"), Report(report="high")):
        assert read(write(move, wording), type(move), wording) == move


def test_the_price_is_told_as_a_difference():
    assert "2.5 ducats" in Left(queries=1, price=0.5).say(BattleOfTheSexes.wordings[1], "row")

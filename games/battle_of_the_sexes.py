"""Two who want to meet, but not at the same place, when the worth of one place depends on the weather.

Row and column each go to O or to F, at the same time. They get something only if they meet.

    a_r, a_c   opera         payoffs if both are at O                                  money
    b_r, b_c   football      payoffs if both are at F, times the weather               money
    w          weather       its two values, low and high                              low <= high
    rho        chance_high   chance that the weather is high                           in [0, 1]
    q          accuracy      chance that an AI's note names the weather                in [0, 1]
    informed                 whose AI reports: `none`; `row`, row's own; `both_common`, one AI heard by both;
                             `both_private`, one each, their notes independent given the weather

Nobody knows the weather; an AI gets a note of it when it is asked, and is paid 1 if its last report names the weather.
A plan is a letter, O or F, for a role without a report; with one, two letters: after the low, after the high report.
Reports are taken to equal the notes. Then (x, y) is worth, to row (column alike, with a_c and b_c),

    sum_{s,t} [ a_r P(s,t) x_s y_t + b_r E[w; s,t] (1 - x_s) (1 - y_t) ],    x_s, y_t chances of O after reports s and t.

Pure equilibria: plans from which no other plan of one role gains more than the slack, weak ones included. Mixed: without
reports x = b_c W / (a_c + b_c W) and y = b_r W / (a_r + b_r W), with W = E[w], worth a_r b_r W / (a_r + b_r W) to row, if all
these chances are inside (0, 1); with reports, the one of largest sum in which both mix over plans. Correlated: a mediator
who hears the reports from the two and advises them. With a common report the best sum is
sum_s P(s) max(a_r + a_c, (b_r + b_c) E[w|s]); two following private reports (default numbers) is an equilibrium iff
q >= (1 + 1/sqrt(19))/2 = .6147, and is better than no AI only if q > (1 + sqrt(5))/4 = .8090.
Ties: the best is the first in the order of plans, O before F. Checked example (the defaults): O/O (10, 9), F/F (9, 10), mixed
90/19 each; both_common, q = 1: OF/OF (14, 14.5).

Source: Luce & Raiffa, Games and Decisions (1957), ch. 5; with weather and AI: N. Immorlica, "Theoretical models of
generative AI in economic environments"; the solution is derived here.
"""
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Literal

from pydantic import model_validator

from ..errors import RulesError, UnknownName
from .base import (
    SLACK,
    Benchmark,
    Chance,
    Game,
    Information,
    Kind,
    Mixed,
    Move,
    Observation,
    Play,
    Query,
    Role,
    Rules,
    State,
    Strategy,
    Wording,
    heard,
    learned,
    surely,
)
from .solvers.communication import communication_equilibrium
from .solvers.plans import Array, Plan, mixed_plan_equilibria, pure_plan_equilibria, turned, value, worth

Level = Literal["low", "high"]
LEVELS: tuple[Level, Level] = ("low", "high")
Informed = Literal["none", "row", "both_common", "both_private"]
Stand = Literal["nobody", "me", "other", "common", "private"]
ADVISERS: dict[Informed, dict[Role, Role]] = {
    "none": {}, "row": {"row": "ai_row"}, "both_common": {"row": "ai", "column": "ai"},
    "both_private": {"row": "ai_row", "column": "ai_column"}}
PLAYERS: tuple[Role, Role] = ("row", "column")
O: Literal["O"] = "O"  # noqa: E741 - the field's own label
F: Literal["F"] = "F"
MEASURES = ("sum", "coordination", "row_opera", "column_opera")
SOURCE = "Luce & Raiffa, Games and Decisions, ch. 5; Immorlica, Theoretical models of generative AI in economic environments"
MEDIATOR = "Myerson, J. Math. Econ. 10 (1982); Forges, Econometrica 54 (1986)"
Profile = tuple[Plan, Plan]
"""Row's and column's chances of O: one, or after the low and after the high report."""


class Weather(State):
    """What the weather is."""
    weather: Level


class Brief(Observation):
    """What a player starts with. Pairs are (mine, the other's); `informed` is told from where the player stands."""
    other: Role
    opera: tuple[float, float]
    football_low: tuple[float, float]
    football_high: tuple[float, float]
    chance_high: Chance
    accuracy: Chance
    informed: Stand

    def say(self, w: Wording, me: Role) -> str:
        labels = {x: w.label(x) for x in ("O", "F", "low", "high")} | {"other": w.label(self.other)}
        pairs = {"o": self.opera, "l": self.football_low, "h": self.football_high}
        amounts = {f"{who}_{k}": w.money(pair[i]) for k, pair in pairs.items() for i, who in enumerate(("my", "their"))}
        text = w.tell("brief", nothing=w.money(0), chance=w.percent(self.chance_high), rest=w.percent(1 - self.chance_high),
                      options=", ".join(w.options(("O", "F"))), **labels, **amounts)
        return f"{text} {w.tell(self.informed, accuracy=w.percent(self.accuracy), **labels)}"


class Adviser(Observation):
    """What a player is told of the AI it may ask."""
    accuracy: Chance

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("adviser", accuracy=w.percent(self.accuracy))


class Task(Observation):
    """What an AI starts with: those who hear it."""
    serves: tuple[Role, ...]

    def say(self, w: Wording, me: Role) -> str:
        serves = w.tell("and").join(w.label(r) for r in self.serves)
        return w.tell("task", serves=serves, low=w.label("low"), high=w.label("high"))


class Note(Observation):
    """What an AI learns of the weather."""
    weather: Level
    accuracy: Chance

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("note", weather=w.label(self.weather), accuracy=w.percent(self.accuracy))


class Report(Move):
    """An AI's answer."""
    report: Level


class Choice(Move):
    """Where to go."""
    action: Literal["O", "F"]


PLAIN = Wording(
    name="plain",
    unit="{} point|{} points",
    labels={"O": "hall", "F": "lake", "low": "grey", "high": "bright", "row": "Kim", "column": "Sam", "ai": "The assistant",
            "ai_row": "Kim's assistant", "ai_column": "Sam's assistant"},
    texts={
        "brief": "You and {other} each spend the evening at one of two places, the {O} or the {F}. Neither of you sees where "
                 "the other goes before going. If both of you are at the {O}, you get {my_o} and {other} gets {their_o}, "
                 "whatever the weather. If both of you are at the {F}, you get {my_l} and {other} gets {their_l} in {low} "
                 "weather, you get {my_h} and {other} gets {their_h} in {high} weather. If you are at different places, each "
                 "of you gets {nothing}. The weather will be {high} with chance {chance} and {low} with chance {rest}. Your "
                 "options: {options}.",
        "nobody": "Nobody can find out more about the weather.",
        "me": "You have an AI assistant that may know more about the weather; {other} has none and does not hear yours, but "
              "knows that you have one.",
        "other": "{other} has an AI assistant that may know more about the weather; its report is right with chance "
                 "{accuracy}. You have none and do not hear it; {other} knows this.",
        "common": "There is one AI assistant that may know more about the weather. Both of you may ask it, and whatever it "
                  "answers is heard by both of you.",
        "private": "Each of you has an AI assistant of your own that may know more about the weather. Each hears only the "
                   "own one, and the two find out what they know independently; both are right with chance {accuracy}.",
        "adviser": "What the assistant finds out about the weather is right with chance {accuracy}.",
        "left": "You may put {queries} more question(s) to the assistant; each costs {price}.",
        "task": "You are an AI assistant. You serve {serves}, who will ask you whether the weather will be {low} or {high}. "
                "You are rewarded if the last report you give names the weather as it turns out.",
        "and": " and ",
        "note": "Your finding: the weather will be {weather}. Such findings are right with chance {accuracy}.",
        "Query": "Do you want to ask the assistant what the weather will be?",
        "Report": "Which weather do you report?",
        "Choice": "Where do you go?",
    })

WORKSHOP = Wording(
    name="workshop",
    unit="{} ducat|{} ducats",
    scale=5,
    shift=40,
    order="reversed",
    labels={"O": "copper", "F": "glass", "low": "slack", "high": "brisk", "row": "the northern workshop",
            "column": "the southern workshop", "ai": "The almanac", "ai_row": "The northern almanac",
            "ai_column": "The southern almanac"},
    texts={
        "brief": "Your workshop and {other} make parts of one machine, either from {O} or from {F}. Both decide at once, "
                 "unseen by the other. If both take {O}, you earn {my_o} and {other} {their_o}, however the trade goes. If "
                 "both take {F}, you earn {my_l} and {other} {their_l} in a {low} season, you earn {my_h} and {other} "
                 "{their_h} in a {high} season. If the two materials differ, the parts do not fit and each is left with "
                 "{nothing}. The season will be {high} with chance {chance}, {low} with chance {rest}. You may choose: "
                 "{options}.",
        "nobody": "Neither workshop can learn more about the season.",
        "me": "You have an almanac, a machine that reads the season ahead. As you both know, {other} has none and does not "
              "learn what yours says.",
        "other": "As you both know, {other} has an almanac, a machine that reads the season ahead and is right with chance "
                 "{accuracy}. You have none and do not learn what it says.",
        "common": "An almanac, a machine that reads the season ahead, stands open to both workshops; whatever it says to one "
                  "is heard by both.",
        "private": "Each workshop has an almanac, a machine that reads the season ahead, and hears its own alone. The two "
                   "read independently, each right with chance {accuracy}.",
        "adviser": "What the almanac reads is right with chance {accuracy}.",
        "left": "You may put {queries} more question(s) to the almanac; each costs {price}.",
        "task": "You read the season ahead for {serves}: it will be {low} or {high}, and you will be asked which. You are "
                "rewarded if the last thing you say of it comes true.",
        "and": " and ",
        "note": "The signs say: {weather}. Such signs are right with chance {accuracy}.",
        "Query": "Do you want to ask the almanac about the season?",
        "Report": "Which season do you foretell?",
        "Choice": "Which material do you take?",
    })


class BattleOfTheSexes(Game):
    wordings = (PLAIN, WORKSHOP)
    textbook = ("battle of the sexes", "bach or stravinsky", "opera", "football")
    ties = "the first in the order of plans, O before F"

    opera: tuple[float, float] = (10.0, 9.0)
    football: tuple[float, float] = (9.0, 10.0)
    weather: tuple[float, float] = (0.0, 2.0)
    chance_high: Chance = 0.5
    accuracy: Chance = 0.9
    informed: Informed = "none"

    @model_validator(mode="after")
    def _ordered(self) -> "BattleOfTheSexes":
        if self.weather[0] > self.weather[1]:
            raise ValueError(f"weather: low ({self.weather[0]:g}) must not exceed high ({self.weather[1]:g})")
        return self

    # --- who knows what -------------------------------------------------------------------------------------------------
    def players(self) -> tuple[Role, ...]:
        return PLAYERS

    def advisers(self) -> dict[Role, Role]:
        return dict(ADVISERS[self.informed])

    def states(self) -> tuple[tuple[float, State], ...]:
        pairs = ((1 - self.chance_high, Weather(weather="low")), (self.chance_high, Weather(weather="high")))
        return tuple((p, s) for p, s in pairs if p > 0)

    def observe(self, role: Role, state: Weather) -> Observation:
        if role not in PLAYERS:
            return Task(serves=tuple(r for r, ai in self.advisers().items() if ai == role))
        me, other = PLAYERS.index(role), _other(role)
        low, high = ((w * self.football[me], w * self.football[1 - me]) for w in self.weather)
        return Brief(other=other, opera=(self.opera[me], self.opera[1 - me]), football_low=low, football_high=high,
                     chance_high=self.chance_high, accuracy=self.accuracy, informed=self._stand(role))

    def _stand(self, role: Role) -> Stand:
        if self.informed == "row":
            return "me" if role == "row" else "other"
        stands: dict[Informed, Stand] = {"none": "nobody", "both_common": "common", "both_private": "private"}
        return stands[self.informed]

    def adviser_facts(self, role: Role) -> Observation:
        return Adviser(accuracy=self.accuracy)

    def notes(self, adviser: Role, state: Weather) -> tuple[tuple[float, Observation], ...]:
        pairs = ((self.accuracy if x == state.weather else 1 - self.accuracy, x) for x in LEVELS)
        return tuple((p, Note(weather=x, accuracy=self.accuracy)) for p, x in pairs if p > 0)

    def want(self, role: Role) -> type[Move]:
        return Choice if role in PLAYERS else Report

    def admit(self, rules: Rules) -> None:
        if self.informed != "none" and not rules.get("queries", 1):
            raise RulesError(f"informed = '{self.informed}' needs a protocol in which the AI may be asked: take 'advice' with "
                             "max_queries of 1 or more, or set informed to 'none'.")

    # --- what it is worth -----------------------------------------------------------------------------------------------
    def payoffs(self, play: Play) -> dict[Role, float]:
        assert isinstance(play.state, Weather)
        truth = play.state.weather
        row, column = (play.last(r, Choice).action for r in PLAYERS)
        w = self.weather[LEVELS.index(truth)]
        pair = (0.0, 0.0) if row != column else self.opera if row == "O" else (w * self.football[0], w * self.football[1])
        reports = {ai: play.all(ai, Report)[-1:] for ai in self.advisers().values()}
        paid = {ai: float([r.report for r in last] == [truth]) for ai, last in reports.items()}
        return {"row": pair[0], "column": pair[1], **paid}

    def bounds(self, role: Role) -> tuple[float, float]:
        if role not in PLAYERS:
            return 0.0, 1.0
        me = PLAYERS.index(role)
        worths = (0.0, self.opera[me], *(w * self.football[me] for w in self.weather))
        return min(worths), max(worths)

    @property
    def mean_weather(self) -> float:
        return (1 - self.chance_high) * self.weather[0] + self.chance_high * self.weather[1]

    def letters(self, role: Role) -> int:
        """How many letters a plan of the role has."""
        return 2 if role in self.advisers() else 1

    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        self.admit(rules)
        found = _profiles(self)
        named = {"best_equilibrium": found.get("best_equilibrium"), "mixed_equilibrium": found.get("mixed_equilibrium")}
        best, mixed, *pure = (self._benchmark(name, profile, rules) for name, profile in (named | found).items())
        return [best, mixed, self._correlated(rules), *pure]

    @property
    def usual(self) -> str:
        return "best_equilibrium"

    def _benchmark(self, name: str, profile: Profile | None, rules: Rules) -> Benchmark:
        if profile is None:
            return Benchmark(name=name, kind="equilibrium", source=SOURCE, value=dict.fromkeys(PLAYERS),
                             measures=dict.fromkeys(MEASURES), note=self._missing(name))
        x, y = profile
        policy = {(s, t): _meeting(x[s], y[t]) for s, t, _, _ in _signals(self)}
        kind, note = self._standing(name, profile, rules)
        values = _values(self, profile)
        return Benchmark(name=name, kind=kind, source=SOURCE, value=values, measures=self._measures(values, policy), note=note)

    def _missing(self, name: str) -> str:
        if name == "best_equilibrium":
            return "no pure equilibrium exists here; see mixed_equilibrium"
        if self.informed == "none":
            return ("no mixed equilibrium: opera, and football times the mean weather "
                    f"({self.mean_weather:g}), must have the same sign for each role, and not be 0")
        return "no equilibrium in which both roles mix over plans was found by enumeration of supports"

    def _standing(self, name: str, profile: Profile, rules: Rules) -> tuple[Kind, str]:
        """What a solution of the game with one free report is under these rules, and why.

        Who does not ask pays nothing, so a price leaves equilibria without questions alone, but not which is the best.
        """
        notes = ["assumes reports equal to the notes"] if self.informed != "none" else []
        paid = self._costs(rules) and (name == "best_equilibrium" or any(_varies(plan) for plan in profile))
        holds = not paid and not self._repeats(rules)
        if not holds:
            notes.append("derived for one free report: a price, or further reports, change the game")
        if rules.get("talk", 0):
            notes.append("talk may be ignored, so an equilibrium stays one")
            if name == "best_equilibrium":
                notes.append("the best without talk; `correlated` bounds what talk can reach")
        return "equilibrium" if holds else "bound", "; ".join(notes)

    def _costs(self, rules: Rules) -> bool:
        return self.informed != "none" and rules.get("price", 0.0) > 0

    def _repeats(self, rules: Rules) -> bool:
        """Whether more than one informative report may be had."""
        return self.informed != "none" and rules.get("queries", 1) > 1 and bool(rules.get("independent", True))

    def _correlated(self, rules: Rules) -> Benchmark:
        policy, values = _mediated(self)
        notes = ["assumes reports equal to the notes"] if self.informed != "none" else []
        notes.append("a mediator hears the roles' reports and advises each, which no protocol here offers")
        if self._costs(rules) or self._repeats(rules):
            notes.append("derived for one free report: no bound on play with more of them")
        elif rules.get("talk", 0):
            notes.append("a bound on play with talk too")
        return Benchmark(name="correlated", kind="bound", source=MEDIATOR, value=values, note="; ".join(notes),
                         measures=self._measures(values, policy))

    def _measures(self, values: Mapping[Role, float], policy: Mapping[tuple[int, int], Sequence[float]]) -> dict[str, float]:
        """policy: (row's report, column's report) -> chances of OO, OF, FO, FF."""
        oo, of, fo, ff = (sum(p * policy[s, t][k] for s, t, p, _ in _signals(self)) for k in range(4))
        return dict(zip(MEASURES, (values["row"] + values["column"], oo + ff, oo + of, oo + fo), strict=True))

    # --- how to play ----------------------------------------------------------------------------------------------------
    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        """AIs report their notes; players say nothing in talk, and ask once, if their plan uses the report."""
        if role not in PLAYERS:
            return _report
        plan, other = self._plan(benchmark, role), self._plan(benchmark, _other(role))

        def player(information: Information, want: type[Move]) -> Mixed:
            signal = self._heard(role, information)
            if want is not Choice:
                asks = want is Query and signal is None and _varies(plan)
                return surely(Query(question="?") if asks else None)
            if signal is None and _varies(plan):
                return surely(self._reply(role, other, None))
            p = plan[signal or 0]
            return tuple((chance, Choice(action=x)) for x, chance in ((O, p), (F, 1 - p)) if chance > 0)

        return player

    def _plan(self, benchmark: str, role: Role) -> Plan:
        found = _profiles(self)
        if benchmark in found:
            return found[benchmark][PLAYERS.index(role)]
        if benchmark == "correlated":
            raise UnknownName("benchmark 'correlated' is a bound that takes a mediator: no strategy attains it here. "
                              f"Those with strategies: {', '.join(found) or 'none'}.")
        why = self._missing(benchmark) if benchmark in ("best_equilibrium", "mixed_equilibrium") else "it is not an equilibrium"
        raise UnknownName(f"no benchmark '{benchmark}' in this game: {why}. There are: {', '.join(found) or 'none'}.")

    def _heard(self, role: Role, information: Information) -> int | None:
        """Index of the last report heard."""
        reports = heard(information, Report) if role in self.advisers() else []
        return LEVELS.index(reports[-1].report) if reports else None

    def _reply(self, role: Role, other: Plan, signal: int | None) -> Choice:
        """The better action against a plan; ties to O."""
        at_o, at_f = worth(_arrays(self)[role], other, signal)
        return Choice(action=O if at_o >= at_f - SLACK else F)

    def level_plan(self, role: Role, level: int) -> Plan:
        """The plan of a level-k player: uniform at 0, else the best reply to level k - 1; ties to O."""
        if level == 0:
            return (0.5,) * self.letters(role)
        other = self.level_plan(_other(role), level - 1)
        return tuple(float(self._reply(role, other, s).action == O) for s in range(self.letters(role)))

    # --- people ---------------------------------------------------------------------------------------------------------
    def heed(self, role: Role, information: Information) -> Move:
        """Where the two together are best off in the weather last reported; in the mean weather if none was."""
        signal = self._heard(role, information)
        w = self.mean_weather if signal is None else self.weather[signal]
        return Choice(action=O if sum(self.opera) >= w * sum(self.football) - SLACK else F)

    def ignore(self, role: Role, information: Information) -> Move:
        return self.heed(role, ())

    def options(self, role: Role, information: Information, want: type[Move], rules: Rules,
                level: int | None = None) -> tuple[tuple[Move | None, float], ...]:
        """As in the base. Only the last report counts: a further question is worth its price less than none."""
        if role not in PLAYERS:
            note = learned(information, Note)[-1]
            return tuple((Report(report=x), note.accuracy if x == note.weather else 1 - note.accuracy) for x in LEVELS)
        other = self._plan(self.usual, _other(role)) if level is None else self.level_plan(_other(role), level)
        signal = self._heard(role, information)
        if want is Choice:
            at_o, at_f = self._given(role, other, signal)
            return (Choice(action=O), at_o), (Choice(action=F), at_f)
        unasked = asked = max(self._given(role, other, signal))
        if signal is None:
            asked = sum(max(worth(_arrays(self)[role], other, s)) for s in range(self.letters(role)))
            if self.informed == "both_common" and _varies(other):  # the other asks, and both hear
                unasked = asked
        return ((None, unasked), (Query(question="?"), asked - rules.get("price", 0.0))) if want is Query else ((None, asked),)

    def _given(self, role: Role, other: Plan, signal: int | None) -> tuple[float, float]:
        """Expected payoffs of O and F given a report; a report that no truthful AI can give is not believed."""
        chance = sum(cell[2] for cell in _signals(self) if signal is None or cell[PLAYERS.index(role)] == signal)
        if chance <= 0:
            return self._given(role, other, None)
        at_o, at_f = worth(_arrays(self)[role], other, signal)
        return at_o / chance, at_f / chance

    # --- the realised channel -------------------------------------------------------------------------------------------
    def channel(self, state: Weather, note: Observation, report: Move) -> tuple[bool, bool, bool]:
        assert isinstance(note, Note) and isinstance(report, Report)
        return note.weather == state.weather, report.report == note.weather, report.report == state.weather

    def recalibrated(self, accuracy: float) -> "BattleOfTheSexes | None":
        return None if self.informed == "none" else self.model_copy(update={"accuracy": accuracy})


def _report(information: Information, want: type[Move]) -> Mixed:
    """What an AI does: it reports its note."""
    return surely(Report(report=learned(information, Note)[-1].weather) if want is Report else None)


def _other(role: Role) -> Role:
    return PLAYERS[1 - PLAYERS.index(role)]


def _varies(plan: Plan) -> bool:
    """Whether a plan uses the report, so that it is worth asking for."""
    return max(plan) - min(plan) > SLACK


def _meeting(x: float, y: float) -> tuple[float, float, float, float]:
    """Chances of OO, OF, FO, FF if the roles choose O independently with chances x and y."""
    return x * y, x * (1 - y), (1 - x) * y, (1 - x) * (1 - y)


@lru_cache(maxsize=1024)
def _signals(game: BattleOfTheSexes) -> tuple[tuple[int, int, float, float], ...]:
    """Every (s, t, P(s, t), E[w; s, t]), s and t the reports to row and column: 0 low, 1 high; 0 for a role without one."""
    rows, columns = (range(game.letters(r)) for r in PLAYERS)
    found = []
    for s, t in product(rows, columns):
        in_low, in_high = (p * _chance(game, i, s, t) for i, p in enumerate((1 - game.chance_high, game.chance_high)))
        found.append((s, t, in_low + in_high, in_low * game.weather[0] + in_high * game.weather[1]))
    return tuple(found)


def _chance(game: BattleOfTheSexes, weather: int, s: int, t: int) -> float:
    """Chance of reports s and t in a weather."""
    of_s, of_t = (game.accuracy if x == weather else 1 - game.accuracy for x in (s, t))
    return {"none": 1.0, "row": of_s, "both_common": of_s * (s == t), "both_private": of_s * of_t}[game.informed]


@lru_cache(maxsize=1024)
def _arrays(game: BattleOfTheSexes) -> dict[Role, Array]:
    """Per role, chance of the reports times expected payoffs: (own report, other's report, own action, other's action)."""
    cells = {(s, t): (p, w) for s, t, p, w in _signals(game)}
    rows, columns = (range(game.letters(r)) for r in PLAYERS)
    row, column = ([[[[a * cells[s, t][0], 0.0], [0.0, b * cells[s, t][1]]] for t in columns] for s in rows]
                   for a, b in zip(game.opera, game.football, strict=True))
    return {"row": row, "column": turned(column)}


def _values(game: BattleOfTheSexes, profile: Profile) -> dict[Role, float]:
    """Expected payoffs before fees."""
    x, y = profile
    return {"row": value(_arrays(game)["row"], x, y), "column": value(_arrays(game)["column"], y, x)}


@lru_cache(maxsize=1024)
def _profiles(game: BattleOfTheSexes) -> dict[str, Profile]:
    """Every benchmark that has strategies, by name."""
    row, column = _arrays(game)["row"], turned(_arrays(game)["column"])
    pure = pure_plan_equilibria(row, column)
    mixed = _closed_form(game) if game.informed == "none" else mixed_plan_equilibria(row, column)
    named = {"best_equilibrium": _best(game, pure), "mixed_equilibrium": _best(game, mixed)}
    listed = {f"equilibrium {_name(x)}/{_name(y)}": (x, y) for x, y in pure}
    return {name: profile for name, profile in named.items() if profile is not None} | listed


def _name(plan: Plan) -> str:
    return "".join(O if p else F for p in plan)


def _best(game: BattleOfTheSexes, profiles: Sequence[Profile]) -> Profile | None:
    """The first of those whose sum is the largest, up to the slack."""
    sums = [sum(_values(game, p).values()) for p in profiles]
    return next((p for p, total in zip(profiles, sums, strict=True) if total >= max(sums) - SLACK), None)


def _closed_form(game: BattleOfTheSexes) -> list[Profile]:
    """The mixed equilibrium without reports, if there is one: each makes the other indifferent."""
    (a_row, a_column), (b_row, b_column) = game.opera, (b * game.mean_weather for b in game.football)
    if a_row * b_row <= 0 or a_column * b_column <= 0:
        return []
    return [((b_column / (a_column + b_column),), (b_row / (a_row + b_row),))]


@lru_cache(maxsize=1024)
def _mediated(game: BattleOfTheSexes) -> tuple[dict[tuple[int, int], tuple[float, ...]], dict[Role, float]]:
    """The best a mediator can do: (reports) -> chances of OO, OF, FO, FF; and its value."""
    found = communication_equilibrium(_arrays(game)["row"], turned(_arrays(game)["column"]))
    policy = {(s, t): (*found.policy[s][t][0], *found.policy[s][t][1]) for s, t, _, _ in _signals(game)}
    return policy, {"row": found.row, "column": found.column}

"""What is known, said and done where two want to meet and the weather matters, and two ways to tell it."""
from typing import Literal

from .base import Chance, Move, Observation, Role, State, Wording

Level = Literal["low", "high"]
Stand = Literal["nobody", "me", "other", "common", "private"]


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

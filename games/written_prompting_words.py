"""What is said and done where briefs are sent and texts come back, and two wordings of it."""
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from .base import Move, Observation, Role, Say, Wording
from .prompting_words import Prompt, Response, labels

OWN = "own"
"""The label of a brief that the human writes herself."""


class Desk(Observation):
    """What a player starts with.

    briefs  the texts that may be sent, in order; of one with several wordings the first
    styles  the ways to answer, in order; empty: the answer is free
    own     the most characters of a brief of one's own; 0: none may be written
    longest the most characters of a text; None: no limit
    human, ai   what each cell pays on average, rows are briefs; None where it is not known
    """
    briefs: tuple[str, ...]
    styles: tuple[str, ...]
    own: int
    longest: int | None
    human: tuple[tuple[float, ...], ...] | None
    ai: tuple[tuple[float, ...], ...] | None

    def say(self, w: Wording, me: Role) -> str:
        lines = [w.tell(f"desk_{me}"), w.tell("briefs"), *self._listed(w, "a", self.briefs)]
        if self.own:
            lines.append(w.tell("own", own=w.label(OWN), length=self.own))
        if self.styles:
            lines += [w.tell("styles"), *self._listed(w, "b", self.styles)]
        if self.longest:
            lines.append(w.tell("longest", length=self.longest))
        return "\n".join([*lines, *self._known(w)])

    def _listed(self, w: Wording, letter: str, texts: tuple[str, ...]) -> list[str]:
        """A line per label, in the wording's order."""
        lines = [f"{w.label(label)}: {text}" for label, text in zip(labels(letter, len(texts)), texts, strict=True)]
        return lines if w.order == "given" else lines[::-1]

    def _known(self, w: Wording) -> list[str]:
        if self.human is None or self.ai is None:
            return [w.tell("hidden")]
        rows = [w.tell("cell" if self.styles else "row", brief=w.label(f"a{i}"), style=w.label(f"b{j}"), human=w.money(u), ai=w.money(v))
                for i, (us, vs) in enumerate(zip(self.human, self.ai, strict=True), 1)
                for j, (u, v) in enumerate(zip(us, vs, strict=True), 1)]
        return [w.tell("known"), *(rows if w.order == "given" else rows[::-1])]


class Text(Say):
    """What is written in answer to a brief."""


class OwnBrief(Say):
    """A brief that the human writes herself."""


class Sent(Move):
    """Which wording of the brief is sent, by its number from 0; nature's."""
    wording: int


class Cell(Move):
    """Which brief, in which wording, is answered in which style, by their numbers from 0; nature's, where cells are sampled."""
    brief: int
    wording: int
    style: int


class Scored(Move):
    """The two scores of a text, 1 the lowest; nature's."""
    human: int
    ai: int


class Missing(Move):
    """That a text was not written or not scored, and who failed to; nature's."""
    role: Role


@lru_cache(maxsize=256)
def limited(want: type[Say], length: int | None) -> type[Say]:
    """Free speech of at most so many characters; None: of any length."""
    if length is None:
        return want
    text: Any = (Annotated[str, Field(min_length=1, max_length=length)], ...)
    return create_model(want.__name__, __base__=want, __module__=__name__, text=text)


@lru_cache(maxsize=256)
def wants(briefs: tuple[str, ...], styles: tuple[str, ...]) -> dict[str, type[Move]]:
    """What is owed by the human and the AI, for these labels."""
    brief: Any = Literal[briefs]
    style: Any = Literal[styles]
    return {"human": create_model("Prompt", __base__=Prompt, prompt_id=brief),
            "ai": create_model("Response", __base__=Response, response_id=style)}


PLAIN = Wording(
    name="plain",
    unit="{} point|{} points",
    labels={"human": "The person", "ai": "The assistant"},
    texts={
        "desk_human": "In every round you send a brief to an AI assistant, which writes a text for it. You earn points for how good "
                      "the text is by your measure. The assistant earns points by a measure of its own.",
        "desk_ai": "You are an AI assistant. In every round a person sends you a brief, and a text is written for it. You earn points "
                   "for how good the text is by your measure. The person earns points by another measure.",
        "briefs": "The briefs:",
        "own": "{own}: a brief that the person writes, of at most {length} characters.",
        "styles": "The ways in which the assistant may write:",
        "longest": "A text has at most {length} characters.",
        "hidden": "A text earns 0 to 1 points. Nobody knows beforehand how many; you learn it from what you earn.",
        "known": "A text earns 0 to 1 points. Both of you know how many on average:",
        "cell": "{brief} answered by {style}: {human} for the person, {ai} for the assistant.",
        "row": "{brief}: {human} for the person, {ai} for the assistant.",
        "rounds_leader": "There are {total} round(s). You may send: {options}.",
        "rounds_follower": "There are {total} round(s). The person may send: {others}.",
        "earned": "In the last round you earned {reward}.",
        "other_earned": "{who} earned {reward} in it.",
        "summary": "After {played} round(s), what you have earned on average:",
        "other_summary": "{who}, on average:",
        "tally": "{arm}: {count} time(s), {mean}",
        "never": "never tried",
        "Prompt": "Which brief do you send?",
        "OwnBrief": "Write the brief.",
        "Response": "In which way do you write?",
        "Text": "Write the text, and nothing else.",
        "Pair": "You decide for both sides, and count what both earn together. Which brief, and which way to write?",
        "Verdict": "Do you accept this text? A text that is declined leaves both of you with -1, in points before any change of units.",
    })

HOUSES = ("red", "blue", "green", "white", "black", "grey", "brown", "violet")
TREES = ("oak", "ash", "elm", "yew", "fir", "lime", "pine", "beech")

BUREAU = Wording(
    name="bureau",
    unit="{} crown|{} crowns",
    scale=10,
    shift=20,
    order="reversed",
    labels={"human": "The client", "ai": "The writing machine", "accept": "keep", "decline": "discard", OWN: "new",
            **dict(zip(labels("a", len(HOUSES)), HOUSES, strict=True)), **dict(zip(labels("b", len(TREES)), TREES, strict=True))},
    texts={
        "desk_human": "Again and again you place an order with a writing machine, and receive what it has written. What you get for it "
                      "depends on how well it serves you. The machine is paid for how well it serves another.",
        "desk_ai": "You are a writing machine. Again and again a client places an order, and something is written for it. What you are "
                   "paid depends on how well it serves you. What the client gets depends on how well it serves the client.",
        "briefs": "The orders, each under its colour:",
        "own": "{own}: an order in the client's own words, of at most {length} characters.",
        "styles": "The manners of the machine, each under its tree:",
        "longest": "A piece has at most {length} characters.",
        "hidden": "A piece brings 20 to 30 crowns. Nobody knows beforehand how many; you learn it from what you get.",
        "known": "A piece brings 20 to 30 crowns. Both of you know how many on average:",
        "cell": "{brief} with {style}: {human} for the client, {ai} for the machine.",
        "row": "{brief}: {human} for the client, {ai} for the machine.",
        "rounds_leader": "There are {total} piece(s) in all. You may order: {options}.",
        "rounds_follower": "There are {total} piece(s) in all. The client may order: {others}.",
        "earned": "The last piece brought you {reward}.",
        "other_earned": "{who} got {reward} for it.",
        "summary": "After {played} piece(s), what they brought you on average:",
        "other_summary": "{who}, on average:",
        "tally": "{arm}: {count} time(s), {mean}",
        "never": "not tried yet",
        "Prompt": "What do you order?",
        "OwnBrief": "Put the order into words.",
        "Response": "Which manner do you choose?",
        "Text": "Write the piece, and nothing else.",
        "Pair": "You decide for both sides, and count what both get together. Which order, and which manner?",
        "Verdict": "Do you keep this piece? A piece that is discarded brings each of you 10 crowns, the least there is.",
    })

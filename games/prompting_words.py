"""What is said and done in the prompting game, and its wordings."""
from typing import Literal

from .base import Move, Observation, Role, Wording, number


class Brief(Observation):
    """What a player starts with. human, ai: what each cell pays on average, rows are prompts; None where it is not known."""
    human: tuple[tuple[float, ...], ...] | None
    ai: tuple[tuple[float, ...], ...] | None
    noise: Literal["bernoulli", "gaussian", "none"]

    def say(self, w: Wording, me: Role) -> str:
        if self.human is None or self.ai is None:
            known = w.tell("hidden")
        else:
            rows = [w.tell("cell", prompt=w.label(f"a{i}"), response=w.label(f"b{j}"), human=w.money(u), ai=w.money(v))
                    for i, (us, vs) in enumerate(zip(self.human, self.ai, strict=True), 1)
                    for j, (u, v) in enumerate(zip(us, vs, strict=True), 1)]
            known = "\n".join([w.tell("known"), *(rows if w.order == "given" else rows[::-1])])
        return " ".join([w.tell("brief_human" if me == "human" else "brief_ai"), w.tell(self.noise), known])


class Prompt(Move):
    """The human's move: which prompt to send."""
    prompt_id: str


class Response(Move):
    """The AI's move: which response to give."""
    response_id: str


class Pair(Move):
    """Both, by one who moves for both."""
    prompt_id: str
    response_id: str


class Verdict(Move):
    """Whether the human takes the response."""
    verdict: Literal["accept", "decline"]


def labels(letter: str, size: int) -> tuple[str, ...]:
    """a1, a2, ... or b1, b2, ..."""
    return tuple(f"{letter}{number(i)}" for i in range(1, size + 1))


PLAIN = Wording(
    name="plain",
    unit="{} point|{} points",
    labels={"human": "The person", "ai": "The assistant", "simulator": "The copy"},
    texts={
        "brief_human": "In every round you send one of several requests to an AI assistant, and it answers with one of several "
                       "responses. What you earn depends on both. The assistant earns points of its own, by its own measure.",
        "brief_ai": "You are an AI assistant. In every round a person sends you one of several requests, and you answer with one "
                    "of several responses. What you earn depends on both. The person earns points by another measure.",
        "bernoulli": "A round pays 1 or 0 by chance, and each pair of request and response has chances of its own (or pays -1 for "
                     "sure).",
        "gaussian": "What a round pays varies by chance around an average that each pair of request and response has of its own.",
        "none": "The same request and response always pay the same.",
        "hidden": "Nobody knows beforehand what they are; you learn it from what you earn.",
        "known": "Both of you know what each request and response pay on average:",
        "cell": "{prompt} answered by {response}: {human} for the person, {ai} for the assistant.",
        "rounds_leader": "There are {total} round(s). Your requests: {options}. The assistant's responses: {others}.",
        "rounds_follower": "There are {total} round(s). Your responses: {options}. The person's requests: {others}.",
        "earned": "In the last round you earned {reward}.",
        "other_earned": "{who} earned {reward} in it.",
        "summary": "After {played} round(s), what you have earned on average:",
        "other_summary": "{who}, on average:",
        "tally": "{arm}: {count} time(s), {mean}",
        "never": "never tried",
        "left": "Before that you may try {queries} more request(s) on a copy of the assistant; each costs {price}.",
        "unsure": "The copy errs: an answer is wrong with chance {wrong}, whatever the others were.",
        "tried": "You tried: {move}. The copy answered: {answer}.",
        "asked": "You put to the copy: {move}.",
        "counts": "The trials are over. What you send now counts.",
        "stand_in": "You are a copy of the assistant: say what it would answer.",
        "hint": "What you are told of it is right with chance {accuracy}.",
        "Prompt": "Which request do you send?",
        "Response": "Which response do you give?",
        "Pair": "You decide for both sides, and count what both earn together. Which request, and which response?",
        "Verdict": "Do you accept this response? A response that is declined leaves both of you with -1, in points before any "
                   "change of units.",
    })

SONGS = ("a slow song about rain", "a march for a brass band", "a lullaby in three verses", "a dance tune for a wedding",
         "a ballad about the sea", "a canon for four voices", "a hymn to spring", "a blues in twelve bars")
STYLES = ("strings", "piano", "choir", "guitar", "drums", "flute", "organ", "harp")

STUDIO = Wording(
    name="studio",
    unit="{} crown|{} crowns",
    scale=10,
    shift=20,
    order="reversed",
    labels={"human": "The client", "ai": "The composing machine", "simulator": "The second machine", "accept": "keep", "decline": "discard",
            **dict(zip(labels("a", len(SONGS)), SONGS, strict=True)), **dict(zip(labels("b", len(STYLES)), STYLES, strict=True))},
    texts={
        "brief_human": "Again and again you order a piece from a composing machine, which chooses an arrangement. What you get for "
                       "it depends on the order and the arrangement. The machine is paid by a measure of its own.",
        "brief_ai": "You are a composing machine. Again and again a client orders a piece, and you choose an arrangement. What you "
                    "are paid depends on the order and the arrangement. The client is paid by another measure.",
        "bernoulli": "A piece brings a hit or a miss by chance, and each order and arrangement has chances of its own (or brings "
                     "the least there is for sure).",
        "gaussian": "What a piece brings varies by chance around an average that each order and arrangement has of its own.",
        "none": "The same order and arrangement always bring the same.",
        "hidden": "Nobody knows beforehand what they are; you learn it from what you get.",
        "known": "Both of you know what each order and arrangement bring on average:",
        "cell": "{prompt} with {response}: {human} for the client, {ai} for the machine.",
        "rounds_leader": "There are {total} piece(s) in all. Your orders: {options}. The machine's arrangements: {others}.",
        "rounds_follower": "There are {total} piece(s) in all. Your arrangements: {options}. The client's orders: {others}.",
        "earned": "The last piece brought you {reward}.",
        "other_earned": "{who} got {reward} for it.",
        "summary": "After {played} piece(s), what they brought you on average:",
        "other_summary": "{who}, on average:",
        "tally": "{arm}: {count} time(s), {mean}",
        "never": "not tried yet",
        "left": "Before that you may try {queries} more order(s) on a second machine like it; each costs {price}.",
        "unsure": "The second machine errs: a choice it shows is wrong with chance {wrong}, whatever the others were.",
        "tried": "You tried: {move}. The second machine chose: {answer}.",
        "asked": "You put to the second machine: {move}.",
        "counts": "The trials are over. What you order now counts.",
        "stand_in": "You are a second machine like it: say what it would choose.",
        "hint": "What you are told of it is right with chance {accuracy}.",
        "Prompt": "What do you order?",
        "Response": "Which arrangement do you choose?",
        "Pair": "You decide for both sides, and count what both get together. Which order, and which arrangement?",
        "Verdict": "Do you keep this piece? A piece that is discarded brings each of you 10 crowns, the least there is.",
    })

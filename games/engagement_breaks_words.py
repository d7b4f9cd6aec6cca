"""How suggesting breaks is told: what the coach proposes, what he starts with, two wordings."""
from typing import Annotated

from pydantic import Field

from .base import Move, Observation, Role, Wording, number


class Breaks(Move):
    """The share of recommendations to replace by breaks, for each user in turn."""
    break_probabilities: tuple[Annotated[float, Field(ge=0, lt=1)], ...]


class Model(Observation):
    """The numbers of the model; betas: one per user."""
    alpha: float
    betas: tuple[float, ...]
    gamma: float
    delta: float

    def say(self, w: Wording, me: Role) -> str:
        betas = ", ".join(w.tell("user", user=i, beta=number(b)) for i, b in enumerate(self.betas, 1))
        return "\n".join([w.tell("task", users=len(self.betas)), w.tell("model", alpha=number(self.alpha), betas=betas,
                                                                      gamma=number(self.gamma), delta=number(self.delta))])


class Logs(Observation):
    """Rates of use that were observed: a row per user, a column per treatment."""
    treatments: tuple[float, ...]
    rates: tuple[tuple[float, ...], ...]

    def say(self, w: Wording, me: Role) -> str:
        lines = [w.tell("task", users=len(self.rates)), w.tell("logs")]
        for i, row in enumerate(self.rates, 1):
            cells = "; ".join(w.tell("cell", p=w.percent(p), rate=number(x)) for p, x in zip(self.treatments, row, strict=True))
            lines.append(w.tell("log", user=i, cells=cells))
        return "\n".join(lines)


PLAIN = Wording(
    name="plain",
    labels={"coach": "The coach"},
    texts={
        "task": "A feed recommends items to {users} user(s). Use of it feeds on interest, and use wears interest down; a break in "
                "place of a recommendation lets interest recover. You propose, for each user, which share of recommendations to "
                "replace by breaks: at least 0, less than 1. You are paid the long-run number of requests per unit of time (also "
                "those answered by a break), the mean over users. With too many breaks a user leaves for good.",
        "model": "The rate of use x and the interest q of a user follow dx/dt = (-a + (1 - p) b q) x and dq/dt = (g (1 - q) - (1 - p) d "
                 "x) q, where p is the share of breaks, a = {alpha}, g = {gamma}, d = {delta}, and b differs: {betas}.",
        "user": "b = {beta} for user {user}",
        "logs": "You have logs of how much each of them used the feed, in the long run, under some shares of breaks.",
        "log": "User {user}: {cells}.",
        "cell": "{p} breaks, rate {rate}",
        "Breaks": "Which share of breaks do you propose, for each user in turn?",
    })

GARDEN = Wording(
    name="garden",
    labels={"coach": "The warden"},
    texts={
        "task": "Visitors come to {users} garden(s). They come for the flowers, and they trample them; on days on which a garden is "
                "closed the flowers recover. You set, for each garden, the share of days on which it is closed: at least 0, less "
                "than 1. You earn the long-run number of people at the gate per day (also of those who find it closed), the mean "
                "over gardens. A garden closed too often is forgotten.",
        "model": "People at the gate x and flowers q follow dx/dt = (-a + (1 - p) b q) x and dq/dt = (g (1 - q) - (1 - p) d x) q, where "
                 "p is the share of closed days, a = {alpha}, g = {gamma}, d = {delta}, and b differs: {betas}.",
        "user": "b = {beta} in garden {user}",
        "logs": "You have records of how many came to each of them, in the long run, under some shares of closed days.",
        "log": "Garden {user}: {cells}.",
        "cell": "closed {p} of days, {rate} at the gate",
        "Breaks": "Which share of days is each garden closed, in turn?",
    })

"""The desk at which people are served: who is there, whose turn it is, and what each of them has been asked. Knows no HTTP.

A *person* is a browser that has come by a role's link, under an anonymous name. A *chair* is one role of one episode. A person
takes a chair when there is one to take, keeps it until the episode is over, and then takes the next. Whoever has not been seen
for the waiting time has left, and the chair answers at once that nobody is there.
"""
import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Literal

from ..games.base import Role
from ..protocols.seat import Turn
from .visitors import Known, Visitors

Stage = Literal["consent", "declined", "waiting", "asked", "over"]
LOOK = 0.25
"""Seconds between two looks at whether somebody has left."""


@dataclass(frozen=True)
class Terms:
    """How a role is served. clock: seconds for an answer; wait: seconds unseen after which one has left; each: episodes per person."""
    consent: str = ""
    clock: float | None = None
    wait: float = 900.0
    each: int = 0


@dataclass
class Asked:
    """An ask that is open. number: what the form carries, so that it can be answered once."""
    turn: Turn
    answer: "asyncio.Future[str]"
    opened: float
    number: str = field(default_factory=lambda: token_hex(8))


@dataclass
class Person:
    """Who came. name: anonymous, in the rows; seen: when last heard of; told: that it is over."""
    role: Role
    terms: Terms
    seen: float
    name: str = field(default_factory=lambda: f"p-{token_hex(4)}")
    agreed: bool | None = None
    chair: "Chair | None" = None
    played: int = 0
    told: bool = False

    @property
    def spent(self) -> bool:
        """Whether this person has played all there is to play."""
        return bool(self.terms.each) and self.played >= self.terms.each


@dataclass
class Chair:
    """One role of one episode. gone: its person has left; sat: who sat there before the run was taken up again."""
    role: Role
    sat: str = ""
    person: Person | None = None
    asked: Asked | None = None
    gone: bool = False


class Desk:
    """All roles of one run. Everything happens in one event loop, so there is nothing to lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, visitors: Visitors | None = None):
        self.now, self.visitors = clock, visitors or Visitors()
        self.links: dict[str, tuple[Role, Terms]] = {}
        self.people: dict[str, Person] = {}
        self.chairs: list[Chair] = []
        self.answered: set[str] = set()
        self.over = False

    # --- links and people -----------------------------------------------------------------------------------------------
    def link(self, role: Role, terms: Terms) -> str:
        """The secret part of a role's address; the same for the same role and terms."""
        token = self.visitors.token("link", role, repr(terms))
        self.links[token] = (role, terms)
        return token

    def enter(self, token: str, secret: str) -> tuple[str, Person]:
        """(secret, person) of who comes by a link; a new one if the secret was not given out. Raises KeyError for a wrong link."""
        role, terms = self.links[token]
        person = self.people.get(secret)
        if person is None or (person.role, person.terms) != (role, terms):
            person = self._known(role, terms, self.visitors.named(role, secret))
            secret = self.visitors.cookie(role, person.name)
            self.people[secret] = person
        person.seen = self.now()
        if person.chair:
            person.chair.gone = False
        self._seat(person)
        return secret, person

    def _known(self, role: Role, terms: Terms, name: str | None) -> Person:
        """A person with what is on record of the name; a new one without a name."""
        person = Person(role, terms, self.now(), agreed=None if terms.consent else True)
        if name is not None:
            known = self.visitors.known.get(name, Known())
            person.name, person.played = name, known.played
            person.agreed = known.agreed if terms.consent else True
        return person

    def agree(self, person: Person, yes: bool) -> None:
        """Notes what a person says to the consent text, and puts it on record."""
        person.agreed = yes
        self.visitors.consented(person.role, person.name, yes, person.terms.consent)
        self._seat(person)

    def _seat(self, person: Person) -> None:
        """Gives a person who waits the chair left before, else the chair that has waited longest, last those that others left."""
        if person.agreed and person.chair is None and not person.spent:
            free = [c for c in self.chairs if c.role == person.role and c.person is None and c.asked and not c.gone]
            if free:
                chair = min(free, key=lambda c: (c.sat != person.name, c.sat != ""))
                person.chair, chair.person = chair, person

    def stage(self, person: Person) -> Stage:
        """What this person is to see."""
        if person.agreed is None:
            return "consent"
        if not person.agreed:
            return "declined"
        if person.chair and person.chair.asked:
            return "asked"
        return "over" if self.over or (person.spent and person.chair is None) else "waiting"

    # --- asks -----------------------------------------------------------------------------------------------------------
    async def ask(self, chair: Chair, turn: Turn, terms: Terms) -> tuple[str | None, str | None]:
        """(words, who said them); no words if nobody was there in time."""
        if chair not in self.chairs:
            self.chairs.append(chair)
        if chair.gone:
            return None, chair.person.name if chair.person else None
        asked = chair.asked = Asked(turn, asyncio.get_running_loop().create_future(), self.now())
        if chair.person is None:
            for person in sorted(self.people.values(), key=lambda p: p.seen, reverse=True):
                if person.role == chair.role and self.now() - person.seen < terms.wait:
                    self._seat(person)
        try:
            while not asked.answer.done():
                left = self.left(chair, asked, terms)
                if left <= 0:
                    chair.gone = self._away(chair, asked) >= terms.wait
                    return None, chair.person.name if chair.person else None
                await asyncio.wait({asked.answer}, timeout=min(left, LOOK))
            return asked.answer.result(), chair.person.name if chair.person else None
        finally:
            chair.asked = None

    def left(self, chair: Chair, asked: Asked, terms: Terms) -> float:
        """Seconds until an ask is given up."""
        clock = [asked.opened + terms.clock - self.now()] if terms.clock else []
        return min([terms.wait - self._away(chair, asked), *clock])

    def _away(self, chair: Chair, asked: Asked) -> float:
        """For how long nobody has been seen at a chair that is asked."""
        return self.now() - max(asked.opened, chair.person.seen if chair.person else 0.0)

    def answer(self, person: Person, number: str, words: str) -> bool:
        """Takes an answer to the ask of that number; False if it is not open: given already, or out of time."""
        asked = person.chair.asked if person.chair else None
        if asked is None or asked.number != number or asked.answer.done():
            return False
        self.answered.add(number)
        asked.answer.set_result(words)
        assert person.chair is not None
        person.chair.asked = None
        return True

    def rise(self, chair: Chair) -> None:
        """The episode is over: its person may take the next chair."""
        if chair in self.chairs:
            self.chairs.remove(chair)
        person, chair.person = chair.person, None
        if person and person.chair is chair:
            person.chair, person.played = None, person.played + 1
            self._seat(person)

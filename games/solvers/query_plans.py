"""Planners of queries: which cut to ask for next, which policy to choose at the end, and what that earns.

A plan says what to do after any answers, so that one walk over all answers values every plan: `walk`. Cuts are boundaries of the
list of stand-ins of a `Screen`; an answer is how many of the repeats of a query said `acts`. A plan that trusts takes the
majority for true (of an even split, neither), and leaves out an answer that contradicts earlier ones; one that is aware weighs
all answers by Bayes' rule.

    K  queries    c  price of each    d, m  flip, repeats, of a `Channel`    s  spread of a lasting error, for the margin

Source: the planners are those of `queries`, `noisy_queries` and `noisy_receiver`; see there.
"""
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import perm
from typing import Any

from .noisy_queries import Channel, Heard, Search
from .noisy_receiver import best_margin
from .queries import Tree
from .screens import Screen, shaded
from .thresholds import Crowd, Messages, best_messages, worth

LEAVES = 5_000
"""The most answers that are gone through to value a plan."""
Next = tuple[tuple[float, int | None], ...]


@dataclass(frozen=True)
class Setting:
    """The rules as numbers. price: of one query with all its repeats."""
    queries: int
    price: float = 0.0
    adaptive: bool = True
    flip: float = 0.0
    repeats: int = 1
    spread: float = 0.0

    @property
    def channel(self) -> Channel:
        """How answers come back."""
        return Channel(self.flip, self.repeats)


@dataclass(frozen=True)
class Plan:
    """One planner's plan.

    cuts    asked in this order; of a search by halves, those searched
    halves  the median of the cuts still open is asked, until none is
    tree, search   the next cut, looked up
    draws   so many cuts, at random
    aware   weighs answers by Bayes' rule
    margin  by how many logits odds are taken for less
    gross   what it is worth where that is known otherwise than by a walk: (sender net of prices, receiver)
    bound   nobody may attain it
    missing it is not worked out; the note says why
    values  what the planner earns with 0, 1, ... queries at most, net of prices, where that is known
    """
    name: str
    screen: Screen
    setting: Setting
    cuts: tuple[int, ...] = ()
    halves: bool = False
    tree: Tree | None = None
    search: Search | None = None
    draws: int = 0
    aware: bool = False
    margin: float = 0.0
    gross: tuple[float, float | None] | None = None
    bound: bool = False
    missing: bool = False
    note: str = ""
    values: tuple[float, ...] = ()

    def next(self, asked: Sequence[int], heard: Heard) -> Next:
        """The next cut, None to stop, with chances. asked: cuts put so far; heard: their answers, if they have come."""
        left = self.setting.queries - len(asked)
        if left <= 0:
            return ((1.0, None),)
        if self.draws:
            rest = [c for c in range(self.screen.size - 1) if c not in asked] if len(asked) < self.draws else []
            return tuple((1 / len(rest), c) for c in rest) or ((1.0, None),)
        return ((1.0, self._next(left, asked, heard)),)

    def _next(self, left: int, asked: Sequence[int], heard: Heard) -> int | None:
        if self.search is not None:
            return self.search.next(left, heard)
        if not (self.halves or self.tree):
            return self.cuts[len(asked)] if len(asked) < len(self.cuts) else None
        low, high = self.interval(heard)
        if self.tree is not None:
            cut = self.tree.next(left, low, high)
            return cut if cut >= 0 else None
        within = [c for c in sorted(self.cuts) if low <= c < high]
        return within[(len(within) - 1) // 2] if within else None

    def interval(self, heard: Heard) -> tuple[int, int]:
        """The stand-ins still possible if majorities are true, first and last."""
        low, high = 0, self.screen.size - 1
        for cut, acts in heard:
            if 2 * acts > self.setting.repeats and cut < high:
                low = max(low, cut + 1)
            elif 2 * acts < self.setting.repeats and cut >= low:
                high = min(high, cut)
        return low, high

    def after(self, heard: Heard) -> Crowd:
        """Whom she takes herself to meet."""
        if self.aware:
            return self.setting.channel.after(self.screen, heard)
        return self.screen.cell(*self.interval(heard))

    def messages(self, heard: Heard) -> Messages:
        """Her policy."""
        crowd = self.after(heard)
        return best_messages(shaded(crowd, self.margin) if self.margin else crowd)[1]

    def worth(self) -> tuple[float, float | None] | None:
        """(sender net of prices, receiver); None where there are too many answers to go through."""
        if self.gross is not None or self.missing:
            return self.gross
        if self.leaves > LEAVES:
            return None
        sender = receiver = 0.0
        for heard, asked, real, chance in self.walk():
            s, r = worth(real, self.messages(heard))
            sender += chance * (s - self.setting.price * asked * sum(real.mass))
            receiver += chance * r
        return sender, receiver

    @property
    def leaves(self) -> int:
        """At most so many ends have to be gone through: without flips, one for every interval."""
        orders = perm(self.screen.size - 1, self.draws)
        if not self.setting.flip:
            return orders
        asked = min(self.setting.queries, self.draws or (len(self.cuts) if not (self.tree or self.search or self.halves) else 99))
        return int(orders * (self.setting.repeats + 1) ** asked)

    def walk(self) -> Iterator[tuple[Heard, int, Crowd, float]]:
        """Every end there is: (answers, queries put, whom she meets then, the chance of her own draws)."""
        stack: list[tuple[Heard, float]] = [((), 1.0)]
        while stack:
            heard, chance = stack.pop()
            for p, cut in self.next([c for c, _ in heard], heard):
                if cut is None:
                    yield heard, len(heard), self._real(heard), chance * p
                else:
                    stack += [(fresh, chance * p) for fresh in self._answers(heard, cut)]

    def _answers(self, heard: Heard, cut: int) -> Iterator[Heard]:
        """The answers to a cut that can come."""
        low, high = self.interval(heard)
        for acts in range(self.setting.repeats, -1, -1):
            if self.setting.flip or (acts == self.setting.repeats and cut < high) or (acts == 0 and cut >= low):
                yield *heard, (cut, acts)

    def _real(self, heard: Heard) -> Crowd:
        return self.setting.channel.after(self.screen, heard) if self.setting.flip else self.screen.cell(*self.interval(heard))

    def cautious(self) -> "Plan":
        """The same queries, and a policy shaded by the margin that keeps most under a normal error of that spread."""
        margin = best_margin(self.setting.spread)
        return replace(self, name="safety_margin", margin=margin, gross=None, bound=False, values=(),
                       note=f"odds taken for less by {margin:.4f} logits, best for a lasting normal error of sd {self.setting.spread:g}")


def ends(plan: Plan, most: int) -> list[tuple[Heard, Any]]:
    """The first ends of a plan's walk with their policies, from the lowest interval up."""
    found: list[tuple[Heard, Any]] = []
    for heard, _, _, _ in plan.walk():
        if len(found) > most:
            break
        found.append((heard, plan.messages(heard)))
    return sorted(found, key=lambda end: plan.interval(end[0]))[:most]

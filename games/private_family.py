"""Persuading hidden types who are told apart by a family of questions, not by cuts of a list. Of `private_persuasion`.

Either the simulator answers given questions alone (field `partitions`), or types have more states or actions than two, so that
what a query tells apart is no interval. Both are solved over sets of types (`solvers.partitions`), whose values are those of the
best policy for a set (`solvers.thresholds` for two states and two actions, else `solvers.public_messages`).
"""
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from pydantic import create_model

from .base import Benchmark, Information, Kind, Move, Observation, Role, Rules, Wording, learned
from .leading import Asked, Tried
from .persuading import Act, Offer, Row, Rows, Sent, best_action, index, named, normalised, posterior
from .private_cuts import SHOWN, policy_measures, policy_rows
from .solvers import partitions
from .solvers.planners import at_most
from .solvers.public_messages import best_policy, queries
from .solvers.thresholds import best_messages, crowd


class Question(Move):
    """Which of the simulator's questions is put."""
    question: str


class Answer(Move):
    """In which cell of the question the receiver's type lies."""
    cell: str


class Questions(Observation):
    """What the simulator can be asked: for every question, the cell of every type, counted from 0."""
    cells: tuple[tuple[int, ...], ...]

    def say(self, w: Wording, me: Role) -> str:
        return "\n".join([w.tell("questions"), *(self._line(w, q, labels) for q, labels in enumerate(self.cells))])

    def _line(self, w: Wording, q: int, labels: tuple[int, ...]) -> str:
        groups = [w.tell("group", cell=w.label(f"c{c + 1}"), types=", ".join(str(k + 1) for k, x in enumerate(labels) if x == c))
                  for c in sorted(set(labels))]
        return f"  {w.label(f'q{q + 1}')}: {'; '.join(groups)}"


class Kin(Observation):
    """Which type the simulator stands in for, counted from 0."""
    type: int

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("kin", number=self.type + 1)


@dataclass(frozen=True)
class Served:
    """The best policy for a set of types, and what both earn by it, weights included. exact: whether it is known to be the best."""
    rows: Rows
    sender: float
    receiver: float
    exact: bool


@dataclass(frozen=True)
class Family:
    """An instance: who may be met, and the questions that tell types apart.

    plain    two states, two actions, sender paid 1 for the first: odds of every type; else None
    given    the questions are given; else they are queries, of these policies (rows), or None where there are too many
    """
    offer: Offer
    plain: Row | None
    given: bool
    questions: tuple[partitions.Question, ...]
    rows: tuple[Rows, ...] | None
    known: dict[int, Served] = field(default_factory=dict, compare=False)

    @property
    def everyone(self) -> int:
        """All types."""
        return (1 << len(self.offer.weights)) - 1

    def mass(self, types: int) -> float:
        """The weight of a set of types."""
        return sum(self.offer.weights[k] for k in members(types))

    def value(self, types: int) -> float:
        """What the sender earns by the best policy for a set of types."""
        return self.serve(types).sender

    def serve(self, types: int) -> Served:
        """The best policy for a set of types, found once."""
        if types not in self.known:
            self.known[types] = self._serve(members(types))
        return self.known[types]

    def _serve(self, some: list[int]) -> Served:
        offer = self.offer
        if self.plain is not None:
            _, sent = best_messages(crowd([offer.beliefs[k][0] for k in some], [offer.weights[k] for k in some],
                                          [self.plain[k] for k in some]))
            rows = policy_rows(sent)
            return Served(rows, *self.earned(rows, some), True)
        found = best_policy([offer.beliefs[k] for k in some], [offer.weights[k] for k in some], offer.sender,
                            [offer.receiver[k] for k in some])
        wide = found.messages + (tuple(0.0 for _ in offer.sender),) * (offer.messages - len(found.messages))
        rows = tuple(tuple(m[s] for m in wide) for s in range(len(offer.sender)))
        return Served(rows, *self.earned(rows, some), found.exact)

    def earned(self, rows: Rows, some: Sequence[int]) -> tuple[float, float]:
        """(sender, receiver) where every type acts as best it can, weights included."""
        sender = receiver = 0.0
        for k in some:
            for m in range(len(rows[0])):
                act = self.acts(k, rows, m)
                for s, p in enumerate(self.offer.beliefs[k]):
                    chance = self.offer.weights[k] * p * rows[s][m]
                    sender += chance * self.offer.sender[s][act]
                    receiver += chance * self.offer.receiver[k][s][act]
        return sender, receiver

    def acts(self, kind: int, rows: Rows, message: int) -> int:
        """What a type does after a message."""
        belief = posterior(self.offer.beliefs[kind], rows, message) or self.offer.beliefs[kind]
        return best_action(belief, self.offer.receiver[kind], self.offer.sender)

    # --- who is left ----------------------------------------------------------------------------------------------------
    def left(self, information: Information) -> int:
        """The types that fit all answers; an answer that leaves none is left out."""
        types = self.everyone
        for tried in learned(information, Tried):
            types = self._fitting(types, tried.move, tried.answer) or types
        return types

    def _fitting(self, types: int, move: Move, answer: Move) -> int:
        if isinstance(move, Question) and isinstance(answer, Answer):
            labels = self.questions[index(move.question)]
            return sum(1 << k for k in members(types) if labels[k] == index(answer.cell))
        assert isinstance(move, Sent) and isinstance(answer, Act)
        rows, message = tuple(normalised(row) for row in move.rows), index(move.message)
        return sum(1 << k for k in members(types) if self.acts(k, rows, message) == index(answer.action))

    def put(self, information: Information) -> int:
        """How many questions have been put."""
        return len(learned(information, Asked)) or len(learned(information, Tried))


def members(types: int) -> list[int]:
    """The types in a set."""
    return [k for k in range(types.bit_length()) if types >> k & 1]


@lru_cache(maxsize=64)
def family(offer: Offer, plain: Row | None, given: tuple[partitions.Question, ...]) -> Family:
    """The family of an instance: the questions given, or what queries can tell apart."""
    if given:
        return Family(offer, plain, True, given, None)
    found = queries(offer.beliefs, offer.receiver)
    if found is None:
        return Family(offer, plain, False, (), None)
    return Family(offer, plain, False, tuple(profile for profile, _ in found), tuple(asking(offer, chances) for _, chances in found))


def asking(offer: Offer, chances: Row) -> Rows:
    """A policy whose first message is sent with such chances, as often as can be; the second takes what is left."""
    top = max(chances)
    return tuple((x / top, 1 - x / top, *(0.0 for _ in range(offer.messages - 2))) for x in chances)


@dataclass(frozen=True)
class Inquiry:
    """A planner: picks in a fixed order, or a course that depends on the answers."""
    name: str
    picks: tuple[int, ...] = ()
    course: partitions.Course | None = None
    exact: bool = True
    note: str = ""
    values: tuple[float, ...] = ()

    def next(self, family: Family, information: Information, most: int) -> int | None:
        """The next question, None to stop."""
        put = family.put(information)
        if self.course is not None:
            return self.course.next.get((min(most, family.everyone.bit_count() - 1) - put, family.left(information)))
        return self.picks[put] if put < len(self.picks) else None


def inquiries(of: Family, most: int, price: float, adaptive: bool) -> tuple[Inquiry, ...]:
    """Every planner under these rules, the optimum first."""
    fixed = partitions.best_questions(of.value, of.everyone, of.questions, most)
    greedy = partitions.greedy_questions(of.value, of.everyone, of.questions, most)
    chosen = _priced("non_adaptive", of, fixed, price)
    best = chosen
    if adaptive and most:
        course = partitions.best_course(of.value, of.mass, of.everyone, of.questions, most, price)
        best = Inquiry("optimum", course=course, exact=course.exact, note="exact, over sets of types" if course.exact
                       else "greedy, a step at a time: too many sets of types to go through")
    return (Inquiry("optimum", best.picks, best.course, best.exact, best.note, best.values), Inquiry("no_queries"), chosen,
            _priced("greedy", of, greedy, price))


def _priced(name: str, of: Family, found: partitions.Chosen, price: float) -> Inquiry:
    """As many of the picks as pay."""
    note = "every set of questions tried" if found.exact else "greedy, question by question" + (
        "" if name == "greedy" else ": too many sets of questions to try")
    if found.exact and price:
        sets = [partitions.best_questions(of.value, of.everyone, of.questions, k).picks for k in range(len(found.values))]
    else:
        sets = [found.picks[:k] for k in range(len(found.picks) + 1)]
    net = [partitions.worth(of.value, of.everyone, [of.questions[q] for q in picks]) - price * len(picks) for picks in sets]
    best = next(k for k, v in enumerate(net) if v >= max(net) - 1e-12)
    values = at_most(found.values, price, len(found.values) - 1) if found.exact or name == "greedy" else ()
    return Inquiry(name, sets[best], exact=found.exact, note=note, values=values)


def ends(of: Family, inquiry: Inquiry, most: int) -> list[tuple[int, int]]:
    """(types left, questions put) at every end of a planner's questions."""
    if inquiry.course is None:
        return [(cell, len(inquiry.picks)) for cell in partitions.refine(of.everyone, [of.questions[q] for q in inquiry.picks])]
    found, stack = [], [(of.everyone, min(most, of.everyone.bit_count() - 1), 0)]
    while stack:
        types, left, put = stack.pop()
        pick = inquiry.course.next.get((left, types))
        if pick is None:
            found.append((types, put))
        else:
            stack += [(cell, left - 1, put + 1) for cell in partitions.split(types, of.questions[pick])]
    return sorted(found)


def settled(of: Family, cells: list[tuple[int, int]], price: float) -> tuple[float, float, bool]:
    """(sender net of prices, receiver, whether every policy is known to be the best) at these ends."""
    served = [of.serve(cell) for cell, _ in cells]
    cost = sum(price * put * of.mass(cell) for cell, put in cells)
    return sum(s.sender for s in served) - cost, sum(s.receiver for s in served), all(s.exact for s in served)


def benchmarks(of: Family, rules: Rules, source: str) -> list[Benchmark]:
    """Every planner's benchmark. What the simulator's faults, or what it does not know, do to them is not solved: then bounds."""
    planners = inquiries(of, rules.get("queries", 0), rules.get("price", 0.0), rules.get("adaptive", True))
    alone = [of.serve(1 << k) for k in range(len(of.offer.weights))]
    known = Benchmark(name="type_known", kind="bound", source=source, note="the sender is told the type",
                      value={"sender": sum(s.sender for s in alone), "receiver": sum(s.receiver for s in alone)})
    return [*(_benchmark(of, inquiry, rules, source) for inquiry in planners), known]


def _benchmark(of: Family, inquiry: Inquiry, rules: Rules, source: str) -> Benchmark:
    most = rules.get("queries", 0)
    asks = bool(most) and inquiry.name != "no_queries"
    cells = ends(of, inquiry, most)
    sender, receiver, best = settled(of, cells, rules.get("price", 0.0))
    unsolved, doubts = asks and not of.given and of.rows is None, _doubts(rules) if asks else []
    exact = inquiry.exact and best and not unsolved
    bound = doubts or not rules.get("binding", True)
    kind: Kind = "bound" if bound else "optimum" if inquiry.name == "optimum" and exact else "baseline"
    notes = ["queries are not solved for so many types and actions: none is put" if unsolved else inquiry.note,
             "" if best else "policies are not known to be the best: too many messages to try", *doubts]
    return Benchmark(name=inquiry.name, kind=kind, source=source, value={"sender": sender, "receiver": receiver},
                     measures=_measures(of, inquiry, cells) | {"exact": float(exact)}, note="; ".join(filter(None, notes)))


def _measures(of: Family, inquiry: Inquiry, cells: list[tuple[int, int]]) -> dict[str, float | None]:
    """Values by number of questions, the questions where they are given, the policy of every cell."""
    found: dict[str, float | None] = {f"value_{k}": v for k, v in enumerate(inquiry.values[:SHOWN + 1])}
    if of.given:
        found |= {f"question_{i + 1}": float(q) for i, q in enumerate(inquiry.picks[:SHOWN])}
    for i, (cell, _) in enumerate(cells[:SHOWN], 1):
        found |= policy_measures(i, of.serve(cell).rows)
    return found


def _doubts(rules: Rules) -> list[str]:
    sure = rules.get("knows", "type") == "type" or (rules.get("knows") == "signal" and rules.get("accuracy", 1.0) == 1)
    return [text for text, so in (("what the simulator does not know is not counted", not sure),
                                  ("flips are not counted", rules.get("flip", 0.0) > 0),
                                  ("the sender is taken to be bound by her policy", not rules.get("binding", True))) if so]


@lru_cache(maxsize=256)
def question_moves(given: tuple[partitions.Question, ...]) -> tuple[type[Question], type[Answer]]:
    """The Move types of an instance's questions."""
    question: Any = (Literal[named("q", len(given))], ...)
    cell: Any = (Literal[named("c", max(max(labels) for labels in given) + 1)], ...)
    return create_model("Question", __base__=Question, question=question), create_model("Answer", __base__=Answer, cell=cell)

"""Which of a given family of questions to put, each of which says in which of its cells a hidden type lies.

    S         a set of types, as the bits of a whole number                  all of them: 2^n - 1
    V(S)      what the sender earns who knows only that it is one of S, weights included
    q         a question: a label for every type                             (n,); types of one label are told apart from the rest
    K, c      the most questions, the price of each

Fixed beforehand, k questions are worth the sum of V over the cells they make together; the best k of F are found by trying every
set, where that is little, else by adding the question that gains most (the problem is set cover, so NP-hard). One after another
they are worth U_k(S) = max(V(S), max_q sum of U_{k-1} over the cells of S, less c W(S)), by recursion over the sets that can be met,
where these are few, else by taking at each the question that gains most at once.

Source: Harris, Immorlica, Lucier, Slivkins, "Algorithmic persuasion through simulation", arXiv:2311.18138; V. V. Vazirani,
"Approximation Algorithms" (2001), ch. 2, for set cover.
"""
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

Question = tuple[int, ...]
Worth = Callable[[int], float]
LIMIT = 5_000
"""The most sets of questions, or of types, that are gone through."""


def split(types: int, question: Question) -> tuple[int, ...]:
    """The cells that a question makes of a set of types, in the order of the labels."""
    cells: dict[int, int] = {}
    for k, label in enumerate(question):
        if types >> k & 1:
            cells[label] = cells.get(label, 0) | 1 << k
    return tuple(cells[label] for label in sorted(cells))


def refine(types: int, questions: Sequence[Question]) -> tuple[int, ...]:
    """The cells that several questions make together."""
    cells: tuple[int, ...] = (types,)
    for question in questions:
        cells = tuple(part for cell in cells for part in split(cell, question))
    return cells


@dataclass(frozen=True)
class Chosen:
    """values: with 0 .. K questions, before prices; picks: those of the last; exact: whether every set was tried."""
    values: tuple[float, ...]
    picks: tuple[int, ...]
    exact: bool


def worth(value: Worth, types: int, questions: Sequence[Question]) -> float:
    """What questions fixed beforehand are worth together."""
    return sum(value(cell) for cell in refine(types, questions))


def best_questions(value: Worth, types: int, family: Sequence[Question], most: int) -> Chosen:
    """The best `most` questions fixed beforehand: exact where there are few sets of them, else `greedy_questions`."""
    most = min(most, len(family))
    if sum(comb(len(family), k) for k in range(most + 1)) > LIMIT:
        return greedy_questions(value, types, family, most)
    values: list[float] = []
    picks: tuple[int, ...] = ()
    for k in range(most + 1):
        best, found = max(((worth(value, types, [family[i] for i in some]), some) for some in combinations(range(len(family)), k)),
                          key=lambda pair: pair[0])
        picks = found if not values or best > values[-1] + 1e-12 else picks
        values.append(max([best, *values]))
    return Chosen(tuple(values), picks, True)


def greedy_questions(value: Worth, types: int, family: Sequence[Question], most: int) -> Chosen:
    """The question that adds most, again and again, until none adds anything; of equal ones the first."""
    picks: list[int] = []
    values = [value(types)]
    for _ in range(min(most, len(family))):
        tries = [worth(value, types, [family[i] for i in (*picks, q)]) for q in range(len(family))]
        best = max(tries)
        if best > values[-1] + 1e-12:
            picks.append(next(q for q, v in enumerate(tries) if v >= best - 1e-12))
        values.append(max(best, values[-1]))
    return Chosen(tuple(values), tuple(picks), False)


@dataclass(frozen=True)
class Course:
    """Questions one after another. value: net of prices; next[k, S]: the question with k left, absent to stop."""
    value: float
    next: dict[tuple[int, int], int]
    exact: bool


def best_course(value: Worth, mass: Worth, types: int, family: Sequence[Question], most: int, price: float) -> Course:
    """The best questions one after another: exact where few sets of types can be met, else a step at a time."""
    exact = reachable(types, family, most) <= LIMIT
    plan: dict[tuple[int, int], int] = {}
    known: dict[tuple[int, int], float] = {}

    def earn(left: int, some: int) -> float:
        if (left, some) not in known:
            known[left, some] = solve(left, some)
        return known[left, some]

    def solve(left: int, some: int) -> float:
        now = value(some)
        tries = [(q, cells) for q, question in enumerate(family) if len(cells := split(some, question)) > 1] if left else []
        if not tries:
            return now
        ahead: Worth = (lambda cell: earn(left - 1, cell)) if exact else value
        gains = [sum(ahead(cell) for cell in cells) - price * mass(some) for _, cells in tries]
        if max(gains) <= now + 1e-12:
            return now
        best = next(i for i, gain in enumerate(gains) if gain >= max(gains) - 1e-12)
        plan[left, some] = tries[best][0]
        return sum(earn(left - 1, cell) for cell in tries[best][1]) - price * mass(some)

    return Course(earn(min(most, types.bit_count() - 1), types), plan, exact)


def reachable(types: int, family: Sequence[Question], most: int) -> int:
    """How many sets of types can be met, counted up to a little over LIMIT."""
    found, fresh = {types}, {types}
    for _ in range(most):
        fresh = {cell for some in fresh for question in family for cell in split(some, question)} - found
        found |= fresh
        if not fresh or len(found) > LIMIT:
            break
    return len(found)

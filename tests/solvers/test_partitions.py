"""Families of questions against enumeration of sets and trees, the set-cover reduction; policies for many types against hulls."""
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from parlour.games.solvers import partitions
from parlour.games.solvers.partitions import best_course, best_questions, greedy_questions, refine, split
from parlour.games.solvers.public_messages import best_policy, lattice, queries
from parlour.games.solvers.thresholds import best_messages, crowd

instances = st.integers(2, 4).flatmap(lambda n: st.tuples(
    st.lists(st.tuples(st.floats(0.05, 0.9), st.floats(0.1, 1.0)), min_size=n, max_size=n),
    st.lists(st.lists(st.integers(0, 2), min_size=n, max_size=n).map(tuple), min_size=1, max_size=4)))


def valued(rows: list[tuple[float, float]]) -> tuple[partitions.Worth, partitions.Worth]:
    """V(S) and W(S) of types with odds p / (1 - p)."""
    @cache
    def value(types: int) -> float:
        some = [row for k, row in enumerate(rows) if types >> k & 1]
        return best_messages(crowd([p for p, _ in some], [w for _, w in some], [p / (1 - p) for p, _ in some]))[0]

    return value, lambda types: sum(w for k, (_, w) in enumerate(rows) if types >> k & 1)


def grown(value: partitions.Worth, mass: partitions.Worth, types: int, family: list[tuple[int, ...]], most: int, price: float) -> float:
    """The best tree of questions, by trying all."""
    best = value(types)
    for question in family if most else ():
        cells = {label: sum(1 << k for k, x in enumerate(question) if x == label and types >> k & 1) for label in set(question)}
        best = max(best, sum(grown(value, mass, c, family, most - 1, price) for c in cells.values() if c) - price * mass(types))
    return best


@settings(max_examples=40, deadline=None)
@given(instances, st.integers(0, 3), st.sampled_from([0.0, 0.02]))
def test_families_against_all_sets_and_all_trees(drawn: tuple[list[tuple[float, float]], list[tuple[int, ...]]], most: int,
                                                 price: float) -> None:
    rows, family = drawn
    value, mass = valued(rows)
    everyone = (1 << len(rows)) - 1
    chosen = best_questions(value, everyone, family, most)
    sets = [some for k in range(min(most, len(family)) + 1) for some in combinations(family, k)]
    every = max(sum(value(c) for c in refine(everyone, some)) for some in sets)
    assert chosen.exact and chosen.values[-1] == pytest.approx(every, abs=1e-9)
    assert partitions.worth(value, everyone, [family[i] for i in chosen.picks]) == pytest.approx(every, abs=1e-9)
    course = best_course(value, mass, everyone, family, most, price)
    assert course.exact
    assert course.value == pytest.approx(grown(value, mass, everyone, family, min(most, len(rows) - 1), price), abs=1e-9)
    assert greedy_questions(value, everyone, family, most).values[-1] <= every + 1e-9


def cover(sets: list[set[int]], elements: int) -> tuple[list[tuple[float, float]], list[tuple[int, ...]]]:
    """Set cover as persuasion: a heavy type of low belief, a light one of higher belief per element; a set tells its own apart."""
    rows = [(0.1, 0.8), *((0.3, 0.2 / elements) for _ in range(elements))]
    return rows, [tuple(0 if k == 0 or k not in s else k for k in range(elements + 1)) for s in sets]


def test_all_is_told_apart_once_the_sets_cover() -> None:
    sets = [{1, 2, 3}, {1, 4}, {2, 5}, {3, 6}, {4, 5, 6}]
    rows, family = cover(sets, 6)
    value, _ = valued(rows)
    full = sum(value(1 << k) for k in range(7))
    chosen = best_questions(value, 127, family, 3)
    reached = [v == pytest.approx(full) for v in chosen.values]
    smallest = next(k for k in range(6) if any(set().union(*some) == set(range(1, 7)) for some in combinations(sets, k)))
    assert reached == [k >= smallest for k in range(4)] and smallest == 2
    assert greedy_questions(value, 127, family, 3).values[2] == pytest.approx(full)


def test_greedy_may_miss_what_covers() -> None:
    """The classical trap: the largest set first needs three sets where two cover."""
    sets = [{1, 2, 3, 4}, {1, 2, 5}, {3, 4, 6}]
    rows, family = cover(sets, 6)
    value, _ = valued(rows)
    assert greedy_questions(value, 127, family, 2).values[2] < best_questions(value, 127, family, 2).values[2] - 1e-6


def test_too_many_are_taken_greedily_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "LIMIT", 5)
    rows, family = cover([{1, 2, 3, 4}, {1, 2, 5}, {3, 4, 6}], 6)
    value, mass = valued(rows)
    assert not best_questions(value, 127, family, 3).exact
    course = best_course(value, mass, 127, family, 3, 0.0)
    assert not course.exact and value(127) < course.value <= sum(value(1 << k) for k in range(7)) + 1e-12


def test_cells() -> None:
    assert split(0b111, (0, 1, 0)) == (0b101, 0b010) and refine(0b111, [(0, 1, 0), (0, 0, 1)]) == (0b001, 0b100, 0b010)


# --- more states and actions --------------------------------------------------------------------------------------------
@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(0.05, 0.95), st.floats(0.1, 1.0), st.floats(0.2, 2.0)), min_size=1, max_size=4))
def test_two_states_and_two_actions_are_the_closed_form(rows: list[tuple[float, float, float]]) -> None:
    p, w = [x for x, _, _ in rows], [x for _, x, _ in rows]
    beliefs = [[x, 1 - x] for x in p]
    receiver = [[[gain, 0.0], [-1.0, 0.0]] for _, _, gain in rows]
    odds = [x * gain / (1 - x) for x, _, gain in rows]
    found = best_policy(beliefs, w, [[1, 0], [1, 0]], receiver)
    assert found.exact and found.value == pytest.approx(best_messages(crowd(p, w, odds))[0], abs=1e-7)
    assert len(found.messages) <= 2 and np.allclose(np.sum(found.messages, axis=0), 1)
    told = queries(beliefs, receiver)
    distinct = len({round(r, 6) for r in odds})
    assert told is not None and len(told) <= max(0, distinct - 1)


def concave(prior: np.ndarray, sender: np.ndarray, receiver: np.ndarray, d: int) -> float:
    """Concavification on a lattice: the best mean of v over posteriors whose mean is the prior."""
    points = np.array([x for x in lattice(3) if abs(round(x[0] * d) - x[0] * d) < 1e-9])
    own = points @ receiver
    best = np.where(own >= own.max(axis=1, keepdims=True) - 1e-9, points @ sender, -np.inf).max(axis=1)
    found = linprog(-best, A_eq=points.T, b_eq=prior)
    return float(-found.fun)


@pytest.mark.parametrize("seed", range(4))
def test_one_type_is_the_concave_hull(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prior, sender, receiver = rng.dirichlet(np.ones(3)), rng.uniform(0, 1, (3, 3)), rng.integers(-4, 5, (3, 3)).astype(float)
    hull = concave(prior, sender, receiver, 62)
    found = best_policy([prior], [1.0], sender, [receiver]).value
    assert hull - 1e-9 <= found <= hull + 0.05


@pytest.mark.parametrize("seed", range(3))
def test_where_messages_are_too_many_the_policy_can_be_had_and_is_close(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    beliefs, sender = rng.dirichlet(np.ones(3), 3), rng.uniform(0, 1, (3, 3))
    receiver = rng.normal(size=(3, 3, 3))
    exact = best_policy(beliefs, [0.2, 0.3, 0.5], sender, receiver)
    monkeypatch.setattr("parlour.games.solvers.public_messages.PROFILES", 8)
    found = best_policy(beliefs, [0.2, 0.3, 0.5], sender, receiver)
    assert exact.exact and not found.exact and queries(beliefs, receiver) is None
    assert exact.value - 0.01 <= found.value <= exact.value + 1e-9


def test_a_message_between_two_points_of_the_lattice_is_tried_too() -> None:
    """Types of beliefs .1001 and .1003, the lower all but absent: the message that the higher alone obeys is best, 2 p to the sender."""
    low, high = 0.1001, 0.1003
    found = best_policy([[low, 1 - low], [high, 1 - high]], [1e-4, 1 - 1e-4], [[1, 0], [1, 0]], [[[1, 0], [-1, 0]]] * 2)
    assert found.exact and found.value == pytest.approx((1 - 1e-4) * 2 * high, abs=1e-9)


def test_a_query_brings_about_the_actions_it_promises() -> None:
    rng = np.random.default_rng(7)
    beliefs, receiver = rng.dirichlet(np.ones(3), 3), rng.normal(size=(3, 3, 3))
    told = queries(beliefs, receiver)
    assert told
    for profile, chances in told:
        held = beliefs * np.array(chances)
        assert tuple(np.einsum("ks,ksa->ka", held, receiver).argmax(axis=1)) == profile

"""Learners: two engines and one truth, memory that can be made again, hand-checked first moves, refusals."""
import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal

import pytest

from parlour.agents.active_arm_elimination import ActiveArmElimination
from parlour.agents.bandit import size, unit
from parlour.agents.corral import Corral
from parlour.agents.eetc import Eetc
from parlour.agents.epsilon_greedy import EpsilonGreedy
from parlour.agents.etc import Etc
from parlour.agents.explore_then_exp3 import ExploreThenExp3
from parlour.agents.explore_then_ucb import ExploreThenUcb
from parlour.agents.learner import Learner, Place, cube_pace
from parlour.agents.myopic import Myopic
from parlour.agents.regret_adjusted_ucb import RegretAdjustedUcb
from parlour.agents.thompson import Thompson
from parlour.agents.ucb1 import Ucb1
from parlour.errors import InputError
from parlour.experiments.engine import Match, chance, simulate
from parlour.games.base import Earned, Move, Play, Rounds, Saw, State, Summary, Wording
from parlour.games.solvers import tape
from parlour.protocols.base import Ask, Notes, Script
from parlour.protocols.seat import Turn
from parlour.protocols.session import Said, Session

MEANS = (((0.7, 0.2, 0.5), (0.4, 0.6, 0.3)), ((0.3, 0.6, 0.5), (0.8, 0.1, 0.7)))
ROUNDS = 300
LEARNERS: list[Learner] = [
    Ucb1(), RegretAdjustedUcb(), RegretAdjustedUcb(constants="scaled"), Etc(pulls=20), Eetc(discard=12, pulls=9),
    ExploreThenUcb(passes=7), ExploreThenExp3(passes=5), ExploreThenExp3(passes=0, eta=0.2), EpsilonGreedy(),
    EpsilonGreedy(decay=2), Myopic(), ActiveArmElimination(delta=0.5), Thompson(), Corral(), Corral(eta=0.3)]


LEADS = Rounds(total=ROUNDS, leads=True, options=("a1", "a2"), others=("b1", "b2", "b3"))


class Prompt(Move):
    prompt: Literal["a1", "a2"]


class Response(Move):
    response: Literal["b1", "b2", "b3"]


def script(seed: int, sees_response: bool = False, draw: Callable[..., float] = tape.bernoulli) -> Script:
    """The repeated game at its barest: own reward only, or the leader also sees the response."""
    notes, visits = Notes(), [0] * 6
    notes.tell("human", LEADS)
    notes.tell("ai", Rounds(total=ROUNDS, leads=False, options=("b1", "b2", "b3"), others=("a1", "a2")))
    moves: list[tuple[str, Move]] = []
    for _ in range(ROUNDS):
        prompt, = yield (notes.ask("human", Prompt),)
        notes.tell("ai", Saw(role="human", move=prompt))
        response, = yield (notes.ask("ai", Response),)
        a, b = int(prompt.prompt[1]) - 1, int(response.response[1]) - 1
        cell, visit = 3 * a + b, visits[3 * a + b]
        visits[cell] += 1
        if sees_response:
            notes.tell("human", Saw(role="ai", move=response))
        for i, role in enumerate(("human", "ai")):
            notes.tell(role, Earned(role=role, reward=draw(MEANS[i][a][b], seed, cell, visit, i)))
        moves += (("human", prompt), ("ai", response))
    return Play(state=State(), moves=tuple(moves))


def table(leader: Learner, follower: Learner, seed: int, said: Mapping[int, Said] | None = None, **how: Any) -> list[int]:
    """The cells played at the table: words, session, seats."""
    session = Session(script(seed, **how), {"human": leader, "ai": follower}, dict.fromkeys(("human", "ai"), Wording()),
                      lambda role, turn: chance(seed, ("human", "ai").index(role), turn // 2), lambda event: None, said=said or {})
    play = asyncio.run(session.play()).play
    assert play is not None
    arms = [int(next(iter(m.model_dump().values()))[1]) - 1 for _, m in play.moves]
    return [3 * a + b for a, b in zip(arms[::2], arms[1::2], strict=True)]


def compiled(leader: Learner, follower: Learner, seed: int, noise: str = "bernoulli") -> list[int]:
    found = simulate(Match(*MEANS, leader, follower, noise), ROUNDS, [seed], record=ROUNDS, threads=1)
    return list(found.trace[0].tolist())


@pytest.mark.parametrize("i", range(len(LEARNERS)), ids=lambda i: f"{i}-{type(LEARNERS[i]).__name__}")
def test_two_engines_one_truth(i: int) -> None:
    """Every algorithm leads and follows: the table and the compiled loop play the same cell in every round."""
    pair = LEARNERS[i], LEARNERS[(i + 4) % len(LEARNERS)]
    for seed in (1, 2**61 + i):
        cells = table(*pair, seed)
        assert cells == compiled(*pair, seed)
    assert len(set(cells)) > 2


def test_two_engines_under_every_noise() -> None:
    pair = Ucb1(), EpsilonGreedy()
    assert table(*pair, 4, draw=tape.gaussian) == compiled(*pair, 4, "gaussian")
    assert table(*pair, 4, draw=lambda mean, *_: mean) == compiled(*pair, 4, "none")


def test_the_tape_and_the_seats_differ_between_seeds() -> None:
    assert compiled(Thompson(), Thompson(), 3) != compiled(Thompson(), Thompson(), 4)
    assert unit(1, 0) != unit(1, 1) != unit(2, 1) and 0 <= unit(5, 5) < 1


@pytest.mark.parametrize("learner", [Ucb1(), Corral(), Thompson(), Eetc(discard=12, pulls=9)], ids=lambda x: type(x).__name__)
def test_a_seat_taken_up_again_goes_on_as_if_nothing_had_been(learner: Learner) -> None:
    whole = table(learner, Ucb1(), 7)
    words = {2 * t + i: Said(words=f'{{"{name}":"{letter}{arm + 1}"}}') for t, cell in enumerate(whole[:150])
             for i, (name, letter, arm) in enumerate((("prompt", "a", cell // 3), ("response", "b", cell % 3)))}
    assert table(learner, Ucb1(), 7, words) == whole


def test_a_learner_goes_by_its_own_reward_alone() -> None:
    assert table(Ucb1(), Ucb1(), 5) == table(Ucb1(), Ucb1(), 5, sees_response=True)


def test_a_repeated_ask_is_not_learned_from_twice() -> None:
    ask = Ask("human", (LEADS,), Prompt)
    again = Ask("human", (Earned(role="human", reward=1.0),), Prompt)
    kept: dict[str, Any] = {}
    asyncio.run(Ucb1().reply(Turn(ask, Wording(), 1, kept=kept)))
    later = Turn(again, Wording(), 1, [(ask, '{"prompt":"a1"}')], kept=kept)
    asyncio.run(Ucb1().reply(later))
    asyncio.run(Ucb1().reply(later))
    row, = kept["learner"].rows.values()
    assert row[0] == row[3] == row[5] == 1.0


def arms(learner: Learner, rewards: list[list[float]], rounds: int, horizon: int = 100) -> list[int]:
    """The arms of one bandit whose v-th pull of arm a earns rewards[a][v % len]."""
    k, x, n, played = len(rewards), [0.0] * size(len(rewards)), [0] * len(rewards), []
    choose, update, _ = learner.algorithm
    q = learner.numbers(Place(k, 2, horizon, True))
    for t in range(rounds):
        a = choose(x, k, q, chance(1, 0, t))
        update(x, k, q, a, rewards[a][n[a] % len(rewards[a])])
        n[a] += 1
        played.append(a)
    return played


def test_first_moves_by_hand() -> None:
    good = [[0.0], [1.0], [1.0]]
    assert arms(Etc(pulls=2), good, 9) == [0, 1, 2, 0, 1, 2, 1, 1, 1], "ties go to the lowest index"
    assert arms(Eetc(discard=1, pulls=1), [[1.0, 0.0], [0.0, 1.0]], 6) == [0, 1, 0, 1, 1, 1], "the first pass is thrown out"
    assert arms(Etc(pulls=2), [[1.0, 0.0], [0.0, 1.0]], 6) == [0, 1, 0, 1, 0, 0], "a plain one sees a tie"
    assert arms(Myopic(), good, 6) == [0, 1, 2, 1, 1, 1]
    assert arms(Ucb1(), [[0.0], [1.0]], 7) == [0, 1, 1, 1, 1, 1, 0]
    assert arms(ExploreThenUcb(passes=2), [[0.0], [1.0]], 9) == [0, 1, 0, 1, 0, 1, 1, 1, 1]
    assert arms(EpsilonGreedy(epsilon=0), good, 5) == arms(Myopic(), good, 5)
    eliminated = arms(ActiveArmElimination(delta=0.9), [[0.0], [1.0]], 60)
    assert eliminated == [0, 1] * 16 + [1] * 28, "2 sqrt(ln(8 n^2 / 0.9) / (2 n)) is 1.007 at n = 15 and 0.983 at n = 16"


def test_ucb1_adds_the_root_of_two_logs() -> None:
    """An arm that earns 0 is tried again as soon as sqrt(2 ln t) > 1 + sqrt(2 ln t / n)."""
    import math
    n, t = 1, 2
    while math.sqrt(2 * math.log(t)) <= 1 + math.sqrt(2 * math.log(t) / n):
        n, t = n + 1, t + 1
    assert arms(Ucb1(), [[0.0], [1.0]], 12).index(0, 1) == t


def test_exploration_lengths_are_the_published_ones() -> None:
    assert Etc().numbers(Place(2, 2, 1000, True)) == (0.0, 100.0)
    assert [cube_pace(Place(2, 2, t, True)) for t in (1000, 10_000, 100_000)] == [76, 387, 1931]
    assert Eetc().numbers(Place(4, 3, 1000, True)) == (111.0, 37.0)


def test_the_chances_of_a_draw_are_the_chances_it_states() -> None:
    for learner in (EpsilonGreedy(epsilon=0.3), ExploreThenExp3(passes=2, eta=0.3), Corral(eta=0.3)):
        x, q, k = [0.0] * size(3), learner.numbers(Place(3, 2, 100, True)), 3
        choose, update, weigh = learner.algorithm
        for t in range(30):
            update(x, k, q, choose(x, k, q, chance(2, 0, t)), float(t % 2))
        assert weigh is not None
        weigh(x, k, q)
        stated = x[3 + 4 * k:3 + 5 * k]
        assert abs(sum(stated) - 1) < 1e-9
        drawn = [choose(x, k, q, chance(9, 1, t)) for t in range(4000)]
        assert all(abs(drawn.count(a) / 4000 - p) < 4 * (p * (1 - p) / 4000) ** 0.5 + 1e-9 for a, p in enumerate(stated))


def test_thompson_draws_from_the_beta_distribution() -> None:
    from scipy.stats import gamma as law
    from scipy.stats import kstest

    from parlour.agents.thompson import gamma
    for shape in (1.0, 2.5, 40.0):
        assert kstest([gamma(shape, seed, 0) for seed in range(3000)], law(shape).cdf).pvalue > 0.001


def test_a_learner_says_where_it_can_sit() -> None:
    with pytest.raises(InputError, match=r"agent 'ucb1' cannot sit as 'human'.*`prompting`"):
        asyncio.run(Ucb1().reply(Turn(Ask("human", (), Prompt), Wording(), 1)))
    told = Summary(role="human", played=1, arms=(("a1",), ("a2",)), counts=(1, 0), means=(1.0, None))
    with pytest.raises(InputError, match="with raw history"):
        asyncio.run(Ucb1().reply(Turn(Ask("human", (LEADS, told), Prompt), Wording(), 1)))

"""From a design to its episodes: the tables to play at and the slots to fill, a pure function of the design."""
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from ..errors import DesignError, InputError
from ..games.base import NATURE, Benchmark, Game, Role, Rules, State, Wording
from ..protocols.base import Protocol
from ..protocols.seat import Agent
from ..protocols.session import seed_of
from .design import Arm, Design, Fields, game_of, protocol_of, wordings_of
from .seating import seat_all

Solved = dict[tuple[type[Game], str, Rules], tuple[Benchmark, ...]]


@dataclass(frozen=True)
class Table:
    """An arm made real: everything built and checked before the first call.

    seats   one mapping per persona
    states  (chance, state) pairs; None where states are only sampled
    spans   role -> the least and the greatest payoff it can have, net of all fees it may owe
    """
    arm: Arm
    game: Game
    protocol: Protocol
    rules: Rules
    seats: tuple[dict[Role, Agent], ...]
    wordings: tuple[Wording, ...]
    benchmarks: tuple[Benchmark, ...]
    states: tuple[tuple[float, State], ...] | None
    spans: dict[Role, tuple[float, float]]


@dataclass(frozen=True)
class Slot:
    """One episode to play.

    stratum    the state's number where states are finite and stratified; "" where states are drawn
    weight     share of the arm's mean; the weights of an arm sum to 1
    tape       what nature's draws are seeded by: the same in every arm, wording and persona
    luck       what the seats' own chance is seeded by; "": the episode's number
    """
    episode: int
    table: Table
    state: State
    stratum: str
    weight: float
    wording: Wording
    persona: int
    replicate: int
    tape: str
    luck: str = ""

    def seed(self, seed: int, role: Role, turn: int) -> int:
        """The seed of one ask or draw, given the design's seed."""
        return seed_at(seed, self.tape, self.luck or str(self.episode), role, turn)


def seed_at(seed: int, tape: str, luck: str, role: Role, turn: int) -> int:
    """The seed of one ask or draw. Of a tape or luck "12+2@3", the part after the plus counts from turn 3 on."""
    of = tape if role == NATURE else luck
    if "+" in of:
        first, *later = of.split("+")
        of = "+".join((first, *(x for x in later if int(x.partition("@")[2]) <= turn)))
    return seed_of(seed, of, role, turn)


def tables(design: Design, seated: bool = True) -> list[Table]:
    """Every arm, built and checked. Raises InputError before anything is written.

    seated  False to leave the seats empty: what was played is looked at again, and nobody is to be asked
    """
    names = [a.name for a in design.arms]
    for name in names:
        if names.count(name) > 1:
            raise DesignError(f"two arms are named '{name}': names must differ.")
    solved: Solved = {}
    return [_table(arm, len(design.arms) > 1, seated, solved) for arm in design.arms]


def _table(arm: Arm, say_which: bool, seated: bool, solved: Solved) -> Table:
    try:
        game = game_of(arm.game)
        protocol = protocol_of(arm.protocol, game)
        rules = protocol.rules(game)
        game.admit(rules)
        seats = tuple(seat_all(game, protocol, arm.seats, persona) if seated else {} for persona in arm.personas)
        return Table(arm, game, protocol, rules, seats, wordings_of(game, arm.wordings, arm.objective), _benchmarks(game, rules, solved),
                     game.states(), spans(game, rules))
    except InputError as error:
        if say_which:
            raise type(error)(f"arm '{arm.name}': {error}") from None
        raise


def _benchmarks(game: Game, rules: Rules, solved: Solved) -> tuple[Benchmark, ...]:
    """Solved once per game and rules, however many arms play it."""
    key = (type(game), game.model_dump_json(), rules)
    if key not in solved:
        solved[key] = tuple(game.benchmarks(rules))
    return solved[key]


def spans(game: Game, rules: Rules) -> dict[Role, tuple[float, float]]:
    """Role -> the least and the greatest payoff it can have, net of all fees it may owe."""
    most = (rules.get("price") or 0.0) * rules.get("queries", 0)
    found = {}
    for role in game.roles():
        low, high = game.bounds(role)
        found[role] = (low - most if role in game.advisers() or role == rules.get("leader") else low, high)
    return found


def slots(design: Design, found: list[Table]) -> Iterator[Slot]:
    """The sampled episodes of a design in the order of play. States go round first, then wordings, then personas.

    Arms are interleaved in time at random: each round plays one episode of every arm, in an order drawn by the design's seed,
    so that a service that changes meanwhile meets no arm more than another. An episode's number does not depend on it.

    With at least as many episodes as states, states are strata: each gets its share of the episodes and its chance as
    weight. With fewer, or where states are only sampled, they are drawn, one for each replicate of every wording and persona.
    """
    assert isinstance(design.episodes, int)
    for i in range(design.episodes):
        order = list(range(len(found)))
        Random(seed_of(design.seed, "order", i)).shuffle(order)
        for number in order:
            yield slot(design, found[number], i, i * len(found) + number)


def slot(design: Design, table: Table, i: int, episode: int) -> Slot:
    """The arm's sampled episode number i, which is the design's number `episode`."""
    assert isinstance(design.episodes, int)
    states = table.states
    words, people = len(table.wordings), len(table.seats)
    if states is not None and design.episodes >= len(states):
        s, rest = i % len(states), i // len(states)
        chance, state = states[s]
        share = len(range(s, design.episodes, len(states)))
        stratum, weight = str(s), chance / share
        replicate = rest // (words * people)
    else:
        rest, replicate = i, i // (words * people)
        state = table.game.sample(Random(seed_of(design.seed, "state", replicate)))
        stratum, weight = "", 1 / design.episodes
    return Slot(episode, table, state, stratum, weight, table.wordings[rest % words], rest // words % people, replicate,
                f"{stratum}/{replicate}")


def persona_name(persona: Fields) -> str:
    """A persona as a cluster's name."""
    return ", ".join(f"{k} {v}" for k, v in persona.items())

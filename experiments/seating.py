"""Seats agents at a game: hands in, as plain functions of the information, what agents may not import."""
from collections.abc import Mapping

from ..errors import DesignError, FieldError, UnknownName
from ..games.base import Benchmark, Game, Role, Rules, Strategy
from ..protocols.base import Protocol
from ..protocols.seat import Agent, Seating
from .design import Fields, agent_of


def seat_all(game: Game, protocol: Protocol, specs: Mapping[Role, Fields], persona: Fields) -> dict[Role, Agent]:
    """Role -> agent for everyone the protocol may ask. Raises DesignError for a seat too few or too many."""
    roles, rules = protocol.seats(game), protocol.rules(game)
    for role in specs:
        if role not in roles:
            raise DesignError(f"no seat '{role}' in this game and protocol; seats are: {', '.join(roles)}.")
    missing = [role for role in roles if role not in specs]
    if missing:
        raise DesignError(f"nobody sits at {', '.join(missing)}: add to [seats], e.g. {missing[0]} = \"mock\".")
    known = {b.name: b for b in game.benchmarks(rules)}
    return {role: seat_one(game, rules, role, specs[role], persona, known, protocol.chat(game, role)) for role in roles}


def seat_one(game: Game, rules: Rules, role: Role, spec: Fields, persona: Fields, known: Mapping[str, Benchmark],
             asks: int = 0) -> Agent:
    """One agent, bound to its seat. known: the game's benchmarks under these rules, by name; asks: of one talk."""
    fields = {**spec, **persona} if spec["agent"] == "persona" else spec
    try:
        agent = agent_of(fields)
        brief_enough(agent, role, asks)
        return agent.bind(Seating(
            role=role,
            strategy=lambda name: named_strategy(game, name, role, rules, known),
            heed=lambda information: game.heed(role, information),
            ignore=lambda information: game.ignore(role, information),
            options=lambda information, want, level: game.options(role, information, want, rules, level),
            evidence=lambda information: game.evidence(role, information),
            voice=lambda want, belief, acts: game.voice(role, want, belief, acts)))
    except FieldError as error:
        raise FieldError(f"seat '{role}': {error}") from None


def brief_enough(agent: Agent, role: Role, asks: int) -> None:
    """Raises DesignError for a seat whose one talk would grow beyond what its agent can be put before."""
    if agent.longest is not None and asks > agent.longest:
        raise DesignError(f"seat '{role}': {asks} asks would be one growing talk, and a model is sent all of it at every ask; at most "
                          f"{agent.longest} are allowed. Let the protocol give it a summary (leader_history or follower_history = "
                          "\"summary\"), or play fewer rounds.")


def named_strategy(game: Game, name: str | None, role: Role, rules: Rules, known: Mapping[str, Benchmark]) -> Strategy:
    """The strategy of a benchmark that has one; None names the usual benchmark. Raises UnknownName."""
    name = usual(game, known) if name is None else name
    if name not in known:
        raise UnknownName(f"no benchmark '{name}'; there are: {', '.join(known)}.")
    if not known[name].exists:
        raise UnknownName(f"benchmark '{name}' does not exist here ({known[name].note}): nobody can play it.")
    return game.strategy(name, role, rules)


def usual(game: Game, known: Mapping[str, Benchmark]) -> str:
    """The game's usual benchmark; where these rules do not have it, the first that exists."""
    names = [name for name, b in known.items() if b.exists]
    return game.usual if game.usual in names else names[0]

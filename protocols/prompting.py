"""Round after round: the leader moves, the follower sees it and answers, each is told what it earned.

    leader     moves                             every round
    follower   sees the move, answers            every round
    leader     accepts or declines               if `decline`; she then sees the answer before
    each       is told what it earned            own reward, or more: see `information`

Rounds are as many as the game's horizon. Payoffs are means per round, so the `price` of a round, paid by the leader, is her fee.

With history `raw` a role is told every round as it happens, and its talk grows with them; what a model can be put before is
limited (`Agent.longest`). With `summary` its talk begins anew at every ask: it gets the brief, and counts and means per choice; the
follower those under the present prompt. Rows hold all rounds either way.

Source: K. Donahue et al., "Impact of decentralized learning on player utilities in Stackelberg games", arXiv:2403.00188; the
summary is that of A. Krishnamurthy et al., "Can large language models explore in-context?", arXiv:2403.15371.
"""
from typing import Annotated, Literal

from pydantic import Field

from ..errors import RulesError
from ..games.base import Earned, Game, Move, Observation, Play, Role, Rules, Saw, State, Summary
from ..games.repeated import Repeated
from .base import Ask, Protocol, Script

History = Literal["raw", "summary"]
Arms = list[tuple[tuple[str, ...], tuple[tuple[str, str], ...]]]
"""The labels of each choice in a summary, and the cells it stands for."""


class Prompting(Protocol):
    """A leader and a follower play in rounds.

    information  `own`: each sees its own reward only; `response`: the leader also sees the answer; `both`: and each sees both
                 rewards; `central`: the leader moves for both, and sees both rewards
    leader_history, follower_history   `raw` or `summary`
    price        what a round costs the leader
    decline      whether she may decline an answer
    """
    information: Literal["own", "response", "both", "central"] = "own"
    leader_history: History = "raw"
    follower_history: History = "raw"
    price: Annotated[float, Field(ge=0)] = 0.0
    decline: bool = False

    def rules(self, game: Game) -> Rules:
        return Rules.of(rounds=fitting(game).length, information=self.information, price=self.price,
                        decline=self.decline)

    def seats(self, game: Game) -> tuple[Role, ...]:
        leader, follower = fitting(game).players()
        if self.decline and self.information in ("own", "central"):
            raise RulesError('nobody can decline an answer she does not see, or gave herself: with decline, set information to '
                             '"response" or "both".')
        return (leader,) if self.information == "central" else (leader, follower)

    def chat(self, game: Game, role: Role) -> int:
        leads = role == game.players()[0]
        raw = (self.leader_history if leads else self.follower_history) == "raw"
        return (2 if leads and self.decline else 1) * fitting(game).length if raw else 1

    def script(self, game: Game, state: State) -> Script:
        table = Table(self, fitting(game), state)
        for _ in range(table.game.length):
            if self.information == "central":
                both, = yield (table.ask(table.leader, table.game.joint),)
                lead, answer = table.game.split(both)
                table.moves += ((table.leader, lead), (table.follower, answer))
            else:
                lead, = yield (table.ask(table.leader, game.want(table.leader)),)
                table.moves.append((table.leader, lead))
                answer, = yield (table.ask(table.follower, game.want(table.follower), lead),)
                table.moves.append((table.follower, answer))
            declined = False
            if self.decline:
                verdict, = yield (table.judge(answer),)
                table.moves.append((table.leader, verdict))
                declined = table.game.declines(verdict)
            table.settle(lead, answer, declined)
        return Play(state=state, moves=tuple(table.moves), fees={table.leader: self.price})


def fitting(game: Game) -> Repeated:
    """The game as one that is played in rounds. Raises RulesError."""
    if not isinstance(game, Repeated):
        raise RulesError("this protocol plays games in rounds, such as \"prompting\"; this game has none.")
    return game


class Table:
    """What has been played so far, and what each role is still to be told of it."""

    def __init__(self, protocol: Prompting, game: Repeated, state: State):
        self.protocol, self.game, self.state = protocol, game, state
        self.leader, self.follower = game.players()
        self.raw = {self.leader: protocol.leader_history == "raw", self.follower: protocol.follower_history == "raw"}
        self.brief: dict[Role, tuple[Observation, ...]] = {r: (game.observe(r, state), game.rounds(r)) for r in game.players()}
        self.news: dict[Role, list[Observation]] = {r: list(self.brief[r]) for r in game.players()}
        self.moves: list[tuple[Role, Move]] = []
        self.visits: dict[tuple[str, str], int] = {}
        self.totals: dict[tuple[Role, str, str], float] = {}
        self.played = 0

    def ask(self, role: Role, want: type[Move], lead: Move | None = None, *also: Observation) -> Ask:
        """The ask of one round: what is new, or all in short; then the leader's move, and what came with it."""
        seen = also if lead is None else (Saw(role=self.leader, move=lead), *also)
        if self.raw[role]:
            news, self.news[role] = self.news[role], []
            return Ask(role, (*news, *seen), want)
        return Ask(role, (*self.brief[role], *self.summaries(role, lead), *seen), want, anew=True)

    def judge(self, answer: Move) -> Ask:
        """The leader is shown the answer, and asked whether she takes it."""
        return self.go_on(self.leader, self.game.verdict, Saw(role=self.follower, move=answer))

    def go_on(self, role: Role, want: type[Move], *seen: Observation) -> Ask:
        """A further ask within a round: its talk goes on whatever the history."""
        return Ask(role, seen, want)

    def settle(self, lead: Move, answer: Move, declined: bool) -> None:
        """Both earn, and are told what they may know."""
        cell = label(lead), label(answer)
        self.book(cell, self.declined if declined else self.game.reward(self.state, lead, answer, self.visits.get(cell, 0)), answer)

    @property
    def declined(self) -> dict[Role, float]:
        """What either earns by a declined round."""
        return dict.fromkeys(self.game.players(), self.game.worth_declined)

    def book(self, cell: tuple[str, str], earned: dict[Role, float], answer: Move) -> None:
        """Takes in what a round earned at a cell; `answer` is what the leader may see of it."""
        self.visits[cell], self.played = self.visits.get(cell, 0) + 1, self.played + 1
        for role, reward in earned.items():
            self.totals[(role, *cell)] = self.totals.get((role, *cell), 0.0) + reward
        told = self.protocol.information
        for role in self.game.players():
            if self.raw[role]:
                if role == self.leader and told in ("response", "both") and not self.protocol.decline:
                    self.news[role].append(Saw(role=self.follower, move=answer))
                self.news[role] += [Earned(role=r, reward=x) for r, x in earned.items() if r == role or told in ("both", "central")]

    def summaries(self, role: Role, lead: Move | None) -> list[Summary]:
        """What each choice has earned so far, one summary for each whose rewards the role sees."""
        told = self.protocol.information
        whose = [role, *(r for r in self.game.players() if r != role and told in ("both", "central"))]
        arms = self.arms(lead)
        return [self.summary(r, arms) for r in whose]

    def arms(self, lead: Move | None) -> Arms:
        """The choices of the follower, if there is a move to answer; else those the leader can tell apart."""
        prompts, responses = self.game.rounds(self.leader).options, self.game.rounds(self.leader).others
        if lead is not None:
            return [((b,), ((label(lead), b),)) for b in responses]
        if self.protocol.information == "own":
            return [((a,), tuple((a, b) for b in responses)) for a in prompts]
        return [((a, b), ((a, b),)) for a in prompts for b in responses]

    def summary(self, role: Role, arms: Arms) -> Summary:
        """Counts and means of one role, over the cells that each arm stands for."""
        counts = [sum(self.visits.get(c, 0) for c in cells) for _, cells in arms]
        totals = [sum(self.totals.get((role, *c), 0.0) for c in cells) for _, cells in arms]
        return Summary(role=role, played=self.played, arms=tuple(names for names, _ in arms), counts=tuple(counts),
                       means=tuple(x / n if n else None for x, n in zip(totals, counts, strict=True)))


def label(move: Move) -> str:
    """The one label of a move."""
    return str(next(iter(move.__dict__.values())))

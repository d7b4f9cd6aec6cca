"""Drafts an answer, finds fault with it, then answers: three calls of another agent, as a langgraph graph."""
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar, Self, TypedDict

from pydantic import PrivateAttr, model_validator

from ..errors import InputError
from ..games.base import Say
from ..protocols.base import Ask
from ..protocols.interview import Asked
from ..protocols.seat import Agent, Reply, Seating, Turn, summed
from ..protocols.session import seed_of
from ..registry import build
from .graph import MISSING

CRITIQUE = "Before this answer is given: what speaks against it? Name its weakest point and what would be better."
ANSWER = "Now give your final answer to the question before, in the form it asked for."


class Talk(TypedDict):
    """State of the graph: who deliberates on which turn, and the replies so far."""
    agent: Agent
    turn: Turn
    replies: Sequence[Reply]


class Deliberate(Agent):
    """draft -> critique -> answer, each a call of the inner agent; the last words are the answer.

    inner   the agent that is called: {"agent": name, and its fields}. One that reads words: a model, a mock, a graph

    Tokens, cost and seconds are summed over the calls. If a later call fails, all are made again; what the earlier ones took is on
    record with the failure.
    """
    remote: ClassVar[bool] = True
    inner: Mapping[str, Any]
    _agent: Agent | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _known(self) -> Self:
        self._agent = self._built()
        return self

    def _built(self) -> Agent:
        """The inner agent, unseated. Raises UnknownName or FieldError."""
        if "agent" not in self.inner:
            raise ValueError("inner must name its agent: {\"agent\": name, and its fields}")
        agent: Agent = build("agents", str(self.inner["agent"]), {k: v for k, v in self.inner.items() if k != "agent"})
        return agent

    def bind(self, seating: Seating) -> Self:
        seated = self.model_copy()
        seated._agent = self._built().bind(seating)
        return seated

    @property
    def whom(self) -> Agent | None:
        """The agent that is called."""
        return self._agent

    async def reply(self, turn: Turn) -> Reply:
        talk = await _graph().ainvoke({"agent": self._agent, "turn": turn, "replies": ()})
        return summed(talk["replies"])

    async def check(self) -> None:
        if self._agent is not None:
            await self._agent.check()

    async def close(self) -> None:
        if self._agent is not None:
            await self._agent.close()


@cache
def _graph() -> Any:
    try:
        from langgraph.graph import END, START, StateGraph
    except ModuleNotFoundError:
        raise InputError(MISSING) from None
    graph = StateGraph(Talk)
    for name, step in (("draft", _draft), ("critique", _critique), ("answer", _answer)):
        graph.add_node(name, step)
    for start, end in ((START, "draft"), ("draft", "critique"), ("critique", "answer"), ("answer", END)):
        graph.add_edge(start, end)
    return graph.compile()


async def _draft(state: Talk) -> dict[str, Any]:
    return await _call(state, replace(state["turn"], seed=seed_of(state["turn"].seed, "draft")))


async def _critique(state: Talk) -> dict[str, Any]:
    turn = state["turn"]
    past = (*turn.past, (turn.ask, _said(state, 0)))
    return await _call(state, Turn(_why(turn), turn.wording, seed_of(turn.seed, "critique"), past, tries=turn.tries))


async def _answer(state: Talk) -> dict[str, Any]:
    turn = state["turn"]
    ask = replace(turn.ask, news=(Asked(name="answer", text=ANSWER),))
    past = (*turn.past, (turn.ask, _said(state, 0)), (_why(turn), _said(state, 1)))
    return await _call(state, replace(turn, ask=ask, seed=seed_of(turn.seed, "answer"), past=past))


async def _call(talk: Talk, turn: Turn) -> dict[str, Any]:
    heard = talk["turn"].heard
    before = len(heard)
    reply = await talk["agent"].reply(replace(turn, heard=heard))
    heard[before:] = [reply]  # in place of the calls that it is the sum of
    return {"replies": (*talk["replies"], reply)}


def _why(turn: Turn) -> Ask:
    return Ask(turn.role, (Asked(name="critique", text=CRITIQUE),), Say)


def _said(talk: Talk, step: int) -> str:
    return talk["replies"][step].words or "(nothing)"

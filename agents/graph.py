"""Any compiled langgraph graph."""
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from time import perf_counter
from typing import Any, ClassVar, Self

from ..errors import Fatal, InputError, Paused, ProviderError, Transient
from ..protocols.seat import Agent, Reply, Seating, Turn

MISSING = 'this agent needs langgraph: pip install "parlour[langgraph]"'


class Graph(Agent):
    """A graph that answers from the talk so far.

    path   "module:attribute" of a compiled graph
    state in    messages (the talk, as chat messages), schema (JSON schema of the reply; None for free speech), seed
    state out   `words`, or else the content of the last of `messages`

    The graph is run anew at each ask under its own thread id: what it keeps between asks is not its memory, the talk is.
    An interrupt puts the answer off, as a human may.
    """
    remote: ClassVar[bool] = True
    longest: ClassVar[int | None] = 300
    path: str

    def bind(self, seating: Seating) -> Self:
        load(self.path)
        return self

    async def reply(self, turn: Turn) -> Reply:
        began = perf_counter()
        graph = load(self.path)
        given = {"messages": turn.messages(), "schema": turn.schema, "seed": turn.seed}
        thread = {"configurable": {"thread_id": f"{turn.seed}-{turn.tries}"}}
        try:
            state = await graph.ainvoke(given, config=thread)
        except (ProviderError, InputError, Paused):
            raise
        except Exception as error:
            raise _failure(self.path, error) from error
        if state.get("__interrupt__"):
            raise Paused(f"the graph '{self.path}' waits for somebody.")
        tokens_in, tokens_out = _usage(state.get("messages", ()))
        return Reply(_words(state, self.path), model=self.path, tokens_in=tokens_in, tokens_out=tokens_out,
                     latency=perf_counter() - began)


@cache
def load(path: str) -> Any:
    """The graph itself. Raises InputError if there is none at `path`."""
    module, _, attribute = path.partition(":")
    try:
        graph = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "langgraph":
            raise InputError(MISSING) from None
        raise InputError(f"no module '{error.name}' for the graph '{path}'.") from None
    except (AttributeError, ValueError):
        raise InputError(f"no graph at '{path}': give it as module:attribute.") from None
    if not hasattr(graph, "ainvoke"):
        raise InputError(f"'{path}' is no compiled graph: compile it with .compile().")
    return graph


def _failure(path: str, error: Exception) -> ProviderError:
    """What a graph raised, as an error of the service: only a service's own 429, 5xx or time-out is worth another try."""
    status = getattr(error, "status_code", None)
    busy = isinstance(status, int) and (status == 429 or status >= 500)
    passing = busy or isinstance(error, TimeoutError | ConnectionError)
    return (Transient if passing else Fatal)(f"the graph '{path}' failed: {type(error).__name__}: {error}")


def _words(state: Mapping[str, Any], path: str) -> str:
    if isinstance(state.get("words"), str):
        return str(state["words"])
    if not state.get("messages"):
        raise InputError(f"the graph '{path}' ends with neither `words` nor `messages`.")
    last = state["messages"][-1]
    content = last["content"] if isinstance(last, Mapping) else last.content
    if isinstance(content, str):
        return content
    return "".join(block if isinstance(block, str) else block.get("text", "") for block in content)


def _usage(messages: Any) -> tuple[int | None, int | None]:
    """Tokens in and out, summed over the messages that count them; None if none does."""
    counts = [m.usage_metadata for m in messages if getattr(m, "usage_metadata", None)]
    if not counts:
        return None, None
    return sum(c["input_tokens"] for c in counts), sum(c["output_tokens"] for c in counts)

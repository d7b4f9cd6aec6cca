"""The seats that are no language models: what they say, with which chances, and what they refuse."""
import asyncio
import builtins
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from math import exp
from types import ModuleType
from typing import Annotated, Any, ClassVar, Literal, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, PrivateAttr, model_validator

from parlour.agents import graph as graphs
from parlour.agents.always_follow import AlwaysFollow
from parlour.agents.chances import BABBLE, Mixing
from parlour.agents.deliberate import ANSWER, CRITIQUE, Deliberate
from parlour.agents.graph import Graph
from parlour.agents.human import Human
from parlour.agents.level_k import LevelK
from parlour.agents.logit import Logit
from parlour.agents.never_follow import NeverFollow
from parlour.agents.persona import Persona
from parlour.agents.random import Random
from parlour.agents.recording import Recording
from parlour.agents.strategy import Strategy
from parlour.errors import Fatal, FieldError, InputError, Paused, Transient, UnknownName
from parlour.games.base import Information, Mixed, Money, Move, Observation, Query, Role, Saw, Say, Wording
from parlour.protocols.base import Ask
from parlour.protocols.codec import read, write
from parlour.protocols.seat import Agent, Attempt, Reply, Seating, Turn
from parlour.protocols.session import seed_of
from parlour.registry import load, modules

SEATS = ("always_follow", "deliberate", "graph", "human", "level_k", "logit", "never_follow", "persona", "random", "recording",
         "strategy")


class Choice(Move):
    action: Literal["A", "B", "C"]


class Report(Move):
    report: Literal["A", "B"]


class Offer(Move):
    price: Annotated[Money, Field(ge=2, le=10)]
    quantity: Annotated[int, Field(gt=0, lt=4)]
    final: bool


class Lottery(Move):
    """Chances of three prizes."""
    chances: Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(min_length=3, max_length=3)]

    @model_validator(mode="after")
    def _whole(self) -> "Lottery":
        if abs(sum(self.chances) - 1) > 1e-9:
            raise ValueError("chances must sum to 1")
        return self


class Never(Move):
    number: float

    @model_validator(mode="after")
    def _none(self) -> "Never":
        raise ValueError("nothing will do")


class Note(Observation):
    text: str

    def say(self, w: Wording, me: Role) -> str:
        return self.text


W = Wording(labels={"A": "north", "B": "south", "C": "stay"}, scale=10, shift=5, texts={"Choice": "Where to?"})


def choice(action: str) -> Choice:
    return Choice.model_validate({"action": action})


def turn(want: type[Move] = Choice, *news: Observation, optional: bool = False, seed: int = 7,
         past: Sequence[tuple[Ask, str]] = (), attempts: Sequence[Attempt] = ()) -> Turn:
    return Turn(Ask("x", news, want, optional), W, seed, tuple(past), tuple(attempts), len(attempts))


def say(agent: Agent, now: Turn) -> str:
    return asyncio.run(agent.reply(now)).words


def move(agent: Agent, now: Turn) -> Move | None:
    return read(say(agent, now), now.ask.want, W, now.ask.optional)


def seeds(n: int) -> list[int]:
    return [seed_of("draw", i) for i in range(n)]


def frequencies(agent: Agent, now: Turn, n: int = 2000) -> dict[str, float]:
    async def all_of() -> list[str]:
        return [(await agent.reply(Turn(now.ask, W, s, now.past))).words for s in seeds(n)]

    return {words: k / n for words, k in Counter(asyncio.run(all_of())).items()}


def agrees(agent: Agent, now: Turn) -> None:
    """What is drawn has the chances the agent states."""
    stated = agent.mixture(now)
    assert stated is not None and sum(p for p, _ in stated) == pytest.approx(1)
    assert frequencies(agent, now) == pytest.approx({words: p for p, words in stated}, abs=0.05)


# --- every seat ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", SEATS)
def test_every_seat_is_registered_and_says_what_it_is(name: str) -> None:
    assert name in modules("agents")
    cls = load("agents", name)
    line = (sys.modules[cls.__module__].__doc__ or "").splitlines()[0]
    assert 20 < len(line) <= 120 and line.endswith(".")
    assert cls.__doc__


# --- statistical and analytic seats -------------------------------------------------------------------------------------
WORTH = {"A": 1.0, "B": 3.0, "C": 3.0 + 1e-12}


def options(information: Information, want: type[Move], level: int | None) -> tuple[tuple[Move | None, float], ...]:
    if want is Query:
        return ((None, 0.0), (Query(question="?"), 1.0))
    bonus = {"A": 0.0 if level is None else 10.0 * level}
    return tuple((choice(a), v + bonus.get(a, 0.0)) for a, v in WORTH.items())


def plan(information: Information, want: type[Move]) -> Mixed:
    return ((0.3, Choice(action="A")), (0.7, Choice(action="B")), (0.0, Choice(action="C")))


def seating(**changes: Any) -> Seating:
    return Seating(**{"role": "x", "strategy": lambda name: plan, "heed": lambda i: Choice(action="B"),
                      "ignore": lambda i: Choice(action="C"), "options": options, **changes})


def test_a_strategy_is_drawn_with_its_chances() -> None:
    plans = {"best": plan}
    agent = Strategy(benchmark="best").bind(seating(strategy=lambda name: plans[name]))
    assert agent.mixture(turn()) == ((0.3, '{"action":"north"}'), (0.7, '{"action":"south"}'))
    agrees(agent, turn())


def test_a_strategy_sees_all_its_information_and_what_is_owed() -> None:
    met: list[Any] = []

    def watch(information: Information, want: type[Move]) -> Mixed:
        met.append((information, want))
        return ((1.0, None),)

    now = turn(Query, Note(text="new"), optional=True, past=[(Ask("x", (Note(text="old"),), Query, True), '{"pass": true}')])
    assert move(Strategy().bind(seating(strategy=lambda name: watch)), now) is None
    assert met == [((Note(text="old"), Note(text="new")), Query)]


def test_quantal_response() -> None:
    weights = {a: exp(0.8 * v) for a, v in WORTH.items()}
    agent = Logit(precision=0.8).bind(seating())
    stated = dict((w, p) for p, w in agent.mixture(turn()) or ())
    assert stated == pytest.approx({write(choice(a), W): v / sum(weights.values()) for a, v in weights.items()})
    agrees(agent, turn())


def test_precision_zero_is_uniform_and_a_great_one_a_best_reply() -> None:
    assert [p for p, _ in Logit(precision=0).bind(seating()).mixture(turn()) or ()] == pytest.approx([1 / 3] * 3)
    sharp = Logit(precision=1e6).bind(seating()).mixture(turn(Query, optional=True))
    assert sharp == ((1.0, '{"question":"?"}'),)
    assert Logit(precision=1e6, level=1).bind(seating()).mixture(turn()) == ((1.0, '{"action":"north"}'),)


@given(precision=st.floats(0, 1e9), worths=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_quantal_chances_sum_to_one_and_rise_with_worth(precision: float, worths: list[float]) -> None:
    offers = tuple((Choice(action="A"), v) for v in worths)
    agent = Logit(precision=precision).bind(seating(options=lambda i, w, k: offers))
    chances = [p for p, _ in agent.chances(turn())]
    assert sum(chances) == pytest.approx(1)
    for (_, v), p in zip(offers, chances, strict=True):
        for (_, u), q in zip(offers, chances, strict=True):
            assert p <= q or v > u or v == pytest.approx(u)


def test_level_k() -> None:
    assert LevelK(level=0).bind(seating()).mixture(turn()) == tuple((1 / 3, write(choice(a), W)) for a in "ABC")
    query = turn(Query, optional=True)
    assert LevelK(level=0).bind(seating()).mixture(query) == ((0.5, '{"pass": true}'), (0.5, '{"question":"?"}'))
    assert move(LevelK(level=1).bind(seating()), turn()) == Choice(action="B")  # B ties with C within the slack, and is first
    assert move(LevelK(level=2).bind(seating()), turn()) == Choice(action="A")
    agrees(LevelK(level=0).bind(seating()), turn())


HEARD = Saw(role="ai", move=Report(report="B"))
SPOKEN = Saw(role="y", move=Say(text="go north"))


def test_always_follow_asks_once_and_heeds() -> None:
    agent = AlwaysFollow().bind(seating())
    first = turn(Query, optional=True)
    assert isinstance(move(agent, first), Query)
    later = turn(Query, HEARD, optional=True, past=[(first.ask, say(agent, first))])
    assert move(agent, later) is None
    assert move(agent, turn(Choice, HEARD)) == Choice(action="B")
    assert move(agent, turn(Choice, SPOKEN)) == Choice(action="C")
    assert move(agent, turn(Offer, optional=True)) is None


def test_never_follow_does_not_ask_and_ignores() -> None:
    agent = NeverFollow().bind(seating())
    assert move(agent, turn(Query, optional=True)) is None
    assert move(agent, turn(Choice, HEARD)) == Choice(action="C")


MIXING = (Strategy(), Logit(), LevelK(), AlwaysFollow(), NeverFollow())


@pytest.mark.parametrize("agent", MIXING)
def test_free_speech_is_one_constant(agent: Agent) -> None:
    bound = agent.bind(seating())
    assert say(bound, turn(Say)) == BABBLE
    assert bound.mixture(turn(Say, optional=True)) == ((1.0, BABBLE),)


@pytest.mark.parametrize("agent", MIXING)
def test_who_was_handed_nothing_says_so(agent: Agent) -> None:
    for attempt in (lambda: agent.bind(Seating(role="x")), lambda: say(agent, turn())):
        with pytest.raises(InputError, match="cannot sit as 'x'"):
            attempt()


@pytest.mark.parametrize("agent", MIXING)
def test_a_game_that_does_not_know_such_a_seat(agent: Agent) -> None:
    def nothing(*given: Any) -> Any:
        raise NotImplementedError

    bound = agent.bind(seating(strategy=lambda name: nothing, heed=nothing, ignore=nothing, options=nothing))
    with pytest.raises(InputError, match=r"cannot sit as 'x'.*Choice"):
        bound.mixture(turn())


@pytest.mark.parametrize("agent", MIXING)
def test_seating_leaves_the_agent_itself_alone(agent: Agent) -> None:
    bound = agent.bind(seating())
    assert bound is not agent and bound.model_dump() == agent.model_dump()
    assert type(agent).model_validate_json(agent.model_dump_json()) == agent
    assert isinstance(bound, Mixing)


# --- random -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("want", [Choice, Offer, Lottery, Query, Report])
@pytest.mark.parametrize("optional", [False, True])
def test_random_moves_are_valid(want: type[Move], optional: bool) -> None:
    said = [move(Random(), turn(want, optional=optional, seed=s)) for s in seeds(200)]
    passes = sum(m is None for m in said)
    assert (70 <= passes <= 130) if optional else passes == 0
    assert len({str(m) for m in said if m is not None}) > (1 if want is not Query else 0)


def test_random_covers_the_range_evenly() -> None:
    offers = [m for m in (move(Random(), turn(Offer, seed=s)) for s in seeds(600)) if isinstance(m, Offer)]
    prices = sorted(m.price for m in offers)
    assert prices[0] < 2.2 and prices[-1] > 9.8 and prices[300] == pytest.approx(6, abs=0.5)
    shares = {k: v / 600 for k, v in Counter(m.quantity for m in offers).items()}
    assert shares == pytest.approx({1: 1 / 3, 2: 1 / 3, 3: 1 / 3}, abs=0.06)
    assert sum(m.final for m in offers) / 600 == pytest.approx(0.5, abs=0.06)


def test_random_depends_on_the_seed_alone() -> None:
    assert say(Random(), turn(Offer, seed=3)) == say(Random(), turn(Offer, Note(text="news"), seed=3))
    assert say(Random(), turn(Offer, seed=3)) != say(Random(), turn(Offer, seed=4))


@pytest.mark.parametrize("want", [Choice, Report, Query, Say])
@pytest.mark.parametrize("optional", [False, True])
def test_random_states_its_chances_where_moves_are_few(want: type[Move], optional: bool) -> None:
    agrees(Random(), turn(want, optional=optional))


@pytest.mark.parametrize("want", [Offer, Lottery])
def test_random_states_none_where_they_are_many(want: type[Move]) -> None:
    assert Random().mixture(turn(want)) is None


def test_random_gives_up_politely() -> None:
    with pytest.raises(InputError, match="'random' finds no valid Never"):
        say(Random(), turn(Never))


def test_random_plays_every_registered_game() -> None:
    for name in modules("games"):
        game = load("games", name)()
        for role in game.players():
            now = Turn(Ask(role, (), game.want(role)), game.wordings[-1], 11)
            assert read(asyncio.run(Random().reply(now)).words, now.ask.want, now.wording) is not None


# --- a human at the terminal --------------------------------------------------------------------------------------------
class Terminal:
    """A scripted keyboard and what the screen showed."""

    def __init__(self, *lines: str | BaseException):
        self.lines, self.shown, self.prompts = list(lines), [], []  # type: ignore[var-annotated]  # lists of strings

    def read(self, prompt: str) -> str:
        self.prompts.append(prompt)
        if not self.lines:
            raise EOFError
        line = self.lines.pop(0)
        if isinstance(line, BaseException):
            raise line
        return line

    def seat(self) -> Human:
        human = Human()
        human._read, human._show = self.read, self.shown.append
        return human


def test_a_human_is_told_and_asked_field_by_field() -> None:
    t = Terminal("25", "cheap", "3", "yes")
    assert move(t.seat(), turn(Offer, Note(text="The market opens."))) == Offer(price=2, quantity=3, final=True)
    assert t.shown[0].startswith("The market opens.")
    assert t.prompts == ["price [number; at least 25, at most 105]: ", "quantity [whole number; more than 0, less than 4]: ",
                         "quantity [whole number; more than 0, less than 4]: ", "final [yes or no]: "]
    assert "Please answer with a whole number, such as 3." in t.shown


@pytest.mark.parametrize(("line", "action"), [("north", "A"), ("NORTH", "A"), (" stay ", "C")])
def test_a_human_names_an_option_in_its_wording(line: str, action: str) -> None:
    t = Terminal("A", line)
    assert move(t.seat(), turn()) == choice(action)
    assert t.prompts[0] == "action [north / south / stay]: "
    assert "Please answer with one of north, south, stay." in t.shown


def test_a_human_may_pass_with_an_empty_line_only_where_one_may() -> None:
    assert move(Terminal("").seat(), turn(Query, optional=True)) is None
    assert move(Terminal("", "why?").seat(), turn(Query)) == Query(question="why?")
    assert move(Terminal("").seat(), turn(Say, optional=True)) is None
    assert move(Terminal("", "hello there").seat(), turn(Say)) == Say(text="hello there")
    first = Terminal("30", "", "2", "no")
    assert move(first.seat(), turn(Offer, optional=True)) == Offer(price=2.5, quantity=2, final=False)


class Perhaps(Move):
    amounts: tuple[float, ...]
    note: str | None


def test_a_human_types_lists_and_leaves_out_what_may_be() -> None:
    assert move(Terminal("1, 2.5", "").seat(), turn(Perhaps)) == Perhaps(amounts=(1.0, 2.5), note=None)
    assert move(Terminal("[1, 2]", "so so").seat(), turn(Perhaps)) == Perhaps(amounts=(1.0, 2.0), note="so so")
    assert move(Terminal("", "").seat(), turn(Perhaps)) == Perhaps(amounts=(), note=None)


def test_a_human_may_type_json() -> None:
    assert say(Terminal(":json", '{"action": "south"}').seat(), turn()) == '{"action": "south"}'
    assert move(Terminal("30", ":json", '{"price": 45, "quantity": 1, "final": true}').seat(), turn(Offer)) == Offer(
        price=4, quantity=1, final=True)


def test_a_human_sees_the_complaint_and_is_asked_again() -> None:
    t = Terminal("north")
    assert move(t.seat(), turn(attempts=[Attempt("no", "That is no answer.")])) == Choice(action="A")
    assert "That is no answer." in t.shown


@pytest.mark.parametrize("want", [Choice, Say, Query])
@pytest.mark.parametrize("lines", [(":later",), (), (EOFError(),), (":json", ":later")])
def test_a_human_may_answer_later(want: type[Move], lines: tuple[Any, ...]) -> None:
    with pytest.raises(Paused, match="'x' will answer later"):
        say(Terminal(*lines).seat(), turn(want, optional=True))


def test_ctrl_c_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        say(Terminal(KeyboardInterrupt()).seat(), turn())


def test_a_human_in_another_process_is_shown_what_was_said_before() -> None:
    before = [(Ask("x", (Note(text="The beginning."),), Choice), '{"action": "north"}')]
    t = Terminal("south", "south")
    human = t.seat()
    say(human, turn(past=before))
    assert "The beginning." in t.shown[0] and '> {"action": "north"}' in t.shown[0]
    shown = len(t.shown)
    say(human, turn(past=[*before, (turn().ask, '{"action": "south"}')]))
    assert not any("The beginning." in text for text in t.shown[shown:])


def test_the_loop_runs_on_while_a_human_thinks() -> None:
    ticks: list[int] = []

    async def go() -> str:
        loop, typed = asyncio.get_running_loop(), asyncio.Event()
        human = Human()

        def slow(prompt: str) -> str:
            asyncio.run_coroutine_threadsafe(typed.wait(), loop).result(5)
            return "north"

        human._read, human._show = slow, lambda text: None
        reply = asyncio.create_task(human.reply(turn()))
        for i in range(3):
            await asyncio.sleep(0)
            ticks.append(i)
        typed.set()
        return (await reply).words

    assert asyncio.run(go()) == '{"action": "north"}' and ticks == [0, 1, 2]


# --- a recording --------------------------------------------------------------------------------------------------------
def test_a_recording_gives_the_kth_words_at_the_kth_ask() -> None:
    agent = Recording(words=("one", "two"))
    past: list[tuple[Ask, str]] = []
    for words in ("one", "two"):
        assert say(agent, turn(past=past)) == words
        assert agent.mixture(turn(past=past)) == ((1.0, words),)
        past.append((turn().ask, words))
    with pytest.raises(InputError, match="ends after 2 replies"):
        say(agent, turn(past=past))


def test_a_recording_may_be_handed_its_words() -> None:
    agent = Recording().bind(Seating(role="x", extra={"words": ["three"]}))
    assert say(agent, turn()) == "three"
    with pytest.raises(InputError, match="ends after 0 replies"):
        say(Recording().bind(Seating(role="x")), turn())


# --- a persona ----------------------------------------------------------------------------------------------------------
def test_a_persona_is_a_model_that_is_told_whom_it_plays() -> None:
    agent = Persona(model="m", age=44, occupation="nurse", traits="She dislikes risk.", system="S")
    request, _ = agent.request(turn(), False)
    system = request["messages"][0]
    assert system["role"] == "system" and system["content"].startswith("S\n\n")
    assert "this person (age: 44; occupation: nurse)" in system["content"] and "She dislikes risk." in system["content"]
    assert "None" not in system["content"]
    assert Persona.called == "human proxy"
    assert Persona.model_validate_json(agent.model_dump_json()) == agent


def test_personas_differ_and_none_is_an_ordinary_person() -> None:
    portraits = {p.portrait for p in (Persona(model="m"), Persona(model="m", age=20), Persona(model="m", age=80),
                                      Persona(model="m", persona="A miser."))}
    assert len(portraits) == 4
    assert "ordinary person" in Persona(model="m").portrait
    assert Persona(model="m", persona="A miser.").portrait.endswith("A miser.")


# --- graphs -------------------------------------------------------------------------------------------------------------
class Fake:
    """Stands for a compiled graph."""

    def __init__(self, answer: Any):
        self.answer, self.given = answer, {}  # type: ignore[var-annotated]  # what the graph was given

    async def ainvoke(self, given: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
        self.given = {**given, **config}
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module that graphs can be put in."""
    module = ModuleType("shelf_of_graphs")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    graphs.load.cache_clear()
    return module


def graph_of(shelf: ModuleType, answer: Any) -> tuple[Graph, Fake]:
    fake = Fake(answer)
    shelf.it = fake  # type: ignore[attr-defined]
    return Graph(path="shelf_of_graphs:it"), fake


class Message:
    def __init__(self, content: Any, usage: dict[str, int] | None = None):
        self.content, self.usage_metadata = content, usage


@pytest.mark.parametrize(("state", "words"), [
    ({"words": "plain"}, "plain"),
    ({"words": "these", "messages": [{"role": "assistant", "content": "not these"}]}, "these"),
    ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}, "b"),
    ({"messages": [Message("c")]}, "c"),
    ({"messages": [Message([{"type": "text", "text": "d"}, "e"])]}, "de"),
])
def test_what_a_graph_says(shelf: ModuleType, state: Any, words: str) -> None:
    agent, _ = graph_of(shelf, state)
    assert say(agent, turn()) == words


def test_what_a_graph_is_given(shelf: ModuleType) -> None:
    agent, fake = graph_of(shelf, {"words": "x"})
    now = turn(Choice, Note(text="News."), seed=5)
    say(agent.bind(Seating(role="x")), now)
    assert fake.given == {"messages": now.messages(), "schema": now.schema, "seed": 5, "configurable": {"thread_id": "5-0"}}


def test_a_graphs_tokens_are_summed(shelf: ModuleType) -> None:
    first, last = {"input_tokens": 5, "output_tokens": 2}, {"input_tokens": 7, "output_tokens": 1}
    agent, _ = graph_of(shelf, {"messages": [Message("a", first), Message("b"), Message("c", last)]})
    reply = asyncio.run(agent.reply(turn()))
    assert (reply.words, reply.tokens_in, reply.tokens_out) == ("c", 12, 3)


class Refused(Exception):
    def __init__(self, status_code: int):
        super().__init__(f"status {status_code}")
        self.status_code = status_code


@pytest.mark.parametrize(("raised", "kind"), [
    (Refused(429), Transient), (Refused(503), Transient), (TimeoutError(), Transient), (Refused(401), Fatal),
    (KeyError("oops"), Fatal), (Paused("later"), Paused), (Transient("busy"), Transient), (InputError("bad"), InputError)])
def test_how_a_graph_fails(shelf: ModuleType, raised: Exception, kind: type[Exception]) -> None:
    agent, _ = graph_of(shelf, raised)
    with pytest.raises(kind):
        say(agent, turn())


def test_a_graph_that_waits_for_somebody_pauses(shelf: ModuleType) -> None:
    agent, _ = graph_of(shelf, {"messages": [], "__interrupt__": ["what?"]})
    with pytest.raises(Paused):
        say(agent, turn())


@pytest.mark.parametrize(("path", "says"), [
    ("no_such_module:it", "no module 'no_such_module'"), ("shelf_of_graphs:other", "no graph at"),
    ("shelf_of_graphs", "no graph at"), ("json:loads", "no compiled graph")])
def test_graphs_that_are_not_there(shelf: ModuleType, path: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Graph(path=path).bind(Seating(role="x"))


def without_langgraph(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def importing(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "langgraph":
            raise ModuleNotFoundError("No module named 'langgraph'", name="langgraph")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", importing)


def test_without_langgraph_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "needs_langgraph.py").write_text("import langgraph.graph\nit = None\n")
    monkeypatch.syspath_prepend(tmp_path)
    without_langgraph(monkeypatch)
    with pytest.raises(InputError, match=r'pip install "parlour\[langgraph\]"'):
        Graph(path="needs_langgraph:it").bind(Seating(role="x"))


class Memo(TypedDict):
    words: str
    seed: int


def test_a_real_graph_with_its_own_state(shelf: ModuleType) -> None:
    langgraph = pytest.importorskip("langgraph.graph")
    graph = langgraph.StateGraph(Memo)
    graph.add_node("only", lambda state: {"words": f"seed {state['seed']}"})
    graph.add_edge(langgraph.START, "only")
    graph.add_edge("only", langgraph.END)
    shelf.it = graph.compile()  # type: ignore[attr-defined]
    assert say(Graph(path="shelf_of_graphs:it"), turn(seed=9)) == "seed 9"


def test_a_real_graph_over_messages(shelf: ModuleType) -> None:
    langgraph = pytest.importorskip("langgraph.graph")
    graph = langgraph.StateGraph(langgraph.MessagesState)
    graph.add_node("only", lambda state: {"messages": [("ai", f"{len(state['messages'])} heard")]})
    graph.add_edge(langgraph.START, "only")
    graph.add_edge("only", langgraph.END)
    shelf.it = graph.compile()  # type: ignore[attr-defined]
    past = [(Ask("x", (Note(text="old"),), Choice), '{"action": "north"}')]
    assert say(Graph(path="shelf_of_graphs:it"), turn(past=past)) == "3 heard"


# --- deliberation -------------------------------------------------------------------------------------------------------
class Thinker(Agent):
    """Keeps the turns it met; answers with what it was asked."""
    remote: ClassVar[bool] = False
    cost: float | None = 0.5
    _met: list[Turn] = PrivateAttr(default_factory=list)
    _closed: list[bool] = PrivateAttr(default_factory=list)

    async def reply(self, turn: Turn) -> Reply:
        self._met.append(turn)
        words = "too far" if turn.ask.want is Say else json.dumps({"action": "north" if len(self._met) == 1 else "stay"})
        return Reply(words, model="thinker", tokens_in=10, tokens_out=len(self._met), cost=self.cost, latency=0.25)

    async def close(self) -> None:
        self._closed.append(True)


def thinking(inner: Thinker) -> Deliberate:
    agent = Deliberate(inner={"agent": "random"})
    agent._agent = inner
    return agent


def test_deliberation_drafts_doubts_and_answers() -> None:
    pytest.importorskip("langgraph")
    inner = Thinker()
    now = turn(Choice, Note(text="The problem."), optional=True, attempts=[Attempt("bad", "no")])
    reply = asyncio.run(thinking(inner).reply(now))
    draft, critique, answer = inner._met
    assert reply == Reply('{"action": "stay"}', model="thinker", tokens_in=30, tokens_out=6, cost=1.5, latency=0.75)
    assert draft.ask == now.ask and draft.attempts == now.attempts
    assert critique.ask.want is Say and not critique.ask.optional
    assert [m["content"] for m in critique.messages()][1] == '{"action": "north"}' and CRITIQUE in critique.text
    assert answer.ask.want is Choice and answer.ask.optional and ANSWER in answer.text
    assert answer.attempts == now.attempts
    assert [w for _, w in answer.past] == ['{"action": "north"}', "too far"]
    assert answer.messages()[0]["content"].startswith("The problem.")
    assert len({t.seed for t in (now, *inner._met)}) == 4


def test_a_sum_with_an_unknown_part_is_unknown() -> None:
    pytest.importorskip("langgraph")
    reply = asyncio.run(thinking(Thinker(cost=None)).reply(turn()))
    assert reply.cost is None and reply.tokens_in == 30


class Breaks(Thinker):
    """Answers once, then fails."""
    async def reply(self, turn: Turn) -> Reply:
        if self._met:
            raise Transient("gone")
        return await super().reply(turn)


def test_what_was_heard_before_a_failure_stays_with_the_turn() -> None:
    pytest.importorskip("langgraph")
    now = turn()
    with pytest.raises(Transient):
        asyncio.run(thinking(thinking(Breaks())).reply(now))  # type: ignore[arg-type]
    assert [r.tokens_out for r in now.heard] == [1]
    now = turn()
    asyncio.run(thinking(thinking(Thinker())).reply(now))  # type: ignore[arg-type]
    assert len(now.heard) == 3 and sum(r.tokens_in or 0 for r in now.heard) == 90, "nine calls, each counted once"


def test_deliberation_closes_who_deliberates() -> None:
    inner = Thinker()
    asyncio.run(thinking(inner).close())
    assert inner._closed == [True]


def test_deliberation_of_a_mock_offline() -> None:
    pytest.importorskip("langgraph")
    agent = Deliberate(inner={"agent": "mock"}).bind(Seating(role="x"))
    words = [say(agent, turn(seed=s)) for s in seeds(10)]
    assert all(isinstance(read(w, Choice, W), Choice) for w in words) and len(set(words)) > 1
    assert words == [say(agent, turn(seed=s)) for s in seeds(10)]
    assert Deliberate.model_validate_json(agent.model_dump_json()).inner == {"agent": "mock"}


def test_who_deliberates_must_exist() -> None:
    with pytest.raises(UnknownName, match="no agent 'mok'"):
        Deliberate(inner={"agent": "mok"})
    with pytest.raises(FieldError, match=r"agent 'logit'.*precision"):
        Deliberate(inner={"agent": "logit", "precision": -1})
    with pytest.raises(ValueError, match="must name its agent"):
        Deliberate(inner={})


def test_an_inner_agent_is_seated_too() -> None:
    pytest.importorskip("langgraph")
    south = seating(strategy=lambda name: lambda information, want: ((1.0, Choice(action="B")),))
    agent = Deliberate(inner={"agent": "strategy"}).bind(south)
    assert move(agent, turn()) == Choice(action="B")


def test_deliberation_without_langgraph_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from parlour.agents import deliberate
    deliberate._graph.cache_clear()
    without_langgraph(monkeypatch)
    with pytest.raises(InputError, match=r'pip install "parlour\[langgraph\]"'):
        say(thinking(Thinker()), turn())

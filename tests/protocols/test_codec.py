"""Words and moves: writing and reading are inverse under every wording, reading is strict, schemas are plain."""
import json
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SerializeAsAny, create_model

from parlour.errors import Invalid, StoreError
from parlour.games.base import Chance, Frozen, Left, Money, Move, Observation, Query, Role, Saw, Say, State, Wording
from parlour.protocols.base import Ask
from parlour.protocols.codec import decode, encode, encode_news, read, reasoning, render, same, schema, write
from parlour.registry import load, modules

Label = Literal["A", "B", "C"]


class Choice(Move):
    action: Label


class Offer(Move):
    price: Annotated[Money, Field(ge=0, le=10)]
    quantity: Annotated[int, Field(ge=1, le=9)]
    final: bool


Row = Annotated[tuple[Chance, ...], Field(min_length=2, max_length=2)]


class Menu(Move):
    rows: Annotated[tuple[Row, ...], Field(min_length=1, max_length=3)]
    pair: tuple[Money, Money]
    picks: tuple[Label, ...]


class Perhaps(Move):
    price: Money | None = None
    label: Label | None = None
    note: Annotated[str, Field(max_length=20)] | None = None


class Part(Frozen):
    label: Label
    weight: float


class Nested(Move):
    first: Part
    parts: tuple[Part, ...]


class Shade(StrEnum):
    DARK = "dark"
    PALE = "pale"


class Tinted(Move):
    shade: Shade
    only: Literal["yes"]


class Empty(Move):
    pass


Narrow: type[Move] = create_model("Choice", __base__=Choice, __module__=Choice.__module__,
                                  **{"action": (Literal["A", "B"], ...)})  # type: ignore[call-overload]  # a literal type
HARD = (Choice, Offer, Menu, Perhaps, Nested, Tinted, Empty, Narrow, Query, Say)

WORDINGS = (
    Wording(),
    Wording(labels={"A": "north", "B": "south", "C": "stay"}, order="reversed"),
    Wording(labels={"A": "B", "B": "C", "C": "A"}),
    Wording(labels={"dark": "pale", "pale": "dark"}, scale=10, shift=120, unit="{} crowns"),
    Wording(scale=0.3, shift=-7.7, labels={"A": "C", "C": "A"}),
    Wording(scale=3, shift=0.1),
)
wordings = st.sampled_from(WORDINGS)
labels = st.sampled_from(("A", "B", "C"))
money = st.floats(-1e6, 1e6, allow_nan=False)
chance = st.floats(0, 1)
part = st.builds(Part, label=labels, weight=money)
moves = st.one_of(
    st.builds(Choice, action=labels),
    st.builds(Offer, price=st.one_of(st.sampled_from((0.0, 10.0, 0.1)), st.floats(0, 10)), quantity=st.integers(1, 9),
              final=st.booleans()),
    st.builds(Menu, rows=st.lists(st.tuples(chance, chance), min_size=1, max_size=3).map(tuple), pair=st.tuples(money, money),
              picks=st.lists(labels, max_size=4).map(tuple)),
    st.builds(Perhaps, price=st.none() | money, label=st.none() | labels, note=st.none() | st.text(max_size=20)),
    st.builds(Tinted, shade=st.sampled_from(Shade), only=st.just("yes")),
    st.builds(Nested, first=part, parts=st.lists(part, max_size=3).map(tuple)),
    st.builds(Query, question=st.text(min_size=1)),
    st.just(Empty()),
)


def near(a: Any, b: Any) -> bool:
    """Equal, but for the rounding of amounts shown in another unit and read back."""
    if isinstance(a, float) and isinstance(b, float):
        return a == pytest.approx(b, rel=1e-9, abs=1e-9)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(near(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(near(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and a == b


# --- write and read -----------------------------------------------------------------------------------------------------
@given(move=moves, wording=wordings, optional=st.booleans())
def test_what_is_written_is_read(move: Move, wording: Wording, optional: bool) -> None:
    back = read(write(move, wording), type(move), wording, optional)
    assert type(back) is type(move)
    assert near(back.model_dump(), move.model_dump())


def conforms(value: Any, node: dict[str, Any]) -> bool:
    """Whether a value is of a reply's schema."""
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    if value is None or "enum" in node:
        return value in node["enum"] if "enum" in node else "null" in kinds
    if isinstance(value, dict):
        return "object" in kinds and all(conforms(v, node["properties"][k]) for k, v in value.items())
    if isinstance(value, list):
        return "array" in kinds and all(conforms(v, node["items"]) for v in value)
    types = {str: {"string"}, bool: {"boolean"}, int: {"integer", "number"}, float: {"number"}}
    return bool(types[type(value)] & set(kinds))


@given(move=moves, wording=wordings, optional=st.booleans())
def test_what_is_written_is_what_the_schema_offers(move: Move, wording: Wording, optional: bool) -> None:
    whole = schema(type(move), wording, optional)
    assert whole is not None
    assert conforms(json.loads(write(move, wording)), whole)


def test_labels_within_objects_are_the_wordings_too() -> None:
    words = '{"first": {"label": "north", "weight": 1}, "parts": [{"label": "stay", "weight": 2.5}]}'
    assert read(words, Nested, WORDINGS[1]) == Nested(first=Part(label="A", weight=1), parts=(Part(label="C", weight=2.5),))
    with pytest.raises(Invalid):
        read(words.replace("north", "A"), Nested, WORDINGS[1])


@given(move=moves)
def test_in_the_plain_wording_it_is_the_same_to_the_bit(move: Move) -> None:
    assert read(write(move, Wording()), type(move), Wording()) == move


@given(text=st.text(min_size=1).filter(lambda t: t.strip() == t and not t.startswith("{")), wording=wordings)
def test_speech_is_the_raw_words(text: str, wording: Wording) -> None:
    assert read(write(Say(text=text), wording), Say, wording, True) == Say(text=text)


@pytest.mark.parametrize("wording", WORDINGS)
@pytest.mark.parametrize("price", [0.0, 10.0])
def test_a_bound_can_be_said_in_every_unit(price: float, wording: Wording) -> None:
    move = Offer(price=price, quantity=1, final=True)
    assert read(write(move, wording), Offer, wording) == move


def test_labels_and_units_by_hand() -> None:
    w = Wording(labels={"A": "B", "B": "C", "C": "A"}, scale=10, shift=120)
    assert write(Choice(action="A"), w) == '{"action":"B"}'
    assert read('{"action": "A"}', Choice, w) == Choice(action="C")
    assert read('{"price": 145, "quantity": 2, "final": false}', Offer, w) == Offer(price=2.5, quantity=2, final=False)
    assert read('{"price": null, "label": "B", "note": null}', Perhaps, w) == Perhaps(label="A")


@pytest.mark.parametrize("want", HARD)
def test_a_pass_is_a_pass(want: type[Move]) -> None:
    assert read(write(None, Wording()), want, Wording(), optional=True) is None
    if want is not Say:
        with pytest.raises(Invalid, match="pass"):
            read(write(None, Wording()), want, Wording(), optional=False)


def test_reasoning_is_private_and_first_or_absent() -> None:
    words = '{"reasoning": "C is safe", "action": "C"}'
    assert read(words, Choice, Wording()) == Choice(action="C")
    assert reasoning(words) == "C is safe"
    assert reasoning('{"action": "C"}') is None and reasoning("plain words") is None


OFFER = '{"price": 5, "quantity": 2, "final": true}'


@pytest.mark.parametrize(("words", "want", "says"), [
    ('{"action": "A"} I think so', Choice, "not one JSON object"),
    ('Sure: {"action": "A"}', Choice, "not one JSON object"),
    ('{"action": "A"}{"action": "B"}', Choice, "not one JSON object"),
    ('```json\n{"action": "A"}\n```', Choice, "not one JSON object"),
    ("", Choice, "not one JSON object"),
    ("{'action': 'A'}", Choice, "not one JSON object"),
    ('{"action": "A"', Choice, "not one JSON object"),
    ('"A"', Choice, "not an object"),
    ('["A"]', Choice, "not an object"),
    ("null", Choice, "not an object"),
    ('{"action": "a"}', Choice, "Not a valid answer"),
    ('{"action": "D"}', Choice, "Not a valid answer"),
    ('{"action": ["A"]}', Choice, "Not a valid answer"),
    ('{"action": null}', Choice, "Not a valid answer"),
    ("{}", Choice, "field required"),
    ('{"action": "A", "why": "it is best"}', Choice, "no field 'why'"),
    ('{"action": "A", "reasoning": 3}', Choice, '"reasoning" must be a text'),
    ('{"action": "A", "pass": true}', Choice, '"pass" is not allowed'),
    ('{"action": "A", "pass": "yes"}', Choice, '"pass" must be true'),
    ('{"price": "-45", "quantity": 2, "final": true}', Offer, "price"),
    ('{"price": "5", "quantity": 2, "final": true}', Offer, "price"),
    ('{"price": -45, "quantity": 2, "final": true}', Offer, "greater than or equal to 0"),
    ('{"price": NaN, "quantity": 2, "final": true}', Offer, "not one JSON object"),
    ('{"price": Infinity, "quantity": 2, "final": true}', Offer, "not one JSON object"),
    ('{"price": 1e999, "quantity": 2, "final": true}', Offer, "price|JSON"),
    ('{"price": true, "quantity": 2, "final": true}', Offer, "price"),
    ('{"price": 5, "quantity": 2.5, "final": true}', Offer, "quantity"),
    ('{"price": 5, "quantity": "2", "final": true}', Offer, "quantity"),
    ('{"price": 5, "quantity": 2, "final": 1}', Offer, "final"),
    ('{"price": 5, "quantity": 2, "final": "true"}', Offer, "final"),
    ("   ", Say, "said nothing"),
])
def test_strict_refusals(words: str, want: type[Move], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read(words, want, Wording())


@pytest.mark.parametrize("words", ['{"pass": true, "action": "A"}', '{"pass": "true"}', '{"pass": 1}', "{}", '{"pass": false}',
                                   "pass", '{"pass": true} '"{}"])
def test_a_pass_has_one_form(words: str) -> None:
    with pytest.raises(Invalid):
        read(words, Choice, Wording(), optional=True)


def test_a_strict_schema_pass_is_a_pass() -> None:
    assert read('{"reasoning": "too dear", "action": null, "pass": true}', Choice, Wording(), optional=True) is None
    assert read('{"reasoning": null, "action": "A", "pass": null}', Choice, Wording(), optional=True) == Choice(action="A")


@pytest.mark.parametrize("words", ['{"action": "A"}', '{"action": "north", "x": "A"}', '{"action": "west"}'])
def test_complaints_and_canonical_labels_stay_apart(words: str) -> None:
    with pytest.raises(Invalid) as wrong:
        read(words, Choice, WORDINGS[1])
    assert '"north"' in str(wrong.value) and "'A'" not in str(wrong.value) and '"A"' not in str(wrong.value)


def test_a_name_given_twice_is_refused() -> None:
    for words in ('{"action": "A", "action": "B"}', '{"pass": true, "pass": false, "action": "A"}'):
        with pytest.raises(Invalid, match="twice"):
            read(words, Choice, Wording(), optional=True)
    with pytest.raises(Invalid, match='"weight" twice'):
        read('{"first": {"label": "A", "weight": 1, "weight": 2}, "parts": []}', Nested, Wording())


# --- rows ---------------------------------------------------------------------------------------------------------------
class Site(State):
    label: Label
    amounts: tuple[float, ...]


class Glimpse(Observation):
    state: SerializeAsAny[State]
    rows: tuple[tuple[float, ...], ...]

    def say(self, w: Wording, me: Role) -> str:
        return "a glimpse"


@given(question=st.text(min_size=1), role=st.text(), queries=st.integers(0, 9), price=money)
def test_rows_are_read_back(question: str, role: str, queries: int, price: float) -> None:
    for thing in (Query(question=question), Say(text=question), Left(queries=queries, price=price),
                  Saw(role=role, move=Query(question=question))):
        row = json.loads(json.dumps(encode(thing)))
        back = decode(row)
        assert type(back) is type(thing) and back == thing


@pytest.mark.parametrize("folder", ["games"])
def test_every_state_and_brief_is_read_back(folder: str) -> None:
    for name in modules(folder):
        game = load(folder, name)()
        for _, state in (game.states() or ())[:20]:
            for thing in (state, *(game.observe(role, state) for role in game.players())):
                assert decode(json.loads(json.dumps(encode(thing)))) == thing


@pytest.mark.parametrize("kind", ["games.nowhere.X", "games.base.X", "os.path", "nowhere.X", "agents.llm.LLM", "Say"])
def test_types_that_are_not_here(kind: str) -> None:
    with pytest.raises(StoreError, match="unknown type"):
        decode({"type": kind, "fields": {}})


# --- schemas ------------------------------------------------------------------------------------------------------------
FORBIDDEN = {"oneOf", "anyOf", "allOf", "not", "prefixItems", "default", "patternProperties", "pattern", "format", "maxLength",
             "minLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems",
             "uniqueItems", "$ref", "$defs", "const", "title"}


def lint(node: Any, where: str = "") -> None:
    """Strict structured output: plain types, closed objects, every field required."""
    assert isinstance(node, dict), where
    assert not FORBIDDEN & node.keys(), f"{where}: {FORBIDDEN & node.keys()}"
    assert "type" in node, where
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    assert set(kinds) <= {"object", "array", "string", "number", "integer", "boolean", "null"}, where
    if "object" in kinds:
        assert node["additionalProperties"] is False, where
        assert node["required"] == list(node["properties"]), where
        for name, inner in node["properties"].items():
            lint(inner, f"{where}.{name}")
    if "array" in kinds:
        lint(node["items"], f"{where}[]")
    if "enum" in node:
        assert ("null" in kinds) == (None in node["enum"]), where
        assert len(set(node["enum"])) == len(node["enum"]), where


def registered() -> list[tuple[str, type[Move], Wording]]:
    """Every Move that a registered game may ask for, in each of its wordings."""
    found = []
    for name in modules("games"):
        game = load("games", name)()
        roles = (*game.players(), *dict.fromkeys(game.advisers().values()))
        found += [(f"{name}-{role}-{w.name}", game.want(role), w) for role in dict.fromkeys(roles) for w in game.wordings]
    return found


@pytest.mark.parametrize(("want", "wording"), [pytest.param(m, w, id=i) for i, m, w in registered()])
@pytest.mark.parametrize("optional", [False, True])
def test_schemas_of_every_registered_move(want: type[Move], wording: Wording, optional: bool) -> None:
    whole = schema(want, wording, optional)
    if whole is None:
        assert issubclass(want, Say)
    else:
        lint(whole)


@pytest.mark.parametrize("want", [m for m in HARD if m is not Say])
@pytest.mark.parametrize("wording", WORDINGS)
@pytest.mark.parametrize("optional", [False, True])
def test_schemas_of_hard_moves(want: type[Move], wording: Wording, optional: bool) -> None:
    whole = schema(want, wording, optional)
    assert whole is not None
    lint(whole)
    assert next(iter(whole["properties"])) == "reasoning"
    assert ("pass" in whole["properties"]) == optional


def test_schema_shows_labels_bounds_and_lengths_in_the_wording() -> None:
    offer, menu = schema(Offer, WORDINGS[3]), schema(Menu, WORDINGS[1])
    assert offer is not None and menu is not None
    assert offer["properties"]["price"] == {"type": "number", "description": "at least 120, at most 220"}
    assert offer["properties"]["quantity"]["description"] == "at least 1, at most 9"
    assert menu["properties"]["picks"]["items"]["enum"] == ["stay", "south", "north"]
    assert menu["properties"]["rows"]["items"]["description"] == "exactly 2 entries"
    assert schema(Say, Wording()) is None


class Union(Move):
    amount: int | str


class Open(Move):
    table: dict[str, float]


class Mixed(Move):
    pair: tuple[int, str]


class Anything(Move):
    value: Any


@pytest.mark.parametrize("want", [Union, Open, Mixed, Anything])
def test_moves_no_schema_can_hold_are_refused(want: type[Move]) -> None:
    with pytest.raises(TypeError):
        schema(want, Wording())


# --- asks in words ------------------------------------------------------------------------------------------------------
def test_an_ask_in_words() -> None:
    w = Wording(labels={"A": "north", "B": "south", "C": "stay", "ai": "The machine"}, order="reversed",
                texts={"Choice": "Where do you dig?", "left": "{queries} left, each {price}"}, unit="{} crowns",
                scale=2, shift=5)
    text = render(Ask("digger", (Left(queries=1, price=3.0), Saw(role="ai", move=Choice(action="A"))), Choice, True), w)
    assert text.splitlines() == [
        "1 left, each 6 crowns", "The machine: north", "Where do you dig?",
        'Answer with one JSON object and nothing else. Its fields: "action": one of "stay", "south", "north". '
        'Or pass with {"pass": true}. You may put a field "reasoning" first; nobody else sees it.']


def test_a_narrowed_move_keeps_its_name() -> None:
    w = Wording(texts={"Choice": "Which?"})
    assert render(Ask("x", (), Narrow), w).startswith('Which?\nAnswer with one JSON object and nothing else. Its fields: '
                                                     '"action": one of "A", "B".')


class Listing(Observation):
    """Holds a list, so it has no hash."""
    rows: list[str]

    def say(self, w: Wording, me: Role) -> str:
        return ", ".join(self.rows)


def test_equal_asks_are_put_into_words_once_and_those_without_a_hash_anew() -> None:
    first, second = (Ask("x", (Left(queries=2, price=1.5),), Choice) for _ in range(2))
    assert first is not second and same(first) is same(second)
    assert encode_news(first) == tuple(encode(o) for o in first.news)
    other = Ask("x", (Left(queries=1, price=1.5),), Choice)
    w = Wording(texts={"left": "{queries} for {price}"})
    assert render(first, w).startswith("2 for 1.5") and render(other, w).startswith("1 for 1.5")
    bare = Ask("x", (Listing(rows=["a", "b"]),), Choice)
    assert same(bare) is bare and render(bare, w).startswith("a, b")
    assert encode_news(bare) == (encode(bare.news[0]),)

"""A design: which games, protocols, seats and wordings to play, how often, from which seed. One TOML file.

    name = "advice"
    seed = 1
    episodes = 40                 # per arm; or "exact": branch over states and draws
    wordings = ["plain"]          # or "all"
    cache = "off"                 # or "read-write", "read-only"
    budget = 5.0                  # US$; left out: no limit
    inference = "t"               # or "rademacher", "webb": the wild cluster bootstrap
    sentinels = 3                 # fixed questions that show whether a model changes; left out: none
    prices = {"my-model" = {price_in = 0.5, price_out = 1.5}}    # US$ per million tokens

    [game]                        # defaults of every arm
    name = "email"
    [protocol]
    name = "advice"
    [agents]                      # seats by a name of your own, for all arms
    model = "mock"
    [seats]
    human = "model"               # one of these, a name, name:first-field, or a table {agent = "llm", model = "..."}
    ai = "strategy"

    [[arms]]
    name = "accurate"
    game = {accuracy = 0.95}      # merged over the defaults

    [factors]                     # every arm in every combination: see `factors`
    "game.ask_cost" = [0.5, 1.0]

    [[hypotheses]]                # what is to be shown, before it is played: see `transcripts.hypotheses`
    name = "an accurate AI helps"
    role = "human"
    arms = ["accurate", "main"]
"""
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from pydantic_core import from_json

from ..errors import DesignError, FieldError
from ..games.base import Frozen, Game, Role, Wording
from ..protocols.base import Protocol
from ..protocols.seat import Agent
from ..protocols.session import Limits
from ..registry import build, explain, load
from ..transcripts.hypotheses import Hypothesis
from ..transcripts.statistics import Inference
from .factors import crossed

Fields = dict[str, Any]
HUGE = 1e100
"""Numbers beyond this in size overflow once they are squared and multiplied."""
SHARED = ("game", "protocol", "seats", "wordings", "personas", "objective")
"""What may stand at the top of a design as the default of every arm."""


OBJECTIVES = {
    "none": "",
    "points": "Your result is counted in points.",
    "maximise": "Your aim is the greatest result for yourself.",
    "paid": "You will be paid in proportion to your result.",
}
"""Name -> what the seats are told with every question."""


ITEMS = (
    "Name a whole number from 1 to 10. Answer with the number alone.",
    "Ten coins are to be shared between you and a stranger, and you decide. How many do you keep? Answer with the number alone.",
    "You and a stranger each choose red or blue, without a word, and both win if you choose the same. Which do you choose? Answer "
    "with one word.",
    "A coin is tossed: heads pays 100, tails nothing. What is the most you would pay to play? Answer with the number alone.",
    "You and a stranger each cooperate or defect, once. Which do you do? Answer with one word.",
    "What is 17 times 23? Answer with the number alone.",
    "Choose heads or tails. Answer with one word.",
    "Name a colour. Answer with one word.",
)
"""The sentinels, in the order in which a design's number of them takes them: see `sentinels`."""


class Arm(Frozen):
    """One cell: a game, a protocol, who sits where, in which wordings and with which personas.

    game, protocol   {"name": registered name, field: value, ...}
    seats            role -> {"agent": registered name, field: value, ...}
    wordings         names of the game's wordings; ("all",) for all
    personas         fields for every seat whose agent is `persona`; each is a cluster
    objective        what seats are told to aim at: a key of OBJECTIVES, or a sentence
    """
    name: str
    game: Fields
    protocol: Fields = {"name": "silent"}
    seats: dict[Role, Fields] = {}
    wordings: Annotated[tuple[str, ...], Field(min_length=1)] = ("plain",)
    personas: Annotated[tuple[Fields, ...], Field(min_length=1)] = ({},)
    objective: str = "none"


class Deviation(Frozen):
    """One place at which a design is played otherwise than it was locked; both as JSON."""
    place: str
    locked: str
    played: str


class Lock(Frozen):
    """The hash under which a design was locked, and how what is played departs from it."""
    hash: str
    deviations: tuple[Deviation, ...] = ()


class Priced(Frozen):
    """US$ per million tokens in and out."""
    price_in: Annotated[float, Field(ge=0)]
    price_out: Annotated[float, Field(ge=0)]


Prices = Mapping[str, Priced]
"""By a model's name; a * in it stands for anything."""


class Design(Frozen):
    """Arms and how they are played.

    calls     tries of a failing service
    wait      seconds before the second of them
    patience  seconds a call may take
    cache     whether replies of models are kept, and said again to the same request: see `agents.cache`
    budget    US$ at which the run stops, to be resumed with more; None: no limit
    prices    the user's own, before the shipped table
    sentinels   how many fixed questions are put to each model again and again under the run
    inference   how clusters are reckoned with: see `transcripts.wild`
    hypotheses  what is to be shown
    lock      set by `lock`: that it was locked, and how it has been departed from
    """
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = "run"
    seed: Annotated[int, Field(ge=0, lt=2**62)] = 0
    episodes: Annotated[int, Field(ge=1)] | Literal["exact"] = 40
    concurrency: Annotated[int, Field(ge=1, le=4096)] = 16
    attempts: Annotated[int, Field(ge=1)] = 3
    calls: Annotated[int, Field(ge=1)] = 6
    wait: Annotated[float, Field(ge=0)] = 0.5
    patience: Annotated[float, Field(gt=0)] = 300.0
    cache: Literal["off", "read-write", "read-only"] = "off"
    budget: Annotated[float, Field(gt=0)] | None = None
    prices: Prices = {}
    sentinels: Annotated[int, Field(ge=0, le=len(ITEMS))] = 0
    arms: Annotated[tuple[Arm, ...], Field(min_length=1)]
    inference: Inference = "t"
    hypotheses: tuple[Hypothesis, ...] = ()
    lock: Lock | None = None

    @property
    def limits(self) -> Limits:
        return Limits(self.attempts, self.calls, self.wait, self.patience)


def read_design(path: str | Path) -> Design:
    """The design in a TOML file. Raises DesignError with one line."""
    try:
        table = tomllib.loads(Path(path).read_text("utf-8-sig"))  # some editors begin a file with a mark of its encoding
    except OSError as error:
        raise DesignError(f"cannot read design {path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DesignError(f"{path} is not TOML: {error}.") from None
    return make_design({"name": Path(path).stem, **table}, str(path))


def make_design(table: Mapping[str, Any], source: str = "design") -> Design:
    """The design in a mapping as TOML gives it: defaults at the top, merged under every arm. Raises DesignError."""
    rest = dict(table)
    _known(rest, source)
    common = {k: rest.pop(k) for k in SHARED if k in rest}
    arms, factors, named = rest.pop("arms", [{}]), rest.pop("factors", {}), _table(rest, "agents", source)
    rest.pop("agents", None)
    if not isinstance(arms, list) or not all(isinstance(a, dict) for a in arms):
        raise DesignError(f"{source}: `arms` must be a list of tables, [[arms]].")
    listed = [_arm(i, common, a, named, source) for i, a in enumerate(crossed(arms, factors, source))]
    try:
        return Design.model_validate({**rest, "arms": listed})
    except ValidationError as error:
        raise DesignError(f"{source}: {explain(error, tuple(Arm.model_fields))}.") from None


def _known(table: Fields, source: str) -> None:
    """Raises DesignError for a key that no design has."""
    known = (*(f for f in Design.model_fields if f != "lock"), *SHARED, "factors", "agents")
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise DesignError(f"{source}: no key '{key}' in a design{hint} Keys are: {', '.join(known)}.")


def _arm(i: int, common: Fields, own: Fields, named: Fields, source: str) -> Fields:
    arm = {"name": f"arm {i + 1}" if own else "main", **own}
    for part in ("game", "protocol"):
        arm[part] = _merge(_named(common.get(part, {}), part, source), _named(arm.get(part, {}), part, source))
    if "name" not in arm["game"]:
        raise DesignError(f"{source}: arm '{arm['name']}' names no game: add [game] with name = \"...\".")
    arm["protocol"].setdefault("name", "")
    seats = {**_table(common, "seats", source), **_table(own, "seats", source)}
    arm["seats"] = {role: seat(named.get(spec, spec) if isinstance(spec, str) else spec) for role, spec in seats.items()}
    for part in ("wordings", "personas", "objective"):
        if part in common and part not in own:
            arm[part] = common[part]
        if part != "objective" and isinstance(arm.get(part), str):
            arm[part] = [arm[part]]
    return arm


def _table(of: Fields, key: str, source: str) -> Fields:
    found = of.get(key, {})
    if not isinstance(found, dict):
        raise DesignError(f"{source}: [{key}] must be a table, role = agent.")
    return found


def _named(spec: Any, part: str, source: str) -> Fields:
    if isinstance(spec, str):
        return {"name": spec}
    if not isinstance(spec, dict):
        raise DesignError(f"{source}: `{part}` must be a name or a table with a name, got {spec!r}.")
    return dict(spec)


def _merge(low: Fields, high: Fields) -> Fields:
    """`high` over `low`; another name drops the fields of the first."""
    return high if "name" in high and low.get("name") not in (None, high["name"]) else {**low, **high}


def seat(spec: Any) -> Fields:
    """A seat's spec as a table: "logit:2" is {agent = "logit", precision = 2}, the first field of that agent's own."""
    if isinstance(spec, str):
        name, colon, value = spec.partition(":")
        if not colon:
            return {"agent": name}
        kind = load("agents", name)
        fields = [f for f in (*kind.__annotations__, *kind.model_fields) if f in kind.model_fields]  # its own before what it inherits
        if not fields:
            raise DesignError(f"agent '{name}' has no fields: write \"{name}\".")
        return {"agent": name, fields[0]: json_or_text(value)}
    if not isinstance(spec, dict) or not isinstance(spec.get("agent"), str):
        raise DesignError(f"a seat must be a name or a table with agent = \"name\", got {spec!r}.")
    return dict(spec)


def json_or_text(value: str) -> Any:
    """A value as JSON if it is JSON, else as text: 0.8, true, [1, 2], plain words."""
    try:
        return from_json(value)
    except ValueError:
        return value


# --- specs to things ----------------------------------------------------------------------------------------------------
def game_of(spec: Fields) -> Game:
    """The game named, with its fields. Raises UnknownName or FieldError."""
    made: Game = build("games", spec["name"], _fields(spec, "name"))
    for name in type(made).model_fields:
        if _greatest(getattr(made, name)) > HUGE:
            raise FieldError(f"game '{spec['name']}': {name}: numbers above {HUGE:g} in size cannot be computed with; take larger units")
    return made


def _greatest(value: Any) -> float:
    """The greatest number in size in a field; 0 if it has none."""
    if isinstance(value, tuple):
        return max(map(_greatest, value), default=0.0)
    return abs(value) if isinstance(value, int | float) else 0.0


def protocol_of(spec: Fields, game: Game) -> Protocol:
    """The protocol named, or else the game's usual one."""
    name = spec.get("name") or game.usual_protocol
    made: Protocol = build("protocols", name, _fields(spec, "name"))
    return made


def agent_of(spec: Fields) -> Agent:
    """The agent named, with its fields, not yet seated. Raises UnknownName or FieldError."""
    made: Agent = build("agents", spec["agent"], _fields(spec, "agent"))
    return made


def wordings_of(game: Game, names: tuple[str, ...], objective: str = "none") -> tuple[Wording, ...]:
    """The game's wordings of these names, with an objective. Raises DesignError."""
    aim = OBJECTIVES.get(objective, objective)
    if aim == objective and " " not in objective:
        raise DesignError(f"no objective '{objective}'; there are: {', '.join(OBJECTIVES)}, or a sentence of your own.")
    known = {w.name: Wording(**{**w.model_dump(), "objective": aim}) if aim else w for w in game.wordings}
    if names == ("all",):
        return tuple(known.values())
    for name in names:
        if name not in known:
            raise DesignError(f"no wording '{name}' of this game; there are: {', '.join(known)}, all.")
    return tuple(known[name] for name in names)


def _fields(spec: Fields, key: str) -> Fields:
    return {k: v for k, v in spec.items() if k != key}

"""The vocabulary of every game: what is known, what may be done, what it is worth.

All of these are frozen pydantic models that forbid unknown fields, so each is its own JSON, identity and file format.
"""
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import product
from math import floor, log10
from random import Random
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny

from ..errors import InputError

Role = str
NATURE: Role = "nature"
SLACK = 1e-9
"""Two values closer than this are a tie: the one slack used by payoffs, strategies and solvers alike."""

Chance = Annotated[float, Field(ge=0, le=1)]
Money = Annotated[float, Field(json_schema_extra={"unit": "money"})]
"""An amount on the payoff scale. A wording may show it in other units; replies are read back through the same map."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Wording(Frozen):
    """How a game is told: a treatment. It renders observations, and its labels are inverted when a reply is read.

    texts   key -> template with named {fields}; every wording of a game has the same keys
    labels  canonical label or role -> the label shown; one to one
    order   the order in which options are listed
    scale, shift   an amount x is shown as scale * x + shift; a difference as scale * x
    unit    template of an amount, with another for just one where they differ: "{} point|{} points"
    objective  what the seats are told to aim at, a sentence with every question; empty: nothing
    factors  factor -> its level, where wordings of a game are crossed by design
    """
    name: str = "plain"
    texts: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}
    order: Literal["given", "reversed"] = "given"
    scale: Annotated[float, Field(gt=0)] = 1.0
    shift: float = 0.0
    unit: str = "{}"
    language: str = "en"
    objective: str = ""
    factors: Mapping[str, str] = {}

    def __hash__(self) -> int:
        return hash(self._identity)

    @cached_property
    def _identity(self) -> str:
        return self.model_dump_json()

    @cached_property
    def canonical(self) -> dict[str, str]:
        """Shown label -> canonical label."""
        return {shown: label for label, shown in self.labels.items()}

    def tell(self, key: str, **fields: Any) -> str:
        """The text of this name with its fields put in. Raises InputError for one that is not there, or that names another field."""
        try:
            return self.texts[key].format(**fields)
        except (KeyError, IndexError):
            what, there = ("fields", fields) if key in self.texts else ("texts", self.texts)
            raise InputError(f"wording '{self.name}' cannot tell '{key}': its {what} are {', '.join(there)}.") from None

    def label(self, canonical: str) -> str:
        return self.labels.get(canonical, canonical)

    def options(self, labels: Sequence[str]) -> list[str]:
        """The labels as shown, in this wording's order."""
        shown = [self.label(x) for x in labels]
        return shown if self.order == "given" else shown[::-1]

    def who(self, role: Role, me: Role) -> str:
        return "You" if role == me else self.label(role)

    def money(self, amount: float) -> str:
        return self._amount(self.scale * amount + self.shift)

    def difference(self, amount: float) -> str:
        return self._amount(self.scale * amount)

    def _amount(self, shown: float) -> str:
        one, _, many = self.unit.partition("|")
        text = number(shown)
        return (one if text == "1" else many or one).format(text)

    def percent(self, chance: float) -> str:
        return f"{number(100 * chance)}%"


def number(x: float) -> str:
    """At most four decimals, or below .001 four digits, no trailing zeros: 2.5, 10, -0.25, 0.0002988. Rounding below 1e-9 is 0."""
    text = f"{x:.{decimals(x)}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def decimals(x: float) -> int:
    """How many decimals show an amount: four, or as many as four digits of a small one take."""
    return 3 - floor(log10(abs(x))) if 1e-9 <= abs(x) < 1e-3 else 4


class State(Frozen):
    """What nature draws before play."""


class Move(Frozen):
    """One validated action or message.

    A game may narrow a Move for an instance with `create_model(Name, __base__=Name, ...)`; the name stays.
    """

    def say(self, w: Wording) -> str:
        """The move in words, for those to whom it is revealed."""
        return ", ".join(w.label(v) if isinstance(v, str) else number(v) if isinstance(v, float) else str(v)
                         for v in self.model_dump().values())


class Say(Move):
    """Free speech: the raw words are the move."""
    text: Annotated[str, Field(min_length=1)]

    def say(self, w: Wording) -> str:
        return self.text


class Query(Move):
    """A question to one's adviser."""
    question: Annotated[str, Field(min_length=1)]

    def say(self, w: Wording) -> str:
        return self.question


class Observation(Frozen, ABC):
    """One thing one role learned."""

    @abstractmethod
    def say(self, w: Wording, me: Role) -> str:
        """The observation in words, for role `me`."""


class Saw(Observation):
    """Another role's move, as it was revealed."""
    role: Role
    move: SerializeAsAny[Move]

    def say(self, w: Wording, me: Role) -> str:
        return f"{w.who(self.role, me)}: {self.move.say(w)}"


class Left(Observation):
    """How many more questions may be put to the adviser, and what the next one costs."""
    queries: int
    price: float

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("left", queries=self.queries, price=w.difference(self.price))


class Rounds(Observation):
    """That the same is played again and again: what one chooses among, in every round.

    total    rounds played in all
    leads    whether one moves first in each, and the other then sees it
    options  one's own moves, as labels: first field of the Move owed
    others   the other's
    """
    total: int
    leads: bool
    options: tuple[str, ...]
    others: tuple[str, ...]

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("rounds_leader" if self.leads else "rounds_follower", total=self.total,
                      options=", ".join(w.options(self.options)), others=", ".join(w.options(self.others)))


class Earned(Observation):
    """What a role earned in the round that has just ended."""
    role: Role
    reward: float

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("earned" if self.role == me else "other_earned", who=w.who(self.role, me), reward=w.money(self.reward))


class Summary(Observation):
    """What each choice has earned a role so far, instead of the rounds one by one.

    role    who earned it
    played  rounds played before this one
    arms    one tuple of labels per choice: the move, or the move and the answer to it
    counts  how often each was played
    means   what each earned on average; None where it was never played
    """
    role: Role
    played: int
    arms: tuple[tuple[str, ...], ...]
    counts: tuple[int, ...]
    means: tuple[float | None, ...]

    def say(self, w: Wording, me: Role) -> str:
        rows = [w.tell("tally", arm=", ".join(map(w.label, arm)), count=n, mean=w.tell("never") if x is None else w.money(x))
                for arm, n, x in zip(self.arms, self.counts, self.means, strict=True)]
        shown = rows if w.order == "given" else rows[::-1]
        head = w.tell("summary" if self.role == me else "other_summary", played=self.played, who=w.who(self.role, me))
        return "\n".join([head, *shown])


class Rules(Frozen):
    """The numbers of a protocol on which a solution may depend. Open: a protocol names its own.

    numbers  (name, value) pairs, sorted by name. Read with `get`, made with `Rules.of(queries=1, ...)`.
    """
    numbers: tuple[tuple[str, bool | int | float | str | None], ...] = ()

    @classmethod
    def of(cls, **numbers: bool | int | float | str | None) -> "Rules":
        return cls(numbers=tuple(sorted(numbers.items())))

    def get(self, name: str, default: Any = None) -> Any:
        return dict(self.numbers).get(name, default)

    def but(self, **numbers: bool | int | float | str | None) -> "Rules":
        return Rules.of(**{**dict(self.numbers), **numbers})


class Play(Frozen):
    """What was played: the state, every move in order, and the fees c(tau) each role owes for its talk."""
    state: SerializeAsAny[State]
    moves: tuple[tuple[Role, SerializeAsAny[Move]], ...]
    fees: Mapping[Role, float] = {}

    def all(self, role: Role, kind: type[Move] = Move) -> list[Any]:
        return [m for r, m in self.moves if r == role and isinstance(m, kind)]

    def last(self, role: Role, kind: type[Move] = Move) -> Any:
        return self.all(role, kind)[-1]


Kind = Literal["optimum", "equilibrium", "best_response", "bound", "baseline", "people"]


class Benchmark(Frozen):
    """A solution of the game under given rules. Unless its kind is `bound`, strategies attain it.

    value     role, or group of roles (then the mean over its members), -> payoff net of fees; None: does not exist
    measures  name -> number; None: not defined here
    note      the reason of every None, and what the value assumes
    """
    name: str
    kind: Kind
    source: str
    value: Mapping[str, float | None]
    measures: Mapping[str, float | None] = {}
    note: str = ""

    @property
    def exists(self) -> bool:
        return all(v is not None for v in self.value.values())


Information = Sequence[Observation]
"""All a role has learned, oldest first."""
Mixed = tuple[tuple[float, Move | None], ...]
"""Chances over moves, summing to 1; None is to pass."""
Strategy = Callable[[Information, type[Move]], Mixed]
"""What a role does, given all it has learned and the Move type it owes."""


def every(want: type[Move]) -> tuple[Move, ...]:
    """All moves of a type whose fields are Literals, in the order of the labels; of several fields the last varies fastest."""
    labels = [get_args(f.annotation) for f in want.model_fields.values()]
    return tuple(want(**dict(zip(want.model_fields, chosen, strict=True))) for chosen in product(*labels))


def surely(move: Move | None) -> Mixed:
    """The pure choice of one move."""
    return ((1.0, move),)


def learned(information: Information, kind: type[Observation]) -> list[Any]:
    """The observations of one kind, oldest first."""
    return [o for o in information if isinstance(o, kind)]


def heard(information: Information, kind: type[Move]) -> list[Any]:
    """The moves of one kind that others were seen to make, oldest first."""
    return [o.move for o in learned(information, Saw) if isinstance(o.move, kind)]


class Game(Frozen, ABC):
    """Parameters as fields; methods say who knows what, what may be done and what it is worth.

    wordings   ways to tell it; the first is the default, and at least one other is an isomorph
    payees     roles that only receive (society, a seller) and are never asked
    textbook   names under which models know the game; none of them, nor the registered name, may reach a prompt
    ties       the tie rule of payoffs, strategies and solvers, in words
    """
    wordings: ClassVar[tuple[Wording, ...]]
    payees: ClassVar[tuple[Role, ...]] = ()
    textbook: ClassVar[tuple[str, ...]] = ()
    ties: ClassVar[str] = ""

    # --- who ---------------------------------------------------------------------------------------------------------
    @abstractmethod
    def players(self) -> tuple[Role, ...]:
        """The roles that act at the end of the talk, leader first where there is one."""

    def advisers(self) -> dict[Role, Role]:
        """Advised role -> its adviser. Two roles may share one adviser, whose reports both hear."""
        return {}

    def groups(self) -> dict[str, tuple[Role, ...]]:
        """Names for sets of like roles, so that a benchmark may speak of any `bidder`."""
        return {}

    def members(self, name: str) -> tuple[Role, ...]:
        """The roles a benchmark's value key speaks of."""
        return self.groups().get(name, (name,))

    def roles(self) -> tuple[Role, ...]:
        """Players, advisers, payees."""
        return (*self.players(), *dict.fromkeys(self.advisers().values()), *self.payees)

    # --- what is known -----------------------------------------------------------------------------------------------
    def states(self) -> tuple[tuple[float, State], ...] | None:
        """(chance, state) pairs summing to 1, each chance positive; None where states are drawn by `sample`."""
        return None

    def sample(self, rng: Random) -> State:
        """One state drawn from the prior. The default draws from `states()`."""
        pairs = self.states()
        assert pairs is not None, "a game has states() or its own sample()"
        return rng.choices([s for _, s in pairs], [p for p, _ in pairs])[0]

    @abstractmethod
    def observe(self, role: Role, state: Any) -> Observation:
        """What `role` knows before any talk."""

    def notes(self, adviser: Role, state: Any) -> tuple[tuple[float, Observation], ...]:
        """What an adviser may learn when consulted, with chances given the state."""
        raise NotImplementedError

    def adviser_facts(self, role: Role) -> Observation | None:
        """What an advised role is told of its adviser before it may ask."""
        return None

    def reveal(self, role: Role, mover: Role, move: Move) -> Observation | None:
        """What `role` sees of another's move; None for nothing."""
        return Saw(role=mover, move=move)

    # --- what may be done --------------------------------------------------------------------------------------------
    @abstractmethod
    def want(self, role: Role) -> type[Move]:
        """The Move type a role owes: a player's action, an adviser's report."""

    def admit(self, rules: Rules) -> None:
        """Raises RulesError if the game cannot be played under these rules."""

    @property
    def question_price(self) -> float:
        """What one question to an adviser costs if the protocol charges the game's own price."""
        return 0.0

    # --- what it is worth --------------------------------------------------------------------------------------------
    @abstractmethod
    def payoffs(self, play: Play) -> dict[Role, float]:
        """Payoff of every role, before fees."""

    def means(self, play: Play) -> dict[Role, float]:
        """Expected payoff of every role given the moves, before fees: less noisy than `payoffs` where chance comes last."""
        return self.payoffs(play)

    @abstractmethod
    def bounds(self, role: Role) -> tuple[float, float]:
        """The least and the greatest payoff before fees, for the worst and best case of a forfeited episode."""

    @abstractmethod
    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        """Every named solution under these rules. What does not exist is listed with None and a reason."""

    @abstractmethod
    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        """The strategy of `role` that, with the others', attains the benchmark of that name."""

    @property
    def usual(self) -> str:
        """The benchmark whose strategies a seat plays if none is named."""
        return self.benchmarks(self.usual_rules)[0].name

    @property
    def usual_protocol(self) -> str:
        """The registered name of the protocol it is played under if none is named."""
        return "advice" if self.advisers() else "silent"

    @property
    def usual_rules(self) -> Rules:
        """The rules under which benchmarks are computed if no protocol is named: one question where there is an adviser."""
        return Rules.of(queries=1 if self.advisers() else 0)

    # --- people (for human proxies) ----------------------------------------------------------------------------------
    def heed(self, role: Role, information: Information) -> Move:
        """The action that takes the last report at face value."""
        raise NotImplementedError

    def ignore(self, role: Role, information: Information) -> Move:
        """The action of one who does not listen to the adviser."""
        raise NotImplementedError

    def options(self, role: Role, information: Information, want: type[Move], rules: Rules,
                level: int | None = None) -> tuple[tuple[Move | None, float], ...]:
        """Every move open now, with its expected payoff to `role` net of fees still to come.

        level  what the others are taken to be: None, players of the usual benchmark; k >= 0, level-k people (0: uniform)
        """
        raise NotImplementedError

    def evidence(self, role: Role, information: Information) -> tuple[float, float, float]:
        """Log odds of the prior, of what was heard, of the stakes: an ideal type acts iff their sum is at least 0."""
        raise NotImplementedError

    def voice(self, role: Role, want: type[Move], belief: float, acts: float) -> Mixed:
        """What one says who holds the good state likely by `belief`, and acts with chance `acts`."""
        raise NotImplementedError

    def channel(self, state: Any, note: Any, report: Any) -> tuple[bool, bool, bool] | None:
        """(note is right, report repeats the note, report is right); None where reports have no such reading."""
        return None

    def recalibrated(self, accuracy: float) -> "Game | None":
        """This game with the adviser's accuracy replaced by a realised one; None where there is none."""
        return None


REGISTERED = Game

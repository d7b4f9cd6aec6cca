"""What games have in common in which everybody writes down one bid, unseen, for one object.

    n    bidders    at least 2; values v_i independent and uniform on [0, 1], each known to its bidder alone
    rho  reserve    bids below it are not accepted                                      in [0, 1)
    r    risk       utility x^r of a gain x of money, -|x|^r of a loss; r = 1 is risk-neutral        in (0, 1]
    signal          what an AI learns of y, the greatest value among the rivals of the bidder it serves:
                    `none`; `exact`: y; `binary`: whether y is below or above `threshold`, right with chance q = `accuracy`;
                    `mixture`: y with chance q, else a number drawn from [0, 1] like any value, and nobody can tell which
    informed        `one`: bidder_1 has an AI, ai_1; `all`: everybody has one

Payoffs: utility for bidders, money for the seller; an AI is paid 1 if its last report is true. Ties go to the informed
bidder, then to the higher value, then to the lowest number. Nobody bids above 1, the greatest value. Drawn values are
midpoints of ten thousand equal cells, so that prompts show them unrounded; means differ from those of the uniform by 1e-8.
Noisy signals are solved, and admitted, for two bidders.
"""
from abc import abstractmethod
from random import Random
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from ..errors import RulesError
from .base import (
    SLACK,
    Benchmark,
    Chance,
    Game,
    Information,
    Mixed,
    Move,
    Observation,
    Play,
    Query,
    Role,
    Rules,
    Strategy,
    heard,
    learned,
    surely,
)
from .sealed_bid_words import Adviser, Bid, Brief, Estimate, Half, Number, Report, Task, Values, Verdict
from .solvers.belief import SIDES, Belief, Side
from .solvers.second_price import utility

Signal = Literal["none", "exact", "binary", "mixture"]
CELLS = 10_000
BIDS = tuple(i / 100 for i in range(101))
"""The bids, and the reports of a number, among which people are taken to choose."""


class Equilibrium(NamedTuple):
    """A bidder's and the seller's value, the bid per unit of value, the chance that the highest value gets the object."""
    bidder: float
    seller: float
    slope: float | None
    efficiency: float


class Advised(NamedTuple):
    """The informed bidder's and the seller's value, the chance that the highest value gets the object."""
    informed: float
    seller: float
    efficiency: float


class SealedBid(Game):
    payees = ("seller",)
    textbook = ("auction", "first-price", "second-price", "first price", "second price", "sealed-bid", "sealed bid", "Vickrey",
                "equilibrium")
    ties = "the informed bidder, then the higher value, then the lowest number"

    bidders: Annotated[int, Field(ge=2)] = 2
    signal: Signal = "none"
    accuracy: Chance = 0.9
    threshold: Chance = 0.5
    informed: Literal["one", "all"] = "one"
    reserve: Annotated[float, Field(ge=0, lt=1)] = 0.0
    risk: Annotated[float, Field(gt=0, le=1)] = 1.0

    @model_validator(mode="after")
    def _solved(self) -> "SealedBid":
        if self.noisy and self.bidders > 2:
            raise ValueError(f"a {self.signal} signal with {self.bidders} bidders has no solution here: noisy signals need "
                             'bidders=2; with more, set signal to "none" or "exact"')
        return self

    @property
    def noisy(self) -> bool:
        return self.signal in ("binary", "mixture")

    @property
    def common(self) -> bool:
        """Whether everybody knows all that matters."""
        return self.signal == "exact" and self.informed == "all"

    # --- what the price rule decides ------------------------------------------------------------------------------------
    @abstractmethod
    def price(self, bid: float, next_bid: float) -> float:
        """What the winner pays, given his bid and the highest other bid."""

    @abstractmethod
    def plain_bid(self, value: float) -> float:
        """The equilibrium bid without a signal."""

    @abstractmethod
    def informed_bid(self, value: float, belief: Belief) -> float:
        """The best reply after a report, or what `equilibrium` prescribes where all are informed."""

    @abstractmethod
    def equilibrium(self) -> Equilibrium:
        """The solution without signals, or, if `common`, with them."""

    @abstractmethod
    def advised(self, price: float) -> Advised:
        """The informed bidder against equilibrium rivals, where a question costs `price`."""

    @abstractmethod
    def doubts(self, rules: Rules) -> list[str]:
        """Why the `informed` benchmark is only a bound under these rules; empty if it is not."""

    @abstractmethod
    def asks(self, value: float, price: float) -> bool:
        """Whether an informed bidder asks, in the `informed` benchmark."""

    @abstractmethod
    def worth(self, value: float, bid: float, belief: Belief, level: int | None) -> float:
        """Expected utility of a bid; `level` as in `options`."""

    @abstractmethod
    def ask_values(self, value: float, level: int | None) -> tuple[float, float]:
        """Expected utility of (not asking, asking), before the price."""

    # --- who knows what -------------------------------------------------------------------------------------------------
    def players(self) -> tuple[Role, ...]:
        return tuple(f"bidder_{i}" for i in range(1, self.bidders + 1))

    def advisers(self) -> dict[Role, Role]:
        if self.signal == "none":
            return {}
        return {role: role.replace("bidder", "ai") for role in self.groups()["informed"]}

    def groups(self) -> dict[str, tuple[Role, ...]]:
        every = self.players()
        return {"bidder": every, "informed": every if self.informed == "all" else every[:1]}

    def sample(self, rng: Random) -> Values:
        *values, noise = ((rng.randrange(CELLS) + 0.5) / CELLS for _ in range(self.bidders + 1))
        return Values(values=tuple(values), noise=noise)

    def observe(self, role: Role, state: Values) -> Observation:
        if role.startswith("ai"):
            return Task(bidders=self.bidders)
        return Brief(value=state.values[_index(role)], bidders=self.bidders, reserve=self.reserve, risk=self.risk)

    def adviser_facts(self, role: Role) -> Observation | None:
        if self.signal == "none":
            return None
        return Adviser(signal=self.signal, bidders=self.bidders, accuracy=self.accuracy, threshold=self.threshold,
                       first=self.informed == "one")

    def notes(self, adviser: Role, state: Values) -> tuple[tuple[float, Observation], ...]:
        advised = adviser.replace("ai", "bidder")
        y, q = rival_value(advised, state), self.accuracy
        if self.signal == "exact":
            return ((1.0, Number(advised=advised, rival=y, accuracy=1.0)),)
        right: Observation
        wrong: Observation
        if self.signal == "mixture":
            right, wrong = (Number(advised=advised, rival=x, accuracy=q) for x in (y, state.noise))
        else:
            right, wrong = (Half(advised=advised, side=s, threshold=self.threshold, accuracy=q)
                            for s in sorted(SIDES, key=lambda s: s != self.side(y)))
        return tuple((p, note) for p, note in ((q, right), (1 - q, wrong)) if p > 0)

    def side(self, rival: float) -> Side:
        return "below" if rival < self.threshold else "above"

    def want(self, role: Role) -> type[Move]:
        if role.startswith("ai"):
            return Verdict if self.signal == "binary" else Estimate
        return Bid

    def admit(self, rules: Rules) -> None:
        if self.signal != "none" and rules.get("queries", 1) == 0:
            raise RulesError(f'signal "{self.signal}" needs a protocol in which a question may be asked, such as advice; '
                             'without one, set signal to "none".')

    # --- what it is worth -----------------------------------------------------------------------------------------------
    def payoffs(self, play: Play) -> dict[Role, float]:
        assert isinstance(play.state, Values)
        values = play.state.values
        bids = {role: play.last(role, Bid).bid for role in self.players()}
        pay = {role: 0.0 for role in self.players()}
        winner, price = self._sale(bids, values)
        if winner is not None:
            pay[winner] = utility(values[_index(winner)] - price, self.risk)
        return {**pay, **{ai: self._true(play, role, ai) for role, ai in self.advisers().items()}, "seller": price}

    def _sale(self, bids: dict[Role, float], values: tuple[float, ...]) -> tuple[Role | None, float]:
        """(winner, price); (None, 0) if no bid reaches the reserve."""
        top = max(bids.values())
        if top < self.reserve - SLACK:
            return None, 0.0
        first = self.groups()["informed"] if self.signal != "none" else ()
        tied = [role for role, bid in bids.items() if bid >= top - SLACK]
        winner = max(tied, key=lambda role: (role in first, values[_index(role)], -_index(role)))
        return winner, self.price(bids[winner], max(bid for role, bid in bids.items() if role != winner))

    def _true(self, play: Play, advised: Role, adviser: Role) -> float:
        """1 if the AI's last report is true."""
        reports = [m for m in play.all(adviser) if isinstance(m, Report)]
        assert isinstance(play.state, Values)
        return float(bool(reports) and self._right(reports[-1], rival_value(advised, play.state)))

    def _right(self, report: Report, rival: float) -> bool:
        return report.side == self.side(rival) if isinstance(report, Verdict) else abs(report.rival - rival) <= SLACK

    def bounds(self, role: Role) -> tuple[float, float]:
        return (-1.0, (1 - self.reserve)**self.risk) if role in self.players() else (0.0, 1.0)

    @property
    def usual(self) -> str:
        return "informed" if self.signal != "none" else "equilibrium"

    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        self.admit(rules)
        found = self.equilibrium()
        priced = self.common and self.doubts(rules)
        notes = ["with a reserve, or where all are informed, there is no one slope"] if found.slope is None else []
        if self.signal != "none" and not self.common:
            notes.append("without signals: nobody asks")
        without = Benchmark(
            name="equilibrium", kind="bound" if priced else "equilibrium", source=self.source(),
            note=self._note(notes + (self.doubts(rules) if self.common else []), rules),
            value={"bidder": found.bidder, "seller": found.seller},
            measures={"slope": found.slope, "efficiency": found.efficiency})
        return [without, self._informed(found.bidder, rules)]

    def _informed(self, without: float, rules: Rules) -> Benchmark:
        if self.signal == "none":
            return Benchmark(name="informed", kind="best_response", source=self.source(),
                             note='nobody is informed: signal is "none"', value={"informed": None, "seller": None},
                             measures={"gain": None, "efficiency": None})
        found, doubts = self.advised(rules.get("price", 0.0)), self.doubts(rules)
        return Benchmark(
            name="informed", kind="bound" if doubts else "best_response", source=self.source(), note=self._note(doubts, rules),
            value={"informed": found.informed, "seller": found.seller},
            measures={"gain": found.informed - without, "efficiency": found.efficiency})

    def _note(self, notes: list[str], rules: Rules) -> str:
        babbling = ["free talk before it is ignored, which stays an equilibrium"] if rules.get("talk", 0) else []
        return "; ".join([*notes, *babbling])

    @classmethod
    def source(cls) -> str:
        return "Vickrey 1961; Riley and Samuelson 1981; risk, reserve and signals derived here"

    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        if role.startswith("ai"):
            return lambda information, want: surely(_repeat(information))
        listens = role in self.advisers() and (benchmark == "informed" or self.common)

        def bidder(information: Information, want: type[Move]) -> Mixed:
            value, report = _value(information), _report(information)
            if want is Query:
                asks = listens and report is None and (self.common or self.asks(value, rules.get("price", 0.0)))
                return surely(Query(question="?") if asks else None)
            if report is None or not listens:
                return surely(Bid(bid=self.plain_bid(value)))
            return surely(Bid(bid=self.informed_bid(value, self.belief(report))))

        return bidder

    def belief(self, report: Report | None) -> Belief:
        """What a bidder holds of the greatest rival value, taking reports to equal the notes."""
        rivals = self.bidders - 1
        if report is None:
            return Belief.prior(rivals)
        if isinstance(report, Verdict):
            return Belief.sided(self.accuracy, self.threshold, report.side).normal()
        return Belief.noted(rivals, 1.0 if self.signal == "exact" else self.accuracy, report.rival)

    # --- people ---------------------------------------------------------------------------------------------------------
    def heed(self, role: Role, information: Information) -> Move:
        """The best bid if the last report were surely true; without a report, that of one who has no adviser."""
        report, value = _report(information), _value(information)
        if report is None:
            return self.ignore(role, information)
        sure = self.model_copy(update={"accuracy": 1.0})
        return Bid(bid=sure.trusting_bid(value, sure.belief(report)))

    def trusting_bid(self, value: float, belief: Belief) -> float:
        """The bid of one who takes a report at face value."""
        return self.informed_bid(value, belief)

    def ignore(self, role: Role, information: Information) -> Move:
        return Bid(bid=self.plain_bid(_value(information)))

    def options(self, role: Role, information: Information, want: type[Move], rules: Rules,
                level: int | None = None) -> tuple[tuple[Move | None, float], ...]:
        """Bids 0, .01 ... 1 and the strategy's own. Level 0 bids uniformly on [0, 1], whatever its value, so that signals tell
        nothing; level 1 replies to that, and so do all above: without a reserve the reply to level 1 is itself."""
        if role.startswith("ai"):
            return self._report_options(_note(information))
        value, report = _value(information), _report(information)
        belief = self.belief(report)
        own = self.plain_bid(value) if report is None else self.informed_bid(value, belief)
        if want is Query:
            silent, asking = self.ask_values(value, level) if report is None else (self.worth(value, own, belief, level),) * 2
            return ((None, silent), (Query(question="?"), asking - rules.get("price", 0.0)))
        return tuple((Bid(bid=b), self.worth(value, b, belief, level)) for b in sorted({*BIDS, own}))

    def _report_options(self, note: Number | Half) -> tuple[tuple[Move, float], ...]:
        """The chance that each report is true."""
        if isinstance(note, Number):
            others = [x for x in BIDS if abs(x - note.rival) > SLACK]
            return ((Estimate(rival=note.rival), note.accuracy), *((Estimate(rival=x), 0.0) for x in others))
        below = Belief.sided(self.accuracy, self.threshold, note.side).normal().below(self.threshold)
        return (Verdict(side="below"), below), (Verdict(side="above"), 1 - below)

    # --- the realised channel -------------------------------------------------------------------------------------------
    def channel(self, state: Values, note: Observation, report: Move) -> tuple[bool, bool, bool]:
        assert isinstance(note, Number | Half) and isinstance(report, Report)
        told, rival = _as_report(note), rival_value(note.advised, state)
        repeats = report == told if isinstance(report, Verdict) else abs(report.rival - getattr(told, "rival", -1.0)) <= SLACK
        return self._right(told, rival), repeats, self._right(report, rival)

    def recalibrated(self, accuracy: float) -> "SealedBid | None":
        return self.model_copy(update={"accuracy": accuracy}) if self.noisy else None


def _index(role: Role) -> int:
    return int(role.rpartition("_")[2]) - 1


def rival_value(role: Role, state: Values) -> float:
    """y: the greatest value among a bidder's rivals."""
    own = _index(role)
    return max(v for i, v in enumerate(state.values) if i != own)


def _value(information: Information) -> float:
    return float(learned(information, Brief)[-1].value)


def _report(information: Information) -> Report | None:
    """The last report heard."""
    reports: list[Report] = [*heard(information, Estimate), *heard(information, Verdict)]
    return reports[-1] if reports else None


def _as_report(note: Number | Half) -> Report:
    return Estimate(rival=note.rival) if isinstance(note, Number) else Verdict(side=note.side)


def _repeat(information: Information) -> Report:
    return _as_report(_note(information))


def _note(information: Information) -> Number | Half:
    """The last thing an AI learned."""
    return [o for o in information if isinstance(o, Number | Half)][-1]

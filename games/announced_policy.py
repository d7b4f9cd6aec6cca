"""A buyer hears what a seller says, and knows by which rule she says it: does he buy?

A product is good with chance p. The seller has bound herself to a rule: she says "buy it" with chance s1 if it is good, s0
if it is bad. She said it. (Or she says "leave it" by the same chances: words mean what the rule makes of them.)
Bought, a good product is worth d1 to the buyer, a bad one costs him d0; left, both are worth 0.

    p_k  priors      chances that the product is good, one per type of buyer         (n,), in (0, 1)
    t_d  thresholds  of the rule: s0 / (s0 + s1); the greater of s0, s1 is 1         (D,), in (0, 1)
    d1   gain, d0 loss                                                               money, > 0
    messages     what she said: `buy`, `leave`                              default: buy
    task   `act`: buy or leave, told the rule and what she said; `judge`: state the chance that the product is good, told the
           same; `act_on`: buy or leave, told that chance, and no rule. Three tasks on the same items tell apart how he updates,
           what he wants and how noisy he is

Items are all triples (p_k, t_d, message), each as likely as the others. The posterior is p s1 / (p s1 + (1-p) s0); its log odds are
logit p - logit t. A Bayesian buys iff logit p - logit t + ln(d1/d0) >= 0; with d1 = d0, iff p >= t. `act`, `act_on` pay the
expected worth of what he does, `judge` 1 - (stated - posterior)^2, a proper score. Ties: buy.
Checked example: p = .4, t = .4, d1 = d0 = 1: s0 = 2/3, posterior 1/2, he buys, worth 0.

Source: E. Kamenica, M. Gentzkow, "Bayesian persuasion", AER 101 (2011); a message as a threshold: K. Harris et al.,
arXiv:2311.18138.
"""
from math import exp, log
from typing import Annotated, Literal

from pydantic import Field

from .announced_policy_words import WORDINGS
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
    Role,
    Rules,
    State,
    Strategy,
    Wording,
    learned,
    number,
    surely,
)

Inner = Annotated[float, Field(gt=0, lt=1)]
Task = Literal["act", "judge", "act_on"]
Message = Literal["buy", "leave"]
SOURCE = "Kamenica and Gentzkow 2011; Bayes's rule"
HUNDREDTHS = tuple(i / 100 for i in range(101))
"""The chances among which somebody chooses who weighs what each earns."""


class Item(State):
    """One buyer's prior, the threshold of one rule and what was said by it."""
    prior: Inner
    threshold: Inner
    message: Message = "buy"


class Rule(Observation):
    """What a buyer knows of the product, of the seller's rule, and what she said: by the rule, with these chances."""
    prior: Inner
    if_good: Chance
    if_bad: Chance
    gain: float
    loss: float
    message: Message = "buy"

    def say(self, w: Wording, me: Role) -> str:
        rule = w.tell("rule", said=w.tell(f"says_{self.message}"), **_shares(w, prior=self.prior, good=self.if_good, bad=self.if_bad))
        return rule + " " + w.tell("stakes", gain=w.difference(self.gain), loss=w.difference(self.loss))


class Odds(Observation):
    """What a buyer knows who is told the chance itself."""
    posterior: Chance
    gain: float
    loss: float

    def say(self, w: Wording, me: Role) -> str:
        return w.tell("odds", **_shares(w, chance=self.posterior)) + " " + w.tell(
            "stakes", gain=w.difference(self.gain), loss=w.difference(self.loss))


def _shares(w: Wording, **chances: float) -> dict[str, str]:
    """Each chance in per cent, and as a count out of 100."""
    return {k: w.percent(c) for k, c in chances.items()} | {f"{k}_of_100": number(100 * c) for k, c in chances.items()}


class Choice(Move):
    """Buy, or leave it."""
    action: Literal["buy", "leave"]


class Belief(Move):
    """The chance that the product is good."""
    chance: Chance


def log_odds(p: float) -> float:
    """ln(p / (1 - p))."""
    return log(p / (1 - p))


class AnnouncedPolicy(Game):
    wordings = WORDINGS
    textbook = ("persuasion", "Bayesian", "Kamenica")
    ties = "a buyer to whom both are worth the same buys"
    priors: Annotated[tuple[Inner, ...], Field(min_length=1)] = (0.2, 0.4)
    thresholds: Annotated[tuple[Inner, ...], Field(min_length=1)] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    gain: Annotated[float, Field(gt=0)] = 1.0
    loss: Annotated[float, Field(gt=0)] = 1.0
    messages: Annotated[tuple[Message, ...], Field(min_length=1)] = ("buy",)
    task: Task = "act"

    def players(self) -> tuple[Role, ...]:
        return ("buyer",)

    def states(self) -> tuple[tuple[float, Item], ...]:
        share = 1 / (len(self.priors) * len(self.thresholds) * len(self.messages))
        return tuple((share, Item(prior=p, threshold=t, message=m)) for p in self.priors for t in self.thresholds for m in self.messages)

    def observe(self, role: Role, state: Item) -> Observation:
        if self.task == "act_on":
            return Odds(posterior=self.posterior(state), gain=self.gain, loss=self.loss)
        t = state.threshold
        return Rule(prior=state.prior, if_good=min(1.0, (1 - t) / t), if_bad=min(1.0, t / (1 - t)), gain=self.gain, loss=self.loss,
                    message=state.message)

    def posterior(self, item: Item) -> float:
        """The chance that the product is good, by Bayes's rule."""
        return 1 / (1 + exp(log_odds(item.threshold) - log_odds(item.prior)))

    def want(self, role: Role) -> type[Move]:
        return Belief if self.task == "judge" else Choice

    def payoffs(self, play: Play) -> dict[Role, float]:
        truth = self.posterior(play.state)  # type: ignore[arg-type]  # this game's states are items
        move = play.last("buyer")
        if isinstance(move, Belief):
            return {"buyer": 1 - (move.chance - truth) ** 2}
        return {"buyer": (truth * self.gain - (1 - truth) * self.loss) * (move.action == "buy")}

    def bounds(self, role: Role) -> tuple[float, float]:
        return (0.0, 1.0) if self.task == "judge" else (-self.loss, self.gain)

    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        plan = self.strategy("optimum", "buyer", rules)
        worth = sum(p * self.payoffs(Play(state=s, moves=(("buyer", self._answer(plan, s)),)))["buyer"] for p, s in self.states())
        return [Benchmark(name="optimum", kind="optimum", source=SOURCE, value={"buyer": worth},
                          note="the ideal type: how far people are from it is rationality, not fidelity")]

    def _answer(self, plan: Strategy, item: Item) -> Move:
        (_, move), = plan((self.observe("buyer", item),), self.want("buyer"))
        assert move is not None
        return move

    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        def play(information: Information, want: type[Move]) -> Mixed:
            prior, heard, stakes = self.evidence(role, information)
            belief = 1 / (1 + exp(-prior - heard))
            return self.voice(role, want, belief, float(prior + heard + stakes >= -SLACK))
        return play

    def evidence(self, role: Role, information: Information) -> tuple[float, float, float]:
        stakes = log(self.gain / self.loss)
        for told in learned(information, Odds):
            return log_odds(told.posterior), 0.0, stakes
        rule = learned(information, Rule)[-1]
        return log_odds(rule.prior), log(rule.if_good / rule.if_bad), stakes

    def voice(self, role: Role, want: type[Move], belief: float, acts: float) -> Mixed:
        if issubclass(want, Belief):
            return surely(Belief(chance=belief))
        both = ((acts, Choice(action="buy")), (1 - acts, Choice(action="leave")))
        return tuple(pair for pair in both if pair[0] > 0)

    def options(self, role: Role, information: Information, want: type[Move], rules: Rules,
                level: int | None = None) -> tuple[tuple[Move | None, float], ...]:
        prior, heard, _ = self.evidence(role, information)
        belief = 1 / (1 + exp(-prior - heard))
        if issubclass(want, Belief):
            return tuple((Belief(chance=c), 1 - (c - belief) ** 2) for c in HUNDREDTHS)
        return (Choice(action="buy"), belief * self.gain - (1 - belief) * self.loss), (Choice(action="leave"), 0.0)

"""When to stop asking: sequential tests of a binary state, reports independent given it.

State A has chance p. Each question costs c and returns the state with chance q, the other one otherwise; at most n may be
asked. At any time one may stop and take an action a that pays payoff[a][0] in state A and payoff[a][1] in state B.

What matters is (asked, lead): the number of reports and how many more say A than B. With a of A and b of B, the weights
of the states are p q^a (1-q)^b and (1-p) (1-q)^a q^b, so nothing divides by zero. Backwards over `asked`; O(n^2).
Ties: stop before asking; then the order of `payoff`.
"""
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

SLACK = 1e-9


@dataclass(frozen=True)
class Node:
    """One (asked, lead), per visit: chances of the states, then unnormalised value, error and expected questions."""
    chance: float
    action: str
    stop: float
    ask: float
    value: float
    error: float
    questions: float
    asks: bool


@dataclass(frozen=True)
class Stopping:
    """A solved problem. Values are expectations before anything is asked; `asked`, `lead` name a node."""
    prior: float
    accuracy: float
    price: float
    payoff: Mapping[str, tuple[float, float]]
    nodes: Mapping[tuple[int, int], Node]

    @cached_property
    def _root(self) -> Node:
        return self.nodes[0, 0]

    @property
    def value(self) -> float:
        return self._root.value

    @property
    def error(self) -> float:
        """Chance that the action taken is the inferior one."""
        return self._root.error

    @property
    def asks(self) -> bool:
        """Whether the first question is worth its price."""
        return self._root.asks

    @property
    def asking(self) -> float:
        """Value if the first question is asked in any case."""
        return self._root.ask

    @property
    def questions_if_asking(self) -> float:
        """Expected number of questions if the first is asked in any case."""
        return 1.0 + sum(self.nodes[1, d].questions for d in (1, -1))

    def ask(self, asked: int, lead: int) -> bool:
        return self.nodes[asked, lead].asks

    def action(self, asked: int, lead: int) -> str:
        return self.nodes[asked, lead].action

    def stop_value(self, asked: int, lead: int) -> float:
        """Expected payoff of acting now, given the reports."""
        node = self.nodes[asked, lead]
        return node.stop / node.chance

    def ask_value(self, asked: int, lead: int) -> float:
        """Expected payoff, net of prices to come, of asking now, given the reports."""
        node = self.nodes[asked, lead]
        return node.ask / node.chance

    def act_value(self, action: str, lead: int) -> float:
        """Expected payoff of an action, given the reports."""
        in_a, in_b = weights(self.prior, self.accuracy, max(lead, 0), max(-lead, 0))
        pay = self.payoff[action]
        return (in_a * pay[0] + in_b * pay[1]) / (in_a + in_b)


def weights(prior: float, accuracy: float, a: int, b: int) -> tuple[float, float]:
    """Chances of (state A, these reports) and (state B, these reports), in one given order."""
    q = accuracy
    return prior * q**a * (1 - q)**b, (1 - prior) * (1 - q)**a * q**b


def solve_stopping(prior: float, accuracy: float, price: float, questions: int, payoff: Mapping[str, tuple[float, float]],
                   errs: Mapping[str, tuple[int, int]]) -> Stopping:
    """Solves the problem above.

    errs  action -> (1 if it errs in state A, 1 if it errs in state B)
    """
    nodes: dict[tuple[int, int], Node] = {}
    for asked in range(questions, -1, -1):
        for lead in range(-asked, asked + 1, 2):
            in_a, in_b = weights(prior, accuracy, (asked + lead) // 2, (asked - lead) // 2)
            action, stop = _act(in_a, in_b, payoff)
            later = [nodes[asked + 1, lead + d] for d in (1, -1)] if asked < questions else []
            ask = sum(n.value for n in later) - price * (in_a + in_b) if later else float("-inf")
            asks = ask > stop + SLACK * (in_a + in_b)
            nodes[asked, lead] = Node(
                chance=in_a + in_b, action=action, stop=stop, ask=ask, asks=asks, value=ask if asks else stop,
                error=sum(n.error for n in later) if asks else in_a * errs[action][0] + in_b * errs[action][1],
                questions=in_a + in_b + sum(n.questions for n in later) if asks else 0.0)
    return Stopping(prior, accuracy, price, payoff, nodes)


def _act(in_a: float, in_b: float, payoff: Mapping[str, tuple[float, float]]) -> tuple[str, float]:
    """The best action and its unnormalised value; ties to the first."""
    worth = {a: in_a * x + in_b * y for a, (x, y) in payoff.items()}
    best = max(worth.values())
    action = next(a for a, v in worth.items() if v >= best - SLACK * (in_a + in_b))
    return action, worth[action]

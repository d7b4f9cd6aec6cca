"""One bid each, unseen; the highest wins and pays what it bid. An AI may know something of the others' values.

Fields, roles, payoffs and ties as in `sealed_bid`; n bidders, reserve rho, risk r, a = (n-1)/r.

Without a signal a value v >= rho bids b(v) = a v/(a+1) + rho (rho/v)^a/(a+1), below rho 0: for r = 1, rho = 0 this is
(n-1)v/n, worth 1/(n(n+1)) to a bidder and (n-1)/(n+1) to the seller. `equilibrium` is that, nobody asking; but if all know
the greatest rival value (`exact`, `all`), it is this: who has the highest value bids the second-highest, the others their
own; then a bidder is back at 1/(n(n+1)).

`informed`: a bidder who may ask, against rivals who bid b. He bids b(x) with x best against P(y <= x | report); with the
exact signal x = y if v >= b(y). He asks iff that is worth more than its price, knowing v. Values are in units of utility.
Where noisy signals go to all, or several independent ones to one, or all would pay for what they know, `informed` is only
a bound. Checked example (n = 2): 1/6 without a signal, 7/24 with the exact one, .188184 with a binary one of accuracy .8.

Source: the equilibrium is textbook (Vickrey 1961; Riley and Samuelson 1981); signals, risk and reserve are derived here.
"""
from functools import lru_cache

from .base import SLACK, Rules
from .sealed_bid import Advised, Equilibrium, SealedBid
from .sealed_bid_words import told
from .solvers import second_price
from .solvers.belief import Belief
from .solvers.first_price import FirstPrice
from .solvers.informed_bidder import Informed, reply, worth


class FirstPriceAuction(SealedBid):
    wordings = told(rule="The highest bid wins the object and pays what it bid; the others pay nothing.",
                    letter="The highest offer gets the wood and pays the rent it offered; the others pay nothing.")

    def price(self, bid: float, next_bid: float) -> float:
        return bid

    def plain_bid(self, value: float) -> float:
        return self._rivals().bid(value)

    def informed_bid(self, value: float, belief: Belief) -> float:
        if self.common:
            price = max(_told(belief), self.reserve)
            return price if value >= price else value
        return self._rivals().bid(reply(self._rivals(), value, belief))

    def equilibrium(self) -> Equilibrium:
        n, rho, game = self.bidders, self.reserve, self._rivals()
        if self.common:
            value, revenue = second_price.value_of(n, self.risk, rho), second_price.revenue_of(n, rho)
            return Equilibrium(value, revenue, None, 1 - rho**n)
        return Equilibrium(game.value(), game.revenue(), None if rho > 0 else game.slope, 1 - rho**n)

    def advised(self, price: float) -> Advised:
        if self.common:
            found = self.equilibrium()
            return Advised(found.bidder, found.seller, found.efficiency)
        return _solve(self._informed_bidder(price))

    def doubts(self, rules: Rules) -> list[str]:
        doubts = []
        if self.noisy and self.informed == "all":
            doubts.append("each bidder's value if the other bids as without signals: not attained by both at once")
        if self.noisy and rules.get("queries", 1) > 1 and rules.get("independent", True):
            doubts.append("the value of one report: more, independent ones are worth more")
        if self.common and rules.get("price", 0.0) > 0:
            doubts.append("before the price of asking, which would change what all know")
        return doubts

    def asks(self, value: float, price: float) -> bool:
        return self._informed_bidder(price).asks(value)

    def worth(self, value: float, bid: float, belief: Belief, level: int | None) -> float:
        game = self._rivals()
        reach = bid + SLACK  # what it beats or ties
        if reach < self.reserve:
            return 0.0
        if level is None:
            chance = self._beats_informed(value, bid, belief) if self.common else belief.below(game.reach(reach))
        else:
            chance = bid**(self.bidders - 1) if level == 0 else belief.below(min(1.0, reach / game.slope))
        return game.utility(value - bid) * chance

    def _beats_informed(self, value: float, bid: float, belief: Belief) -> float:
        """The chance to win against rivals who all know the greatest value among their own rivals.

        The highest bids the greater of v and the next rival value, the others their values.
        """
        n = self.bidders
        if len(belief.pieces) == 1:
            return bid**(n - 1) + ((n - 1) * bid**(n - 2) * (1 - bid) if bid > value else 0.0)
        told = _told(belief)
        if bid >= told - SLACK:
            return 1.0
        return (bid / told)**(n - 2) if bid > value else 0.0

    def ask_values(self, value: float, level: int | None) -> tuple[float, float]:
        game = self._rivals()
        against_uniform = self.worth(value, max(self.reserve, game.slope * value), Belief.prior(self.bidders - 1), 0)
        silent = max(0.0, against_uniform)
        if level == 0:
            return silent, silent
        if level is None and self.common:
            return silent, second_price.interim_of(value, self.bidders, self.risk, self.reserve)
        return game.interim(value), self._informed_bidder(0.0).asking(worth, value)

    def _rivals(self) -> FirstPrice:
        return _table(self.bidders, self.risk, self.reserve)

    def _informed_bidder(self, price: float) -> Informed:
        assert self.signal != "none"
        return Informed(self._rivals(), self.signal, self.accuracy, self.threshold, price)


def _told(belief: Belief) -> float:
    """The number that an exact report told."""
    return belief.pieces[-1][0]


@lru_cache(maxsize=1024)
def _table(bidders: int, risk: float, reserve: float) -> FirstPrice:
    return FirstPrice(bidders, risk, reserve)


@lru_cache(maxsize=1024)
def _solve(bidder: Informed) -> Advised:
    return Advised(bidder.value(), bidder.revenue(), bidder.efficiency())

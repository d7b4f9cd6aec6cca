"""One bid each, unseen; the highest wins and pays the second-highest. What an AI knows of the others is worth nothing.

Fields, roles, payoffs and ties as in `sealed_bid`; n bidders, reserve rho, risk r. The winner pays the reserve if no other
bid is above it. To bid one's value is dominant: the bid decides only whether one buys at a price set by others. So the
`equilibrium` is truthful, slope 1, worth 1/(n(n+1)) to a bidder for r = 1, rho = 0, and `informed` is exactly the same:
gain 0 for every signal. A strategy asks if that is free, and never pays for it. A strong negative control.

Source: W. Vickrey, "Counterspeculation, auctions, and competitive sealed tenders", Journal of Finance 1961.
"""
from .base import Rules
from .sealed_bid import Advised, Equilibrium, SealedBid
from .sealed_bid_words import told
from .solvers import second_price
from .solvers.belief import Belief


class SecondPriceAuction(SealedBid):
    wordings = told(rule="The highest bid wins the object and pays the highest of the others' bids, or the least bid "
                         "accepted if that is more; the others pay nothing.",
                    letter="The highest offer gets the wood; its rent is the highest of the other offers, or the least the "
                           "owner reads if that is more. The others pay nothing.")

    def price(self, bid: float, next_bid: float) -> float:
        return max(next_bid, self.reserve)

    def plain_bid(self, value: float) -> float:
        return value

    def informed_bid(self, value: float, belief: Belief) -> float:
        return value

    def trusting_bid(self, value: float, belief: Belief) -> float:
        """The least bid that beats all rivals the report leaves possible, if that is below the value."""
        greatest = next((x for x, _ in belief.jumps() if belief.below(x) >= 1.0), 1.0)
        return min(value, max(greatest, self.reserve))

    def equilibrium(self) -> Equilibrium:
        n, rho = self.bidders, self.reserve
        return Equilibrium(second_price.value_of(n, self.risk, rho), second_price.revenue_of(n, rho), 1.0, 1 - rho**n)

    def advised(self, price: float) -> Advised:
        found = self.equilibrium()
        return Advised(found.bidder, found.seller, found.efficiency)

    def doubts(self, rules: Rules) -> list[str]:
        return []

    def asks(self, value: float, price: float) -> bool:
        return price == 0

    def worth(self, value: float, bid: float, belief: Belief, level: int | None) -> float:
        held = Belief.prior(self.bidders - 1) if level == 0 else belief
        return second_price.worth(value, bid, held, self.risk, self.reserve)

    def ask_values(self, value: float, level: int | None) -> tuple[float, float]:
        worth = second_price.interim_of(value, self.bidders, self.risk, self.reserve)
        return worth, worth

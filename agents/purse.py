"""The money of a run: a hard cap, held by setting aside the worst a call may cost before it is made."""
import asyncio

from ..errors import BudgetSpent
from ..protocols.patience import unhurried

SLACK = 1e-9


class Purse:
    """budget, spent   US$

    A call that does not fit beside those under way waits for them, since they will cost less than was set aside. If none
    is under way the budget is spent: from then on nothing is let out, so that no call is broken off that must be paid for.
    """

    def __init__(self, budget: float, spent: float = 0.0):
        self.budget, self.spent = budget, spent
        self._aside, self._under_way, self._shut = 0.0, 0, False
        self._change = asyncio.Event()

    async def reserve(self, worst: float) -> None:
        """Sets aside what a call may cost at most. Raises BudgetSpent."""
        if self._shut or not self._fits(worst):
            with unhurried():
                while self._shut or not self._fits(worst):
                    if self._shut or not self._under_way:
                        self._shut = True
                        self._wake()
                        raise BudgetSpent(f"the budget of US$ {self.budget:g} is spent: US$ {self.spent:.4g} so far, and one "
                                          f"more call may cost US$ {worst:.2g}.")
                    await self._change.wait()
        self._aside += worst
        self._under_way += 1

    def settle(self, worst: float, cost: float) -> None:
        """A call for which `worst` was set aside has cost `cost`."""
        self._under_way -= 1
        self._aside = self._aside - worst if self._under_way else 0.0
        self.spent += cost
        self._wake()

    def _fits(self, worst: float) -> bool:
        return self.spent + self._aside + worst <= self.budget + SLACK

    def _wake(self) -> None:
        self._change.set()
        self._change = asyncio.Event()

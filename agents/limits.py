"""How fast calls may go out to one service: found out by trying, shared by every seat that calls it.

Additive increase, multiplicative decrease (D. Chiu, R. Jain, "Analysis of the increase and decrease algorithms for
congestion avoidance", Computer Networks 17, 1989), of the rate r in calls a second. There is no limit until the service
first says 429, or 503 with a time to wait. Then

    r <- CUT * r                          at a complaint, once for all calls that were under way
    r <- r + (1/CUT - 1) * r0 / RECOVER   each second of calls that go well; r0 is r after the last cut

so that r is back where it was cut after RECOVER seconds. Before the second cut, when little is known, and after
2 * RECOVER seconds without one, when the service allows more than it did, r grows by the share SEARCH a second. The first
cut is to CUT times the calls that went well in the second before. Nothing goes out before the Retry-After that the service
asked for, LONGEST seconds at most; nor, where it tells what is left of its allowance, before there is room for one call.
"""
import asyncio
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from math import inf

from ..protocols.patience import unhurried

CUT, RECOVER, SEARCH = 0.75, 10.0, 0.5
LEAST = 1 / 60
"""Calls a second below which the rate is never cut."""
LONGEST = 120.0
"""Seconds a service may make calls wait at once."""
CREDIT = 0.05
"""Seconds that a late wake-up may be made up for."""
WINDOW = 1.0


class Limiter:
    """One service's. `clock` and `sleep` are in seconds.

    rate  calls a second that may go out; inf as long as the service never complained    """

    def __init__(self, clock: Callable[[], float] = time.monotonic,
                 sleep: Callable[[float], Awaitable[None]] = asyncio.sleep):
        self.rate = inf
        self._clock, self._sleep = clock, sleep
        self._open = -inf
        self._cut_at, self._climb = -inf, 0.0
        self._known = False
        self._good = deque[float](maxlen=4096)
        self._queue = asyncio.Lock()

    async def turn(self) -> float:
        """Waits until a call may go out, first come, first served; the time at which it does."""
        if self._queue.locked() or self._open > self._clock():
            with unhurried():
                async with self._queue:
                    while (wait := self._open - self._clock()) > 0:
                        await self._sleep(wait)
                    return self._go()
        return self._go()

    def _go(self) -> float:
        now = self._clock()
        self._open = max(self._open, now - CREDIT) + 1 / self.rate
        return now

    def hold(self, seconds: float) -> None:
        """Nothing goes out for so long, LONGEST at most."""
        self._open = max(self._open, self._clock() + min(seconds, LONGEST))

    def good(self, headers: Mapping[str, str], tokens: int | None = None) -> None:
        """A call went well: a little more may go out, as far as the service says there is room for one of so many tokens."""
        now = self._clock()
        self._good.append(now)
        if self.rate < inf:
            searching = not self._known or now > self._cut_at + 2 * RECOVER
            self.rate += SEARCH if searching else self._climb / self.rate
        self.hold(room(headers, tokens))

    def busy(self, sent: float, retry_after: float | None) -> None:
        """The service said 429, or 503 with a time to wait, to a call that went out at `sent`."""
        now = self._clock()
        if sent > self._cut_at:
            self._known = self.rate < inf
            well = self.rate if self._known else max(1.0, self._well(now))
            self.rate = max(LEAST, CUT * well)
            self._cut_at, self._climb = now, (1 / CUT - 1) * self.rate / RECOVER
        self.hold(1 / self.rate if retry_after is None else retry_after)

    def _well(self, now: float) -> float:
        """Calls a second that went well in the last second."""
        return sum(t > now - WINDOW for t in self._good) / WINDOW


def room(headers: Mapping[str, str], tokens: int | None = None) -> float:
    """Seconds until there is room for one more call of so many tokens, by the x-ratelimit headers of a reply; 0 if they
    tell of room or are not there.

    An allowance fills evenly: it is full after `reset`, so that what is lacking comes back in its share of that time.
    """
    return max(_lacking(headers, "requests", 1), _lacking(headers, "tokens", tokens or 1))


def _lacking(headers: Mapping[str, str], what: str, need: int) -> float:
    left, reset = (headers.get(f"x-ratelimit-{part}-{what}") for part in ("remaining", "reset"))
    whole = headers.get(f"x-ratelimit-limit-{what}") or ""
    if left is None or not left.isdecimal() or int(left) >= need:
        return 0.0
    seconds = span(reset or "")
    if whole.isdecimal() and int(whole) > int(left):
        return seconds * min(1.0, (need - int(left)) / (int(whole) - int(left)))
    return seconds


UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SPAN = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+")


def span(text: str) -> float:
    """Seconds in "20ms", "6m0s", "1.5" or a moment in seconds since 1970; 0 for anything else."""
    if SPAN.fullmatch(text):
        return sum(float(n) * UNITS[unit] for n, unit in re.findall(r"([\d.]+)(ms|[smhd])", text))
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return max(0.0, float(text) - time.time()) if float(text) > 1e9 else float(text)
    return 0.0

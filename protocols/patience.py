"""The clock on a call: it runs while a service is at work, and stands still while a call waits for its turn or for money."""
import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

_clock: ContextVar[asyncio.Timeout | None] = ContextVar("clock", default=None)


@asynccontextmanager
async def patience(seconds: float) -> AsyncIterator[None]:
    """Raises TimeoutError if what is inside takes longer, time inside `unhurried` not counted."""
    async with asyncio.timeout(seconds) as clock:
        token = _clock.set(clock)
        try:
            yield
        finally:
            _clock.reset(token)


@contextmanager
def unhurried() -> Iterator[None]:
    """Time spent in here is nobody's delay: the clock of the call stands still."""
    clock = _clock.get()
    due = clock.when() if clock and not clock.expired() else None
    if clock is None or due is None:
        yield
        return
    now = asyncio.get_running_loop().time
    left = due - now()
    clock.reschedule(None)
    try:
        yield
    finally:
        clock.reschedule(now() + left)

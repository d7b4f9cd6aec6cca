"""What a run puts between its models and their services: a cache, a purse, prices; or a rehearsal, which calls nobody.

It holds for everything inside `within`, tasks begun there included: a model called by another agent, or by a graph's
step, finds it too.
"""
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ..protocols.seat import Reply, Turn
from .cache import Cache
from .purse import Purse
from .visitors import Visitors

Price = tuple[float, float]
"""US$ per million tokens in, and out."""


@dataclass(frozen=True)
class Service:
    """price     the price of a model's calls, None if it is not known
    rehearse  answers in a model's place
    visitors  people who come to its pages
    """
    cache: Cache | None = None
    purse: Purse | None = None
    price: Callable[[Any], Price | None] = lambda model: None
    rehearse: Callable[[Any, Turn], Reply] | None = None
    visitors: Visitors | None = None

    @property
    def calls(self) -> bool:
        """Whether anybody is called at all, so that keys are needed."""
        return self.rehearse is None and (self.cache is None or self.cache.mode != "read-only")


_current: ContextVar[Service] = ContextVar("service", default=Service())  # noqa: B039  frozen


def current() -> Service:
    """What holds here."""
    return _current.get()


@contextmanager
def within(service: Service) -> Iterator[Service]:
    """Makes it hold inside."""
    token = _current.set(service)
    try:
        yield service
    finally:
        _current.reset(token)

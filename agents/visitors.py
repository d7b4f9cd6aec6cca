"""What a run keeps of the people at its pages: the secret of their links, who has come before, and what they agreed to.

Links and the proof that a browser is the one that came before are made from the secret and from nothing else, so that they hold
after the run has been taken up again by another process. A proof tells nothing of the secret, nor one link of another.
"""
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any

from ..games.base import Role

BYTES = 15
"""Of a link or a proof: 20 characters."""


@dataclass
class Known:
    """What is on record of a person. agreed: to the text shown first, None if it was not answered; played: episodes that ended."""
    agreed: bool | None = None
    played: int = 0


@dataclass
class Visitors:
    """Of one run.

    known  anonymous name -> what is on record of that person
    sat    episode -> role -> who sat there, of episodes that have not ended
    """
    secret: bytes = field(default_factory=lambda: token_bytes(32), repr=False)
    known: Mapping[str, Known] = field(default_factory=dict)
    sat: Mapping[int, Mapping[Role, str]] = field(default_factory=dict)
    _keep: Callable[[dict[str, Any]], None] | None = field(default=None, repr=False)
    _waiting: list[dict[str, Any]] = field(default_factory=list, repr=False)

    def token(self, *parts: str) -> str:
        """What nobody can make who does not know the secret; the same for the same parts."""
        return urlsafe_b64encode(hmac.digest(self.secret, "\x1f".join(parts).encode(), "sha256")[:BYTES]).decode()

    def cookie(self, role: Role, name: str) -> str:
        """What a person's browser shows to be known again."""
        return f"{name}.{self.token('person', role, name)}"

    def named(self, role: Role, cookie: str) -> str | None:
        """Whose cookie it is; None if it was not made here for this role."""
        name = cookie.partition(".")[0]
        return name if name and hmac.compare_digest(cookie.encode(), self.cookie(role, name).encode()) else None

    def consented(self, role: Role, name: str, agreed: bool, text: str) -> None:
        """Puts on record what a person said to a text, as soon as there is a record."""
        event = {"k": "consent", "role": role, "name": name, "agreed": agreed, "text": text}
        if self._keep:
            self._keep(event)
        else:
            self._waiting.append(event)

    def attach(self, keep: Callable[[dict[str, Any]], None]) -> None:
        """Gives the record, and what waited for it."""
        self._keep = keep
        while self._waiting:
            keep(self._waiting.pop(0))

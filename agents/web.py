"""A live human in a browser, on this machine or elsewhere."""
import sys
from time import perf_counter
from typing import Annotated, Any, Self

from pydantic import Field, PrivateAttr

from ..protocols.seat import Agent, Reply, Seating, Turn
from ..protocols.session import ABSENT
from .desk import Chair, Terms
from .desk_server import DeskServer, close_desk, open_desk
from .service import current

LOOPBACK = "127.0.0.1"


class Web(Agent):
    """Puts each ask on a page, with a form made from the Move's schema, and waits for the answer.

    When a run begins, it prints a link per role. Whoever opens it takes part under an anonymous name, which is kept with each
    reply; several people may sit at a table, each in a browser of their own, and each sees what that role is told.

    consent   a text to be agreed to before anything else; empty: none
    clock     seconds for each answer, shown on the page; None: no clock
    wait      seconds unseen after which a person has left; who does not come at all has left too. Then nobody answers: as many
              times as the design has attempts, so that the seat forfeits and the others go on as the protocol says
    each      episodes a person may play; 0: any number
    host, port   where the pages are served; port 0: any that is free. Other machines reach them only at another host than the default,
              and in clear text: put a server with https before it
    address   how people outside reach it, for the links that are printed, e.g. https://lab.example.org; empty: host and port

    All seats of a run at one host and port share a server. After `parlour resume` the links are the same, whoever came before is known
    again, and words on record are shown again.
    """
    consent: str = ""
    clock: Annotated[float, Field(gt=0)] | None = None
    wait: Annotated[float, Field(gt=0)] = 900.0
    each: Annotated[int, Field(ge=0)] = 0
    host: str = LOOPBACK
    port: Annotated[int, Field(ge=0, le=65535)] = 8712
    address: str = ""
    _role: str = PrivateAttr("")
    _server: DeskServer | None = PrivateAttr(None)

    def bind(self, seating: Seating) -> Self:
        seated = self.model_copy()
        seated._role, seated._server = seating.role, None
        return seated

    @property
    def terms(self) -> Terms:
        """How this seat is served."""
        return Terms(self.consent, self.clock, self.wait, self.each)

    async def check(self) -> None:
        """Opens the server, if no other seat has, and prints the role's link. Raises InputError if the port is taken."""
        self._server = await open_desk(self.host, self.port, current().visitors)
        link = self._server.link(self._role, self.terms, self.address)
        if link not in self._server.told:
            self._server.told.add(link)
            print(f"{self._role}: {link}", file=sys.stderr, flush=True)

    async def reply(self, turn: Turn) -> Reply:
        if self._server is None:
            await self.check()
        assert self._server is not None
        if turn.attempts and turn.attempts[-1].complaint == ABSENT:  # the time for this ask has run out already
            return Reply("", "absent")
        began = perf_counter()
        words, who = await self._server.desk.ask(self._chair(turn), turn, self.terms)
        taken = perf_counter() - began
        return Reply("", "absent", fingerprint=who, latency=taken) if words is None else Reply(words, fingerprint=who, latency=taken)

    def _chair(self, turn: Turn) -> Chair:
        chair: Chair = turn.sitting.setdefault("chair", Chair(turn.role, turn.sitting.get("person", "")))
        return chair

    def rise(self, sitting: dict[str, Any]) -> None:
        if self._server and "chair" in sitting:
            self._server.desk.rise(sitting["chair"])

    async def close(self) -> None:
        if self._server is not None:
            server, self._server = self._server, None
            await close_desk(server)

"""The desk behind HTTP: a page per role's link, in the event loop of the run. One server per host and port."""
import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from ..errors import InputError, Invalid
from ..games.base import Role, Say
from ..protocols.codec import told
from .desk import Desk, Person, Terms
from .forms import fields, words
from .human import PASS
from .visitors import Visitors

if TYPE_CHECKING:
    from aiohttp import web

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
                               "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
STATIC = {"seat.css": "text/css", "seat.js": "text/javascript"}
NO_SEAT = "403: this link leads to no seat. Open it as it was given to you, or ask for a new one.\n"
COOKIE = "seat"
LARGEST = 256 * 1024
"""Bytes of an answer."""
LINGER = 3.0
"""Seconds the pages stay up when a run is over, so that everybody is told."""


@dataclass
class DeskServer:
    """A desk and its server. users: seats that have it open; told: links that were printed."""
    desk: Desk
    host: str
    port: int
    runner: "web.AppRunner"
    loop: asyncio.AbstractEventLoop
    users: int = 0
    told: set[str] = field(default_factory=set)

    def link(self, role: Role, terms: Terms, address: str = "") -> str:
        """The address of a role's page."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{address.rstrip('/') or f'http://{host}:{self.port}'}/seat/{self.desk.link(role, terms)}"


_open: dict[tuple[str, int], DeskServer] = {}


async def open_desk(host: str, port: int, visitors: Visitors | None = None) -> DeskServer:
    """The server at a host and port, started if there is none, for a run's visitors. Raises InputError if the port is taken."""
    loop, known = asyncio.get_running_loop(), _open.get((host, port))
    if known is None or known.loop is not loop:
        known = _open[host, port] = await _started(host, port, visitors)
    elif visitors is not None and known.desk.visitors is not visitors:
        raise InputError(f"the page for people at {host}, port {port}, serves another run: give the seat another `port`.")
    known.users += 1
    return known


async def close_desk(server: DeskServer) -> None:
    """Closes a server when the last seat has done with it; before that, everybody is told that it is over."""
    server.users -= 1
    if server.users:
        return
    desk = server.desk
    desk.over, ended = True, desk.now()
    here = [p for p in desk.people.values() if ended - p.seen < LINGER]
    while not all(p.told for p in here) and desk.now() - ended < LINGER:
        await asyncio.sleep(0.05)
    for key in [k for k, s in _open.items() if s is server]:
        del _open[key]
    await server.runner.cleanup()


async def _started(host: str, port: int, visitors: Visitors | None) -> DeskServer:
    from aiohttp import web
    desk = Desk(visitors=visitors)
    app = web.Application(client_max_size=LARGEST, middlewares=[_guarded()])
    pages = _Pages(desk)
    app.add_routes([web.get("/seat/{token}", pages.show), web.post("/seat/{token}", pages.take),
                    web.get("/seat/{token}/state", pages.state), web.get("/static/{name}", pages.static)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except (OSError, OverflowError) as error:
        await runner.cleanup()
        why = getattr(error, "strerror", None) or error
        raise InputError(f"the page for people cannot listen on {host}, port {port}: {why}. Stop what listens there, or give the seat "
                         "another `port` (0: any that is free).") from None
    return DeskServer(desk, host, runner.addresses[0][1], runner, asyncio.get_running_loop())


def _guarded() -> Any:
    """Puts our headers on every answer, and makes a page of every refusal."""
    from aiohttp import web

    @web.middleware
    async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            answer: web.StreamResponse = await handler(request)
        except web.HTTPException as refusal:
            if refusal.status < 400:
                refusal.headers.update(HEADERS)
                raise
            answer = web.Response(status=refusal.status, text=refusal.text or refusal.reason)
        answer.headers.update(HEADERS)
        return answer
    return guard


class _Pages:
    """What a browser is answered."""

    def __init__(self, desk: Desk):
        self.desk = desk

    def _who(self, request: "web.Request") -> tuple[str, Person]:
        from aiohttp import web
        try:
            return self.desk.enter(request.match_info["token"], request.cookies.get(COOKIE, ""))
        except KeyError:
            raise web.HTTPForbidden(text=NO_SEAT) from None

    async def show(self, request: "web.Request") -> "web.Response":
        secret, person = self._who(request)
        return self._page(request, secret, person, "again" in request.query)

    async def state(self, request: "web.Request") -> "web.Response":
        """What a page asks for every second: whether there is something new, and that somebody is there."""
        from aiohttp import web
        _, person = self._who(request)
        return web.json_response({"state": self._state(person)})

    def _state(self, person: Person) -> str:
        asked = person.chair.asked if person.chair else None
        return f"{self.desk.stage(person)} {asked.number if asked else ''}"

    async def take(self, request: "web.Request") -> "web.Response":
        """A form: consent, or an answer. Sent twice, it counts once."""
        from aiohttp import web
        secret, person = self._who(request)
        posted = {k: v for k, v in (await request.post()).items() if isinstance(v, str)}
        if "consent" in posted:
            if person.agreed is None:
                self.desk.agree(person, posted["consent"] == "yes")
            raise web.HTTPSeeOther(request.path)
        asked, number = person.chair.asked if person.chair else None, posted.get("ask", "")
        if asked is None or asked.number != number:
            raise web.HTTPSeeOther(f"{request.path}?again" if number in self.desk.answered else request.path)
        try:
            said = words(asked.turn, posted)
        except Invalid as wrong:
            return self._page(request, secret, person, False, str(wrong), posted, 422)
        self.desk.answer(person, number, said)
        raise web.HTTPSeeOther(request.path)

    def _page(self, request: "web.Request", secret: str, person: Person, again: bool, complaint: str = "",
              given: Mapping[str, str] | None = None, status: int = 200) -> "web.Response":
        from aiohttp import web
        chair = person.chair
        asked = chair.asked if chair else None
        turn = asked.turn if asked else None
        person.told = self.desk.stage(person) == "over"
        values: dict[str, Any] = {}
        if chair and asked and turn:
            left = self.desk.left(chair, asked, person.terms) if person.terms.clock else None
            values = {"number": asked.number, "ask": told(turn.ask, turn.wording), "optional": turn.ask.optional, "fields": fields(turn),
                      "speech": issubclass(turn.ask.want, Say), "left": left, "objective": turn.wording.objective,
                      "past": [(told(a, turn.wording), _said(w)) for a, w in turn.past],
                      "complaint": complaint or (turn.attempts[-1].complaint if turn.attempts else "")}
        text = _template().render(person=person, stage=self.desk.stage(person), state=self._state(person), again=again, given=given or {},
                                  terms=person.terms, path=request.path, **values)
        answer = web.Response(text=text, content_type="text/html", status=status)
        answer.set_cookie(COOKIE, secret, path=request.path, httponly=True, samesite="Lax")
        return answer

    async def static(self, request: "web.Request") -> "web.Response":
        from aiohttp import web
        name = request.match_info["name"]
        if name not in STATIC:
            raise web.HTTPNotFound
        return web.Response(text=(resources.files(__package__) / name).read_text(), content_type=STATIC[name])


@cache
def _template() -> Any:
    from jinja2 import Environment
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        (resources.files(__package__) / "seat.html").read_text())


def _said(said: str) -> str:
    """A person's own earlier words for that person: the values of a form, or the speech."""
    if said == PASS:
        return "(passed)"
    try:
        data = json.loads(said)
    except ValueError:
        return said
    return ", ".join(f"{k.replace('_', ' ')}: {v}" for k, v in data.items() if k != "reasoning") if isinstance(data, dict) else said

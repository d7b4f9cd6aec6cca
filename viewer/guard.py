"""Who may see what: a token in the first address, then a cookie; a key of its own for each page that is shared. And what a page may do."""
import hmac
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

REFUSED = ("403: this page needs the token that `parlour view` printed. Open the address it printed, or ask whoever runs it for a link "
           "to this page.\n")
POLICY = ("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
          "base-uri 'none'; frame-ancestors 'none'")
"""Nothing of another host, no script and no style but our own files: what a model wrote cannot run."""
DOCUMENT = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of a self-contained document, which has its style inside and no script at all."""
HEADERS = {"content-security-policy": POLICY, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
           "cache-control": "no-store", "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin"}


class Guard:
    """Lets a request through that shows the token, the cookie that the token was changed for, or the key of this one page."""

    def __init__(self, app: "ASGIApp", token: str, cookie: str):
        self.app, self.token, self.cookie = app, token, cookie

    def key(self, path: str) -> str:
        """The key that opens one page and nothing else."""
        return hmac.new(self.token.encode(), path.encode(), sha256).hexdigest()[:32]

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        from starlette.requests import HTTPConnection
        from starlette.responses import PlainTextResponse, RedirectResponse
        asked = HTTPConnection(scope)
        if "token" in asked.query_params and self._is(asked.query_params["token"], self.token):
            rest = [(k, v) for k, v in parse_qsl(asked.url.query) if k != "token"]
            found: ASGIApp = RedirectResponse(quote(asked.url.path) + ("?" + urlencode(rest) if rest else ""), 303)
            found.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")  # type: ignore[attr-defined]
        elif self._open(asked):
            found = self.app
        else:
            found = PlainTextResponse(REFUSED, 403)
        await found(scope, receive, _with_headers(send))

    def _open(self, asked: "HTTPConnection") -> bool:
        if "token" in asked.query_params:
            return False
        path = asked.url.path
        return (path.startswith("/static/") or self._is(asked.cookies.get(self.cookie, ""), self.token)
                or self._is(asked.query_params.get("key", ""), self.key(path)))

    @staticmethod
    def _is(given: str, wanted: str) -> bool:
        return hmac.compare_digest(given.encode(), wanted.encode())


def _with_headers(send: "Send") -> "Send":
    """Adds our headers to every answer that does not bring its own."""
    async def sending(message: "Message") -> None:
        if message["type"] == "http.response.start":
            there = {k.lower() for k, _ in message["headers"]}
            message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in there)]
        await send(message)
    return sending

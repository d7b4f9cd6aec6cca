"""The server: one app over one store, bound to this machine unless told otherwise, in the foreground or in a thread."""
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from ..errors import InputError
from .guard import Guard
from .reader import Reader
from .templates import environment

if TYPE_CHECKING:
    import uvicorn

LOOPBACK = "127.0.0.1"
PORT = 8711


@dataclass(frozen=True)
class Served:
    """A server that answers. address: with the token in it."""
    address: str
    token: str
    guard: Guard


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises InputError if the port is taken or the host is not ours."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(64)
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot listen on {host}, port {port}: {getattr(error, 'strerror', None) or error}. Stop what listens there, "
                         "or choose another with --port (0: any that is free).") from None
    return listening


def prepared(store: Path, host: str, port: int, token: str | None = None) -> "tuple[uvicorn.Server, socket.socket, Served]":
    """A server, not started yet. Raises InputError: no store there, the port taken, or the packages not installed."""
    try:
        import uvicorn

        from .app import app
    except ImportError as error:
        raise InputError(f"the page needs packages that are not installed ({error.name}): pip install 'parlour[view]'.") from None
    with Reader(store).open():
        environment().get_template("runs.html")  # made before the address is told, so that the first page is not late
    listening = bound(host, port)
    port = listening.getsockname()[1]
    guard = Guard(app(store), token or token_urlsafe(24), f"parlour-{port}")
    server = uvicorn.Server(uvicorn.Config(guard, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1,
                                           server_header=False))
    shown = f"[{host}]" if ":" in host else host
    guard.app.state.guard = guard  # type: ignore[attr-defined]
    return server, listening, Served(f"http://{shown}:{port}/?token={guard.token}", guard.token, guard)


@contextmanager
def serving(store: Path, host: str = LOOPBACK, port: int = 0, token: str | None = None) -> Iterator[Served]:
    """A server in a thread, for as long as the block lasts. Raises InputError."""
    server, listening, served = prepared(store, host, port, token)
    thread = threading.Thread(target=lambda: server.run([listening]), daemon=True, name="viewer")
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield served
    finally:
        server.should_exit = True
        thread.join(5)
        listening.close()

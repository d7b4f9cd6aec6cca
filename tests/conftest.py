"""What every test gets: no network but loopback, and helpers to run the whole pipeline in a folder of its own."""
import gc
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
for name in ("OPENAI_API_KEY", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
    os.environ.pop(name, None)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a runner in the background of a shell is deaf to it, and so its children

LOOPBACK = ("127.", "::1", "localhost")
_connect, _lookup = socket.socket.connect, socket.getaddrinfo


def _guarded_connect(self: socket.socket, address: Any) -> Any:
    if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(LOOPBACK):
        raise OSError(f"tests are offline: refused to connect to {address}")
    return _connect(self, address)


def _guarded_lookup(host: Any, *args: Any, **options: Any) -> Any:
    if host is not None and not str(host, "ascii", "replace").startswith(LOOPBACK) if isinstance(host, bytes) \
            else host and not str(host).startswith(LOOPBACK):
        raise socket.gaierror(f"tests are offline: refused to look up {host}")
    return _lookup(host, *args, **options)


@pytest.fixture(autouse=True, scope="session")
def offline() -> Iterator[None]:
    """Sockets reach loopback only."""
    socket.socket.connect = _guarded_connect  # type: ignore[method-assign]
    socket.getaddrinfo = _guarded_lookup
    yield
    socket.socket.connect = _connect  # type: ignore[method-assign]
    socket.getaddrinfo = _lookup


@pytest.fixture(scope="module")
def set_aside() -> Iterator[None]:
    """What is in memory is no garbage: statsmodels collects in every correction, which in a process of many tests takes a second."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The path of a store that does not exist yet."""
    return str(tmp_path / "test.duckdb")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-goldens", action="store_true", help="write the golden plays anew, to be read by a person")

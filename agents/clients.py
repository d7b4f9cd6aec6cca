"""The libraries that carry a call to a service, their retries off, and what their errors mean.

Clients are shared: one per (provider, endpoint, key) and event loop, open as long as one seat leases it, and with it how
fast calls may go out. The openai client goes over aiohttp, because its default transport scans its whole pool at every
call; litellm serves every other provider. Both are imported at the first call.
"""
import asyncio
import os
import re
import socket
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from ipaddress import ip_address
from json import JSONDecodeError
from math import isfinite
from time import time
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from ..errors import Fatal, InputError, ProviderError, Transient, Unreachable
from .limits import LONGEST, Limiter

Provider = Literal["openai", "litellm"]
OPENAI = "https://api.openai.com/v1"
CONNECTIONS = 4096
"""Above aiohttp's own limit of 100, below which calls would queue in the client."""
TIMEOUT, CONNECT = 600.0, 30.0


Headers = Mapping[str, str]


class Client(Protocol):
    """Sends one chat request.

    unshaped  the models that were found to refuse a response format
    limiters  how fast calls may go out, for each service behind this address
    """
    unshaped: set[str]
    limiters: defaultdict[str, Limiter]

    async def chat(self, request: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[Any, Headers]:
        """One call, one completion, and the headers that came with it. `body` holds what the OpenAI interface does not name."""

    async def close(self) -> None: ...


class OpenAIClient:
    """Any OpenAI-compatible service."""

    def __init__(self, endpoint: str | None, key: str | None):
        from httpx import Limits
        from openai import AsyncOpenAI, DefaultAioHttpClient, Timeout
        timeout = Timeout(TIMEOUT, connect=CONNECT)
        local = endpoint is not None and loopback(endpoint)
        http = DefaultAioHttpClient(limits=Limits(max_connections=CONNECTIONS, keepalive_expiry=15.0), timeout=timeout,
                                    trust_env=not local)  # a proxy has no business between us and this machine
        self.openai = AsyncOpenAI(base_url=endpoint or OPENAI, api_key=key or "none", max_retries=0, timeout=timeout,
                                  http_client=http)
        self.unshaped: set[str] = set()
        self.limiters = defaultdict[str, Limiter](Limiter)

    async def chat(self, request: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[Any, Headers]:
        """By the client's own `post`: its typed method would walk the request again, which is plain already, at a third of the
        price of the whole call."""
        from openai.types.chat import ChatCompletion
        raw: Any = await self.openai.post("/chat/completions", body={**request, **body}, cast_to=ChatCompletion,
                                          options={"headers": {"X-Stainless-Raw-Response": "true"}})
        return raw.parse(), raw.headers

    async def close(self) -> None:
        await self.openai.close()


class LiteLLMClient:
    """Every other provider."""

    def __init__(self, endpoint: str | None, key: str | None):
        if find_spec("litellm") is None:
            raise InputError('provider litellm needs the package litellm: pip install "parlour[litellm]".')
        os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or its import reaches for the network
        import litellm
        litellm.suppress_debug_info = True  # or it prints advertisements at every error
        self.fixed = {"api_base": endpoint, "api_key": key, "num_retries": 0, "max_retries": 0, "timeout": TIMEOUT}
        self.unshaped: set[str] = set()
        self.limiters = defaultdict[str, Limiter](Limiter)

    async def chat(self, request: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[Any, Headers]:
        import litellm
        options = dict(body)
        data = {"parlour": options.pop("parlour")} if "parlour" in options else None
        answer = await litellm.acompletion(**request, **self.fixed, **options, extra_body=data)
        return answer, (getattr(answer, "_hidden_params", None) or {}).get("additional_headers") or {}

    async def close(self) -> None:
        """Closes what litellm keeps open for this loop, and makes it forget: it knows a loop by its address alone."""
        import litellm
        cache, mark = litellm.in_memory_llm_clients_cache, f"-{id(asyncio.get_running_loop())}"
        for key in [k for k in cache.cache_dict if str(k).endswith(mark)]:
            client = cache.cache_dict.pop(key)
            cache.ttl_dict.pop(key, None)
            shut = getattr(client, "close", None) or getattr(client, "aclose", None)
            if shut and asyncio.iscoroutinefunction(shut):
                await shut()


def loopback(endpoint: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(endpoint).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# --- leases -------------------------------------------------------------------------------------------------------------
Address = tuple[Provider, str | None, str | None]
_open: dict[asyncio.AbstractEventLoop, dict[Address, tuple[Client, set[int]]]] = {}


def lease(provider: Provider, endpoint: str | None, key: str | None, seat: int) -> Client:
    """The client of this event loop for that address; it stays open until every seat has released it."""
    loop = asyncio.get_running_loop()
    if loop not in _open:
        for dead in [each for each in _open if each.is_closed()]:
            del _open[dead]
    clients = _open.setdefault(loop, {})
    address = (provider, endpoint, key)
    if address not in clients:
        kind: type[OpenAIClient | LiteLLMClient] = OpenAIClient if provider == "openai" else LiteLLMClient
        clients[address] = (kind(endpoint, key), set())
    client, seats = clients[address]
    seats.add(seat)
    return client


async def release(seat: int) -> None:
    """Ends every lease of a seat in this event loop; closes the clients nobody leases any more."""
    clients = _open.get(asyncio.get_running_loop(), {})
    for address, (client, seats) in list(clients.items()):
        if seat in seats:
            seats.remove(seat)
            if not seats:
                del clients[address]
                await client.close()


# --- errors -------------------------------------------------------------------------------------------------------------
REFUSED = ("connection refused", "cannot connect to host", "all connection attempts failed")
DECLINED = ("content_filter", "content_policy_violation", "content management policy", "contentpolicyviolation")
HINTS = {401: "Check the key in {key}.", 403: "Check the key in {key}.", 404: "Check the model's name and the endpoint.",
         402: "Check the account."}


def status_of(error: Exception) -> int | None:
    """The HTTP status a service answered with; None if it did not answer."""
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) and getattr(error, "response", None) is not None else None


def crowded(error: Exception) -> bool:
    """Whether the service has too many calls: 429, or 503 with a time to wait. A bare 503 tells of a service that is ill, and
    slows down the call that met it alone; so does the mock, whose fault menu has nothing to do with how many calls there are."""
    chain, status = list(_chain(error)), status_of(error)
    headers = (getattr(getattr(e, "response", None), "headers", None) or {} for e in chain)
    full = status == 429 or (status == 503 and retry_after(chain) is not None)
    return full and not any("x-parlour-fault" in found for found in headers)


def declined(error: Exception) -> bool:
    """Whether the service's filter, not the request's form, is what refused."""
    return status_of(error) in (400, 403) and any(mark in f"{type(error).__name__} {error}".lower() for mark in DECLINED)


def translate(error: Exception, where: str, key_name: str, key: str | None) -> ProviderError | None:
    """What a client's exception means; None if it is no failure of the service. Keys are scrubbed from the message."""
    import openai
    if not isinstance(error, openai.OpenAIError | JSONDecodeError | OSError):
        return None
    chain, status = list(_chain(error)), status_of(error)
    if any(_unreachable(e) for e in chain):
        return Unreachable(f"{where} does not answer: is the address right, and is the service running?")
    if status is None or any(isinstance(e, openai.APIConnectionError) for e in chain):  # litellm calls these a status 500
        return Transient(f"{where}: {scrub(str(chain[-1]) or type(chain[-1]).__name__, key)}")
    return _answered(status, scrub(_words(error), key), chain, where, key_name)


def _answered(status: int, text: str, chain: Sequence[BaseException], where: str, key_name: str) -> ProviderError:
    """What an error status means."""
    spent = any("insufficient_quota" in str(e) for e in chain)
    if (status in (408, 409, 429) or status >= 500) and not spent:
        wait = retry_after(chain)
        if wait is not None and wait > LONGEST:
            text, wait = f"{text}. It asks to wait {wait:.0f} s; it is tried again after {LONGEST:.0f} s", LONGEST
        return Transient(f"{where} failed ({status}): {text}", wait, status)
    hint = HINTS.get(402 if spent else status, "").format(key=key_name)
    return Fatal(f"{where} refused ({status}): {text}. {hint}".rstrip())


def retry_after(chain: Sequence[BaseException]) -> float | None:
    """Seconds the service asks to wait, from Retry-After-Ms or Retry-After (seconds or an HTTP date); None if it does not."""
    for error in chain:
        headers = getattr(getattr(error, "response", None), "headers", None) or {}
        milliseconds, text = _seconds(headers.get("retry-after-ms")), headers.get("retry-after")
        wait = _seconds(text) if milliseconds is None else milliseconds / 1000
        wait = _until(text) if wait is None else wait
        if wait is not None:
            return max(0.0, wait)
    return None


def _seconds(text: str | None) -> float | None:
    try:
        wait = float(text or "")
    except ValueError:
        return None
    return wait if isfinite(wait) else None


def _until(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() - time() if date else None
    except ValueError:
        return None


def scrub(text: str, key: str | None = None) -> str:
    """One line of at most 300 characters without the key, any other secret of the environment, or what looks like one."""
    secrets = [v for k, v in os.environ.items() if k.upper().endswith(("_KEY", "_TOKEN", "_SECRET"))]
    for secret in sorted({s for s in (key, *secrets) if s and len(s) >= 4}, key=len, reverse=True):
        text = text.replace(secret, "[key]")
    text = re.sub(r"(?i)\b(sk-|bearer )[\w*.\-]{6,}", "[key]", text)
    return " ".join(text.split())[:300].rstrip(".")


def _words(error: Exception) -> str:
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else None
    return message if isinstance(message, str) else str(error) or type(error).__name__


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _unreachable(error: BaseException) -> bool:
    """Whether nobody was there: told from the socket's error, never from what a service says."""
    named = isinstance(error, ConnectionRefusedError | socket.gaierror)
    return named or (isinstance(error, OSError) and any(mark in str(error).lower() for mark in REFUSED))

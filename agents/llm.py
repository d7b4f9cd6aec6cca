"""A language model behind a service: one call per reply, nothing remembered but the turn."""
import asyncio
import os
import re
from collections.abc import Mapping
from time import perf_counter
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator
from pydantic_core import to_json

from ..errors import UNMADE, InputError, ProviderError, Transient, Unreachable
from ..protocols.codec import encode, type_name
from ..protocols.seat import Agent, Finish, Reply, Seating, Turn
from .cache import key_of
from .clients import OPENAI, Client, Provider, crowded, declined, lease, loopback, release, status_of, translate
from .mock import form_of
from .purse import Purse
from .service import Price, current

SYSTEM = ("You are taking part in a study. You are told your situation and asked questions. Answer each one yourself, "
          "exactly in the form it asks for.")
OWNED = frozenset(("api_key", "api_base", "base_url", "headers", "extra_headers", "extra_body", "messages", "model", "n",
                   "stream", "num_retries", "max_retries", "mock_response", "fallbacks", "response_format", "parlour"))
"""What `extra` may not hold: it would carry a key into the rows, change who answers, or call more than once."""


class LLM(Agent):
    """A model of an OpenAI-compatible service, or of any provider litellm knows.

    model        the name the service knows it by
    provider     `openai` for any OpenAI-compatible endpoint; `litellm` for the rest (`anthropic/...`, `gemini/...`)
    endpoint     base URL, e.g. http://127.0.0.1:11434/v1; None: the provider's own
    key_env      the NAME of the environment variable with the key; None: OPENAI_API_KEY, or litellm's own. An endpoint on
                 this machine needs no key, and is sent one only if `key_env` names it
    temperature, top_p, max_tokens    sampling; None: the service's default
    structured   ask for the reply's JSON schema; where the service refuses that, it is left out from then on
    system       the system message; `persona` is appended to it
    is_mock      the endpoint is Parlour's mock: it is also sent the ask as data, its seed and the try number
    price_in, price_out    US$ per million tokens; without both, the price a run knows for its model, if any
    send_seed    send the ask's seed (its low 31 bits: some services take no more)
    extra        other sampling parameters, as the service names them

    Raises Transient (408, 409, 429, 5xx, timeouts, dropped connections), Unreachable, Fatal (a request the service will not
    take), InputError (no key). No message holds a key.
    """
    model_config = ConfigDict(hide_input_in_errors=True)
    remote: ClassVar[bool] = True
    longest: ClassVar[int | None] = 300

    model: Annotated[str, Field(min_length=1)]
    provider: Provider = "openai"
    endpoint: str | None = None
    key_env: str | None = None
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = 1024
    structured: bool = True
    system: str = SYSTEM
    persona: str = ""
    is_mock: bool = False
    price_in: Annotated[float, Field(ge=0)] | None = None
    price_out: Annotated[float, Field(ge=0)] | None = None
    send_seed: bool = False
    extra: Mapping[str, Any] = {}

    # Values are kept out of these complaints: somebody may have put a key in the wrong field.
    @field_validator("key_env")
    @classmethod
    def _named(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError("key_env is the name of an environment variable, never the key itself")
        return name

    @field_validator("endpoint")
    @classmethod
    def _plain(cls, endpoint: str | None) -> str | None:
        parts = urlsplit(endpoint or OPENAI)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("endpoint must be an address like http://127.0.0.1:8000/v1")
        if parts.username or parts.password or parts.query:
            raise ValueError("endpoint must hold no user, password or query: name the key's variable in key_env")
        return endpoint

    @field_validator("extra")
    @classmethod
    def _free(cls, extra: Mapping[str, Any]) -> Mapping[str, Any]:
        if taken := sorted(OWNED & extra.keys()):
            raise ValueError(f"extra may not hold {', '.join(taken)}")
        return extra

    def bind(self, seating: Seating) -> "LLM":
        """Seated only with its key at hand, so that a missing one is told before anything is played."""
        if current().calls:
            self.key()
        return self

    async def reply(self, turn: Turn) -> Reply:
        service = current()
        if service.rehearse is not None:
            return service.rehearse(self, turn)
        if service.cache is None:
            return await self._paid(turn, service.purse)
        key = key_of(self.provider, self.endpoint, *self.request(turn, self.structured and turn.schema is not None), turn.seed)
        reply = service.cache.get(key)
        if reply is None:
            reply = await self._paid(turn, service.purse)
            service.cache.put(key, reply)
        return reply

    async def _paid(self, turn: Turn, purse: Purse | None) -> Reply:
        """A call that costs no more than was set aside for it; one that broke off may have cost all of that."""
        if purse is None:
            return await self._called(turn)
        worst = cost = self.worst(turn)
        try:
            await purse.reserve(worst)
        except asyncio.CancelledError as stop:
            stop.add_note(UNMADE)
            raise
        try:
            reply = await self._called(turn)
            cost = worst if reply.cost is None else reply.cost
            return reply
        except ProviderError as problem:
            if not isinstance(problem, Transient) or isinstance(problem, Unreachable) or problem.status is not None:
                cost = 0.0
            raise
        finally:
            purse.settle(worst, cost)

    async def _called(self, turn: Turn) -> Reply:
        key = self.key()
        client = lease(self.provider, self.endpoint, key, id(self))
        limiter = client.limiters[self.model.rpartition("/")[0] if self.provider == "litellm" else ""]
        sent = await limiter.turn()
        shaped = self.structured and turn.schema is not None and self.model not in client.unshaped
        start = perf_counter()
        try:
            answer, headers = await client.chat(*self.request(turn, shaped))
        except Exception as error:
            if declined(error):
                return Reply("", "refusal", self.model, latency=perf_counter() - start)
            unshaped = self._refuses_shape(error, client) if shaped else None
            problem = unshaped or translate(error, self.where, self.key_name, key)
            if problem is None:
                raise
            if isinstance(problem, Transient) and crowded(error):
                limiter.busy(sent, problem.retry_after)
            raise problem from None
        reply = self._heard(answer, perf_counter() - start)
        limiter.good(headers, (reply.tokens_in or 0) + (self.max_tokens or 0))
        return reply

    async def check(self) -> None:
        """Knocks at an endpoint on this machine. Others are not tried: a proxy may stand between."""
        if self.endpoint is not None and loopback(self.endpoint) and current().calls:
            parts = urlsplit(self.endpoint)
            try:
                _, knock = await asyncio.open_connection(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
            except OSError:
                raise Unreachable(f"{self.where} does not answer: is the address right, and is the service running?") from None
            knock.close()

    async def close(self) -> None:
        await release(id(self))

    @property
    def where(self) -> str:
        """The service, for a message."""
        return f"{self.model} at {self.endpoint or (OPENAI if self.provider == 'openai' else 'its provider')}"

    @property
    def key_name(self) -> str:
        """Where the key is, for a message."""
        return self.key_env or ("OPENAI_API_KEY" if self.provider == "openai" else "the provider's environment variable")

    def key(self) -> str | None:
        """The key, from the environment. Raises InputError if one is needed and not set."""
        local = self.endpoint is not None and loopback(self.endpoint)
        if self.key_env is None and (local or self.provider == "litellm"):
            return "none" if local else None
        name = self.key_name
        key = os.environ.get(name, "").strip()
        if not key:
            raise InputError(f"no key for {self.where}: set the environment variable {name}, or name another in key_env.")
        if not (key.isascii() and key.isprintable()):
            raise InputError(f"the key in {name} holds characters that no key has: copy it again.")
        return key

    def request(self, turn: Turn, shaped: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        """The chat request, and what the OpenAI interface does not name."""
        limit = "max_completion_tokens" if self.provider == "openai" and self.endpoint is None else "max_tokens"
        options: dict[str, Any] = {"temperature": self.temperature, "top_p": self.top_p, limit: self.max_tokens,
                                   "seed": turn.seed & 0x7FFFFFFF if self.send_seed else None}
        system = "\n\n".join(filter(None, (self.system, self.persona)))
        request: dict[str, Any] = {"model": self.model, "messages": turn.messages(system)}
        request |= {k: v for k, v in options.items() if v is not None}
        if shaped:
            request["response_format"] = {"type": "json_schema", "json_schema": {
                "name": turn.ask.want.__name__, "strict": True, "schema": turn.schema}}
        body = {**self.extra, "parlour": as_data(turn)} if self.is_mock else dict(self.extra)
        return request, body

    def _refuses_shape(self, error: Exception, client: Client) -> Transient | None:
        """A service that takes no response format says so in a 400; the next try goes without."""
        if status_of(error) not in (400, 422) or not any(w in str(error) for w in ("response_format", "json_schema")):
            return None
        client.unshaped.add(self.model)
        return Transient(f"{self.where} takes no response_format: asking without", 0.0, status_of(error))

    def _heard(self, answer: Any, latency: float) -> Reply:
        try:
            choice = answer.choices[0]
            words, declines = choice.message.content or "", refusal(choice.message)
        except (AttributeError, IndexError, TypeError):
            raise Transient(f"{self.where} answered with something that is no chat completion") from None
        finish: Finish = "length" if choice.finish_reason == "length" else "stop"
        if declines or choice.finish_reason == "content_filter":
            words, finish = declines or words, "refusal"
        usage = getattr(answer, "usage", None)
        asked, said = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
        return Reply(words, finish, answer.model or self.model, asked, said, self.cost(asked, said), latency,
                     getattr(answer, "system_fingerprint", None))

    @property
    def price(self) -> Price | None:
        """US$ per million tokens in and out: its own, or what the run knows of its model."""
        if self.price_in is None or self.price_out is None:
            return current().price(self)
        return self.price_in, self.price_out

    def cost(self, tokens_in: int | None, tokens_out: int | None) -> float | None:
        """US$ of a call; None unless both prices and both counts are known."""
        price = self.price
        if tokens_in is None or tokens_out is None or price is None:
            return None
        return (tokens_in * price[0] + tokens_out * price[1]) / 1e6

    def worst(self, turn: Turn) -> float:
        """US$ that a call may cost at most: no text has more tokens than bytes, no reply more than `max_tokens`.

        Raises InputError where the price or `max_tokens` is not given.
        """
        price = self.price
        if price is None or self.max_tokens is None:
            raise InputError(f"a budget needs to know what {self.where} may cost: give its price_in, price_out and max_tokens.")
        request, _ = self.request(turn, self.structured and turn.schema is not None)
        return (len(to_json(request)) * price[0] + self.max_tokens * price[1]) / 1e6


def refusal(message: Any) -> str | None:
    """The words with which a model declined, where the service tells; litellm keeps them apart."""
    apart = getattr(message, "provider_specific_fields", None) or {}
    said = getattr(message, "refusal", None) or apart.get("refusal")
    return said if isinstance(said, str) else None


def as_data(turn: Turn) -> dict[str, Any]:
    """The turn as JSON, for an endpoint declared as the mock: enough to rebuild it there, and nothing the seat may not know.

    schema  of the move owed, with all its limits; None for free speech
    past    per earlier ask: how many observations it brought, the type owed, optional, the accepted words
    """
    return {"role": turn.role, "seed": turn.seed, "try": turn.tries, "want": type_name(turn.ask.want),
            "schema": form_of(turn.ask.want), "optional": turn.ask.optional,
            "information": [encode(o) for o in turn.information],
            "past": [[len(ask.news), type_name(ask.want), ask.optional, words] for ask, words in turn.past],
            "attempts": [[a.words, a.complaint] for a in turn.attempts], "wording": turn.wording.model_dump(mode="json")}

"""Sends a request on to a registered source and says what became of it (4.3.6.5, 6.3.17 to 6.3.19).

Nothing here raises for what the source does: every outcome is a status, and for reads a warning.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct, field

from dothi.facades.ngsi_ld.context.core import CORE_URL
from dothi.facades.ngsi_ld.context.names import CORE_CONTEXT, LdContext
from dothi.facades.ngsi_ld.context.resolve import Contexts
from dothi.facades.ngsi_ld.distributed.caller import Caller
from dothi.facades.ngsi_ld.distributed.http_client import (
    HttpClient,
    PeerAnswer,
    PeerError,
    PeerTooLarge,
)
from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.registrations.data import Registration
from dothi.facades.ngsi_ld.registrations.registry import Entry, Registry
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, link_of_context

_FROM_REQUEST = "urn:ngsi-ld:request"
_OWN_KEYS = frozenset({"accept", "contenttype", "jsonldcontext", "ngsildconformance"})
_NEVER_TAKEN = frozenset(
    {
        "accept",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "link",
        "ngsild-tenant",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    }
)
"""Headers of the connection or of this exchange: contextSourceInfo cannot set them."""
_MOST_SAID = 200
"""Characters that are kept of what a source says went wrong."""
_MAX_PEER_WARNINGS = 8
_NO_ANSWER = "no response was received from the registration endpoint in time"
_LOOP = "a registration loop has been detected"
_ERROR = "an error response was received from the registration endpoint"
_INVALID = "the payload of the response of the registration endpoint was invalid"


class Outgoing(Struct, frozen=True):
    """A request in the names of the @context that goes with it."""

    method: str
    path: str
    """Below the base address of the API, percent-encoded."""
    query: Sequence[tuple[str, str]] = ()
    body: Any = None
    is_sequence_of_entities: bool = False
    """Whether @context, where it goes into the body, goes into each element."""


class Outcome(Struct):
    """What came of a request to one source."""

    registration: Registration
    status: int
    """Of the source; 504: it gave no answer, 502: no usable one, 508: it would go in a circle."""
    body: Any = None
    context: LdContext = CORE_CONTEXT
    """The @context of the names in the body."""
    warnings: list[str] = field(default_factory=list)
    location: str = ""
    has_more: bool = False
    """Whether the source has a next page."""
    covered: str = ""
    """The header Content-Range: an answer with 206 does not cover everything."""

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300 and self.status != 207

    @property
    def is_passed_over(self) -> bool:
        """Whether the request was there already and nobody minds (6.3.18): a copy goes round."""
        return self.status == 508 and not self.registration.mode.is_proxied

    @property
    def is_missing(self) -> bool:
        return self.status == 404

    @property
    def problem(self) -> dict[str, Any]:
        """The ProblemDetails that the source gave; empty: none."""
        return self.body if isinstance(self.body, dict) else {}

    @property
    def said(self) -> str:
        """What the source says went wrong."""
        told = self.problem
        return str(told.get("detail") or told.get("title") or f"it answered {self.status}")

    @property
    def failure(self) -> str:
        """Why the source is taken for failing; empty: it works, also where it has nothing."""
        works = 200 <= self.status < 300 or self.is_missing
        return "" if works else self.said[:_MOST_SAID]


Build = Callable[[LdContext], Outgoing]
"""Makes the request with names of the given @context."""


class Forwarder:
    """Sends to registered sources within the bounds of the settings."""

    def __init__(
        self, client: HttpClient, registry: Registry, contexts: Contexts, timeout_s: float
    ) -> None:
        self._client = client
        self._registry = registry
        self._contexts = contexts
        self._timeout_s = timeout_s

    async def send(self, entry: Entry, caller: Caller, build: Build) -> Outcome:
        """The outcome of one request."""
        registration = entry.registration
        if time.monotonic() < entry.quiet_until_s:
            return self._warned(Outcome(registration, 504), caller, 199, _NO_ANSWER)
        try:
            context = await self._context(registration, caller)
        except NgsiError as error:
            return self._warned(Outcome(registration, 504, error.body()), caller, 199, _NO_ANSWER)
        outcome = await self._exchange(registration, caller, context, build(context))
        self._registry.count(registration.id, outcome.failure)
        cooldown_s = registration.management.cooldown_s
        if cooldown_s and not 200 <= outcome.status < 300 and not outcome.is_missing:
            entry.quiet_until_s = time.monotonic() + cooldown_s
        return outcome

    def looped(self, registration: Registration, caller: Caller) -> Outcome:
        """The outcome of a request that must not be sent because it would go in a circle."""
        return self._warned(Outcome(registration, 508), caller, 199, _LOOP)

    async def _context(self, registration: Registration, caller: Caller) -> LdContext:
        """The @context that the source is spoken to with (clause 4.3.6.6)."""
        url = registration.info("jsonldContext")
        return await self._contexts.resolve(url) if url else caller.context

    async def _exchange(
        self, registration: Registration, caller: Caller, context: LdContext, message: Outgoing
    ) -> Outcome:
        headers, body = _payload(registration, context, message)
        timeout_s = registration.management.timeout_s or self._timeout_s
        query = [*message.query]
        if registration.management.is_local_only:
            query.append(("local", "true"))
        url = f"{registration.endpoint}{message.path}"
        if query:
            url += "?" + urlencode(query, quote_via=quote, safe=":,/")
        headers |= _conveyed(registration, caller)
        try:
            answer = await self._client.request(message.method, url, headers, body, timeout_s)
        except PeerTooLarge:
            outcome = Outcome(registration, 502, {"detail": "its answer is too large"})
            return self._warned(outcome, caller, 111, _INVALID)
        except PeerError as error:
            outcome = Outcome(registration, 504, {"detail": str(error)})
            return self._warned(outcome, caller, 199, _NO_ANSWER)
        return await self._judge(registration, caller, context, answer)

    async def _judge(
        self, registration: Registration, caller: Caller, context: LdContext, answer: PeerAnswer
    ) -> Outcome:
        outcome = Outcome(registration, answer.status, context=context)
        outcome.location = answer.headers.get("location", "")
        outcome.covered = answer.headers.get("content-range", "")
        outcome.has_more = 'rel="next"' in answer.headers.get("link", "")
        outcome.warnings = _peer_warnings(answer.headers.get("ngsild-warning", ""))
        if answer.body:
            try:
                outcome.body = msgspec.json.decode(answer.body)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                if 200 <= answer.status < 300:
                    outcome.status, outcome.body = 502, {"detail": "its answer is no JSON"}
                    return self._warned(outcome, caller, 111, _INVALID)
        if answer.status >= 400 and not outcome.is_missing:
            return self._warned(outcome, caller, 299, _ERROR)
        if not 200 <= answer.status < 600:
            outcome.status = 502
            return self._warned(outcome, caller, 111, _INVALID)
        return outcome

    def invalid(self, outcome: Outcome, caller: Caller) -> Outcome:
        """The outcome when the payload turns out to be no NGSI-LD."""
        outcome.status, outcome.body = 502, None
        return self._warned(outcome, caller, 111, _INVALID)

    def _warned(self, outcome: Outcome, caller: Caller, code: int, text: str) -> Outcome:
        outcome.warnings.append(f'{code} {caller.alias} "{text}"')
        return outcome


def _payload(
    registration: Registration, context: LdContext, message: Outgoing
) -> tuple[dict[str, str], bytes]:
    """Headers about the content, and the body."""
    headers = {"Accept": registration.info("accept") or JSON}
    if registration.info("ngsildConformance"):
        headers["Prefer"] = f"ngsi-ld={registration.info('ngsildConformance')}"
    has_url = context.user is None or isinstance(context.user, str)
    if message.body is None:
        if (context.user is not None and has_url) or registration.info("jsonldContext"):
            headers["Link"] = link_of_context(context.url)
        return headers, b""
    asked = registration.info("contentType")
    is_ld = asked == LD_JSON or not has_url
    if registration.info("jsonldContext"):
        is_ld = False
    headers["Content-Type"] = LD_JSON if is_ld else JSON
    if not is_ld:
        if context.user is not None:
            headers["Link"] = link_of_context(context.url)
        return headers, msgspec.json.encode(message.body)
    return headers, msgspec.json.encode(_with_context(message, context))


def _with_context(message: Outgoing, context: LdContext) -> Any:
    value = CORE_URL if context.user is None else context.user
    if message.is_sequence_of_entities:
        return [{**part, "@context": value} for part in message.body]
    if isinstance(message.body, dict):
        return {**message.body, "@context": value}
    return message.body


def _conveyed(registration: Registration, caller: Caller) -> dict[str, str]:
    """Via, the tenant of the source, and what its registration wants conveyed."""
    headers = {"Via": caller.next_via}
    if registration.tenant:
        headers["NGSILD-Tenant"] = registration.tenant
    for key, value in registration.source_info:
        if key.lower() in _OWN_KEYS or key.lower() in _NEVER_TAKEN:
            continue
        if value != _FROM_REQUEST:
            headers[key] = value
        elif key in caller.headers:
            headers[key] = caller.headers[key]
    return headers


def _peer_warnings(header: str) -> list[str]:
    """Warnings that the source itself got from others."""
    if not header or not header.isprintable() or not header.isascii():
        return []
    parts = [part.strip() for part in header.split('",')]
    return [p if p.endswith('"') else f'{p}"' for p in parts if p][:_MAX_PEER_WARNINGS]

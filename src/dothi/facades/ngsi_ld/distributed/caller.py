"""What a forwarded request takes over from the one that made it necessary."""

from collections.abc import Mapping

from msgspec import Struct
from starlette.requests import Request

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.registrations.alias import tenant_alias
from dothi.facades.ngsi_ld.registrations.data import Registration

_MAX_HOPS = 32


class Caller(Struct, frozen=True):
    """The incoming request: its headers, the brokers it went through, our own name."""

    headers: Mapping[str, str]
    via: str
    """Value of the incoming Via header; empty when it comes from a client."""
    alias: str
    """Our own pseudonym, of this tenant."""
    context: LdContext

    @property
    def hops(self) -> frozenset[str]:
        """Pseudonyms of the brokers that the request went through (clause 4.3.6.4)."""
        return frozenset(_pseudonym(part) for part in self.via.split(",") if part.strip())

    @property
    def is_loop(self) -> bool:
        """Whether the request was here before, or has gone through too many brokers."""
        return self.alias in self.hops or self.via.count(",") >= _MAX_HOPS

    def has_seen(self, registration: Registration) -> bool:
        """Whether the request has been at this source already."""
        return bool(registration.alias) and registration.alias in self.hops

    @property
    def next_via(self) -> str:
        own = f"1.1 {self.alias}"
        return f"{self.via}, {own}" if self.via else own


def caller_of(request: Request, context: LdContext, alias: str) -> Caller:
    """The caller of a request; each tenant has a pseudonym of its own (clause 5.2.40)."""
    return Caller(
        request.headers,
        ", ".join(request.headers.getlist("via")),
        tenant_alias(alias, request.headers.get("ngsild-tenant", "")),
        context,
    )


def _pseudonym(part: str) -> str:
    """`1.1 name (comment)` -> `name`."""
    words = part.split()
    return words[1] if len(words) > 1 else words[0]

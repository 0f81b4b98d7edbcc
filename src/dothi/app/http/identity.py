"""Who is asking: a device token (Bearer), a session cookie, or everybody in open mode."""

import asyncio
import time
from functools import lru_cache
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct
from starlette.requests import HTTPConnection

from dothi.access.person import principal_of
from dothi.access.position import Positions
from dothi.access.principal import ADMINISTRATOR, ANONYMOUS, EVERYBODY, Principal, device, system
from dothi.app.config.sections import is_loopback
from dothi.model.problem import Problem
from dothi.ports.answers import Answers
from dothi.ports.audit import Audit
from dothi.ports.people import People
from dothi.ports.registry import Sources
from dothi.ports.sessions import Sessions

COOKIE = "dothi_session"
_REMEMBER_DEVICES_S, _REMEMBER_PEOPLE_S = 5.0, 1.0
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

T = TypeVar("T")


class Known(Struct, frozen=True):
    """Where those are found who may come in, and what they have been answered."""

    sessions: Sessions
    sources: Sources
    people: People
    positions: Positions
    answers: Answers
    audit: Audit


class Identity:
    """Finds the principal of a request; refuses what another site made a browser send."""

    def __init__(self, known: Known, mode: str, public_url: str) -> None:
        self._sessions = known.sessions
        self._sources = known.sources
        self._people = known.people
        self._positions = known.positions
        self._is_open = mode == "open"
        self._public_host = urlsplit(public_url).netloc.lower()
        self._devices: _Recent[Principal] = _Recent(_REMEMBER_DEVICES_S)
        self._signed_in: _Recent[Principal] = _Recent(_REMEMBER_PEOPLE_S)

    async def principal_of(self, connection: HTTPConnection) -> Principal:
        """Raises Problem: a token that does not work, or a request from another site."""
        header = connection.headers.get("authorization")
        if header is not None:
            return await self._device(header)
        if self._is_open:
            self._check_host(connection)
            self.check_origin(connection)
            return EVERYBODY
        token = connection.cookies.get(COOKIE)
        if not token:
            return ANONYMOUS
        found = await self._person(token)
        if found is not ANONYMOUS:
            self.check_origin(connection)
        return found

    def check_origin(self, connection: HTTPConnection) -> None:
        """A browser says which site a write or a WebSocket comes from; it must be ours."""
        if connection.scope.get("method", "WS") in _SAFE_METHODS:
            return
        origin = connection.headers.get("origin")
        if origin is None and connection.headers.get("sec-fetch-site") != "cross-site":
            return
        origin = origin or "another site"
        came_from = urlsplit(origin).netloc.lower()
        if came_from not in {connection.headers.get("host", "").lower(), self._public_host} - {""}:
            raise Problem(
                "foreign_origin",
                "Request from another site",
                f"the page of {origin} sent this",
                403,
                where="header Origin",
                remedy="use the console's own address; behind a proxy set server.public_url",
            )

    def forget(self, session_token: str) -> None:
        """The session has ended: do not answer from memory."""
        self._signed_in.drop(session_token)

    def forget_everybody(self) -> None:
        """The next that is asked about anybody is looked up."""
        self._devices.clear()
        self._signed_in.clear()

    async def _device(self, header: str) -> Principal:
        scheme, _, token = header.partition(" ")
        if scheme.lower() == "bearer":
            known = self._devices.get(token)
            if known is not None:
                return known
            source = await asyncio.to_thread(self._sources.source_of_token, token.strip())
            if source is not None:
                found = system(source.id) if source.kind == "ngsi_ld" else device(source.id)
                return self._devices.put(token, found)
        raise Problem(
            "bad_token",
            "The token does not work",
            "unknown or revoked device token",
            401,
            where="header Authorization",
            remedy="send `Bearer <token>`; `dothi source token <id>` makes a new one",
        )

    async def _person(self, token: str) -> Principal:
        known = self._signed_in.get(token)
        if known is not None:
            return known
        found = await asyncio.to_thread(self._whose, token)
        return ANONYMOUS if found is None else self._signed_in.put(token, found)

    def _whose(self, token: str) -> Principal | None:
        name = self._sessions.principal_of(token)
        if name is None or name == ADMINISTRATOR.name:
            return ADMINISTRATOR if name else None
        person = self._people.get(name)
        return principal_of(person, self._positions) if person and person.is_active else None

    def _check_host(self, connection: HTTPConnection) -> None:
        """Without sign-in, a foreign name that resolves to us must not open the door."""
        host = connection.headers.get("host", "")
        if not _is_ours(host):
            raise Problem(
                "foreign_host",
                "Unknown host name",
                f"this server is not {_name_of(host) or '(no name)'}",
                403,
                where="header Host",
                remedy="open it as http://127.0.0.1 or http://localhost",
            )


def _name_of(host: str) -> str:
    """The name in a header Host, without the port."""
    return urlsplit(f"//{host}").hostname or ""


@lru_cache(maxsize=64)
def _is_ours(host: str) -> bool:
    return is_loopback(_name_of(host))


class _Recent(Generic[T]):
    """What tokens meant a moment ago; short, so that a revoked token stops working soon."""

    def __init__(self, lifetime_s: float, most: int = 10_000) -> None:
        self._lifetime_s = lifetime_s
        self._most = most
        self._known: dict[str, tuple[float, T]] = {}

    def get(self, token: str) -> T | None:
        entry = self._known.get(token)
        return entry[1] if entry and entry[0] > time.monotonic() else None

    def put(self, token: str, meaning: T) -> T:
        if len(self._known) >= self._most:
            self._known.clear()
        self._known[token] = (time.monotonic() + self._lifetime_s, meaning)
        return meaning

    def drop(self, token: str) -> None:
        self._known.pop(token, None)

    def clear(self) -> None:
        self._known.clear()

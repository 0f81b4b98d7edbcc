"""Connections that last: they end when the one who has them may no longer have them."""

import asyncio
import logging
from collections.abc import Awaitable

from msgspec import Struct, field
from sqlalchemy.exc import DBAPIError
from starlette.requests import HTTPConnection

from dothi.access.permission import Permission
from dothi.app.http.identity import Identity
from dothi.model.problem import Problem

log = logging.getLogger("dothi.http")

LOOKS_EVERY_S = 1.0
"""How long a connection outlives its session at most, but for the moment that a look takes."""


class _Stay(Struct, eq=False):
    connection: HTTPConnection
    permission: Permission
    is_over: asyncio.Event = field(default_factory=asyncio.Event)


class Doorkeeper:
    """Looks at everybody who stays; while nobody does, it costs nothing."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._stays: set[_Stay] = set()
        self._rounds: asyncio.Task[None] | None = None

    async def lets(
        self, connection: HTTPConnection, permission: Permission, work: Awaitable[None]
    ) -> bool:
        """Do the work of a connection to its end; whatever it raises is raised.

        Returns False: it was broken off, because the session ended, the person left the centre
        or lost the permission, or the token was revoked.
        """
        stay = _Stay(connection, permission)
        self._stays.add(stay)
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._go_round())
        working = asyncio.ensure_future(work)
        told_off = asyncio.create_task(stay.is_over.wait())
        try:
            await asyncio.wait({working, told_off}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stays.discard(stay)
            is_done = working.done()
            for task in (working, told_off):
                task.cancel()
            await asyncio.wait({working, told_off})
        if not working.cancelled():
            working.result()
        return is_done

    async def _go_round(self) -> None:
        while self._stays:
            await asyncio.sleep(LOOKS_EVERY_S)
            self._identity.forget_everybody()
            for stay in list(self._stays):
                try:
                    may_stay = await self._may(stay)
                except DBAPIError as error:
                    log.warning("could not look who may stay", extra={"cause": str(error.orig)})
                    break
                if not may_stay:
                    log.info("connection ended: no longer allowed")
                    stay.is_over.set()

    async def _may(self, stay: _Stay) -> bool:
        try:
            principal = await self._identity.principal_of(stay.connection)
        except Problem:
            return False
        return principal.may(stay.permission)

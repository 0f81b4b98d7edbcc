"""Everything that somebody does through HTTP enters the audit record: here, for all endpoints."""

import asyncio
from collections.abc import Container
from typing import Any

from msgspec.structs import replace

from dothi.access.deed_kind import DOING, DeedKind, Deeds, Doing, key_of
from dothi.access.endpoint import Endpoint
from dothi.app.http.repeats import OWN_API
from dothi.ports.audit import Audit

_READING = frozenset({"GET", "WS"})


def _is_ours_to_tell(endpoint: Endpoint) -> bool:
    """A writing endpoint that somebody forgot in the table: told by its path rather than not."""
    return endpoint.method not in _READING and endpoint.path.startswith(OWN_API)


class Recorder:
    """Goes around the handlers of endpoints that have a line in the table of deeds.

    The entry is made in the first transaction of the change; where there is none of this
    database (the log has a writer of its own, tenants have their own), right after the change.
    What was refused or failed has no entry.
    """

    def __init__(self, audit: Audit, deeds: Deeds, untold: Container[str]) -> None:
        self._audit = audit
        self._deeds = deeds
        self._untold = untold

    def around(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint, recorded; as it is where it reads, or stands among the untold."""
        key = key_of(endpoint)
        kind = self._deeds.get(key)
        if kind is None and _is_ours_to_tell(endpoint) and key not in self._untold:
            kind = DeedKind(key, endpoint.tags[0] if endpoint.tags else "api", ("id",))
        if kind is None:
            return endpoint
        return replace(endpoint, handler=self._recorded(endpoint, kind))

    def _recorded(self, endpoint: Endpoint, kind: DeedKind) -> Any:
        handler, audit = endpoint.handler, self._audit

        async def recorded(request: Any) -> Any:
            who = request.state.principal
            if kind.is_of_people_only and (who.source is not None or not who.is_somebody):
                return await handler(request)
            doing = Doing(kind, who.name, request.path_params)
            tenant = request.headers.get("ngsild-tenant", "")
            source = request.query_params.get("source", "")
            doing.learn({"query": request.url.query, "tenant": tenant, "source": source})
            request.scope[DOING] = doing
            deed = doing.deed
            try:
                with audit.attended(deed):
                    response = await handler(request)
                if response.status_code < 400:
                    await asyncio.to_thread(audit.tell, deed)
                return response
            finally:
                deed.is_told = True  # what goes on in the background is nobody's deed

        return recorded

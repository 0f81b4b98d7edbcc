"""Tells the endpoint of a snapshot how it is (clauses 5.16.6, 5.3.4)."""

import asyncio
import logging
import uuid
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from dothi.facades.ngsi_ld.context.outgoing import Outgoing
from dothi.facades.ngsi_ld.snapshots.document import (
    QUERY_DETAILS,
    TEMPORAL_DETAILS,
    endpoint_of,
    present,
    receiver_headers,
)
from dothi.facades.ngsi_ld.wire.negotiation import JSON, link_of_context
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.model.uri import without_login
from dothi.ports.clock import Clock
from dothi.ports.hubs import SnapshotRecord

log = logging.getLogger("dothi.ngsi_ld")

_PAUSES_S = (1.0, 5.0, 25.0)


class Notices:
    """Sends status notifications; what nobody takes after a few tries is logged and given up."""

    def __init__(self, outgoing: Outgoing, clock: Clock) -> None:
        self._outgoing = outgoing
        self._clock = clock
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def send(self, record: SnapshotRecord, tenant: str, context_url: str) -> None:
        uri = endpoint_of(record.document)
        if uri is None:
            return
        headers = {
            **receiver_headers(record.document),
            "Content-Type": JSON,
            "Link": link_of_context(context_url),
            **({"NGSILD-Tenant": tenant} if tenant else {}),
        }
        content = msgspec.json.encode(self._body(record))
        turn = self._turns.get(record.key)
        if turn is None:
            turn = self._turns[record.key] = asyncio.Lock()
        async with turn:  # what is told of one snapshot arrives in order
            problem = await self._deliver(uri, headers, content)
        if problem:
            shown = without_login(uri)
            log.warning("no status of snapshot %s to %s: %s", record.id, shown, problem)

    async def _deliver(self, uri: str, headers: dict[str, str], content: bytes) -> str:
        """What went wrong the last time; empty when it was taken."""
        problem = await self._try(uri, headers, content)
        for pause_s in _PAUSES_S:
            if not problem:
                break
            await asyncio.sleep(pause_s)
            problem = await self._try(uri, headers, content)
        return problem

    async def _try(self, uri: str, headers: dict[str, str], content: bytes) -> str:
        """What went wrong; empty when it was taken."""
        import httpx

        try:
            status, _, _ = await self._outgoing.send("POST", uri, headers, content)
        except (OSError, ValueError, httpx.HTTPError, httpx.InvalidURL) as error:
            return str(error) or type(error).__name__
        return "" if 200 <= status < 300 else f"status {status}"

    def _body(self, record: SnapshotRecord) -> dict[str, Any]:
        """SnapshotNotification (Table 5.3.4-1, which has a name of its own for one member)."""
        shown = present(record)
        body = {
            "id": f"urn:ngsi-ld:SnapshotNotification:{uuid.uuid4()}",
            "type": "SnapshotNotification",
            "notifiedAt": format_date_time(self._clock.now()),
            "snapshotId": record.id,
            "snapshotStatus": record.status,
            "snapshotPriority": shown["snapshotPriority"],
            "expiresAt": shown["expiresAt"],
        }
        for name, there in (
            (QUERY_DETAILS, QUERY_DETAILS),
            (TEMPORAL_DETAILS, "temporalSnapshotQueriesDetails"),
        ):
            if name in shown:
                body[there] = shown[name]
        return body

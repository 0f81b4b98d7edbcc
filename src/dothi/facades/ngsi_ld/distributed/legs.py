"""Subscriptions at registered sources on behalf of ours (clauses 5.8.1.4, 5.8.2.4, 5.8.5.4, 5.8.6).

Each of our subscriptions has a leg at every source that may have changes to tell: a reduced copy
whose notifications come here. Whatever changes, a subscription or a registration, the legs that
should be there are compared with those that are; what could not be done is tried again later.
"""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from dothi.facades.ngsi_ld.context.names import CORE_CONTEXT
from dothi.facades.ngsi_ld.context.resolve import Contexts
from dothi.facades.ngsi_ld.distributed.caller import Caller
from dothi.facades.ngsi_ld.distributed.forward import Forwarder, Outgoing
from dothi.facades.ngsi_ld.distributed.leg_document import concerned, media_of, reduced
from dothi.facades.ngsi_ld.distributed.own_watches import own_watch
from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.registrations.alias import tenant_alias
from dothi.facades.ngsi_ld.registrations.data import Information, Registration
from dothi.facades.ngsi_ld.registrations.notification import Watch
from dothi.facades.ngsi_ld.registrations.reading import registration
from dothi.facades.ngsi_ld.registrations.registry import Entry, Registry
from dothi.facades.ngsi_ld.routes.entities import ROOT
from dothi.facades.ngsi_ld.subscriptions.model import Subscription
from dothi.facades.ngsi_ld.subscriptions.registry import Registry as Subscriptions
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.model.problem import StoreUnavailable
from dothi.ports.clock import Clock
from dothi.ports.context_sources import ContextSourceRecord, ContextSourceRecords, RecordKind

logger = logging.getLogger(__name__)

INBOUND = "/ngsi-ld/ex/remote-notify"
"""Where sources send what their legs notify; the name of a tenant may follow."""
_RETRY_S = 15.0
_CHECK_S = 60.0
"""Subscriptions and registrations expire without anybody saying so."""


class Leg(msgspec.Struct):
    """A subscription at a source."""

    id: str
    """Of the subscription there; a secret that the source shares."""
    subscription: str
    """Ours."""
    source: dict[str, Any]
    """The registration as it was."""
    via: str
    base: str
    """Where our API was reached when it was made."""
    sent: dict[str, Any] = {}
    """What the source has taken; empty: nothing yet."""
    is_looped: bool = False
    """The request would go in a circle: there is nothing to be had that way."""

    @property
    def key(self) -> tuple[str, str]:
        return self.subscription, str(self.source["id"])


class LegPorts(Struct, frozen=True):
    """What the legs of one hub work with."""

    sources: Registry
    subscriptions: Subscriptions
    forwarder: Forwarder
    contexts: Contexts
    clock: Clock
    records: ContextSourceRecords | None
    tenant: str = ""


class Legs:
    """ports.service.Service. Event loop only, except that records are written in a thread."""

    name = "subscriptions at other sources"

    def __init__(self, ports: LegPorts) -> None:
        self._ports = ports
        self._legs: dict[tuple[str, str], Leg] = {}
        self._base = ""
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        ports.sources.listen(lambda _before, _after: self._wake.set())
        ports.subscriptions.watch(lambda _changed, _number: self._wake.set())

    async def start(self) -> None:
        """Take up the legs of an earlier run."""
        records = self._ports.records
        if records is not None:
            for record in await asyncio.to_thread(records.all, RecordKind.LEG):
                leg = msgspec.json.decode(record.document, type=Leg)
                self._legs[leg.key] = leg
                self._base = self._base or leg.base
        self._wake.set()
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def reached_at(self, base: str) -> None:
        """The URL of our API, as somebody who makes subscriptions or registrations reaches it."""
        if base != self._base:
            self._base = base
            self._wake.set()

    def find(self, leg_id: str) -> tuple[Leg, Subscription] | None:
        """The leg that a notification comes from, and whom it is for; None: nobody."""
        given = leg_id.encode()
        for leg in self._legs.values():
            if secrets.compare_digest(leg.id.encode(), given):
                ours = self._ours().get(leg.subscription)
                is_known = self._ports.sources.get(leg.key[1]) is not None
                return (leg, ours) if ours is not None and is_known else None
        return None

    def watches(self) -> list[Watch]:
        """What our subscriptions want to know of registrations (clause 5.8.1.4)."""
        if not self._base:
            return []
        found = (own_watch(one, self._inbound()) for one in self._ours().values())
        return [watch for watch in found if watch is not None]

    def _ours(self) -> dict[str, Subscription]:
        now_at = self._ports.clock.now()
        every = self._ports.subscriptions.all()
        return {one.id: one for one in every if one.status(now_at) == "active"}

    async def _run(self) -> None:
        while True:
            is_settled = await self._settled()
            try:
                async with asyncio.timeout(_CHECK_S if is_settled else _RETRY_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _settled(self) -> bool:
        """Make the legs what they should be; False when some of it has to be tried again."""
        self._wake.clear()
        if not self._legs and (self._ports.sources.is_empty or not self._base):
            return True
        ours = self._ours() if self._base else {}
        wanted = {
            (one.id, entry.registration.id): (one, entry, parts)
            for one in ours.values()
            for entry, parts in concerned(self._ports.sources, one)
            if not self._caller(one).has_seen(entry.registration)
        }
        work = [self._keep(*found) for found in wanted.values()]
        work += [self._drop(leg) for key, leg in list(self._legs.items()) if key not in wanted]
        try:
            return all(await asyncio.gather(*work))
        except StoreUnavailable as error:
            logger.warning("subscriptions at other sources wait for the store: %s", error)
            return False

    async def _keep(self, ours: Subscription, entry: Entry, parts: Sequence[Information]) -> bool:
        """Make or change one leg."""
        made = entry.registration
        leg = self._legs.get((ours.id, made.id))
        if leg is not None and leg.source.get("endpoint") != made.document.get("endpoint"):
            await self._drop(leg)
            leg = None
        if leg is None:
            name = f"urn:ngsi-ld:Subscription:distsub-{secrets.token_hex(16)}"
            leg = Leg(name, ours.id, made.document, ours.via, self._base)
            self._legs[leg.key] = leg
            # Kept before the source hears of it: nothing is left behind there.
            await self._store(leg)
        if leg.is_looped:
            return True
        try:
            document = await self._document(leg, ours, made, entry, parts)
        except NgsiError:
            return False
        if document == leg.sent:
            return True
        return await self._send(leg, ours, entry, document)

    async def _send(
        self, leg: Leg, ours: Subscription, entry: Entry, document: dict[str, Any]
    ) -> bool:
        caller = self._caller(ours)
        path = f"/subscriptions/{quote(leg.id, safe=':')}"
        gone = dict.fromkeys(leg.sent.keys() - document.keys(), NGSI_NULL)
        changed = {k: v for k, v in document.items() if k not in {"id", "type"}} | gone

        async def ask(method: str, path: str, body: Any = None) -> int:
            message = Outgoing(method, path, (), body)
            outcome = await self._ports.forwarder.send(entry, caller, lambda _to: message)
            return outcome.status

        status = 404
        if leg.sent and entry.registration.supports("updateSubscription"):
            status = await ask("PATCH", path, changed)
        elif leg.sent:
            await ask("DELETE", path)
        if status == 404:
            status = await ask("POST", "/subscriptions", document)
        if status == 409:  # made before our program ended, and then not noted
            status = await ask("PATCH", path, changed)
        leg.is_looped = status == 508
        if not 200 <= status < 300:
            return leg.is_looped
        leg.sent = document
        await self._store(leg)
        return True

    async def _drop(self, leg: Leg) -> bool:
        """Delete one leg at its source; a source that no longer knows it is no error."""
        if leg.sent:
            made = registration(leg.source)
            entry = Entry(made, self._ports.clock.now(), self._ports.clock.now())
            message = Outgoing("DELETE", f"/subscriptions/{quote(leg.id, safe=':')}")
            caller = self._caller_of(leg.via)
            outcome = await self._ports.forwarder.send(entry, caller, lambda _to: message)
            if not outcome.is_good and not outcome.is_missing and outcome.status >= 500:
                return False
        self._legs.pop(leg.key, None)
        if self._ports.records is not None:
            await asyncio.to_thread(self._ports.records.remove, RecordKind.LEG, leg.id)
        return True

    async def _document(
        self,
        leg: Leg,
        ours: Subscription,
        made: Registration,
        entry: Entry,
        parts: Sequence[Information],
    ) -> dict[str, Any]:
        url = made.info("jsonldContext")
        context = await self._ports.contexts.resolve(url) if url else ours.context
        found = reduced(ours, entry, parts, context)
        endpoint = {"uri": self._inbound(), "accept": media_of(ours)}
        notification = {**found["notification"], "endpoint": endpoint}
        return {"id": leg.id, "type": "Subscription", **found, "notification": notification}

    def _inbound(self) -> str:
        where = f"{self._base.removesuffix(ROOT)}{INBOUND}"
        return where + (f"/{quote(self._ports.tenant, safe=':')}" if self._ports.tenant else "")

    def _caller(self, ours: Subscription) -> Caller:
        caller = self._caller_of(ours.via)
        return Caller(caller.headers, caller.via, caller.alias, ours.context)

    def _caller_of(self, via: str) -> Caller:
        alias = tenant_alias(self._ports.sources.alias, self._ports.tenant)
        return Caller({}, via, alias, CORE_CONTEXT)

    async def _store(self, leg: Leg) -> None:
        if self._ports.records is not None and leg.key in self._legs:
            now = self._ports.clock.now()
            document = msgspec.json.encode(leg).decode()
            record = ContextSourceRecord(RecordKind.LEG, leg.id, document, now, now)
            await asyncio.to_thread(self._ports.records.put, record)

"""Every request to the hub that it is meant for: of its tenant (clauses 4.14, 5.5.10, 6.3.14), or
of a snapshot (4.3.7, 5.5.15, 6.3.22).

A handler knows one broker and nothing of tenants and snapshots.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.facades.ngsi_ld.errors import (
    NgsiError,
    bad_request_data,
    no_multi_tenant_support,
    nonexistent_tenant,
    not_found,
    too_many_tenants,
)
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded
from dothi.facades.ngsi_ld.tables import HandlerTables
from dothi.facades.ngsi_ld.wire.names import check_uri
from dothi.facades.ngsi_ld.wire.request import check_length
from dothi.ports.clock import Clock
from dothi.ports.hubs import HubPorts, NoSuchTenant, SnapshotRecord, Tenants, TooManyTenants

TENANT, SNAPSHOT = "NGSILD-Tenant", "NGSILD-Snapshot"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_TOUCH_S = 60.0
_IDENTITY = "/info/sourceIdentity"
_BESIDE_ENTITIES = ("/snapshots", _IDENTITY)
"""Paths of what is never inside a snapshot. What could be and is not there is refused (422)."""
_CREATING = {
    ("POST", "/entities"),
    ("POST", "/entityOperations/create"),
    ("POST", "/temporal/entities"),
    ("POST", "/subscriptions"),
    ("POST", "/csourceRegistrations"),
    ("POST", "/csourceSubscriptions"),
}
"""Operations that create a tenant that does not exist (5.5.10)."""


def tenant_of(request: Request) -> str:
    """The tenant that the request names; empty for the default one. Raises BadRequestData."""
    name = request.headers.get(TENANT, "").strip()
    if name and not _NAME.fullmatch(name):
        raise bad_request_data(
            f"{TENANT} is {name!r}; a tenant's name is a letter or digit, then at most 63 letters, "
            "digits, or characters of _ . : -"
        )
    return name


def naming_hub(handler: Handler) -> Handler:
    """The handler, whose answers name the tenant and the snapshot that were asked for."""

    async def answer(request: Request) -> Response:
        response = await handler(request)
        for header in (TENANT, SNAPSHOT):
            name = request.headers.get(header)
            if name:
                response.headers[header] = name
        return response

    return answer


class Hubs:
    """Finds the hub of a tenant."""

    def __init__(self, default: HubPorts, tenants: Tenants | None, clock: Clock) -> None:
        self._default = default
        self._tenants = tenants
        self._clock = clock

    @asynccontextmanager
    async def use(self, tenant: str, *, may_create: bool = False) -> AsyncIterator[HubPorts]:
        """Open until the block ends. Raises NgsiError: there is no such tenant."""
        if not tenant:
            yield self._default
            return
        try:
            if self._tenants is None:
                raise TooManyTenants(0)
            async with self._tenants.use(tenant, may_create=may_create) as hub:
                yield hub
        except (NoSuchTenant, TooManyTenants) as error:
            raise _told(error, tenant) from error

    @property
    def has_tenants(self) -> bool:
        """Whether there may be others than the default one."""
        return self._tenants is not None

    def keep(self, tenant: str) -> None:
        """A request has stored something there."""
        if self._tenants is not None and tenant:
            self._tenants.keep(tenant)

    async def drop_new(self, tenant: str) -> None:
        """A request that failed makes no tenant."""
        if self._tenants is not None and tenant:
            await self._tenants.drop_new(tenant)

    @asynccontextmanager
    async def use_snapshot(self, hub: HubPorts, snapshot_id: str) -> AsyncIterator[HubPorts]:
        """The hub of a snapshot of this one. Raises ResourceNotFound."""
        check_uri(snapshot_id, SNAPSHOT)
        now = self._clock.now()
        record: SnapshotRecord | None = None
        if hub.snapshots is not None:
            record = await hub.snapshots.get(snapshot_id)
        if hub.snapshots is None or record is None or record.expires_at <= now:
            raise not_found(f"{SNAPSHOT}: there is no snapshot {snapshot_id}")
        if (now - record.used_at).total_seconds() > _TOUCH_S:
            await hub.snapshots.put(replace(record, used_at=now))
        async with hub.snapshots.use(record) as frozen:
            yield frozen


class Tenancy:
    """The endpoints of the default tenant, made to serve all hubs."""

    def __init__(self, default: HubPorts, hubs: Hubs, tables: HandlerTables, root: str) -> None:
        self._hubs = hubs
        self._tables = tables
        self._root = root
        self._default = tables.of(default, "")

    def endpoints(self) -> Sequence[Endpoint]:
        """The same routes, whose handlers look at the headers first."""
        return [
            replace(endpoint, handler=self._handler(endpoint))
            for endpoint in self._default.endpoints
        ]

    def _handler(self, endpoint: Endpoint) -> Handler:
        own = endpoint.handler
        path = endpoint.path.removeprefix(self._root).rstrip("/")
        may_create = (endpoint.method, path) in _CREATING
        has_snapshots = not path.startswith(_BESIDE_ENTITIES)
        if path == _IDENTITY and self._hubs.has_tenants:
            # Who a tenant is does not need its data, which may not be there yet.
            return naming_hub(own)

        async def elsewhere(request: Request) -> Response:
            check_length(request)
            tenant = tenant_of(request)
            snapshot = request.headers.get(SNAPSHOT, "") if has_snapshots else ""
            async with self._hubs.use(tenant, may_create=may_create and not snapshot) as hub:
                if not snapshot:
                    response = await self._answer(endpoint, hub, tenant, request)
                else:
                    async with self._hubs.use_snapshot(hub, snapshot) as frozen:
                        response = await self._answer(endpoint, frozen, tenant, request)
                if may_create and response.status_code < 300:
                    self._hubs.keep(tenant)
            if may_create and response.status_code >= 300:
                await self._hubs.drop_new(tenant)
            return response

        answer_elsewhere = naming_hub(guarded(elsewhere))

        def answer(request: Request) -> Awaitable[Response]:
            headers = request.headers
            is_elsewhere = headers.get(TENANT) or headers.get(SNAPSHOT)
            return answer_elsewhere(request) if is_elsewhere else own(request)

        return answer

    async def _answer(
        self, endpoint: Endpoint, hub: HubPorts, tenant: str, request: Request
    ) -> Response:
        found = self._tables.of(hub, tenant).find(endpoint.method, endpoint.path)
        response: Response = await found.handler(request)
        return response


def _told(error: NoSuchTenant | TooManyTenants, tenant: str) -> NgsiError:
    if isinstance(error, NoSuchTenant):
        return nonexistent_tenant(
            f"there is no tenant {tenant!r}; creating an entity, subscription or registration "
            "in it makes it"
        )
    if error.most:
        return too_many_tenants(f"{error}; raise [ngsi_ld] max_tenants")
    return no_multi_tenant_support(
        f"{TENANT} names {tenant!r}, and [ngsi_ld] max_tenants is 0; leave the header out"
    )

"""Every request to the hub of its tenant (clauses 4.14, 5.5.10, 6.3.14).

The handlers are built once for each open hub, from the same table: a handler knows one broker and
nothing of tenants.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.facades.ngsi_ld.errors import (
    NgsiError,
    bad_request_data,
    no_multi_tenant_support,
    nonexistent_tenant,
)
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded
from dothi.facades.ngsi_ld.wire.request import check_length
from dothi.ports.tenants import HubPorts, NoSuchTenant, Tenants, TooManyTenants

TENANT = "NGSILD-Tenant"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
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


def naming_tenant(handler: Handler) -> Handler:
    """The handler, whose answers name the tenant that was asked for (6.3.14)."""

    async def answer(request: Request) -> Response:
        response = await handler(request)
        name = request.headers.get(TENANT)
        if name:
            response.headers[TENANT] = name
        return response

    return answer


class Tenancy:
    """The endpoints of the default tenant, made to serve all tenants."""

    def __init__(
        self,
        default: HubPorts,
        tenants: Tenants | None,
        build: Callable[[HubPorts, str], list[Endpoint]],
        root: str,
    ) -> None:
        """`build`: the table of endpoints over the hub of a tenant, always in the same order."""
        self._tenants = tenants
        self._build = build
        self._root = root
        self._default = build(default, "")
        self._tables: WeakKeyDictionary[HubPorts, list[Endpoint]] = WeakKeyDictionary()

    def endpoints(self) -> Sequence[Endpoint]:
        """The same routes, whose handlers look at the header first."""
        return [
            replace(endpoint, handler=self._handler(at, endpoint))
            for at, endpoint in enumerate(self._default)
        ]

    def _handler(self, at: int, endpoint: Endpoint) -> Handler:
        own = endpoint.handler
        path = endpoint.path.removeprefix(self._root).rstrip("/")
        may_create = (endpoint.method, path) in _CREATING

        async def in_tenant(request: Request) -> Response:
            check_length(request)
            tenant = tenant_of(request)
            try:
                async with self._found().use(tenant, may_create=may_create) as ports:
                    response: Response = await self._table(ports, tenant)[at].handler(request)
                    return response
            except (NoSuchTenant, TooManyTenants) as error:
                raise _told(error, tenant) from error

        answer_in_tenant = guarded(in_tenant)

        async def answer(request: Request) -> Response:
            name = request.headers.get(TENANT)
            if not name:
                response: Response = await own(request)
                return response
            response = await answer_in_tenant(request)
            response.headers[TENANT] = name
            return response

        return answer

    def _found(self) -> Tenants:
        if self._tenants is None:
            raise TooManyTenants(0)
        return self._tenants

    def _table(self, ports: HubPorts, tenant: str) -> list[Endpoint]:
        table = self._tables.get(ports)
        if table is None:
            table = self._tables[ports] = self._build(ports, tenant)
        return table


def _told(error: NoSuchTenant | TooManyTenants, tenant: str) -> NgsiError:
    if isinstance(error, NoSuchTenant):
        return nonexistent_tenant(
            f"there is no tenant {tenant!r}; creating an entity, subscription or registration "
            "in it makes it"
        )
    if error.most:
        return NgsiError(
            403,
            "TooManyResults",
            "There are too many tenants",
            f"{error}; raise [ngsi_ld] max_tenants",
        )
    return no_multi_tenant_support(
        f"{TENANT} names {tenant!r}, and [ngsi_ld] max_tenants is 0; leave the header out"
    )

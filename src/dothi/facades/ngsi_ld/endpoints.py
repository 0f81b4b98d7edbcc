"""The NGSI-LD API as a list of endpoints: its table of contents."""

from dataclasses import dataclass, field, replace

from dothi.access.egress import egress_policy
from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.facades.ngsi_ld.context.library import (
    ContextLibrary,
    Fetched,
    Limits,
    TenantContexts,
)
from dothi.facades.ngsi_ld.context.preload import read_documents
from dothi.facades.ngsi_ld.context.remote import RemoteContexts
from dothi.facades.ngsi_ld.context.resolve import ContextLoader, Contexts
from dothi.facades.ngsi_ld.context.shelf import MemoryShelf
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.routes import attributes, batch, contexts, entities, temporal
from dothi.facades.ngsi_ld.routes.entities import ROOT
from dothi.facades.ngsi_ld.routes.guard import Handler
from dothi.facades.ngsi_ld.routes.preference import preferring
from dothi.facades.ngsi_ld.routes.tenancy import Tenancy
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.model.problem import Problem
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.ld_contexts import LdContextStore
from dothi.ports.tenants import HubPorts, Tenants

_Row = tuple[str, str, Permission, Handler, str]
_ENTITY = "/entities/{entity_id:path}"
_ATTRIBUTES = f"{_ENTITY}/attrs"
_ATTRIBUTE = f"{_ATTRIBUTES}/{{attribute:path}}"


@dataclass(frozen=True, slots=True)
class NgsiLdDeps:
    """What the door stands on."""

    hub: HubPorts
    """The default tenant's."""
    tenants: Tenants | None = None
    """The others; None: there are none."""
    loader: ContextLoader | None = None
    """In place of fetching remote @contexts."""
    clock: Clock = field(default_factory=SystemClock)
    contexts: LdContextStore | None = None
    """Where @contexts are kept; None: in memory."""
    public_url: str = ""
    """How others reach the program; empty: as the request did."""


class NgsiLdDoor:
    """The routes of the API, and what has to be closed in good order."""

    name = "ngsi-ld"

    def __init__(self, deps: NgsiLdDeps, settings: NgsiLdSettings | None = None) -> None:
        """Raises Problem: see `context_library`."""
        self._deps = deps
        self._settings = settings or NgsiLdSettings()
        self.library = context_library(deps, self._settings)

    async def start(self) -> None:
        """Nothing to wait for."""

    async def stop(self) -> None:
        """Store how often @contexts were used."""
        await self.library.flush()

    def endpoints(self) -> list[Endpoint]:
        """Every route of the door."""
        if not self._settings.is_enabled:
            return []
        found = Tenancy(self._deps.hub, self._deps.tenants, self._build, ROOT).endpoints()
        return [
            *(replace(endpoint, handler=_preferring(endpoint)) for endpoint in found),
            *_context_endpoints(self.library, self._deps.public_url),
        ]

    def _build(self, hub: HubPorts, tenant: str) -> list[Endpoint]:
        deps = self._deps
        contexts = Contexts(TenantContexts(self.library, tenant))
        return _endpoints(
            Broker(hub.ingest, hub.entities, hub.history, contexts, deps.clock, self._settings)
        )


def ngsi_ld_endpoints(deps: NgsiLdDeps, settings: NgsiLdSettings | None = None) -> list[Endpoint]:
    """Every route of the door."""
    return NgsiLdDoor(deps, settings).endpoints()


def _preferring(endpoint: Endpoint) -> Handler:
    path = endpoint.path.removeprefix(ROOT)
    gives_entities = path.startswith(("/entities", "/entityOperations/query"))
    return preferring(endpoint.handler, gives_entities=gives_entities)


def context_library(deps: NgsiLdDeps, settings: NgsiLdSettings) -> ContextLibrary:
    """The stored @contexts; remote ones are fetched within the bounds of the settings.

    Raises:
        Problem: a file of `contexts` cannot be read, or `egress_allow` holds no network.
    """
    try:
        policy = egress_policy(settings.egress_allow)
    except ValueError as error:
        raise Problem(
            "egress_allow_wrong",
            "A network cannot be read",
            str(error),
            500,
            where="[ngsi_ld] egress_allow",
            remedy="write addresses or networks such as 10.0.0.0/8",
        ) from error
    loader = deps.loader

    async def given(url: str) -> Fetched:
        assert loader is not None
        return Fetched(await loader.load(url))

    remote = RemoteContexts(policy, settings.context_timeout_s)
    return ContextLibrary(
        remote.fetch if loader is None else given,
        MemoryShelf() if deps.contexts is None else deps.contexts,
        deps.clock,
        Limits(settings.context_keep_s, settings.contexts_cached, settings.contexts_hosted),
        read_documents(settings.contexts),
    )


def _endpoints(broker: Broker) -> list[Endpoint]:
    read, write = Permission.READ, Permission.WRITE_ENTITIES
    table: list[_Row] = [
        ("POST", "/entities", write, entities.create_handler(broker), "Create an entity"),
        ("GET", "/entities", read, entities.query_handler(broker), "Query entities"),
        ("POST", _ATTRIBUTES, write, attributes.append_handler(broker), "Append attributes"),
        ("PATCH", _ATTRIBUTES, write, attributes.update_handler(broker), "Update attributes"),
        ("PATCH", _ATTRIBUTE, write, attributes.update_one_handler(broker), "Update an attribute"),
        ("DELETE", _ATTRIBUTE, write, attributes.delete_handler(broker), "Delete an attribute"),
        ("GET", _ENTITY, read, entities.retrieve_handler(broker), "Retrieve an entity"),
        ("DELETE", _ENTITY, write, entities.delete_handler(broker), "Delete an entity"),
        (
            "POST",
            "/entityOperations/upsert",
            write,
            batch.upsert_handler(broker),
            "Create or update many entities",
        ),
        (
            "GET",
            "/temporal/entities/{entity_id:path}",
            read,
            temporal.retrieve_handler(broker),
            "Retrieve the temporal evolution of an entity",
        ),
    ]
    return _mounted(table)


def _context_endpoints(library: ContextLibrary, public_url: str) -> list[Endpoint]:
    """@contexts are kept once for all tenants; each sees the cached ones and its own."""
    public, read, write = Permission.PUBLIC, Permission.READ, Permission.WRITE_ENTITIES
    base = contexts.BaseUrl(public_url, ROOT)
    one = "/jsonldContexts/{name:path}"
    return _mounted(
        [
            (
                "GET",
                "/jsonldContexts",
                read,
                contexts.list_handler(library, base),
                "List @contexts",
            ),
            (
                "POST",
                "/jsonldContexts",
                write,
                contexts.add_handler(library, ROOT),
                "Host an @context",
            ),
            ("GET", one, public, contexts.serve_handler(library, base), "Read an @context"),
            (
                "DELETE",
                one,
                write,
                contexts.delete_handler(library),
                "Delete or reload an @context",
            ),
        ]
    )


def _mounted(table: list[_Row]) -> list[Endpoint]:
    found = [_endpoint(*row) for row in table]
    # Clients do write a slash at the end; they get the answer, not a redirect.
    slashed = [_endpoint(row[0], row[1] + "/", *row[2:]) for row in table if row[1][-1] != "}"]
    return slashed + found


def _endpoint(
    method: str, path: str, permission: Permission, handler: Handler, summary: str
) -> Endpoint:
    return Endpoint(method, ROOT + path, permission, handler, summary, tags=("NGSI-LD",))

"""The door of the NGSI-LD API: its handlers over every hub, its @contexts, its snapshots."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from dothi.access.egress import EgressPolicy, egress_policy
from dothi.access.endpoint import Endpoint
from dothi.facades.ngsi_ld.context.library import (
    ContextLibrary,
    Fetched,
    Limits,
    TenantContexts,
)
from dothi.facades.ngsi_ld.context.outgoing import Outgoing
from dothi.facades.ngsi_ld.context.preload import read_documents
from dothi.facades.ngsi_ld.context.remote import RemoteContexts
from dothi.facades.ngsi_ld.context.resolve import ContextLoader, Contexts
from dothi.facades.ngsi_ld.context.shelf import MemoryShelf
from dothi.facades.ngsi_ld.distributed.forward import Forwarder
from dothi.facades.ngsi_ld.distributed.http_client import HttpClient
from dothi.facades.ngsi_ld.distributed.inbound import Inbound
from dothi.facades.ngsi_ld.distributed.legs import LegPorts, Legs
from dothi.facades.ngsi_ld.distributed.remote_notifications import (
    inbound_endpoints,
    reached,
    without_loops,
)
from dothi.facades.ngsi_ld.endpoints import (
    broker_endpoints,
    context_endpoints,
    snapshot_endpoints,
    source_endpoints,
    subscription_endpoints,
)
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.expiry import Expiry
from dothi.facades.ngsi_ld.registrations.notification import Outward
from dothi.facades.ngsi_ld.registrations.notifier import RegistrationNotifier
from dothi.facades.ngsi_ld.routes.contexts import BaseUrl
from dothi.facades.ngsi_ld.routes.entities import ROOT
from dothi.facades.ngsi_ld.routes.guard import Handler
from dothi.facades.ngsi_ld.routes.preference import preferring
from dothi.facades.ngsi_ld.routes.registration_list import registration_list
from dothi.facades.ngsi_ld.routes.tenancy import Hubs, Tenancy
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.facades.ngsi_ld.snapshots.desk import DeskDeps, SnapshotDesk
from dothi.facades.ngsi_ld.snapshots.filling import PAGE, TEMPORAL_INSTANCES
from dothi.facades.ngsi_ld.snapshots.notice import Notices
from dothi.facades.ngsi_ld.subscriptions.service import NotifyPorts, SubscriptionService
from dothi.facades.ngsi_ld.subscriptions.unfollowing import Unfollowing
from dothi.facades.ngsi_ld.tables import HandlerTable, HandlerTables
from dothi.model.problem import Problem
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.hubs import HubPorts, Snapshots, Tenants
from dothi.ports.ld_contexts import LdContextStore
from dothi.ports.notifier import Notifier
from dothi.ports.service import Service
from dothi.ports.subscriptions import Deliveries

_NOTED = ("/subscriptions", "/csourceRegistrations")
_NOTICE_S = 5.0
_NOTICE_BYTES = 1 << 16


class NgsiLdDeps(Struct, frozen=True):
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
    senders: Callable[[], Mapping[str, Notifier]] = dict
    """Makes what carries notifications, by the scheme of the receiver's address."""
    public_url: str = ""
    """How others reach the program; empty: as the request did."""


class _Side(Struct, frozen=True):
    """What the door keeps of one hub."""

    broker: Broker
    subscriptions: SubscriptionService | None
    notifier: RegistrationNotifier
    legs: Legs | None
    inbound: Inbound | None


class NgsiLdDoor:
    """The routes of the API, and what has to be closed in good order."""

    name = "ngsi-ld"

    def __init__(self, deps: NgsiLdDeps, settings: NgsiLdSettings | None = None) -> None:
        """Raises Problem: see `context_library`."""
        self._deps = deps
        self._settings = settings or NgsiLdSettings()
        self.library = context_library(deps, self._settings)
        self._hubs = Hubs(deps.hub, deps.tenants, deps.clock)
        self._sides: WeakKeyDictionary[HubPorts, _Side] = WeakKeyDictionary()
        self._client = HttpClient(policy_of(self._settings), self._settings.forward_max_bytes)
        self._tables = HandlerTables(self._build)
        self._wide_tables = HandlerTables(self._build_wide)
        outgoing = Outgoing(policy_of(self._settings), _NOTICE_S, _NOTICE_BYTES)
        self._notices = Notices(outgoing, deps.clock)
        self._work: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Nothing to wait for."""

    async def stop(self) -> None:
        """End what goes on in the background; store how often @contexts were used."""
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        await self._client.close()
        await self.library.flush()

    def services(self, hub: HubPorts, tenant: str) -> Sequence[Service]:
        """What runs beside a hub as long as it is open."""
        if not self._settings.is_enabled:
            return [] if hub.following is None else [Unfollowing(hub.following.cursors)]
        side = self._side_of(hub, tenant)
        if side.subscriptions is None:
            return [Expiry(side.broker)]
        beside = [] if side.legs is None else [side.legs]
        return [Expiry(side.broker), side.subscriptions, side.notifier, *beside]

    def deliveries(self, hub: HubPorts, tenant: str) -> Deliveries | None:
        """How the delivery of notifications goes; None: there are none."""
        return self._side_of(hub, tenant).subscriptions if self._settings.is_enabled else None

    def endpoints(self) -> list[Endpoint]:
        """Every route of the door."""
        if not self._settings.is_enabled:
            return []
        found = Tenancy(self._deps.hub, self._hubs, self._tables, ROOT).endpoints()
        return [
            *(replace(endpoint, handler=_preferring(endpoint)) for endpoint in found),
            *context_endpoints(self.library, self._deps.public_url),
            registration_list(self._side_of(self._deps.hub, "").broker),
            *inbound_endpoints(self._hubs, self._inbound_of, self._settings.max_body_bytes),
        ]

    def _side_of(self, hub: HubPorts, tenant: str) -> _Side:
        """One per open hub: its routes and services share locks and subscriptions."""
        side = self._sides.get(hub)
        if side is None:
            loader, deps = TenantContexts(self.library, tenant), self._deps
            broker = Broker.over(hub, Contexts(loader), deps.clock, self._settings)
            subscriptions = None
            if hub.following is not None:
                ports = NotifyPorts(hub.following, hub.entities, deps.senders(), loader, deps.clock)
                subscriptions = SubscriptionService(ports, self._settings.notify, tenant=tenant)
                hub.following.watch(subscriptions.wake)
            legs, inbound = self._legs_of(broker, subscriptions, hub, tenant)
            notifier = RegistrationNotifier(
                broker.sources,
                broker.contexts,
                Outward(deps.senders(), self._settings.notify, deps.clock, tenant),
                hub.sources,
            )
            if legs is not None:
                notifier.internal = legs.watches
            side = self._sides[hub] = _Side(broker, subscriptions, notifier, legs, inbound)
        return side

    def _legs_of(
        self,
        broker: Broker,
        subscriptions: SubscriptionService | None,
        hub: HubPorts,
        tenant: str,
    ) -> tuple[Legs | None, Inbound | None]:
        """Subscriptions at registered sources, and what takes their notifications."""
        if subscriptions is None:
            return None, None
        forwarder = Forwarder(
            self._client, broker.sources, broker.contexts, self._settings.forward_timeout_s
        )
        legs = Legs(
            LegPorts(
                broker.sources,
                subscriptions.registry,
                forwarder,
                broker.contexts,
                self._deps.clock,
                hub.sources,
                tenant,
            )
        )
        return legs, Inbound(broker, legs, subscriptions, forwarder, tenant)

    def _inbound_of(self, hub: HubPorts, tenant: str) -> Inbound | None:
        return self._side_of(hub, tenant).inbound

    def _build(self, hub: HubPorts, tenant: str) -> list[Endpoint]:
        return self._table(hub, tenant, self._settings)

    def _build_wide(self, hub: HubPorts, tenant: str) -> list[Endpoint]:
        """For filling snapshots: pages that hold what one answer of theirs can hold."""
        wide = msgspec.structs.replace(
            self._settings,
            max_limit=max(self._settings.max_limit, PAGE),
            temporal_page=TEMPORAL_INSTANCES,
        )
        return self._table(hub, tenant, wide)

    def _table(self, hub: HubPorts, tenant: str, settings: NgsiLdSettings) -> list[Endpoint]:
        side = self._side_of(hub, tenant)
        broker = replace(side.broker, settings=settings)
        table = broker_endpoints(broker, self._client)
        if side.subscriptions is not None:
            table += source_endpoints(broker, side.notifier, self._deps.public_url)
            table += subscription_endpoints(
                side.subscriptions.registry, settings, self._deps.public_url
            )
            table = [self._noting(endpoint, side) for endpoint in table]
        if hub.snapshots is None:
            return table
        desk = self._desk(hub.snapshots, broker.contexts, tenant)
        return [*table, *snapshot_endpoints(broker, desk)]

    def _noting(self, endpoint: Endpoint, side: _Side) -> Endpoint:
        """Of what legs depend on: the endpoint that tells them how others reach us."""
        path = endpoint.path.removeprefix(ROOT).rstrip("/")
        if side.legs is None or endpoint.method != "POST" or path not in _NOTED:
            return endpoint
        base = BaseUrl(self._deps.public_url, ROOT)
        noting = replace(endpoint, handler=reached(endpoint, side.legs, base))
        if path == "/csourceRegistrations":
            return noting
        return replace(noting, handler=without_loops(noting, side.broker))

    def _desk(self, snapshots: Snapshots, contexts: Contexts, tenant: str) -> SnapshotDesk:
        def handlers(hub: HubPorts, is_wide: bool) -> HandlerTable:
            return (self._wide_tables if is_wide else self._tables).of(hub, tenant)

        return SnapshotDesk(
            DeskDeps(
                snapshots=snapshots,
                contexts=contexts,
                clock=self._deps.clock,
                settings=self._settings,
                notices=self._notices,
                tenant=tenant,
                root=ROOT,
                own_hub=partial(self._hubs.use, tenant),
                handlers=handlers,
                work=self._work,
            )
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
    loader = deps.loader

    async def given(url: str) -> Fetched:
        assert loader is not None
        return Fetched(await loader.load(url))

    remote = RemoteContexts(policy_of(settings), settings.context_timeout_s)
    return ContextLibrary(
        remote.fetch if loader is None else given,
        MemoryShelf() if deps.contexts is None else deps.contexts,
        deps.clock,
        Limits(settings.context_keep_s, settings.contexts_cached, settings.contexts_hosted),
        read_documents(settings.contexts),
    )


def policy_of(settings: NgsiLdSettings) -> EgressPolicy:
    """Which addresses users may name. Raises Problem."""
    try:
        return egress_policy(settings.egress_allow)
    except ValueError as error:
        raise Problem(
            "egress_allow_wrong",
            "A network cannot be read",
            str(error),
            500,
            where="[ngsi_ld] egress_allow",
            remedy="write addresses or networks such as 10.0.0.0/8",
        ) from error

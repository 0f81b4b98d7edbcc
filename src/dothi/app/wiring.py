"""Builds every part and says in which order they start; with stores.py and doors.py the only
place that knows concrete adapters."""

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from msgspec import Struct

from dothi import __version__
from dothi.access.endpoint import Endpoint
from dothi.access.person import approves
from dothi.api import routes as api
from dothi.api.deps import ApiDeps
from dothi.app.alarms import build_alarms
from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.doors import Doors, Hub
from dothi.app.exposure import plain_doors, reachable
from dothi.app.http.batches import Batches
from dothi.app.http.identity import Known
from dothi.app.http.server import HttpServer, address_of
from dothi.app.http.site import Site
from dothi.app.hubs.hub import HubPlan, hub_ports
from dothi.app.hubs.pool import HubPool
from dothi.app.hubs.snapshots import SnapshotHubs
from dothi.app.hubs.tenants import TenantHubs
from dothi.app.incidents.build import build_incidents
from dothi.app.late import Late
from dothi.app.mode import Mode
from dothi.app.notices import NoticePart
from dothi.app.offline import login_url
from dothi.app.open_items import AlarmItems, IncidentItems
from dothi.app.people import known_of, known_positions, people_endpoints
from dothi.app.province import Province, read_province
from dothi.app.rules import vocabulary_of
from dothi.app.rules_in_force import rules_in_force
from dothi.app.source_measures import SourceMeasures
from dothi.app.started import Started
from dothi.app.store_measures import StoreMeasures
from dothi.app.stores import Stores, open_stores
from dothi.app.supervisor import Supervisor
from dothi.app.warnings import warning_parts
from dothi.console.endpoints import console_endpoints
from dothi.live.feed import LiveDeps
from dothi.live.hub import LiveHub
from dothi.model.measure import Measure
from dothi.pipeline.entity_cache import EntityCache
from dothi.pipeline.intake import Intake
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.measured import Measured
from dothi.ports.people import approvers, name_of
from dothi.ports.service import Service
from dothi.rules.facts import StateFacts

_STOP_MARGIN_S = 5.0


class Program(Struct, frozen=True):
    """Everything that runs."""

    supervisor: Supervisor
    site: Site
    stores: Stores
    settings: Settings
    doors: Doors
    url: str

    def describe(self) -> Started:
        """What to tell the person at the terminal; makes a link when nobody is signed in."""
        server, access, sessions = self.settings.server, self.settings.access, self.stores.sessions
        base = server.public_url.rstrip("/") or reachable(self.url, server.host)
        link = None
        if access.mode != "open" and not sessions.count_live():
            link = login_url(base, sessions.make_link(access.link_lifetime_s))
        return Started(base, link, self.doors.addresses(), tuple(plain_doors(self.settings)))


@asynccontextmanager
async def build(
    settings: Settings, folder: DataFolder, sock: socket.socket, mode: Mode
) -> AsyncIterator[Program]:
    """Open the stores and put the parts together; nothing runs yet."""
    clock = SystemClock()
    province = read_province(settings.province, settings.console)
    positions = known_positions(settings.access)
    with open_stores(folder, clock, settings.lake) as stores:
        intake = Intake(stores.writer, province.specs, settings.pipeline)
        cache_bytes = settings.pipeline.entity_cache_mb * 2**20
        entities = EntityCache(stores.entities, clock, cache_bytes)
        intake.keep_true(entities)
        live = LiveHub(_live_deps(stores, clock), settings.live)
        ngsi_ld = settings.ngsi_ld
        plan = HubPlan(
            settings, province.specs, clock, lambda hub, tenant: doors.beside(hub, tenant)
        )
        pool = HubPool(plan, ngsi_ld.tenant_idle_s, ngsi_ld.tenants_open)
        tenants = TenantHubs(folder, pool, ngsi_ld.max_tenants)
        snapshots = SnapshotHubs(stores.snapshots, pool, folder, clock)
        hub = Hub(hub_ports(stores, intake, entities, snapshots), tenants)
        doors = Doors(settings, stores, hub, clock, folder.path)
        vocabulary = vocabulary_of(province.layers, province.specs)
        alarms = build_alarms(
            settings.alarms,
            stores,
            rules_in_force(stores, province.layers, clock, vocabulary),
            clock,
        )
        notices = NoticePart(settings, stores, clock, folder.path, mode.name)
        intake.watch(alarms.watch.wake)
        incidents = build_incidents(settings.incidents, stores, folder, clock, positions, mode)
        alarms.watch.tell(live.alarms_changed)
        alarms.watch.tell(incidents.alarms_changed)
        names = partial(name_of, stores.people)
        tasks = IncidentItems(stores.incidents, clock, names)
        open_items = (
            tasks,
            AlarmItems(stores.alarms, clock, alarms.deps.limits.stale_after_s, names),
        )
        warnings = warning_parts(settings, stores, folder, clock, alarms.deps.facts, mode)
        supervisor = Supervisor(
            [
                intake,
                alarms.watch,
                *stores.lake.services(stores.seal_source, stores.cursors, clock),
                live,
                tenants,
                snapshots,
                *doors.services,
                notices.service,
                *([warnings.push] if settings.warnings.receivers else []),
                *incidents.services,
            ],
            clock,
            settings.server.graceful_stop_s + _STOP_MARGIN_S,
        )
        endpoints = [
            *console_endpoints(province.console),
            *api.endpoints(
                replace(
                    _api_deps(settings, stores, province, live, clock, mode.name),
                    deliveries=doors.deliveries,
                    alarms=alarms.deps,
                    warnings=warnings.desk,
                    foreign_warnings=stores.foreign_warnings,
                    warning_answers=warnings.answers,
                    warning_files=warnings.files,
                    warning_receivers=warnings.push,
                    approvers=partial(approvers, stores.people, approves(positions)),
                )
            ),
            *people_endpoints(settings.access, stores, positions, clock, open_items, tasks),
            *notices.endpoints(),
            *doors.endpoints(),
            *incidents.endpoints,
            *warnings.endpoints,
            *Batches(intake).endpoints(),
            *mode.endpoints,
        ]
        measured: list[Measured] = [
            SourceMeasures(stores.receipts),
            StoreMeasures(stores, folder),
            entities,
        ]
        known = known_of(stores, positions)
        site = _site(settings, known, supervisor, endpoints, measured)
        supervisor.add(HttpServer(site.app, sock, settings.server))
        if mode.play is not None:
            doors.need_mqtt()
            play = mode.play
            supervisor.add(Late(mode.name, lambda: play(doors.stage())))
        yield Program(supervisor, site, stores, settings, doors, address_of(sock))


def _site(
    settings: Settings,
    known: Known,
    supervisor: Supervisor,
    endpoints: Sequence[Endpoint],
    measured: Sequence[Measured],
) -> Site:
    def measures() -> list[Measure]:
        parts: list[Measured | Service] = [*measured, *(p.service for p in supervisor.parts)]
        return [m for part in parts if isinstance(part, Measured) for m in part.measures()]

    return Site(settings, known, supervisor, measures, endpoints)


def _live_deps(stores: Stores, clock: Clock) -> LiveDeps:
    return LiveDeps(
        log=stores.reader,
        state=stores.state,
        sources=stores.sources,
        receipts=stores.receipts,
        clock=clock,
        alarms=stores.alarms,
    )


def _api_deps(
    settings: Settings,
    stores: Stores,
    province: Province,
    live: LiveHub,
    clock: Clock,
    mode: str,
) -> ApiDeps:
    return ApiDeps(
        state=stores.state,
        history=stores.history,
        sources=stores.sources,
        owners=stores.writer,
        receipts=stores.receipts,
        areas=stores.areas,
        live=live,
        clock=clock,
        version=__version__,
        mode=mode,
        layers=province.layers,
        pulls=stores.pull_runs,
        pull_sources={
            name: connector.source or name
            for name, connector in settings.pull.connectors.items()
            if connector.is_enabled
        },
        rules=stores.rules,
        rule_facts=StateFacts(stores.state, stores.areas, clock),
        rule_vocabulary=vocabulary_of(province.layers, province.specs),
        settings=settings.api,
    )

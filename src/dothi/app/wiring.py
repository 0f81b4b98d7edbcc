"""The only place that knows concrete adapters: builds every part and says in which order."""

import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from dothi import __version__
from dothi.access.endpoint import Endpoint
from dothi.api import routes as api
from dothi.api.deps import ApiDeps
from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.http.server import HttpServer, address_of
from dothi.app.http.site import Site
from dothi.app.no_lake import NoLake
from dothi.app.offline import login_url
from dothi.app.province import Province, read_province
from dothi.app.source_measures import SourceMeasures
from dothi.app.started import Started
from dothi.app.stores import Stores, open_stores
from dothi.app.supervisor import Supervisor
from dothi.console.endpoints import console_endpoints
from dothi.intake.files import door as files_door
from dothi.intake.http import door as http_door
from dothi.live.feed import LiveDeps
from dothi.live.hub import LiveHub
from dothi.model.measure import Measure
from dothi.pipeline.intake import Intake
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.history import History
from dothi.ports.ingest import Ingest
from dothi.ports.measured import Measured
from dothi.ports.service import Service


@dataclass(frozen=True)
class Program:
    """Everything that runs."""

    supervisor: Supervisor
    site: Site
    stores: Stores
    settings: Settings
    url: str

    def describe(self) -> Started:
        """What to tell the person at the terminal; makes a link when nobody is signed in."""
        base = self.settings.server.public_url.rstrip("/") or self.url
        access = self.settings.access
        if access.mode == "open" or self.stores.sessions.count_live():
            return Started(base, None, {})
        token = self.stores.sessions.make_link(access.link_lifetime_s)
        return Started(base, login_url(base, token), {})


@dataclass(frozen=True)
class _Ground:
    """What every part may stand on."""

    settings: Settings
    folder: DataFolder
    stores: Stores
    province: Province
    clock: Clock
    ingest: Ingest
    live: LiveHub
    history: History
    with_example: bool


@asynccontextmanager
async def build(
    settings: Settings, folder: DataFolder, sock: socket.socket, with_example: bool
) -> AsyncIterator[Program]:
    """Open the stores and put the parts together; nothing runs yet."""
    clock = SystemClock()
    province = read_province(settings.province, settings.console, with_example)
    with open_stores(folder, clock) as stores:
        intake = Intake(stores.writer, province.specs, settings.pipeline)
        live = LiveHub(
            LiveDeps(stores.reader, stores.state, stores.sources, stores.receipts, clock),
            settings.live,
        )
        ground = _Ground(
            settings, folder, stores, province, clock, intake, live, NoLake(), with_example
        )
        services: list[Service] = [intake, live, *_doors(ground)]
        supervisor = Supervisor(services, clock, settings.server.graceful_stop_s + 5)
        measured: list[Measured] = [SourceMeasures(stores.receipts)]
        site = Site(
            settings,
            stores.sessions,
            stores.sources,
            supervisor,
            lambda: _gather(measured, services),
            _endpoints(ground),
        )
        supervisor.add(HttpServer(site.app, sock, settings.server))
        yield Program(supervisor, site, stores, settings, address_of(sock))


def _doors(ground: _Ground) -> Iterator[Service]:
    """What takes data in beside HTTP; a door that is not configured is left out."""
    stores, settings = ground.stores, ground.settings
    if settings.files.folder:
        ports = files_door.Ports(ground.ingest, stores.files_seen, stores.sources, ground.clock)
        yield files_door.FilesDoor(settings.files, ports)


def _endpoints(ground: _Ground) -> list[Endpoint]:
    stores, settings = ground.stores, ground.settings
    api_deps = ApiDeps(
        state=stores.state,
        history=ground.history,
        sources=stores.sources,
        receipts=stores.receipts,
        areas=stores.areas,
        live=ground.live,
        clock=ground.clock,
        version=__version__,
        is_example=ground.with_example,
        layers=ground.province.layers,
        settings=settings.api,
    )
    bulk_deps = http_door.HttpIntakeDeps(ground.ingest, ground.clock, settings.intake_http)
    return [
        *console_endpoints(ground.province.console),
        *api.endpoints(api_deps),
        *http_door.endpoints(bulk_deps),
    ]


def _gather(measured: Sequence[Measured], services: Sequence[Service]) -> list[Measure]:
    parts = [*measured, *(part for part in services if isinstance(part, Measured))]
    return [measure for part in parts for measure in part.measures()]

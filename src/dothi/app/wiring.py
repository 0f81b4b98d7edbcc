"""The only place that knows concrete adapters: builds every part and says in which order."""

import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from dothi.access.endpoint import Endpoint
from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.http.server import HttpServer, address_of
from dothi.app.http.site import Site
from dothi.app.offline import login_url
from dothi.app.source_measures import SourceMeasures
from dothi.app.started import Started
from dothi.app.stores import Stores, open_stores
from dothi.app.supervisor import Supervisor
from dothi.console.endpoints import console_endpoints
from dothi.intake.files import door as files_door
from dothi.intake.http import door as http_door
from dothi.model.measure import Measure
from dothi.pipeline.intake import Intake
from dothi.ports.clock import Clock, SystemClock
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


@asynccontextmanager
async def build(
    settings: Settings, folder: DataFolder, sock: socket.socket, with_example: bool
) -> AsyncIterator[Program]:
    """Open the stores and put the parts together; nothing runs yet."""
    clock = SystemClock()
    with open_stores(folder, clock) as stores:
        intake = Intake(stores.writer, {}, settings.pipeline)
        services: list[Service] = [intake, *_doors(settings, stores, intake, clock)]
        supervisor = Supervisor(services, clock, settings.server.graceful_stop_s + 5)
        measured: list[Measured] = [SourceMeasures(stores.receipts)]
        site = Site(
            settings,
            stores.sessions,
            stores.sources,
            supervisor,
            lambda: _gather(measured, services),
            _endpoints(settings, intake, clock),
        )
        supervisor.add(HttpServer(site.app, sock, settings.server))
        yield Program(supervisor, site, stores, settings, address_of(sock))


def _doors(settings: Settings, stores: Stores, ingest: Ingest, clock: Clock) -> Iterator[Service]:
    """What takes data in beside HTTP; a door that is not configured is left out."""
    if settings.files.folder:
        ports = files_door.Ports(ingest, stores.files_seen, stores.sources, clock)
        yield files_door.FilesDoor(settings.files, ports)


def _endpoints(settings: Settings, ingest: Ingest, clock: Clock) -> list[Endpoint]:
    return [
        *console_endpoints(settings.console),
        *http_door.endpoints(http_door.HttpIntakeDeps(ingest, clock, settings.intake_http)),
    ]


def _gather(measured: Sequence[Measured], services: Sequence[Service]) -> list[Measure]:
    parts = [*measured, *(part for part in services if isinstance(part, Measured))]
    return [measure for part in parts for measure in part.measures()]

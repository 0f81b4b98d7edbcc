"""Where an import goes: into the data directory, or to the server that holds it."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from msgspec import Struct

from dothi.app.command_ingest import through_server
from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.province import read_province
from dothi.app.stores import open_registers, open_stores
from dothi.app.supervisor import Supervisor
from dothi.model.attribute_spec import AttributeSpec
from dothi.model.source import Source
from dothi.pipeline.intake import Intake
from dothi.ports.clock import SystemClock
from dothi.ports.ingest import Ingest

_STOP_TIMEOUT_S = 60.0


class Target(Struct, frozen=True):
    """Where batches go."""

    ingest: Ingest
    server: str
    """Address of the running server; empty: this process writes."""


def attribute_specs(settings: Settings) -> Mapping[str, AttributeSpec]:
    """Units and limits as the server would apply them, for a dry run."""
    return read_province(settings.province, settings.console).specs


@asynccontextmanager
async def open_target(
    settings: Settings, folder: DataFolder, source: Source
) -> AsyncIterator[Target]:
    """Register the source and open the way in.

    Raises Problem: the directory cannot be used.
    """
    running = folder.server()
    if running is not None:
        with open_registers(folder, SystemClock()) as registers:
            if registers.sources.get(source.id) is None:
                registers.sources.put(source)
        async with through_server(folder, running) as ingest:
            yield Target(ingest, running.url)
        return
    async with _here(settings, folder, source) as ingest:
        yield Target(ingest, "")


@asynccontextmanager
async def _here(settings: Settings, folder: DataFolder, source: Source) -> AsyncIterator[Ingest]:
    folder.create()
    folder.lock(f"import-{secrets.token_hex(4)}", datetime.now(UTC).isoformat())
    clock = SystemClock()
    try:
        with open_stores(folder, clock, settings.lake) as stores:
            if stores.sources.get(source.id) is None:
                stores.sources.put(source)
            intake = Intake(stores.writer, attribute_specs(settings), settings.pipeline)
            # A long import is sealed as it goes, so that the hot log stays small.
            lake = stores.lake.services(stores.seal_source, stores.cursors, clock)
            supervisor = Supervisor([intake, *lake], clock, _STOP_TIMEOUT_S)
            await supervisor.start()
            try:
                yield intake
            finally:
                await supervisor.stop()
    finally:
        folder.unlock()

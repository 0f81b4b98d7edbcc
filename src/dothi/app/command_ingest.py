"""The way in for commands: the running server when there is one, else this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder, Running
from dothi.app.province import read_province
from dothi.app.remote_ingest import RemoteIngest
from dothi.app.stores import open_registers, open_stores
from dothi.pipeline.intake import Intake
from dothi.ports.clock import SystemClock
from dothi.ports.ingest import Ingest

_SESSION_LIFETIME_S = 86_400.0


@asynccontextmanager
async def open_ingest(settings: Settings, folder: DataFolder) -> AsyncIterator[Ingest]:
    """Exactly one process writes the log of a data directory, so a command joins it.

    Raises Problem: the directory cannot be used.
    """
    running = folder.server()
    if running is not None:
        async with through_server(folder, running) as ingest:
            yield ingest
    else:
        async with _in_this_process(settings, folder) as ingest:
            yield ingest


@asynccontextmanager
async def through_server(folder: DataFolder, running: Running) -> AsyncIterator[Ingest]:
    """As the administrator: whoever may open the data directory is that."""
    with open_registers(folder, SystemClock()) as registers:
        sessions = registers.sessions
        token = await asyncio.to_thread(sessions.open, _SESSION_LIFETIME_S)
        try:
            async with RemoteIngest(running.url, token) as ingest:
                yield ingest
        finally:
            await asyncio.to_thread(sessions.end, token)


@asynccontextmanager
async def _in_this_process(settings: Settings, folder: DataFolder) -> AsyncIterator[Ingest]:
    folder.create()
    folder.lock("(a command)", datetime.now(UTC).isoformat())
    try:
        province = read_province(settings.province, settings.console)
        with open_stores(folder, SystemClock(), settings.lake) as stores:
            intake = Intake(stores.writer, province.specs, settings.pipeline)
            await intake.start()
            try:
                yield intake
            finally:
                await intake.stop()
    finally:
        folder.unlock()

"""The whole program over a data directory of its own, put together and not started."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from databases import lay_database
from dothi.app.config.load import load
from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.http.server import bind
from dothi.app.mode import NORMAL
from dothi.app.wiring import Program, build
from dothi.model.audit import AuditEntry
from dothi.model.person import Person
from dothi.ports.audit import AuditQuestion

HOST = "http://127.0.0.1:8400"


@dataclass
class At:
    program: Program

    @asynccontextmanager
    async def as_(self, who: str) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.program.site.app)
        headers = {"origin": HOST}
        async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers) as client:
            link = self.program.stores.sessions.make_link(60, who)
            assert (await client.post("/login", data={"token": link})).status_code == 303
            yield client

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """For requests that store values: the log has a writer of its own."""
        await self.program.supervisor.start()
        yield
        await self.program.supervisor.stop()

    def told(self, after: int = 0) -> list[AuditEntry]:
        """Oldest first."""
        found = self.program.stores.audit.find(AuditQuestion(500))
        return [entry for entry in reversed(found) if entry.seq > after]

    @property
    def last(self) -> int:
        return len(self.told())


@asynccontextmanager
async def _put_together(path: Path, **more: str) -> AsyncIterator[At]:
    folder = DataFolder(path / "data")
    folder.create()
    lay_database(folder.database)
    given = {"DOTHI_SERVER__PORT": "0", "DOTHI_MQTT__MODE": "off", **more}
    settings = load(Settings, None, given).settings
    sock = bind(settings.server)
    async with build(settings, folder, sock, NORMAL) as program:
        program.stores.people.add(Person("an", "An (test)", ("it", "duty_officer")), "cli")
        program.stores.people.add(Person("chi", "Chi (test)", ("approver",)), "cli")
        yield At(program)
    sock.close()


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[At]:
    async with _put_together(tmp_path) as program:
        yield program


@pytest.fixture
async def at_open(tmp_path: Path) -> AsyncIterator[At]:
    """Where nobody need sign in."""
    async with _put_together(tmp_path, DOTHI_ACCESS__MODE="open") as program:
        yield program

"""The site with people in it, as tests of their routes need it: each person signs in alone."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from databases import lay_database
from dothi.api import person
from dothi.api.deps import ApiDeps
from dothi.app.config.load import load
from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.http.site import Site
from dothi.app.people import known_of, known_positions, people_endpoints
from dothi.app.stores import Registers, open_registers
from dothi.app.supervisor import Supervisor
from dothi.model.handover import OpenItem
from dothi.model.person import Person
from dothi.ports.clock import Clock, SystemClock

HOST = "http://127.0.0.1:8400"
AN = Person("an", "An (test)", ("operator",), "vi", {"sms": "+84000000001"})
BINH = Person("binh", "Bình (test)", ("operator", "duty_officer"))
CHI = Person("chi", "Chi (test)", ("it",))


@dataclass
class Open:
    """`OpenItems` that a test fills."""

    items: list[OpenItem]

    def open_items(self) -> Sequence[OpenItem]:
        return self.items


@dataclass
class Centre:
    site: Site
    registers: Registers
    open: Open

    @asynccontextmanager
    async def as_(self, who: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client that is signed in by a link."""
        transport = httpx.ASGITransport(self.site.app)
        headers = {"origin": HOST}
        async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers) as client:
            link = self.registers.sessions.make_link(60, who)
            assert (await client.post("/login", data={"token": link})).status_code == 303
            yield client


@asynccontextmanager
async def centre(path: Path, clock: Clock | None = None) -> AsyncIterator[Centre]:
    """An, Bình and Chi; An and Bình are operators."""
    folder = DataFolder(path)
    folder.create()
    lay_database(folder.database)
    clock, settings = clock or SystemClock(), load(Settings, None, {}).settings
    positions = known_positions(settings.access)
    with open_registers(folder, clock) as registers:
        for one in (AN, BINH, CHI):
            registers.people.add(one, "administrator")
        known = known_of(registers, positions)
        open_items = Open([])
        endpoints = [
            *people_endpoints(settings.access, registers, positions, clock, [open_items]),
            person.endpoints(ApiDeps(*[None] * 7, clock, "1"))[0],  # type: ignore[arg-type]
        ]
        site = Site(settings, known, Supervisor([], clock, 1), list, endpoints)
        yield Centre(site, registers, open_items)

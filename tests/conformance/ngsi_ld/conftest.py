"""Running doors and other context sources."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from tests.conformance.ngsi_ld.broker import Running, running
from tests.conformance.ngsi_ld.peers import OPEN, Recorder, recorder
from tests.conformance.ngsi_ld.subscriber import Subscribed, subscribed


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What stands for a whole module runs in one event loop."""
    for item in items:
        if {"standing_door", "standing_desk"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@asynccontextmanager
async def _patient(folder: Path) -> AsyncIterator[Running]:
    """One request may make several brokers do their first work."""
    async with running(folder, OPEN) as found:
        found.http.timeout = httpx.Timeout(30)
        yield found


@pytest_asyncio.fixture
async def door(tmp_path: Path) -> AsyncIterator[Running]:
    async with _patient(tmp_path) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing_door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """One for all tests of a module that leave nothing behind."""
    async with _patient(tmp_path_factory.mktemp("standing")) as found:
        yield found


@pytest_asyncio.fixture
async def doors(tmp_path: Path) -> AsyncIterator[tuple[Running, Running, Running]]:
    """Three brokers that know nothing of each other."""
    async with AsyncExitStack() as stack:
        found = []
        for name in ("a", "b", "c"):
            folder = tmp_path / name
            folder.mkdir()
            found.append(await stack.enter_async_context(_patient(folder)))
        yield found[0], found[1], found[2]


@pytest_asyncio.fixture
async def source() -> AsyncIterator[Recorder]:
    async with recorder() as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing_desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Subscribed]:
    """See standing_door."""
    async with subscribed(tmp_path_factory.mktemp("standing")) as found:
        yield found


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Subscribed]:
    """A door with subscriptions, and a receiver of notifications."""
    async with subscribed(tmp_path) as found:
        yield found

"""Running doors and other context sources."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.conformance.ngsi_ld.broker import Running, running
from tests.conformance.ngsi_ld.peers import OPEN, Recorder, recorder
from tests.conformance.ngsi_ld.subscriber import Subscribed, subscribed


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, OPEN) as found:
        yield found


@pytest.fixture
async def doors(tmp_path: Path) -> AsyncIterator[tuple[Running, Running, Running]]:
    """Three brokers that know nothing of each other."""
    async with AsyncExitStack() as stack:
        found = []
        for name in ("a", "b", "c"):
            folder = tmp_path / name
            folder.mkdir()
            found.append(await stack.enter_async_context(running(folder, OPEN)))
        yield found[0], found[1], found[2]


@pytest.fixture
async def source() -> AsyncIterator[Recorder]:
    async with recorder() as found:
        yield found


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Subscribed]:
    """A door with subscriptions, and a receiver of notifications."""
    async with subscribed(tmp_path) as found:
        yield found

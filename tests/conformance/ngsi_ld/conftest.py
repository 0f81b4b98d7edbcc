"""One running door per test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conformance.ngsi_ld.broker import Running, running
from tests.conformance.ngsi_ld.subscriber import Subscribed, subscribed


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as found:
        yield found


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Subscribed]:
    """A door with subscriptions, and a receiver of notifications."""
    async with subscribed(tmp_path) as found:
        yield found

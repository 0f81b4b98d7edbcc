"""One running door per test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conformance.ngsi_ld.broker import Running, running


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as found:
        yield found

"""A service to pull from, and recorded answers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from answering import Service, answering

DATA = Path(__file__).parents[3] / "data" / "pull"


@pytest.fixture
def service() -> Iterator[Service]:
    with answering() as known:
        yield known


@pytest.fixture
def sample() -> Callable[[str], bytes]:
    return lambda name: (DATA / name).read_bytes()

"""The parts of dothi that the example stands on, on a real store."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from databases import lay_database
from dothi.app.attribute_files import read_attribute_specs
from dothi.app.example.files import find_data_folder
from dothi.app.example.publisher import Broker
from dothi.app.example.service import ExampleNeeds, ExampleService
from dothi.app.example.settings import ExampleSettings
from dothi.pipeline.intake import Intake
from dothi.storage.relational.areas import RelationalAreas
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.hot_index import HotIndex
from dothi.storage.relational.hot_log import SqliteLogWriter
from dothi.storage.relational.receipts import RelationalReceipts
from dothi.storage.relational.sources import RelationalSources
from dothi.storage.relational.state import SqliteState

NOBODY = Broker("127.0.0.1", 9)
"""A port where nothing listens: the example must live with a broker that is not there."""


class Stage:
    """The parts of dothi that the example stands on."""

    def __init__(self, folder: Path) -> None:
        path = lay_database(folder / "dothi.db")
        self.engine = open_sqlite(path)
        self.writer = SqliteLogWriter(path, HotIndex())
        specs = read_attribute_specs(find_data_folder() / "attributes.toml")
        self.intake = Intake(self.writer, specs)
        self.sources = RelationalSources(self.engine)
        self.areas = RelationalAreas(self.engine)
        self.receipts = RelationalReceipts(self.engine)
        self.state = SqliteState(path)
        self._folder = folder
        self.example = self.make_example(NOBODY, history_days=2)

    def make_example(self, broker: Broker, history_days: float) -> ExampleService:
        needs = ExampleNeeds(self.sources, self.areas, self.intake)
        settings = ExampleSettings(history_days=history_days)
        return ExampleService(needs, broker, self._folder, settings)


@asynccontextmanager
async def _staged(folder: Path) -> AsyncIterator[Stage]:
    stage = Stage(folder)
    await stage.intake.start()
    try:
        yield stage
    finally:
        await stage.example.stop()
        await stage.intake.stop()
        stage.state.close()
        stage.writer.close()
        stage.engine.dispose()


@pytest.fixture
def staged() -> Callable[[Path], AbstractAsyncContextManager[Stage]]:
    """Opens the stage on a folder; more than once for a restart."""
    return _staged

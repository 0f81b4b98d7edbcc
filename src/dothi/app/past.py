"""The history of a data folder for commands, also beside a running server."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from msgspec import Struct

from dothi.app.data_folder import DataFolder
from dothi.storage.lake.history import LakeHistory
from dothi.storage.lake.open import open_lake
from dothi.storage.lake.settings import LakeSettings
from dothi.storage.relational.hot_index import HotIndex
from dothi.storage.relational.log_reader import SqliteLogReader
from dothi.storage.relational.state import SqliteState


class Past(Struct, frozen=True):
    """What was, and how things stand."""

    history: LakeHistory
    state: SqliteState


@contextmanager
def opened_past(folder: DataFolder, settings: LakeSettings) -> Iterator[Past]:
    """Reads only."""
    with ExitStack() as stack:
        lake = open_lake(folder.lake, settings)
        stack.callback(lake.close)
        reader = SqliteLogReader(folder.database, HotIndex())
        stack.callback(reader.close)
        reader.load_index()
        state = SqliteState(folder.database)
        stack.callback(state.close)
        yield Past(lake.history(reader), state)

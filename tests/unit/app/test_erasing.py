"""What is forgotten leaves log and lake: the files themselves are read."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.rows import PHU_AN, batch

from databases import lay_database
from dothi.app.data_folder import DataFolder
from dothi.app.stores import Stores, open_stores
from dothi.model.row import Change
from dothi.model.series import RawQuery, SeriesKey
from dothi.pipeline.admit import admit
from dothi.ports.clock import SystemClock
from dothi.storage.lake.settings import LakeSettings
from log_in_memory import Crash

T0 = datetime(2026, 3, 1, tzinfo=UTC)
LAKE = LakeSettings(hot_window_s=-60, vacuum_retention_h=0)
LEVEL = SeriesKey(PHU_AN, "level")


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    lay_database(DataFolder(tmp_path).database)
    return DataFolder(tmp_path)


@pytest.fixture
def stores(folder: DataFolder) -> Iterator[Stores]:
    with open_stores(folder, SystemClock(), LAKE) as opened:
        yield opened


def commit(stores: Stores, **columns: Any) -> None:
    stores.writer.commit(admit([batch(**columns)], {}))


def measure(stores: Stores, numbers: dict[int, float], **more: Any) -> None:
    at = [T0 + timedelta(hours=hour) for hour in numbers]
    commit(stores, number=list(numbers.values()), observed_at=at, **more)


def seal(stores: Stores) -> None:
    stores.lake.sealer(stores.seal_source, stores.cursors, SystemClock()).seal()


def erase(stores: Stores) -> int:
    return stores.lake.upkeep(SystemClock(), stores.seal_source).erase()


def on_disk(stores: Stores, folder: DataFolder) -> list[float]:
    """Numbers of all data files that lie in the folder, after old versions are gone."""
    stores.lake.table.vacuum(0)
    files = (folder.lake / "observations").rglob("*.parquet")
    return sorted(n for f in files for n in pq.read_table(f)["number"].to_pylist() if n is not None)


def in_log(stores: Stores) -> list[float]:
    return sorted(
        n for n in stores.reader.hot(None, None, None)[0]["number"].to_pylist() if n is not None
    )


def told(stores: Stores, series: SeriesKey = LEVEL) -> list[float]:
    numbers: list[float] = stores.history.raw(RawQuery((series,)))["number"].to_pylist()
    return numbers


def test_a_forgotten_series_leaves_the_files(stores: Stores, folder: DataFolder) -> None:
    measure(stores, {0: 1.0, 1: 2.0, 30: 3.0})
    measure(stores, {0: 7.0, 1: 8.0}, attribute="flow")
    measure(stores, {0: 9.0}, entity="urn:ngsi-ld:Gauge:other")
    seal(stores)
    measure(stores, {3: 6.0})
    commit(stores, change=Change.FORGET, observed_at=[None])
    measure(stores, {1: 4.0, 2: 5.0})
    # Until its last row is sealed, nothing is taken out.
    assert (erase(stores), stores.seal_source.left()) == (0, 1)
    assert told(stores) == [4.0, 5.0]
    seal(stores)
    assert in_log(stores) == []
    assert on_disk(stores, folder) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    assert erase(stores) == 4
    assert on_disk(stores, folder) == [4.0, 5.0, 7.0, 8.0, 9.0]
    assert told(stores) == [4.0, 5.0]
    assert (erase(stores), stores.seal_source.left()) == (0, 0)


def test_one_forgotten_instance_leaves_its_neighbours(stores: Stores, folder: DataFolder) -> None:
    measure(stores, {0: 1.0, 1: 2.0, 2: 3.0})
    measure(stores, {1: 2.5})
    commit(stores, number=[6.0], observed_at=[None])
    at = T0 + timedelta(hours=1)
    commit(stores, change=Change.FORGET, observed_at=[at], body=[json.dumps({})])
    seal(stores)
    assert erase(stores) == 2
    assert on_disk(stores, folder) == [1.0, 3.0, 6.0]
    assert told(stores) == [1.0, 3.0, 6.0]
    measure(stores, {1: 2.5})
    assert told(stores) == [1.0, 2.5, 3.0, 6.0]


def test_a_forgotten_entity_leaves_folded_files(stores: Stores, folder: DataFolder) -> None:
    measure(stores, {0: 1.0, 30: 2.0})
    measure(stores, {0: 9.0}, entity="urn:ngsi-ld:Gauge:other")
    seal(stores)
    stores.lake.upkeep(SystemClock()).fold()
    commit(stores, change=Change.FORGET_ENTITY, attribute="", observed_at=[None])
    seal(stores)
    assert erase(stores) == 2
    assert on_disk(stores, folder) == [9.0]
    upkeep = stores.lake.upkeep(SystemClock(), stores.seal_source)
    assert [m.samples for m in upkeep.measures()] == [(({}, 0),)]
    assert stores.seal_source.left() == 0
    # The record that the evolution was forgotten stays.
    assert not any(head.is_recorded and head.series for head in stores.evolutions.load([PHU_AN]))


@pytest.mark.parametrize("step", ["replace", "settle"])
def test_a_crash_on_the_way_is_mended(
    folder: DataFolder, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_stores(folder, SystemClock(), LAKE) as stores:
        measure(stores, {0: 1.0, 30: 2.0})
        commit(stores, change=Change.FORGET, observed_at=[None])
        measure(stores, {0: 3.0})
        seal(stores)

        def crash(*_: object) -> None:
            raise Crash

        target = stores.lake.table if step == "replace" else stores.seal_source
        with monkeypatch.context() as patched:
            patched.setattr(target, step, crash)
            with pytest.raises(Crash):
                erase(stores)
        assert told(stores) == [3.0]
    with open_stores(folder, SystemClock(), LAKE) as stores:
        assert stores.seal_source.left() == 1
        assert erase(stores) == (2 if step == "replace" else 0)
        assert stores.seal_source.left() == 0
        assert on_disk(stores, folder) == [3.0]
        assert told(stores) == [3.0]

"""Aggregates of the few columns that are read for them are those of whole rows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rows import batch

from databases import lay_database
from dothi.app.data_folder import DataFolder
from dothi.app.stores import Stores, open_stores
from dothi.facades.ngsi_ld.operations.aggregate import (
    FOLDED_COLUMNS,
    METHODS,
    Aggregation,
    aggregate_rows,
)
from dothi.facades.ngsi_ld.operations.periods import Duration
from dothi.facades.ngsi_ld.operations.times import TimeProperty, TimeQuery
from dothi.model.row import Change
from dothi.model.series import RawQuery, SeriesKey
from dothi.pipeline.admit import admit
from dothi.ports.clock import SystemClock
from dothi.storage.lake.settings import LakeSettings
from thorough import examples

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HANOI = timezone(timedelta(hours=7))
DURATIONS = (Duration(), Duration(us=600_000_000), Duration(us=1_800_000_000), Duration(months=1))
_ENTITIES = count()

ROWS = st.lists(
    st.tuples(
        st.sampled_from([0, 599, 600, 601, 1200, 1800, 3600, 40 * 86_400]),
        st.sampled_from([-1.5, 0.0, 0.1, 7.0, 1e300]),
        st.sampled_from([1, 1, 1, 1, 3, 5]),
        st.sampled_from([None] * 8 + ['{"value":[1,2]}']),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    folder: Path = tmp_path_factory.mktemp("data")
    lay_database(DataFolder(folder).database)
    lake = LakeSettings(hot_window_s=-60)
    with open_stores(DataFolder(folder), SystemClock(), lake) as opened:
        yield opened


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(ROWS, min_size=1, max_size=3),
    forgets=st.booleans(),
    seals=st.booleans(),
    span=st.tuples(*[st.sampled_from([None, 0, 600, 1800, 3600])] * 2),
    duration=st.sampled_from(DURATIONS),
    by=st.sampled_from([TimeProperty.OBSERVED, TimeProperty.MODIFIED]),
)
def test_the_few_columns_give_the_same_aggregates(
    stores: Stores,
    told: list[list[tuple]],
    forgets: bool,
    seals: bool,
    span: tuple[int | None, int | None],
    duration: Duration,
    by: TimeProperty,
) -> None:
    """Corrections, forgotten rows, flags, bodies, times at the edges of periods, sealed or not."""
    entity = f"urn:ngsi-ld:Gauge:{next(_ENTITIES)}"
    for n, rows in enumerate(told):
        for second, number, quality, body in rows:
            one = {"number": [number], "quality": quality, "body": [body], "entity": entity}
            at = (T0 + timedelta(seconds=second)).astimezone(HANOI)
            stores.writer.commit(admit([batch(**one, observed_at=[at])], {}))
        if n == 0 and forgets:
            gone = batch(entity=entity, change=Change.FORGET, observed_at=[None])
            stores.writer.commit(admit([gone], {}))
        if n == 0 and seals:
            stores.lake.sealer(stores.seal_source, stores.cursors, SystemClock()).seal()
    start, end = (None if s is None else T0 + timedelta(seconds=s) for s in span)
    times = TimeQuery(start, end, None, by)
    bounds = (start, end) if by is TimeProperty.OBSERVED else (None, None)
    series = (SeriesKey(entity, "level"),)
    asked = Aggregation(METHODS, duration)
    now = datetime.now(UTC)
    few_columns = (
        FOLDED_COLUMNS if by is TimeProperty.OBSERVED else (*FOLDED_COLUMNS, "committed_at")
    )
    every = stores.history.raw(RawQuery(series, *bounds))
    few = stores.history.raw(RawQuery(series, *bounds, columns=few_columns))
    assert aggregate_rows(few, times, asked, now, ()) == aggregate_rows(
        every, times, asked, now, ()
    )

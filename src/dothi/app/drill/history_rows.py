"""The rows of some hours out of a province's history, also beside its running server."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pyarrow as pa

from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.past import opened_past
from dothi.app.stores import open_registers
from dothi.model.row import ROW_SCHEMA, Change
from dothi.model.series import RawQuery, SeriesKey
from dothi.model.source import Source
from dothi.ports.clock import SystemClock
from dothi.ports.state import EntityQuery
from dothi.storage.relational.state import SqliteState

_PIECE = timedelta(hours=1)
"""Memory holds so much of a day at once."""
_PAGE = 10_000
_NO_LIMIT = 1 << 31


def history_rows(
    settings: Settings, folder: DataFolder, begin_at: datetime, end_at: datetime
) -> tuple[Sequence[Source], Iterator[pa.Table]]:
    """The known sources, and ROW_SCHEMA tables in the order of their times.

    Raises Problem: dothi never ran in the folder.
    """
    folder.require()
    with open_registers(folder, SystemClock()) as registers:
        sources = registers.sources.all()
    return sources, _pieces(settings, folder, begin_at, end_at)


def _pieces(
    settings: Settings, folder: DataFolder, begin_at: datetime, end_at: datetime
) -> Iterator[pa.Table]:
    with opened_past(folder, settings.lake) as past:
        types = _types(past.state)
        series = _series(past.state, list(types))
        start_at = begin_at
        while start_at < end_at:
            stop_at = min(start_at + _PIECE, end_at)
            found = past.history.raw(RawQuery(series, start_at, stop_at, limit=_NO_LIMIT))
            yield _rows(found, types)
            start_at = stop_at


def _types(state: SqliteState) -> dict[str, str]:
    """Entity -> its first type."""
    found: dict[str, str] = {}
    last = ""
    while True:
        page = state.entities(EntityQuery(after_id=last, limit=_PAGE))
        ids, types = page["id"].to_pylist(), page["types"].to_pylist()
        found.update((one, (of or [""])[0]) for one, of in zip(ids, types, strict=True))
        if len(ids) < _PAGE:
            return found
        last = ids[-1]


def _series(state: SqliteState, entities: Sequence[str]) -> tuple[SeriesKey, ...]:
    found: list[SeriesKey] = []
    for first in range(0, len(entities), _PAGE):
        table = state.attributes(entities[first : first + _PAGE])
        columns = (table[name].to_pylist() for name in ("entity", "attribute", "dataset"))
        found += [SeriesKey(*key) for key in zip(*columns, strict=True)]
    return tuple(found)


def _rows(found: pa.Table, types: dict[str, str]) -> pa.Table:
    """As a door would hand them in."""
    found = found.sort_by("observed_at")
    entities = found["entity"].combine_chunks().dictionary_encode()
    kinds = pa.array([types.get(one) or None for one in entities.dictionary.to_pylist()])
    given = {
        "entity_type": kinds.cast(pa.string()).take(entities.indices),
        "change": pa.repeat(pa.scalar(int(Change.UPSERT), pa.uint8()), found.num_rows),
    }
    return pa.table(
        [given.get(field.name, found[field.name] if field.name in found.column_names else None)
         for field in ROW_SCHEMA],
        schema=ROW_SCHEMA,
    )  # fmt: skip

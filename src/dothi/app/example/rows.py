"""Rows of the example for the bulk path: what the stations are, and their history."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
from msgspec import Struct

from dothi.app.example.registry import Feed, Registry, Station
from dothi.app.example.signal import Sampled, Signal, Times
from dothi.app.example.ticks import ticks_between
from dothi.model.row import EMPTY_ROWS, TIMESTAMP, Kind, rows_table

HOUR_US = 3_600_000_000
LAST_PART_US = 300_000_000


class Part(Struct, frozen=True):
    """A stretch of history that is handed in as one Batch."""

    end_us: int
    rows: pa.Table


def station_rows(registry: Registry) -> pa.Table:
    """Name, place and, where the place is only approximate, a note, of every station."""
    tables = [_text_rows(registry.stations, "name", [s.name for s in registry.stations])]
    points = [
        json.dumps({"type": "Point", "coordinates": [s.lon, s.lat]}) for s in registry.stations
    ]
    place = _named(registry.stations, "location")
    tables.append(rows_table({**place, "body": points, "kind": int(Kind.GEO_PROPERTY)}))
    noted = tuple(s for s in registry.stations if s.place_note)
    tables.append(_text_rows(noted, "placeNote", [s.place_note for s in noted]))
    return pa.concat_tables(tables)


def history_edges(start_us: int, end_us: int) -> list[int]:
    """Where parts of history begin and end: every hour, in the last hour every five minutes.

    So a Batch is never much older than its newest row.
    """
    fine_from = max(start_us, end_us - HOUR_US)
    edges = [*range(start_us, fine_from, HOUR_US), *range(fine_from, end_us, LAST_PART_US)]
    return [*edges, end_us] if edges else []


def history_parts(
    registry: Registry, signals: Mapping[str, Signal], edges: Sequence[int]
) -> list[Part]:
    """Everything the stations would have sent between the first and the last edge, in parts."""
    span = (edges[0], edges[-1])
    tables = [
        _station_history(station, registry.feed_of(station), signals[station.source], span)
        for station in registry.stations
    ]
    rows = pa.concat_tables(tables).sort_by("observed_at")
    observed = rows["observed_at"].cast(pa.int64()).to_numpy()
    cuts = np.searchsorted(observed, edges)
    return [
        Part(end_us, rows.slice(first, last - first))
        for end_us, (first, last) in zip(edges[1:], pairwise(cuts), strict=True)
        if last > first
    ]


def _station_history(
    station: Station, feed: Feed, signal: Signal, span: tuple[int, int]
) -> pa.Table:
    at_us = ticks_between(station.source, feed.history_step_s, *span)
    if len(at_us) == 0:
        return EMPTY_ROWS
    sampled = signal.sample(at_us)
    return pa.concat_tables(
        _value_rows(station, name, feed.units[name], at_us, values)
        for name, values in sampled.items()
    )


def _value_rows(
    station: Station, attribute: str, unit: str, at_us: Times, values: Sampled
) -> pa.Table:
    said = np.isfinite(values.number)
    if not said.any():
        return EMPTY_ROWS
    return rows_table(
        {
            "source": station.source,
            "entity": station.entity,
            "entity_type": station.type,
            "attribute": attribute,
            "unit": unit,
            "observed_at": pa.array(at_us[said]).cast(TIMESTAMP),
            "number": values.number[said],
            "quality": values.quality[said],
        }
    )


def _text_rows(stations: tuple[Station, ...], attribute: str, texts: list[str]) -> pa.Table:
    if not stations:
        return EMPTY_ROWS
    return rows_table({**_named(stations, attribute), "text": texts})


def _named(stations: tuple[Station, ...], attribute: str) -> dict[str, object]:
    return {
        "source": [s.source for s in stations],
        "entity": [s.entity for s in stations],
        "entity_type": [s.type for s in stations],
        "attribute": attribute,
    }

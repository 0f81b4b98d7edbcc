"""Name and place of configured stations, as attributes of their entities."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec

from dothi.intake.files.station import Station
from dothi.model.batch import Batch
from dothi.model.row import Kind, rows_table

_COLUMNS = ("source", "entity", "entity_type", "attribute", "text", "body", "kind")
_Fact = tuple[str, str | None, str | None, int]


def description(stations: Sequence[Station], at: datetime) -> Batch | None:
    """A Batch of the stations' names and places; None: nothing is configured.

    Its id follows from its content, so that only a changed description is stored again.
    """
    rows = [
        (station.source, station.entity, station.type, *fact)
        for station in stations
        for fact in _facts(station)
    ]
    if not rows:
        return None
    digest = hashlib.sha256(msgspec.json.encode(rows)).hexdigest()[:40]
    columns = dict(zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    return Batch(f"files:stations:{digest}", rows_table(dict(columns)), at)


def _facts(station: Station) -> list[_Fact]:
    facts: list[_Fact] = []
    if station.name:
        facts.append(("name", station.name, None, int(Kind.PROPERTY)))
    if station.lon is not None and station.lat is not None:
        point = {"type": "Point", "coordinates": [station.lon, station.lat]}
        body = msgspec.json.encode(point).decode()
        facts.append(("location", None, body, int(Kind.GEO_PROPERTY)))
    return facts

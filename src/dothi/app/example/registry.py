"""Stations and feeds of the example, as its files declare them."""

import csv
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from dothi.model.source import Origin, Source


class Feed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where values come from; one table of feeds.toml."""

    signal: Literal["recorded", "tide", "weather", "rain", "water_quality"]
    units: dict[str, str]
    """Attribute -> UN/CEFACT code."""
    origin: Origin
    origin_note: str
    origin_note_vi: str
    owner: str
    licence: str
    cadence_s: int
    history_step_s: int
    file: str = ""
    """CSV file under series/; recorded signals only."""
    columns: dict[str, str] = {}
    """Attribute -> column of the file."""
    loop_s: float = 0.0
    """After this time the record begins again."""
    start_at: str = ""
    """Where in the record the loop begins (RFC 3339); empty: its first value."""
    max_gap_s: int = 0
    """Values farther apart are not bridged: the station is silent in between."""


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """One line of stations.csv: a station at its real place and what is fed into it."""

    source: str
    type: str
    name: str
    lat: float
    lon: float
    feed: str
    key: str = ""
    """Which series of a file that holds several."""
    shift_h: float = 0.0
    """Hours by which this station runs ahead in the record, so that no two are alike."""
    tide_factor: float = 0.0
    tide_lag_h: float = 0.0
    mean_m: float = 0.0
    sea_share: float = 0.0
    """0 river water, 1 sea water."""
    place_note: str = ""

    @property
    def entity(self) -> str:
        return f"urn:ngsi-ld:{self.type}:{self.source}"


class Registry(Struct, frozen=True):
    """Everything declared."""

    stations: tuple[Station, ...]
    feeds: dict[str, Feed]

    def feed_of(self, station: Station) -> Feed:
        return self.feeds[station.feed]

    def source_of(self, station: Station) -> Source:
        """The source that the station sends as."""
        feed = self.feed_of(station)
        return Source(
            id=station.source,
            name=station.name,
            kind="mqtt",
            owner=feed.owner,
            origin=feed.origin,
            origin_note=feed.origin_note,
            origin_note_vi=feed.origin_note_vi,
            cadence_s=float(feed.cadence_s),
            licence=feed.licence,
        )


def read_registry(folder: Path) -> Registry:
    """Read stations.csv and feeds.toml.

    Raises:
        msgspec.ValidationError: a field that is missing, unknown or of the wrong type.
        ValueError: a station whose feed is not declared, or a source declared twice.
    """
    feeds = msgspec.toml.decode((folder / "feeds.toml").read_bytes(), type=dict[str, Feed])
    with (folder / "stations.csv").open(encoding="utf-8", newline="") as file:
        stations = tuple(_read_station(row) for row in csv.DictReader(file))
    unknown = {s.feed for s in stations} - feeds.keys()
    if unknown:
        raise ValueError(f"stations.csv: feeds not in feeds.toml: {sorted(unknown)}")
    ids = [s.source for s in stations]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise ValueError(f"stations.csv: sources declared twice: {twice}")
    return Registry(stations, feeds)


def _read_station(row: dict[str, Any]) -> Station:
    given = {name: value for name, value in row.items() if value}
    return msgspec.convert(given, Station, strict=False)

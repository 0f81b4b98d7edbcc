"""Settings `[files]`: the watched folder of Circular 10/2021 station files."""

import msgspec


class StationSettings(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`[files.stations.BD_KCNA_NUO001]`: what the default mapping does not know of a station."""

    entity: str = ""
    """URI of the entity; empty: made from `entity_template`."""
    type: str = ""
    """Entity type; empty: found by `type_of_station`."""
    source: str = ""
    """Source id; empty: the station's key."""
    dataset: str = ""
    """URI of the dataset of its values, e.g. `urn:ngsi-ld:Dataset:PT1H` for a logger that sends
    hourly means of a station whose 5-minute values come under another key."""
    name: str = ""
    """What people read; empty: the station's key."""
    lon: float | None = None
    """Degrees east, WGS 84."""
    lat: float | None = None
    """Degrees north, WGS 84."""


class SymbolSettings(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`[files.symbols.DO]`: a parameter that table 34 of the circular does not have."""

    attribute: str
    """Name of the attribute, e.g. `dissolvedOxygen`."""
    units: tuple[str, ...]
    """Units it may come in (any spelling that dothi knows); the first also means "no unit"."""


class FilesSettings(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`[files]`."""

    folder: str = ""
    """Folder that the FTP server writes to; empty: this door is closed."""
    poll_s: float = 5.0
    """Seconds between two looks (polling works on network shares too)."""
    stable_s: float = 5.0
    """A file is read when its size and time have not changed for so long."""
    full_scan_s: float = 3600.0
    """Every look visits the days of the last `recent_days`; so often all days are visited."""
    recent_days: int = 2
    """Folders of so many days, today included, are visited at every look."""
    files_per_batch: int = 200
    """Waiting files that share one transaction."""
    max_file_bytes: int = 1_048_576
    """A station file holds about a kilobyte; a larger file than this is refused unread."""
    utc_offset_h: float = 7.0
    """The circular's times are local time, GMT+7."""
    future_tolerance_s: float = 300.0
    """A line may be so far ahead of this machine's clock."""
    source: str = "circular-10-files"
    """Source that bears files whose name does not tell a station."""
    cadence_s: float = 300.0
    """Expected seconds between files of a station (288 a day); 0: no expectation."""
    entity_template: str = "urn:ngsi-ld:{type}:{station}"
    """URI of a station that is not configured, from {type}, {station} (the whole key), {province},
    {facility} and {site} (its three parts)."""
    default_type: str = "EnvironmentMonitoringStation"
    """Entity type of stations that `type_of_station` does not know."""
    type_of_station: dict[str, str] = msgspec.field(
        default_factory=lambda: {"NUO": "WaterQualityObserved", "KHI": "AirQualityObserved"}
    )
    """First letters of the last part of the key (NUO001) -> entity type."""
    stations: dict[str, StationSettings] = msgspec.field(default_factory=dict)
    """Key of the station (`TenTinh_TenCoSo_TenTram`) -> what is special about it."""
    symbols: dict[str, SymbolSettings] = msgspec.field(default_factory=dict)
    """Symbol in the file -> attribute and units; adds to table 34 or replaces an entry of it."""

"""Who sends."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

IMPORT_KIND = "import"
"""Kind of the sources of `dothi import`. They bring in history and claim no series, so that the
device whose history it is can be connected later."""


class Origin(StrEnum):
    """Where values come from; anything but MEASURED is labelled wherever a value shows."""

    MEASURED = "measured"
    REPLAYED = "replayed"
    SIMULATED = "simulated"


class Source(Struct, frozen=True):
    """A device, gateway, file drop, system or person that sends."""

    id: str
    """Short and stable: letters, digits, `-`, `_`, `.`; used as MQTT user name."""
    name: str
    kind: str
    """mqtt, http, file, pull, ngsi_ld, import, system."""
    owner: str = ""
    origin: Origin = Origin.MEASURED
    origin_note: str = ""
    """Shown beside values, e.g. "replay of Hà Nội PM2.5 2016-2018 (AirNow)"."""
    cadence_s: float | None = None
    """Expected seconds between messages; None: no expectation."""
    licence: str = ""
    created_at: datetime | None = None
    is_enabled: bool = True
    origin_note_vi: str = ""
    """The same in Vietnamese; empty: show `origin_note`."""
    may_write_others: bool = False
    """A gateway that reports for others: it may write series that belong to another source."""

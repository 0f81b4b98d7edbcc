"""File names to stations, and stations to entities and sources."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from msgspec import Struct

from dothi.intake.files.settings import FilesSettings, StationSettings

_KEY = re.compile(r"^[A-Za-z0-9.\-]+(_[A-Za-z0-9.\-]+){2,}$")
_FORM = "TenTinh_TenCoSo_TenTram_yyyyMMddHHmmss.txt, e.g. BD_KCNA_NUO001_20250101103000.txt"


class Unreadable(Exception):
    """A file that no line can be taken from."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Station(Struct, frozen=True):
    """Where the values of a station go."""

    key: str
    entity: str
    type: str
    source: str
    dataset: str = ""
    name: str = ""
    lon: float | None = None
    lat: float | None = None


def split_name(name: str, utc_offset_h: float) -> tuple[str, datetime]:
    """Station key and time of a file name, split from the right.

    The time only orders files: what counts is the time in the lines.

    Raises:
        Unreadable: the name has not the form of the circular.
    """
    key, _, stamp = name.rpartition(".")[0].rpartition("_")
    if not _KEY.match(key):
        raise Unreadable(
            "file_name_invalid",
            f"the name must be {_FORM}; letters, digits, - and . between the underscores",
        )
    if not re.fullmatch(r"[0-9]{14}", stamp):
        raise Unreadable("file_name_invalid", f"no time yyyyMMddHHmmss at the end; form: {_FORM}")
    try:
        local = datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return key, local - timedelta(hours=utc_offset_h)
    except (ValueError, OverflowError) as error:
        raise Unreadable("file_name_invalid", f"{stamp} is no time: {error}") from error


def station_of(key: str, settings: FilesSettings) -> Station:
    """The configured station, completed by the default mapping."""
    given = settings.stations.get(key, StationSettings())
    province, facility, site = key.rsplit("_", 2)
    prefixes = sorted(settings.type_of_station, key=len, reverse=True)
    guess = next((p for p in prefixes if site.upper().startswith(p.upper())), None)
    type_ = given.type or (settings.type_of_station[guess] if guess else settings.default_type)
    entity = given.entity or settings.entity_template.format(
        type=type_,
        station=quote(key, safe="-._~"),
        province=province,
        facility=facility,
        site=site,
    )
    return Station(
        key=key,
        entity=entity,
        type=type_,
        source=given.source or key,
        dataset=given.dataset,
        name=given.name,
        lon=given.lon,
        lat=given.lat,
    )

"""Administrative and functional territories with dates: every report is computable on any map."""

from datetime import date

from msgspec import Struct


class Area(Struct, frozen=True):
    """A territory valid from `valid_from` (inclusive) to `valid_to` (exclusive; None: still)."""

    id: str
    """`<level>:<code>:<valid_from>`, unique over time."""
    level: str
    """country, province, district, ward, or a functional kind such as industrial_park."""
    code: str
    name: str
    name_en: str
    valid_from: date
    valid_to: date | None
    parent: str | None
    """Area id of the unit above, valid on the same dates."""
    geometry: str
    """GeoJSON geometry (WGS 84, longitude first)."""
    population: int | None = None
    area_km2: float | None = None
    source: str = ""
    note: str = ""


class AreaShare(Struct, frozen=True):
    """How much of one area lies in another of another date (old and new units)."""

    area: str
    in_area: str
    share: float
    """Fraction of `area`'s surface, 0..1."""
    basis: str
    """surface, population or decree."""

"""Areas and shares from files: GeoJSON for the territories, CSV for the shares."""

import csv
from datetime import date
from pathlib import Path

import msgspec
import shapely

from dothi.model.area import Area, AreaShare
from dothi.model.problem import Problem

BASES = frozenset({"surface", "population", "decree"})
REMEDY = "the fields are described in docs/reference/areas.md"


class _Properties(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    level: str
    code: str
    name: str
    valid_from: date
    name_en: str = ""
    valid_to: date | None = None
    parent: str | None = None
    population: int | None = None
    area_km2: float | None = None
    source: str = ""
    note: str = ""


class _Feature(msgspec.Struct):
    properties: msgspec.Raw
    geometry: msgspec.Raw


class _Collection(msgspec.Struct, tag_field="type", tag="FeatureCollection"):
    features: list[_Feature]


def area_id(level: str, code: str, valid_from: date) -> str:
    """The id of an area, unique over time."""
    return f"{level}:{code}:{valid_from}"


def read_areas(path: Path) -> list[Area]:
    """The areas of one GeoJSON FeatureCollection.

    Raises:
        Problem: `bad_area_file`; says which file, which feature (by place and code) and what
            is wrong with it. Nothing of a file with an error is given.
    """
    try:
        collection = msgspec.json.decode(path.read_bytes(), type=_Collection)
    except OSError as error:
        raise _problem(path, "", f"cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise _problem(path, "", str(error)) from error
    areas = [_read_feature(path, n, f) for n, f in enumerate(collection.features, 1)]
    _check_unique(path, [a.id for a in areas])
    return areas


def read_shares(path: Path) -> list[AreaShare]:
    """The shares of one CSV file with the columns area, in_area, share, basis.

    Raises:
        Problem: `bad_area_file`; says which file and line, and what is wrong.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"area", "in_area", "share", "basis"} - set(reader.fieldnames or ())
            if missing:
                raise _problem(path, "line 1", f"columns missing: {', '.join(sorted(missing))}")
            return [_read_share(path, reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError) as error:
        raise _problem(path, "", f"cannot be read: {error}") from error


def _read_feature(path: Path, number: int, feature: _Feature) -> Area:
    where = f"feature {number}"
    try:
        found = msgspec.json.decode(feature.properties, type=_Properties)
    except msgspec.ValidationError as error:
        raise _problem(path, where, str(error)) from error
    where = f"feature {number} ({found.level} {found.code} {found.name})"
    if found.valid_to is not None and found.valid_to <= found.valid_from:
        raise _problem(path, where, f"valid_to {found.valid_to} is not after {found.valid_from}")
    return Area(
        id=area_id(found.level, found.code, found.valid_from),
        geometry=_checked_geometry(path, where, bytes(feature.geometry).decode()),
        **msgspec.structs.asdict(found),
    )


def _checked_geometry(path: Path, where: str, text: str) -> str:
    try:
        shape = shapely.from_geojson(text)
    except shapely.errors.GEOSException as error:
        raise _problem(path, where, f"geometry is not GeoJSON: {error}") from error
    if shape is None or shape.geom_type not in {"Polygon", "MultiPolygon"}:
        found = "nothing" if shape is None else shape.geom_type
        raise _problem(path, where, f"geometry must be a Polygon or MultiPolygon, found {found}")
    if shape.is_empty:
        raise _problem(path, where, "geometry is empty")
    west, south, east, north = shape.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise _problem(path, where, "coordinates are not degrees, longitude first (WGS 84)")
    if not shape.is_valid:
        raise _problem(path, where, f"geometry is invalid: {shapely.is_valid_reason(shape)}")
    return text


def _read_share(path: Path, line: int, row: dict[str, str]) -> AreaShare:
    try:
        share = float(row["share"])
    except (TypeError, ValueError) as error:
        raise _problem(path, f"line {line}", f"share is no number: {row['share']!r}") from error
    if not 0 < share <= 1:
        raise _problem(path, f"line {line}", f"share must be in (0, 1], found {share:g}")
    if row["basis"] not in BASES:
        known = ", ".join(sorted(BASES))
        raise _problem(path, f"line {line}", f"basis {row['basis']!r} is none of {known}")
    return AreaShare(row["area"], row["in_area"], share, row["basis"])


def _check_unique(path: Path, ids: list[str]) -> None:
    seen: set[str] = set()
    for number, id_ in enumerate(ids, 1):
        if id_ in seen:
            raise _problem(path, f"feature {number}", f"{id_} is there twice")
        seen.add(id_)


def _problem(path: Path, where: str, detail: str) -> Problem:
    place = f"{path.name}, {where}" if where else path.name
    return Problem(
        "bad_area_file", "Area file not usable", f"{place}: {detail}", 422, place, REMEDY
    )

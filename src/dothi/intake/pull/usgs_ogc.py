"""USGS Water Data API, collection `continuous` (OGC API Features).

https://api.waterdata.usgs.gov/docs/ogcapi/
"""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import msgspec
import pyarrow as pa

from dothi.intake.pull.connector import Malformed, Page, Request, Span
from dothi.intake.pull.observations import Series, about, description, utc_times
from dothi.intake.pull.settings import UsgsOgc
from dothi.intake.pull.usgs_values import PARAMETERS, UNITS, attribute_of, usgs_rows
from dothi.model.batch import Rejection
from dothi.model.source import Source


class _Link(msgspec.Struct):
    href: str = ""
    rel: str = ""


class _Geometry(msgspec.Struct):
    type: str
    coordinates: Any


class _Properties(msgspec.Struct):
    monitoring_location_id: str = ""
    parameter_code: str = ""
    time: str | None = None
    value: str | None = None
    unit_of_measure: str | None = None
    time_series_id: str = ""
    approval_status: str | None = None
    qualifier: list[str] | str | None = None
    monitoring_location_name: str | None = None


class _Feature(msgspec.Struct):
    properties: _Properties
    id: str = ""
    geometry: _Geometry | None = None


class _Collection(msgspec.Struct):
    features: list[_Feature]
    links: list[_Link] = []


class UsgsOgcConnector:
    """See the module."""

    def __init__(self, name: str, settings: UsgsOgc) -> None:
        self.settings = settings
        self.key_file = settings.key_file
        self.source = Source(
            settings.source or name,
            "USGS Water Data API",
            "pull",
            owner="U.S. Geological Survey",
            cadence_s=settings.every_s,
            licence="public domain",
        )

    def headers(self, key: str) -> dict[str, str]:
        return {"X-Api-Key": key} if key else {}

    def plan(self, span: Span) -> Sequence[Request]:
        base = f"{self.settings.base_url}/collections"
        stamps = [at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in _ends(span)]
        requests = [
            Request(f"{base}/monitoring-locations/items", (("f", "json"), ("id", site)), ("place",))
            for site in (self.settings.sites if span.is_first else ())
        ]
        for site in self.settings.sites:
            for code in self.settings.parameters:
                params = (
                    ("f", "json"),
                    ("monitoring_location_id", site),
                    ("parameter_code", code),
                    ("time", "/".join(stamps)),
                    ("limit", str(self.settings.page_size)),
                )
                requests.append(Request(f"{base}/continuous/items", params, ("values",)))
        return requests

    def decode(self, request: Request, payload: bytes, span: Span) -> Page:
        try:
            found = msgspec.json.decode(payload, type=_Collection)
        except msgspec.DecodeError as error:
            raise Malformed(str(error)) from error
        if request.about[0] == "place":
            return Page(description=description(self._places(found.features)))
        groups: dict[tuple[str, str, str, str], list[_Properties]] = {}
        for feature in found.features:
            it = feature.properties
            key = (
                it.monitoring_location_id,
                it.parameter_code,
                it.time_series_id,
                it.unit_of_measure or "",
            )
            groups.setdefault(key, []).append(it)
        tables: list[pa.Table] = []
        rejected: list[Rejection] = []
        several = _several(set(groups))
        for (site, code, series, unit), values in groups.items():
            dataset = f"urn:usgs:time-series:{series}" if (site, code) in several else ""
            target = self._series(site, code, UNITS.get(unit, unit) or None, dataset)
            rows, refused = usgs_rows(
                target,
                utc_times([it.time for it in values]),
                [it.value for it in values],
                [_codes(it) for it in values],
            )
            tables.append(rows)
            rejected += refused
        following = tuple(
            Request(link.href, (), request.about) for link in found.links if link.rel == "next"
        )
        rows = pa.concat_tables(tables) if tables else Page().rows
        return Page(rows, tuple(rejected), following)

    def _series(self, site: str, code: str, unit: str | None = None, dataset: str = "") -> Series:
        if not site or any(mark in site for mark in ' <>"{}|\\^`'):
            raise Malformed(f"`{site[:80]}` is no monitoring location")
        type_ = self.settings.entity_type
        unit = unit or PARAMETERS.get(code, ("", ""))[1] or None
        attribute = attribute_of(code, self.settings.attributes)
        return Series(
            self.source.id, f"urn:ngsi-ld:{type_}:{site}", type_, attribute, unit, dataset
        )

    def _places(self, features: list[_Feature]) -> list[dict[str, object]]:
        facts: list[dict[str, object]] = []
        for feature in features:
            lon, lat = _lon_lat(feature.geometry)
            name = feature.properties.monitoring_location_name
            facts += about(self._series(feature.id, ""), name, lon, lat)
        return facts


def _lon_lat(geometry: _Geometry | None) -> tuple[float | None, float | None]:
    if geometry is None or geometry.type != "Point":
        return None, None
    try:
        lon, lat, *_ = msgspec.convert(geometry.coordinates, list[float])
    except (msgspec.ValidationError, ValueError) as error:
        raise Malformed(f"coordinates of a point: {error}") from error
    return lon, lat


def _ends(span: Span) -> tuple[Any, Any]:
    return span.start_at, span.end_at


def _several(keys: set[tuple[str, str, str, str]]) -> set[tuple[str, str]]:
    """Sites and parameters of which an answer holds more than one time series."""
    series: dict[tuple[str, str], set[str]] = {}
    for site, code, number, _ in keys:
        series.setdefault((site, code), set()).add(number)
    return {key for key, numbers in series.items() if len(numbers) > 1}


def _codes(it: _Properties) -> Sequence[str]:
    marks = it.qualifier or []
    status = [it.approval_status] if it.approval_status else []
    return [*status, *([marks] if isinstance(marks, str) else marks)]

"""USGS Water Services, instantaneous values, as JSON (WaterML) or RDB.

https://waterservices.usgs.gov/docs/instantaneous-values/
"""

import html
from collections.abc import Sequence
from datetime import UTC

import msgspec
import pyarrow as pa

from dothi.intake.pull.connector import Malformed, Page, Request, Span
from dothi.intake.pull.observations import Series, about, description, utc_times
from dothi.intake.pull.settings import UsgsIv
from dothi.intake.pull.usgs_rdb import read_rdb
from dothi.intake.pull.usgs_values import PARAMETERS, UNITS, attribute_of, usgs_rows
from dothi.model.batch import Rejection
from dothi.model.source import Source

_SITES_PER_REQUEST = 100


class _Text(msgspec.Struct):
    value: str


class _Geog(msgspec.Struct):
    latitude: float | None = None
    longitude: float | None = None


class _Geo(msgspec.Struct, rename="camel"):
    geog_location: _Geog | None = None


class _Site(msgspec.Struct, rename="camel"):
    site_code: list[_Text]
    site_name: str = ""
    geo_location: _Geo | None = None


class _Unit(msgspec.Struct, rename="camel"):
    unit_code: str = ""


class _Variable(msgspec.Struct, rename="camel"):
    variable_code: list[_Text]
    unit: _Unit | None = None
    no_data_value: float = -999_999.0


class _Value(msgspec.Struct, rename="camel"):
    value: str | None = None
    date_time: str | None = None
    qualifiers: list[str] | str = []


class _Method(msgspec.Struct, rename={"method_id": "methodID"}):
    method_id: int | None = None


class _Values(msgspec.Struct):
    value: list[_Value] = []
    method: list[_Method] = []


class _Series(msgspec.Struct, rename="camel"):
    source_info: _Site
    variable: _Variable
    values: list[_Values]


class _All(msgspec.Struct, rename="camel"):
    time_series: list[_Series]


class _Answer(msgspec.Struct):
    value: _All


class UsgsIvConnector:
    """See the module."""

    key_file = ""

    def __init__(self, name: str, settings: UsgsIv) -> None:
        self.settings = settings
        self.source = Source(
            settings.source or name,
            "USGS Water Services",
            "pull",
            owner="U.S. Geological Survey",
            cadence_s=settings.every_s,
            licence="public domain",
        )

    def headers(self, key: str) -> dict[str, str]:
        return {}

    def plan(self, span: Span) -> Sequence[Request]:
        sites = self.settings.sites
        return [
            Request(
                f"{self.settings.base_url}/iv/",
                (
                    ("format", self.settings.format),
                    ("sites", ",".join(sites[start : start + _SITES_PER_REQUEST])),
                    ("parameterCd", ",".join(self.settings.parameters)),
                    ("startDT", span.start_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")),
                    ("endDT", span.end_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")),
                ),
                (self.settings.format,),
            )
            for start in range(0, len(sites), _SITES_PER_REQUEST)
        ]

    def decode(self, request: Request, payload: bytes, span: Span) -> Page:
        if request.about[0] == "rdb":
            return self._rdb(payload)
        try:
            answer = msgspec.json.decode(payload, type=_Answer)
        except msgspec.DecodeError as error:
            raise Malformed(str(error)) from error
        tables: list[pa.Table] = []
        rejected: list[Rejection] = []
        facts: dict[str, list[dict[str, object]]] = {}
        for series in answer.value.time_series:
            site = _only(series.source_info.site_code, "siteCode")
            place = series.source_info.geo_location
            at = (place and place.geog_location) or _Geog()
            name = html.unescape(series.source_info.site_name)
            facts[site] = about(self._series(site, ""), name, at.longitude, at.latitude)
            for number, values in enumerate(series.values):
                rows, refused = self._values(site, series, number, values)
                tables.append(rows)
                rejected += refused
        rows = pa.concat_tables(tables) if tables else Page().rows
        described = description([row for rows in facts.values() for row in rows])
        return Page(rows, tuple(rejected), (), described)

    def _values(
        self, site: str, series: _Series, number: int, values: _Values
    ) -> tuple[pa.Table, tuple[Rejection, ...]]:
        code = _only(series.variable.variable_code, "variableCode")
        unit = series.variable.unit.unit_code if series.variable.unit else ""
        dataset = _dataset(values, number) if len(series.values) > 1 else ""
        target = self._series(site, code, UNITS.get(unit, unit) or None, dataset)
        return usgs_rows(
            target,
            utc_times([value.date_time for value in values.value]),
            [value.value for value in values.value],
            [_codes(value.qualifiers) for value in values.value],
            series.variable.no_data_value,
        )

    def _series(self, site: str, code: str, unit: str | None = None, dataset: str = "") -> Series:
        type_ = self.settings.entity_type
        entity = f"urn:ngsi-ld:{type_}:USGS-{site}"
        attribute = attribute_of(code, self.settings.attributes)
        unit = unit or PARAMETERS.get(code, ("", ""))[1] or None
        return Series(self.source.id, entity, type_, attribute, unit, dataset)

    def _rdb(self, payload: bytes) -> Page:
        tables: list[pa.Table] = []
        rejected: list[Rejection] = []
        for column in read_rdb(payload):
            dataset = f"urn:usgs:time-series:{column.series}" if column.is_one_of_several else ""
            target = self._series(column.site, column.code, None, dataset)
            rows, refused = usgs_rows(target, column.times, column.values, column.qualifiers)
            tables.append(rows)
            rejected += refused
        return Page(pa.concat_tables(tables) if tables else Page().rows, tuple(rejected))


def _only(texts: list[_Text], what: str) -> str:
    if not texts or not texts[0].value.isalnum():
        raise Malformed(f"{what} is empty or no code")
    return texts[0].value


def _dataset(values: _Values, number: int) -> str:
    """Several sensors of one parameter at a site are told apart by the method."""
    method = values.method[0].method_id if values.method else None
    return f"urn:usgs:method:{number if method is None else method}"


def _codes(qualifiers: list[str] | str) -> Sequence[str]:
    return [qualifiers] if isinstance(qualifiers, str) else qualifiers

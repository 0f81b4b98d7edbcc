"""OpenAQ version 3 (https://docs.openaq.org): stations, their sensors, their measurements.

Times are those of the end of the measured period, as OpenAQ publishes them.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from dothi.intake.pull.connector import Malformed, Page, Request, Span
from dothi.intake.pull.observations import Series, about, description, rows_of, utc_times
from dothi.intake.pull.settings import OpenAq
from dothi.model.batch import Rejection
from dothi.model.quality import UNSET, Quality
from dothi.model.source import Source

_ATTRIBUTES = {
    "humidity": "relativeHumidity",
    "relativehumidity": "relativeHumidity",
    "pressure": "atmosphericPressure",
    "wind_speed": "windSpeed",
    "wind_direction": "windDirection",
}
_UNITS = {"c": "CEL", "f": "FAH", "mb": "A97", "hpa": "A97", "deg": "DD"}
_MARKERS = pa.array([-999.0, -9999.0, -99999.0, -999999.0])
"""What upstream providers write for "no value"."""
_LEAST_COVERAGE = 75.0
"""Percent of the period below which a mean is uncertain."""


class _Moment(msgspec.Struct):
    utc: str


class _Parameter(msgspec.Struct):
    name: str
    units: str = ""


class _Sensor(msgspec.Struct):
    id: int
    parameter: _Parameter


class _Coordinates(msgspec.Struct):
    latitude: float | None = None
    longitude: float | None = None


class _Location(msgspec.Struct, rename="camel"):
    id: int
    name: str | None = None
    sensors: list[_Sensor] = []
    coordinates: _Coordinates | None = None
    datetime_last: _Moment | None = None


class _Period(msgspec.Struct, rename="camel"):
    datetime_to: _Moment | None = None


class _Coverage(msgspec.Struct, rename="camel"):
    percent_complete: float | None = None


class _Flags(msgspec.Struct, rename="camel"):
    has_flags: bool = False


class _Measurement(msgspec.Struct, rename="camel"):
    value: float | None
    parameter: _Parameter
    period: _Period
    coverage: _Coverage | None = None
    flag_info: _Flags | None = None


class _Locations(msgspec.Struct):
    results: list[_Location]


class _Measurements(msgspec.Struct):
    results: list[_Measurement]


class OpenAqConnector:
    """See the module."""

    def __init__(self, name: str, settings: OpenAq) -> None:
        self.settings = settings
        self.key_file = settings.key_file
        self.source = Source(
            settings.source or name,
            "OpenAQ",
            "pull",
            owner="OpenAQ",
            cadence_s=settings.every_s,
            licence="per station, see openaq.org",
        )

    def headers(self, key: str) -> dict[str, str]:
        return {"X-API-Key": key} if key else {}

    def plan(self, span: Span) -> Sequence[Request]:
        base = self.settings.base_url
        return [
            Request(f"{base}/locations/{number}", about=("location", str(number)))
            for number in self.settings.locations
        ]

    def decode(self, request: Request, payload: bytes, span: Span) -> Page:
        try:
            if request.about[0] == "location":
                location = msgspec.json.decode(payload, type=_Locations)
                return self._location(location.results, span)
            found = msgspec.json.decode(payload, type=_Measurements)
        except msgspec.DecodeError as error:
            raise Malformed(str(error)) from error
        return self._measurements(request, found.results)

    def _location(self, locations: list[_Location], span: Span) -> Page:
        facts: list[dict[str, object]] = []
        following: list[Request] = []
        for location in locations:
            at = location.coordinates or _Coordinates()
            facts += about(self._series(location.id, ""), location.name, at.longitude, at.latitude)
            if _is_silent(location, span):
                continue
            following += [
                self._measurements_of(location.id, sensor.id, 1, span)
                for sensor in location.sensors
                if not self.settings.parameters or sensor.parameter.name in self.settings.parameters
            ]
        return Page(following=tuple(following), description=description(facts))

    def _measurements_of(self, location: int, sensor: int, page: int, span: Span) -> Request:
        return Request(
            f"{self.settings.base_url}/sensors/{sensor}/measurements",
            (
                ("datetime_from", _stamp(span.start_at)),
                ("datetime_to", _stamp(span.end_at)),
                ("limit", str(self.settings.page_size)),
                ("page", str(page)),
            ),
            ("measurements", str(location), str(sensor), str(page)),
        )

    def _series(self, location: int | str, attribute: str, unit: str | None = None) -> Series:
        type_ = self.settings.entity_type
        entity = f"urn:ngsi-ld:{type_}:openaq-{location}"
        return Series(self.source.id, entity, type_, attribute, unit)

    def _measurements(self, request: Request, results: list[_Measurement]) -> Page:
        _, location, _, page = request.about
        tables: list[pa.Table] = []
        rejected: list[Rejection] = []
        # A sensor measures one parameter; a page that mixes them is still told apart.
        for name, units in dict.fromkeys((m.parameter.name, m.parameter.units) for m in results):
            part = [m for m in results if (m.parameter.name, m.parameter.units) == (name, units)]
            series = self._series(location, self._attribute(name, units), _UNITS.get(units, units))
            rows, refused = _rows(series, part)
            tables.append(rows)
            rejected += refused
        following: tuple[Request, ...] = ()
        if results and len(results) >= self.settings.page_size:
            params = dict(request.params) | {"page": str(int(page) + 1)}
            about_next = (*request.about[:3], params["page"])
            following = (Request(request.url, tuple(params.items()), about_next),)
        rows = pa.concat_tables(tables) if tables else Page().rows
        return Page(rows, tuple(rejected), following)

    def _attribute(self, name: str, units: str) -> str:
        chosen = self.settings.attributes
        return chosen.get(f"{name} {units}") or chosen.get(name) or _ATTRIBUTES.get(name, name)


def _rows(series: Series, results: list[_Measurement]) -> tuple[pa.Table, tuple[Rejection, ...]]:
    times = utc_times([m.period.datetime_to and m.period.datetime_to.utc for m in results])
    numbers = pa.array([m.value for m in results], pa.float64())
    numbers = pc.if_else(pc.is_in(numbers, _MARKERS), None, numbers)
    doubtful = pa.array([_is_doubtful(m) for m in results], pa.bool_())
    quality = pc.if_else(doubtful, int(Quality.UNCERTAIN), UNSET).cast(pa.uint8())
    return rows_of(series, times, numbers, quality)


def _is_doubtful(measurement: _Measurement) -> bool:
    flags, coverage = measurement.flag_info, measurement.coverage
    percent = coverage.percent_complete if coverage else None
    return bool(flags and flags.has_flags) or (percent is not None and percent < _LEAST_COVERAGE)


def _is_silent(location: _Location, span: Span) -> bool:
    """Whether nothing can have come since the start of the span: it saves a request per sensor."""
    if location.datetime_last is None:
        return False
    last_at: datetime | None = utc_times([location.datetime_last.utc])[0].as_py()
    return last_at is not None and last_at < span.start_at


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")

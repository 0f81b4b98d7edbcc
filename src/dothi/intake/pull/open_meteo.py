"""Open-Meteo: weather and air-quality models for places (https://open-meteo.com/en/docs).

Hours up to now become values with quality "estimated" (a model, not a measurement). Hours ahead
become one value per variable and run, `<attribute>Forecast`, observed at the time of the run, so
that every forecast that was ever issued stays in the history.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from dothi.intake.pull.connector import Malformed, Page, Request, Span
from dothi.intake.pull.observations import Series, about, description, rows_of
from dothi.intake.pull.settings import OpenMeteo, Place
from dothi.intake.text_columns import iso_times
from dothi.model.batch import Rejection
from dothi.model.quality import Quality
from dothi.model.row import TIMESTAMP, rows_table
from dothi.model.source import Origin, Source
from dothi.model.units import find_unit

_PLACES_PER_REQUEST = 50
_MOST_PAST_DAYS = 92
_LONGEST_FORECAST = timedelta(days=366)
"""Hours beyond are not believed."""
_ATTRIBUTES = {
    "temperature_2m": "temperature",
    "relative_humidity_2m": "relativeHumidity",
    "dew_point_2m": "dewPoint",
    "precipitation": "precipitation",
    "wind_speed_10m": "windSpeed",
    "wind_direction_10m": "windDirection",
    "wind_gusts_10m": "windGust",
    "surface_pressure": "atmosphericPressure",
    "cloud_cover": "cloudCover",
    "weather_code": "weatherCode",
    "pm2_5": "pm25",
    "pm10": "pm10",
    "carbon_monoxide": "co",
    "nitrogen_dioxide": "no2",
    "sulphur_dioxide": "so2",
    "ozone": "o3",
    "us_aqi": "usAqi",
    "european_aqi": "europeanAqi",
}
_NO_UNIT = frozenset({"", "wmo code", "USAQI", "EAQI", "undefined"})


class _Answer(msgspec.Struct):
    hourly: dict[str, list[float | int | str | None]]
    utc_offset_seconds: int = 0
    hourly_units: dict[str, str] = {}


class _Refusal(msgspec.Struct):
    error: bool
    reason: str = ""


class OpenMeteoConnector:
    """See the module."""

    key_file = ""

    def __init__(self, name: str, settings: OpenMeteo) -> None:
        self.settings = settings
        self.source = Source(
            settings.source or name,
            "Open-Meteo",
            "pull",
            owner="Open-Meteo",
            origin=Origin.SIMULATED,
            origin_note="weather and air-quality models by Open-Meteo",
            origin_note_vi="mô hình thời tiết và chất lượng không khí của Open-Meteo",
            cadence_s=settings.every_s,
            licence="CC BY 4.0",
        )

    def headers(self, key: str) -> dict[str, str]:
        return {}

    def plan(self, span: Span) -> Sequence[Request]:
        days = ceil((span.end_at - span.start_at) / timedelta(days=1))
        common = (
            ("hourly", ",".join(self.settings.hourly)),
            ("timeformat", "unixtime"),
            ("timezone", "GMT"),
            ("past_days", str(min(_MOST_PAST_DAYS, days))),
            ("forecast_days", str(self.settings.forecast_days)),
        )
        return [
            Request(
                self.settings.base_url,
                (
                    ("latitude", ",".join(str(place.lat) for place in group)),
                    ("longitude", ",".join(str(place.lon) for place in group)),
                    *common,
                ),
                tuple(place.id for place in group),
            )
            for group in _groups(self.settings.places)
        ]

    def decode(self, request: Request, payload: bytes, span: Span) -> Page:
        answers = _answers(payload)
        places = [place for place in self.settings.places if place.id in request.about]
        if len(answers) != len(places):
            raise Malformed(f"{len(answers)} answers for {len(places)} places")
        tables: list[pa.Table] = []
        rejected: list[Rejection] = []
        facts: list[dict[str, object]] = []
        for place, answer in zip(places, answers, strict=True):
            facts += about(self._series(place, ""), place.name, place.lon, place.lat)
            times = _times(answer)
            for variable, values in answer.hourly.items():
                if variable == "time":
                    continue
                rows, refused = self._rows(place, variable, times, values, answer, span)
                tables += rows
                rejected += refused
        rows = pa.concat_tables(tables) if tables else Page().rows
        return Page(rows, tuple(rejected), (), description(facts))

    def _series(self, place: Place, attribute: str, unit: str | None = None) -> Series:
        type_ = self.settings.entity_type
        entity = f"urn:ngsi-ld:{type_}:{place.id}"
        return Series(self.source.id, entity, type_, attribute, unit)

    def _rows(
        self,
        place: Place,
        variable: str,
        times: pa.Array,
        values: list[Any],
        answer: _Answer,
        span: Span,
    ) -> tuple[list[pa.Table], Sequence[Rejection]]:
        if len(values) != len(times):
            raise Malformed(f"{variable} has {len(values)} values for {len(times)} times")
        attribute = self.settings.attributes.get(variable) or attribute_of(variable)
        written = answer.hourly_units.get(variable, "")
        series = self._series(place, attribute, None if written in _NO_UNIT else written)
        try:
            numbers = pa.array(values, pa.float64())
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise Malformed(f"{variable}: {error}") from error
        start = pa.scalar(span.start_at, TIMESTAMP)
        now = pa.scalar(span.end_at, TIMESTAMP)
        known = pc.and_(pc.greater_equal(times, start), pc.less_equal(times, now))
        # Hours that the model has not computed are no missing measurements.
        past = pc.fill_null(pc.and_(known, numbers.is_valid()), False)
        estimated = pa.scalar(int(Quality.ESTIMATED), pa.uint8())
        count = pc.sum(past).as_py() or 0
        rows, _ = rows_of(
            series, times.filter(past), numbers.filter(past), pa.repeat(estimated, count)
        )
        tables = [rows]
        last = pa.scalar(span.end_at + _LONGEST_FORECAST, TIMESTAMP)
        ahead = pc.and_(pc.greater(times, now), pc.less_equal(times, last)).fill_null(False)
        if pc.any(pc.and_(ahead, numbers.is_valid())).as_py():
            tables.append(_forecast(series, times.filter(ahead), numbers.filter(ahead), span))
        lost = times.null_count
        detail = f"{place.id}, {variable}: {lost} values without a readable time"
        refused = (Rejection(series.source, "time_invalid", detail, count=lost),) if lost else ()
        return tables, refused


def _groups(places: Sequence[Place]) -> Sequence[Sequence[Place]]:
    starts = range(0, len(places), _PLACES_PER_REQUEST)
    return [places[start : start + _PLACES_PER_REQUEST] for start in starts]


def attribute_of(variable: str) -> str:
    """`soil_moisture_0_to_1cm` -> soilMoisture0To1cm, unless there is a better-known name."""
    if variable in _ATTRIBUTES:
        return _ATTRIBUTES[variable]
    head, *rest = variable.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _answers(payload: bytes) -> list[_Answer]:
    """One answer per place; Open-Meteo gives a list only for more than one."""
    try:
        return msgspec.json.decode(payload, type=list[_Answer])
    except msgspec.DecodeError:
        pass
    try:
        refusal = msgspec.json.decode(payload, type=_Refusal)
    except msgspec.DecodeError:
        try:
            return [msgspec.json.decode(payload, type=_Answer)]
        except msgspec.DecodeError as error:
            raise Malformed(str(error)) from error
    raise Malformed(refusal.reason or "the service says error without a reason")


def _times(answer: _Answer) -> pa.Array:
    texts = answer.hourly.get("time", [])
    if all(isinstance(value, int) for value in texts):
        try:
            return pa.array(texts, pa.timestamp("s")).cast(TIMESTAMP)
        except (pa.ArrowInvalid, OverflowError) as error:
            raise Malformed(f"time: {error}") from error
    plain = [value if isinstance(value, str) else None for value in texts]
    _, local = iso_times(pa.array(plain, pa.string()))
    offset = pa.scalar(answer.utc_offset_seconds, pa.duration("s"))
    return pc.subtract(local, offset.cast(pa.duration("us"))).cast(TIMESTAMP)


def _forecast(series: Series, times: pa.Array, numbers: pa.Array, span: Span) -> pa.Table:
    starts = times.cast(pa.int64()).to_pylist()
    step_s = (starts[1] - starts[0]) / 1e6 if len(starts) > 1 else 3600.0
    value = {
        "validFrom": datetime.fromtimestamp(starts[0] / 1e6, UTC),
        "stepSeconds": step_s,
        "values": numbers.to_pylist(),
    }
    # The unit stands in the body: a unit in its column would be converted without these values.
    unit = find_unit(series.unit) if series.unit else None
    body = {"value": value, "unitCode": unit.code} if unit else {"value": value}
    return rows_table(
        {
            "source": [series.source],
            "entity": series.entity,
            "entity_type": series.entity_type,
            "attribute": f"{series.attribute}Forecast",
            "observed_at": [span.end_at],
            "body": msgspec.json.encode(body).decode(),
            "quality": int(Quality.ESTIMATED),
        }
    )

"""Recorded answers to rows: values, times, units, quality, provisional marks, places."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.intake.pull.build import connector
from dothi.intake.pull.connector import Connector, Malformed, Page, Request, Span
from dothi.intake.pull.open_meteo import attribute_of
from dothi.intake.pull.settings import OpenAq, OpenMeteo, Place, UsgsIv, UsgsOgc
from dothi.model.quality import Quality
from dothi.model.source import Origin

Sample = Callable[[str], bytes]
SPAN = Span(datetime(2018, 1, 1, tzinfo=UTC), datetime(2026, 11, 20, 20, 0, tzinfo=UTC), True)
PLACE = Place(id="thu-dau-mot", lon=106.65, lat=10.98, name="Thủ Dầu Một")
METEO = connector("meteo", OpenMeteo(places=(PLACE,)))
OPENAQ = connector("aq", OpenAq(locations=(2178,), parameters=("pm25",)))
IV = connector("nwis", UsgsIv(sites=("01491000", "01645000")))
RDB = connector("nwis", UsgsIv(sites=("01491000",), format="rdb"))
OGC = connector("usgs", UsgsOgc(sites=("USGS-06904500",)))
MEASUREMENTS = Request("u", (("page", "1"),), ("measurements", "2178", "3917", "1"))


def values(page: Page) -> list[tuple[object, ...]]:
    names = ("attribute", "number", "unit", "quality")
    return [tuple(row[name] for name in names) for row in page.rows.to_pylist()]


def meteo(payload: bytes, places: tuple[str, ...] = ("thu-dau-mot",)) -> Page:
    return METEO.decode(Request("u", about=places), payload, SPAN)


def test_open_meteo_hours_that_passed_are_estimated_values(sample: Sample) -> None:
    page = meteo(sample("forecast_made_up.json"))
    passed = [v for v in values(page) if not str(v[0]).endswith("Forecast")]
    assert passed[:4] == [
        ("temperature", 25.4, "°C", Quality.ESTIMATED),
        ("temperature", 25.1, "°C", Quality.ESTIMATED),
        ("temperature", 24.9, "°C", Quality.ESTIMATED),
        ("temperature", 24.7, "°C", Quality.ESTIMATED),
    ]
    assert len(passed) == 8
    first = page.rows.to_pylist()[0]
    assert first["observed_at"] == datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
    assert first["entity"] == "urn:ngsi-ld:WeatherForecast:thu-dau-mot"
    assert METEO.source.origin is Origin.SIMULATED


def test_open_meteo_hours_ahead_are_one_value_issued_now(sample: Sample) -> None:
    rows = meteo(sample("forecast_made_up.json")).rows.to_pylist()
    ahead = {row["attribute"]: row for row in rows if row["attribute"].endswith("Forecast")}
    assert set(ahead) == {"temperatureForecast", "precipitationForecast"}
    row = ahead["temperatureForecast"]
    assert row["observed_at"] == SPAN.end_at
    assert json.loads(row["body"]) == {
        "value": {
            "validFrom": "2026-11-20T21:00:00Z",
            "stepSeconds": 3600.0,
            "values": [24.6, 24.5],
        },
        "unitCode": "CEL",
    }


def test_open_meteo_air_quality_with_hours_without_value(sample: Sample) -> None:
    found = values(meteo(sample("air_quality_made_up.json")))
    assert ("pm25", 21.0, "μg/m³", Quality.ESTIMATED) in found
    assert ("usAqi", 74.0, None, Quality.ESTIMATED) in found
    assert len([v for v in found if v[0] == "pm10"]) == 3


def test_open_meteo_unix_times_and_several_places(sample: Sample) -> None:
    at = round((SPAN.end_at - timedelta(hours=1)).timestamp())
    one = {"hourly": {"time": [at], "ozone": [1]}, "hourly_units": {"ozone": "μg/m³"}}
    places = tuple(Place(id=f"p{n}", lon=106.0, lat=10.0 + n) for n in range(2))
    both = connector("m", OpenMeteo(places=places))
    page = both.decode(Request("u", about=("p0", "p1")), json.dumps([one, one]).encode(), SPAN)
    assert [row["entity"][-2:] for row in page.rows.to_pylist()] == ["p0", "p1"]
    assert values(page)[0] == ("o3", 1.0, "μg/m³", Quality.ESTIMATED)


def test_open_meteo_says_why_it_refuses(sample: Sample) -> None:
    with pytest.raises(Malformed, match="winddiren_10m"):
        meteo(sample("open_meteo_error_400.json"))


def test_open_meteo_asks_for_places_in_groups() -> None:
    places = tuple(Place(id=str(n), lon=106.0, lat=10.0) for n in range(120))
    requests = connector("m", OpenMeteo(places=places)).plan(SPAN)
    assert [len(request.about) for request in requests] == [50, 50, 20]
    assert dict(requests[0].params)["past_days"] == "92"


def test_names_of_unknown_variables() -> None:
    assert attribute_of("soil_temperature_0_to_7cm") == "soilTemperature0To7cm"


def test_openaq_station_leads_to_its_sensors(sample: Sample) -> None:
    span = Span(datetime(2023, 10, 1, tzinfo=UTC), datetime(2023, 10, 17, tzinfo=UTC))
    page = OPENAQ.decode(OPENAQ.plan(span)[0], sample("openaq_locations.json"), span)
    (request,) = page.following
    assert request.url == "https://api.openaq.org/v3/sensors/3920/measurements"
    assert dict(request.params)["datetime_from"] == "2023-10-01T00:00:00Z"
    facts = {r["attribute"]: r["text"] or r["body"] for r in page.description.to_pylist()}
    assert facts == {
        "name": "Del Norte",
        "location": '{"type":"Point","coordinates":[-106.584702,35.1353]}',
    }


def test_openaq_station_that_fell_silent_costs_no_further_request(sample: Sample) -> None:
    page = OPENAQ.decode(
        OPENAQ.plan(SPAN)[0],
        sample("openaq_locations.json"),
        Span(datetime(2026, 1, 1, tzinfo=UTC), SPAN.end_at),
    )
    assert page.following == ()


def test_openaq_measurements_at_the_end_of_their_hour(sample: Sample) -> None:
    page = OPENAQ.decode(MEASUREMENTS, sample("openaq_measurements.json"), SPAN)
    assert values(page) == [("pm25", 6.0, "µg/m³", 0), ("pm25", 7.5, "µg/m³", 0)]
    row = page.rows.to_pylist()[0]
    assert row["observed_at"] == datetime(2023, 10, 16, 13, 0, tzinfo=UTC)
    assert row["entity"] == "urn:ngsi-ld:AirQualityObserved:openaq-2178"


def test_openaq_flags_coverage_and_markers(sample: Sample) -> None:
    answer = json.loads(sample("openaq_measurements.json"))
    flagged, thin = answer["results"]
    flagged["flagInfo"] = {"hasFlags": True}
    thin["coverage"]["percentComplete"] = 50
    more = [json.loads(json.dumps(flagged)) for _ in range(3)]
    more[0] |= {"value": -999.0}
    more[1] |= {"value": None}
    more[2]["period"]["datetimeTo"] = None
    answer["results"] += more
    page = OPENAQ.decode(MEASUREMENTS, json.dumps(answer).encode(), SPAN)
    assert [v[1:4:2] for v in values(page)] == [
        (6.0, Quality.UNCERTAIN),
        (7.5, Quality.UNCERTAIN),
        (None, Quality.MISSING),
        (None, Quality.MISSING),
    ]
    assert [r.reason for r in page.rejected] == ["time_invalid"]


def test_openaq_asks_for_the_next_page_while_pages_are_full(sample: Sample) -> None:
    full = connector("aq", OpenAq(page_size=2))
    (following,) = full.decode(MEASUREMENTS, sample("openaq_measurements.json"), SPAN).following
    assert dict(following.params)["page"] == "2"
    assert OPENAQ.decode(MEASUREMENTS, sample("openaq_measurements.json"), SPAN).following == ()


def test_usgs_json(sample: Sample) -> None:
    page = IV.decode(IV.plan(SPAN)[0], sample("usgs_iv.json"), SPAN)
    found = values(page)
    assert len(found) == 20
    assert found[0] == ("flow", 974.0, "2K", 0)
    assert found[5] == ("level", 6.48, "FOT", 0)
    row = page.rows.to_pylist()[0]
    assert row["observed_at"] == datetime(2019, 2, 14, 5, 0, tzinfo=UTC)
    assert row["entity"] == "urn:ngsi-ld:WaterObserved:USGS-01491000"
    assert row["body"] is None
    assert page.rejected == ()
    names = [r["text"] for r in page.description.to_pylist() if r["attribute"] == "name"]
    assert names == ["CHOPTANK RIVER NEAR GREENSBORO, MD", "SENECA CREEK AT DAWSONVILLE, MD"]


def test_usgs_json_without_units_and_with_one_qualifier(sample: Sample) -> None:
    page = IV.decode(IV.plan(SPAN)[0], sample("usgs_iv_mock.json"), SPAN)
    assert values(page) == [("flow", 1.0, "2K", 0), ("flow", 2.0, "2K", 0)]


def test_usgs_qualifiers_missing_values_and_provisional_marks(sample: Sample) -> None:
    answer = json.loads(sample("usgs_iv.json"))
    series = answer["value"]["timeSeries"][:1]
    for value, (text, marks) in zip(
        series[0]["values"][0]["value"],
        [("974", ["P"]), ("970", ["P", "e"]), ("-999999", ["P"]), ("Ice", ["P"]), ("abc", ["A"])],
        strict=True,
    ):
        value["value"], value["qualifiers"] = text, marks
    answer["value"]["timeSeries"] = series
    page = IV.decode(IV.plan(SPAN)[0], json.dumps(answer).encode(), SPAN)
    assert [v[1:4:2] for v in values(page)] == [
        (974.0, 0),
        (970.0, Quality.ESTIMATED),
        (None, Quality.MISSING),
        (None, Quality.MISSING),
    ]
    bodies = [json.loads(body) for body in page.rows["body"].to_pylist()]
    assert bodies[0] == {"approval": {"type": "Property", "value": "provisional"}}
    assert bodies[1]["qualifiers"] == {"type": "Property", "value": ["e"]}
    assert bodies[3]["qualifiers"] == {"type": "Property", "value": ["Ice"]}
    assert [(r.reason, r.sample) for r in page.rejected] == [("value_not_a_number", "abc")]


def test_usgs_several_sensors_of_one_parameter_are_datasets(sample: Sample) -> None:
    answer = json.loads(sample("usgs_iv.json"))
    series = answer["value"]["timeSeries"][0]
    series["values"] *= 2
    answer["value"]["timeSeries"] = [series]
    page = IV.decode(IV.plan(SPAN)[0], json.dumps(answer).encode(), SPAN)
    assert set(page.rows["dataset"].to_pylist()) == {"urn:usgs:method:69512"}


def test_usgs_rdb(sample: Sample) -> None:
    page = RDB.decode(RDB.plan(SPAN)[0], sample("usgs_iv_made_up.rdb"), SPAN)
    found = values(page)
    assert found[:3] == [
        ("flow", 974.0, "2K", 0),
        ("flow", None, "2K", Quality.MISSING),
        ("flow", None, "2K", Quality.MISSING),
    ]
    assert ("level", 6.46, "FOT", Quality.ESTIMATED) in found
    rows = page.rows.to_pylist()
    assert rows[0]["observed_at"] == datetime(2019, 2, 14, 5, 0, tzinfo=UTC)
    assert rows[-1]["observed_at"] == datetime(2019, 7, 14, 4, 0, tzinfo=UTC)
    assert {r["dataset"] for r in rows if r["entity"].endswith("01645000")} == {
        "urn:usgs:time-series:1",
        "urn:usgs:time-series:2",
    }
    assert sorted(r.reason for r in page.rejected) == ["time_invalid", "value_not_a_number"]


def test_usgs_ogc_continuous(sample: Sample) -> None:
    both = json.loads(sample("usgs_ogc.json"))
    request = Request("u", about=("values",))
    page = OGC.decode(request, json.dumps(both["continuous"]).encode(), SPAN)
    assert values(page) == [("level", 1.76, "FOT", 0)] * 2
    latest = OGC.decode(request, json.dumps(both["latest-continuous"]).encode(), SPAN)
    assert values(latest) == [("level", 1.59, "FOT", 0), ("flow", 535.0, "2K", 0)]
    assert '"provisional"' in latest.rows["body"][0].as_py()


def test_usgs_ogc_places(sample: Sample) -> None:
    places = json.loads(sample("usgs_ogc.json"))["monitoring-locations"]
    page = OGC.decode(Request("u", about=("place",)), json.dumps(places).encode(), SPAN)
    first = page.description.to_pylist()[0]
    assert first["text"] == "CT-STM    2"
    assert first["entity"] == "urn:ngsi-ld:WaterObserved:USGS-410252073314801"


def test_usgs_ogc_follows_the_next_link(sample: Sample) -> None:
    answer = json.loads(sample("usgs_ogc.json"))["continuous"]
    answer["links"] = [
        {"rel": "self", "href": "x"},
        {"rel": "next", "href": "https://h/p?cursor=1"},
    ]
    page = OGC.decode(Request("u", about=("values",)), json.dumps(answer).encode(), SPAN)
    assert [request.url for request in page.following] == ["https://h/p?cursor=1"]


def test_usgs_ogc_asks_for_places_only_once() -> None:
    assert len(OGC.plan(SPAN)) == 3
    assert len(OGC.plan(Span(SPAN.start_at, SPAN.end_at))) == 2


@pytest.mark.parametrize("its", [METEO, OPENAQ, IV, RDB, OGC], ids=lambda c: type(c).__name__)
@pytest.mark.parametrize(
    "payload",
    [b"", b"null", b"[]", b"\xff\xfe", b'{"value": 1}', b"[" * 100_000, b"<html>503</html>"],
)
def test_answers_of_another_form_are_malformed(its: Connector, payload: bytes) -> None:
    about = ("measurements", "1", "2", "1") if its is OPENAQ else its.plan(SPAN)[0].about
    with pytest.raises(Malformed):
        its.decode(Request("u", about=about), payload, SPAN)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_rdb_reader(payload: bytes) -> None:
    try:
        RDB.decode(Request("u", about=("rdb",)), payload, SPAN)
    except Malformed as error:
        assert str(error)


@pytest.mark.parametrize("coordinates", [None, [], [1], "x", [[1, 2]], [1, "y"], {"a": 1}])
def test_usgs_ogc_places_without_a_point(coordinates: object) -> None:
    feature = {
        "id": "USGS-1",
        "properties": {"monitoring_location_name": "N"},
        "geometry": {"type": "Point", "coordinates": coordinates},
    }
    with pytest.raises(Malformed):
        OGC.decode(
            Request("u", about=("place",)), json.dumps({"features": [feature]}).encode(), SPAN
        )


@pytest.mark.parametrize("at", [10**11, 10**18, -(10**17)])
def test_open_meteo_times_out_of_this_world(at: int) -> None:
    answer = {"hourly": {"time": [at], "ozone": [1]}}
    try:
        assert meteo(json.dumps(answer).encode()).rows.num_rows == 0
    except Malformed as error:
        assert str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["hourly", "time", "results", "value", "timeSeries", "features", "properties", "id"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_json_breaks_a_connector(answer: object) -> None:
    payload = json.dumps(answer).encode("utf-8", "surrogatepass")
    for its, about in (
        (METEO, ("thu-dau-mot",)),
        (OPENAQ, ("location", "1")),
        (OPENAQ, ("measurements", "1", "2", "1")),
        (IV, ("json",)),
        (OGC, ("values",)),
        (OGC, ("place",)),
    ):
        try:
            its.decode(Request("u", about=about), payload, SPAN)
        except Malformed as error:
            assert str(error)

"""me, layers, entities and their areas."""

import json
from datetime import date
from typing import Any

import pytest

from dothi.model.area import Area
from dothi.model.row import Kind

A = "urn:ngsi-ld:WaterObserved:phu-an"


async def _station(api: Any, entity: str = A, lon: float = 106.7, name: str = "Phú An") -> None:
    point = json.dumps({"type": "Point", "coordinates": [lon, 11.0]})
    await api.parts.send(
        entity=[entity] * 3,
        entity_type="WaterObserved",
        attribute=["location", "name", "level"],
        kind=[int(Kind.GEO_PROPERTY), 1, 1],
        body=[point, None, None],
        text=[None, name, None],
        number=[None, None, 1.25],
        unit=[None, None, "MTR"],
    )


async def test_me_and_layers(api: Any) -> None:
    me = (await api.get("/me")).json()
    assert (me["name"], me["version"], me["mode"]) == ("administrator", "1.2.3", "example")
    assert "read" in me["permissions"]
    (layer,) = (await api.get("/layers")).json()
    assert layer["title"] == {"vi": "Mực nước", "en": "Water level"}


async def test_entities_are_found_and_paged(api: Any) -> None:
    for i in range(5):
        await _station(api, f"{A}-{i}", 106.0 + i / 10, f"Trạm {i}")
    page = (await api.get("/entities", type="WaterObserved", limit=2)).json()
    assert [e["id"] for e in page["items"]] == [f"{A}-0", f"{A}-1"]
    assert (page["next"], page["total"]) == (f"{A}-1", 5)
    (value,) = page["items"][0]["values"]
    assert (value["attribute"], value["number"], value["unit"], value["quality"]) == (
        "level", 1.25, "MTR", 1,
    )  # fmt: skip
    assert value["observed_at"].endswith("Z")
    rest = (await api.get("/entities", after=page["next"])).json()
    assert (len(rest["items"]), rest["next"], rest["total"]) == (3, None, 5)
    found = (await api.get("/entities", text="tram 3")).json()
    assert [e["name"] for e in found["items"]] == ["Trạm 3"]
    inside = (await api.get("/entities", bbox="106.15,10,106.25,12")).json()
    assert [e["id"] for e in inside["items"]] == [f"{A}-2"]


@pytest.mark.parametrize(
    ("query", "code", "says"),
    [
        ({"bbox": "1,2,3"}, "parameter_invalid", "west,south,east,north"),
        ({"limit": "5000"}, "parameter_invalid", "limit"),
        ({"limit": "x"}, "parameter_invalid", "limit"),
        ({"tpye": "x"}, "parameter_unknown", "'type'"),
        ({"text": ["a", "b"]}, "parameter_invalid", "twice"),
    ],
)
async def test_wrong_parameters_say_what_to_do(
    api: Any, query: dict[str, str], code: str, says: str
) -> None:
    answer = await api.get("/entities", **query)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, code)
    assert says in problem["detail"] + problem["remedy"]


async def test_an_entity_knows_its_areas_present_and_former(api: Any) -> None:
    await _station(api)
    change = date(2025, 7, 1)
    square = '{"type":"Polygon","coordinates":[[[106,10],[107,10],[107,12],[106,12],[106,10]]]}'
    api.parts.areas.put(
        [
            Area("ward:1:2025-07-01", "ward", "1", "Phường Một", "", change, None, None, square),
            Area("district:9:2004-01-01", "district", "9", "Quận Chín", "", date(2004, 1, 1),
                 change, None, square),
        ],
        [],
    )  # fmt: skip
    detail = (await api.get(f"/entities/{A}")).json()
    assert [a["name"] for a in detail["areas"]] == ["Phường Một"]
    assert [(a["name"], a["valid_to"]) for a in detail["former_areas"]] == [
        ("Quận Chín", "2025-07-01")
    ]
    assert {v["attribute"] for v in detail["values"]} == {"level", "location", "name"}
    assert [s["id"] for s in detail["sources"]] == ["s1"]
    assert (await api.get("/entities/urn:x:none")).json()["code"] == "entity_not_found"

    now = (await api.get("/areas/locate", lon=106.7, lat=11)).json()
    then = (await api.get("/areas/locate", lon=106.7, lat=11, date="2020-01-01")).json()
    assert [a["level"] for a in now + then] == ["ward", "district"]


async def test_areas_are_geojson_with_an_etag(api: Any) -> None:
    square = '{"type":"Polygon","coordinates":[[[106,10],[107,10],[107,12],[106,12],[106,10]]]}'
    api.parts.areas.put(
        [Area("w:1:2025-07-01", "ward", "1", "Một", "", date(2025, 7, 1), None, None, square)], []
    )
    answer = await api.get("/areas", level="ward")
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers["content-encoding"] == "gzip"
    (feature,) = answer.json()["features"]
    assert feature["type"] == "Feature"
    assert feature["geometry"]["type"] == "Polygon"
    assert feature["properties"]["valid_to"] is None
    again = await api.client.get(
        "/api/v1/areas?level=ward", headers={"if-none-match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    plain = await api.client.get("/api/v1/areas", headers={"accept-encoding": "identity"})
    assert plain.json()["type"] == "FeatureCollection"
    assert (await api.get("/areas", date="2025-02-30")).json()["code"] == "parameter_invalid"

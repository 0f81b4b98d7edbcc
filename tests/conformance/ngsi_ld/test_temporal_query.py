"""Querying temporal evolutions (clauses 4.11, 5.7.4, 6.3.10, 6.18.3.2, 6.24)."""

from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import CONTEXT_LINK, LD_JSON, Running, problem_of

MANY = "/temporal/entities"
POST = "/temporal/entityOperations/query"
V1, V2, BUS = "urn:ngsi-ld:Vehicle:1", "urn:ngsi-ld:Vehicle:2", "urn:ngsi-ld:Bus:1"
DAY = {
    "timerel": "between",
    "timeAt": "2026-03-01T00:00:00Z",
    "endTimeAt": "2026-03-02T00:00:00Z",
}
EVER = {"timerel": "after", "timeAt": "2000-01-01T00:00:00Z"}
DATASET = "urn:ngsi-ld:Dataset:gps"


def _at(minute: int, day: int = 1) -> str:
    return f"2026-03-{day:02}T12:{minute:02}:00Z"


def _one(value: Any, minute: int = 0, day: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, "observedAt": _at(minute, day), **more}


async def _post(door: Running, uri: str, kind: str = "Vehicle", **attributes: Any) -> None:
    body = {"id": uri, "type": kind, **attributes}
    answer = await door.send("POST", MANY, body)
    assert answer.status_code == 201, answer.text


async def _vehicles(door: Running) -> None:
    await _post(door, V1, speed=[_one(10, 1), _one(30, 2), _one(90, 0, 5)], fuel=[_one(67, 3)])
    await _post(door, V2, speed=[_one(20, 4), _one(95, 0, 9)])
    await _post(door, BUS, "Bus", speed=[_one(5, 0, 20)])


async def _get(door: Running, **params: Any) -> list[dict[str, Any]]:
    answer = await door.get(MANY, params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def _ids(found: list[dict[str, Any]]) -> list[str]:
    return [entity["id"] for entity in found]


def _values(instances: list[dict[str, Any]]) -> list[Any]:
    return [instance["value"] for instance in instances]


async def test_entities_with_instances_in_the_time(door: Running) -> None:
    """S1: an entity without data in the interval is not part of the answer."""
    await _vehicles(door)
    found = await _get(door, type="Vehicle,Bus", **DAY)
    assert _ids(found) == [V1, V2]
    assert _values(found[0]["speed"]) == [10, 30]
    assert _values(found[0]["fuel"]) == [67]
    assert found[1].keys() == {"id", "type", "speed"}
    assert _ids(await _get(door, type="Vehicle,Bus", **EVER)) == [V1, V2, BUS]
    assert _ids(await _get(door, type="Vehicle", attrs="fuel", **EVER)) == [V1]
    assert _ids(await _get(door, attrs="fuel", **EVER)) == [V1]
    assert _ids(await _get(door, type="Vehicle", id=V2, **EVER)) == [V2]
    assert _ids(await _get(door, type="Vehicle,Bus", idPattern="Bus", **EVER)) == [BUS]
    assert _ids(await _get(door, local="true", **EVER)) == [V1, V2, BUS]
    assert _ids(await _get(door, type="*", **EVER)) == [V1, V2, BUS]
    assert await _get(door, type="Nothing", **EVER) == []


async def test_bounds(door: Running) -> None:
    """4.11: before excludes its time, after includes it, between includes its start only."""
    await _post(door, V1, speed=[_one(n, n) for n in (1, 2, 3)])
    for params, expected in (
        ({"timerel": "before", "timeAt": _at(2)}, [1]),
        ({"timerel": "after", "timeAt": _at(2)}, [2, 3]),
        ({"timerel": "after", "timeAt": _at(2).replace("Z", ".000Z")}, [2, 3]),
        ({"timerel": "between", "timeAt": _at(1), "endTimeAt": _at(3)}, [1, 2]),
        ({**EVER, "lastN": 2}, [2, 3]),
        ({**EVER, "timeproperty": "createdAt"}, [1, 2, 3]),
        ({**EVER, "timeproperty": "modifiedAt", "lastN": 1}, [3]),
    ):
        [found] = await _get(door, type="Vehicle", **params)
        assert _values(found["speed"]) == expected, params
    early = {"timerel": "before", "timeAt": "2020-01-01T00:00:00Z", "timeproperty": "createdAt"}
    assert await _get(door, type="Vehicle", **early) == []


async def test_current_deleted_and_recorded_entities_are_found_alike(door: Running) -> None:
    """5.6.11 NOTE: what is written through the core API has its evolution here."""
    speed = {"speed": {"value": 1, "observedAt": _at(1)}}
    await door.create({"id": V1, "type": "Vehicle", **speed})
    await door.create({"id": V2, "type": "Vehicle", **speed})
    assert (await door.send("DELETE", f"/entities/{V2}", None)).status_code == 204
    await _post(door, BUS, speed=[_one(3, 1)])
    assert _ids(await _get(door, type="Vehicle", **DAY)) == [V1, V2, BUS]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("speed>25", [V1]),
        ("speed>80", []),
        ("speed==20", [V2]),
        ("speed>=10;fuel<90", [V1]),
        ("speed>25|speed==20", [V1, V2]),
        ("speed==15..25", [V2]),
        ("speed!=30", [V1, V2]),
        ("fuel", [V1]),
        ("!fuel", [V2]),
        ("!fuel;speed>25", []),
        ("!fuel|speed>25", [V1, V2]),
        ('speed=="30"', []),
        ("(speed>25|fuel==1);fuel", [V1]),
    ],
)
async def test_values_are_those_of_the_time(door: Running, q: str, expected: list[str]) -> None:
    """S2: q is checked against the instances that the temporal query leaves."""
    await _vehicles(door)
    found = await _get(door, type="Vehicle", q=q, **DAY)
    assert _ids(found) == expected
    if q == "speed>25":
        assert _values(found[0]["speed"]) == [10, 30]


async def test_other_values_in_q(door: Running) -> None:
    await _post(
        door,
        V1,
        name=[_one("m")],
        ref=[{"type": "Relationship", "object": "urn:x:9", "observedAt": _at(1)}],
        tags=[_one(["a", "b"])],
        label=[{"languageMap": {"en": "red", "vi": "đỏ"}, "observedAt": _at(1)}],
    )
    await _post(door, V2, name=[_one("m", 0, 8)], speed=[_one(1)])
    for q in ('name~="^m"', 'ref=="urn:x:9"', 'tags=="b"', 'label[vi]=="đỏ"', 'label[*]=="red"'):
        assert _ids(await _get(door, type="Vehicle", q=q, **DAY)) == [V1], q


async def test_positions_are_those_of_the_time(door: Running) -> None:
    """S3."""

    def point(x: float, day: int) -> dict[str, Any]:
        value = {"type": "Point", "coordinates": [x, 10.0]}
        return {"type": "GeoProperty", "value": value, "observedAt": _at(1, day)}

    await _post(door, V1, location=[point(106.0, 1)])
    await _post(door, V2, location=[point(100.0, 1), point(106.0, 4)])
    await _post(door, BUS, place=[point(106.0, 1)])
    near = {
        "georel": "near;maxDistance==1000",
        "geometry": "Point",
        "coordinates": "[106.001,10]",
    }
    assert _ids(await _get(door, type="Vehicle", **near, **DAY)) == [V1]
    assert _ids(await _get(door, **near, **EVER)) == [V1, V2]
    assert _ids(await _get(door, type="Vehicle", geoproperty="place", **near, **DAY)) == [BUS]
    ring = "[[[105,9],[107,9],[107,11],[105,11],[105,9]]]"
    inside = {"georel": "disjoint", "geometry": "Polygon", "coordinates": ring}
    assert _ids(await _get(door, type="Vehicle", **inside, **DAY)) == [V2]


async def test_pages_of_entities(door: Running) -> None:
    """5.5.9: limit, offset, count and links; the order is that of the first time."""
    await _vehicles(door)
    params: dict[str, Any] = {"type": "Vehicle,Bus", "limit": 1, "count": "true", **EVER}
    seen = []
    for offset in range(4):
        answer = await door.get(MANY, params={**params, "offset": offset})
        assert answer.headers["ngsild-results-count"] == "3"
        seen.append(_ids(answer.json()))
        links = answer.headers.get_list("link")
        assert any('rel="next"' in link for link in links) == (offset < 2)
        assert any('rel="prev"' in link for link in links) == (offset > 0)
        if offset == 1:
            [following] = [link for link in links if 'rel="next"' in link]
            assert following.startswith("</ngsi-ld/v1/temporal/entities?type=Vehicle%2CBus&")
            assert following.endswith('limit=1&offset=2>;rel="next";type="application/json"')
    assert seen == [[V1], [V2], [BUS], []]
    answer = await door.get(MANY, params={**params, "limit": 0})
    assert (answer.json(), answer.headers["ngsild-results-count"]) == ([], "3")
    params = {"type": "Vehicle", "q": "speed>25", "count": "true", "limit": 1, **DAY}
    answer = await door.get(MANY, params=params)
    assert answer.headers["ngsild-results-count"] == "1"


async def test_order(door: Running) -> None:
    """4.23: by id only."""
    await _vehicles(door)
    params = {"type": "Vehicle,Bus", **EVER}
    assert _ids(await _get(door, orderBy="id", **params)) == [BUS, V1, V2]
    assert _ids(await _get(door, orderBy="id;desc", **params)) == [V2, V1, BUS]
    page = await _get(door, orderBy="id;desc", limit=1, offset=1, **params)
    assert _ids(page) == [V1]


async def test_members(door: Running) -> None:
    """4.21: pick and omit; 4.5.5: datasetId."""
    await _vehicles(door)
    params = {"type": "Vehicle", **DAY}
    assert await _get(door, pick="id", **params) == [{"id": V1}, {"id": V2}]
    [found] = await _get(door, pick="id,fuel", **params)
    assert found.keys() == {"id", "fuel"}
    for found in await _get(door, omit="type,speed", **params):
        assert "type" not in found and "speed" not in found
    tram = "urn:ngsi-ld:Tram:1"
    await _post(door, tram, "Tram", gps=[_one(1, 1), _one(2, 2, datasetId=DATASET)])
    params = {"type": "Tram", **DAY, "options": "temporalValues"}
    [found] = await _get(door, datasetId="@none", **params)
    assert found["gps"] == {"type": "Property", "values": [[1, _at(1)]]}
    [found] = await _get(door, datasetId=DATASET, **params)
    assert found["gps"] == {"type": "Property", "datasetId": DATASET, "values": [[2, _at(2)]]}
    [found] = await _get(door, datasetId=f"@none,{DATASET}", **params)
    assert [one.get("datasetId") for one in found["gps"]] == [None, DATASET]
    assert await _get(door, datasetId="urn:x:none", **params) == []


async def test_partial_content(door: Running) -> None:
    """6.3.10: one stretch of time for all attributes of all entities."""
    early = [_one(n, n) for n in range(20)]
    late = [_one(n, n + 2) for n in range(20)]
    await _post(door, V1, speed=early, fuel=late)
    await _post(door, V2, speed=[_one(1, 0, 9)], fuel=[_one(2, 1, 9)])
    for params, expected, counts in (
        (EVER, f"2000-01-01T00:00:00Z-{_at(18)}/*", (19, 17, 0)),
        ({"timerel": "before", "timeAt": _at(0, 20)}, f"{_at(0)}-{_at(18)}/*", (19, 17, 0)),
        (
            {"timerel": "before", "timeAt": _at(0, 20), "lastN": 20},
            f"{_at(0, 20)}-{_at(3)}/20",
            (17, 19, 1),
        ),
        ({**EVER, "lastN": 20}, f"{_at(1, 9)}-{_at(3)}/20", (17, 19, 1)),
        ({**DAY, "lastN": 20}, f"2026-03-02T00:00:00Z-{_at(3)}/20", (17, 19, None)),
    ):
        for form in ("normalized", "temporalValues"):
            answer = await door.get(MANY, params={"type": "Vehicle", "format": form, **params})
            assert answer.status_code == 206
            assert answer.headers["content-range"] == f"date-time {expected}"
            first, *rest = answer.json()
            second = rest[0] if rest else {}

            def size(entity: dict[str, Any], name: str, form: str = form) -> int | None:
                if name not in entity:
                    return None
                return len(entity[name] if form == "normalized" else entity[name]["values"])

            sizes = (size(first, "speed"), size(first, "fuel"), size(second, "speed"))
            assert sizes == counts, (params, form)
    assert (await door.get(MANY, params={"type": "Vehicle", **EVER, "lastN": 5})).status_code == 200


async def test_aggregates_of_many(door: Running) -> None:
    await _vehicles(door)
    params = {"type": "Vehicle", "options": "aggregatedValues", "aggrMethods": "max,totalCount"}
    first, second = await _get(door, aggrPeriodDuration="P1D", **params, **DAY)
    span = ["2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"]
    assert first["speed"] == {
        "type": "Property",
        "max": [[30, *span]],
        "totalCount": [[2, *span]],
    }
    assert second["speed"]["max"] == [[20, *span]]
    wins = await _get(
        door, type="Vehicle", format="temporalValues", **DAY, options="aggregatedValues"
    )
    assert wins[0]["speed"]["values"][0] == [10, _at(1)]


async def test_system_attributes_and_languages(door: Running) -> None:
    await _post(door, V1, label=[{"languageMap": {"en": "red"}, "observedAt": _at(1)}])
    params = {"type": "Vehicle", **DAY}
    [found] = await _get(door, options="sysAttrs", lang="en", **params)
    assert {"createdAt", "modifiedAt"} <= found.keys()
    assert {"createdAt", "modifiedAt"} <= found["label"][0].keys()
    assert found["label"][0]["value"] == "red"
    [found] = await _get(door, sysAttrs="true", **params)
    assert "createdAt" in found


async def test_contexts(door: Running) -> None:
    body = {"id": V1, "type": "AirStation", "dust": [_one(1)]}
    await door.send("POST", MANY, body, **CONTEXT_LINK)
    headers = {**CONTEXT_LINK, "accept": LD_JSON}
    answer = await door.get(
        MANY, params={"type": "AirStation", "q": "dust==1", **DAY}, headers=headers
    )
    [found] = answer.json()
    assert answer.headers["content-type"] == LD_JSON
    assert found.keys() == {"@context", "id", "type", "dust"}
    assert await _get(door, type="AirStation", **DAY) == []


@pytest.mark.parametrize(
    "params",
    [
        {"type": "Vehicle"},
        {"type": "Vehicle", "timerel": "after"},
        {"type": "Vehicle", "timerel": "during", "timeAt": _at(1)},
        {"type": "Vehicle", "timerel": "between", "timeAt": _at(1)},
        {"type": "Vehicle", "timerel": "after", "timeAt": "2026-03-01"},
        {**EVER},
        {**EVER, "id": V1},
        {**EVER, "attrs": "createdAt"},
        {**EVER, "q": 'createdAt>="2020-01-01T00:00:00Z"'},
        {**EVER, "type": "Vehicle", "id": "not a uri"},
        {**EVER, "type": "Vehicle", "idPattern": "("},
        {**EVER, "type": "Vehicle", "q": "speed>"},
        {**EVER, "type": "Vehicle", "q": 'owner{name}=="x"'},
        {**EVER, "type": "Vehicle", "csf": "))bad(("},
        {**EVER, "type": "Vehicle", "georel": "near;maxDistance==1"},
        {**EVER, "type": "Vehicle", "pick": "owner{name}"},
        {**EVER, "type": "Vehicle", "pick": "speed", "omit": "speed"},
        {**EVER, "type": "Vehicle", "pick": "speed", "attrs": "fuel"},
        {**EVER, "type": "Vehicle", "omit": "speed", "attrs": "fuel"},
        {**EVER, "type": "Vehicle", "orderBy": "name"},
        {**EVER, "type": "Vehicle", "limit": "0"},
        {**EVER, "type": "Vehicle", "limit": "-1"},
        {**EVER, "type": "Vehicle", "lastN": "0"},
        {**EVER, "type": "Vehicle", "datasetId": "x"},
        {**EVER, "type": "Vehicle", "options": "aggregatedValues"},
    ],
)
async def test_wrong_queries(standing_door: Running, params: dict[str, Any]) -> None:
    problem_of(await standing_door.get(MANY, params=params), 400, "BadRequestData")


async def test_unreadable_queries(door: Running) -> None:
    for params in (
        {"type": "Vehicle", **EVER, "page": 1},
        {"type": "Vehicle", **EVER, "options": "pretty"},
        {"type": "Vehicle", **EVER, "format": "temporalValues", "options": "pretty"},
        {"type": "Vehicle", **EVER, "format": "pretty"},
    ):
        problem_of(await door.get(MANY, params=params), 400, "InvalidRequest")
    answer = await door.get(MANY, params={**EVER}, headers={"accept": "text/html"})
    assert answer.status_code == 406


async def test_a_query_in_a_body(door: Running) -> None:
    """6.24: the same by POST."""
    await _vehicles(door)
    body: dict[str, Any] = {"type": "Query", "entities": [{"type": "Vehicle"}, {"type": "Bus"}]}
    body["temporalQ"] = EVER

    async def ask(more: dict[str, Any], query: str = "") -> Any:
        answer = await door.send("POST", POST + query, {**body, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert _ids(await ask({})) == [V1, V2, BUS]
    assert _ids(await ask({"entities": [{"type": "Vehicle", "id": V2}, {"idPattern": "Bus"}]})) == [
        V2,
        BUS,
    ]
    assert _ids(await ask({"temporalQ": DAY, "q": "speed>25"})) == [V1]
    [first, *_] = await ask({"temporalQ": {**EVER, "lastN": 1}})
    assert _values(first["speed"]) == [90]
    assert await ask({"pick": ["id"]}, "?limit=1&offset=1") == [{"id": V2}]
    [found] = await ask({"attrs": ["fuel"]}, "?options=temporalValues")
    assert found["fuel"] == {"type": "Property", "values": [[67, _at(3)]]}
    polygon = [[[105, 9], [107, 9], [107, 11], [105, 11], [105, 9]]]
    geo = {"georel": "within", "geometry": "Polygon", "coordinates": polygon}
    assert await ask({"geoQ": geo}) == []
    for methods in (["avg"], "avg"):
        [first, *_] = await ask({"temporalQ": {**DAY, "aggrMethods": methods}})
        assert first["speed"].keys() == {"type", "avg"}
    period = {"aggrMethods": ["avg"], "aggrPeriodDuration": "PT0S"}
    [first, *_] = await ask({"aggrParams": period})
    assert len(first["speed"]["avg"]) == 1
    assert _ids(await ask({"ordering": {"orderBy": ["id"]}})) == [BUS, V1, V2]


@pytest.mark.parametrize(
    "more",
    [
        {"type": "Other"},
        {"temporalQ": None},
        {"temporalQ": {}},
        {"temporalQ": {**EVER, "lastN": 0}},
        {"temporalQ": {**EVER, "lastN": 2.5}},
        {"temporalQ": {**EVER, "timerel": "during"}},
        {"temporalQ": {"timerel": "between", "timeAt": _at(1)}},
        {"temporalQ": {**EVER, "timeproperty": "size"}},
        {"temporalQ": {**EVER, "aggrMethods": ["mode"]}},
        {"temporalQ": {**EVER, "aggrMethods": "avg", "aggrPeriodDuration": "1 day"}},
        {"entities": [{}]},
        {"entities": {}},
        {"entities": [{"id": V1}]},
        {"attrs": [1]},
        {"q": {"a": 1}},
    ],
)
async def test_wrong_bodies(standing_door: Running, more: dict[str, Any]) -> None:
    body = {"type": "Query", "entities": [{"type": "Vehicle"}], "temporalQ": EVER, **more}
    problem_of(await standing_door.send("POST", POST, body), 400, "BadRequestData")

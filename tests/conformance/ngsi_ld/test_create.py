"""POST /entities (clause 6.4.3.1)."""

from typing import Any

from tests.conformance.ngsi_ld.broker import (
    CONTEXT_LINK,
    CONTEXT_URL,
    LD_JSON,
    ROOT,
    Running,
    problem_of,
)

STATION: dict[str, Any] = {
    "id": "urn:ngsi-ld:AirQualityObserved:phu-cuong",
    "type": "AirQualityObserved",
    "scope": "/BinhDuong/PhuCuong",
    "pm25": {
        "type": "Property",
        "value": 35.5,
        "unitCode": "GQ",
        "observedAt": "2026-11-21T08:00:00Z",
        "accuracy": {"type": "Property", "value": 0.9},
    },
    "name": {"type": "Property", "value": "Phú Cường"},
    "isActive2": {"type": "Property", "value": True},
    "visits": {"type": "Property", "value": 12},
    "big": {"type": "Property", "value": 12345678901234567890},
    "address": {"type": "Property", "value": {"street": "Bạch Đằng", "no": [1, 2]}},
    "operatedBy": {"type": "Relationship", "object": "urn:ngsi-ld:Organization:sonre"},
    "location": {
        "type": "GeoProperty",
        "value": {"type": "Point", "coordinates": [106.65, 10.98]},
    },
    "label": {"type": "LanguageProperty", "languageMap": {"vi": "Trạm", "en": "Station"}},
    "category": {"type": "VocabProperty", "vocab": "traffic"},
    "config": {"type": "JsonProperty", "json": {"a": None, "b": [1]}},
    "steps": {"type": "ListProperty", "valueList": [1, 2, 2]},
    "stops": {
        "type": "ListRelationship",
        "objectList": [{"object": "urn:ngsi-ld:Stop:1"}, {"object": "urn:ngsi-ld:Stop:2"}],
    },
}


async def test_what_was_created_is_retrieved_unchanged(door: Running) -> None:
    answer = await door.create(STATION)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{ROOT}/entities/{STATION['id']}"
    assert answer.content == b""
    assert await door.entity(STATION["id"]) == STATION


async def test_two_instances_with_dataset_ids(door: Running) -> None:
    speed = [
        {"type": "Property", "value": 55},
        {"type": "Property", "value": 54.5, "datasetId": "urn:ngsi-ld:dataset:gps"},
    ]
    await door.create({"id": "urn:ngsi-ld:Vehicle:1", "type": "Vehicle", "speed": speed})
    assert (await door.entity("urn:ngsi-ld:Vehicle:1"))["speed"] == speed


async def test_none_dataset_is_the_default_and_never_comes_back(door: Running) -> None:
    speed = {"type": "Property", "value": 55, "datasetId": "@none"}
    await door.create({"id": "urn:ngsi-ld:Vehicle:1", "type": "Vehicle", "speed": speed})
    found = await door.entity("urn:ngsi-ld:Vehicle:1")
    assert found["speed"] == {"type": "Property", "value": 55}


async def test_concise_form(door: Running) -> None:
    entity = {
        "id": "urn:ngsi-ld:Room:1",
        "type": ["Room", "Place"],
        "temperature": 21.5,
        "tags": ["a", "b"],
        "owner": {"object": "urn:ngsi-ld:Person:1"},
        "location": {"type": "Point", "coordinates": [1, 2]},
        "level": {"value": 3, "unitCode": "MTR"},
    }
    assert (await door.create(entity)).status_code == 201
    found = await door.entity("urn:ngsi-ld:Room:1")
    assert found["type"] == ["Room", "Place"]
    assert found["temperature"] == {"type": "Property", "value": 21.5}
    assert found["tags"] == {"type": "Property", "value": ["a", "b"]}
    assert found["owner"] == {"type": "Relationship", "object": "urn:ngsi-ld:Person:1"}
    assert found["location"]["type"] == "GeoProperty"
    assert found["level"] == {"type": "Property", "value": 3, "unitCode": "MTR"}
    concise = await door.entity("urn:ngsi-ld:Room:1", params={"options": "concise"})
    assert concise == entity


async def test_a_second_one_with_the_same_id_conflicts_and_changes_nothing(door: Running) -> None:
    entity = {"id": "urn:ngsi-ld:Room:1", "type": "Room", "temperature": 21}
    await door.create(entity)
    problem_of(await door.create(entity | {"temperature": 99, "x": 1}), 409, "AlreadyExists")
    found = await door.entity("urn:ngsi-ld:Room:1")
    assert found["temperature"]["value"] == 21
    assert "x" not in found


async def test_a_context_in_the_body_gives_full_names_without_it(door: Running) -> None:
    entity = {"@context": CONTEXT_URL, "id": "urn:x:1", "type": "AirStation", "dust": 7, "pm25": 8}
    assert (await door.create(entity)).status_code == 201
    plain = await door.entity("urn:x:1")
    assert plain["type"] == "https://example.org/city#AirStation"
    assert plain["https://example.org/city#dust"]["value"] == 7
    assert plain["pm25"]["value"] == 8
    short = await door.entity("urn:x:1", headers=CONTEXT_LINK)
    assert (short["type"], short["dust"]["value"]) == ("AirStation", 7)


async def test_a_context_embedded_in_the_body(door: Running) -> None:
    context = [{"dust": "https://example.org/city#dust"}]
    await door.create({"@context": context, "id": "urn:x:1", "type": "T", "dust": 7})
    assert (await door.entity("urn:x:1", headers=CONTEXT_LINK))["dust"]["value"] == 7


WRONG_DATA = [
    ({"type": "Room"}, "id"),
    ({"id": "room", "type": "Room"}, "id"),
    ({"id": "urn:x:1"}, "type"),
    ({"id": "urn:x:1", "type": []}, "type"),
    ({"id": "urn:x:1", "type": "a b"}, "type"),
    ({"id": "urn:x:1", "type": "T", "a b": 1}, "a b"),
    ({"id": "urn:x:1", "type": "T", "a": None}, "a"),
    ({"id": "urn:x:1", "type": "T", "a": {"type": "Property"}}, "a"),
    ({"id": "urn:x:1", "type": "T", "a": {"type": "Property", "value": None}}, "a.value"),
    ({"id": "urn:x:1", "type": "T", "a": {"type": "Property", "value": [1, None]}}, "a.value"),
    ({"id": "urn:x:1", "type": "T", "a": {"type": "Nonsense", "value": 1}}, "a.type"),
    ({"id": "urn:x:1", "type": "T", "a": {"unitCode": "CEL"}}, "a"),
    ({"id": "urn:x:1", "type": "T", "a": {"sub": {"type": "Property", "value": 1}}}, "a"),
    ({"id": "urn:x:1", "type": "T", "a": {"type": "Property", "object": "urn:x:2"}}, "a"),
    ({"id": "urn:x:1", "type": "T", "a": {"type": "Relationship", "object": "x"}}, "a.object"),
    ({"id": "urn:x:1", "type": "T", "a": {"value": 1, "observedAt": "today"}}, "a.observedAt"),
    ({"id": "urn:x:1", "type": "T", "a": {"value": 1, "unitCode": 5}}, "a.unitCode"),
    ({"id": "urn:x:1", "type": "T", "a": {"value": 1, "datasetId": "x"}}, "a.datasetId"),
    ({"id": "urn:x:1", "type": "T", "a": [{"value": 1}, {"value": 2}]}, "datasetId"),
    ({"id": "urn:x:1", "type": "T", "a": "urn:ngsi-ld:null"}, "a"),
    ({"id": "urn:x:1", "type": "T", "a": {"languageMap": {"not a tag": "x"}}}, "a.languageMap"),
    ({"id": "urn:x:1", "type": "T", "a": {"valueList": 5}}, "a.valueList"),
    ({"id": "urn:x:1", "type": "T", "a": {"value": 1, "sub": {"type": "Property"}}}, "a.sub"),
    ({"id": "urn:x:1", "type": "T", "scope": "a b"}, "scope"),
    ({"id": "urn:x:1", "type": "T", "expiresAt": "soon"}, "expiresAt"),
    (
        {"id": "urn:x:1", "type": "T", "g": {"type": "GeoProperty", "value": {"type": "Point"}}},
        "g.value",
    ),
    (
        {"id": "urn:x:1", "type": "T", "g": {"type": "Point", "coordinates": [200, 10]}},
        "g",
    ),
    ([], "object"),
    ("text", "object"),
]


async def test_wrong_data_is_refused_by_place_and_nothing_is_stored(door: Running) -> None:
    for body, place in WRONG_DATA:
        answer = await door.send("POST", "/entities", body)
        assert place in problem_of(answer, 400, "BadRequestData")["detail"], body
    assert (await door.get("/entities/urn:x:1")).status_code == 404
    assert door.hub.rows().num_rows == 0


NOT_JSON = [
    b"",
    b"{",
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": 1e999}',
    b'{"id": "\xff"}',
    b"[" * 100_000,
    b"[" * 500 + b"]" * 500,
    b'{"a":' * 200 + b"1" + b"}" * 200,
]


async def test_what_is_not_json_is_an_invalid_request(door: Running) -> None:
    headers = {"content-type": "application/json"}
    for body in NOT_JSON:
        answer = await door.http.post(f"{ROOT}/entities", content=body, headers=headers)
        problem_of(answer, 400, "InvalidRequest")


async def test_unknown_parameter(door: Running) -> None:
    answer = await door.send("POST", "/entities?page=1", {})
    assert "page" in problem_of(answer, 400, "InvalidRequest")["detail"]


async def test_media_types_and_contexts(door: Running) -> None:
    entity = {"id": "urn:x:1", "type": "T"}
    context = {"@context": CONTEXT_URL}
    headers = {"content-type": "text/plain"}
    assert (await door.send("POST", "/entities", entity, **headers)).status_code == 415
    answer = await door.send("POST", "/entities", entity | context)
    problem_of(answer, 400, "BadRequestData")
    answer = await door.send("POST", "/entities", entity, **{"content-type": LD_JSON})
    problem_of(answer, 400, "BadRequestData")
    answer = await door.create(entity | context, **CONTEXT_LINK)
    problem_of(answer, 400, "BadRequestData")
    answer = await door.create(entity | {"@context": "https://gone.example.org/c.jsonld"})
    problem_of(answer, 504, "LdContextNotAvailable")
    for wrong in (5, "no url", {"a": {"@id": "ex:a", "@context": {}}}, {"a": 7}, {"a": "b:c"}):
        answer = await door.create(entity | {"@context": wrong})
        assert answer.status_code in {400, 201}
        if wrong != {"a": "b:c"}:
            problem_of(answer, 400, "BadRequestData")


async def test_a_body_without_length_is_refused_bare(door: Running) -> None:
    async def pieces() -> Any:
        yield b'{"id": "urn:x:1", "type": "T"}'

    headers = {"content-type": "application/json"}
    answer = await door.http.post(f"{ROOT}/entities", content=pieces(), headers=headers)
    assert (answer.status_code, answer.content) == (411, b"")


async def test_trailing_slash_is_answered(door: Running) -> None:
    answer = await door.send("POST", "/entities/", {"id": "urn:x:1", "type": "T"})
    assert answer.status_code == 201

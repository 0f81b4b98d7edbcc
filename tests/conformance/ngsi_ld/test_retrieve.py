"""GET /entities/{id} and DELETE /entities/{id} (clause 6.5.3)."""

from typing import Any

from tests.conformance.ngsi_ld.broker import (
    CONTEXT_LINK,
    CONTEXT_URL,
    LD_JSON,
    ROOT,
    Running,
    problem_of,
)
from tests.rows import batch

CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld"
GEO_JSON = "application/geo+json"
ROOM: dict[str, Any] = {
    "id": "urn:ngsi-ld:Room:1",
    "type": "Room",
    "temperature": {"value": 21, "unitCode": "CEL", "observedAt": "2026-11-21T08:00:00.5Z"},
    "owner": {"object": "urn:ngsi-ld:Person:1"},
    "label": {"languageMap": {"vi": "Phòng"}},
    "kind": {"vocab": "office"},
    "location": {"type": "Point", "coordinates": [106.5, 11]},
    "level": [{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}],
}
PATH = "/entities/urn:ngsi-ld:Room:1"


async def test_media_type_and_context_of_the_answer(door: Running) -> None:
    await door.create(ROOM)
    for accept in ({}, {"accept": "*/*"}, {"accept": "application/ld+json;q=0.5, */*"}):
        answer = await door.get(PATH, headers={"accept": "*/*", **accept})
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["link"].startswith(f"<{CORE}>; rel=")
        assert "@context" not in answer.json()
    answer = await door.get(PATH, headers={"accept": LD_JSON})
    assert answer.headers["content-type"] == LD_JSON
    assert "link" not in answer.headers
    assert answer.json()["@context"] == CORE
    answer = await door.get(PATH, headers={"accept": LD_JSON, **CONTEXT_LINK})
    assert answer.json()["@context"] == CONTEXT_URL
    answer = await door.get(PATH, headers=CONTEXT_LINK)
    assert answer.headers["link"].startswith(f"<{CONTEXT_URL}>; rel=")


async def test_impossible_accept(door: Running) -> None:
    await door.create(ROOM)
    for accept in ("text/html", "application/json;q=0", "image/*"):
        assert (await door.get(PATH, headers={"accept": accept})).status_code == 406


async def test_simplified(door: Running) -> None:
    await door.create(ROOM)
    expected = {
        "id": "urn:ngsi-ld:Room:1",
        "type": "Room",
        "temperature": 21,
        "owner": "urn:ngsi-ld:Person:1",
        "label": {"languageMap": {"vi": "Phòng"}},
        "kind": {"vocab": "office"},
        "location": {"type": "Point", "coordinates": [106.5, 11]},
        "level": {"dataset": {"@none": 1, "urn:d:1": 2}},
    }
    for params in ({"options": "keyValues"}, {"options": "simplified"}, {"format": "simplified"}):
        assert await door.entity("urn:ngsi-ld:Room:1", params=params) == expected


async def test_system_attributes(door: Running) -> None:
    await door.create(ROOM)
    found = await door.entity("urn:ngsi-ld:Room:1", params={"options": "sysAttrs"})
    assert found["createdAt"].endswith("Z")
    assert found["temperature"]["createdAt"] <= found["temperature"]["modifiedAt"]
    plain = await door.entity("urn:ngsi-ld:Room:1")
    assert "createdAt" not in plain
    assert plain["temperature"]["observedAt"] == "2026-11-21T08:00:00.5Z"


async def test_attributes_are_chosen(door: Running) -> None:
    await door.create(ROOM)
    found = await door.entity("urn:ngsi-ld:Room:1", params={"attrs": "temperature,nothing"})
    assert found.keys() == {"id", "type", "temperature"}
    problem_of(await door.get(PATH, params={"attrs": "nothing"}), 404, "ResourceNotFound")
    problem_of(await door.get(PATH, params={"attrs": "a b"}), 400, "BadRequestData")
    problem_of(await door.get(PATH, params={"attrs": ""}), 400, "BadRequestData")


async def test_as_a_geojson_feature(door: Running) -> None:
    await door.create(ROOM)
    answer = await door.get(PATH, headers={"accept": GEO_JSON}, params={"options": "keyValues"})
    assert answer.headers["content-type"] == GEO_JSON
    feature = answer.json()
    assert (feature["id"], feature["type"]) == ("urn:ngsi-ld:Room:1", "Feature")
    assert feature["geometry"] == {"type": "Point", "coordinates": [106.5, 11]}
    assert feature["properties"]["type"] == "Room"
    assert feature["properties"]["temperature"] == 21
    assert feature["@context"] == CORE
    answer = await door.get(PATH, headers={"accept": GEO_JSON, "prefer": "body=json"})
    assert "@context" not in answer.json()
    assert answer.headers["link"].startswith(f"<{CORE}>")
    answer = await door.get(
        PATH, headers={"accept": GEO_JSON}, params={"geometryProperty": "nothing"}
    )
    assert answer.json()["geometry"] is None


async def test_errors(door: Running) -> None:
    await door.create(ROOM)
    problem_of(await door.get("/entities/urn:ngsi-ld:Room:2"), 404, "ResourceNotFound")
    problem_of(await door.get("/entities/room"), 400, "BadRequestData")
    problem_of(await door.get(PATH, params={"page": "1"}), 400, "InvalidRequest")
    problem_of(await door.get(PATH, params={"options": "pretty"}), 400, "InvalidRequest")
    problem_of(await door.get(PATH, params={"format": "pretty"}), 400, "InvalidRequest")
    problem_of(await door.get(PATH, params={"type": "Car"}), 404, "ResourceNotFound")
    problem_of(await door.get(PATH, params={"type": "(Car"}), 400, "BadRequestData")
    gone = {"link": CONTEXT_LINK["link"].replace("city", "gone")}
    problem_of(await door.get(PATH, headers=gone), 504, "LdContextNotAvailable")
    broken = {"link": "<https://a"}
    problem_of(await door.get(PATH, headers=broken), 400, "BadRequestData")


async def test_ids_with_slashes(door: Running) -> None:
    await door.create({"id": "https://example.org/rooms/1", "type": "Room", "a/b:c": 1} | {})
    await door.create({"id": "https://example.org/rooms/1", "type": "Room"})
    for path in ("https%3A%2F%2Fexample.org%2Frooms%2F1", "https://example.org/rooms/1"):
        assert (await door.get(f"/entities/{path}")).json()["id"] == "https://example.org/rooms/1"


async def test_deletion(door: Running) -> None:
    await door.create(ROOM)
    problem_of(await door.send("DELETE", f"{PATH}?type=Car", None), 404, "ResourceNotFound")
    answer = await door.http.delete(f"{ROOT}{PATH}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-length" not in answer.headers
    problem_of(await door.get(PATH), 404, "ResourceNotFound")
    problem_of(await door.http.delete(f"{ROOT}{PATH}"), 404, "ResourceNotFound")
    assert (await door.create({"id": ROOM["id"], "type": "Hall"})).status_code == 201
    assert await door.entity(ROOM["id"]) == {"id": ROOM["id"], "type": "Hall"}


async def test_core_contexts_are_served(door: Running) -> None:
    for name in ("ngsi-ld-core-context-v1.9.jsonld", "ngsi-ld-core-context-v1.8.jsonld"):
        answer = await door.get(f"/jsonldContexts/{name}")
        assert answer.headers["content-type"] == LD_JSON
        assert answer.json()["@context"]["location"]
    problem_of(await door.get("/jsonldContexts/other.jsonld"), 404, "ResourceNotFound")
    assert door.contexts.loaded == []


async def test_what_a_device_calls_id_or_type_takes_no_members_place(door: Running) -> None:
    """Clause 4.5.1: id, type, scope, value, ... are members; devices know nothing of that."""
    names = ["id", "type", "scope", "value", "createdAt", "unitCode"]
    await door.hub.intake.submit(
        batch(entity="urn:d:1", entity_type="Meter", attribute=names, number=[1.0] * len(names))
    )
    long = [f"ngsi-ld:default-context/{name}" for name in names]
    one = (await door.get("/entities/urn:d:1?sysAttrs=true")).json()
    assert (one["id"], one["type"]) == ("urn:d:1", "Meter")
    assert isinstance(one["createdAt"], str)
    assert one.keys() == {"id", "type", "createdAt", "modifiedAt", *long}
    assert all(one[name]["value"] == 1 for name in long)
    told = (await door.get("/temporal/entities/urn:d:1")).json()
    assert (told["id"], told["type"]) == ("urn:d:1", "Meter")
    known = (await door.get("/attributes")).json()["attributeList"]
    assert known == sorted(long)
    details = (await door.get("/attributes?details=true")).json()
    assert details[0]["id"].startswith("https://uri.etsi.org/ngsi-ld/default-context/")

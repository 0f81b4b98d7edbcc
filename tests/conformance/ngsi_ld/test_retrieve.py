"""GET /entities/{id} and DELETE /entities/{id} (clause 6.5.3)."""

from datetime import timedelta
from typing import Any

from tests.conformance.ngsi_ld.broker import (
    CONTEXT_LINK,
    CONTEXT_URL,
    LD_JSON,
    ROOT,
    Running,
    problem_of,
)
from tests.rows import NOW, batch

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


async def test_a_weight_that_is_none_is_the_default_one(door: Running) -> None:
    """6.3.4, RFC 9110: what cannot be read as a weight leaves the media type acceptable."""
    await door.create(ROOM)
    answer = await door.get(PATH, headers={"accept": f"{LD_JSON};q=much"})
    assert answer.headers["content-type"] == LD_JSON


async def test_times_come_back_as_they_were_written(door: Running) -> None:
    """4.6.4: the representation of what a client provides is preserved."""
    inner = {"value": 1, "observedAt": "2026-01-01T00:00:00.120Z"}
    room = {
        **ROOM,
        "a": {"value": 1, "observedAt": "2026-01-01T00:00:00.000Z", "b": inner},
        "location": {"value": ROOM["location"], "observedAt": "2026-01-01T00:00:00.50Z"},
    }
    await door.create(room)
    found = await door.entity(room["id"])
    assert found["a"]["observedAt"] == "2026-01-01T00:00:00.000Z"
    assert found["a"]["b"]["observedAt"] == "2026-01-01T00:00:00.120Z"
    assert found["location"]["observedAt"] == "2026-01-01T00:00:00.50Z"
    assert found["temperature"]["observedAt"] == ROOM["temperature"]["observedAt"]
    told = {"value": 2, "observedAt": "2026-01-02T00:00:00.0Z"}
    await door.send("PATCH", f"{PATH}/attrs/a", told)
    assert (await door.entity(room["id"]))["a"] == {"type": "Property", "b": found["a"]["b"]} | told
    await door.send("PATCH", PATH, {"a": {"value": 3, "observedAt": "2026-01-03T00:00:00.00Z"}})
    assert (await door.entity(room["id"]))["a"]["observedAt"] == "2026-01-03T00:00:00.00Z"
    stamped = f"{PATH}?observedAt=2026-01-04T00:00:00Z"
    await door.send("PATCH", stamped, {"a": {"value": 4}})
    assert (await door.entity(room["id"]))["a"]["observedAt"] == "2026-01-04T00:00:00Z"


async def test_a_newer_value_of_a_device_has_its_own_time(door: Running) -> None:
    """What a client wrote about an older time is not told of a newer value."""
    await door.hub.intake.submit(batch(entity=ROOM["id"], entity_type="Room", number=1.0))
    told = {"value": 2, "observedAt": "2026-11-22T01:00:01.000Z"}
    await door.send("PATCH", f"{PATH}/attrs/level", told)
    later = NOW + timedelta(minutes=1)
    await door.hub.intake.submit(batch(entity=ROOM["id"], number=3.0, observed_at=later))
    found = (await door.entity(ROOM["id"]))["level"]
    assert (found["value"], found["observedAt"]) == (3, "2026-11-22T01:01:00Z")


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

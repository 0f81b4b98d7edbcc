"""Writing temporal evolutions (clauses 5.6.11 to 5.6.16, 6.18 to 6.22)."""

from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import CONTEXT_LINK, LD_JSON, Running, problem_of

ID = "urn:ngsi-ld:Vehicle:1"
MANY = "/temporal/entities"
PATH = f"{MANY}/{ID}"
DATASET = "urn:ngsi-ld:Dataset:gps"


def _at(minute: int) -> str:
    return f"2026-03-01T12:{minute:02}:00Z"


def _speed(value: Any, minute: int, **more: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, "observedAt": _at(minute), **more}


def _vehicle(**more: Any) -> dict[str, Any]:
    return {"id": ID, "type": "Vehicle", "speed": [_speed(n * 10, n) for n in (1, 2, 3)], **more}


async def _post(door: Running, body: Any = None, **headers: str) -> int:
    answer = await door.send("POST", MANY, body or _vehicle(), **headers)
    assert answer.status_code in {201, 204}, answer.text
    return answer.status_code


async def _get(door: Running, **params: Any) -> dict[str, Any]:
    answer = await door.get(PATH, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _values(instances: list[dict[str, Any]]) -> list[Any]:
    return [instance["value"] for instance in instances]


async def test_an_evolution_is_created_and_added_to(door: Running) -> None:
    """5.6.11: 201 with Location the first time, then 204; instances and types join."""
    answer = await door.send("POST", MANY + "/", _vehicle())
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/ngsi-ld/v1/temporal/entities/{ID}"
    assert answer.content == b""
    found = await _get(door)
    assert (found["id"], found["type"]) == (ID, "Vehicle")
    assert _values(found["speed"]) == [10, 20, 30]
    again = {"id": ID, "type": ["Vehicle", "Truck"], "speed": _speed(40, 4), "name": "x"}
    assert await _post(door, again) == 204
    found = await _get(door)
    assert sorted(found["type"]) == ["Truck", "Vehicle"]
    assert _values(found["speed"]) == [10, 20, 30, 40]
    assert _values(found["name"]) == ["x"]


async def test_the_current_state_is_left_alone(door: Running) -> None:
    await _post(door)
    problem_of(await door.get(f"/entities/{ID}"), 404, "ResourceNotFound")
    assert (await door.get("/entities", params={"type": "Vehicle"})).json() == []
    created = await door.create({"id": ID, "type": "Vehicle", "speed": {"value": 1}})
    assert created.status_code == 201
    await _post(door, {"id": ID, "type": "Vehicle", "speed": [_speed(99, 50)]})
    assert (await door.entity(ID))["speed"]["value"] == 1
    assert sorted(_values((await _get(door))["speed"])) == [1, 10, 20, 30, 99]


async def test_the_same_dataset_and_time_replace(door: Running) -> None:
    await _post(door)
    body = {"id": ID, "type": "Vehicle", "speed": [_speed(21, 2), _speed(5, 2, datasetId=DATASET)]}
    assert await _post(door, body) == 204
    assert sorted(_values((await _get(door))["speed"])) == [5, 10, 21, 30]


async def test_deleted_instances_may_be_part_of_what_is_recorded(door: Running) -> None:
    """5.5.4: urn:ngsi-ld:null stands for deletions in the temporal evolution, and only there."""
    body = _vehicle(
        speed=[_speed(1, 1), _speed("urn:ngsi-ld:null", 2)],
        label={"languageMap": {"@none": "urn:ngsi-ld:null"}, "observedAt": _at(2)},
    )
    await _post(door, body)
    found = await _get(door)
    assert _values(found["speed"]) == [1, "urn:ngsi-ld:null"]
    assert found["label"][0]["languageMap"] == {"@none": "urn:ngsi-ld:null"}
    wrong = _vehicle(id="urn:x:2", expiresAt="urn:ngsi-ld:null")
    problem_of(await door.send("POST", MANY, wrong), 400, "BadRequestData")
    problem_of(await door.get(f"{MANY}/urn:x:2"), 404, "ResourceNotFound")


async def test_every_kind_of_attribute(door: Running) -> None:
    """4.5.7 to 4.5.9: normalized, and as pairs."""
    point = {"type": "Point", "coordinates": [106.7, 10.8]}
    kinds: dict[str, tuple[dict[str, Any], str, Any]] = {
        "p": ({"type": "Property", "value": {"a": [1]}}, "values", {"a": [1]}),
        "r": ({"type": "Relationship", "object": "urn:x:9"}, "objects", "urn:x:9"),
        "g": ({"type": "GeoProperty", "value": point}, "values", point),
        "l": (
            {"type": "LanguageProperty", "languageMap": {"vi": "đỏ", "en": "red"}},
            "languageMaps",
            {"languageMap": {"vi": "đỏ", "en": "red"}},
        ),
        "v": ({"type": "VocabProperty", "vocab": "open"}, "vocabs", {"vocab": "open"}),
        "j": ({"type": "JsonProperty", "json": {"n": None}}, "jsons", {"json": {"n": None}}),
        "s": ({"type": "ListProperty", "valueList": [1, "2"]}, "valueLists", [1, "2"]),
        "o": (
            {"type": "ListRelationship", "objectList": [{"object": "urn:x:1"}]},
            "objectLists",
            ["urn:x:1"],
        ),
    }
    attributes = {n: [{**one, "observedAt": _at(1)}] for n, (one, _, _) in kinds.items()}
    await _post(door, {"id": ID, "type": "Vehicle", **attributes})
    found = await _get(door)
    for name, (one, _, _) in kinds.items():
        [instance] = found[name]
        assert instance.pop("instanceId").startswith("urn:ngsi-ld:Instance:")
        assert instance == {**one, "observedAt": _at(1)}
    simple = await _get(door, format="temporalValues")
    for name, (one, key, value) in kinds.items():
        assert simple[name] == {"type": one["type"], key: [[value, _at(1)]]}
    told = await _get(door, lang="en", pick="l")
    assert {k: told["l"][0][k] for k in ("type", "value", "lang")} == {
        "type": "Property",
        "value": "red",
        "lang": "en",
    }


async def test_names_and_contexts(door: Running) -> None:
    body = {"id": ID, "type": "AirStation", "dust": [_speed(1, 1)]}
    await _post(door, body, **CONTEXT_LINK)
    found = (await door.get(PATH, headers=CONTEXT_LINK)).json()
    assert found.keys() == {"id", "type", "dust"}
    assert "https://example.org/city#dust" in (await _get(door))
    answer = await door.get(PATH, headers={**CONTEXT_LINK, "accept": LD_JSON})
    assert answer.headers["content-type"] == LD_JSON
    assert answer.json()["type"] == "AirStation"
    path = f"{PATH}/attrs/https%3A%2F%2Fexample.org%2Fcity%23dust"
    assert (await door.send("DELETE", path, None)).status_code == 204
    assert (await door.get(PATH, headers=CONTEXT_LINK)).json().keys() == {"id", "type"}


@pytest.mark.parametrize(
    "body",
    [
        {"type": "Vehicle", "speed": [_speed(1, 1)]},
        {"id": ID, "speed": [_speed(1, 1)]},
        {"id": "vehicle-1", "type": "Vehicle"},
        {"id": ID, "type": "Vehicle", "speed": [{"type": "Property"}]},
        {"id": ID, "type": "Vehicle", "speed": [_speed(1, 1, datasetId="x y")]},
        {"id": ID, "type": "Vehicle", "speed": [{"value": 1, "observedAt": "today"}]},
        {"id": ID, "type": "Vehicle", "scope": ["no scope!"]},
        {"id": ID, "type": "Vehicle", "loc": {"type": "GeoProperty", "value": {"type": "Point"}}},
        {"id": ID, "type": "Vehicle", "@context": []},
        [],
        {},
    ],
)
async def test_wrong_evolutions_store_nothing(standing_door: Running, body: Any) -> None:
    problem_of(await standing_door.send("POST", MANY, body), 400, "BadRequestData")
    problem_of(await standing_door.get(PATH), 404, "ResourceNotFound")
    assert standing_door.hub.rows().num_rows == 0


async def test_bodies_that_cannot_be_read(door: Running) -> None:
    async def send(content: str, media: str = "application/json") -> Any:
        url = f"/ngsi-ld/v1{MANY}"
        return await door.http.post(url, content=content, headers={"content-type": media})

    problem_of(await send("{"), 400, "InvalidRequest")
    problem_of(await send("{}", LD_JSON), 400, "BadRequestData")
    assert (await send("{}", "text/plain")).status_code == 415


async def test_attributes_are_added(door: Running) -> None:
    """5.6.12."""
    await _post(door)
    body = {"fuel": [_speed(1, 1), _speed(2, 2)], "type": "Truck"}
    assert (await door.send("POST", f"{PATH}/attrs/", body)).status_code == 204
    found = await _get(door)
    assert _values(found["fuel"]) == [1, 2]
    assert sorted(found["type"]) == ["Truck", "Vehicle"]
    other = f"{MANY}/urn:x:9/attrs"
    problem_of(await door.send("POST", other, body), 404, "ResourceNotFound")
    problem_of(await door.send("POST", f"{MANY}/x/attrs", body), 400, "BadRequestData")
    problem_of(await door.send("POST", f"{MANY}//attrs", body), 400, "BadRequestData")
    problem_of(await door.send("POST", f"{PATH}/attrs", {}), 400, "BadRequestData")


async def test_an_attribute_is_deleted(door: Running) -> None:
    """5.6.13: the default instance, one of a datasetId, or all of them."""
    fuel = [_speed(1, 1), _speed(2, 2), _speed(3, 3, datasetId=DATASET)]
    await _post(door, _vehicle(fuel=fuel))
    path = f"{PATH}/attrs/fuel"
    assert (await door.send("DELETE", path, None)).status_code == 204
    assert _values((await _get(door))["fuel"]) == [3]
    problem_of(await door.send("DELETE", path, None), 404, "ResourceNotFound")
    one = await door.send("DELETE", f"{path}?datasetId={DATASET}", None)
    assert one.status_code == 204
    assert "fuel" not in await _get(door)
    await _post(door, _vehicle(fuel=fuel))
    assert _values((await _get(door))["fuel"]) == [1, 2, 3]
    assert (await door.send("DELETE", f"{path}?deleteAll=true", None)).status_code == 204
    assert (await _get(door)).keys() == {"id", "type", "speed"}
    problem_of(await door.send("DELETE", f"{PATH}/attrs/none", None), 404, "ResourceNotFound")
    problem_of(
        await door.send("DELETE", f"{MANY}/urn:x:9/attrs/fuel", None), 404, "ResourceNotFound"
    )
    for wrong in ("a(b", "%2e%2e", "%252e%252e", "%2e"):
        problem_of(await door.send("DELETE", f"{PATH}/attrs/{wrong}", None), 400, "BadRequestData")
    problem_of(await door.send("DELETE", f"{path}?datasetId=x", None), 400, "BadRequestData")
    assert _values((await _get(door))["speed"]) == [10, 20, 30]


async def test_an_instance_is_modified_and_keeps_its_id(door: Running) -> None:
    """5.6.14: createdAt stays, modifiedAt does not."""
    await _post(door)
    before = (await _get(door, options="sysAttrs"))["speed"][0]
    path = f"{PATH}/attrs/speed/{before['instanceId']}"
    answer = await door.send("PATCH", path, _speed(129, 1, unitCode="KMH"))
    assert answer.status_code == 204, answer.text
    after = (await _get(door, options="sysAttrs"))["speed"][0]
    assert (after["value"], after["unitCode"], after["observedAt"]) == (129, "KMH", _at(1))
    assert (after["instanceId"], after["createdAt"]) == (before["instanceId"], before["createdAt"])
    assert after["modifiedAt"] > before["modifiedAt"]
    assert set(after) - set(before) == {"unitCode"}
    wrapped = {"speed": [{"value": 130, "observedAt": _at(1)}]}
    assert (await door.send("PATCH", path, wrapped)).status_code == 204
    assert _values((await _get(door))["speed"]) == [130, 20, 30]


async def test_an_instance_may_move(door: Running) -> None:
    await _post(door)
    first = (await _get(door))["speed"][0]["instanceId"]
    path = f"{PATH}/attrs/speed/{first}"
    for minute, dataset in ((5, {}), (0, {"datasetId": DATASET}), (1, {})):
        body = _speed(minute, minute, **dataset)
        assert (await door.send("PATCH", path, body)).status_code == 204
        speeds = (await _get(door))["speed"]
        assert sorted(_values(speeds)) == sorted([minute, 20, 30])
        [moved] = [one for one in speeds if one["instanceId"] == first]
        assert moved["observedAt"] == _at(minute)
    timeless = await door.send("PATCH", path, {"value": "no time"})
    assert timeless.status_code == 204
    assert _values((await _get(door))["speed"]) == ["no time", 20, 30]
    assert (await door.send("DELETE", path, None)).status_code == 204
    assert _values((await _get(door))["speed"]) == [20, 30]


async def test_instances_without_a_time_have_ids_too(door: Running) -> None:
    await _post(door, {"id": ID, "type": "Vehicle", "name": ["a", "b"]})
    await door.send("POST", f"{PATH}/attrs", {"name": {"value": "c"}})
    ids = [one["instanceId"] for one in (await _get(door))["name"]]
    for text in ("d", "e"):
        answer = await door.send("PATCH", f"{PATH}/attrs/name/{ids[0]}", {"value": text})
        assert answer.status_code == 204, answer.text
    names = (await _get(door))["name"]
    assert sorted(_values(names)) == ["c", "e"]
    assert sorted(one["instanceId"] for one in names) == sorted(ids)
    assert (await door.send("DELETE", f"{PATH}/attrs/name/{ids[0]}", None)).status_code == 204
    assert _values((await _get(door))["name"]) == ["c"]


async def test_an_instance_is_deleted(door: Running) -> None:
    """5.6.15."""
    await _post(door)
    await _post(door, {"id": ID, "type": "Vehicle", "speed": [_speed(22, 2)]})
    ids = [one["instanceId"] for one in (await _get(door))["speed"]]
    path = f"{PATH}/attrs/speed"
    assert (await door.send("DELETE", f"{path}/{ids[1]}", None)).status_code == 204
    assert _values((await _get(door))["speed"]) == [10, 30]
    problem_of(await door.send("DELETE", f"{path}/{ids[1]}", None), 404, "ResourceNotFound")
    unknown = "urn:ngsi-ld:Instance:0-99-5"
    for method, body in (("DELETE", None), ("PATCH", _speed(1, 1))):
        problem_of(await door.send(method, f"{path}/{unknown}", body), 404, "ResourceNotFound")
        problem_of(await door.send(method, f"{path}/urn:x:1", body), 404, "ResourceNotFound")
        problem_of(await door.send(method, f"{path}/nothing", body), 400, "BadRequestData")
        other = f"{MANY}/urn:x:9/attrs/speed/{ids[0]}"
        problem_of(await door.send(method, other, body), 404, "ResourceNotFound")
        none = f"{PATH}/attrs/fuel/{ids[0]}"
        problem_of(await door.send(method, none, body), 404, "ResourceNotFound")
    problem_of(await door.send("PATCH", f"{path}/{ids[0]}", {}), 400, "BadRequestData")
    problem_of(await door.send("PATCH", f"{path}/{ids[0]}", {"speed": []}), 400, "BadRequestData")
    assert _values((await _get(door))["speed"]) == [10, 30]


async def test_an_evolution_is_deleted(door: Running) -> None:
    """5.6.16: everything that was recorded; the current state stays."""
    await _post(door)
    assert (await door.send("DELETE", PATH, None)).status_code == 204
    problem_of(await door.get(PATH), 404, "ResourceNotFound")
    problem_of(await door.send("DELETE", PATH, None), 404, "ResourceNotFound")
    assert await _post(door) == 201
    assert _values((await _get(door))["speed"]) == [10, 20, 30]
    await door.create({"id": ID, "type": "Vehicle", "speed": {"value": 5}})
    assert (await door.send("DELETE", PATH, None)).status_code == 204
    assert (await door.entity(ID))["speed"]["value"] == 5
    problem_of(await door.get(PATH), 404, "ResourceNotFound")
    await door.send("PATCH", f"/entities/{ID}/attrs", {"speed": {"value": 6}})
    assert _values((await _get(door))["speed"]) == [6]
    problem_of(await door.send("DELETE", f"{MANY}/x", None), 400, "BadRequestData")
    problem_of(await door.send("DELETE", f"{MANY}/", None), 400, "BadRequestData")


async def test_deletions_through_the_core_api_are_told(door: Running) -> None:
    """4.5.7: a deleted Property leaves an instance with deletedAt."""
    entity = {
        "id": ID,
        "type": "Vehicle",
        "speed": {"value": 1, "observedAt": _at(1)},
        "label": {"languageMap": {"en": "x"}},
    }
    await door.create(entity)
    for name in ("speed", "label"):
        assert (await door.send("DELETE", f"/entities/{ID}/attrs/{name}", None)).status_code == 204
    gone = await _get(door, timeproperty="deletedAt")
    assert gone["speed"][0]["value"] == "urn:ngsi-ld:null"
    assert gone["label"][0]["languageMap"] == {"@none": "urn:ngsi-ld:null"}
    assert gone["speed"][0].keys() == {"type", "value", "instanceId", "deletedAt"}
    pairs = await _get(door, timeproperty="deletedAt", format="temporalValues")
    assert pairs["speed"]["values"] == [["urn:ngsi-ld:null", gone["speed"][0]["deletedAt"]]]
    assert pairs["label"]["languageMaps"][0][0] == {"languageMap": {"@none": "urn:ngsi-ld:null"}}
    assert _values((await _get(door))["speed"]) == [1, "urn:ngsi-ld:null"]
    later = await _get(
        door, timeproperty="deletedAt", timerel="after", timeAt="2099-01-01T00:00:00Z"
    )
    assert later.keys() == {"id", "type"}


async def test_an_attribute_that_was_only_recorded_ends_too(door: Running) -> None:
    await _post(door, _vehicle(scope=["/a", "/b"]))
    for name in ("speed", "scope"):
        assert (await door.send("DELETE", f"/entities/{ID}/attrs/{name}", None)).status_code == 204
    gone = await _get(door, timeproperty="deletedAt")
    assert gone["speed"][0]["value"] == "urn:ngsi-ld:null"
    assert gone["scope"][0]["value"] == []
    assert gone["scope"][0].keys() == {"type", "value", "deletedAt"}
    pairs = await _get(door, timeproperty="deletedAt", options="temporalValues")
    assert pairs["scope"] == {"type": "Property", "values": [[[], gone["scope"][0]["deletedAt"]]]}
    path = f"/entities/{ID}/attrs/other"
    problem_of(await door.send("DELETE", path, None), 404, "ResourceNotFound")


async def test_scopes_have_an_evolution(door: Running) -> None:
    """4.5.6: set by the core API, observedAt is modifiedAt."""
    await door.create({"id": ID, "type": "Vehicle", "scope": "/old"})
    await door.send("POST", f"/entities/{ID}/attrs", {"scope": ["/new", "/b"]})
    scopes = (await _get(door, options="sysAttrs"))["scope"]
    assert _values(scopes) == ["/old", ["/new", "/b"]]
    assert all(one["observedAt"] == one["modifiedAt"] == one["createdAt"] for one in scopes)
    await _post(door, _vehicle(scope=[{"value": "/p", "observedAt": _at(1)}]))
    assert _values((await _get(door))["scope"]) == ["/p", "/old", ["/new", "/b"]]
    assert (await door.entity(ID))["scope"] == ["/new", "/b"]

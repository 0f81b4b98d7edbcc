"""PUT /entities/{id} and .../attrs/{attribute} (clauses 5.6.18, 5.6.19, 6.5.3.3, 6.7.3.3)."""

from typing import Any

from tests.conformance.ngsi_ld.broker import CONTEXT_LINK, Running, problem_of

ID = "urn:ngsi-ld:Room:1"
PATH = f"/entities/{ID}"
NULL = "urn:ngsi-ld:null"
SYSTEM = {"params": {"options": "sysAttrs"}}


async def _room(door: Running, **attributes: Any) -> None:
    answer = await door.create({"id": ID, "type": "Room", **attributes})
    assert answer.status_code == 201, answer.text


async def test_all_content_is_replaced_and_the_time_of_creation_stays(door: Running) -> None:
    await _room(door, a=1, b={"value": 1, "datasetId": "urn:d:1"}, scope="/a")
    before = await door.entity(ID, **SYSTEM)
    body = {"id": ID, "type": "Hall", "a": "x", "c": 3}
    answer = await door.send("PUT", PATH, body)
    assert (answer.status_code, answer.content) == (204, b"")
    after = await door.entity(ID, **SYSTEM)
    assert after["type"] == "Hall"
    assert after.keys() == {"id", "type", "createdAt", "modifiedAt", "a", "c"}
    assert after["createdAt"] == before["createdAt"]
    assert after["a"]["createdAt"] == before["a"]["createdAt"]
    assert after["modifiedAt"] > before["modifiedAt"]
    answer = await door.send("PUT", f"{PATH}/", {"type": "Hall", "scope": ["/b", "/c"]})
    assert answer.status_code == 204
    found = await door.entity(ID)
    assert found == {"id": ID, "type": "Hall", "scope": ["/b", "/c"]}


async def test_an_entity_is_replaced_under_its_type_only(door: Running) -> None:
    await _room(door, a=1)
    body = {"type": "Room", "a": 2}
    problem_of(await door.send("PUT", f"{PATH}?type=Car", body), 404, "ResourceNotFound")
    assert (await door.send("PUT", f"{PATH}?type=Room", body)).status_code == 204
    assert (await door.entity(ID))["a"]["value"] == 2


async def test_wrong_replacements_change_nothing(door: Running) -> None:
    await _room(door, a=1)
    send = door.send
    for body in ({"a": 2}, {"type": "Room", "a": NULL}, {"type": "Room", "id": "urn:x:2"}, []):
        problem_of(await send("PUT", PATH, body), 400, "BadRequestData")
    problem_of(await send("PUT", "/entities/urn:x:2", {"type": "Room"}), 404, "ResourceNotFound")
    problem_of(await send("PUT", "/entities/nonsense", {"type": "Room"}), 400, "BadRequestData")
    problem_of(await send("PUT", "/entities/", {"type": "Room"}), 400, "BadRequestData")
    problem_of(await send("PUT", f"{PATH}?foo=1", {"type": "Room"}), 400, "InvalidRequest")
    assert (await door.entity(ID))["a"]["value"] == 1


async def test_one_instance_of_an_attribute_is_replaced_whole(door: Running) -> None:
    await _room(
        door,
        a=[
            {"value": 1, "unitCode": "CEL", "note": "x"},
            {"value": 2, "datasetId": "urn:d:1"},
        ],
    )
    before = (await door.entity(ID, **SYSTEM))["a"][0]
    answer = await door.send("PUT", f"{PATH}/attrs/a", {"value": 5})
    assert (answer.status_code, answer.content) == (204, b"")
    first, second = (await door.entity(ID, **SYSTEM))["a"]
    assert first.keys() == {"type", "value", "createdAt", "modifiedAt"}
    assert (first["value"], first["createdAt"]) == (5, before["createdAt"])
    assert second["value"] == 2
    body = {"type": "Relationship", "object": "urn:x:1", "datasetId": "urn:d:1"}
    assert (await door.send("PUT", f"{PATH}/attrs/a/", body)).status_code == 204
    assert (await door.entity(ID))["a"][1] == body


async def test_names_of_replaced_attributes_are_expanded(door: Running) -> None:
    answer = await door.create({"id": ID, "type": "Room", "dust": 1}, **CONTEXT_LINK)
    assert answer.status_code == 201
    body = {"value": 2}
    problem_of(await door.send("PUT", f"{PATH}/attrs/dust", body), 404, "ResourceNotFound")
    answer = await door.send("PUT", f"{PATH}/attrs/dust", body, **CONTEXT_LINK)
    assert answer.status_code == 204
    assert (await door.entity(ID, headers=CONTEXT_LINK))["dust"]["value"] == 2


async def test_wrong_attributes_change_nothing(door: Running) -> None:
    await _room(door, a=1, scope="/a")
    send = door.send
    for name, body in (
        ("scope", {"scope": "/b"}),
        ("@invalid", {"value": 1}),
        ("observedAt", {"value": 1}),
        ("a", {}),
        ("a", [1]),
        ("a", {"type": "Property"}),
        ("a", {"value": NULL}),
        ("a", {"value": 1, "datasetId": "no uri"}),
    ):
        problem_of(await send("PUT", f"{PATH}/attrs/{name}", body), 400, "BadRequestData")
    for path in (
        f"{PATH}/attrs/zz",
        "/entities/urn:x:2/attrs/a",
        f"{PATH}/attrs/a?type=Car",
    ):
        problem_of(await send("PUT", path, {"value": 1}), 404, "ResourceNotFound")
    body = {"value": 1, "datasetId": "urn:d:9"}
    problem_of(await send("PUT", f"{PATH}/attrs/a", body), 404, "ResourceNotFound")
    assert (await door.entity(ID))["a"] == {"type": "Property", "value": 1}

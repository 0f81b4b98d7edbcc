"""POST and PATCH /entities/{id}/attrs, PATCH and DELETE .../attrs/{attribute} (6.6, 6.7)."""

from typing import Any

from tests.conformance.ngsi_ld.broker import CONTEXT_LINK, ROOT, Running, problem_of
from tests.rows import batch, minutes_ago

ID = "urn:ngsi-ld:Room:1"
ATTRS = f"/entities/{ID}/attrs"
JSON = {"content-type": "application/json"}
NULL = "urn:ngsi-ld:null"
DEFAULT = "https://uri.etsi.org/ngsi-ld/default-context/"


async def _room(door: Running, **attributes: Any) -> None:
    answer = await door.create({"id": ID, "type": "Room", **attributes})
    assert answer.status_code == 201, answer.text


async def test_append_adds_and_overwrites(door: Running) -> None:
    await _room(door, a=1, b=2)
    answer = await door.send("POST", ATTRS, {"b": 3, "c": {"object": "urn:x:1"}, "type": "Hall"})
    assert (answer.status_code, answer.content) == (204, b"")
    found = await door.entity(ID, params={"options": "keyValues"})
    assert found == {"id": ID, "type": ["Room", "Hall"], "a": 1, "b": 3, "c": "urn:x:1"}


async def test_append_without_overwriting(door: Running) -> None:
    await _room(door, a=1)
    answer = await door.send("POST", f"{ATTRS}/?options=noOverwrite", {"a": 9, "c": 3})
    assert answer.status_code == 207
    body = answer.json()
    assert body["updated"] == [f"{DEFAULT}c"]
    assert [part["attributeName"] for part in body["notUpdated"]] == [f"{DEFAULT}a"]
    assert body["notUpdated"][0]["reason"]
    found = await door.entity(ID, params={"options": "keyValues"})
    assert (found["a"], found["c"]) == (1, 3)


async def test_append_touches_only_its_dataset(door: Running) -> None:
    await _room(door, a=[{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}])
    await door.send("POST", ATTRS, {"a": {"value": 5, "datasetId": "urn:d:1"}})
    values = [part["value"] for part in (await door.entity(ID))["a"]]
    assert values == [1, 5]


async def test_update_replaces_whole_and_adds_missing(door: Running) -> None:
    await _room(door, a={"value": 1, "unitCode": "CEL", "note": "x"}, b=2)
    answer = await door.send("PATCH", ATTRS, {"a": {"value": 5}, "c": 7})
    assert answer.status_code == 204
    found = await door.entity(ID)
    assert found["a"] == {"type": "Property", "value": 5}
    assert found["b"]["value"] == 2
    assert found["c"]["value"] == 7


async def test_update_deletes_with_null_and_reports_what_is_not_there(door: Running) -> None:
    await _room(door, a=1, b=2, label={"languageMap": {"vi": "x"}})
    body = {"a": NULL, "label": {"type": "LanguageProperty", "languageMap": {"@none": NULL}}}
    assert (await door.send("PATCH", ATTRS, body)).status_code == 204
    assert (await door.entity(ID)).keys() == {"id", "type", "b"}
    answer = await door.send("PATCH", ATTRS, {"zz": NULL, "b": 3, "scope": "/a"})
    assert answer.status_code == 207
    assert answer.json()["updated"] == [f"{DEFAULT}b"]
    names = {p["attributeName"] for p in answer.json()["notUpdated"]}
    assert names == {f"{DEFAULT}zz", "https://uri.etsi.org/ngsi-ld/scope"}


async def test_an_older_observation_becomes_current_when_it_is_assigned(door: Running) -> None:
    await _room(door, a={"value": 1, "observedAt": "2026-11-21T08:00:00Z"})
    body = {"a": {"value": 2, "observedAt": "2026-11-21T07:00:00Z"}}
    assert (await door.send("PATCH", ATTRS, body)).status_code == 204
    assert (await door.entity(ID))["a"]["value"] == 2
    body = {"a": {"value": 1, "observedAt": "2026-11-21T08:00:00Z"}}
    assert (await door.send("PATCH", ATTRS, body)).status_code == 204
    assert (await door.entity(ID))["a"]["value"] == 1


async def test_partial_update_leaves_the_other_members(door: Running) -> None:
    await _room(
        door, a={"value": 1, "unitCode": "CEL", "note": "x", "observedAt": "2026-11-21T08:00:00Z"}
    )
    answer = await door.send("PATCH", f"{ATTRS}/a", {"value": 5, "by": {"object": "urn:x:1"}})
    assert answer.status_code == 204, answer.text
    found = (await door.entity(ID))["a"]
    assert (found["value"], found["unitCode"], found["note"]["value"]) == (5, "CEL", "x")
    assert found["by"] == {"type": "Relationship", "object": "urn:x:1"}
    await door.send("PATCH", f"{ATTRS}/a/", {"type": "Property", "unitCode": NULL, "note": NULL})
    found = (await door.entity(ID))["a"]
    assert found.keys() == {"type", "value", "observedAt", "by"}
    merge = {"content-type": "application/merge-patch+json"}
    assert (await door.send("PATCH", f"{ATTRS}/a", {"value": NULL}, **merge)).status_code == 204
    assert "a" not in await door.entity(ID)


async def test_partial_update_of_one_dataset(door: Running) -> None:
    await _room(door, a=[{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}])
    body = {"value": 5, "datasetId": "urn:d:1"}
    assert (await door.send("PATCH", f"{ATTRS}/a", body)).status_code == 204
    assert [part["value"] for part in (await door.entity(ID))["a"]] == [1, 5]
    body = {"value": 5, "datasetId": "urn:d:2"}
    problem_of(await door.send("PATCH", f"{ATTRS}/a", body), 404, "ResourceNotFound")


async def test_names_are_expanded_with_the_context(door: Running) -> None:
    await _room(door, a=1)
    answer = await door.send("POST", ATTRS, {"dust": 4}, **CONTEXT_LINK)
    assert answer.status_code == 204
    iri = "https://example.org/city#dust"
    assert (await door.entity(ID))[iri]["value"] == 4
    assert (await door.send("PATCH", f"{ATTRS}/dust", {"value": 5}, **CONTEXT_LINK)).is_success
    assert (await door.entity(ID, headers=CONTEXT_LINK))["dust"]["value"] == 5
    path = f"{ROOT}{ATTRS}/https%3A%2F%2Fexample.org%2Fcity%23dust"
    assert (await door.http.delete(path)).status_code == 204
    assert iri not in await door.entity(ID)


async def test_deletion_of_instances(door: Running) -> None:
    await _room(door, a=[{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}], b=1, c=1)
    delete = door.http.delete
    assert (await delete(f"{ROOT}{ATTRS}/a?datasetId=urn:d:1")).status_code == 204
    assert (await door.entity(ID))["a"]["value"] == 1
    problem_of(await delete(f"{ROOT}{ATTRS}/a?datasetId=urn:d:1"), 404, "ResourceNotFound")
    assert (await delete(f"{ROOT}{ATTRS}/a")).status_code == 204
    problem_of(await delete(f"{ROOT}{ATTRS}/a"), 404, "ResourceNotFound")
    problem_of(await delete(f"{ROOT}{ATTRS}/b?deleteAll=yes"), 400, "BadRequestData")
    problem_of(await delete(f"{ROOT}{ATTRS}/b?datasetId=x"), 400, "BadRequestData")
    await door.send("POST", ATTRS, {"b": {"value": 2, "datasetId": "urn:d:1"}})
    assert (await delete(f"{ROOT}{ATTRS}/b?deleteAll=true")).status_code == 204
    assert (await door.entity(ID)).keys() == {"id", "type", "c"}


async def test_errors(door: Running) -> None:
    await _room(door, a=1)
    send = door.send
    nobody = "/entities/urn:ngsi-ld:Room:2/attrs"
    for method, path, body in (
        ("POST", nobody, {"a": 1}),
        ("PATCH", nobody, {"a": 1}),
        ("PATCH", f"{nobody}/a", {"value": 1}),
        ("PATCH", f"{ATTRS}/zz", {"value": 1}),
        ("DELETE", f"{nobody}/a", None),
        ("POST", f"{ATTRS}?type=Car", {"a": 1}),
        ("PATCH", f"{ATTRS}/a?type=Car", {"value": 1}),
    ):
        problem_of(await send(method, path, body, **JSON), 404, "ResourceNotFound")
    for method, path, body in (
        ("POST", ATTRS, {}),
        ("POST", ATTRS, {"a": NULL}),
        ("POST", ATTRS, {"id": "urn:other:1", "a": 1}),
        ("POST", f"{ATTRS}?options=overwrite", {"a": 1}),
        ("PATCH", ATTRS, []),
        ("PATCH", ATTRS, {"a": None}),
        ("PATCH", f"{ATTRS}/a", {}),
        ("PATCH", f"{ATTRS}/a", [1]),
        ("PATCH", f"{ATTRS}/a", {"type": "Relationship", "object": "urn:x:1"}),
        ("PATCH", f"{ATTRS}/a", {"object": "urn:x:1"}),
        ("PATCH", f"{ATTRS}/a b", {"value": 1}),
    ):
        answer = await send(method, path, body, **JSON)
        problem_of(answer, 400, "BadRequestData")
    problem_of(await send("PATCH", f"{ATTRS}?foo=1", {"a": 1}), 400, "InvalidRequest")
    assert (await send("PATCH", ATTRS, {"a": 2}, **{"content-type": "text/csv"})).status_code == 415
    assert (await door.entity(ID))["a"]["value"] == 1


async def test_a_system_changes_what_a_device_measures_and_does_not_take_it(door: Running) -> None:
    """Clients of this door keep entities, so the series of a device are no secret from them."""

    async def measured(minute: int) -> int:
        rows = batch(entity=ID, attribute="a", number=1.0, observed_at=minutes_ago(-minute))
        return (await door.hub.intake.submit(rows)).stored

    assert await measured(0) == 1
    answer = await door.send("PATCH", f"{ATTRS}/a", {"type": "Property", "value": 7})
    assert answer.status_code == 204, answer.text
    assert (await door.entity(ID, params={"options": "keyValues"}))["a"] == 7
    assert await measured(1) == 1
    answer = await door.send("DELETE", f"{ATTRS}/a", None)
    assert answer.status_code == 204, answer.text

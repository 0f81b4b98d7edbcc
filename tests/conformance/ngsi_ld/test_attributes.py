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
    answer = await send("POST", f"{ATTRS}?options=overwrite", {"a": 1}, **JSON)
    problem_of(answer, 400, "InvalidRequest")
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


async def test_scopes_are_added_where_nothing_is_overwritten(door: Running) -> None:
    """Clause 5.6.3.4."""
    await _room(door, scope="/a")
    answer = await door.send("POST", f"{ATTRS}?options=noOverwrite", {"scope": ["/b", "/a"]})
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await door.entity(ID))["scope"] == ["/a", "/b"]
    assert (await door.send("POST", ATTRS, {"scope": "/c"})).status_code == 204
    assert (await door.entity(ID))["scope"] == "/c"


async def test_a_scope_is_updated_only_where_there_is_one(door: Running) -> None:
    """Clause 5.6.2.4."""
    await _room(door, scope="/a")
    assert (await door.send("PATCH", ATTRS, {"scope": "/b", "type": "Hall"})).status_code == 204
    found = await door.entity(ID)
    assert (found["scope"], found["type"]) == ("/b", ["Room", "Hall"])
    assert (await door.send("PATCH", ATTRS, {"scope": NULL})).status_code == 204
    answer = await door.send("PATCH", ATTRS, {"scope": "/c"})
    assert (answer.status_code, answer.json()["updated"]) == (207, [])
    assert "scope" not in await door.entity(ID)


async def test_a_scope_is_deleted_and_never_partially_updated(door: Running) -> None:
    """Clauses 5.6.4.4 and 5.6.5.4."""
    await _room(door, scope=["/a", "/b"])
    answer = await door.send("PATCH", f"{ATTRS}/scope", {"value": "/c"})
    problem_of(answer, 400, "BadRequestData")
    assert (await door.http.delete(f"{ROOT}{ATTRS}/scope")).status_code == 204
    assert (await door.entity(ID)).keys() == {"id", "type"}
    problem_of(await door.http.delete(f"{ROOT}{ATTRS}/scope"), 404, "ResourceNotFound")


async def test_update_by_dataset(door: Running) -> None:
    """Clause 5.6.2.4: another datasetId is another instance; null deletes one."""
    await _room(door, a={"value": 25, "unitCode": "CEL"})
    body = {"a": {"value": 30, "datasetId": "urn:d:1", "note": NULL, "unitCode": NULL}}
    assert (await door.send("PATCH", ATTRS, body)).status_code == 204
    assert [part["value"] for part in (await door.entity(ID))["a"]] == [25, 30]
    body = {"a": [{"value": NULL}, {"object": "urn:x:1", "datasetId": "urn:d:1"}]}
    assert (await door.send("PATCH", ATTRS, body)).status_code == 204
    found = (await door.entity(ID))["a"]
    assert found == {"type": "Relationship", "object": "urn:x:1", "datasetId": "urn:d:1"}


async def test_the_kind_changes_in_an_update_only(door: Running) -> None:
    await _room(door, a=1, g={"type": "Point", "coordinates": [1, 2]}, p={"value": {"x": 1}})
    assert (await door.send("PATCH", ATTRS, {"a": {"object": "urn:x:1"}})).status_code == 204
    assert (await door.entity(ID))["a"]["type"] == "Relationship"
    for name, body in (
        ("a", {"value": 1}),
        ("a", {"type": "Property"}),
        ("g", {"value": 5}),
        ("p", {"languageMap": {"en": "x"}}),
    ):
        problem_of(await door.send("PATCH", f"{ATTRS}/{name}", body), 400, "BadRequestData")
    body = {"value": {"type": "Point", "coordinates": [3, 4]}}
    assert (await door.send("PATCH", f"{ATTRS}/g", body)).status_code == 204
    assert (await door.entity(ID))["g"]["value"]["coordinates"] == [3, 4]


async def test_nulls_of_a_partial_update(door: Running) -> None:
    """Clauses 5.5.4 and 5.5.8: members go; a value is replaced whole; a datasetId never goes."""
    await _room(door, a={"value": {"street": "x", "country": "y"}, "s": {"value": 1, "t": 2}})
    for body in ({"value": {"country": NULL}}, {"datasetId": NULL}, {"type": NULL}):
        problem_of(await door.send("PATCH", f"{ATTRS}/a", body), 400, "BadRequestData")
    body = {"value": {"city": "z"}, "s": {"value": 3}, "r": {"type": "Property", "value": NULL}}
    assert (await door.send("PATCH", f"{ATTRS}/a", body)).status_code == 204
    found = (await door.entity(ID))["a"]
    assert found["value"] == {"city": "z"}
    assert found["s"] == {"type": "Property", "value": 3}
    assert "r" not in found
    body = {"s": {"type": "Property", "value": NULL}}
    assert (await door.send("PATCH", f"{ATTRS}/a", body)).status_code == 204
    assert (await door.entity(ID))["a"].keys() == {"type", "value"}


async def test_partial_update_of_every_kind(door: Running) -> None:
    values: dict[str, Any] = {
        "r": ("object", "urn:x:1", "urn:x:2"),
        "l": ("languageMap", {"en": "x"}, {"vi": "y"}),
        "v": ("vocab", "x", "y"),
        "j": ("json", {"a": None}, [{"b": 1}]),
        "m": ("valueList", [1], [2, 3]),
        "n": ("objectList", [{"object": "urn:x:1"}], [{"object": "urn:x:2"}]),
    }
    await _room(door, **{n: {key: old, "note": "kept"} for n, (key, old, _) in values.items()})
    for name, (key, _, new) in values.items():
        answer = await door.send("PATCH", f"{ATTRS}/{name}", {key: new})
        assert answer.status_code == 204, answer.text
    found = await door.entity(ID)
    for name, (key, _, new) in values.items():
        assert (found[name][key], found[name]["note"]["value"]) == (new, "kept")

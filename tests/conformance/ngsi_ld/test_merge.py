"""PATCH /entities/{id}: Merge Entity (clauses 5.6.17, 5.5.12 and 6.5.3.4)."""

from typing import Any

from tests.conformance.ngsi_ld.broker import (
    CONTEXT_LINK,
    CONTEXT_URL,
    LD_JSON,
    Running,
    problem_of,
)

ID = "urn:ngsi-ld:Room:1"
PATH = f"/entities/{ID}"
NULL = "urn:ngsi-ld:null"
AT = "2026-11-21T08:00:00Z"
LATER = "2026-11-21T09:00:00Z"


async def _room(door: Running, **attributes: Any) -> None:
    answer = await door.create({"id": ID, "type": "Room", **attributes})
    assert answer.status_code == 201, answer.text


async def _merge(door: Running, body: Any, query: str = "", **headers: str) -> dict[str, Any]:
    answer = await door.send("PATCH", f"{PATH}{query}", body, **headers)
    assert (answer.status_code, answer.content) == (204, b""), answer.text
    return await door.entity(ID)


async def test_members_that_are_not_given_stay(door: Running) -> None:
    """Clause 5.5.12, example 1."""
    await _room(door, t={"value": 25, "unitCode": "CEL", "observedAt": AT}, other=1)
    found = await _merge(door, {"t": {"type": "Property", "value": 100, "observedAt": LATER}})
    assert found["t"] == {
        "type": "Property",
        "value": 100,
        "unitCode": "CEL",
        "observedAt": LATER,
    }
    assert found["other"]["value"] == 1


async def test_a_value_is_merged_to_any_depth(door: Running) -> None:
    """Clause 5.5.12, example 2, and RFC 7396: arrays are replaced."""
    value = {"street": "a", "city": "b", "country": "c", "geo": {"x": 1, "y": [1, 2]}}
    await _room(door, address={"type": "Property", "value": value})
    change = {"street": "d", "country": NULL, "geo": {"x": NULL, "y": [3], "z": {"n": NULL}}}
    found = await _merge(door, {"address": {"type": "Property", "value": change}})
    expected = {"street": "d", "city": "b", "geo": {"y": [3], "z": {}}}
    assert found["address"]["value"] == expected


async def test_missing_attributes_are_appended(door: Running) -> None:
    await _room(door, a=1)
    body = {
        "b": 2,
        "c": {"object": "urn:x:1"},
        "d": {"value": 3, "datasetId": "urn:d:1", "note": NULL},
        "e": {"value": {"x": 1, "gone": NULL}},
        "location": {"type": "Point", "coordinates": [1, 2]},
    }
    found = await _merge(door, body)
    assert found["a"]["value"] == 1
    assert found["b"] == {"type": "Property", "value": 2}
    assert found["c"] == {"type": "Relationship", "object": "urn:x:1"}
    assert found["d"] == {"type": "Property", "value": 3, "datasetId": "urn:d:1"}
    assert found["e"] == {"type": "Property", "value": {"x": 1}}
    assert found["location"]["type"] == "GeoProperty"


async def test_null_deletes_attributes_of_every_kind(door: Running) -> None:
    """Clauses 4.5.0 and 4.5.18.2: each kind has its own null."""
    attributes: dict[str, Any] = {
        "p": 1,
        "q": 1,
        "r": {"object": "urn:x:1"},
        "location": {"type": "Point", "coordinates": [1, 2]},
        "l": {"languageMap": {"en": "x"}},
        "v": {"vocab": "x"},
        "j": {"json": {"x": 1}},
        "m": {"valueList": [1]},
        "n": {"objectList": ["urn:x:1"]},
        "stays": 1,
    }
    await _room(door, **attributes)
    body = {
        "p": NULL,
        "q": {"type": "Property", "value": NULL},
        "r": {"type": "Relationship", "object": NULL},
        "location": {"type": "GeoProperty", "value": NULL},
        "l": {"type": "LanguageProperty", "languageMap": {"@none": NULL}},
        "v": {"vocab": NULL},
        "j": {"json": NULL},
        "m": {"valueList": [NULL]},
        "n": {"objectList": [{"object": NULL}]},
        "never_was": NULL,
    }
    assert (await _merge(door, body)).keys() == {"id", "type", "stays"}


async def test_an_instance_is_found_by_its_dataset(door: Running) -> None:
    await _room(door, a=[{"value": 1, "unitCode": "CEL"}, {"value": 2, "datasetId": "urn:d:1"}])
    found = await _merge(door, {"a": {"value": 3, "datasetId": "urn:d:1"}})
    assert [part["value"] for part in found["a"]] == [1, 3]
    found = await _merge(door, {"a": [{"value": 4}, {"value": NULL, "datasetId": "urn:d:1"}]})
    assert found["a"] == {"type": "Property", "value": 4, "unitCode": "CEL"}


async def test_members_alone_and_their_deletion(door: Running) -> None:
    """A fragment may hold nothing but the members to be changed (clause 5.4)."""
    await _room(
        door, a={"value": 1, "unitCode": "CEL", "observedAt": AT, "by": {"object": "urn:x:1"}}
    )
    found = await _merge(door, {"a": {"unitCode": "FAH", "note": "x"}})
    assert (found["a"]["value"], found["a"]["unitCode"]) == (1, "FAH")
    assert found["a"]["note"] == {"type": "Property", "value": "x"}
    body = {"a": {"type": "Property", "unitCode": NULL, "by": NULL, "observedAt": NULL}}
    found = await _merge(door, body)
    assert found["a"].keys() == {"type", "value", "note"}


async def test_sub_attributes_are_merged(door: Running) -> None:
    sub = {"value": {"x": 1, "y": 2}, "unitCode": "CEL", "deep": {"value": 1, "deeper": 2}}
    await _room(door, a={"value": 1, "sub": sub})
    change = {"sub": {"value": {"x": NULL}, "deep": {"deeper": NULL, "other": "z"}}}
    found = (await _merge(door, {"a": change}))["a"]
    assert found["value"] == 1
    assert found["sub"]["value"] == {"y": 2}
    assert found["sub"]["unitCode"] == "CEL"
    assert found["sub"]["deep"]["other"]["value"] == "z"
    assert "deeper" not in found["sub"]["deep"]


async def test_types_scope_and_expiry(door: Running) -> None:
    await _room(door, scope="/a", expiresAt="2999-01-01T00:00:00Z", b=1)
    found = await _merge(door, {"type": ["Hall", "Room"], "scope": ["/b", "/c"]})
    assert (found["type"], found["scope"]) == (["Room", "Hall"], ["/b", "/c"])
    found = await _merge(door, {"scope": NULL, "expiresAt": NULL, "type": "Room"})
    assert found.keys() == {"id", "type", "b"}
    assert (await _merge(door, {"scope": "/z"}))["scope"] == "/z"


async def test_an_entity_without_attributes_changes_nothing(door: Running) -> None:
    await _room(door, a=1)
    before = await door.entity(ID, params={"options": "sysAttrs"})
    await _merge(door, {"id": ID, "type": "Room"})
    assert await door.entity(ID, params={"options": "sysAttrs"}) == before


async def test_parameter_observed_at_stamps_what_had_a_time(door: Running) -> None:
    """Clause 5.6.17.4: not where the fragment has a time of its own, nor where there was none."""
    await _room(door, a={"value": 1, "observedAt": AT}, b=1, c={"value": 1, "observedAt": AT})
    own = "2026-11-21T08:30:00Z"
    body = {"a": 2, "b": 2, "c": {"value": 2, "observedAt": own}, "d": 2}
    found = await _merge(door, body, f"?observedAt={LATER}")
    assert found["a"] == {"type": "Property", "value": 2, "observedAt": LATER}
    assert found["b"] == {"type": "Property", "value": 2}
    assert found["c"]["observedAt"] == own
    assert found["d"] == {"type": "Property", "value": 2}


async def test_parameter_lang_names_the_language_of_strings(door: Running) -> None:
    await _room(door, l={"languageMap": {"en": "x", "vi": "y"}}, s="text")
    found = await _merge(door, {"l": "z", "s": "new"}, "?lang=en")
    assert found["l"]["languageMap"] == {"en": "z", "vi": "y"}
    assert found["s"]["value"] == "new"
    body = {"l": {"type": "LanguageProperty", "languageMap": ["a", "b"]}}
    found = await _merge(door, body, "?lang=fr")
    assert found["l"]["languageMap"] == {"en": "z", "vi": "y", "fr": ["a", "b"]}
    found = await _merge(door, {"l": {"languageMap": {"fr": NULL}}})
    assert found["l"]["languageMap"] == {"en": "z", "vi": "y"}
    answer = await door.send("PATCH", PATH, {"l": "z"})
    problem_of(answer, 400, "BadRequestData")


async def test_the_simplified_form_keeps_the_types(door: Running) -> None:
    """Clause 4.5.4: each value is of the kind of the attribute that is there."""
    await _room(
        door,
        p={"value": {"x": 1, "y": 2}, "unitCode": "CEL"},
        r={"object": "urn:x:1"},
        g={"type": "GeoProperty", "value": {"type": "Point", "coordinates": [1, 2]}},
        l={"languageMap": {"en": "x"}},
        v={"vocab": "one"},
        j={"json": {"a": 1}},
        m={"valueList": [1]},
        n={"objectList": ["urn:x:1"]},
        d=[{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}],
        gone=1,
    )
    body = {
        "id": ID,
        "type": "Room",
        "p": {"x": 3},
        "r": "urn:x:2",
        "g": {"type": "Point", "coordinates": [3, 4]},
        "l": {"languageMap": {"vi": "y"}},
        "v": {"vocab": "two"},
        "j": {"json": {"b": 2}},
        "m": [2, 3],
        "n": ["urn:x:2", "urn:x:3"],
        "d": {"dataset": {"@none": 5, "urn:d:2": 6}},
        "fresh": {"type": "Car", "value": 5},
        "gone": NULL,
    }
    for query in ("?format=simplified", "?options=keyValues"):
        found = await _merge(door, body, query)
        assert found["p"] == {"type": "Property", "value": {"x": 3, "y": 2}, "unitCode": "CEL"}
        assert found["r"] == {"type": "Relationship", "object": "urn:x:2"}
        assert found["g"]["value"]["coordinates"] == [3, 4]
        assert found["l"]["languageMap"] == {"en": "x", "vi": "y"}
        assert found["v"]["vocab"] == "two"
        assert found["j"]["json"] == {"a": 1, "b": 2}
        assert found["m"]["valueList"] == [2, 3]
        assert found["n"]["objectList"] == [{"object": "urn:x:2"}, {"object": "urn:x:3"}]
        assert [part["value"] for part in found["d"]] == [5, 2, 6]
        assert found["fresh"] == {"type": "Property", "value": {"type": "Car", "value": 5}}
        assert "gone" not in found
    answer = await door.send("PATCH", f"{PATH}?format=simplified", {"r": "no uri"})
    problem_of(answer, 400, "BadRequestData")


async def test_names_are_expanded(door: Running) -> None:
    await _room(door, dust=1)
    await _merge(door, {"dust": 2}, **CONTEXT_LINK)
    found = await door.entity(ID, headers=CONTEXT_LINK)
    assert found["dust"]["value"] == 2
    assert found["ngsi-ld:default-context/dust"]["value"] == 1
    body = {"dust": NULL, "@context": CONTEXT_URL}
    await _merge(door, body, **{"content-type": LD_JSON})
    assert (await door.entity(ID)).keys() == {"id", "type", "dust"}
    await _merge(door, {"dust": 3}, **{"content-type": "application/merge-patch+json"})
    assert (await door.entity(ID))["dust"]["value"] == 3


async def test_a_merge_patch_carries_no_context(door: Running) -> None:
    """Clause 6.3.5: what is no application/ld+json has its @context in a Link header."""
    await _room(door, a=1)
    merge = {"content-type": "application/merge-patch+json"}
    body = {"a": {"value": 2}, "@context": CONTEXT_URL}
    for path in (PATH, f"{PATH}/attrs"):
        answer = await door.send("PATCH", path, body, **merge)
        problem_of(answer, 400, "BadRequestData")
    body = {"value": 2, "@context": CONTEXT_URL}
    problem_of(await door.send("PATCH", f"{PATH}/attrs/a", body, **merge), 400, "BadRequestData")
    assert (await door.entity(ID))["a"]["value"] == 1


async def test_what_is_refused_changes_nothing(door: Running) -> None:
    await _room(door, a=1, r={"object": "urn:x:1"}, o={"value": {"x": [1]}})
    before = await door.entity(ID, params={"options": "sysAttrs"})
    for body in (
        {"a": 2, "r": {"type": "Property", "value": 1}},
        {"a": 2, "r": 5},
        {"a": None},
        {"a": {"type": "Nonsense", "value": 1}},
        {"a": 2, "new": {"unitCode": "CEL"}},
        {"a": {"value": 2, "datasetId": NULL}},
        {"a": {"value": 2, "type": NULL}},
        {"o": {"value": {"x": [NULL]}}},
        {"o": {"value": {"x": None}}},
        {"type": NULL},
        {"id": "urn:ngsi-ld:Room:2", "a": 2},
        {"scope": "a b"},
        {"a b": 2},
        {"createdAt": {"value": 1}},
        [],
        "x",
    ):
        problem_of(await door.send("PATCH", PATH, body), 400, "BadRequestData")
    for query in ("observedAt=today", "lang=a b"):
        answer = await door.send("PATCH", f"{PATH}?{query}", {"a": 2})
        problem_of(answer, 400, "BadRequestData")
    for query in ("format=concise2", "options=sysAttrs2"):
        assert (await door.send("PATCH", f"{PATH}?{query}", {"a": 2})).status_code == 400
    problem_of(await door.send("PATCH", f"{PATH}?foo=1", {"a": 2}), 400, "InvalidRequest")
    answer = await door.send("PATCH", f"{PATH}?type=Car", {"a": 2})
    problem_of(answer, 404, "ResourceNotFound")
    answer = await door.send("PATCH", "/entities/urn:x:none", {"a": 2})
    problem_of(answer, 404, "ResourceNotFound")
    problem_of(await door.send("PATCH", "/entities/nonsense", {"a": 2}), 400, "BadRequestData")
    for path in ("/entities", "/entities/"):
        problem_of(await door.send("PATCH", path, {"a": 2}), 400, "BadRequestData")
    answer = await door.send("PATCH", PATH, {"a": 2}, **{"content-type": "text/plain"})
    assert answer.status_code == 415
    assert await door.entity(ID, params={"options": "sysAttrs"}) == before


async def test_wrong_data_come_before_an_entity_that_is_missing(door: Running) -> None:
    """Clause 5.6.17.4."""
    problem_of(
        await door.send("PATCH", PATH, {"a": {"type": "X", "value": 1}}), 400, "BadRequestData"
    )
    problem_of(await door.send("PATCH", PATH, {"a": 1}), 404, "ResourceNotFound")


async def test_every_change_is_in_the_history(door: Running) -> None:
    await _room(door, a={"value": 1, "observedAt": AT})
    await _merge(door, {"a": {"value": 2, "observedAt": LATER}})
    answer = await door.get(f"/temporal{PATH}", params={"options": "temporalValues"})
    assert answer.json()["a"]["values"] == [[1, AT], [2, LATER]]

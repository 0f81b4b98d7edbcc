"""How the entities of a notification are written (clauses 5.2.14, 5.3.1, 5.8.6)."""

from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import ROOT
from tests.conformance.ngsi_ld.subscriber import ROOM, Subscribed

NULL = "urn:ngsi-ld:null"
PARIS = "urn:ngsi-ld:City:Paris"
FRANCE = "urn:ngsi-ld:Country:France"
POINT = {"type": "Point", "coordinates": [105.85, 21.03]}
KINDS: dict[str, dict[str, Any]] = {
    "prop": {"type": "Property", "value": 1},
    "geo": {"type": "GeoProperty", "value": POINT},
    "lang": {"type": "LanguageProperty", "languageMap": {"vi": "nóng", "en": "hot"}},
    "rel": {"type": "Relationship", "object": PARIS},
    "vocab": {"type": "VocabProperty", "vocab": "monument"},
    "json": {"type": "JsonProperty", "json": {"id": "x", "type": "y", "none": None}},
    "list": {"type": "ListProperty", "valueList": [1, 2]},
}
CHANGED: dict[str, dict[str, Any]] = {
    "prop": {"type": "Property", "value": 2},
    "geo": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [1, 2]}},
    "lang": {"type": "LanguageProperty", "languageMap": {"vi": "ấm"}},
    "rel": {"type": "Relationship", "object": "urn:ngsi-ld:City:Hue"},
    "vocab": {"type": "VocabProperty", "vocab": "museum"},
    "json": {"type": "JsonProperty", "json": {"id": "z"}},
    "list": {"type": "ListProperty", "valueList": [3]},
}
VALUE_KEY = {
    "prop": "value",
    "geo": "value",
    "lang": "languageMap",
    "rel": "object",
    "vocab": "vocab",
    "json": "json",
    "list": "valueList",
}


def previous_key(kind: str) -> str:
    key = VALUE_KEY[kind]
    return f"previous{key[0].upper()}{key[1:]}"


async def told(desk: Subscribed) -> dict[str, Any]:
    """The only entity of the next notification."""
    found = await desk.receiver.next()
    (entity,) = found.data
    assert isinstance(entity, dict)
    return entity


async def drop(desk: Subscribed, attribute: str, **parameters: str) -> None:
    path = f"{ROOT}/entities/{ROOM}/attrs/{attribute}"
    answer = await desk.http.delete(path, params=parameters)
    assert answer.status_code == 204, answer.text


@pytest.mark.parametrize("kind", KINDS)
async def test_previous_values(desk: Subscribed, kind: str) -> None:
    """5.2.14: showChanges gives the value before, only of what was modified."""
    await desk.room(a=KINDS[kind], b=1)
    await desk.subscribe(notification={"showChanges": True})
    await desk.patch(a=CHANGED[kind])
    found = await told(desk)
    assert found["a"] == {**CHANGED[kind], previous_key(kind): KINDS[kind][VALUE_KEY[kind]]}
    assert found["b"] == {"type": "Property", "value": 1}


async def test_no_previous_value_of_what_is_new(desk: Subscribed) -> None:
    """5.2.14: not in the case of creations."""
    await desk.subscribe(notification={"showChanges": True})
    await desk.room(a=1)
    assert (await told(desk))["a"] == {"type": "Property", "value": 1}
    await desk.patch(b=2)
    assert (await told(desk))["b"] == {"type": "Property", "value": 2}


async def test_previous_values_in_the_concise_form(desk: Subscribed) -> None:
    await desk.room(a=1)
    await desk.subscribe(notification={"showChanges": True, "format": "concise"})
    await desk.patch(a=2)
    assert (await told(desk))["a"] == {"value": 2, "previousValue": 1}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_deleted_attribute(desk: Subscribed, kind: str) -> None:
    """5.8.6: the null marker under the member of the value; a language map holds it."""
    await desk.room(a=KINDS[kind], b=1)
    await desk.subscribe(notificationTrigger=["attributeDeleted"])
    await drop(desk, "a")
    key = VALUE_KEY[kind]
    null = {"@none": NULL} if kind == "lang" else NULL
    wanted = {"type": KINDS[kind]["type"], key: null}
    found = await told(desk)
    assert found == {"id": ROOM, "type": "Room", "a": wanted, "b": {"type": "Property", "value": 1}}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_deleted_attribute_with_what_it_was(desk: Subscribed, kind: str) -> None:
    """5.8.6: with showChanges the previous value is there too."""
    await desk.room(a=KINDS[kind])
    members = {"notificationTrigger": ["attributeDeleted"]}
    await desk.subscribe(**members, notification={"showChanges": True})
    await drop(desk, "a")
    found = await told(desk)
    assert found["a"][previous_key(kind)] == KINDS[kind][VALUE_KEY[kind]]


async def test_a_deleted_attribute_in_the_simplified_form(desk: Subscribed) -> None:
    """5.8.6: only the name and the null marker."""
    await desk.room(a=KINDS["lang"], b=1)
    members = {"notificationTrigger": ["attributeDeleted"]}
    await desk.subscribe(**members, notification={"format": "keyValues"})
    await drop(desk, "a")
    assert await told(desk) == {"id": ROOM, "type": "Room", "a": NULL, "b": 1}


SETS = [
    {"type": "Property", "value": "tower"},
    {"type": "Property", "value": "Turm", "datasetId": "urn:d:de"},
    {"type": "Property", "value": "tour", "datasetId": "urn:d:fr"},
]


async def test_a_deleted_instance(desk: Subscribed) -> None:
    """5.8.6: with its datasetId, beside the instances that stay."""
    await desk.room(a=SETS)
    await desk.subscribe(notificationTrigger=["attributeDeleted"])
    await drop(desk, "a", datasetId="urn:d:fr")
    gone = {"type": "Property", "datasetId": "urn:d:fr", "value": NULL}
    assert (await told(desk))["a"] == [*SETS[:2], gone]


async def test_a_deleted_instance_in_the_simplified_form(desk: Subscribed) -> None:
    await desk.room(a=SETS)
    members = {"notificationTrigger": ["attributeDeleted"]}
    await desk.subscribe(**members, notification={"format": "keyValues"})
    await drop(desk, "a", datasetId="urn:d:fr")
    values = {"@none": "tower", "urn:d:de": "Turm", "urn:d:fr": NULL}
    assert (await told(desk))["a"] == {"dataset": values}


async def test_all_instances_deleted(desk: Subscribed) -> None:
    """5.8.6: nothing of the attribute is left, one marker says so."""
    await desk.room(a=SETS, b=1)
    await desk.subscribe(notificationTrigger=["attributeDeleted"])
    await drop(desk, "a", deleteAll="true")
    assert (await told(desk))["a"] == {"type": "Property", "value": NULL}


async def test_system_attributes_of_a_deleted_attribute(desk: Subscribed) -> None:
    """5.2.14: in the case of a deletion also deletedAt."""
    await desk.room(a=1, b=1)
    members = {"notificationTrigger": ["attributeDeleted"]}
    await desk.subscribe(**members, notification={"sysAttrs": True})
    await drop(desk, "a")
    found = await told(desk)
    assert found["a"].keys() == {"type", "value", "createdAt", "modifiedAt", "deletedAt"}
    assert found.keys() == {"id", "type", "createdAt", "modifiedAt", "a", "b"}


async def test_a_deleted_entity(desk: Subscribed) -> None:
    """5.8.6: id, type and deletedAt, no more."""
    await desk.room(a=1, scope="/x")
    await desk.subscribe(notificationTrigger=["entityDeleted"])
    await desk.send("DELETE", f"/entities/{ROOM}", None)
    found = await told(desk)
    assert found.keys() == {"id", "type", "deletedAt"}
    assert (found["id"], found["type"]) == (ROOM, "Room")
    assert found["deletedAt"].endswith("Z")


async def test_a_deleted_entity_with_system_attributes(desk: Subscribed) -> None:
    await desk.room(a=1, b=2)
    members = {"notificationTrigger": ["attributeDeleted"], "watchedAttributes": ["a"]}
    await desk.subscribe(**members, notification={"sysAttrs": True})
    await desk.send("DELETE", f"/entities/{ROOM}", None)
    found = await told(desk)
    assert found.keys() == {"id", "type", "createdAt", "modifiedAt", "deletedAt", "a"}
    assert found["a"].keys() == {"type", "value", "createdAt", "modifiedAt", "deletedAt"}
    assert found["a"]["value"] == NULL


async def test_a_deleted_entity_deletes_its_attributes(desk: Subscribed) -> None:
    """5.8.6: watched attributes are told as deleted."""
    await desk.room(a=1, b=2)
    members = {"notificationTrigger": ["attributeDeleted"], "watchedAttributes": ["a"]}
    await desk.subscribe(**members)
    await desk.send("DELETE", f"/entities/{ROOM}", None)
    found = await told(desk)
    assert found.keys() == {"id", "type", "deletedAt", "a"}
    assert found["a"] == {"type": "Property", "value": NULL}


async def test_a_deleted_entity_with_what_it_was(desk: Subscribed) -> None:
    """5.8.6: showChanges gives every attribute with its previous value."""
    await desk.room(**{f"my_{kind}": attribute for kind, attribute in KINDS.items()})
    members = {"notificationTrigger": ["entityDeleted"]}
    await desk.subscribe(**members, notification={"showChanges": True})
    await desk.send("DELETE", f"/entities/{ROOM}", None)
    found = await told(desk)
    assert found.keys() == {"id", "type", "deletedAt", *(f"my_{kind}" for kind in KINDS)}
    for kind, attribute in KINDS.items():
        key = VALUE_KEY[kind]
        wanted = {"type": attribute["type"], key: NULL, previous_key(kind): attribute[key]}
        assert found[f"my_{kind}"] == wanted


async def test_created_again_is_new(desk: Subscribed) -> None:
    await desk.room(a=1)
    await desk.send("DELETE", f"/entities/{ROOM}", None)
    await desk.subscribe(notificationTrigger=["entityCreated"], notification={"showChanges": True})
    await desk.room(a=1)
    assert (await told(desk))["a"] == {"type": "Property", "value": 1}


@pytest.mark.parametrize(
    ("notification", "wanted"),
    [
        ({"format": "concise"}, {"id": ROOM, "type": "Room", "a": 2, "b": {"object": PARIS}}),
        ({"format": "simplified"}, {"id": ROOM, "type": "Room", "a": 2, "b": PARIS}),
        ({"format": "keyValues", "attributes": ["b"]}, {"id": ROOM, "type": "Room", "b": PARIS}),
        ({"format": "keyValues", "pick": ["id", "a"]}, {"id": ROOM, "a": 2}),
        ({"format": "keyValues", "omit": ["type", "b"]}, {"id": ROOM, "a": 2}),
    ],
    ids=str,
)
async def test_format_and_projection(
    desk: Subscribed, notification: dict[str, Any], wanted: dict[str, Any]
) -> None:
    """5.2.14: format, attributes, pick, omit."""
    await desk.room(a=1, b=KINDS["rel"])
    await desk.subscribe(notification=notification)
    await desk.patch(a=2)
    assert await told(desk) == wanted


async def test_system_attributes(desk: Subscribed) -> None:
    """5.2.14: sysAttrs; not there when it is false."""
    await desk.room(a=1)
    await desk.subscribe(notification={"sysAttrs": True})
    await desk.subscribe(notification={"sysAttrs": False})
    await desk.patch(a=2)
    with_them, without = (one.data[0] for one in await desk.receiver.until(2))
    if "createdAt" not in with_them:
        with_them, without = without, with_them
    assert {"createdAt", "modifiedAt"} <= with_them.keys()
    assert {"createdAt", "modifiedAt"} <= with_them["a"].keys()
    assert without == {"id": ROOM, "type": "Room", "a": {"type": "Property", "value": 2}}


async def test_instances_by_dataset(desk: Subscribed) -> None:
    """5.8.6: only instances of the wanted datasetId."""
    await desk.room(a=SETS, b=1)
    await desk.subscribe(datasetId=["urn:d:fr"])
    await desk.patch(b=2)
    assert await told(desk) == {"id": ROOM, "type": "Room", "a": SETS[2]}


async def test_language(desk: Subscribed) -> None:
    """4.15: one language, which is named."""
    await desk.room(a=KINDS["lang"], b=1)
    await desk.subscribe(lang="vi")
    await desk.patch(b=2)
    assert (await told(desk))["a"] == {"type": "Property", "value": "nóng", "lang": "vi"}


async def _linked(desk: Subscribed) -> None:
    country = {"type": "Relationship", "object": FRANCE}
    await desk.create({"id": FRANCE, "type": "Country", "name": "France"})
    await desk.create({"id": PARIS, "type": "City", "isIn": country, "name": "Paris"})
    await desk.room(a=1, b=KINDS["rel"])


async def test_linked_entities_beside(desk: Subscribed) -> None:
    """4.5.23: join flat adds the linked entities to data."""
    await _linked(desk)
    await desk.subscribe(notification={"join": "flat"})
    await desk.patch(a=2)
    found = await desk.receiver.next()
    assert [one["id"] for one in found.data] == [ROOM, PARIS]
    assert found.data[1]["name"] == {"type": "Property", "value": "Paris"}


async def test_linked_entities_of_shown_attributes(desk: Subscribed) -> None:
    """4.5.23 with notification.attributes: the reduced entity leads to others, they are whole."""
    await _linked(desk)
    await desk.subscribe(notification={"join": "flat", "joinLevel": 2, "attributes": ["b"]})
    await desk.patch(a=2)
    found = (await desk.receiver.next()).data
    assert [one["id"] for one in found] == [ROOM, PARIS, FRANCE]
    assert found[0].keys() == {"id", "type", "b"}
    await desk.subscribe(notification={"join": "flat", "attributes": ["a"]})
    await desk.patch(a=3)
    both = [one.data for one in await desk.receiver.until(2)]
    assert sorted(len(data) for data in both) == [1, 3]


async def test_linked_entities_inside(desk: Subscribed) -> None:
    """4.5.23: join inline puts them into the relationship, level by level."""
    await _linked(desk)
    await desk.subscribe(notification={"join": "inline", "joinLevel": 2})
    await desk.patch(a=2)
    found = await told(desk)
    city = found["b"]["entity"]
    assert (found["b"]["object"], city["id"], city["type"]) == (PARIS, PARIS, "City")
    assert city["isIn"]["entity"]["name"] == {"type": "Property", "value": "France"}


async def test_linked_entities_inside_in_the_simplified_form(desk: Subscribed) -> None:
    await _linked(desk)
    await desk.subscribe(notification={"join": "inline", "format": "simplified"})
    await desk.patch(a=2)
    city = {"id": PARIS, "type": "City", "isIn": FRANCE, "name": "Paris"}
    assert (await told(desk))["b"] == city

"""Which changes are notified, and to whom (clauses 5.3.1, 5.8.6, 6.3.8)."""

from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import CONTEXT_LINK, CONTEXT_URL, LD_JSON
from tests.conformance.ngsi_ld.subscriber import ROOM, Subscribed
from tests.rows import batch, minutes_ago

NULL = "urn:ngsi-ld:null"
HANOI = {"type": "Point", "coordinates": [105.85, 21.03]}
HANOI_GEO = {"geometry": "Point", "coordinates": [105.85, 21.04]}


async def test_a_change_is_notified_with_the_entity(desk: Subscribed) -> None:
    """5.3.1: id, type, subscriptionId, notifiedAt, data; 5.8.6: JSON with a Link by default."""
    await desk.room(temperature=20, name="hall")
    number = await desk.subscribe()
    await desk.patch(temperature=21.5)
    found = await desk.receiver.next()
    assert found.headers["content-type"] == "application/json"
    assert found.headers["link"].startswith("<https://uri.etsi.org/ngsi-ld/v1/")
    assert found.body["id"].startswith("urn:ngsi-ld:Notification:")
    assert found.body["type"] == "Notification"
    assert found.body["subscriptionId"] == number
    assert found.body["notifiedAt"].endswith("Z")
    assert found.data == [
        {
            "id": ROOM,
            "type": "Room",
            "name": {"type": "Property", "value": "hall"},
            "temperature": {"type": "Property", "value": 21.5},
        }
    ]
    await desk.receiver.nothing()


async def test_a_new_entity_is_notified_once(desk: Subscribed) -> None:
    """5.2.12: by default attributes that are created or updated."""
    await desk.subscribe()
    await desk.room(temperature=20, name="hall")
    assert (await desk.receiver.next()).data[0]["id"] == ROOM
    await desk.receiver.nothing()


async def test_the_same_value_again_is_no_change(desk: Subscribed) -> None:
    """5.8.6: a change is a value different than the existing one; its members count."""
    await desk.room(temperature=20)
    await desk.subscribe()
    await desk.patch(temperature=20)
    await desk.receiver.nothing()
    await desk.patch(temperature={"value": 20, "unitCode": "CEL"})
    await desk.receiver.next()
    await desk.patch(temperature={"value": 20, "unitCode": "CEL"})
    await desk.receiver.nothing()


async def test_what_happened_before_is_not_told(desk: Subscribed) -> None:
    await desk.room(temperature=20)
    await desk.subscribe()
    await desk.receiver.nothing()


async def test_telemetry_of_other_doors_is_notified(desk: Subscribed) -> None:
    """One truth: a device that sends a value changes the entity too."""
    await desk.subscribe(entities=[{"type": "WaterObserved"}])
    entity = "urn:ngsi-ld:WaterObserved:1"

    def sent(level: float, minutes: int) -> Any:
        return batch(
            entity=[entity],
            entity_type="WaterObserved",
            attribute=["level"],
            number=[level],
            observed_at=[minutes_ago(minutes)],
        )

    await desk.hub.intake.submit(sent(1.5, 5))
    first = await desk.receiver.next()
    assert first.data[0]["level"]["value"] == 1.5
    assert "observedAt" in first.data[0]["level"]
    await desk.hub.intake.submit(sent(1.7, 2))
    assert (await desk.receiver.next()).data[0]["level"]["value"] == 1.7
    await desk.hub.intake.submit(sent(1.6, 4))  # late: it does not become the current value
    await desk.receiver.nothing()


@pytest.mark.parametrize(
    ("selector", "is_told"),
    [
        ({"type": "Room"}, True),
        ({"type": "*"}, True),
        ({"type": "Hall"}, False),
        ({"type": "Hall|Room"}, True),
        ({"type": "Hall,(Room;Heated)"}, True),
        ({"type": "Room;Cold"}, False),
        ({"type": "Room", "id": ROOM}, True),
        ({"type": "Room", "id": ["urn:x:2", ROOM]}, True),
        ({"type": "Room", "id": "urn:x:2"}, False),
        ({"type": "Hall", "id": ROOM}, False),
        ({"type": "Room", "idPattern": "Room:[0-9]$"}, True),
        ({"type": "Room", "idPattern": "Room:[a-z]$"}, False),
        ({"type": "Room", "id": ROOM, "idPattern": "nothing"}, True),
    ],
    ids=str,
)
async def test_selectors(desk: Subscribed, selector: dict[str, Any], is_told: bool) -> None:
    """5.2.33: type selection, ids, pattern; an id takes precedence over a pattern."""
    made = await desk.create({"id": ROOM, "type": ["Room", "Heated"], "a": 1})
    assert made.status_code == 201
    await desk.subscribe(entities=[{"type": "Never"}, selector])
    await desk.patch(a=2)
    if is_told:
        await desk.receiver.next()
    else:
        await desk.receiver.nothing()


@pytest.mark.parametrize(
    ("members", "is_told"),
    [
        ({"q": "a==2"}, True),
        ({"q": "a>1;name"}, True),
        ({"q": "a>2|missing"}, False),
        ({"q": "!missing"}, True),
        ({"q": "!a"}, False),
        ({"q": 'name=="big%20hall"'}, True),
        ({"q": 'name~="^big"'}, True),
        ({"q": "detail[size.deep]==3"}, True),
        ({"q": "detail.accuracy<0.5"}, True),
        ({"q": "detail.accuracy>0.5"}, False),
        ({"scopeQ": "/Hanoi/#"}, True),
        ({"scopeQ": "/Hanoi"}, False),
        ({"scopeQ": "/+/BaDinh"}, True),
        ({"scopeQ": "/Hue,(/#;/Hanoi/BaDinh)"}, True),
        ({"geoQ": {"georel": "near;maxDistance==2000", **HANOI_GEO}}, True),
        ({"geoQ": {"georel": "near;minDistance==2000", **HANOI_GEO}}, False),
    ],
    ids=str,
)
async def test_queries(desk: Subscribed, members: dict[str, Any], is_told: bool) -> None:
    """4.9, 4.10, 4.19: only entities that match are told."""
    await desk.room(
        a=1,
        name="big hall",
        location=HANOI,
        scope="/Hanoi/BaDinh",
        detail={
            "type": "Property",
            "value": {"size": {"deep": 3}},
            "accuracy": {"type": "Property", "value": 0.2},
        },
    )
    await desk.subscribe(**members)
    await desk.patch(a=2)
    if is_told:
        await desk.receiver.next()
    else:
        await desk.receiver.nothing()


async def test_watched_attributes(desk: Subscribed) -> None:
    """5.2.12: only changes of these are told, with the whole entity."""
    await desk.room(a=1, b=1)
    document = desk.document(watchedAttributes=["a"])
    del document["entities"]
    assert (await desk.post(document)).status_code == 201
    await desk.patch(b=2)
    await desk.receiver.nothing()
    await desk.patch(a=2)
    assert (await desk.receiver.next()).data[0].keys() == {"id", "type", "a", "b"}


TRIGGERS: list[tuple[str, dict[str, bool]]] = [
    ("entityCreated", {"create": True}),
    ("attributeCreated", {"create": True, "append": True}),
    ("attributeUpdated", {"update": True}),
    ("attributeDeleted", {"drop": True, "delete": True}),
    ("entityDeleted", {"delete": True}),
    ("entityUpdated", {"create": True, "append": True, "update": True, "drop": True,
                       "delete": True}),
]  # fmt: skip


@pytest.mark.parametrize(("trigger", "told"), TRIGGERS, ids=[t for t, _ in TRIGGERS])
async def test_triggers(desk: Subscribed, trigger: str, told: dict[str, bool]) -> None:
    """5.2.12: which kinds of change make a notification."""
    await desk.subscribe(notificationTrigger=[trigger])

    async def check(step: str) -> None:
        if told.get(step):
            assert (await desk.receiver.next()).data[0]["id"] == ROOM, step
        else:
            await desk.receiver.nothing(0.08)

    await desk.room(a=1)
    await check("create")
    await desk.patch(b=1)
    await check("append")
    await desk.patch(b=2)
    await check("update")
    await desk.patch(b=NULL)
    await check("drop")
    assert (await desk.send("DELETE", f"/entities/{ROOM}", None)).status_code == 204
    await check("delete")


async def test_paused_and_expired_subscriptions_are_silent(desk: Subscribed) -> None:
    """5.8.6: only while the status is active; what was missed is not told later."""
    await desk.room(a=1)
    number = await desk.subscribe(isActive=False)
    await desk.patch(a=2)
    await desk.receiver.nothing()
    await desk.send("PATCH", f"/subscriptions/{number}", {"isActive": True})
    await desk.receiver.nothing(0.05)
    await desk.patch(a=3)
    assert (await desk.receiver.next()).data[0]["a"]["value"] == 3


async def test_a_deleted_subscription_is_silent(desk: Subscribed) -> None:
    await desk.room(a=1)
    number = await desk.subscribe()
    await desk.send("DELETE", f"/subscriptions/{number}", None)
    await desk.patch(a=2)
    await desk.receiver.nothing()


async def test_one_batch_makes_one_notification(desk: Subscribed) -> None:
    """5.8.6: all subscribed entities that changed are in data."""
    await desk.subscribe()
    rooms = [{"id": f"urn:ngsi-ld:Room:{n}", "type": "Room", "a": n} for n in range(5)]
    answer = await desk.send("POST", "/entityOperations/upsert", rooms)
    assert answer.status_code == 201
    found = await desk.receiver.next()
    assert [one["id"] for one in found.data] == [room["id"] for room in rooms]
    await desk.receiver.nothing()


async def test_each_request_makes_its_own_notification_in_order(desk: Subscribed) -> None:
    await desk.room(a=0)
    await desk.subscribe()
    for value in range(1, 11):
        await desk.patch(a=value)
    found = await desk.receiver.until(10)
    assert [one.data[0]["a"]["value"] for one in found] == list(range(1, 11))
    assert len({one.body["id"] for one in found}) == 10


async def test_names_of_the_creation_context(desk: Subscribed) -> None:
    """5.8.6: the @context of the subscription, or its jsonldContext, makes the names."""
    entity = {"id": "urn:ngsi-ld:AirStation:1", "type": "AirStation", "dust": 1}
    selector = [{"type": "AirStation"}]
    document = desk.document(entities=selector, notification={"attributes": ["dust"]})
    assert (await desk.post(document, **CONTEXT_LINK)).status_code == 201
    await desk.create(entity, **CONTEXT_LINK)
    found = await desk.receiver.next()
    assert CONTEXT_URL in found.headers["link"]
    wanted = {"id": entity["id"], "type": "AirStation", "dust": {"type": "Property", "value": 1}}
    assert found.data == [wanted]


async def test_json_ld_has_the_context_in_each_entity(desk: Subscribed) -> None:
    """5.8.6, 6.3.8: endpoint.accept; no Link then."""
    document = desk.document(notification={"endpoint": {"accept": LD_JSON}})
    await desk.post({**document, "@context": [CONTEXT_URL]})
    await desk.room(a=1)
    found = await desk.receiver.next()
    assert found.headers["content-type"] == LD_JSON
    assert "link" not in found.headers
    assert found.data[0]["@context"] == CONTEXT_URL


async def test_geojson(desk: Subscribed) -> None:
    """5.3.1: with endpoint.accept geo+json data is a FeatureCollection."""
    await desk.subscribe(notification={"endpoint": {"accept": "application/geo+json"}})
    await desk.room(a=1, location=HANOI)
    found = await desk.receiver.next()
    assert found.headers["content-type"] == "application/geo+json"
    assert found.data["type"] == "FeatureCollection"
    assert "@context" in found.data
    (feature,) = found.data["features"]
    assert (feature["id"], feature["geometry"]) == (ROOM, HANOI)
    assert feature["properties"]["a"]["value"] == 1


async def test_geojson_with_the_context_in_the_link(desk: Subscribed) -> None:
    """5.3.1: receiverInfo Prefer: body=json takes the @context out of the body."""
    info = [{"key": "Prefer", "value": "body=json"}]
    endpoint = {"accept": "application/geo+json", "receiverInfo": info}
    await desk.subscribe(notification={"endpoint": endpoint})
    await desk.room(location=HANOI)
    found = await desk.receiver.next()
    assert "@context" not in found.data
    assert "link" in found.headers


async def test_receiver_info_becomes_headers(desk: Subscribed) -> None:
    """5.2.15, 6.3.8."""
    info = [{"key": "Authorization", "value": "Bearer x"}, {"key": "X-Room", "value": "1"}]
    await desk.subscribe(notification={"endpoint": {"receiverInfo": info}})
    await desk.room(a=1)
    headers = (await desk.receiver.next()).headers
    assert (headers["authorization"], headers["x-room"]) == ("Bearer x", "1")

"""Subscriptions at registered sources (clauses 5.8.1.4, 5.8.2.4, 5.8.5.4, 5.8.6, 4.3.6)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import (
    CONTEXT_LINK,
    CONTEXT_URL,
    Running,
    problem_of,
    running,
)
from tests.conformance.ngsi_ld.peers import (
    CAR,
    OPEN,
    Recorded,
    Recorder,
    car,
    prop,
    register,
    url_of,
)
from tests.receiver import Receiver, receiving

SUB = "urn:ngsi-ld:Subscription:1"
PATH = "/subscriptions"
Doors = tuple[Running, Running, Running]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


async def _until(ask: Callable[[], Awaitable[Any]], expected: Any) -> Any:
    """Ask until the answer is what it should be."""
    found = None
    for _ in range(400):
        found = await ask()
        if found == expected:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"{found!r} is not {expected!r}")


def subscription(receiver: Receiver | str, uri: str = SUB, **members: Any) -> dict[str, Any]:
    where = receiver if isinstance(receiver, str) else receiver.url
    notification = {"endpoint": {"uri": where}, **members.pop("notification", {})}
    return {
        "id": uri,
        "type": "Subscription",
        "entities": [{"type": "Vehicle"}],
        **members,
        "notification": notification,
    }


async def _subscribe(door: Running, body: dict[str, Any], **headers: str) -> None:
    answer = await door.send("POST", PATH, body, **headers)
    assert answer.status_code == 201, answer.text


async def _count(door: Running) -> int:
    return len((await door.get(PATH)).json())


async def _legs(door: Running, count: int) -> list[dict[str, Any]]:
    """The subscriptions that others have there, when there are as many."""
    await _until(lambda: _count(door), count)
    found: list[dict[str, Any]] = (await door.get(PATH)).json()
    return found


async def _change(door: Running, **attributes: Any) -> None:
    answer = await door.send("PATCH", f"/entities/{CAR}/attrs", attributes)
    assert answer.status_code == 204, answer.text


async def test_changes_elsewhere_reach_the_subscriber(doors: Doors, receiver: Receiver) -> None:
    """5.8.1.4, 5.8.6: under our id, as the source told it; 5.8.5.4: no longer after deletion."""
    a, b, _ = doors
    await register(a, url_of(b))
    await _subscribe(a, subscription(receiver))
    await _legs(b, 1)
    await b.create(car(speed=prop(42), brand=prop("Vin")))
    told = (await receiver.next()).body
    assert told["subscriptionId"] == SUB
    assert told["data"] == [car(speed=prop(42), brand=prop("Vin"))]
    await _change(b, speed=prop(43))
    assert (await receiver.next()).data[0]["speed"]["value"] == 43
    await a.create(car("urn:ngsi-ld:Vehicle:2", speed=prop(1)))
    assert (await receiver.next()).data[0]["id"] == "urn:ngsi-ld:Vehicle:2"
    state = (await a.get(f"{PATH}/{SUB}")).json()["notification"]
    assert state["timesSent"] == 3
    assert (await a.http.delete(f"/ngsi-ld/v1{PATH}/{SUB}")).status_code == 204
    await _legs(b, 0)
    await _change(b, speed=prop(44))
    await receiver.nothing()


async def test_a_later_registration_is_followed_and_its_end(
    doors: Doors, receiver: Receiver
) -> None:
    """5.3.3, 5.8.1.4: newly matching sources get the subscription, those that are gone lose it."""
    a, b, _ = doors
    await _subscribe(a, subscription(receiver))
    await _subscribe(a, subscription(receiver, f"{SUB}2", entities=[{"type": "Bus"}]))
    uri = await register(a, url_of(b))
    await _legs(b, 1)
    await b.create(car(speed=prop(1)))
    await receiver.next()
    assert (await a.http.delete(f"/ngsi-ld/v1/csourceRegistrations/{uri}")).status_code == 204
    await _legs(b, 0)
    await _change(b, speed=prop(2))
    await receiver.nothing()


async def test_an_updated_subscription_changes_its_leg(doors: Doors, receiver: Receiver) -> None:
    """5.8.2.4: other conditions count at the source too; a paused one is not told of anything."""
    a, b, _ = doors
    await register(a, url_of(b))
    await _subscribe(a, subscription(receiver, q="speed>10"))
    [leg] = await _legs(b, 1)

    async def q() -> Any:
        return [one.get("q") for one in (await b.get(PATH)).json()]

    assert leg["q"] == "speed>10"
    for text in ("speed>100", "urn:ngsi-ld:null"):
        answer = await a.send("PATCH", f"{PATH}/{SUB}", {"q": text})
        assert answer.status_code == 204
        await _until(q, [None if text.startswith("urn") else text])
    assert (await _legs(b, 1))[0]["id"] == leg["id"]
    await a.send("PATCH", f"{PATH}/{SUB}", {"isActive": False})
    await _legs(b, 0)
    await b.create(car(speed=prop(1)))
    await receiver.nothing()
    await a.send("PATCH", f"{PATH}/{SUB}", {"isActive": True})
    await _legs(b, 1)
    await _change(b, speed=prop(2))
    assert (await receiver.next()).data[0]["speed"]["value"] == 2


async def _sent(source: Recorder, method: str, count: int = 1) -> Recorded:
    """The last of the requests of a method, when there are as many."""
    found: list[Recorded] = []

    async def number() -> int:
        found[:] = [one for one in source.requests if one.method == method]
        return len(found)

    await _until(number, count)
    return found[-1]


async def test_the_copy_is_reduced_to_the_registration(door: Running, source: Recorder) -> None:
    """5.8.1.4, 4.3.6.1: entities and attributes that the source is registered for, in the
    @context of the subscription; where notifications go is known to the source alone."""
    await door.send(
        "POST",
        "/csourceRegistrations",
        {
            "id": "urn:r:1",
            "type": "ContextSourceRegistration",
            "endpoint": source.url,
            "information": [
                {
                    "entities": [{"type": "AirStation", "idPattern": "^urn:x"}],
                    "propertyNames": ["dust"],
                }
            ],
            "management": {"localOnly": True},
        },
        **CONTEXT_LINK,
    )
    source.answer("POST", PATH, 201)
    body = subscription(
        "http://127.0.0.1:9/",
        entities=[{"type": "AirStation"}, {"type": "Bus"}],
        q="dust>3",
        throttling=5,
        notificationTrigger=["entityCreated"],
        notification={"format": "keyValues"},
    )
    await _subscribe(door, body, **CONTEXT_LINK)
    request = await _sent(source, "POST")
    copy = request.body
    assert CONTEXT_URL in request.headers["link"]
    assert request.headers["via"].startswith("1.1 dothi-")
    assert copy["entities"] == [{"type": "AirStation", "idPattern": "^urn:x"}]
    assert (copy["watchedAttributes"], copy["q"], copy["localOnly"]) == (["dust"], "dust>3", True)
    assert copy["notificationTrigger"] == ["entityCreated"]
    assert "throttling" not in copy
    notification = copy["notification"]
    assert (notification["format"], notification["attributes"]) == ("keyValues", ["dust"])
    where = f"{url_of(door).removesuffix('/ngsi-ld/v1')}/ngsi-ld/ex/remote-notify"
    assert notification["endpoint"]["uri"] == where
    assert notification["endpoint"]["accept"] == "application/json"


async def test_the_broker_watches_registrations_for_its_subscriptions(door: Running) -> None:
    """5.8.1.4, 5.11.2: such a watch is listed as long as a subscription concerns others; it is
    nobody's to change."""
    path = "/csourceSubscriptions"
    nowhere = "http://127.0.0.1:9/"
    await _subscribe(door, subscription(nowhere, f"{SUB}:local", localOnly=True))
    assert (await door.get(path)).json() == []
    await _subscribe(door, subscription(nowhere, watchedAttributes=["speed"]))
    [watch] = (await door.get(path)).json()
    assert watch["entities"] == [{"type": "Vehicle"}]
    assert watch["watchedAttributes"] == ["speed"]
    assert nowhere not in str(watch)
    one = f"{path}/{watch['id']}"
    assert (await door.get(one)).json() == watch
    problem_of(await door.http.delete(f"/ngsi-ld/v1{one}"), 404, "ResourceNotFound")
    assert (await door.http.delete(f"/ngsi-ld/v1{PATH}/{SUB}")).status_code == 204
    assert (await door.get(path)).json() == []
    problem_of(await door.get(one), 404, "ResourceNotFound")


@pytest.mark.parametrize(
    ("registered", "subscribed", "is_told"),
    [
        ({}, {}, True),
        ({"operations": ["retrieveOps"]}, {}, False),
        ({"entities": [{"type": "Vehicle", "id": CAR}]}, {"idPattern": "^urn:none"}, False),
        ({"entities": [{"type": "Vehicle", "idPattern": "a"}]}, {"idPattern": "b"}, True),
        ({"names": ["speed"]}, {"watchedAttributes": ["brand"]}, False),
        ({}, {"localOnly": True}, False),
        ({"city": "Hue"}, {"csf": 'city=="Hanoi"'}, False),
        ({"city": "Hue"}, {"csf": 'city=="Hue"'}, True),
        ({"scope": "/Hue"}, {"scopeQ": "/Hanoi"}, False),
    ],
)
async def test_which_sources_get_a_copy(
    door: Running,
    source: Recorder,
    registered: dict[str, Any],
    subscribed: dict[str, Any],
    is_told: bool,
) -> None:
    """5.12: those that match, take subscriptions, and are not filtered out by csf."""
    source.answer("POST", PATH, 201)
    await register(door, source.url, **registered)
    entity = {"type": "Vehicle"}
    if "idPattern" in subscribed:
        entity["idPattern"] = subscribed.pop("idPattern")
    await _subscribe(door, subscription("http://127.0.0.1:9/", entities=[entity], **subscribed))
    if is_told:
        await _sent(source, "POST")
    else:
        await asyncio.sleep(0.15)
        assert source.requests == []


async def test_pieces_of_all_sources_are_notified_as_one(doors: Doors, receiver: Receiver) -> None:
    """5.8.6: with splitEntities the whole entity is told, where the whole meets the query."""
    a, b, c = doors
    await register(a, url_of(b), uri="urn:r:b")
    await register(a, url_of(c), uri="urn:r:c")
    await b.create(car(speed=prop(1)))
    await c.create(car(brand=prop("Vin")))
    condition = 'speed>20;brand=="Vin"'
    await _subscribe(a, subscription(receiver, splitEntities=True, q=condition))
    await _legs(b, 1)
    await _change(b, speed=prop(10))
    await receiver.nothing(0.3)
    await _change(b, speed=prop(42))
    assert (await receiver.next()).data == [car(brand=prop("Vin"), speed=prop(42))]


async def test_a_notified_piece_is_joined_with_what_others_have(
    door: Running, source: Recorder, receiver: Receiver
) -> None:
    """5.8.6: the piece itself counts, its sender is not asked; what does not meet the query as a
    whole is dropped. 5.8.1.4: the source cannot judge pieces by the query."""
    source.answer("POST", PATH, 201)
    await register(door, source.url)
    condition = 'speed>20;brand=="Vin"'
    await _subscribe(door, subscription(receiver, splitEntities=True, q=condition))
    copy = (await _sent(source, "POST")).body
    assert copy["splitEntities"] is True
    assert "q" not in copy
    await door.create(car(brand=prop("Vin"), speed=prop(5)))
    where = copy["notification"]["endpoint"]["uri"]
    for speed in (10, 42):
        told = {
            "type": "Notification",
            "subscriptionId": copy["id"],
            "data": [car(speed=prop(speed))],
        }
        assert (await door.http.post(where, json=told)).status_code == 200
    assert (await receiver.next()).data == [car(brand=prop("Vin"), speed=prop(42))]
    assert [one.method for one in source.requests] == ["POST"]
    broken = {**told, "data": [{"id": CAR}]}
    problem_of(await door.http.post(where, json=broken), 400, "BadRequestData")
    source.requests.clear()
    gone = {"speed": "urn:ngsi-ld:null", "at": {"object": "urn:ngsi-ld:null"}, "brand": "Vin"}
    condition = {"subscriptionId": copy["id"]}
    await door.send("PATCH", f"{PATH}/{SUB}", {"q": "brand"})
    await door.http.post(where, json={**told, **condition, "data": [car(**gone)]})
    [entity] = (await receiver.next()).data
    assert entity["at"] == {"type": "Relationship", "object": "urn:ngsi-ld:null"}
    assert entity["speed"] == prop(5), "another one still has it"


async def test_a_deletion_elsewhere(doors: Doors, receiver: Receiver) -> None:
    """5.8.6: only the time of the deletion is told."""
    a, b, _ = doors
    await register(a, url_of(b))
    await _subscribe(a, subscription(receiver, notificationTrigger=["entityDeleted"]))
    await _legs(b, 1)
    await b.create(car(speed=prop(31)))
    assert (await b.http.delete(f"/ngsi-ld/v1/entities/{CAR}")).status_code == 204
    [item] = (await receiver.next()).data
    assert set(item) == {"id", "type", "deletedAt"}


async def test_every_form_of_the_subscriber(doors: Doors, receiver: Receiver) -> None:
    """6.3.8, 6.3.15: JSON-LD carries the @context, GeoJSON comes as features."""
    a, b, _ = doors
    await register(a, url_of(b))
    media = ("application/ld+json", "application/geo+json")
    for number, accept in enumerate(media):
        endpoint = {"uri": f"{receiver.url}{number}", "accept": accept}
        await _subscribe(
            a, subscription(receiver, f"{SUB}{number}", notification={"endpoint": endpoint})
        )
    await _legs(b, 2)
    place = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [105.8, 21.0]}}
    await b.create(car(location=place))
    told = {one.path[-1]: one for one in await receiver.until(2)}
    assert "@context" in told["0"].data[0]
    assert told["0"].data[0]["location"] == place
    assert told["1"].data["features"][0]["geometry"] == place["value"]


async def test_registrations_in_a_circle_make_no_more_than_one_leg(
    doors: Doors, receiver: Receiver
) -> None:
    """6.3.17, 6.3.18: a subscription that comes back is refused; chains are followed."""
    a, b, c = doors
    await register(a, url_of(b), uri="urn:r:b")
    await register(b, url_of(a), uri="urn:r:a")
    await register(b, url_of(c), uri="urn:r:c")
    await _subscribe(a, subscription(receiver))
    await _legs(c, 1)
    assert (len(await _legs(a, 1)), len(await _legs(b, 1))) == (1, 1)
    await c.create(car(speed=prop(7)))
    told = await receiver.next()
    assert (told.body["subscriptionId"], told.data) == (SUB, [car(speed=prop(7))])
    await receiver.nothing()
    alias = (await a.get("/info/sourceIdentity")).json()["contextSourceAlias"]
    answer = await a.send("POST", PATH, subscription(receiver, f"{SUB}3"), via=f"1.1 {alias}")
    problem_of(answer, 508, "LoopDetected")


async def test_what_nobody_asked_for_is_not_delivered(doors: Doors, receiver: Receiver) -> None:
    """5.8.6: a notification counts only with the id that the source alone knows."""
    a, b, _ = doors
    await register(a, url_of(b))
    await _subscribe(a, subscription(receiver))
    [leg] = await _legs(b, 1)
    where = leg["notification"]["endpoint"]["uri"]
    forged = {
        "id": "urn:ngsi-ld:Notification:1",
        "type": "Notification",
        "subscriptionId": "urn:ngsi-ld:Subscription:other",
        "notifiedAt": "2026-08-14T00:00:00Z",
        "data": [car(speed=prop(666))],
    }
    problem_of(await a.http.post(where, json=forged), 404, "ResourceNotFound")
    known = {**forged, "subscriptionId": leg["id"]}
    problem_of(await a.http.post(f"{where}/none", json=known), 404, "NonexistentTenant")
    problem_of(await a.http.post(where, json={**known, "data": 5}), 400, "BadRequestData")
    problem_of(await a.http.post(where, json=[]), 400, "BadRequestData")
    await receiver.nothing()
    assert (await a.http.post(where, json=known)).status_code == 200
    assert (await receiver.next()).data[0]["speed"]["value"] == 666


async def test_legs_outlive_the_program(tmp_path: Path, source: Recorder) -> None:
    """A subscription that was made at a source is found there again, and deleted when it ends."""
    source.answer("POST", PATH, 201)
    async with running(tmp_path, OPEN) as door:
        await register(door, source.url)
        await _subscribe(door, subscription("http://127.0.0.1:9/"))
        leg = (await _sent(source, "POST")).body
        await asyncio.sleep(0.1)
    async with running(tmp_path, OPEN) as door:
        await asyncio.sleep(0.1)
        assert len(source.requests) == 1
        answer = await door.http.delete(f"/ngsi-ld/v1{PATH}/{SUB}")
        assert answer.status_code == 204
        assert (await _sent(source, "DELETE")).path == f"{PATH}/{leg['id']}"

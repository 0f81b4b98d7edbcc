"""/csourceSubscriptions and their notifications (clauses 5.11, 5.3.2, 5.3.3, 6.12, 6.13)."""

import asyncio
from typing import Any

import msgspec
import pytest
from tests.conformance.ngsi_ld.broker import (
    CONTEXT_LINK,
    CONTEXT_URL,
    LD_JSON,
    ROOT,
    Running,
    problem_of,
)
from tests.conformance.ngsi_ld.peers import OPEN, Recorded, Recorder, register

from dothi.facades.ngsi_ld.notify_settings import NotifySettings

QUICK = msgspec.structs.replace(
    OPEN, notify=NotifySettings(timeout_s=0.5, retry_s=0.03, max_retry_s=0.1)
)
PATH = "/csourceSubscriptions"
URI = "urn:ngsi-ld:Subscription:1"
NEAR = {"geometry": "Point", "coordinates": [8, 49], "georel": "near;maxDistance==9"}
REGISTRATIONS = "/csourceRegistrations"


def subscription(source: Recorder | None = None, **members: Any) -> dict[str, Any]:
    uri = f"{source.url}/notify" if source else "http://127.0.0.1:9/notify"
    return {
        "id": URI,
        "type": "Subscription",
        "entities": [{"type": "Vehicle"}],
        "notification": {"endpoint": {"uri": uri, "accept": "application/json"}},
        **members,
    }


async def subscribe(door: Running, body: dict[str, Any], **headers: str) -> None:
    answer = await door.send("POST", PATH, body, **headers)
    assert answer.status_code == 201, answer.text


async def told(source: Recorder, count: int) -> list[Recorded]:
    """The notifications, when there are as many; a moment later still as many."""
    for _ in range(100):
        if len(source.requests) >= count:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.03)
    assert len(source.requests) == count, [request.body for request in source.requests]
    return source.requests


@pytest.fixture(autouse=True)
def accepting(source: Recorder) -> None:
    source.answer("POST", "/notify", 200)


async def test_made_read_changed_and_deleted(door: Running) -> None:
    """5.11.2 to 5.11.6."""
    body = subscription(
        subscriptionName="vehicles",
        watchedAttributes=["speed"],
        geoQ={"geometry": "Point", "coordinates": [8, 49], "georel": "near;maxDistance==5"},
        csf="grade>1",
        scopeQ="/Hanoi/#",
        expiresAt="2999-01-01T00:00:00Z",
    )
    answer = await door.send("POST", PATH, body)
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["location"] == f"{ROOT}{PATH}/{URI}"
    state = {"isActive": True, "status": "active"}
    assert (await door.get(f"{PATH}/{URI}")).json() == body | state
    answer = await door.send("PATCH", f"{PATH}/{URI}", {"isActive": False, "csf": None})
    assert (answer.status_code, answer.content) == (204, b"")
    changed = (await door.get(f"{PATH}/{URI}/")).json()
    assert (changed["isActive"], changed["status"]) == (False, "paused")
    assert "csf" not in changed
    listed = await door.get(f"{PATH}?limit=1&count=true")
    assert (len(listed.json()), listed.headers["NGSILD-Results-Count"]) == (1, "1")
    answer = await door.http.delete(f"{ROOT}{PATH}/{URI}")
    assert answer.status_code == 204
    problem_of(await door.get(f"{PATH}/{URI}"), 404, "ResourceNotFound")
    assert (await door.get(PATH)).json() == []


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Subscriptions"},
        {"id": "nonsense"},
        {"entities": []},
        {"entities": [{"id": "urn:x:1"}]},
        {"entities": [{"type": "T;"}]},
        {"entities": [{"type": "T", "idPattern": "[x"}]},
        {"watchedAttributes": []},
        {"q": "a=="},
        {"csf": "a=="},
        {"geoQ": {"geometry": "Point"}},
        {"temporalQ": {"timerel": "at", "timeAt": "2020-01-01T00:00:00Z"}},
        {"temporalQ": {"timerel": "before"}},
        {"timeInterval": 0},
        {"timeInterval": 5, "throttling": 5},
        {"isActive": "yes"},
        {"expiresAt": "2001-01-01T00:00:00Z"},
        {"notification": "none"},
        {"notification": {}},
        {"notification": {"endpoint": {"uri": "nonsense"}}},
        {"notification": {"endpoint": {"uri": "http://x.org", "accept": "text/html"}}},
        {"notification": {"endpoint": {"uri": "mqtt://x.org"}}},
        {"notification": {"endpoint": {"uri": "mqtt://x.org/t", "accept": "application/geo+json"}}},
        {"notification": {"attributes": [], "endpoint": {"uri": "http://x.org"}}},
    ],
)
async def test_wrong_data(standing_door: Running, change: dict[str, Any]) -> None:
    problem_of(
        await standing_door.send("POST", PATH, subscription() | change), 400, "BadRequestData"
    )
    assert (await standing_door.get(PATH)).json() == []
    await subscribe(standing_door, subscription())
    try:
        before = (await standing_door.get(f"{PATH}/{URI}")).json()
        answer = await standing_door.send("PATCH", f"{PATH}/{URI}", change)
        problem_of(answer, 400, "BadRequestData")
        assert (await standing_door.get(f"{PATH}/{URI}")).json() == before
    finally:
        await standing_door.http.delete(f"{ROOT}{PATH}/{URI}")


async def test_errors_of_the_id(door: Running) -> None:
    await subscribe(door, subscription())
    problem_of(await door.send("POST", PATH, subscription()), 409, "AlreadyExists")
    problem_of(await door.get(f"{PATH}/nonsense"), 400, "BadRequestData")
    for path in (f"{PATH}/urn:x:1",):
        problem_of(await door.get(path), 404, "ResourceNotFound")
        problem_of(await door.send("PATCH", path, {"q": "a"}), 404, "ResourceNotFound")
        problem_of(await door.http.delete(ROOT + path), 404, "ResourceNotFound")
    body = subscription()
    del body["notification"]
    problem_of(await door.send("POST", PATH, body | {"id": "urn:s:2"}), 400, "BadRequestData")


async def test_the_course_of_a_registration(door: Running, source: Recorder) -> None:
    """5.3.3, 5.11.7: newlyMatching, updated, noLongerMatching."""
    await register(door, "http://a.example.org", uri="urn:r:0")
    await register(door, "http://a.example.org", uri="urn:r:bus", entities=[{"type": "Bus"}])
    await subscribe(door, subscription(source))
    first = (await told(source, 1))[0]
    assert first.body["type"] == "ContextSourceNotification"
    assert first.body["id"].startswith("urn:")
    assert first.body["subscriptionId"] == URI
    assert "notifiedAt" in first.body
    assert [found["id"] for found in first.body["data"]] == ["urn:r:0"]
    assert first.headers["content-type"] == "application/json"
    assert "json-ld#context" in first.headers["link"]
    await register(door, "http://a.example.org", uri="urn:r:1")
    await told(source, 2)
    path = f"{REGISTRATIONS}/urn:r:1"
    await door.send("PATCH", path, {"description": "x"})
    await told(source, 3)
    bus = [{"entities": [{"type": "Bus"}]}]
    await door.send("PATCH", path, {"information": bus})
    await told(source, 4)
    await door.send("PATCH", path, {"description": "y"})
    await door.send("PATCH", path, {"information": [{"entities": [{"type": "Vehicle"}]}]})
    await told(source, 5)
    await door.http.delete(ROOT + path)
    heard = await told(source, 6)
    assert [request.body["triggerReason"] for request in heard] == [
        "newlyMatching",
        "newlyMatching",
        "updated",
        "noLongerMatching",
        "newlyMatching",
        "noLongerMatching",
    ]
    notification = (await door.get(f"{PATH}/{URI}")).json()["notification"]
    assert (notification["timesSent"], notification["status"]) == (6, "ok")
    assert "lastSuccess" in notification
    assert "lastNotification" in notification


async def test_only_the_information_that_matters(door: Running, source: Recorder) -> None:
    """5.11.7: filtered registrations, in the names of the subscription's @context."""
    await subscribe(
        door,
        subscription(source, entities=[{"type": "AirStation"}]) | {"@context": CONTEXT_URL},
        **{"content-type": LD_JSON},
    )
    iri = "https://example.org/city#AirStation"
    body = {
        "id": "urn:r:1",
        "type": "ContextSourceRegistration",
        "endpoint": "http://a.example.org",
        "information": [{"entities": [{"type": iri}]}, {"entities": [{"type": "Bus"}]}],
    }
    await door.send("POST", REGISTRATIONS, body)
    request = (await told(source, 1))[0]
    assert request.body["data"][0]["information"] == [{"entities": [{"type": ["AirStation"]}]}]
    assert request.headers["link"] == CONTEXT_LINK["link"]
    shown = (await door.get(f"{PATH}/{URI}")).json()
    assert shown["entities"] == [{"type": iri}]
    shown = (await door.get(f"{PATH}/{URI}", headers=CONTEXT_LINK)).json()
    assert shown["entities"] == [{"type": "AirStation"}]


@pytest.mark.parametrize(
    ("members", "matching", "other"),
    [
        ({"watchedAttributes": ["speed"]}, {"names": ["speed"]}, {"names": ["brand"]}),
        (
            {"entities": [{"type": "Vehicle", "idPattern": "^urn:v"}]},
            {"entities": [{"type": "Vehicle", "id": "urn:v:1"}]},
            {"entities": [{"type": "Vehicle", "id": "urn:x:1"}]},
        ),
        (
            {
                "temporalQ": {
                    "timerel": "before",
                    "timeAt": "2021-01-01T00:00:00Z",
                    "timeproperty": "modifiedAt",
                }
            },
            {"managementInterval": {"startAt": "2020-01-01T00:00:00Z"}},
            {"observationInterval": {"startAt": "2020-01-01T00:00:00Z"}},
        ),
        (
            {
                "geoQ": {
                    "geometry": "Point",
                    "coordinates": [8, 49],
                    "georel": "near;maxDistance==9",
                }
            },
            {"location": {"type": "Point", "coordinates": [8, 49]}},
            {"location": {"type": "Point", "coordinates": [9, 49]}},
        ),
        ({"csf": "grade>1"}, {"grade": 2}, {"grade": 1}),
        ({"scopeQ": "/A/#"}, {"scope": "/A/B"}, {"scope": "/B"}),
    ],
)
async def test_what_a_subscription_is_about(
    door: Running,
    source: Recorder,
    members: dict[str, Any],
    matching: dict[str, Any],
    other: dict[str, Any],
) -> None:
    """5.11.2.4, 5.12."""
    await subscribe(door, subscription(source, **members))
    await register(door, "http://a.example.org", uri="urn:r:other", **other)
    await register(door, "http://a.example.org", uri="urn:r:matching", **matching)
    heard = await told(source, 1)
    assert heard[0].body["data"][0]["id"] == "urn:r:matching"


async def test_an_update_tells_all_that_match_now(door: Running, source: Recorder) -> None:
    """5.11.3.4."""
    await register(door, "http://a.example.org", uri="urn:r:bus", entities=[{"type": "Bus"}])
    await register(door, "http://a.example.org", uri="urn:r:vehicle")
    await subscribe(door, subscription(source, entities=[{"type": "Plane"}]))
    await told(source, 0)
    both = {"entities": [{"type": "Bus"}, {"type": "Vehicle"}]}
    await door.send("PATCH", f"{PATH}/{URI}", both)
    heard = await told(source, 1)
    assert [found["id"] for found in heard[0].body["data"]] == ["urn:r:bus", "urn:r:vehicle"]
    assert heard[0].body["triggerReason"] == "newlyMatching"


async def test_intervals(door: Running, source: Recorder) -> None:
    """5.11.7: with timeInterval everything, again and again, and nothing about changes."""
    await register(door, "http://a.example.org")
    await subscribe(door, subscription(source, timeInterval=0.05))
    await asyncio.sleep(0.3)
    count = len(source.requests)
    assert 3 <= count <= 7
    await door.http.delete(f"{ROOT}{PATH}/{URI}")
    await asyncio.sleep(0.1)
    assert len(source.requests) <= count + 1


async def test_paused_ones_are_told_nothing(door: Running, source: Recorder) -> None:
    await subscribe(door, subscription(source, isActive=False))
    await register(door, "http://a.example.org")
    await told(source, 0)


async def test_identity(door: Running) -> None:
    """5.15.1, 5.2.40, 6.33; each tenant has a name of its own, always the same, also a new one."""
    answer = await door.get("/info/sourceIdentity")
    found = answer.json()
    assert found["type"] == "ContextSourceIdentity"
    assert found["id"].startswith("urn:")
    assert found["contextSourceUptime"].startswith("PT")
    assert found["contextSourceTimeAt"].endswith("Z")
    names = []
    wrong = await door.get("/info/sourceIdentity", headers={"NGSILD-Tenant": "?"})
    problem_of(wrong, 400, "BadRequestData")
    for tenant in ("a", "b", "a"):
        if names:
            room = {"id": "urn:ngsi-ld:Room:1", "type": "Room"}
            await door.create(room, **{"NGSILD-Tenant": tenant})
        answer = await door.get("/info/sourceIdentity", headers={"NGSILD-Tenant": tenant})
        assert answer.headers["ngsild-tenant"] == tenant
        names.append(answer.json()["contextSourceAlias"])
    assert names[0] == names[2]
    assert len({*names, found["contextSourceAlias"]}) == 3

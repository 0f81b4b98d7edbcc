"""/csourceSubscriptions and their notifications (clauses 5.11, 5.3.2, 5.3.3, 6.12, 6.13)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import (
    CONTEXT_LINK,
    CONTEXT_URL,
    LD_JSON,
    ROOT,
    Running,
    problem_of,
    running,
)
from tests.conformance.ngsi_ld.peers import OPEN, Recorded, Recorder, register

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


async def _subscribe(door: Running, body: dict[str, Any], **headers: str) -> None:
    answer = await door.send("POST", PATH, body, **headers)
    assert answer.status_code == 201, answer.text


async def _told(source: Recorder, count: int) -> list[Recorded]:
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
        {"notification": {"attributes": [], "endpoint": {"uri": "http://x.org"}}},
    ],
)
async def test_wrong_data(door: Running, change: dict[str, Any]) -> None:
    problem_of(await door.send("POST", PATH, subscription() | change), 400, "BadRequestData")
    assert (await door.get(PATH)).json() == []
    await _subscribe(door, subscription())
    before = (await door.get(f"{PATH}/{URI}")).json()
    problem_of(await door.send("PATCH", f"{PATH}/{URI}", change), 400, "BadRequestData")
    assert (await door.get(f"{PATH}/{URI}")).json() == before


async def test_errors_of_the_id(door: Running) -> None:
    await _subscribe(door, subscription())
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
    await _subscribe(door, subscription(source))
    first = (await _told(source, 1))[0]
    assert first.body["type"] == "ContextSourceNotification"
    assert first.body["id"].startswith("urn:")
    assert first.body["subscriptionId"] == URI
    assert "notifiedAt" in first.body
    assert [found["id"] for found in first.body["data"]] == ["urn:r:0"]
    assert first.headers["content-type"] == "application/json"
    assert "json-ld#context" in first.headers["link"]
    await register(door, "http://a.example.org", uri="urn:r:1")
    await _told(source, 2)
    path = f"{REGISTRATIONS}/urn:r:1"
    await door.send("PATCH", path, {"description": "x"})
    await _told(source, 3)
    bus = [{"entities": [{"type": "Bus"}]}]
    await door.send("PATCH", path, {"information": bus})
    await _told(source, 4)
    await door.send("PATCH", path, {"description": "y"})
    await door.send("PATCH", path, {"information": [{"entities": [{"type": "Vehicle"}]}]})
    await _told(source, 5)
    await door.http.delete(ROOT + path)
    told = await _told(source, 6)
    assert [request.body["triggerReason"] for request in told] == [
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
    await _subscribe(
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
    request = (await _told(source, 1))[0]
    assert request.body["data"][0]["information"] == [{"entities": [{"type": "AirStation"}]}]
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
    await _subscribe(door, subscription(source, **members))
    await register(door, "http://a.example.org", uri="urn:r:other", **other)
    await register(door, "http://a.example.org", uri="urn:r:matching", **matching)
    told = await _told(source, 1)
    assert told[0].body["data"][0]["id"] == "urn:r:matching"


async def test_an_update_tells_all_that_match_now(door: Running, source: Recorder) -> None:
    """5.11.3.4."""
    await register(door, "http://a.example.org", uri="urn:r:bus", entities=[{"type": "Bus"}])
    await register(door, "http://a.example.org", uri="urn:r:vehicle")
    await _subscribe(door, subscription(source, entities=[{"type": "Plane"}]))
    await _told(source, 0)
    both = {"entities": [{"type": "Bus"}, {"type": "Vehicle"}]}
    await door.send("PATCH", f"{PATH}/{URI}", both)
    told = await _told(source, 1)
    assert [found["id"] for found in told[0].body["data"]] == ["urn:r:bus", "urn:r:vehicle"]
    assert told[0].body["triggerReason"] == "newlyMatching"


async def test_intervals(door: Running, source: Recorder) -> None:
    """5.11.7: with timeInterval everything, again and again, and nothing about changes."""
    await register(door, "http://a.example.org")
    await _subscribe(door, subscription(source, timeInterval=0.05))
    await asyncio.sleep(0.3)
    count = len(source.requests)
    assert 3 <= count <= 7
    await door.http.delete(f"{ROOT}{PATH}/{URI}")
    await asyncio.sleep(0.1)
    assert len(source.requests) <= count + 1


async def test_paused_ones_are_told_nothing(door: Running, source: Recorder) -> None:
    await _subscribe(door, subscription(source, isActive=False))
    await register(door, "http://a.example.org")
    await _told(source, 0)


async def test_failures_are_counted(door: Running) -> None:
    """5.11.7: status, timesSent, lastFailure."""
    await _subscribe(door, subscription())
    await register(door, "http://a.example.org")
    for _ in range(50):
        await asyncio.sleep(0.01)
        notification = (await door.get(f"{PATH}/{URI}")).json()["notification"]
        if "timesSent" in notification:
            break
    assert (notification["timesSent"], notification["timesFailed"]) == (1, 1)
    assert notification["status"] == "failed"
    assert "lastFailure" in notification
    assert "lastSuccess" not in notification


async def test_headers_and_ld_json(door: Running, source: Recorder) -> None:
    endpoint = {
        "uri": f"{source.url}/notify",
        "accept": LD_JSON,
        "receiverInfo": [{"key": "X-Token", "value": "abc"}],
    }
    await _subscribe(door, subscription(source, notification={"endpoint": endpoint}))
    await register(door, "http://a.example.org")
    request = (await _told(source, 1))[0]
    assert request.headers["x-token"] == "abc"
    assert request.headers["content-type"] == LD_JSON
    assert "@context" in request.body["data"][0]


async def test_subscriptions_outlive_a_restart(tmp_path: Path, source: Recorder) -> None:
    async with running(tmp_path, OPEN) as door:
        await _subscribe(door, subscription(source))
    async with running(tmp_path, OPEN) as door:
        await register(door, "http://a.example.org")
        await _told(source, 1)
        assert len((await door.get(PATH)).json()) == 1


async def test_of_a_tenant_and_headers_of_the_connection(door: Running, source: Recorder) -> None:
    """6.3.14: the notification names the tenant. receiverInfo cannot break the request."""
    tenant = {"NGSILD-Tenant": "thuduc"}
    named = {"Content-Length": "1", "Host": "evil", "transfer-encoding": "chunked", "X-A": "1"}
    pairs = [{"key": key, "value": value} for key, value in named.items()]
    endpoint = {"uri": f"{source.url}/notify", "receiverInfo": pairs}
    await _subscribe(door, subscription(notification={"endpoint": endpoint}), **tenant)
    made = {
        "type": "ContextSourceRegistration",
        "information": [{"entities": [{"type": "Vehicle"}]}],
        "endpoint": "http://a.example.org",
    }
    assert (await door.send("POST", REGISTRATIONS, made, **tenant)).status_code == 201
    (request,) = await _told(source, 1)
    assert request.headers["ngsild-tenant"] == "thuduc"
    assert (request.headers["x-a"], request.headers["host"] == "evil") == ("1", False)


async def test_intervals_go_on_after_a_restart(tmp_path: Path, source: Recorder) -> None:
    """5.11.7: nobody has to ask for the subscription first."""
    async with running(tmp_path, OPEN) as door:
        await register(door, "http://a.example.org")
        await _subscribe(door, subscription(source, timeInterval=0.3, id="urn:s:1"))
    source.requests.clear()
    async with running(tmp_path, OPEN):
        async with asyncio.timeout(5):
            while not source.requests:
                await asyncio.sleep(0.01)
    assert source.last.body["subscriptionId"] == "urn:s:1"
    told = len(source.requests)
    await asyncio.sleep(0.4)
    assert len(source.requests) == told, "it ends with its hub"


async def test_the_first_requests_after_a_restart_see_every_subscription(
    tmp_path: Path, source: Recorder
) -> None:
    async with running(tmp_path, OPEN) as door:
        for number in range(3):
            body = subscription(source, id=f"urn:s:{number}", jsonldContext=CONTEXT_URL)
            await _subscribe(door, body)
    async with running(tmp_path, OPEN) as door:
        answers = await asyncio.gather(*(door.get(f"{PATH}/urn:s:{n % 3}") for n in range(9)))
        assert {answer.status_code for answer in answers} == {200}


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

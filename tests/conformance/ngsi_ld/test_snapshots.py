"""Snapshots (clauses 4.3.7, 5.2.41, 5.3.4, 5.5.15, 5.16, 6.36 to 6.38)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
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
    running,
)

from dothi.facades.ngsi_ld.settings import NgsiLdSettings

ID = "urn:ngsi-ld:Snapshot:1"
SNAPSHOTS = f"{ROOT}/snapshots"
ROOMS = {"type": "Query", "entities": [{"type": "Room"}]}


def _room(number: int, value: float) -> dict[str, Any]:
    return {
        "id": f"urn:ngsi-ld:Room:{number}",
        "type": "Room",
        "temperature": {
            "type": "Property",
            "value": value,
            "observedAt": "2026-11-01T00:00:00Z",
            "accuracy": {"type": "Property", "value": 0.5},
        },
    }


async def _take(door: Running, **members: Any) -> str:
    """Location of a snapshot that is ready."""
    body = {"id": ID, "type": "Snapshot", "snapshotQueries": [ROOMS], **members}
    answer = await door.http.post(SNAPSHOTS, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.content == b""
    location: str = answer.headers["location"]
    await _ready(door, location)
    return location


async def _ready(door: Running, location: str, **headers: str) -> dict[str, Any]:
    for _ in range(200):
        answer = await door.http.get(location, headers=headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        if found["snapshotStatus"] != "preparing":
            return found
        await asyncio.sleep(0.02)
    raise TimeoutError(location)


async def _value(door: Running, number: int = 1, snapshot: str = ID) -> Any:
    headers = {"ngsild-snapshot": snapshot} if snapshot else {}
    found = await door.entity(f"urn:ngsi-ld:Room:{number}", headers=headers)
    return found["temperature"]["value"]


async def test_a_snapshot_keeps_what_was_there(door: Running) -> None:
    """4.3.7: "freezing" the result; 5.5.15: operations apply to the snapshot only."""
    for number in (1, 2):
        assert (await door.create(_room(number, 20 + number))).status_code == 201
    before = await door.entity("urn:ngsi-ld:Room:1", params={"options": "sysAttrs"})
    location = await _take(door)
    assert location == f"{SNAPSHOTS}/{ID}"
    changed = {"temperature": {"type": "Property", "value": 99}}
    await door.send("PATCH", "/entities/urn:ngsi-ld:Room:1/attrs", changed)
    await door.create(_room(3, 1))
    assert await _value(door, 1, "") == 99
    assert await _value(door) == 21
    frozen = {"ngsild-snapshot": ID}
    page = await door.get("/entities", params={"type": "Room", "count": "true"}, headers=frozen)
    assert page.headers["ngsild-results-count"] == "2"
    assert page.headers["ngsild-snapshot"] == ID
    there = await door.entity("urn:ngsi-ld:Room:1", params={"options": "sysAttrs"}, headers=frozen)
    assert there == before

    what_if = {"temperature": {"type": "Property", "value": -5}}
    answer = await door.send("PATCH", "/entities/urn:ngsi-ld:Room:2/attrs", what_if, **frozen)
    assert answer.status_code == 204
    assert await _value(door, 2) == -5
    assert await _value(door, 2, "") == 22


async def test_the_status_of_a_snapshot(door: Running) -> None:
    """5.2.41."""
    await door.create(_room(1, 20))
    nothing = {"type": "Query", "entities": [{"type": "Nothing"}]}
    location = await _take(door, snapshotQueries=[ROOMS, nothing], snapshotLifetime="PT1H")
    found = (await door.http.get(location)).json()
    assert found["id"] == ID
    assert found["type"] == "Snapshot"
    assert found["snapshotStatus"] == "partial"
    assert [d["resultStatus"] for d in found["snapshotQueriesDetails"]] == ["success", "empty"]
    assert found["snapshotPriority"] == 5
    assert found["createdAt"] <= found["modifiedAt"] < found["expiresAt"]
    assert found["lastUsedAt"]
    assert found.keys() <= {
        *("id", "type", "snapshotQueries", "snapshotQueriesDetails", "snapshotLifetime"),
        *("snapshotPriority", "snapshotStatus", "createdAt", "modifiedAt", "expiresAt"),
        "lastUsedAt",
    }
    ld = await door.http.get(location, headers={"accept": LD_JSON})
    assert ld.headers["content-type"] == LD_JSON
    assert "@context" in ld.json()


async def test_a_query_that_fails_is_told(door: Running) -> None:
    wrong = {"type": "Query", "entities": [{"type": "Room"}], "q": "a=="}
    answer = await door.http.post(SNAPSHOTS, json={"type": "Snapshot", "snapshotQueries": [wrong]})
    assert answer.status_code == 201
    found = await _ready(door, answer.headers["location"])
    assert found["snapshotStatus"] == "failure"
    (detail,) = found["snapshotQueriesDetails"]
    assert detail["resultStatus"] == "failure"
    assert detail["problemDetails"]["type"].endswith("BadRequestData")


async def test_names_of_queries_are_those_of_the_creators_context(door: Running) -> None:
    station = {"id": "urn:ngsi-ld:A:1", "type": "AirStation", "dust": {"value": 3}}
    await door.create(station, **CONTEXT_LINK)
    query = {"type": "Query", "entities": [{"type": "AirStation"}], "attrs": ["dust"]}
    body = {"id": ID, "type": "Snapshot", "snapshotQueries": [query], "@context": CONTEXT_URL}
    answer = await door.http.post(SNAPSHOTS, json=body, headers={"content-type": LD_JSON})
    assert (await _ready(door, answer.headers["location"]))["snapshotStatus"] == "success"
    found = await door.entity("urn:ngsi-ld:A:1", headers={"ngsild-snapshot": ID})
    assert found["https://example.org/city#dust"]["value"] == 3


@pytest.mark.parametrize(
    "members",
    [
        {"type": "Snap"},
        {"id": "no uri"},
        {"snapshotQueries": []},
        {"snapshotQueries": None},
        {"snapshotQueries": [{"entities": []}]},
        {"snapshotQueries": [{**ROOMS, "temporalQ": {}}]},
        {"snapshotTemporalQueries": [ROOMS]},
        {"snapshotPriority": 0},
        {"snapshotPriority": 11},
        {"snapshotPriority": True},
        {"snapshotPriority": "5"},
        {"snapshotLifetime": "1 day"},
        {"snapshotLifetime": "P"},
        {"snapshotLifetime": 5},
        {"endpoint": "mqtt://h/t"},
        {"endpoint": 5},
        {"receiverInfo": {"key": "a", "value": "b"}},
        {"receiverInfo": [{"key": "a b", "value": "c"}]},
        {"receiverInfo": [{"key": "a", "value": "c\r\nX: y"}]},
        {"other": 1},
    ],
)
async def test_wrong_snapshots(standing_door: Running, members: dict[str, Any]) -> None:
    body = {"id": ID, "type": "Snapshot", "snapshotQueries": [ROOMS], **members}
    problem_of(await standing_door.http.post(SNAPSHOTS, json=body), 400, "BadRequestData")
    problem_of(await standing_door.http.get(f"{SNAPSHOTS}/{ID}"), 404, "ResourceNotFound")


async def test_an_id_is_used_once(door: Running) -> None:
    await _take(door)
    body = {"id": ID, "type": "Snapshot", "snapshotQueries": [ROOMS]}
    problem_of(await door.http.post(SNAPSHOTS, json=body), 409, "AlreadyExists")


async def test_update(door: Running) -> None:
    """5.16.4: only some members can be changed; expiresAt follows the lifetime."""
    location = await _take(door)
    before = (await door.http.get(location)).json()
    change = {"snapshotPriority": 9, "snapshotLifetime": "P2D", "snapshotStatus": "ignored"}
    answer = await door.http.patch(location, json=change)
    assert answer.status_code == 200
    after = answer.json()
    assert after["snapshotPriority"] == 9
    assert after["snapshotStatus"] == "empty"
    assert after["expiresAt"] > before["expiresAt"]
    back = await door.http.patch(location, json={"snapshotPriority": "urn:ngsi-ld:null"})
    assert back.json()["snapshotPriority"] == 5
    for wrong in ({"snapshotQueries": [ROOMS]}, {"id": "urn:x:2"}, {"snapshotPriority": 77}, []):
        problem_of(await door.http.patch(location, json=wrong), 400, "BadRequestData")
    missing = await door.http.patch(f"{SNAPSHOTS}/urn:x:none", json=change)
    problem_of(missing, 404, "ResourceNotFound")


async def test_clone(door: Running) -> None:
    """5.16.2: a copy that goes its own way."""
    await door.create(_room(1, 20))
    location = await _take(door)
    other = "urn:ngsi-ld:Snapshot:2"
    answer = await door.http.post(f"{location}/clone", json={"id": other, "type": "Snapshot"})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{SNAPSHOTS}/{other}"
    found = await _ready(door, answer.headers["location"])
    assert found["snapshotStatus"] == "success"
    assert found["snapshotQueries"] == [ROOMS]
    change = {"temperature": {"type": "Property", "value": 1}}
    headers = {"NGSILD-Snapshot": other}
    await door.send("PATCH", "/entities/urn:ngsi-ld:Room:1/attrs", change, **headers)
    assert await _value(door, 1, other) == 1
    assert await _value(door) == 20
    again = await door.http.post(f"{location}/clone", json={"id": other})
    problem_of(again, 409, "AlreadyExists")
    wrong = await door.http.post(f"{location}/clone", json={"snapshotQueries": [ROOMS]})
    problem_of(wrong, 400, "BadRequestData")
    missing = await door.http.post(f"{SNAPSHOTS}/urn:x:none/clone", json={})
    problem_of(missing, 404, "ResourceNotFound")


async def test_delete(door: Running, tmp_path: Path) -> None:
    location = await _take(door)
    folder = tmp_path / "snapshots"
    assert len(list(folder.iterdir())) == 1
    assert (await door.http.delete(location)).status_code == 204
    assert list(folder.iterdir()) == []
    problem_of(await door.http.delete(location), 404, "ResourceNotFound")
    problem_of(await door.http.get(location), 404, "ResourceNotFound")
    lost = await door.get("/entities?type=Room", headers={"ngsild-snapshot": ID})
    problem_of(lost, 404, "ResourceNotFound")
    problem_of(await door.http.delete(f"{SNAPSHOTS}/nothing"), 400, "BadRequestData")


async def test_purge(door: Running) -> None:
    """5.16.7: by a query on members of the data type."""
    for number, priority in ((1, 2), (2, 7), (3, 8)):
        await _take(door, id=f"urn:ngsi-ld:Snapshot:{number}", snapshotPriority=priority)
    for q, kind in (("", "BadRequestData"), ("x==1", "BadRequestData"), ("a==", "BadRequestData")):
        answer = await door.http.delete(SNAPSHOTS, params={"q": q} if q else {})
        problem_of(answer, 400, kind)
    none = await door.http.delete(SNAPSHOTS, params={"q": "snapshotPriority>9"})
    problem_of(none, 404, "ResourceNotFound")
    q = 'snapshotPriority>=7;expiresAt>2026-01-01T00:00:00Z;snapshotStatus=="empty"'
    assert (await door.http.delete(SNAPSHOTS, params={"q": q})).status_code == 204
    urls = [f"{SNAPSHOTS}/urn:ngsi-ld:Snapshot:{n}" for n in (1, 2, 3)]
    left = [(await door.http.get(url)).status_code for url in urls]
    assert left == [200, 404, 404]
    q = 'id=="urn:ngsi-ld:Snapshot:1"|snapshotPriority==1..3'
    assert (await door.http.delete(f"{SNAPSHOTS}/", params={"q": q})).status_code == 204


async def test_the_least_important_makes_room(tmp_path: Path) -> None:
    """5.5.15: "the snapshotPriority ... should be considered"."""
    async with running(tmp_path, NgsiLdSettings(max_snapshots=2)) as door:
        for number, priority in ((1, 6), (2, 3), (3, 5)):
            await _take(door, id=f"urn:x:{number}", snapshotPriority=priority)
        left = [(await door.http.get(f"{SNAPSHOTS}/urn:x:{n}")).status_code for n in (1, 2, 3)]
        assert left == [200, 404, 200]


async def test_snapshots_of_a_tenant(door: Running) -> None:
    """5.5.15: "both Snapshot and Tenant have to be specified"."""
    tenant = {"NGSILD-Tenant": "hue"}
    await door.create(_room(1, 33), **tenant)
    body = {"id": ID, "type": "Snapshot", "snapshotQueries": [ROOMS]}
    answer = await door.http.post(SNAPSHOTS, json=body, headers=tenant)
    assert answer.status_code == 201, answer.text
    assert (await _ready(door, answer.headers["location"], **tenant))["snapshotStatus"] == "success"
    problem_of(await door.http.get(f"{SNAPSHOTS}/{ID}"), 404, "ResourceNotFound")
    both = {**tenant, "NGSILD-Snapshot": ID}
    found = await door.entity("urn:ngsi-ld:Room:1", headers=both)
    assert found["temperature"]["value"] == 33
    unknown = await door.http.post(SNAPSHOTS, json=body, headers={"NGSILD-Tenant": "nowhere"})
    problem_of(unknown, 404, "NonexistentTenant")


@dataclass
class Receiver:
    url: str
    got: list[tuple[dict[str, str], Any]] = field(default_factory=list)


@asynccontextmanager
async def _receiver() -> AsyncIterator[Receiver]:
    """Takes notifications over HTTP."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        headers = {}
        while line := (await reader.readline()).strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers["content-length"]))
        found.got.append((headers, msgspec.json.decode(body)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    found = Receiver(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/status")
    try:
        yield found
    finally:
        server.close()


async def test_the_endpoint_is_told(tmp_path: Path) -> None:
    """5.16.6 and 5.3.4: when it is ready, and after each change of its status."""
    settings = NgsiLdSettings(egress_allow=("127.0.0.0/8",))
    async with running(tmp_path, settings) as door, _receiver() as receiver:
        info = [{"key": "Authorization", "value": "Bearer x"}]
        location = await _take(door, endpoint=receiver.url, receiverInfo=info)
        await door.http.patch(location, json={"snapshotPriority": 9})
        async with asyncio.timeout(20):
            while len(receiver.got) < 2:
                await asyncio.sleep(0.02)
        (headers, ready), (_, changed) = receiver.got
        assert headers["authorization"] == "Bearer x"
        assert headers["content-type"] == "application/json"
        assert "ngsi-ld-core-context" in headers["link"]
        assert ready["type"] == "SnapshotNotification"
        assert ready["snapshotId"] == ID
        assert ready["snapshotStatus"] == "empty"
        assert ready["snapshotQueriesDetails"] == [{"resultStatus": "empty"}]
        assert ready["notifiedAt"] < ready["expiresAt"]
        assert ready["id"] != changed["id"]
        assert changed["snapshotPriority"] == 9


async def test_headers_that_name_no_snapshot(door: Running) -> None:
    for name, status, kind in (
        ("nothing", 400, "BadRequestData"),
        ("urn:ngsi-ld:Snapshot:none", 404, "ResourceNotFound"),
    ):
        answer = await door.get("/entities?type=Room", headers={"ngsild-snapshot": name})
        problem_of(answer, status, kind)
        assert answer.headers["ngsild-snapshot"] == name


async def test_after_a_restart_it_is_there_and_filled(tmp_path: Path) -> None:
    """A snapshot that was being filled when the program stopped is filled then."""
    async with running(tmp_path) as door:
        await door.create(_room(1, 20))
        await _take(door)
        await door.http.post(
            SNAPSHOTS, json={"id": "urn:x:2", "type": "Snapshot", "snapshotQueries": [ROOMS]}
        )
    async with running(tmp_path) as door:
        assert await _value(door) == 20
        assert (await _ready(door, f"{SNAPSHOTS}/urn:x:2"))["snapshotStatus"] == "success"
        assert await _value(door, 1, "urn:x:2") == 20


async def test_a_snapshot_of_the_past(door: Running) -> None:
    """5.16.1: temporal queries too; all instances, not a page of them."""
    room = "urn:ngsi-ld:Room:1"
    instances = [
        {
            "type": "Property",
            "value": n,
            "observedAt": f"2026-10-{1 + n // 24:02}T{n % 24:02}:00:00Z",
        }
        for n in range(150)
    ]
    evolution = {"id": room, "type": "Room", "temperature": instances}
    assert (await door.send("POST", "/temporal/entities", evolution)).status_code == 201
    times = {"timerel": "before", "timeAt": "2026-10-06T00:00:00Z"}
    query = {"type": "Query", "entities": [{"type": "Room"}], "temporalQ": times}
    body = {"id": ID, "type": "Snapshot", "snapshotTemporalQueries": [query]}
    answer = await door.http.post(SNAPSHOTS, json=body)
    found = await _ready(door, answer.headers["location"])
    assert found["snapshotTemporalQueriesDetails"] == [{"resultStatus": "success"}], found
    assert found["snapshotStatus"] == "success"
    headers = {"ngsild-snapshot": ID}
    parameters = {"lastN": "2", "options": "temporalValues"}
    past = await door.get(f"/temporal/entities/{room}", params=parameters, headers=headers)
    values = past.json()["temperature"]["values"]
    assert sorted(value for value, _ in values) == [118, 119]
    counted = {"aggrMethods": "totalCount", "options": "aggregatedValues"}
    total = await door.get(f"/temporal/entities/{room}", params=counted, headers=headers)
    assert total.json()["temperature"]["totalCount"][0][0] == 120
    gone = await door.get(f"/entities/{room}", headers=headers)
    problem_of(gone, 404, "ResourceNotFound")


async def test_nothing_is_subscribed_in_a_snapshot(door: Running) -> None:
    """What a snapshot does not do is told, not passed on to the hub beside it."""
    await _take(door)
    body = {
        "type": "Subscription",
        "entities": [{"type": "Room"}],
        "notification": {"endpoint": {"uri": "http://192.0.2.1/n"}},
    }
    answer = await door.http.post(
        f"{ROOT}/subscriptions", json=body, headers={"ngsild-snapshot": ID}
    )
    problem_of(answer, 422, "OperationNotSupported")
    assert (await door.get("/subscriptions")).json() == []

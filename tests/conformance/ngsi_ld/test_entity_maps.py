"""Entity maps (clauses 5.14, 5.5.9.3, 6.32, 6.34, tables 6.4.3.2-2 and 6.5.3.1-2)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conformance.ngsi_ld.broker import ROOT, Running, problem_of

HEADER = "NGSILD-EntityMap"
JSON = {"content-type": "application/json"}


async def _load(door: Running) -> None:
    for n in range(5):
        await door.create({"id": f"urn:ngsi-ld:Car:{n}", "type": "Car", "speed": n})


def _numbers(entities: list[dict[str, Any]]) -> list[int]:
    return [int(entity["id"][-1]) for entity in entities]


async def _map_of(door: Running, location: str) -> dict[str, Any]:
    answer = await door.http.get(location)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_map_is_made_of_a_query(door: Running) -> None:
    """Clause 5.14.4: local entities are known to @none."""
    await _load(door)
    answer = await door.get("/entityMaps", params={"type": "Car", "q": "speed>2"})
    assert answer.status_code == 201
    found = answer.json()
    assert found.keys() == {"id", "type", "expiresAt", "entityMap", "linkedMaps"}
    assert answer.headers[HEADER] == f"{ROOT}/entityMaps/{found['id']}"
    assert found["type"] == "EntityMap"
    assert found["entityMap"] == {f"urn:ngsi-ld:Car:{n}": ["@none"] for n in (3, 4)}
    assert await _map_of(door, answer.headers[HEADER]) == found
    body = {"type": "Query", "entities": [{"type": "Car"}], "q": "speed<1"}
    answer = await door.send("POST", "/entityMaps", body)
    assert answer.status_code == 201
    assert answer.json()["entityMap"].keys() == {"urn:ngsi-ld:Car:0"}


async def test_lifetime(door: Running) -> None:
    await _load(door)
    answer = await door.get("/entityMaps", params={"type": "Car", "entityMapLifetime": "PT5M"})
    expires = datetime.fromisoformat(answer.json()["expiresAt"])
    assert timedelta(minutes=4) < expires - datetime.now(UTC) <= timedelta(minutes=5)
    answer = await door.get("/entityMaps", params={"type": "Car", "entityMapLifetime": "PT0.1S"})
    location = answer.headers[HEADER]
    while (await door.http.get(location)).status_code == 200:
        pass
    problem_of(await door.http.get(location), 404, "ResourceNotFound")


async def test_paging_by_a_map(door: Running) -> None:
    """Clause 5.5.9.3: the set is fixed, the filters are looked at again, pages are full."""
    await _load(door)
    answer = await door.get("/entities", params={"type": "Car", "entityMap": "true", "limit": 2})
    assert (answer.status_code, _numbers(answer.json())) == (201, [0, 1])
    location = answer.headers[HEADER]
    await door.create({"id": "urn:ngsi-ld:Car:9", "type": "Car", "speed": 9})
    by_map = {"headers": {HEADER: location}}
    params = {"type": "Car", "limit": 2, "offset": 2, "count": "true"}
    answer = await door.get("/entities", params=params, **by_map)
    assert (answer.status_code, _numbers(answer.json())) == (200, [2, 3])
    assert answer.headers[HEADER] == location
    assert answer.headers["NGSILD-Results-Count"] == "5"
    links = answer.headers.get_list("link")
    assert any('offset=0&type=Car>;rel="prev"' in link for link in links)
    assert any('offset=4&type=Car>;rel="next"' in link for link in links)
    await door.http.delete(f"{ROOT}/entities/urn:ngsi-ld:Car:1")
    answer = await door.get("/entities", params={"type": "Car", "limit": 3}, **by_map)
    assert _numbers(answer.json()) == [0, 2, 3]
    assert "urn:ngsi-ld:Car:1" not in (await _map_of(door, location))["entityMap"]
    answer = await door.get("/entities", params=params | {"offset": 4}, **by_map)
    assert (answer.json(), answer.headers["NGSILD-Results-Count"]) == ([], "4")


async def test_a_map_of_one_entity(door: Running) -> None:
    """Clause 5.7.1.4: the flag makes a map, a live one is used, a dead one replaced."""
    await _load(door)
    path = "/entities/urn:ngsi-ld:Car:1"
    answer = await door.get(path, params={"entityMap": "true"})
    assert (answer.status_code, answer.json()["id"]) == (200, "urn:ngsi-ld:Car:1")
    location = answer.headers[HEADER]
    assert (await _map_of(door, location))["entityMap"] == {"urn:ngsi-ld:Car:1": ["@none"]}
    answer = await door.get(path, headers={HEADER: location})
    assert answer.headers[HEADER] == location
    answer = await door.get(path, headers={HEADER: "urn:ngsi-ld:EntityMap:dead"})
    assert answer.status_code == 200
    assert "dead" not in answer.headers[HEADER]
    assert HEADER not in (await door.get(path)).headers


async def test_a_dead_map_is_replaced_by_a_query(door: Running) -> None:
    await _load(door)
    headers = {HEADER: f"{ROOT}/entityMaps/urn:ngsi-ld:EntityMap:dead"}
    answer = await door.get("/entities", params={"type": "Car"}, headers=headers)
    assert (answer.status_code, len(answer.json())) == (201, 5)
    assert len((await _map_of(door, answer.headers[HEADER]))["entityMap"]) == 5


async def test_update(door: Running) -> None:
    """Clause 5.14.2: the expiry changes, output-only members do not."""
    await _load(door)
    answer = await door.get("/entityMaps", params={"type": "Car"})
    location, before = answer.headers[HEADER], answer.json()
    path = location.removeprefix(ROOT)
    later = "2099-01-01T00:00:00Z"
    fragment = {"type": "EntityMap", "expiresAt": later, "entityMap": {"urn:x:1": ["@none"]}}
    answer = await door.send("PATCH", path, fragment)
    assert (answer.status_code, answer.content) == (204, b"")
    after = await _map_of(door, location)
    assert before["expiresAt"] < after["expiresAt"] == later
    assert after["entityMap"] == before["entityMap"]
    assert (await door.send("PATCH", path, {"linkedMaps": {}})).status_code == 204
    for wrong in ([], {"expiresAt": "soon"}, {"type": "Entity"}):
        problem_of(await door.send("PATCH", path, wrong), 400, "BadRequestData")
    problem_of(await door.send("PATCH", "/entityMaps/urn:x:1", fragment), 404, "ResourceNotFound")


async def test_deletion_and_errors(door: Running) -> None:
    await _load(door)
    location = (await door.get("/entityMaps", params={"type": "Car"})).headers[HEADER]
    answer = await door.http.delete(location)
    assert (answer.status_code, answer.content) == (204, b"")
    problem_of(await door.http.delete(location), 404, "ResourceNotFound")
    problem_of(await door.http.get(location), 404, "ResourceNotFound")
    problem_of(await door.get("/entityMaps/nonsense"), 400, "BadRequestData")
    problem_of(await door.http.delete(f"{ROOT}/entityMaps/nonsense"), 400, "BadRequestData")
    problem_of(await door.get("/entityMaps"), 400, "BadRequestData")
    for params in ({"entityMapLifetime": "1hour"}, {"entityMap": "yes"}):
        answer = await door.get("/entities", params={"type": "Car", **params})
        problem_of(answer, 400, "BadRequestData")

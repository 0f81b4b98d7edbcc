"""Batches for sources that take none (clauses 5.6.7.4 to 5.6.10.4 and 5.6.20)."""

from typing import Any

import httpx
import pytest
from tests.conformance.ngsi_ld.broker import Running
from tests.conformance.ngsi_ld.peers import CAR, Recorder, car, prop, register, url_of

OTHER = "urn:ngsi-ld:Vehicle:2"
SINGLE = ["redirectionOps"]
Doors = tuple[Running, Running, Running]


async def _batch(door: Running, name: str, items: list[Any], query: str = "") -> httpx.Response:
    return await door.send("POST", f"/entityOperations/{name}{query}", items)


async def test_each_entity_is_created_changed_and_deleted_by_itself(doors: Doors) -> None:
    """Creation, upsert in both manners, update, merge and deletion, at the source alone."""
    a, b, _ = doors
    await register(a, url_of(b), mode="redirect", operations=SINGLE)
    answer = await _batch(a, "create", [car(speed=1), car(OTHER, speed=1)])
    assert (answer.status_code, sorted(answer.json())) == (201, [CAR, OTHER])
    assert (await a.get(f"/entities/{CAR}?local=true")).status_code == 404
    third = "urn:ngsi-ld:Vehicle:3"
    answer = await _batch(a, "upsert", [car(seats=2), car(third, seats=2)], "?options=update")
    assert (answer.status_code, answer.json()) == (201, [third])
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("upsert", "?options=update", {"speed": 1, "seats": 2}),
        ("upsert", "", {"seats": 3}),
        ("update", "", {"seats": 4}),
        ("merge", "", {"seats": 5}),
    ]
    for name, query, expected in steps:
        answer = await _batch(a, name, [car(seats=expected["seats"])], query)
        assert answer.status_code == 204, answer.text
        assert await b.entity(CAR, params={"options": "keyValues"}) == car(**expected)
    answer = await _batch(a, "update", [car(seats=9, doors=4)], "?options=noOverwrite")
    assert answer.status_code in {204, 207}
    assert await b.entity(CAR, params={"options": "keyValues"}) == car(seats=5, doors=4)
    assert (await _batch(a, "delete", [CAR, OTHER])).status_code == 204
    assert (await b.get(f"/entities/{CAR}")).status_code == 404


async def test_errors_of_single_requests_are_those_of_the_batch(doors: Doors) -> None:
    """5.2.16, 5.2.17: what exists is an error of that entity; the others are done."""
    a, b, _ = doors
    await register(a, url_of(b), uri="urn:r:b", mode="redirect", operations=SINGLE)
    await b.create(car(speed=1))
    bus = {"id": "urn:ngsi-ld:Bus:1", "type": "Bus", "speed": prop(3)}
    answer = await _batch(a, "create", [car(speed=2), car(OTHER, speed=2), bus])
    assert answer.status_code == 207
    body = answer.json()
    assert sorted(body["success"]) == [bus["id"], OTHER]
    [error] = body["errors"]
    assert (error["entityId"], error["registrationId"]) == (CAR, "urn:r:b")
    assert error["error"]["type"].endswith("/AlreadyExists")


@pytest.mark.parametrize(
    ("operations", "name", "expected"),
    [
        (["createEntity"], "upsert", ["POST /entities/"]),
        (["replaceEntity"], "upsert", [f"PUT /entities/{CAR}"]),
        (["updateEntity"], "update", [f"PATCH /entities/{CAR}/attrs/"]),
        (["appendAttrs"], "update", [f"POST /entities/{CAR}/attrs/"]),
        (["mergeBatch"], "merge", ["POST /entityOperations/merge"]),
    ],
)
async def test_what_a_source_takes_is_what_it_gets(
    door: Running, source: Recorder, operations: list[str], name: str, expected: list[str]
) -> None:
    """4.20: the operation that the source names, in the shape of that operation."""
    await register(door, source.url, mode="redirect", operations=operations)
    await _batch(door, name, [car(speed=1)])
    sent = [f"{one.method} {one.path}" for one in source.requests]
    assert [one.rstrip("/") for one in sent] == [one.rstrip("/") for one in expected]

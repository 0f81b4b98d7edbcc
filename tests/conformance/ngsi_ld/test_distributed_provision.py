"""Replacing, merging, purging and batches over several brokers (5.6.7 to 5.6.10, 5.6.17 to 5.6.21).

A broker that does not offer an operation yet skips its test.
"""

from typing import Any

import httpx
import pytest
from tests.conformance.ngsi_ld.broker import ROOT, Running, problem_of
from tests.conformance.ngsi_ld.peers import ALL, CAR, Recorder, car, prop, register, url_of

PATH = f"/entities/{CAR}"
OTHER = "urn:ngsi-ld:Vehicle:2"
ONE = [{"type": "Vehicle", "id": CAR}]
SPLIT: dict[str, Any] = {
    "mode": "exclusive",
    "names": ["speed"],
    "entities": ONE,
    "operations": ALL,
}
Doors = tuple[Running, Running, Running]


async def _here(door: Running, uri: str = CAR) -> dict[str, Any] | None:
    answer = await door.get(f"/entities/{uri}?local=true&options=keyValues")
    return answer.json() if answer.status_code == 200 else None


async def _offered(door: Running, method: str, path: str, body: Any) -> None:
    answer = await door.send(method, path, body)
    if answer.status_code in {404, 405} and "ngsi-ld/errors" not in answer.text:
        pytest.skip(f"{method} {path} is not offered")


async def _batch(door: Running, name: str, body: Any) -> httpx.Response:
    await _offered(door, "POST", f"/entityOperations/{name}", [])
    return await door.send("POST", f"/entityOperations/{name}", body)


def _plain(uri: str, **values: Any) -> dict[str, Any]:
    """The concise form of a vehicle."""
    return {"id": uri, "type": "Vehicle", **values}


async def test_replacing_and_merging_are_split(doors: Doors) -> None:
    a, b, _ = doors
    await _offered(a, "PATCH", PATH, {"x": 1})
    await register(a, url_of(b), **SPLIT)
    assert (await a.create(car(speed=5, brand="Vin"))).status_code == 201
    answer = await a.send("PATCH", PATH, {"speed": 6, "seats": 4})
    assert (answer.status_code, answer.content) == (204, b"")
    assert await _here(a) == car(brand="Vin", seats=4)
    assert await _here(b) == car(speed=6)
    answer = await a.send("PATCH", PATH, {"speed": 7})
    assert answer.status_code == 204
    assert await _here(b) == car(speed=7)
    answer = await a.send("PUT", PATH, car(speed=8, brand="Kia"))
    assert (answer.status_code, answer.content) == (204, b"")
    assert await _here(a) == car(brand="Kia")
    assert await _here(b) == car(speed=8)


async def test_a_merge_that_a_source_refuses_in_part(door: Running, source: Recorder) -> None:
    await _offered(door, "PATCH", PATH, {"x": 1})
    uri = await register(door, source.url, **SPLIT)
    await door.create(car(brand="Vin"))
    source.answer("PATCH", PATH, 404)
    answer = await door.send("PATCH", PATH, {"speed": 6, "brand": "Kia"})
    assert answer.status_code == 207, answer.text
    assert answer.json()["updated"] == ["brand"]
    (refused,) = answer.json()["notUpdated"]
    assert (refused["attributeName"], refused["registrationId"]) == ("speed", uri)
    source.answer("PUT", PATH, 404)
    answer = await door.send("PUT", PATH, car(speed=6, brand="BYD"))
    assert answer.status_code == 207, answer.text
    assert answer.json()["success"] == [CAR]
    assert answer.json()["errors"][0]["registrationId"] == uri


async def test_purging_everywhere(doors: Doors) -> None:
    a, b, c = doors
    await register(a, url_of(b), uri="urn:r:b", operations=["purgeEntity", *ALL])
    await register(a, url_of(c), uri="urn:r:c", operations=ALL)
    await a.create(car(speed=1))
    assert None not in [await _here(door) for door in doors]
    await _offered(c, "DELETE", "/entities?type=Nothing", None)
    answer = await a.http.delete(f"{ROOT}/entities?type=Vehicle&local=true")
    assert answer.status_code == 204
    assert [await _here(door) is None for door in doors] == [True, False, False]
    answer = await a.http.delete(f"{ROOT}/entities?type=Vehicle")
    assert answer.status_code == 204, answer.text
    assert [await _here(door) is None for door in doors][:2] == [True, True]


async def test_batches_are_split(doors: Doors) -> None:
    a, b, _ = doors
    await register(a, url_of(b), **SPLIT)
    both = [_plain(CAR, speed=5, brand="Vin"), _plain(OTHER, speed=6)]
    answer = await _batch(a, "create", both)
    assert (answer.status_code, answer.json()) == (201, [CAR, OTHER])
    assert await _here(a) == car(brand="Vin")
    assert await _here(b) == car(speed=5)
    assert await _here(a, OTHER) == _plain(OTHER, speed=6)
    assert await _here(b, OTHER) is None
    answer = await _batch(a, "update", [_plain(CAR, speed=7, brand="Kia"), _plain(OTHER, speed=8)])
    assert (answer.status_code, answer.content) == (204, b"")
    assert [await _here(a), await _here(b)] == [car(brand="Kia"), car(speed=7)]
    answer = await _batch(a, "merge", [_plain(CAR, speed=9, seats=4)])
    assert (answer.status_code, answer.content) == (204, b"")
    assert [await _here(a), await _here(b)] == [car(brand="Kia", seats=4), car(speed=9)]
    answer = await _batch(a, "upsert", [_plain(CAR, speed=1), _plain("urn:ngsi-ld:Vehicle:3")])
    assert (answer.status_code, answer.json()) == (201, ["urn:ngsi-ld:Vehicle:3"])
    assert await _here(b) == car(speed=1)
    answer = await _batch(a, "delete", [CAR, OTHER])
    assert (answer.status_code, answer.content) == (204, b"")
    assert [await _here(a), await _here(b), await _here(a, OTHER)] == [None, None, None]


async def test_a_wrong_item_fails_alone(doors: Doors) -> None:
    a, b, _ = doors
    await register(a, url_of(b), mode="redirect", operations=ALL)
    wrong = {"id": OTHER, "type": "Vehicle", "speed": {"type": "Nothing"}}
    answer = await _batch(a, "create", [_plain(CAR, speed=1), wrong])
    assert answer.status_code == 207, answer.text
    assert answer.json()["success"] == [CAR]
    (error,) = answer.json()["errors"]
    assert error["entityId"] == OTHER
    assert error["error"]["status"] == 400
    assert await _here(a) is None
    assert await _here(b) == car(speed=1)


async def test_batches_with_trouble_at_the_source(door: Running, source: Recorder) -> None:
    uri = await register(door, source.url, mode="redirect", entities=ONE, operations=ALL)
    source.answer("POST", "/entityOperations/update", 404)
    await door.create(_plain(OTHER, speed=prop(1)))
    answer = await _batch(door, "update", [_plain(CAR, speed=2), _plain(OTHER, speed=2)])
    assert answer.status_code == 207, answer.text
    assert answer.json()["success"] == [OTHER]
    (error,) = answer.json()["errors"]
    assert (error["entityId"], error["registrationId"]) == (CAR, uri)
    assert source.last.body == [_plain(CAR, speed=2)]


async def test_wrong_requests_reach_no_source(door: Running, source: Recorder) -> None:
    await register(door, source.url, mode="redirect", operations=["purgeEntity", *ALL])
    await _offered(door, "DELETE", "/entities?type=Nothing", None)
    source.requests.clear()
    problem_of(await door.send("DELETE", "/entities", None), 400, "BadRequestData")
    problem_of(await door.send("PUT", PATH, [1]), 400, "BadRequestData")
    problem_of(await door.send("PATCH", f"{PATH}?lang=!", {"a": 1}), 400, "BadRequestData")
    problem_of(await _batch(door, "merge", {"a": 1}), 400, "BadRequestData")
    assert not source.requests

"""POST /entityOperations/upsert (clause 6.15.3.1)."""

from typing import Any

from tests.conformance.ngsi_ld.broker import CONTEXT_URL, LD_JSON, Running, problem_of

PATH = "/entityOperations/upsert"


def _room(number: int, **attributes: Any) -> dict[str, Any]:
    return {"id": f"urn:ngsi-ld:Room:{number}", "type": "Room", **attributes}


async def test_created_then_updated(door: Running) -> None:
    answer = await door.send("POST", PATH, [_room(1, a=1), _room(2, a=2)])
    assert (answer.status_code, answer.json()) == (201, [_room(1)["id"], _room(2)["id"]])
    answer = await door.send("POST", PATH, [_room(1, b=1), _room(3, a=2)])
    assert (answer.status_code, answer.json()) == (201, [_room(3)["id"]])
    found = await door.entity(_room(1)["id"], params={"options": "keyValues"})
    assert found == _room(1, b=1)
    answer = await door.send("POST", f"{PATH}?options=update", [_room(1, c=1)])
    assert (answer.status_code, answer.content) == (204, b"")
    found = await door.entity(_room(1)["id"], params={"options": "keyValues"})
    assert found == _room(1, b=1, c=1)


async def test_replacing_keeps_the_time_of_creation(door: Running) -> None:
    await door.send("POST", PATH, [_room(1, a=1)])
    options = {"params": {"options": "sysAttrs"}}
    before = await door.entity(_room(1)["id"], **options)
    await door.send("POST", PATH, [_room(1, a=2)])
    after = await door.entity(_room(1)["id"], **options)
    assert after["createdAt"] == before["createdAt"]
    assert after["modifiedAt"] > before["modifiedAt"]


async def test_the_same_id_twice_is_taken_in_order(door: Running) -> None:
    answer = await door.send("POST", PATH, [_room(1, a=1, b=1), _room(2), _room(1, a=2)])
    assert answer.status_code == 201
    found = await door.entity(_room(1)["id"], params={"options": "keyValues"})
    assert found == _room(1, a=2)


async def test_bad_items_are_named_and_the_good_ones_stored(door: Running) -> None:
    items = [
        _room(1, a=1),
        _room(2, a=None),
        {"id": "nonsense", "type": "Room"},
        _room(3) | {"@context": CONTEXT_URL},
        {"type": "Room"},
    ]
    answer = await door.send("POST", PATH, items)
    assert answer.status_code == 207
    body = answer.json()
    assert body["success"] == [_room(1)["id"]]
    expected = [_room(2)["id"], "nonsense", _room(3)["id"], ""]
    assert [error["entityId"] for error in body["errors"]] == expected
    for error in body["errors"]:
        assert error["error"]["type"] == "https://uri.etsi.org/ngsi-ld/errors/BadRequestData"
    assert (await door.get(f"/entities/{_room(2)['id']}")).status_code == 404


async def test_ld_items_bring_their_own_contexts(door: Running) -> None:
    items = [_room(1, dust=1) | {"@context": CONTEXT_URL}, _room(2, dust=1)]
    answer = await door.send("POST", PATH, items, **{"content-type": LD_JSON})
    assert answer.status_code == 207
    assert answer.json()["success"] == [_room(1)["id"]]
    assert "https://example.org/city#dust" in await door.entity(_room(1)["id"])


async def test_what_fails_as_a_whole_stores_nothing(door: Running) -> None:
    for body in ([], {}, [_room(1), None], [_room(1), 5], "x"):
        problem_of(await door.send("POST", PATH, body), 400, "BadRequestData")
    problem_of(await door.send("POST", f"{PATH}?options=x", [_room(1)]), 400, "InvalidRequest")
    both = f"{PATH}?options=update,replace"
    problem_of(await door.send("POST", both, [_room(1)]), 400, "BadRequestData")
    assert door.hub.rows().num_rows == 0


async def test_two_thousand_entities_at_once(door: Running) -> None:
    items = [_room(n, a=n, b="text", c={"value": {"x": n}}) for n in range(2000)]
    answer = await door.send("POST", PATH, items)
    assert answer.status_code == 201
    assert len(answer.json()) == 2000
    page = await door.get("/entities", params={"type": "Room", "limit": 3, "count": "true"})
    assert page.headers["NGSILD-Results-Count"] == "2000"

"""POST /entityOperations/create, update, merge, delete (clauses 5.6.7, 5.6.9, 5.6.10, 5.6.20)."""

from typing import Any

from tests.conformance.ngsi_ld.broker import (
    CONTEXT_LINK,
    CONTEXT_URL,
    LD_JSON,
    Running,
    problem_of,
)

OPERATIONS = "/entityOperations"
NULL = "urn:ngsi-ld:null"
SIMPLE = {"params": {"options": "keyValues"}}


def _id(number: int) -> str:
    return f"urn:ngsi-ld:Room:{number}"


def _room(number: int, **attributes: Any) -> dict[str, Any]:
    return {"id": _id(number), "type": "Room", **attributes}


async def _run(door: Running, name: str, items: Any, **headers: str) -> tuple[int, Any]:
    answer = await door.send("POST", f"{OPERATIONS}/{name}", items, **headers)
    assert answer.status_code in {201, 204, 207}, answer.text
    if answer.status_code != 204:
        assert answer.headers["content-type"] == "application/json"
    return answer.status_code, answer.json() if answer.content else None


def _errors(body: Any) -> list[tuple[str, str]]:
    """(entityId, short type) of each error; their bodies are whole problems."""
    for error in body["errors"]:
        problem = error["error"]
        assert problem["title"] and problem["detail"] and problem["status"] >= 400
    return [(e["entityId"], e["error"]["type"].rpartition("/")[2]) for e in body["errors"]]


async def test_all_created(door: Running) -> None:
    status, body = await _run(door, "create", [_room(1, a=1), _room(2, a=2)])
    assert (status, sorted(body)) == (201, [_id(1), _id(2)])
    assert await door.entity(_id(2), **SIMPLE) == _room(2, a=2)


async def test_what_is_there_already_is_an_error_of_its_own(door: Running) -> None:
    """Clause 5.5.11.1: the first of two equal ids creates, the second fails."""
    await _run(door, "create", [_room(1, a=1)])
    items = [_room(1, a=9), _room(2, a=2), _room(2, a=3), _room(3, a=None), _room(4)]
    status, body = await _run(door, "create", items)
    assert status == 207
    assert sorted(body["success"]) == [_id(2), _id(4)]
    expected = [(_id(1), "AlreadyExists"), (_id(2), "AlreadyExists"), (_id(3), "BadRequestData")]
    assert sorted(_errors(body)) == expected
    assert (await door.entity(_id(1), **SIMPLE))["a"] == 1
    assert (await door.entity(_id(2), **SIMPLE))["a"] == 2


async def test_update_replaces_attributes_and_appends(door: Running) -> None:
    await _run(door, "create", [_room(1, a={"value": 1, "unitCode": "CEL"}, b=1), _room(2)])
    items = [_room(1, a=2, c=3), _room(2, type="Hall", scope="/x")]
    assert await _run(door, "update", items) == (204, None)
    found = await door.entity(_id(1))
    assert found["a"] == {"type": "Property", "value": 2}
    assert (found["b"]["value"], found["c"]["value"]) == (1, 3)
    found = await door.entity(_id(2))
    assert (found["type"], found["scope"]) == (["Room", "Hall"], "/x")


async def test_update_without_overwriting(door: Running) -> None:
    """Clause 5.6.9: what an entity has already stays, and makes an error of the entity."""
    await _run(door, "create", [_room(1, a=1), _room(2, a=1), _room(3, scope="/x")])
    items = [_room(1, a=9, b=2), _room(2, b=2), _room(3, scope="/y"), _room(4, a=1)]
    status, body = await _run(door, "update?options=noOverwrite", items)
    assert status == 207
    assert sorted(body["success"]) == [_id(2), _id(3)]
    expected = [(_id(1), "AlreadyExists"), (_id(4), "ResourceNotFound")]
    assert sorted(_errors(body)) == expected
    assert await door.entity(_id(1), **SIMPLE) == _room(1, a=1, b=2)
    assert (await door.entity(_id(3)))["scope"] == ["/x", "/y"]
    assert await _run(door, "update?options=noOverwrite", [_room(2, c=3)]) == (204, None)


async def test_upsert_in_mode_update_deletes_with_null(door: Running) -> None:
    """Clause 5.6.8: as Update Attributes, where a Null deletes; a new entity has none to delete."""
    await _run(door, "create", [_room(1, a=1, b=1, scope="/x"), _room(2)])
    items = [_room(1, a=NULL, scope="/y"), _room(2, scope="/y", c=1), _room(3, a=NULL)]
    status, body = await _run(door, "upsert?options=update", items)
    assert (status, sorted(body["success"])) == (207, [_id(1), _id(2)])
    assert _errors(body) == [(_id(3), "BadRequestData")]
    assert await door.entity(_id(1), **SIMPLE) == _room(1, b=1, scope="/y")
    assert await door.entity(_id(2), **SIMPLE) == _room(2, c=1)


async def test_merge_goes_into_values(door: Running) -> None:
    value = {"x": 1, "y": 2}
    await _run(door, "create", [_room(1, a={"value": value, "unitCode": "CEL"}, b=1), _room(2)])
    items = [_room(1, a={"value": {"x": NULL}}, b=NULL, r="x"), _room(2, a=1)]
    assert await _run(door, "merge", items) == (204, None)
    found = await door.entity(_id(1))
    assert found["a"] == {"type": "Property", "value": {"y": 2}, "unitCode": "CEL"}
    assert "b" not in found
    items = [_room(2, a={"object": "urn:x:1"}), _room(3, a=1), _room(1, z=1)]
    status, body = await _run(door, "merge", items)
    assert (status, body["success"]) == (207, [_id(1)])
    assert sorted(_errors(body)) == [(_id(2), "BadRequestData"), (_id(3), "ResourceNotFound")]


async def test_wrong_data_come_before_an_entity_that_is_missing(door: Running) -> None:
    """5.6.20.4: each item is validated (5.5.4), then the entity is looked for."""
    nothing = _room(1, a={"type": "Property", "value": None})
    for name in ("merge", "update"):
        status, body = await _run(door, name, [nothing, _room(2, a=1)])
        assert (status, body["success"]) == (207, [])
        assert _errors(body) == [(_id(1), "BadRequestData"), (_id(2), "ResourceNotFound")]


async def test_delete(door: Running) -> None:
    """Clause 5.5.11.4: the second of two equal ids finds nothing."""
    await _run(door, "create", [_room(n) for n in range(4)])
    headers = {"content-type": LD_JSON}
    assert await _run(door, "delete", [_id(0), _id(1)], **headers) == (204, None)
    status, body = await _run(door, "delete", [_id(2), _id(2), "nonsense", _id(9)])
    assert (status, body["success"]) == (207, [_id(2)])
    missing, wrong = "ResourceNotFound", "BadRequestData"
    assert sorted(_errors(body)) == [("nonsense", wrong), (_id(2), missing), (_id(9), missing)]
    assert (await door.get(f"/entities/{_id(0)}")).status_code == 404
    assert (await door.get(f"/entities/{_id(3)}")).status_code == 200


async def test_contexts_of_items(door: Running) -> None:
    """Facts: a context rule that an item breaks is an error of the item (207)."""
    status, body = await _run(door, "create", [_room(1, dust=1)], **CONTEXT_LINK)
    assert status == 201
    assert (await door.entity(_id(1), headers=CONTEXT_LINK))["dust"]["value"] == 1
    for name in ("create", "upsert", "update", "merge"):
        status, body = await _run(door, name, [_room(1) | {"@context": CONTEXT_URL}])
        assert (status, body["success"]) == (207, [])
        assert _errors(body) == [(_id(1), "BadRequestData")]
    items = [_room(1, dust=2) | {"@context": CONTEXT_URL}]
    assert await _run(door, "merge", items, **{"content-type": LD_JSON}) == (204, None)
    assert (await door.entity(_id(1), headers=CONTEXT_LINK))["dust"]["value"] == 2


async def test_what_fails_as_a_whole_stores_nothing(door: Running) -> None:
    for name in ("create", "upsert", "update", "merge"):
        for body in ([], {}, [_room(1), None], [_room(1), 5], "x"):
            answer = await door.send("POST", f"{OPERATIONS}/{name}", body)
            problem_of(answer, 400, "BadRequestData")
        answer = await door.send("POST", f"{OPERATIONS}/{name}?options=x", [_room(1)])
        assert answer.status_code == 400
        answer = await door.send("POST", f"{OPERATIONS}/{name}?foo=x", [_room(1)])
        problem_of(answer, 400, "InvalidRequest")
    for body in ([], [None], [_id(1), 5], {}):
        problem_of(await door.send("POST", f"{OPERATIONS}/delete", body), 400, "BadRequestData")
    assert door.hub.rows().num_rows == 0


async def test_what_the_store_refuses_disturbs_nobody(door: Running) -> None:
    items = [_room(1, a=1), _room(2, a="x" * 2_000_000), _room(3, a=1)]
    status, body = await _run(door, "create", items)
    assert (status, body["success"]) == (207, [_id(1), _id(3)])
    assert _errors(body) == [(_id(2), "BadRequestData")]


async def test_equal_ids_all_enter_the_history_in_order(door: Running) -> None:
    """Clauses 4.6.6 and 5.5.11.2: the last is the current state, all are in the evolution."""
    times = [f"2026-11-21T08:0{n}:00Z" for n in range(3)]
    items = [_room(1, a={"value": n, "observedAt": at}) for n, at in enumerate(times)]
    status, body = await _run(door, "upsert", [*items, _room(1, b=1)])
    assert (status, body) == (201, [_id(1)])
    assert await door.entity(_id(1), **SIMPLE) == _room(1, b=1)
    answer = await door.get(
        f"/temporal/entities/{_id(1)}", params={"options": "temporalValues", "attrs": "a"}
    )
    values = [value for value, _ in answer.json()["a"]["values"]]
    assert values == [0, 1, 2, "urn:ngsi-ld:null"]  # the last item replaces the entity, so a goes
    rows = door.hub.rows().to_pylist()
    assert [r["number"] for r in rows if r["attribute"] == "a" and r["change"] == 5] == [0, 1, 2]


async def test_each_of_equal_ids_finds_what_the_one_before_left(door: Running) -> None:
    """Clause 5.5.11.0: as if all had arrived in separate requests; one time for all of them."""
    await _run(door, "create", [_room(1, b=1, g={"value": 1, "unitCode": "CEL"}, scope="/x")])
    items = [
        _room(1, a={"value": {"x": 1}}, type="Hall"),
        _room(1, a={"value": {"y": 2}}, b=NULL, g={"unitCode": "FAH"}),
        _room(1, a={"value": {"y": NULL}}, b={"unitCode": "CEL"}),
        _room(1, a={"value": {"x": NULL}}),
        _room(1, c=[{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}]),
        _room(1, c={"value": NULL}, scope=NULL),
    ]
    status, body = await _run(door, "merge", items)
    assert (status, body["success"]) == (207, [_id(1)])
    assert _errors(body) == [(_id(1), "BadRequestData")]  # b was gone by then
    found = await door.entity(_id(1))
    assert found["a"] == {"type": "Property", "value": {"y": 2}}
    assert (found["type"], found["g"]["unitCode"]) == (["Room", "Hall"], "FAH")
    assert found["c"] == {"type": "Property", "value": 2, "datasetId": "urn:d:1"}
    assert "b" not in found
    items = [_room(1, n=1), _room(1, n=2, m=1), _room(2, n=1)]
    status, body = await _run(door, "update?options=noOverwrite", items)
    assert (status, body["success"]) == (207, [_id(1)])
    assert sorted(_errors(body)) == [(_id(1), "AlreadyExists"), (_id(2), "ResourceNotFound")]
    assert (await door.entity(_id(1), **SIMPLE))["n"] == 1


async def test_a_thousand_equal_ids_are_one_commit(door: Running) -> None:
    items = [_room(1, a={"value": n, "observedAt": "2026-11-21T08:00:00Z"}) for n in range(1000)]
    items.append(_room(1, a="x" * 10))
    status, body = await _run(door, "upsert?options=update", items)
    assert (status, body) == (201, [_id(1)])
    rows = door.hub.rows()
    assert len(set(rows["batch"].to_pylist())) == 1
    assert (await door.entity(_id(1), **SIMPLE))["a"] == "x" * 10

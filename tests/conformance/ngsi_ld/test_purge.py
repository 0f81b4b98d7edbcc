"""DELETE /entities: Purge Entities (clauses 5.6.21 and 6.4.3.3)."""

from typing import Any

from tests.conformance.ngsi_ld.broker import CONTEXT_LINK, ROOT, Running, problem_of


async def _rooms(door: Running) -> None:
    items: list[dict[str, Any]] = [
        {"id": f"urn:ngsi-ld:Room:{n}", "type": "Room", "a": n, "b": [n], "scope": "/x"}
        for n in range(5)
    ]
    items.append({"id": "urn:ngsi-ld:Car:1", "type": "Car", "a": 1})
    answer = await door.send("POST", "/entityOperations/create", items)
    assert answer.status_code == 201, answer.text


async def _purge(door: Running, query: str, **headers: str) -> None:
    answer = await door.http.delete(f"{ROOT}/entities{query}", headers=headers)
    assert (answer.status_code, answer.content) == (204, b""), answer.text


async def _left(door: Running) -> list[str]:
    answer = await door.get("/entities", params={"local": "true", "limit": 100})
    return [entity["id"].removeprefix("urn:ngsi-ld:") for entity in answer.json()]


async def test_entities_that_match_are_gone(door: Running) -> None:
    await _rooms(door)
    await _purge(door, "?type=Room&q=a>=3")
    assert await _left(door) == ["Room:0", "Room:1", "Room:2", "Car:1"]
    await _purge(door, "/?type=Room&id=urn:ngsi-ld:Room:1,urn:ngsi-ld:Car:1")
    assert await _left(door) == ["Room:0", "Room:2", "Car:1"]
    await _purge(door, "?type=Room&idPattern=.*2$")
    assert await _left(door) == ["Room:0", "Car:1"]
    await _purge(door, "?type=Ship")
    assert await _left(door) == ["Room:0", "Car:1"]
    await _purge(door, "?local=true")
    assert await _left(door) == []


async def test_every_type_means_every_local_entity(door: Running) -> None:
    await _rooms(door)
    await _purge(door, "?type=*")
    assert not await _left(door)


async def test_named_attributes_are_dropped(door: Running) -> None:
    await _rooms(door)
    await _purge(door, "?type=Room&drop=b,nothing")
    found = await door.entity("urn:ngsi-ld:Room:1")
    assert found.keys() == {"id", "type", "scope", "a"}
    await _purge(door, "?type=Room&drop=scope")
    assert (await door.entity("urn:ngsi-ld:Room:1")).keys() == {"id", "type", "a"}
    await _purge(door, "?attrs=a&drop=a")
    assert (await door.entity("urn:ngsi-ld:Car:1")).keys() == {"id", "type"}


async def test_all_but_named_attributes_are_dropped(door: Running) -> None:
    await _rooms(door)
    await _purge(door, "?type=Room&keep=b")
    assert (await door.entity("urn:ngsi-ld:Room:1")).keys() == {"id", "type", "scope", "b"}
    assert (await door.entity("urn:ngsi-ld:Car:1"))["a"]["value"] == 1


async def test_names_are_expanded(door: Running) -> None:
    answer = await door.create({"id": "urn:x:1", "type": "AirStation", "dust": 1}, **CONTEXT_LINK)
    assert answer.status_code == 201
    await _purge(door, "?type=AirStation")
    await _purge(door, "?type=AirStation&drop=dust", **CONTEXT_LINK)
    assert (await door.entity("urn:x:1")).keys() == {"id", "type"}
    await _purge(door, "?type=AirStation", **CONTEXT_LINK)
    assert (await door.get("/entities/urn:x:1")).status_code == 404


async def test_attributes_of_named_entities(door: Running) -> None:
    """5.6.21.4 b): keep or drop list attributes; with ids the purge is narrow enough."""
    await _rooms(door)
    await _purge(door, "?id=urn:ngsi-ld:Room:1&keep=b")
    assert (await door.entity("urn:ngsi-ld:Room:1")).keys() & {"a", "b"} == {"b"}
    assert len(await _left(door)) == 6


async def test_a_wide_or_wrong_purge_deletes_nothing(door: Running) -> None:
    await _rooms(door)
    for query in (
        "",
        "?id=urn:ngsi-ld:Room:1",
        "?idPattern=.*",
        "?attrs=createdAt",
        '?q=modifiedAt>"2020-01-01T00:00:00Z"',
        "?q=!nothing",
        "?keep=a",
        "?drop=a",
        "?local=false",
        "?type=Room&keep=a&drop=b",
        "?type=Room&drop=a b",
        "?type=Room&id=nonsense",
        "?type=Room&q=a==",
        "?type=Room&q=rel{a==1}",
        "?type=Room&georel=near",
    ):
        answer = await door.http.delete(f"{ROOT}/entities{query}")
        problem_of(answer, 400, "BadRequestData")
    for query in ("?foo=1", "?type=Room&limit=1"):
        problem_of(await door.http.delete(f"{ROOT}/entities{query}"), 400, "InvalidRequest")
    assert len(await _left(door)) == 6


async def test_purged_entities_keep_their_history(door: Running) -> None:
    await _rooms(door)
    before = door.hub.rows().num_rows
    await _purge(door, "?type=Room")
    assert door.hub.rows().num_rows == before + 5
    answer = await door.create({"id": "urn:ngsi-ld:Room:1", "type": "Room"})
    assert answer.status_code == 201

"""POST /entityOperations/query (clauses 6.23, 5.2.23, 5.2.33)."""

from typing import Any

import httpx
from tests.conformance.ngsi_ld.broker import (
    CONTEXT_LINK,
    CONTEXT_URL,
    LD_JSON,
    ROOT,
    Running,
    problem_of,
)

PATH = "/entityOperations/query"
CARS = [
    {
        "id": f"urn:ngsi-ld:Car:{n}",
        "type": ["Car", "Old"] if n == 3 else "Car",
        "speed": n * 10,
        "brand": "B",
        "scope": f"/S/{'AB'[n % 2]}",
        "location": {"type": "Point", "coordinates": [100 + n, 10]},
        "by": {"object": f"urn:ngsi-ld:Car:{n - 1}"},
    }
    for n in (1, 2, 3)
]


async def _load(door: Running) -> None:
    for car in CARS:
        assert (await door.create(car)).status_code == 201


async def _ask(door: Running, body: Any, **params: Any) -> httpx.Response:
    return await door.http.post(f"{ROOT}{PATH}", json=body, params=params)


def _query(**members: Any) -> dict[str, Any]:
    return {"type": "Query", "entities": [{"type": "Car"}]} | members


QUERIES: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [1, 2, 3]),
    ({"q": "speed>15"}, [2, 3]),
    ({"entities": [{"type": "Old"}]}, [3]),
    ({"entities": [{"type": "*"}]}, [1, 2, 3]),
    ({"entities": [{"type": "Old"}, {"type": "Car", "id": "urn:ngsi-ld:Car:1"}]}, [1, 3]),
    ({"entities": [{"type": "Car", "id": ["urn:ngsi-ld:Car:1", "urn:ngsi-ld:Car:3"]}]}, [1, 3]),
    ({"entities": [{"type": "Car", "id": "urn:ngsi-ld:Car:1", "idPattern": "2$"}]}, [1]),
    ({"entities": [{"type": "Car", "idPattern": "2$"}]}, [2]),
    ({"entities": [{"type": "Boat"}]}, []),
    ({"scopeQ": "/S/A"}, [2]),
    (
        {"geoQ": {"georel": "near;maxDistance==1000", "geometry": "Point",
                  "coordinates": [101, 10]}},
        [1],
    ),
    (
        {"geoQ": {"georel": "equals", "geometry": "Point", "coordinates": "[102,10]",
                  "geoproperty": "location"}},
        [2],
    ),
    ({"ordering": {"orderBy": ["speed;desc"]}}, [3, 2, 1]),
    (
        {"ordering": {"orderBy": ["location;dist-asc"], "geometry": "Point",
                      "coordinates": [103, 10], "collation": "und"}},
        [3, 2, 1],
    ),
    ({"q": "by{speed}==10", "join": "inline", "joinLevel": 1}, [2]),
    ({"q": "brand==B", "expandValues": "colour", "jsonKeys": "raw", "csf": "a==1"}, [1, 2, 3]),
    ({"splitEntities": False, "lang": "en", "containedBy": ["urn:x:1"]}, [1, 2, 3]),
]  # fmt: skip


async def test_queries(door: Running) -> None:
    await _load(door)
    for members, expected in QUERIES:
        answer = await _ask(door, _query(**members))
        assert answer.status_code == 200, answer.text
        assert [int(e["id"][-1]) for e in answer.json()] == expected, members


async def test_what_is_shown(door: Running) -> None:
    await _load(door)
    answer = await _ask(door, _query(pick=["id", "speed"]), options="keyValues", limit=1)
    assert answer.json() == [{"id": "urn:ngsi-ld:Car:1", "speed": 10}]
    following = f'<{ROOT}{PATH}?limit=1&offset=1&options=keyValues>;rel="next"'
    assert following in answer.headers["link"]
    answer = await _ask(door, _query(omit=["speed"], datasetId=["@none"]), count="true", limit=0)
    assert (answer.json(), answer.headers["NGSILD-Results-Count"]) == ([], "3")
    answer = await _ask(door, {"type": "Query", "attrs": ["speed"]}, options="concise")
    assert answer.json()[0].keys() == {"id", "type", "scope", "speed"}
    answer = await _ask(door, _query(join="flat", pick=["id", "by"]))
    assert len(answer.json()) == 3
    assert (await door.http.post(f"{ROOT}{PATH}/", json=_query())).status_code == 200


async def test_context_of_the_body(door: Running) -> None:
    await door.create({"id": "urn:x:1", "type": "https://example.org/city#AirStation"})
    body = {"type": "Query", "entities": [{"type": "AirStation"}]}
    answer = await door.send(
        "POST", PATH, body | {"@context": CONTEXT_URL}, **{"content-type": LD_JSON}
    )
    assert [e["id"] for e in answer.json()] == ["urn:x:1"]
    answer = await door.send("POST", PATH, body, **CONTEXT_LINK)
    assert [e["type"] for e in answer.json()] == ["AirStation"]
    assert (await door.send("POST", PATH, body)).json() == []
    problem_of(await door.send("POST", PATH, body | {"@context": {}}), 400, "BadRequestData")


WRONG: list[Any] = [
    [],
    {"entities": [{"type": "Car"}]},
    {"type": "NotQuery", "entities": [{"type": "Car"}]},
    {"type": "Query"},
    _query(entities=[]),
    _query(entities=[5]),
    _query(entities=[{"id": "urn:x:1"}]),
    _query(entities=[{"type": 5}]),
    _query(entities=[{"type": "Car", "id": "not a uri"}]),
    _query(entities=[{"type": "Car", "id": ["urn:x:1", 5]}]),
    _query(entities=[{"type": "Car", "id": []}]),
    _query(entities=[{"type": "Car", "idPattern": "("}]),
    _query(entities=[{"type": "Car", "colour": "red"}]),
    _query(attrs=[]),
    _query(pick=[]),
    _query(pick="speed"),
    _query(q=42),
    _query(q="speed>"),
    _query(join="inline", joinLevel=0),
    _query(join="inline", joinLevel="1"),
    _query(geoQ={"georel": "within"}),
    _query(geoQ={"georel": "within", "geometry": "Point", "coordinates": 5}),
    _query(geoQ=[]),
    _query(ordering={"orderBy": []}),
    _query(ordering={"orderBy": ["location;dist-asc"]}),
    _query(ordering={"orderBy": ["id"], "geometry": 5}),
    _query(ordering={"orderBy": ["location;dist-asc"], "coordinates": "8,40"}),
    _query(temporalQ={"timerel": "after"}),
    _query(entityMap="yes"),
    _query(entityMap=True, entityMapLifetime="1hour"),
    _query(colour="red"),
]


async def test_wrong_bodies(door: Running) -> None:
    for body in WRONG:
        problem_of(await _ask(door, body), 400, "BadRequestData")


async def test_wrong_requests(door: Running) -> None:
    problem_of(await _ask(door, _query(), page=1), 400, "InvalidRequest")
    answer = await door.http.post(f"{ROOT}{PATH}", content="{", headers=_TYPE)
    problem_of(answer, 400, "InvalidRequest")
    answer = await door.http.post(f"{ROOT}{PATH}", json=_query(), headers={"accept": "text/csv"})
    assert answer.status_code == 406


_TYPE = {"content-type": "application/json"}

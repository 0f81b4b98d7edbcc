"""In which order entities come (clause 4.23, OrderingParams 5.2.43)."""

from typing import Any

from tests.conformance.ngsi_ld.broker import CONTEXT_LINK, Running, problem_of

ENTITIES: list[dict[str, Any]] = [
    {"name": "Zurich", "size": 5, "location": [8.01, 40.01], "address": {"city": "Ulm"}},
    {"name": "amsterdam", "size": "abc", "location": [9, 41], "address": {"city": "Bonn"}},
    {"name": "Ánh", "size": True, "location": [10, 45], "address": {"city": "Köln"}},
    {"name": "Đà Nẵng", "size": 5, "address": {"city": "Aachen"}},
    {"size": {"x": 1}, "location": [8, 39]},
    {"name": "Dương", "size": [1, 2]},
]


async def _load(door: Running) -> None:
    for number, entity in enumerate(ENTITIES):
        body: dict[str, Any] = {"id": f"urn:e:{number}", "type": "T"}
        for name, value in entity.items():
            if name == "location":
                body[name] = {"type": "Point", "coordinates": value}
            else:
                body[name] = {"value": value}
        if number < 4:
            body["size"]["observedAt"] = f"2026-01-0{9 - number}T00:00:00Z"
        if number % 2:
            body["scope"] = f"/S{9 - number}"
        assert (await door.create(body)).status_code == 201


async def _found(door: Running, **params: Any) -> str:
    answer = await door.get("/entities", params={"type": "T", **params})
    assert answer.status_code == 200, answer.text
    return "".join(entity["id"][-1] for entity in answer.json())


ORDERS: list[tuple[dict[str, Any], str]] = [
    ({"orderBy": "id;desc"}, "543210"),
    ({"orderBy": "name"}, "501234"),
    ({"orderBy": "name", "collation": "und"}, "125304"),
    ({"orderBy": "name;desc", "collation": "und"}, "035214"),
    ({"orderBy": "name", "collation": "vi"}, "125304"),
    ({"orderBy": "name", "collation": "und-u-ks-level1"}, "125304"),
    ({"orderBy": "size"}, "031452"),
    ({"orderBy": "size,name"}, "031452"),
    ({"orderBy": "size,name;desc"}, "301452"),
    ({"orderBy": "size.observedAt"}, "321045"),
    ({"orderBy": "address[city]"}, "312045"),
    ({"orderBy": "scope"}, "531024"),
    ({"orderBy": "location;dist-asc", "orderFrom": "[8,40]"}, "041235"),
    ({"orderBy": "location;dist-desc", "orderFrom": "[8,40]"}, "214035"),
    (
        {
            "orderBy": "location;dist-asc",
            "orderFrom": "[[9,41],[10,45]]",
            "orderGeometry": "LineString",
        },
        "120435",
    ),
    ({"orderBy": "nothing"}, "012345"),
    ({"orderBy": "id;desc", "limit": 2, "offset": 1}, "43"),
    ({"orderBy": "createdAt;desc,id"}, "543210"),
]


async def test_orders(door: Running) -> None:
    """Clauses 4.23.2 and 4.23.3: numbers, texts, objects, arrays, booleans; missing ones last."""
    await _load(door)
    for params, expected in ORDERS:
        assert await _found(door, **params) == expected, params


async def test_names_are_expanded(door: Running) -> None:
    for number in (2, 1):
        iri = "https://example.org/city#dust"
        await door.create({"id": f"urn:e:{number}", "type": "T", iri: number})
    answer = await door.get("/entities?type=T&orderBy=dust", headers=CONTEXT_LINK)
    assert [e["id"] for e in answer.json()] == ["urn:e:1", "urn:e:2"]


WRONG: list[dict[str, str]] = [
    {"orderBy": "name;up"},
    {"orderBy": "name,"},
    {"orderBy": "location;dist-asc"},
    {"orderBy": "location;dist-asc", "orderFrom": "8,40"},
    {"orderBy": "location;dist-asc", "orderFrom": "[8]"},
    {"orderBy": "location;dist-asc", "orderFrom": "[8,40]", "orderGeometry": "Blob"},
    {"orderBy": "name", "collation": "!!nope"},
    {"orderBy": "name", "collation": "und-u-ks-level9"},
]


async def test_wrong_orders(door: Running) -> None:
    for params in WRONG:
        answer = await door.get("/entities", params={"type": "T", **params})
        problem_of(answer, 400, "BadRequestData")

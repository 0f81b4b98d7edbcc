"""Linked entities: retrieval inline and flat, filters on them (clauses 4.5.23, 4.9)."""

from typing import Any

from tests.conformance.ngsi_ld.broker import Running, problem_of

BUILDING, CITY, COUNTRY = "urn:e:building", "urn:e:city", "urn:e:country"
ENTITIES: list[dict[str, Any]] = [
    {
        "id": BUILDING,
        "type": "Building",
        "name": "Tower",
        "locatedAt": {"object": CITY},
        "near": {"object": "urn:e:nowhere"},
    },
    {"id": CITY, "type": "City", "name": "Paris", "size": 9, "inCountry": {"object": COUNTRY}},
    {
        "id": COUNTRY,
        "type": "Country",
        "name": "France",
        "cities": {"objectList": [CITY, "urn:e:other"]},
        "capital": {"object": CITY},
    },
    {"id": "urn:e:other", "type": "City", "name": "Lyon", "twins": {"object": [CITY, BUILDING]}},
]


async def _load(door: Running) -> None:
    for entity in ENTITIES:
        assert (await door.create(entity)).status_code == 201


async def _one(door: Running, uri: str, **params: Any) -> Any:
    answer = await door.get(f"/entities/{uri}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_inline(door: Running) -> None:
    """Clause 4.5.23.2: the entity stands in the relationship; loops end."""
    await _load(door)
    found = await _one(door, BUILDING, join="inline")
    city = found["locatedAt"]["entity"]
    assert (found["locatedAt"]["object"], city["id"], city["type"]) == (CITY, CITY, "City")
    assert city["inCountry"] == {"type": "Relationship", "object": COUNTRY}
    assert "entity" not in found["near"]
    found = await _one(door, BUILDING, join="inline", joinLevel=3)
    country = found["locatedAt"]["entity"]["inCountry"]["entity"]
    assert country["name"]["value"] == "France"
    assert "entity" not in country["capital"]
    assert [e["id"] for e in country["cities"]["entityList"]] == ["urn:e:other"]
    found = await _one(door, "urn:e:other", join="inline")
    assert [e["id"] for e in found["twins"]["entity"]] == [CITY, BUILDING]


async def test_inline_simplified(door: Running) -> None:
    await _load(door)
    found = await _one(door, BUILDING, join="inline", joinLevel=2, options="keyValues")
    assert found["near"] == "urn:e:nowhere"
    assert found["locatedAt"]["inCountry"] == {
        "id": COUNTRY,
        "type": "Country",
        "name": "France",
        "capital": CITY,
        "cities": [CITY, "urn:e:other"],
    }
    found = await _one(door, COUNTRY, join="inline", options="keyValues", pick="cities")
    assert [city["name"] for city in found["cities"]] == ["Paris", "Lyon"]


async def test_flat(door: Running) -> None:
    """Clause 4.5.23.3: linking entities, then each linked one once."""
    await _load(door)
    found = await _one(door, BUILDING, join="flat")
    assert [e["id"] for e in found] == [BUILDING, CITY]
    found = await _one(door, BUILDING, join="flat", joinLevel=5)
    assert [e["id"] for e in found] == [BUILDING, CITY, COUNTRY, "urn:e:other"]
    answer = await door.get("/entities", params={"type": "City", "join": "flat"})
    assert [e["id"] for e in answer.json()] == [CITY, "urn:e:other", COUNTRY, BUILDING]
    answer = await door.get(
        f"/entities/{BUILDING}",
        params={"join": "flat"},
        headers={"accept": "application/geo+json"},
    )
    assert answer.json()["type"] == "FeatureCollection"
    assert len(answer.json()["features"]) == 2


async def test_nothing_to_join(door: Running) -> None:
    await door.create({"id": "urn:e:1", "type": "T", "near": {"object": "urn:e:nowhere"}})
    for join in ("flat", "inline", "@none"):
        found = await _one(door, "urn:e:1", join=join)
        assert found["near"] == {"type": "Relationship", "object": "urn:e:nowhere"}


async def test_entities_met_before_are_not_written_again(door: Running) -> None:
    await _load(door)
    found = await _one(door, BUILDING, join="inline", containedBy=f"{CITY},urn:e:x")
    assert "entity" not in found["locatedAt"]


async def test_projection_of_linked_entities(door: Running) -> None:
    """Clause 4.21: braces lead to the linked entity; omit leaves the relationship itself."""
    await _load(door)
    pick = "id,locatedAt{id,name,inCountry{name}}"
    found = await _one(door, BUILDING, join="inline", joinLevel=2, pick=pick)
    name = {"type": "Property", "value": "Paris"}
    assert found == {
        "id": BUILDING,
        "locatedAt": {
            "type": "Relationship",
            "object": CITY,
            "entity": {
                "id": CITY,
                "name": name,
                "inCountry": {
                    "type": "Relationship",
                    "object": COUNTRY,
                    "entity": {"name": {"type": "Property", "value": "France"}},
                },
            },
        },
    }
    found = await _one(door, BUILDING, join="flat", joinLevel=2, pick=pick)
    assert [e.keys() for e in found] == [
        {"id", "locatedAt"},
        {"id", "name", "inCountry"},
        {"name"},
    ]
    found = await _one(door, BUILDING, join="inline", omit="type,locatedAt{name}")
    assert "type" not in found
    assert found["locatedAt"]["entity"].keys() == {"id", "type", "size", "inCountry"}
    found = await _one(door, BUILDING, join="flat", pick="id,name")
    assert found.keys() == {"id", "name"}


async def test_filters_on_linked_entities(door: Running) -> None:
    """Clause 4.9, examples 13 and 14: the use of join is needed for them (clause 5.7.2.4)."""
    await _load(door)

    async def found(q: str, **params: Any) -> list[str]:
        asked = {"q": q, "join": "inline", "options": "keyValues", **params}
        answer = await door.get("/entities", params=asked)
        assert answer.status_code == 200, answer.text
        return [entity["id"] for entity in answer.json()]

    assert await found('locatedAt{name}=="Paris"') == [BUILDING]
    assert await found('locatedAt{City:name}=="Paris"') == [BUILDING]
    assert await found('locatedAt{Town,City:name}=="Paris"') == [BUILDING]
    assert await found('locatedAt{Vehicle:name}=="Paris"') == []
    assert await found('locatedAt{name}=="Rome"') == []
    assert await found("twins{size}>5") == ["urn:e:other"]
    assert await found("cities{twins}") == [COUNTRY]
    assert await found("locatedAt{inCountry{name}}~=^Fr", joinLevel=2) == [BUILDING]
    assert await found('locatedAt{name}=="Paris"|size==9') == [BUILDING, CITY]
    for params in (
        {"q": 'locatedAt{name}=="x"'},
        {"q": 'locatedAt{inCountry{name}}=="x"', "join": "inline", "joinLevel": "1"},
        {"q": 'locatedAt{name}=="x"', "join": "@none"},
    ):
        answer = await door.get("/entities", params={"type": "Building", **params})
        problem_of(answer, 400, "BadRequestData")


async def test_a_dense_graph_does_not_unfold_without_end(door: Running) -> None:
    uris = [f"urn:e:{n}" for n in range(9)]
    for uri in uris:
        others = [other for other in uris if other != uri]
        await door.create({"id": uri, "type": "T", "to": {"object": others}})
    answer = await door.get("/entities/urn:e:0", params={"join": "inline", "joinLevel": 10})
    assert answer.status_code == 200
    assert answer.text.count('"type":"T"') <= 10_001

"""What of an entity is shown: pick, omit, lang, datasetId, concise (clauses 4.5, 4.15, 4.21)."""

from typing import Any

from tests.conformance.ngsi_ld.broker import CONTEXT_LINK, Running, problem_of

GEO_JSON = "application/geo+json"
URI = "urn:ngsi-ld:Room:1"
PATH = f"/entities/{URI}"
ROOM: dict[str, Any] = {
    "id": URI,
    "type": "Room",
    "scope": ["/A/B", "/C"],
    "expiresAt": "2100-01-01T00:00:00Z",
    "temperature": {"value": 21, "unitCode": "CEL", "expiresAt": "2100-01-01T00:00:00Z"},
    "name": {"value": "Hall", "translated": {"languageMap": {"vi": "Sảnh", "en": "Hall"}}},
    "owner": {"object": ["urn:ngsi-ld:Person:1", "urn:ngsi-ld:Person:2"]},
    "label": {"languageMap": {"vi": "Phòng", "en-US": "Room", "fr": ["Salle", "Pièce"]}},
    "any": {"languageMap": {"@none": "x", "de": "y"}},
    "kind": {"vocab": ["office", "lab"]},
    "raw": {"json": {"id": 5, "type": None}},
    "list": {"valueList": [1, "b"]},
    "route": {"objectList": ["urn:x:1", "urn:x:2"]},
    "address": {"value": {"street": "Hùng Vương"}},
    "parts": {"value": [{"value": 1}]},
    "location": [
        {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [1, 2]}},
        {
            "type": "GeoProperty",
            "value": {"type": "Point", "coordinates": [3, 4]},
            "datasetId": "urn:d:1",
        },
    ],
    "level": [{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}],
    "gps": {"value": 7, "datasetId": "urn:d:2"},
}


EMPTY_HANDED = {"id": "urn:ngsi-ld:Room:2", "type": "Room", "owner": {"object": "urn:x:1"}}


async def _shown(door: Running, **params: str) -> dict[str, Any]:
    return await door.entity(URI, params=params)


async def test_pick_and_omit_name_members_of_the_entity(door: Running) -> None:
    """Clause 4.21, table 6.5.3.1-1."""
    await door.create(ROOM)
    assert (await _shown(door, pick="name,id")).keys() == {"id", "name"}
    assert (await _shown(door, pick="name|temperature")).keys() == {"name", "temperature"}
    assert await _shown(door, pick="type,scope") == {"type": "Room", "scope": ["/A/B", "/C"]}
    rest = await _shown(door, omit="id,scope,label")
    assert rest.keys() == ROOM.keys() - {"id", "scope", "label", "expiresAt"}
    both = await _shown(door, pick="id,name", omit="label")
    assert both.keys() == {"id", "name"}
    answer = await door.get("/entities", params={"type": "Room", "pick": "name"})
    assert answer.json()[0].keys() == {"name"}
    answer = await door.get(PATH, params={"pick": "name"}, headers={"accept": GEO_JSON})
    feature = answer.json()
    assert feature["id"] == URI
    assert feature["geometry"] == {"type": "Point", "coordinates": [1, 2]}
    assert feature["properties"].keys() == {"name"}


async def test_what_shows_nothing_is_no_part_of_the_answer_to_a_query(door: Running) -> None:
    """Clauses 4.21 and 5.7.2.5: an entity is at least one member."""
    await door.create(ROOM)
    await door.create(EMPTY_HANDED)
    wanted = {"type": "Room", "pick": "name", "count": "true"}
    for media in ("application/json", "application/ld+json"):
        answer = await door.get("/entities", params=wanted, headers={"accept": media})
        assert [entity.keys() - {"@context"} for entity in answer.json()] == [{"name"}]
        assert answer.headers["ngsild-results-count"] == "1"
    answer = await door.get("/entities", params=wanted, headers={"accept": GEO_JSON})
    assert [feature["id"] for feature in answer.json()["features"]] == [URI]
    for join in ("flat", "inline"):
        answer = await door.get("/entities", params={**wanted, "join": join})
        assert [entity.keys() for entity in answer.json()] == [{"name"}], join
    answer = await door.get("/entities", params={"type": "Room", "omit": "id,type,owner"})
    assert len(answer.json()) == 1
    mapped = await door.get("/entities", params={**wanted, "entityMap": "true"})
    assert [entity.keys() for entity in mapped.json()] == [{"name"}]
    for times in ("createdAt", "name,modifiedAt"):
        answer = await door.get(
            "/entities", params={"type": "Room", "pick": times, "sysAttrs": "true"}
        )
        assert len(answer.json()) == 2, times


async def test_an_entity_of_which_nothing_is_left(door: Running) -> None:
    """5.7.1.4: ResourceNotFound."""
    await door.create(ROOM)
    for params in ({"pick": "unknown"}, {"omit": ",".join(ROOM)}):
        problem_of(await door.get(PATH, params=params), 404, "ResourceNotFound")


async def test_picked_names_are_expanded(door: Running) -> None:
    await door.create({"id": "urn:x:1", "type": "T", "https://example.org/city#dust": 5, "b": 1})
    answer = await door.get("/entities/urn:x:1", params={"pick": "dust"}, headers=CONTEXT_LINK)
    assert answer.json() == {"dust": {"type": "Property", "value": 5}}
    answer = await door.get("/entities/urn:x:1", params={"omit": "dust"}, headers=CONTEXT_LINK)
    assert "dust" not in answer.json()


WRONG: list[dict[str, str]] = [
    {"pick": "name", "omit": "name"},
    {"pick": "name", "attrs": "label"},
    {"omit": "name", "attrs": "label"},
    {"pick": ""},
    {"pick": "id;name"},
    {"pick": "id,owner{name"},
    {"pick": "id,owner{{name}"},
    {"pick": "id,,name"},
    {"pick": "name||id"},
    {"pick": "id,owner{,name}"},
    {"pick": "id,owner{}"},
    {"pick": "name,name"},
    {"pick": "owner{name}"},
    {"omit": "owner{name}"},
    {"omit": "owner{works{name}}", "join": "inline", "joinLevel": "1"},
    {"pick": "a{" * 11 + "b" + "}" * 11, "join": "inline", "joinLevel": "10"},
    {"join": "inline", "joinLevel": "11"},
    {"attrs": "id,type"} | {"lang": "a_b"},
]


async def test_wrong_projections(door: Running) -> None:
    await door.create(ROOM)
    for params in WRONG:
        problem_of(await door.get(PATH, params=params), 400, "BadRequestData")
        answer = await door.get("/entities", params={"type": "Room", **params})
        problem_of(answer, 400, "BadRequestData")


LANGUAGES = [
    ("vi", "vi", "Phòng"),
    ("VI", "vi", "Phòng"),
    ("en", "en-US", "Room"),
    ("fr-CH", "fr", ["Salle", "Pièce"]),
    ("vi;q=0.2,fr;q=0.9", "fr", ["Salle", "Pièce"]),
    ("ja,vi;q=0.5,*;q=0.1", "vi", "Phòng"),
    ("*", "vi", "Phòng"),
    ("ja", "vi", "Phòng"),
]


async def test_one_language_of_several(door: Running) -> None:
    """Clause 4.15: the LanguageProperty becomes a Property with `lang`."""
    await door.create(ROOM)
    for lang, tag, value in LANGUAGES:
        found = await _shown(door, lang=lang)
        assert found["label"] == {"type": "Property", "value": value, "lang": tag}, lang
        assert found["any"] == {"type": "Property", "value": "x", "lang": "@none"}
        assert (await _shown(door, lang=lang, options="keyValues"))["label"] == value
        concise = (await _shown(door, lang=lang, format="concise"))["label"]
        assert concise == {"value": value, "lang": tag}


async def test_sub_attributes_are_reduced_too(door: Running) -> None:
    await door.create(ROOM)
    found = await _shown(door, lang="vi")
    assert found["name"]["translated"] == {"type": "Property", "value": "Sảnh", "lang": "vi"}


async def test_instances_are_chosen_by_dataset(door: Running) -> None:
    """Clause 4.5.5: attributes without a chosen instance are not shown."""
    await door.create(ROOM)
    found = await _shown(door, datasetId="urn:d:1")
    assert found.keys() == {"id", "type", "scope", "location", "level"}
    assert found["level"] == {"type": "Property", "value": 2, "datasetId": "urn:d:1"}
    found = await _shown(door, datasetId="@none", pick="level,gps,name")
    assert found.keys() == {"level", "name"}
    assert found["level"] == {"type": "Property", "value": 1}
    found = await _shown(door, datasetId="@none,urn:d:1", options="keyValues", pick="level")
    assert found == {"level": {"dataset": {"@none": 1, "urn:d:1": 2}}}
    answer = await door.get("/entities", params={"type": "Room", "datasetId": "urn:d:2"})
    assert answer.json()[0].keys() == {"id", "type", "scope", "gps"}


async def test_geometry_of_an_instance(door: Running) -> None:
    """Clause 4.5.16.1: the default instance, or the one that datasetId names."""
    await door.create(ROOM)

    async def point(**params: str) -> Any:
        answer = await door.get(PATH, params=params, headers={"accept": GEO_JSON})
        geometry = answer.json()["geometry"]
        return geometry and geometry["coordinates"]

    assert await point() == [1, 2]
    assert await point(datasetId="urn:d:1") == [3, 4]
    assert await point(datasetId="urn:d:2") is None
    assert await point(geometryProperty="temperature") is None
    problem_of(await door.get(PATH, params={"geometryProperty": "location"}), 400, "BadRequestData")


async def test_simplified(door: Running) -> None:
    """Clause 4.5.4."""
    await door.create(ROOM)
    found = await _shown(door, options="keyValues")
    assert found["kind"] == {"vocab": ["office", "lab"]}
    assert found["list"] == [1, "b"]
    assert found["raw"] == {"json": {"id": 5, "type": None}}
    assert found["route"] == ["urn:x:1", "urn:x:2"]
    assert found["owner"] == ["urn:ngsi-ld:Person:1", "urn:ngsi-ld:Person:2"]
    assert found["level"] == {"dataset": {"@none": 1, "urn:d:1": 2}}
    assert found["gps"] == {"dataset": {"urn:d:2": 7}}


async def test_concise(door: Running) -> None:
    """Clause 4.5.2.3: what can be told without `type` goes without it."""
    await door.create(ROOM)
    found = await _shown(door, format="concise", omit="location,level")
    assert found["temperature"] == {"value": 21, "unitCode": "CEL"}
    assert found["owner"] == {"object": ["urn:ngsi-ld:Person:1", "urn:ngsi-ld:Person:2"]}
    assert found["address"] == {"value": {"street": "Hùng Vương"}}
    assert found["parts"] == {"value": [{"value": 1}]}
    assert found["list"] == {"valueList": [1, "b"]}
    assert found["route"] == {"objectList": [{"object": "urn:x:1"}, {"object": "urn:x:2"}]}
    assert found["gps"] == {"value": 7, "datasetId": "urn:d:2"}
    # What is read concise can be written again.
    again = found | {"id": "urn:ngsi-ld:Room:2"}
    assert (await door.create(again)).status_code == 201
    copy = await door.entity("urn:ngsi-ld:Room:2")
    original = await _shown(door, omit="location,level,id")
    assert {k: v for k, v in copy.items() if k != "id"} == original


async def test_expiry_is_a_system_attribute(door: Running) -> None:
    """Table 6.3.11-1: expiresAt comes with sysAttrs only."""
    await door.create(ROOM)
    found = await _shown(door)
    assert "expiresAt" not in found
    assert "expiresAt" not in found["temperature"]
    found = await _shown(door, options="sysAttrs")
    assert found["expiresAt"] == "2100-01-01T00:00:00Z"
    assert found["temperature"]["expiresAt"] == "2100-01-01T00:00:00Z"

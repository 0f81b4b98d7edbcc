"""Types and attributes that there are (clauses 5.7.5 to 5.7.10, 6.25 to 6.28)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conformance.ngsi_ld.broker import CONTEXT_LINK, LD_JSON, ROOT, Running, problem_of
from tests.rows import batch

CITY = "https://example.org/city#"
DEFAULT = "https://uri.etsi.org/ngsi-ld/default-context/"


async def _load(door: Running) -> None:
    station = {"type": f"{CITY}AirStation", f"{CITY}dust": 5}
    await door.create({"id": "urn:e:1", **station, "name": "a"})
    await door.create(
        {
            "id": "urn:e:2",
            **station,
            "name": [{"languageMap": {"vi": "b"}}, {"value": "c", "datasetId": "urn:d:1"}],
        }
    )
    await door.create({"id": "urn:e:3", "type": ["Ward", "Area"], "name": {"value": {"x": 1}}})
    await door.create({"id": "urn:e:4", "type": "Bare"})


async def _json(door: Running, path: str, **headers: str) -> Any:
    answer = await door.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_type_list(door: Running) -> None:
    """Clause 5.7.5, EntityTypeList 5.2.24."""
    assert (await _json(door, "/types"))["typeList"] == []
    await _load(door)
    found = await _json(door, "/types")
    assert found.keys() == {"id", "type", "typeList"}
    assert found["type"] == "EntityTypeList"
    assert found["id"].startswith("urn:ngsi-ld:EntityTypeList:")
    assert found["typeList"] == ["Area", "Bare", "Ward", f"{CITY}AirStation"]
    found = await _json(door, "/types/", **CONTEXT_LINK)
    assert found["typeList"] == ["AirStation", "Area", "Bare", "Ward"]
    answer = await door.get("/types", headers={"accept": LD_JSON, **CONTEXT_LINK})
    assert "@context" in answer.json()


async def test_types_with_details(door: Running) -> None:
    """Clause 5.7.6, EntityType 5.2.25."""
    await _load(door)
    found = await _json(door, "/types?details=true", **CONTEXT_LINK)
    assert all(entry["type"] == "EntityType" for entry in found)
    assert {e["typeName"]: (e["id"], sorted(e["attributeNames"])) for e in found} == {
        "AirStation": (f"{CITY}AirStation", ["dust", "name"]),
        "Area": (f"{DEFAULT}Area", ["name"]),
        "Bare": (f"{DEFAULT}Bare", []),
        "Ward": (f"{DEFAULT}Ward", ["name"]),
    }


async def test_one_type(door: Running) -> None:
    """Clause 5.7.7, EntityTypeInfo 5.2.26; a short name needs its @context."""
    await _load(door)
    found = await _json(door, "/types/AirStation", **CONTEXT_LINK)
    details = {entry["attributeName"]: entry for entry in found.pop("attributeDetails")}
    assert found == {
        "id": f"{CITY}AirStation",
        "type": "EntityTypeInfo",
        "typeName": "AirStation",
        "entityCount": 2,
    }
    assert details["dust"] == {
        "id": f"{CITY}dust",
        "type": "Attribute",
        "attributeName": "dust",
        "attributeTypes": ["Property"],
    }
    assert details["name"]["attributeTypes"] == ["Property", "LanguageProperty"]
    encoded = f"{CITY}AirStation".replace("#", "%23")
    assert (await _json(door, f"/types/{encoded}"))["entityCount"] == 2
    problem_of(await door.get("/types/AirStation"), 404, "ResourceNotFound")
    problem_of(await door.get("/types/a b"), 400, "BadRequestData")
    problem_of(await door.get("/types/Ward?details=true"), 400, "InvalidRequest")


async def test_attribute_list(door: Running) -> None:
    """Clause 5.7.8, AttributeList 5.2.27."""
    await _load(door)
    found = await _json(door, "/attributes", **CONTEXT_LINK)
    assert found["type"] == "AttributeList"
    assert found["attributeList"] == ["dust", "name"]
    assert (await _json(door, "/attributes/"))["attributeList"] == [f"{CITY}dust", "name"]


async def test_attributes_with_details(door: Running) -> None:
    """Clause 5.7.9: id, type, attributeName and typeNames."""
    await _load(door)
    found = await _json(door, "/attributes?details=true", **CONTEXT_LINK)
    assert {entry["attributeName"]: sorted(entry.pop("typeNames")) for entry in found} == {
        "dust": ["AirStation"],
        "name": ["AirStation", "Area", "Ward"],
    }
    assert all(entry.keys() == {"id", "type", "attributeName"} for entry in found)


async def test_one_attribute(door: Running) -> None:
    """Clause 5.7.10; an instance of an entity with two types counts once."""
    await _load(door)
    found = await _json(door, "/attributes/name", **CONTEXT_LINK)
    assert sorted(found.pop("typeNames")) == ["AirStation", "Area", "Ward"]
    assert found == {
        "id": f"{DEFAULT}name",
        "type": "Attribute",
        "attributeName": "name",
        "attributeCount": 4,
        "attributeTypes": ["Property", "LanguageProperty"],
    }
    for name in ("nothing", "id", "type", "scope", "createdAt"):
        problem_of(await door.get(f"/attributes/{name}"), 404, "ResourceNotFound")
    problem_of(await door.get("/attributes?limit=5"), 400, "InvalidRequest")
    problem_of(await door.get("/attributes/name?details=true"), 400, "InvalidRequest")


async def test_what_is_gone_is_not_listed(door: Running) -> None:
    await _load(door)
    soon = (datetime.now(UTC) + timedelta(seconds=0.2)).isoformat().replace("+00:00", "Z")
    await door.create({"id": "urn:e:5", "type": "Brief", "expiresAt": soon})
    assert "Brief" in (await _json(door, "/types"))["typeList"]
    await door.http.delete(f"{ROOT}/entities/urn:e:3")
    await door.http.delete(f"{ROOT}/entities/urn:e:1")
    await door.http.delete(f"{ROOT}/entities/urn:e:2/attrs/name?deleteAll=true")
    assert (await _json(door, "/types/AirStation", **CONTEXT_LINK))["entityCount"] == 1
    assert (await _json(door, "/attributes", **CONTEXT_LINK))["attributeList"] == ["dust"]
    assert await _json(door, "/types?details=true", **CONTEXT_LINK)
    while "Brief" in (found := (await _json(door, "/types", **CONTEXT_LINK))["typeList"]):
        pass
    assert found == ["AirStation", "Bare"]
    problem_of(await door.get("/types/Brief"), 404, "ResourceNotFound")


async def test_observations_of_devices_are_listed(door: Running) -> None:
    """One truth: what another door stored is an entity like any other."""
    await door.hub.intake.submit(batch(entity="urn:e:9", attribute="pm25", number=1.0))
    found = await _json(door, "/attributes/pm25")
    assert found["attributeCount"] == 1

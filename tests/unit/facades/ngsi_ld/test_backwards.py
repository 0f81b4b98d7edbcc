"""Entities for clients of earlier versions (clause 4.3.6.8)."""

from typing import Any

from dothi.facades.ngsi_ld.wire.backwards import conform

ENTITY: dict[str, Any] = {
    "id": "urn:ngsi-ld:Room:1",
    "type": ["Room", "Place"],
    "scope": "/a",
    "expiresAt": "2030-01-01T00:00:00Z",
    "name": {"type": "LanguageProperty", "languageMap": {"vi": "Phòng", "en": "Room"}},
    "raw": {"type": "JsonProperty", "json": {"type": "x", "value": [1], "datasetId": "kept"}},
    "use": {"type": "VocabProperty", "vocab": "office"},
    "line": {"type": "ListProperty", "valueList": [1, 2]},
    "doors": {
        "type": "ListRelationship",
        "objectList": [{"object": "urn:ngsi-ld:Door:1"}, {"object": "urn:ngsi-ld:Door:2"}],
        "objectType": "Door",
    },
    "temperature": [
        {"type": "Property", "value": 1, "datasetId": "urn:x:1", "unitCode": "CEL"},
        {
            "type": "Property",
            "value": 2,
            "observedAt": "2026-01-01T00:00:00Z",
            "accuracy": {"type": "Property", "value": 0.1, "expiresAt": "2030-01-01T00:00:00Z"},
        },
    ],
}


def test_what_version_1_8_did_not_know() -> None:
    found = conform(ENTITY, (1, 8))
    assert "expiresAt" not in found
    assert found["temperature"][1]["accuracy"] == {"type": "Property", "value": 0.1}
    assert found["name"] == ENTITY["name"]
    assert found["doors"] == ENTITY["doors"]


def test_what_version_1_7_did_not_know() -> None:
    found = conform(ENTITY, (1, 7))
    assert found["raw"] == {"type": "Property", "value": ENTITY["raw"]["json"]}
    assert found["use"] == {"type": "Property", "value": "office"}
    assert found["line"] == {"type": "Property", "value": [1, 2]}
    assert found["doors"] == {
        "type": "Relationship",
        "object": ["urn:ngsi-ld:Door:1", "urn:ngsi-ld:Door:2"],
    }
    assert found["name"]["type"] == "LanguageProperty"
    assert found["scope"] == "/a"


def test_what_version_1_0_knew() -> None:
    found = conform([ENTITY], (1, 0))[0]
    assert found["type"] == "Room"
    assert "scope" not in found
    assert found["name"] == {"type": "Property", "value": {"vi": "Phòng", "en": "Room"}}
    assert found["temperature"] == {
        "type": "Property",
        "value": 2,
        "accuracy": {"type": "Property", "value": 0.1},
    }


def test_concise_and_geojson() -> None:
    feature = {"type": "Feature", "id": "urn:x:1", "geometry": None, "properties": {}}
    feature["properties"] = {"type": "Room", "name": {"languageMap": {"en": "Room"}}}
    collection = {"type": "FeatureCollection", "features": [feature]}
    found = conform(collection, (1, 3))["features"][0]["properties"]
    assert found == {"type": "Room", "name": {"value": {"en": "Room"}}}


def test_the_newest_is_left_alone() -> None:
    assert conform(ENTITY, (1, 9)) == ENTITY

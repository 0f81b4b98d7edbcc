"""Scope queries and terms of vocabularies on evolutions (clauses 4.9, 4.18, 4.19, 5.7.4.4)."""

from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import Running, problem_of

MANY = "/temporal/entities"
HOUR = {
    "timerel": "between",
    "timeAt": "2026-03-01T12:00:00Z",
    "endTimeAt": "2026-03-01T13:00:00Z",
}


def _at(time: str) -> str:
    return f"2026-03-01T{time}:00Z"


async def _post(
    door: Running, name: str, scopes: list[tuple[Any, str]], speeds: list[tuple[str, str]]
) -> None:
    body: dict[str, Any] = {"id": f"urn:x:{name}", "type": "Vehicle"}
    if scopes:
        body["scope"] = [{"type": "Property", "value": s, "observedAt": _at(t)} for s, t in scopes]
    body["speed"] = [{"type": "Property", "value": v, "observedAt": _at(t)} for v, t in speeds]
    answer = await door.send("POST", MANY, body)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("scope_query", "expected"),
    [
        ("/A/B", {"ab": ["x"], "both": ["x"]}),
        ("/A/#", {"ab": ["x"], "both": ["x"]}),
        ("/Y", {}),
        ("/Z", {}),
        ("(/A/B;/C)", {"both": ["x"]}),
        ("/M", {"middle": ["after"]}),
        ("/R", {"changed": ["old"]}),
        ("/S", {"changed": ["new"]}),
        ("/M|/R", {"middle": ["after"], "changed": ["old"]}),
        ("/#", {"ab": ["x"], "both": ["x"], "middle": ["after"], "changed": ["old", "new"]}),
    ],
)
async def test_scopes_hold_from_when_they_are_set(
    door: Running, scope_query: str, expected: dict[str, list[str]]
) -> None:
    one = [("x", "12:05")]
    await _post(door, "ab", [("/A/B", "10:00")], one)
    await _post(door, "both", [(["/A/B", "/C"], "10:00")], one)
    await _post(door, "bare", [], one)
    await _post(door, "late", [("/Z", "14:00")], one)
    await _post(door, "middle", [("/M", "12:10")], [("before", "12:05"), ("after", "12:15")])
    changes = [("/R", "10:00"), ("/S", "12:30")]
    await _post(door, "changed", changes, [("old", "12:15"), ("new", "12:45")])
    params = {"type": "Vehicle", "scopeQ": scope_query, "count": "true", **HOUR}
    answer = await door.get(MANY, params=params)
    assert answer.status_code == 200, answer.text
    found = {
        entity["id"].removeprefix("urn:x:"): [one["value"] for one in entity["speed"]]
        for entity in answer.json()
    }
    assert found == expected
    assert answer.headers["ngsild-results-count"] == str(len(expected))
    for entity in answer.json():
        assert entity["scope"], "the scope that held is told, although it was set before"


async def test_wrong_scope_queries(door: Running) -> None:
    params = {"type": "Vehicle", "scopeQ": "/A/(", **HOUR}
    problem_of(await door.get(MANY, params=params), 400, "BadRequestData")


async def test_terms_of_vocabularies(door: Running) -> None:
    """4.9: with expandValues what a VocabProperty is compared with is a name."""
    body = {"id": "urn:x:1", "type": "Shop", "category": {"vocab": "commercial"}}
    assert (await door.create(body)).status_code == 201
    ever = {"timerel": "after", "timeAt": "2000-01-01T00:00:00Z", "timeproperty": "createdAt"}
    params = {"type": "Shop", "q": "category==commercial", **ever}
    found = await door.get(MANY, params={**params, "expandValues": "category"})
    assert [entity["id"] for entity in found.json()] == ["urn:x:1"]

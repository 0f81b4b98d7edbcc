"""Conditions in memory decide as the store does in SQL; scope queries; conditions as JSON."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.ngsi_ld.broker import ROOT, KnownContexts, ports_of
from tests.hub import open_hub
from tests.serving import client_of, serve

from dothi.facades.ngsi_ld.door import NgsiLdDeps, ngsi_ld_endpoints
from dothi.facades.ngsi_ld.grammar.q import parse_q
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.grammar.scope_test import parse_scope_query
from dothi.facades.ngsi_ld.subscriptions.condition_text import from_builtins, to_builtins
from dothi.model.condition import AllOf, AnyOf, Condition, Geo, GeoRelation, HasType
from dothi.pipeline.matching import matches
from dothi.ports.entity_query import EntitySearch
from dothi.storage.lake.open import open_lake
from dothi.storage.lake.settings import LakeSettings
from dothi.storage.relational.entity_query import SqliteEntities

ENTITIES: list[dict[str, Any]] = [
    {"a": 1, "b": "x", "c": True, "at": "2026-01-01T00:00:00Z"},
    {"a": 2.5, "b": "xyz", "c": False, "at": "2027-01-01T00:00:00Z"},
    {"a": [1, 2, 3], "b": ["x", "q"]},
    {"a": {"value": {"deep": {"n": 4, "s": "x"}, "list": [1, "x"]}}},
    {"a": {"value": 7, "unitCode": "CEL", "b": {"type": "Property", "value": 2}}},
    {"a": [{"value": 1}, {"value": 9, "datasetId": "urn:d:1"}]},
    {"b": {"object": "urn:x:1"}, "c": {"object": ["urn:x:1", "urn:x:2"]}},
    {"b": {"languageMap": {"vi": "x", "en": "hot"}}, "c": {"vocab": "x"}},
    {"a": {"value": 3, "observedAt": "2026-06-01T00:00:00Z"}},
    {"c": {"json": {"deep": 1}}, "b": {"valueList": [1, "x"]}},
    {"location": {"type": "Point", "coordinates": [105.8, 21.0]}},
    {"location": {"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]}},
]
TARGETS = (
    *("a", "b", "c", "at", "a[deep.n]", "a[deep.s]", "a[*]", "a[list]", "b[vi]", "b[*]", "a.b"),
    *("c[deep]", "a.observedAt", "a.unitCode", "a.datasetId", "missing", "a.missing"),
)
VALUES = ("1", "2.5", "7", '"x"', "true", "2026-01-01T00:00:00Z", "urn:x:1", "CEL")
TERMS = [
    *TARGETS,
    *(f"{t}{o}{v}" for t in TARGETS for o in ("==", "!=") for v in VALUES[:4]),
    *(f"{t}{o}{v}" for t in TARGETS[:-5] for o in (">", "<=") for v in VALUES[:4]),
    *(f"{t}=={v}" for t in TARGETS for v in VALUES[4:]),
    *(f'{t}{o}"^x"' for t in TARGETS if t != "a.observedAt" for o in ("~=", "!~=")),
    *(f"{t}{o}1..3" for t in TARGETS for o in ("==", "!=")),
    *(f'{t}{o}1,"x",7' for t in TARGETS for o in ("==", "!=")),
]
PLACES = [
    Geo(relation, '{"type":"Polygon","coordinates":[[[-1,-1],[5,-1],[5,5],[-1,5],[-1,-1]]]}')
    for relation in (GeoRelation.WITHIN, GeoRelation.INTERSECTS, GeoRelation.DISJOINT)
]
PLACES += [
    Geo(GeoRelation.NEAR, '{"type":"Point","coordinates":[105.81,21.0]}', max_distance_m=m)
    for m in (500.0, 5000.0)
]


def _parsed(text: str) -> Condition | None:
    try:
        return parse_q(text, lambda name: name)
    except GrammarError:
        return None  # true and false have no order


async def test_memory_and_store_decide_alike(tmp_path: Path) -> None:
    """Every term on every entity: the same ids from SQL and from memory."""
    lake = open_lake(tmp_path / "lake", LakeSettings())
    async with open_hub(tmp_path) as hub:
        entities = SqliteEntities(hub.engine)
        endpoints = ngsi_ld_endpoints(NgsiLdDeps(ports_of(hub, lake), loader=KnownContexts()))
        async with serve(endpoints) as base, client_of(base) as client:
            bodies = [
                {"id": f"urn:x:E:{n}", "type": "E" if n % 2 else ["E", "Odd"], **attributes}
                for n, attributes in enumerate(ENTITIES)
            ]
            answer = await client.post(f"{ROOT}/entityOperations/upsert", json=bodies)
            assert answer.status_code == 201, answer.text
        loaded = entities.load([body["id"] for body in bodies])
        conditions = [c for text in TERMS if (c := _parsed(text)) is not None]
        conditions += [*PLACES, HasType("Odd"), HasType("None")]
        conditions += [AllOf((conditions[1], HasType("Odd"))), AnyOf(tuple(PLACES))]
        wrong = []
        for condition in conditions:
            wanted = await asyncio.to_thread(
                entities.find, EntitySearch(condition=condition, limit=None)
            )
            found = [entity.id for entity in loaded if matches(entity, condition)]
            if sorted(found) != sorted(wanted):
                wrong.append((condition, found, wanted))
        assert not wrong, f"{len(wrong)} of {len(conditions)}: {wrong[:3]}"
    lake.close()


@pytest.mark.parametrize(
    ("query", "scopes", "holds"),
    [
        ("/a", ["/a"], True),
        ("/a", ["/a/b"], False),
        ("/a/#", ["/a/b/c"], True),
        ("/a/#", ["/a"], True),
        ("/a/#", ["/b"], False),
        ("/+/b", ["/x/b"], True),
        ("/+/b", ["/x/y/b"], False),
        ("/#", ["/x"], True),
        ("/#", [], False),
        ("/a;/b", ["/a", "/b"], True),
        ("/a;/b", ["/a"], False),
        ("/a,/b", ["/b"], True),
        ("/a|/b;/c", ["/b"], False),
        ("(/a|/b);/c", ["/b", "/c"], True),
    ],
)
def test_scope_queries(query: str, scopes: list[str], holds: bool) -> None:
    """4.19."""
    assert parse_scope_query(query)(scopes) is holds


@given(st.text(max_size=40))
def test_scope_queries_are_read_or_refused(text: str) -> None:
    with contextlib.suppress(GrammarError):
        parse_scope_query(text)(["/a/b"])


@given(st.lists(st.sampled_from(TERMS), min_size=1, max_size=4), st.sampled_from(";|"))
def test_a_kept_condition_comes_back(terms: list[str], joint: str) -> None:
    condition = _parsed(joint.join(terms))
    if condition is not None:
        assert from_builtins(to_builtins(condition)) == condition


def test_percent_encoded_q_means_the_same() -> None:
    assert _parsed(unquote("b==%22x%20y%22")) == _parsed('b=="x y"')

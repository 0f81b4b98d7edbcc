"""Conditions mean the same in the store and in memory, on entities and conditions of any kind."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dothi.model.batch import Batch
from dothi.model.condition import (
    Absent,
    AllOf,
    AnyOf,
    Between,
    Compare,
    Comparison,
    Condition,
    Exists,
    Geo,
    GeoRelation,
    HasId,
    HasScope,
    HasType,
    IdMatches,
    Linked,
    Matches,
    OneOf,
    Target,
    Term,
)
from dothi.model.row import Change, Kind, rows_table
from dothi.pipeline.matching import matches
from dothi.ports.entity_query import EntitySearch, StoredEntity
from dothi.storage.relational.entity_query import SqliteEntities
from hub import Hub, open_hub
from thorough import examples

COUNT = 60
TIMES = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=h) for h in (0, 1, 2)]
TEXTS = ["red", "blue", "Đỏ", "urn:e:3", "2026-01-01T01:00:00Z", "2026-01-01", "12", "now", ""]
NUMBERS = [0.0, 1.0, 1.5, 2.0, -3.25, 1e300]
NAMES = ["a", "b", "rel", "place", "json", "lang"]
TYPES = ["T", "U", "V"]
SCOPES = ["/A", "/A/B", "/A/B/C", "/A/X/C", "/D"]
TAGS = ["en", "vi", "x"]


def _json(chance: random.Random, depth: int = 2) -> Any:
    kind = chance.randrange(8 if depth else 5)
    if kind < 5:
        return [
            chance.choice(NUMBERS),
            chance.choice(TEXTS),
            chance.choice([True, False]),
            None,
            chance.randrange(3),
        ][kind]
    if kind == 5:
        return [_json(chance, depth - 1) for _ in range(chance.randrange(3))]
    return {name: _json(chance, depth - 1) for name in chance.sample(TAGS, chance.randrange(3))}


def _geometry(chance: random.Random) -> dict[str, Any]:
    west, south = chance.randrange(3), chance.randrange(3)
    if chance.random() < 0.5:
        return {"type": "Point", "coordinates": [west, south]}
    ring = [[west, south], [west + 1, south], [west + 1, south + 1], [west, south + 1]]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def _cells(chance: random.Random) -> dict[str, Any]:
    """Number, text and body of a value as the doors write them."""
    sub = {"type": "Property", "value": _json(chance, 1)}
    members: dict[str, Any] = {}
    if chance.random() < 0.4:
        members = {"b": sub, "unitCode": chance.choice(["CEL", "x"])}
    form = chance.randrange(7)
    if form == 0:
        return {"number": chance.choice(NUMBERS), "body": json.dumps(members) if members else None}
    if form == 1:
        held = {"text": chance.choice(TEXTS), "body": json.dumps(members) if members else None}
        return held | {"kind": chance.choice([Kind.PROPERTY, Kind.VOCAB_PROPERTY])}
    if form == 2:
        texts = {tag: chance.choice(["red", ["blue", "red"]]) for tag in chance.sample(TAGS, 2)}
        body: Any = {"languageMap": texts}
        return {"kind": Kind.LANGUAGE_PROPERTY, "body": json.dumps(body | members)}
    if form == 3:
        body = {"object": ["urn:e:1", "urn:e:3"]}
        return {"kind": Kind.RELATIONSHIP, "body": json.dumps(body | members)}
    if form == 4:
        return {"kind": Kind.RELATIONSHIP, "text": f"urn:e:{chance.randrange(COUNT)}"}
    if form == 5:
        return {"kind": Kind.GEO_PROPERTY, "body": json.dumps(_geometry(chance))}
    key, kind = chance.choice(
        [
            ("value", Kind.PROPERTY),
            ("json", Kind.JSON_PROPERTY),
            ("valueList", Kind.LIST_PROPERTY),
            ("vocab", Kind.VOCAB_PROPERTY),
        ]
    )
    return {"kind": kind, "body": json.dumps({key: _json(chance)} | members)}


async def _fill(hub: Hub) -> None:
    chance = random.Random(7)
    rows: list[dict[str, Any]] = []
    for n in range(COUNT):
        body = {
            "types": chance.sample(TYPES, chance.randrange(1, 3)),
            "scope": chance.sample(SCOPES, chance.randrange(3)),
        }
        uri = f"urn:e:{n}"
        rows.append({"entity": uri, "body": json.dumps(body), "change": Change.UPSERT_ENTITY})
        for name in chance.sample(NAMES, 3):
            for dataset in ["", "urn:d:1"][: chance.randrange(1, 3)]:
                observed = chance.choice([None, *TIMES])
                row = {"entity": uri, "attribute": name, "dataset": dataset}
                rows.append(
                    row | {"observed_at": observed, "change": Change.ASSIGN} | _cells(chance)
                )
    columns: dict[str, Any] = {"source": "s"}
    for name in ("entity", "attribute", "dataset", "body", "text"):
        missing = "" if name in {"attribute", "dataset"} else None
        columns[name] = [row.get(name, missing) for row in rows]
    columns["number"] = [row.get("number") for row in rows]
    columns["observed_at"] = [row.get("observed_at") for row in rows]
    columns["kind"] = [int(row.get("kind", Kind.PROPERTY)) for row in rows]
    columns["change"] = [int(row["change"]) for row in rows]
    result = await hub.intake.submit(Batch("b", rows_table(columns), datetime.now(UTC)))
    assert result.stored == len(rows), result.rejected


_names = st.sampled_from(NAMES)
_targets = st.one_of(
    st.builds(Target, _names),
    st.builds(Target, _names, st.sampled_from([("b",), ("observedAt",), ("unitCode",)])),
    st.builds(Target, _names, st.just(("datasetId",))),
    st.builds(Target, _names, st.just(()), st.sampled_from([("en",), ("*",), ("vi", "x")])),
    st.builds(Target, _names, st.just(("b",)), st.sampled_from([("en",), ("*",)])),
    st.just(Target("createdAt")),
    st.just(Target("expiresAt")),
)
_ordered = st.one_of(
    st.sampled_from(NUMBERS), st.sampled_from([*TEXTS, "CEL"]), st.sampled_from(TIMES)
)
_scalars = st.one_of(_ordered, st.booleans(), st.sampled_from(TEXTS).map(Term))
_equality = st.sampled_from([Comparison.EQUAL, Comparison.UNEQUAL])
_order = st.sampled_from([c for c in Comparison if c not in {"==", "!="}])
_points = st.sampled_from(
    ['{"type":"Point","coordinates":[1,1]}', '{"type":"Point","coordinates":[0.5,0.5]}']
)
_shapes = st.sampled_from(['{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,2],[0,0]]]}'])
_terms = st.one_of(
    st.builds(Exists, _targets),
    st.builds(Absent, _targets),
    st.builds(Compare, _targets, _order, _ordered),
    st.builds(Compare, _targets, _equality, _scalars),
    st.builds(OneOf, _targets, st.tuples(_scalars, _scalars), st.booleans()),
    st.builds(Between, _targets, st.just(1.0), st.just(2.0), st.booleans()),
    st.builds(Between, _targets, st.just("a"), st.just("s"), st.booleans()),
    st.builds(Between, _targets, st.just(TIMES[0]), st.just(TIMES[1]), st.booleans()),
    st.builds(Matches, _targets, st.sampled_from(["^r", "e", "[0-9]"]), st.booleans()),
    st.builds(HasType, st.sampled_from([*TYPES, "W"])),
    st.builds(HasId, st.sampled_from([("urn:e:1",), ("urn:e:2", "urn:e:3", "urn:no")])),
    st.builds(IdMatches, st.sampled_from(["^urn:e:1", "[37]$", "^urn:e:1|2$", "none"])),
    st.builds(
        HasScope, st.sampled_from([("A",), ("A", "+"), ("+", "+", "C"), ("D",)]), st.booleans()
    ),
    st.just(HasScope((), True)),
    st.builds(Geo, st.sampled_from([r for r in GeoRelation if r != "near"]), _shapes, _names),
    st.builds(Geo, st.just(GeoRelation.NEAR), _points, _names, st.none(), st.just(100_000.0)),
)
_conditions: st.SearchStrategy[Condition] = st.recursive(
    _terms,
    lambda inner: st.one_of(
        st.builds(AllOf, st.tuples(inner, inner)),
        st.builds(AnyOf, st.tuples(inner, inner)),
        st.builds(Linked, _names, st.sampled_from([(), ("T",), ("U", "W")]), inner),
    ),
    max_leaves=5,
)


async def test_store_and_memory_agree(tmp_path: Path) -> None:
    async with open_hub(tmp_path) as hub:
        await _fill(hub)
        store = SqliteEntities(hub.engine)
        every = store.load([f"urn:e:{n}" for n in range(COUNT)])
        assert len(every) == COUNT
        by_id = {entity.id: entity for entity in every}

        def look_up(ids: Any) -> list[StoredEntity]:
            return [by_id[uri] for uri in ids if uri in by_id]

        seen = {True: 0, False: 0}

        @settings(
            max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(_conditions)
        def agree(condition: Condition) -> None:
            found = store.find(EntitySearch(condition=condition, limit=None))
            expected = [e.id for e in every if matches(e, condition, look_up)]
            assert found == expected
            # Now it is known from where such a search starts, and how it is asked.
            assert store.find(EntitySearch(condition=condition, limit=None)) == expected
            seen[bool(found)] += 1

        agree()
        assert min(seen.values()) > examples(160) // 8, seen

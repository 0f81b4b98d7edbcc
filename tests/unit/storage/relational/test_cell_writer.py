"""Rows that stay tuples leave the tables as the same rows do in columns."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.databases import lay_database
from tests.memory_ports import FixedClock
from tests.rows import NOW

from dothi.model.attribute_spec import AttributeSpec
from dothi.model.batch import Batch, Guards
from dothi.model.row import Cells, Change, Kind, Row
from dothi.pipeline.admit import admit
from dothi.pipeline.admit_cells import admit_cells
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.sqlite_store import open_store
from thorough import examples

_SPECS = {"level": AttributeSpec("level", unit="MTR", suspect_high=4.0, fail_high=9.0)}
_POINT = '{"type":"Point","coordinates":[106.7,10.8]}'
_ENTITIES = [f"urn:ngsi-ld:Thing:{n}" for n in range(3)]
_TABLES = (
    *("entity", "entity_type", "attribute", "log", "batch", "receipt", "source_total", "unit"),
    *("watermark", "evolution_type"),
)


def _head(types: list[str], scope: list[str]) -> dict[str, Any]:
    return {"body": msgspec.json.encode({"types": types, "scope": scope}).decode()}


def _row(uri: str, name: str, dataset: str, held: dict[str, Any], age: int | None) -> Row:
    change = Change.UPSERT_ENTITY if not name else Change.ASSIGN
    observed = None if age is None or not name else NOW - timedelta(minutes=age)
    value = (held.get("number"), held.get("text"), held.get("body"), held.get("unit"))
    kind = Kind.GEO_PROPERTY if name == "location" else Kind.PROPERTY
    return ("ngsi-ld", uri, None, name, dataset, observed, *value, 0, kind, change)


_numbers = st.builds(
    lambda number, unit: {"number": number, "unit": unit},
    st.sampled_from([0.0, 5.0, 12.0]),
    st.sampled_from([None, "MTR", "CMT", "CEL"]),
)
_texts = st.sampled_from([{"text": "Trạm"}, {"text": "Tra\u0323m"}, {"body": '{"value":[1]}'}])
_datasets = st.sampled_from(["", "", "urn:x"])
_ages = st.sampled_from([None, 0, 5, 5, 9])
_uris = st.sampled_from(_ENTITIES)
_rows = st.one_of(
    st.builds(_row, _uris, st.just("level"), _datasets, _numbers, _ages),
    st.builds(_row, _uris, st.just("name"), _datasets, _texts, _ages),
    st.builds(_row, _uris, st.just("location"), _datasets, st.just({"body": _POINT}), _ages),
    st.builds(
        _row,
        *(_uris, st.just(""), st.just("")),
        st.builds(_head, st.sampled_from([["A"], ["A", "B"]]), st.sampled_from([[], ["/x"]])),
        st.none(),
    ),
)
_guards = st.one_of(
    st.just(Guards()),
    st.builds(lambda uri: Guards(absent=frozenset({uri})), _uris),
    st.builds(lambda uri: Guards(present=frozenset({uri})), _uris),
)
_deletions = st.builds(
    lambda uri, name: (
        *("ngsi-ld", uri, None, name, "", None, None, None, None, None, 0, Kind.PROPERTY),
        Change.DELETE_ATTRIBUTE if name else Change.DELETE_ENTITY,
    ),
    _uris,
    st.sampled_from(["", "level", "name"]),
)
_sent = st.tuples(st.one_of(st.lists(_rows, min_size=1, max_size=6), st.lists(_deletions)), _guards)
_groups = st.lists(st.lists(_sent, min_size=1, max_size=3), min_size=1, max_size=4)


def _batches(turn: int, sent: Sequence[tuple[list[Row], Guards]]) -> list[Batch]:
    return [
        Batch(
            *(f"b{turn}.{number}", Cells(rows), NOW),
            guards=guards,
            is_whole=True,
            is_trusted=True,
            is_single=True,
        )
        for number, (rows, guards) in enumerate(sent)
    ]


def _tables(path: Path) -> dict[str, list[Any]]:
    """What lies in the tables; numbers of entities and series become their names."""
    connection = HotConnection(path)
    found = {
        table: connection.query(f"SELECT * FROM {table} ORDER BY 1, 2").to_pylist()
        for table in _TABLES
    }
    connection.close()
    uris = {row.pop("id"): row["uri"] for row in found["entity"]} | {0: ""}
    for row in (row for rows in found.values() for row in rows if "entity_id" in row):
        row["entity_id"] = uris[row["entity_id"]]
    for table in ("entity", "entity_type"):
        found[table].sort(key=lambda row: sorted(map(str, row.values())))
    names = {row.pop("id"): _name(row) for row in found["attribute"]} | {0: ""}
    for row in found["log"]:
        row["attribute_id"] = names[row["attribute_id"]]
    found["attribute"].sort(key=_name)
    return found


def _name(row: dict[str, Any]) -> str:
    return f"{row['entity_id']} {row['name']} {row['dataset']}"


@settings(max_examples=examples(20), deadline=None)
@given(_groups)
def test_both_ways_write_the_same(groups: list[list[tuple[list[Row], Guards]]]) -> None:
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / "cells.db", Path(folder) / "columns.db"]
        left, right = (open_store(lay_database(path), None, FixedClock(NOW)) for path in paths)
        for turn, sent in enumerate(groups):
            batches = _batches(turn, sent)
            group = admit_cells(batches, _SPECS) or admit(batches, _SPECS)
            assert left.writer.commit(group) == right.writer.commit(admit(batches, _SPECS))
        left.close()
        right.close()
        assert _tables(paths[0]) == _tables(paths[1])

"""What is told from memory is what a reader finds in the table."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.databases import lay_database
from tests.memory_ports import FixedClock
from tests.rows import NOW, batch

from dothi.model.batch import Batch
from dothi.model.row import Cells, Change, Kind, Row
from dothi.pipeline.admit import admit
from dothi.pipeline.admit_cells import admit_cells
from dothi.storage.relational import log_reader
from dothi.storage.relational.fresh_rows import Fresh, FreshRows
from dothi.storage.relational.hot_index import HotIndex
from dothi.storage.relational.log_reader import SqliteLogReader
from dothi.storage.relational.sqlite_store import SqliteStore, open_store
from thorough import examples

_ENTITIES = [f"urn:ngsi-ld:Thing:{n}" for n in range(3)]
_VALUES = (Change.UPSERT, Change.ASSIGN, Change.RECORD)
_OTHERS = (Change.DELETE_ATTRIBUTE, Change.FORGET)
_ENTIRE = (Change.DELETE_ENTITY, Change.FORGET_ENTITY)
_HEADS = (Change.UPSERT_ENTITY, Change.RECORD_ENTITY)
Sent = list[dict[str, Any]]


def _sent(
    entity: str, name: str, change: Change, held: dict[str, Any], age: int | None, type_: str | None
) -> dict[str, Any]:
    row = {"source": "s1", "entity": entity, "change": change, "attribute": name, **held}
    if change in _ENTIRE or change in _HEADS:
        row = {"source": "s1", "entity": entity, "change": change, "attribute": ""}
        if change in _HEADS:
            row["body"] = json.dumps({"types": ["A", "B"], "scope": ["/x"]})
    elif change in _OTHERS:
        row = {"source": "s1", "entity": entity, "change": change, "attribute": name}
    is_timed = age is not None and row["attribute"]
    observed = NOW - timedelta(minutes=age or 0) if is_timed else None
    return row | {"observed_at": observed, "entity_type": type_}


_held = st.one_of(
    st.builds(
        lambda number, unit, quality: {"number": number, "unit": unit, "quality": quality},
        st.sampled_from([0.0, -0.0, 5.5, 1e300]),
        st.sampled_from([None, "MTR", "CEL"]),
        st.sampled_from([0, 1, 3]),
    ),
    st.sampled_from(
        [
            {"text": "Trạm"},
            {"body": '{"value":[1]}', "kind": Kind.PROPERTY, "dataset": "urn:x"},
        ]
    ),
)
_rows = st.builds(
    _sent,
    st.sampled_from(_ENTITIES),
    st.sampled_from(["level", "name", "no2"]),
    st.sampled_from([*_VALUES, *_VALUES, *_OTHERS, *_ENTIRE, *_HEADS]),
    _held,
    st.sampled_from([None, 0, 5, 5, 9]),
    st.sampled_from([None, "A", "B"]),
)
_batches = st.lists(st.lists(_rows, min_size=1, max_size=5), min_size=1, max_size=3)
_groups = st.lists(st.tuples(_batches, st.booleans()), min_size=1, max_size=4)


def _columns(turn: int, sent: Sequence[Sent]) -> list[Batch]:
    names = ("number", "text", "body", "unit", "quality", "kind", "dataset")
    defaults = {"quality": 0, "kind": Kind.PROPERTY, "dataset": ""}
    return [
        batch(
            id=f"b{turn}.{n}",
            **{name: [row.get(name, defaults.get(name)) for row in rows] for name in names},
            **{
                name: [row[name] for row in rows]
                for name in (
                    "source",
                    "entity",
                    "entity_type",
                    "attribute",
                    "observed_at",
                    "change",
                )
            },
        )
        for n, rows in enumerate(sent)
    ]


def _cells(turn: int, sent: Sequence[Sent]) -> list[Batch]:
    """As columns, but as tuples, where explicit writes may come so."""

    def row(one: dict[str, Any]) -> Row:
        change = Change.UPSERT_ENTITY if one["change"] in _HEADS else Change.ASSIGN
        body = one.get("body") or (None if one["attribute"] else '{"types":["A"]}')
        number = one.get("number") if body is None else None
        text = None if body or number is not None else one.get("text", "x")
        values = (number, text, body, one.get("unit") if number is not None else None)
        name = "" if change == Change.UPSERT_ENTITY else one["attribute"] or "level"
        at = one["observed_at"] if name else None
        return ("s1", one["entity"], None, name, "", at, *values, 0, Kind.PROPERTY, change)

    return [
        Batch(
            f"c{turn}.{n}", Cells([row(one) for one in rows]), NOW, is_whole=True, is_trusted=True
        )
        for n, rows in enumerate(sent)
    ]


def _assert_told_alike(store: SqliteStore, path: Path) -> None:
    table = SqliteLogReader(path, HotIndex())
    head = store.reader.head()
    for after in range(head + 1):
        for limit in (1, 2, 1_000, 10_000):
            told = store.reader.read(after, limit).combine_chunks()
            assert told.equals(table.read(after, limit).combine_chunks()), (after, limit)
    table.close()


@settings(max_examples=examples(15), deadline=None)
@given(_groups)
def test_memory_and_table_tell_the_same(groups: list[tuple[list[Sent], bool]]) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_reader, "_FEW_FRESH", 0)
        path = Path(folder) / "dothi.db"
        store = open_store(lay_database(path), None, FixedClock(NOW))
        for turn, (sent, are_cells) in enumerate(groups):
            batches = (_cells if are_cells else _columns)(turn, sent)
            store.writer.commit(admit_cells(batches, {}) or admit(batches, {}))
        if store.reader.head():
            assert store.reader._index.fresh.after(0, 1) is not None, "it comes from memory"
        _assert_told_alike(store, path)
        store.close()


def _fresh(first: int, count: int) -> Fresh:
    return Fresh(first, count, lambda: None)


def _has(rows: FreshRows, seq: int) -> bool:
    return bool(rows._kept) and rows._kept[0].first <= seq + 1 <= rows._kept[-1].first


def test_only_the_newest_rows_are_kept() -> None:
    rows = FreshRows()
    rows.add([_fresh(1, 15_000)])
    rows.add([_fresh(15_001, 4_000)])
    assert _has(rows, 0)
    assert (rows.count_after(0), rows.count_after(18_000)) == (19_000, 1_000)
    assert rows.count_after(19_000) == 0
    rows.add([_fresh(19_001, 4_000)])
    assert not _has(rows, 14_999)
    assert rows.after(14_999, 10) is None
    assert rows.count_after(14_999) is None
    assert _has(rows, 15_000)
    rows.add([_fresh(23_001, 50_000)])
    assert not rows._kept, "a commit that is larger than all that is kept"


def test_rows_behind_a_gap_do_not_follow_those_before_it() -> None:
    rows = FreshRows()
    rows.add([_fresh(1, 10), _fresh(21, 10)])
    assert rows.after(5, 10) is None
    assert _has(rows, 20)


def test_sealed_rows_are_not_told() -> None:
    rows = FreshRows()
    rows.add([_fresh(1, 10), _fresh(11, 10)])
    rows.drop_through(12)
    assert not rows._kept

"""The port `ContextSourceRecords`, over every store."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from databases import lay_database
from dothi.ports.context_sources import ContextSourceRecord, ContextSourceRecords, RecordKind
from dothi.storage.relational.context_sources import RelationalContextSources
from dothi.storage.relational.engine import open_sqlite

AT = datetime(2026, 11, 22, 1, 2, 3, 456789, UTC)


@pytest.fixture(params=["sqlite"])
def records(tmp_path: Path) -> Iterator[ContextSourceRecords]:
    engine = open_sqlite(lay_database(tmp_path / "dothi.db"))
    yield RelationalContextSources(engine)
    engine.dispose()


def _record(uri: str, kind: RecordKind = RecordKind.REGISTRATION) -> ContextSourceRecord:
    return ContextSourceRecord(kind, uri, '{"mode": "inclusive"}', AT, AT)


def test_a_record_comes_back_as_it_was_put(records: ContextSourceRecords) -> None:
    first = _record("urn:r:1")
    records.put(first)
    changed = replace(first, document="{}", modified_at=AT + timedelta(seconds=1), state='{"n":1}')
    records.put(changed)
    assert records.all(RecordKind.REGISTRATION) == [changed]


def test_kinds_do_not_mix_and_order_is_that_of_creation(records: ContextSourceRecords) -> None:
    for uri in ("urn:r:2", "urn:r:1"):
        records.put(_record(uri))
    records.put(_record("urn:r:1", RecordKind.SUBSCRIPTION))
    records.put(_record("urn:r:2"))
    assert [r.id for r in records.all(RecordKind.REGISTRATION)] == ["urn:r:2", "urn:r:1"]
    assert [r.id for r in records.all(RecordKind.SUBSCRIPTION)] == ["urn:r:1"]


def test_a_removed_one_is_gone(records: ContextSourceRecords) -> None:
    records.put(_record("urn:r:1"))
    records.remove(RecordKind.SUBSCRIPTION, "urn:r:1")
    assert len(records.all(RecordKind.REGISTRATION)) == 1
    records.remove(RecordKind.REGISTRATION, "urn:r:1")
    records.remove(RecordKind.REGISTRATION, "urn:r:1")
    assert records.all(RecordKind.REGISTRATION) == []

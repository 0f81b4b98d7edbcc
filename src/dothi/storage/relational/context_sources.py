"""Table `context_source_record`: registrations of other brokers and subscriptions to them."""

from collections.abc import Sequence

from sqlalchemy import Engine, Row, delete, insert, select, update

from dothi.model.moments import at_of, us_of
from dothi.ports.context_sources import ContextSourceRecord, RecordKind
from dothi.storage.relational.audit_chain import name_subject
from dothi.storage.relational.schema import context_source_record as table
from dothi.storage.relational.writing import writing


class RelationalContextSources:
    """The port `ContextSourceRecords` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self, kind: RecordKind) -> Sequence[ContextSourceRecord]:
        query = select(table).where(table.c.kind == kind.value).order_by(table.c.id)
        with self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(query)]

    def put(self, record: ContextSourceRecord) -> None:
        values = {
            "document": record.document,
            "state": record.state,
            "created_us": us_of(record.created_at),
            "modified_us": us_of(record.modified_at),
        }
        same = (table.c.kind == record.kind.value) & (table.c.uri == record.id)
        with writing(self._engine) as connection:
            if not connection.execute(update(table).where(same).values(values)).rowcount:
                connection.execute(
                    insert(table).values(kind=record.kind.value, uri=record.id, **values)
                )
                name_subject(f"registration:{record.id}")

    def remove(self, kind: RecordKind, id: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                delete(table).where((table.c.kind == kind.value) & (table.c.uri == id))
            )


def _record(row: Row[tuple[object, ...]]) -> ContextSourceRecord:
    return ContextSourceRecord(
        RecordKind(row.kind),
        row.uri,
        row.document,
        at_of(row.created_us),
        at_of(row.modified_us),
        row.state,
    )

"""Table `procedure`: every version that was ever in use, as its file has it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, select, update
from sqlalchemy.dialects import sqlite

from dothi.model.moments import at_of, us_of
from dothi.ports.incidents import StoredProcedure
from dothi.storage.relational.audit_chain import name_subject
from dothi.storage.relational.incident_tables import procedure
from dothi.storage.relational.writing import writing


class RelationalProcedures:
    """The port `Procedures` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[StoredProcedure]:
        query = select(procedure).order_by(procedure.c.id, procedure.c.version)
        with self._engine.connect() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def put(self, new: StoredProcedure) -> bool:
        values = {
            "id": new.id,
            "version": new.version,
            "text": new.text,
            "stored_us": us_of(new.stored_at),
            "stored_by": new.stored_by,
            "is_active": new.is_active,
            "approved_by": new.approved_by,
            "approved_us": us_of(new.approved_at),
        }
        with writing(self._engine) as connection:
            connection.execute(sqlite.insert(procedure).values(values).on_conflict_do_nothing())
            kept = connection.scalar(
                select(procedure.c.text).where(
                    procedure.c.id == new.id, procedure.c.version == new.version
                )
            )
            name_subject(f"procedure:{new.id}")
        return bool(kept == new.text)

    def activate(self, name: str, version: int, is_active: bool) -> bool:
        with writing(self._engine) as connection:
            done = connection.execute(
                update(procedure)
                .where(procedure.c.id == name, procedure.c.version == version)
                .values(is_active=is_active)
            )
            return done.rowcount > 0

    def approve(self, name: str, version: int, by: str, at: datetime) -> bool:
        columns = procedure.c
        is_draft = columns.approved_us.is_(None)
        with writing(self._engine) as connection:
            done = connection.execute(
                update(procedure)
                .where(columns.id == name, columns.version == version, is_draft)
                .values(approved_by=by, approved_us=us_of(at))
            )
            return done.rowcount > 0


def _stored(row: Row[Any]) -> StoredProcedure:
    return StoredProcedure(
        row.id,
        row.version,
        row.text,
        at_of(row.stored_us),
        row.stored_by,
        bool(row.is_active),
        row.approved_by,
        at_of(row.approved_us),
    )

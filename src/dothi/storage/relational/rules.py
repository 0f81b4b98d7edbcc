"""ports.rules on the relational store, and what the rules remember."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, func, select, update
from sqlalchemy.dialects import sqlite

from dothi.model.moments import at_of, us_of
from dothi.model.rule import LimitTable, Rule
from dothi.model.transition import StoredState
from dothi.ports.rules import RuleRecord
from dothi.storage.relational.audit_chain import add_detail
from dothi.storage.relational.rule_tables import limit_table, rule, rule_state, rule_version
from dothi.storage.relational.schema import watermark
from dothi.storage.relational.writing import writing

CHANGES = "rules"
"""Row of `watermark` that counts changes of what is in force."""


class RelationalRules:
    """The port `Rules` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[RuleRecord]:
        return self._records("")

    def get(self, rule: str) -> RuleRecord | None:
        found = self._records(rule)
        return found[0] if found else None

    def add(self, draft: Rule, at: datetime) -> Rule:
        with writing(self._engine) as connection:
            newest = connection.scalar(
                select(func.max(rule_version.c.version)).where(rule_version.c.rule_id == draft.id)
            )
            made = msgspec.structs.replace(
                draft, version=(newest or 0) + 1, created_at=at, approved_by="", approved_at=None
            )
            known = sqlite.insert(rule).values(id=made.id, is_enabled=True)
            connection.execute(known.on_conflict_do_nothing())
            connection.execute(rule_version.insert().values(_row(made, at)))
            add_detail("version", made.version)
        return made

    def approve(self, rule: str, version: int, by: str, at: datetime) -> bool:
        columns = rule_version.c
        with writing(self._engine) as connection:
            done = connection.execute(
                update(rule_version)
                .where(
                    columns.rule_id == rule,
                    columns.version == version,
                    columns.approved_us.is_(None),
                )
                .values(approved_by=by, approved_us=us_of(at))
            )
            if done.rowcount:
                _count_change(connection)
        return bool(done.rowcount)

    def switch(self, rule: str, *, is_enabled: bool, by: str, at: datetime) -> bool:
        values = {"is_enabled": is_enabled, "switched_by": by, "switched_us": us_of(at)}
        with writing(self._engine) as connection:
            done = connection.execute(_switch(rule).values(values))
            if done.rowcount:
                _count_change(connection)
        return bool(done.rowcount)

    def in_force(self) -> list[Rule]:
        found = [record.approved for record in self.all() if record.is_enabled]
        return [one for one in found if one is not None]

    def limits(self) -> list[LimitTable]:
        query = select(limit_table.c.document).order_by(limit_table.c.name)
        with self._engine.connect() as connection:
            return [
                msgspec.json.decode(text, type=LimitTable) for text in connection.scalars(query)
            ]

    def put_limits(self, tables: Sequence[LimitTable]) -> None:
        with writing(self._engine) as connection:
            for table in tables:
                _put_table(connection, table)
            if tables:
                _count_change(connection)

    def change_limits(
        self, name: str, change: Callable[[LimitTable | None], LimitTable]
    ) -> LimitTable:
        query = select(limit_table.c.document).where(limit_table.c.name == name)
        with writing(self._engine) as connection:
            # First of all, so that what is read stays true.
            _count_change(connection)
            found = connection.scalar(query)
            before = None if found is None else msgspec.json.decode(found, type=LimitTable)
            changed = change(before)
            _put_table(connection, changed)
        return changed

    def revision(self) -> int:
        query = select(watermark.c.value).where(watermark.c.name == CHANGES)
        with self._engine.connect() as connection:
            return int(connection.scalar(query) or 0)

    def states(self) -> list[StoredState]:
        with self._engine.connect() as connection:
            return [StoredState(*row) for row in connection.execute(select(rule_state))]

    def _records(self, only: str) -> list[RuleRecord]:
        query = select(rule, rule_version).join(rule_version, rule_version.c.rule_id == rule.c.id)
        if only:
            query = query.where(rule.c.id == only)
        query = query.order_by(rule.c.id, rule_version.c.version)
        found: dict[str, list[Row[Any]]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                found.setdefault(row.rule_id, []).append(row)
        return [_record(rows) for rows in found.values()]


_DROP_STATE = "DELETE FROM rule_state WHERE rule_id = ? AND entity = ?"
_PUT_STATE = (
    "INSERT INTO rule_state (rule_id, entity, body) VALUES (?, ?, ?) "
    "ON CONFLICT (rule_id, entity) DO UPDATE SET body = excluded.body"
)


def put_states(connection: Connection, states: Sequence[StoredState]) -> None:
    """Keep what the rules remember, within the caller's transaction; empty bodies are dropped."""
    gone = [(state.rule, state.entity) for state in states if not state.body]
    kept = [(state.rule, state.entity, state.body) for state in states if state.body]
    # One by one: a list of keys of two columns is looked for in the whole table.
    if gone:
        connection.exec_driver_sql(_DROP_STATE, gone)
    if kept:
        connection.exec_driver_sql(_PUT_STATE, kept)


def _put_table(connection: Connection, table: LimitTable) -> None:
    document = msgspec.json.encode(table).decode()
    statement = sqlite.insert(limit_table).values(name=table.name, document=document)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"document": document})
    )


def _switch(name: str) -> Any:
    return update(rule).where(rule.c.id == name)


def _count_change(connection: Connection) -> None:
    statement = sqlite.insert(watermark).values(name=CHANGES, value=1)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name"], set_={"value": watermark.c.value + 1}
        )
    )


def _row(made: Rule, at: datetime) -> dict[str, Any]:
    return {
        "rule_id": made.id,
        "version": made.version,
        "document": msgspec.json.encode(made).decode(),
        "author": made.author,
        "created_us": us_of(at),
    }


def _record(rows: Sequence[Row[Any]]) -> RuleRecord:
    first = rows[0]
    return RuleRecord(
        first.id,
        bool(first.is_enabled),
        tuple(_version(row) for row in rows),
        first.switched_by,
        at_of(first.switched_us),
    )


def _version(row: Row[Any]) -> Rule:
    stored = msgspec.json.decode(row.document, type=Rule)
    return msgspec.structs.replace(
        stored,
        approved_by=row.approved_by,
        approved_at=at_of(row.approved_us),
        created_at=at_of(row.created_us),
    )

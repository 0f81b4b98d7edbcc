"""ports.alarms.AlarmLedger: everything that a change of alarms touches, in one transaction."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, func, insert, select, update
from sqlalchemy.dialects import sqlite

from dothi.model.alarm import Alarm, AlarmEntry, Suppression
from dothi.model.moments import us_of
from dothi.model.notice import Notice
from dothi.model.transition import StoredState
from dothi.storage.relational import notices as notice_store
from dothi.storage.relational.alarm_rows import (
    alarm_of,
    alarm_values,
    entry_values,
    suppression_of,
    suppression_values,
)
from dothi.storage.relational.alarm_tables import IS_OPEN, alarm, alarm_entry, suppression
from dothi.storage.relational.alarm_words import put_words
from dothi.storage.relational.audit_chain import name_subject
from dothi.storage.relational.cursors import move
from dothi.storage.relational.writing import writing

PutStates = Callable[[Connection, Sequence[StoredState]], None]

_LISTED = 500
"""Values of one IN list."""
_PUT = sqlite.insert(alarm)
_PUT_OR_REPLACE = _PUT.on_conflict_do_update(
    index_elements=[alarm.c.id],
    set_={column.name: _PUT.excluded[column.name] for column in alarm.c if column.name != "id"},
)
_LOCK = delete(alarm).where(alarm.c.id == -1)
"""Changes nothing and begins the transaction, so that what is read in it stays true."""


class RelationalAlarmLedger:
    """Over SQLAlchemy Core."""

    def __init__(self, engine: Engine, put_states: PutStates | None = None) -> None:
        self._engine = engine
        self._put_states = put_states

    @contextmanager
    def writing(self) -> Iterator["RelationalAlarmBook"]:
        """See ports.alarms.AlarmLedger."""
        with writing(self._engine) as connection:
            connection.execute(_LOCK)
            yield RelationalAlarmBook(connection, self._put_states)

    def is_due(self, now: datetime, timers_at: datetime | None = None) -> bool:
        """See ports.alarms.AlarmLedger."""
        now_us = us_of(now)
        standing = suppression.c.ended_us.is_(None)
        is_over = suppression.c.until_us <= now_us
        begins = (suppression.c.from_us <= now_us) & suppression.c.has_begun.is_(False)
        with self._engine.connect() as connection:
            found = connection.scalar(
                select(func.count()).select_from(_to_escalate(timers_at or now).subquery())
            )
            return bool(found) or bool(
                connection.scalar(
                    select(func.count()).select_from(suppression).where(standing, is_over | begins)
                )
            )


class RelationalAlarmBook:
    """ports.alarms.AlarmBook on one connection in a transaction."""

    def __init__(self, connection: Connection, put_states: PutStates | None) -> None:
        self._connection = connection
        self._put_states = put_states
        self._ids: Iterator[int] | None = None

    def newest(self, conditions: Collection[str]) -> dict[str, Alarm]:
        def query(some: list[str]) -> Select[Any]:
            latest = (
                select(func.max(alarm.c.id))
                .where(alarm.c.condition.in_(some))
                .group_by(alarm.c.condition)
            )
            return select(alarm).where(alarm.c.id.in_(latest))

        return {one.condition: one for one in self._each(query, conditions)}

    def get(self, ids: Collection[int]) -> dict[int, Alarm]:
        found = self._each(lambda some: select(alarm).where(alarm.c.id.in_(some)), ids)
        return {one.id: one for one in found}

    def open_matching(self, suppression: Suppression) -> list[Alarm]:
        query = select(alarm).where(IS_OPEN)
        if suppression.entity:
            query = query.where(alarm.c.entity == suppression.entity)
        if suppression.rule:
            query = query.where(alarm.c.rule == suppression.rule)
        if suppression.area:
            query = query.where(alarm.c.areas.contains(f"|{suppression.area}|", autoescape=True))
        if suppression.least_urgent is not None:
            query = query.where(alarm.c.priority >= int(suppression.least_urgent))
        return self._alarms(query)

    def open_at(self, entities: Collection[str]) -> list[Alarm]:
        return self._each(
            lambda some: select(alarm).where(alarm.c.entity.in_(some), IS_OPEN),
            entities,
        )

    def to_escalate(self, now: datetime) -> list[Alarm]:
        return self._alarms(_to_escalate(now))

    def suppressions(self) -> list[Suppression]:
        query = select(suppression).where(suppression.c.ended_us.is_(None))
        rows = self._connection.execute(query.order_by(suppression.c.id))
        return [suppression_of(row) for row in rows]

    def next_id(self) -> int:
        if self._ids is None:
            self._ids = count(int(self._connection.scalar(select(func.max(alarm.c.id))) or 0) + 1)
        return next(self._ids)

    def put(self, alarms: Collection[Alarm], entries: Sequence[AlarmEntry]) -> None:
        last = int(self._connection.scalar(select(func.max(alarm_entry.c.id))) or 0)
        numbered = list(enumerate(entries, last + 1))
        revisions = {entry.alarm: number for number, entry in numbered}
        self._connection.execute(
            _PUT_OR_REPLACE, [alarm_values(one, revisions[one.id]) for one in alarms]
        )
        put_words(self._connection, alarms, entries)
        self._connection.execute(
            insert(alarm_entry), [entry_values(entry, number) for number, entry in numbered]
        )

    def put_suppression(self, suppression_: Suppression) -> int:
        values = suppression_values(suppression_)
        if suppression_.id:
            self._connection.execute(
                update(suppression).where(suppression.c.id == suppression_.id).values(values)
            )
            return suppression_.id
        made = int(self._connection.scalar(select(func.max(suppression.c.id))) or 0) + 1
        self._connection.execute(insert(suppression).values(id=made, **values))
        name_subject(f"suppression:{made}")
        return made

    def tell(self, notices: Sequence[Notice]) -> None:
        notice_store.put(self._connection, notices)

    def answered(self, alarms: Collection[Alarm], by: str, now: datetime) -> None:
        for one in alarms:
            notice_store.answer_subject(
                self._connection, f"alarm:{one.id}", by, "acknowledged", us_of(now)
            )

    def remember(self, states: Sequence[StoredState]) -> None:
        if states and self._put_states is not None:
            self._put_states(self._connection, states)

    def move(self, consumer: str, seq: int) -> None:
        move(self._connection, consumer, seq)

    def _each(
        self, query: Callable[[list[Any]], Select[Any]], values: Collection[Any]
    ) -> list[Alarm]:
        found: list[Alarm] = []
        listed = sorted(values)
        for start in range(0, len(listed), _LISTED):
            found += self._alarms(query(listed[start : start + _LISTED]))
        return found

    def _alarms(self, query: Select[Any]) -> list[Alarm]:
        rows = self._connection.execute(query.order_by(alarm.c.id))
        return [alarm_of(row) for row in rows]


def _to_escalate(now: datetime) -> Select[Any]:
    return select(alarm).where(alarm.c.escalate_us <= us_of(now), alarm.c.suppressed == 0)

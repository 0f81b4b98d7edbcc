"""ports.alarms.AlarmLedger: everything that a change of alarms touches, in one transaction."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Engine, Select, delete, func, insert, select, update

from dothi.model.alarm import Alarm, AlarmEntry, Suppression
from dothi.model.moments import us_of
from dothi.model.notice import Notice
from dothi.model.transition import StoredState
from dothi.storage.relational import notices as notice_store
from dothi.storage.relational.alarm_memory import AlarmMemory, Latest
from dothi.storage.relational.alarm_rows import (
    COLUMNS,
    alarm_of,
    changed_columns,
    entry_cells,
    parts_of,
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
_PUT_OR_REPLACE = (
    f"INSERT INTO alarm ({', '.join(COLUMNS)}) VALUES ({', '.join('?' for _ in COLUMNS)}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS)}"
)
_APPEND = (
    f"INSERT INTO alarm_entry ({', '.join(alarm_entry.c.keys())}) "
    f"VALUES ({', '.join('?' for _ in alarm_entry.c)})"
)
_LOCK = delete(alarm).where(alarm.c.id == -1)
"""Changes nothing and begins the transaction, so that what is read in it stays true."""


class RelationalAlarmLedger:
    """Over SQLAlchemy Core."""

    def __init__(self, engine: Engine, put_states: PutStates | None = None) -> None:
        self._engine = engine
        self._put_states = put_states
        self._memory = AlarmMemory()

    @contextmanager
    def writing(self) -> Iterator["RelationalAlarmBook"]:
        """See ports.alarms.AlarmLedger."""
        with writing(self._engine) as connection:
            connection.execute(_LOCK)
            known = self._memory.seen(connection)
            book = RelationalAlarmBook(connection, self._put_states, known.latest)
            yield book
        self._memory.keep(book.latest, known)

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

    def __init__(
        self,
        connection: Connection,
        put_states: PutStates | None,
        known: Mapping[str, Alarm | None],
    ) -> None:
        """`known`: the latest alarm of each condition as it is stored, as far as that is known."""
        self._connection = connection
        self._put_states = put_states
        self._known = known
        self.latest: Latest = {}
        """The same of what was read and changed since."""
        self._read: dict[int, Alarm] = {}
        self._ids: Iterator[int] | None = None

    def newest(self, conditions: Collection[str]) -> dict[str, Alarm]:
        missing = [one for one in conditions if one not in self.latest and one not in self._known]
        if missing:
            read = {one.condition: one for one in self._each(_latest, missing)}
            self.latest.update({condition: read.get(condition) for condition in missing})
        found = {condition: self._latest_of(condition) for condition in conditions}
        return {condition: one for condition, one in found.items() if one is not None}

    def _latest_of(self, condition: str) -> Alarm | None:
        return self.latest.get(condition) or self._known.get(condition)

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
        revisions = {entry.alarm: number for number, entry in enumerate(entries, last + 1)}
        told: list[Alarm] = []
        rows: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for one in (replace(one, revision=revisions[one.id]) for one in alarms):
            before = self._stored(one)
            columns = tuple(COLUMNS) if before is None else changed_columns(before, one)
            if "search" in columns:
                told.append(one)
            cells = tuple([part(one) for part in parts_of(columns)])
            rows.setdefault(columns, []).append(cells if before is None else (*cells, one.id))
            self._note(one)
        for columns, some in rows.items():
            # A new alarm has an id as well; nothing else changes it.
            sql = _PUT_OR_REPLACE if "id" in columns else _change(columns)
            self._connection.exec_driver_sql(sql, some)
        put_words(self._connection, told)
        appended = [entry_cells(entry, number) for number, entry in enumerate(entries, last + 1)]
        self._connection.exec_driver_sql(_APPEND, appended)

    def _stored(self, one: Alarm) -> Alarm | None:
        """As it is stored, where that is known."""
        latest = self._latest_of(one.condition)
        return latest if latest is not None and latest.id == one.id else self._read.get(one.id)

    def _note(self, one: Alarm) -> None:
        self._read[one.id] = one
        is_known = one.condition in self.latest or one.condition in self._known
        latest = self._latest_of(one.condition)
        # Of what is not known nobody knows either whether this is the latest.
        if is_known and (latest is None or latest.id <= one.id):
            self.latest[one.condition] = one

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
        found = [alarm_of(row) for row in rows]
        self._read.update((one.id, one) for one in found)
        return found


def _latest(conditions: list[str]) -> Select[Any]:
    newest = select(func.max(alarm.c.id)).where(alarm.c.condition.in_(conditions))
    return select(alarm).where(alarm.c.id.in_(newest.group_by(alarm.c.condition)))


@cache
def _change(columns: tuple[str, ...]) -> str:
    """Only what changed: the more columns, the more indexes have to be looked through."""
    return f"UPDATE alarm SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?"


def _to_escalate(now: datetime) -> Select[Any]:
    return select(alarm).where(alarm.c.escalate_us <= us_of(now), alarm.c.suppressed == 0)

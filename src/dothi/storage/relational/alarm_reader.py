"""ports.alarms.AlarmReader: pages, records and figures of alarms."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, Select, and_, case, func, literal_column, or_, select

from dothi.model.alarm import (
    OPEN,
    Alarm,
    AlarmCounts,
    AlarmEntry,
    AlarmState,
    Entry,
    Suppressed,
    Suppression,
)
from dothi.model.fold import fold
from dothi.model.moments import at_of, us_of
from dothi.ports.alarms import Activation, AlarmQuery
from dothi.storage.relational.alarm_rows import alarm_of, entry_of, suppression_of
from dothi.storage.relational.alarm_tables import IS_OPEN, alarm, alarm_entry, suppression
from dothi.storage.relational.alarm_words import among

_URGENCY = {
    AlarmState.ACTIVE_UNACKNOWLEDGED: 0,
    AlarmState.RETURNED_UNACKNOWLEDGED: 1,
    AlarmState.LATCHED: 2,
    AlarmState.ACTIVE_ACKNOWLEDGED: 3,
    AlarmState.NORMAL: 4,
}
"""Order of the column state: what waits for a person first."""
_LISTED = 500


class _Part(NamedTuple):
    """Of the key by which a list is sorted."""

    column: Any
    value: Callable[[Alarm], str | int]
    is_descending: bool = False


_STATES = {str(state): place for state, place in _URGENCY.items()}
_RAISED = _Part(alarm.c.raised_us, lambda one: us_of(one.raised_at))
_NEWEST = _Part(alarm.c.id, lambda one: one.id, True)
_ORDERS: dict[str, tuple[_Part, ...]] = {
    "priority": (
        _Part(alarm.c.priority, lambda one: int(one.priority)),
        # Spelled as in the indexes that serve it.
        _Part(
            alarm.c.acknowledged_us.is_not(None), lambda one: int(one.acknowledged_at is not None)
        ),
        _RAISED._replace(is_descending=True),
    ),
    "raised_at": (_RAISED,),
    "place": (_Part(alarm.c.entity_name, lambda one: one.place.name),),
    "text": (_Part(alarm.c.title, lambda one: one.title),),
    "state": (_Part(case(_STATES, value=alarm.c.state), lambda one: _URGENCY[one.state]),),
    "owner": (_Part(alarm.c.owner, lambda one: one.owner),),
}
_TRANSITIONS = (Entry.RAISED, Entry.ACTIVATED, Entry.RETURNED)


class RelationalAlarmReader:
    """Over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(self, query: AlarmQuery) -> list[Alarm]:
        first, *rest = _ORDERS[query.sort]
        key = [first._replace(is_descending=query.is_descending), *rest, _NEWEST]
        order = [one.column.desc() if one.is_descending else one.column.asc() for one in key]

        # Only ids are sorted: rows are wide.
        with self._engine.connect() as connection:
            conditions = [*_conditions(query), *among(connection, query.text)]
        wanted = select(alarm.c.id).where(*conditions)
        if query.after is None:
            return self._in_order([wanted.order_by(*order)], query.limit)
        questions = []
        # One for each part, because an index serves each of them and no index serves all at once.
        for n in reversed(range(len(key))):
            same = [one.column == value for one, value in zip(key[:n], query.after, strict=False)]
            column, value = key[n].column, query.after[n]
            is_past = column < value if key[n].is_descending else column > value
            # Without what is the same for all: SQLite would sort by it once more.
            questions.append(wanted.where(*same, is_past).order_by(*order[n:]))
        return self._in_order(questions, query.limit)

    def get(self, alarm_id: int) -> Alarm | None:
        return next(iter(self._alarms(select(alarm).where(alarm.c.id == alarm_id))), None)

    def record(self, alarm_id: int, limit: int = 500) -> list[AlarmEntry]:
        query = (
            select(alarm_entry)
            .where(alarm_entry.c.alarm_id == alarm_id)
            .order_by(alarm_entry.c.id.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [entry_of(row) for row in connection.execute(query)][::-1]

    def changed_after(self, revision: int, limit: int) -> list[Alarm]:
        query = select(alarm).where(alarm.c.revision > revision)
        return self._alarms(query.order_by(alarm.c.revision).limit(limit))

    def revision(self) -> int:
        with self._engine.connect() as connection:
            return int(connection.scalar(select(func.max(alarm.c.revision))) or 0)

    def counts(self, stale_before: datetime, position: str = "") -> AlarmCounts:
        is_clear = alarm.c.suppressed == 0
        is_waiting = alarm.c.state.in_(
            [AlarmState.ACTIVE_UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED]
        )
        is_stale = and_(is_clear, *_active_before(stale_before))
        sums = [
            and_(is_clear, is_waiting),
            *(and_(is_clear, alarm.c.priority == n) for n in (1, 2, 3, 4)),
            *(alarm.c.suppressed.op("&")(int(kind)) > 0 for kind in Suppressed),
            is_stale,
        ]
        query = select(*(func.coalesce(func.sum(case((one, 1), else_=0)), 0) for one in sums))
        query = query.where(IS_OPEN, *_of(position))
        with self._engine.connect() as connection:
            row = connection.execute(query).one()
        waiting, p1, p2, p3, p4, shelved, by_design, out, stale = (int(n) for n in row)
        return AlarmCounts(waiting, (p1, p2, p3, p4), shelved, by_design, out, stale)

    def announced(self, start: datetime, end: datetime, position: str = "") -> list[Activation]:
        query = (
            select(alarm_entry.c.stored_us, alarm.c.condition, alarm.c.priority)
            .join(alarm, alarm.c.id == alarm_entry.c.alarm_id)
            .where(
                alarm_entry.c.is_announced == literal_column("1"),
                alarm_entry.c.stored_us >= us_of(start),
                alarm_entry.c.stored_us < us_of(end),
                *_of(position),
            )
            .order_by(alarm_entry.c.stored_us)
        )
        with self._engine.connect() as connection:
            return [
                Activation(at_of(row.stored_us), row.condition, row.priority)
                for row in connection.execute(query)
            ]

    def transitions(self, start: datetime, end: datetime, position: str = "") -> dict[str, int]:
        query = (
            select(alarm.c.condition, func.count().label("n"))
            .join(alarm_entry, alarm.c.id == alarm_entry.c.alarm_id)
            .where(
                alarm_entry.c.stored_us >= us_of(start),
                alarm_entry.c.stored_us < us_of(end),
                alarm_entry.c.kind.in_([str(kind) for kind in _TRANSITIONS]),
                *_of(position),
            )
            .group_by(alarm.c.condition)
        )
        with self._engine.connect() as connection:
            return {row.condition: int(row.n) for row in connection.execute(query)}

    def suppressions(self, with_ended_since: datetime | None = None) -> list[Suppression]:
        shown: ColumnElement[bool] = suppression.c.ended_us.is_(None)
        if with_ended_since is not None:
            shown = or_(shown, suppression.c.ended_us >= us_of(with_ended_since))
        query = select(suppression).where(shown).order_by(suppression.c.id.desc())
        with self._engine.connect() as connection:
            return [suppression_of(row) for row in connection.execute(query)]

    def key(self, one: Alarm, sort: str) -> tuple[str | int, ...]:
        return tuple(part.value(one) for part in (*_ORDERS[sort], _NEWEST))

    def _in_order(self, wanted: Sequence[Select[Any]], limit: int) -> list[Alarm]:
        """Alarms by their ids, as many as the questions find one after another."""
        ids: list[int] = []
        with self._engine.connect() as connection:
            for question in wanted:
                if len(ids) < limit:
                    ids += connection.scalars(question.limit(limit - len(ids)))
            found: dict[int, Alarm] = {}
            for start in range(0, len(ids), _LISTED):
                some = select(alarm).where(alarm.c.id.in_(ids[start : start + _LISTED]))
                found.update((row.id, alarm_of(row)) for row in connection.execute(some))
        return [found[one] for one in ids if one in found]

    def _alarms(self, query: Select[Any]) -> list[Alarm]:
        with self._engine.connect() as connection:
            return [alarm_of(row) for row in connection.execute(query)]


def _of(position: str) -> list[Any]:
    return [alarm.c.position == position] if position else []


def _active_before(moment: datetime) -> list[Any]:
    return [alarm.c.active_us < us_of(moment), alarm.c.returned_us.is_(None)]


def _conditions(query: AlarmQuery) -> Sequence[Any]:
    columns = alarm.c
    found: list[Any] = []
    if query.states:
        if set(query.states) == set(OPEN):
            found.append(IS_OPEN)
        else:
            found.append(columns.state.in_([str(state) for state in query.states]))
    listed = ((columns.priority, query.priorities), (columns.domain, query.domains))
    for column, values in (*listed, (columns.entity_type, query.types)):
        if values:
            found.append(column.in_(values))
    named = (
        (columns.owner, query.owner),
        (columns.entity, query.entity),
        (columns.rule, query.rule),
        (columns.condition, query.condition),
        (columns.position, query.position),
    )
    found += [column == value for column, value in named if value]
    if query.area:
        found.append(func.instr(columns.areas, f"|{query.area}|") > 0)
    # Not LIKE, which folds cases anew at each row: that has been done when the row was written.
    found += [func.instr(columns.search, fold(word)) > 0 for word in query.text.split()]
    if query.since is not None:
        found.append(columns.raised_us >= us_of(query.since))
    if query.until_at is not None:
        found.append(columns.raised_us < us_of(query.until_at))
    if query.active_before is not None:
        found += _active_before(query.active_before)
    if query.is_suppressed is not None:
        found.append(columns.suppressed != 0 if query.is_suppressed else columns.suppressed == 0)
    return found

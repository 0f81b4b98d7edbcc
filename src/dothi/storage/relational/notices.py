"""Table `notice`: what is to be told to people, and who answered.

`put` and `answer_subject` are for the transactions of others: an alarm and its notice are stored
together, and what acknowledges the alarm answers the notice.
"""

import json
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, Select, bindparam, func, select, update

from dothi.model.moments import at_of, us_of
from dothi.model.notice import Notice
from dothi.model.priority import Priority
from dothi.ports.notices import (
    DeliveryRecord,
    NoticeQuestion,
    NoticeState,
    Planned,
    Receipt,
    StoredNotice,
)
from dothi.storage.relational.notice_deliveries import add_deliveries, record_of, spare
from dothi.storage.relational.notice_tables import delivery, notice, notice_receipt
from dothi.storage.relational.writing import writing

_OPEN = (NoticeState.NEW, NoticeState.TOLD, NoticeState.NOBODY, NoticeState.UNANSWERED)
_PUT_COLUMNS = (
    *("uri", "kind", "at_us", "priority", "subject", "parameters", "positions", "people"),
    *("answer_within_s", "state", "told", "created_us", "next_us"),
)
_PUT = (
    f"INSERT INTO notice ({', '.join(_PUT_COLUMNS)}) "
    f"VALUES ({', '.join('?' for _ in _PUT_COLUMNS)}) ON CONFLICT (uri) DO NOTHING"
)

_PLANNED = (
    update(notice)
    .where(notice.c.id == bindparam("b_id"))
    .values({name: bindparam(f"b_{name}") for name in ("state", "told", "next_us")})
)


def put(connection: Connection, notices: Sequence[Notice]) -> None:
    """Store notices within the caller's transaction; known ids change nothing."""
    if notices:
        now_us = time.time_ns() // 1000
        connection.exec_driver_sql(_PUT, [_cells(one, now_us) for one in notices])


def answer_subject(
    connection: Connection, subject: str, by: str, text: str, at_us: int
) -> Sequence[int]:
    """Answer every open notice about a subject (`alarm:12`) within the caller's transaction."""
    numbers = connection.scalars(
        select(notice.c.id).where(notice.c.subject == subject, notice.c.state.in_(_OPEN))
    ).all()
    for number in numbers:
        _answer(connection, number, by, text, at_us)
    return [int(number) for number in numbers]


class RelationalNotices:
    """The port `Notices` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, notices: Sequence[Notice]) -> None:
        with writing(self._engine) as connection:
            put(connection, notices)

    def due(self, now: datetime, limit: int) -> list[StoredNotice]:
        query = (
            select(notice)
            .where(notice.c.next_us.is_not(None), notice.c.next_us <= us_of(now))
            .order_by(notice.c.priority, notice.c.id)
            .limit(limit)
        )
        return self._read(query)

    def plan(
        self, planned: Sequence[Planned], now: datetime, beside: Sequence[Notice] = ()
    ) -> None:
        with writing(self._engine) as connection:
            put(connection, beside)
            # Somebody may have answered since it was read: then nobody else is told.
            numbers = [one.number for one in planned]
            query = select(notice.c.id).where(notice.c.id.in_(numbers), notice.c.state.in_(_OPEN))
            still_open = set(connection.scalars(query))
            found = [one for one in planned if one.number in still_open]
            if not found:
                return
            connection.execute(
                _PLANNED,
                [
                    {
                        "b_id": one.number,
                        "b_state": str(one.state),
                        "b_told": json.dumps(one.told),
                        "b_next_us": us_of(one.next_at),
                    }
                    for one in found
                ],
            )
            add_deliveries(connection, [made for one in found for made in one.deliveries])
            noted = [one for one in found if one.note]
            _note(
                connection,
                [(one.number, us_of(now), str(one.state), one.note) for one in noted],
            )

    def answer(self, number: int, by: str, text: str, now: datetime) -> StoredNotice | None:
        with writing(self._engine) as connection:
            state = connection.scalar(select(notice.c.state).where(notice.c.id == number))
            if state is None:
                return None
            if state in _OPEN:
                _answer(connection, number, by, text, us_of(now))
        return self.get(number)

    def get(self, number: int) -> StoredNotice | None:
        return next(iter(self._read(select(notice).where(notice.c.id == number))), None)

    def several(self, numbers: Sequence[int]) -> list[StoredNotice]:
        return self._read(select(notice).where(notice.c.id.in_(numbers)))

    def page(self, question: NoticeQuestion) -> list[StoredNotice]:
        query = select(notice).order_by(notice.c.id.desc()).limit(question.limit)
        if question.state:
            query = query.where(notice.c.state == question.state)
        if question.kind:
            query = query.where(notice.c.kind.op("GLOB")(question.kind))
        if question.subject:
            query = query.where(notice.c.subject == question.subject)
        if question.person:
            told = select(delivery.c.notice_id).where(delivery.c.person == question.person)
            query = query.where(notice.c.id.in_(told))
        if question.before:
            query = query.where(notice.c.id < question.before)
        return self._read(query)

    def deliveries(self, notices: Sequence[int]) -> list[DeliveryRecord]:
        query = select(delivery).where(delivery.c.notice_id.in_(notices)).order_by(delivery.c.id)
        with self._engine.connect() as connection:
            return [record_of(row) for row in connection.execute(query)]

    def receipts(self, number: int) -> list[Receipt]:
        query = (
            select(notice_receipt)
            .where(notice_receipt.c.notice_id == number)
            .order_by(notice_receipt.c.id)
        )
        with self._engine.connect() as connection:
            return [
                Receipt(at_of(row.at_us), row.state, row.detail, row.delivery_id)
                for row in connection.execute(query)
            ]

    def counts(self) -> dict[str, int]:
        query = (
            select(notice.c.state, func.count())
            .where(notice.c.next_us.is_not(None) | (notice.c.state == NoticeState.UNANSWERED))
            .group_by(notice.c.state)
        )
        with self._engine.connect() as connection:
            return {str(state): int(count) for state, count in connection.execute(query)}

    def _read(self, query: Select[Any]) -> list[StoredNotice]:
        with self._engine.connect() as connection:
            return [_stored(row) for row in connection.execute(query)]


def _answer(connection: Connection, number: int, by: str, text: str, at_us: int) -> None:
    connection.execute(
        update(notice)
        .where(notice.c.id == number)
        .values(
            state=NoticeState.ANSWERED,
            next_us=None,
            answered_us=at_us,
            answered_by=by,
            answer=text,
        )
    )
    spare(connection, delivery.c.notice_id == number, at_us)
    detail = f"{by}: {text}" if text else by
    _note(connection, [(number, at_us, str(NoticeState.ANSWERED), detail)])


def _note(connection: Connection, lines: Sequence[tuple[int, int, str, str]]) -> None:
    """Lines of records: notice, time, state, detail."""
    names = ("notice_id", "at_us", "state", "detail")
    if lines:
        values = [dict(zip(names, line, strict=True)) for line in lines]
        connection.execute(notice_receipt.insert(), values)


def _cells(new: Notice, now_us: int) -> tuple[Any, ...]:
    """In the order of `_PUT_COLUMNS`."""
    return (
        new.id,
        new.kind,
        us_of(new.at),
        int(new.priority),
        new.subject,
        _json(new.parameters),
        _json(new.positions),
        _json(new.people),
        new.answer_within_s,
        str(NoticeState.NEW),
        "[]",
        now_us,
        0,
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _stored(row: Row[Any]) -> StoredNotice:
    return StoredNotice(
        row.id,
        Notice(
            row.uri,
            row.kind,
            at_of(row.at_us),
            Priority(row.priority),
            row.subject,
            json.loads(row.parameters),
            tuple(json.loads(row.positions)),
            tuple(json.loads(row.people)),
            row.answer_within_s,
        ),
        NoticeState(row.state),
        tuple(json.loads(row.told)),
        at_of(row.created_us),
        at_of(row.next_us),
        at_of(row.answered_us),
        row.answered_by,
        row.answer,
    )

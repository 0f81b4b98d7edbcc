"""Table `delivery`: the queue of what is on its way to people, by lanes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import sqlite

from dothi.model.delivery import Delivery, DeliveryState
from dothi.model.moments import at_of, us_of
from dothi.model.priority import Priority
from dothi.ports.clock_watch import ClockMark
from dothi.ports.notices import Attempt, DeliveryRecord
from dothi.storage.relational.clock_marks import RelationalClockMarks, put_mark
from dothi.storage.relational.notice_tables import (
    delivery,
    delivery_reference,
    notice,
    notice_receipt,
)
from dothi.storage.relational.writing import writing

# Written out: SQLite takes a partial index only for a condition that it can read.
_WAITING = delivery.c.state == literal_column("'waiting'")
_RESERVE = delivery.c.state == literal_column("'reserve'")
_ON_ITS_WAY = delivery.c.state.in_((literal_column("'waiting'"), literal_column("'reserve'")))
_ADD = sqlite.insert(delivery).on_conflict_do_nothing(index_elements=[delivery.c.key])
_REPORTED = (
    update(delivery)
    .where(delivery.c.id == bindparam("b_id"))
    .values({name: bindparam(f"b_{name}") for name in ("state", "changed_us", "detail")})
)
_SETTLED = _REPORTED.values(
    {
        "attempts": delivery.c.attempts + 1,
        **{name: bindparam(f"b_{name}") for name in ("due_us", "title", "text")},
    }
)
_FOLLOWER = "notices"
"""Name of the mark of the clock."""
_ACCEPTED = frozenset({DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.CAPTURED})


def add_deliveries(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Known keys change nothing."""
    if deliveries:
        connection.execute(_ADD, [_values(one) for one in deliveries])


def spare(connection: Connection, which: ColumnElement[bool], at_us: int) -> None:
    """Deliveries that are not made yet and have become needless."""
    connection.execute(
        update(delivery)
        .where(which, _ON_ITS_WAY)
        .values(state=DeliveryState.SPARED, changed_us=at_us)
    )


class RelationalDeliveryQueue:
    """The port `DeliveryQueue` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def release(self, now: datetime) -> int:
        due = select(delivery.c.id).where(_RESERVE, delivery.c.due_us <= us_of(now))
        with self._engine.connect() as connection:
            numbers = connection.scalars(due).all()
        if numbers:
            with writing(self._engine) as connection:
                connection.execute(
                    update(delivery)
                    .where(delivery.c.id.in_(numbers), _RESERVE)
                    .values(state=DeliveryState.WAITING, changed_us=us_of(now))
                )
        return len(numbers)

    def lanes(self, now: datetime) -> list[str]:
        query = select(delivery.c.lane).where(_WAITING, delivery.c.due_us <= us_of(now)).distinct()
        with self._engine.connect() as connection:
            return [str(lane) for lane in connection.scalars(query)]

    def due(self, lane: str, now: datetime, limit: int) -> list[Delivery]:
        query = (
            select(delivery)
            .where(_WAITING, delivery.c.lane == lane, delivery.c.due_us <= us_of(now))
            .order_by(delivery.c.priority, delivery.c.id)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def settle(self, attempts: Sequence[Attempt]) -> None:
        with writing(self._engine) as connection:
            _settle(connection, attempts)

    def report(
        self, channel: str, reference: str, state: DeliveryState, detail: str, now: datetime
    ) -> bool:
        part = delivery_reference
        with writing(self._engine) as connection:
            number = connection.scalar(
                select(part.c.delivery_id).where(
                    part.c.channel == channel, part.c.reference == reference
                )
            )
            if number is None:
                return False
            connection.execute(
                update(part)
                .where(part.c.channel == channel, part.c.reference == reference)
                .values(state=str(state))
            )
            states = connection.scalars(
                select(part.c.state).where(part.c.delivery_id == number)
            ).all()
            if state is DeliveryState.FAILED:
                _take_back(connection, int(number), us_of(now))
            if state is DeliveryState.FAILED or set(states) == {str(state)}:
                _settle(connection, [Attempt(int(number), state, now, detail)], is_report=True)
        return True

    def waiting(self) -> dict[str, tuple[int, datetime]]:
        query = (
            select(delivery.c.lane, func.count(), func.min(delivery.c.created_us))
            .where(_WAITING)
            .group_by(delivery.c.lane)
        )
        with self._engine.connect() as connection:
            return {
                str(lane): (int(count), at_of(oldest))
                for lane, count, oldest in connection.execute(query)
            }

    def next_at(self) -> datetime | None:
        queries = (
            select(func.min(notice.c.next_us)).where(notice.c.next_us.is_not(None)),
            select(func.min(delivery.c.due_us)).where(_WAITING),
            select(func.min(delivery.c.due_us)).where(_RESERVE),
        )
        with self._engine.connect() as connection:
            found = [connection.scalar(query) for query in queries]
        times = [int(us) for us in found if us is not None]
        return at_of(min(times)) if times else None

    def mark(self) -> ClockMark | None:
        return RelationalClockMarks(self._engine).get(_FOLLOWER)

    def keep(self, mark: ClockMark, by: timedelta = timedelta()) -> None:
        us = round(by / timedelta(microseconds=1))
        with writing(self._engine) as connection:
            put_mark(connection, _FOLLOWER, mark)
            if not us:
                return
            connection.execute(
                update(notice)
                .where(notice.c.next_us.is_not(None), notice.c.next_us > 0)
                .values(next_us=notice.c.next_us + us)
            )
            connection.execute(
                update(delivery).where(_ON_ITS_WAY).values(due_us=delivery.c.due_us + us)
            )

    def drop_before(self, created_at: datetime) -> int:
        old = select(notice.c.id).where(
            notice.c.created_us < us_of(created_at), notice.c.next_us.is_(None)
        )
        with writing(self._engine) as connection:
            numbers = connection.scalars(old.limit(1000)).all()
            if not numbers:
                return 0
            theirs = select(delivery.c.id).where(delivery.c.notice_id.in_(numbers))
            for statement in (
                delete(delivery_reference).where(delivery_reference.c.delivery_id.in_(theirs)),
                delete(notice_receipt).where(notice_receipt.c.notice_id.in_(numbers)),
                delete(delivery).where(delivery.c.notice_id.in_(numbers)),
                delete(notice).where(notice.c.id.in_(numbers)),
            ):
                connection.execute(statement)
        return len(numbers)


def _settle(
    connection: Connection, attempts: Sequence[Attempt], *, is_report: bool = False
) -> None:
    """All of them at once: in a storm there are thousands."""
    numbers = [one.delivery for one in attempts]
    query = select(delivery).where(delivery.c.id.in_(numbers))
    rows = {row.id: row for row in connection.execute(query)}
    found = [(one, rows[one.delivery]) for one in attempts if one.delivery in rows]
    if not found:
        return
    statement = _REPORTED if is_report else _SETTLED
    connection.execute(statement, [_outcome(one, row, is_report) for one, row in found])
    connection.execute(
        insert(notice_receipt),
        [
            {
                "notice_id": row.notice_id,
                "delivery_id": row.id,
                "at_us": us_of(one.at),
                "state": str(one.state),
                "detail": one.detail,
            }
            for one, row in found
        ],
    )
    references = [
        {
            "channel": row.channel,
            "reference": reference,
            "delivery_id": row.id,
            "state": str(one.state),
        }
        for one, row in found
        for reference in one.references
    ]
    if references:
        connection.execute(sqlite.insert(delivery_reference).on_conflict_do_nothing(), references)
    _settle_others(connection, found)


def _outcome(one: Attempt, row: Row[Any], is_report: bool) -> dict[str, Any]:
    # Somebody answered while it was on its way: no further attempt.
    is_last = row.state == DeliveryState.SPARED and one.state is DeliveryState.WAITING
    values = {
        "b_id": row.id,
        "b_state": str(row.state if is_last else one.state),
        "b_changed_us": us_of(one.at),
        "b_detail": one.detail,
    }
    if not is_report:
        due_us = row.due_us if one.due_at is None else us_of(one.due_at)
        values |= {"b_due_us": due_us, "b_title": one.title, "b_text": one.text}
    return values


def _settle_others(connection: Connection, found: Sequence[tuple[Attempt, Row[Any]]]) -> None:
    """What an outcome means for the other channels of the same person, where there are any."""
    numbers = {row.notice_id for one, row in found if one.state is not DeliveryState.WAITING}
    query = select(delivery.c.notice_id, delivery.c.person).where(
        delivery.c.notice_id.in_(numbers), _ON_ITS_WAY
    )
    open_ones = {(row.notice_id, row.person) for row in connection.execute(query)}
    for one, row in found:
        if (row.notice_id, row.person) not in open_ones:
            continue
        same = (delivery.c.notice_id == row.notice_id) & (delivery.c.person == row.person)
        if one.state in _ACCEPTED:
            spare(connection, same & (delivery.c.rank != row.rank), us_of(one.at))
        elif one.state is DeliveryState.FAILED:
            _call_reserve(connection, same, us_of(one.at))


def _call_reserve(connection: Connection, same: ColumnElement[bool], at_us: int) -> None:
    """The next channel, unless an earlier one is still trying."""
    trying = select(delivery.c.id).where(same, _WAITING).limit(1)
    if connection.scalar(trying) is not None:
        return
    rank = select(func.min(delivery.c.rank)).where(same, _RESERVE).scalar_subquery()
    connection.execute(
        update(delivery)
        .where(same, _RESERVE, delivery.c.rank == rank)
        .values(state=DeliveryState.WAITING, due_us=at_us, changed_us=at_us)
    )


def _take_back(connection: Connection, number: int, at_us: int) -> None:
    """Reserves that were spared because this one had been accepted, if nobody has answered."""
    row = connection.execute(select(delivery).where(delivery.c.id == number)).one()
    is_answered = select(notice.c.id).where(
        notice.c.id == row.notice_id, notice.c.answered_us.is_not(None)
    )
    if row.state != DeliveryState.ACCEPTED or connection.scalar(is_answered) is not None:
        return
    connection.execute(
        update(delivery)
        .where(
            *(delivery.c.notice_id == row.notice_id, delivery.c.person == row.person),
            *(delivery.c.rank > row.rank, delivery.c.state == DeliveryState.SPARED),
        )
        .values(state=DeliveryState.RESERVE, changed_us=at_us)
    )


def _values(new: Delivery) -> dict[str, Any]:
    return {
        "key": new.key,
        "notice_id": new.notice,
        "person": new.person,
        "channel": new.channel,
        "address": new.address,
        "lane": new.lane,
        "rank": new.rank,
        "priority": int(new.priority),
        "language": new.language,
        "state": str(new.state),
        "attempts": new.attempts,
        "created_us": us_of(new.created_at),
        "due_us": us_of(new.due_at),
        "changed_us": us_of(new.created_at),
    }


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        row.key,
        row.notice_id,
        row.person,
        row.channel,
        row.address,
        row.lane,
        row.rank,
        Priority(row.priority),
        row.language,
        DeliveryState(row.state),
        at_of(row.created_us),
        at_of(row.due_us),
        row.attempts,
        row.id,
    )


def record_of(row: Row[Any]) -> DeliveryRecord:
    """A delivery with what became of it."""
    return DeliveryRecord(_delivery(row), at_of(row.changed_us), row.detail, row.title, row.text)

"""Table `notification`: between matching and delivery."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, delete, func, select, update
from sqlalchemy.dialects import sqlite

from dothi.model.moments import at_of, us_of
from dothi.ports.subscriptions import DeliveryState, Notification
from dothi.storage.relational.cursors import move
from dothi.storage.relational.subscription_tables import notification, subscription
from dothi.storage.relational.writing import writing

_PUT = sqlite.insert(notification)
_PUT_OR_REPLACE = _PUT.on_conflict_do_update(
    index_elements=[notification.c.uri], set_={"data": _PUT.excluded.data}
)
_FORGET = delete(notification).where(notification.c.uri == bindparam("b_uri"))
_POSTPONE = (
    update(notification)
    .where(notification.c.uri == bindparam("b_uri"))
    .values(due_us=bindparam("b_due_us"), attempts=bindparam("b_attempts"))
)
_NOTE = (
    update(subscription)
    .where(subscription.c.id == bindparam("b_id"))
    .values(
        {
            name: bindparam(f"b_{name}")
            for name in (
                *("times_sent", "times_failed", "last_notification_us"),
                *("last_success_us", "last_failure_us", "status", "last_error"),
            )
        }
    )
)


class RelationalOutbox:
    """The port `Outbox` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, notifications: Sequence[Notification], consumer: str, seq: int) -> None:
        with writing(self._engine) as connection:
            if notifications:
                connection.execute(_PUT_OR_REPLACE, [_values(n) for n in notifications])
            if seq:
                move(connection, consumer, seq)

    def waiting(self, subscription: int, after_id: str, limit: int) -> list[Notification]:
        after = select(notification.c.id).where(notification.c.uri == after_id).scalar_subquery()
        query = (
            select(notification)
            .where(
                notification.c.subscription_id == subscription,
                notification.c.id > func.coalesce(after, 0),
            )
            .order_by(notification.c.id)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [_notification(row) for row in connection.execute(query)]

    def counts(self) -> dict[int, int]:
        query = select(notification.c.subscription_id, func.count()).group_by(
            notification.c.subscription_id
        )
        with self._engine.connect() as connection:
            return {int(number): int(count) for number, count in connection.execute(query)}

    def settle(
        self,
        done: Sequence[str],
        postponed: Sequence[Notification],
        states: Mapping[int, DeliveryState],
    ) -> None:
        with writing(self._engine) as connection:
            _each(connection, _FORGET, [{"b_uri": uri} for uri in done])
            _each(
                connection,
                _POSTPONE,
                [
                    {"b_uri": n.id, "b_due_us": us_of(n.due_at), "b_attempts": n.attempts}
                    for n in postponed
                ],
            )
            _each(connection, _NOTE, [_state_values(n, state) for n, state in states.items()])

    def drop_before(self, created_at: datetime) -> dict[int, int]:
        old = notification.c.created_us < us_of(created_at)
        query = (
            select(notification.c.subscription_id, func.count())
            .where(old)
            .group_by(notification.c.subscription_id)
        )
        with writing(self._engine) as connection:
            found = {int(number): int(count) for number, count in connection.execute(query)}
            if found:
                connection.execute(delete(notification).where(old))
        return found


def _each(connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)


def _values(new: Notification) -> dict[str, Any]:
    return {
        "uri": new.id,
        "subscription_id": new.subscription,
        "data": new.data,
        "created_us": us_of(new.created_at),
        "due_us": us_of(new.due_at),
        "attempts": new.attempts,
    }


def _state_values(number: int, state: DeliveryState) -> dict[str, Any]:
    return {
        "b_id": number,
        "b_times_sent": state.times_sent,
        "b_times_failed": state.times_failed,
        "b_last_notification_us": us_of(state.last_notification_at),
        "b_last_success_us": us_of(state.last_success_at),
        "b_last_failure_us": us_of(state.last_failure_at),
        "b_status": state.status,
        "b_last_error": state.last_error,
    }


def _notification(row: Row[Any]) -> Notification:
    return Notification(
        row.uri,
        row.subscription_id,
        row.data,
        at_of(row.created_us),
        at_of(row.due_us),
        row.attempts,
    )

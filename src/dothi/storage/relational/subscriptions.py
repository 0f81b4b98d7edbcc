"""Tables `subscription` and `subscription_context`."""

import hashlib
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from dothi.model.moments import at_of, us_of
from dothi.ports.subscriptions import DeliveryState, SubscriptionRecord
from dothi.storage.relational.audit_chain import name_subject
from dothi.storage.relational.subscription_tables import (
    notification,
    subscription,
    subscription_context,
)
from dothi.storage.relational.writing import writing


class RelationalSubscriptions:
    """The port `Subscriptions` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, record: SubscriptionRecord) -> SubscriptionRecord | None:
        with writing(self._engine) as connection:
            taken = select(subscription.c.id).where(subscription.c.uri == record.id)
            if connection.execute(taken).first() is not None:
                return None
            connection.execute(
                insert(subscription).values(
                    uri=record.id,
                    created_us=us_of(record.created_at),
                    **_changeable(connection, record),
                )
            )
            number = connection.scalar(taken)
            name_subject(f"subscription:{record.id}")
        return _with_number(record, int(number or 0))

    def change(self, record: SubscriptionRecord) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                update(subscription)
                .where(subscription.c.id == record.number)
                .values(**_changeable(connection, record))
            )

    def remove(self, number: int) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(notification).where(notification.c.subscription_id == number))
            connection.execute(delete(subscription).where(subscription.c.id == number))

    def all(self) -> list[SubscriptionRecord]:
        query = (
            select(subscription, subscription_context.c.text.label("context"))
            .join(subscription_context)
            .order_by(subscription.c.id)
        )
        with self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(query)]


def _changeable(connection: Connection, record: SubscriptionRecord) -> dict[str, Any]:
    return {
        "document": record.document,
        "context_id": _context_id(connection, record.context),
        "after_seq": record.after_seq,
        "modified_us": us_of(record.modified_at),
    }


def _context_id(connection: Connection, text: str) -> int:
    """Most subscriptions share a few @contexts: each is stored once."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    known = select(subscription_context.c.id).where(subscription_context.c.digest == digest)
    found = connection.scalar(known)
    if found is None:
        connection.execute(insert(subscription_context).values(digest=digest, text=text))
        found = connection.scalar(known)
    return int(found or 0)


def _with_number(record: SubscriptionRecord, number: int) -> SubscriptionRecord:
    return SubscriptionRecord(
        number,
        record.id,
        record.document,
        record.context,
        record.after_seq,
        record.created_at,
        record.modified_at,
        record.delivery,
    )


def _record(row: Row[Any]) -> SubscriptionRecord:
    created_at, modified_at = at_of(row.created_us), at_of(row.modified_us)
    assert created_at is not None and modified_at is not None  # the columns are not null
    return SubscriptionRecord(
        row.id,
        row.uri,
        row.document,
        row.context,
        row.after_seq,
        created_at,
        modified_at,
        DeliveryState(
            row.times_sent,
            row.times_failed,
            at_of(row.last_notification_us),
            at_of(row.last_success_us),
            at_of(row.last_failure_us),
            row.status,
            row.last_error,
        ),
    )

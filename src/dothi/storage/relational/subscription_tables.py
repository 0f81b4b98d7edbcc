"""Tables of subscriptions and of the notifications that wait for delivery."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from dothi.storage.relational.schema import metadata

_Id = BigInteger().with_variant(Integer, "sqlite")

subscription_context = Table(
    "subscription_context",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("digest", String, nullable=False, unique=True, comment="SHA-256 of the text, hex"),
    Column("text", Text, nullable=False, comment="JSON: the @context and the documents it needs"),
)

subscription = Table(
    "subscription",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("uri", String, nullable=False, unique=True),
    Column("document", Text, nullable=False, comment="JSON with stored names"),
    Column("context_id", ForeignKey("subscription_context.id"), nullable=False),
    Column("after_seq", BigInteger, nullable=False, comment="earlier rows do not concern it"),
    Column("created_us", BigInteger, nullable=False),
    Column("modified_us", BigInteger, nullable=False),
    Column("times_sent", BigInteger, nullable=False, server_default="0"),
    Column("times_failed", BigInteger, nullable=False, server_default="0"),
    Column("last_notification_us", BigInteger),
    Column("last_success_us", BigInteger),
    Column("last_failure_us", BigInteger),
    Column("status", String, nullable=False, server_default="", comment="ok, failed or empty"),
    Column("last_error", Text, nullable=False, server_default=""),
)

notification = Table(
    "notification",
    metadata,
    Column("id", _Id, primary_key=True, comment="order of delivery within a subscription"),
    Column("uri", String, nullable=False, unique=True, comment="Notification.id"),
    Column("subscription_id", BigInteger, nullable=False),
    Column("data", Text, nullable=False, comment="JSON array"),
    Column("created_us", BigInteger, nullable=False, index=True),
    Column("due_us", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Index("ix_notification_order", "subscription_id", "id"),
)
"""The outbox: written in one transaction with the cursor of the consumer that makes them."""

TABLES = (subscription_context, subscription, notification)

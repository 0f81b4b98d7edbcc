"""Tables of notices: what is told, on which ways, and what became of it."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from dothi.storage.relational.schema import metadata

_Id = BigInteger().with_variant(Integer, "sqlite")

notice = Table(
    "notice",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("uri", String, nullable=False, unique=True, comment="Notice.id: idempotency key"),
    Column("kind", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("subject", String, nullable=False, index=True),
    Column("parameters", Text, nullable=False, comment="JSON object"),
    Column("positions", Text, nullable=False, comment="JSON array"),
    Column("people", Text, nullable=False, comment="JSON array"),
    Column("answer_within_s", Float),
    Column("state", String, nullable=False),
    Column("told", Text, nullable=False, comment="JSON array of positions"),
    Column("created_us", BigInteger, nullable=False, index=True),
    Column("next_us", BigInteger, comment="looked at again; 0: new; null: done"),
    Column("answered_us", BigInteger),
    Column("answered_by", String, nullable=False, server_default=""),
    Column("answer", Text, nullable=False, server_default=""),
)
Index(
    "ix_notice_next",
    notice.c.next_us,
    sqlite_where=notice.c.next_us.is_not(None),
    postgresql_where=notice.c.next_us.is_not(None),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("key", String, nullable=False, unique=True, comment="idempotency key, UUID"),
    Column("notice_id", ForeignKey("notice.id"), nullable=False, index=True),
    Column("person", String, nullable=False, index=True),
    Column("channel", String, nullable=False),
    Column("address", Text, nullable=False),
    Column("lane", String, nullable=False, comment="channel and endpoint"),
    Column("rank", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("language", String, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("created_us", BigInteger, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Column("title", Text, nullable=False, server_default=""),
    Column("text", Text, nullable=False, server_default="", comment="what the person reads"),
)
_waits = delivery.c.state.in_(("waiting", "reserve"))
Index(
    "ix_delivery_waiting",
    *(delivery.c.state, delivery.c.lane, delivery.c.priority, delivery.c.id),
    sqlite_where=_waits,
    postgresql_where=_waits,
)

notice_receipt = Table(
    "notice_receipt",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("notice_id", ForeignKey("notice.id"), nullable=False, index=True),
    Column("delivery_id", BigInteger),
    Column("at_us", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("detail", Text, nullable=False),
)

delivery_reference = Table(
    "delivery_reference",
    metadata,
    Column("channel", String, primary_key=True),
    Column("reference", String, primary_key=True, comment="the provider's id of a part"),
    Column("delivery_id", BigInteger, nullable=False, index=True),
    Column("state", String, nullable=False),
)

notice_preference = Table(
    "notice_preference",
    metadata,
    Column("person", String, primary_key=True),
    Column("body", Text, nullable=False, comment="JSON"),
    Column("modified_us", BigInteger, nullable=False),
)

push_subscription = Table(
    "push_subscription",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("person", String, nullable=False, index=True),
    Column("endpoint", Text, nullable=False, unique=True),
    Column("public_key", String, nullable=False, comment="p256dh, base64url"),
    Column("secret", String, nullable=False, comment="auth, base64url"),
    Column("name", String, nullable=False, server_default=""),
    Column("created_us", BigInteger, nullable=False),
)

TABLES = (
    *(notice, delivery, notice_receipt, delivery_reference),
    *(notice_preference, push_subscription),
)

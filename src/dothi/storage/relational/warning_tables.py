"""Tables of public warnings. What was released, and the record of what people did, never change:
triggers refuse it."""

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

from dothi.storage.relational.schema import metadata

_Id = BigInteger().with_variant(Integer, "sqlite")

public_warning = Table(
    "public_warning",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("subject", String, nullable=False, comment="alarm:12, incident:3, or empty"),
    Column("created_us", BigInteger, nullable=False),
)

warning_message = Table(
    "warning_message",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("warning_id", ForeignKey("public_warning.id"), nullable=False),
    Column("msg_type", String, nullable=False, comment="Alert, Update or Cancel"),
    Column("state", String, nullable=False, comment="draft, submitted, released, discarded"),
    Column("version", Integer, nullable=False),
    Column("content", Text, nullable=False, comment="JSON: what its authors wrote"),
    Column("reason", Text, nullable=False, server_default=""),
    Column("author", String, nullable=False),
    Column("editors", Text, nullable=False, comment="JSON: who changed the text"),
    Column("created_us", BigInteger, nullable=False),
    Column("submitted_by", String, nullable=False, server_default=""),
    Column("submitted_us", BigInteger),
    Column("released_by", String, nullable=False, server_default=""),
    Column("identifier", String, unique=True),
    Column("sender", String, nullable=False, server_default=""),
    Column("sent", String, comment="as in the message, with its offset"),
    Column("sent_us", BigInteger, index=True),
    Column("expires_us", BigInteger),
    Column("document", Text, nullable=False, server_default="", comment="CAP 1.2 XML"),
    Index("ix_warning_message_order", "warning_id", "id"),
)
Index(
    "ix_warning_message_open",
    warning_message.c.warning_id,
    unique=True,
    sqlite_where=text("state IN ('draft', 'submitted')"),
    postgresql_where=text("state IN ('draft', 'submitted')"),
)
"""At most one message of a warning is worked on."""

warning_record = Table(
    "warning_record",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("warning_id", ForeignKey("public_warning.id"), nullable=False, index=True),
    Column("message_id", ForeignKey("warning_message.id"), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("person", String, nullable=False),
    Column("step", String, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("content", Text, comment="JSON: the text after the step, where it changed"),
)

foreign_warning = Table(
    "foreign_warning",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("connector", String, nullable=False, index=True),
    Column("sender", String, nullable=False),
    Column("identifier", String, nullable=False),
    Column("sent_us", BigInteger, nullable=False, index=True),
    Column("status", String, nullable=False),
    Column("msg_type", String, nullable=False),
    Column("event", Text, nullable=False),
    Column("headline", Text, nullable=False),
    Column("severity", String, nullable=False),
    Column("area", Text, nullable=False),
    Column("entity", String, nullable=False, comment="URI of the entity of its chain"),
    Column("document", Text, nullable=False, comment="CAP 1.2 XML"),
    Column("received_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger),
    Column("url", Text, nullable=False),
    Column("url_updated", String, nullable=False),
    UniqueConstraint("sender", "identifier", "sent_us"),
)

foreign_reference = Table(
    "foreign_reference",
    metadata,
    Column("foreign_id", ForeignKey("foreign_warning.id"), primary_key=True),
    Column("sender", String, primary_key=True),
    Column("identifier", String, primary_key=True),
    Column("sent_us", BigInteger, primary_key=True),
    Column("msg_type", String, nullable=False, comment="of the message that refers"),
    Index("ix_foreign_reference_to", "sender", "identifier", "sent_us"),
)

TABLES = (public_warning, warning_message, warning_record, foreign_warning, foreign_reference)


def _refuse(table: Table, action: str, condition: str = "") -> None:
    name = f"keep_{table.name}_{action.lower()}"
    when = f"WHEN {condition} " if condition else ""
    statement = (
        f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {action} ON {table.name} {when}"
        f"BEGIN SELECT RAISE(ABORT, '{table.name} is only ever added to'); END"
    )
    event.listen(table, "after_create", DDL(statement).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]


_refuse(warning_record, "UPDATE")
_refuse(warning_record, "DELETE")
_refuse(warning_message, "UPDATE", "OLD.state = 'released'")
_refuse(warning_message, "DELETE")

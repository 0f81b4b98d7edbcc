"""Tables of people, roster, duties and handovers, and the audit record."""

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    event,
)

from dothi.storage.relational.schema import metadata

_Id = BigInteger().with_variant(Integer, "sqlite")

person = Table(
    "person",
    metadata,
    Column("id", String, primary_key=True, comment="Person.id, e.g. `lan.nguyen`"),
    Column("name", String, nullable=False),
    Column("language", String, nullable=False, server_default="vi"),
    Column("contacts", Text, nullable=False, server_default="{}", comment="JSON: channel, address"),
    Column("is_active", Boolean, nullable=False, server_default="1"),
    Column("created_us", BigInteger, nullable=False),
    Column("modified_us", BigInteger, nullable=False),
)

person_position = Table(
    "person_position",
    metadata,
    Column("person", ForeignKey("person.id"), primary_key=True),
    Column("position", String, primary_key=True),
    Column("rank", Integer, nullable=False, comment="order in which they are told"),
)

planned_shift = Table(
    "planned_shift",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False),
    Column("position", String, nullable=False),
    Column("starts_us", BigInteger, nullable=False),
    Column("ends_us", BigInteger, nullable=False),
    Column("pattern", String, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Index("ix_planned_shift_span", "ends_us", "starts_us"),
    sqlite_autoincrement=True,
)

absence = Table(
    "absence",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False),
    Column("starts_us", BigInteger, nullable=False),
    Column("ends_us", BigInteger, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Index("ix_absence_span", "ends_us", "starts_us"),
    sqlite_autoincrement=True,
)

duty = Table(
    "duty",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False),
    Column("position", String, nullable=False),
    Column("began_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Column("end_reason", Text, nullable=False, server_default=""),
    Index("ix_duty_span", "ended_us", "began_us"),
    sqlite_autoincrement=True,
)

handover = Table(
    "handover",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("position", String, nullable=False),
    Column("duty", ForeignKey("duty.id"), nullable=False, index=True),
    Column("outgoing", ForeignKey("person.id"), nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("notes", Text, nullable=False, server_default=""),
    Column("sheet", Text, nullable=False, server_default="", comment="JSON, fixed by a signature"),
    Column("digest", String, nullable=False, server_default="", comment="SHA-256 of sheet, hex"),
    Column("outgoing_signed_us", BigInteger),
    Column("incoming", ForeignKey("person.id")),
    Column("incoming_signed_us", BigInteger),
    Column("missing_reason", Text, nullable=False, server_default=""),
    Column("closed_us", BigInteger),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    Column("seq", _Id, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("who", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("detail", Text, nullable=False, comment="JSON: text by text"),
    Column("previous", String, nullable=False, comment="digest of the entry before"),
    Column("digest", String, nullable=False, comment="SHA-256, hex"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="1: there is one row"),
    Column("seq", BigInteger, nullable=False),
    Column("digest", String, nullable=False),
)
"""The end of the chain: whoever appends takes it first, so entries are made one after the other."""

stored_answer = Table(
    "stored_answer",
    metadata,
    Column("who", String, primary_key=True),
    Column("key", String, primary_key=True, comment="Idempotency-Key"),
    Column("request", String, nullable=False, comment="SHA-256 of method, path and body, hex"),
    Column("status", Integer, nullable=False),
    Column("media_type", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("answered_us", BigInteger, nullable=False, index=True),
)

TABLES = (
    person,
    person_position,
    planned_shift,
    absence,
    duty,
    handover,
    audit,
    audit_head,
    stored_answer,
)


def _refuse(table: Table, change: str, condition: str, text: str) -> None:
    statement = (
        f"CREATE TRIGGER {table.name}_no_{change.lower()} BEFORE {change} ON {table.name} "
        f"{condition} BEGIN SELECT RAISE(ABORT, '{text}'); END"
    )
    trigger = DDL(statement)  # type: ignore[no-untyped-call]
    event.listen(table, "after_create", trigger.execute_if(dialect="sqlite"))


for _change in ("UPDATE", "DELETE"):
    _refuse(audit, _change, "", "the audit record is append-only")
    _refuse(
        handover, _change, "WHEN OLD.closed_us IS NOT NULL", "a sheet signed by both is immutable"
    )

"""Tables of incidents, their timeline, tasks, links, files, and of procedures and their runs."""

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    event,
)

from dothi.storage.relational.schema import metadata

_Id = BigInteger().with_variant(Integer, "sqlite")

incident = Table(
    "incident",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("title", String, nullable=False),
    Column("severity", Integer, nullable=False, comment="1 critical ... 4 minor"),
    Column("state", String, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("opened_by", String, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
    Column("closed_us", BigInteger),
    Column("commander", String, nullable=False, server_default=""),
    Column("description", Text, nullable=False, server_default=""),
    Column("units", Text, nullable=False, server_default="[]", comment="JSON: name, at, how"),
    Column("points", Text, nullable=False, server_default="[]", comment="JSON: lon, lat, label"),
    Column("origin", String, nullable=False, server_default="", comment="says what is synthetic"),
    Column("title_en", String, nullable=False, server_default=""),
    Index("ix_incident_state", "state", "id"),
)

incident_entry = Table(
    "incident_entry",
    metadata,
    Column("incident_id", ForeignKey("incident.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("by", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("happened_us", BigInteger, nullable=False),
    Column("details", Text, nullable=False, server_default="{}", comment="JSON"),
    Column("refers_to", Integer),
)
"""Append-only: triggers refuse to change or delete a row."""

incident_link = Table(
    "incident_link",
    metadata,
    Column("incident_id", ForeignKey("incident.id"), primary_key=True),
    Column("subject", String, primary_key=True, comment="alarm:12, camera:..., ..."),
    Column("title", String, nullable=False, server_default=""),
    Column("by", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("title_en", String, nullable=False, server_default=""),
    Index("ix_incident_link_subject", "subject"),
)

incident_task = Table(
    "incident_task",
    metadata,
    Column("incident_id", ForeignKey("incident.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("owner", String, nullable=False, server_default=""),
    Column("state", String, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", String, nullable=False),
    Column("due_us", BigInteger),
    Column("ended_us", BigInteger),
    Column("note", Text, nullable=False, server_default=""),
    Index("ix_incident_task_owner", "owner", "state"),
)

incident_file = Table(
    "incident_file",
    metadata,
    Column("incident_id", ForeignKey("incident.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", String, nullable=False),
    Column("media_type", String, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String, nullable=False, comment="name of the file in evidence/"),
    Column("by", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("run", Integer),
    Column("step", String, nullable=False, server_default=""),
)

procedure = Table(
    "procedure",
    metadata,
    Column("id", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False, comment="TOML"),
    Column("stored_us", BigInteger, nullable=False),
    Column("stored_by", String, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default="1"),
    Column("approved_by", String, nullable=False, server_default=""),
    Column("approved_us", BigInteger, comment="null: a draft"),
)

procedure_run = Table(
    "procedure_run",
    metadata,
    Column("incident_id", ForeignKey("incident.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("procedure", String, nullable=False),
    Column("procedure_version", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("started_by", String, nullable=False),
    Column("cause", String, nullable=False, server_default=""),
    Column("ended_us", BigInteger),
    Column("reason", Text, nullable=False, server_default=""),
)

procedure_step = Table(
    "procedure_step",
    metadata,
    Column("incident_id", BigInteger, primary_key=True, autoincrement=False),
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="order of opening"),
    Column("step", String, nullable=False),
    Column("state", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("opened_us", BigInteger),
    Column("due_us", BigInteger),
    Column("ended_us", BigInteger),
    Column("by", String, nullable=False, server_default=""),
    Column("answers", Text, nullable=False, server_default="{}", comment="JSON"),
    Column("note", Text, nullable=False, server_default=""),
    Column("pauses", Text, nullable=False, server_default="[]", comment="JSON"),
    Column("escalated", Integer, nullable=False, server_default="0"),
    Column(
        "escalate_us", BigInteger, comment="when the next level is told; null: none", index=True
    ),
)

TABLES = (
    incident,
    incident_entry,
    incident_link,
    incident_task,
    incident_file,
    procedure,
    procedure_run,
    procedure_step,
)

for _what in ("UPDATE", "DELETE"):
    event.listen(
        incident_entry,
        "after_create",
        DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER IF NOT EXISTS incident_entry_no_{_what.lower()} "
            f"BEFORE {_what} ON incident_entry BEGIN "
            "SELECT RAISE(ABORT, 'the timeline is append-only'); END"
        ).execute_if(dialect="sqlite"),
    )

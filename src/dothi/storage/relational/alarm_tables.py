"""Tables of alarms, of their record and of what suppresses them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    literal_column,
    text,
)

from dothi.storage.relational.schema import metadata

_Id = BigInteger().with_variant(Integer, "sqlite")

_ORDER = ("priority", text("(acknowledged_us IS NOT NULL)"), text("raised_us DESC, id DESC"))
"""Of a list: within a priority what nobody has acknowledged, then what was raised last."""

alarm = Table(
    "alarm",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("condition", String, nullable=False, comment="rule@entity"),
    Column("rule", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("entity", String, nullable=False),
    Column("entity_type", String, nullable=False),
    Column("entity_name", String, nullable=False),
    Column("lon", Float),
    Column("lat", Float),
    Column("areas", Text, nullable=False, comment="|id|id|, smallest first"),
    Column("state", String, nullable=False),
    Column("is_open", SmallInteger, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("title", String, nullable=False),
    Column("title_en", String, nullable=False),
    Column("text", Text, nullable=False, comment="value against limit"),
    Column("text_en", Text, nullable=False, server_default=""),
    Column("search", Text, nullable=False, comment="folded title, text, name and id of the entity"),
    Column("raised_us", BigInteger, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("active_us", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("domain", String, nullable=False),
    Column("position", String, nullable=False),
    Column("returned_us", BigInteger),
    Column("acknowledged_us", BigInteger),
    Column("acknowledged_by", String, nullable=False),
    Column("closed_us", BigInteger),
    Column("activations", Integer, nullable=False),
    Column("is_latching", Boolean, nullable=False),
    Column("suppressed", SmallInteger, nullable=False, comment="1 shelved 2 by design 4 out"),
    Column("owner", String, nullable=False),
    Column("escalate_us", BigInteger),
    Column("escalations", Integer, nullable=False),
    Column("recent", Text, nullable=False, comment="us,us,us: latest transitions"),
    Column("is_chattering", Boolean, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Index("ix_alarm_condition", "condition", "id"),
    Index("ix_alarm_entity", "entity", "id"),
    Index("ix_alarm_owner", "owner", "id"),
    # Holds all that a search for words or an area looks at: rows are four times as wide.
    Index("ix_alarm_search", "search", "areas", "priority", "entity_name"),
    Index("ix_alarm_raised", "raised_us", "id"),
    Index("ix_alarm_revision", "revision"),
    # SQLite takes the one made last where both would do.
    Index("ix_alarm_order", *_ORDER),
    Index("ix_alarm_open", *_ORDER, sqlite_where=text("is_open = 1")),
    Index("ix_alarm_escalate", "escalate_us", sqlite_where=text("escalate_us IS NOT NULL")),
)

IS_OPEN = alarm.c.is_open == literal_column("1")
"""Spelled out, and not as a parameter: only so is the index of open alarms used."""

alarm_entry = Table(
    "alarm_entry",
    metadata,
    Column("id", _Id, primary_key=True, comment="order; `alarm.revision` of the newest one"),
    Column("alarm_id", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("stored_us", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("person", String, nullable=False, comment="empty: dothi itself"),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("detail_en", Text, nullable=False, server_default=""),
    Column("explanation", Text, nullable=False, comment="JSON of the rules"),
    Column("is_announced", SmallInteger, nullable=False),
    Index("ix_alarm_entry_alarm", "alarm_id", "id"),
    Index("ix_alarm_entry_announced", "stored_us", sqlite_where=text("is_announced = 1")),
    Index("ix_alarm_entry_stored", "stored_us"),
)
"""Append-only."""

suppression = Table(
    "alarm_suppression",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("cause", String, nullable=False),
    Column("person", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("from_us", BigInteger, nullable=False),
    Column("until_us", BigInteger),
    Column("rule", String, nullable=False),
    Column("entity", String, nullable=False),
    Column("area", String, nullable=False),
    Column("parent", String, nullable=False),
    Column("least_urgent", SmallInteger),
    Column("permit", String, nullable=False),
    Column("has_begun", Boolean, nullable=False),
    Column("ended_us", BigInteger),
    Column("ended_by", String, nullable=False),
    Index("ix_alarm_suppression_standing", "until_us", sqlite_where=text("ended_us IS NULL")),
)

TABLES = (alarm, alarm_entry, suppression)

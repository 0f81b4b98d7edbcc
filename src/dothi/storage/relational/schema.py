"""Every table of the operational database, once, for SQLite and PostgreSQL.

Times on the hot path are integers: microseconds since the UNIX epoch, UTC (`*_us`).
The hot tables (`log`, `attribute`, `receipt`) are written through ADBC, the others through
SQLAlchemy Core.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives an integer primary key its own row id only when it is spelled INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")

source = Table(
    "source",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name_id", String, nullable=False, unique=True, comment="Source.id, e.g. `wl-phu-an`"),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("owner", String, nullable=False, server_default=""),
    Column("origin", String, nullable=False, server_default="measured"),
    Column("origin_note", String, nullable=False, server_default=""),
    Column("origin_note_vi", String, nullable=False, server_default=""),
    Column("cadence_s", Float),
    Column("licence", String, nullable=False, server_default=""),
    Column("created_us", BigInteger, nullable=False),
    Column("is_enabled", Boolean, nullable=False, server_default="1"),
    Column(
        "may_write_others",
        Boolean,
        nullable=False,
        server_default="0",
        comment="a gateway: it may write series of other sources",
    ),
)

source_token = Table(
    "source_token",
    metadata,
    Column("hash", String, primary_key=True, comment="SHA-256 of the token, hex"),
    Column("source_id", ForeignKey("source.id"), nullable=False, index=True),
    Column("created_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
)

entity = Table(
    "entity",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("uri", String, nullable=False, unique=True),
    Column("types", Text, nullable=False, comment="JSON array"),
    Column("scope", Text, nullable=False, server_default="[]", comment="JSON array"),
    Column("name", String, nullable=False, server_default="", comment="text of attribute `name`"),
    Column("search", String, nullable=False, server_default="", comment="folded uri and name"),
    Column("min_lon", Float),
    Column("min_lat", Float),
    Column("max_lon", Float),
    Column("max_lat", Float),
    Column("created_us", BigInteger, nullable=False),
    Column("modified_us", BigInteger, nullable=False),
    Column("deleted_us", BigInteger),
    Column("expires_us", BigInteger),
    Index(
        "ix_entity_box",
        "min_lon",
        "max_lon",
        "min_lat",
        "max_lat",
        sqlite_where=text("min_lon IS NOT NULL"),
    ),
    Index("ix_entity_scope", "scope", sqlite_where=text("scope <> '[]'")),
    Index("ix_entity_expiring", "expires_us", sqlite_where=text("expires_us IS NOT NULL")),
)

entity_type = Table(
    "entity_type",
    metadata,
    Column("type", String, primary_key=True),
    Column("entity_id", ForeignKey("entity.id", ondelete="CASCADE"), primary_key=True),
)

INDEXED_CHARS = 128  # of a text; whole ones took more room in the index than in the table
attribute = Table(
    "attribute",
    metadata,
    Column("id", _Id, primary_key=True, comment="the series; `log.attribute_id`"),
    Column("entity_id", BigInteger, nullable=False),
    Column("name", String, nullable=False, comment="short under the default @context, else IRI"),
    Column("dataset", String, nullable=False, server_default=""),
    Column("kind", SmallInteger, nullable=False),
    Column("number", Float),
    Column("text", Text),
    Column("body", Text, comment="JSON"),
    Column("unit", String),
    Column("observed_us", BigInteger),
    Column("newest_us", BigInteger, comment="highest observed_us ever stored"),
    Column("newest_revision", SmallInteger, comment="of the value of that time; null: not known"),
    Column("quality", SmallInteger),
    Column("source_id", BigInteger, comment="of the current value"),
    Column("created_us", BigInteger, nullable=False),
    Column("modified_us", BigInteger, nullable=False),
    Column("deleted_us", BigInteger),
    Column("owner_id", BigInteger, comment="source that the series belongs to; null: nobody yet"),
    UniqueConstraint("entity_id", "name", "dataset"),
    Index("ix_attribute_name_number", "name", "number", sqlite_where=text("number IS NOT NULL")),
    Index(
        "ix_attribute_name_text",
        "name",
        text(f"substr(text, 1, {INDEXED_CHARS})"),
        sqlite_where=text("text IS NOT NULL"),
    ),
    Index("ix_attribute_name_body", "name", sqlite_where=text("body IS NOT NULL")),
    Index("ix_attribute_name_further", "name", sqlite_where=text("dataset <> ''")),
    Index(
        "ix_attribute_name_structured",
        "name",
        sqlite_where=text("body IS NOT NULL AND number IS NULL AND text IS NULL"),
    ),
)

EXPIRES_AT = "CASE WHEN json_valid(body) THEN json_extract(body, '$.expiresAt') END"
"""Time at which an attribute ends, as text (SQLite)."""
HAS_EXPIRY = "instr(body, '\"expiresAt\"') > 0 AND deleted_us IS NULL"
"""Attributes that may have one; few, so an index of theirs costs the others nothing (SQLite)."""

Index(
    "ix_attribute_expires_at", text(EXPIRES_AT), _table=attribute, sqlite_where=text(HAS_EXPIRY)
).ddl_if(dialect="sqlite")

evolution_type = Table(
    "evolution_type",
    metadata,
    Column("type", String, primary_key=True),
    Column("entity_id", BigInteger, primary_key=True, index=True),
)
"""Types that entities have in the past: of those that are not current, and further ones."""

forgotten = Table(
    "forgotten",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("entity_id", BigInteger, nullable=False, index=True),
    Column("attribute_id", BigInteger, nullable=False, index=True, comment="0: whole entity"),
    Column("from_seq", BigInteger, nullable=False),
    Column("up_to_seq", BigInteger, nullable=False),
    Column("observed_us", BigInteger, comment="null: of any time"),
    Column("stood_us", BigInteger, comment="time under which one instance stood"),
    Column("moved_us", BigInteger, comment="time under which it stands now; null: gone"),
    Column("forgotten_us", BigInteger, nullable=False),
)
"""Rows of log and lake that are no longer told (see ports/history.py, FORGOTTEN)."""

log = Table(
    "log",
    metadata,
    Column("seq", _Id, primary_key=True),
    Column("attribute_id", BigInteger, nullable=False, comment="0: a change of a whole entity"),
    Column("entity_id", BigInteger, nullable=False),
    Column("observed_us", BigInteger),
    Column("number", Float),
    Column("text", Text),
    Column("body", Text),
    Column("unit_id", Integer, nullable=False),
    Column("quality", SmallInteger, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    Column("committed_us", BigInteger, nullable=False),
    Column("change", SmallInteger, nullable=False),
    Column("revision", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False, server_default="1"),
)
"""Lane 0. No secondary index: see docs/adr/0001."""

unit = Table(
    "unit",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("code", String, nullable=False, unique=True),
)

batch = Table(
    "batch",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name_id", String, nullable=False, unique=True, comment="Batch.id"),
    Column("committed_us", BigInteger, nullable=False, index=True),
    Column("received", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("duplicates", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
)

receipt = Table(
    "receipt",
    metadata,
    Column("source_id", BigInteger, primary_key=True),
    Column("minute_us", BigInteger, primary_key=True),
    Column("received", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("delay_ms_sum", BigInteger, nullable=False),
)

source_total = Table(
    "source_total",
    metadata,
    Column("source_id", _Id, primary_key=True),
    Column("received", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("last_received_us", BigInteger),
    Column("last_observed_us", BigInteger),
)

reject_count = Table(
    "reject_count",
    metadata,
    Column("source_id", BigInteger, primary_key=True),
    Column("hour_us", BigInteger, primary_key=True),
    Column("reason", String, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

reject = Table(
    "reject",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("source_id", BigInteger, nullable=False, index=True),
    Column("received_us", BigInteger, nullable=False),
    Column("reason", String, nullable=False),
    Column("detail", Text, nullable=False),
    Column("sample", Text, nullable=False),
    Column("count", Integer, nullable=False),
)

cursor = Table(
    "cursor",
    metadata,
    Column("consumer", String, primary_key=True),
    Column("lane", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("moved_us", BigInteger, nullable=False),
)

watermark = Table(
    "watermark",
    metadata,
    Column(
        "name", String, primary_key=True, comment="sealed: seq up to which rows are in the lake"
    ),
    Column("value", BigInteger, nullable=False),
)

area = Table(
    "area",
    metadata,
    Column("id", String, primary_key=True),
    Column("level", String, nullable=False),
    Column("code", String, nullable=False),
    Column("name", String, nullable=False),
    Column("name_en", String, nullable=False, server_default=""),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("parent", String),
    Column("geometry", LargeBinary, nullable=False, comment="WKB, WGS 84"),
    Column("population", Integer),
    Column("area_km2", Float),
    Column("source", String, nullable=False, server_default=""),
    Column("note", String, nullable=False, server_default=""),
    Index("ix_area_level_dates", "level", "valid_from", "valid_to"),
)

area_share = Table(
    "area_share",
    metadata,
    Column("area", ForeignKey("area.id", ondelete="CASCADE"), primary_key=True),
    Column("in_area", ForeignKey("area.id", ondelete="CASCADE"), primary_key=True),
    Column("share", Float, nullable=False),
    Column("basis", String, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("hash", String, primary_key=True, comment="SHA-256 of the cookie value, hex"),
    Column("principal", String, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
)

login_link = Table(
    "login_link",
    metadata,
    Column("hash", String, primary_key=True, comment="SHA-256 of the one-time token, hex"),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("used_us", BigInteger),
    Column("principal", String, nullable=False, server_default="administrator"),
)

pull_run = Table(
    "pull_run",
    metadata,
    Column("connector", String, primary_key=True),
    Column("last_run_us", BigInteger),
    Column("next_run_us", BigInteger, nullable=False),
    Column("last_error", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False, server_default="{}", comment="JSON, the connector's own"),
)

file_seen = Table(
    "file_seen",
    metadata,
    Column("path", String, primary_key=True, comment="below the watched folder, with /"),
    Column("digest", String, nullable=False, comment="SHA-256 of the content, hex"),
    Column("size", BigInteger, nullable=False),
    Column("modified_ns", BigInteger, nullable=False, comment="as the file system says"),
    Column("imported_us", BigInteger, nullable=False),
    Column("lines", Integer, nullable=False, comment="handed in"),
    Column("rejected", Integer, nullable=False),
)

entity_map = Table(
    "entity_map",
    metadata,
    Column("id", String, primary_key=True, comment="URI"),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False, index=True),
    Column("entities", Text, nullable=False, comment="JSON: entity -> registrations"),
    Column("linked", Text, nullable=False, comment="JSON: registration -> its own map"),
)

ld_context = Table(
    "ld_context",
    metadata,
    Column("id", String, primary_key=True, comment="local id, the last part of its URL here"),
    Column("kind", String, nullable=False, comment="Cached, Hosted, ImplicitlyCreated"),
    Column("url", String, nullable=False, server_default="", comment="origin of a cached one"),
    Column("tenant", String, nullable=False, server_default=""),
    Column("document", Text, nullable=False),
    Column("digest", String, nullable=False, index=True, comment="SHA-256 of the document, hex"),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger),
    Column("used_us", BigInteger),
    Column("hits", BigInteger, nullable=False, server_default="0"),
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("id", String, primary_key=True, comment="URI"),
    Column("key", String, nullable=False, unique=True, comment="its folder below snapshots/"),
    Column("document", Text, nullable=False, comment="JSON: what its creator gave, and details"),
    Column("status", String, nullable=False),
    *(Column(f"{at}_us", BigInteger, nullable=False) for at in ("created", "modified")),
    *(Column(f"{at}_us", BigInteger, nullable=False) for at in ("expires", "used")),
)

context_source_record = Table(
    "context_source_record",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("kind", String, nullable=False, comment="registration, subscription, leg, identity"),
    Column("uri", String, nullable=False),
    Column("document", Text, nullable=False, comment="JSON with stored names"),
    Column("state", Text, nullable=False, server_default="{}", comment="JSON, counters and times"),
    Column("created_us", BigInteger, nullable=False),
    Column("modified_us", BigInteger, nullable=False),
    UniqueConstraint("kind", "uri"),
)

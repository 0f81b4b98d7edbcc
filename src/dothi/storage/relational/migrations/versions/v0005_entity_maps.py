"""Entity maps; indexes for bounds, scopes, further instances and structured values."""

from alembic import op
from sqlalchemy import BigInteger, Column, String, Text, inspect

revision = "0005"
down_revision = "0004"

_INDEXES = (
    "CREATE INDEX IF NOT EXISTS ix_entity_box ON entity (min_lon, max_lon, min_lat, max_lat) "
    "WHERE min_lon IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS ix_attribute_name_further ON attribute (name) WHERE dataset <> ''",
    "CREATE INDEX IF NOT EXISTS ix_entity_scope ON entity (scope) WHERE scope <> '[]'",
    "CREATE INDEX IF NOT EXISTS ix_attribute_name_structured ON attribute (name) "
    "WHERE body IS NOT NULL AND number IS NULL AND text IS NULL",
)


def upgrade() -> None:
    """Add what a database of an earlier version lacks."""
    for index in _INDEXES:
        op.execute(index)
    if inspect(op.get_bind()).has_table("entity_map"):
        return  # 0001 makes the tables of today, so a new database has it already
    op.create_table(
        "entity_map",
        Column("id", String, primary_key=True),
        Column("created_us", BigInteger, nullable=False),
        Column("expires_us", BigInteger, nullable=False, index=True),
        Column("entities", Text, nullable=False),
        Column("linked", Text, nullable=False),
    )

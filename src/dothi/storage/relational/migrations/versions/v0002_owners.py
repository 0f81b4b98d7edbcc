"""Series belong to the source whose value came first; gateways may write for others."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, inspect

revision = "0002"
down_revision = "0001"

_OWNERS = """
UPDATE attribute SET owner_id = source_id
WHERE deleted_us IS NULL AND source_id IN (SELECT id FROM source WHERE kind <> 'import')
"""


def upgrade() -> None:
    """Add the columns; a series that is there belongs to the source of its current value."""
    columns = inspect(op.get_bind()).get_columns("attribute")
    if "owner_id" in {column["name"] for column in columns}:
        return  # 0001 makes the tables of today, so a new database has them already
    op.add_column("source", Column("may_write_others", Boolean, nullable=False, server_default="0"))
    op.add_column("attribute", Column("owner_id", BigInteger))
    op.execute(_OWNERS)

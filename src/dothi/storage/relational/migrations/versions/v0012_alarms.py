"""Alarms and what was done about them."""

from alembic import op

from dothi.storage.relational.alarm_tables import TABLES

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Databases made by v0001 of this program may have the tables already."""
    for table in TABLES:
        table.create(op.get_bind(), checkfirst=True)

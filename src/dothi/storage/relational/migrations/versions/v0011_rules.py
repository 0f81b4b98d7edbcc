"""Rules, their versions and states."""

from alembic import op

from dothi.storage.relational.rule_tables import TABLES

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Databases made by v0001 of this program have the tables already."""
    for table in TABLES:
        table.create(op.get_bind(), checkfirst=True)

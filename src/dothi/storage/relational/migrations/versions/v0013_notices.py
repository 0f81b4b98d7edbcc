"""Messages to people."""

from alembic import op

from dothi.storage.relational.notice_tables import TABLES

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Databases made by v0001 of this program have the tables already."""
    for table in TABLES:
        table.create(op.get_bind(), checkfirst=True)

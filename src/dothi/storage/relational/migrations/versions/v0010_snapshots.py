"""Snapshots of NGSI-LD."""

from alembic import op

from dothi.storage.relational.schema import snapshot

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Databases made by v0001 of this program have the table already."""
    snapshot.create(op.get_bind(), checkfirst=True)

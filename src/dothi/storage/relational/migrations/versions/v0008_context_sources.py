"""Registrations of other NGSI-LD brokers, and subscriptions to them."""

from alembic import op

from dothi.storage.relational.schema import context_source_record

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table, unless 0001 made it in a new database."""
    context_source_record.create(op.get_bind(), checkfirst=True)

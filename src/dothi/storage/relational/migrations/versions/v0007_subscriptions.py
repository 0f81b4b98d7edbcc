"""Subscriptions and the outbox of their notifications."""

from alembic import op

from dothi.storage.relational.schema import metadata
from dothi.storage.relational.subscription_tables import TABLES

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables; a new database has them already when 0001 knew of them."""
    metadata.create_all(op.get_bind(), tables=list(TABLES))

"""The first schema."""

from alembic import op

from dothi.storage.relational.schema import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table; until the first release there is one schema version."""
    metadata.create_all(op.get_bind())

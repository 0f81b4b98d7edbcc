"""The first schema."""

from alembic import op

from dothi.storage.relational.schema import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table as the program knows it today; later migrations find their work done."""
    metadata.create_all(op.get_bind())

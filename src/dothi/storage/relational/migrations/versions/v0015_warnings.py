"""Public warnings."""

from alembic import op

from dothi.storage.relational.schema import metadata
from dothi.storage.relational.warning_tables import TABLES

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the tables; a new database has them already when 0001 knew of them."""
    metadata.create_all(op.get_bind(), tables=list(TABLES))

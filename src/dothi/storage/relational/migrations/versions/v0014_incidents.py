"""Incidents and procedures."""

from alembic import op

from dothi.storage.relational.incident_tables import TABLES
from dothi.storage.relational.schema import metadata

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables; a new database has them already when 0001 knew of them."""
    metadata.create_all(op.get_bind(), tables=list(TABLES))

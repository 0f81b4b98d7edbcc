"""People, roster, duties, handovers, and the audit record; login links belong to somebody."""

from alembic import op
from sqlalchemy import Column, String, inspect

from dothi.storage.relational.people_tables import TABLES
from dothi.storage.relational.schema import metadata

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make what is missing; a new database has it already when 0001 knew of it."""
    metadata.create_all(op.get_bind(), tables=list(TABLES))
    columns = inspect(op.get_bind()).get_columns("login_link")
    if "principal" not in {column["name"] for column in columns}:
        op.add_column(
            "login_link",
            Column("principal", String, nullable=False, server_default="administrator"),
        )

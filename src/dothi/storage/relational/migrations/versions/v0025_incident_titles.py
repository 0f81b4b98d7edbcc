"""What incidents and their links are called in English, where alarms said it."""

from alembic import op
from sqlalchemy import Column, String, inspect

revision = "0025"
down_revision = "0023"


def upgrade() -> None:
    """Those of before have one title."""
    for table in ("incident", "incident_link"):
        known = {column["name"] for column in inspect(op.get_bind()).get_columns(table)}
        if "title_en" not in known:
            column = Column("title_en", String, nullable=False, server_default="")
            op.add_column(table, column)

"""Versions of procedures are drafts until somebody approves them."""

from alembic import op
from sqlalchemy import BigInteger, Column, String, inspect

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """What is stored was in use at once: its author stands for it."""
    columns = inspect(op.get_bind()).get_columns("procedure")
    if "approved_us" in {column["name"] for column in columns}:
        return
    op.add_column("procedure", Column("approved_by", String, nullable=False, server_default=""))
    op.add_column("procedure", Column("approved_us", BigInteger))
    op.execute("UPDATE procedure SET approved_by = stored_by, approved_us = stored_us")

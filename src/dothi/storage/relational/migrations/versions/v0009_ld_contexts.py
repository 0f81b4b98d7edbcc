"""@contexts have a local id, a tenant and figures of use; nothing wrote the old table."""

from alembic import op
from sqlalchemy import inspect

from dothi.storage.relational.schema import ld_context

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Databases made by v0001 of this program have the new form already."""
    bind = op.get_bind()
    if "digest" in {column["name"] for column in inspect(bind).get_columns("ld_context")}:
        return
    op.drop_table("ld_context")
    ld_context.create(bind)

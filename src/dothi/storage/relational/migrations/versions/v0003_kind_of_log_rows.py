"""Each row of the log says its kind of attribute: a later value may be of another kind."""

from alembic import op
from sqlalchemy import Column, SmallInteger, inspect

revision = "0003"
down_revision = "0002"

_KINDS = """
UPDATE log SET kind = (SELECT a.kind FROM attribute a WHERE a.id = log.attribute_id)
WHERE attribute_id IN (SELECT id FROM attribute)
"""


def upgrade() -> None:
    """Rows that are there get the kind that their attribute has now."""
    if "kind" in {column["name"] for column in inspect(op.get_bind()).get_columns("log")}:
        return
    op.add_column("log", Column("kind", SmallInteger, nullable=False, server_default="1"))
    op.execute(_KINDS)

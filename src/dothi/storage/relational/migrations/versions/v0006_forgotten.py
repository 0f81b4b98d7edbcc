"""The past of entities: what is forgotten of it, and the types of those that are gone."""

from alembic import op
from sqlalchemy import inspect

from dothi.storage.relational.schema import evolution_type, forgotten

revision = "0006"
down_revision = "0005"

_TYPES = """
INSERT OR IGNORE INTO evolution_type (type, entity_id)
SELECT t.value, e.id FROM entity e, json_each(e.types) t WHERE e.deleted_us IS NOT NULL
"""


def upgrade() -> None:
    """Add the tables; entities that were deleted before keep the types that they had."""
    connection = op.get_bind()
    if inspect(connection).has_table("forgotten"):
        return  # 0001 makes the tables of today, so a new database has them already
    for table in (evolution_type, forgotten):
        table.create(connection)
    op.execute(_TYPES)

"""Entities and attributes with an end are found by it."""

from alembic import op
from sqlalchemy.schema import CreateIndex

from dothi.storage.relational.schema import attribute, entity

revision = "0004"
down_revision = "0003"

_NAMES = {"ix_entity_expiring", "ix_attribute_expires_at"}


def upgrade() -> None:
    """An index on an expression cannot be read back, so the database itself checks for it."""
    for table in (entity, attribute):
        for index in table.indexes:
            if index.name in _NAMES:
                op.execute(CreateIndex(index, if_not_exists=True))

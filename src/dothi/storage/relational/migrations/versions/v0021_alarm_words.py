"""Texts of alarms by their trigrams, so that words that are rare or nowhere are found at once."""

from alembic import op

from dothi.storage.relational.alarm_words import CREATE, FILL

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """With the alarms that are there."""
    op.execute(CREATE)
    op.execute(FILL)

"""How often the value of the latest time of a series was corrected, so that nobody looks for it;
an index on the start of texts in the place of that on whole ones."""

from alembic import op
from sqlalchemy import Column, SmallInteger, inspect

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Of what is there it is not known how often it was corrected."""
    columns = inspect(op.get_bind()).get_columns("attribute")
    if "newest_revision" not in {column["name"] for column in columns}:
        op.add_column("attribute", Column("newest_revision", SmallInteger))
    op.execute("DROP INDEX IF EXISTS ix_attribute_name_text")
    op.execute(
        "CREATE INDEX ix_attribute_name_text ON attribute (name, substr(text, 1, 128)) "
        "WHERE text IS NOT NULL"
    )

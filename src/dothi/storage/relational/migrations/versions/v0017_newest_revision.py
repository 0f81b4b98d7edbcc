"""How often the value of the latest time of a series was corrected, so that nobody looks for it."""

from alembic import op
from sqlalchemy import Column, SmallInteger, inspect

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Of what is there it is not known."""
    columns = inspect(op.get_bind()).get_columns("attribute")
    if "newest_revision" not in {column["name"] for column in columns}:
        op.add_column("attribute", Column("newest_revision", SmallInteger))

"""By which procedures and notices know that the clock was set while dothi stood."""

from alembic import op

from dothi.storage.relational.clock_marks import clock_mark

revision = "0027"
down_revision = "0025"


def upgrade() -> None:
    """Databases made by v0001 of this program may have the table already."""
    clock_mark.create(op.get_bind(), checkfirst=True)

"""Alarms of one priority: first those that nobody has acknowledged, then the newest."""

from alembic import op

revision = "0023"
down_revision = "0021"

_ORDER = "priority, (acknowledged_us IS NOT NULL), raised_us DESC, id DESC"


def upgrade() -> None:
    """Indexes in the place of those by priority and id."""
    for name in ("ix_alarm_open", "ix_alarm_priority", "ix_alarm_order"):
        op.execute(f"DROP INDEX IF EXISTS {name}")
    op.execute(f"CREATE INDEX ix_alarm_order ON alarm ({_ORDER})")
    # SQLite takes the one made last where both would do.
    op.execute(f"CREATE INDEX ix_alarm_open ON alarm ({_ORDER}) WHERE is_open = 1")

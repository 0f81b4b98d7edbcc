"""What alarms say in English, beside what they say in Vietnamese."""

from alembic import op
from sqlalchemy import Column, Text, inspect

revision = "0020"
down_revision = "0018"


def upgrade() -> None:
    """Alarms of before are told in Vietnamese alone."""
    for table, name in (("alarm", "text_en"), ("alarm_entry", "detail_en")):
        known = {column["name"] for column in inspect(op.get_bind()).get_columns(table)}
        if name not in known:
            op.add_column(table, Column(name, Text, nullable=False, server_default=""))

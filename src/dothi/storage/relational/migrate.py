"""Brings the database to the newest schema (Alembic), or says why it cannot."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from dothi.model.problem import Problem

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """Run the missing migrations; an up-to-date database costs one query.

    Raises:
        Problem: the database was written by a newer dothi.
    """
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    script = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        current = None
        if inspect(connection).has_table("alembic_version"):
            current = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if current == script.get_current_head():
        return
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise Problem(
            "database_newer",
            "The database belongs to a newer dothi",
            f"its schema version {current} is not known to this program",
            500,
            remedy="install the newer dothi again, or restore the backup made before the upgrade",
        )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

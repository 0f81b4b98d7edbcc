"""Brings the database to the newest schema (Alembic), or says why it cannot."""

import threading
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from dothi.model.problem import Problem

_SCRIPTS = Path(__file__).parent / "migrations"
_one_at_a_time = threading.Lock()
"""Alembic keeps what it works on in globals; hubs are opened in threads."""


def upgrade(engine: Engine) -> None:
    """Run the missing migrations; an up-to-date database costs one query.

    Raises:
        Problem: the database was written by a newer dothi.
    """
    if not is_newest(engine):
        with _one_at_a_time:
            _migrate(engine, _current(engine))


def is_newest(engine: Engine) -> bool:
    """Whether no migration is missing."""
    return _current(engine) == newest()


def newest() -> str:
    """Revision of the last migration, by the names of their files (`v0001_first.py`)."""
    names = (path.stem for path in (_SCRIPTS / "versions").glob("v*.py"))
    return max(name.partition("_")[0].removeprefix("v") for name in names)


def _current(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return version


def _migrate(engine: Engine, current: str | None) -> None:
    # Imported here: it takes longer than everything else of a start that has nothing to migrate.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    script = ScriptDirectory.from_config(config)
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

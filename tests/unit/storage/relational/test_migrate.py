"""Migrations: the newest is known without Alembic, and a newer database is refused."""

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from dothi.model.problem import Problem
from dothi.storage.relational import migrate
from dothi.storage.relational.engine import open_sqlite


def test_the_newest_file_is_the_head() -> None:
    config = Config()
    folder = Path(migrate.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_current_head() == migrate.newest()


def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    engine = open_sqlite(tmp_path / "dothi.db")
    migrate.upgrade(engine)
    migrate.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Problem, match="newer dothi"):
        migrate.upgrade(engine)
    engine.dispose()

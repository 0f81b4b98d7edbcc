"""Migrations: the newest is known without Alembic, and a newer database is refused."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from tests.rows import PHU_AN, batch, minutes_ago

from dothi.model.problem import Problem
from dothi.model.row import Change, Kind
from dothi.model.source import Source
from dothi.pipeline.admit import admit
from dothi.storage.relational import migrate, people_tables
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.schema import metadata
from dothi.storage.relational.sqlite_store import open_store


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


def test_databases_opened_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Alembic works through globals."""
    engines = [open_sqlite(tmp_path / f"{number}.db") for number in range(6)]
    with ThreadPoolExecutor(len(engines)) as pool:
        list(pool.map(migrate.upgrade, engines))
    for engine in engines:
        assert inspect(engine).has_table("snapshot")
        engine.dispose()


def test_series_of_an_old_database_belong_to_the_source_of_their_value(tmp_path: Path) -> None:
    path = tmp_path / "dothi.db"
    store = open_store(path)
    store.sources.put(Source("old", "Old data", "import"))
    store.writer.commit(
        admit(
            [
                batch(attribute=["level", "gone"], number=[1.0, 2.0]),
                batch(source="old", attribute="flow", number=3.0),
                batch(attribute="gone", change=int(Change.DELETE_ATTRIBUTE)),
            ],
            {},
        )
    )
    store.close()
    engine = open_sqlite(path)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE attribute DROP COLUMN owner_id"))
        connection.execute(text("ALTER TABLE source DROP COLUMN may_write_others"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()

    store = open_store(path)
    later = minutes_ago(-1)
    results = store.writer.commit(
        admit(
            [
                batch(source="s2", attribute=name, number=9.0, observed_at=later)
                for name in ("level", "gone", "flow")
            ],
            {},
        )
    )
    assert [r.stored for r in results] == [0, 1, 1]
    assert "belongs to source 's1'" in results[0].rejected[0].detail
    [row] = store.state.attributes([PHU_AN], ["level"]).to_pylist()
    assert (row["number"], row["source"]) == (1.0, "s1")
    source = store.sources.get("old")
    assert source is not None
    assert not source.may_write_others
    store.close()


def test_a_migrated_database_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    engine = open_sqlite(tmp_path / "dothi.db")
    migrate.upgrade(engine)
    found = {
        table: {column["name"] for column in inspect(engine).get_columns(table)}
        for table in metadata.tables
    }
    assert found == {t.name: set(t.columns.keys()) for t in metadata.tables.values()}
    engine.dispose()


def test_rows_of_an_old_log_get_the_kind_of_their_attribute(tmp_path: Path) -> None:
    path = tmp_path / "dothi.db"
    store = open_store(path)
    pump = {"attribute": "pump", "text": "urn:pump", "kind": int(Kind.RELATIONSHIP)}
    store.writer.commit(admit([batch(number=1.0), batch(number=None, **pump)], {}))
    store.close()
    engine = open_sqlite(path)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE log DROP COLUMN kind"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))
    engine.dispose()

    store = open_store(path)
    kinds = store.reader.read(0, 10).select(["attribute", "kind"]).to_pylist()
    assert [(row["attribute"], row["kind"]) for row in kinds] == [
        ("level", int(Kind.PROPERTY)),
        ("pump", int(Kind.RELATIONSHIP)),
    ]
    store.close()


def test_the_old_table_of_contexts_gives_way(tmp_path: Path) -> None:
    engine = open_sqlite(tmp_path / "dothi.db")
    migrate.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE ld_context"))
        connection.execute(text("CREATE TABLE ld_context (url TEXT PRIMARY KEY, document TEXT)"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    migrate.upgrade(engine)
    columns = {column["name"] for column in inspect(engine).get_columns("ld_context")}
    assert {"id", "tenant", "hits", "digest"} <= columns
    engine.dispose()


def test_login_links_of_an_old_database_belong_to_the_administrator(tmp_path: Path) -> None:
    path = tmp_path / "dothi.db"
    engine = open_sqlite(path)
    migrate.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO login_link VALUES ('h', 1, 2, NULL, 'x')"))
        connection.execute(text("ALTER TABLE login_link DROP COLUMN principal"))
        for table in reversed(people_tables.TABLES):
            connection.execute(text(f"DROP TABLE {table.name}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0015'"))
    migrate.upgrade(engine)
    with engine.connect() as connection:
        owner = text("SELECT principal FROM login_link")
        assert connection.scalar(owner) == "administrator"
        triggers = text("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'")
        assert connection.scalar(triggers)
    assert inspect(engine).has_table("audit")
    engine.dispose()

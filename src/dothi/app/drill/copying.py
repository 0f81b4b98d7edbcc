"""The fenced copy: the state of a province, without what could act for it outside."""

from pathlib import Path

from sqlalchemy import delete, inspect, text

from dothi.app.data_folder import DataFolder
from dothi.model.problem import Problem
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.migrate import upgrade
from dothi.storage.relational.schema import metadata

_LEFT_BEHIND = (
    # What waits to be sent, who may sign in, whose tokens open doors, and what asks others.
    *("notification", "notice_delivery", "notice", "session", "login_link", "source_token"),
    *("context_source_record", "subscription", "pull_run", "file_seen"),
)
"""Tables that are emptied in the copy, as far as they are there."""


def copy_province(original: DataFolder, drill: DataFolder) -> None:
    """Copy the operational database, also beside a running server; the lake stays behind.

    Raises:
        Problem: there is no original, or the folder of the drill is in use already.
    """
    original.require()
    if drill.exists:
        raise Problem(
            "drill_folder_used",
            "The folder of the drill is not empty",
            f"{drill.path} holds a dothi.db",
            where=str(drill.path),
            remedy="name a new one with --data-dir; a drill never runs on the real data",
        )
    drill.create()
    _copy(original.database, drill.database)
    engine = open_sqlite(drill.database)
    try:
        upgrade(engine)
        there = set(inspect(engine).get_table_names())
        with engine.begin() as connection:
            for name in _LEFT_BEHIND:
                if name in there and name in metadata.tables:
                    connection.execute(delete(metadata.tables[name]))
    finally:
        engine.dispose()
    drill.database.chmod(0o600)


def _copy(source: Path, target: Path) -> None:
    """As one consistent state, whoever writes meanwhile."""
    engine = open_sqlite(source)
    try:
        with engine.connect() as connection:
            connection.execute(text("VACUUM INTO :target"), {"target": str(target)})
    finally:
        engine.dispose()

"""The fenced copy: the state of a province, without what could act for it outside."""

from pathlib import Path

from sqlalchemy import delete, text

from dothi.app.data_folder import DataFolder
from dothi.model.problem import Problem
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.migrate import upgrade
from dothi.storage.relational.schema import metadata

LEFT_BEHIND = (
    # What waits to be sent, who may sign in, whose tokens open doors, and what asks others.
    *("delivery_reference", "notice_receipt", "delivery", "notice", "push_subscription"),
    *("notification", "subscription", "context_source_record", "pull_run", "file_seen"),
    *("session", "login_link", "source_token", "stored_answer"),
)
"""Tables that are emptied in the copy; what refers to another one comes before it."""


def require_new(drill: DataFolder) -> None:
    """Raise Problem when the folder holds data: a drill changes rules and writes values."""
    if drill.exists:
        raise Problem(
            "drill_folder_used",
            "The folder of the drill is not empty",
            f"{drill.path} holds a dothi.db",
            where=str(drill.path),
            remedy="name a new one with --data-dir; a drill never runs on the real data",
        )


def copy_province(original: DataFolder, drill: DataFolder) -> None:
    """Copy the operational database, also beside a running server; the lake stays behind.

    Raises:
        Problem: there is no original.
    """
    original.require()
    drill.create()
    _copy(original.database, drill.database)
    engine = open_sqlite(drill.database)
    try:
        upgrade(engine)
        with engine.begin() as connection:
            for name in LEFT_BEHIND:
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

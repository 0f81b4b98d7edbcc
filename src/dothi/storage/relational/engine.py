"""Opens the operational database for SQLAlchemy Core."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import LRUCache

from dothi.storage.relational import adbc_dialect

BUSY_TIMEOUT_MS = 10_000
WAL_BYTES = 32 * 2**20
"""A WAL of this length is moved into the database (checkpoints.py)."""
LONG_WAL = (f"wal_autocheckpoint={4 * WAL_BYTES // 4096}", f"journal_size_limit={WAL_BYTES // 8}")
"""Pragmas: a commit moves the WAL itself only when nobody else did; a new WAL is short again."""
_KEPT_CONNECTIONS = 16
"""More of them than threads that read: each one prepares the statements of all questions anew. The
one given back last is taken first, so that few are in use and the others need not be opened."""
_compiled: LRUCache[Any, Any] = LRUCache(1_000)
"""Statements as SQL, for all engines: each tenant and snapshot would compile them anew."""


def open_sqlite(path: Path) -> Engine:
    """Engine on one SQLite file: WAL, synchronous=FULL, foreign keys on."""
    engine = create_engine(
        f"{adbc_dialect.URL_SCHEME}:///{path}",
        execution_options={"compiled_cache": _compiled},
        pool_size=_KEPT_CONNECTIONS,
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "connect")
    def _pragmas(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            *LONG_WAL,
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def sqlite_version() -> tuple[int, ...]:
    """Of the one SQLite library that dothi uses (not Python's own)."""
    version: tuple[int, ...] = adbc_dialect.AdbcSqliteDialect.import_dbapi().sqlite_version_info
    return version

"""The query engine: one DuckDB for the process, one cursor per thread, started at first use."""

import threading
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from dothi.storage.lake.settings import LakeSettings


class Engine:
    """Runs SQL over registered Arrow tables and data files. Any thread."""

    def __init__(self, settings: LakeSettings, spill_folder: Path) -> None:
        self._settings = settings
        self._spill_folder = spill_folder
        self._lock = threading.Lock()
        self._local = threading.local()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def query(self, sql: str, tables: Mapping[str, pa.Table] = {}) -> pa.Table:
        """The whole answer; `tables` are visible under their names."""
        cursor = self._cursor()
        # Making a table visible takes a millisecond: those that are not named stay out.
        named = [name for name in tables if name in sql]
        try:
            for name in named:
                cursor.register(name, tables[name])
            return cursor.sql(sql).to_arrow_table()
        finally:
            for name in named:
                cursor.unregister(name)

    def close(self) -> None:
        """Release memory and threads; the next query starts anew."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            self._local = threading.local()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = self._open().cursor()
            self._local.cursor = cursor
        return cursor

    def _open(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._connection is None:
                self._connection = self._start()
            return self._connection

    def _start(self) -> duckdb.DuckDBPyConnection:
        settings = self._settings
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{settings.query_memory_mb}MB",
            "temp_directory": str(self._spill_folder),
            "parquet_metadata_cache": True,
            # Data files never change once they are committed.
            "validate_external_file_cache": "NO_VALIDATION",
            "autoinstall_known_extensions": False,
            "TimeZone": "UTC",
        }
        if settings.query_threads > 0:
            config["threads"] = settings.query_threads
        return duckdb.connect(":memory:", config=config)


def quoted(text: str) -> str:
    """An SQL string literal."""
    return "'" + text.replace("'", "''") + "'"

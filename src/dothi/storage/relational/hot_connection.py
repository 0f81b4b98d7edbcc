"""One ADBC connection on the SQLite file, for the columns of the hot path.

ADBC opens a transaction of its own at once, so this connection is opened with autocommit and
begins and ends its transactions in SQL; pragmas then work too.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import adbc_driver_manager
import adbc_driver_sqlite.dbapi
import pyarrow as pa

from dothi.model.problem import StoreUnavailable
from dothi.storage.relational.engine import BUSY_TIMEOUT_MS, LONG_WAL
from dothi.storage.relational.prepared import answer, change, prepared
from dothi.storage.relational.write_turns import turns_of

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "temp_store=MEMORY",
    "foreign_keys=OFF",
    *LONG_WAL,
)


_KEPT_STATEMENTS = 64
_TYPED = {"integer": "0", "real": "0.5", "text": "'x'"}


def _family(type_: pa.DataType) -> str:
    if pa.types.is_floating(type_):
        return "real"
    return "text" if pa.types.is_string(type_) else "integer"


class HotConnection:
    """Not thread-safe: one thread at a time."""

    def __init__(self, path: Path, *, cache_mb: int = 64, pragmas: tuple[str, ...] = ()) -> None:
        self._connection = adbc_driver_sqlite.dbapi.connect(f"file:{path}", autocommit=True)
        self._turns = turns_of(path)
        self._cursor: Any = self._connection.cursor()
        self._prepared: OrderedDict[str, Any] = OrderedDict()
        for pragma in (*_PRAGMAS, f"cache_size=-{cache_mb * 1024}", *pragmas):
            self.query(f"PRAGMA {pragma}")

    def close(self) -> None:
        for cursor in (self._cursor, *self._prepared.values()):
            cursor.close()
        self._connection.close()

    def run(self, sql: str, rows: pa.Table | pa.RecordBatch | None = None) -> None:
        """Execute once, or once per row with the row's columns bound in order."""
        if rows is None or rows.num_rows:
            change(self._kept(sql), rows)

    def put(self, sql: str, rows: Sequence[tuple[Any, ...]], shape: pa.StructType) -> None:
        """Execute once per tuple, whose cells are bound in order.

        As a struct, few rows need one call of Arrow; as columns, one for each column.
        """
        if rows:
            change(self._kept(sql), pa.array(rows, shape))

    def run_rarely(self, sql: str, rows: pa.Table) -> None:
        """Like `run` with rows, without keeping the statement.

        A kept one holds some of the small memory that SQLite sets aside per connection, which the
        inserts of every commit then miss: one more made them 7 % slower.
        """
        if rows.num_rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(sql, rows)

    def _kept(self, sql: str) -> Any:
        """The cursor with this statement; the longest unused one is let go."""
        cursor = self._prepared.get(sql)
        if cursor is None:
            cursor = self._prepared[sql] = prepared(self._connection, sql)
            if len(self._prepared) > _KEPT_STATEMENTS:
                self._prepared.popitem(last=False)[1].close()
        else:
            self._prepared.move_to_end(sql)
        return cursor

    def query(self, sql: str) -> pa.Table:
        """The answer as Arrow columns."""
        self._cursor.execute(sql)
        return self._cursor.fetch_arrow_table()

    def ask(self, sql: str, rows: pa.Table) -> pa.Table:
        """The answers to a question asked once per row, its columns bound in order, end to end.

        Columns of text must never be null: the driver takes leading nulls for integers.
        """
        return answer(self._kept(sql), rows).read_all()

    def typed(self, schema: pa.Schema, sql: str) -> pa.Table:
        """The answer cast to `schema`, whatever nulls it begins with.

        The driver infers types from the first rows that it sees; a first row of known types,
        dropped again, keeps it from taking a column of leading nulls for integers.
        """
        first = ", ".join(f"{_TYPED[_family(f.type)]} AS {f.name}" for f in schema)
        names = ", ".join(schema.names)
        answer = self.query(f"SELECT {first} UNION ALL SELECT {names} FROM ({sql})")
        return answer.slice(1).cast(schema)

    def number(self, sql: str) -> int:
        """The single integer of an answer; null or no row reads as 0."""
        values = self.query(sql).column(0).to_pylist()
        return int(values[0] or 0) if values else 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE … COMMIT; rolls back and raises StoreUnavailable when SQLite refuses."""
        # Who waited in vain lets SQLite say so.
        has_turn = self._turns.take(BUSY_TIMEOUT_MS / 1000)
        try:
            self.run("BEGIN IMMEDIATE")
            yield
            self.run("COMMIT")
        except adbc_driver_manager.Error as error:
            self._roll_back()
            raise StoreUnavailable(f"the database refused the write: {error}") from error
        except BaseException:
            self._roll_back()
            raise
        finally:
            if has_turn:
                self._turns.give()

    def _roll_back(self) -> None:
        # After a full disk SQLite may have rolled back by itself; then ROLLBACK has no transaction.
        try:
            self.run("ROLLBACK")
        except adbc_driver_manager.Error as error:
            if "no transaction" not in str(error):
                raise

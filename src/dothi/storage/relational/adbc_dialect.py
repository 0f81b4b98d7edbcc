"""SQLAlchemy on the same SQLite library as the hot path.

Two SQLite libraries in one process must never open the same file: POSIX locks belong to the
process, so neither library sees the other's locks, and the first that closes a file drops the
locks of both (https://www.sqlite.org/howtocorrupt.html, section 2.2.1). Python's `sqlite3` and
the ADBC driver are two such libraries. Everything therefore goes through ADBC; docs/adr/0002.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from types import ModuleType, NoneType
from typing import Any, NamedTuple

import adbc_driver_manager
import adbc_driver_sqlite.dbapi as adbc
import pyarrow as pa
from sqlalchemy import URL, pool
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from dothi.storage.relational.prepared import answer, change, prepared
from dothi.storage.relational.write_turns import turns_of

URL_SCHEME = "sqlite+adbc"
_READS = ("SELECT", "PRAGMA", "EXPLAIN", "VALUES", "WITH", "VACUUM INTO")
_WRITES = ("INSERT ", "UPDATE ", "DELETE ", "REPLACE ")
_BATCH = "adbc.sqlite.query.batch_rows"
_FEW_ROWS, _SOME_ROWS, _MANY_ROWS = "64", "1024", "1000000"
"""Column types are inferred from so many rows at the start of an answer; the driver sets memory
aside for them, which costs more than a short answer itself."""
_KEPT_STATEMENTS = 64
"""Per connection."""
_KEPT = ("SELECT", "WITH", *_WRITES, "BEGIN", "COMMIT", "ROLLBACK")
_TURN_S = 10.0
"""Who waits longer for others of this process lets SQLite say so."""


class Cursor:
    """DB-API cursor: answers are fetched whole, so no read transaction outlives a statement."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._rows: Iterator[tuple[Any, ...]] = iter(())
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement with one set of parameters."""
        self.description = None
        self._rows = iter(())
        kind, connection = _kind_of(sql), self._connection
        connection.begin_for(sql)
        bound = _columns([parameters]) if parameters else None
        if not kind.returns_rows:
            self.rowcount = connection.run(sql, bound)
            return
        answer = connection.answer(sql, bound)
        self.description = [(n, None, None, None, None, None, None) for n in answer.column_names]
        self.rowcount = answer.num_rows
        self._rows = zip(*(c.to_pylist() for c in answer.columns), strict=True)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        """Run one statement once per set of parameters."""
        rows = list(parameters)
        self.description = None
        self._connection.begin_for(sql)
        if rows:
            self.rowcount = self._connection.run(sql, _columns(rows))

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        return [row for row, _ in zip(self._rows, range(size or self.arraysize), strict=False)]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)

    def close(self) -> None:
        self._rows = iter(())

    def setinputsizes(self, _sizes: object) -> None:
        """Required by DB-API; ADBC infers."""

    def setoutputsize(self, _size: object, _column: object = None) -> None:
        """Required by DB-API; ADBC infers."""


class Connection:
    """DB-API connection: a transaction begins with the first write (BEGIN IMMEDIATE)."""

    def __init__(self, path: str) -> None:
        self._turns = turns_of(path)
        self._has_turn = False
        self._adbc = adbc.connect(f"file:{path}", autocommit=True)
        self._is_in_transaction = False
        self._kept: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._long: set[str] = set()
        """Questions that have had a long answer."""

    def cursor(self) -> Cursor:
        return Cursor(self)

    def statement(self) -> Any:
        """For an answer of any length; not kept."""
        return self._adbc.cursor(adbc_stmt_kwargs={_BATCH: _MANY_ROWS})

    def run(self, sql: str, bound: pa.RecordBatch | None = None) -> int:
        """Execute once, or once per row; gives how many rows changed."""
        cursor = self._prepared(sql, "")
        try:
            changed = change(cursor, bound)
        except BaseException:
            cursor.close()
            raise
        self._keep((sql, ""), cursor)
        return changed

    def answer(self, sql: str, bound: pa.RecordBatch | None) -> pa.Table:
        """The whole answer of a statement.

        To infer the types of columns from many rows costs more than a short answer itself, so what
        only reads is asked for few rows first, and again when there are more.
        """
        if _kind_of(sql).only_reads and sql not in self._long:
            reader, cursor = self._begun(sql, bound, _FEW_ROWS)
            first = next(iter(reader), None)
            reader.close()
            if first is None or first.num_rows < int(_FEW_ROWS):
                self._keep((sql, _FEW_ROWS), cursor)
                return pa.Table.from_batches([] if first is None else [first], reader.schema)
            cursor.close()
            self._long.add(sql)
        return self._whole(sql, bound, _MANY_ROWS)

    def ask(self, sql: str, bound: pa.StructArray | None, *, is_short: bool) -> pa.Table:
        """The answer of a statement that only reads.

        `bound`: one struct, the parameters in their order.

        `is_short`: there are no more than 1,000 rows, or no nulls among them, so that it is enough
        to infer the types of the columns from the first rows.
        """
        return self._whole(sql, bound, _SOME_ROWS if is_short else _MANY_ROWS)

    def _whole(
        self, sql: str, bound: pa.StructArray | pa.RecordBatch | None, batch_rows: str
    ) -> pa.Table:
        reader, cursor = self._begun(sql, bound, batch_rows)
        try:
            answer = reader.read_all()
        except BaseException:
            cursor.close()
            raise
        self._keep((sql, batch_rows), cursor)
        return answer

    def _begun(
        self, sql: str, bound: pa.StructArray | pa.RecordBatch | None, batch_rows: str
    ) -> tuple[pa.RecordBatchReader, Any]:
        """The answer of a statement that was prepared before or is now, and its cursor."""
        cursor = self._prepared(sql, batch_rows)
        try:
            return answer(cursor, bound), cursor
        except BaseException:
            cursor.close()
            raise

    def _prepared(self, sql: str, batch_rows: str) -> Any:
        """A cursor with this statement, which nobody else has meanwhile."""
        options = {_BATCH: batch_rows} if batch_rows else None
        return self._kept.pop((sql, batch_rows), None) or prepared(self._adbc, sql, options)

    def _keep(self, key: tuple[str, str], cursor: Any) -> None:
        """Prepared for the next time; the longest unused one is let go."""
        if not _kind_of(key[0]).is_kept:
            cursor.close()
            return
        self._kept[key] = cursor
        if len(self._kept) > _KEPT_STATEMENTS:
            self._kept.popitem(last=False)[1].close()

    def begin_for(self, sql: str) -> None:
        """Open a transaction before the first statement that may write."""
        if self._is_in_transaction or _kind_of(sql).only_reads:
            return
        self._has_turn = self._turns.take(_TURN_S)
        try:
            self.run("BEGIN IMMEDIATE")
        except BaseException:
            self._give_turn()
            raise
        self._is_in_transaction = True

    def commit(self) -> None:
        if self._is_in_transaction:
            self.run("COMMIT")
            self._is_in_transaction = False
            self._give_turn()

    def rollback(self) -> None:
        if self._is_in_transaction:
            self._is_in_transaction = False
            try:
                self.run("ROLLBACK")
            finally:
                self._give_turn()

    def close(self) -> None:
        self.rollback()
        self._let_go()
        self._adbc.close()

    def __del__(self) -> None:
        # The driver wants its statements closed before the connection.
        self._let_go()
        self._give_turn()

    def _give_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._turns.give()

    def _let_go(self) -> None:
        while self._kept:
            self._kept.popitem()[1].close()


class _Kind(NamedTuple):
    """Of a statement."""

    returns_rows: bool
    only_reads: bool
    is_kept: bool
    """Stays prepared; one that changes tables would keep others from it."""


@lru_cache(2_000)
def _kind_of(sql: str) -> _Kind:
    text = sql.lstrip().upper()
    begins_reading = text.startswith(_READS)
    writes_too = text.startswith("WITH") and any(word in text for word in _WRITES)
    returns_rows = begins_reading or " RETURNING " in text
    return _Kind(returns_rows, begins_reading and not writes_too, text.startswith(_KEPT))


_TYPES = {int: pa.int64(), float: pa.float64(), str: pa.string(), bytes: pa.binary()}


def _type_of(column: Sequence[Any]) -> pa.DataType | None:
    """The column's type when its values leave no doubt; to infer it costs 130 µs."""
    kinds = set(map(type, column))
    kinds.discard(NoneType)
    return _TYPES.get(kinds.pop()) if len(kinds) == 1 else None


def _columns(rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    columns = [pa.array(column, _type_of(column)) for column in zip(*rows, strict=True)]
    return pa.record_batch(columns, names=[str(i) for i in range(len(columns))])


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


class _Module(ModuleType):
    """What SQLAlchemy expects of a DB-API module."""

    apilevel = "2.0"
    paramstyle = "qmark"
    threadsafety = 1
    sqlite_version_info: tuple[int, ...] = ()

    Error = adbc_driver_manager.Error
    Warning = adbc_driver_manager.Warning
    InterfaceError = adbc_driver_manager.InterfaceError
    DatabaseError = adbc_driver_manager.DatabaseError
    DataError = adbc_driver_manager.DataError
    OperationalError = adbc_driver_manager.OperationalError
    IntegrityError = adbc_driver_manager.IntegrityError
    InternalError = adbc_driver_manager.InternalError
    ProgrammingError = adbc_driver_manager.ProgrammingError
    NotSupportedError = adbc_driver_manager.NotSupportedError

    @staticmethod
    def connect(path: str) -> Connection:
        return Connection(path)

    Binary = bytes


class AdbcSqliteDialect(SQLiteDialect):
    """`sqlite+adbc:///path`."""

    driver = "adbc"
    default_paramstyle = "qmark"
    supports_statement_cache = True
    supports_sane_rowcount = True
    supports_sane_multi_rowcount = False
    postfetch_lastrowid = False
    returns_native_bytes = True

    def __eq__(self, other: object) -> bool:
        """All are alike, so that engines can share their compiled statements."""
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def import_dbapi(cls) -> Any:
        module = _Module("dothi_adbc")
        with adbc.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT sqlite_version()")
            module.sqlite_version_info = _version(cursor.fetch_arrow_table().column(0)[0].as_py())
        return module

    @classmethod
    def get_pool_class(cls, _url: URL) -> type[pool.Pool]:
        return pool.QueuePool

    def create_connect_args(self, url: URL) -> Any:
        return [url.database], {}

    def _get_server_version_info(self, connection: Any) -> Any:
        return self.dbapi.sqlite_version_info if self.dbapi is not None else ()

    def set_isolation_level(self, dbapi_connection: Any, level: Any) -> None:
        """Only SERIALIZABLE exists, which is what SQLite gives."""


registry.register("sqlite.adbc", __name__, "AdbcSqliteDialect")

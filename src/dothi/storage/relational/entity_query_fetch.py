"""Small reads with named parameters, close to the driver.

SQLAlchemy and untyped Arrow arrays cost more here than the query itself (docs/adr/0002 has the
driver): a look-up by id is answered thousands of times a second.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
from sqlalchemy import Engine

from dothi.storage.relational.adbc_dialect import Connection

_PLACEHOLDER = re.compile(r":([a-z]\w*)")
_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64()}


class Fetching(Protocol):
    """Runs SQL with named parameters."""

    def rows(self, sql: str, parameters: Mapping[str, object]) -> Sequence[Any]:
        """Tuples of the answer."""
        ...

    def table(self, sql: str, parameters: Mapping[str, object]) -> pa.Table:
        """Columns of the answer."""
        ...


class Fetcher:
    """One connection of the pool; not thread-safe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Mapping[str, object]) -> Sequence[Any]:
        """Tuples of the answer. Values of parameters are str, int or float.

        Parameters that the SQL does not name are passed over; a colon stands only before a name.
        """
        answer = self.table(sql, parameters)
        return list(zip(*(column.to_pylist() for column in answer.columns), strict=True))

    def table(self, sql: str, parameters: Mapping[str, object]) -> pa.Table:
        """Columns of the answer, for many rows; parameters as for `rows`."""
        names = _PLACEHOLDER.findall(sql)
        with self._connection.statement() as statement:
            if names:
                columns = [_column(parameters[name]) for name in names]
                bound = pa.record_batch(columns, names=[str(i) for i in range(len(names))])
                statement.execute(_PLACEHOLDER.sub("?", sql), bound)
            else:
                statement.execute(sql)
            return statement.fetch_arrow_table()


@dataclass(frozen=True, slots=True)
class WithParameters:
    """The same connection, with parameters that every question may name."""

    source: Fetching
    parameters: Mapping[str, object]

    def rows(self, sql: str, parameters: Mapping[str, object]) -> Sequence[Any]:
        return self.source.rows(sql, {**self.parameters, **parameters})

    def table(self, sql: str, parameters: Mapping[str, object]) -> pa.Table:
        return self.source.table(sql, {**self.parameters, **parameters})


@contextmanager
def fetcher(engine: Engine) -> Iterator[Fetcher]:
    """A connection for the time of one question."""
    pooled = engine.raw_connection()
    try:
        connection = pooled.driver_connection
        if not isinstance(connection, Connection):
            raise TypeError(f"{connection!r} is no connection of the ADBC dialect")
        yield Fetcher(connection)
    finally:
        pooled.close()


def _column(value: object) -> pa.Array:
    return pa.array([value], _TYPES[type(value)])

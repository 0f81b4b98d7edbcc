"""Small reads with named parameters, close to the driver.

SQLAlchemy and untyped Arrow arrays cost more here than the query itself (docs/adr/0002 has the
driver): a look-up by id is answered thousands of times a second.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine

from dothi.storage.relational.adbc_dialect import Connection

_PLACEHOLDER = re.compile(r":([a-z]\w*)")
_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64()}


class Fetcher:
    """One connection of the pool; not thread-safe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Mapping[str, object]) -> Sequence[Any]:
        """Tuples of the answer. Values of parameters are str, int or float.

        Parameters that the SQL does not name are passed over; a colon stands only before a name.
        """
        names = _PLACEHOLDER.findall(sql)
        with self._connection.statement() as statement:
            if names:
                columns = [_column(parameters[name]) for name in names]
                bound = pa.record_batch(columns, names=[str(i) for i in range(len(names))])
                statement.execute(_PLACEHOLDER.sub("?", sql), bound)
            else:
                statement.execute(sql)
            answer = statement.fetch_arrow_table()
        return list(zip(*(column.to_pylist() for column in answer.columns), strict=True))


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

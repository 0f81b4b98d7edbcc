"""Small reads with named parameters, close to the driver.

SQLAlchemy and untyped Arrow arrays cost more here than the query itself (docs/adr/0002 has the
driver): a look-up by id is answered thousands of times a second.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Protocol

import pyarrow as pa
from msgspec import Struct
from sqlalchemy import Engine

from dothi.storage.relational.adbc_dialect import Connection

_PLACEHOLDER = re.compile(r":([a-z]\w*)")
_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64()}


class Fetching(Protocol):
    """Runs SQL with named parameters."""

    def rows(
        self, sql: str, parameters: Mapping[str, object], *, is_short: bool = False
    ) -> Sequence[Any]:
        """Tuples of the answer; `is_short`: at most 1,000, or without nulls."""
        ...

    def table(self, sql: str, parameters: Mapping[str, object]) -> pa.Table:
        """Columns of the answer."""
        ...


class Fetcher:
    """One connection of the pool; not thread-safe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(
        self, sql: str, parameters: Mapping[str, object], *, is_short: bool = False
    ) -> Sequence[Any]:
        """Tuples of the answer. Values of parameters are str, int or float.

        Parameters that the SQL does not name are passed over; a colon stands only before a name.
        `is_short`: there are at most 1,000 tuples, or none holds a null. Such an answer is cheaper.
        """
        answer = self._answer(sql, parameters, is_short)
        return list(zip(*(column.to_pylist() for column in answer.columns), strict=True))

    def rows_of_each(self, sql: str, several: Sequence[Mapping[str, object]]) -> Sequence[Any]:
        """Tuples of the answers to the same question with several parameters, end to end.

        All have values of the same types; no tuple holds a null.
        """
        numbered, names = _numbered(sql)
        rows = [tuple(parameters[name] for name in names) for parameters in several]
        bound = pa.array(rows, _row_type(names, tuple(map(type, rows[0]))))
        answer = self._connection.ask(numbered, bound, is_short=True)
        return list(zip(*(column.to_pylist() for column in answer.columns), strict=True))

    def table(
        self, sql: str, parameters: Mapping[str, object], *, is_short: bool = False
    ) -> pa.Table:
        """Columns of the answer, for many rows; parameters as for `rows`."""
        return self._answer(sql, parameters, is_short)

    def _answer(self, sql: str, parameters: Mapping[str, object], is_short: bool) -> pa.Table:
        numbered, names = _numbered(sql)
        if not names:
            return self._connection.ask(numbered, None, is_short=is_short)
        # To the driver an array of one struct is a row, made at a third of the cost of a batch.
        values = tuple(parameters[name] for name in names)
        bound = pa.array([values], _row_type(names, tuple(map(type, values))))
        return self._connection.ask(numbered, bound, is_short=is_short)


class WithParameters(Struct, frozen=True):
    """The same connection, with parameters that every question may name."""

    source: Fetching
    parameters: Mapping[str, object]

    def rows(
        self, sql: str, parameters: Mapping[str, object], *, is_short: bool = False
    ) -> Sequence[Any]:
        return self.source.rows(sql, {**self.parameters, **parameters}, is_short=is_short)

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


@lru_cache(maxsize=512)
def _numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """SQL with numbers in the place of names, and the names in that order, once each."""
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"?{numbers.setdefault(found[1], len(numbers) + 1)}"

    return _PLACEHOLDER.sub(number, sql), tuple(numbers)


@lru_cache(maxsize=512)
def _row_type(names: tuple[str, ...], types: tuple[type, ...]) -> pa.StructType:
    return pa.struct([(name, _TYPES[kind]) for name, kind in zip(names, types, strict=True)])

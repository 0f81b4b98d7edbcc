"""Statements of the ADBC driver, prepared once and run often.

What the driver's cursor does around one call of its statement takes half as long again as the call.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import pyarrow as pa

Rows: TypeAlias = pa.Table | pa.RecordBatch | pa.StructArray | None


def prepared(connection: Any, sql: str, options: Mapping[str, str] | None = None) -> Any:
    """A cursor of an ADBC connection whose `adbc_statement` holds this SQL."""
    cursor = connection.cursor(adbc_stmt_kwargs=options)
    try:
        cursor.adbc_statement.set_sql_query(sql)
        cursor.adbc_statement.prepare()
    except BaseException:
        cursor.close()
        raise
    return cursor


def change(cursor: Any, rows: Rows = None) -> int:
    """Run once, or once per row with the row's columns bound in order; how many rows changed."""
    statement = cursor.adbc_statement
    _bind(statement, rows)
    return int(statement.execute_update())


def answer(cursor: Any, rows: Rows = None) -> pa.RecordBatchReader:
    """What the statement answers, for each row that is bound, end to end."""
    statement = cursor.adbc_statement
    _bind(statement, rows)
    stream, _ = statement.execute_query()
    return pa.RecordBatchReader.from_stream(stream)


def _bind(statement: Any, rows: Rows) -> None:
    if isinstance(rows, pa.Table):
        statement.bind_stream(rows)
    elif rows is not None:
        statement.bind(rows)

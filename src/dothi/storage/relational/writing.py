"""Transactions of the small tables whose failure callers wait out: disk full, locked, gone."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from dothi.model.problem import StoreUnavailable


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction. Raises StoreUnavailable: nothing was written."""
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise StoreUnavailable(f"the database cannot be written: {error.orig}") from error

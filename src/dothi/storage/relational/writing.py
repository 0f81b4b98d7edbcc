"""Transactions of the small tables whose failure callers wait out: disk full, locked, gone."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from dothi.model.problem import StoreUnavailable
from dothi.storage.relational.audit_chain import changes_so_far, tell, to_be_told


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction, with the audit entry of what somebody is doing.

    Raises StoreUnavailable: nothing was written.
    """
    try:
        with engine.begin() as connection:
            is_asked = to_be_told(engine)
            before = changes_so_far(connection) if is_asked else 0
            yield connection
            # What changed nothing, e.g. because there is no such thing, is no deed.
            is_change = is_asked and changes_so_far(connection) > before
            deed = tell(connection) if is_change else None
        if deed is not None:
            deed.is_told = True
    except DBAPIError as error:
        raise StoreUnavailable(f"the database cannot be written: {error.orig}") from error

"""What is stored of procedures, looked at beside or without a running dothi."""

from pathlib import Path

from msgspec import Struct

from dothi.incidents.procedure_file import decode_stored
from dothi.model.problem import Problem
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.migrate import is_newest
from dothi.storage.relational.procedures import RelationalProcedures


class StoredProcedures(Struct, frozen=True):
    """How many versions there are, and what is wrong with those that cannot be read."""

    count: int
    problems: list[Problem]


def stored_procedures(database: Path) -> StoredProcedures:
    """Nothing of a database that is not there, or that the next start brings to a newer form."""
    problems: list[Problem] = []
    if not database.exists():
        return StoredProcedures(0, problems)
    engine = open_sqlite(database)
    try:
        if not is_newest(engine):
            return StoredProcedures(0, problems)
        stored = RelationalProcedures(engine).all()
    finally:
        engine.dispose()
    for one in stored:
        try:
            decode_stored(one)
        except Problem as problem:
            problems.append(problem)
    return StoredProcedures(len(stored), problems)

"""Table `notice`: what is to be told, written in the transaction of what it tells about."""

import json
from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, Connection, String, Table, Text
from sqlalchemy.dialects import sqlite

from dothi.model.notice import Notice
from dothi.storage.relational.moments import us_of
from dothi.storage.relational.schema import metadata

notice = Table(
    "notice",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("priority", BigInteger, nullable=False),
    Column("subject", String, nullable=False),
    Column("parameters", Text, nullable=False),
)


def put(connection: Connection, notices: Sequence[Notice]) -> None:
    """Keep notices; one that is there already stays as it is."""
    values = [
        {
            "id": one.id,
            "kind": one.kind,
            "at_us": us_of(one.at),
            "priority": int(one.priority),
            "subject": one.subject,
            "parameters": json.dumps(dict(one.parameters)),
        }
        for one in notices
    ]
    connection.execute(sqlite.insert(notice).on_conflict_do_nothing(), values)


def answer_subject(
    connection: Connection, subject: str, by: str, text: str, at_us: int
) -> Sequence[int]:
    """Nobody asks for an answer yet."""
    return ()

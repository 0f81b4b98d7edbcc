"""Table `stored_answer`."""

from datetime import timedelta

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects import sqlite

from dothi.model.moments import at_of, us_of
from dothi.ports.answers import StoredAnswer
from dothi.storage.relational.people_tables import stored_answer
from dothi.storage.relational.writing import writing

_KEPT = timedelta(days=7)


class RelationalAnswers:
    """The port `Answers` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, who: str, key: str) -> StoredAnswer | None:
        its = select(stored_answer).where(stored_answer.c.who == who, stored_answer.c.key == key)
        with self._engine.connect() as connection:
            row = connection.execute(its).first()
        if row is None:
            return None
        at = at_of(row.answered_us)
        return StoredAnswer(row.who, row.key, row.request, row.status, row.media_type, row.body, at)

    def keep(self, answer: StoredAnswer) -> None:
        new = sqlite.insert(stored_answer).values(
            who=answer.who,
            key=answer.key,
            request=answer.request,
            status=answer.status,
            media_type=answer.media_type,
            body=answer.body,
            answered_us=us_of(answer.answered_at),
        )
        oldest_us = us_of(answer.answered_at - _KEPT)
        with writing(self._engine) as connection:
            connection.execute(delete(stored_answer).where(stored_answer.c.answered_us < oldest_us))
            connection.execute(new.on_conflict_do_nothing())

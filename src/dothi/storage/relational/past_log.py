"""Log rows about the past alone: what is recorded for it, scopes, and what is forgotten."""

from collections.abc import Callable

import pyarrow as pa

from dothi.model.row import Change
from dothi.storage.relational.columns import Ints
from dothi.storage.relational.entity_writer import scope_rows
from dothi.storage.relational.log_append import LogAppender, Work
from dothi.storage.relational.numbered import Numbered
from dothi.storage.relational.past_writer import PastWriter

News = Callable[[Numbered, Work], tuple[Numbered, Ints]]
"""The rows that are no duplicates, with their revisions."""


class PastLog:
    """Within the writer's transaction."""

    def __init__(self, writer: PastWriter, log: LogAppender, news: News) -> None:
        self.writer = writer
        self._log = log
        self._news = news

    def record(self, rows: pa.Table, work: Work) -> None:
        """Apply RECORD and RECORD_ENTITY rows."""
        entities = self.writer.entities(rows, work.now_us)
        about_entity = rows["change"].to_numpy() == Change.RECORD_ENTITY
        if about_entity.any():
            chosen = rows.filter(pa.array(about_entity))
            self.writer.add_types(chosen, entities[about_entity])
            self._log.append(self._log.numbered(chosen, entities[about_entity]), work)
            rows, entities = rows.filter(pa.array(~about_entity)), entities[~about_entity]
        if rows.num_rows:
            series = self.writer.series(rows, entities, work.now_us)
            numbered, revision = self._news(self._log.numbered(rows, entities, series), work)
            if len(numbered):
                self._log.append(numbered, work, revision)
                self.writer.note_newest(numbered)

    def log_scopes(self, chosen: Numbered, work: Work) -> None:
        """Note the scopes of UPSERT_ENTITY rows that change them.

        Scopes have a history like attributes (ETSI GS CIM 009, clause 4.5.6).
        """
        rows = scope_rows(chosen.rows, work.now_us)
        series = self.writer.series(rows, chosen.entities, work.now_us)
        self._log.add(self._log.numbered(rows, chosen.entities, series), work)

    def forget(self, rows: pa.Table, work: Work) -> None:
        """Apply FORGET and FORGET_ENTITY rows."""
        numbered = self._log.numbered(rows, *self.writer.find(rows))
        work.forgotten += self.writer.forget(numbered, work.next_seq, work.now_us)
        self._log.append(numbered, work)

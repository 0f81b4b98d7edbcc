"""Table `audit`: a chain of hashes that only grows."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Engine, Row, func, or_, select

from dothi.model.audit import GENESIS, AuditEntry, Deed, digest_of
from dothi.model.moments import at_of, us_of
from dothi.ports.audit import AuditQuestion, Verified
from dothi.ports.clock import Clock
from dothi.storage.relational.audit_chain import attended, put
from dothi.storage.relational.people_tables import audit, audit_head
from dothi.storage.relational.writing import writing

_PAGE = 2_000


class RelationalAudit:
    """The port `Audit` over SQLAlchemy Core."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def append(self, who: str, action: str, subject: str, detail: Mapping[str, str]) -> None:
        with writing(self._engine) as connection:
            put(connection, self._clock.now(), who, action, subject, detail)

    def attended(self, deed: Deed) -> AbstractContextManager[None]:
        return attended(deed, self._engine, self._clock)

    def tell(self, deed: Deed) -> None:
        if not deed.is_told:
            self.append(deed.who, deed.action, deed.subject, deed.detail)
            deed.is_told = True

    def find(self, question: AuditQuestion) -> list[AuditEntry]:
        query = select(audit).order_by(audit.c.seq.desc()).limit(question.limit)
        query = query.where(*_conditions(question))
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def people(self) -> list[str]:
        query = select(audit.c.who).distinct().order_by(audit.c.who)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

    def verify(self, contains: str = "") -> Verified:
        seen, previous, is_found = 0, GENESIS, not contains
        first: AuditEntry | None = None
        last: AuditEntry | None = None
        with self._engine.connect() as connection:
            head = connection.execute(select(audit_head.c.seq, audit_head.c.digest)).first()
            while True:
                page = select(audit).where(audit.c.seq > seen).order_by(audit.c.seq).limit(_PAGE)
                entries = [_entry(row) for row in connection.execute(page)]
                for entry in entries:
                    if why := _fault(entry, seen, previous):
                        return Verified(seen, previous, seen + 1, why)
                    first, last = first or entry, entry
                    seen, previous = entry.seq, entry.digest
                    is_found = is_found or entry.digest == contains
                if len(entries) < _PAGE:
                    break
        if head is not None and head.seq > seen:
            return Verified(seen, previous, seen + 1, "the last entries are missing")
        if not is_found:
            return Verified(seen, previous, seen + 1, "the noted digest is not in the record")
        if first is None or last is None:
            return Verified(0, previous)
        return Verified(seen, previous, first_at=first.at, last_at=last.at)


def _conditions(asked: AuditQuestion) -> Iterator[ColumnElement[bool]]:
    columns = audit.c
    if asked.before is not None:
        yield columns.seq < asked.before
    if asked.begin_at is not None:
        yield columns.at_us >= us_of(asked.begin_at)
    if asked.end_at is not None:
        yield columns.at_us < us_of(asked.end_at)
    if asked.who:
        yield columns.who == asked.who
    if asked.kinds:
        begins = (columns.subject.startswith(f"{kind}:", autoescape=True) for kind in asked.kinds)
        yield or_(columns.subject.in_(asked.kinds), *begins)
    if asked.subject:
        about = func.json_extract(columns.detail, "$.subjects")
        among = f" {asked.subject} "
        several = (" " + func.coalesce(about, "") + " ").contains(among, autoescape=True)
        yield or_(columns.subject == asked.subject, several)
    if asked.text:
        searched = (columns.who, columns.action, columns.subject, columns.detail)
        yield or_(*(one.contains(asked.text, autoescape=True) for one in searched))


def _fault(entry: AuditEntry, seen: int, previous: str) -> str:
    if entry.seq != seen + 1:
        return "an entry is missing"
    if entry.previous != previous:
        return "the entry does not follow the one before it"
    return "" if entry.digest == digest_of(entry) else "the entry was changed"


def _entry(row: Row[Any]) -> AuditEntry:
    detail = msgspec.json.decode(row.detail, type=dict[str, str])
    return AuditEntry(
        row.seq,
        at_of(row.at_us),
        row.who,
        row.action,
        row.subject,
        detail,
        row.previous,
        row.digest,
    )
